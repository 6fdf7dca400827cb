//! Which containers of a service count, and what they come to.

use std::net::IpAddr;

use crate::desired::address::{AddressRules, AddressSource, counts, published_address};
use crate::desired::container::{Requirement, SkippedContainers};
use crate::desired::options::{PublishPolicy, ServiceOptions};
use crate::desired::skip::SkipReason;
use crate::desired::warning::Warning;
use crate::desired::{DesiredBuilder, Rules};
use crate::rancher::labels;
use crate::rancher::model::{Container, Host, Service};

/// The text of a host's label `external_dns`, if it is neither `true` nor `false`.
pub(super) fn odd_label<'a>(host: &'a Host, rules: &Rules) -> Option<&'a str> {
    let text = host.labels.known.get(labels::HOST, &rules.label_suffix)?;
    let is_known = ["true", "false"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(text));
    (!is_known).then_some(text)
}

/// What the containers of a service come to.
pub(super) struct Found {
    /// The addresses of those that count, unsorted and with duplicates. There is at least one, unless
    /// the service has a target. If none counts, why.
    pub addresses: Result<Vec<IpAddr>, SkipReason>,
    /// Those that don't count, if somebody should look at them.
    pub skipped: Option<Box<SkippedContainers>>,
}

impl DesiredBuilder<'_> {
    /// What is asked of the containers of a service.
    pub(super) fn address_rules<'b>(
        &'b self,
        options: &'b ServiceOptions<'_>,
        policy: PublishPolicy,
    ) -> AddressRules<'b> {
        AddressRules {
            needs_port: policy == PublishPolicy::Auto
                && *options.address != AddressSource::Container
                && options.target.is_none(),
            needs_health: true,
            source: &options.address,
            record_types: self.rules.record_types,
            label_suffix: &self.rules.label_suffix,
        }
    }

    /// A warning if a host of the service's containers has a label that isn't understood; of several
    /// the same one in whatever order they come.
    pub(super) fn odd_host(&self, service: &Service<'_>) -> Option<Warning> {
        let containers = service.containers.iter();
        let hosts = containers.filter_map(|container| self.hosts.get(&*container.host_uuid));
        let odd = hosts.filter_map(|host| odd_label(host, self.rules)).min();
        odd.map(Warning::host)
    }

    /// What the containers of a service come to. If none counts, the reason of the one that met the
    /// most conditions: when one is stopped and one is unhealthy, the operator should look at the
    /// unhealthy one. With a target their addresses don't matter.
    pub(super) fn find(
        &self,
        service: &Service<'_>,
        rules: &AddressRules<'_>,
        has_target: bool,
    ) -> Found {
        let containers = &service.containers;
        let address = |container: &Container<'_>, rules: &AddressRules<'_>| match has_target {
            true => counts(container, self.hosts, rules).map(|()| None),
            false => {
                let found = published_address(container, self.hosts, rules);
                found.map(|(address, _)| Some(address))
            }
        };
        let but_for_health = AddressRules {
            needs_health: false,
            ..*rules
        };
        let (mut addresses, mut counted) = (Vec::new(), 0);
        let (mut nearest, mut has_failed) = (None, false);
        for container in containers {
            match address(container, rules) {
                Ok(address) => {
                    counted += 1;
                    addresses.extend(address);
                }
                Err(reason) => {
                    has_failed |= match reason.requirement {
                        Requirement::Healthy => address(container, &but_for_health)
                            .map_or_else(|skip| skip.requirement.is_failure(), |_| true),
                        requirement => requirement.is_failure(),
                    };
                    nearest = nearest.max(Some(reason));
                }
            }
        }
        let is_odd = has_failed || counted > 0 && nearest.is_some();
        // Asked once more, so that nothing is kept for the many services that publish no port.
        let skipped = is_odd.then(|| {
            let reasons = containers.iter().filter_map(|container| {
                let reason = address(container, rules).err()?;
                Some((&*container.name, reason))
            });
            Box::new(SkippedContainers::new(containers.len(), reasons))
        });
        let addresses = match counted {
            0 => Err(nearest.map_or(SkipReason::NoContainer, SkipReason::Container)),
            _ => Ok(addresses),
        };
        Found { addresses, skipped }
    }
}
