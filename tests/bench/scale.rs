//! What a change of metadata costs: the real program against the simulators, by size.
//!
//! `cargo bench` prints one table. 'arrives' is the time from a change in metadata until its
//! change batch is at Route 53, the simulator's own rendering of metadata included.

use std::path::Path;
use std::time::{Duration, Instant};

use sim::rancher::{self, Rancher, World};
use sim::route53::{self, Route53};
use sim::service::{Service, environment};

const ZONE: &str = "Z0EXAMPLE";
const PATIENCE: Duration = Duration::from_secs(300);
const REPEATS: usize = 11;

fn main() {
    println!("| services | zone right after | requests | arrives (median) | idle | high water |");
    println!("| ---: | ---: | ---: | ---: | ---: | ---: |");
    for size in [10, 100, 1_000] {
        measure(size);
    }
}

fn measure(size: usize) {
    let rancher = Rancher::start(rancher::Options::default(), World::of_size(size));
    let latency = Duration::from_millis(20);
    let route53 = Route53::start(route53::Options {
        latency,
        ..route53::Options::default()
    });
    route53.add_zone(ZONE, "example.com", false);
    let mut settings = environment(&rancher, &route53.url(), "example.com");
    settings.retain(|(name, _)| *name != "LOG_LEVEL");
    let start = Instant::now();
    let program = Path::new(env!("CARGO_BIN_EXE_rancher-route53"));
    let service = Service::spawn(program, &[], &settings);
    published(&route53, size);
    let first = start.elapsed();
    let requests = route53.requests().len();
    // Until every name is written back, metadata changes all the time.
    let shown = rancher.wait_until(PATIENCE, |state| {
        let names = state
            .world()
            .services
            .iter()
            .filter(|service| service.fqdn.is_some());
        names.count() == size && state.is_polled()
    });
    assert!(shown, "the names are written back");

    let mut arrivals: Vec<Duration> = (0..REPEATS)
        .map(|i| one_more(&rancher, &route53, i))
        .collect();
    arrivals.sort_unstable();
    let memory = service.memory().expect("a running process");
    println!(
        "| {size} | {:.2} s | {requests} | {:.1} ms | {:.1} MB | {:.1} MB |",
        first.as_secs_f64(),
        arrivals[REPEATS / 2].as_secs_f64() * 1e3,
        memory.resident_kb as f64 / 1e3,
        memory.high_water_kb as f64 / 1e3,
    );
}

fn published(route53: &Route53, count: usize) {
    let reached = route53.wait_until(PATIENCE, |state| {
        let sets = state.zone(ZONE).expect("the zone").record_sets();
        sets.filter(|set| set.rtype == "A").count() == count
    });
    assert!(reached, "the zone holds {count} A record sets");
}

/// Adds a service: how long until its batch is at Route 53.
fn one_more(rancher: &Rancher, route53: &Route53, number: usize) -> Duration {
    assert!(rancher.wait_until_polled(PATIENCE));
    route53.clear_requests();
    let name = format!("extra-{number}");
    let changed = Instant::now();
    rancher.change(|world| {
        world.add_service("extra", &name).run_on("host-0001", 8080);
    });
    assert!(route53.wait_until(PATIENCE, |state| !state.requests().is_empty()));
    let arrived = route53.requests()[0].at;
    let shown = |state: &rancher::State| {
        let service = state.world().service("extra", &name);
        service.is_some_and(|service| service.fqdn.is_some()) && state.is_polled()
    };
    assert!(rancher.wait_until(PATIENCE, shown));
    arrived.saturating_duration_since(changed)
}
