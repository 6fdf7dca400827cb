//! `cargo run --example status_page`: the real program three times on the simulators: `ill` with a
//! thousand services of all kinds, hostile ones too, and something of everything that its status page
//! can show; `well` with twenty that are as they should be; and `empty`. Says where the pages are once
//! all of it is there, a line for each, and goes on until its input ends.

use std::io::{self, Read};
use std::process::ExitCode;

use sim::harness::{Harness, PATIENCE, ZONE};
use sim::rancher::{Fault, World};
use sim::route53::RecordSet;
use sim::service::Service;

/// The first argument with which this program is not the stage but the service on it.
const AS_SERVICE: &str = "--service";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    // `cargo run --example` doesn't build the program itself, so this one plays its part.
    if arguments.next().is_some_and(|first| first == AS_SERVICE) {
        return rancher_route53::cli::main(arguments);
    }
    let well = Harness::of(World::of_size(20));
    let of_well = start(&well);
    let empty = Harness::of(World::new("Empty", "5b9e1d8c-77b8-4e0f-8a6d-3f4f8a6c2f11"));
    let of_empty = start(&empty);
    let harness = Harness::of(world());
    let Harness { rancher, route53 } = &harness;
    route53.edit(ZONE, |zone| {
        for (name, rtype) in [("web-00001", "A"), ("web-00002", "CNAME")] {
            let name = format!("{name}.shop-0000.production-eu.example.com.");
            let value = if rtype == "A" {
                "192.0.2.1"
            } else {
                "example.org."
            };
            zone.put(RecordSet::simple(&name, rtype, 60, &[value]));
        }
        let alias = "web-00003.shop-0000.production-eu.example.com.";
        zone.put(RecordSet::alias(alias, "A", "Z1ELB", "elb.example.org."));
        let refused = "web-00005.shop-0000.production-eu.example.com.";
        let words = format!("RRSet with DNS name {refused} is not permitted in zone example.com.");
        zone.refuse(refused, "A", &words);
    });
    let service = start(&harness);
    let address = service.health_address(PATIENCE);

    wait_for(&service, "name=last.web.");
    // Rancher's API fails from here on, and metadata loses more than the guard lets go at once.
    rancher.inject_events(Fault::Status(500), usize::MAX);
    rancher.change(|world| {
        world
            .service_mut("shop-0001", "web-00010")
            .move_from("host-0010", "host-0011");
        world.remove_stack("shop-0098");
        world.remove_stack("shop-0097");
    });
    wait_for(&service, "msg=\"deletes wait\"");
    wait_for(&service, "can't be written back");
    println!("ill http://{address}/status");
    println!("well http://{}/status", of_well.health_address(PATIENCE));
    println!("empty http://{}/status", of_empty.health_address(PATIENCE));
    let _ = io::stdin().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}

fn start(harness: &Harness) -> Service {
    let program = std::env::current_exe().expect("a path to this program");
    let mut environment = harness.environment();
    environment.extend([
        ("DELETE_GUARD_PERCENT", "1".to_owned()),
        ("DELETE_GUARD_HOLD", "3600".to_owned()),
        ("ROUTE53_CHANGE_RATE", "1000".to_owned()),
    ]);
    Service::spawn(&program, &[AS_SERVICE], &environment)
}

fn wait_for(service: &Service, words: &str) {
    let found = service.wait_for_log(PATIENCE, |line| line.contains(words));
    assert!(found.is_some(), "no line with {words}");
}

/// A thousand services, half as many that publish no port, and some that nobody asked for.
fn world() -> World {
    let mut world = World::of_size(1_000);
    let label = "io.rancher.service.external_dns";
    let template = "io.rancher.service.external_dns_name_template";
    for (stack, name) in [
        (
            "<script>alert(1)</script>",
            "\"><img src=x onerror=alert(2)>",
        ),
        ("חנות", "שרת-דואר-ראשי"),
        ("\u{202e}gnp.moc", "\u{2066}a\u{200b}b\0\u{7}\n\t"),
        ("O'Neil & Sons", "{}</td></table>"),
        (&"long-".repeat(51), &"x".repeat(255)),
        (&"s".repeat(63), &"n".repeat(63)),
    ] {
        world.add_service(stack, name).run_on("host-0001", 80);
    }
    let bulky = world.add_service("shop", "everywhere");
    for host in 0..20 {
        bulky.run_on(&format!("host-{host:04}"), 443);
    }
    world.add_service("shop", "v6").run_with(
        "host-0001",
        &["[2001:db8:1234:5678:9abc:def0:1234:5678]:443:443/tcp"],
    );
    world
        .add_service("shop", "odd-label")
        .run_on("host-0001", 81)
        .label(label, "<maybe>");
    world
        .add_service("shop", "bad-template")
        .run_on("host-0001", 82)
        .label(template, "%{{<b>}}");
    world
        .add_service("shop", "any")
        .run_on("host-0001", 83)
        .label(template, "*.%{{stack_name}}");
    world
        .add_service("shop", "ill")
        .run_on("host-0001", 84)
        .health_on("host-0001", Some("unhealthy"));
    // The last one in order of names: it is there when all are.
    world.add_service("web", "last").run_on("host-0001", 85);
    world
}
