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
    assert_eq!(said(vec![]), None);
}

#[test]
fn a_service_that_loses_all_its_containers_does_not_look_as_if_it_were_to() {
    let good = || named("web-1", container("h1", &["8080:80/tcp"]));
    let ill = |ports: &[&str]| Container {
        health_state: Some("unhealthy".into()),
        ..named("web-3", container("h1", ports))
    };
    let stopped = Container {
        state: "stopped".into(),
        ..good()
    };
    let lost = Container {
        host_uuid: "gone".into(),
        ..good()
    };
    let odd = named("web-1", container("odd", &["8080:80/tcp"]));
    let out = named("web-1", container("out", &["8080:80/tcp"]));
    let ill_out = Container {
        host_uuid: "out".into(),
        ..ill(&["8080:80/tcp"])
    };
    let stopped_ill = Container {
        state: "stopped".into(),
        ..ill(&["8080:80/tcp"])
    };
    let none = "0 of 1 containers count: ";
    for (container, expected) in [
        (ill(&["8080:80/tcp"]), Some("web-3 isn't healthy")),
        (lost, Some("web-1 runs on the host")),
        (odd, Some("web-1 would get the address")),
        // As somebody wants it.
        (ill(&["80/tcp"]), None),
        (ill(&["127.0.0.1:80:80/tcp"]), None),
        (ill_out, None),
        (stopped_ill, None),
        (stopped, None),
        (out, None),
        (named("web-1", container("h1", &["80/tcp"])), None),
    ] {
        let shown = said(vec![container]);
        let start = expected.map(|words| format!("{none}{words}"));
        let begins = shown
            .as_ref()
            .zip(start.as_ref())
            .is_none_or(|(shown, start)| shown.starts_with(start));
        assert!(begins && shown.is_some() == start.is_some(), "{shown:?}");
    }
    let both = said(vec![
        ill(&["8080:80/tcp"]),
        named("web-1", container("out", &["8080:80/tcp"])),
    ]);
    assert!(both.is_some_and(|words| words.starts_with("0 of 2 containers count: ")));
    let always = [("io.rancher.service.external_dns", "always")];
    let mut without_port = service("a", vec![ill(&[])]);
    without_port.labels = labels_of(&always);
    let desired = desired(&world(vec![without_port]), &rules());
    assert_eq!(desired.skipped_containers().count(), 1);
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
