//! fqdn back to Rancher: every name gets there in the end, and DNS never waits for it.

use crate::stage::{PATIENCE, Stage, each, prompt, web, world};
use crate::status::wait_until;
use sim::rancher::{self, Fault};
use sim::route53;
use std::time::Duration;

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
    stage.expect_addresses(25);
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

#[test]
fn a_name_that_rancher_refuses_is_told_once_whatever_becomes_of_others() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "first").run_on("h1", 80);
        world.add_service("shop", "second").run_on("h1", 80);
    }));
    // Sent in the order of their names.
    stage.rancher.inject_events(Fault::Status(422), 1);
    let service = stage.run();
    stage.expect_fqdn("shop", "second", "second.shop.prod.example.com");
    stage.rancher.inject_events(Fault::Status(422), 1);
    stage.expect_fqdn("shop", "first", "first.shop.prod.example.com");
    stage.rancher.inject_events(Fault::Status(422), usize::MAX);
    stage.rancher.change(|world| {
        world.add_service("shop", "third").run_on("h1", 80);
    });
    let told = |words| move |line: &str| line.contains("written back") && line.contains(words);
    assert!(service.wait_for_log(PATIENCE, told("third")).is_some());
    stage
        .rancher
        .change(|world| world.remove_service("shop", "third"));
    stage.settle();
    let mut lines = service.log();
    lines.retain(|line| line.contains("written back"));
    let told: Vec<String> = lines
        .iter()
        .map(|line| {
            let word = |key| {
                let rest = line.split_once(key).expect("the field").1;
                rest.split(' ').next().expect("a word").to_owned()
            };
            word("level=") + " " + &word("what=")
        })
        .collect();
    let expected =
        ["first", "third"].map(|name| ["warn", "info"].map(|l| format!("{l} shop/{name}")));
    assert_eq!(told, expected.concat(), "{lines:#?}");
}

#[test]
fn an_api_that_failed_is_no_trouble_once_nothing_is_to_be_written_back() {
    let stage = Stage::new(web());
    stage.rancher.inject_events(Fault::Status(500), usize::MAX);
    let service = stage.run();
    let api = |status: &serde_json::Value| status["dependencies"]["rancher_api"]["state"].clone();
    wait_until(&service, |status| api(status) == "fails");
    stage
        .rancher
        .change(|world| world.remove_service("shop", "web"));
    let status = wait_until(&service, |status| api(status) != "fails");
    assert_eq!(api(&status), "unknown");
    assert_eq!(status["problems"], serde_json::json!([]));
    let ends = |line: &str| line.contains("level=info") && line.contains("written back again");
    assert!(service.wait_for_log(PATIENCE, ends).is_some());
    // The next one that is to be written back shows how it is now.
    stage.rancher.clear_faults();
    stage.rancher.change(|world| {
        world.add_service("shop", "next").run_on("h1", 80);
    });
    wait_until(&service, |status| api(status) == "works");
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
    for _ in 0..2 {
        stage.settle();
        stage
            .rancher
            .change(|world| world.service_mut("shop", "web").fqdn = None);
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
