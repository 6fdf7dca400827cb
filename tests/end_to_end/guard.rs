//! The deletion guard: what vanishes in a heap is given time to come back.

use crate::stage::{PATIENCE, Stage, ZONE, world};
use sim::rancher::World;
use sim::route53::{Action, Operation, State};
use std::time::{Duration, Instant};

const CHANGE: Operation = Operation::ChangeResourceRecordSets;

/// As many services as names, and one that stays.
fn many(names: std::ops::Range<usize>) -> World {
    world(|world| {
        world.add_service("shop", "stays").run_on("h1", 80);
        add(world, names);
    })
}

fn add(world: &mut World, names: std::ops::Range<usize>) {
    for i in names {
        world
            .add_service("shop", &format!("web{i:02}"))
            .run_on("h1", 80);
    }
}

fn remove(world: &mut World, names: std::ops::Range<usize>) {
    for i in names {
        world.remove_service("shop", &format!("web{i:02}"));
    }
}

fn addresses(state: &State) -> usize {
    let zone = state.zone(ZONE).expect("the zone");
    zone.record_sets().filter(|set| set.rtype == "A").count()
}

fn expect_addresses(stage: &Stage, count: usize) {
    let reached = stage
        .route53
        .wait_until(PATIENCE, |state| addresses(state) == count);
    assert!(reached, "{count} A record sets, not {:#?}", stage.lines());
}

/// Whether any request, applied or not, asked for a record set of these services to go.
fn asks_for_deletes(state: &State) -> bool {
    let batches = state.requests().iter().filter_map(|r| r.batch.as_ref());
    batches
        .flatten()
        .any(|change| change.action == Action::Delete && change.record_set.name.starts_with("web"))
}

/// The one test that takes its time: how long they are away is what it is about.
#[test]
fn services_that_come_back_after_half_a_minute_lose_nothing() {
    const AWAY: Duration = Duration::from_secs(30);
    let stage = Stage::new(many(0..29));
    let service = stage.run();
    expect_addresses(&stage, 30);
    let before = stage.lines();
    stage.route53.clear_requests();
    let vanished = Instant::now();
    stage.rancher.change(|world| remove(world, 0..24)); // 80 %
    let held = service.wait_for_log(PATIENCE, |line| line.contains("deletes wait"));
    let held = held.expect("a line of the log");
    assert!(
        held.contains("24 of 30 record sets are no longer wanted") && held.contains("for 60 s"),
        "{held}"
    );
    // What else has to be done isn't held up, and each time metadata says again that they are gone.
    for round in 1.. {
        stage.rancher.change(|world| {
            let name = format!("new{round}");
            world.add_service("shop", &name).run_on("h2", 80);
        });
        expect_addresses(&stage, 30 + round);
        let left = AWAY.saturating_sub(vanished.elapsed());
        let pause = left.min(Duration::from_secs(3));
        assert!(!stage.route53.wait_until(pause, asks_for_deletes));
        if left.is_zero() {
            break;
        }
    }
    stage.rancher.change(|world| {
        world
            .services
            .retain(|service| !service.name.starts_with("new"));
        add(world, 0..24);
    });
    let over = service.wait_for_log(PATIENCE, |line| line.contains("no deletes wait any more"));
    assert!(over.is_some());
    expect_addresses(&stage, 30);
    assert_eq!(stage.lines(), before);
    assert!(!stage.route53.wait_until(Duration::ZERO, asks_for_deletes));
}

#[test]
fn services_that_stay_away_are_deleted_after_the_hold_and_not_before() {
    let hold = Duration::from_secs(3);
    let stage = Stage::new(many(0..29));
    let service = stage.run_with(&[], &[("DELETE_GUARD_HOLD", "3")]);
    expect_addresses(&stage, 30);
    stage.settle();
    stage.route53.clear_requests();
    let vanished = Instant::now();
    stage.rancher.change(|world| remove(world, 0..24));
    expect_addresses(&stage, 6);
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
    expect_addresses(&stage, 21);
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
    expect_addresses(&stage, 5);
}

#[test]
fn it_can_be_turned_off_and_leaves_small_environments_alone() {
    for (count, percent) in [(20, "100"), (8, "30")] {
        let stage = Stage::new(many(0..count));
        let service = stage.run_with(&[], &[("DELETE_GUARD_PERCENT", percent)]);
        expect_addresses(&stage, count + 1);
        stage.rancher.change(|world| remove(world, 0..count));
        expect_addresses(&stage, 1);
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
    expect_addresses(&stage, 21);
    stage.rancher.change(|world| remove(world, 0..16));
    assert_eq!(exit(()), Some(0));
    expect_addresses(&stage, 5);
}
