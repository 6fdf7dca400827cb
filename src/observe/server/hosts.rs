//! For which hosts the pages are shown.
//!
//! A website that somebody opens can have its own name lead to the address of this program, and then
//! read the pages through that person's browser (DNS rebinding). The browser still says the website's
//! name in `Host`, so the pages are shown only for hosts whose names nobody can register: addresses,
//! names of the local network, and those of `HEALTH_HOSTS`. Pure.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Domains that no registry gives to anybody: RFC 6761, RFC 6762, and `.internal`, which ICANN keeps for
/// private use. Rancher's own names end in `rancher.internal`.
const LOCAL: [&str; 3] = ["localhost", "local", "internal"];
/// The longest name of a host.
const MAX_NAME: usize = 253;

/// The names of `HEALTH_HOSTS`, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Reads names with commas between them. None if one isn't a name of a host: a port is none of
    /// it.
    pub fn parse(text: &str) -> Option<Hosts> {
        let names = text.split(',').map(|name| {
            let name = canonical(name.trim());
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let is_right = (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_name);
            is_right.then_some(name)
        });
        names.collect::<Option<Vec<String>>>().map(Hosts)
    }

    /// Whether the pages are shown to a client that asks for this host, perhaps with a port. One that
    /// names none is no browser.
    pub fn allow(&self, authority: &str) -> bool {
        if let Some(rest) = authority.strip_prefix('[') {
            let address = rest.split([']', '%']).next().unwrap_or_default();
            return address.parse::<Ipv6Addr>().is_ok();
        }
        let host = canonical(authority.split(':').next().unwrap_or_default());
        let is_local = !host.contains('.') || host.rsplit('.').next().is_some_and(is_local);
        is_local || host.parse::<Ipv4Addr>().is_ok() || self.0.contains(&host)
    }
}

fn is_local(last: &str) -> bool {
    LOCAL.contains(&last)
}

/// In lower case, without the dot that may end a name.
fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_somebody_can_register_is_allowed_only_if_it_is_set() {
        let none = Hosts::default();
        for host in [
            "",
            "10.42.7.1",
            "10.42.7.1:1000",
            "[::1]",
            "[2001:db8::1]:1000",
            "[fe80::1%25eth0]:1000",
            "localhost",
            "LOCALHOST:10000",
            "me.localhost",
            "rancher-route53:1000",
            "rancher-route53.dns.rancher.internal:1000",
            "rancher-route53.dns.rancher.internal.",
            "nas.local",
        ] {
            assert!(none.allow(host), "{host}");
        }
        let set = Hosts::parse("status.example.com, DNS.example.org.").unwrap();
        for (host, is_set) in [
            ("status.example.com", true),
            ("Status.Example.Com.:8080", true),
            ("dns.example.org:1000", true),
            ("example.com", false),
            ("a.status.example.com", false),
            ("evil.example:1000", false),
            ("10.42.7.1.evil.example", false),
            ("localhost.evil.example", false),
            ("local.example", false),
            ("internal.example:80", false),
            ("1.2.3", false),
            ("[evil.example]", false),
        ] {
            assert_eq!(set.allow(host), is_set, "{host}");
            assert!(!none.allow(host), "{host}");
        }
    }

    #[test]
    fn a_setting_has_names_and_nothing_else() {
        for text in ["a", "a.example.com,b", " a , b. "] {
            assert!(Hosts::parse(text).is_some(), "{text}");
        }
        let long = "a".repeat(254);
        for text in [
            "", ",", "a,,b", "a:80", "http://a", "a/b", "*.a", "ä", &long,
        ] {
            assert_eq!(Hosts::parse(text), None, "{text}");
        }
    }
}
