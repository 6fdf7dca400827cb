//! What users of Rancher do: changes of the world that metadata shows.

use sim::rancher::World;

use crate::chaos::naming::{ENVIRONMENTS, LABELS, MORE, render, shown};
use crate::chaos::random::Random;
use crate::chaos::record::UUID;

/// Stack and name. Two of them meet in one DNS name.
pub type Service = (&'static str, &'static str);

pub const SERVICES: [Service; 12] = [
    ("shop", "web"),
    ("shop", "api"),
    ("shop", "Cart_1"),
    ("shop", "cart-1"),
    ("shop", "db"),
    ("blog", "web"),
    ("blog", "feed"),
    ("Mail", "smtp"),
    ("Mail", "imap"),
    ("tools", "ci"),
    ("tools", "wiki"),
    ("tools", "vpn"),
];

/// With the addresses that each may have.
pub const HOSTS: [(&str, [&str; 2]); 6] = [
    ("h1", ["203.0.113.1", "203.0.113.101"]),
    ("h2", ["203.0.113.2", "203.0.113.102"]),
    ("h3", ["203.0.113.3", "203.0.113.103"]),
    ("h4", ["203.0.113.4", "2001:db8::104"]),
    ("h5", ["2001:db8::5", "203.0.113.105"]),
    ("h6", ["2001:db8::6", "2001:db8::106"]),
];

pub const NAMES: &str = "io.rancher.service.external_dns_names";
pub const SERVICE_TTL: &str = "io.rancher.service.external_dns_ttl";
pub const ADDRESS: &str = "io.rancher.service.external_dns_address";

/// A stack whose services come and go all at once.
const CROWD: &str = "crowd";
/// How their names begin.
pub const MEMBER: &str = "one-of-";
const SMALL: [(usize, usize); 4] = [(4, 0), (4, 12), (4, 40), (1, MOST_IN_SMALL)];
pub const MOST_IN_SMALL: usize = 120;
/// More than one change batch can create.
pub const LARGE: usize = 600;

/// Sets something to what it says, whatever it was.
#[derive(Debug, Clone)]
pub enum Deed {
    /// The service runs on just these hosts, and publishes a port there or not.
    Run(Service, Vec<&'static str>, bool),
    Remove(Service),
    RemoveStack(&'static str),
    /// The service's first container moves.
    Move(Service, &'static str),
    /// Of its first container.
    Health(Service, Option<&'static str>),
    State(Service, &'static str),
    Policy(Service, Option<&'static str>),
    HostLabel(&'static str, &'static str, Option<&'static str>),
    HostAddress(&'static str, &'static str),
    HostGone(&'static str),
    HostBack(&'static str, &'static str),
    /// Rancher loses the name that it was told.
    Forget(Service),
    /// So many services are in that stack, each with a name of its own. Those of a large crowd
    /// have their fqdns already.
    Crowd(usize),
    /// The service has a name template of its own, or none.
    Template(Service, Option<&'static str>),
    /// A label of the service.
    Label(Service, &'static str, Option<&'static str>),
    /// The environment is called so.
    Rename(&'static str),
    /// Metadata has a new version all the same.
    Nothing,
}

/// The environment as it is at the start: most services run.
pub fn start(random: &mut Random) -> World {
    let mut world = World::new(ENVIRONMENTS[0], UUID);
    for (host, addresses) in HOSTS {
        world.add_host(host, addresses[0]);
    }
    for service in SERVICES {
        if random.chance(75) {
            Deed::Run(service, hosts(random), true).apply(&mut world, "");
        }
    }
    world
}

/// One to three of them, not all different.
fn hosts(random: &mut Random) -> Vec<&'static str> {
    let count = 1 + random.below(3);
    (0..count).map(|_| random.pick(&HOSTS).0).collect()
}

impl Deed {
    pub fn random(random: &mut Random) -> Deed {
        let service = random.pick(&SERVICES);
        let (host, addresses) = random.pick(&HOSTS);
        match random.below(126) {
            111..117 => {
                let more = random.chance(70).then(|| random.pick(&MORE));
                Deed::Label(service, NAMES, more)
            }
            117..121 => {
                let ttls = [None, Some("60"), Some("600"), Some("soon")];
                Deed::Label(service, SERVICE_TTL, random.pick(&ttls))
            }
            121..125 => {
                let sources = [
                    None,
                    Some("container"),
                    Some("host"),
                    Some("host-label:inner"),
                ];
                Deed::Label(service, ADDRESS, random.pick(&sources))
            }
            99..107 => {
                let label = random.chance(65).then(|| random.pick(&LABELS));
                Deed::Template(service, label)
            }
            107..111 => Deed::Rename(random.pick(&ENVIRONMENTS)),
            0..36 => Deed::run(random),
            36..48 => Deed::Remove(service),
            48..50 => Deed::RemoveStack(service.0),
            50..60 => Deed::Move(service, host),
            60..67 => {
                let states = [
                    None,
                    Some("healthy"),
                    Some("unhealthy"),
                    Some("initializing"),
                ];
                Deed::Health(service, random.pick(&states))
            }
            67..73 => Deed::State(service, random.pick(&["running", "stopped"])),
            73..78 => {
                let policies = [None, Some("auto"), Some("always"), Some("never")];
                Deed::Policy(service, random.pick(&policies))
            }
            78..83 => {
                let label = "io.rancher.host.external_dns";
                Deed::HostLabel(host, label, random.pick(&[None, Some("false")]))
            }
            83..88 => {
                let addresses = [None, Some("198.51.100.7"), Some("2001:db8::7")];
                let labels = ["io.rancher.host.external_dns_ip", "inner"];
                let label = random.pick(&labels);
                Deed::HostLabel(host, label, random.pick(&addresses))
            }
            88..91 => Deed::HostAddress(host, random.pick(&addresses)),
            91..92 => Deed::HostGone(host),
            92..94 => Deed::HostBack(host, addresses[0]),
            94..96 => Deed::Forget(service),
            96..99 => Deed::Crowd(random.weighted(&SMALL)),
            _ => Deed::Nothing,
        }
    }

    /// A service runs, wherever that may be.
    pub fn run(random: &mut Random) -> Deed {
        let service = random.pick(&SERVICES);
        Deed::Run(service, hosts(random), random.chance(90))
    }

    /// A crowd comes that takes several batches, or goes if it is there.
    pub fn large_crowd(there: usize) -> Deed {
        Deed::Crowd(if there == LARGE { 0 } else { LARGE })
    }

    /// What else may become of a crowd that has just begun to come, or to go.
    pub fn other_crowd(random: &mut Random, coming: usize) -> Deed {
        Deed::Crowd(random.pick(&[LARGE - coming.min(LARGE), LARGE / 2]))
    }

    /// `template` is `NAME_TEMPLATE`.
    pub fn apply(&self, world: &mut World, template: &str) {
        match self {
            Deed::Run((stack, name), hosts, is_public) => {
                if world.service(stack, name).is_none() {
                    world.add_service(stack, name);
                }
                let hosts = hosts.iter().filter(|host| world.host(host).is_some());
                let hosts: Vec<_> = hosts.collect();
                let service = world.service_mut(stack, name);
                service.containers.clear();
                for host in hosts {
                    match is_public {
                        true => service.run_on(host, 80),
                        false => service.run_unpublished_on(host, 80),
                    };
                }
            }
            Deed::Remove((stack, name)) => {
                world.remove_service(stack, name);
            }
            Deed::RemoveStack(stack) => {
                world.remove_stack(stack);
            }
            Deed::Move(service, to) if world.host(to).is_some() => {
                first(world, service, |container| container.host = (*to).into());
            }
            Deed::Move(..) => {}
            Deed::Health(service, health) => first(world, service, |container| {
                container.health_state = health.map(str::to_owned);
            }),
            Deed::State(service, state) => first(world, service, |container| {
                container.state = (*state).into();
            }),
            Deed::Policy(service, policy) => with(world, service, |s| {
                let label = "io.rancher.service.external_dns";
                match policy {
                    Some(policy) => s.labels.insert(label.into(), (*policy).into()),
                    None => s.labels.remove(label),
                };
            }),
            Deed::HostLabel(host, label, value) if world.host(host).is_some() => {
                let labels = &mut world.host_mut(host).labels;
                match value {
                    Some(value) => labels.insert((*label).into(), (*value).into()),
                    None => labels.remove(*label),
                };
            }
            Deed::HostAddress(host, address) if world.host(host).is_some() => {
                world.host_mut(host).agent_ip = Some((*address).into());
            }
            Deed::HostLabel(..) | Deed::HostAddress(..) => {}
            Deed::HostGone(host) => {
                world.remove_host(host);
            }
            Deed::HostBack(host, address) => {
                if world.host(host).is_none() {
                    world.add_host(host, address);
                }
            }
            Deed::Forget(service) => with(world, service, |s| s.fqdn = None),
            Deed::Crowd(count) => crowd(world, *count, template),
            Deed::Template(service, template) => with(world, service, |s| {
                let label = "io.rancher.service.external_dns_name_template";
                match template {
                    Some(template) => s.labels.insert(label.into(), (*template).into()),
                    None => s.labels.remove(label),
                };
            }),
            Deed::Label(service, label, value) => with(world, service, |s| {
                match value {
                    Some(value) => s.labels.insert((*label).into(), (*value).into()),
                    None => s.labels.remove(*label),
                };
            }),
            Deed::Rename(name) => {
                world.environment_name = (*name).to_owned();
                name_crowd(world, template);
            }
            Deed::Nothing => {}
        }
    }
}

/// So many are in the crowd.
fn crowd(world: &mut World, count: usize, template: &str) {
    let name = |i: usize| format!("{MEMBER}{i:03}");
    for i in 0..count {
        if world.service(CROWD, &name(i)).is_none() {
            world.add_service(CROWD, &name(i)).run_on("infra", 80);
        }
    }
    let rest: Vec<String> = (count..)
        .map(name)
        .take_while(|name| world.service(CROWD, name).is_some())
        .collect();
    for name in rest {
        world.remove_service(CROWD, &name);
    }
    name_crowd(world, template);
}

/// A large crowd has its fqdns already: to write so many back one after the other would take its
/// time.
pub fn name_crowd(world: &mut World, template: &str) {
    let environment = world.environment_name.clone();
    let crowd = world.services.iter_mut().filter(|s| s.stack == CROWD);
    let crowd: Vec<_> = crowd.collect();
    if crowd.len() <= MOST_IN_SMALL {
        return;
    }
    for service in crowd {
        let name = render(template, CROWD, &service.name, &environment);
        service.fqdn = name.map(|name| shown(&name));
    }
}

fn first(world: &mut World, service: &Service, f: impl FnOnce(&mut sim::rancher::Container)) {
    with(world, service, |service| {
        service.containers.first_mut().map(f);
    });
}

fn with(world: &mut World, service: &Service, f: impl FnOnce(&mut sim::rancher::Service)) {
    let (stack, name) = service;
    if world.service(stack, name).is_some() {
        f(world.service_mut(stack, name));
    }
}
