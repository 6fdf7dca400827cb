//! Works out what has to change in the hosted zone.
//!
//! In: the desired record sets, the zone as it was listed, the record sets that this environment
//! owns according to its state records, and the settings `POLICY` and `ADOPT`. Out: a [`Plan`],
//! which is plain data. [`guard`] then decides which of its deletes have to wait, and [`batch`]
//! turns it into requests. Pure: nothing here does I/O.

pub mod batch;
pub mod blocked;
pub mod conflict;
pub mod delegation;
pub mod fate;
pub mod guard;
pub mod handover;
pub mod look;
pub mod permissions;
pub mod quarantine;
pub mod round;
pub mod state_records;
pub mod view;

use std::collections::BTreeMap;
use std::iter::Peekable;

use crate::dns::zone::Listed;
use crate::dns::{Name, RecordKey, RecordSet, RecordType, Zone};
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

/// The setting `ADOPT`. With [`AdoptSetting::Legacy`], the environment's name and the TTL are added
/// to it, which makes it an [`Adopt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdoptSetting {
    /// No record set is taken over.
    Never,
    /// Record sets whose name and type are desired are taken over.
    Matching,
    /// Record sets that rancher/external-dns before 0.6 left are taken over.
    Legacy,
}

/// Which existing record sets that this environment does not own are taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adopt {
    /// No record set is taken over.
    Never,
    /// Record sets whose name and type are desired are taken over.
    Matching,
    /// All A record sets below a name that have exactly this TTL are taken over. They are those
    /// that rancher/external-dns before 0.6 left, which wrote no state record.
    Legacy {
        /// `<environment>.<zone>`.
        below: Name,
        /// TTL in seconds.
        ttl: u32,
    },
}

impl Adopt {
    /// Whether a simple record set that this environment does not own is taken over.
    fn takes_over(&self, set: &RecordSet, is_desired: bool) -> bool {
        match self {
            Adopt::Never => false,
            Adopt::Matching => is_desired,
            Adopt::Legacy { below, ttl } => {
                let name = &set.key.name;
                set.key.rtype == RecordType::A
                    && set.ttl == *ttl
                    && name != below
                    && name.is_at_or_below(below)
            }
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

/// What has to change in the zone. Each list is sorted by name, then type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Record sets to create.
    pub creates: Vec<RecordSet>,
    /// Record sets, owned or taken over, with another TTL or other values than desired.
    pub changes: Vec<Change>,
    /// Record sets, owned or taken over, to delete, exactly as they were listed.
    pub deletes: Vec<RecordSet>,
    /// Existing record sets that are taken over. One that also has to change is in `changes` too.
    pub adopts: Vec<RecordKey>,
    /// Whether record sets are taken over, be it only to delete them.
    pub takes_over: bool,
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
            && self.adopts.is_empty()
            && self.releases.is_empty()
            && self.moves.is_empty()
            && self.claim == ClaimChange::Keep
    }

    /// Whether the plan could be another one if other record sets were owned. Creates do not depend
    /// on that: a record set that does not exist is created either way.
    pub fn depends_on_ownership(&self) -> bool {
        let mut conflicts = self.conflicts.iter();
        let depends = |reason: &ConflictReason| {
            matches!(
                reason,
                ConflictReason::NotOwned | ConflictReason::OwnedElsewhere(_)
            )
        };
        conflicts.any(|conflict| depends(&conflict.reason))
            || !self.changes.is_empty()
            || !self.deletes.is_empty()
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
        Listed::Simple(set) if adopt.takes_over(set, false) => Some(key),
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
    for key in keys {
        let owned = advance_to(&mut all_owned, key).is_some();
        let wanted = advance_to(&mut all_desired, key);
        let listed = advance_to(&mut all_listed, key);
        // An owner that gives up deletes what it has made, whoever else lists it.
        let elsewhere = state.listed_elsewhere(key);
        if let Some(by) = elsewhere.filter(|_| !owned || !gives_up) {
            plan.add_owned_elsewhere(key, wanted, listed, owned, by);
            continue;
        }
        match (wanted, listed) {
            (Some(_), None) if zone.has_cname(&key.name) => {
                let cname = RecordKey::new(key.name.clone(), RecordType::Cname);
                plan.add_conflict(key, ConflictReason::Cname, zone.simple(&cname));
                plan.release_if(owned, key);
            }
            (Some(wanted), None) => plan.creates.push(wanted.clone()),
            (Some(_), Some(Listed::Special)) => {
                plan.add_conflict(key, ConflictReason::Special, None);
                plan.release_if(owned, key);
            }
            (None, None | Some(Listed::Special)) => plan.release_if(owned, key),
            // It can't be changed, but it isn't lost either: its entry stays.
            (_, Some(Listed::Extended { element })) => {
                plan.add_conflict(key, ConflictReason::Extended(element.clone()), None);
            }
            (wanted, Some(Listed::Simple(current))) => {
                let adopted = !owned && adopt.takes_over(current, wanted.is_some());
                if owned || adopted {
                    plan.add_owned(current, wanted, adopted, policy);
                } else {
                    plan.add_conflict(key, ConflictReason::NotOwned, Some(current));
                }
            }
        }
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
        self.adopts.retain(&keep);
        self.releases.retain(&keep);
        self.moves.retain(&keep);
    }

    /// Adds what has to happen to a record set that another owner's state record lists: nothing to
    /// the record set, whoever else lists it. Two owners that both wrote it would never come to an
    /// end, and if both gave it up at the same time, nobody would own it.
    fn add_owned_elsewhere(
        &mut self,
        key: &RecordKey,
        wanted: Option<&RecordSet>,
        listed: Option<&Listed>,
        owned: bool,
        by: &Name,
    ) {
        let is_gone = matches!(listed, None | Some(Listed::Special));
        let is_right = match (wanted, listed) {
            (Some(wanted), Some(Listed::Simple(current))) => current.is_equivalent_to(wanted),
            _ => false,
        };
        if wanted.is_some() && !(owned && is_right) || owned && !is_gone && !is_right {
            let found = match listed {
                Some(Listed::Simple(current)) => Some(current),
                _ => None,
            };
            self.add_conflict(key, ConflictReason::OwnedElsewhere(by.clone()), found);
        }
        self.release_if(owned && is_gone, key);
    }

    /// Adds what the state records need, whatever they list.
    fn add_upkeep(&mut self, state: &StateRecords, claim: &Claim, gives_up: bool) {
        let first = state.records().first();
        self.moves
            .extend(first.into_iter().flat_map(StateRecord::misplaced).cloned());
        let is_in_use = !state.records().is_empty() || !self.creates.is_empty();
        self.claim = if gives_up {
            // What has to be left in the zone stays claimed.
            match state.has_claim() && self.conflicts.is_empty() {
                true => ClaimChange::Remove,
                false => ClaimChange::Keep,
            }
        } else if state.has_claim_of(claim) || !is_in_use && self.adopts.is_empty() {
            ClaimChange::Keep
        } else {
            ClaimChange::Write(claim.clone())
        };
    }

    /// Adds what has to happen to an existing record set that is owned, or is being `adopted`.
    fn add_owned(
        &mut self,
        current: &RecordSet,
        wanted: Option<&RecordSet>,
        adopted: bool,
        policy: Policy,
    ) {
        self.takes_over |= adopted;
        if wanted.is_none() && policy == Policy::Sync {
            self.deletes.push(current.clone());
            return;
        }
        if adopted {
            self.adopts.push(current.key.clone());
        }
        match wanted {
            Some(to) if current.is_equivalent_to(to) => {}
            Some(to) if policy != Policy::CreateOnly => self.changes.push(Change {
                from: current.clone(),
                to: to.clone(),
            }),
            Some(_) | None => self.forbidden_by_policy += 1,
        }
    }

    fn add_conflict(&mut self, key: &RecordKey, reason: ConflictReason, found: Option<&RecordSet>) {
        self.conflicts.push(Conflict {
            key: key.clone(),
            reason,
            found: found.cloned(),
        });
    }

    fn release_if(&mut self, owned: bool, key: &RecordKey) {
        if owned {
            self.releases.push(key.clone());
        }
    }
}

#[cfg(test)]
mod tests;
