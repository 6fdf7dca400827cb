//! Nothing to do means nothing is done; and no answer makes the loop a busy one.

use crate::stage::{PATIENCE, Stage, ZONE, each, web};
use sim::rancher::Fault;
use sim::route53::Operation;
use std::time::{Duration, Instant};

/// How long a loop is watched for being busy.
const WATCH: Duration = Duration::from_secs(3);

fn settled() -> (Stage, sim::service::Service) {
    let stage = Stage::new(web());
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    (stage, service)
}

#[test]
fn an_unrelated_change_of_metadata_causes_no_call() {
    let (stage, _service) = settled();
    stage.route53.clear_requests();
    for change in 0..5 {
        stage.rancher.change(|world| {
            world.service_mut("shop", "web").label("unrelated", change);
            world
                .add_service("shop", &format!("hidden{change}"))
                .run_unpublished_on("h1", 80);
        });
        stage.settle();
    }
    assert_eq!(stage.route53.requests().len(), 0);
    assert_eq!(stage.rancher.events().len(), 1);
}

#[test]
fn in_quiet_times_there_are_only_the_resyncs() {
    let stage = Stage::new(web());
    let _service = stage.run_with(&[], &[("RESYNC_INTERVAL", "10")]);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    // Someone edits our record set meanwhile: the resync repairs it.
    stage
        .route53
        .edit(ZONE, |zone| zone.remove("web.shop.prod.example.com.", "A"));
    stage.route53.clear_requests();
    let repaired = stage.route53.wait_until(PATIENCE, |state| {
        let is_done = state.requests().iter().any(|request| request.applied);
        is_done
            && state
                .zone(ZONE)
                .is_some_and(|zone| zone.get("web.shop.prod.example.com.", "A").is_some())
    });
    assert!(repaired);
    assert_eq!(
        stage.calls(Operation::ListResourceRecordSets),
        2,
        "state records and our subtree"
    );
    assert_eq!(stage.calls(Operation::ChangeResourceRecordSets), 1);
    assert_eq!(stage.route53.requests().len(), 3);
}

/// Requests to metadata while the loop is watched must stay below `most`.
fn is_not_busy(stage: &Stage, most: usize) {
    stage.rancher.clear_requests();
    let is_busy = stage
        .rancher
        .wait_until(WATCH, |state| state.metadata_requests().len() > most);
    assert!(!is_busy, "more than {most} requests in {WATCH:?}");
}

#[test]
fn no_failing_answer_makes_the_loop_busy() {
    let cases = [
        Fault::Status(404),
        Fault::Status(500),
        Fault::Drop,
        Fault::Garbage,
        Fault::Body("\"\"".to_owned()),
        Fault::Body("null".to_owned()),
        Fault::Body("17".to_owned()),
    ];
    each(cases, |fault| {
        let (stage, _service) = settled();
        stage.rancher.inject_metadata(None, fault, usize::MAX);
        stage.rancher.bump();
        is_not_busy(&stage, 20);
    });
}

#[test]
fn a_wait_that_ends_at_once_without_a_change_does_not_make_the_loop_busy() {
    let (stage, _service) = settled();
    let same = format!("{:?}", stage.rancher.version());
    stage
        .rancher
        .inject_metadata(Some("version"), Fault::Body(same), usize::MAX);
    is_not_busy(&stage, 10);
}

#[test]
fn new_versions_without_end_do_not_make_the_loop_busy() {
    let (stage, _service) = settled();
    stage.rancher.clear_requests();
    stage.route53.clear_requests();
    let end = Instant::now() + WATCH;
    while Instant::now() < end {
        stage.rancher.bump();
        let left = end.saturating_duration_since(Instant::now());
        stage.rancher.wait_until(left, |state| state.is_polled());
    }
    let requests = stage.rancher.metadata_requests();
    let snapshots = requests
        .iter()
        .filter(|request| request.path.ends_with("/services"))
        .count();
    assert!(
        (5..=50).contains(&snapshots),
        "{snapshots} snapshots in {WATCH:?}"
    );
    assert_eq!(stage.route53.requests().len(), 0);
}
