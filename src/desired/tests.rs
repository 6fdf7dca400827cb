use std::collections::HashMap;

use super::*;
use crate::desired::address::AddressSource;
use crate::desired::container::{ContainerSkip, Requirement};
use crate::desired::options::PublishPolicy;
use crate::rancher::labels::{HostLabels, LabelKey, Labels};
use crate::rancher::model::{self, Container, Environment, Host, Service};

mod addresses;
mod containers;
mod explain;
mod explained_targets;
mod labels;
mod names;
mod routing;
mod sharing;
mod targets;
mod ttl;

fn rules() -> Rules {
    Rules::of_zone(Name::parse("example.com").unwrap())
}

fn labels_of(pairs: &[(&str, &str)]) -> Labels {
    let mut labels = Labels::default();
    for (key, value) in pairs {
        labels.insert(key, value);
    }
    labels
}

fn host_labels_of(pairs: &[(&str, &str)]) -> HostLabels {
    let mut labels = HostLabels::default();
    for (key, value) in pairs {
        labels.insert(key, value);
    }
    labels
}

fn container(host: &str, ports: &[&str]) -> Container<'static> {
    Container {
        name: format!("{host}-1").into(),
        state: "running".into(),
        health_state: Some("healthy".into()),
        host_uuid: host.to_owned().into(),
        primary_ip: Some("10.42.0.7".into()),
        ports: ports.iter().map(|port| port.to_string().into()).collect(),
    }
}

fn service(name: &str, containers: Vec<Container<'static>>) -> Service<'static> {
    Service {
        name: name.to_owned().into(),
        stack_name: "shop".into(),
        kind: "service".into(),
        containers,
        ..Service::default()
    }
}

/// All that metadata says.
struct World {
    environment: Environment,
    services: Vec<Service<'static>>,
    hosts: HashMap<String, Host>,
}

fn desired(world: &World, rules: &Rules) -> Desired {
    let mut builder = DesiredBuilder::new(&world.environment, &world.hosts, rules);
    for service in &world.services {
        builder.add(service);
    }
    builder.finish()
}

fn world(services: Vec<Service<'static>>) -> World {
    let host = |ip: &str, labels: &[(&str, &str)]| Host {
        agent_ip: ip.into(),
        labels: host_labels_of(labels),
    };
    World {
        environment: Environment {
            name: "Prod".into(),
            uuid: "u".into(),
            own_stack: "route53".into(),
            stack_uuid: None,
        },
        services,
        hosts: [
            ("h1", host("203.0.113.1", &[])),
            ("h2", host("203.0.113.2", &[])),
            (
                "v6",
                host(
                    "203.0.113.3",
                    &[("io.rancher.host.external_dns_ip", "2001:DB8::3")],
                ),
            ),
            (
                "out",
                host("203.0.113.4", &[("io.rancher.host.external_dns", "false")]),
            ),
            ("odd", host("not an ip", &[])),
            (
                "named",
                host(
                    "203.0.113.5",
                    &[("io.rancher.host.external_dns_ip", "lb.example")],
                ),
            ),
        ]
        .into_iter()
        .map(|(uuid, host)| (uuid.to_owned(), host))
        .collect(),
    }
}

fn lines(desired: &Desired) -> Vec<String> {
    desired
        .record_sets
        .values()
        .map(RecordSet::to_string)
        .collect()
}

fn outcome(service: Service<'static>) -> Result<Vec<String>, String> {
    let desired = desired(&world(vec![service]), &rules());
    let outcome = desired.services.values().next().unwrap();
    match &outcome.name {
        Ok(_) => Ok(lines(&desired)),
        Err(skip) => {
            assert_eq!(lines(&desired), [] as [&str; 0]);
            Err(skip.to_string())
        }
    }
}

#[test]
fn publishes_what_the_samples_of_a_real_server_say() {
    let mut services = Vec::new();
    model::read_services(
        &include_bytes!("../../tests/samples/services.json")[..],
        &mut |service| services.push(service.into_owned()),
    )
    .unwrap();
    let world = World {
        environment: model::read_environment(
            &include_bytes!("../../tests/samples/self-stack.json")[..],
        )
        .unwrap(),
        services,
        hosts: model::read_hosts(&include_bytes!("../../tests/samples/hosts.json")[..]).unwrap(),
    };
    let desired = desired(&world, &rules());
    assert_eq!(
        lines(&desired),
        [
            "cart.production-eu.example.com. A 300 203.0.113.11",
            "cart.production-eu.example.com. AAAA 300 2001:db8:20::13",
            "frontend.shop.production-eu.example.com. A 300 203.0.113.11,203.0.113.12",
            "frontend.shop.production-eu.example.com. AAAA 300 2001:db8:20::13",
            "resolver.infra.production-eu.example.com. A 300 192.0.2.53",
            "status-page.monitoring-co.production-eu.example.com. AAAA 300 2001:db8:20::13",
            "web-nginx.shop.production-eu.example.com. A 300 203.0.113.11,203.0.113.12",
            "web.shop.production-eu.example.com. A 300 203.0.113.11,203.0.113.12",
        ]
    );
    let with_hostnames = Rules {
        lb_hostnames: true,
        ..rules()
    };
    let more = self::desired(&world, &with_hostnames);
    let more: Vec<String> = lines(&more)
        .into_iter()
        .filter(|line| line.starts_with("shop."))
        .collect();
    assert_eq!(
        more,
        [
            "shop.example.com. A 300 203.0.113.11,203.0.113.12",
            "shop.example.com. AAAA 300 2001:db8:20::13",
        ]
    );
    let skipped: Vec<(&str, &str)> = desired
        .services
        .iter()
        .filter_map(|(key, outcome)| Some((key.service.as_str(), outcome.name.as_ref().err()?)))
        .map(|(service, skip)| (service, skip.code()))
        .collect();
    assert_eq!(
        skipped,
        [
            ("postgres", "no_port"),
            ("replica", "host_excluded"),
            ("batch", "not_running"),
            ("queue", "kind"),
            ("smtp", "kind"),
            ("grafana", "never"),
            ("external-dns", "no_port"),
        ]
    );
}

#[test]
fn every_service_that_is_not_published_has_its_reason() {
    let port = "203.0.113.1:8080:80/tcp";
    let mut external = service("x", vec![container("h1", &[port])]);
    external.kind = "externalService".into();
    let mut never = service("x", vec![container("h1", &[port])]);
    never.labels = labels_of(&[("io.rancher.service.external_dns", "Never")]);
    let mut stopped = container("h1", &[port]);
    stopped.state = "stopped".into();
    let mut sick = container("h1", &[port]);
    sick.health_state = Some("initializing".into());
    let mut templated = service("x", vec![container("h1", &[port])]);
    templated.labels = labels_of(&[("io.rancher.service.external_dns_name_template", "%{{host}}")]);
    for (service, words) in [
        (external, "externalService"),
        (never, "'never'"),
        (service("x", vec![]), "no container"),
        (service("x", vec![stopped.clone()]), "stopped"),
        (service("x", vec![sick.clone(), stopped]), "initializing"),
        (
            service("x", vec![container("h1", &["203.0.113.1:80/tcp"]), sick]),
            "publishes a port",
        ),
        (service("x", vec![container("gone", &[port])]), "gone"),
        (service("x", vec![container("out", &[port])]), "'false'"),
        (
            service("x", vec![container("odd", &["0.0.0.0:80:80/tcp"])]),
            "not an ip",
        ),
        (
            service("x", vec![container("named", &[port])]),
            "lb.example",
        ),
        (
            service("x", vec![container("h1", &["host:80:80/tcp"])]),
            "host",
        ),
        (templated, "%{{host}}"),
        (service("日本", vec![container("h1", &[port])]), "empty"),
        (
            service(&"a".repeat(64), vec![container("h1", &[port])]),
            "63",
        ),
    ] {
        let reason = outcome(service).unwrap_err();
        assert!(reason.contains(words), "{reason} should say {words}");
    }
}

#[test]
fn picks_the_address_in_order() {
    for (host, ports, expected) in [
        ("h1", &["203.0.113.1:8080:80/tcp"][..], "A 300 203.0.113.1"),
        ("h1", &["8080:80/tcp"], "A 300 203.0.113.1"),
        ("h1", &["0.0.0.0:8080:80/tcp"], "A 300 203.0.113.1"),
        (
            "h1",
            &["203.0.113.1:90/tcp", "192.0.2.7:53:53/udp"],
            "A 300 192.0.2.7",
        ),
        ("h1", &["[2001:db8::7]:53:53/udp"], "AAAA 300 2001:db8::7"),
        ("v6", &["192.0.2.7:53:53/udp"], "AAAA 300 2001:db8::3"),
    ] {
        let lines = outcome(service("x", vec![container(host, ports)])).unwrap();
        assert_eq!(
            lines,
            [format!("x.shop.prod.example.com. {expected}")],
            "{host} {ports:?}"
        );
    }
}

#[test]
fn always_needs_no_port_and_an_unknown_policy_counts_as_auto() {
    let mut always = service("x", vec![container("h1", &[])]);
    always.labels = labels_of(&[("io.rancher.service.external_dns", "always")]);
    assert_eq!(
        outcome(always).unwrap(),
        ["x.shop.prod.example.com. A 300 203.0.113.1"]
    );
    let mut unknown = service("x", vec![container("h1", &[])]);
    unknown.labels = labels_of(&[("io.rancher.service.external_dns", "yes please")]);
    let desired = desired(&world(vec![unknown]), &rules());
    let outcome = desired.services.values().next().unwrap();
    assert_eq!(outcome.warnings, [Warning::policy("yes please")]);
    assert_eq!(
        outcome.name,
        Err(SkipReason::Container(ContainerSkip::new(
            Requirement::Port,
            ""
        )))
    );
}

#[test]
fn services_that_meet_in_one_name_share_it() {
    let a = service("Web App", vec![container("h1", &["8080:80/tcp"])]);
    let b = service(
        "web-app",
        vec![container("h2", &["8080:80/tcp"]), container("v6", &["1:1"])],
    );
    let desired = desired(&world(vec![a, b]), &rules());
    assert_eq!(
        lines(&desired),
        [
            "web-app.shop.prod.example.com. A 300 203.0.113.1,203.0.113.2",
            "web-app.shop.prod.example.com. AAAA 300 2001:db8::3",
        ]
    );
    assert!(
        desired
            .services
            .values()
            .all(|outcome| outcome.name.is_ok())
    );
}

#[test]
fn keeps_the_first_400_addresses_and_says_so() {
    let on = |i: usize| {
        let port = format!("10.0.{}.{}:80:80/tcp", i / 250, i % 250);
        container("h1", &[port.as_str()])
    };
    // In no order, and half of them twice: in one service, and in another one of the same name.
    let some = (250..500).chain(0..200).map(on).rev().collect();
    let others = (100..300).map(on).collect();
    let services = vec![service("X x", some), service("x-x", others)];
    let too_many = desired(&world(services), &rules());
    let set = too_many.record_sets.values().next().unwrap();
    assert_eq!(set.values().len(), 400);
    let has = |address: &str| set.values().contains(&address.to_owned());
    assert!(has("10.0.1.149") && !has("10.0.1.150"));
    assert_eq!(too_many.truncated.values().collect::<Vec<_>>(), [&500]);

    let as_many_as_may_be = desired(
        &world(vec![service("x", (0..400).map(on).collect())]),
        &rules(),
    );
    let set = as_many_as_may_be.record_sets.values().next().unwrap();
    assert_eq!(set.values().len(), 400);
    assert!(as_many_as_may_be.truncated.is_empty());
}

#[test]
fn what_is_skipped_is_what_has_no_name() {
    let good = service("a", vec![container("h1", &["8080:80/tcp"])]);
    let bad = service("b", vec![]);
    let desired = desired(&world(vec![good, bad]), &rules());
    let skipped: Vec<(&str, &SkipReason)> = desired
        .skipped()
        .map(|(key, reason)| (key.service.as_str(), reason))
        .collect();
    assert_eq!(skipped, [("b", &SkipReason::NoContainer)]);
}

#[test]
fn of_two_services_of_one_name_the_published_one_counts_in_any_order() {
    let good = || service("a", vec![container("h1", &["8080:80/tcp"])]);
    let bad = || service("a", vec![]);
    for services in [vec![good(), bad()], vec![bad(), good()]] {
        let desired = desired(&world(services), &rules());
        assert_eq!(desired.services.len(), 1);
        assert_eq!(desired.skipped().count(), 0);
    }
    let named = |template: &str| {
        let mut service = good();
        service.labels = labels_of(&[("io.rancher.service.external_dns_name_template", template)]);
        service
    };
    for services in [vec![named("x"), named("y")], vec![named("y"), named("x")]] {
        let desired = desired(&world(services), &rules());
        assert_eq!(desired.record_sets.len(), 2);
        let names: Vec<&Name> = desired
            .services
            .values()
            .flat_map(ServiceOutcome::names)
            .collect();
        assert_eq!(names, [&Name::parse("x.example.com").unwrap()]);
    }
    let mut later = bad();
    later.kind = "externalService".into();
    let desired = desired(&world(vec![bad(), later]), &rules());
    let reasons: Vec<&SkipReason> = desired.skipped().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, [&SkipReason::Kind("externalService".to_owned())]);
}

#[test]
fn what_rancher_shows_is_the_name_in_any_spelling() {
    let outcome = |fqdn: Option<&str>| ServiceOutcome {
        fqdn: fqdn.map(str::to_owned),
        ..ServiceOutcome::new(Err(SkipReason::Never(LabelKey::usual(
            crate::rancher::labels::POLICY,
        ))))
    };
    for (name, fqdn, expected) in [
        ("web.example.com", Some("web.example.com"), true),
        ("web.example.com", Some("web.example.com."), true),
        ("web.example.com", Some("Web.Example.COM"), true),
        ("web.example.com", Some("db.example.com"), false),
        ("web.example.com", Some(""), false),
        ("web.example.com", None, false),
        ("*.example.com", Some("*.example.com"), true),
        ("*.example.com", Some("\\052.example.com"), true),
    ] {
        let name = Name::parse(name).unwrap();
        assert_eq!(outcome(fqdn).shows(&name), expected, "{name} {fqdn:?}");
    }
}

#[test]
fn only_a_label_that_is_not_understood_is_warned_about() {
    let mut unknown = service("x", vec![]);
    unknown.labels = labels_of(&[("io.rancher.service.external_dns", "yes")]);
    let mut known = service("y", vec![]);
    known.labels = labels_of(&[("io.rancher.service.external_dns", "Auto")]);
    let desired = desired(&world(vec![unknown, known, service("z", vec![])]), &rules());
    let services = desired.services.values();
    let warnings: Vec<String> = services.map(ServiceOutcome::warning).collect();
    let words = "external_dns=\"yes\" is not one of auto, always and never; it is treated as auto";
    assert_eq!(warnings, [words, "", ""]);
    assert_eq!(
        truncation_notice(401),
        "only the first 400 of 401 addresses are published"
    );
}
