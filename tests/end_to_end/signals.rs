//! SIGTERM and SIGINT: exit 0 within a second, wherever the program is.

use crate::stage::{PATIENCE, Stage, prompt, web};
use sim::route53::{self, Fault, Operation};
use sim::service::Service;
use std::time::{Duration, Instant};

/// Exit 0 within a second; twice that for a busy machine.
fn ends(service: &Service, signal: fn(&Service)) {
    let start = Instant::now();
    signal(service);
    let status = service.wait(PATIENCE).and_then(|status| status.code());
    assert_eq!(status, Some(0));
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "it took {:?}",
        start.elapsed()
    );
    assert!(service.log().iter().any(|line| line.contains("stopping")));
}

#[test]
fn in_the_middle_of_a_long_poll() {
    for signal in [Service::terminate, Service::interrupt] {
        let stage = Stage::new(web());
        let service = stage.run();
        stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
        stage.settle();
        ends(&service, signal);
    }
}

#[test]
fn while_waiting_at_the_start() {
    let stage = Stage::new(web());
    stage.route53.go_down();
    let service = stage.run();
    let waiting = |line: &str| line.contains("can't be looked up yet");
    assert!(service.wait_for_log(PATIENCE, waiting).is_some());
    ends(&service, Service::terminate);
}

#[test]
fn a_batch_in_flight_completes() {
    let latency = Duration::from_millis(400);
    let options = route53::Options {
        latency,
        ..route53::Options::default()
    };
    let stage = Stage::with(web(), prompt(), options);
    let service = stage.run();
    let in_flight = stage.route53.wait_until(PATIENCE, |state| {
        state.in_flight(Operation::ChangeResourceRecordSets) > 0
    });
    assert!(in_flight);
    ends(&service, Service::terminate);
    assert_eq!(stage.lines().len(), 2);
    let requests = stage.route53.requests();
    assert_eq!(requests.last().map(|request| request.status), Some(200));
}

#[test]
fn a_route_53_that_hangs_is_not_waited_for() {
    let stage = Stage::new(web());
    let hang = Fault::Hang(Duration::from_secs(600));
    stage
        .route53
        .inject(Some(Operation::ChangeResourceRecordSets), hang, 1);
    let service = stage.run();
    let asked = stage.route53.wait_until(PATIENCE, |state| {
        let requests = state.requests().iter();
        requests
            .filter(|r| r.operation == Some(Operation::ChangeResourceRecordSets))
            .count()
            > 0
    });
    assert!(asked);
    ends(&service, Service::terminate);
}
