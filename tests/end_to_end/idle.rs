//! Nothing to do means nothing is done; and no answer makes the loop a busy one.

use crate::stage::{PATIENCE, Stage, ZONE, each, has_address, web};
use sim::rancher::{self, Fault};
use sim::route53::{self, Operation};
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
        is_done && has_address(state, "web.shop.prod.example.com.")
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

/// The shortest interval that there is, which varies by a tenth. The loop notices that it is over
/// at the end of a poll, in whole seconds.
#[test]
fn a_resync_comes_neither_sooner_nor_later_than_it_should() {
    let stage = Stage::new(web());
    let _service = stage.run_with(&[], &[("RESYNC_INTERVAL", "10")]);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    let before = stage.route53.requests();
    let is_list = |request: &&route53::RequestRecord| {
        request.operation == Some(Operation::ListResourceRecordSets)
    };
    let first = before.iter().find(is_list).expect("a listing").at;
    stage.rancher.clear_requests();

    let known = before.len();
    let has_come = stage
        .route53
        .wait_until(PATIENCE, |state| state.requests().len() > known);
    assert!(has_come);
    // Both listings, and what else there might be.
    stage.settle();
    let after = stage.route53.requests();
    let next = after[known..].iter().find(is_list).expect("a listing").at;
    let seconds = next.duration_since(first).as_secs_f64();
    assert!((8.9..=12.5).contains(&seconds), "after {seconds} s");
    let listings = |requests: &[route53::RequestRecord]| requests.iter().filter(is_list).count();
    assert_eq!(
        (listings(&before), before.len()),
        (2, 4),
        "the zone is looked up, state records and our part of it are listed, one batch"
    );
    assert_eq!(
        (listings(&after[known..]), after.len() - known),
        (2, 2),
        "state records and our part of the zone"
    );
    assert_eq!(stage.rancher.events().len(), 0);
    assert_eq!(stage.rancher.api_requests().len(), 0);
    let polls = stage.rancher.metadata_requests().len();
    assert!((1..15).contains(&polls), "{polls} requests to metadata");
}

/// On a real server's tick a poll of 10 s takes up to 15 s; that is no failure.
#[test]
fn a_poll_that_ends_late_on_a_real_server_is_no_failure() {
    let (rancher, route53) = (rancher::Options::default(), route53::Options::default());
    assert_eq!(rancher.tick, Duration::from_secs(5));
    let stage = Stage::with(web(), rancher, route53);
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    stage.rancher.clear_requests();
    let start = Instant::now();
    let is_asked_again = stage
        .rancher
        .wait_until(PATIENCE, |state| state.is_polled());
    assert!(is_asked_again);
    let took = start.elapsed().as_secs_f64();
    assert!((9.5..=16.0).contains(&took), "the poll took {took} s");
    let requests = stage.rancher.metadata_requests().len();
    assert!(requests < 5, "{requests} requests to metadata");
    let log = service.log();
    let failed = log.iter().any(|line| line.contains("is unavailable"));
    assert!(!failed, "{log:#?}");

    let start = stage.rancher.change_prepared(|world| {
        world.service_mut("shop", "web").move_from("h1", "h2");
    });
    let moved = stage.route53.wait_until(PATIENCE, |state| {
        let web = state
            .zone(ZONE)
            .and_then(|zone| zone.get("web.shop.prod.example.com.", "A"));
        web.is_some_and(|web| web.values == ["203.0.113.2"])
    });
    assert!(moved);
    let took = start.elapsed();
    assert!(took < Duration::from_secs(2), "it took {took:?}");
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

/// The version is there and new, but what it should be read from isn't. A try asks for five
/// documents, versions included.
#[test]
fn a_snapshot_that_cannot_be_read_does_not_make_the_loop_busy() {
    let faults = [Fault::Status(500), Fault::Status(404), Fault::Cut(20)];
    let documents = ["services", "hosts", "self/stack"];
    let cases = documents.map(|path| faults.clone().map(|fault| (path, fault)));
    each(cases.into_iter().flatten(), |(path, fault)| {
        let (stage, _service) = settled();
        stage.route53.clear_requests();
        stage
            .rancher
            .inject_metadata(Some(path), fault.clone(), usize::MAX);
        stage.rancher.bump();
        is_not_busy(&stage, 75);
        let failed = stage
            .rancher
            .wait_until(PATIENCE, |state| state.faults_shown() >= 3);
        assert!(failed, "{path} {fault:?}: it is tried again");
        assert_eq!(stage.route53.requests().len(), 0, "{path} {fault:?}");
    });
}

/// Five times four documents a try, and the version that is waited for.
#[test]
fn a_snapshot_that_never_settles_does_not_make_the_loop_busy() {
    let (stage, service) = settled();
    stage.route53.clear_requests();
    for version in 0..5_000 {
        let another = Fault::Body(format!("\"version-{version}\""));
        stage.rancher.inject_metadata(Some("version"), another, 1);
    }
    stage.rancher.bump();
    is_not_busy(&stage, 300);
    let said = |line: &str| line.contains("it changes faster than it can be read");
    assert!(service.wait_for_log(PATIENCE, said).is_some());
    assert_eq!(stage.route53.requests().len(), 0);
}

#[test]
fn an_api_that_fails_for_ever_is_asked_now_and_then() {
    type Inject = fn(&rancher::Rancher);
    let cases: [(&str, Inject); 6] = [
        ("500", |rancher| {
            rancher.inject_api(Fault::Status(500), usize::MAX);
        }),
        ("404", |rancher| {
            rancher.inject_api(Fault::Status(404), usize::MAX);
        }),
        ("no answer", |rancher| {
            rancher.inject_api(Fault::Drop, usize::MAX);
        }),
        ("500 to events", |rancher| {
            rancher.inject_events(Fault::Status(500), usize::MAX);
        }),
        ("404 to events", |rancher| {
            rancher.inject_events(Fault::Status(404), usize::MAX);
        }),
        ("422 to events", |rancher| {
            rancher.inject_events(Fault::Status(422), usize::MAX);
        }),
    ];
    each(cases, |(case, inject)| {
        let stage = Stage::new(web());
        inject(&stage.rancher);
        let _service = stage.run();
        let asked = |state: &rancher::State| state.faults_shown() > 0;
        assert!(stage.rancher.wait_until(PATIENCE, asked), "{case}");
        stage.rancher.clear_requests();
        // After 404 to an event it looks anew where they go, which is three requests.
        let is_busy = stage.rancher.wait_until(WATCH, |state| {
            state.api_requests().len() > 24 || state.metadata_requests().len() > 24
        });
        let (api, metadata) = (
            stage.rancher.api_requests().len(),
            stage.rancher.metadata_requests().len(),
        );
        assert!(!is_busy, "{case}: {api} and {metadata} in {WATCH:?}");
        let again = |state: &rancher::State| state.faults_shown() > 1;
        assert!(stage.rancher.wait_until(PATIENCE, again), "{case}");
    });
}

/// The rate is set so high that only the pauses after failures keep it from being busy.
#[test]
fn a_route_53_that_fails_for_ever_is_asked_now_and_then() {
    let faults = [
        route53::Fault::Status(500),
        route53::Fault::Garbled,
        route53::Fault::DropBefore,
        route53::Fault::Throttle,
    ];
    let cases = faults.map(|fault| ["0", "3"].map(|retries| (fault.clone(), retries)));
    each(cases.into_iter().flatten(), |(fault, retries)| {
        for is_start in [true, false] {
            let stage = Stage::new(web());
            let list = (!is_start).then_some(Operation::ListResourceRecordSets);
            stage.route53.inject(list, fault.clone(), usize::MAX);
            let settings = [
                ("ROUTE53_REQUEST_RATE", "1000"),
                ("ROUTE53_MAX_RETRIES", retries),
            ];
            let _service = stage.run_with(&[], &settings);
            let failed = |state: &route53::State| {
                let mut requests = state.requests().iter();
                requests.any(|request| request.fault.is_some())
            };
            assert!(stage.route53.wait_until(PATIENCE, failed), "{fault:?}");
            stage.rancher.clear_requests();
            stage.route53.clear_requests();
            let is_busy = stage
                .route53
                .wait_until(WATCH, |state| state.requests().len() > 24);
            let (route53, metadata) = (
                stage.route53.requests().len(),
                stage.rancher.metadata_requests().len(),
            );
            let case = format!("{fault:?}, {retries} retries, at the start: {is_start}");
            assert!(!is_busy, "{case}: {route53} requests in {WATCH:?}");
            assert!(metadata <= 24, "{case}: {metadata} requests to metadata");
            let again = |state: &route53::State| !state.requests().is_empty();
            assert!(stage.route53.wait_until(PATIENCE, again), "{case}");
        }
    });
}
