//! What the names of a service lead to, by its label or as Rancher has it.

use super::labels::{code, labelled};
use super::*;
use crate::desired::rules::RecordTypes;

pub(super) const POLICY: &str = "io.rancher.service.external_dns";
pub(super) const TARGET: &str = "io.rancher.service.external_dns_target";
pub(super) const TEMPLATE: &str = "io.rancher.service.external_dns_name_template";
pub(super) const NAMES: &str = "io.rancher.service.external_dns_names";
const BALANCER: &str = "web-1.eu-central-1.elb.amazonaws.com";

/// The record sets, or the code of the reason; then the codes of warnings.
pub(super) fn published(service: Service<'static>, rules: &Rules) -> Vec<String> {
    let desired = desired(&world(vec![service]), rules);
    let outcome = desired.services.values().next().unwrap();
    let skipped = outcome
        .name
        .as_ref()
        .err()
        .map(|reason| reason.code().to_owned());
    let warnings = outcome
        .warnings
        .iter()
        .map(|warning| format!("!{}", warning.code()));
    let lines = lines(&desired)
        .into_iter()
        .map(|line| line.replace("x.shop.prod.example.com. ", ""));
    lines.chain(skipped).chain(warnings).collect()
}

#[test]
fn a_target_gives_addresses_an_alias_or_a_cname() {
    let alias = |rtype: &str| format!("{rtype} alias {BALANCER}");
    for (text, record_types, expected) in [
        (
            "192.0.2.1, 2001:db8::1,192.0.2.1",
            RecordTypes::Both,
            vec![
                "A 300 192.0.2.1".to_owned(),
                "AAAA 300 2001:db8::1".to_owned(),
            ],
        ),
        (
            "192.0.2.1,2001:db8::1",
            RecordTypes::A,
            vec!["A 300 192.0.2.1".to_owned()],
        ),
        ("192.0.2.1", RecordTypes::Aaaa, vec!["target".to_owned()]),
        (BALANCER, RecordTypes::Both, vec![alias("A"), alias("AAAA")]),
        (BALANCER, RecordTypes::Aaaa, vec![alias("AAAA")]),
        (
            "www.example.org",
            RecordTypes::A,
            vec!["CNAME 300 www.example.org.".to_owned()],
        ),
        (
            "192.0.2.1,www.example.org",
            RecordTypes::Both,
            vec!["target".to_owned()],
        ),
        ("www", RecordTypes::Both, vec!["target".to_owned()]),
        (
            "x.shop.prod.example.com",
            RecordTypes::Both,
            vec!["target".to_owned()],
        ),
    ] {
        let rules = Rules {
            record_types,
            ..rules()
        };
        let service = labelled(&[(TARGET, text)], false);
        assert_eq!(published(service, &rules), expected, "{text}");
    }
}

#[test]
fn an_alias_of_a_simple_record_set_says_nothing_of_its_target_s_health() {
    let desired = desired(
        &world(vec![labelled(&[(TARGET, BALANCER)], false)]),
        &rules(),
    );
    for set in desired.record_sets.values() {
        let alias = set.alias().unwrap();
        assert_eq!(alias.zone_id, "Z215JYRZR1TBD5");
        assert_eq!(alias.name, format!("{BALANCER}."));
        assert!(!alias.evaluates_health);
        assert!(set.routing.is_none() && set.health_check.is_none());
    }
}

#[test]
fn without_aliases_in_the_partition_it_is_a_cname() {
    let rules = Rules {
        partition: "aws-us-gov",
        ..rules()
    };
    let service = || labelled(&[(TARGET, BALANCER)], false);
    let expected = format!("CNAME 300 {BALANCER}.");
    assert_eq!(published(service(), &rules), [expected]);
    let mut at_apex = service();
    at_apex.labels = labels_of(&[(TARGET, BALANCER), (TEMPLATE, "@")]);
    assert_eq!(code(at_apex, &rules), "cname_at_apex");
}

#[test]
fn at_the_zone_s_apex_there_is_no_cname() {
    let elsewhere = "www.example.org";
    for (labels, expected) in [
        (
            &[(TEMPLATE, "@"), (TARGET, elsewhere)][..],
            &["cname_at_apex"][..],
        ),
        (
            &[(TEMPLATE, "@"), (TARGET, "192.0.2.1")],
            &["example.com. A 300 192.0.2.1"],
        ),
        (
            &[(TEMPLATE, "@"), (TARGET, "d1.cloudfront.net")],
            &[
                "example.com. A alias d1.cloudfront.net",
                "example.com. AAAA alias d1.cloudfront.net",
            ],
        ),
        (
            &[(NAMES, "@,www,y"), (TARGET, "www.example.com")],
            &[
                "CNAME 300 www.example.com.",
                "y.example.com. CNAME 300 www.example.com.",
                "!name_left_out",
                "!name_left_out",
            ],
        ),
    ] {
        let found = published(labelled(labels, false), &rules());
        assert_eq!(found, expected, "{labels:?}");
    }
}

#[test]
fn in_the_place_of_a_state_record_there_is_no_cname() {
    for (template, target, expected) in [
        ("external-dns-berlin-1", "www.example.org", "target"),
        (
            "external-dns-berlin-1.shop",
            "www.example.org",
            "CNAME 300 www.example.org.",
        ),
        (
            "external-dns-berlin-1",
            "192.0.2.1",
            "external-dns-berlin-1.example.com. A 300 192.0.2.1",
        ),
    ] {
        let service = labelled(&[(TEMPLATE, template), (TARGET, target)], false);
        let found = published(service, &rules());
        assert!(found[0].ends_with(expected), "{found:?}");
    }
}

#[test]
fn an_alias_stays_in_its_partition() {
    let china = "web-1.cn-north-1.elb.amazonaws.com.cn";
    for (partition, target, is_alias) in [
        ("aws", BALANCER, true),
        ("aws", china, false),
        ("aws-cn", china, true),
        ("aws-cn", BALANCER, false),
        ("aws-cn", "d1.cloudfront.net", false),
        ("aws", "web-1.us-gov-west-1.elb.amazonaws.com", false),
        ("aws-us-gov", "d1.cloudfront.net", false),
        ("aws-iso", BALANCER, false),
        ("aws-iso-b", BALANCER, false),
        ("aws-eusc", BALANCER, false),
    ] {
        let rules = Rules {
            partition,
            ..rules()
        };
        let found = published(labelled(&[(TARGET, target)], false), &rules);
        assert_eq!(found[0].contains("alias"), is_alias, "{found:?}");
    }
}

#[test]
fn a_target_needs_no_port_and_no_address_but_a_container_that_counts() {
    for (host, state, expected) in [
        ("h1", "running", "published"),
        ("odd", "running", "published"),
        ("h1", "stopped", "not_running"),
        ("gone", "running", "host_unknown"),
        ("out", "running", "host_excluded"),
    ] {
        let mut service = labelled(&[(TARGET, "192.0.2.1")], false);
        service.containers[0].host_uuid = host.into();
        service.containers[0].state = state.into();
        assert_eq!(code(service, &rules()), expected, "{host} {state}");
    }
    let mut empty = labelled(&[(TARGET, "192.0.2.1")], false);
    empty.containers.clear();
    assert_eq!(code(empty, &rules()), "no_container");
    for (policy, default, expected) in [
        (Some("never"), PublishPolicy::Always, "never"),
        (None, PublishPolicy::Never, "published"),
        (Some("auto"), PublishPolicy::Never, "published"),
    ] {
        let rules = Rules {
            default_policy: default,
            ..rules()
        };
        let policy = policy.map(|policy| (POLICY, policy));
        let labels: Vec<_> = policy.into_iter().chain([(TARGET, "192.0.2.1")]).collect();
        assert_eq!(code(labelled(&labels, false), &rules), expected);
    }
}

#[test]
fn containers_that_do_not_count_are_told_with_a_target_too() {
    let mut service = labelled(&[(TARGET, "192.0.2.1")], false);
    let mut stopped = service.containers[0].clone();
    stopped.state = "stopped".into();
    service.containers.push(stopped);
    let desired = desired(&world(vec![service]), &rules());
    let (_, skipped) = desired.skipped_containers().next().unwrap();
    assert_eq!(
        skipped.to_string(),
        "1 of 2 containers count: h1-1 isn't running (state \"stopped\")"
    );
}

#[test]
fn a_service_outside_of_rancher_is_published_if_its_labels_ask_for_it() {
    let always = (POLICY, "always");
    let target = (TARGET, "198.51.100.7");
    for (labels, ips, hostname, expected) in [
        (&[][..], &["192.0.2.1"][..], None, &["kind"][..]),
        (&[(POLICY, "auto")], &["192.0.2.1"], None, &["kind"]),
        (&[always], &["192.0.2.1"], None, &["A 300 192.0.2.1"]),
        (
            &[always],
            &["192.0.2.1", "2001:db8::1", "x"],
            Some("www.example.org"),
            &["A 300 192.0.2.1", "AAAA 300 2001:db8::1", "!external_ip"],
        ),
        (&[always], &["x"], None, &["target", "!external_ip"]),
        (
            &[always],
            &[],
            Some("www.example.org"),
            &["CNAME 300 www.example.org."],
        ),
        (&[always], &[], Some("a b"), &["target"]),
        (&[always], &[], None, &["target"]),
        (&[target], &["192.0.2.1"], None, &["A 300 198.51.100.7"]),
        (
            &[target, always],
            &[],
            Some("www.example.org"),
            &["A 300 198.51.100.7"],
        ),
        (&[target, (POLICY, "never")], &[], None, &["never"]),
    ] {
        let mut service = labelled(labels, false);
        service.kind = "externalService".into();
        service.containers.clear();
        service.external_ips = ips.iter().map(|ip| (*ip).into()).collect();
        service.hostname = hostname.map(Into::into);
        // The setting doesn't choose them.
        let rules = Rules {
            default_policy: PublishPolicy::Always,
            ..rules()
        };
        assert_eq!(published(service, &rules), expected, "{labels:?} {ips:?}");
    }
}

#[test]
fn addresses_outside_of_rancher_are_none_of_a_service_in_it() {
    let mut service = labelled(&[(POLICY, "always")], false);
    service.external_ips = vec!["192.0.2.1".into()];
    service.hostname = Some("www.example.org".into());
    assert_eq!(published(service, &rules()), ["A 300 203.0.113.1"]);
}
