//! The names of a service besides that of its template.

use super::labels::labelled;
use super::ttl::TTL;
use super::*;

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
