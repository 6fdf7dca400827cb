//! The system's files about names: `/etc/hosts` has addresses, and `/etc/resolv.conf` has the name
//! servers and the domains that complete a short name. The rules are those of glibc and Go. Pure.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use super::message::is_name;

/// Number of name servers that are used, as in the C libraries.
const MAX_SERVERS: usize = 3;
/// Most names that are tried for one host.
const MAX_NAMES: usize = 10;

/// The content of `/etc/resolv.conf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolv {
    /// The name servers, at least one, in the order in which they are asked.
    pub servers: Vec<SocketAddr>,
    /// The domains that are added to a short name.
    search: Vec<String>,
    /// A name with at least this many dots is tried as it is before domains are added.
    ndots: usize,
}

/// The names that a host's name may stand for. They are asked for in this order until one exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// The names; at least one.
    pub names: Vec<String>,
    /// The first name is the host's name as it was given. The others count only if that one doesn't
    /// exist: as long as no server can say so, they could lead to another host.
    pub is_as_given_first: bool,
}

impl Resolv {
    /// Reads the file's text. Lines that aren't understood are ignored, as the C libraries do.
    /// `interface_index` finds the index of a network interface; `port` is the name servers' port.
    pub fn read(text: &str, port: u16, interface_index: impl Fn(&str) -> Option<u32>) -> Resolv {
        let mut resolv = Resolv {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
        };
        for line in text.lines() {
            let mut words = line
                .split([' ', '\t', '\r'])
                .filter(|word| !word.is_empty());
            match words.next() {
                Some("nameserver") => {
                    let server = words
                        .next()
                        .and_then(|word| server(word, port, &interface_index));
                    let is_new = |server: &SocketAddr| !resolv.servers.contains(server);
                    resolv.servers.extend(server.filter(is_new));
                }
                // If there are several of these lines, the last one counts.
                Some("search") => resolv.search = words.map(str::to_owned).collect(),
                Some("domain") => resolv.search = words.take(1).map(str::to_owned).collect(),
                Some("options") => {
                    let numbers =
                        words.filter_map(|word| word.strip_prefix("ndots:")?.parse().ok());
                    let number = numbers.fold(resolv.ndots, |_, number| number);
                    resolv.ndots = number.min(15);
                }
                _ => {}
            }
        }
        resolv.servers.truncate(MAX_SERVERS);
        if resolv.servers.is_empty() {
            resolv.servers.push((Ipv4Addr::LOCALHOST, port).into());
        }
        resolv
    }

    /// The names that `host` may stand for.
    pub fn candidates(&self, host: &str) -> Candidates {
        let bare = host.strip_suffix('.').unwrap_or(host);
        let given = [bare.to_owned()];
        if bare != host {
            return Candidates {
                names: given.into(),
                is_as_given_first: true,
            };
        }
        let domains = self.search.iter().map(|domain| domain.trim_matches('.'));
        let domains = domains.filter(|domain| !domain.is_empty());
        let searched = domains.map(|domain| format!("{bare}.{domain}"));
        let searched = searched.filter(|name| is_name(name)).take(MAX_NAMES - 1);
        let is_as_given_first = bare.matches('.').count() >= self.ndots;
        let names = if is_as_given_first {
            given.into_iter().chain(searched).collect()
        } else {
            searched.chain(given).collect()
        };
        Candidates {
            names,
            is_as_given_first,
        }
    }
}

/// Reads the address of a name server. A link-local one has its interface after a percent sign.
fn server(
    word: &str,
    port: u16,
    interface_index: &impl Fn(&str) -> Option<u32>,
) -> Option<SocketAddr> {
    match word.split_once('%') {
        None => {
            let address = match word.parse().ok()? {
                // This host, as everywhere; but its answers come from the loopback address.
                IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
                address => address,
            };
            Some((address, port).into())
        }
        Some((address, interface)) => {
            let index = interface
                .parse()
                .ok()
                .or_else(|| interface_index(interface))?;
            Some(SocketAddrV6::new(address.parse().ok()?, port, 0, index).into())
        }
    }
}

/// The addresses of a host in the text of `/etc/hosts`; empty if the host isn't there. `localhost`
/// needs no entry (RFC 6761).
pub fn in_hosts(text: &str, host: &str) -> Vec<IpAddr> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let mut addresses = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let Some(Ok(address)) = words.next().map(str::parse) else {
            continue;
        };
        if words.any(|name| name.eq_ignore_ascii_case(host)) && !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() && host.eq_ignore_ascii_case("localhost") {
        addresses.push(Ipv4Addr::LOCALHOST.into());
        addresses.push(Ipv6Addr::LOCALHOST.into());
    }
    addresses
}
