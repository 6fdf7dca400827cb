//! Which containers of a service don't count, and what is kept of them.

use super::*;

fn named(name: &str, container: Container<'static>) -> Container<'static> {
    Container {
        name: name.to_owned().into(),
        ..container
    }
}

/// What is said of the containers of service `a`.
fn said(containers: Vec<Container<'static>>) -> Option<String> {
    let world = world(vec![service("a", containers)]);
    let desired = desired(&world, &rules());
    let outcome = desired.services.values().next().unwrap();
    let skipped = outcome.skipped_containers.as_ref();
    assert_eq!(desired.skipped_containers().count(), skipped.iter().count());
    skipped.map(|skipped| skipped.to_string())
}

#[test]
fn each_container_that_does_not_count_is_named_with_its_reason() {
    let good = || named("web-1", container("h1", &["8080:80/tcp"]));
    let ill = || Container {
        health_state: Some("unhealthy".into()),
        ..named("web-3", container("h1", &["8080:80/tcp"]))
    };
    let local = named("web-2", container("h1", &["127.0.0.1:80:80/tcp"]));
    let private = named("web-4", container("h1", &["80/tcp"]));
    assert_eq!(said(vec![good()]), None);
    assert_eq!(
        said(vec![ill(), good(), private, local]).as_deref(),
        Some(
            "1 of 4 containers count: web-2 publishes its ports at a loopback address only, which \
             nobody else reaches; web-3 isn't healthy (health \"unhealthy\"); web-4 publishes no port on \
             its host"
        )
    );
    assert_eq!(
        said(vec![ill()]),
        None,
        "the service has a reason of its own"
    );
    assert_eq!(said(vec![]), None);
}

#[test]
fn a_service_whose_name_is_none_has_its_reason_only() {
    let mut bad = service(
        "a",
        vec![container("h1", &["8080:80/tcp"]), container("h1", &[])],
    );
    bad.labels = labels_of(&[("io.rancher.service.external_dns_name_template", "%{{x}}")]);
    let desired = desired(&world(vec![bad]), &rules());
    assert_eq!(desired.skipped().count(), 1);
    assert_eq!(desired.skipped_containers().count(), 0);
}

#[test]
fn a_host_s_label_that_is_not_understood_is_warned_about() {
    for (label, expected) in [
        (None, ""),
        (Some("TRUE"), ""),
        (Some("false"), ""),
        (
            Some("no"),
            "the label io.rancher.host.external_dns=\"no\" of a host is neither true nor false; the \
             containers on it count",
        ),
    ] {
        let web = || service("a", vec![container("h1", &["8080:80/tcp"])]);
        let mut world = world(vec![web()]);
        if let Some(text) = label {
            let host = world.hosts.get_mut("h1").unwrap();
            host.labels = host_labels_of(&[("io.rancher.host.external_dns", text)]);
        }
        let desired = desired(&world, &rules());
        assert_eq!(
            desired.services.values().next().unwrap().warning(),
            expected
        );
    }
}
