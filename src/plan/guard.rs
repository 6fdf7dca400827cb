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
use crate::plan::Plan;

/// When deletes are suspicious, and how long suspicious deletes wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Decides which deletes wait. For that it remembers since when each suspicious delete has been
/// planned.
#[derive(Debug)]
pub struct Guard {
    settings: GuardSettings,
    /// For each suspicious delete, when the metadata was read from which it was first planned.
    planned_since: BTreeMap<RecordKey, Instant>,
}

/// Deletes that the guard holds back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldDeletes {
    /// Number of deletes that wait.
    pub deletes: usize,
    /// Number of owned record sets.
    pub owned: usize,
    /// When the first of the deletes may be made, if metadata that is read then or later still
    /// asks for it.
    pub until: Instant,
    /// `DELETE_GUARD_HOLD`, for the message.
    pub hold: Duration,
}

/// A plan that may be applied: it has none of the deletes that have to wait. Only
/// [`Guard::approve`] makes one, so nothing can be applied that the guard has not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedPlan(Plan);

impl ApprovedPlan {
    /// The plan to apply.
    pub fn plan(&self) -> &Plan {
        &self.0
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
            "{} of {} record sets are no longer wanted; they are deleted if metadata says so for \
             {} s (DELETE_GUARD_HOLD)",
            self.deletes,
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
        let held = self.hold(&mut plan, owned, read);
        (ApprovedPlan(plan), held)
    }

    fn hold(&mut self, plan: &mut Plan, owned: usize, read: Instant) -> Option<HeldDeletes> {
        if !self.is_suspicious(plan.deletes.len(), owned) {
            self.planned_since.clear();
            return None;
        }
        let planned = plan.deletes.iter().map(|set| {
            let since = self.planned_since.get(&set.key).copied().unwrap_or(read);
            (set.key.clone(), since)
        });
        self.planned_since = sorted::map(planned);
        let may_go_at = |key: &RecordKey| self.planned_since[key] + self.settings.hold;
        let waiting = plan.deletes.iter().filter(|set| may_go_at(&set.key) > read);
        let (deletes, until) = (
            waiting.clone().count(),
            waiting.map(|set| may_go_at(&set.key)).min(),
        );
        plan.deletes.retain(|set| may_go_at(&set.key) <= read);
        until.map(|until| HeldDeletes {
            deletes,
            owned,
            until,
            hold: self.settings.hold,
        })
    }

    fn is_suspicious(&self, deletes: usize, owned: usize) -> bool {
        owned >= self.settings.min && deletes * 100 > owned * self.settings.percent as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, RecordType};

    const SETTINGS: GuardSettings = GuardSettings {
        percent: 30,
        min: 10,
        hold: Duration::from_secs(60),
    };

    fn set(number: usize) -> RecordSet {
        let name = Name::parse(&format!("web{number}.example.com")).unwrap();
        RecordSet {
            key: RecordKey::new(name, RecordType::A),
            ttl: 300,
            values: ["192.0.2.1".to_owned()].into(),
        }
    }

    fn plan(deletes: impl IntoIterator<Item = usize>) -> Plan {
        Plan {
            creates: vec![set(1_000)],
            deletes: deletes.into_iter().map(set).collect(),
            ..Plan::default()
        }
    }

    /// How many deletes go ahead, and how many wait for how many seconds more.
    fn tried(
        guard: &mut Guard,
        deletes: impl IntoIterator<Item = usize>,
        owned: usize,
        read: Instant,
    ) -> (usize, Option<(usize, u64)>) {
        let mut plan = plan(deletes);
        let held = guard.hold(&mut plan, owned, read);
        assert_eq!(plan.creates.len(), 1, "creates go ahead");
        let held = held.map(|held| (held.deletes, (held.until - read).as_secs()));
        (plan.deletes.len(), held)
    }

    #[test]
    fn what_was_back_meanwhile_waits_anew_though_nothing_was_planned_then() {
        let mut guard = Guard::new(SETTINGS);
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(tried(&mut guard, 0..8, 10, start), (0, Some((8, 60))));
        let back = (0..7).map(|number| (set(number).key, set(number)));
        guard.review(&back.collect());
        assert_eq!(tried(&mut guard, 0..8, 10, after(60)), (1, Some((7, 60))));
    }

    #[test]
    fn many_of_many_are_suspicious() {
        let off = GuardSettings {
            percent: 100,
            ..SETTINGS
        };
        let now = Instant::now();
        for (settings, deletes, owned, waiting) in [
            (SETTINGS, 3, 10, 0),
            (SETTINGS, 4, 10, 4),
            (SETTINGS, 9, 9, 0),
            (SETTINGS, 10, 10, 10),
            (SETTINGS, 300, 1_000, 0),
            (SETTINGS, 301, 1_000, 301),
            (SETTINGS, 0, 0, 0),
            (off, 1_000, 1_000, 0),
            (
                GuardSettings {
                    percent: 0,
                    ..SETTINGS
                },
                1,
                1_000,
                1,
            ),
            (GuardSettings { min: 0, ..SETTINGS }, 1, 1, 1),
        ] {
            let mut guard = Guard::new(settings);
            let held = (waiting > 0).then_some((waiting, 60));
            assert_eq!(
                tried(&mut guard, 0..deletes, owned, now),
                (deletes - waiting, held),
                "{deletes} of {owned}, {settings:?}"
            );
        }
    }

    #[test]
    fn they_go_once_fresh_snapshots_have_said_so_for_long_enough() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut guard = Guard::new(SETTINGS);
        assert_eq!(tried(&mut guard, 0..8, 10, at(0)), (0, Some((8, 60))));
        assert_eq!(
            tried(&mut guard, 0..8, 10, at(0)),
            (0, Some((8, 60))),
            "a plan made again from the same snapshot proves nothing"
        );
        assert_eq!(tried(&mut guard, 0..8, 10, at(59)), (0, Some((8, 1))));
        assert_eq!(tried(&mut guard, 0..8, 10, at(60)), (8, None));
        assert_eq!(tried(&mut guard, [], 2, at(61)), (0, None));
        assert_eq!(tried(&mut guard, 0..8, 10, at(62)), (0, Some((8, 60))));
    }

    #[test]
    fn each_one_has_its_own_time() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut guard = Guard::new(SETTINGS);
        assert_eq!(tried(&mut guard, 0..5, 10, at(0)), (0, Some((5, 60))));
        assert_eq!(tried(&mut guard, 1..8, 10, at(30)), (0, Some((7, 30))));
        assert_eq!(
            tried(&mut guard, 0..8, 10, at(60)),
            (4, Some((4, 30))),
            "one that was wanted meanwhile starts anew"
        );
    }

    #[test]
    fn what_comes_back_is_forgotten() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut guard = Guard::new(SETTINGS);
        assert_eq!(tried(&mut guard, 0..8, 20, at(0)), (0, Some((8, 60))));
        assert_eq!(tried(&mut guard, 0..2, 20, at(30)), (2, None));
        assert_eq!(tried(&mut guard, 2..8, 18, at(70)), (0, Some((6, 60))));
    }
}
