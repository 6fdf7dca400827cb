//! The deletion guard: what vanishes in a heap is given time to come back. (`absence` has a case
//! that takes longer.)

use crate::stage::{PATIENCE, Stage, addresses, world};
use sim::rancher::World;
use sim::route53::Operation;
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
