//! Works out which record sets should be in the hosted zone.
//!
//! In: services and hosts as Rancher's metadata has them, and the [`Rules`] from the settings.
//! Out: [`Desired`], with the record sets, and for each service its name or the reason why it is
//! not published. Pure: nothing here does I/O.

pub mod address;
pub mod name_template;
pub mod skip;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::base::sorted;
use crate::desired::name_template::{Names, Template};
use crate::desired::skip::SkipReason;
use crate::dns::record_set::MAX_VALUES;
use crate::dns::{Name, RecordKey, RecordSet, RecordType};
use crate::rancher::labels;
use crate::rancher::model::{Environment, Host, Service, ServiceKey};

/// Settings that apply to every record set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Name of the hosted zone. Every published name is below it.
    pub zone: Name,
    /// `NAME_TEMPLATE`, for services that have no label with a template.
    pub template: Template,
    /// `TTL`, in seconds.
    pub ttl: u32,
}

/// The record sets that should be in the zone, and what became of each service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Desired {
    /// The record sets that should be in the zone, without the state records.
    pub record_sets: BTreeMap<RecordKey, RecordSet>,
    /// What became of every service in metadata, published or not.
    pub services: BTreeMap<ServiceKey, ServiceOutcome>,
    /// Record sets that have more addresses than Route 53 allows values, with the full number of
    /// addresses. Only the first [`MAX_VALUES`] are published.
    pub truncated: BTreeMap<RecordKey, usize>,
}

/// Whether a service is published, and what Rancher shows for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOutcome {
    /// The name under which the service is published, or why it is not.
    pub name: Result<Name, SkipReason>,
    /// The name that Rancher shows for the service at present.
    pub fqdn: Option<String>,
    /// Whether the service is a sidekick, whose `fqdn` Rancher never sets.
    pub is_sidekick: bool,
    /// Text of the label `external_dns`, if it is not one of `auto`, `always` and `never`.
    pub unknown_policy: Option<String>,
}

impl Desired {
    /// The services that are not published, and why.
    pub fn skipped(&self) -> impl Iterator<Item = (&ServiceKey, &SkipReason)> {
        let services = self.services.iter();
        services.filter_map(|(key, outcome)| Some((key, outcome.name.as_ref().err()?)))
    }
}

impl ServiceOutcome {
    /// Whether Rancher shows this name for the service, in any spelling: the forerunners write a
    /// wildcard as `\052`.
    pub fn shows(&self, name: &Name) -> bool {
        self.fqdn.as_deref().is_some_and(|fqdn| {
            let known = name.as_str().strip_suffix('.');
            // Nearly all are spelled like this, and that is quicker to see.
            known == Some(fqdn) || Name::parse(fqdn).is_ok_and(|shown| shown == *name)
        })
    }

    /// A warning for the operator about a label that is not understood, if there is one.
    pub fn warning(&self) -> Option<String> {
        let policy = self.unknown_policy.as_ref()?;
        Some(format!(
            "external_dns={policy:?} is not one of auto, always and never; it is treated as auto"
        ))
    }
}

/// The notice for a record set in [`Desired::truncated`] that has `count` addresses.
pub fn truncation_notice(count: usize) -> String {
    format!("only the first {MAX_VALUES} of {count} addresses are published")
}

/// Builds [`Desired`] from one service at a time. `/services` may have 68 MB, and this way only
/// one service of it is in memory at once.
pub struct DesiredBuilder<'a> {
    environment: &'a Environment,
    hosts: &'a HashMap<String, Host>,
    rules: &'a Rules,
    /// Addresses for each name, unsorted and with duplicates.
    addresses: BTreeMap<Name, Vec<IpAddr>>,
    services: BTreeMap<ServiceKey, ServiceOutcome>,
}

impl<'a> DesiredBuilder<'a> {
    /// A builder without services. `hosts` has every host of the environment, by its UUID.
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

    /// Adds a service.
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
        // Rancher's API tells services apart by name only. Of two with the same name, the one
        // that is published is kept.
        match self.services.entry(key) {
            Entry::Occupied(known) if known.get().name.is_ok() => {}
            place => {
                place.insert_entry(outcome);
            }
        }
    }

    /// Returns what should be published, once all services have been added.
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
        let own = own.map_err(SkipReason::from)?;
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

    /// The addresses of all containers that can be published. If there are none, the reason of
    /// the container that met the most conditions: when one is stopped and one is unhealthy, the
    /// operator should look at the unhealthy one.
    fn addresses(
        &self,
        service: &Service<'_>,
        policy: PublishPolicy,
    ) -> Result<Vec<IpAddr>, SkipReason> {
        let mut found = Vec::new();
        let mut skip = SkipReason::NoContainer;
        for container in &service.containers {
            let needs_port = policy != PublishPolicy::Always;
            match address::published_address(container, self.hosts, needs_port) {
                Ok(address) => found.push(address),
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
    /// Adds a record set unless `addresses` is empty. `addresses` must be sorted, so that a record
    /// set that is truncated keeps the same values in every round.
    fn add(&mut self, name: &Name, rtype: RecordType, mut addresses: Vec<IpAddr>, ttl: u32) {
        if addresses.is_empty() {
            return;
        }
        let key = RecordKey::new(name.clone(), rtype);
        if addresses.len() > MAX_VALUES {
            self.truncated.insert(key.clone(), addresses.len());
            addresses.truncate(MAX_VALUES);
        }
        let set = RecordSet::of_addresses(key.clone(), ttl, &addresses);
        self.record_sets.insert(key, set);
    }
}

/// What a service's label `external_dns` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PublishPolicy {
    /// Publish containers that publish a port on their host. This is the default.
    Auto,
    /// Publish containers without such a port too.
    Always,
    Never,
}

impl PublishPolicy {
    /// Reads the label of a service. The error is the label's text if it is not a known policy.
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
