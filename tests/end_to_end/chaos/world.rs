//! What users of Rancher do: changes of the world that metadata shows.

use sim::rancher::World;

use crate::chaos::invariants::addresses_of;
use crate::chaos::naming::{ENVIRONMENTS, LABELS, MORE, render, shown};
use crate::chaos::publishing::{Publishing, USUAL, label_key};
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

// How the labels end, but for `LABEL_SUFFIX`.
pub const POLICY: &str = "service.external_dns";
pub const TEMPLATE: &str = "service.external_dns_name_template";
pub const NAMES: &str = "service.external_dns_names";
pub const SERVICE_TTL: &str = "service.external_dns_ttl";
pub const ADDRESS: &str = "service.external_dns_address";
pub const LB_HOSTNAMES: &str = "service.external_dns_lb_hostnames";
pub const HOST: &str = "host.external_dns";
pub const HOST_IP: &str = "host.external_dns_ip";

/// What the port rules of a load balancer may have as host names: some lie in the zone, and some are
/// none.
const HOSTNAMES: [&[&str]; 4] = [
    &["shop.example.com", "www.example.org", ""],
    &["*.lb.example.com", "LB.Example.COM.", "*", "shop.*"],
    &[
        "a.*.example.com",
        "%{{service_name}}.example.com",
        "notexample.com",
    ],
    &["example.com", "cart.example.com", "b c.example.com"],
];

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
    /// It has this label, or not.
    Label(Service, String, Option<&'static str>),
    /// It becomes a load balancer with these host names, or is none any more.
    Balancer(Service, Option<&'static [&'static str]>),
    /// It belongs to a system stack, or not.
    System(Service, bool),
    HostLabel(&'static str, String, Option<&'static str>),
    HostAddress(&'static str, &'static str),
    HostGone(&'static str),
    HostBack(&'static str, &'static str),
    /// Rancher loses the name that it was told.
    Forget(Service),
    /// So many services are in that stack, each with a name of its own. Those of a large crowd
    /// have their fqdns already.
    Crowd(usize),
    /// The environment is called so.
    Rename(&'static str),
    /// Metadata has a new version all the same.
    Nothing,
}

/// The environment as it is at the start: most services run, and some have wishes already.
pub fn start(random: &mut Random) -> World {
    let mut world = World::new(ENVIRONMENTS[0], UUID);
    for (host, addresses) in HOSTS {
        world.add_host(host, addresses[0]);
    }
    for service in SERVICES {
        if random.chance(75) {
            Deed::Run(service, hosts(random), true).apply(&mut world, &USUAL);
        }
        if random.chance(25) {
            Deed::Balancer(service, Some(random.pick(&HOSTNAMES))).apply(&mut world, &USUAL);
            let word = random.pick(&["true", "false"]);
            Deed::Label(service, label_key(random, LB_HOSTNAMES), Some(word))
                .apply(&mut world, &USUAL);
        }
    }
    for _ in 0..6 {
        Deed::wish(random).apply(&mut world, &USUAL);
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
        match random.below(146) {
            111..145 => Deed::wish(random),
            99..107 => {
                let label = random.chance(65).then(|| random.pick(&LABELS));
                Deed::Label(service, label_key(random, TEMPLATE), label)
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
                Deed::Label(service, label_key(random, POLICY), random.pick(&policies))
            }
            78..83 => {
                let label = label_key(random, HOST);
                Deed::HostLabel(host, label, random.pick(&[None, Some("false")]))
            }
            83..88 => {
                let addresses = [None, Some("198.51.100.7"), Some("2001:db8::7")];
                let label = match random.chance(50) {
                    true => label_key(random, HOST_IP),
                    false => "inner".to_owned(),
                };
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

    /// What the users of a service may want for it, besides its template and policy.
    fn wish(random: &mut Random) -> Deed {
        let service = random.pick(&SERVICES);
        match random.below(34) {
            0..6 => {
                let more = random.chance(70).then(|| random.pick(&MORE));
                Deed::Label(service, label_key(random, NAMES), more)
            }
            6..10 => {
                let ttls = [None, Some("60"), Some("600"), Some("soon")];
                Deed::Label(service, label_key(random, SERVICE_TTL), random.pick(&ttls))
            }
            10..14 => {
                let sources = [
                    None,
                    Some("container"),
                    Some("host"),
                    Some("host-label:inner"),
                ];
                Deed::Label(service, label_key(random, ADDRESS), random.pick(&sources))
            }
            14..19 => {
                let words = [None, Some("true"), Some("false"), Some("perhaps")];
                Deed::Label(
                    service,
                    label_key(random, LB_HOSTNAMES),
                    random.pick(&words),
                )
            }
            19..28 => {
                let hostnames = random.chance(75).then(|| random.pick(&HOSTNAMES));
                Deed::Balancer(service, hostnames)
            }
            _ => Deed::System(service, random.chance(60)),
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

    /// `publishing` are the settings by then.
    pub fn apply(&self, world: &mut World, publishing: &Publishing) {
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
            Deed::HostLabel(host, label, value) if world.host(host).is_some() => {
                let labels = &mut world.host_mut(host).labels;
                match value {
                    Some(value) => labels.insert(label.clone(), (*value).into()),
                    None => labels.remove(label),
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
            Deed::Crowd(count) => crowd(world, *count, publishing),
            Deed::Balancer(service, hostnames) => with(world, service, |s| {
                let kind = match hostnames {
                    Some(_) => "loadBalancerService",
                    None => "service",
                };
                s.kind = kind.to_owned();
                let hostnames = hostnames.unwrap_or_default().iter();
                s.lb_hostnames = hostnames.map(|name| (*name).to_owned()).collect();
            }),
            Deed::System(service, is_system) => with(world, service, |s| s.system = *is_system),
            Deed::Label(service, label, value) => with(world, service, |s| {
                match value {
                    Some(value) => s.labels.insert(label.clone(), (*value).into()),
                    None => s.labels.remove(label),
                };
            }),
            Deed::Rename(name) => {
                world.environment_name = (*name).to_owned();
                name_crowd(world, publishing);
            }
            Deed::Nothing => {}
        }
    }
}

/// So many are in the crowd.
fn crowd(world: &mut World, count: usize, publishing: &Publishing) {
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
    name_crowd(world, publishing);
}

/// A large crowd has its fqdns already: to write so many back one after the other would take its
/// time. It has none if it isn't published.
pub fn name_crowd(world: &mut World, publishing: &Publishing) {
    let environment = world.environment_name.clone();
    let mut crowd = world.services.iter().filter(|s| s.stack == CROWD);
    let first = crowd.next();
    let is_published = first.is_some_and(|s| !addresses_of(s, world, publishing).is_empty());
    if crowd.count() < MOST_IN_SMALL {
        return;
    }
    for service in world.services.iter_mut().filter(|s| s.stack == CROWD) {
        let name = render(publishing.template, CROWD, &service.name, &environment);
        service.fqdn = name.filter(|_| is_published).map(|name| shown(&name));
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
