//! What is odd about a service that is published all the same.
//!
//! The list is closed: the log, `plan`, the status page and the metrics show the same warnings.

use std::fmt;

use crate::base::redactor::shortened;
use crate::base::text::quoted;
use crate::desired::address::ADDRESS_TAKES;
use crate::desired::names::NameFault;
use crate::dns::Name;
use crate::dns::record_set::MAX_TTL;

/// Characters of a label that a warning keeps.
const MAX_SHOWN: usize = 80;

/// What is odd about a service. None of it keeps the service from being published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The label `external_dns` is none of the policies. Holds its text.
    Policy(String),
    /// The label `external_dns_address` names no source of addresses. Holds its text.
    Address(String),
    /// The label `external_dns_ttl` is no TTL. Holds its text.
    Ttl(String),
    /// The label `external_dns_lb_hostnames` is neither `true` nor `false`. Holds its text.
    LbHostnames(String),
    /// An item of the label `external_dns_names` gives no name in the zone. Holds its text.
    Name(String, NameFault),
    /// There are more names than count.
    TooManyNames {
        /// What has them: a label, or a load balancer.
        of: &'static str,
        /// How many count.
        most: usize,
        /// How many there are.
        count: usize,
    },
    /// The label `external_dns` of a container's host is neither `true` nor `false`. Holds its text.
    Host(String),
    /// A load balancer's host name looks like one in the zone and is no name. Holds its text.
    Hostname(String, NameFault),
    /// Services that share a name want different TTLs, and another one's is used for it.
    OtherTtl {
        /// The name that they share.
        name: Name,
        /// The TTL that this service wants.
        wanted: u32,
        /// The TTL that the name gets: the smallest.
        used: u32,
    },
    /// An address of a service outside of Rancher is none. Holds its text.
    ExternalIp(String),
    /// This name of the service isn't published. It isn't that of its template.
    LeftOut(Name, LeftOut),
}

/// Why a name of a published service isn't published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// It is the zone's own name, where no CNAME can be.
    Apex,
    /// It is what the service's names lead to.
    OwnTarget,
    /// A state record may have it, and a CNAME would be in its place.
    StateRecord,
    /// This service, which comes first, wants another answer there.
    TargetDiffers(String),
    /// This service, which comes first, wants another routing policy there.
    RoutingDiffers(String),
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LeftOut::Apex => f.write_str("a CNAME can't have the zone's own name"),
            LeftOut::OwnTarget => f.write_str("it is what the service's names lead to"),
            LeftOut::StateRecord => {
                f.write_str("a state record may have it, beside which there can't be a CNAME")
            }
            LeftOut::TargetDiffers(by) => write!(
                f,
                "the service {}, which comes first, wants another answer there",
                quoted(by)
            ),
            LeftOut::RoutingDiffers(by) => write!(
                f,
                "the service {}, which comes first, wants another routing policy there",
                quoted(by)
            ),
        }
    }
}

impl Warning {
    /// The codes of all warnings, in the order of the variants.
    pub const CODES: [&str; 11] = [
        "policy",
        "address",
        "ttl",
        "lb_hostnames",
        "name",
        "too_many_names",
        "host",
        "hostname",
        "other_ttl",
        "external_ip",
        "name_left_out",
    ];

    /// A short name for metrics and for programs. It is one of [`Warning::CODES`].
    pub fn code(&self) -> &'static str {
        match self {
            Warning::Policy(_) => "policy",
            Warning::Address(_) => "address",
            Warning::Ttl(_) => "ttl",
            Warning::LbHostnames(_) => "lb_hostnames",
            Warning::Name(..) => "name",
            Warning::TooManyNames { .. } => "too_many_names",
            Warning::Host(_) => "host",
            Warning::Hostname(..) => "hostname",
            Warning::OtherTtl { .. } => "other_ttl",
            Warning::ExternalIp(_) => "external_ip",
            Warning::LeftOut(..) => "name_left_out",
        }
    }

    /// The label `external_dns` has this text, which is none of the policies.
    pub fn policy(text: &str) -> Warning {
        Warning::Policy(shortened(text, MAX_SHOWN))
    }

    /// The label `external_dns_address` has this text, which names no source of addresses.
    pub fn address(text: &str) -> Warning {
        Warning::Address(shortened(text, MAX_SHOWN))
    }

    /// The label `external_dns_ttl` has this text, which is no TTL.
    pub fn ttl(text: &str) -> Warning {
        Warning::Ttl(shortened(text, MAX_SHOWN))
    }

    /// The label `external_dns_lb_hostnames` has this text, which is neither `true` nor `false`.
    pub fn lb_hostnames(text: &str) -> Warning {
        Warning::LbHostnames(shortened(text, MAX_SHOWN))
    }

    /// This item of the label `external_dns_names` gives no name in the zone.
    pub fn name(item: &str, fault: NameFault) -> Warning {
        Warning::Name(shortened(item, MAX_SHOWN), fault)
    }

    /// This address of a service outside of Rancher is none.
    pub fn external_ip(text: &str) -> Warning {
        Warning::ExternalIp(shortened(text, MAX_SHOWN))
    }

    /// The label `external_dns` of a host has this text, which is neither `true` nor `false`.
    pub fn host(text: &str) -> Warning {
        Warning::Host(shortened(text, MAX_SHOWN))
    }

    /// This host name of a load balancer is no name.
    pub fn hostname(hostname: &str, fault: NameFault) -> Warning {
        Warning::Hostname(shortened(hostname, MAX_SHOWN), fault)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Policy(text) => write!(
                f,
                "external_dns={} is not one of auto, always and never; it is treated as auto",
                quoted(text)
            ),
            Warning::Address(text) => write!(
                f,
                "external_dns_address={} is not {ADDRESS_TAKES}; the setting ADDRESS holds",
                quoted(text)
            ),
            Warning::Ttl(text) => write!(
                f,
                "external_dns_ttl={} isn't used: it has to be a whole number from 0 to {MAX_TTL}; the \
                 setting TTL holds",
                quoted(text)
            ),
            Warning::LbHostnames(text) => write!(
                f,
                "external_dns_lb_hostnames={} is neither true nor false; the setting LB_HOSTNAMES \
                 holds",
                quoted(text)
            ),
            Warning::Name(item, fault) => write!(
                f,
                "external_dns_names: {} is left out: {fault}",
                quoted(item)
            ),
            Warning::TooManyNames { of, most, count } => {
                write!(f, "{of}: only the first {most} of {count} count")
            }
            Warning::Host(text) => write!(
                f,
                "the label io.rancher.host.external_dns={} of a host is neither true nor false; the \
                 containers on it count",
                quoted(text)
            ),
            Warning::Hostname(hostname, fault) => write!(
                f,
                "the load balancer's host name {} is left out: {fault}",
                quoted(hostname)
            ),
            Warning::OtherTtl { name, wanted, used } => write!(
                f,
                "its TTL of {wanted} isn't used for {}: another service of that name has {used}, \
                 and the smallest holds",
                name.without_dot()
            ),
            Warning::ExternalIp(text) => write!(
                f,
                "the external IP {} in Rancher is left out: it is no address",
                quoted(text)
            ),
            Warning::LeftOut(name, why) => {
                write!(f, "{} is left out: {why}", name.without_dot())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::name_template::{Names, Template};

    #[test]
    fn every_warning_s_code_is_in_the_list_once() {
        let all = [
            Warning::policy("x"),
            Warning::address("x"),
            Warning::ttl("x"),
            Warning::lb_hostnames("x"),
            Warning::name("x", NameFault::Outside(Name::parse("x").unwrap())),
            Warning::TooManyNames {
                of: "x",
                most: 50,
                count: 51,
            },
            Warning::host("x"),
            Warning::hostname("x", NameFault::Outside(Name::parse("x").unwrap())),
            Warning::OtherTtl {
                name: Name::parse("x").unwrap(),
                wanted: 300,
                used: 60,
            },
            Warning::external_ip("x"),
            Warning::LeftOut(Name::parse("x").unwrap(), LeftOut::Apex),
        ];
        let codes: Vec<&str> = all.iter().map(Warning::code).collect();
        assert_eq!(codes, Warning::CODES);
    }

    #[test]
    fn a_long_label_is_cut() {
        let long = "x".repeat(10_000);
        let placeholder = format!("%{{{{{long}}}}}");
        let error = Template::parse(&placeholder).unwrap_err();
        let names = Names {
            service: &long,
            stack: "shop",
            environment: "prod",
        };
        let zone = Name::parse("example.com").unwrap();
        let no_name = Template::default().name(&names, &zone).unwrap_err();
        let outside = Name::parse(&"x.".repeat(120)).unwrap();
        for warning in [
            Warning::name(&long, NameFault::Name(no_name.clone())),
            Warning::hostname(&long, NameFault::Name(no_name)),
            Warning::name(&long, NameFault::Outside(outside)),
            Warning::policy(&long),
            Warning::address(&long),
            Warning::ttl(&long),
            Warning::lb_hostnames(&long),
            Warning::external_ip(&long),
            Warning::name(&placeholder, NameFault::Template(error)),
            Warning::host(&long),
            Warning::hostname(&long, NameFault::Outside(Name::parse("x").unwrap())),
        ] {
            let words = warning.to_string();
            assert!(words.len() < 400, "{words}");
        }
    }
}
