//! A change batch → what it does to each record set.

use std::collections::BTreeMap;

use super::{ChangeBatch, RecordKey, RecordSet};
use crate::base::sorted;

/// What a batch does to one record set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordChange<'a> {
    /// It is new.
    Create(&'a RecordSet),
    /// It gets other values or another TTL: the batch deletes one and creates the other.
    Change {
        /// What it was.
        from: &'a RecordSet,
        /// What it becomes.
        to: &'a RecordSet,
    },
    /// It goes.
    Delete(&'a RecordSet),
}

impl<'a> RecordChange<'a> {
    /// Everything that a batch does, in its order: what exists afterwards, then what is deleted.
    pub fn all_of(batch: &'a ChangeBatch) -> Vec<RecordChange<'a>> {
        let deletes = batch.deletes.iter().map(|set| (&set.key, set));
        let mut deletes: BTreeMap<&RecordKey, &RecordSet> = sorted::map(deletes);
        let creates = batch
            .creates
            .iter()
            .map(|to| match deletes.remove(&to.key) {
                None => RecordChange::Create(to),
                Some(from) => RecordChange::Change { from, to },
            });
        let mut changes: Vec<RecordChange<'a>> = creates.collect();
        let is_left = |set: &&RecordSet| deletes.contains_key(&set.key);
        changes.extend(
            batch
                .deletes
                .iter()
                .filter(is_left)
                .map(RecordChange::Delete),
        );
        changes
    }

    /// Which record set it is about.
    pub fn key(&self) -> &'a RecordKey {
        match self {
            RecordChange::Create(set) | RecordChange::Delete(set) => &set.key,
            RecordChange::Change { to, .. } => &to.key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, RecordType};

    fn set(name: &str, ttl: u32) -> RecordSet {
        RecordSet::of_values(
            RecordKey::new(Name::parse(name).unwrap(), RecordType::A),
            ttl,
            ["192.0.2.1".to_owned()].into(),
        )
    }

    #[test]
    fn a_delete_and_a_create_of_one_key_are_a_change() {
        let (gone, old) = (set("gone.example", 60), set("web.example", 60));
        let (web, new) = (set("web.example", 300), set("new.example", 300));
        let batch = ChangeBatch {
            deletes: vec![gone.clone(), old.clone()],
            creates: vec![new.clone(), web.clone()],
        };
        assert_eq!(
            RecordChange::all_of(&batch),
            [
                RecordChange::Create(&new),
                RecordChange::Change {
                    from: &old,
                    to: &web
                },
                RecordChange::Delete(&gone),
            ]
        );
    }
}
