//! More names than one, at the zone's apex and elsewhere, and whose host names load balancers have.

use crate::commands::run;
use crate::going_back::orphans;
use crate::stage::{Stage, ZONE, world};
use crate::status;
use sim::rancher::World;
use sim::route53::RecordSet;

const NAMES: &str = "io.rancher.service.external_dns_names";
const TTL: &str = "io.rancher.service.external_dns_ttl";

/// What the zone has that is nobody's address, as it is.
fn others(stage: &Stage) -> Vec<String> {
    let sets = stage.route53.record_sets(ZONE);
    let is_other = |set: &&RecordSet| {
        !matches!(set.rtype.as_str(), "A" | "AAAA") && !set.name.starts_with("external-dns-")
    };
    sets.iter()
        .filter(is_other)
        .map(ToString::to_string)
        .collect()
}

/// The addresses in the zone.
fn addresses(stage: &Stage) -> Vec<String> {
    let lines = stage.lines();
    lines
        .into_iter()
        .filter(|line| line.contains(" A "))
        .collect()
}

#[test]
fn at_the_apex_nothing_but_its_addresses_is_touched() {
    let stage = Stage::new(world(|world| {
        let web = world.add_service("shop", "web").run_on("h1", 80);
        web.label(NAMES, "@,\\052,*.shop,www.example.com.");
    }));
    for (name, rtype, value) in [
        ("example.com.", "MX", "10 mail.example.org."),
        ("example.com.", "TXT", "\"v=spf1 -all\""),
        ("example.com.", "CAA", "0 issue \"example.org\""),
        ("\\052.example.com.", "TXT", "\"any\""),
        ("mail.example.com.", "CNAME", "mail.example.org."),
    ] {
        stage.put(RecordSet::simple(name, rtype, 60, &[value]));
    }
    let before = others(&stage);
    assert!(
        before.iter().any(|line| line.contains(" SOA ")),
        "{before:?}"
    );
    assert!(
        before.iter().any(|line| line.contains(" NS ")),
        "{before:?}"
    );
    let service = stage.run();
    let names = [
        "\\052.example.com.",
        "\\052.shop.example.com.",
        "example.com.",
        "web.shop.prod.example.com.",
        "www.example.com.",
    ];
    stage.expect_addresses(names.len());
    let mut found = addresses(&stage);
    found.sort();
    assert_eq!(found, names.map(|name| format!("{name} 300 A 203.0.113.1")));
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    let told = status::wait_until(&service, |status| {
        let services = status["services"].as_array().expect("a list");
        services
            .iter()
            .any(|service| service["state"] == "published")
    });
    let services = told["services"].as_array().expect("a list");
    let web = services.iter().find(|service| service["name"] == "web");
    let more = &web.expect("web")["more_names"];
    assert_eq!(
        *more,
        serde_json::json!([
            "*.example.com",
            "*.shop.example.com",
            "example.com",
            "www.example.com"
        ])
    );
    stage.rancher.change(|world| {
        let web = world.service_mut("shop", "web");
        web.move_from("h1", "h2").label(NAMES, "@");
    });
    stage.expect_addresses(2);
    stage.settle();
    stage.rancher.change(|world| {
        world
            .service_mut("shop", "web")
            .label(NAMES, "")
            .name
            .clone()
    });
    stage.expect_addresses(1);
    stage.settle();
    assert_eq!(others(&stage), before);
    let nobodys = stage.route53.edit(ZONE, |zone| orphans(zone));
    assert_eq!(nobodys, [] as [String; 0]);
    let events = stage.rancher.events();
    let sent: Vec<&str> = events.iter().map(|event| &*event.fqdn).collect();
    assert_eq!(sent, ["web.shop.prod.example.com"], "of the template only");
}

#[test]
fn a_load_balancer_answers_for_its_host_names() {
    let balanced = || {
        world(|world| {
            let kind = "loadBalancerService";
            world
                .add_service_of_kind(kind, "shop", "lb")
                .run_on("h2", 443);
        })
    };
    for (label, setting, expected) in [
        (None, "false", 1),
        (None, "true", 2),
        (Some("true"), "false", 2),
        (Some("false"), "true", 1),
    ] {
        let stage = Stage::new(balanced());
        if let Some(label) = label {
            stage.rancher.change(|world| {
                let lb = world.service_mut("shop", "lb");
                let name = "io.rancher.service.external_dns_lb_hostnames";
                lb.label(name, label).name.clone()
            });
        }
        let once = stage.run_with(&["once"], &[("LB_HOSTNAMES", setting)]);
        let code = once
            .wait(crate::stage::PATIENCE)
            .and_then(|status| status.code());
        assert_eq!(code, Some(0), "{:#?}", once.log());
        let all = [
            "lb.shop.prod.example.com. 300 A 203.0.113.2",
            "shop.example.com. 300 A 203.0.113.2",
        ];
        assert_eq!(addresses(&stage), all[..expected], "{label:?} {setting}");
    }
}

/// Each has a label that isn't understood, and is published.
fn odd() -> World {
    world(|world| {
        let mut add = |name: &str, label: &str, value: &str| {
            let service = world.add_service("shop", name).run_on("h1", 80);
            service.label(label, value);
        };
        add("policy", "io.rancher.service.external_dns", "alwys");
        add(
            "address",
            "io.rancher.service.external_dns_address",
            "agent",
        );
        add("ttl", TTL, "1m");
        add("names", NAMES, "a b,www.example.org.,fine");
        add("shares", NAMES, "fine");
        world.service_mut("shop", "shares").label(TTL, "60");
        let lb = world.add_service_of_kind("loadBalancerService", "shop", "lb");
        lb.run_on("h1", 80);
        lb.label("io.rancher.service.external_dns_lb_hostnames", "perhaps");
    })
}

#[test]
fn what_is_odd_is_in_plan_status_metrics_and_once_in_the_log() {
    let stage = Stage::new(odd());
    let planned = run(&stage, &["plan"]).stdout;
    let warnings = [
        (
            "address",
            "external_dns_address=\"agent\" is not host, container, or host-label:NAME, ",
        ),
        (
            "lb",
            "external_dns_lb_hostnames=\"perhaps\" is neither true nor false",
        ),
        (
            "names",
            "external_dns_names: \"a b\" is left out: ' ' can't be part of a name",
        ),
        (
            "names",
            "external_dns_names: \"www.example.org.\" is left out: www.example.org. isn't \
             in the hosted zone",
        ),
        (
            "names",
            "its TTL of 300 isn't used for fine.example.com: another service of that name has 60",
        ),
        (
            "policy",
            "external_dns=\"alwys\" is not one of auto, always and never",
        ),
        ("ttl", "external_dns_ttl=\"1m\" isn't used: it has to be"),
    ];
    for (service, words) in warnings {
        let line = format!("  shop/{service}: {words}");
        assert!(planned.contains(&line), "{line} in\n{planned}");
    }
    let service = stage.run();
    stage.expect_addresses(7);
    stage.expect_fqdn("shop", "ttl", "ttl.shop.prod.example.com");
    let told = status::wait_until(&service, |status| status["fqdns_waiting"] == 0);
    let (_, metrics) = status::get(&service, "/metrics");
    for (name, words) in warnings {
        let services = told["services"].as_array().expect("a list");
        let told = services
            .iter()
            .find(|service| service["name"] == name)
            .expect("it");
        let warned = told["warnings"].to_string().replace("\\\"", "\"");
        assert!(warned.contains(words), "{words} in {warned}");
        assert_eq!(told["state"], "published");
    }
    for code in ["address", "lb_hostnames", "other_ttl", "policy", "ttl"] {
        let line = format!("rancher_route53_service_warnings{{warning=\"{code}\"}} 1\n");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
    assert!(metrics.contains("service_warnings{warning=\"name\"} 2\n"));
    let fine = "fine.example.com. 60 A 203.0.113.1";
    assert!(stage.lines().contains(&fine.to_owned()));
    stage.rancher.change(|world| {
        world.add_service("shop", "another").run_on("h2", 80);
    });
    stage.expect_addresses(8);
    stage.settle();
    let said = |line: &str| line.contains("a service has a warning");
    assert_eq!(service.log_lines(crate::stage::PATIENCE, 5, said).len(), 5);
}
