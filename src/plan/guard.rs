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

/// Decides which deletes wait. What it remembers goes by when metadata was read.
#[derive(Debug)]
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
    /// Number of deletes that wait.
    pub deletes: usize,
    /// The most record sets that were owned within the last hold.
    pub owned: usize,
    /// When the first of the deletes may be made, if metadata that is read then or later still
    /// asks for it.
    pub until: Instant,
    /// `DELETE_GUARD_HOLD`, for the message.
    pub hold: Duration,
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
        let times = deletes.iter().filter_map(|set| self.waits_until(&set.key));
        let waiting: Vec<Instant> = times.filter(|until| *until > read).collect();
        Some(HeldDeletes {
            deletes: waiting.len(),
            owned,
            until: waiting.into_iter().min()?,
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
        let (approved, held) = guard.approve(plan(deletes), owned, read);
        assert_eq!(approved.plan().creates.len(), 1, "creates go ahead");
        let held = held.map(|held| (held.deletes, (held.until - read).as_secs()));
        (approved.plan().deletes.len(), held)
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
        guard.review(&[(set(0).key, set(0))].into());
        assert_eq!(tried(&mut guard, 1..8, 10, at(30)), (0, Some((7, 30))));
        assert_eq!(
            tried(&mut guard, 0..8, 10, at(60)),
            (4, Some((4, 30))),
            "one that was wanted meanwhile starts anew"
        );
    }

    #[test]
    fn what_is_held_stays_held_though_creates_make_it_a_small_part() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut guard = Guard::new(SETTINGS);
        assert_eq!(tried(&mut guard, 0..10, 11, at(0)), (0, Some((10, 60))));
        for seconds in [1, 10, 59] {
            let left = 60 - seconds;
            let held = (0, Some((10, left)));
            assert_eq!(tried(&mut guard, 0..10, 41, at(seconds)), held);
        }
        assert_eq!(tried(&mut guard, 0..10, 41, at(60)), (10, None));
    }

    #[test]
    fn what_is_held_stays_held_though_it_is_not_planned_for_a_while() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut guard = Guard::new(SETTINGS);
        assert_eq!(tried(&mut guard, 0..8, 10, at(0)), (0, Some((8, 60))));
        assert_eq!(tried(&mut guard, [], 100, at(10)), (0, None));
        assert_eq!(tried(&mut guard, 0..8, 100, at(20)), (0, Some((8, 40))));
        assert_eq!(tried(&mut guard, [], 100, at(61)), (0, None));
        assert_eq!(
            tried(&mut guard, 0..8, 100, at(62)),
            (8, None),
            "few of many"
        );
    }

    #[test]
    fn many_in_small_portions_are_suspicious_too() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut guard = Guard::new(SETTINGS);
        assert_eq!(tried(&mut guard, 0..3, 12, at(0)), (3, None));
        assert_eq!(tried(&mut guard, 3..6, 9, at(5)), (0, Some((3, 60))));
        assert_eq!(tried(&mut guard, 3..12, 9, at(6)), (0, Some((9, 59))));
        assert_eq!(tried(&mut guard, 3..12, 9, at(65)), (3, Some((6, 1))));
        assert_eq!(tried(&mut guard, 6..12, 6, at(66)), (6, None));
    }

    #[test]
    fn others_that_take_their_place_make_portions_harmless() {
        let start = Instant::now();
        let mut guard = Guard::new(SETTINGS);
        for portion in 0..6 {
            let (first, read) = (portion * 3, start + Duration::from_secs(portion as u64));
            let gone = tried(&mut guard, first..first + 3, 12, read);
            assert_eq!(gone, (3, None), "three go, and three come");
        }
    }

    #[test]
    fn a_delete_that_has_had_its_time_need_not_wait_again_if_its_batch_fails() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut guard = Guard::new(SETTINGS);
        tried(&mut guard, 0..8, 10, at(0));
        for seconds in [60, 61, 130] {
            assert_eq!(tried(&mut guard, 0..8, 10, at(seconds)), (8, None));
        }
    }
}
