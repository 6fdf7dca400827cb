//! What a state record says besides its name: its values, and its generation.

use std::collections::BTreeSet;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::base::sorted;
use crate::dns::record_set::MAX_TTL;
use crate::dns::{Name, RecordKey, RecordType, txt};

/// What a value of a state record says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// The key of a record set that the owner owns.
    Owned(RecordKey),
    /// Which Rancher server keeps the state records. It stands behind the first owned record set, as
    /// another string of the same value, so that it takes no value of its own.
    Claim(Claim),
    /// A value that is neither. Somebody else wrote it, and it is kept as it is.
    Foreign(String),
}

impl Entry {
    /// Reads a value. Only record sets within the zone can be owned.
    pub fn read(value: &str, zone: &Name) -> Vec<Entry> {
        if let Some((owned, claim)) = value.rsplit_once(BEFORE_CLAIM) {
            let claim = Claim::parse(&format!("claim {}", claim.trim_end_matches('"')));
            let entry = Entry::read_one(owned, zone);
            if let (Some(claim), Entry::Owned(_)) = (claim, &entry) {
                return vec![entry, Entry::Claim(claim)];
            }
        }
        vec![Entry::read_one(value, zone)]
    }

    fn read_one(value: &str, zone: &Name) -> Entry {
        let text = txt::decode(value);
        let claim = || Claim::parse(text.as_deref()?).map(Entry::Claim);
        let owned = || owned_key(text.as_deref()?, zone).map(Entry::Owned);
        owned()
            .or_else(claim)
            .unwrap_or_else(|| Entry::Foreign(value.to_owned()))
    }

    /// The values of a TXT record set that says all this.
    pub fn values<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> BTreeSet<String> {
        let entries = entries.into_iter();
        let (claims, others): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.is_claim());
        let owned = others
            .iter()
            .position(|entry| matches!(entry, Entry::Owned(_)));
        let mut values: Vec<String> = others.iter().map(|entry| entry.value()).collect();
        for claim in claims {
            match owned {
                Some(first) => {
                    values[first].push(' ');
                    values[first] += &claim.value();
                }
                None => values.push(claim.value()),
            }
        }
        sorted::set(values)
    }

    /// The entry as a string of a TXT record set's value, or several.
    pub fn value(&self) -> String {
        match self {
            Entry::Owned(RecordKey { name, rtype }) => {
                let rtype = match rtype {
                    RecordType::A => String::new(),
                    other => format!(" {other}"),
                };
                let text = format!("{}{rtype}", name.as_str());
                match text.strip_prefix(WILDCARD) {
                    // As the forerunners write it: the name's escape is the value's, too.
                    Some(rest) if !rest.contains('\\') && rest.len() <= MAX_BEHIND_WILDCARD => {
                        format!("\"{text}\"")
                    }
                    _ => txt::encode(&text),
                }
            }
            Entry::Claim(claim) => txt::encode(&claim.to_string()),
            Entry::Foreign(value) => value.clone(),
        }
    }

    /// Whether it lists a record set.
    pub fn is_owned(&self) -> bool {
        matches!(self, Entry::Owned(_))
    }

    /// Whether it is a claim.
    pub fn is_claim(&self) -> bool {
        matches!(self, Entry::Claim(_))
    }

    /// Whether the forerunners understand it: they keep `A` record sets only, and write the first
    /// state record anew with what they understand.
    pub fn is_for_forerunners(&self) -> bool {
        match self {
            Entry::Owned(key) => key.rtype == RecordType::A,
            Entry::Claim(_) => false,
            Entry::Foreign(_) => true,
        }
    }
}

/// What stands between an owned record set and the claim in one value.
const BEFORE_CLAIM: &str = " \"claim ";
/// A first label that is `*`, in Route 53's form.
const WILDCARD: &str = "\\052.";
/// What fits into one string of a TXT value behind `*.`: such a string has at most 255 octets.
const MAX_BEHIND_WILDCARD: usize = 253;

fn owned_key(text: &str, zone: &Name) -> Option<RecordKey> {
    let (name, rtype) = match text.split_once(' ') {
        None => (text, RecordType::A),
        Some((name, "AAAA")) => (name, RecordType::Aaaa),
        Some(_) => return None,
    };
    let name = Name::parse(name)
        .ok()
        .filter(|name| name.is_at_or_below(zone))?;
    Some(RecordKey::new(name, rtype))
}

/// Number of a state record's content. Each write has the next one, so no two writes are equal,
/// and a write succeeds only if nobody has written since the content was read, even if all entries
/// are the same again.
///
/// It is the TTL of the record set, which nobody resolves: there it takes no room in a request, and
/// the forerunners don't look at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u32);

/// The least TTL that is a generation. No record set that people resolve has such a TTL: it is 34
/// years.
const LEAST_GENERATION: u32 = 1 << 30;

impl Generation {
    /// The generation with this TTL; none if the TTL is one of the usual size, as programs write it
    /// that know of no generations.
    pub fn of_ttl(ttl: u32) -> Option<Generation> {
        (LEAST_GENERATION..=MAX_TTL)
            .contains(&ttl)
            .then_some(Generation(ttl))
    }

    /// Any generation: a different one for each number, as far as there are.
    pub fn of_number(number: u64) -> Generation {
        let few = number % u64::from(LEAST_GENERATION);
        Generation(LEAST_GENERATION | few as u32)
    }

    /// The generation of the next write.
    pub fn next(self) -> Generation {
        match self.0 {
            MAX_TTL => Generation(LEAST_GENERATION),
            ttl => Generation(ttl + 1),
        }
    }

    /// The TTL.
    pub fn ttl(self) -> u32 {
        self.0
    }
}

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

    fn parse(text: &str) -> Option<Claim> {
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
        write!(f, "claim {:016x}", self.server)?;
        match self.stack {
            Some(stack) => write!(f, " {stack:016x}"),
            None => Ok(()),
        }
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

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn owned(text: &str, rtype: RecordType) -> Entry {
        Entry::Owned(RecordKey::new(name(text), rtype))
    }

    #[test]
    fn entries_are_those_of_the_forerunner_and_the_rest_is_kept() {
        let zone = name("example.com");
        let web = || owned("web.example.com", RecordType::A);
        let foreign = |value: &str| Entry::Foreign(value.to_owned());
        for (value, entry) in [
            ("\"web.example.com.\"", web()),
            ("\"WEB.example.com\"", web()),
            (
                "\"web.example.com. AAAA\"",
                owned("web.example.com", RecordType::Aaaa),
            ),
            (
                "\"web.example.com. MX\"",
                foreign("\"web.example.com. MX\""),
            ),
            ("\"web.example.org.\"", foreign("\"web.example.org.\"")),
            ("\"v=spf1\"", foreign("\"v=spf1\"")),
            ("\"broken", foreign("\"broken")),
            ("\"\"", foreign("\"\"")),
            ("\"claim 12\"", foreign("\"claim 12\"")),
            (
                "\"claim 00000000000000ff\"",
                Entry::Claim(Claim {
                    server: 255,
                    stack: None,
                }),
            ),
            (
                "\"claim 00000000000000ff 0000000000000010\"",
                Entry::Claim(Claim {
                    server: 255,
                    stack: Some(16),
                }),
            ),
        ] {
            assert_eq!(
                Entry::read(value, &zone),
                std::slice::from_ref(&entry),
                "{value}"
            );
            assert_eq!(Entry::read(&entry.value(), &zone), [entry], "{value}");
        }
        let long = [
            "a".repeat(63),
            "b".repeat(63),
            "c".repeat(63),
            "d".repeat(49),
        ]
        .join(".");
        let long = RecordKey::new(zone.child(&long).unwrap(), RecordType::Aaaa);
        assert_eq!(
            Entry::read(&Entry::Owned(long.clone()).value(), &zone),
            [Entry::Owned(long)]
        );
    }

    #[test]
    fn a_wildcard_is_written_as_the_forerunners_do_and_read_however_it_is_written() {
        let zone = name("example.com");
        for rtype in [RecordType::A, RecordType::Aaaa] {
            let entry = owned("*.prod.example.com", rtype.clone());
            let suffix = entry.value().replace("\"\\052.prod.example.com.", "");
            assert_eq!(
                suffix.trim(),
                [r#"""#, r#"AAAA""#][usize::from(rtype != RecordType::A)]
            );
            for spelled in [
                r"\052.prod.example.com.",
                r"*.prod.example.com.",
                r"\\052.prod.example.com.",
            ] {
                let value = format!("\"{spelled}{suffix}");
                assert_eq!(
                    Entry::read(&value, &zone),
                    std::slice::from_ref(&entry),
                    "{value}"
                );
            }
        }
        // Another escape is no such spelling: a dot in a label would end it.
        let dotted = owned("\\052.a\\056b.example.com", RecordType::A);
        assert_eq!(dotted.value(), r#""\\052.a\\056b.example.com.""#);
        assert_eq!(Entry::read(&dotted.value(), &zone), [dotted]);
    }

    #[test]
    fn the_claim_stands_behind_the_first_owned_record_set() {
        let zone = name("example.com");
        let claim = Entry::Claim(Claim {
            server: 255,
            stack: Some(16),
        });
        let text = "\"claim 00000000000000ff 0000000000000010\"";
        let foreign = Entry::Foreign("\"a\"".to_owned());
        let (web, six) = (
            owned("web.example.com", RecordType::A),
            owned("web.example.com", RecordType::Aaaa),
        );
        let (of_web, of_six) = (web.value(), six.value());
        for (entries, values) in [
            (vec![&claim], vec![text.to_owned()]),
            (
                vec![&claim, &foreign],
                vec!["\"a\"".to_owned(), text.to_owned()],
            ),
            (vec![&web, &claim], vec![format!("{of_web} {text}")]),
            (
                vec![&web, &six, &claim],
                vec![format!("{of_web} {text}"), of_six.clone()],
            ),
            (vec![&six, &claim], vec![format!("{of_six} {text}")]),
            (vec![&web, &six], vec![of_web.clone(), of_six.clone()]),
        ] {
            let entries: BTreeSet<Entry> = entries.into_iter().cloned().collect();
            assert_eq!(Entry::values(&entries), sorted::set(values.clone()));
            let read = values.iter().flat_map(|value| Entry::read(value, &zone));
            assert_eq!(sorted::set(read), entries);
        }
        for value in [
            "\"web.example.com.\" \"claim 12\"",
            "\"web.example.org.\" \"claim 00000000000000ff\"",
            "\"web.example.com.\" \"claim 00000000000000ff",
        ] {
            let is_owned = |entry: &Entry| matches!(entry, Entry::Owned(_));
            let entries = Entry::read(value, &zone);
            assert!(
                !entries.iter().any(is_owned) || entries.len() == 2,
                "{value}"
            );
        }
    }

    #[test]
    fn generations_are_ttls_that_no_other_record_set_has() {
        for (ttl, is_generation) in [
            (0, false),
            (300, false),
            (604_800, false),
            (LEAST_GENERATION - 1, false),
            (LEAST_GENERATION, true),
            (MAX_TTL, true),
        ] {
            assert_eq!(Generation::of_ttl(ttl).is_some(), is_generation, "{ttl}");
        }
        for number in [0, 1, 7, u64::from(u32::MAX), u64::MAX] {
            let generation = Generation::of_number(number);
            assert_eq!(Generation::of_ttl(generation.ttl()), Some(generation));
            let next = generation.next();
            assert_eq!(Generation::of_ttl(next.ttl()), Some(next));
            assert_ne!(next, generation);
        }
    }

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
