//! What the system says about names: `/etc/hosts`, and in `/etc/resolv.conf` whom to ask and what
//! to add to a short name. The rules are those of glibc and of Go. Pure.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use super::message::is_name;

/// The C libraries take as many name servers.
const MOST_SERVERS: usize = 3;
/// Names that are tried for one, at most.
const MOST_NAMES: usize = 10;

/// `/etc/resolv.conf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolv {
    /// In the order in which they are asked; at least one.
    pub servers: Vec<SocketAddr>,
    /// Domains that a name may be in.
    search: Vec<String>,
    /// A name with so many dots is tried as it is first.
    ndots: usize,
}

/// Names to ask for, in this order, until one exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// At least one.
    pub names: Vec<String>,
    /// The first one is the name as it was given, so the others are for the case that it doesn't
    /// exist: if no server could say whether it does, they would lead elsewhere.
    pub is_as_given_first: bool,
}

impl Resolv {
    /// Reads it; what isn't understood is left out, as by the C libraries. `zone` finds the number
    /// of a network interface; `port` is where name servers listen.
    pub fn read(text: &str, port: u16, zone: impl Fn(&str) -> Option<u32>) -> Resolv {
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
                    let server = words.next().and_then(|word| server(word, port, &zone));
                    let is_new = |server: &SocketAddr| !resolv.servers.contains(server);
                    resolv.servers.extend(server.filter(is_new));
                }
                // The last one counts.
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
        resolv.servers.truncate(MOST_SERVERS);
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
        let searched = searched.filter(|name| is_name(name)).take(MOST_NAMES - 1);
        let is_as_given_first = bare.matches('.').count() >= self.ndots;
        let names = match is_as_given_first {
            true => given.into_iter().chain(searched).collect(),
            false => searched.chain(given).collect(),
        };
        Candidates {
            names,
            is_as_given_first,
        }
    }
}

/// A name server; a link-local one has its interface behind a percent sign.
fn server(word: &str, port: u16, zone: &impl Fn(&str) -> Option<u32>) -> Option<SocketAddr> {
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
            let number = interface.parse().ok().or_else(|| zone(interface))?;
            Some(SocketAddrV6::new(address.parse().ok()?, port, 0, number).into())
        }
    }
}

/// The addresses that `/etc/hosts` has for a name; empty if it doesn't have the name.
/// `localhost` needs no entry (RFC 6761).
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
