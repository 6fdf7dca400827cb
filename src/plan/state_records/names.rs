//! The names of state records.

use crate::desired::target::{STATE_RECORD_PREFIX as PREFIX, may_be_state_record};
use crate::dns::{Name, NameError, RecordKey, RecordType};

/// The names of the state records of one owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateNames {
    label: String,
    zone: Name,
    first: Name,
}

impl StateNames {
    /// The names for the owner with this id: `OWNER_ID`, or the environment's UUID. An error if
    /// they would not be valid names.
    pub fn new(owner_id: &str, zone: &Name) -> Result<StateNames, NameError> {
        let label = format!("{PREFIX}{}", owner_id.to_ascii_lowercase());
        // A dot would end the label, and the name would be in somebody else's subdomain.
        let label = label.replace('.', "\\056");
        let names = StateNames {
            first: zone.child(&label)?,
            label,
            zone: zone.clone(),
        };
        // The longest of the names has to be valid too.
        zone.child(&format!("{}-{}", names.label, u16::MAX))?;
        Ok(names)
    }

    /// The hosted zone.
    pub fn zone(&self) -> &Name {
        &self.zone
    }

    /// The name of the state record with this index: 0 for the one without a number.
    pub fn name(&self, index: u16) -> Name {
        match index {
            0 => self.first.clone(),
            _ => self
                .zone
                .child(&format!("{}-{index}", self.label))
                .expect("new() has tried the longest name"),
        }
    }

    /// The index of the state record with this key. `None` for other types than TXT, since a
    /// service can be given the name of a state record.
    pub fn index_of(&self, key: &RecordKey) -> Option<u16> {
        match key.rtype {
            RecordType::Txt => self.index_of_name(&key.name),
            _ => None,
        }
    }

    /// The index of the state record with this name, if the name is one of this owner's.
    pub fn index_of_name(&self, name: &Name) -> Option<u16> {
        if *name == self.first {
            return Some(0);
        }
        let (label, parent) = name.as_str().split_once('.')?;
        let (first, _) = self.first.as_str().split_once('.')?;
        let number = label.strip_prefix(first)?.strip_prefix('-')?;
        let index: u16 = number.parse().ok().filter(|index| *index > 0)?;
        (parent == self.zone.as_str() && number == index.to_string()).then_some(index)
    }

    /// Whether a state record may have this name, whoever keeps it. Deeper names are not meant.
    pub fn is_anybodys(&self, name: &Name) -> bool {
        may_be_state_record(name, &self.zone)
    }

    /// Whether a record set is somebody's state record, or a CNAME in the place of one of ours. Record
    /// sets of other types may have such a name, too, if a service is given it.
    pub fn is_state_record(&self, key: &RecordKey) -> bool {
        match key.rtype {
            RecordType::Txt => self.is_anybodys(&key.name),
            RecordType::Cname => self.index_of_name(&key.name).is_some(),
            _ => false,
        }
    }

    /// Where a listing of everybody's state records begins. The dot at the end of the label sorts
    /// before any letter and digit, so every UUID comes later.
    pub fn listing_start(&self) -> Name {
        let least = self.zone.child(PREFIX);
        let own = self.name(1);
        match least {
            Ok(least) if least.listing_key() < own.listing_key() => least,
            _ => own,
        }
    }

    /// Whether a listing from [`StateNames::listing_start`] on has passed the last name that
    /// anybody's state record can have.
    ///
    /// Route 53 doesn't document how escaped characters sort, so the key of a name is compared up
    /// to its first escape only.
    pub fn is_past_all(&self, listed: &Name) -> bool {
        let prefix = self.zone.listing_key() + PREFIX;
        let sure = sure_part(listed);
        sure > prefix && !sure.starts_with(&prefix)
    }
}

/// The part of a name's listing key of which it is known how it sorts.
fn sure_part(name: &Name) -> String {
    let mut key = name.listing_key();
    key.truncate(key.find('\\').unwrap_or(key.len()));
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn names() -> StateNames {
        StateNames::new("1A726B88-f6b1", &name("example.com")).unwrap()
    }

    #[test]
    fn names_continue_with_a_number() {
        assert_eq!(
            names().name(0).as_str(),
            "external-dns-1a726b88-f6b1.example.com."
        );
        assert_eq!(
            names().name(12).as_str(),
            "external-dns-1a726b88-f6b1-12.example.com."
        );
        // The name, its index, and whether it may be another owner's.
        for (text, index, is_anybodys) in [
            ("external-dns-1a726b88-f6b1.example.com", Some(0), true),
            ("external-dns-1a726b88-f6b1-7.example.com", Some(7), true),
            ("external-dns-1a726b88-f6b1-07.example.com", None, true),
            ("external-dns-1a726b88-f6b1-0.example.com", None, true),
            ("external-dns-1a726b88-f6b1-x.example.com", None, true),
            ("external-dns-1a726b88-f6b1-70000.example.com", None, true),
            ("external-dns-1a726b88-f6b1-1.sub.example.com", None, false),
            ("external-dns-1a726b88.example.com", None, true),
            ("external-dns-1a726b88-f6b1-1.example.org", None, false),
            ("external-dns.example.com", None, false),
            ("web.example.com", None, false),
            ("example.com", None, false),
        ] {
            let name = name(text);
            assert_eq!(names().index_of_name(&name), index, "{text}");
            assert_eq!(names().is_anybodys(&name), is_anybodys, "{text}");
        }
    }

    #[test]
    fn a_cname_is_taken_for_a_state_record_in_the_place_of_one_of_ours_only() {
        let ours = names().name(1);
        let theirs = name("external-dns-other.example.com");
        for (name, rtype, expected) in [
            (&ours, RecordType::Txt, true),
            (&ours, RecordType::Cname, true),
            (&ours, RecordType::A, false),
            (&theirs, RecordType::Txt, true),
            (&theirs, RecordType::Cname, false),
        ] {
            let key = RecordKey::new(name.clone(), rtype);
            assert_eq!(names().is_state_record(&key), expected, "{key}");
        }
    }

    #[test]
    fn a_uuid_that_makes_no_name_is_refused() {
        assert!(StateNames::new(&"x".repeat(60), &name("example.com")).is_err());
        let dotted = StateNames::new("a.b", &name("example.com")).unwrap();
        assert_eq!(dotted.name(0).as_str(), "external-dns-a\\056b.example.com.");
        assert_eq!(dotted.index_of_name(&dotted.name(3)), Some(3));
    }

    #[test]
    fn all_are_listed_between_the_start_and_what_is_past_them() {
        let zone = name("example.com");
        for owner in ["1a726b88-f6b1", "adminproject", "0", "zz", "-odd", "a.b"] {
            let names = StateNames::new(owner, &zone).unwrap();
            let start = names.listing_start().listing_key();
            for index in [0, 1, 2, 9, 10, 11, 99, 100, u16::MAX] {
                let name = names.name(index);
                assert!(start <= name.listing_key(), "{owner} {index}");
                assert!(!names.is_past_all(&name), "{owner} {index}");
            }
            for other in ["0", "1a726b88", "adminproject", "zz"] {
                let other = StateNames::new(other, &zone).unwrap().name(1);
                assert!(start <= other.listing_key(), "{owner} lists {other}");
            }
            let past = zone.child("zzz").unwrap();
            assert!(names.is_past_all(&past));
        }
        for (text, is_past) in [
            ("external-dns-zz.example.com", false),
            ("below.external-dns-zz.example.com", false),
            ("external-dns.example.com", true),
            ("external-dnsx.example.com", true),
            ("f.example.com", true),
            ("*.example.com", false),
            ("a.example.com", false),
            ("a.example.org", true),
        ] {
            assert_eq!(names().is_past_all(&name(text)), is_past, "{text}");
        }
    }
}
