//! State records: the TXT record sets in which an environment lists the record sets that it owns.
//!
//! They are in the hosted zone itself. The first is `external-dns-<environment uuid>.<zone>`, and
//! the list continues in `external-dns-<uuid>-1.<zone>`, `-2` and so on. Each value is an
//! [`Entry`] that names one owned record set: `"web.shop.prod.example.com."` stands for its A
//! record set, `"web.shop.prod.example.com. AAAA"` for its AAAA record set. The first state record
//! has the format of rancher/external-dns since 0.6 (`utils.StateRecord`), so each of the two
//! programs can take over from the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::sorted;
use crate::dns::zone::Listed;
use crate::dns::{ChangeBatch, Name, NameError, RecordKey, RecordSet, RecordType, Zone, txt};

/// Entries that this program writes into one state record. Route 53 allows 400 values.
pub const MAX_ENTRIES: usize = 100;
/// Characters that this program writes into one state record. Route 53 allows 32,000 characters in
/// a request, of which replacing a state record takes its length twice; the rest is for the record
/// sets that change with it.
pub const MAX_CHARACTERS: usize = 6_000;

/// The names of an environment's state records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateNames {
    label: String,
    zone: Name,
    first: Name,
}

impl StateNames {
    /// The names for the environment with this UUID. An error if they would not be valid names.
    pub fn new(environment_uuid: &str, zone: &Name) -> Result<StateNames, NameError> {
        let label = format!("external-dns-{}", environment_uuid.to_ascii_lowercase());
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

    /// The first and the last of the names in the order in which Route 53 lists a zone. All other
    /// state records are listed between these two.
    ///
    /// `…-1.` is first, since it sorts before every `…-1x.` and `…-2.`. The name without a number
    /// is last, since its dot sorts after the `-` of all others.
    pub fn listing_range(&self) -> (Name, Name) {
        (self.name(1), self.first.clone())
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

    /// The index of the state record with this name, if the name is one of this environment's.
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
}

/// One value of a state record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// The key of a record set that this environment owns.
    Owned(RecordKey),
    /// A value that is not such a key. Somebody else wrote it, and it is kept as it is.
    Foreign(String),
}

impl Entry {
    /// Reads a value. Only record sets within the zone can be owned.
    pub fn read(value: &str, zone: &Name) -> Entry {
        owned_key(value, zone).map_or_else(|| Entry::Foreign(value.to_owned()), Entry::Owned)
    }

    /// The entry as a value of a TXT record set.
    pub fn value(&self) -> String {
        match self {
            Entry::Owned(RecordKey {
                name,
                rtype: RecordType::A,
            }) => txt::encode(name.as_str()),
            Entry::Owned(RecordKey { name, rtype }) => {
                txt::encode(&format!("{} {rtype}", name.as_str()))
            }
            Entry::Foreign(value) => value.clone(),
        }
    }
}

fn owned_key(value: &str, zone: &Name) -> Option<RecordKey> {
    let text = txt::decode(value)?;
    let (name, rtype) = match text.split_once(' ') {
        None => (text.as_str(), RecordType::A),
        Some((name, "AAAA")) => (name, RecordType::Aaaa),
        Some(_) => return None,
    };
    let name = Name::parse(name)
        .ok()
        .filter(|name| name.is_at_or_below(zone))?;
    Some(RecordKey::new(name, rtype))
}

/// The state records of an environment, as they are in the zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateRecords {
    /// Sorted by index.
    records: Vec<Record>,
    /// For each owned record set, the sorted indexes of the state records that list it. There are
    /// several after a crash while entries were moved from one state record to another.
    owned: BTreeMap<RecordKey, Vec<u16>>,
    /// Indexes at which no state record can be created, because another record set has the name.
    blocked: BTreeSet<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    index: u16,
    /// The record set exactly as it was listed.
    set: RecordSet,
    entries: BTreeSet<Entry>,
}

impl StateRecords {
    /// Reads the state records from the listing of a zone.
    pub fn read(zone: &Zone, names: &StateNames) -> StateRecords {
        let mut state = StateRecords::default();
        for (key, listed) in zone.iter() {
            let Some(index) = names.index_of_name(&key.name) else {
                continue;
            };
            match (listed, &key.rtype) {
                (Listed::Simple(set), RecordType::Txt) => state.add(index, set, &names.zone),
                (_, RecordType::Txt | RecordType::Cname) => {
                    state.blocked.insert(index);
                }
                _ => {}
            }
        }
        state
    }

    fn add(&mut self, index: u16, set: &RecordSet, zone: &Name) {
        let values = set.values.iter();
        let entries = sorted::set(values.map(|value| Entry::read(value, zone)));
        for entry in &entries {
            if let Entry::Owned(key) = entry {
                let listed_in = self.owned.entry(key.clone()).or_default();
                let at = listed_in.partition_point(|other| *other < index);
                listed_in.insert(at, index);
            }
        }
        let at = self.place(index).unwrap_or_else(|at| at);
        let set = set.clone();
        let record = Record {
            index,
            set,
            entries,
        };
        self.records.insert(at, record);
    }

    /// Applies a batch that Route 53 has confirmed, as [`Zone::apply`] does. Only its state records
    /// matter here.
    pub fn apply(&mut self, batch: &ChangeBatch, names: &StateNames) {
        for set in &batch.deletes {
            if let Some(index) = names.index_of(&set.key) {
                self.remove(index);
            }
        }
        for set in &batch.creates {
            if let Some(index) = names.index_of(&set.key) {
                self.remove(index);
                self.add(index, set, &names.zone);
            }
        }
    }

    /// The position in `records` of the one with this index, or, as an error, where to insert it.
    fn place(&self, index: u16) -> Result<usize, usize> {
        self.records
            .binary_search_by_key(&index, |record| record.index)
    }

    fn remove(&mut self, index: u16) {
        let Ok(at) = self.place(index) else { return };
        for entry in &self.records.remove(at).entries {
            let Entry::Owned(key) = entry else { continue };
            if let Some(listed_in) = self.owned.get_mut(key) {
                listed_in.retain(|other| *other != index);
                if listed_in.is_empty() {
                    self.owned.remove(key);
                }
            }
        }
    }

    /// Whether this environment owns a record set.
    pub fn owns(&self, key: &RecordKey) -> bool {
        self.owned.contains_key(key)
    }

    /// The keys of all owned record sets, sorted.
    pub fn owned(&self) -> impl ExactSizeIterator<Item = &RecordKey> {
        self.owned.keys()
    }

    /// The indexes of the state records that list a record set, sorted.
    pub fn listed_in(&self, key: &RecordKey) -> impl Iterator<Item = u16> + '_ {
        self.owned.get(key).into_iter().flatten().copied()
    }

    /// All state records, sorted by index: the index, the record set as it was listed, its entries.
    pub fn records(&self) -> impl Iterator<Item = (u16, &RecordSet, &BTreeSet<Entry>)> {
        self.records
            .iter()
            .map(|record| (record.index, &record.set, &record.entries))
    }

    /// Whether no state record can be created with this index, because there is one or another
    /// record set has the name.
    pub fn is_taken(&self, index: u16) -> bool {
        self.place(index).is_ok() || self.blocked.contains(&index)
    }
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
        for (text, index) in [
            ("external-dns-1a726b88-f6b1.example.com", Some(0)),
            ("external-dns-1a726b88-f6b1-7.example.com", Some(7)),
            ("external-dns-1a726b88-f6b1-07.example.com", None),
            ("external-dns-1a726b88-f6b1-0.example.com", None),
            ("external-dns-1a726b88-f6b1-x.example.com", None),
            ("external-dns-1a726b88-f6b1-70000.example.com", None),
            ("external-dns-1a726b88-f6b1-1.sub.example.com", None),
            ("external-dns-1a726b88.example.com", None),
            ("external-dns-1a726b88-f6b1-1.example.org", None),
        ] {
            assert_eq!(names().index_of_name(&name(text)), index, "{text}");
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
    fn all_are_listed_between_the_first_and_the_last() {
        let (from, to) = names().listing_range();
        for index in [0, 1, 2, 9, 10, 11, 99, 100, u16::MAX] {
            let key = names().name(index).listing_key();
            assert!(
                from.listing_key() <= key && key <= to.listing_key(),
                "{index}"
            );
        }
    }

    #[test]
    fn entries_are_those_of_the_forerunner_and_the_rest_is_kept() {
        let zone = name("example.com");
        let a = RecordKey::new(name("web.example.com"), RecordType::A);
        let aaaa = RecordKey::new(name("web.example.com"), RecordType::Aaaa);
        for (value, entry) in [
            ("\"web.example.com.\"", Entry::Owned(a.clone())),
            ("\"WEB.example.com\"", Entry::Owned(a)),
            ("\"web.example.com. AAAA\"", Entry::Owned(aaaa)),
            (
                "\"web.example.com. MX\"",
                Entry::Foreign("\"web.example.com. MX\"".into()),
            ),
            (
                "\"web.example.org.\"",
                Entry::Foreign("\"web.example.org.\"".into()),
            ),
            ("\"v=spf1\"", Entry::Foreign("\"v=spf1\"".into())),
            ("\"broken", Entry::Foreign("\"broken".into())),
            ("\"\"", Entry::Foreign("\"\"".into())),
        ] {
            assert_eq!(Entry::read(value, &zone), entry, "{value}");
            assert_eq!(Entry::read(&entry.value(), &zone), entry, "{value}");
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
            Entry::Owned(long)
        );
    }
}
