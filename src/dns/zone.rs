//! What is known of a hosted zone, and a change to it.

use std::collections::BTreeMap;

use super::{Name, RecordKey, RecordSet, RecordType};

/// What a zone holds under a name and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// A simple record set.
    Simple(RecordSet),
    /// Alias, weighted, latency, multivalue, traffic policy …: never ours, and in the way of a
    /// simple record set of that name and type. Several may share name and type.
    Special,
}

/// The record sets of a zone that were listed, with the changes made since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    sets: BTreeMap<RecordKey, Listed>,
}

impl Zone {
    /// Adds what a listing holds. A key that comes twice is a special one: only those repeat.
    pub fn insert(&mut self, key: RecordKey, held: Listed) {
        self.sets
            .entry(key)
            .and_modify(|known| *known = Listed::Special)
            .or_insert(held);
    }

    /// Adds another listing; of what is in both, the other one's counts.
    pub fn merge(&mut self, other: Zone) {
        self.sets.extend(other.sets);
    }

    /// Forgets the rest.
    pub fn retain(&mut self, keep: impl Fn(&RecordKey) -> bool) {
        self.sets.retain(|key, _| keep(key));
    }

    /// What is there under this key.
    pub fn get(&self, key: &RecordKey) -> Option<&Listed> {
        self.sets.get(key)
    }

    /// The simple record set under this key.
    pub fn simple(&self, key: &RecordKey) -> Option<&RecordSet> {
        match self.get(key) {
            Some(Listed::Simple(set)) => Some(set),
            _ => None,
        }
    }

    /// Whether a CNAME has this name, which then can have nothing else.
    pub fn has_cname(&self, name: &Name) -> bool {
        self.sets
            .contains_key(&RecordKey::new(name.clone(), RecordType::Cname))
    }

    /// Everything, sorted by name, then type.
    pub fn iter(&self) -> impl Iterator<Item = (&RecordKey, &Listed)> {
        self.sets.iter()
    }

    /// Makes the change that Route 53 has confirmed.
    pub fn apply(&mut self, batch: &ChangeBatch) {
        for set in &batch.deletes {
            self.sets.remove(&set.key);
        }
        for set in &batch.creates {
            self.sets
                .insert(set.key.clone(), Listed::Simple(set.clone()));
        }
    }
}

/// One request to ChangeResourceRecordSets: all of it happens, or nothing. The DELETEs come
/// before the CREATEs, since a record set that changes is in both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeBatch {
    /// Exactly what was downloaded.
    pub deletes: Vec<RecordSet>,
    /// What must not exist yet, or is deleted in this batch.
    pub creates: Vec<RecordSet>,
}

impl ChangeBatch {
    /// How many changes Route 53 counts.
    pub fn changes(&self) -> usize {
        self.deletes.len() + self.creates.len()
    }
}
