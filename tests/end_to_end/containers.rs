//! Containers of a published service that don't count are said, and no problem.

use crate::stage::{PATIENCE, Stage, world};
use crate::{commands, status};

const STARTS: &str = "level=info msg=\"not all containers of a service count\" ";
const ENDS: &str =
    "level=info msg=\"all containers of a service count again, or it isn't published\" ";

fn said(service: &sim::service::Service, count: usize, start: &str) -> Vec<String> {
    let lines = service.log_lines(PATIENCE, count, |line| line.contains(start));
    let words = lines.iter().filter_map(|line| line.split_once(start));
    words.map(|(_, words)| words.to_owned()).collect()
}

#[test]
fn a_service_that_loses_an_address_says_so_once_and_again_when_that_changes() {
    let stage = Stage::new(world(|world| {
        let web = world.add_service("shop", "web");
        web.run_on("h1", 80).run_on("h2", 80).run_on("h3", 80);
    }));
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    let web = |status: &serde_json::Value| {
        let services = status["services"].as_array().expect("a list");
        let web = services.iter().find(|service| service["name"] == "web");
        web.cloned().unwrap_or_default()
    };
    let wait_for = |skipped: serde_json::Value| {
        status::wait_until(&service, |status| {
            web(status)["skipped_containers"]["skipped"] == skipped
        })
    };
    wait_for(serde_json::Value::Null);
    assert_eq!(said(&service, 0, STARTS), [""; 0]);

    let health = |host: &str, health: &str| {
        stage.rancher.change(|world| {
            let web = world.service_mut("shop", "web");
            web.health_on(host, Some(health));
        });
    };
    health("h2", "unhealthy");
    let status = wait_for(1.into());
    let words = "2 of 3 containers count: shop-web-2 isn't healthy (health \"unhealthy\")";
    assert_eq!(web(&status)["reason"], words);
    assert_eq!(web(&status)["state"], "published");
    assert_eq!(status["problems"], serde_json::json!([]));
    let (_, page) = status::get(&service, "/status");
    assert!(
        page.contains("1 service has containers that don’t count."),
        "{page}"
    );
    assert!(
        page.contains("2 of 3 containers count: shop-web-2"),
        "{page}"
    );

    // Other changes say nothing of it again.
    stage.rancher.change(|world| {
        world.add_service("shop", "another").run_on("h1", 80);
    });
    stage.expect_fqdn("shop", "another", "another.shop.prod.example.com");
    health("h3", "initializing");
    wait_for(2.into());
    for host in ["h2", "h3"] {
        health(host, "healthy");
    }
    wait_for(serde_json::Value::Null);
    let quoted = words.replace('"', "\\\"");
    let two = "1 of 3 containers count: shop-web-2 isn't healthy (health \\\"unhealthy\\\"); shop-web-3 \
               isn't healthy (health \\\"initializing\\\")";
    let lines = said(&service, 2, STARTS);
    for (line, words) in lines.iter().zip([&*quoted, two]) {
        assert_eq!(*line, format!("what=shop/web reason=\"{words}\""));
    }
    assert_eq!(said(&service, 1, ENDS), ["what=shop/web"]);
}

/// Nor when it loses all of them, or the service goes: that its containers count again would be false.
#[test]
fn a_service_that_loses_all_its_addresses_does_not_look_well() {
    let stage = Stage::new(world(|world| {
        let web = world.add_service("shop", "web");
        web.run_on("h1", 80).run_on("h2", 80);
        world.add_service("shop", "other").run_on("h1", 80);
    }));
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    for host in ["h1", "h2"] {
        stage.rancher.change(|world| {
            let web = world.service_mut("shop", "web");
            web.health_on(host, Some("unhealthy"));
        });
    }
    status::wait_until(&service, |status| {
        let services = status["services"].as_array().expect("a list");
        let mut web = services.iter().filter(|one| one["name"] == "web");
        web.any(|web| web["skipped_containers"]["skipped"] == 2 && web["state"] == "skipped")
    });
    let (_, page) = status::get(&service, "/status");
    let words = "1 service has containers that don’t count.";
    assert!(page.contains(words), "{page}");
    let check = commands::check::check(&stage, &[]);
    let line = "\n! containers  shop/web: 0 of 2 containers count: shop-web-1 isn't healthy";
    assert!(check.stdout.contains(line), "{}", check.stdout);
    assert!(!check.stdout.contains("All is well"), "{}", check.stdout);
    assert_eq!(check.code, 0);
    let once = commands::run(&stage, &["once"]);
    let words = "services with containers that don't count: 1";
    assert!(once.stdout.contains(words), "{}", once.stdout);

    stage.rancher.change(|world| {
        world.remove_service("shop", "web");
    });
    assert_eq!(said(&service, 1, ENDS), ["what=shop/web"]);
    let last = said(&service, 1, STARTS).pop().unwrap_or_default();
    assert!(last.contains("0 of 2 containers count"), "{last}");
}

#[test]
fn the_loss_of_a_host_does_not_fill_the_log() {
    const SERVICES: usize = 60;
    let stage = Stage::new(world(|world| {
        for i in 0..SERVICES {
            let service = world.add_service("shop", &format!("w{i:02}"));
            service.run_on("h1", 80).run_on("h2", 80);
        }
    }));
    let service = stage.run();
    stage.expect_addresses(SERVICES);
    stage.rancher.change(|world| {
        for i in 0..SERVICES {
            let service = world.service_mut("shop", &format!("w{i:02}"));
            service.state_on("h2", "stopped");
        }
    });
    let lines = said(&service, 51, STARTS);
    assert_eq!(lines.len(), 51);
    assert!(lines[49].starts_with("what=shop/w49 "), "{}", lines[49]);
    assert_eq!(lines[50], "more=10");
}
