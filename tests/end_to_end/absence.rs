//! Absences that last half a minute: services that are away, and an answer that doesn't come. How
//! long it lasts is what these tests are about, so they can't be short; their names make them the
//! first to be run.

use crate::guard::{add, many, remove};
use crate::stage::{PATIENCE, Stage, has_address, web};
use sim::route53::{Action, Fault, Operation, State};
use std::time::{Duration, Instant};

/// Whether any request, applied or not, asked for a record set of these services to go.
fn asks_for_deletes(state: &State) -> bool {
    let batches = state.requests().iter().filter_map(|r| r.batch.as_ref());
    batches
        .flatten()
        .any(|change| change.action == Action::Delete && change.record_set.name.starts_with("web"))
}

#[test]
fn services_that_come_back_after_half_a_minute_lose_nothing() {
    const AWAY: Duration = Duration::from_secs(30);
    let stage = Stage::new(many(0..29));
    let service = stage.run();
    stage.expect_addresses(30);
    let before = stage.lines();
    stage.route53.clear_requests();
    let vanished = Instant::now();
    stage.rancher.change(|world| remove(world, 0..24)); // 80 %
    let held = service.wait_for_log(PATIENCE, |line| line.contains("deletes wait"));
    let held = held.expect("a line of the log");
    assert!(
        held.contains("no service asks for 24 of 30 record sets") && held.contains("for 60 s"),
        "{held}"
    );
    // What else has to be done isn't held up, and each time metadata says again that they are gone.
    for round in 1.. {
        stage.rancher.change(|world| {
            let name = format!("new{round}");
            world.add_service("shop", &name).run_on("h2", 80);
        });
        stage.expect_addresses(30 + round);
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
    stage.expect_addresses(30);
    assert_eq!(stage.lines(), before);
    assert!(!stage.route53.wait_until(Duration::ZERO, asks_for_deletes));
}

/// A Route 53 that takes a call and says nothing is given up after half a minute. Whether the batch
/// was applied isn't assumed then.
#[test]
fn a_call_without_an_answer_is_given_up_and_the_zone_listed() {
    let stage = Stage::new(web());
    let change = Operation::ChangeResourceRecordSets;
    let silence = Duration::from_secs(300);
    stage.route53.inject(Some(change), Fault::Hang(silence), 1);
    let service = stage.run();
    let published = stage.route53.wait_until(2 * PATIENCE, |state| {
        has_address(state, "web.shop.prod.example.com.")
    });
    assert!(published);
    assert_eq!(stage.calls(Operation::ListResourceRecordSets), 4);
    let is_told = |line: &str| line.contains("not confirmed") && line.contains("time is up");
    assert!(service.wait_for_log(PATIENCE, is_told).is_some());
}
