//! The program with its metrics on the simulators, for Prometheus to watch, and whoever brings it into
//! trouble.
//!
//! `sim-watched PROGRAM` says `metrics ADDRESS` each time that the program starts. A service moves to
//! another host every second, so that something happens. Each line of input makes more happen, and is
//! repeated on the output once it is so:
//!
//! | line | does |
//! | --- | --- |
//! | `trouble` | names are taken by somebody else and refused by Route 53, metadata loses most services, Route 53 throttles, Rancher's API fails |
//! | `no trouble` | all of that is over |
//! | `down`, `up` | Route 53 can't be reached, and can again |
//! | `stop`, `start` | the program is gone, and started anew |
//!
//! It ends with its input.

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use sim::harness::{Harness, PATIENCE, ZONE, has_address};
use sim::rancher::{self, World};
use sim::route53::{self, RecordSet};
use sim::service::Service;

/// The environment's part of the zone.
const BELOW: &str = "shop.prod.example.com.";
const TAKEN: &str = "taken";
const REFUSED: &str = "refused";
/// Services that metadata loses, and those that it keeps: more than the deletion guard lets go.
const MANY: usize = 10;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program] = arguments.as_slice() else {
        eprintln!("usage: sim-watched PROGRAM");
        return ExitCode::from(2);
    };
    let harness = Harness::of(world());
    foresee_refusal(&harness);
    let mut service = Some(start(&harness, program));
    let (lines, input) = mpsc::channel();
    thread::spawn(move || {
        let read = io::stdin().lines().map_while(Result::ok);
        read.take_while(|line| lines.send(line.clone()).is_ok())
            .for_each(drop);
    });
    let mut hosts = ["h1", "h2"];
    loop {
        match input.recv_timeout(Duration::from_secs(1)) {
            Ok(line) => {
                match line.as_str() {
                    "trouble" => trouble(&harness),
                    "no trouble" => no_trouble(&harness),
                    "down" => harness.route53.go_down(),
                    "up" => harness.route53.come_up(),
                    "stop" => service = None,
                    "start" => service = Some(start(&harness, program)),
                    _ => panic!("nothing is called {line:?}"),
                }
                println!("{line}");
            }
            Err(RecvTimeoutError::Timeout) => {
                let [from, to] = hosts;
                harness.rancher.change(|world| {
                    world.service_mut("shop", "mobile").move_from(from, to);
                });
                hosts = [to, from];
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    drop(service);
    ExitCode::SUCCESS
}

/// Starts the program, and waits until all names are in the zone.
fn start(harness: &Harness, program: &str) -> Service {
    let mut environment = harness.environment();
    environment.extend([
        ("RESYNC_INTERVAL", "10".to_owned()),
        // Until what is held is wanted again.
        ("DELETE_GUARD_HOLD", "3600".to_owned()),
        // After a throttling it keeps to an eighth of this for a minute and a half.
        ("ROUTE53_REQUEST_RATE", "100".to_owned()),
    ]);
    let service = Service::spawn(Path::new(program), &[], &environment);
    println!("metrics {}", service.health_address(PATIENCE));
    harness.expect_addresses(2 * MANY + 1);
    service
}

fn world() -> World {
    let mut world = World::new("Prod", "1a726b88-f6b1-53ad-8dac-f631830b5815");
    world.add_host("h1", "203.0.113.1");
    world.add_host("h2", "203.0.113.2");
    world.add_service("shop", "mobile").run_on("h1", 80);
    (0..MANY).for_each(|i| add(&mut world, &format!("kept-{i}")));
    add_lost(&mut world);
    // One that isn't published, and one with a warning.
    let label = "io.rancher.service.external_dns";
    world.add_service("shop", "hidden").label(label, "never");
    world.service_mut("shop", "kept-0").label(label, "maybe");
    world
}

fn add(world: &mut World, name: &str) {
    world.add_service("shop", name).run_on("h1", 80);
}

fn add_lost(world: &mut World) {
    (0..MANY).for_each(|i| add(world, &format!("lost-{i}")));
}

fn foresee_refusal(harness: &Harness) {
    let name = format!("{REFUSED}.{BELOW}");
    let words = format!("RRSet with DNS name {name} is not permitted in zone example.com.");
    harness
        .route53
        .edit(ZONE, |zone| zone.refuse(&name, "A", &words));
}

fn trouble(harness: &Harness) {
    let Harness { rancher, route53 } = harness;
    let taken = format!("{TAKEN}.{BELOW}");
    harness.put(RecordSet::simple(&taken, "A", 60, &["192.0.2.1"]));
    rancher.inject_events(rancher::Fault::Status(500), usize::MAX);
    route53.inject(None, route53::Fault::Throttle, 2);
    rancher.change(|world| {
        for name in [TAKEN, REFUSED, "unheard"] {
            add(world, name);
        }
        for i in 0..MANY {
            world.remove_service("shop", &format!("lost-{i}"));
        }
    });
    let unheard = format!("unheard.{BELOW}");
    let is_there = route53.wait_until(PATIENCE, |state| has_address(state, &unheard));
    assert!(is_there, "the zone should have {unheard}");
}

fn no_trouble(harness: &Harness) {
    let Harness { rancher, route53 } = harness;
    route53.edit(ZONE, |zone| zone.remove(&format!("{TAKEN}.{BELOW}"), "A"));
    rancher.clear_faults();
    rancher.change(|world| {
        for name in [REFUSED, TAKEN, "unheard"] {
            world.remove_service("shop", name);
        }
        add_lost(world);
    });
    harness.expect_addresses(2 * MANY + 1);
}
