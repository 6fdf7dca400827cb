//! The metrics of services.

use super::{Seen, Watched};
use crate::stage::{Stage, web, world};
use rancher_route53::desired::container::ContainerSkip;

pub fn skipped_for_every_reason(seen: &Seen) {
    let label = "io.rancher.service.external_dns";
    let template = "io.rancher.service.external_dns_name_template";
    let stage = Stage::new(world(|world| {
        world
            .host_mut("h2")
            .label("io.rancher.host.external_dns", "false");
        world
            .host_mut("h3")
            .label("io.rancher.host.external_dns_ip", "none");
        world.add_service_of_kind("externalService", "shop", "kind");
        world
            .add_service("shop", "never")
            .run_on("h1", 80)
            .label(label, "never");
        world.add_service("shop", "no_container");
        world
            .add_service("shop", "not_running")
            .run_on("h1", 80)
            .state_on("h1", "stopped");
        let ill = world.add_service("shop", "not_healthy");
        ill.run_on("h1", 80).health_on("h1", Some("unhealthy"));
        world
            .add_service("shop", "no_port")
            .run_unpublished_on("h1", 80);
        world
            .add_service("shop", "loopback")
            .run_bound_on("h1", "127.0.0.1", 80);
        world.add_service("shop", "host_unknown").run_on("gone", 80);
        world.add_service("shop", "host_excluded").run_on("h2", 80);
        world.add_service("shop", "not_an_address").run_on("h3", 80);
        world
            .add_service("shop", "template")
            .run_on("h1", 80)
            .label(template, "%{{x}}");
        world
            .add_service("shop", "wildcard")
            .run_on("h1", 80)
            .label(template, "x.*");
        for (name, labels) in [
            ("target", &[("_target", "a b")][..]),
            ("routing", &[("_routing", "round robin")]),
            (
                "cname_at_apex",
                &[("_name_template", "@"), ("_target", "www.example.org")],
            ),
            ("first", &[("_name_template", "same")]),
            (
                "target_differs",
                &[("_name_template", "same"), ("_target", "www.example.org")],
            ),
            (
                "routing_differs",
                &[("_name_template", "same"), ("_routing", "multivalue")],
            ),
        ] {
            let service = world.add_service("shop", name).run_on("h1", 80);
            for (end, text) in labels {
                service.label(&format!("{label}{end}"), *text);
            }
        }
        world
            .add_service("shop", &"name".repeat(20))
            .run_on("h1", 80);
    }));
    let watched = Watched::new(stage, &[], seen);
    for (reason, count) in [
        ("kind", 1.0),
        ("never", 1.0),
        ("no_container", 1.0),
        ("not_running", 1.0),
        ("not_healthy", 1.0),
        ("no_port", 2.0), // the program's own service
        ("loopback", 1.0),
        ("host_unknown", 1.0),
        ("host_excluded", 1.0),
        ("not_an_address", 1.0),
        ("template", 1.0),
        ("wildcard", 1.0),
        ("name", 1.0),
        ("target", 1.0),
        ("routing", 1.0),
        ("cname_at_apex", 1.0),
        ("target_differs", 1.0),
        ("routing_differs", 1.0),
    ] {
        watched.expect("services_skipped", &[("reason", reason)], count);
    }
    watched.expect("services", &[("state", "skipped")], 19.0);
}

/// What isn't published because of a setting, or of the address that a label asks for.
pub fn skipped_by_settings(seen: &Seen) {
    let address = "io.rancher.service.external_dns_address";
    let stage = Stage::new(world(|world| {
        world
            .host_mut("h2")
            .label("io.rancher.host.external_dns_ip", "2001:db8::2");
        for (name, host, label, value) in [
            ("system", "h1", address, "host"),
            ("container_address", "h1", address, "container"),
            ("host_label", "h1", address, "host-label:gone"),
            ("record_type", "h2", address, "host"),
        ] {
            let service = world.add_service("shop", name).run_on(host, 80);
            service.label(label, value);
            service.label("io.rancher.service.external_dns", "auto");
        }
        world.service_mut("shop", "system").system = true;
        let container_s = world.service_mut("shop", "container_address");
        container_s.containers[0].is_without_ip = true;
    }));
    let settings = [
        ("SYSTEM_SERVICES", "false"),
        ("RECORD_TYPES", "A"),
        ("DEFAULT_POLICY", "never"),
    ];
    let watched = Watched::new(stage, &settings, seen);
    for reason in [
        "system",
        "container_address",
        "host_label",
        "record_type",
        "not_chosen", // the program's own service
    ] {
        watched.expect("services_skipped", &[("reason", reason)], 1.0);
    }
}

pub fn containers_skipped_for_every_reason(seen: &Seen) {
    let address = "io.rancher.service.external_dns_address";
    let stage = Stage::new(world(|world| {
        for (host, label, value) in [
            ("h1", "public_ip", "203.0.113.9"),
            ("h2", "io.rancher.host.external_dns", "false"),
            ("h3", "io.rancher.host.external_dns_ip", "none"),
        ] {
            world.host_mut(host).label(label, value);
        }
        let web = world.add_service("shop", "web");
        for host in ["h1", "h1", "h1", "gone", "h2", "h3"] {
            web.run_on(host, 80);
        }
        web.containers[1].state = "stopped".into();
        web.containers[2].health_state = Some("unhealthy".into());
        web.run_unpublished_on("h1", 80);
        web.run_bound_on("h1", "127.0.0.1", 80);
        web.run_bound_on("h1", "[2001:db8::1]", 80);
        let own = world.add_service("shop", "own").label(address, "container");
        own.run_on("h1", 80).run_on("h1", 80);
        own.containers[1].is_without_ip = true;
        let labelled = world.add_service("shop", "labelled");
        labelled.label(address, "host-label:public_ip");
        labelled.run_on("h1", 80).run_on("infra", 80);
    }));
    let watched = Watched::new(stage, &[("RECORD_TYPES", "A")], seen);
    for reason in ContainerSkip::CODES {
        watched.expect("containers_skipped", &[("reason", reason)], 1.0);
    }
    watched.expect("services", &[("state", "published")], 3.0);
}

pub fn warned_of(seen: &Seen) {
    let label = |name: &str| format!("io.rancher.service.external_dns{name}");
    let stage = Stage::new(world(|world| {
        world
            .host_mut("h2")
            .label("io.rancher.host.external_dns_ip", "2001:db8::2");
        world
            .host_mut("h3")
            .label("io.rancher.host.external_dns", "no");
        world.add_service("shop", "host").run_on("h3", 80);
        for (name, label, value) in [
            ("policy", label(""), "alwys".to_owned()),
            ("address", label("_address"), "agent".to_owned()),
            ("ttl", label("_ttl"), "1m".to_owned()),
            ("lb_hostnames", label("_lb_hostnames"), "perhaps".to_owned()),
            ("name", label("_names"), "a b,fine".to_owned()),
            ("too_many_names", label("_names"), "fine,".repeat(51)),
            ("other_ttl", label("_names"), "fine".to_owned()),
        ] {
            let service = world.add_service("shop", name).run_on("h2", 80);
            service.label(&label, value);
        }
        let shorter = world.service_mut("shop", "name");
        shorter.label(&label("_ttl"), "60");
        let balancer = world.add_service_of_kind("loadBalancerService", "shop", "hostname");
        balancer.run_on("h1", 80);
        balancer.lb_hostnames = vec!["a.*.example.com".to_owned()];
        let outside = world.add_service_of_kind("externalService", "shop", "outside");
        outside.label(&label(""), "always");
        outside.label(&label("_routing"), "weighted 1");
        outside.external_ips = vec!["198.51.100.9".to_owned(), "here".to_owned()];
        let last = world.add_service("shop", "with-target").run_on("h1", 80);
        last.label(&label("_target"), "www.example.org");
        last.label(&label("_names"), "fine");
    }));
    let watched = Watched::new(stage, &[("LB_HOSTNAMES", "true")], seen);
    for (warning, count) in [
        ("policy", 1.0),
        ("address", 1.0),
        ("ttl", 1.0),
        ("lb_hostnames", 1.0),
        ("name", 1.0),
        ("too_many_names", 1.0),
        ("host", 1.0),
        ("hostname", 1.0),
        ("other_ttl", 2.0),
        ("external_ip", 1.0),
        ("name_left_out", 1.0),
    ] {
        watched.expect("service_warnings", &[("warning", warning)], count);
    }
    watched.expect("record_sets_desired_by_type", &[("type", "AAAA")], 8.0);
    watched.expect("record_sets_owned_by_type", &[("type", "AAAA")], 8.0);
    watched.expect("record_sets_desired_by_type", &[("type", "CNAME")], 1.0);
    watched.expect("record_sets_owned_by_type", &[("type", "CNAME")], 1.0);
    let weighted = [("routing", "weighted")];
    watched.expect("record_sets_desired_by_routing", &weighted, 1.0);
}

/// Somebody else writes another name.
pub fn contested(seen: &Seen) {
    let watched = Watched::new(Stage::new(web()), &[], seen);
    let name = "web.shop.prod.example.com";
    watched.stage.expect_fqdn("shop", "web", name);
    watched.expect("fqdns_waiting", &[], 0.0);
    watched.stage.rancher.change(|world| {
        let web = world.service_mut("shop", "web");
        web.fqdn = Some("theirs.example.com".to_owned());
    });
    watched.expect("fqdns_contested", &[], 1.0);
}
