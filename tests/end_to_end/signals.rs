//! SIGTERM and SIGINT: exit 0 within a second, wherever the program is.

use crate::stage::{PATIENCE, Stage, addresses, prompt, web, world};
use sim::route53::{self, Fault, Operation};
use sim::service::Service;
use std::time::{Duration, Instant};

/// Where nothing is in flight, and a busy machine is allowed for.
const AT_ONCE: Duration = Duration::from_secs(1);
/// A batch in flight is given 0.7 s, and then the log a moment.
const SOON: Duration = Duration::from_millis(1_500);

/// Exit 0 in time.
fn ends_within(service: &Service, signal: fn(&Service), longest: Duration) {
    let start = Instant::now();
    signal(service);
    let status = service.wait(PATIENCE).and_then(|status| status.code());
    assert_eq!(status, Some(0));
    let took = start.elapsed();
    assert!(took < longest, "it took {took:?}");
    assert!(service.log().iter().any(|line| line.contains("stopping")));
}

#[test]
fn in_the_middle_of_a_long_poll() {
    for signal in [Service::terminate, Service::interrupt] {
        let stage = Stage::new(web());
        let service = stage.run();
        stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
        stage.settle();
        ends_within(&service, signal, AT_ONCE);
    }
}

#[test]
fn while_waiting_at_the_start() {
    let stage = Stage::new(web());
    stage.route53.go_down();
    let service = stage.run();
    let waiting = |line: &str| line.contains("can't be looked up yet");
    assert!(service.wait_for_log(PATIENCE, waiting).is_some());
    ends_within(&service, Service::terminate, AT_ONCE);
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
    ends_within(&service, Service::terminate, SOON);
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
    ends_within(&service, Service::terminate, SOON);
}

/// Whoever says it twice means it.
#[test]
fn the_second_signal_ends_it_at_once() {
    let cases: [[fn(&Service); 2]; 3] = [
        [Service::terminate, Service::terminate],
        [Service::interrupt, Service::terminate],
        [Service::terminate, Service::interrupt],
    ];
    for [first, second] in cases {
        let stage = Stage::new(web());
        let hang = Fault::Hang(Duration::from_secs(600));
        let change = Operation::ChangeResourceRecordSets;
        stage.route53.inject(Some(change), hang.clone(), 1);
        let service = stage.run();
        let is_in_flight = stage.route53.wait_until(PATIENCE, |state| {
            let mut requests = state.requests().iter();
            requests.any(|request| request.fault.as_ref() == Some(&hang))
        });
        assert!(is_in_flight);
        first(&service);
        // Else two of a kind would count as one.
        while service.has_pending_signal() {
            std::thread::yield_now();
        }
        second(&service);
        let status = service.wait(PATIENCE).and_then(|status| status.code());
        assert_eq!(status, Some(0));
        // The first one alone ends it in good order, with a last line.
        assert!(!service.log().iter().any(|line| line.contains("stopping")));
    }
}

/// A plan of several batches: the one in flight completes, and no other is sent. What is left is
/// done by the next one who is started.
#[test]
fn no_batch_follows_the_one_in_flight() {
    const SERVICES: usize = 750;
    let options = route53::Options {
        latency: Duration::from_millis(500),
        ..route53::Options::default()
    };
    let stage = Stage::with(
        world(|world| {
            for i in 0..SERVICES {
                world.add_service("shop", &format!("s{i}")).run_on("h1", 80);
            }
        }),
        prompt(),
        options,
    );
    let service = stage.run();
    let in_flight = stage.route53.wait_until(PATIENCE, |state| {
        state.in_flight(Operation::ChangeResourceRecordSets) > 0
    });
    assert!(in_flight);
    ends_within(&service, Service::terminate, SOON);
    let batches = |stage: &Stage| stage.calls(Operation::ChangeResourceRecordSets);
    // The answer may be on its way when the process has gone.
    let handled = stage.route53.wait_until(PATIENCE, |state| {
        state.in_flight(Operation::ChangeResourceRecordSets) == 0
    });
    assert!(handled);
    assert_eq!(batches(&stage), 1);
    let some = stage.lines().len();
    assert!((1..SERVICES).contains(&some), "{some} of {SERVICES}");
    let _service = stage.run();
    let all = stage
        .route53
        .wait_until(PATIENCE, |state| addresses(state) == SERVICES);
    assert!(all);
}
