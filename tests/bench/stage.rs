//! One environment of a given size: the program between the simulators, and what it does there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sim::rancher::{self, Rancher, World};
use sim::route53::{self, AccountBuckets, Operation, Route53};
use sim::service::{Service, environment};

/// What each call of Route 53 takes.
pub const LATENCY: Duration = Duration::from_millis(20);
/// Nothing takes longer.
const PATIENCE: Duration = Duration::from_secs(600);
const ZONE: &str = "Z0EXAMPLE";
/// The host that moves, with so many services on it.
const MOVING: &str = "moving";
const ON_MOVING: usize = 20;

/// The simulators and the program.
pub struct Stage {
    pub size: usize,
    pub rancher: Rancher,
    pub route53: Route53,
    pub service: Service,
    /// When a batch was applied.
    applied: Arc<Mutex<Vec<Instant>>>,
}

/// How long something took, and how much it asked for.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// From the change in metadata until the zone was right.
    pub time: Duration,
    /// Of which until metadata was read.
    pub reading: Duration,
    /// Of which from then until the first batch was at Route 53.
    pub thinking: Duration,
    pub requests: usize,
    pub listings: usize,
}

/// What the zone should hold: addresses by name.
type Expected = BTreeMap<String, BTreeSet<String>>;

fn expected(world: &World) -> Expected {
    let ips: BTreeMap<&str, &str> = world
        .hosts
        .iter()
        .filter_map(|host| Some((host.name.as_str(), host.agent_ip.as_deref()?)))
        .collect();
    let mut expected = Expected::new();
    for service in &world.services {
        let published = service.containers.iter().filter(|container| {
            let is_mapped = |port: &String| port.contains(':');
            container.ports.iter().any(is_mapped)
        });
        let addresses: BTreeSet<String> = published.map(|c| ips[&*c.host].to_owned()).collect();
        if !addresses.is_empty() {
            let label = world.environment_name.to_lowercase().replace(' ', "-");
            let name = format!("{}.{}.{label}.example.com.", service.name, service.stack);
            expected.insert(name, addresses);
        }
    }
    expected
}

fn world(size: usize) -> World {
    let mut world = World::of_size(size);
    world.add_host(MOVING, "192.0.2.250");
    for service in world
        .services
        .iter_mut()
        .filter(|s| s.stack != "route53")
        .take(ON_MOVING.min(size))
    {
        service.containers[0].host = MOVING.into();
    }
    world
}

impl Stage {
    /// Starts everything: how long until the zone was right for the first time, and the names
    /// were written back.
    pub fn start(size: usize) -> (Stage, Taken) {
        let rancher = Rancher::start(rancher::Options::default(), world(size));
        let route53 = Route53::start(route53::Options {
            latency: LATENCY,
            buckets: Some(Arc::new(AccountBuckets::new())),
            // AWS raises it on request: 10,000 services need 100 state records besides.
            record_set_limit: 20_000,
            ..route53::Options::default()
        });
        route53.add_zone(ZONE, "example.com", false);
        let applied = Arc::new(Mutex::new(Vec::new()));
        let notes = applied.clone();
        route53.observe(move |_, _| notes.lock().expect("notes").push(Instant::now()));
        let mut settings = environment(&rancher, &route53.url(), "example.com");
        settings.retain(|(name, _)| *name != "LOG_LEVEL");
        rancher.prepare();
        let start = Instant::now();
        let program = Path::new(env!("CARGO_BIN_EXE_rancher-route53"));
        let service = Service::spawn(program, &[], &settings);
        let stage = Stage {
            size,
            rancher,
            route53,
            service,
            applied,
        };
        let taken = stage.right(start);
        stage.settle();
        (stage, taken)
    }

    /// Waits until the zone is right after a change at that moment.
    fn right(&self, changed: Instant) -> Taken {
        let expected = expected(&self.rancher.world());
        let mut seen = 0;
        let reached = self.route53.wait_until(PATIENCE, |state| {
            let done = self.applied.lock().expect("notes").len();
            let zone = state.zone(ZONE).expect("the zone");
            if done == seen || zone.len() <= expected.len() {
                return false;
            }
            seen = done;
            let mut sets = zone.record_sets().filter(|set| set.rtype == "A");
            let mut equal = 0;
            sets.all(|set| {
                equal += 1;
                let values = expected.get(&set.name);
                values.is_some_and(|values| values.iter().eq(&set.values))
            }) && equal == expected.len()
        });
        assert!(reached, "the zone becomes right");
        let end = self.applied.lock().expect("notes")[seen - 1];
        assert!(self.route53.wait_until(PATIENCE, |state| {
            state.in_flight(Operation::ChangeResourceRecordSets) == 0
        }));
        let requests = self.route53.requests();
        let listings = |operation| {
            let is_one = |r: &&route53::RequestRecord| r.operation == Some(operation);
            requests.iter().filter(is_one).count()
        };
        let first = requests.iter().find(|request| request.applied);
        let first = first.expect("a batch").at;
        // A snapshot ends with a look at the version.
        let read = self.rancher.metadata_requests();
        let read = read
            .iter()
            .rfind(|r| r.path.ends_with("/version") && r.query.is_empty() && r.at <= first);
        let read = read.expect("a snapshot").at;
        Taken {
            time: end - changed,
            reading: read.saturating_duration_since(changed),
            thinking: first - read,
            requests: requests.len(),
            listings: listings(Operation::ListResourceRecordSets),
        }
    }

    /// Waits until every name is written back and there is nothing left to do.
    fn settle(&self) {
        let shown = self.rancher.wait_until(PATIENCE, |state| {
            let mut services = state.world().services.iter();
            state.is_polled()
                && services.all(|service| {
                    let published = service
                        .containers
                        .iter()
                        .any(|c| c.ports.iter().any(|p| p.contains(':')));
                    service.fqdn.is_some() == published
                })
        });
        assert!(shown, "the names are written back");
    }

    /// Changes something in a quiet time.
    fn change(&self, f: impl FnOnce(&mut World)) -> Taken {
        self.settle();
        // Until reading metadata may take as long as it likes again.
        std::thread::sleep(Duration::from_secs(8));
        self.route53.clear_requests();
        self.applied.lock().expect("notes").clear();
        let changed = self.rancher.change_prepared(f);
        self.right(changed)
    }

    /// A service comes.
    pub fn add(&self, number: usize) -> Taken {
        self.change(|world| {
            let service = world.add_service("extra", &format!("extra-{number}"));
            service.run_on("host-0001", 8080).run_on("host-0002", 8080);
        })
    }

    /// It goes.
    pub fn remove(&self, number: usize) -> Taken {
        self.change(|world| {
            world.remove_service("extra", &format!("extra-{number}"));
        })
    }

    /// A host gets another address, and all that runs on it.
    pub fn move_host(&self, number: usize) -> Taken {
        self.change(|world| {
            world.host_mut(MOVING).agent_ip = Some(format!("192.0.2.{}", 200 + number));
        })
    }
}
