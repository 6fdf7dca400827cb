//! What is told of targets, routing policies and what belongs to them.

use super::explain::{containers, decisions, explained};
use super::*;

const BALANCER: &str = "web-1.eu-central-1.elb.amazonaws.com";

fn with_labels(labels: &[(&str, &str)]) -> Service<'static> {
    Service {
        labels: labels_of(labels),
        ..service("web", vec![container("odd", &[]), container("out", &[])])
    }
}

#[test]
fn a_target_is_told_in_the_place_of_addresses() {
    let target = "io.rancher.service.external_dns_target";
    for (text, expected) in [
        ("192.0.2.1,2001:db8::1", "192.0.2.1, 2001:db8::1".to_owned()),
        (
            BALANCER,
            format!("{BALANCER}, as an alias in the hosted zone Z215JYRZR1TBD5"),
        ),
        (
            "www.example.org",
            "www.example.org, as a CNAME".to_owned(),
        ),
        (
            "a b",
            "none: its label io.rancher.service.external_dns_target has \"a b\", which is neither an \
             address nor a host name; it takes IP addresses with commas between them, or one host name"
                .to_owned(),
        ),
    ] {
        let explanation = explained(&with_labels(&[(target, text)]), &rules());
        let found = decisions(&explanation);
        assert_eq!(found[0], format!("published: always (label {target})"));
        assert_eq!(found[1], format!("target: {expected} (label {target})"));
        let found = containers(&explanation);
        assert_eq!(found[0], "odd-1 not an ip: counts");
        assert!(found[1].contains("host_excluded"), "{}", found[1]);
    }
}

#[test]
fn what_rancher_has_of_a_service_outside_is_told() {
    let external = Service {
        kind: "externalService".into(),
        external_ips: vec!["192.0.2.1".into(), "x".into()],
        ..service("smtp", Vec::new())
    };
    let found = decisions(&explained(&external, &rules()));
    assert_eq!(found[1], "target: 192.0.2.1 (what Rancher has of it)");
    let nothing = Service {
        external_ips: Vec::new(),
        ..external
    };
    let found = decisions(&explained(&nothing, &rules()));
    assert!(
        found[1].starts_with("target: none: it has neither"),
        "{}",
        found[1]
    );
}

#[test]
fn routing_and_what_belongs_to_it_are_told() {
    let routing = "io.rancher.service.external_dns_routing";
    let id = "io.rancher.service.external_dns_routing_id";
    let check = "io.rancher.service.external_dns_health_check";
    let routed = Rules {
        routing: Some(crate::dns::Routing::Multivalue),
        owner_id: Some("berlin".into()),
        ..rules()
    };
    for (labels, rules, expected) in [
        (&[][..], rules(), vec![]),
        (
            &[],
            routed.clone(),
            vec![
                "routing: multivalue (ROUTING)".to_owned(),
                "set identifier: berlin (OWNER_ID)".to_owned(),
            ],
        ),
        (
            &[(routing, "simple")],
            routed.clone(),
            vec![format!("routing: simple (label {routing})")],
        ),
        (
            &[(routing, "Weighted  7"), (check, "abc")],
            rules(),
            vec![
                format!("routing: weighted 7 (label {routing})"),
                "set identifier: u (the environment's UUID)".to_owned(),
                format!("health check: abc (label {check})"),
            ],
        ),
        (
            &[(id, "mine")],
            routed.clone(),
            vec![
                "routing: multivalue (ROUTING)".to_owned(),
                format!("set identifier: mine (label {id})"),
            ],
        ),
        (
            &[(routing, "odd"), (id, "a b"), (check, "c d")],
            routed,
            vec![
                format!("routing: \"odd\", which isn't understood (label {routing})"),
                format!("set identifier: \"a b\", which isn't understood (label {id})"),
                format!("health check: \"c d\", which isn't understood (label {check})"),
            ],
        ),
    ] {
        let found = decisions(&explained(&with_labels(labels), &rules));
        assert_eq!(found[4..], expected, "{labels:?}");
    }
}

/// Also where the service has a target.
#[test]
fn names_that_can_not_lead_to_the_target_are_not_told() {
    let service = with_labels(&[
        ("io.rancher.service.external_dns_target", "www.example.com"),
        ("io.rancher.service.external_dns_names", "@,www,api"),
    ]);
    let explanation = explained(&service, &rules());
    let desired = desired(&world(vec![service]), &rules());
    let outcome = desired.services.values().next().unwrap();
    let explained = explanation.names.iter();
    let explained: Vec<&Name> = explained.map(|name| name.name.as_ref().unwrap()).collect();
    let mut names: Vec<&Name> = outcome.names().collect();
    names.sort();
    assert_eq!(names.len(), 2);
    assert!(explained.iter().all(|name| names.contains(name)));
    assert_eq!(explained.len(), 2);
}
