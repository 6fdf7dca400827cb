//! One environment in two zones of one name: an instance for each. Each zone gets what its labels say,
//! and two that write different names to Rancher don't do so without end.
//!
//! `TWO_ZONES_SECONDS` says for how long the changes go on, at the least: ten minutes are 600. Each test
//! prints how many there were, and how many events they led to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::stage::{PATIENCE, Stage, ZONE, number, world};
use crate::status;
use sim::harness::DOMAIN;
use sim::rancher::{Event, World};
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

/// Makes changes one after the other, at least `least` and for as long as `TWO_ZONES_SECONDS` says, each
/// time followed by `then`; how many there were, and how long it took.
fn change_for_long(stage: &Stage, least: usize, then: impl Fn(usize)) -> (usize, Duration) {
    let time = Duration::from_secs(number("TWO_ZONES_SECONDS", 0));
    let start = Instant::now();
    let mut count = 0;
    while count < least || start.elapsed() < time {
        change(stage, count);
        then(count);
        count += 1;
    }
    (count, start.elapsed())
}

/// How often the guest has come.
fn visits(changes: usize) -> usize {
    (changes / 5).div_ceil(2)
}

/// How many events there were for a service.
fn events_of(events: &[Event], name: &str) -> usize {
    events.iter().filter(|event| event.service == name).count()
}

fn tell(changes: usize, took: Duration, events: &[Event]) {
    let of: Vec<String> = ["api", "db", "shop", "web", "guest"]
        .iter()
        .map(|name| format!("{name} {}", events_of(events, name)))
        .collect();
    println!(
        "{changes} changes in {} s, the guest came {} times; {} events: {}",
        took.as_secs(),
        visits(changes),
        events.len(),
        of.join(", "),
    );
}

#[test]
fn each_zone_gets_its_own_through_many_changes_and_every_name_is_sent_once() {
    let stage = stage();
    let _public = run(&stage, ZONE, &[]);
    let private = [("LABEL_SUFFIX", "_private"), ("WRITE_BACK", "false")];
    let private = run(&stage, PRIVATE, &private);
    expect_both(&stage);
    let (changes, took) = change_for_long(&stage, 40, |number| {
        if number % 4 == 3 {
            expect_both(&stage);
        }
    });
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
    tell(changes, took, &events);
    let counts = ["api", "db", "shop", "web"].map(|name| events_of(&events, name));
    assert_eq!(counts, [1, 0, 1, 1], "{events:#?}");
    let most = 2 * visits(changes);
    assert!(events_of(&events, "guest") <= most, "{events:#?}");
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
    let start = Instant::now();
    let end = start + PATIENCE;
    while ![&public, &private].iter().any(|service| {
        let status = status::wait_until(service, |status| status["last_success"].is_string());
        says(&status)
    }) {
        assert!(Instant::now() < end, "neither says so");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (changes, took) = change_for_long(&stage, 24, |_| stage.settle());
    let events = stage.rancher.events();
    tell(changes, took, &events);
    // Each has sent each name of its own once, and again after ten minutes. That of the guest is
    // another service's each time.
    let times = 1 + usize::try_from(start.elapsed().as_secs() / 600).expect("a few");
    for name in ["api", "web"] {
        let of: Vec<_> = events
            .iter()
            .filter(|event| event.service == name)
            .collect();
        let fqdns: BTreeSet<_> = of.iter().map(|event| &event.fqdn).collect();
        assert!(
            fqdns.len() <= 2 && of.len() <= times * fqdns.len(),
            "{of:#?}"
        );
    }
    let most = times * 2 * SERVICES.len() + 4 * visits(changes);
    assert!(events.len() <= most, "{}", events.len());
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
    assert!(problems.contains("Somebody else writes"), "{problems}");
    assert_eq!(status["contested"], serde_json::json!(["shop/web"]));
    let said = |line: &str| line.contains("somebody else writes an fqdn, too");
    assert_eq!(service.log_lines(PATIENCE, 1, said).len(), 1);
}
