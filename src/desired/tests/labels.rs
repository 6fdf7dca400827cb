//! Who is published: the label, the setting that holds without it, and the suffix of labels.

use super::*;
use crate::rancher::labels::LabelSuffix;

/// A service with these labels and one container, which publishes a port or not.
pub(super) fn labelled(labels: &[(&str, &str)], has_port: bool) -> Service<'static> {
    let ports: &[&str] = if has_port { &["8080:80/tcp"] } else { &[] };
    let mut labelled = service("x", vec![container("h1", ports)]);
    labelled.labels = labels_of(labels);
    labelled
}

/// What becomes of it: `published`, or the code of the reason.
pub(super) fn code(service: Service<'static>, rules: &Rules) -> &'static str {
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
    let key = LabelKey::usual(crate::rancher::labels::POLICY);
    assert_eq!(reasons, [&SkipReason::Never(key)]);
}

/// A label of another form that says something else may be there, too.
#[test]
fn a_reason_names_the_label_that_says_so() {
    let rules = Rules {
        label_suffix: LabelSuffix::parse("_x").unwrap(),
        ..rules()
    };
    let usual = "io.rancher.service.external_dns";
    let forked = "io.pasturestack.service.external_dns";
    for (end, bad, good) in [
        ("", "never", "always"),
        ("_target", "a b", "192.0.2.1"),
        ("_routing", "round robin", "simple"),
        ("_name_template", "%{{x}}", "a"),
        ("_name_template", "a.*", "a"),
    ] {
        for (key, other) in [
            (format!("{usual}{end}_x"), format!("{usual}{end}")),
            (format!("{forked}{end}"), format!("{usual}{end}")),
            (format!("{usual}{end}"), "other".to_owned()),
        ] {
            let labels = [(&*key, bad), (&*other, good)];
            let desired = desired(&world(vec![labelled(&labels, true)]), &rules);
            let (_, reason) = desired.skipped().next().unwrap();
            let words = reason.to_string();
            let names = words.contains(&format!("its label {key} "))
                || words.contains(&format!("its label {key}:"));
            assert!(names, "{key}: {words}");
        }
    }
    let mut world = world(vec![labelled(&[], true)]);
    let forked = "io.pasturestack.host.external_dns_x";
    world.hosts.get_mut("h1").unwrap().labels =
        host_labels_of(&[(forked, "false"), ("io.rancher.host.external_dns", "true")]);
    let desired = desired(&world, &rules);
    let (_, reason) = desired.skipped().next().unwrap();
    assert!(reason.to_string().contains(forked), "{reason}");
}

#[test]
fn the_services_with_warnings_are_those_and_no_other() {
    let odd = Service {
        name: "odd".into(),
        ..labelled(&[("io.rancher.service.external_dns_ttl", "soon")], true)
    };
    let desired = desired(&world(vec![labelled(&[], true), odd]), &rules());
    let warned = desired.warned().map(|(key, _)| key.to_string());
    assert_eq!(warned.collect::<Vec<_>>(), ["shop/odd"]);
}
