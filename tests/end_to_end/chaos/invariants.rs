//! What must be true in the end: worked out here from the simulated world, without the
//! program's help.

use std::collections::{BTreeMap, BTreeSet};

use sim::rancher::{Service, World};
use sim::route53::{RecordSet, Zone};

use crate::chaos::record::{Key, Naming, Sets, TTL, key, listed, others};

/// What Rancher's world says should be published.
pub struct Desired {
    pub sets: Sets,
    /// The name of each service, by stack and name: of all of them, and whether it is published.
    names: BTreeMap<(String, String), (String, bool)>,
}

pub fn desired(world: &World, naming: Naming) -> Desired {
    let mut addresses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut names = BTreeMap::new();
    for service in &world.services {
        let name = naming.name(&service.stack, &service.name);
        let found = addresses_of(service, world);
        let id = (service.stack.clone(), service.name.clone());
        names.insert(id, (name.clone(), !found.is_empty()));
        addresses.entry(name).or_default().extend(found);
    }
    let mut sets = Sets::new();
    for (name, addresses) in &addresses {
        for (rtype, is_v6) in [("A", false), ("AAAA", true)] {
            let of_type = addresses.iter().filter(|a| a.contains(':') == is_v6);
            let values: Vec<&String> = of_type.collect();
            if !values.is_empty() {
                let set = RecordSet::simple(name, rtype, TTL, &values);
                sets.insert(key(&set), set);
            }
        }
    }
    Desired { sets, names }
}

fn addresses_of(service: &Service, world: &World) -> BTreeSet<String> {
    let label = |labels: &serde_json::Map<String, serde_json::Value>, name: &str| {
        labels
            .get(name)
            .map(|v| v.as_str().expect("text").to_owned())
    };
    let policy = label(&service.labels, "io.rancher.service.external_dns");
    let policy = policy.as_deref().unwrap_or("auto");
    let mut addresses = BTreeSet::new();
    for container in &service.containers {
        let health = container.health_state.as_deref();
        let is_up = container.state == "running" && matches!(health, None | Some("healthy"));
        let is_public = container.ports.iter().any(|port| port.contains(':'));
        let Some(host) = world.host(&container.host) else {
            continue;
        };
        let is_excluded =
            label(&host.labels, "io.rancher.host.external_dns").as_deref() == Some("false");
        let counts = policy == "always" || (policy == "auto" && is_public);
        if is_up && counts && !is_excluded {
            let own = label(&host.labels, "io.rancher.host.external_dns_ip");
            addresses.extend(own.or(host.agent_ip.clone()));
        }
    }
    addresses
}

impl Desired {
    /// Whether something else is in the way of a record set.
    fn is_blocked(foreign: &Sets, (name, rtype, _): &Key) -> bool {
        let in_the_way = |(n, t, _): &Key| n == name && (t == rtype || t == "CNAME");
        foreign.keys().any(in_the_way)
    }

    /// What the program should own: what is desired and free.
    fn ours<'a>(&'a self, foreign: &'a Sets) -> impl Iterator<Item = (&'a Key, &'a RecordSet)> {
        let sets = self.sets.iter();
        sets.filter(|(key, _)| !Desired::is_blocked(foreign, key))
    }

    /// What is wrong with a zone in which this is foreign.
    pub fn faults(&self, zone: &Zone, foreign: &Sets) -> Vec<String> {
        let mut faults = Vec::new();
        let mut expected: BTreeMap<&Key, &RecordSet> = foreign.iter().collect();
        expected.extend(self.ours(foreign));
        let found = others(zone);
        for (key, set) in &expected {
            match found.get(*key) {
                None => faults.push(format!("missing: {set}")),
                Some(other) if !other.matches(set) => {
                    faults.push(format!("should be {set}: {other}"));
                }
                Some(_) => {}
            }
        }
        let extra = found.iter().filter(|(key, _)| !expected.contains_key(key));
        faults.extend(extra.map(|(_, set)| format!("should not be there: {set}")));
        let ours: BTreeSet<&Key> = self.ours(foreign).map(|(key, _)| key).collect();
        let listed = listed(zone);
        let listed: BTreeSet<&Key> = listed.iter().collect();
        for key in ours.difference(&listed) {
            faults.push(format!("has no entry: {key:?}"));
        }
        for key in listed.difference(&ours) {
            faults.push(format!("has an entry: {key:?}"));
        }
        faults
    }

    /// The services whose fqdn isn't what it should be, with the name that each should have: all
    /// that are published and have all their record sets in the zone should show it, and none
    /// shows another.
    pub fn wrong_fqdns<'a>(
        &'a self,
        world: &'a World,
        foreign: &Sets,
    ) -> Vec<(&'a Service, &'a str)> {
        let mut wrong = Vec::new();
        for service in &world.services {
            let id = (service.stack.clone(), service.name.clone());
            let Some((name, is_published)) = self.names.get(&id) else {
                continue;
            };
            let mut keys = self.sets.keys().filter(|(n, _, _)| n == name);
            let is_free = keys.all(|key| !Desired::is_blocked(foreign, key));
            let right = name.trim_end_matches('.');
            let is_right = match service.fqdn.as_deref() {
                None => !is_published || !is_free,
                Some(shown) => shown == right,
            };
            if !is_right {
                wrong.push((service, right));
            }
        }
        wrong
    }
}
