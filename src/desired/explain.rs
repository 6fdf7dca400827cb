//! Why one service is published as it is: what decided, each of its containers, and each of its names.
//! It asks the same functions that decide. Pure.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::base::redactor::shortened;
use crate::base::text::quoted;
use crate::desired::address::{AddressOrigin, AddressSource, counts, published_address};
use crate::desired::container::ContainerSkip;
use crate::desired::options::{POLICIES, PublishPolicy, ServiceOptions};
use crate::desired::target::{HostTarget, Target, TargetFault};
use crate::desired::warning::Warning;
use crate::desired::{DesiredBuilder, LOAD_BALANCER, SkipReason};
use crate::dns::Name;
use crate::rancher::labels;
use crate::rancher::model::{Container, Service};

/// Characters of a label that are kept.
const MAX_SHOWN: usize = 255;
/// What the label `external_dns` decides.
const PUBLISHED: &str = "published";

/// Why a service is published as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What decided how it is published.
    pub decisions: Vec<Decision>,
    /// Its containers by name, since metadata's order varies.
    pub containers: Vec<ExplainedContainer>,
    /// Its names. The first is that of its template.
    pub names: Vec<ExplainedName>,
}

/// Something that a label or a setting decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is decided, in a word or two.
    pub what: &'static str,
    /// What holds.
    pub value: String,
    /// Key of the label, or name of the setting.
    pub by: String,
}

/// One container, and what it adds to the names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedContainer {
    /// Its name.
    pub name: String,
    /// The address of the agent on its host; if metadata has none, the host's UUID.
    pub host: String,
    /// Its address and where that is from, or why it doesn't count. None if it counts and the names of
    /// the service lead to something else.
    pub address: Result<Option<(IpAddr, AddressOrigin)>, ContainerSkip>,
}

/// One name, or why the template gives none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedName {
    /// The name.
    pub name: Result<Name, SkipReason>,
    /// Key of the label, name of the setting, or what else it is from.
    pub by: String,
}

impl DesiredBuilder<'_> {
    /// Explains a service, whether it is published or not.
    pub fn explain(&self, service: &Service<'_>) -> Explanation {
        let mut options = ServiceOptions::read(&service.labels, self.rules);
        let target = self.target(service, &mut options);
        let containers = service.containers.iter();
        let has_target = !matches!(target, Ok(None));
        let containers =
            containers.map(|container| self.container(container, &options, has_target));
        let mut containers: Vec<ExplainedContainer> = containers.collect();
        containers.sort_by(|one, other| (&one.name, &one.host).cmp(&(&other.name, &other.host)));
        Explanation {
            containers,
            decisions: self.decisions(service, &options, &target),
            names: self.explained_names(service, &mut options, &target),
        }
    }

    fn container(
        &self,
        container: &Container<'_>,
        options: &ServiceOptions<'_>,
        has_target: bool,
    ) -> ExplainedContainer {
        let policy = match options.policy(self.rules.default_policy).0 {
            // What it would add if the service were published as services are by default.
            PublishPolicy::Never => PublishPolicy::Auto,
            policy => policy,
        };
        let rules = self.address_rules(options, policy);
        let host = self.hosts.get(&*container.host_uuid);
        let host = host.map(|host| &*host.agent_ip).filter(|ip| !ip.is_empty());
        ExplainedContainer {
            name: shortened(&container.name, MAX_SHOWN),
            host: shortened(host.unwrap_or(&container.host_uuid), MAX_SHOWN),
            address: match has_target {
                true => counts(container, self.hosts, &rules).map(|()| None),
                false => published_address(container, self.hosts, &rules).map(Some),
            },
        }
    }

    /// What decided. Settings that change nothing for this service are left out.
    fn decisions(
        &self,
        service: &Service<'_>,
        options: &ServiceOptions<'_>,
        target: &Result<Option<Target>, TargetFault>,
    ) -> Vec<Decision> {
        let rules = self.rules;
        let mut decisions = Vec::new();
        let mut add = |what, value: &str, label: Option<&str>, setting: &str| {
            decisions.push(Decision {
                what,
                value: shortened(value, MAX_SHOWN),
                by: self.origin(service, label, setting),
            });
        };
        if service.is_system {
            let value = match rules.has_system_services {
                true => "as others",
                false => "not published",
            };
            add("system stacks", value, None, "SYSTEM_SERVICES");
        }
        let (policy, by) = options.policy(rules.default_policy);
        let value = published(policy, options);
        add(PUBLISHED, value, by, "DEFAULT_POLICY");
        match target {
            Ok(None) => {
                let is_own = matches!(options.address, Cow::Owned(_));
                let by = is_own.then_some(labels::ADDRESS);
                add("address", &options.address.to_string(), by, "ADDRESS");
            }
            target => {
                let by = options.target.map(|_| labels::TARGET);
                add("target", &in_words(target), by, "what Rancher has of it");
            }
        }
        if let [only] = rules.record_types.types() {
            add("record types", only.as_str(), None, "RECORD_TYPES");
        }
        let template = rules.template.to_string();
        let by = options.template.map(|_| labels::NAME_TEMPLATE);
        let text = options.template.unwrap_or(&template);
        add("name template", text, by, "NAME_TEMPLATE");
        if let Some(text) = options.names {
            add("further names", text, Some(labels::NAMES), "");
        }
        if service.kind == LOAD_BALANCER {
            let doubts = &options.warnings;
            let is_understood = !doubts.iter().any(|w| matches!(w, Warning::LbHostnames(_)));
            let value = options.lb_hostnames.to_string();
            let by = is_understood.then_some(labels::LB_HOSTNAMES);
            add("host names as names", &value, by, "LB_HOSTNAMES");
        }
        let ttl = options.ttl.unwrap_or(rules.ttl).to_string();
        add("TTL", &ttl, options.ttl.map(|_| labels::TTL), "TTL");
        self.add_routing(options, &mut add);
        doubt_policy(&options.warnings, &mut decisions);
        decisions
    }

    /// Adds what decided how the names are shared with other record sets.
    fn add_routing(
        &self,
        options: &ServiceOptions<'_>,
        add: &mut impl FnMut(&'static str, &str, Option<&str>, &str),
    ) {
        let by = options.routing.map(|_| labels::ROUTING);
        match options.routing(self.rules.routing.as_ref()) {
            Ok(None) if by.is_none() => {}
            Ok(None) => add("routing", "simple", by, ""),
            Ok(Some(routing)) => {
                add("routing", &routing.to_string(), by, "ROUTING");
                let set_id = options.set_id().and_then(|own| self.set_id(own));
                if let Ok(set_id) = set_id {
                    let default = match self.rules.owner_id {
                        Some(_) => "OWNER_ID",
                        None => "the environment's UUID",
                    };
                    let by = options.routing_id.map(|_| labels::ROUTING_ID);
                    add("set identifier", &set_id, by, default);
                }
            }
            Err(_) => add("routing", &odd(options.routing), by, ""),
        }
        if options.set_id().is_err() {
            let value = odd(options.routing_id);
            add("set identifier", &value, Some(labels::ROUTING_ID), "");
        }
        let by = Some(labels::HEALTH_CHECK);
        match options.health_check() {
            Ok(None) => {}
            Ok(Some(id)) => add("health check", &id, by, ""),
            Err(_) => add("health check", &odd(options.health_check), by, ""),
        }
    }

    fn explained_names(
        &self,
        service: &Service<'_>,
        options: &mut ServiceOptions<'_>,
        target: &Result<Option<Target>, TargetFault>,
    ) -> Vec<ExplainedName> {
        let by = options.template.map(|_| labels::NAME_TEMPLATE);
        let mut names = vec![ExplainedName {
            name: self.name(service, options),
            by: self.origin(service, by, "NAME_TEMPLATE"),
        }];
        let origins = [Some(labels::NAMES), None];
        let host = match target {
            Ok(Some(Target::Host(host))) => Some(host),
            _ => None,
        };
        let more = self.names_by_origin(service, options, host);
        for (more, label) in more.into_iter().zip(origins) {
            for name in more.into_iter().map(Ok) {
                if !names.iter().any(|known| known.name == name) {
                    let by = self.origin(service, label, "the load balancer's port rules");
                    names.push(ExplainedName { name, by });
                }
            }
        }
        names
    }

    /// The key of a label that the service has, or else the setting.
    fn origin(&self, service: &Service<'_>, label: Option<&str>, setting: &str) -> String {
        let suffix = &self.rules.label_suffix;
        let key = label.and_then(|label| service.labels.key(label, suffix));
        key.map_or(setting.to_owned(), |key| format!("label {key}"))
    }
}

/// Which containers count, in words.
fn published(policy: PublishPolicy, options: &ServiceOptions<'_>) -> &'static str {
    let needs_no_port = *options.address == AddressSource::Container;
    match policy {
        PublishPolicy::Auto if options.target.is_some() => {
            "auto, which needs no port with a target"
        }
        PublishPolicy::Auto if needs_no_port => {
            "auto, which needs no port with the address 'container'"
        }
        policy => word(policy),
    }
}

/// Says of a policy that its label isn't understood.
fn doubt_policy(warnings: &[Warning], decisions: &mut [Decision]) {
    for warning in warnings {
        if let Warning::Policy(text) = warning {
            let mut published = decisions.iter_mut();
            if let Some(decision) = published.find(|decision| decision.what == PUBLISHED) {
                decision.by += &format!(", whose text {} isn't understood", quoted(text));
            }
        }
    }
}

/// The text of a label that isn't understood.
fn odd(text: Option<&str>) -> String {
    let text = shortened(text.unwrap_or_default(), MAX_SHOWN);
    format!("{}, which isn't understood", quoted(&text))
}

/// What the names of a service lead to.
fn in_words(target: &Result<Option<Target>, TargetFault>) -> String {
    match target {
        Ok(None) => String::new(),
        Ok(Some(Target::Addresses(addresses))) => {
            let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
            addresses.join(", ")
        }
        Ok(Some(Target::Host(HostTarget { name, alias_zone }))) => match alias_zone {
            Some(zone) => format!(
                "{}, as an alias in the hosted zone {zone}",
                name.without_dot()
            ),
            None => format!("{}, as a CNAME", name.without_dot()),
        },
        Err(fault) => format!("none: {fault}"),
    }
}

fn word(policy: PublishPolicy) -> &'static str {
    let mut words = POLICIES.iter().filter(|(_, known)| *known == policy);
    words.next().map_or("", |(word, _)| word)
}
