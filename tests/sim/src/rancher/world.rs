//! What a Rancher environment holds: services, their containers, and hosts, as plain data.
//!
//! No I/O and no randomness: the same calls always make the same world, down to its UUIDs.
//! `render` turns it into what metadata shows.

use serde_json::{Map, Value};

/// The stack and service that the daemon itself runs as, in every [`World::new`].
pub const OWN_STACK: &str = "route53";
pub const OWN_SERVICE: &str = "external-dns";

#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// As typed by whoever made the environment.
    pub environment_name: String,
    pub environment_uuid: String,
    /// Which Rancher server it belongs to: each invents other UUIDs for its stacks.
    pub server: String,
    /// The stack that `/self/stack` shows; `None` if metadata doesn't know the caller's address.
    pub own_stack: Option<String>,
    pub services: Vec<Service>,
    pub hosts: Vec<Host>,
    /// How many things were ever made here: what is made anew gets a new UUID.
    serial: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    pub stack: String,
    pub name: String,
    /// `service`, `loadBalancerService`, `externalService`, `dnsService`, …
    pub kind: String,
    pub uuid: String,
    /// The service that this one is a sidekick of; `None` for a primary one.
    pub sidekick_of: Option<String>,
    /// Shown as `null` when empty.
    pub labels: Map<String, Value>,
    /// Of primary services only; metadata shows it on their sidekicks, too.
    pub fqdn: Option<String>,
    pub state: String,
    pub system: bool,
    pub hostname: Option<String>,
    pub external_ips: Vec<String>,
    /// Of a load balancer: the host names in its port rules.
    pub lb_hostnames: Vec<String>,
    pub containers: Vec<Container>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    pub name: String,
    pub uuid: String,
    /// Counts up within the service and is never used twice.
    pub index: usize,
    /// The host's name. A name that no host has gives a `host_uuid` that `/hosts` doesn't list.
    pub host: String,
    /// As Cattle stores them, `[bind ip:]public:private/proto` or `private/proto`; rendered as
    /// version 2015-12-19 shows them. What isn't of this form is shown as it is.
    pub ports: Vec<String>,
    pub state: String,
    /// `None` without a health check.
    pub health_state: Option<String>,
    /// In addition to those that Rancher sets.
    pub labels: Map<String, Value>,
    /// Rancher's network has given it none.
    pub is_without_ip: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    pub name: String,
    pub uuid: String,
    pub id: usize,
    pub agent_ip: Option<String>,
    /// In addition to those that Rancher sets.
    pub labels: Map<String, Value>,
    pub state: String,
    pub agent_state: Option<String>,
}

impl World {
    /// An environment with one host, `infra`, on which the daemon's own service runs.
    pub fn new(environment_name: &str, environment_uuid: &str) -> World {
        let mut world = World {
            environment_name: environment_name.into(),
            environment_uuid: environment_uuid.into(),
            server: String::new(),
            own_stack: Some(OWN_STACK.into()),
            services: Vec::new(),
            hosts: Vec::new(),
            serial: 0,
        };
        world.add_host("infra", "10.20.0.2");
        world
            .add_service(OWN_STACK, OWN_SERVICE)
            .add_container("infra");
        world
    }

    /// A big environment: `n` published services of two containers each, half as many that
    /// publish nothing, on at least 20 hosts and one for every 25 published services. This
    /// makes some 6.8 MB of `/services` for 1,000, as on a real server.
    pub fn of_size(n: usize) -> World {
        let mut world = World::new("Production EU", "1a726b88-f6b1-53ad-8dac-f631830b5815");
        let hosts: Vec<String> = (0..(n / 25).max(20))
            .map(|i| format!("host-{i:04}"))
            .collect();
        for (i, name) in hosts.iter().enumerate() {
            world.add_host(name, &address(i));
        }
        for i in 0..n + n / 2 {
            let stack = format!("shop-{:04}", i / 10);
            let service = world.push(&stack, &format!("web-{i:05}"), "service", None);
            for host in [&hosts[i % hosts.len()], &hosts[(i + 7) % hosts.len()]] {
                if i < n {
                    service.run_on(host, 8080 + (i % 1000) as u16);
                } else {
                    service.run_unpublished_on(host, 5432);
                }
            }
        }
        world
    }

    pub fn add_host(&mut self, name: &str, agent_ip: &str) -> &mut Host {
        assert!(self.host(name).is_none(), "there is a host {name} already");
        let uuid = self.new_uuid();
        self.hosts.push(Host {
            name: name.into(),
            uuid,
            id: self.hosts.len() + 1,
            agent_ip: Some(agent_ip.into()),
            labels: Map::new(),
            state: "active".into(),
            agent_state: None,
        });
        self.hosts.last_mut().unwrap()
    }

    /// A primary service of kind `service`, without containers, in a stack that needn't exist.
    pub fn add_service(&mut self, stack: &str, name: &str) -> &mut Service {
        self.add(stack, name, "service", None)
    }

    /// A service of another kind.
    pub fn add_service_of_kind(&mut self, kind: &str, stack: &str, name: &str) -> &mut Service {
        self.add(stack, name, kind, None)
    }

    /// A sidekick: it has its primary's UUID, and its own name and containers.
    pub fn add_sidekick(&mut self, stack: &str, primary: &str, name: &str) -> &mut Service {
        self.add(stack, name, "service", Some(primary))
    }

    fn add(&mut self, stack: &str, name: &str, kind: &str, primary: Option<&str>) -> &mut Service {
        assert!(
            self.service(stack, name).is_none(),
            "there is a service {stack}/{name} already"
        );
        self.push(stack, name, kind, primary)
    }

    /// Without a look for one of the same name, which would take [`World::of_size`] too long.
    fn push(&mut self, stack: &str, name: &str, kind: &str, primary: Option<&str>) -> &mut Service {
        let uuid = match primary {
            Some(primary) => self.service_mut(stack, primary).uuid.clone(),
            None => self.new_uuid(),
        };
        let mut service = Service {
            stack: stack.into(),
            name: name.into(),
            kind: kind.into(),
            uuid,
            sidekick_of: primary.map(str::to_owned),
            labels: Map::new(),
            fqdn: None,
            state: "active".into(),
            system: false,
            hostname: None,
            external_ips: Vec::new(),
            lb_hostnames: vec!["shop.example.com".into()],
            containers: Vec::new(),
        };
        if kind != "externalService" {
            service
                .label("io.rancher.container.pull_image", "always")
                .label("io.rancher.scheduler.affinity:host_label", "tier=app");
            let hash = hex(&service.uuid, 40);
            service.label("io.rancher.service.hash", hash);
        }
        self.services.push(service);
        self.services.last_mut().unwrap()
    }

    pub fn service(&self, stack: &str, name: &str) -> Option<&Service> {
        self.services
            .iter()
            .find(|s| s.name == name && s.stack == stack)
    }

    /// Panics if there is no such service.
    pub fn service_mut(&mut self, stack: &str, name: &str) -> &mut Service {
        self.services
            .iter_mut()
            .find(|s| s.name == name && s.stack == stack)
            .unwrap_or_else(|| panic!("no service {stack}/{name}"))
    }

    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|h| h.name == name)
    }

    /// Panics if there is no such host.
    pub fn host_mut(&mut self, name: &str) -> &mut Host {
        self.hosts
            .iter_mut()
            .find(|h| h.name == name)
            .unwrap_or_else(|| panic!("no host {name}"))
    }

    /// Removes a service, and its sidekicks with it; whether it was there.
    pub fn remove_service(&mut self, stack: &str, name: &str) -> bool {
        let before = self.services.len();
        self.services.retain(|s| {
            s.stack != stack || (s.name != name && s.sidekick_of.as_deref() != Some(name))
        });
        self.services.len() < before
    }

    /// Removes every service of a stack; how many there were.
    pub fn remove_stack(&mut self, stack: &str) -> usize {
        let before = self.services.len();
        self.services.retain(|s| s.stack != stack);
        before - self.services.len()
    }

    /// Removes a host and the containers on it; whether it was there.
    pub fn remove_host(&mut self, name: &str) -> bool {
        let before = self.hosts.len();
        self.hosts.retain(|h| h.name != name);
        for service in &mut self.services {
            service.stop_on(name);
        }
        self.hosts.len() < before
    }

    /// Brings a service to `n` containers: the newest go first, and new ones are like its first
    /// one and take the hosts in turn, those without a container of the service first.
    pub fn scale(&mut self, stack: &str, name: &str, n: usize) {
        let hosts: Vec<String> = self.hosts.iter().map(|h| h.name.clone()).collect();
        let service = self.service_mut(stack, name);
        service.containers.truncate(n);
        while service.containers.len() < n {
            let on = |host: &&String| {
                let here = service.containers.iter().filter(|c| c.host == **host);
                here.count()
            };
            let host = hosts.iter().min_by_key(on).expect("a host to run on");
            let model = service.containers.first().cloned();
            let container = service.add_container(host);
            if let Some(model) = model {
                container.ports = model.ports;
                container.labels = model.labels;
                container.health_state = model.health_state;
            }
        }
    }

    fn new_uuid(&mut self) -> String {
        self.serial += 1;
        uuid(&format!("{} {}", self.environment_uuid, self.serial))
    }
}

impl Service {
    pub fn label(&mut self, name: &str, value: impl Into<Value>) -> &mut Service {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// A running, healthy container that publishes this port: `<agent ip>:8080:8080/tcp`.
    pub fn run_on(&mut self, host: &str, port: u16) -> &mut Service {
        self.run_with(host, &[&format!("{port}:{port}/tcp")])
    }

    /// A running, healthy container that keeps this port to itself: metadata shows
    /// `<agent ip>:5432/tcp`.
    pub fn run_unpublished_on(&mut self, host: &str, port: u16) -> &mut Service {
        self.run_with(host, &[&format!("{port}/tcp")])
    }

    /// A running, healthy container that publishes this port at this address of its host.
    pub fn run_bound_on(&mut self, host: &str, address: &str, port: u16) -> &mut Service {
        self.run_with(host, &[&format!("{address}:{port}:{port}/tcp")])
    }

    /// A running, healthy container with these ports, as Cattle stores them.
    pub fn run_with(&mut self, host: &str, ports: &[&str]) -> &mut Service {
        self.add_container(host).ports = ports.iter().map(|p| p.to_string()).collect();
        self
    }

    /// A running, healthy container without ports, to be changed at will.
    pub fn add_container(&mut self, host: &str) -> &mut Container {
        let index = self.containers.iter().map(|c| c.index).max().unwrap_or(0) + 1;
        self.containers.push(Container {
            name: format!("{}-{}-{index}", self.stack, self.name),
            uuid: uuid(&format!("{} {} {index}", self.uuid, self.name)),
            index,
            host: host.into(),
            ports: Vec::new(),
            state: "running".into(),
            health_state: Some("healthy".into()),
            labels: Map::new(),
            is_without_ip: false,
        });
        self.containers.last_mut().unwrap()
    }

    /// Moves the containers that are on one host to another.
    pub fn move_from(&mut self, from: &str, to: &str) -> &mut Service {
        for container in self.containers.iter_mut().filter(|c| c.host == from) {
            container.host = to.into();
        }
        self
    }

    /// Removes the containers that are on this host.
    pub fn stop_on(&mut self, host: &str) -> &mut Service {
        self.containers.retain(|c| c.host != host);
        self
    }

    /// Sets the health of the containers on this host; `None`: no health check.
    pub fn health_on(&mut self, host: &str, health_state: Option<&str>) -> &mut Service {
        for container in self.containers.iter_mut().filter(|c| c.host == host) {
            container.health_state = health_state.map(str::to_owned);
        }
        self
    }

    /// Sets the state of the containers on this host.
    pub fn state_on(&mut self, host: &str, state: &str) -> &mut Service {
        for container in self.containers.iter_mut().filter(|c| c.host == host) {
            container.state = state.into();
        }
        self
    }
}

impl Container {
    /// Its address in Rancher's network.
    pub fn primary_ip(&self) -> String {
        let random = hash(&self.uuid);
        format!("10.42.{}.{}", random >> 8 & 255, random & 255)
    }
}

impl Host {
    pub fn label(&mut self, name: &str, value: impl Into<Value>) -> &mut Host {
        self.labels.insert(name.into(), value.into());
        self
    }
}

/// The `i`th invented address: the three networks for documentation, then 10.0.0.0/8.
fn address(i: usize) -> String {
    const DOCUMENTATION: [&str; 3] = ["203.0.113", "198.51.100", "192.0.2"];
    match DOCUMENTATION.get(i / 254) {
        Some(network) => format!("{network}.{}", i % 254 + 1),
        None => format!(
            "10.{}.{}.{}",
            100 + i / 254 / 256,
            i / 254 % 256,
            i % 254 + 1
        ),
    }
}

/// A number that depends on every byte of the seed: FNV-1a.
pub(super) fn hash(seed: &str) -> u64 {
    seed.bytes().fold(0xcbf2_9ce4_8422_2325, |h, byte| {
        (h ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// `length` invented hexadecimal digits, always the same for the same seed (SplitMix64).
pub(super) fn hex(seed: &str, length: usize) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut state = hash(seed);
    let mut digits = String::with_capacity(length);
    let mut bits = 0;
    for i in 0..length {
        if i % 16 == 0 {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            bits = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bits ^= bits >> 31;
        }
        digits.push(char::from(DIGITS[(bits & 15) as usize]));
        bits >>= 4;
    }
    digits
}

/// An invented UUID, always the same for the same seed.
pub(super) fn uuid(seed: &str) -> String {
    let d = hex(seed, 32);
    let parts = [&d[..8], &d[8..12], &d[13..16], &d[17..20], &d[20..]];
    let [a, b, c, e, f] = parts;
    format!("{a}-{b}-5{c}-a{e}-{f}")
}

#[cfg(test)]
mod tests;
