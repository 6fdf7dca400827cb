//! The address that is published for a container, if there is one.
//!
//! In: a container, the hosts, and whether the container must publish a port. Out: an IP address,
//! or the reason why the container is not published.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::base::brackets::without_brackets;
use crate::desired::skip::SkipReason;
use crate::rancher::labels::{self, LabelSuffix};
use crate::rancher::model::{Container, Host};

/// The address under which clients reach a container, or why the container is not published.
/// `needs_port`: the container must publish a port on its host.
pub fn published_address(
    container: &Container<'_>,
    hosts: &HashMap<String, Host>,
    needs_port: bool,
    suffix: &LabelSuffix,
) -> Result<IpAddr, SkipReason> {
    if container.state != "running" {
        return Err(SkipReason::NotRunning(container.state.to_string()));
    }
    match container.health_state.as_deref() {
        None | Some("healthy" | "updating-healthy") => {}
        Some(other) => return Err(SkipReason::NotHealthy(other.to_owned())),
    }
    // The host comes before the ports, since its agent's address shows which ports are published.
    let host = hosts.get(&*container.host_uuid);
    let agent_ip = host.map_or("", |host| host.agent_ip.as_str());
    let bind = container
        .ports
        .iter()
        .find_map(|port| bind_address(port, agent_ip));
    if bind.is_none() && needs_port {
        return Err(SkipReason::NoPort);
    }
    let host = host.ok_or_else(|| SkipReason::HostUnknown(container.host_uuid.to_string()))?;
    if host
        .labels
        .get(labels::HOST, suffix)
        .is_some_and(|text| text.eq_ignore_ascii_case("false"))
    {
        return Err(SkipReason::HostExcluded);
    }
    let text = host
        .labels
        .get(labels::HOST_IP, suffix)
        .or(bind.filter(|bind| !is_unspecified(bind)))
        .unwrap_or(agent_ip);
    without_brackets(text)
        .parse()
        .map_err(|_| SkipReason::NotAnAddress(text.to_owned()))
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
    if !agent_ip.is_empty() && without_brackets(public) == without_brackets(agent_ip) {
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
    bind.is_empty()
        || without_brackets(bind)
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

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
