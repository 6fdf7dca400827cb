//! While a batch waits, be it for room within the account's limits or because AWS throttles it,
//! metadata is asked: what isn't wanted any more is never sent.

use crate::stage::{PATIENCE, STATE, Stage, ZONE, each, has_address, web, world};
use sim::rancher::State;
use sim::route53::{Action, Fault, Operation};
use std::time::Duration;

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
const GONE: &str = "gone.shop.prod.example.com.";

fn add(stage: &Stage, service: &str) {
    stage.rancher.change(|world| {
        world.add_service("shop", service).run_on("h2", 80);
    });
}

/// Waits until the program has asked for metadata's version once more.
fn expect_question(stage: &Stage) {
    let asked = |state: &State| {
        let requests = state.metadata_requests().iter();
        requests.filter(|r| r.path.ends_with("/version")).count()
    };
    let mut before = None;
    let is_more = |state: &State| asked(state) > *before.get_or_insert(asked(state));
    assert!(stage.rancher.wait_until(PATIENCE, is_more));
}

#[test]
fn a_throttled_delete_is_not_sent_again_once_the_service_is_back() {
    let faults = [
        Fault::Throttle,
        Fault::PriorRequestNotComplete,
        Fault::Status(503),
    ];
    each(faults, |fault| {
        let stage = Stage::new(web());
        add(&stage, "gone");
        let service = stage.run_with(&[], &[("ROUTE53_MAX_RETRIES", "20")]);
        stage.expect_addresses(2);
        stage.expect_fqdn("shop", "gone", "gone.shop.prod.example.com");
        stage.settle();
        stage.route53.clear_requests();
        stage
            .route53
            .inject(Some(CHANGE), fault.clone(), usize::MAX);
        stage.rancher.change(|world| {
            world.remove_service("shop", "gone");
        });
        // It was sent, and will be again.
        let is_refused = stage.route53.wait_until(PATIENCE, |state| {
            let requests = state.requests().iter();
            requests.filter(|r| r.operation == Some(CHANGE)).count() >= 2
        });
        assert!(is_refused, "{fault:?}");
        add(&stage, "gone");
        expect_question(&stage);
        stage.route53.clear_faults();
        add(&stage, "other");
        let is_published = stage.route53.wait_until(PATIENCE, |state| {
            has_address(state, "other.shop.prod.example.com.")
        });
        assert!(is_published, "{fault:?}");
        let requests = stage.route53.requests();
        let applied = requests.iter().filter(|request| request.applied);
        let deletes = applied
            .flat_map(|request| request.batch.iter().flatten())
            .filter(|change| change.action == Action::Delete && change.record_set.name != STATE);
        assert_eq!(deletes.count(), 0, "{GONE} was deleted, {fault:?}");
        drop(service);
    });
}

#[test]
fn a_throttled_batch_does_not_delay_the_end() {
    let stage = Stage::new(web());
    stage
        .route53
        .inject(Some(CHANGE), Fault::Throttle, usize::MAX);
    let service = stage.run_with(&[], &[("ROUTE53_MAX_RETRIES", "20")]);
    let waits = |line: &str| line.contains("is repeated");
    assert!(service.wait_for_log(PATIENCE, waits).is_some());
    service.terminate();
    let status = service.wait(Duration::from_secs(1));
    assert_eq!(status.and_then(|status| status.code()), Some(0));
}

/// The name was in the zone before Rancher's API came up.
#[test]
fn names_are_written_back_while_a_batch_waits() {
    let stage = Stage::new(web());
    stage.rancher.stop_api();
    let _service = stage.run_with(&[], &[("ROUTE53_MAX_RETRIES", "20")]);
    stage.expect_addresses(1);
    stage.settle();
    stage
        .route53
        .inject(Some(CHANGE), Fault::Throttle, usize::MAX);
    add(&stage, "new");
    let is_throttled = stage.route53.wait_until(PATIENCE, |state| {
        let mut requests = state.requests().iter();
        requests.any(|r| r.code.as_deref() == Some("Throttling"))
    });
    assert!(is_throttled);
    stage.rancher.start_api();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    assert_eq!(stage.lines().len(), 2, "the batch still waits");
}

/// Sixty services are 62 changes with the state record, at one a second after the first ten.
#[test]
fn a_wait_for_room_ends_when_nothing_is_wanted_any_more() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
    }));
    let service = stage.run_with(&[], &[("ROUTE53_CHANGE_RATE", "1")]);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    stage.rancher.change(|world| {
        for i in 0..60 {
            let name = format!("s{i}");
            world.add_service("shop", &name).run_on("h1", 80);
        }
    });
    let waits = |line: &str| line.contains("waiting to stay within");
    assert!(service.wait_for_log(PATIENCE, waits).is_some());
    stage.rancher.change(|world| {
        for i in 0..60 {
            world.remove_service("shop", &format!("s{i}"));
        }
    });
    let is_noticed = stage.rancher.wait_until_polled(Duration::from_secs(25));
    assert!(is_noticed, "it waits for what isn't wanted");
    assert_eq!(stage.lines().len(), 2);
    assert_eq!(stage.calls(CHANGE), 1);
    let zone = stage.route53.record_sets(ZONE);
    assert!(zone.iter().any(|set| set.name == STATE));
}
