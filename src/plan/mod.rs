//! Works out what has to change in the hosted zone.
//!
//! In: the desired record sets, the zone as it was listed, the record sets that this environment
//! owns according to its state records, and the settings `POLICY` and `ADOPT`. Out: a [`Plan`],
//! which is plain data. [`guard`] then decides which of its deletes have to wait, and [`batch`]
//! turns it into requests. Pure: nothing here does I/O.

pub mod adopt;
mod at_name;
pub mod batch;
mod beside;
pub mod blocked;
pub mod conflict;
pub mod delegation;
pub mod fate;
pub mod guard;
pub mod handover;
pub mod last_answers;
pub mod look;
pub mod lost_checks;
pub mod permissions;
pub mod quarantine;
pub mod round;
pub mod state_records;
pub mod view;

use std::collections::BTreeMap;
use std::iter::Peekable;

use crate::base::sorted;
use crate::dns::zone::Listed;
use crate::dns::{Name, RecordKey, RecordSet, RecordType, Zone};
pub use crate::plan::adopt::{Adopt, AdoptSetting};
use crate::plan::at_name::AtName;
pub use crate::plan::conflict::{Conflict, ConflictReason};
use crate::plan::state_records::{Claim, StateRecord, StateRecords};

/// `POLICY`: which kinds of changes are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Record sets may be created, changed and deleted.
    Sync,
    /// Record sets may be created and changed, but not deleted.
    UpsertOnly,
    /// Record sets may be created, but neither changed nor deleted.
    CreateOnly,
}

impl Policy {
    /// Whether a record set in the zone stays as it is, wanted or not.
    pub fn keeps(self, is_wanted: bool) -> bool {
        match self {
            Policy::Sync => false,
            Policy::UpsertOnly => !is_wanted,
            Policy::CreateOnly => true,
        }
    }
}

/// The settings that a plan depends on.
#[derive(Debug, Clone, Copy)]
pub struct PlanSettings<'a> {
    /// `POLICY`.
    pub policy: Policy,
    /// `ADOPT`.
    pub adopt: &'a Adopt,
    /// The claim of the Rancher server that the services belong to. If the state records hold
    /// another server's, nothing is planned.
    pub claim: &'a Claim,
    /// Whether this owner gives up all that it owns, so that the state records are to hold no claim
    /// any more.
    pub gives_up: bool,
}

/// What has to change about the claim in the state records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ClaimChange {
    /// Nothing.
    #[default]
    Keep,
    /// It is to be this one.
    Write(Claim),
    /// There is to be none.
    Remove,
}

/// What has to change in the zone. Each list is sorted by name, then type, then set identifier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Record sets to create.
    pub creates: Vec<RecordSet>,
    /// Record sets, owned or taken over, with another TTL or other values than desired.
    pub changes: Vec<Change>,
    /// Record sets, owned or taken over, to delete, exactly as they were listed.
    pub deletes: Vec<RecordSet>,
    /// Record sets that go, and those that come in their place, which can't be there together. Nothing
    /// of them is in the lists above.
    pub replacements: Vec<Replacement>,
    /// Existing record sets that are taken over. One that also has to change is in `changes` too.
    pub adopts: Vec<RecordKey>,
    /// Whether record sets are taken over, be it only to delete them.
    pub takes_over: bool,
    /// Whether something would be taken over that isn't in the plan: see [`Plan::put_off_takeover`].
    pub takeover_waits: bool,
    /// Owned keys to remove from the state records, because somebody else has deleted the record
    /// set or replaced it by one that is not simple.
    pub releases: Vec<RecordKey>,
    /// Owned keys to move from the first state record to another one.
    pub moves: Vec<RecordKey>,
    /// What has to change about the claim.
    pub claim: ClaimChange,
    /// Record sets that are desired or owned and cannot be written, sorted by key.
    pub conflicts: Vec<Conflict>,
    /// The claim of another Rancher server that keeps the state records. Then nothing else is in the
    /// plan.
    pub kept_by_another: Option<Claim>,
    /// Number of changes and deletes that [`Policy`] does not allow.
    pub forbidden_by_policy: usize,
    /// Owned keys that no service asks for, whose record sets stay because what is to come in their
    /// place can't be written.
    pub predecessors: Vec<RecordKey>,
    /// Weighted record sets that get another TTL than desired.
    pub other_ttls: Vec<OtherTtl>,
}

/// A weighted record set that gets the TTL of others of its name and type that aren't ours: Route 53
/// allows only one TTL for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherTtl {
    /// Which record set it is.
    pub key: RecordKey,
    /// The TTL that is desired, in seconds.
    pub wanted: u32,
    /// The TTL that it gets.
    pub used: u32,
}

impl OtherTtl {
    /// Why it has this TTL, in words that follow its key.
    pub fn reason(&self) -> String {
        format!(
            "its TTL is {} instead of {}, since others of its name and type have it and all weighted \
             record sets must have the same",
            self.used, self.wanted
        )
    }
}

/// Record sets of one name that change together, in one batch: Route 53 doesn't allow some that come
/// beside some that go, or beside others as they were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replacement {
    /// Those that go, exactly as they were listed.
    pub deletes: Vec<RecordSet>,
    /// Those that come. One that changes is in both lists.
    pub creates: Vec<RecordSet>,
}

impl Replacement {
    /// Removes record sets that only come and aren't kept. False if the rest can't be made: something
    /// else isn't kept, or nothing would come in the place of what goes.
    fn retain(&mut self, keep: impl Fn(&RecordKey) -> bool) -> bool {
        let is_left = |set: &RecordSet| keep(&set.key);
        let kept = self.creates.iter().filter(|set| is_left(set));
        let kept: Vec<&RecordKey> = kept.map(|set| &set.key).collect();
        let comes_with_a = self
            .creates
            .iter()
            .any(|set| set.key.rtype == RecordType::A);
        let has_successor = |set: &RecordSet| {
            let comes_back = self.creates.iter().any(|new| new.key == set.key);
            let mut kept = kept.iter();
            match comes_back {
                true => kept.any(|key| **key == set.key),
                // A CNAME has no other type beside it. Most clients ask for an A record set, so it is
                // that which answers in its place, if there is to be one.
                false if set.key.rtype == RecordType::Cname => {
                    kept.any(|key| !comes_with_a || key.rtype == RecordType::A)
                }
                false => kept.any(|key| key.is_same_group(&set.key)),
            }
        };
        let is_whole = kept.len() == self.creates.len();
        let can_be_made = self.deletes.iter().all(is_left)
            && (is_whole || self.deletes.iter().all(has_successor));
        if can_be_made && !is_whole {
            self.creates.retain(is_left);
        }
        can_be_made
    }

    /// The name of its record sets. None only if there are none.
    pub fn name(&self) -> Option<&Name> {
        self.keys().map(|key| &key.name).next()
    }

    /// The keys of all its record sets, in no order. One that changes is there twice.
    pub fn keys(&self) -> impl Iterator<Item = &RecordKey> {
        let sets = self.deletes.iter().chain(&self.creates);
        sets.map(|set| &set.key)
    }

    /// One for each type, since only a CNAME depends on other types than its own. None if it is empty.
    fn by_type(self) -> Vec<Replacement> {
        if self.keys().any(|key| key.rtype == RecordType::Cname) {
            return vec![self];
        }
        let types = sorted::set(self.keys().map(|key| key.rtype.clone()));
        let of_type = |sets: &[RecordSet], rtype: &RecordType| -> Vec<RecordSet> {
            let sets = sets.iter().filter(|set| set.key.rtype == *rtype);
            sets.cloned().collect()
        };
        let parts = types.iter().map(|rtype| Replacement {
            deletes: of_type(&self.deletes, rtype),
            creates: of_type(&self.creates, rtype),
        });
        parts.collect()
    }
}

/// One record set before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The record set exactly as it was listed.
    pub from: RecordSet,
    /// The desired record set, with the same key.
    pub to: RecordSet,
}

impl Plan {
    /// Whether the plan asks for no write at all.
    pub fn is_empty(&self) -> bool {
        self.creates.is_empty()
            && self.changes.is_empty()
            && self.deletes.is_empty()
            && self.replacements.is_empty()
            && self.adopts.is_empty()
            && self.releases.is_empty()
            && self.moves.is_empty()
            && self.claim == ClaimChange::Keep
    }

    /// Whether the plan could be another one if others owned other record sets than when the state records
    /// were read. Creates aren't looked at again: they are of what nobody listed, and fail if it is there.
    pub fn depends_on_ownership(&self) -> bool {
        let mut conflicts = self.conflicts.iter();
        let depends = |reason: &ConflictReason| match reason {
            ConflictReason::Extended(_)
            | ConflictReason::ForeignExtended(_)
            | ConflictReason::StateRecord { .. } => false,
            ConflictReason::NotOwned
            | ConflictReason::Alias
            | ConflictReason::SetIdTaken
            | ConflictReason::OwnedElsewhere(_)
            | ConflictReason::Cname
            | ConflictReason::OtherType(_)
            | ConflictReason::Routed
            | ConflictReason::Simple
            | ConflictReason::OtherRouting(_)
            | ConflictReason::SamePlace(_) => true,
        };
        conflicts.any(|conflict| depends(&conflict.reason))
            || !self.changes.is_empty()
            || !self.deletes.is_empty()
            || !self.replacements.is_empty()
            || !self.adopts.is_empty()
            || !self.releases.is_empty()
    }
}

/// Works out what has to change. `zone` must have every record set whose name is desired or owned.
pub fn plan(
    desired: &BTreeMap<RecordKey, RecordSet>,
    zone: &Zone,
    state: &StateRecords,
    settings: PlanSettings<'_>,
) -> Plan {
    let PlanSettings {
        policy,
        adopt,
        claim,
        gives_up,
    } = settings;
    if let Some(theirs) = state.claim_of_another(claim) {
        return Plan {
            kept_by_another: Some(theirs.clone()),
            ..Plan::default()
        };
    }
    let undesired_adopts = zone.iter().filter_map(|(key, listed)| match listed {
        Listed::Whole(set) if adopt.takes_over(set, None) => Some(key),
        _ => None,
    });
    let keys = desired.keys().chain(state.owned()).chain(undesired_adopts);
    let mut keys: Vec<&RecordKey> = keys.collect();
    keys.sort(); // three sorted stretches, which this merges
    keys.dedup();
    let mut all_desired = desired.iter().peekable();
    let mut all_owned = state.owned().map(|key| (key, ())).peekable();
    let mut all_listed = zone.iter().peekable();

    let mut plan = Plan::default();
    let mut at_name = AtName::default();
    for keys in keys.chunk_by(|a, b| a.name == b.name) {
        at_name.clear();
        while all_listed
            .next_if(|(key, _)| key.name < keys[0].name)
            .is_some()
        {}
        while let Some((key, listed)) = all_listed.next_if(|(key, _)| key.name == keys[0].name) {
            at_name.add_listed(key, listed);
        }
        for key in keys {
            let is_owned = advance_to(&mut all_owned, key).is_some();
            let wanted = advance_to(&mut all_desired, key);
            let elsewhere = state.listed_elsewhere(key);
            // An owner that gives up deletes what it has made, whoever else lists it.
            let elsewhere = elsewhere.filter(|_| !is_owned || !gives_up);
            at_name.add_key(key, wanted, is_owned, elsewhere, adopt);
        }
        at_name.plan(policy, &mut plan);
    }
    plan.add_upkeep(state, claim, gives_up);
    plan
}

/// The value of a key in a walk over sorted keys. Smaller keys are passed over: a walk in step with
/// another one takes two comparisons for each key, where a search would take a dozen.
fn advance_to<'a, V>(
    walk: &mut Peekable<impl Iterator<Item = (&'a RecordKey, V)>>,
    key: &RecordKey,
) -> Option<V> {
    while walk.next_if(|(known, _)| *known < key).is_some() {}
    let found = walk.next_if(|(known, _)| *known == key);
    found.map(|(_, value)| value)
}

impl Plan {
    /// Removes every key for which `keep` is false. Conflicts stay.
    pub fn retain(&mut self, keep: impl Fn(&RecordKey) -> bool) {
        self.creates.retain(|set| keep(&set.key));
        self.changes.retain(|change| keep(&change.to.key));
        self.deletes.retain(|set| keep(&set.key));
        self.replacements
            .retain_mut(|replacement| replacement.retain(&keep));
        self.adopts.retain(&keep);
        self.releases.retain(&keep);
        self.moves.retain(&keep);
    }

    /// Removes what would be taken over. The plan says so, and nobody takes the zone for being as it
    /// should be.
    pub fn put_off_takeover(&mut self, zone: &Zone, state: &StateRecords) {
        self.takeover_waits = true;
        self.retain(|key| state.owns(key) || zone.get(key).is_none());
    }

    /// Whether state records are written for what they list.
    fn writes_entries(&self) -> bool {
        !self.creates.is_empty()
            || !self.deletes.is_empty()
            || !self.replacements.is_empty()
            || !self.adopts.is_empty()
            || !self.releases.is_empty()
            || !self.moves.is_empty()
    }

    /// Adds what the state records need, whatever they list.
    fn add_upkeep(&mut self, state: &StateRecords, claim: &Claim, gives_up: bool) {
        let first = state.records().first();
        self.moves
            .extend(first.into_iter().flat_map(StateRecord::misplaced).cloned());
        let is_in_use = !state.records().is_empty()
            || !self.creates.is_empty()
            || !self.replacements.is_empty()
            || self.takes_over;
        self.claim = if gives_up {
            // What has to be left in the zone stays claimed.
            match state.has_claim() && self.conflicts.is_empty() {
                true => ClaimChange::Remove,
                false => ClaimChange::Keep,
            }
        } else if !is_in_use
            || state.has_claim_of(claim) && !(self.writes_entries() && state.has_older_claim(claim))
        {
            ClaimChange::Keep
        } else {
            ClaimChange::Write(claim.clone())
        };
    }
}

#[cfg(test)]
mod tests;
