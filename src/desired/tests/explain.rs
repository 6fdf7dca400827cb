//! Why one service is published as it is.

use super::*;
use crate::desired::explain::Explanation;
use crate::rancher::labels::LabelSuffix;

pub(super) fn explained(service: &Service<'_>, rules: &Rules) -> Explanation {
    let World {
        environment, hosts, ..
    } = world(Vec::new());
    DesiredBuilder::new(&environment, &hosts, rules).explain(service)
}

/// What counts, as `container host: address (from)` or with the reason.
pub(super) fn containers(explanation: &Explanation) -> Vec<String> {
    let containers = explanation.containers.iter();
    let lines = containers.map(|container| {
        let outcome = match &container.address {
            Ok(Some((address, origin))) => format!("{address} ({})", origin.words()),
            Ok(None) => "counts".to_owned(),
            Err(reason) => format!("{}: it {reason}", reason.code()),
        };
        format!("{} {}: {outcome}", container.name, container.host)
    });
    lines.collect()
}

pub(super) fn decisions(explanation: &Explanation) -> Vec<String> {
    let decisions = explanation.decisions.iter();
    let lines = decisions.map(|decision| {
        let (what, value, by) = (decision.what, &decision.value, &decision.by);
        format!("{what}: {value} ({by})")
    });
    lines.collect()
}

fn names(explanation: &Explanation) -> Vec<String> {
    let names = explanation.names.iter();
    let lines = names.map(|name| match &name.name {
        Ok(found) => format!("{found} ({})", name.by),
        Err(reason) => format!("{reason} ({})", name.by),
    });
    lines.collect()
}

#[test]
fn each_container_has_its_address_and_where_that_is_from_or_its_reason() {
    let all = vec![
        container("h1", &["203.0.113.1:8080:80/tcp", "192.0.2.7:8080:80/tcp"]),
        container("h2", &["192.0.2.7:8080:80/tcp"]),
        container("h1", &["8080:80/tcp"]),
        container("v6", &["8080:80/tcp"]),
        container("h2", &["80/tcp"]),
        Container {
            state: "stopped".into(),
            ..container("h2", &["8080:80/tcp"])
        },
        Container {
            health_state: Some("unhealthy".into()),
            ..container("h2", &["8080:80/tcp"])
        },
        container("out", &["8080:80/tcp"]),
        container("nowhere", &["8080:80/tcp"]),
        container("named", &["8080:80/tcp"]),
    ];
    let explanation = explained(&service("web", all), &rules());
    let agent = "the address of its host's agent";
    let expected = [
        format!("h1-1 203.0.113.1: 203.0.113.1 ({agent})"),
        format!("h1-1 203.0.113.1: 203.0.113.1 ({agent})"),
        "h2-1 203.0.113.2: 192.0.2.7 (the address that its port is bound to)".to_owned(),
        "h2-1 203.0.113.2: no_port: it publishes no port on its host".to_owned(),
        "h2-1 203.0.113.2: not_running: it isn't running (state \"stopped\")".to_owned(),
        "h2-1 203.0.113.2: not_healthy: it isn't healthy (health \"unhealthy\")".to_owned(),
        "named-1 203.0.113.5: not_an_address: it would get the address \"lb.example\", which is \
         none; set the label io.rancher.host.external_dns_ip of its host to one"
            .to_owned(),
        "nowhere-1 nowhere: host_unknown: it runs on the host \"nowhere\", which metadata lacks"
            .to_owned(),
        "out-1 203.0.113.4: host_excluded: it runs on a host whose label \
         \"io.rancher.host.external_dns\" is 'false'"
            .to_owned(),
        "v6-1 203.0.113.3: 2001:db8::3 (its host's label io.rancher.host.external_dns_ip)"
            .to_owned(),
    ];
    assert_eq!(containers(&explanation), expected);
}

#[test]
fn other_sources_of_addresses_are_told_of_their_own() {
    for (address, expected) in [
        ("container", "10.42.0.7 (its own address (primary_ip))"),
        (
            "host-label:io.rancher.host.external_dns_ip",
            "2001:db8::3 (the label of its host)",
        ),
        (
            "host-label:none",
            "host_label: it runs on a host without an address in its label \"none\"",
        ),
    ] {
        let service = Service {
            labels: labels_of(&[("io.rancher.service.external_dns_address", address)]),
            ..service("web", vec![container("v6", &["8080:80/tcp"])])
        };
        let found = containers(&explained(&service, &rules())).remove(0);
        assert!(found.contains(expected), "{address}: {found}");
    }
}

/// What its containers lack to be published as others are, although it isn't.
#[test]
fn containers_of_a_service_that_is_never_published_have_their_reasons() {
    let all = || vec![container("h1", &["8080:80/tcp"]), container("h2", &[])];
    for (policy, no_port) in [("never", true), ("auto", true), ("always", false)] {
        let service = Service {
            labels: labels_of(&[("io.rancher.service.external_dns", policy)]),
            ..service("web", all())
        };
        let explanation = explained(&service, &rules());
        let second = &containers(&explanation)[1];
        assert_eq!(second.contains("no_port"), no_port, "{policy}: {second}");
    }
}

#[test]
fn with_the_containers_own_address_no_port_is_needed_and_that_is_said() {
    let service = Service {
        labels: labels_of(&[("io.rancher.service.external_dns_address", "container")]),
        ..service("web", Vec::new())
    };
    let expected = "published: always (label io.rancher.service.external_dns_address)";
    assert_eq!(decisions(&explained(&service, &rules()))[0], expected);
    let rules = Rules {
        address: AddressSource::Container,
        ..rules()
    };
    let service = Service {
        labels: labels_of(&[]),
        ..service
    };
    let expected =
        "published: auto, which needs no port with the address 'container' (DEFAULT_POLICY)";
    assert_eq!(decisions(&explained(&service, &rules))[0], expected);
}

/// Metadata's order varies: what is explained is the one that counts.
#[test]
fn of_services_with_one_name_the_builder_says_which_it_keeps() {
    let World {
        environment, hosts, ..
    } = world(Vec::new());
    let published = service("web", vec![container("h1", &["8080:80/tcp"])]);
    let empty = service("web", Vec::new());
    let rules = rules();
    for (services, kept) in [
        ([&published, &empty], [true, false]),
        ([&empty, &published], [true, true]),
    ] {
        let mut builder = DesiredBuilder::new(&environment, &hosts, &rules);
        assert_eq!(services.map(|service| builder.add(service)), kept);
    }
}

const TEMPLATE: &str = "%{{service_name}}.%{{stack_name}}.%{{environment_name}}";

#[test]
fn settings_decide_where_no_label_does() {
    let explanation = explained(&service("web", Vec::new()), &rules());
    let expected = [
        "published: auto (DEFAULT_POLICY)".to_owned(),
        "address: host (ADDRESS)".to_owned(),
        format!("name template: {TEMPLATE} (NAME_TEMPLATE)"),
        "TTL: 300 (TTL)".to_owned(),
    ];
    assert_eq!(decisions(&explanation), expected);
    let expected = ["web.shop.prod.example.com. (NAME_TEMPLATE)"];
    assert_eq!(names(&explanation), expected);
}

#[test]
fn labels_that_decide_are_named_with_prefix_and_suffix() {
    let rules = Rules {
        has_system_services: false,
        label_suffix: LabelSuffix::parse("_eu").unwrap(),
        record_types: crate::desired::rules::RecordTypes::A,
        ..rules()
    };
    let service = Service {
        kind: "loadBalancerService".into(),
        is_system: true,
        lb_hostnames: vec!["shop.example.com".into(), "www.example.com".into()],
        labels: labels_of(&[
            ("io.rancher.service.external_dns_eu", "always"),
            ("io.rancher.service.external_dns", "never"),
            ("io.pasturestack.service.external_dns_ttl", "60"),
            ("io.rancher.service.external_dns_address", "container"),
            ("io.rancher.service.external_dns_name_template", "api"),
            ("io.rancher.service.external_dns_names", "api,www,v2"),
            ("io.rancher.service.external_dns_lb_hostnames", "true"),
        ]),
        ..service("web", Vec::new())
    };
    let explanation = explained(&service, &rules);
    let expected = [
        "system stacks: not published (SYSTEM_SERVICES)",
        "published: always (label io.rancher.service.external_dns_eu)",
        "address: container (label io.rancher.service.external_dns_address)",
        "record types: A (RECORD_TYPES)",
        "name template: api (label io.rancher.service.external_dns_name_template)",
        "further names: api,www,v2 (label io.rancher.service.external_dns_names)",
        "host names as names: true (label io.rancher.service.external_dns_lb_hostnames)",
        "TTL: 60 (label io.pasturestack.service.external_dns_ttl)",
    ];
    assert_eq!(decisions(&explanation), expected);
    let expected = [
        "api.example.com. (label io.rancher.service.external_dns_name_template)",
        "www.example.com. (label io.rancher.service.external_dns_names)",
        "v2.example.com. (label io.rancher.service.external_dns_names)",
        "shop.example.com. (the load balancer's port rules)",
    ];
    assert_eq!(names(&explanation), expected);
}

/// Labels that aren't understood decide nothing, but for the policy, which counts as `auto`.
#[test]
fn what_is_not_understood_does_not_decide() {
    let service = Service {
        kind: "loadBalancerService".into(),
        labels: labels_of(&[
            ("io.rancher.service.external_dns", "alwys"),
            ("io.rancher.service.external_dns_ttl", "soon"),
            ("io.rancher.service.external_dns_address", "moon"),
            ("io.rancher.service.external_dns_lb_hostnames", "perhaps"),
            ("io.rancher.service.external_dns_name_template", "a b"),
        ]),
        ..service("web", Vec::new())
    };
    let explanation = explained(&service, &rules());
    let expected = [
        "published: auto (label io.rancher.service.external_dns, whose text \"alwys\" isn't understood)",
        "address: host (ADDRESS)",
        "name template: a b (label io.rancher.service.external_dns_name_template)",
        "host names as names: false (LB_HOSTNAMES)",
        "TTL: 300 (TTL)",
    ];
    assert_eq!(decisions(&explanation), expected);
    let [name] = &names(&explanation)[..] else {
        panic!("one name");
    };
    assert!(name.contains("' ' can't be part of a name"), "{name}");
}

/// It asks the functions that decide: what it says can't differ from what is published.
#[test]
fn the_explanation_has_the_addresses_and_names_that_are_published() {
    let service = Service {
        labels: labels_of(&[("io.rancher.service.external_dns_names", "api")]),
        ..service(
            "web",
            vec![
                container("h1", &["8080:80/tcp"]),
                container("h2", &["80/tcp"]),
            ],
        )
    };
    let explanation = explained(&service, &rules());
    let desired = desired(&world(vec![service]), &rules());
    let outcome = desired.services.values().next().unwrap();
    let explained: Vec<&Name> = explanation
        .names
        .iter()
        .map(|name| name.name.as_ref().unwrap())
        .collect();
    assert_eq!(explained, outcome.names().collect::<Vec<_>>());
    let counted = explanation.containers.iter();
    let counted = counted.filter_map(|container| container.address.as_ref().ok()?.as_ref());
    let counted: Vec<String> = counted.map(|(address, _)| address.to_string()).collect();
    for set in desired.record_sets.values() {
        assert_eq!(set.in_order(), counted.iter().collect::<Vec<_>>());
    }
}
