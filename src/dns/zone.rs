//! The record sets that were listed of a hosted zone, and a batch of changes to them.

use std::collections::BTreeMap;

use super::{RecordKey, RecordSet};

/// What a zone has under one key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Listed {
    /// A record set of which every element is known, so that it can be deleted.
    Whole(RecordSet),
    /// One that has an element that this program can't write. A DELETE would have to repeat it, so the
    /// record set is left alone until somebody removes that element.
    Partial {
        /// Name of the element in Route 53's XML.
        element: String,
    },
}

impl Listed {
    /// The record set, if all of it is known.
    pub fn whole(&self) -> Option<&RecordSet> {
        match self {
            Listed::Whole(set) => Some(set),
            Listed::Partial { .. } => None,
        }
    }
}

/// The record sets of a zone that were listed, with the changes that were applied since then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Zone {
    sets: BTreeMap<RecordKey, Listed>,
}

impl Zone {
    /// Adds one record set of a listing. Of two with the same key, the later one counts.
    pub fn insert(&mut self, key: RecordKey, listed: Listed) {
        self.sets.insert(key, listed);
    }

    /// Adds another listing. Where both have the same key, `other` wins.
    pub fn merge(&mut self, other: Zone) {
        self.sets.extend(other.sets);
    }

    /// Removes every key for which `keep` is false.
    pub fn retain(&mut self, keep: impl Fn(&RecordKey) -> bool) {
        self.sets.retain(|key, _| keep(key));
    }

    /// What the zone has under this key.
    pub fn get(&self, key: &RecordKey) -> Option<&Listed> {
        self.sets.get(key)
    }

    /// The record set under this key, if there is one of which everything is known.
    pub fn whole(&self, key: &RecordKey) -> Option<&RecordSet> {
        self.get(key).and_then(Listed::whole)
    }

    /// What the zone has under the name and type of this key, whatever the set identifier.
    pub fn group(&self, key: &RecordKey) -> impl Iterator<Item = (&RecordKey, &Listed)> {
        let first = RecordKey::new(key.name.clone(), key.rtype.clone());
        let stretch = self.sets.range(&first..);
        stretch.take_while(move |(key, _)| key.is_same_group(&first))
    }

    /// All keys and what the zone has under them, sorted by name, then type, then set
    /// identifier.
    pub fn iter(&self) -> impl Iterator<Item = (&RecordKey, &Listed)> {
        self.sets.iter()
    }

    /// Applies a batch that Route 53 has confirmed.
    pub fn apply(&mut self, batch: &ChangeBatch) {
        for set in &batch.deletes {
            self.sets.remove(&set.key);
        }
        for set in &batch.creates {
            self.sets
                .insert(set.key.clone(), Listed::Whole(set.clone()));
        }
    }
}

/// One request to ChangeResourceRecordSets. Route 53 applies all of it or nothing. The DELETEs
/// come before the CREATEs, since a record set that changes is in both lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ChangeBatch {
    /// Record sets to delete, exactly as they were listed.
    pub deletes: Vec<RecordSet>,
    /// Record sets to create. They must not exist yet, or be deleted in this batch.
    pub creates: Vec<RecordSet>,
}

impl ChangeBatch {
    /// Sorts both lists by key.
    pub fn sort(&mut self) {
        for sets in [&mut self.deletes, &mut self.creates] {
            // An unstable sort is enough, since no key occurs twice.
            sets.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        }
    }

    /// Whether it deletes a record set and creates none in its place.
    pub fn removes(&self, key: &RecordKey) -> bool {
        let has = |sets: &[RecordSet]| sets.iter().any(|set| set.key == *key);
        has(&self.deletes) && !has(&self.creates)
    }

    /// Number of changes, as Route 53 counts them.
    pub fn changes(&self) -> usize {
        self.deletes.len() + self.creates.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, RecordType};

    fn a(name: &str, value: &str) -> RecordSet {
        RecordSet::of_values(
            RecordKey::new(Name::parse(name).unwrap(), RecordType::A),
            60,
            [value.to_owned()].into(),
        )
    }

    fn zone(sets: &[RecordSet]) -> Zone {
        let mut zone = Zone::default();
        for set in sets {
            zone.insert(set.key.clone(), Listed::Whole(set.clone()));
        }
        zone
    }

    #[test]
    fn what_is_listed_later_is_added_and_wins() {
        let mut both = zone(&[a("one.", "192.0.2.1"), a("two.", "192.0.2.2")]);
        both.merge(zone(&[a("two.", "192.0.2.22"), a("three.", "192.0.2.3")]));
        let expected = zone(&[
            a("one.", "192.0.2.1"),
            a("two.", "192.0.2.22"),
            a("three.", "192.0.2.3"),
        ]);
        assert_eq!(both, expected);
    }

    #[test]
    fn only_what_is_to_be_kept_stays() {
        let kept = a("one.", "192.0.2.1");
        let mut some = zone(&[kept.clone(), a("two.", "192.0.2.2")]);
        some.retain(|key| *key == kept.key);
        assert_eq!(some, zone(&[kept]));
    }

    #[test]
    fn a_confirmed_batch_is_what_the_zone_has() {
        let changed = a("two.", "192.0.2.22");
        let mut zone_of_three = zone(&[
            a("one.", "192.0.2.1"),
            a("two.", "192.0.2.2"),
            a("three.", "192.0.2.3"),
        ]);
        let batch = ChangeBatch {
            deletes: vec![a("one.", "192.0.2.1"), a("two.", "192.0.2.2")],
            creates: vec![
                changed.clone(),
                a("four.", "192.0.2.4"),
                a("five.", "192.0.2.5"),
            ],
        };
        assert_eq!(batch.changes(), 5);
        zone_of_three.apply(&batch);
        let expected = zone(&[
            changed,
            a("three.", "192.0.2.3"),
            a("four.", "192.0.2.4"),
            a("five.", "192.0.2.5"),
        ]);
        assert_eq!(zone_of_three, expected);
    }
}
