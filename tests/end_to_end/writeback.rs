//! fqdn back to Rancher: every name gets there in the end, and DNS never waits for it.

use crate::stage::{PATIENCE, Stage, ZONE, each, prompt, web, world};
use sim::rancher::{self, Fault};
use sim::route53;
use std::time::{Duration, Instant};

const NAME: &str = "web.shop.prod.example.com";

#[test]
fn an_api_that_fails_once_gets_the_name_all_the_same() {
    let cases = [
        Fault::Status(500),
        Fault::Status(401),
        Fault::Status(403),
        Fault::Status(404),
        Fault::Status(422),
        Fault::Status(302),
        Fault::Drop,
        Fault::Garbage,
        Fault::Cut(5),
        Fault::Hang(Duration::from_secs(600)),
    ];
    each(cases, |fault| {
        let stage = Stage::new(web());
        stage.rancher.inject_events(fault.clone(), 1);
        let service = stage.run();
        stage.expect_fqdn("shop", "web", NAME);
        if !matches!(fault, Fault::Cut(_)) {
            let said = |line: &str| line.contains("can't be written back");
            assert!(service.wait_for_log(PATIENCE, said).is_some(), "{fault:?}");
        }
    });
}

#[test]
fn an_api_whose_discovery_fails_is_asked_again() {
    let cases = [
        Fault::Status(500),
        Fault::Drop,
        Fault::Body("<html>".into()),
        Fault::Cut(40),
    ];
    each(cases, |fault| {
        let stage = Stage::new(web());
        stage.rancher.inject_api(fault, 2);
        let _service = stage.run();
        stage.expect_fqdn("shop", "web", NAME);
    });
}

#[test]
fn an_api_that_is_down_for_a_while_gets_every_name_and_dns_does_not_wait() {
    let stage = Stage::new(world(|world| {
        for i in 0..20 {
            world.add_service("shop", &format!("s{i}")).run_on("h1", 80);
        }
    }));
    stage.rancher.stop_api();
    let service = stage.run();
    let said = |line: &str| line.contains("can't be written back");
    assert!(service.wait_for_log(PATIENCE, said).is_some());
    for i in 20..25 {
        stage.rancher.change(|world| {
            world.add_service("shop", &format!("s{i}")).run_on("h1", 80);
        });
    }
    let published = stage.route53.wait_until(PATIENCE, |state| {
        let zone = state.zone(ZONE).unwrap();
        zone.record_sets().filter(|set| set.rtype == "A").count() == 25
    });
    assert!(published);
    stage.rancher.start_api();
    for i in 0..25 {
        stage.expect_fqdn(
            "shop",
            &format!("s{i}"),
            &format!("s{i}.shop.prod.example.com"),
        );
    }
    // Each was sent once: what failed never arrived.
    assert_eq!(stage.rancher.events().len(), 25);
}

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
    stage.expect_fqdn("shop", "web", NAME);
    for i in 0..number {
        let (service, name) = (format!("s{i}"), format!("s{i}.shop.prod.example.com"));
        stage.expect_fqdn("shop", &service, &name);
    }
    assert_eq!(stage.rancher.events().len(), number + 1);
}

/// Names are many and each takes its time: what changes meanwhile isn't put behind all of them.
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
        stage.rancher.change(|world| {
            let service = world.service_mut("shop", "s39");
            service.stop_on("h1").stop_on("h2");
            service.run_on(&format!("h{host}"), 80);
        });
        let took = published(&stage, "s39", &format!("203.0.113.{host}"));
        assert!(took < Duration::from_secs(3), "it took {took:?}");
    }
    let events = stage.rancher.events().len();
    assert!(events < 35, "{events} of 40 were sent before");
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

#[test]
fn a_restart_sends_only_what_metadata_does_not_show() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
        world.add_service("shop", "lost").run_on("h1", 80);
    }));
    // Sent in the order of their names, so the first one is lost: accepted, then forgotten.
    stage.rancher.inject_events(Fault::LoseEvent, 1);
    let service = stage.run();
    stage.expect_fqdn("shop", "web", NAME);
    stage.settle();
    assert_eq!(stage.rancher.fqdn("shop", "lost"), None);
    service.terminate();
    assert!(service.wait(PATIENCE).is_some());
    stage.rancher.clear_requests();
    let _service = stage.run();
    stage.expect_fqdn("shop", "lost", "lost.shop.prod.example.com");
    stage.settle();
    assert_eq!(stage.rancher.events().len(), 1);
}

#[test]
fn a_name_that_rancher_loses_is_written_back_again() {
    let stage = Stage::new(web());
    let _service = stage.run();
    stage.expect_fqdn("shop", "web", NAME);
    for lost in [None, Some("someone.else.example.com".to_owned())] {
        stage.settle();
        stage
            .rancher
            .change(|world| world.service_mut("shop", "web").fqdn = lost);
        stage.expect_fqdn("shop", "web", NAME);
    }
}

#[test]
fn finds_the_collection_under_every_kind_of_url() {
    for base in [
        "/v1",
        "/v2-beta",
        "/v1/projects/1a5",
        "/v2-beta/projects/1a5",
    ] {
        for (schema_has_event, collection) in [
            (true, "externaldnsevents"),
            (true, "elsewhere"),
            (false, "externaldnsevents"),
        ] {
            let options = rancher::Options {
                api_base: base.to_owned(),
                schema_has_event,
                event_collection: collection.to_owned(),
                ..prompt()
            };
            let stage = Stage::with(web(), options, route53::Options::default());
            let urls = match base {
                "/v1" | "/v2-beta" => vec![stage.rancher.api_url(), stage.rancher.api_root()],
                _ => vec![format!("{}/", stage.rancher.api_url())],
            };
            for url in urls {
                stage
                    .rancher
                    .change(|world| world.service_mut("shop", "web").fqdn = None);
                let service = stage.run_with(&["once"], &[("CATTLE_URL", &url)]);
                let status = service.wait(PATIENCE).and_then(|status| status.code());
                assert_eq!(status, Some(0), "{url} {collection}");
                stage.expect_fqdn("shop", "web", NAME);
            }
        }
    }
}

#[test]
fn refused_keys_are_explained() {
    let stage = Stage::new(web());
    let once = stage.run_with(&["once"], &[("CATTLE_SECRET_KEY", "wrong")]);
    assert_eq!(
        once.wait(PATIENCE).and_then(|status| status.code()),
        Some(1)
    );
    let log = once.log().join("\n");
    assert!(log.contains("does not know CATTLE_ACCESS_KEY"), "{log}");
    stage.rancher.set_forbidden(true);
    let once = stage.run_with(&["once"], &[]);
    assert_eq!(
        once.wait(PATIENCE).and_then(|status| status.code()),
        Some(1)
    );
    assert!(
        once.log()
            .join("\n")
            .contains("io.rancher.container.agent.role")
    );
}
