//! A stage: one simulated Rancher, one simulated Route 53 with the zone example.com, and the
//! program on it as often as a test likes.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

use sim::rancher::{self, Rancher, World};
use sim::route53::{self, Operation, RecordSet, Route53, State};
use sim::service::{self, Service, environment};

/// Longer than anything takes, on a machine that is ten times as slow, too; a test that runs into it has
/// failed.
pub const PATIENCE: Duration = Duration::from_secs(120);
pub const ZONE: &str = "Z0EXAMPLE";
pub const UUID: &str = "1a726b88-f6b1-53ad-8dac-f631830b5815";
pub const STATE: &str = "external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815.example.com.";

pub struct Stage {
    pub rancher: Rancher,
    pub route53: Route53,
}

/// An environment `Prod` with three hosts, and the services that `f` adds.
pub fn world(f: impl FnOnce(&mut World)) -> World {
    let mut world = World::new("Prod", UUID);
    for (host, ip) in [
        ("h1", "203.0.113.1"),
        ("h2", "203.0.113.2"),
        ("h3", "203.0.113.3"),
    ] {
        world.add_host(host, ip);
    }
    f(&mut world);
    world
}

/// With one service `web` in stack `shop` on host `h1`.
pub fn web() -> World {
    world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
    })
}

/// Metadata that notices the end of a wait when it is over, not on a tick of 5 s: tests that
/// wait for a retry needn't wait for that too.
pub fn prompt() -> rancher::Options {
    rancher::Options {
        tick: Duration::from_millis(50),
        ..rancher::Options::default()
    }
}

/// Runs each case on a thread of its own: most of their time is waiting.
pub fn each<T: Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        let test = &test;
        let running: Vec<_> = cases
            .into_iter()
            .map(|case| scope.spawn(move || test(case)))
            .collect();
        for case in running {
            if let Err(panic) = case.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

impl Stage {
    pub fn new(world: World) -> Stage {
        Stage::with(world, prompt(), route53::Options::default())
    }

    pub fn with(world: World, rancher: rancher::Options, route53: route53::Options) -> Stage {
        let stage = Stage {
            rancher: Rancher::start(rancher, world),
            route53: Route53::start(route53),
        };
        stage.route53.add_zone(ZONE, "example.com", false);
        stage
    }

    pub fn environment(&self) -> Vec<(&'static str, String)> {
        environment(&self.rancher, &self.route53.url(), "example.com")
    }

    /// Starts the program.
    pub fn run(&self) -> Service {
        self.run_with(&[], &[])
    }

    /// Starts the program with these arguments, and these settings besides the usual ones.
    pub fn run_with(&self, arguments: &[&str], settings: &[(&'static str, &str)]) -> Service {
        self.run_into(arguments, settings, Stdio::piped(), Stdio::piped())
    }

    /// The same, with its output going elsewhere.
    pub fn run_into(
        &self,
        arguments: &[&str],
        settings: &[(&'static str, &str)],
        stdout: impl Into<Stdio>,
        stderr: impl Into<Stdio>,
    ) -> Service {
        let mut environment = self.environment();
        for (name, value) in settings {
            environment.retain(|(known, _)| known != name);
            environment.push((name, (*value).to_owned()));
        }
        let (stdout, stderr) = (stdout.into(), stderr.into());
        Service::spawn_into(program(), arguments, &environment, stdout, stderr)
    }

    /// The zone without SOA and NS, a line each.
    pub fn lines(&self) -> Vec<String> {
        lines(self.route53.record_sets(ZONE).iter())
    }

    /// Waits until the zone holds exactly this besides SOA and NS.
    pub fn expect_zone(&self, expected: &[&str]) {
        let reached = self.route53.wait_until(PATIENCE, |state| {
            state
                .zone(ZONE)
                .is_some_and(|zone| lines(zone.record_sets()) == expected)
        });
        assert!(
            reached,
            "the zone should be {expected:#?}, not {:#?}",
            self.lines()
        );
    }

    /// Waits until the zone holds so many A record sets.
    pub fn expect_addresses(&self, count: usize) {
        let is_so = |state: &State| addresses(state) == count;
        let reached = self.route53.wait_until(PATIENCE, is_so);
        assert!(reached, "{count} A record sets, not {:#?}", self.lines());
    }

    /// Waits until Rancher shows this name for a service.
    pub fn expect_fqdn(&self, stack: &str, service: &str, fqdn: &str) {
        let reached = self.rancher.wait_until(PATIENCE, |state| {
            let service = state.world().service(stack, service);
            service.is_some_and(|service| service.fqdn.as_deref() == Some(fqdn))
        });
        let shown = self.rancher.fqdn(stack, service);
        assert!(
            reached,
            "{stack}/{service} should show {fqdn}, not {shown:?}"
        );
    }

    /// Waits until the program waits for the present version of metadata: it has seen it all.
    pub fn settle(&self) {
        assert!(
            self.rancher.wait_until_polled(PATIENCE),
            "the program doesn't come to rest"
        );
    }

    /// How many requests for this operation there were.
    pub fn calls(&self, operation: Operation) -> usize {
        let requests = self.route53.requests();
        requests
            .iter()
            .filter(|request| request.operation == Some(operation))
            .count()
    }

    /// Someone else's record set.
    pub fn put(&self, set: RecordSet) {
        self.route53.edit(ZONE, |zone| zone.put(set));
    }
}

/// How many A record sets the zone holds.
pub fn addresses(state: &State) -> usize {
    let zone = state.zone(ZONE).expect("the zone");
    zone.record_sets().filter(|set| set.rtype == "A").count()
}

/// Whether the zone holds an A record set of this name.
pub fn has_address(state: &State, name: &str) -> bool {
    let zone = state.zone(ZONE).expect("the zone");
    zone.get(name, "A").is_some()
}

/// The program under test.
pub fn program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> =
        LazyLock::new(|| service::program(env!("CARGO_BIN_EXE_rancher-route53")));
    &PROGRAM
}

fn lines<'a>(sets: impl Iterator<Item = &'a RecordSet>) -> Vec<String> {
    sets.filter(|set| !matches!(set.rtype.as_str(), "SOA" | "NS"))
        .map(RecordSet::to_string)
        .collect()
}

/// The state record's line for these entries.
pub fn state_line(entries: &[&str]) -> String {
    let values: Vec<String> = entries.iter().map(|entry| format!("\"{entry}\"")).collect();
    format!("{STATE} 300 TXT {}", values.join(" "))
}
