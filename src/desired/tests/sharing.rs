//! Services that share a name: what is merged, and who comes first where something can't be together.

use proptest::prelude::*;
use proptest::sample::select;

use super::labels::labelled;
use super::routing::{HEALTH_CHECK, ROUTING, ROUTING_ID};
use super::targets::{NAMES, TARGET, TEMPLATE};
use super::ttl::TTL;
use super::*;

/// A service with this name, these labels, and a container of its own.
fn named(name: &str, labels: &[(&str, &str)]) -> Service<'static> {
    let mut service = labelled(labels, true);
    let number = name.bytes().map(usize::from).sum::<usize>() % 200;
    service.containers[0].ports = vec![format!("10.0.0.{number}:80:80").into()];
    Service {
        name: name.to_owned().into(),
        ..service
    }
}

/// The record sets, then what became of the services where that isn't usual.
fn shown(desired: &Desired) -> Vec<String> {
    let services = desired.services.iter();
    let odd = services.filter_map(|(key, outcome)| {
        let reason = outcome.name.as_ref().err().map(SkipReason::code);
        let warnings = outcome.warnings.iter().map(Warning::code);
        let words: Vec<&str> = reason.into_iter().chain(warnings).collect();
        (!words.is_empty()).then(|| format!("{}: {}", key.service, words.join(" ")))
    });
    lines(desired).into_iter().chain(odd).collect()
}

/// The same in any order of services.
fn shared(services: Vec<Service<'static>>) -> Vec<String> {
    let there = shown(&desired(&world(services.clone()), &rules()));
    let back = shown(&desired(
        &world(services.into_iter().rev().collect()),
        &rules(),
    ));
    assert_eq!(there, back);
    there
}

const SAME: (&str, &str) = (TEMPLATE, "same");
const BALANCER: &str = "web-1.eu-central-1.elb.amazonaws.com";

/// Services `a` and `b` with these labels beside that of one name for both.
fn two(a: &[(&str, &str)], b: &[(&str, &str)]) -> Vec<String> {
    let found = shared(vec![
        named("a", &[a, &[SAME]].concat()),
        named("b", &[b, &[SAME]].concat()),
    ]);
    found
        .into_iter()
        .map(|line| line.replace("same.example.com. ", ""))
        .collect()
}

#[test]
fn those_with_one_set_identifier_share_the_record_set() {
    let (one, other) = ("10.0.0.97", "10.0.0.98");
    let weighted = (ROUTING, "weighted 1");
    let check = (HEALTH_CHECK, "abc");
    for (labels, expected) in [
        (&[][..], vec![format!("A 300 {one},{other}")]),
        (
            &[weighted],
            vec![format!("A u 300 {one},{other} weighted 1")],
        ),
        (
            &[weighted, check],
            vec![format!("A u 300 {one},{other} weighted 1 health check abc")],
        ),
        (
            &[(TARGET, "www.example.org")],
            vec!["CNAME 300 www.example.org.".to_owned()],
        ),
        (
            &[(TARGET, BALANCER)],
            ["A", "AAAA"]
                .map(|t| format!("{t} alias {BALANCER}"))
                .into(),
        ),
    ] {
        assert_eq!(two(labels, labels), expected, "{labels:?}");
    }
    // Addresses of a target are addresses.
    let found = two(&[], &[(TARGET, "192.0.2.1,2001:db8::1")]);
    let expected = ["A 300 10.0.0.97,192.0.2.1", "AAAA 300 2001:db8::1"];
    assert_eq!(found, expected);
}

#[test]
fn those_with_others_are_beside_each_other() {
    let routed = |routing, id| [(ROUTING, routing), (ROUTING_ID, id)];
    let (a, b) = (routed("weighted 1", "x"), routed("weighted 2", "y"));
    let found = two(&a, &b);
    let expected = [
        "A x 300 10.0.0.97 weighted 1",
        "A y 300 10.0.0.98 weighted 2",
    ];
    assert_eq!(found, expected);
    // An alias beside addresses, two CNAMEs, two health checks.
    let found = two(&[&a[..], &[(TARGET, BALANCER)]].concat(), &b);
    let expected = [
        format!("A x alias {BALANCER} weighted 1"),
        "A y 300 10.0.0.98 weighted 2".to_owned(),
        format!("AAAA x alias {BALANCER} weighted 1"),
    ];
    assert_eq!(found, expected);
    let found = two(
        &[&a[..], &[(TARGET, "a.example.org"), (HEALTH_CHECK, "h")]].concat(),
        &[&b[..], &[(TARGET, "b.example.org")]].concat(),
    );
    let expected = [
        "CNAME x 300 a.example.org. weighted 1 health check h",
        "CNAME y 300 b.example.org. weighted 2",
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_can_not_be_together_the_first_service_gets() {
    let weighted = [(ROUTING, "weighted 1")];
    let other_id = [(ROUTING, "weighted 1"), (ROUTING_ID, "y")];
    let cname = [(TARGET, "www.example.org")];
    let alias = [(TARGET, BALANCER)];
    let join = |one: &[(&'static str, &'static str)], other: &[_]| [one, other].concat();
    for (a, b, expected) in [
        (vec![], cname.to_vec(), "target_differs"),
        (cname.to_vec(), vec![], "target_differs"),
        (alias.to_vec(), vec![], "target_differs"),
        (alias.to_vec(), cname.to_vec(), "target_differs"),
        (
            cname.to_vec(),
            vec![(TARGET, "web.example.org")],
            "target_differs",
        ),
        (
            cname.to_vec(),
            vec![(TARGET, "192.0.2.1")],
            "target_differs",
        ),
        (join(&weighted, &cname), weighted.to_vec(), "target_differs"),
        // Whatever the set identifier.
        (join(&weighted, &cname), other_id.to_vec(), "target_differs"),
        (weighted.to_vec(), join(&other_id, &cname), "target_differs"),
        (
            join(&weighted, &alias),
            join(&other_id, &cname),
            "target_differs",
        ),
        (vec![], weighted.to_vec(), "routing_differs"),
        (weighted.to_vec(), vec![], "routing_differs"),
        (
            weighted.to_vec(),
            vec![(ROUTING, "weighted 2")],
            "routing_differs",
        ),
        (
            weighted.to_vec(),
            vec![(ROUTING, "multivalue")],
            "routing_differs",
        ),
        (
            other_id.to_vec(),
            vec![(ROUTING, "latency eu-west-1")],
            "routing_differs",
        ),
        (
            vec![(ROUTING, "geolocation DE")],
            vec![(ROUTING, "geolocation FR")],
            "routing_differs",
        ),
        (
            weighted.to_vec(),
            join(&weighted, &[(HEALTH_CHECK, "h")]),
            "routing_differs",
        ),
        (
            vec![(HEALTH_CHECK, "h")],
            vec![(HEALTH_CHECK, "i")],
            "routing_differs",
        ),
        // Whatever the set identifier: there can be only one for a place.
        (
            vec![(ROUTING, "latency eu-west-1")],
            vec![(ROUTING, "latency eu-west-1"), (ROUTING_ID, "other")],
            "routing_differs",
        ),
        (
            vec![(ROUTING, "failover primary")],
            vec![(ROUTING, "failover primary"), (ROUTING_ID, "other")],
            "routing_differs",
        ),
        // Both.
        (cname.to_vec(), weighted.to_vec(), "routing_differs"),
    ] {
        let found = two(&a, &b);
        let alone = two(&a, &[("io.rancher.service.external_dns", "never")]);
        let alone = alone.into_iter().filter(|line| *line != "b: never");
        let expected: Vec<String> = alone.chain([format!("b: {expected}")]).collect();
        assert_eq!(found, expected, "{a:?} {b:?}");
    }
}

#[test]
fn the_reason_names_the_service_that_comes_first() {
    let services = vec![
        named("a", &[SAME]),
        named("b", &[SAME, (TARGET, "www.example.org"), (TTL, "60")]),
        named("c", &[SAME, (ROUTING, "weighted 1")]),
    ];
    let desired = desired(&world(services), &rules());
    let reasons: Vec<String> = desired
        .skipped()
        .map(|(_, reason)| reason.to_string())
        .collect();
    let expected = [
        "same.example.com has another answer by the service \"shop/a\", which comes first by stack \
         and name",
        "same.example.com has another routing policy, weight, place or health check by the service \
         \"shop/a\", which comes first by stack and name",
    ];
    assert_eq!(reasons, expected);
    // What isn't published has no say.
    assert_eq!(lines(&desired), ["same.example.com. A 300 10.0.0.97"]);
    assert_eq!(desired.warned().count(), 0);
}

#[test]
fn a_service_keeps_its_other_names_where_one_of_them_is_another_s() {
    let found = shared(vec![
        named("a", &[(NAMES, "same,own")]),
        named("b", &[(NAMES, "same,c"), (TARGET, "www.example.org")]),
        named("c", &[(TEMPLATE, "c"), (NAMES, "same")]),
    ]);
    let expected = [
        "a.shop.prod.example.com. A 300 10.0.0.97",
        "b.shop.prod.example.com. CNAME 300 www.example.org.",
        "c.example.com. CNAME 300 www.example.org.",
        "own.example.com. A 300 10.0.0.97",
        "same.example.com. A 300 10.0.0.97",
        "b: name_left_out",
        "c: target_differs",
    ];
    assert_eq!(found, expected);
    let services = vec![
        named("a", &[SAME]),
        named("b", &[(NAMES, "same"), (ROUTING, "multivalue")]),
    ];
    let desired = desired(&world(services), &rules());
    let (_, b) = desired.warned().next().unwrap();
    assert_eq!(b.names().count(), 1);
    assert_eq!(
        b.warning(),
        "same.example.com is left out: the service \"shop/a\", which comes first, wants another \
         routing policy there"
    );
}

#[test]
fn all_record_sets_of_a_name_have_its_smallest_ttl() {
    let weighted = |id, ttl| [(ROUTING, "weighted 1"), (ROUTING_ID, id), (TTL, ttl)];
    let found = two(&weighted("x", "600"), &weighted("y", "60"));
    let expected = [
        "A x 60 10.0.0.97 weighted 1",
        "A y 60 10.0.0.98 weighted 1",
        "a: other_ttl",
    ];
    assert_eq!(found, expected);
    // An alias has none, so it has no say and isn't concerned.
    let alias = [&weighted("x", "1")[..], &[(TARGET, BALANCER)]].concat();
    let mut services = vec![
        named("a", &[&alias[..], &[SAME]].concat()),
        named("b", &[&weighted("y", "60")[..], &[SAME]].concat()),
    ];
    let expected = [
        format!("same.example.com. A x alias {BALANCER} weighted 1"),
        "same.example.com. A y 60 10.0.0.98 weighted 1".to_owned(),
        format!("same.example.com. AAAA x alias {BALANCER} weighted 1"),
    ];
    assert_eq!(shared(services.clone()), expected);
    services.push(named("c", &[&weighted("z", "30")[..], &[SAME]].concat()));
    assert_eq!(shared(services).last().unwrap(), "b: other_ttl");
}

/// Metadata may have a service several times.
#[test]
fn of_one_service_twice_both_count_where_they_can_be_together() {
    let twice = |one: &[(&str, &str)], other: &[(&str, &str)]| {
        shared(vec![named("a", one), named("a", other)])
    };
    let address = "A 300 10.0.0.97";
    assert_eq!(
        twice(&[(TEMPLATE, "x")], &[(TEMPLATE, "y")]),
        [
            format!("x.example.com. {address}"),
            format!("y.example.com. {address}")
        ]
    );
    assert_eq!(
        twice(&[SAME], &[SAME, (TARGET, "www.example.org")]),
        [format!("same.example.com. {address}")]
    );
    assert_eq!(
        twice(
            &[SAME, (TARGET, "b.example.org")],
            &[SAME, (TARGET, "a.example.org")]
        ),
        ["same.example.com. CNAME 300 a.example.org."]
    );
}

fn label(
    key: &'static str,
    texts: &[&'static str],
) -> impl Strategy<Value = Option<(&'static str, &'static str)>> {
    proptest::option::of(select(texts.to_vec()).prop_map(move |text| (key, text)))
}

fn services() -> impl Strategy<Value = Vec<Service<'static>>> {
    let labels = (
        label(TEMPLATE, &["same", "@", "x"]),
        label(NAMES, &["same", "x,y", "@,same"]),
        label(
            TARGET,
            &["192.0.2.1", "www.example.org", "x.example.com", BALANCER],
        ),
        label(
            ROUTING,
            &["simple", "weighted 1", "weighted 2", "multivalue", "odd"],
        ),
        label(ROUTING_ID, &["one", "two"]),
        label(HEALTH_CHECK, &["h"]),
        label(TTL, &["60", "600"]),
    );
    let service = (select(vec!["a", "b", "c", "d", "e"]), labels).prop_map(|(name, labels)| {
        let (a, b, c, d, e, f, g) = labels;
        let labels: Vec<_> = [a, b, c, d, e, f, g].into_iter().flatten().collect();
        named(name, &labels)
    });
    proptest::collection::vec(service, 0..8)
}

proptest! {
    /// Some have the same stack and name.
    #[test]
    fn the_order_of_services_says_nothing(
        (services, shuffled) in services().prop_flat_map(|services| {
            (Just(services.clone()), Just(services).prop_shuffle())
        }),
    ) {
        let one = desired(&world(services), &rules());
        let other = desired(&world(shuffled), &rules());
        prop_assert_eq!(one.record_sets, other.record_sets);
        prop_assert_eq!(one.truncated, other.truncated);
        let names = |services: &BTreeMap<ServiceKey, ServiceOutcome>| -> Vec<_> {
            let names = services.values().map(|outcome| outcome.name.clone().ok());
            names.collect()
        };
        prop_assert_eq!(names(&one.services), names(&other.services));
    }

    /// Whatever the labels, Route 53 could have all record sets of a name beside each other.
    #[test]
    fn what_is_desired_fits_together(services in services()) {
        let desired = desired(&world(services), &rules());
        let sets: Vec<&RecordSet> = desired.record_sets.values().collect();
        for (i, one) in sets.iter().enumerate() {
            prop_assert_eq!(one.key.is_routed(), one.routing.is_some());
            for other in sets[..i].iter().filter(|other| other.key.name == one.key.name) {
                let kind = |set: &RecordSet| set.routing.as_deref().map(crate::dns::Routing::kind);
                prop_assert_eq!(kind(one), kind(other));
                let is_cname = |set: &RecordSet| set.key.rtype == crate::dns::RecordType::Cname;
                prop_assert_eq!(is_cname(one), is_cname(other));
                if let (Some(one), Some(other)) = (one.ttl(), other.ttl()) {
                    prop_assert_eq!(one, other);
                }
            }
        }
    }
}
