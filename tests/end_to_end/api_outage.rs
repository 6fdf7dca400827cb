//! Rancher's API is down, slow, or hangs: DNS never waits for it.

use crate::stage::{PATIENCE, Stage, ZONE, web, world};
use sim::rancher::{self, Fault};
use std::time::{Duration, Instant};

/// Waits until this service is published on that host; how long that took.
fn published(stage: &Stage, service: &str, address: &str) -> Duration {
    let start = Instant::now();
    let name = format!("{service}.shop.prod.example.com.");
    let is_there = stage.route53.wait_until(PATIENCE, |state| {
        let zone = state.zone(ZONE).expect("the zone");
        let set = zone.get(&name, "A");
        set.is_some_and(|set| set.values == [address])
    });
    assert!(is_there, "{name} {address}: {:#?}", stage.lines());
    start.elapsed()
}

/// So long that the pauses between tries are many times that of the first one.
#[test]
fn an_api_that_is_down_for_long_does_not_hold_dns_up_either() {
    let stage = Stage::new(web());
    stage.rancher.stop_api();
    let _service = stage.run();
    published(&stage, "web", "203.0.113.1");
    let start = Instant::now();
    let mut number = 0;
    while start.elapsed() < Duration::from_secs(8) {
        stage.rancher.change(|world| {
            world
                .add_service("shop", &format!("s{number}"))
                .run_on("h1", 80);
        });
        let took = published(&stage, &format!("s{number}"), "203.0.113.1");
        assert!(took < Duration::from_secs(5), "{number}: {took:?}");
        number += 1;
        // The next one comes in the middle of nothing.
        std::thread::sleep(Duration::from_millis(400));
    }
    stage.rancher.start_api();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    for i in 0..number {
        let (service, name) = (format!("s{i}"), format!("s{i}.shop.prod.example.com"));
        stage.expect_fqdn("shop", &service, &name);
    }
    assert_eq!(stage.rancher.events().len(), number + 1);
}

/// Names are many and each takes its time: what changes meanwhile isn't put behind all of them. That
/// is judged by how many are sent before it, not by time: the machine may be slow, too.
#[test]
fn an_api_that_is_slow_does_not_hold_dns_up() {
    let stage = Stage::new(world(|world| {
        for i in 0..40 {
            world.add_service("shop", &format!("s{i}")).run_on("h1", 80);
        }
    }));
    let slow = Fault::Delay(Duration::from_millis(300));
    stage.rancher.inject_events(slow, usize::MAX);
    let _service = stage.run();
    let is_at_it = |state: &rancher::State| state.events().len() >= 2;
    assert!(stage.rancher.wait_until(PATIENCE, is_at_it));
    for host in [2, 3] {
        let before = stage.rancher.events().len();
        stage.rancher.change(|world| {
            let service = world.service_mut("shop", "s39");
            service.stop_on("h1").stop_on("h2");
            service.run_on(&format!("h{host}"), 80);
        });
        published(&stage, "s39", &format!("203.0.113.{host}"));
        // A pause before metadata is read again is at most 2 s, and names are sent in it.
        let sent = stage.rancher.events().len() - before;
        assert!(sent < 12, "{sent} of 40 were sent before");
    }
    stage.rancher.clear_faults();
    for i in 0..40 {
        let (service, name) = (format!("s{i}"), format!("s{i}.shop.prod.example.com"));
        stage.expect_fqdn("shop", &service, &name);
    }
}

/// The time that a call may take doubles with each that hangs, from 1 s to 4 s: the change comes
/// during the fourth, which must not get more.
#[test]
fn an_api_that_hangs_does_not_hold_dns_up() {
    let stage = Stage::new(web());
    let hang = Fault::Hang(Duration::from_secs(600));
    stage.rancher.inject_api(hang, usize::MAX);
    let _service = stage.run();
    let asked = |state: &rancher::State| state.api_requests().len() >= 4;
    assert!(stage.rancher.wait_until(PATIENCE, asked));
    stage.rancher.change(|world| {
        world.service_mut("shop", "web").move_from("h1", "h2");
    });
    let took = published(&stage, "web", "203.0.113.2");
    assert!(took < Duration::from_secs(6), "it took {took:?}");
}
