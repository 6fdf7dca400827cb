//! A small environment for the README's picture of the status page: a dozen services on four
//! hosts, one name that somebody else has in the zone, one service that publishes no port, and a
//! few changes while the program runs.
//!
//! `sim-picture PROGRAM` runs that program on the simulators, prints the URL of its status page
//! once everything that the picture shows has happened, and goes on until its input ends.

use std::io::{self, Read};
use std::process::ExitCode;
use std::{env, path::Path};

use sim::harness::{Harness, PATIENCE, ZONE};
use sim::rancher::{OWN_SERVICE, OWN_STACK, World};
use sim::route53::{RecordSet, Route53};
use sim::service::Service;

fn main() -> ExitCode {
    let Some(program) = env::args_os().nth(1) else {
        eprintln!("usage: sim-picture PROGRAM");
        return ExitCode::from(2);
    };
    let harness = Harness::of(world());
    let Harness { rancher, route53 } = &harness;
    let taken = RecordSet::simple("blog.office.prod.example.com.", "A", 3600, &["192.0.2.80"]);
    route53.edit(ZONE, |zone| zone.put(taken));

    let settings = harness.environment();
    let service = Service::spawn(Path::new(&program), &[], &settings);
    let address = service.health_address(PATIENCE);

    harness.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    rancher.change(|world| {
        world.service_mut("shop", "cart").run_on("host-4", 8081);
    });
    in_zone(route53, "cart.shop", "203.0.113.14");
    rancher.change(|world| {
        let wiki = world.service_mut("office", "wiki");
        wiki.move_from("host-3", "host-4");
    });
    in_zone(route53, "wiki.office", "203.0.113.14");
    rancher.change(|world| {
        world
            .add_service("shop", "gift-cards")
            .run_on("host-2", 8086);
    });
    harness.expect_fqdn("shop", "gift-cards", "gift-cards.shop.prod.example.com");
    harness.expect_fqdn("office", "wiki", "wiki.office.prod.example.com");

    println!("http://{address}/status");
    let _ = io::stdin().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}

/// Waits until a record set of the zone has this address.
fn in_zone(route53: &Route53, name: &str, address: &str) {
    let start = format!("{name}.prod.example.com. ");
    let is_there = route53.wait_until(PATIENCE, |state| {
        let zone = state.zone(ZONE).expect("the zone");
        let mut lines = zone.record_sets().map(RecordSet::to_string);
        lines.any(|line| line.starts_with(&start) && line.contains(address))
    });
    assert!(is_there, "{name} should have {address}");
}

fn world() -> World {
    let mut world = World::new("Prod", "1a726b88-f6b1-53ad-8dac-f631830b5815");
    for number in 1..=4 {
        world.add_host(&format!("host-{number}"), &format!("203.0.113.1{number}"));
    }
    for (stack, name, port, hosts) in [
        ("shop", "web", 443, &["host-1", "host-2"][..]),
        ("shop", "cart", 8081, &["host-2"]),
        ("shop", "checkout", 8082, &["host-3"]),
        ("shop", "search", 9200, &["host-2"]),
        ("accounts", "login", 8443, &["host-1"]),
        ("office", "blog", 8084, &["host-3"]),
        ("office", "wiki", 8085, &["host-3"]),
        ("monitoring", "grafana", 3000, &["host-4"]),
    ] {
        let service = world.add_service(stack, name);
        for host in hosts {
            service.run_on(host, port);
        }
    }
    world
        .add_service("shop", "images")
        .run_on("host-2", 8087)
        .run_with("host-4", &["[2001:db8::14]:8087:80/tcp"]);
    world
        .add_service("shop", "database")
        .run_unpublished_on("host-4", 5432);
    let own = world.service_mut(OWN_STACK, OWN_SERVICE);
    own.label("io.rancher.service.external_dns", "never");
    world
}
