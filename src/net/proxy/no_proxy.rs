//! `NO_PROXY`: the list of hosts that are reached directly. The rules are those of Go's `httpproxy`,
//! which the predecessors of this program used.
//!
//! It differs where Go's rules surprise: an IPv6 address may be in brackets without a port, a dot at
//! the end of a name is ignored, names aren't compared with addresses, and an entry that can't match
//! any host is reported.

use std::net::IpAddr;

use super::shown;
use crate::base::brackets::without_brackets;
use crate::base::text::quoted;

/// Most characters of an entry that are shown in a message.
const MAX_SHOWN: usize = 80;

/// The hosts that are reached directly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NoProxy {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    /// All hosts: `*`.
    Everything,
    /// All addresses with the same first bits, such as `10.0.0.0/8`.
    Network(IpAddr, u8),
    /// One address on all ports or on one, such as `192.0.2.1` or `192.0.2.1:80`.
    Address(IpAddr, Option<u16>),
    Domain(Domain),
}

/// A domain such as `example.com`, `.example.com` or `*.example.com`, with or without a port.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Domain {
    /// The domain in lower case, with a dot in front.
    suffix: String,
    /// The domain itself matches, too, and not only names below it.
    includes_itself: bool,
    port: Option<u16>,
}

impl NoProxy {
    /// Parses the list. Also returns a message for each entry that can't match any host.
    pub fn parse(text: &str) -> (NoProxy, Vec<String>) {
        let mut entries = Vec::new();
        let mut ignored = Vec::new();
        for entry in text.split(',').map(str::trim).filter(|e| !e.is_empty()) {
            match parse(&entry.to_lowercase()) {
                Ok(entry) => entries.push(entry),
                Err(why) => {
                    let entry = if entry.contains('@') || entry.contains("://") {
                        shown(entry)
                    } else {
                        entry.chars().take(MAX_SHOWN).collect()
                    };
                    ignored.push(format!("{} matches no host: {why}", quoted(&entry)));
                }
            }
        }
        (NoProxy { entries }, ignored)
    }

    /// Whether a host is reached directly, because it is in the list or is this machine. An IPv6
    /// address may be in brackets.
    pub fn has(&self, host: &str, port: u16) -> bool {
        let host = without_brackets(host).trim_end_matches('.');
        let host = host.to_ascii_lowercase();
        let address = host
            .parse()
            .ok()
            .map(|address: IpAddr| address.to_canonical());
        if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
            return true;
        }
        self.entries.iter().any(|entry| match entry {
            Entry::Everything => true,
            Entry::Network(network, bits) => {
                address.is_some_and(|address| is_within(address, *network, *bits))
            }
            Entry::Address(own, of_port) => {
                address == Some(*own) && of_port.is_none_or(|own| own == port)
            }
            Entry::Domain(domain) => domain.has(&host) && domain.port.is_none_or(|p| p == port),
        })
    }
}

impl Domain {
    fn has(&self, host: &str) -> bool {
        host.ends_with(&self.suffix) || (self.includes_itself && host == &self.suffix[1..])
    }
}

/// Whether an address is of the network's family and has its first bits.
fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let equal_bits = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        _ => return false,
    };
    equal_bits >= bits.into()
}

/// Parses an entry in lower case. The error says why it can't match any host.
fn parse(entry: &str) -> Result<Entry, &'static str> {
    if entry == "*" {
        return Ok(Entry::Everything);
    }
    if entry.contains("://") {
        return Err("it is a URL; only the host, and perhaps its port, has a place here");
    }
    if let Some((address, bits)) = entry.split_once('/') {
        return network(address, bits).ok_or("no network such as 10.0.0.0/8 or 2001:db8::/32");
    }
    let (host, port) = split(entry)?;
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Entry::Address(address.to_canonical(), port));
    }
    let below = host.strip_prefix('*').filter(|rest| rest.starts_with('.'));
    let name = below.unwrap_or(host).trim_end_matches('.');
    let bare = name.strip_prefix('.').unwrap_or(name);
    if bare.contains('*') {
        return Err("a * is for everything, or in *.example.com; a network is 10.0.0.0/8");
    }
    if bare.contains(char::is_whitespace) {
        return Err("there is a blank in it; entries are separated by commas");
    }
    // Go would compare this with the end of addresses, which can't be the intention.
    if bare.contains('.') && bare.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err("no whole address; a network is written as 10.0.0.0/8");
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if bare.is_empty() || !bare.chars().all(is_plain) {
        return Err("no name or address of a host (a name beyond ASCII is written as xn--…)");
    }
    Ok(Entry::Domain(Domain {
        suffix: format!(".{bare}"),
        includes_itself: !name.starts_with('.'),
        port,
    }))
}

fn network(address: &str, bits: &str) -> Option<Entry> {
    let address: IpAddr = without_brackets(address).parse().ok()?;
    let max_bits = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.parse().ok().filter(|bits| *bits <= max_bits)?;
    Some(Entry::Network(address, bits))
}

/// Splits an entry into host and port.
fn split(entry: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = match entry.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or("a bracket isn't closed")?;
            (host, port)
        }
        // With more than one colon, it is an IPv6 address without brackets, and there is no port.
        None => match entry.find(':').filter(|at| entry.rfind(':') == Some(*at)) {
            Some(at) => entry.split_at(at),
            None => (entry, ""),
        },
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return Err("there is something between the address and the port"),
        Some(port) => match port.parse() {
            Ok(0) | Err(_) => return Err("a port is a number from 1 to 65535"),
            Ok(port) => Some(port),
        },
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn list(text: &str) -> NoProxy {
        let (list, ignored) = NoProxy::parse(text);
        assert_eq!(ignored, [] as [String; 0], "{text}");
        list
    }

    /// The cases of Go's own test, at port 80.
    #[test]
    fn hosts_are_matched_as_go_matches_them() {
        let list = list(
            "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, \
             192.168.1.3:80, 10.0.0.0/30, 2001:db8::52:0:1, [2001:db8::52:0:2]:443, \
             [2001:db8::52:0:3]:80, 2002:db8:a::45/64",
        );
        for (host, is_direct) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("127.0.0.2", true),
            ("[::1]", true),
            ("[::2]", false),
            ("192.168.1.1", true),
            ("192.168.1.2", false),
            ("192.168.1.3", true),
            ("192.168.1.4", false),
            ("10.0.0.2", true),
            ("10.0.0.4", false),
            ("[2001:db8::52:0:1]", true),
            ("[2001:db8::52:0:2]", false),
            ("[2001:db8::52:0:3]", true),
            ("[2002:db8:a::123]", true),
            ("[fe80::424b:c8be:1643:a1b6]", false),
            ("barbaz.net", false),
            ("www.barbaz.net", true),
            ("foobar.com", true),
            ("www.foobar.com", true),
            ("foofoobar.com", false),
            ("baz.com", false),
            ("localhost.net", false),
            ("local.localhost", false),
            ("barbarbaz.net", false),
            ("wildcard.io", false),
            ("nested.wildcard.io", true),
            ("awildcard.io", false),
        ] {
            assert_eq!(list.has(host, 80), is_direct, "{host}");
            let all = self::list("a.example, *");
            assert!(all.has(host, 80), "{host}");
            let none = NoProxy::default().has(host, 80);
            let is_own = ["localhost", "127.0.0.1", "127.0.0.2", "[::1]"].contains(&host);
            assert_eq!(none, is_own, "{host}");
        }
    }

    #[test]
    fn each_form_matches_these_hosts_and_not_those() {
        type Hosts<'a> = &'a [(&'a str, u16)];
        let cases: [(&str, Hosts, Hosts); 14] = [
            (
                "example.com",
                &[("example.com", 443), ("a.b.example.com", 1)],
                &[("ample.com", 443)],
            ),
            (
                ".example.com",
                &[("a.example.com", 80)],
                &[("example.com", 80)],
            ),
            (
                "*.example.com",
                &[("a.b.example.com", 80)],
                &[("example.com", 80)],
            ),
            (
                "example.com:8080",
                &[("a.example.com", 8080)],
                &[("example.com", 80)],
            ),
            (
                ".example.com:80",
                &[("a.example.com", 80)],
                &[("a.example.com", 443)],
            ),
            (
                "Example.COM.",
                &[("EXAMPLE.com", 80), ("example.com.", 80)],
                &[("example.co", 80)],
            ),
            (
                "\n rancher , \t\n metadata ,,",
                &[("rancher", 1), ("metadata", 1)],
                &[("x", 1)],
            ),
            (
                "192.0.2.1",
                &[("192.0.2.1", 9), ("[::ffff:192.0.2.1]", 9)],
                &[("192.0.2.10", 9)],
            ),
            (
                "192.0.2.0/24",
                &[("192.0.2.255", 443)],
                &[("192.0.3.0", 443), ("[2001:db8::1]", 1)],
            ),
            (
                "192.0.2.77/24,0.0.0.0/32",
                &[("192.0.2.1", 1), ("0.0.0.0", 1)],
                &[("0.0.0.1", 1)],
            ),
            (
                "0.0.0.0/0",
                &[("198.51.100.1", 1)],
                &[("[2001:db8::1]", 1), ("example.com", 1)],
            ),
            ("::/0", &[("[2001:db8::1]", 1)], &[("198.51.100.1", 1)]),
            (
                "[2001:db8::1]",
                &[("[2001:db8::1]", 1), ("2001:DB8:0::1", 2)],
                &[("[2001:db8::2]", 1)],
            ),
            (
                "[2001:db8::1]:443",
                &[("[2001:db8::1]", 443)],
                &[("[2001:db8::1]", 80)],
            ),
        ];
        for (text, direct, proxied) in cases {
            let list = list(text);
            for (host, port) in direct {
                assert!(list.has(host, *port), "{text:?} has {host}:{port}");
            }
            for (host, port) in proxied {
                assert!(
                    !list.has(host, *port),
                    "{text:?} doesn't have {host}:{port}"
                );
            }
        }
    }

    #[test]
    fn an_entry_that_matches_nothing_is_named_and_the_others_hold() {
        for (entry, why) in [
            ("10.*", "a network is 10.0.0.0/8"),
            ("*example.com", "in *.example.com"),
            ("10.0.0.0/33", "no network"),
            ("10.0.0/8", "no network"),
            ("example.com/8", "no network"),
            ("10.0.0", "no whole address"),
            ("192.0.2.256", "no whole address"),
            (".0.2.1", "no whole address"),
            ("rancher metadata", "separated by commas"),
            ("http://rancher", "it is a URL"),
            ("http://user:hunter2@rancher", "it is a URL"),
            ("\"rancher", "no name or address"),
            ("<local>", "no name or address"),
            ("münchen.example", "xn--"),
            (".", "no name or address"),
            (":1", "no name or address"),
            ("rancher:", "from 1 to 65535"),
            ("rancher:0", "from 1 to 65535"),
            ("rancher:65536", "from 1 to 65535"),
            ("rancher:http", "from 1 to 65535"),
            ("[::1", "isn't closed"),
            ("[2001:db8::1]80", "between the address and the port"),
            ("2001:db8::1::2", "no name or address"),
        ] {
            let (list, ignored) = NoProxy::parse(&format!("one.example,{entry},two.example"));
            assert_eq!(ignored.len(), 1, "{entry}: {ignored:?}");
            assert!(ignored[0].contains(why), "{entry}: {ignored:?}");
            assert!(!ignored[0].contains("hunter2"), "{ignored:?}");
            assert!(
                list.has("one.example", 1) && list.has("two.example", 1),
                "{entry}"
            );
            assert!(!list.has("rancher", 80), "{entry}");
        }
    }
}
