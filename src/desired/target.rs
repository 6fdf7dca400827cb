//! What the name of a service leads to, if not to its containers: addresses, or one other name.
//!
//! In: the label `external_dns_target`, or what metadata has of a service outside of Rancher. Out: a
//! [`Target`], or why there is none.

use std::fmt;
use std::net::IpAddr;

use crate::base::ip_address::parse_specified as address;
use crate::base::redactor::shortened;
use crate::base::text::quoted;
use crate::desired::Rules;
use crate::desired::warning::Warning;
use crate::dns::Name;
use crate::rancher::labels::LabelKey;
use crate::rancher::model::Service;
use crate::route53::alias_zones::alias_zone;

/// What the first label of every state record's name begins with, whoever keeps it.
pub const STATE_RECORD_PREFIX: &str = "external-dns-";

/// Whether a state record of this zone may have this name, whoever keeps it. Deeper names are not meant.
pub fn may_be_state_record(name: &Name, zone: &Name) -> bool {
    let labels = name.as_str().split_once('.');
    labels.is_some_and(|(label, parent)| {
        parent == zone.as_str() && label.starts_with(STATE_RECORD_PREFIX)
    })
}

/// Characters of a text from outside that are kept.
const MAX_SHOWN: usize = 80;
/// Addresses outside of Rancher of one service that are warned about if they are none.
const MAX_WARNINGS: usize = 100;

/// What the name of a service leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// These addresses, which `RECORD_TYPES` all allows. There is at least one.
    Addresses(Vec<IpAddr>),
    /// Another name.
    Host(HostTarget),
}

/// Another name that the name of a service leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostTarget {
    /// That name.
    pub name: Name,
    /// The id of its hosted zone, if Route 53 can make an alias of it. Otherwise it is a CNAME.
    pub alias_zone: Option<&'static str>,
}

/// Why a service has no target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetFault {
    /// This item of the label with this key is neither an address nor a host name.
    Item(LabelKey, String),
    /// The label with this key has more than one item, and not all are addresses.
    Mixed(LabelKey),
    /// `RECORD_TYPES` leaves out all of its addresses.
    RecordTypes,
    /// It is the service's own name.
    OwnName,
    /// The service's name may be that of a state record, and a CNAME would be in its place.
    StateRecord,
    /// No external address in Rancher is one.
    ExternalIps,
    /// The host name in Rancher is none. Holds it.
    Hostname(String),
    /// A service outside of Rancher has neither addresses nor a host name there.
    Nothing,
}

/// What the label takes.
const TAKES: &str = "it takes IP addresses with commas between them, or one host name";

impl fmt::Display for TargetFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetFault::Item(key, item) => write!(
                f,
                "its label {key} has {}, which is neither an address nor a host name; {TAKES}",
                quoted(item)
            ),
            TargetFault::Mixed(key) => write!(
                f,
                "its label {key} has a host name and other items beside it; {TAKES}"
            ),
            TargetFault::RecordTypes => {
                f.write_str("RECORD_TYPES leaves out all addresses that it should lead to")
            }
            TargetFault::OwnName => f.write_str("its target is its own name"),
            TargetFault::StateRecord => {
                f.write_str("a state record may have its name, beside which there can't be a CNAME")
            }
            TargetFault::ExternalIps => f.write_str("none of its external IPs in Rancher is one"),
            TargetFault::Hostname(text) => write!(
                f,
                "its external host name in Rancher, {}, is none",
                quoted(text)
            ),
            TargetFault::Nothing => {
                f.write_str("it has neither external IPs nor an external host name in Rancher")
            }
        }
    }
}

/// Reads the text of the label with this key.
pub fn of_label(text: &str, key: LabelKey, rules: &Rules) -> Result<Target, TargetFault> {
    let items = text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    let (mut addresses, mut hosts) = (Vec::new(), Vec::new());
    for item in items {
        match (address(item), host(item)) {
            (Some(address), _) => addresses.push(address),
            (None, Some(host)) => hosts.push(host),
            (None, None) => return Err(TargetFault::Item(key, shortened(item, MAX_SHOWN))),
        }
    }
    match (hosts.pop(), hosts.is_empty() && addresses.is_empty()) {
        (Some(host), true) => Ok(host_target(host, rules)),
        (Some(_), false) => Err(TargetFault::Mixed(key)),
        (None, true) => Err(TargetFault::Item(key, shortened(text, MAX_SHOWN))),
        (None, false) => allowed(addresses, rules),
    }
}

/// The target of a service outside of Rancher: its addresses there, or if it has none, its host name.
pub fn of_external(
    service: &Service<'_>,
    rules: &Rules,
    warnings: &mut Vec<Warning>,
) -> Result<Target, TargetFault> {
    let texts = service.external_ips.iter().map(|text| text.trim());
    let mut texts = texts.filter(|text| !text.is_empty()).peekable();
    if texts.peek().is_none() {
        let text = service.hostname.as_deref().map(str::trim);
        let text = text.ok_or(TargetFault::Nothing)?;
        let fault = || TargetFault::Hostname(shortened(text, MAX_SHOWN));
        return match address(text) {
            Some(address) => allowed(vec![address], rules),
            None => host(text)
                .map(|host| host_target(host, rules))
                .ok_or_else(fault),
        };
    }
    let mut addresses = Vec::new();
    for text in texts {
        match address(text) {
            Some(address) => addresses.push(address),
            None if warnings.len() < MAX_WARNINGS => warnings.push(Warning::external_ip(text)),
            None => {}
        }
    }
    match addresses.is_empty() {
        true => Err(TargetFault::ExternalIps),
        false => allowed(addresses, rules),
    }
}

/// Those of the addresses that `RECORD_TYPES` allows.
fn allowed(mut addresses: Vec<IpAddr>, rules: &Rules) -> Result<Target, TargetFault> {
    addresses.retain(|address| rules.record_types.has(*address));
    match addresses.is_empty() {
        true => Err(TargetFault::RecordTypes),
        false => Ok(Target::Addresses(addresses)),
    }
}

fn host_target(name: Name, rules: &Rules) -> Target {
    let alias_zone = alias_zone(&name, rules.partition);
    Target::Host(HostTarget { name, alias_zone })
}

/// A host name of several labels. A text whose last label is a number is rather an address with a typing
/// error.
fn host(text: &str) -> Option<Name> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let mut labels = text.strip_suffix('.').unwrap_or(text).rsplit('.');
    let last = labels.next()?;
    let is_host = text.chars().all(is_plain)
        && labels.next().is_some()
        && last.bytes().any(|byte| byte.is_ascii_alphabetic());
    Name::parse(text).ok().filter(|_| is_host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::rules::RecordTypes;
    use crate::rancher::labels;

    fn key() -> LabelKey {
        LabelKey::usual(labels::TARGET)
    }

    fn rules() -> Rules {
        Rules::of_zone(Name::parse("example.com").unwrap())
    }

    /// The target in a line, or the fault.
    fn shown(target: &Result<Target, TargetFault>) -> String {
        match target {
            Ok(Target::Addresses(addresses)) => {
                let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
                addresses.join(" ")
            }
            Ok(Target::Host(HostTarget { name, alias_zone })) => match alias_zone {
                Some(zone) => format!("alias {name} {zone}"),
                None => format!("cname {name}"),
            },
            Err(TargetFault::Item(_, item)) => format!("Item({item:?})"),
            Err(TargetFault::Mixed(_)) => "Mixed".to_owned(),
            Err(fault) => format!("{fault:?}"),
        }
    }

    const BALANCER: &str = "dualstack.web-1.eu-central-1.elb.amazonaws.com";

    #[test]
    fn a_label_has_addresses_or_one_host_name() {
        let long = format!("{}.example.org", "a".repeat(64));
        let item = |text: &str| format!("Item({text:?})");
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1".to_owned()),
            (
                " 192.0.2.1 , [2001:DB8::1],192.0.2.1,",
                "192.0.2.1 2001:db8::1 192.0.2.1".to_owned(),
            ),
            ("www.example.org", "cname www.example.org.".to_owned()),
            (",WWW.Example.org. ,", "cname www.example.org.".to_owned()),
            ("_a-b.example.org", "cname _a-b.example.org.".to_owned()),
            (BALANCER, format!("alias {BALANCER}. Z215JYRZR1TBD5")),
            (
                "D1.cloudfront.net",
                "alias d1.cloudfront.net. Z2FDTNDATAQYW2".to_owned(),
            ),
            ("192.0.2.1,www.example.org", "Mixed".to_owned()),
            ("www.example.org,192.0.2.1", "Mixed".to_owned()),
            ("a.example.org,b.example.org", "Mixed".to_owned()),
            ("a.example.org,a.example.org", "Mixed".to_owned()),
            ("192.0.2.1,", "192.0.2.1".to_owned()),
            (",", item(",")),
            ("192.0.2.256", item("192.0.2.256")),
            ("192.0.2", item("192.0.2")),
            ("192.0.2.1/24", item("192.0.2.1/24")),
            ("192.0.2.1:80", item("192.0.2.1:80")),
            ("192.0.2.1 192.0.2.2", item("192.0.2.1 192.0.2.2")),
            ("http://www.example.org", item("http://www.example.org")),
            ("www", item("www")),
            ("*.example.org", item("*.example.org")),
            ("\\052.example.org", item("\\052.example.org")),
            ("a..example.org", item("a..example.org")),
            (".example.org", item(".example.org")),
            (&long, item(&long)),
            ("bücher.example.org", item("bücher.example.org")),
            (".", item(".")),
        ] {
            assert_eq!(shown(&of_label(text, key(), &rules())), expected, "{text}");
        }
    }

    #[test]
    fn where_route_53_has_no_aliases_every_host_name_is_a_cname() {
        let rules = Rules {
            partition: "aws-us-gov",
            ..rules()
        };
        let found = shown(&of_label(BALANCER, key(), &rules));
        assert_eq!(found, format!("cname {BALANCER}."));
    }

    #[test]
    fn record_types_leave_addresses_out() {
        let rules = Rules {
            record_types: RecordTypes::Aaaa,
            ..rules()
        };
        for (text, expected) in [
            ("192.0.2.1,2001:db8::1", "2001:db8::1"),
            ("192.0.2.1", "RecordTypes"),
            ("www.example.org", "cname www.example.org."),
        ] {
            assert_eq!(shown(&of_label(text, key(), &rules)), expected, "{text}");
        }
    }

    #[test]
    fn outside_of_rancher_addresses_come_before_the_host_name() {
        for (ips, hostname, expected, warned) in [
            (&["192.0.2.1"][..], None, "192.0.2.1", 0),
            (
                &["192.0.2.1", "2001:db8::1"],
                Some("www.example.org"),
                "192.0.2.1 2001:db8::1",
                0,
            ),
            (&["here", "192.0.2.1", " "], None, "192.0.2.1", 1),
            (
                &["here", "there"],
                Some("www.example.org"),
                "ExternalIps",
                2,
            ),
            (&[" "], Some("www.example.org"), "cname www.example.org.", 0),
            (&[], Some(" www.example.org "), "cname www.example.org.", 0),
            (&[], Some("192.0.2.7"), "192.0.2.7", 0),
            (&[], Some("a b"), "Hostname(\"a b\")", 0),
            (
                &[],
                Some("a.example.org,b.example.org"),
                "Hostname(\"a.example.org,b.example.org\")",
                0,
            ),
            (&[], None, "Nothing", 0),
        ] {
            let service = Service {
                external_ips: ips.iter().map(|ip| (*ip).into()).collect(),
                hostname: hostname.map(Into::into),
                ..Service::default()
            };
            let mut warnings = Vec::new();
            let found = shown(&of_external(&service, &rules(), &mut warnings));
            assert_eq!(found, expected, "{ips:?} {hostname:?}");
            let codes: Vec<&str> = warnings.iter().map(Warning::code).collect();
            assert_eq!(codes, vec!["external_ip"; warned], "{ips:?}");
        }
        let many = Service {
            external_ips: vec!["x".into(); 10_000],
            ..Service::default()
        };
        let mut warnings = Vec::new();
        assert!(of_external(&many, &rules(), &mut warnings).is_err());
        assert_eq!(warnings.len(), MAX_WARNINGS);
    }

    #[test]
    fn a_long_text_is_cut() {
        let long = "ü".repeat(10_000);
        let hosted = Service {
            hostname: Some(long.clone().into()),
            ..Service::default()
        };
        for target in [
            of_label(&long, key(), &rules()),
            of_external(&hosted, &rules(), &mut Vec::new()),
        ] {
            let words = target.unwrap_err().to_string();
            assert!(words.len() < 400, "{words}");
        }
    }
}
