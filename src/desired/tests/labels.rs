//! Each label and each setting that holds without it, good values and bad ones.

use super::*;
use crate::desired::rules::RecordTypes;
use crate::rancher::labels::LabelSuffix;

/// A service with these labels and one container, which publishes a port or not.
fn labelled(labels: &[(&str, &str)], has_port: bool) -> Service<'static> {
    let ports: &[&str] = if has_port { &["8080:80/tcp"] } else { &[] };
    let mut labelled = service("x", vec![container("h1", ports)]);
    labelled.labels = labels_of(labels);
    labelled
}

/// What becomes of it: `published`, or the code of the reason.
fn code(service: Service<'static>, rules: &Rules) -> &'static str {
    let desired = desired(&world(vec![service]), rules);
    let outcome = desired.services.values().next().unwrap();
    outcome
        .name
        .as_ref()
        .err()
        .map_or("published", SkipReason::code)
}

#[test]
fn who_is_published_is_what_the_label_says_and_else_default_policy() {
    let label = "io.rancher.service.external_dns";
    let (auto, always, never) = (
        PublishPolicy::Auto,
        PublishPolicy::Always,
        PublishPolicy::Never,
    );
    for (policy, default, with_port, without) in [
        (None, auto, "published", "no_port"),
        (None, always, "published", "published"),
        (None, never, "not_chosen", "not_chosen"),
        (Some("auto"), always, "published", "no_port"),
        (Some("Auto"), never, "published", "no_port"),
        (Some("ALWAYS"), never, "published", "published"),
        (Some("never"), always, "never", "never"),
        (Some("never"), never, "never", "never"),
        // Something was meant for this service, so the default for others doesn't hold.
        (Some("alwys"), never, "published", "no_port"),
        (Some(" "), never, "not_chosen", "not_chosen"),
    ] {
        let labels: Vec<(&str, &str)> = policy.map(|text| (label, text)).into_iter().collect();
        let rules = Rules {
            default_policy: default,
            ..rules()
        };
        let found = [true, false].map(|port| code(labelled(&labels, port), &rules));
        assert_eq!(found, [with_port, without], "{policy:?} {default:?}");
    }
}

#[test]
fn services_of_system_stacks_are_published_unless_they_are_not_wanted() {
    for (is_system, has_system_services, expected) in [
        (false, false, "published"),
        (true, true, "published"),
        (true, false, "system"),
    ] {
        let always = [("io.rancher.service.external_dns", "always")];
        let service = Service {
            is_system,
            ..labelled(&always, true)
        };
        let rules = Rules {
            has_system_services,
            ..rules()
        };
        assert_eq!(code(service, &rules), expected, "{is_system}");
    }
}

#[test]
fn every_label_is_looked_up_with_the_suffix_first() {
    let suffixed = Rules {
        label_suffix: LabelSuffix::parse("_private").unwrap(),
        ..rules()
    };
    let mut world = world(vec![labelled(
        &[
            ("io.rancher.service.external_dns", "never"),
            ("io.rancher.service.external_dns_private", "always"),
            (
                "io.rancher.service.external_dns_name_template_private",
                "in",
            ),
        ],
        false,
    )]);
    let host = world.hosts.get_mut("h1").unwrap();
    host.labels = host_labels_of(&[
        ("io.rancher.host.external_dns", "false"),
        ("io.rancher.host.external_dns_private", "true"),
        ("io.rancher.host.external_dns_ip", "192.0.2.1"),
        ("io.rancher.host.external_dns_ip_private", "10.0.0.1"),
    ]);
    assert_eq!(
        lines(&desired(&world, &suffixed)),
        ["in.example.com. A 300 10.0.0.1"]
    );
    let without = desired(&world, &rules());
    let reasons: Vec<&SkipReason> = without.skipped().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, [&SkipReason::Never]);
}

const ADDRESS: &str = "io.rancher.service.external_dns_address";
const TTL: &str = "io.rancher.service.external_dns_ttl";

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
            "its host has no label \"gone\", from which its address is taken".to_owned(),
        ),
        (
            Some("host-label:odd"),
            AddressSource::Host,
            "its host's label \"odd\" is no IP address".to_owned(),
        ),
    ] {
        let labels: Vec<(&str, &str)> = text.map(|text| (ADDRESS, text)).into_iter().collect();
        let mut world = world(vec![labelled(&labels, true)]);
        world.hosts.get_mut("h1").unwrap().agent_ip = "203.0.113.3".into();
        world.hosts.get_mut("h1").unwrap().labels = host_labels_of(&[
            ("public", "198.51.100.3"),
            ("six", "[2001:DB8::6]"),
            ("odd", "here"),
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
fn a_container_s_own_address_needs_no_published_port_but_a_container_that_counts() {
    let container_s = [(ADDRESS, "container")];
    let found = outcome_of(labelled(&container_s, false), &rules()).0;
    assert_eq!(found, ["x.shop.prod.example.com. A 300 10.42.0.7"]);

    let never = [
        (ADDRESS, "container"),
        ("io.rancher.service.external_dns", "never"),
    ];
    assert_eq!(code(labelled(&never, true), &rules()), "never");
    let chosen_only = Rules {
        default_policy: PublishPolicy::Never,
        ..rules()
    };
    assert_eq!(
        code(labelled(&container_s, true), &chosen_only),
        "not_chosen"
    );

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
        "external_dns_address=\"agent\" is not host, container, or host-label: and the name of a \
         label of hosts; the setting ADDRESS holds"
    );
}

#[test]
fn a_port_bound_to_a_loopback_address_is_not_published() {
    for (ports, expected) in [
        (&["127.0.0.1:80:80/tcp"][..], "no_port"),
        (&["[::1]:80:80/tcp", "127.1.2.3:81:81/tcp"], "no_port"),
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
    let left_out = "RECORD_TYPES leaves out its address 2001:db8::3";
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

#[test]
fn a_service_may_have_a_ttl_of_its_own() {
    for (text, ttl, warning) in [
        ("60", "60", ""),
        ("0", "0", ""),
        (" 2147483647 ", "2147483647", ""),
        ("2147483648", "300", "ttl"),
        ("-1", "300", "ttl"),
        ("1m", "300", "ttl"),
        ("60.5", "300", "ttl"),
        ("", "300", ""),
    ] {
        let world = world(vec![labelled(&[(TTL, text)], true)]);
        let desired = desired(&world, &rules());
        let expected = format!("x.shop.prod.example.com. A {ttl} 203.0.113.1");
        assert_eq!(lines(&desired), [expected], "{text}");
        let warnings = &desired.services.values().next().unwrap().warnings;
        let codes: Vec<&str> = warnings.iter().map(Warning::code).collect();
        assert_eq!(codes.join(" "), warning, "{text}");
    }
}

#[test]
fn of_services_that_share_a_name_the_smallest_ttl_holds() {
    for (ttls, used, warned) in [
        ([Some("600"), Some("60")], 60, &["a"][..]),
        ([None, Some("60")], 60, &["a"]),
        ([None, Some("600")], 300, &["b"]),
        ([Some("60"), Some("60")], 60, &[]),
        ([None, Some("300")], 300, &[]),
        ([None, None], 300, &[]),
    ] {
        let template = ("io.rancher.service.external_dns_name_template", "same");
        let services = ["a", "b"].into_iter().zip(ttls).map(|(name, ttl)| {
            let labels = ttl.map(|ttl| (TTL, ttl)).into_iter().chain([template]);
            let labels: Vec<(&str, &str)> = labels.collect();
            Service {
                name: name.into(),
                ..labelled(&labels, true)
            }
        });
        let services: Vec<Service<'static>> = services.collect();
        for services in [services.clone(), services.into_iter().rev().collect()] {
            let desired = desired(&world(services), &rules());
            let expected = format!("same.example.com. A {used} 203.0.113.1");
            assert_eq!(lines(&desired), [expected], "{ttls:?}");
            let found = desired
                .services
                .iter()
                .filter(|(_, s)| !s.warnings.is_empty());
            let found: Vec<&str> = found.map(|(key, _)| key.service.as_str()).collect();
            assert_eq!(found, warned, "{ttls:?}");
        }
    }
    let words = Warning::OtherTtl {
        name: Name::parse("same.example.com").unwrap(),
        wanted: 300,
        used: 60,
    };
    assert_eq!(
        words.to_string(),
        "its TTL of 300 isn't used for same.example.com: another service of that name has 60, and \
         the smallest holds"
    );
}

const NAMES: &str = "io.rancher.service.external_dns_names";
const LB_HOSTNAMES: &str = "io.rancher.service.external_dns_lb_hostnames";
const IN_SHOP: &str = "x.shop.prod.example.com.";

/// The names under which something is desired, and the codes of the warnings.
fn names_of(service: Service<'static>, rules: &Rules) -> (Vec<String>, Vec<&'static str>) {
    let desired = desired(&world(vec![service]), rules);
    let names = desired
        .record_sets
        .keys()
        .map(|key| key.name.as_str().to_owned());
    let warnings = desired
        .services
        .values()
        .flat_map(|outcome| &outcome.warnings);
    (names.collect(), warnings.map(Warning::code).collect())
}

#[test]
fn a_service_has_the_names_of_its_label_besides_its_own() {
    for (text, expected, warnings) in [
        ("www", &["www.example.com.", IN_SHOP][..], &[][..]),
        (
            "www,www,@",
            &["example.com.", "www.example.com.", IN_SHOP],
            &[],
        ),
        ("%{{service_name}}.shop.prod", &[IN_SHOP], &[]),
        (
            "a b,*.x,www.example.org.",
            &["\\052.x.example.com.", IN_SHOP],
            &["name", "name"],
        ),
        (",", &[IN_SHOP], &[]),
    ] {
        let (names, found) = names_of(labelled(&[(NAMES, text)], true), &rules());
        assert_eq!(names, expected, "{text}");
        assert_eq!(found, warnings, "{text}");
    }
    let hidden = labelled(&[(NAMES, "www,a b")], false);
    assert_eq!(
        names_of(hidden, &rules()),
        (vec![], vec![]),
        "not published at all"
    );
}

#[test]
fn only_the_template_s_name_is_rancher_s_and_all_names_share_what_the_service_has() {
    let service = labelled(&[(NAMES, "www,a"), (TTL, "60")], true);
    let desired = desired(&world(vec![service]), &rules());
    let outcome = desired.services.values().next().unwrap();
    assert_eq!(outcome.name.as_ref().unwrap().as_str(), IN_SHOP);
    let names: Vec<&str> = outcome.names().map(Name::as_str).collect();
    assert_eq!(names, [IN_SHOP, "a.example.com.", "www.example.com."]);
    let expected = ["a.example.com.", "www.example.com.", IN_SHOP];
    let expected = expected.map(|name| format!("{name} A 60 203.0.113.1"));
    assert_eq!(lines(&desired), expected);
}

#[test]
fn the_host_names_of_a_load_balancer_are_names_if_that_is_asked_for() {
    let names = &[IN_SHOP, "\\052.cdn.example.com.", "shop.example.com."][..];
    let mut sorted = names.to_vec();
    sorted.sort();
    for (kind, label, setting, is_on, warnings) in [
        ("loadBalancerService", None, false, false, &[][..]),
        ("loadBalancerService", None, true, true, &["hostname"]),
        (
            "loadBalancerService",
            Some("True"),
            false,
            true,
            &["hostname"],
        ),
        ("loadBalancerService", Some("false"), true, false, &[]),
        (
            "loadBalancerService",
            Some("on"),
            true,
            true,
            &["lb_hostnames", "hostname"],
        ),
        (
            "loadBalancerService",
            Some("on"),
            false,
            false,
            &["lb_hostnames"],
        ),
        ("service", Some("true"), true, false, &[]),
    ] {
        let labels: Vec<(&str, &str)> = label.map(|t| (LB_HOSTNAMES, t)).into_iter().collect();
        let hostnames = [
            "shop.example.com",
            "*.cdn.example.com",
            "a.*.example.com",
            "*",
            "b.org",
        ];
        let service = Service {
            kind: kind.into(),
            lb_hostnames: hostnames.map(Into::into).into(),
            ..labelled(&labels, true)
        };
        let rules = Rules {
            lb_hostnames: setting,
            ..rules()
        };
        let (found, codes) = names_of(service, &rules);
        let expected = if is_on { &sorted[..] } else { &[IN_SHOP] };
        assert_eq!(found, expected, "{kind} {label:?} {setting}");
        assert_eq!(codes, warnings, "{kind} {label:?} {setting}");
    }
}

#[test]
fn services_without_labels_have_one_name_and_no_list_of_others() {
    let desired = desired(&world(vec![labelled(&[], true)]), &rules());
    let outcome = desired.services.values().next().unwrap();
    assert_eq!(outcome.more_names.capacity(), 0);
    assert_eq!(outcome.warnings.capacity(), 0);
}
