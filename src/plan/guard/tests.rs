use super::*;
use crate::dns::{Name, RecordType};

const SETTINGS: GuardSettings = GuardSettings {
    percent: 30,
    min: 10,
    hold: Duration::from_secs(60),
};

fn set(number: usize) -> RecordSet {
    let name = Name::parse(&format!("web{number}.example.com")).unwrap();
    RecordSet::of_values(
        RecordKey::new(name, RecordType::A),
        300,
        ["192.0.2.1".to_owned()].into(),
    )
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
    let held = held.map(|held| (held.keys.len(), (held.until - read).as_secs()));
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
#[test]
fn what_was_owned_a_whole_hold_ago_counts_no_more() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    for (seconds, expected) in [(59, (0, Some((20, 60)))), (60, (20, None))] {
        let mut guard = Guard::new(SETTINGS);
        assert_eq!(tried(&mut guard, 0..29, 100, at(0)), (29, None));
        let then = tried(&mut guard, 29..49, 71, at(seconds));
        assert_eq!(then, expected, "after {seconds} s");
    }
}

#[test]
fn what_is_not_planned_when_its_time_comes_waits_anew() {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut guard = Guard::new(SETTINGS);
    assert_eq!(tried(&mut guard, 0..8, 10, at(0)), (0, Some((8, 60))));
    assert_eq!(tried(&mut guard, [], 10, at(60)), (0, None));
    assert_eq!(tried(&mut guard, 0..8, 10, at(61)), (0, Some((8, 60))));
}

#[test]
fn what_waits_is_said_in_numbers() {
    let held = HeldDeletes {
        keys: vec![set(1).key; 8],
        owned: 10,
        until: Instant::now(),
        hold: Duration::from_secs(60),
    };
    assert_eq!(
        held.to_string(),
        "no service asks for 8 of 10 record sets; they are deleted once metadata has said so for \
         60 s without a break (DELETE_GUARD_HOLD)"
    );
}

#[test]
fn a_plan_of_entries_writes_no_record_set() {
    let entries = Plan {
        adopts: vec![set(1).key],
        releases: vec![set(2).key],
        moves: vec![set(3).key],
        claim: ClaimChange::Remove,
        ..Plan::default()
    };
    let mut approved = ApprovedPlan::of_entries(Plan {
        creates: vec![set(4)],
        changes: vec![crate::plan::Change {
            from: set(5),
            to: set(5),
        }],
        deletes: vec![set(6)],
        ..entries.clone()
    });
    assert_eq!(*approved.plan(), entries);
    approved.leave_claim_out();
    let claim = ClaimChange::Keep;
    assert_eq!(*approved.plan(), Plan { claim, ..entries });
}
