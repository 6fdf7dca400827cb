//! Services as metadata has them → desired: the record sets that should be in the zone, and for
//! each service what became of it, with a reason if it has none. Pure.

pub mod address;
pub mod name_template;
pub mod skip;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::base::sorted;
use crate::desired::address::Address;
use crate::desired::name_template::{Names, Template};
use crate::desired::skip::SkipReason;
use crate::dns::record_set::MOST_VALUES;
use crate::dns::{Name, RecordKey, RecordSet, RecordType};
use crate::rancher::labels;
use crate::rancher::model::{Environment, Host, Service, ServiceKey};

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

/// What became of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOutcome {
    /// The name that it is published under, or why it isn't.
    pub name: Result<Name, SkipReason>,
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

/// What is said of a record set that is cut, with the full number of its addresses.
pub fn cut_in_words(count: usize) -> String {
    format!("only the first {MOST_VALUES} of {count} addresses are published")
}

/// Works out what should be published, service by service: as metadata is read, so that of 68 MB
/// of services no more than one is held at a time.
pub struct DesiredBuilder<'a> {
    environment: &'a Environment,
    hosts: &'a HashMap<String, Host>,
    rules: &'a Rules,
    /// As they were found, some of them more than once.
    addresses: BTreeMap<Name, Vec<IpAddr>>,
    services: BTreeMap<ServiceKey, ServiceOutcome>,
}

impl<'a> DesiredBuilder<'a> {
    /// Without a service. `hosts` are all of the environment's, by their UUIDs.
    pub fn new(
        environment: &'a Environment,
        hosts: &'a HashMap<String, Host>,
        rules: &'a Rules,
    ) -> DesiredBuilder<'a> {
        DesiredBuilder {
            environment,
            hosts,
            rules,
            addresses: BTreeMap::new(),
            services: BTreeMap::new(),
        }
    }

    /// One more service.
    pub fn add(&mut self, service: &Service<'_>) {
        let published = self.publish(service);
        let name = published.map(|(name, found)| {
            self.addresses
                .entry(name.clone())
                .or_default()
                .extend(found);
            name
        });
        let key = ServiceKey {
            stack: service.stack_name.to_string(),
            service: service.name.to_string(),
        };
        let outcome = ServiceOutcome {
            name,
            fqdn: service.fqdn.as_deref().map(str::to_owned),
            is_sidekick: service.is_sidekick,
            unknown_policy: PublishPolicy::of(service).err(),
        };
        // Rancher knows them by name only, so of two of one name the published one counts.
        match self.services.entry(key) {
            Entry::Occupied(known) if known.get().name.is_ok() => {}
            place => {
                place.insert_entry(outcome);
            }
        }
    }

    /// All services have been added.
    pub fn finish(self) -> Desired {
        let mut desired = Desired {
            services: self.services,
            ..Desired::default()
        };
        for (name, addresses) in self.addresses {
            let addresses = sorted::set(addresses).into_iter();
            let (v4, v6) = addresses.partition(IpAddr::is_ipv4);
            desired.add(&name, RecordType::A, v4, self.rules.ttl);
            desired.add(&name, RecordType::Aaaa, v6, self.rules.ttl);
        }
        desired
    }

    fn publish(&self, service: &Service<'_>) -> Result<(Name, Vec<IpAddr>), SkipReason> {
        if !matches!(&*service.kind, "service" | "loadBalancerService") {
            return Err(SkipReason::Kind(service.kind.to_string()));
        }
        let policy = PublishPolicy::of(service).unwrap_or(PublishPolicy::Auto);
        if policy == PublishPolicy::Never {
            return Err(SkipReason::Never);
        }
        let addresses = self.addresses(service, policy)?;
        Ok((self.name(service)?, addresses))
    }

    fn name(&self, service: &Service<'_>) -> Result<Name, SkipReason> {
        let own = service
            .labels
            .get(labels::NAME_TEMPLATE)
            .map(Template::parse)
            .transpose();
        let own = own.map_err(SkipReason::Template)?;
        let names = Names {
            service: &service.name,
            stack: &service.stack_name,
            environment: &self.environment.name,
        };
        own.as_ref()
            .unwrap_or(&self.rules.template)
            .name(&names, &self.rules.zone)
            .map_err(SkipReason::Name)
    }

    /// The addresses of the containers that count. If none does, the reason of the one that came
    /// furthest: with one container stopped and one unhealthy, 'unhealthy' is what to look into.
    fn addresses(
        &self,
        service: &Service<'_>,
        policy: PublishPolicy,
    ) -> Result<Vec<IpAddr>, SkipReason> {
        let mut found = Vec::new();
        let mut skip = SkipReason::NoContainer;
        for container in &service.containers {
            match address::address(container, self.hosts, policy == PublishPolicy::Always) {
                Ok(Address(address)) => found.push(address),
                Err(reason) => skip = skip.max(reason),
            }
        }
        if found.is_empty() {
            Err(skip)
        } else {
            Ok(found)
        }
    }
}

impl Desired {
    /// The addresses are in their order.
    fn add(&mut self, name: &Name, rtype: RecordType, mut addresses: Vec<IpAddr>, ttl: u32) {
        if addresses.is_empty() {
            return;
        }
        let key = RecordKey::new(name.clone(), rtype);
        if addresses.len() > MOST_VALUES {
            self.cut.insert(key.clone(), addresses.len());
            addresses.truncate(MOST_VALUES);
        }
        let set = RecordSet::of_addresses(key.clone(), ttl, &addresses);
        self.record_sets.insert(key, set);
    }
}

/// The label `external_dns` of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PublishPolicy {
    Auto,
    Always,
    Never,
}

impl PublishPolicy {
    /// An unknown one comes back as it is; it counts as `auto`.
    fn of(service: &Service<'_>) -> Result<PublishPolicy, String> {
        match service.labels.get(labels::POLICY) {
            None => Ok(PublishPolicy::Auto),
            Some(text) if text.eq_ignore_ascii_case("auto") => Ok(PublishPolicy::Auto),
            Some(text) if text.eq_ignore_ascii_case("always") => Ok(PublishPolicy::Always),
            Some(text) if text.eq_ignore_ascii_case("never") => Ok(PublishPolicy::Never),
            Some(unknown) => Err(unknown.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
