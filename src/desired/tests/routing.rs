//! Routing policies, set identifiers and health checks.

use super::labels::{code, labelled};
use super::targets::{NAMES, TARGET, published};
use super::*;
use crate::dns::Routing;

pub(super) const ROUTING: &str = "io.rancher.service.external_dns_routing";
pub(super) const ROUTING_ID: &str = "io.rancher.service.external_dns_routing_id";
pub(super) const HEALTH_CHECK: &str = "io.rancher.service.external_dns_health_check";

#[test]
fn the_label_comes_before_the_setting_and_the_own_set_identifier_before_the_owner_s() {
    let weighted = || Some(Routing::Weighted(10));
    for (labels, routing, owner, expected) in [
        (&[][..], None, Some("berlin"), "A 300 203.0.113.1"),
        (&[], weighted(), None, "A u 300 203.0.113.1 weighted 10"),
        (
            &[],
            weighted(),
            Some("berlin"),
            "A berlin 300 203.0.113.1 weighted 10",
        ),
        (
            &[(ROUTING, "Latency eu-central-1"), (ROUTING_ID, "a.b:c_d-1")],
            weighted(),
            Some("berlin"),
            "A a.b:c_d-1 300 203.0.113.1 latency eu-central-1",
        ),
        (
            &[(ROUTING, "simple")],
            weighted(),
            None,
            "A 300 203.0.113.1",
        ),
        (&[(ROUTING_ID, "x")], None, None, "A 300 203.0.113.1"),
        (
            &[(HEALTH_CHECK, "abcdef11-2222")],
            None,
            None,
            "A 300 203.0.113.1 health check abcdef11-2222",
        ),
        (
            &[(HEALTH_CHECK, "abc"), (ROUTING, "failover primary")],
            None,
            None,
            "A u 300 203.0.113.1 failover primary health check abc",
        ),
        (
            &[(ROUTING, "multivalue"), (TARGET, "192.0.2.1,192.0.2.2")],
            None,
            None,
            "A u 300 192.0.2.1,192.0.2.2 multivalue",
        ),
    ] {
        let rules = Rules {
            routing,
            owner_id: owner.map(Into::into),
            ..rules()
        };
        let found = published(labelled(labels, true), &rules);
        assert_eq!(found, [expected], "{labels:?}");
    }
}

#[test]
fn what_is_not_understood_skips_the_service() {
    let long = "a".repeat(65);
    let (routed, host) = ((ROUTING, "weighted 1"), (TARGET, "www.example.org"));
    for labels in [
        &[(ROUTING, "weighted")][..],
        &[(ROUTING, "round robin")],
        &[routed, (ROUTING_ID, "a b")],
        &[routed, (ROUTING_ID, &long)],
        &[(ROUTING_ID, "a/b")],
        &[(HEALTH_CHECK, "a b")],
        &[(HEALTH_CHECK, "a.b")],
        &[(HEALTH_CHECK, &long)],
        &[(ROUTING, "multivalue"), host],
        &[(ROUTING, "multivalue"), (TARGET, "d1.cloudfront.net")],
    ] {
        assert_eq!(
            code(labelled(labels, true), &rules()),
            "routing",
            "{labels:?}"
        );
    }
}

#[test]
fn without_a_set_identifier_nothing_is_routed() {
    let mut world = world(vec![labelled(&[(ROUTING, "weighted 1")], true)]);
    world.environment.uuid = "the one".into();
    let reasons = |world: &World, rules: &Rules| {
        let desired = desired(world, rules);
        let reasons = desired.skipped().map(|(_, reason)| reason.to_string());
        reasons.collect::<Vec<_>>()
    };
    let words = "the environment's UUID \"the one\" can't be a set identifier: set OWNER_ID, or the \
                 label io.rancher.service.external_dns_routing_id";
    assert_eq!(reasons(&world, &rules()), [words]);
    let owned = Rules {
        owner_id: Some("berlin".into()),
        ..rules()
    };
    assert_eq!(reasons(&world, &owned), [""; 0]);
    world.services[0].labels = labels_of(&[(ROUTING, "weighted 1"), (ROUTING_ID, "x")]);
    assert_eq!(reasons(&world, &rules()), [""; 0]);
}

#[test]
fn routed_aliases_are_as_well_as_their_targets_but_for_distributions() {
    for (partition, target, expected) in [
        ("aws", "web-1.eu-central-1.elb.amazonaws.com", true),
        ("aws", "web-1.elb.eu-central-1.amazonaws.com", true),
        ("aws", "a1.awsglobalaccelerator.com", true),
        ("aws", "d1.cloudfront.net", false),
        ("aws-cn", "d1.cloudfront.cn", false),
    ] {
        let service = labelled(&[(ROUTING, "weighted 1"), (TARGET, target)], false);
        let rules = Rules {
            partition,
            ..rules()
        };
        let desired = desired(&world(vec![service]), &rules);
        assert_eq!(desired.record_sets.len(), 2, "{target}");
        for set in desired.record_sets.values() {
            assert_eq!(set.key.set_id.as_deref(), Some("u"));
            assert_eq!(set.alias().unwrap().evaluates_health, expected, "{target}");
        }
    }
}

#[test]
fn all_names_of_a_service_are_routed_alike() {
    let labels = [(ROUTING, "geolocation EU"), (NAMES, "www")];
    let found = published(labelled(&labels, true), &rules());
    let expected = [
        "www.example.com. A u 300 203.0.113.1 geolocation continent EU",
        "A u 300 203.0.113.1 geolocation continent EU",
    ];
    assert_eq!(found, expected);
}

#[test]
fn each_record_set_of_a_name_keeps_its_first_400_addresses() {
    let many = |set_id: &'static str, count: usize| {
        let addresses: Vec<String> = (0..count)
            .map(|i| format!("10.0.{}.{}", i / 250, i % 250))
            .collect();
        let labels = [
            (ROUTING, "weighted 1"),
            (ROUTING_ID, set_id),
            (TARGET, &addresses.join(",")),
            ("io.rancher.service.external_dns_name_template", "same"),
        ];
        Service {
            name: set_id.into(),
            ..labelled(&labels, false)
        }
    };
    let desired = desired(&world(vec![many("a", 401), many("b", 400)]), &rules());
    let sizes = desired.record_sets.values().map(|set| set.values().len());
    assert_eq!(sizes.collect::<Vec<_>>(), [400, 400]);
    let truncated = desired.truncated.iter();
    let truncated: Vec<_> = truncated
        .map(|(key, count)| (key.to_string(), *count))
        .collect();
    assert_eq!(truncated, [("same.example.com. A a".to_owned(), 401)]);
}
