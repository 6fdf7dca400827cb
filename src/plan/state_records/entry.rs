//! What the values of a state record say, and how that is written.

use super::claim::Claim;
use crate::dns::record_key::is_own_id;
use crate::dns::{Name, RecordKey, RecordType, SharedText, Values, txt};

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
    pub fn values<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Values {
        let entries = entries.into_iter();
        let (claims, others): (Vec<_>, Vec<_>) = entries.partition(|entry| entry.is_claim());
        let owned = others
            .iter()
            .position(|entry| matches!(entry, Entry::Owned(_)));
        let mut values: Vec<String> = others.iter().map(|entry| entry.value()).collect();
        for (number, claim) in claims.into_iter().enumerate() {
            match owned {
                Some(first) if number == 0 => {
                    values[first].push(' ');
                    values[first] += &claim.value();
                }
                Some(_) | None => values.push(claim.value()),
            }
        }
        values.into_iter().collect()
    }

    /// The entry as a string of a TXT record set's value, or several.
    pub fn value(&self) -> String {
        match self {
            Entry::Owned(RecordKey {
                name,
                rtype,
                set_id,
            }) => {
                let mut text = name.as_str().to_owned();
                match (rtype, set_id) {
                    (RecordType::A, None) => {}
                    (rtype, None) => text += &format!(" {rtype}"),
                    (rtype, Some(set_id)) => text += &format!(" {rtype} {set_id}"),
                }
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

    /// Whether the forerunners understand it: they keep simple `A` record sets only, and write the first
    /// state record anew with what they understand.
    pub fn is_for_forerunners(&self) -> bool {
        match self {
            Entry::Owned(key) => is_for_forerunners(key),
            Entry::Claim(_) => false,
            Entry::Foreign(_) => true,
        }
    }
}

/// Whether the forerunners understand the entry of this record set.
pub fn is_for_forerunners(key: &RecordKey) -> bool {
    key.rtype == RecordType::A && !key.is_routed()
}

/// What stands between an owned record set and the claim in one value.
const BEFORE_CLAIM: &str = " \"claim ";
/// A first label that is `*`, in Route 53's form.
const WILDCARD: &str = "\\052.";
/// What fits into one string of a TXT value behind `*.`: such a string has at most 255 octets.
const MAX_BEHIND_WILDCARD: usize = 253;

/// Reads `<name>` for a simple A record set, `<name> <type>` for other simple ones, and
/// `<name> <type> <set identifier>` for one of several.
fn owned_key(text: &str, zone: &Name) -> Option<RecordKey> {
    let mut words = text.split(' ');
    let name = words.next()?;
    let rtype = match words.next() {
        None => RecordType::A,
        Some("AAAA") => RecordType::Aaaa,
        Some("CNAME") => RecordType::Cname,
        // A simple one is written without its type, so this is not of this program.
        Some("A") if text.matches(' ').count() == 2 => RecordType::A,
        Some(_) => return None,
    };
    let set_id = words.next();
    if words.next().is_some() || set_id.is_some_and(|id| !is_own_id(id)) {
        return None;
    }
    let name = Name::parse(name)
        .ok()
        .filter(|name| name.is_at_or_below(zone))?;
    Some(RecordKey::with_set_id(
        name,
        rtype,
        set_id.map(SharedText::from),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn claim(text: &str) -> Entry {
        Entry::Claim(Claim::parse(text).unwrap())
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
                claim("claim 00000000000000ff"),
            ),
            (
                "\"claim 00000000000000ff 0000000000000010\"",
                claim("claim 00000000000000ff 0000000000000010"),
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
        let claim = claim("claim 00000000000000ff 0000000000000010");
        let text = "\"claim 00000000000000ff 0000000000000010\"";
        let foreign = Entry::Foreign("\"a\"".to_owned());
        let other = Entry::Claim(Claim::parse("claim 0000000000000001").unwrap());
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
            (
                vec![&web, &other, &claim],
                vec![format!("{of_web} {}", other.value()), text.to_owned()],
            ),
        ] {
            let entries: BTreeSet<Entry> = entries.into_iter().cloned().collect();
            assert_eq!(Entry::values(&entries), Values::from_iter(values.clone()));
            let read = values.iter().flat_map(|value| Entry::read(value, &zone));
            assert_eq!(read.collect::<BTreeSet<_>>(), entries);
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
}
