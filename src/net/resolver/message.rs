//! DNS messages (RFC 1035): a question becomes bytes, and the bytes of an answer become a [`Reply`].
//! Pure.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most addresses of one kind that are used: connecting has a time limit of seconds, in which more
/// can't be tried anyway.
const MAX_ADDRESSES: usize = 8;
/// Size of a message's header, in bytes.
const HEADER_SIZE: usize = 12;
const CLASS_IN: u16 = 1;

/// The type of a question: which kind of address is wanted.
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

/// A question with the id that its reply must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    id: u16,
    kind: Kind,
    /// The encoded question section (name, type and class), which the reply repeats.
    section: Vec<u8>,
}

/// A name server's reply to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// At least one address.
    Addresses(Vec<IpAddr>),
    /// The name exists, but has no address of this kind.
    NoAddress,
    /// The name doesn't exist.
    NoName,
    /// The reply didn't fit into the datagram, so it has to be asked for over TCP.
    Truncated,
    /// The server can't or won't answer; the text is DNS's name of the error.
    Refused(String),
}

/// Whether a question can be made for a name: visible ASCII, labels of 1 to 63 bytes, and at most 253
/// bytes in all.
pub fn is_name(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| (1..=63).contains(&label.len()))
        && name.bytes().all(|b| b.is_ascii_graphic())
}

impl Question {
    /// A question for a name that [`is_name`] accepts, without a dot at its end.
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

    /// The message with this question; recursion is desired. EDNS isn't used, because old servers
    /// refuse it. So an answer of more than 512 bytes comes over TCP.
    pub fn message(&self) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEADER_SIZE + self.section.len());
        message.extend(self.id.to_be_bytes());
        message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        message.extend_from_slice(&self.section);
        message
    }

    /// Reads a message. `None` if it isn't a reply to this question.
    pub fn reply(&self, message: &[u8]) -> Option<Reply> {
        let header = message.get(..HEADER_SIZE)?;
        let is_reply = header[2] & 0xf8 == 0x80; // QR, and the opcode of a query
        if u16_at(message, 0)? != self.id || !is_reply {
            return None;
        }
        let code = header[3] & 0x0f;
        let end = HEADER_SIZE + self.section.len();
        let echo = message.get(HEADER_SIZE..end);
        // Ignoring the case changes only letters of the name: lengths, type and class aren't letters.
        let is_ours = echo.is_some_and(|echo| echo.eq_ignore_ascii_case(&self.section));
        // Some servers leave the question out of an error message.
        let is_bare_error = u16_at(message, 4) == Some(0) && code != 0;
        if !is_ours && !is_bare_error {
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
        addresses.truncate(MAX_ADDRESSES);
        match (addresses.is_empty(), is_truncated, is_whole) {
            // Some addresses are enough, even if the message is truncated or broken.
            (false, _, _) => Reply::Addresses(addresses),
            (true, true, _) => Reply::Truncated,
            (true, false, true) => Reply::NoAddress,
            (true, false, false) => Reply::Refused("a broken message".to_owned()),
        }
    }

    /// Reads the record at a position. Returns its address, if it has the wanted type, and the
    /// position after the record. Its name isn't compared, because an alias has another one.
    fn answer(&self, message: &[u8], position: usize) -> Option<(Option<IpAddr>, usize)> {
        let fixed = after_name(message, position)?;
        let (kind, class) = (u16_at(message, fixed)?, u16_at(message, fixed + 2)?);
        let data = fixed + 10;
        let end = data + usize::from(u16_at(message, fixed + 8)?);
        let data = message.get(data..end)?;
        let is_wanted = kind == self.kind.number() && class == CLASS_IN;
        let address = if is_wanted {
            address(self.kind, data)
        } else {
            None
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

/// The position after the encoded name at `position`.
fn after_name(message: &[u8], mut position: usize) -> Option<usize> {
    loop {
        match *message.get(position)? {
            0 => return Some(position + 1),
            length @ 1..=63 => position += 1 + usize::from(length),
            // A pointer (compression): the rest of the name is elsewhere in the message.
            192..=255 => return Some(position + 2),
            _ => return None,
        }
    }
}

fn u16_at(message: &[u8], position: usize) -> Option<u16> {
    let bytes = message.get(position..position + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}
