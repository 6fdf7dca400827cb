use super::super::samples::addresses;
use super::*;

fn resolv(text: &str) -> Resolv {
    Resolv::read(text, 53, |interface| (interface == "eth0").then_some(2))
}

#[test]
fn name_servers_are_those_of_resolv_conf() {
    for (text, expected) in [
        ("nameserver 127.0.0.11\n", &["127.0.0.11:53"][..]),
        (
            "# x\n;nameserver 192.0.2.9\nnameserver\t192.0.2.1 # y\r\n",
            &["192.0.2.1:53"],
        ),
        ("nameserver 2001:db8::1\n", &["[2001:db8::1]:53"]),
        ("nameserver fe80::1%eth0\n", &["[fe80::1%2]:53"]),
        ("nameserver fe80::1%7\n", &["[fe80::1%7]:53"]),
        (
            "nameserver fe80::1%no\nnameserver x\nnameserver\n",
            &["127.0.0.1:53"],
        ),
        ("", &["127.0.0.1:53"]),
        (
            "nameserver 0.0.0.0\nnameserver ::\n",
            &["127.0.0.1:53", "[::1]:53"],
        ),
        (
            "nameserver 192.0.2.1\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n",
            &["192.0.2.1:53", "192.0.2.2:53"],
        ),
        (
            "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4",
            &["192.0.2.1:53", "192.0.2.2:53", "192.0.2.3:53"],
        ),
    ] {
        let servers: Vec<SocketAddr> = expected.iter().map(|s| s.parse().unwrap()).collect();
        assert_eq!(resolv(text).servers, servers, "{text:?}");
    }
}

#[test]
fn a_short_name_is_looked_for_in_the_search_domains() {
    const RANCHER: &str = "search shop.rancher.internal rancher.internal\n";
    for (text, host, expected) in [
        ("", "metadata", &["metadata"][..]),
        (
            RANCHER,
            "metadata",
            &[
                "metadata.shop.rancher.internal",
                "metadata.rancher.internal",
                "metadata",
            ],
        ),
        (
            RANCHER,
            "a.example",
            &[
                "a.example",
                "a.example.shop.rancher.internal",
                "a.example.rancher.internal",
            ],
        ),
        (RANCHER, "metadata.", &["metadata"]),
        (
            "search x.\noptions timeout:1 ndots:2",
            "a.b",
            &["a.b.x", "a.b"],
        ),
        ("search x\noptions ndots:0", "a", &["a", "a.x"]),
        ("search x\noptions ndots:99999", "a.b", &["a.b.x", "a.b"]),
        ("domain x y\n", "a", &["a.x", "a"]),
        ("search x\ndomain y\n", "a", &["a.y", "a"]),
        ("domain y\nsearch .\n", "a", &["a"]),
        ("search a..b", "a", &["a"]),
    ] {
        let candidates = resolv(text).candidates(host);
        assert_eq!(candidates.names, expected, "{text:?} {host}");
        let is_as_given_first = candidates.names[0] == host.trim_end_matches('.');
        assert_eq!(
            candidates.is_as_given_first || expected.len() == 1,
            is_as_given_first
        );
    }
    let many: Vec<String> = (0..99).map(|n| format!("d{n}")).collect();
    let many = format!("search {}", many.join(" "));
    assert_eq!(resolv(&many).candidates("a").names.len(), 10);
}

#[test]
fn hosts_may_have_the_name_with_several_addresses() {
    const TEXT: &str = "127.0.0.1 localhost\n# 192.0.2.9 rancher\n\
                        192.0.2.1\trancher.example.org Rancher # x\n2001:db8::1 rancher\n\
                        192.0.2.1 rancher\nnonsense rancher\n192.0.2.3 # rancher\n";
    for (text, host, expected) in [
        (TEXT, "rancher", &["192.0.2.1", "2001:db8::1"][..]),
        (TEXT, "rancher.", &["192.0.2.1", "2001:db8::1"]),
        (TEXT, "rancher.example.org", &["192.0.2.1"]),
        (TEXT, "example.org", &[]),
        (TEXT, "localhost", &["127.0.0.1"]),
        ("", "localhost", &["127.0.0.1", "::1"]),
        ("", "rancher", &[]),
    ] {
        assert_eq!(in_hosts(text, host), addresses(expected), "{host}");
    }
}
