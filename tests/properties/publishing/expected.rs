//! What the documents say is published, worked out without the program's help.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ADDRESS, HOST, HOST_IP, HOSTNAMES, LB_HOSTNAMES, LIFE, MORE, Machine, NAMES, POLICY, PREFIXES,
    SUFFIX, Settings, TEMPLATE, TEMPLATES, Texts, Wish, World, own_address,
};
use crate::generators::TTL;

/// As it is if nothing is set.
const USUAL: Settings = Settings {
    has_suffix: false,
    policy: "auto",
    address: "host",
    types: "A,AAAA",
    lb_hostnames: false,
    system_services: true,
};

/// TTL and addresses of what is to be published.
pub type Published = BTreeMap<(String, String), (u32, BTreeSet<String>)>;

impl World {
    /// What the documents say is to be published.
    pub(super) fn expected(&self, settings: Settings) -> Published {
        let mut names: BTreeMap<String, (u32, BTreeSet<String>)> = BTreeMap::new();
        for (number, wish) in self.services.iter().enumerate() {
            let addresses = settings.addresses(number, wish, &self.hosts);
            if addresses.is_empty() {
                continue;
            }
            let ttl = settings.label(&wish.labels, LIFE.0);
            let ttl = ttl.and_then(|ttl| ttl.parse().ok()).unwrap_or(TTL);
            for name in settings.names(number, wish) {
                let (least, shared) = names.entry(name).or_insert((ttl, BTreeSet::new()));
                *least = ttl.min(*least);
                shared.extend(addresses.iter().cloned());
            }
        }
        let mut expected = Published::new();
        for (name, (ttl, addresses)) in names {
            for address in addresses {
                let rtype = if address.contains(':') { "AAAA" } else { "A" };
                let key = (name.clone(), rtype.to_owned());
                let (_, values) = expected.entry(key).or_insert((ttl, BTreeSet::new()));
                values.insert(address);
            }
        }
        expected
    }
}

impl Settings {
    fn label(self, labels: &Texts, ending: &str) -> Option<&'static str> {
        let of = |suffix: &str| {
            let keys = PREFIXES.map(|prefix| format!("{prefix}{ending}{suffix}"));
            keys.iter().find_map(|key| labels.get(key)).copied()
        };
        let with = self.has_suffix.then(|| of(SUFFIX)).flatten();
        with.or_else(|| of(""))
    }

    /// The names of a service; none if its template is none.
    fn names(self, number: usize, wish: &Wish) -> Vec<String> {
        let own = self.label(&wish.labels, TEMPLATE);
        let own = own.map(|text| {
            TEMPLATES
                .iter()
                .find(|(known, _)| *known == text)
                .unwrap()
                .1
        });
        let name = match own {
            None => format!("s{number}.shop.prod.example.com."),
            Some(Some(name)) => name.to_owned(),
            Some(None) => return Vec::new(),
        };
        let more = self.label(&wish.labels, NAMES);
        let more = MORE.iter().filter(|(known, _)| Some(*known) == more);
        let is_on = match self.label(&wish.labels, LB_HOSTNAMES.0) {
            Some("true") => true,
            Some("false") => false,
            _ => self.lb_hostnames,
        };
        let balancer = HOSTNAMES.iter().filter(|(known, _)| {
            is_on && wish.kind == "loadBalancerService" && *known == wish.hostnames
        });
        let names = more.map(|(_, names)| *names);
        let names = names.chain(balancer.map(|(_, names)| *names)).flatten();
        names.map(|name| (*name).to_owned()).chain([name]).collect()
    }

    fn addresses(self, number: usize, wish: &Wish, hosts: &[Machine]) -> BTreeSet<String> {
        let source = self.label(&wish.labels, ADDRESS.0);
        let policy = match self.label(&wish.labels, POLICY.0) {
            Some("sometimes") => "auto",
            Some(word) => word,
            // This label implies it, and the setting ADDRESS doesn't.
            None if source == Some("container") => "always",
            None => self.policy,
        };
        let source = source.filter(|word| *word != "elsewhere");
        let source = source.unwrap_or(self.address);
        let is_out = wish.kind == "dnsService" || wish.is_system && !self.system_services;
        if is_out || policy.eq_ignore_ascii_case("never") {
            return BTreeSet::new();
        }
        let needs_port = policy == "auto" && source != "container";
        let address = |(i, (host, is_public, runs)): (usize, &(usize, bool, bool))| {
            let host = hosts.get(*host)?;
            let label = |ending| self.label(&host.labels, ending);
            if !*runs || needs_port && !*is_public || label(HOST.0) == Some("false") {
                return None;
            }
            let text = match source {
                "container" => return Some(own_address(number, i)),
                "host" => label(HOST_IP.0).or(Some(host.address)),
                _ => host.labels.get("inner").copied(),
            };
            text.filter(|text| text.contains(['.', ':']))
                .map(str::to_owned)
        };
        let addresses = wish.containers.iter().enumerate().filter_map(address);
        addresses
            .filter(|address| match self.types {
                "A" => !address.contains(':'),
                "AAAA" => address.contains(':'),
                _ => true,
            })
            .collect()
    }
}

/// Which settings, and the label of load balancers, matter in a world.
pub fn decisive(world: &World) -> BTreeSet<&'static str> {
    let is = world.after;
    let mut found = BTreeSet::new();
    let usual = USUAL;
    for (name, other) in [
        (
            "LABEL_SUFFIX",
            Settings {
                has_suffix: usual.has_suffix,
                ..is
            },
        ),
        (
            "DEFAULT_POLICY",
            Settings {
                policy: usual.policy,
                ..is
            },
        ),
        (
            "ADDRESS",
            Settings {
                address: usual.address,
                ..is
            },
        ),
        (
            "RECORD_TYPES",
            Settings {
                types: usual.types,
                ..is
            },
        ),
        (
            "LB_HOSTNAMES",
            Settings {
                lb_hostnames: usual.lb_hostnames,
                ..is
            },
        ),
        (
            "SYSTEM_SERVICES",
            Settings {
                system_services: usual.system_services,
                ..is
            },
        ),
    ] {
        found.extend((world.expected(other) != world.expected(is)).then_some(name));
    }
    let mut without = world.clone();
    for wish in &mut without.services {
        wish.labels.retain(|key, _| !key.contains(LB_HOSTNAMES.0));
    }
    found.extend((without.expected(is) != world.expected(is)).then_some("the label"));
    found
}
