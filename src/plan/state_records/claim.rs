//! Which Rancher server keeps the state records.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Which Rancher server keeps the state records of an owner. Every Rancher server gives its first
/// environment the same UUID, so the UUID doesn't tell.
///
/// A server is known by the host and port in the URL of its API, and by the UUID of the stack that
/// this program runs in. Either is enough: a server may move to another URL, and the stack may be
/// made anew. The zone is public, so only digests of them are written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    server: u64,
    /// None if metadata gives the stack no UUID.
    stack: Option<u64>,
}

impl Claim {
    /// The claim of the server whose API is at this host and port, for the stack with this UUID.
    pub fn new(host_and_port: &str, stack_uuid: Option<&str>) -> Claim {
        Claim {
            server: digest(host_and_port),
            stack: stack_uuid.map(digest),
        }
    }

    /// Whether both are of the same server.
    pub fn is_same_server(&self, other: &Claim) -> bool {
        self.server == other.server || self.stack.is_some() && self.stack == other.stack
    }

    /// Whether both are of the server with the same address.
    pub fn has_same_address(&self, other: &Claim) -> bool {
        self.server == other.server
    }

    /// Whether it says which stack, too.
    pub fn has_stack(&self) -> bool {
        self.stack.is_some()
    }

    /// The digests, for people: those of the server, and of the stack if it is known.
    pub fn mark(&self) -> String {
        match self.stack {
            Some(stack) => format!("{:016x} {stack:016x}", self.server),
            None => format!("{:016x}", self.server),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Claim> {
        let rest = text.strip_prefix("claim ")?;
        let (server, stack) = match rest.split_once(' ') {
            None => (rest, None),
            Some((server, stack)) => (server, Some(hexadecimal(stack)?)),
        };
        Some(Claim {
            server: hexadecimal(server)?,
            stack,
        })
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "claim {}", self.mark())
    }
}

/// The first 64 bits of a SHA-256.
fn digest(text: &str) -> u64 {
    let bytes = Sha256::digest(text.as_bytes());
    bytes
        .iter()
        .take(8)
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A number in exactly 16 lower-case hexadecimal digits.
fn hexadecimal(text: &str) -> Option<u64> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_whole = text.len() == 16 && text.bytes().all(is_digit);
    is_whole.then(|| u64::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_its_address_or_by_its_stack() {
        let claim = Claim::new("rancher.example.com:8080", Some("96d00b3d"));
        for (host_and_port, stack, is_same) in [
            ("rancher.example.com:8080", Some("96d00b3d"), true),
            ("rancher.example.com:8080", Some("made anew"), true),
            ("rancher.example.com:8080", None, true),
            ("other.example.com:8080", Some("96d00b3d"), true),
            ("other.example.com:8080", Some("another"), false),
            ("other.example.com:8080", None, false),
        ] {
            let other = Claim::new(host_and_port, stack);
            assert_eq!(claim.is_same_server(&other), is_same, "{host_and_port}");
            assert_eq!(other.is_same_server(&claim), is_same, "{host_and_port}");
        }
        let unknown = |host| Claim::new(host, None);
        assert!(!unknown("a:1").is_same_server(&unknown("b:1")));
    }
}
