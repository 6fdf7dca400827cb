//! What the labels of a service ask for, read once and typed.
//!
//! In: the labels, and the [`Rules`] that hold where a label is missing. Out: [`ServiceOptions`], with
//! a [`Warning`] for each label that isn't understood. Such a label counts as missing, or as the
//! warning says; it never keeps the service from being published. Labels of which that isn't true, since
//! something else would be published than what was meant, are texts here.

use std::borrow::Cow;

use crate::desired::Rules;
use crate::desired::address::AddressSource;
use crate::desired::warning::Warning;
use crate::dns::record_set::MAX_TTL;
use crate::rancher::labels::{self, LabelKey, Labels};

/// Which services are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishPolicy {
    /// Those with containers that publish a port on their host. This is the default.
    Auto,
    /// Also those with containers without such a port.
    Always,
    /// None.
    Never,
}

/// The words of [`PublishPolicy`], in labels and in `DEFAULT_POLICY`.
pub const POLICIES: [(&str, PublishPolicy); 3] = [
    ("auto", PublishPolicy::Auto),
    ("always", PublishPolicy::Always),
    ("never", PublishPolicy::Never),
];

/// How a service wants to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceOptions<'a> {
    /// What the label `external_dns` says. `None` without the label.
    pub policy: Option<PublishPolicy>,
    /// The text of its own name template.
    pub template: Option<&'a str>,
    /// The text of the label with its further names.
    pub names: Option<&'a str>,
    /// If it is a load balancer: whether its host names are names, too.
    pub lb_hostnames: bool,
    /// Which address of its containers is published.
    pub address: Cow<'a, AddressSource>,
    /// Its own TTL, in seconds.
    pub ttl: Option<u32>,
    /// The text of the label that says what its names answer.
    pub target: Option<&'a str>,
    /// The text of the label with its routing policy.
    pub routing: Option<&'a str>,
    /// The text of the label with its set identifier.
    pub routing_id: Option<&'a str>,
    /// The text of the label with the id of its health check.
    pub health_check: Option<&'a str>,
    /// What is wrong with its labels.
    pub warnings: Vec<Warning>,
    labels: &'a Labels,
    rules: &'a Rules,
}

impl<'a> ServiceOptions<'a> {
    /// The key under which the service has this label.
    pub fn key(&self, name: &'static str) -> LabelKey {
        self.labels.key_of(name, &self.rules.label_suffix)
    }

    /// Whether the service is published, and the label that says so; no label if it is the default.
    pub fn policy(&self, default: PublishPolicy) -> (PublishPolicy, Option<&'static str>) {
        let has_own_address = *self.address == AddressSource::Container;
        match (self.policy, &self.address) {
            (Some(policy), _) => (policy, Some(labels::POLICY)),
            (None, _) if self.target.is_some() => (PublishPolicy::Always, Some(labels::TARGET)),
            (None, Cow::Owned(_)) if has_own_address => {
                (PublishPolicy::Always, Some(labels::ADDRESS))
            }
            (None, _) => (default, None),
        }
    }

    /// Reads the labels of a service.
    pub fn read(labels: &'a Labels, rules: &'a Rules) -> ServiceOptions<'a> {
        let get = |name| labels.get(name, &rules.label_suffix);
        let mut warnings = Vec::new();
        let policy = get(labels::POLICY).map(|text| {
            choice(text, &POLICIES).unwrap_or_else(|| {
                warnings.push(Warning::policy(text));
                PublishPolicy::Auto
            })
        });
        let lb_hostnames = get(labels::LB_HOSTNAMES).and_then(|text| {
            let is_on = choice(text, &[("true", true), ("false", false)]);
            if is_on.is_none() {
                warnings.push(Warning::lb_hostnames(text));
            }
            is_on
        });
        let address = get(labels::ADDRESS).and_then(|text| {
            let source = AddressSource::parse(text);
            if source.is_none() {
                warnings.push(Warning::address(text));
            }
            source.map(Cow::Owned)
        });
        let ttl = get(labels::TTL).and_then(|text| {
            let ttl = text.parse().ok().filter(|ttl| *ttl <= MAX_TTL);
            if ttl.is_none() {
                warnings.push(Warning::ttl(text));
            }
            ttl
        });
        ServiceOptions {
            policy,
            template: get(labels::NAME_TEMPLATE),
            names: get(labels::NAMES),
            lb_hostnames: lb_hostnames.unwrap_or(rules.lb_hostnames),
            address: address.unwrap_or(Cow::Borrowed(&rules.address)),
            ttl,
            target: get(labels::TARGET),
            routing: get(labels::ROUTING),
            routing_id: get(labels::ROUTING_ID),
            health_check: get(labels::HEALTH_CHECK),
            warnings,
            labels,
            rules,
        }
    }
}

/// What a word stands for, in any case.
fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Option<T> {
    let mut choices = choices.iter();
    let found = choices.find(|(word, _)| word.eq_ignore_ascii_case(text));
    found.map(|(_, choice)| *choice)
}
