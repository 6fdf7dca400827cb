//! The settings that apply to every service.

use crate::desired::name_template::Template;
use crate::desired::options::PublishPolicy;
use crate::dns::Name;
use crate::rancher::labels::LabelSuffix;

/// Settings that apply to every service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Name of the hosted zone. Every published name is at or below it.
    pub zone: Name,
    /// `NAME_TEMPLATE`, for services that have no label with a template.
    pub template: Template,
    /// `TTL`, in seconds.
    pub ttl: u32,
    /// `LABEL_SUFFIX`.
    pub label_suffix: LabelSuffix,
    /// `DEFAULT_POLICY`, for services that have no label with a policy.
    pub default_policy: PublishPolicy,
    /// `SYSTEM_SERVICES`: whether services of system stacks are published, too.
    pub has_system_services: bool,
}

impl Rules {
    /// The rules of a zone if no other setting is made.
    pub fn of_zone(zone: Name) -> Rules {
        Rules {
            zone,
            template: Template::default(),
            ttl: 300,
            label_suffix: LabelSuffix::default(),
            default_policy: PublishPolicy::Auto,
            has_system_services: true,
        }
    }
}
