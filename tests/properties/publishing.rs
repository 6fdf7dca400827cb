//! The settings that say what is published, made up, for services and hosts whose labels are made up, too:
//! the program publishes what the documents say, worked out here without its help, and from any settings
//! to any others the zone comes to hold exactly that.

mod expected;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rancher_route53::desired::address::AddressSource;
use rancher_route53::desired::options::POLICIES;
use rancher_route53::desired::rules::RecordTypes;
use rancher_route53::desired::{Desired, DesiredBuilder, Rules};
use rancher_route53::dns::Name;
use rancher_route53::rancher::labels::{HostLabels, LabelSuffix, Labels};
use rancher_route53::rancher::model::{Container, Environment, Host, Service};

use crate::generators::{ZONE, together};
use crate::run::{converge, others};
use expected::{Published, decisive};

const SUFFIX: &str = "_private";
/// How labels begin, the one that wins first.
const PREFIXES: [&str; 2] = ["io.pasturestack.", "io.rancher."];
/// Hosts on which containers may run; one more of them isn't in metadata.
const HOSTS: usize = 4;

/// The settings, in the words of the documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Settings {
    has_suffix: bool,
    policy: &'static str,
    address: &'static str,
    types: &'static str,
    lb_hostnames: bool,
    system_services: bool,
}

/// Labels by their keys.
type Texts = BTreeMap<String, &'static str>;

#[derive(Debug, Clone)]
struct Wish {
    kind: &'static str,
    is_system: bool,
    labels: Texts,
    hostnames: &'static [&'static str],
    /// The number of each one's host, whether it publishes a port, and whether it runs.
    containers: Vec<(usize, bool, bool)>,
}

#[derive(Debug, Clone)]
struct Machine {
    address: &'static str,
    labels: Texts,
}

#[derive(Debug, Clone)]
pub struct World {
    before: Settings,
    after: Settings,
    services: Vec<Wish>,
    hosts: Vec<Machine>,
}

/// A label of services, with what it may say: templates and names with the names that they give.
const POLICY: (&str, &[&str]) = (
    "service.external_dns",
    &["auto", "always", "never", "Never", "sometimes"],
);
const TEMPLATE: &str = "service.external_dns_name_template";
const TEMPLATES: [(&str, Option<&str>); 3] = [
    ("shared", Some("shared.example.com.")),
    ("*.%{{environment_name}}", Some("\\052.prod.example.com.")),
    ("%{{nothing}}", None),
];
const NAMES: &str = "service.external_dns_names";
const MORE: [(&str, &[&str]); 3] = [
    ("@", &["example.com."]),
    (
        "www,\\052.wild",
        &["www.example.com.", "\\052.wild.example.com."],
    ),
    (
        "a b,shared.example.com.,x.example.org.",
        &["shared.example.com."],
    ),
];
const LIFE: (&str, &[&str]) = ("service.external_dns_ttl", &["0", "60", "600", "soon"]);
const ADDRESS: (&str, &[&str]) = (
    "service.external_dns_address",
    &["host", "container", "host-label:inner", "elsewhere"],
);
const LB_HOSTNAMES: (&str, &[&str]) = (
    "service.external_dns_lb_hostnames",
    &["true", "false", "perhaps"],
);
const HOST: (&str, &[&str]) = ("host.external_dns", &["false", "true"]);
const HOST_IP: (&str, &[&str]) = (
    "host.external_dns_ip",
    &["198.51.100.1", "2001:db8:1::1", "none"],
);
/// What the port rules of a load balancer may have, and the names that they give.
const HOSTNAMES: [(&[&str], &[&str]); 3] = [
    (&[], &[]),
    (&["lb.example.com", "x.example.org"], &["lb.example.com."]),
    (
        &[
            "*",
            "*.lb.example.com",
            "Shared.Example.com.",
            "a.*.example.com",
        ],
        &["\\052.lb.example.com.", "shared.example.com."],
    ),
];

fn settings() -> impl Strategy<Value = Settings> {
    (
        any::<bool>(),
        select(vec!["auto", "always", "never"]),
        select(vec!["host", "container", "host-label:inner"]),
        select(vec!["A,AAAA", "A", "AAAA"]),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(has_suffix, policy, address, types, lb_hostnames, system_services)| Settings {
                has_suffix,
                policy,
                address,
                types,
                lb_hostnames,
                system_services,
            },
        )
}

/// A label with this ending or none, in any of the four spellings of its key.
fn label(ending: &'static str, words: Vec<&'static str>) -> impl Strategy<Value = Texts> {
    let key = (select(&PREFIXES[..]), any::<bool>()).prop_map(move |(prefix, has_suffix)| {
        let suffix = if has_suffix { SUFFIX } else { "" };
        format!("{prefix}{ending}{suffix}")
    });
    proptest::collection::btree_map(key, select(words), 0..=2)
}

fn labels(all: Vec<(&'static str, Vec<&'static str>)>) -> impl Strategy<Value = Texts> {
    let all: Vec<_> = all
        .into_iter()
        .map(|(ending, words)| prop_oneof![Just(Texts::new()), label(ending, words)])
        .collect();
    all.prop_map(|all| all.into_iter().flatten().collect())
}

fn service() -> impl Strategy<Value = Wish> {
    let of = |(ending, words): (&'static str, &[&'static str])| (ending, words.to_vec());
    let labels = labels(vec![
        of(POLICY),
        (TEMPLATE, TEMPLATES.map(|(text, _)| text).to_vec()),
        (NAMES, MORE.map(|(text, _)| text).to_vec()),
        of(LIFE),
        of(ADDRESS),
        of(LB_HOSTNAMES),
    ]);
    let kinds = prop_oneof![
        5 => Just("service"),
        5 => Just("loadBalancerService"),
        1 => Just("dnsService"),
    ];
    let container = (
        0..=HOSTS,
        prop_oneof![3 => Just(true), 1 => Just(false)],
        prop_oneof![5 => Just(true), 1 => Just(false)],
    );
    let hostnames = select(HOSTNAMES.map(|(hostnames, _)| hostnames).to_vec());
    let is_system = prop_oneof![3 => Just(false), 1 => Just(true)];
    (kinds, is_system, labels, hostnames, vec(container, 0..=3)).prop_map(
        |(kind, is_system, labels, hostnames, containers)| Wish {
            kind,
            is_system,
            labels,
            hostnames,
            containers,
        },
    )
}

fn host() -> impl Strategy<Value = Machine> {
    let of = |(ending, words): (&'static str, &[&'static str])| (ending, words.to_vec());
    let addresses = vec!["203.0.113.1", "203.0.113.2", "2001:db8::1", "nowhere"];
    let inner = proptest::option::of(select(vec!["192.0.2.1", "2001:db8:2::1", "none"]));
    (
        select(addresses),
        labels(vec![of(HOST), of(HOST_IP)]),
        inner,
    )
        .prop_map(|(address, mut labels, inner)| {
            labels.extend(inner.map(|text| ("inner".to_owned(), text)));
            Machine { address, labels }
        })
}

pub fn worlds() -> impl Strategy<Value = World> {
    let hosts = vec(host(), HOSTS);
    (settings(), settings(), vec(service(), 1..=6), hosts).prop_map(
        |(before, after, services, hosts)| World {
            before,
            after,
            services,
            hosts,
        },
    )
}

impl Settings {
    fn rules(self) -> Rules {
        let policy = POLICIES.iter().find(|(word, _)| *word == self.policy);
        let suffix = if self.has_suffix { SUFFIX } else { "" };
        Rules {
            label_suffix: LabelSuffix::parse(suffix).unwrap_or_default(),
            default_policy: policy.unwrap().1,
            has_system_services: self.system_services,
            lb_hostnames: self.lb_hostnames,
            address: AddressSource::parse(self.address).unwrap(),
            record_types: RecordTypes::parse(self.types).unwrap(),
            ..Rules::of_zone(Name::parse(ZONE).unwrap())
        }
    }
}

fn own_address(service: usize, container: usize) -> String {
    format!("10.42.{service}.{container}")
}

impl World {
    /// What the program makes of it.
    fn desired(&self, settings: Settings) -> Desired {
        let environment = Environment {
            name: "Prod".to_owned(),
            ..Environment::default()
        };
        let hosts: HashMap<String, Host> = self.hosts.iter().enumerate().map(made_host).collect();
        let rules = settings.rules();
        let mut builder = DesiredBuilder::new(&environment, &hosts, &rules);
        for (number, wish) in self.services.iter().enumerate() {
            builder.add(&made_service(number, wish));
        }
        builder.finish()
    }
}

fn made_host((number, machine): (usize, &Machine)) -> (String, Host) {
    let mut labels = HostLabels::default();
    for (key, text) in &machine.labels {
        labels.insert(key, text);
    }
    let host = Host {
        agent_ip: machine.address.to_owned(),
        labels,
    };
    (format!("h{number}"), host)
}

fn made_service(number: usize, wish: &Wish) -> Service<'static> {
    let mut labels = Labels::default();
    for (key, text) in &wish.labels {
        labels.insert(key, text);
    }
    let container = |(i, (host, is_public, runs)): (usize, &(usize, bool, bool))| Container {
        name: format!("s{number}-{i}").into(),
        state: if *runs { "running" } else { "stopped" }.into(),
        health_state: None,
        host_uuid: format!("h{host}").into(),
        primary_ip: Some(own_address(number, i).into()),
        ports: vec![if *is_public { "8080:80/tcp" } else { "80/tcp" }.into()],
    };
    Service {
        name: format!("s{number}").into(),
        stack_name: "shop".into(),
        kind: wish.kind.into(),
        is_system: wish.is_system,
        labels,
        lb_hostnames: wish.hostnames.iter().map(|name| (*name).into()).collect(),
        containers: wish.containers.iter().enumerate().map(container).collect(),
        ..Service::default()
    }
}

/// The program publishes what it should, and so does the zone in the end, whatever it held for other
/// settings before.
pub fn holds(world: &World) {
    let mut built = together([]).build();
    // It has no wildcard of a stranger, since services may have that name.
    for rtype in ["A", "AAAA"] {
        built.zone.remove("\\052.prod.example.com.", rtype);
    }
    let strangers = others(&built.zone);
    for settings in [world.before, world.after] {
        let expected = world.expected(settings);
        let desired = world.desired(settings);
        let found: Published = desired
            .record_sets
            .values()
            .map(|set| {
                let key = (set.key.name.as_str().to_owned(), set.key.rtype.to_string());
                (
                    key,
                    (set.ttl().unwrap(), set.values().iter().cloned().collect()),
                )
            })
            .collect();
        assert_eq!(found, expected, "with {settings:?}");
        built.setting.desired = desired.record_sets;
        converge(&mut built.zone, &built.setting);
        let mut held = Published::new();
        for (id, set) in others(&built.zone) {
            match strangers.get(&id) {
                Some(stranger) => assert_eq!(*stranger, set, "with {settings:?}"),
                None => {
                    let values = set.values.iter().cloned().collect();
                    held.insert((id.0, id.1), (set.ttl.unwrap(), values));
                }
            }
        }
        assert_eq!(held, expected, "in the zone, with {settings:?}");
        for id in strangers.keys() {
            assert!(others(&built.zone).contains_key(id), "{id:?} is gone");
        }
    }
}

#[test]
fn each_setting_matters_in_some_of_the_worlds() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut found = BTreeSet::new();
    for _ in 0..200 {
        let tree = worlds().new_tree(&mut runner).unwrap();
        found.extend(decisive(&proptest::strategy::ValueTree::current(&tree)));
    }
    assert_eq!(found.len(), 7, "{found:?}");
}
