//! What is known of the hosted zone, and which part of the zone that is. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::base::sorted;
use crate::desired::Desired;
use crate::dns::{ChangeBatch, Member, Name, RecordKey, RecordSet, Zone};
use crate::plan::Policy;
use crate::plan::beside::with_ttl_of_others;
use crate::plan::state_records::{StateNames, StateRecords};

/// How many names outside of the environment's are looked up one by one. Where there are more, the
/// whole zone is listed.
const MAX_SINGLE: usize = 10;
/// The same, with the names between them and the zone's.
const MAX_LOOKED_UP: usize = 2 * MAX_SINGLE;

/// Which part of the zone was listed, besides the state records.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Coverage {
    /// All of it.
    Whole,
    /// Everything at or below `below`, and some names elsewhere.
    Part {
        /// The environment's name.
        below: Name,
        /// Sorted. None of them is at or below that one.
        singles: Vec<Name>,
    },
}

/// A stretch of a listing: what stands together in the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The whole zone.
    Whole,
    /// Everything at or below this name.
    Below(Name),
    /// This name alone, with all its types.
    Single(Name),
}

impl Place {
    /// The name with which it begins; none for the whole zone.
    pub fn start(&self) -> Option<&Name> {
        match self {
            Place::Whole => None,
            Place::Below(name) | Place::Single(name) => Some(name),
        }
    }

    /// Whether a name is in it.
    pub fn has(&self, name: &Name) -> bool {
        match self {
            Place::Whole => true,
            Place::Below(above) => name.is_at_or_below(above),
            Place::Single(single) => name == single,
        }
    }
}

impl Coverage {
    /// The name at or below which was listed; none for the whole zone.
    pub fn below(&self) -> Option<&Name> {
        match self {
            Coverage::Whole => None,
            Coverage::Part { below, .. } => Some(below),
        }
    }

    /// The places that it consists of. No name is in two of them.
    pub fn places(&self) -> Vec<Place> {
        match self {
            Coverage::Whole => vec![Place::Whole],
            Coverage::Part { below, singles } => {
                let singles = singles.iter().cloned().map(Place::Single);
                std::iter::once(Place::Below(below.clone()))
                    .chain(singles)
                    .collect()
            }
        }
    }

    /// Whether everything under this name was listed, so that what wasn't seen isn't there.
    pub fn has(&self, name: &Name) -> bool {
        match self {
            Coverage::Whole => true,
            Coverage::Part { below, singles } => {
                name.is_at_or_below(below) || singles.binary_search(name).is_ok()
            }
        }
    }
}

/// Whose state records another listing shows in another form than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordsChange {
    /// Nobody's.
    None,
    /// Only those of other owners, and they list the same.
    Rewritten,
    /// Only those of other owners, and they list something else.
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

    /// Takes over a listing of everybody's state records.
    pub fn set_state_records(&mut self, mut records: Zone) -> RecordsChange {
        let names = &self.names;
        records.retain(|key| names.is_state_record(key));
        let known = self
            .zone
            .iter()
            .filter(|(key, _)| names.is_state_record(key));
        if known.eq(records.iter()) {
            return RecordsChange::None;
        }
        self.zone.retain(|key| !names.is_state_record(key));
        self.zone.merge(records);
        let state = StateRecords::read(&self.zone, names);
        let change = if !state.has_same_records(&self.state) {
            RecordsChange::Ours
        } else if state != self.state {
            RecordsChange::Others
        } else {
            RecordsChange::Rewritten
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

    /// Forgets what isn't in this part of the zone. The places that weren't in the one before must be
    /// listed next.
    pub fn set_coverage(&mut self, coverage: Coverage) {
        let names = &self.names;
        self.zone
            .retain(|key| names.is_state_record(key) || coverage.has(&key.name));
        self.coverage = coverage;
    }

    /// Takes over a listing of everything in a place but the state records.
    pub fn set_place(&mut self, place: &Place, mut listed: Zone) {
        let names = &self.names;
        listed.retain(|key| !names.is_state_record(key));
        self.zone
            .retain(|key| names.is_state_record(key) || !place.has(&key.name));
        self.zone.merge(listed);
    }

    /// Which part of the zone to list, once the state records are known: everything at or below the
    /// environment's name, and what is desired or owned elsewhere. If that is more than a few names, it
    /// is the whole zone.
    pub fn coverage_for(&self, environment: Option<&Name>, desired: &Desired) -> Coverage {
        let Some(below) = environment else {
            return Coverage::Whole;
        };
        let keys = desired.record_sets.keys().chain(self.state.owned());
        let mut singles = Vec::new();
        for key in keys.filter(|key| !key.name.is_at_or_below(below)) {
            sorted::add(&mut singles, &key.name);
            if singles.len() > MAX_SINGLE {
                return Coverage::Whole;
            }
        }
        // A delegation of a name above them is seen there only.
        for name in singles.clone() {
            let above = name.between(self.names.zone()).into_iter();
            for name in above.filter(|name| !name.is_at_or_below(below)) {
                sorted::add(&mut singles, &name);
            }
        }
        match singles.len() > MAX_LOOKED_UP {
            true => Coverage::Whole,
            false => Coverage::Part {
                below: below.clone(),
                singles,
            },
        }
    }

    /// Whether every record set under these names was listed.
    pub fn covers<'a>(&self, mut keys: impl Iterator<Item = &'a RecordKey>) -> bool {
        keys.all(|key| self.coverage.has(&key.name))
    }

    /// Applies a batch that Route 53 has confirmed.
    pub fn apply(&mut self, batch: &ChangeBatch) {
        self.zone.apply(batch);
        self.state.apply(batch, &self.names);
    }

    /// What is in the zone with all its desired record sets, and what of that has other values or
    /// another TTL there.
    pub fn published(
        &self,
        desired: &Desired,
        policy: Policy,
    ) -> (BTreeSet<Member>, BTreeSet<Member>) {
        let mut in_zone: BTreeSet<Member> = BTreeSet::new();
        let mut outdated: BTreeSet<Member> = BTreeSet::new();
        let mut not_yet: BTreeSet<Member> = BTreeSet::new();
        for (key, wanted) in &desired.record_sets {
            match self.zone.whole(key) {
                Some(current) if self.state.owns(key) => {
                    in_zone.insert(key.member());
                    if !self.goal(wanted, desired, policy).is_satisfied_by(current) {
                        outdated.insert(key.member());
                    }
                }
                _ => {
                    not_yet.insert(key.member());
                }
            }
        }
        in_zone.retain(|member| !not_yet.contains(member));
        (in_zone, outdated)
    }

    /// What a plan makes of a desired record set, beside those that stay as they are.
    fn goal<'a>(
        &self,
        wanted: &'a RecordSet,
        desired: &Desired,
        policy: Policy,
    ) -> Cow<'a, RecordSet> {
        if !wanted.key.is_routed() {
            return Cow::Borrowed(wanted);
        }
        let stays = |key: &RecordKey| {
            let is_wanted = desired.record_sets.contains_key(key);
            let is_elsewhere = self.state.listed_elsewhere(key).is_some();
            !self.state.owns(key) || is_elsewhere || policy.keeps(is_wanted)
        };
        let group = self.zone.group(&wanted.key);
        with_ttl_of_others(wanted, group.filter(|(key, _)| stays(key)))
    }
}

#[cfg(test)]
mod tests;
