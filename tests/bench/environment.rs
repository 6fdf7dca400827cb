//! One environment of a given size: its simulated Rancher, the program, and what the zone should
//! hold in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use sim::rancher::{self, Rancher, World, world};
use sim::route53::{Route53, Zone};
use sim::service::{self, Service};

/// Nothing takes longer.
pub const PATIENCE: Duration = Duration::from_secs(900);
/// A host with so many services on it, or all if there are fewer.
pub const MOVING: &str = "moving";
pub const ON_MOVING: usize = 20;

pub struct Environment {
    pub rancher: Rancher,
    pub service: Service,
    /// Without a dot at its end.
    zone: String,
}

/// `World::of_size`, with a host that can be moved.
pub fn world(services: usize, name: &str) -> World {
    let mut world = World::of_size(services);
    world.environment_name = name.to_owned();
    world.environment_uuid = format!("1a726b88-f6b1-53ad-8dac-{name}");
    world.add_host(MOVING, "192.0.2.250");
    let published = world.services.iter_mut().filter(|s| is_published(s));
    for service in published.take(ON_MOVING) {
        service.containers[0].host = MOVING.into();
    }
    world
}

impl Environment {
    /// Starts the program for a world. Metadata has its answers ready.
    pub fn start(
        world: World,
        route53: &Route53,
        zone: &str,
        settings: &[(&'static str, String)],
    ) -> Environment {
        let rancher = Rancher::start(rancher::Options::default(), world);
        rancher.prepare();
        let mut environment = service::environment(&rancher, &route53.url(), zone);
        environment.retain(|(name, _)| *name != "LOG_LEVEL");
        environment.extend(settings.iter().cloned());
        let program = service::program(env!("CARGO_BIN_EXE_rancher-route53"));
        Environment {
            service: Service::spawn(&program, &[], &environment),
            rancher,
            zone: zone.to_owned(),
        }
    }

    /// What the zone should hold for this environment.
    pub fn expected(&self) -> Expected {
        Expected::of(&self.rancher.world(), &self.zone)
    }

    /// Waits until every name is written back and there is nothing left to do.
    pub fn settle(&self) {
        let is_done = self.rancher.wait_until(PATIENCE, |state| {
            let mut services = state.world().services.iter();
            state.is_polled() && services.all(|s| s.fqdn.is_some() == is_published(s))
        });
        assert!(is_done, "the names are written back");
    }
}

fn is_published(service: &world::Service) -> bool {
    let mut ports = service.containers.iter().flat_map(|c| &c.ports);
    ports.any(|port| port.contains(':'))
}

/// The addresses of an environment, by name.
pub struct Expected {
    /// What all of its names end in.
    below: String,
    addresses: BTreeMap<String, BTreeSet<String>>,
}

impl Expected {
    fn of(world: &World, zone: &str) -> Expected {
        let address = |host: &str| {
            let host = world.host(host).expect("a known host");
            host.agent_ip.clone().expect("an address")
        };
        let addresses: BTreeMap<&str, String> = world
            .hosts
            .iter()
            .map(|host| (host.name.as_str(), address(&host.name)))
            .collect();
        let below = format!(".{}.{zone}.", world.environment_name);
        let published = world.services.iter().filter(|s| is_published(s));
        Expected {
            addresses: published
                .map(|service| {
                    let hosts = service
                        .containers
                        .iter()
                        .map(|c| &addresses[c.host.as_str()]);
                    let name = format!("{}.{}{below}", service.name, service.stack);
                    (name, hosts.cloned().collect())
                })
                .collect(),
            below,
        }
    }

    /// Whether the zone holds this, and nothing else of the environment.
    pub fn is_in(&self, zone: &Zone) -> bool {
        // The usual answer, without a look at each.
        if zone.len() < self.addresses.len() {
            return false;
        }
        let mut count = 0;
        let ours = zone.record_sets().filter(|s| s.name.ends_with(&self.below));
        let are_right = { ours }.all(|set| {
            count += 1;
            let addresses = self.addresses.get(&set.name);
            set.rtype == "A" && addresses.is_some_and(|all| all.iter().eq(&set.values))
        });
        are_right && count == self.addresses.len()
    }
}
