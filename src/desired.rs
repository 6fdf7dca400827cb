//! Snapshot → desired: the record sets that should be in the zone, and for each service what
//! became of it, with a reason if it has none. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use crate::dns::record_set::MOST_VALUES;
use crate::dns::{Name, RecordKey, RecordSet, RecordType};
use crate::published::{self, Address};
use crate::rancher::labels;
use crate::rancher::snapshot::{Service, Snapshot};
use crate::skip::Skip;
use crate::sorted;
use crate::template::{Names, Template};

/// What holds for all names of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Name of the hosted zone.
    pub zone: Name,
    /// `NAME_TEMPLATE`.
    pub template: Template,
    /// `TTL`, in seconds.
    pub ttl: u32,
}

/// What should be published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// Everything that should be in the zone, save the state records.
    pub record_sets: BTreeMap<RecordKey, RecordSet>,
    /// Every service, by stack and name.
    pub services: BTreeMap<ServiceKey, ServiceOutcome>,
    /// Record sets of which only the first 400 addresses are published, with their full number.
    pub cut: BTreeMap<RecordKey, usize>,
}

/// What tells services apart in Rancher's API for the write-back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceKey {
    /// The stack's name, as Rancher spells it.
    pub stack: String,
    /// The service's name, as Rancher spells it.
    pub service: String,
}

impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stack, self.service)
    }
}

/// What became of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOutcome {
    /// The name that it is published under, or why it isn't.
    pub name: Result<Name, Skip>,
    /// The name that Rancher shows for it at present.
    pub fqdn: Option<String>,
    /// Rancher never sets the `fqdn` of such a service.
    pub is_sidekick: bool,
    /// A policy label that is none of `auto`, `always` and `never`.
    pub unknown_policy: Option<String>,
}

impl ServiceOutcome {
    /// Whether Rancher shows this name for it.
    pub fn shows(&self, name: &Name) -> bool {
        let shown = self.fqdn.as_deref().map(|fqdn| fqdn.trim_end_matches('.'));
        shown.is_some_and(|fqdn| fqdn.eq_ignore_ascii_case(name.without_dot()))
    }

    /// What is odd about it although it counts, in words.
    pub fn warning(&self) -> Option<String> {
        let policy = self.unknown_policy.as_ref()?;
        Some(format!(
            "external_dns={policy:?} is none of auto, always and never; taken for auto"
        ))
    }
}

/// Works out what should be published.
pub fn desired(snapshot: &Snapshot, rules: &Rules) -> Desired {
    let mut addresses: BTreeMap<Name, BTreeSet<IpAddr>> = BTreeMap::new();
    let mut services = BTreeMap::new();
    for service in &snapshot.services {
        let key = ServiceKey {
            stack: service.stack_name.clone(),
            service: service.name.clone(),
        };
        let published = publish(service, snapshot, rules);
        let name = published.map(|(name, found)| {
            addresses.entry(name.clone()).or_default().extend(found);
            name
        });
        let outcome = ServiceOutcome {
            name,
            fqdn: service.fqdn.clone(),
            is_sidekick: service.is_sidekick,
            unknown_policy: Policy::of(service).err(),
        };
        // Rancher knows them by name only, so of two of one name the published one counts.
        let known: Option<&ServiceOutcome> = services.get(&key);
        if known.is_none_or(|known| known.name.is_err()) {
            services.insert(key, outcome);
        }
    }
    let mut desired = Desired {
        services,
        ..Desired::default()
    };
    for (name, addresses) in addresses {
        let (v4, v6): (BTreeSet<IpAddr>, BTreeSet<IpAddr>) =
            addresses.into_iter().partition(IpAddr::is_ipv4);
        desired.add(RecordKey::new(name.clone(), RecordType::A), v4, rules.ttl);
        desired.add(RecordKey::new(name, RecordType::Aaaa), v6, rules.ttl);
    }
    desired
}

impl Desired {
    fn add(&mut self, key: RecordKey, mut addresses: BTreeSet<IpAddr>, ttl: u32) {
        if addresses.is_empty() {
            return;
        }
        if addresses.len() > MOST_VALUES {
            self.cut.insert(key.clone(), addresses.len());
            addresses = sorted::set(addresses.into_iter().take(MOST_VALUES));
        }
        let set = RecordSet::of_addresses(key.clone(), ttl, &addresses);
        self.record_sets.insert(key, set);
    }
}

/// The label `external_dns` of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    Auto,
    Always,
    Never,
}

impl Policy {
    /// An unknown one comes back as it is; it counts as `auto`.
    fn of(service: &Service) -> Result<Policy, String> {
        match service.labels.get(labels::POLICY) {
            None => Ok(Policy::Auto),
            Some(text) if text.eq_ignore_ascii_case("auto") => Ok(Policy::Auto),
            Some(text) if text.eq_ignore_ascii_case("always") => Ok(Policy::Always),
            Some(text) if text.eq_ignore_ascii_case("never") => Ok(Policy::Never),
            Some(unknown) => Err(unknown.to_owned()),
        }
    }
}

fn publish(
    service: &Service,
    snapshot: &Snapshot,
    rules: &Rules,
) -> Result<(Name, BTreeSet<IpAddr>), Skip> {
    if !matches!(service.kind.as_str(), "service" | "loadBalancerService") {
        return Err(Skip::Kind(service.kind.clone()));
    }
    let policy = Policy::of(service).unwrap_or(Policy::Auto);
    if policy == Policy::Never {
        return Err(Skip::Never);
    }
    let addresses = addresses(service, snapshot, policy)?;
    Ok((name(service, snapshot, rules)?, addresses))
}

fn name(service: &Service, snapshot: &Snapshot, rules: &Rules) -> Result<Name, Skip> {
    let own = service
        .labels
        .get(labels::NAME_TEMPLATE)
        .map(Template::parse)
        .transpose();
    let own = own.map_err(Skip::Template)?;
    let names = Names {
        service: &service.name,
        stack: &service.stack_name,
        environment: &snapshot.environment.name,
    };
    own.as_ref()
        .unwrap_or(&rules.template)
        .name(&names, &rules.zone)
        .map_err(Skip::Name)
}

/// The addresses of the containers that count. If none does, the reason of the one that came
/// furthest: with one container stopped and one unhealthy, 'unhealthy' is what to look into.
fn addresses(
    service: &Service,
    snapshot: &Snapshot,
    policy: Policy,
) -> Result<BTreeSet<IpAddr>, Skip> {
    let mut found = BTreeSet::new();
    let mut skip = Skip::NoContainer;
    for container in &service.containers {
        match published::address(container, &snapshot.hosts, policy == Policy::Always) {
            Ok(Address(address)) => {
                found.insert(address);
            }
            Err(reason) => skip = skip.max(reason),
        }
    }
    if found.is_empty() {
        Err(skip)
    } else {
        Ok(found)
    }
}

#[cfg(test)]
#[path = "desired_tests.rs"]
mod tests;
