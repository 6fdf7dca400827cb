//! Questions to a name server as bytes, and bytes → its reply (RFC 1035). Pure.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// More addresses of one kind than this are of no use to a connection that is tried for seconds.
const MOST_ADDRESSES: usize = 8;
/// Bytes of a message before its question.
const HEADER: usize = 12;
const CLASS_IN: u16 = 1;

/// Kind of address that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// IPv4.
    A,
    /// IPv6.
    Aaaa,
}

impl Kind {
    fn number(self) -> u16 {
        match self {
            Kind::A => 1,
            Kind::Aaaa => 28,
        }
    }
}

/// A question, and by which number its reply is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    id: u16,
    kind: Kind,
    /// Name, type and class, as they stand in both messages.
    section: Vec<u8>,
}

/// What a name server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// At least one address.
    Addresses(Vec<IpAddr>),
    /// The name exists, without such an address.
    NoAddress,
    /// There is no such name.
    NoName,
    /// The reply didn't fit: TCP has all of it.
    Truncated,
    /// The server can't or won't say, in DNS's word for it.
    Refused(String),
}

/// Whether a name can be asked for: labels of 1 to 63 bytes, 253 at most in all.
pub fn is_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| (1..=63).contains(&label.len()))
        && name.bytes().all(|b| b.is_ascii_graphic())
}

impl Question {
    /// `name` is one that [`is_name`], without a dot at its end.
    pub fn new(id: u16, name: &str, kind: Kind) -> Question {
        let mut section = Vec::with_capacity(name.len() + 6);
        for label in name.split('.') {
            section.push(label.len() as u8);
            section.extend_from_slice(label.as_bytes());
        }
        section.push(0);
        section.extend(kind.number().to_be_bytes());
        section.extend(CLASS_IN.to_be_bytes());
        Question { id, kind, section }
    }

    /// The message that asks it, recursion desired. Without EDNS, which old servers answer with an
    /// error; what doesn't fit into 512 bytes comes over TCP.
    pub fn message(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEADER + self.section.len());
        message.extend(self.id.to_be_bytes());
        message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        message.extend_from_slice(&self.section);
        message
    }

    /// Reads a message; none if it isn't a reply to this question.
    pub fn reply(&self, message: &[u8]) -> Option<Reply> {
        let header = message.get(..HEADER)?;
        let is_reply = header[2] & 0xf8 == 0x80; // QR, and the opcode of a query
        if u16_at(message, 0)? != self.id || !is_reply {
            return None;
        }
        let code = header[3] & 0x0f;
        let end = HEADER + self.section.len();
        let echo = message.get(HEADER..end);
        // No length and no number in it is an ASCII letter.
        let is_ours = echo.is_some_and(|echo| echo.eq_ignore_ascii_case(&self.section));
        // Some servers leave the question out of an error.
        let is_bare = u16_at(message, 4) == Some(0) && code != 0;
        if !is_ours && !is_bare {
            return None;
        }
        Some(match code {
            0 => {
                let is_truncated = header[2] & 0x02 != 0;
                let is_authority = header[2] & 0x04 != 0;
                let asks_others = header[3] & 0x80 != 0;
                match self.answers(message, end, is_truncated) {
                    // Neither its own zone nor one that it has asked for: it knows nothing.
                    Reply::NoAddress if !is_authority && !asks_others => {
                        Reply::Refused("nothing".to_owned())
                    }
                    reply => reply,
                }
            }
            1 => Reply::Refused("FORMERR".to_owned()),
            2 => Reply::Refused("SERVFAIL".to_owned()),
            3 => Reply::NoName,
            4 => Reply::Refused("NOTIMP".to_owned()),
            5 => Reply::Refused("REFUSED".to_owned()),
            code => Reply::Refused(format!("error {code}")),
        })
    }

    fn answers(&self, message: &[u8], start: usize, is_truncated: bool) -> Reply {
        let mut addresses = Vec::new();
        let mut position = start;
        let count = u16_at(message, 6).unwrap_or(0);
        let mut is_whole = true;
        for _ in 0..count {
            let Some((address, next)) = self.answer(message, position) else {
                is_whole = false;
                break;
            };
            addresses.extend(address);
            position = next;
        }
        addresses.truncate(MOST_ADDRESSES);
        match (addresses.is_empty(), is_truncated, is_whole) {
            // A part of them does.
            (false, _, _) => Reply::Addresses(addresses),
            (true, true, _) => Reply::Truncated,
            (true, false, true) => Reply::NoAddress,
            (true, false, false) => Reply::Refused("a broken message".to_owned()),
        }
    }

    /// The record at a position: its address, if it is of the kind asked for, and where it ends.
    /// Whose name it has doesn't matter: it may be that of an alias.
    fn answer(&self, message: &[u8], position: usize) -> Option<(Option<IpAddr>, usize)> {
        let fixed = after_name(message, position)?;
        let (kind, class) = (u16_at(message, fixed)?, u16_at(message, fixed + 2)?);
        let data = fixed + 10;
        let end = data + usize::from(u16_at(message, fixed + 8)?);
        let data = message.get(data..end)?;
        let is_asked_for = kind == self.kind.number() && class == CLASS_IN;
        let address = match is_asked_for {
            true => address(self.kind, data),
            false => None,
        };
        Some((address, end))
    }
}

fn address(kind: Kind, data: &[u8]) -> Option<IpAddr> {
    match kind {
        Kind::A => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).into()),
        Kind::Aaaa => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).into()),
    }
}

/// Where a name that stands at a position ends.
fn after_name(message: &[u8], mut position: usize) -> Option<usize> {
    loop {
        match *message.get(position)? {
            0 => return Some(position + 1),
            length @ 1..=63 => position += 1 + usize::from(length),
            // The rest of the name stands elsewhere.
            192..=255 => return Some(position + 2),
            _ => return None,
        }
    }
}

fn u16_at(message: &[u8], position: usize) -> Option<u16> {
    let bytes = message.get(position..position + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}
