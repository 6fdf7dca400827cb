//! The address that is published for a container, if there is one.
//!
//! In: a container, the hosts, and where the address is taken from. Out: an IP address, or the reason
//! why the container doesn't count.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

use crate::base::brackets::without_brackets;
use crate::base::ip_address::{parse, parse_specified};
use crate::desired::container::{ContainerSkip, Requirement};
use crate::desired::rules::RecordTypes;
use crate::rancher::labels::{self, LabelSuffix};
use crate::rancher::model::{Container, Host};

/// Which address is published for the containers of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddressSource {
    /// That of the container's host, or the one that its port is bound to.
    Host,
    /// The container's own, in Rancher's network. No port has to be published then.
    Container,
    /// The one in the label with this key of the container's host.
    HostLabel(String),
}

/// What [`AddressSource::parse`] reads.
pub const ADDRESS_TAKES: &str = "host, container, or host-label:NAME, where NAME is a host's label";

impl AddressSource {
    /// Reads `host`, `container` or `host-label:<name>`.
    pub fn parse(text: &str) -> Option<AddressSource> {
        let (word, label) = match text.split_once(':') {
            Some((word, label)) => (word.trim(), Some(label.trim())),
            None => (text, None),
        };
        match label {
            None if word.eq_ignore_ascii_case("host") => Some(AddressSource::Host),
            None if word.eq_ignore_ascii_case("container") => Some(AddressSource::Container),
            Some(label) if word.eq_ignore_ascii_case("host-label") && !label.is_empty() => {
                Some(AddressSource::HostLabel(label.to_owned()))
            }
            _ => None,
        }
    }
}

/// Where the address of a container is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressOrigin {
    /// The label of the container's host that says which address to publish.
    HostIp,
    /// The address that a port of the container is bound to.
    Bind,
    /// The address of the agent on the container's host.
    Agent,
    /// The container itself, in Rancher's network.
    Container,
    /// The label of the container's host that the service or `ADDRESS` names.
    HostLabel,
}

impl fmt::Display for AddressSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AddressSource::Host => f.write_str("host"),
            AddressSource::Container => f.write_str("container"),
            AddressSource::HostLabel(name) => write!(f, "host-label:{name}"),
        }
    }
}

impl AddressOrigin {
    /// In words that follow the address.
    pub fn words(self) -> &'static str {
        match self {
            AddressOrigin::HostIp => "its host's label io.rancher.host.external_dns_ip",
            AddressOrigin::Bind => "the address that its port is bound to",
            AddressOrigin::Agent => "the address of its host's agent",
            AddressOrigin::Container => "its own address (primary_ip)",
            AddressOrigin::HostLabel => "the label of its host",
        }
    }
}

/// What is asked of a container, and where its address is taken from.
#[derive(Debug, Clone, Copy)]
pub struct AddressRules<'a> {
    /// The container must publish a port on its host.
    pub needs_port: bool,
    /// It must not be unhealthy.
    pub needs_health: bool,
    /// Where its address is taken from.
    pub source: &'a AddressSource,
    /// Which addresses are published.
    pub record_types: RecordTypes,
    /// How the labels of hosts may end.
    pub label_suffix: &'a LabelSuffix,
}

/// The address under which clients reach a container, and where it is from, or why the container
/// doesn't count.
pub fn published_address(
    container: &Container<'_>,
    hosts: &HashMap<String, Host>,
    rules: &AddressRules<'_>,
) -> Result<(IpAddr, AddressOrigin), ContainerSkip> {
    let (host, bind) = meets_conditions(container, hosts, rules)?;
    let address = address_from(container, host, bind, rules)?;
    match rules.record_types.has(address.0) {
        true => Ok(address),
        false => Err(ContainerSkip::new(
            Requirement::RecordType,
            &address.0.to_string(),
        )),
    }
}

/// Why a container doesn't count, if the names of its service lead to something else than its address.
pub fn counts(
    container: &Container<'_>,
    hosts: &HashMap<String, Host>,
    rules: &AddressRules<'_>,
) -> Result<(), ContainerSkip> {
    meets_conditions(container, hosts, rules).map(|_| ())
}

/// The address that the first port is bound to that a container publishes on its host, if others than
/// the host reach it. The error says what it lacks.
fn first_bind<'a>(
    container: &'a Container<'_>,
    host: Option<&Host>,
) -> Result<&'a str, Requirement> {
    let agent_ip = host.map_or("", |host| host.agent_ip.as_str());
    let ports = container.ports.iter();
    let mut binds = ports.filter_map(|port| bind_address(port, agent_ip));
    let mut lacks = Requirement::Port;
    let bind = binds.find(|bind| {
        let is_loopback = is_loopback(bind, agent_ip);
        if is_loopback {
            lacks = Requirement::Reachable;
        }
        !is_loopback
    });
    bind.ok_or(lacks)
}

/// The host of a container that counts, whatever its address, and the address that its first published
/// port is bound to, if it is bound to one.
fn meets_conditions<'a>(
    container: &'a Container<'_>,
    hosts: &'a HashMap<String, Host>,
    rules: &AddressRules<'_>,
) -> Result<(&'a Host, Option<&'a str>), ContainerSkip> {
    if container.state != "running" {
        return Err(ContainerSkip::new(Requirement::Running, &container.state));
    }
    match container.health_state.as_deref() {
        None | Some("healthy" | "updating-healthy") => {}
        Some(_) if !rules.needs_health => {}
        Some(other) => return Err(ContainerSkip::new(Requirement::Healthy, other)),
    }
    // The host comes before the ports, since its agent's address shows which ports are published.
    let host = hosts.get(&*container.host_uuid);
    let bind = match first_bind(container, host) {
        Err(lacks) if rules.needs_port => return Err(ContainerSkip::new(lacks, "")),
        bind => bind.ok(),
    };
    let host =
        host.ok_or_else(|| ContainerSkip::new(Requirement::HostKnown, &container.host_uuid))?;
    let known = &host.labels.known;
    let excluded = known.get(labels::HOST, rules.label_suffix);
    if excluded.is_some_and(|text| text.eq_ignore_ascii_case("false")) {
        let key = known.key_of(labels::HOST, rules.label_suffix).to_string();
        return Err(ContainerSkip::new(Requirement::HostIncluded, &key));
    }
    Ok((host, bind.filter(|bind| !is_unspecified(bind))))
}

/// The address of a container that meets what is asked of it. `bind` is the address that its first
/// published port is bound to, if it is bound to one.
fn address_from(
    container: &Container<'_>,
    host: &Host,
    bind: Option<&str>,
    rules: &AddressRules<'_>,
) -> Result<(IpAddr, AddressOrigin), ContainerSkip> {
    match rules.source {
        AddressSource::Host => {
            let own = host.labels.known.get(labels::HOST_IP, rules.label_suffix);
            let (text, origin) = match (own, bind) {
                (Some(own), _) => (own, AddressOrigin::HostIp),
                // Metadata puts the agent's address before ports that are bound to none.
                (None, Some(bind)) if !is_same(bind, &host.agent_ip) => (bind, AddressOrigin::Bind),
                (None, bind) => (bind.unwrap_or(&host.agent_ip), AddressOrigin::Agent),
            };
            let address = parse_specified(text).map(|address| (address, origin));
            address.ok_or_else(|| ContainerSkip::new(Requirement::Address, text))
        }
        AddressSource::Container => {
            let text = container.primary_ip.as_deref().unwrap_or_default();
            let address = parse_specified(text).map(|address| (address, AddressOrigin::Container));
            address.ok_or_else(|| ContainerSkip::new(Requirement::ContainerAddress, text))
        }
        AddressSource::HostLabel(name) => {
            let text = host.labels.any(name, rules.label_suffix);
            let address = text.and_then(parse_specified);
            let address = address.map(|address| (address, AddressOrigin::HostLabel));
            address.ok_or_else(|| ContainerSkip::new(Requirement::HostLabel, name))
        }
    }
}

/// The bind address of a port that is published on the host. It is empty if the port mapping has
/// no address. `None` if the port is not published.
///
/// Cattle writes `[bind ip:]public:private/proto`, and metadata 2015-12-19 puts the agent's
/// address before both `8080:80/tcp` and the unpublished `80/tcp`. So `203.0.113.11:80/tcp` is
/// not published. With an IPv6 agent, neither is `2001:db8::1:80/tcp`, although the last group of
/// its address looks like a port.
fn bind_address<'a>(port: &'a str, agent_ip: &str) -> Option<&'a str> {
    let (mapping, _protocol) = port.split_once('/').unwrap_or((port, ""));
    let (public, _private) = mapping.rsplit_once(':')?;
    if !agent_ip.is_empty() && is_same(public, agent_ip) {
        return None;
    }
    let (bind, public) = public.rsplit_once(':').unwrap_or(("", public));
    public
        .parse::<u16>()
        .ok()
        .filter(|number| *number > 0)
        .map(|_| bind)
}

fn is_unspecified(bind: &str) -> bool {
    bind.is_empty() || parse(bind).is_some_and(|ip| ip.is_unspecified())
}

/// Whether a port bound to this address can be reached from its host only. Not so if it is the
/// address of the host's agent: metadata puts that before ports that are bound to none.
fn is_loopback(bind: &str, agent_ip: &str) -> bool {
    !is_same(bind, agent_ip) && parse(bind).is_some_and(|ip| ip.is_loopback())
}

/// Whether two texts are one address, in whatever form, or one text that is none.
fn is_same(text: &str, other: &str) -> bool {
    without_brackets(text) == without_brackets(other)
        || parse(text).is_some_and(|address| parse(other) == Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_where_an_address_comes_from() {
        let label = |name: &str| Some(AddressSource::HostLabel(name.to_owned()));
        for (text, expected) in [
            ("host", Some(AddressSource::Host)),
            ("Container", Some(AddressSource::Container)),
            ("host-label:public_ip", label("public_ip")),
            ("Host-Label: com.example:ip ", label("com.example:ip")),
            ("host-label:", None),
            ("host-label", None),
            ("host:", None),
            ("container:eth0", None),
            ("192.0.2.1", None),
            ("", None),
        ] {
            assert_eq!(AddressSource::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn only_the_host_itself_reaches_a_loopback_address() {
        for (bind, agent_ip, expected) in [
            ("127.0.0.1", "203.0.113.1", true),
            ("127.8.8.8", "203.0.113.1", true),
            ("[::1]", "203.0.113.1", true),
            ("::1", "203.0.113.1", true),
            ("::ffff:127.0.0.1", "203.0.113.1", true),
            ("", "203.0.113.1", false),
            ("0.0.0.0", "203.0.113.1", false),
            ("203.0.113.1", "203.0.113.1", false),
            ("127.0.0.1", "127.0.0.1", false),
            ("127.0.0.2", "127.0.0.1", true),
            ("::ffff:127.0.0.1", "127.0.0.1", false),
            ("localhost", "203.0.113.1", false),
        ] {
            assert_eq!(is_loopback(bind, agent_ip), expected, "{bind} {agent_ip}");
        }
    }

    #[test]
    fn tells_published_ports_from_private_ones() {
        for (port, agent_ip, expected) in [
            (
                "203.0.113.11:8080:80/tcp",
                "203.0.113.11",
                Some("203.0.113.11"),
            ),
            ("192.0.2.7:53:53/udp", "203.0.113.11", Some("192.0.2.7")),
            ("8080:80/tcp", "203.0.113.11", Some("")),
            ("8080:80", "203.0.113.11", Some("")),
            ("0.0.0.0:8080:80/tcp", "203.0.113.11", Some("0.0.0.0")),
            ("203.0.113.11:80/tcp", "203.0.113.11", None),
            ("203.0.113.12:80/tcp", "203.0.113.11", None),
            ("80/tcp", "203.0.113.11", None),
            ("80", "203.0.113.11", None),
            ("", "203.0.113.11", None),
            (":", "", None),
            (":::", "", None),
            ("0:80", "", None),
            ("70000:80", "", None),
            ("2001:db8::1:80/tcp", "2001:db8::1", None),
            (
                "2001:db8::1:8080:80/tcp",
                "2001:db8::1",
                Some("2001:db8::1"),
            ),
            (
                "[2001:db8::1]:8080:80/tcp",
                "2001:db8::1",
                Some("[2001:db8::1]"),
            ),
            ("[2001:db8::1]:80/tcp", "2001:db8::1", None),
            ("2001:db8::1:80/tcp", "2001:DB8:0::1", None),
            ("odd:80/tcp", "odd", None),
            (":::8080:80/tcp", "203.0.113.11", Some("::")),
        ] {
            assert_eq!(
                bind_address(port, agent_ip),
                expected,
                "{port} on {agent_ip}"
            );
        }
    }
}
