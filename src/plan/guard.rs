//! The deletion guard: holds back deletes of many record sets at once, since metadata that has
//! lost half of its services is more often broken than right.
//!
//! In: a plan, and when the metadata was read that it was made from. Out: an [`ApprovedPlan`]
//! without the deletes that have to wait, and how many those are. Pure: the time is an argument.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use crate::base::sorted;
use crate::dns::{RecordKey, RecordSet};
use crate::plan::{ClaimChange, Plan};

/// When deletes are suspicious, and how long suspicious deletes wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GuardSettings {
    /// `DELETE_GUARD_PERCENT`: deletes are suspicious if they are more than this part of all owned
    /// record sets. 100 turns the guard off.
    pub percent: u32,
    /// `DELETE_GUARD_MIN`: with fewer owned record sets than this, deletes are never suspicious.
    pub min: usize,
    /// `DELETE_GUARD_HOLD`: how long suspicious deletes wait.
    pub hold: Duration,
}

impl GuardSettings {
    /// Settings with which no delete waits.
    pub const OFF: GuardSettings = GuardSettings {
        percent: 100,
        min: 0,
        hold: Duration::ZERO,
    };
}

/// Decides which deletes wait. What it remembers goes by when metadata was read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Guard {
    settings: GuardSettings,
    /// For each delete that was suspicious, when the metadata was read from which it was first
    /// planned. It waits until its time has come or the record set is desired again, whatever else
    /// happens in the zone meanwhile.
    planned_since: BTreeMap<RecordKey, Instant>,
    /// When metadata was read, and how many record sets were owned then. Only what may be the most
    /// within a hold is kept, so the numbers fall.
    owned: Vec<(Instant, usize)>,
}

/// Deletes that the guard holds back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldDeletes {
    /// The record sets whose deletes wait, sorted.
    pub keys: Vec<RecordKey>,
    /// The most record sets that were owned within the last hold.
    pub owned: usize,
    /// When the first of the deletes may be made, if metadata that is read then or later still
    /// asks for it.
    pub until: Instant,
    /// `DELETE_GUARD_HOLD`, for the message.
    pub hold: Duration,
}

impl HeldDeletes {
    /// Whether the delete of this record set waits.
    pub fn has(&self, key: &RecordKey) -> bool {
        self.keys.binary_search(key).is_ok()
    }
}

/// A plan that may be applied: it has none of the deletes that have to wait. [`Guard::approve`]
/// makes one, so no delete can be applied that the guard has not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedPlan(Plan);

impl ApprovedPlan {
    /// A plan that changes entries in state records only: what else is in it is dropped.
    pub fn of_entries(plan: Plan) -> ApprovedPlan {
        ApprovedPlan(Plan {
            creates: Vec::new(),
            changes: Vec::new(),
            deletes: Vec::new(),
            replacements: Vec::new(),
            ..plan
        })
    }

    /// The plan to apply.
    pub fn plan(&self) -> &Plan {
        &self.0
    }

    /// Leaves the claim in the state records as it is.
    pub fn leave_claim_out(&mut self) {
        self.0.claim = ClaimChange::Keep;
    }

    /// Removes every key for which `keep` is false. Conflicts stay.
    pub fn retain(&mut self, keep: impl Fn(&RecordKey) -> bool) {
        self.0.retain(keep);
    }
}

impl fmt::Display for HeldDeletes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no service asks for {} of {} record sets; they are deleted once metadata has said so for \
             {} s without a break (DELETE_GUARD_HOLD)",
            self.keys.len(),
            self.owned,
            self.hold.as_secs()
        )
    }
}

impl Guard {
    /// A guard that has seen no plan yet.
    pub fn new(settings: GuardSettings) -> Guard {
        Guard {
            settings,
            planned_since: BTreeMap::new(),
            owned: Vec::new(),
        }
    }

    /// Forgets deletes of record sets that are desired again. Called at the start of each round,
    /// since the round may fail before it has a plan to approve.
    pub fn review(&mut self, desired: &BTreeMap<RecordKey, RecordSet>) {
        self.planned_since
            .retain(|key, _| !desired.contains_key(key));
    }

    /// Removes the deletes that have to wait from a plan. Returns the plan that may be applied, and
    /// what waits, if anything does.
    ///
    /// `owned` is the number of owned record sets. It includes those that the plan takes over, or
    /// deletes, without an entry in a state record. `read` is when the metadata was read from which
    /// the plan was made.
    pub fn approve(
        &mut self,
        mut plan: Plan,
        owned: usize,
        read: Instant,
    ) -> (ApprovedPlan, Option<HeldDeletes>) {
        let most_owned = self.most_owned(owned, read);
        let remain = owned.saturating_sub(plan.deletes.len());
        let is_suspicious = self.is_suspicious(most_owned - remain, most_owned);
        self.remember(&plan.deletes, is_suspicious, read);
        let held = self.held(&plan.deletes, most_owned, read);
        let may_go = |set: &RecordSet| self.waits_until(&set.key).is_none_or(|at| at <= read);
        plan.deletes.retain(may_go);
        (ApprovedPlan(plan), held)
    }

    /// The most record sets that were owned within the last hold.
    fn most_owned(&mut self, owned: usize, read: Instant) -> usize {
        let hold = self.settings.hold;
        self.owned
            .retain(|(at, most)| *at + hold > read && *most > owned);
        self.owned.push((read, owned));
        self.owned[0].1
    }

    /// Remembers since when suspicious deletes are planned, and forgets those that have had their
    /// time and are planned no more.
    fn remember(&mut self, deletes: &[RecordSet], is_suspicious: bool, read: Instant) {
        let hold = self.settings.hold;
        let planned = sorted::set(deletes.iter().map(|set| &set.key));
        self.planned_since
            .retain(|key, since| *since + hold > read || planned.contains(key));
        if is_suspicious {
            for key in planned {
                self.planned_since.entry(key.clone()).or_insert(read);
            }
        }
    }

    /// Until when a delete waits that was suspicious; none if it was not.
    fn waits_until(&self, key: &RecordKey) -> Option<Instant> {
        let since = self.planned_since.get(key)?;
        Some(*since + self.settings.hold)
    }

    fn held(&self, deletes: &[RecordSet], owned: usize, read: Instant) -> Option<HeldDeletes> {
        let times = deletes
            .iter()
            .filter_map(|set| Some((&set.key, self.waits_until(&set.key)?)));
        let waiting: Vec<_> = times.filter(|(_, until)| *until > read).collect();
        Some(HeldDeletes {
            until: waiting.iter().map(|(_, until)| *until).min()?,
            keys: waiting.into_iter().map(|(key, _)| key.clone()).collect(),
            owned,
            hold: self.settings.hold,
        })
    }

    /// Whether it is suspicious that so many record sets go, or have gone within the last hold, of
    /// so many that were owned. Those that have gone count, since many deletes are as suspicious in
    /// small portions.
    fn is_suspicious(&self, gone: usize, most_owned: usize) -> bool {
        most_owned >= self.settings.min && gone * 100 > most_owned * self.settings.percent as usize
    }
}

#[cfg(test)]
mod tests;
