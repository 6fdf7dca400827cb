//! The deletion guard: what vanishes in a heap is given time to come back. (`absence` has a case
//! that takes longer.)

use crate::stage::{PATIENCE, Stage, addresses, each, world};
use sim::rancher::World;
use sim::route53::{Fault, Operation};
use std::time::{Duration, Instant};

const CHANGE: Operation = Operation::ChangeResourceRecordSets;

/// As many services as names, and one that stays.
pub fn many(names: std::ops::Range<usize>) -> World {
    world(|world| {
        world.add_service("shop", "stays").run_on("h1", 80);
        add(world, names);
    })
}

pub fn add(world: &mut World, names: std::ops::Range<usize>) {
    for i in names {
        world
            .add_service("shop", &format!("web{i:02}"))
            .run_on("h1", 80);
    }
}

pub fn remove(world: &mut World, names: std::ops::Range<usize>) {
    for i in names {
        world.remove_service("shop", &format!("web{i:02}"));
    }
}

#[test]
fn services_that_stay_away_are_deleted_after_the_hold_and_not_before() {
    let hold = Duration::from_secs(3);
    let stage = Stage::new(many(0..29));
    let service = stage.run_with(&[], &[("DELETE_GUARD_HOLD", "3")]);
    stage.expect_addresses(30);
    stage.settle();
    stage.route53.clear_requests();
    let vanished = Instant::now();
    stage.rancher.change(|world| remove(world, 0..24));
    stage.expect_addresses(6);
    assert!(vanished.elapsed() >= hold, "{:?}", vanished.elapsed());
    stage.settle();
    assert_eq!(stage.calls(CHANGE), 1, "all at once");
    let over = service.wait_for_log(PATIENCE, |line| line.contains("no deletes wait any more"));
    assert!(over.is_some());
}

#[test]
fn metadata_has_to_say_so_again_at_the_end() {
    let stage = Stage::new(many(0..20));
    let _service = stage.run_with(&[], &[("DELETE_GUARD_HOLD", "1")]);
    stage.expect_addresses(21);
    stage.settle();
    stage.rancher.change(|world| remove(world, 0..16));
    stage.settle();
    // From now on nobody can say whether they are still gone.
    stage.rancher.stop_metadata();
    let deleted = stage
        .route53
        .wait_until(Duration::from_secs(3), |state| addresses(state) < 21);
    assert!(!deleted, "on the word of an old snapshot");
    stage.rancher.start_metadata();
    stage.expect_addresses(5);
}

#[test]
fn it_can_be_turned_off_and_leaves_small_environments_alone() {
    for (count, percent) in [(20, "100"), (8, "30")] {
        let stage = Stage::new(many(0..count));
        let service = stage.run_with(&[], &[("DELETE_GUARD_PERCENT", percent)]);
        stage.expect_addresses(count + 1);
        stage.rancher.change(|world| remove(world, 0..count));
        stage.expect_addresses(1);
        let held = |line: &String| line.contains("deletes wait");
        assert!(!service.log().iter().any(held));
    }
}

#[test]
fn once_waits_for_what_is_held() {
    let stage = Stage::new(many(0..20));
    let settings = [("DELETE_GUARD_HOLD", "1")];
    let exit = |_: ()| {
        let service = stage.run_with(&["once"], &settings);
        service.wait(PATIENCE).expect("an end").code()
    };
    assert_eq!(exit(()), Some(0));
    stage.expect_addresses(21);
    stage.rancher.change(|world| remove(world, 0..16));
    assert_eq!(exit(()), Some(0));
    stage.expect_addresses(5);
}

/// Ten of eleven vanish, and thirty others come: together with those, ten are few. A resync comes
/// meanwhile, or the answer to the creates is lost, so that everything is planned anew.
#[test]
fn what_is_held_stays_held_though_many_others_come() {
    each([true, false], |is_lost| {
        let (hold, resync) = if is_lost { (4, "300") } else { (13, "10") };
        let stage = Stage::new(many(0..10));
        let hold_text = hold.to_string();
        let settings = [
            ("DELETE_GUARD_HOLD", &*hold_text),
            ("RESYNC_INTERVAL", resync),
        ];
        let service = stage.run_with(&[], &settings);
        stage.expect_addresses(11);
        stage.settle();
        stage.route53.clear_requests();
        if is_lost {
            stage.route53.inject(Some(CHANGE), Fault::DropAfter, 1);
        }
        let vanished = Instant::now();
        stage.rancher.change(|world| {
            remove(world, 0..10);
            add(world, 20..50);
        });
        stage.expect_addresses(41);
        let held = service.wait_for_log(PATIENCE, |line| line.contains("deletes wait"));
        assert!(held.is_some_and(|line| line.contains("10 of ")));
        stage.expect_addresses(31);
        let took = vanished.elapsed();
        assert!(took >= Duration::from_secs(hold), "{took:?}");
        stage.settle();
        let listed = stage.calls(Operation::ListResourceRecordSets);
        assert!(listed >= 2, "the zone was listed meanwhile");
        let changes = stage.calls(CHANGE);
        assert_eq!(changes, 2, "one that creates, and one that deletes");
    });
}

#[test]
fn many_that_go_in_small_portions_wait_too() {
    let stage = Stage::new(many(0..11));
    let _service = stage.run_with(&[], &[("DELETE_GUARD_HOLD", "5")]);
    stage.expect_addresses(12);
    stage.settle();
    let mut vanished = Vec::new();
    for portion in 0..3 {
        vanished.push(Instant::now());
        let first = 3 * portion;
        stage
            .rancher
            .change(|world| remove(world, first..first + 3));
        if portion == 0 {
            stage.expect_addresses(9); // three of twelve are few
        } else {
            stage.settle();
        }
    }
    for (left, vanished) in [(6, vanished[1]), (3, vanished[2])] {
        let gone = |state: &sim::route53::State| addresses(state) <= left;
        assert!(stage.route53.wait_until(PATIENCE, gone));
        assert!(vanished.elapsed() >= Duration::from_secs(5));
    }
}
