//! Works out which record sets should be in the hosted zone.
//!
//! In: services and hosts as Rancher's metadata has them, and the [`Rules`] from the settings.
//! Out: [`Desired`], with the record sets, and for each service its name or the reason why it is
//! not published. Pure: nothing here does I/O.

pub mod address;
mod builder;
pub mod container;
mod counting;
pub mod explain;
mod merge;
pub mod name_template;
pub mod names;
pub mod options;
pub mod routing;
pub mod rules;
pub mod skip;
pub mod target;
pub mod warning;

use std::collections::BTreeMap;

pub use crate::desired::builder::DesiredBuilder;
use crate::desired::container::SkippedContainers;
use crate::desired::merge::Wants;
pub use crate::desired::rules::Rules;
use crate::desired::skip::SkipReason;
use crate::desired::warning::Warning;
use crate::dns::record_set::MAX_VALUES;
use crate::dns::{Member, Name, RecordKey, RecordSet, RecordType, SharedText};
use crate::rancher::model::ServiceKey;

/// The kind of a load balancer.
const LOAD_BALANCER: &str = "loadBalancerService";
/// The kind of a service that runs outside of Rancher.
const EXTERNAL: &str = "externalService";

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
    /// Its containers that don't count, if others do, or if something has failed; none if all count, or
    /// if the service is as somebody wants it. In a box, since few services have any.
    pub skipped_containers: Option<Box<SkippedContainers>>,
    /// The set identifier of its record sets. `None` without a routing policy.
    pub set_id: Option<SharedText>,
    /// Whether its names are aliases, which have no TTL.
    is_alias: bool,
    /// What it wants under its names, until [`DesiredBuilder::finish`] takes it.
    wants: Option<Box<Wants>>,
}

/// A service that comes first under a name, so that another one isn't published there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    /// The name that both want.
    pub name: Name,
    /// The other service: its stack and its name.
    pub service: String,
}

impl Desired {
    /// The record sets of a name, of whatever type and set identifier.
    pub fn of_name<'a>(&'a self, name: &Name) -> impl Iterator<Item = &'a RecordSet> {
        let first = RecordKey::new(name.clone(), RecordType::A); // the least type
        let stretch = self.record_sets.range(&first..);
        let sets = stretch.map(|(_, set)| set);
        sets.take_while(move |set| set.key.name == first.name)
    }

    /// The record sets of what a service is under a name, of whatever type.
    pub fn of_member<'a>(&'a self, member: &Member) -> impl Iterator<Item = &'a RecordSet> {
        let sets = self.of_name(&member.name);
        sets.filter(move |set| set.key.set_id == member.set_id)
    }

    /// The services that are not published, and why.
    pub fn skipped(&self) -> impl Iterator<Item = (&ServiceKey, &SkipReason)> {
        let services = self.services.iter();
        services.filter_map(|(key, outcome)| Some((key, outcome.name.as_ref().err()?)))
    }

    /// The services that ask for a name and can't have it as they ask, and why.
    pub fn misconfigured(&self) -> impl Iterator<Item = (&ServiceKey, &SkipReason)> {
        let services = self.services.iter();
        services.filter_map(|(key, outcome)| Some((key, outcome.mistake()?)))
    }

    /// The services that have warnings.
    pub fn warned(&self) -> impl Iterator<Item = (&ServiceKey, &ServiceOutcome)> {
        let services = self.services.iter();
        services.filter(|(_, outcome)| !outcome.warnings.is_empty())
    }

    /// The services that have containers that don't count, and should, with these.
    pub fn skipped_containers(&self) -> impl Iterator<Item = (&ServiceKey, &SkippedContainers)> {
        let services = self.services.iter();
        services.filter_map(|(key, outcome)| Some((key, outcome.skipped_containers.as_deref()?)))
    }
}

impl ServiceOutcome {
    /// The outcome for a service of which nothing else is known.
    pub fn new(name: Result<Name, SkipReason>) -> ServiceOutcome {
        ServiceOutcome {
            name,
            more_names: Vec::new(),
            fqdn: None,
            is_sidekick: false,
            ttl: None,
            warnings: Vec::new(),
            skipped_containers: None,
            set_id: None,
            is_alias: false,
            wants: None,
        }
    }

    /// Why the service can't have the name that it asks for, if somebody has to correct that.
    pub fn mistake(&self) -> Option<&SkipReason> {
        let reason = self.name.as_ref().err();
        reason.filter(|reason| reason.is_mistake())
    }

    /// What the service is under one of its names.
    pub fn member(&self, name: &Name) -> Member {
        Member {
            name: name.clone(),
            set_id: self.set_id.clone(),
        }
    }

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

#[cfg(test)]
mod tests;
