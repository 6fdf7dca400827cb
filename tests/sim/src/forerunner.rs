//! The programs that came before: rancher/external-dns from 0.6 on, and external-dns-sync, as far as
//! a hosted zone shows what they do. What rancher/external-dns does is taken from its source
//! (external-dns.go, metadata.go, providers/route53/route53.go).
//!
//! They know `A` record sets and one state record. Each change is a request of its own, an UPSERT or
//! a DELETE.

use crate::rancher::World;
use crate::rancher::world::Service;
use crate::route53::{Change, RecordSet, Route53, canonical_name};
use std::collections::{BTreeMap, BTreeSet};

/// How one of them behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forerunner {
    /// The TTL of all that it writes.
    pub ttl: u32,
    /// Whether it writes the state record in each round. rancher/external-dns does so only if the
    /// record lists other names than it should.
    pub writes_always: bool,
}

impl Forerunner {
    pub const RANCHER_EXTERNAL_DNS: Forerunner = Forerunner {
        ttl: 300,
        writes_always: false,
    };
    /// Nobody has told us what it does without need, so it is taken to do the most.
    pub const EXTERNAL_DNS_SYNC: Forerunner = Forerunner {
        ttl: 300,
        writes_always: true,
    };

    /// One round of it: first what is too much goes, then what is missing comes, then what is other
    /// than it should be is changed.
    pub fn round(&self, world: &World, route53: &Route53, zone_id: &str, domain: &str) {
        let wanted = wanted(world, domain);
        let uuid = &world.environment_uuid;
        let state = canonical_name(&format!("external-dns-{uuid}.{domain}")).expect("a name");
        let listed = route53.record_sets(zone_id);
        let record = listed
            .iter()
            .find(|set| set.name == state && set.rtype == "TXT");
        let values = record.iter().flat_map(|record| &record.values);
        let ours: BTreeSet<&str> = values.map(|value| value.trim_matches('"')).collect();
        let is_ours = |set: &&RecordSet| {
            set.rtype == "A" && set.alias.is_none() && ours.contains(set.name.as_str())
        };
        let held: BTreeMap<&str, &RecordSet> = listed
            .iter()
            .filter(is_ours)
            .map(|set| (set.name.as_str(), set))
            .collect();
        let change = |change| {
            // What Route 53 refuses is logged, and the round goes on.
            let _ = route53.edit(zone_id, |zone| zone.apply(&[change]));
        };
        for (name, set) in &held {
            if !wanted.contains_key(*name) {
                change(Change::delete((*set).clone()));
            }
        }
        for (name, addresses) in &wanted {
            let is_right = held.get(name.as_str()).is_some_and(|set| {
                let values: BTreeSet<&String> = set.values.iter().collect();
                values == addresses.iter().collect()
            });
            if !is_right {
                let values: Vec<&String> = addresses.iter().collect();
                let set = RecordSet::simple(name, "A", self.ttl, &values);
                change(Change::upsert(set));
            }
        }
        let names: BTreeSet<&str> = wanted.keys().map(String::as_str).collect();
        if names != ours || self.writes_always {
            let values: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            change(Change::upsert(RecordSet::simple(
                &state, "TXT", self.ttl, &values,
            )));
        }
    }
}

/// The names that a world asks for, and their IPv4 addresses.
fn wanted(world: &World, domain: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for service in &world.services {
        let public = |port: &String| port.contains(':');
        let running = service
            .containers
            .iter()
            .filter(|container| container.state == "running" && container.ports.iter().any(public));
        for container in running {
            let host = world.host(&container.host).expect("a host");
            let label = host.labels.get("io.rancher.host.external_dns_ip");
            let address = label.and_then(|label| label.as_str());
            let address = address.or(host.agent_ip.as_deref()).expect("an address");
            if !address.contains(':') {
                let name = name(world, service, domain);
                wanted.entry(name).or_default().insert(address.to_owned());
            }
        }
    }
    wanted
}

fn name(world: &World, service: &Service, domain: &str) -> String {
    let label = service
        .labels
        .get("io.rancher.service.external_dns_name_template");
    let template = label
        .and_then(|label| label.as_str())
        .unwrap_or("%{{service_name}}.%{{stack_name}}.%{{environment_name}}");
    let name = template
        .replace("%{{service_name}}", &service.name)
        .replace("%{{stack_name}}", &service.stack)
        .replace("%{{environment_name}}", &world.environment_name);
    canonical_name(&format!("{name}.{domain}")).expect("a name that DNS can hold")
}

#[cfg(test)]
mod tests;
