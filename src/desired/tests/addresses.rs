//! Which address is published, by label and by setting.

use super::labels::{code, labelled};
use super::*;
use crate::desired::rules::RecordTypes;
use crate::rancher::labels::LabelSuffix;

const ADDRESS: &str = "io.rancher.service.external_dns_address";

/// What is desired of it, or why nothing, and its warnings.
fn outcome_of(service: Service<'static>, rules: &Rules) -> (Vec<String>, String) {
    let desired = desired(&world(vec![service]), rules);
    let outcome = desired.services.values().next().unwrap();
    match &outcome.name {
        Ok(_) => (lines(&desired), outcome.warning()),
        Err(skip) => (vec![skip.to_string()], outcome.warning()),
    }
}

#[test]
fn the_address_is_the_host_s_the_container_s_or_that_of_a_host_s_label() {
    let in_shop = "x.shop.prod.example.com. A 300";
    let label = |name: &str| AddressSource::HostLabel(name.to_owned());
    for (text, default, expected) in [
        (None, AddressSource::Host, format!("{in_shop} 203.0.113.3")),
        (
            None,
            AddressSource::Container,
            format!("{in_shop} 10.42.0.7"),
        ),
        (None, label("public"), format!("{in_shop} 198.51.100.3")),
        (
            Some("host"),
            AddressSource::Container,
            format!("{in_shop} 203.0.113.3"),
        ),
        (
            Some("container"),
            AddressSource::Host,
            format!("{in_shop} 10.42.0.7"),
        ),
        (
            Some("host-label:public"),
            AddressSource::Host,
            format!("{in_shop} 198.51.100.3"),
        ),
        (
            Some("host-label:six"),
            AddressSource::Host,
            "x.shop.prod.example.com. AAAA 300 2001:db8::6".to_owned(),
        ),
        (
            Some("host-label:gone"),
            AddressSource::Host,
            "no container counts: one runs on a host without an address in its label \"gone\""
                .to_owned(),
        ),
        (
            Some("host-label:any"),
            AddressSource::Host,
            "no container counts: one runs on a host without an address in its label \"any\""
                .to_owned(),
        ),
        (
            Some("host-label:odd"),
            AddressSource::Host,
            "no container counts: one runs on a host without an address in its label \"odd\""
                .to_owned(),
        ),
    ] {
        let labels: Vec<(&str, &str)> = text.map(|text| (ADDRESS, text)).into_iter().collect();
        let mut world = world(vec![labelled(&labels, true)]);
        world.hosts.get_mut("h1").unwrap().agent_ip = "203.0.113.3".into();
        world.hosts.get_mut("h1").unwrap().labels = host_labels_of(&[
            ("public", "198.51.100.3"),
            ("six", "[2001:DB8::6]"),
            ("odd", "here"),
            ("any", "0.0.0.0"),
        ]);
        let rules = Rules {
            address: default,
            ..rules()
        };
        let desired = desired(&world, &rules);
        let skipped = desired.skipped().map(|(_, reason)| reason.to_string());
        let found: Vec<String> = lines(&desired).into_iter().chain(skipped).collect();
        assert_eq!(found, [expected], "{text:?}");
    }
}

#[test]
fn a_host_s_label_with_the_suffix_comes_before_the_one_without() {
    let address = |suffix, known: &[(&str, &str)]| {
        let mut world = world(vec![labelled(&[(ADDRESS, "host-label:ip")], true)]);
        world.hosts.get_mut("h1").unwrap().labels = host_labels_of(known);
        let rules = Rules {
            label_suffix: LabelSuffix::parse(suffix).unwrap_or_default(),
            ..rules()
        };
        lines(&desired(&world, &rules)).join("\n")
    };
    let both = [("ip", "192.0.2.1"), ("ip_private", "10.0.0.1")];
    let shown = |ip: &str| format!("x.shop.prod.example.com. A 300 {ip}");
    assert_eq!(address("_private", &both), shown("10.0.0.1"));
    assert_eq!(address("_private", &both[..1]), shown("192.0.2.1"));
    assert_eq!(address("", &both), shown("192.0.2.1"));
    assert_eq!(address("", &both[1..]), "");
}

/// Nobody can be led to 0.0.0.0, and to an address of IPv4 only by an A record set.
#[test]
fn an_address_that_stands_for_any_is_none_and_one_of_ipv4_is_one_in_any_form() {
    let labels = |text| [("io.rancher.host.external_dns_ip", text)];
    let code_of = |agent_ip: &str, ip: Option<&'static str>| {
        let mut world = world(vec![labelled(&[], true)]);
        let host = world.hosts.get_mut("h1").unwrap();
        host.agent_ip = agent_ip.into();
        host.labels = host_labels_of(&ip.map(labels).unwrap_or_default());
        let desired = desired(&world, &rules());
        let skipped = desired
            .skipped()
            .map(|(_, reason)| reason.code().to_owned());
        lines(&desired)
            .into_iter()
            .chain(skipped)
            .collect::<Vec<_>>()
            .join("\n")
    };
    for (agent_ip, label, expected) in [
        ("0.0.0.0", None, "not_an_address"),
        ("::", None, "not_an_address"),
        ("203.0.113.3", Some("0.0.0.0"), "not_an_address"),
        ("203.0.113.3", Some("::ffff:0.0.0.0"), "not_an_address"),
        (
            "::ffff:203.0.113.3",
            None,
            "x.shop.prod.example.com. A 300 203.0.113.3",
        ),
        (
            "203.0.113.3",
            Some("::ffff:192.0.2.9"),
            "x.shop.prod.example.com. A 300 192.0.2.9",
        ),
    ] {
        assert_eq!(code_of(agent_ip, label), expected, "{agent_ip} {label:?}");
    }
}

#[test]
fn a_container_s_own_address_needs_no_published_port_but_a_container_that_counts() {
    let container_s = [(ADDRESS, "container")];
    let found = outcome_of(labelled(&container_s, false), &rules()).0;
    assert_eq!(found, ["x.shop.prod.example.com. A 300 10.42.0.7"]);

    let never = [
        (ADDRESS, "container"),
        ("io.rancher.service.external_dns", "never"),
    ];
    assert_eq!(code(labelled(&never, true), &rules()), "never");
    // The label stands for `always`, the setting doesn't.
    let chosen_only = Rules {
        default_policy: PublishPolicy::Never,
        address: AddressSource::Container,
        ..rules()
    };
    assert_eq!(code(labelled(&[], true), &chosen_only), "not_chosen");
    let host_s = [(ADDRESS, "host")];
    assert_eq!(code(labelled(&host_s, true), &chosen_only), "not_chosen");
    let found = code(labelled(&container_s, false), &chosen_only);
    assert_eq!(found, "published");

    for (ip, host, state, expected) in [
        (Some("2001:db8::7"), "h1", "running", "published"),
        (Some("10.42.0.300"), "h1", "running", "container_address"),
        (None, "h1", "running", "container_address"),
        (Some("10.42.0.7"), "gone", "running", "host_unknown"),
        (Some("10.42.0.7"), "out", "running", "host_excluded"),
        (Some("10.42.0.7"), "odd", "running", "published"),
        (Some("10.42.0.7"), "h1", "stopped", "not_running"),
    ] {
        let mut service = labelled(&container_s, false);
        let container = &mut service.containers[0];
        container.primary_ip = ip.map(|ip| ip.to_owned().into());
        container.host_uuid = host.into();
        container.state = state.into();
        assert_eq!(code(service, &rules()), expected, "{ip:?} {host} {state}");
    }
}

#[test]
fn a_label_that_names_no_address_leaves_it_to_the_setting() {
    let rules = Rules {
        address: AddressSource::Container,
        ..rules()
    };
    let (found, warning) = outcome_of(labelled(&[(ADDRESS, "agent")], true), &rules);
    assert_eq!(found, ["x.shop.prod.example.com. A 300 10.42.0.7"]);
    assert_eq!(
        warning,
        "external_dns_address=\"agent\" is not host, container, or host-label:NAME, where NAME is a \
         host's label; the setting ADDRESS holds"
    );
}

#[test]
fn a_port_bound_to_a_loopback_address_is_not_published() {
    for (ports, expected) in [
        (&["127.0.0.1:80:80/tcp"][..], "loopback"),
        (&["[::1]:80:80/tcp", "127.1.2.3:81:81/tcp"], "loopback"),
        (
            &["127.0.0.1:80:80/tcp", "192.0.2.7:81:81/tcp"],
            "A 300 192.0.2.7",
        ),
        (&["127.0.0.1:80:80/tcp", "81:81/tcp"], "A 300 203.0.113.1"),
    ] {
        let service = service("x", vec![container("h1", ports)]);
        let desired = desired(&world(vec![service]), &rules());
        let skipped = desired
            .skipped()
            .map(|(_, reason)| reason.code().to_owned());
        let found: Vec<String> = lines(&desired).into_iter().chain(skipped).collect();
        let found = found.join(" ").replace("x.shop.prod.example.com. ", "");
        assert_eq!(found, expected, "{ports:?}");
    }
}

#[test]
fn record_types_leave_the_other_family_out() {
    let both = || {
        let containers = vec![container("h1", &["1:1"]), container("v6", &["1:1"])];
        service("x", containers)
    };
    let six = || service("x", vec![container("v6", &["1:1"])]);
    let (a, aaaa) = ("A 300 203.0.113.1", "AAAA 300 2001:db8::3");
    let left_out = "no container counts: one has the address \"2001:db8::3\", which RECORD_TYPES \
                    leaves out";
    for (record_types, service, expected) in [
        (RecordTypes::Both, both(), &[a, aaaa][..]),
        (RecordTypes::A, both(), &[a]),
        (RecordTypes::Aaaa, both(), &[aaaa]),
        (RecordTypes::Aaaa, six(), &[aaaa]),
        (RecordTypes::A, six(), &[left_out]),
    ] {
        let rules = Rules {
            record_types,
            ..rules()
        };
        let (found, _) = outcome_of(service, &rules);
        let found: Vec<String> = found
            .iter()
            .map(|line| line.replace("x.shop.prod.example.com. ", ""))
            .collect();
        assert_eq!(found, expected, "{record_types:?}");
    }
}
