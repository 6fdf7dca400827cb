//! The settings that apply to every service.

use std::net::IpAddr;
use std::sync::Arc;

use crate::desired::address::AddressSource;
use crate::desired::name_template::Template;
use crate::desired::options::PublishPolicy;
use crate::dns::{Name, RecordType, Routing};
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
    /// `LB_HOSTNAMES`, for load balancers that have no label that says so.
    pub lb_hostnames: bool,
    /// `ADDRESS`, for services that have no label that says so.
    pub address: AddressSource,
    /// `RECORD_TYPES`.
    pub record_types: RecordTypes,
    /// `ROUTING`, for services that have no label with a routing policy. None for `simple`.
    pub routing: Option<Routing>,
    /// `OWNER_ID`: the set identifier of services that have none of their own. None for the
    /// environment's UUID.
    pub owner_id: Option<Arc<str>>,
    /// The name of the partition of `AWS_REGION`, in which the zone is. It says which aliases there are.
    pub partition: &'static str,
}

/// Which addresses are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordTypes {
    /// All: `A,AAAA`.
    Both,
    /// IPv4 addresses only: `A`.
    A,
    /// IPv6 addresses only: `AAAA`.
    Aaaa,
}

impl RecordTypes {
    /// Reads a list such as `A,AAAA`, in any order and case.
    pub fn parse(text: &str) -> Result<RecordTypes, String> {
        let (mut a, mut aaaa) = (false, false);
        for word in text.split(',').map(str::trim) {
            a |= word.eq_ignore_ascii_case("A");
            aaaa |= word.eq_ignore_ascii_case("AAAA");
            if !["A", "AAAA"]
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known))
            {
                return Err("not a list of these types".to_owned());
            }
        }
        Ok(match (a, aaaa) {
            (true, false) => RecordTypes::A,
            (false, _) => RecordTypes::Aaaa,
            (true, true) => RecordTypes::Both,
        })
    }

    /// The types themselves.
    pub fn types(self) -> &'static [RecordType] {
        match self {
            RecordTypes::Both => &RecordType::OF_ADDRESSES,
            RecordTypes::A => &[RecordType::A],
            RecordTypes::Aaaa => &[RecordType::Aaaa],
        }
    }

    /// Whether an address of this family is published.
    pub fn has(self, address: IpAddr) -> bool {
        match self {
            RecordTypes::Both => true,
            RecordTypes::A => address.is_ipv4(),
            RecordTypes::Aaaa => address.is_ipv6(),
        }
    }
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
            lb_hostnames: false,
            address: AddressSource::Host,
            record_types: RecordTypes::Both,
            routing: None,
            owner_id: None,
            partition: "aws",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_types_are_a_list_of_the_two() {
        for (text, expected) in [
            ("A,AAAA", Some(RecordTypes::Both)),
            (" aaaa , a ", Some(RecordTypes::Both)),
            ("A", Some(RecordTypes::A)),
            ("a,A", Some(RecordTypes::A)),
            ("AAAA", Some(RecordTypes::Aaaa)),
            ("", None),
            ("A,", None),
            ("A AAAA", None),
            ("CNAME", None),
            ("A,CNAME", None),
        ] {
            assert_eq!(RecordTypes::parse(text).ok(), expected, "{text}");
        }
    }
}
