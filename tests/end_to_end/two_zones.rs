//! One environment in two zones of one name: an instance for each. Each zone gets what its labels say,
//! and two that write different names to Rancher don't do so without end.

use std::collections::BTreeMap;

use crate::stage::{PATIENCE, Stage, ZONE, world};
use crate::status;
use sim::harness::DOMAIN;
use sim::rancher::World;
use sim::service::Service;

const PRIVATE: &str = "Z0PRIVATE";
const SERVICES: [&str; 4] = ["api", "db", "shop", "web"];
const HOSTS: [&str; 3] = ["h1", "h2", "h3"];

/// Every host has an address for the one zone and another one for the other. One service is in the
/// public zone only, one is in the private zone only, with the addresses of its containers.
fn two_faced() -> World {
    world(|world| {
        for host in HOSTS {
            let inside = host.replace('h', "10.0.0.");
            world
                .host_mut(host)
                .label("io.rancher.host.external_dns_ip_private", inside);
        }
        for name in SERVICES {
            world.add_service("shop", name).run_on("h1", 80);
        }
        let shop = world.service_mut("shop", "shop");
        shop.label("io.rancher.service.external_dns_private", "never");
        shop.label("io.rancher.service.external_dns_names", "@");
        let db = world.service_mut("shop", "db");
        db.label("io.rancher.service.external_dns", "never");
        db.label("io.rancher.service.external_dns_private", "auto");
        db.label(
            "io.rancher.service.external_dns_address_private",
            "container",
        );
    })
}

fn stage() -> Stage {
    let stage = Stage::new(two_faced());
    stage.route53.add_zone(PRIVATE, DOMAIN, true);
    stage
}

fn run(stage: &Stage, zone: &str, more: &[(&'static str, &str)]) -> Service {
    let zone = ("ROUTE53_ZONE_ID", zone);
    stage.run_with(&[], &[&[zone], more].concat())
}

/// Names and addresses in a zone.
fn published(zone: &sim::route53::Zone) -> BTreeMap<String, Vec<String>> {
    let sets = zone.record_sets().filter(|set| set.rtype == "A");
    sets.map(|set| (set.name.clone(), set.values.clone()))
        .collect()
}

/// What should be in the public zone, or in the private one.
fn expected(world: &World, is_private: bool) -> BTreeMap<String, Vec<String>> {
    let mut expected = BTreeMap::new();
    for service in world.services.iter().filter(|s| s.stack == "shop") {
        let is_out = if is_private { "shop" } else { "db" };
        if service.name == is_out || service.containers.is_empty() {
            continue;
        }
        let address = |container: &sim::rancher::Container| match (is_private, &*service.name) {
            (true, "db") => container.primary_ip(),
            (true, _) => container.host.replace('h', "10.0.0."),
            (false, _) => container.host.replace('h', "203.0.113."),
        };
        let mut values: Vec<String> = service.containers.iter().map(address).collect();
        values.sort();
        values.dedup();
        if service.name == "shop" {
            expected.insert(format!("{DOMAIN}."), values.clone());
        }
        expected.insert(format!("{}.shop.prod.{DOMAIN}.", service.name), values);
    }
    expected
}

fn expect_both(stage: &Stage) {
    let world = stage.rancher.world();
    for (zone, is_private) in [(ZONE, false), (PRIVATE, true)] {
        let right = expected(&world, is_private);
        let is_right = stage.route53.wait_until(PATIENCE, |state| {
            state
                .zone(zone)
                .is_some_and(|zone| published(zone) == right)
        });
        assert!(
            is_right,
            "{zone}: {right:#?} {:#?}",
            stage.route53.record_sets(zone)
        );
    }
}

/// A service runs on other hosts, each time, and one comes and goes.
fn change(stage: &Stage, number: usize) {
    stage.rancher.change(|world| {
        let name = SERVICES[number % SERVICES.len()];
        let service = world.service_mut("shop", name);
        service.containers.clear();
        for step in 0..=number % 3 {
            service.run_on(HOSTS[(number + step) % HOSTS.len()], 80);
        }
        if number % 5 == 4 && !world.remove_service("shop", "guest") {
            world.add_service("shop", "guest").run_on("h2", 80);
        }
    });
}

#[test]
fn each_zone_gets_its_own_through_many_changes_and_every_name_is_sent_once() {
    let stage = stage();
    let _public = run(&stage, ZONE, &[]);
    let private = [("LABEL_SUFFIX", "_private"), ("WRITE_BACK", "false")];
    let private = run(&stage, PRIVATE, &private);
    expect_both(&stage);
    for number in 0..40 {
        change(&stage, number);
        if number % 4 == 3 {
            expect_both(&stage);
        }
    }
    expect_both(&stage);
    for name in ["api", "shop", "web"] {
        stage.expect_fqdn("shop", name, &format!("{name}.shop.prod.{DOMAIN}"));
    }
    assert_eq!(
        stage.rancher.fqdn("shop", "db"),
        None,
        "it is in the private zone only"
    );
    let told = status::wait_until(&private, |status| status["fqdns_waiting"] == 0);
    assert_eq!(told["problems"], serde_json::json!([]));
    // A guest that left is another service when it comes back.
    let events = stage.rancher.events();
    let of = |name: &str| events.iter().filter(|event| event.service == name).count();
    let counts = ["api", "db", "shop", "web"].map(of);
    assert_eq!(counts, [1, 0, 1, 1], "{events:#?}");
    assert!(of("guest") <= 8, "{events:#?}");
    assert!(
        events
            .iter()
            .all(|event| event.service == "guest" || SERVICES.contains(&&*event.service))
    );
}

#[test]
fn two_that_write_different_names_come_to_rest_and_say_so() {
    let stage = stage();
    let public = run(&stage, ZONE, &[]);
    let template = "%{{service_name}}.inside.%{{environment_name}}";
    let private = [("LABEL_SUFFIX", "_private"), ("NAME_TEMPLATE", template)];
    let private = run(&stage, PRIVATE, &private);
    let says = |status: &serde_json::Value| {
        let problems = status["problems"].as_array().expect("a list");
        let is_it = |problem: &serde_json::Value| {
            let problem = problem.as_str().expect("a sentence");
            problem.contains("Somebody else writes") && problem.contains("WRITE_BACK=false")
        };
        problems.iter().any(is_it)
    };
    let end = std::time::Instant::now() + PATIENCE;
    while ![&public, &private].iter().any(|service| {
        let status = status::wait_until(service, |status| status["last_success"].is_string());
        says(&status)
    }) {
        assert!(std::time::Instant::now() < end, "neither says so");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for number in 0..24 {
        change(&stage, number);
        stage.settle();
    }
    let events = stage.rancher.events();
    // Each has sent each name of its own once. That of the guest is another service's each time.
    for name in ["api", "web"] {
        let of: Vec<_> = events
            .iter()
            .filter(|event| event.service == name)
            .collect();
        let fqdns: std::collections::BTreeSet<_> = of.iter().map(|event| &event.fqdn).collect();
        assert!(of.len() <= 2 && of.len() == fqdns.len(), "{of:#?}");
    }
    assert!(events.len() <= 2 * 4 + 2 * 6, "{}", events.len());
}

/// One of the programs that came before writes whenever it sees something else.
#[test]
fn a_name_that_somebody_else_writes_over_again_and_again_is_sent_once() {
    let stage = Stage::new(crate::stage::web());
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    for number in 0..30 {
        let theirs = format!("theirs{}.example.com", number % 2);
        stage.rancher.change(|world| {
            let web = world.service_mut("shop", "web");
            web.fqdn = Some(theirs);
        });
        stage.settle();
        stage.rancher.change(|world| {
            let web = world.service_mut("shop", "web");
            web.fqdn = Some("web.shop.prod.example.com".to_owned());
        });
        stage.settle();
    }
    assert_eq!(stage.rancher.events().len(), 1);
    let status = status::wait_until(&service, |status| status["fqdns_contested"] == 1);
    let problems = status["problems"].to_string();
    assert!(
        problems.contains("Somebody else writes") && problems.contains("shop/web"),
        "{problems}"
    );
    let said = |line: &str| line.contains("somebody else writes an fqdn, too");
    assert_eq!(service.log().iter().filter(|line| said(line)).count(), 1);
}
