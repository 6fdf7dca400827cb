//! What is known of the hosted zone, and which part of the zone that is. Pure.

use std::collections::BTreeSet;

use crate::desired::Desired;
use crate::dns::{ChangeBatch, Name, RecordKey, Zone};
use crate::plan::state_records::{StateNames, StateRecords};

/// Which part of the zone was listed, besides the state records.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Coverage {
    /// All of it.
    Whole,
    /// Everything at or below this name.
    Below(Name),
}

impl Coverage {
    /// The name at or below which was listed; none for the whole zone.
    pub fn below(&self) -> Option<&Name> {
        match self {
            Coverage::Whole => None,
            Coverage::Below(name) => Some(name),
        }
    }

    /// Whether everything under these names was listed.
    fn has<'a>(&self, mut keys: impl Iterator<Item = &'a RecordKey>) -> bool {
        let below = self.below();
        below.is_none_or(|name| keys.all(|key| key.name.is_at_or_below(name)))
    }
}

/// Which state records are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whose {
    /// Those of this owner.
    Ours,
    /// Those of all owners: whoever else lists a record set shows.
    Everybodys,
}

/// Whose state records another listing shows in another form than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordsChange {
    /// Nobody's.
    None,
    /// Only those of other owners.
    Others,
    /// Ours.
    Ours,
}

/// What is known of the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneView {
    /// The listed record sets, with our own changes since then. The state records are among them.
    pub zone: Zone,
    /// Names of our state records.
    pub names: StateNames,
    /// Content of the state records in `zone`.
    pub state: StateRecords,
    /// Which part of the zone was listed.
    pub coverage: Coverage,
}

impl ZoneView {
    /// Nothing has been listed yet.
    pub fn new(names: StateNames) -> ZoneView {
        ZoneView {
            zone: Zone::default(),
            names,
            state: StateRecords::default(),
            coverage: Coverage::Whole,
        }
    }

    /// Takes over a listing of state records.
    pub fn set_state_records(&mut self, records: Zone, whose: Whose) -> RecordsChange {
        let names = &self.names;
        let is_listed = |key: &RecordKey| match whose {
            Whose::Ours => names.is_state_record(key) && names.index_of_name(&key.name).is_some(),
            Whose::Everybodys => names.is_state_record(key),
        };
        self.zone.retain(|key| !is_listed(key));
        let mut records = records;
        records.retain(is_listed);
        self.zone.merge(records);
        let state = StateRecords::read(&self.zone, names);
        let change = if !state.has_same_records(&self.state) {
            RecordsChange::Ours
        } else if state != self.state {
            RecordsChange::Others
        } else {
            RecordsChange::None
        };
        self.state = state;
        change
    }

    /// Takes over a listing of everything else in this part of the zone.
    pub fn set_rest(&mut self, mut rest: Zone, coverage: Coverage) {
        let names = &self.names;
        rest.retain(|key| !names.is_state_record(key));
        self.zone.retain(|key| names.is_state_record(key));
        self.zone.merge(rest);
        self.coverage = coverage;
    }

    /// Which part of the zone to list, once the state records are known: everything at or below
    /// the environment's name, or the whole zone if something desired or owned is elsewhere.
    pub fn coverage_for(&self, environment: Option<&Name>, desired: &Desired) -> Coverage {
        let keys = desired.record_sets.keys().chain(self.state.owned());
        let below = environment.map(|name| Coverage::Below(name.clone()));
        below
            .filter(|coverage| coverage.has(keys))
            .unwrap_or(Coverage::Whole)
    }

    /// Whether every record set under these names was listed.
    pub fn covers<'a>(&self, keys: impl Iterator<Item = &'a RecordKey>) -> bool {
        self.coverage.has(keys)
    }

    /// Applies a batch that Route 53 has confirmed.
    pub fn apply(&mut self, batch: &ChangeBatch) {
        self.zone.apply(batch);
        self.state.apply(batch, &self.names);
    }

    /// The names all of whose desired record sets are in the zone, and those among them that have
    /// other values or another TTL there.
    pub fn published(&self, desired: &Desired) -> (BTreeSet<Name>, BTreeSet<Name>) {
        let mut names: BTreeSet<Name> = BTreeSet::new();
        let mut outdated: BTreeSet<Name> = BTreeSet::new();
        let mut not_yet: BTreeSet<&Name> = BTreeSet::new();
        for (key, wanted) in &desired.record_sets {
            match self.zone.simple(key) {
                Some(current) if self.state.owns(key) => {
                    names.insert(key.name.clone());
                    if !current.is_equivalent_to(wanted) {
                        outdated.insert(key.name.clone());
                    }
                }
                _ => {
                    not_yet.insert(&key.name);
                }
            }
        }
        names.retain(|name| !not_yet.contains(name));
        (names, outdated)
    }
}

#[cfg(test)]
mod tests;
