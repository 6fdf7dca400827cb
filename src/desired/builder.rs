//! Takes the services in one by one: whether each is published, under which names, and with what.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::base::sorted;
use crate::desired::container::SkippedContainers;
use crate::desired::counting::odd_label;
use crate::desired::merge::{Extra, Wants};
use crate::desired::name_template::{Names, Template};
use crate::desired::names;
use crate::desired::options::{PublishPolicy, ServiceOptions};
use crate::desired::routing::{RoutingFault, Share, default_set_id};
use crate::desired::skip::SkipReason;
use crate::desired::target::{self, HostTarget, Target, TargetFault, may_be_state_record};
use crate::desired::warning::{LeftOut, Warning};
use crate::desired::{EXTERNAL, LOAD_BALANCER, Rules, ServiceOutcome};
use crate::dns::{Name, Routing, SharedText};
use crate::rancher::labels;
use crate::rancher::model::{Environment, Host, Service, ServiceKey};

/// Builds [`Desired`](super::Desired) from one service at a time. `/services` may have 68 MB, and this
/// way only one service of it is in memory at once.
pub struct DesiredBuilder<'a> {
    pub(super) environment: &'a Environment,
    pub(super) hosts: &'a HashMap<String, Host>,
    pub(super) rules: &'a Rules,
    /// Whether a host has a label that isn't understood. Nearly always none has.
    has_odd_hosts: bool,
    /// The set identifier of services that have none of their own.
    pub(super) set_id: Option<SharedText>,
    pub(super) services: BTreeMap<ServiceKey, ServiceOutcome>,
    /// Published services that have stack and name of another one, which is in `services`. Sorted.
    pub(super) duplicates: Vec<(ServiceKey, ServiceOutcome)>,
}

/// How a service is published.
struct Publication {
    name: Name,
    wants: Wants,
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
            set_id: default_set_id(rules.owner_id.as_deref(), &environment.uuid),
            services: BTreeMap::new(),
            duplicates: Vec::new(),
        }
    }

    /// Adds a service. Whether it is what [`Desired::services`](super::Desired::services) has under its
    /// name: metadata may have it several times, and one of them is kept.
    pub fn add(&mut self, service: &Service<'_>) -> bool {
        let mut options = ServiceOptions::read(&service.labels, self.rules);
        let mut outcome = ServiceOutcome::new(Err(SkipReason::NoContainer));
        let skipped = &mut outcome.skipped_containers;
        let published = self.publish(service, &mut options, skipped);
        outcome.name = published.map(|Publication { name, wants }| {
            outcome.more_names = self.more_names(service, &mut options, &name, wants.host());
            outcome.set_id = wants.share().map(|share| share.set_id.clone());
            outcome.is_alias = wants.host().is_some_and(|host| host.alias_zone.is_some());
            outcome.wants = Some(Box::new(wants));
            if self.has_odd_hosts {
                options.warnings.extend(self.odd_host(service));
            }
            name
        });
        outcome.fqdn = service.fqdn.as_deref().map(str::to_owned);
        outcome.is_sidekick = service.is_sidekick;
        outcome.ttl = options.ttl;
        outcome.warnings = options.warnings;
        let key = ServiceKey {
            stack: service.stack_name.to_string(),
            service: service.name.to_string(),
        };
        self.keep(key, outcome)
    }

    /// Rancher's API tells services apart by name only. Of two with the same name, the one that is
    /// published is kept, and of two that are, the first by its name and by what it wants there:
    /// metadata's order varies.
    fn keep(&mut self, key: ServiceKey, outcome: ServiceOutcome) -> bool {
        let mut place = match self.services.entry(key) {
            Entry::Vacant(place) => {
                place.insert(outcome);
                return true;
            }
            Entry::Occupied(place) => place,
        };
        let is_kept = !place.get().comes_before(&outcome);
        let other = match is_kept {
            true => place.insert(outcome),
            false => outcome,
        };
        if other.name.is_ok() {
            let key = place.key();
            let at = self.duplicates.partition_point(|(known, before)| {
                known < key || known == key && before.comes_before(&other)
            });
            self.duplicates.insert(at, (key.clone(), other));
        }
        is_kept
    }

    fn publish(
        &self,
        service: &Service<'_>,
        options: &mut ServiceOptions<'_>,
        skipped_containers: &mut Option<Box<SkippedContainers>>,
    ) -> Result<Publication, SkipReason> {
        let policy = self.policy(service, options)?;
        let target = self.target(service, options)?;
        let extra = self.extra(options, target.as_ref())?;
        let (mut addresses, mut skipped) = (Vec::new(), None);
        if service.kind != EXTERNAL {
            let rules = self.address_rules(options, policy);
            let found = self.find(service, &rules, target.is_some());
            skipped = found.skipped;
            match found.addresses {
                Ok(found) => addresses = found,
                Err(reason) => {
                    *skipped_containers = skipped;
                    return Err(reason);
                }
            }
        }
        let name = self.name(service, options)?;
        let addresses = match target {
            None => addresses,
            Some(Target::Addresses(addresses)) => addresses,
            Some(Target::Host(host)) => {
                match self.left_out(&name, Some(&host)) {
                    Some(LeftOut::Apex) => return Err(SkipReason::CnameAtApex),
                    Some(LeftOut::StateRecord) => return Err(TargetFault::StateRecord.into()),
                    Some(_) => return Err(TargetFault::OwnName.into()),
                    None => {}
                }
                Vec::new()
            }
        };
        *skipped_containers = skipped;
        Ok(Publication {
            name,
            wants: Wants { addresses, extra },
        })
    }

    /// Which containers of a service count, if it may be published at all.
    fn policy(
        &self,
        service: &Service<'_>,
        options: &ServiceOptions<'_>,
    ) -> Result<PublishPolicy, SkipReason> {
        let is_asked_for =
            options.policy == Some(PublishPolicy::Always) || options.target.is_some();
        match &*service.kind {
            "service" | LOAD_BALANCER => {}
            EXTERNAL if is_asked_for => {}
            kind => return Err(SkipReason::Kind(kind.to_owned())),
        }
        if service.is_system && !self.rules.has_system_services {
            return Err(SkipReason::System);
        }
        match options.policy(self.rules.default_policy) {
            (PublishPolicy::Never, Some(_)) => Err(SkipReason::Never(options.key(labels::POLICY))),
            (PublishPolicy::Never, None) => Err(SkipReason::NotChosen),
            (policy, _) => Ok(policy),
        }
    }

    /// What the names of a service lead to, if that isn't the addresses of its containers.
    pub(super) fn target(
        &self,
        service: &Service<'_>,
        options: &mut ServiceOptions<'_>,
    ) -> Result<Option<Target>, TargetFault> {
        match options.target {
            Some(text) => {
                let key = options.key(labels::TARGET);
                target::of_label(text, key, self.rules).map(Some)
            }
            None if service.kind == EXTERNAL => {
                target::of_external(service, self.rules, &mut options.warnings).map(Some)
            }
            None => Ok(None),
        }
    }

    /// What a service wants beyond addresses in simple record sets. Nearly always nothing.
    fn extra(
        &self,
        options: &ServiceOptions<'_>,
        target: Option<&Target>,
    ) -> Result<Option<Arc<Extra>>, RoutingFault> {
        let own_id = options.set_id()?;
        let routing = options.routing(self.rules.routing.as_ref())?;
        let health_check = options.health_check()?;
        let target = match target {
            Some(Target::Host(host)) => Some(host.clone()),
            _ => None,
        };
        if target.is_some() && routing == Some(Routing::Multivalue) {
            return Err(RoutingFault::Multivalue);
        }
        let share = match routing {
            None => None,
            Some(routing) => Some(Share {
                set_id: self.set_id(own_id)?,
                routing,
            }),
        };
        let is_extra = target.is_some() || share.is_some() || health_check.is_some();
        Ok(is_extra.then(|| {
            Arc::new(Extra {
                share,
                health_check,
                target,
            })
        }))
    }

    /// The set identifier of a service, which may have one of its own.
    pub(super) fn set_id(&self, own: Option<SharedText>) -> Result<SharedText, RoutingFault> {
        let set_id = own.or_else(|| self.set_id.clone());
        set_id.ok_or_else(|| RoutingFault::no_set_id(&self.environment.uuid))
    }

    pub(super) fn name(
        &self,
        service: &Service<'_>,
        options: &ServiceOptions<'_>,
    ) -> Result<Name, SkipReason> {
        let own = options.template.map(Template::parse).transpose();
        let own = own.map_err(|error| (options.key(labels::NAME_TEMPLATE), error))?;
        own.as_ref()
            .unwrap_or(&self.rules.template)
            .name(&self.names_of(service), &self.rules.zone)
            .map_err(SkipReason::Name)
    }

    /// Why a name can't lead to this target.
    fn left_out(&self, name: &Name, target: Option<&HostTarget>) -> Option<LeftOut> {
        let target = target?;
        if target.name == *name {
            return Some(LeftOut::OwnTarget);
        }
        let zone = &self.rules.zone;
        match target.alias_zone {
            Some(_) => None,
            None if name == zone => Some(LeftOut::Apex),
            None => may_be_state_record(name, zone).then_some(LeftOut::StateRecord),
        }
    }

    /// The names of a service besides `name`, sorted. Items that give none become warnings.
    fn more_names(
        &self,
        service: &Service<'_>,
        options: &mut ServiceOptions<'_>,
        name: &Name,
        target: Option<&HostTarget>,
    ) -> Vec<Name> {
        let mut others = Vec::new();
        for more in self.names_by_origin(service, options, target) {
            for other in more.iter().filter(|other| *other != name) {
                sorted::add(&mut others, other);
            }
        }
        others
    }

    /// The names in the label of a service, and those that it has as a load balancer.
    pub(super) fn names_by_origin(
        &self,
        service: &Service<'_>,
        options: &mut ServiceOptions<'_>,
        target: Option<&HostTarget>,
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
        let mut found = [of_label, of_load_balancer].map(Option::unwrap_or_default);
        for names in &mut found {
            names.retain(|name| {
                let Some(why) = self.left_out(name, target) else {
                    return true;
                };
                let warning = Warning::LeftOut(name.clone(), why);
                if !options.warnings.contains(&warning) {
                    options.warnings.push(warning);
                }
                false
            });
        }
        found
    }

    fn names_of<'b>(&'b self, service: &'b Service<'_>) -> Names<'b> {
        Names {
            service: &service.name,
            stack: &service.stack_name,
            environment: &self.environment.name,
        }
    }
}

impl ServiceOutcome {
    fn comes_before(&self, other: &ServiceOutcome) -> bool {
        let extra =
            |outcome: &ServiceOutcome| outcome.wants.as_ref().map(|wants| wants.extra.clone());
        match (&self.name, &other.name) {
            (Ok(name), Ok(other_name)) => (name, extra(self)) <= (other_name, extra(other)),
            (name, _) => name.is_ok(),
        }
    }
}
