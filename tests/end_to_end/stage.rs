//! A stage: one simulated Rancher, one simulated Route 53 with the zone example.com, and the
//! program on it as often as a test likes.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use rancher_route53::dns::RecordType::{A, Aaaa, Cname, Txt};
use rancher_route53::route53::iam_policy::{self, Access, ZoneLookUp};
use sim::harness::Harness;
pub use sim::harness::{PATIENCE, ZONE, addresses, has_address};
use sim::lock::lock;
use sim::rancher::{self, World};
use sim::route53::{self, Policy, RequestRecord};
use sim::service::{self, Service};

pub const UUID: &str = "1a726b88-f6b1-53ad-8dac-f631830b5815";
pub const STATE: &str = "external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815.example.com.";

/// The harness, with the program under test.
pub struct Stage(Harness);

impl Deref for Stage {
    type Target = Harness;

    fn deref(&self) -> &Harness {
        &self.0
    }
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

/// With eight services in stack `shop` on 400 hosts: four batches of 800 addresses.
pub fn four_batches() -> World {
    world(|world| {
        let hosts: Vec<String> = (0..400).map(|i| format!("many{i:03}")).collect();
        for (i, host) in hosts.iter().enumerate() {
            world.add_host(host, &format!("198.51.{}.{}", i / 200, i % 200));
        }
        for service in 0..8 {
            let service = world.add_service("shop", &format!("web{service}"));
            for host in &hosts {
                service.run_on(host, 80);
            }
        }
    })
}

/// What an environment variable says of how much is to be tested.
pub fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
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
    each_at_most(usize::MAX, cases, test);
}

/// The same with at most so many at once, where they keep the processor busy.
pub fn each_at_most<T: Send>(
    at_once: usize,
    cases: impl IntoIterator<Item = T>,
    test: impl Fn(T) + Sync,
) {
    let cases: Vec<T> = cases.into_iter().collect();
    let threads = cases.len().min(at_once);
    let cases = Mutex::new(cases.into_iter());
    let next = || lock(&cases).next();
    let work = || {
        while let Some(case) = next() {
            test(case);
        }
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for thread in running {
            if let Err(panic) = thread.join() {
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
        Stage(Harness::start(world, rancher, route53))
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
}

/// Whatever a test does on a stage, its requests are of the kinds that printed policies allow:
/// operations, resources, types and actions. `iam_policy.rs` has the names, too.
impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        // A program of a test that has ended may still ask for metadata at a port that is ours now.
        let is_stranger =
            |request: &&RequestRecord| request.operation.is_none() && request.access_key.is_none();
        let requests = self.route53.requests();
        for request in requests.iter().filter(|request| !is_stranger(request)) {
            let operation = request.operation.expect("an operation of Route 53");
            let batch = request.batch.as_deref().unwrap_or_default();
            let is_allowed = [ZoneLookUp::ByName, ZoneLookUp::ById].map(|look_up| {
                let document = iam_policy::document(&Access {
                    partition: "aws",
                    zone_id: request.zone.as_deref().unwrap_or(ZONE),
                    look_up,
                    names: &["*".to_owned()],
                    types: &[A, Aaaa, Cname, Txt],
                    waits_for_sync: true,
                });
                let resource = request.resource.replace("arn:aws-cn:", "arn:aws:");
                let resource = resource.replace("arn:aws-us-gov:", "arn:aws:");
                Policy::parse(&document).allows(operation, &resource, batch)
            });
            assert!(is_allowed.contains(&true), "no policy has {request:?}");
        }
    }
}

/// The program under test.
pub fn program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> =
        LazyLock::new(|| service::program(env!("CARGO_BIN_EXE_rancher-route53")));
    &PROGRAM
}

/// The second state record, which holds the claim and every entry that is no A record set.
pub const SECOND: &str = "external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815-1.example.com.";

/// The second state record's line for these entries.
pub fn second_line(entries: &[&str]) -> String {
    state_line(entries).replace(STATE, SECOND)
}

/// The state record's line for these entries.
pub fn state_line(entries: &[&str]) -> String {
    let values: Vec<String> = entries.iter().map(|entry| format!("\"{entry}\"")).collect();
    format!("{STATE} 300 TXT {}", values.join(" "))
}
