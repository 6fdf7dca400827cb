//! Works out which record sets should be in the hosted zone.
//!
//! In: services and hosts as Rancher's metadata has them, and the [`Rules`] from the settings.
//! Out: [`Desired`], with the record sets, and for each service its name or the reason why it is
//! not published. Pure: nothing here does I/O.

pub mod address;
pub mod container;
pub mod explain;
pub mod name_template;
pub mod names;
pub mod options;
pub mod rules;
pub mod skip;
pub mod warning;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::base::sorted;
use crate::desired::address::{AddressRules, AddressSource};
use crate::desired::container::SkippedContainers;
use crate::desired::name_template::{Names, Template};
use crate::desired::options::{PublishPolicy, ServiceOptions};
pub use crate::desired::rules::Rules;
use crate::desired::skip::SkipReason;
use crate::desired::warning::Warning;
use crate::dns::record_set::MAX_VALUES;
use crate::dns::{Name, RecordKey, RecordSet, RecordType};
use crate::rancher::labels;
use crate::rancher::model::{Environment, Host, Service, ServiceKey};

/// The kind of a load balancer.
const LOAD_BALANCER: &str = "loadBalancerService";

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
    /// Its other names, sorted. Empty if it isn't published.
    pub more_names: Vec<Name>,
    /// The name that Rancher shows for the service at present.
    pub fqdn: Option<String>,
    /// Whether the service is a sidekick, whose `fqdn` Rancher never sets.
    pub is_sidekick: bool,
    /// The TTL of its own that the service wants.
    pub ttl: Option<u32>,
    /// What is odd about the service, published or not.
    pub warnings: Vec<Warning>,
    /// If it is published: its containers that don't count; none if all do. In a box, since few
    /// services have any.
    pub skipped_containers: Option<Box<SkippedContainers>>,
}

impl Desired {
    /// The services that are not published, and why.
    pub fn skipped(&self) -> impl Iterator<Item = (&ServiceKey, &SkipReason)> {
        let services = self.services.iter();
        services.filter_map(|(key, outcome)| Some((key, outcome.name.as_ref().err()?)))
    }

    /// The services that have warnings.
    pub fn warned(&self) -> impl Iterator<Item = (&ServiceKey, &ServiceOutcome)> {
        let services = self.services.iter();
        services.filter(|(_, outcome)| !outcome.warnings.is_empty())
    }

    /// The published services that have containers that don't count, with these.
    pub fn skipped_containers(&self) -> impl Iterator<Item = (&ServiceKey, &SkippedContainers)> {
        let services = self.services.iter();
        services.filter_map(|(key, outcome)| Some((key, outcome.skipped_containers.as_deref()?)))
    }
}

impl ServiceOutcome {
    /// All names under which the service is published. The first is the one that Rancher is to show.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.name.iter().chain(&self.more_names)
    }

    /// Whether Rancher shows this name for the service, in any spelling: the forerunners write a
    /// wildcard as `\052`.
    pub fn shows(&self, name: &Name) -> bool {
        self.fqdn.as_deref().is_some_and(|fqdn| {
            let known = name.as_str().strip_suffix('.');
            // Nearly all are spelled like this, and that is quicker to see.
            known == Some(fqdn) || Name::parse(fqdn).is_ok_and(|shown| shown == *name)
        })
    }

    fn comes_before(&self, other: &ServiceOutcome) -> bool {
        match (&self.name, &other.name) {
            (Ok(name), Ok(other)) => name <= other,
            (name, _) => name.is_ok(),
        }
    }

    /// The warnings in words; empty if there is none.
    pub fn warning(&self) -> String {
        let words: Vec<String> = self.warnings.iter().map(Warning::to_string).collect();
        words.join("; ")
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
    /// Whether a host has a label that isn't understood. Nearly always none has.
    has_odd_hosts: bool,
    names: BTreeMap<Name, Published>,
    services: BTreeMap<ServiceKey, ServiceOutcome>,
}

/// What the services of one name want there.
struct Published {
    /// Their addresses, unsorted and with duplicates.
    addresses: Vec<IpAddr>,
    /// The smallest of their TTLs.
    ttl: u32,
    /// Whether they want several TTLs.
    is_disputed: bool,
}

/// The text of a host's label `external_dns`, if it is neither `true` nor `false`.
fn odd_label<'a>(host: &'a Host, rules: &Rules) -> Option<&'a str> {
    let text = host.labels.known.get(labels::HOST, &rules.label_suffix)?;
    let is_known = ["true", "false"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text));
    (!is_known).then_some(text)
}

/// What the containers of a service come to.
struct Found {
    /// The addresses of those that count, unsorted and with duplicates. There is at least one.
    addresses: Vec<IpAddr>,
    /// Those that don't count.
    skipped: Option<Box<SkippedContainers>>,
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
            has_odd_hosts: hosts.values().any(|host| odd_label(host, rules).is_some()),
            names: BTreeMap::new(),
            services: BTreeMap::new(),
        }
    }

    /// Adds a service. Whether it is what [`Desired::services`] has under its name: metadata may have
    /// it several times, and one of them is kept.
    pub fn add(&mut self, service: &Service<'_>) -> bool {
        let mut options = ServiceOptions::read(&service.labels, self.rules);
        let published = self.publish(service, &options);
        let mut more_names = Vec::new();
        let mut skipped_containers = None;
        let name = published.map(|(name, found)| {
            more_names = self.more_names(service, &mut options, &name);
            for name in std::iter::once(&name).chain(&more_names) {
                self.share(name, &found.addresses, options.ttl);
            }
            skipped_containers = found.skipped;
            if self.has_odd_hosts {
                options.warnings.extend(self.odd_host(service));
            }
            name
        });
        let key = ServiceKey {
            stack: service.stack_name.to_string(),
            service: service.name.to_string(),
        };
        let outcome = ServiceOutcome {
            name,
            more_names,
            fqdn: service.fqdn.as_deref().map(str::to_owned),
            is_sidekick: service.is_sidekick,
            ttl: options.ttl,
            warnings: options.warnings,
            skipped_containers,
        };
        // Rancher's API tells services apart by name only. Of two with the same name, the one
        // that is published is kept, and of two that are, the first by its name: metadata's order varies.
        match self.services.entry(key) {
            Entry::Occupied(known) if known.get().comes_before(&outcome) => false,
            place => {
                place.insert_entry(outcome);
                true
            }
        }
    }

    /// Returns what should be published, once all services have been added.
    pub fn finish(mut self) -> Desired {
        if self.names.values().any(|published| published.is_disputed) {
            self.warn_of_other_ttls();
        }
        let mut desired = Desired {
            services: self.services,
            ..Desired::default()
        };
        for (name, Published { addresses, ttl, .. }) in self.names {
            let addresses = sorted::set(addresses).into_iter();
            let (v4, v6) = addresses.partition(IpAddr::is_ipv4);
            desired.add(&name, RecordType::A, v4, ttl);
            desired.add(&name, RecordType::Aaaa, v6, ttl);
        }
        desired
    }

    /// Adds addresses to a name, with the TTL of the service that they are from if it has its own.
    fn share(&mut self, name: &Name, addresses: &[IpAddr], ttl: Option<u32>) {
        let ttl = ttl.unwrap_or(self.rules.ttl);
        let published = self.names.entry(name.clone()).or_insert(Published {
            addresses: Vec::new(),
            ttl,
            is_disputed: false,
        });
        published.is_disputed |= published.ttl != ttl;
        published.ttl = published.ttl.min(ttl);
        published.addresses.extend_from_slice(addresses);
    }

    /// Warns each service whose TTL isn't that of its names. One of them is enough to say so.
    fn warn_of_other_ttls(&mut self) {
        for outcome in self.services.values_mut() {
            let wanted = outcome.ttl.unwrap_or(self.rules.ttl);
            let other = outcome.names().find_map(|name| {
                let used = self.names.get(name)?.ttl;
                (used != wanted).then(|| (name.clone(), used))
            });
            let warning = other.map(|(name, used)| Warning::OtherTtl { name, wanted, used });
            outcome.warnings.extend(warning);
        }
    }

    fn publish(
        &self,
        service: &Service<'_>,
        options: &ServiceOptions<'_>,
    ) -> Result<(Name, Found), SkipReason> {
        if !matches!(&*service.kind, "service" | LOAD_BALANCER) {
            return Err(SkipReason::Kind(service.kind.to_string()));
        }
        if service.is_system && !self.rules.has_system_services {
            return Err(SkipReason::System);
        }
        let policy = match (options.policy, self.rules.default_policy) {
            (Some(PublishPolicy::Never), _) => return Err(SkipReason::Never),
            (None, PublishPolicy::Never) => return Err(SkipReason::NotChosen),
            (policy, default) => policy.unwrap_or(default),
        };
        let found = self.find(service, &self.address_rules(options, policy))?;
        Ok((self.name(service, options)?, found))
    }

    /// What is asked of the containers of a service.
    fn address_rules<'b>(
        &'b self,
        options: &'b ServiceOptions<'_>,
        policy: PublishPolicy,
    ) -> AddressRules<'b> {
        AddressRules {
            needs_port: policy == PublishPolicy::Auto
                && *options.address != AddressSource::Container,
            source: &options.address,
            record_types: self.rules.record_types,
            label_suffix: &self.rules.label_suffix,
        }
    }

    fn name(
        &self,
        service: &Service<'_>,
        options: &ServiceOptions<'_>,
    ) -> Result<Name, SkipReason> {
        let own = options.template.map(Template::parse).transpose();
        let own = own.map_err(SkipReason::from)?;
        own.as_ref()
            .unwrap_or(&self.rules.template)
            .name(&self.names_of(service), &self.rules.zone)
            .map_err(SkipReason::Name)
    }

    /// The names of a service besides `name`, sorted. Items that give none become warnings.
    fn more_names(
        &self,
        service: &Service<'_>,
        options: &mut ServiceOptions<'_>,
        name: &Name,
    ) -> Vec<Name> {
        let mut others = Vec::new();
        for more in self.names_by_origin(service, options) {
            for other in more.iter().filter(|other| *other != name) {
                sorted::add(&mut others, other);
            }
        }
        others
    }

    /// A warning if a host of the service's containers has a label that isn't understood; of several
    /// the same one in whatever order they come.
    fn odd_host(&self, service: &Service<'_>) -> Option<Warning> {
        let containers = service.containers.iter();
        let hosts = containers.filter_map(|container| self.hosts.get(&*container.host_uuid));
        let odd = hosts.filter_map(|host| odd_label(host, self.rules)).min();
        odd.map(Warning::host)
    }

    /// The names in the label of a service, and those that it has as a load balancer.
    fn names_by_origin(
        &self,
        service: &Service<'_>,
        options: &mut ServiceOptions<'_>,
    ) -> [Vec<Name>; 2] {
        let (names, zone) = (self.names_of(service), &self.rules.zone);
        let warnings = &mut options.warnings;
        let of_label = options
            .names
            .map(|text| names::of_label(text, &names, zone, warnings));
        let is_asked = options.lb_hostnames && service.kind == LOAD_BALANCER;
        let of_load_balancer = is_asked.then(|| {
            let hostnames = &service.lb_hostnames;
            names::of_load_balancer(hostnames, &names, zone, warnings)
        });
        [of_label, of_load_balancer].map(Option::unwrap_or_default)
    }

    fn names_of<'b>(&'b self, service: &'b Service<'_>) -> Names<'b> {
        Names {
            service: &service.name,
            stack: &service.stack_name,
            environment: &self.environment.name,
        }
    }

    /// What the containers of a service come to. If none counts, the reason of the one that met the
    /// most conditions: when one is stopped and one is unhealthy, the operator should look at the
    /// unhealthy one.
    fn find(&self, service: &Service<'_>, rules: &AddressRules<'_>) -> Result<Found, SkipReason> {
        let containers = &service.containers;
        let address = |container| address::published_address(container, self.hosts, rules);
        let mut addresses = Vec::new();
        let mut nearest = None;
        for container in containers {
            match address(container) {
                Ok((address, _)) => addresses.push(address),
                Err(reason) => nearest = nearest.max(Some(reason)),
            }
        }
        if addresses.is_empty() {
            return Err(nearest.map_or(SkipReason::NoContainer, SkipReason::Container));
        }
        // Asked once more for those of a published service, so that nothing is kept for the many
        // services that publish no port.
        let skipped = nearest.map(|_| {
            let reasons = containers.iter().filter_map(|container| {
                let reason = address(container).err()?;
                Some((&*container.name, reason))
            });
            Box::new(SkippedContainers::new(containers.len(), reasons))
        });
        Ok(Found { addresses, skipped })
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

#[cfg(test)]
mod tests;
