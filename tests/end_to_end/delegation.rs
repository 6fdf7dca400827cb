//! A part of the zone that is delegated to other name servers: our names there are seen by nobody.

use crate::commands::run;
use crate::stage::{PATIENCE, Stage, ZONE, each, web};
use crate::status::wait_until;
use sim::route53::RecordSet;

fn delegate(stage: &Stage, name: &str) {
    let servers = ["ns1.example.net.", "ns2.example.net."];
    stage.put(RecordSet::simple(name, "NS", 3600, &servers));
}

#[test]
fn a_delegation_at_or_above_our_names_is_said_wherever_one_looks() {
    let whole_zone = [(
        "NAME_TEMPLATE",
        "%{{service_name}}.shop.%{{environment_name}}.eu",
    )];
    for (name, settings) in [
        ("prod.example.com.", &[][..]),
        ("shop.prod.example.com.", &[]),
        ("web.shop.prod.example.com.", &[]),
        ("eu.example.com.", &whole_zone),
        ("prod.eu.example.com.", &whole_zone),
    ] {
        let stage = Stage::new(web());
        delegate(&stage, name);
        let says = format!("the NS record set {name} gives everything");
        for command in ["plan", "check"] {
            let ran = crate::commands::ran(&stage.run_with(&[command], settings));
            assert!(ran.stdout.contains(&says), "{command}: {}", ran.stdout);
            if command == "check" {
                assert!(ran.stdout.contains("\n! delegation  the NS record set"));
                assert!(!ran.stdout.contains("✗ list"), "{}", ran.stdout);
            }
        }
        let mut settings = settings.to_vec();
        settings.push(("RESYNC_INTERVAL", "10"));
        let service = stage.run_with(&[], &settings);
        let told = service.wait_for_log(PATIENCE, |line| line.contains(&says));
        assert!(told.is_some(), "{name}: {:#?}", service.log());
        let is_told = |problems: &str| problems.contains(&says);
        wait_until(&service, |status| is_told(&status["problems"].to_string()));
        if name == "prod.example.com." {
            stage
                .route53
                .edit(ZONE, |zone| assert!(zone.remove(name, "NS")));
            wait_until(&service, |status| {
                status["problems"] == serde_json::json!([])
            });
            let over = |line: &str| line.contains("no longer delegated");
            assert!(service.wait_for_log(PATIENCE, over).is_some());
        }
    }
}

#[test]
fn the_zone_s_own_name_servers_and_delegations_elsewhere_are_no_matter() {
    each(
        [
            "other.example.com.",
            "other.prod.example.com.",
            "a.web.shop.prod.example.com.",
        ],
        |name| {
            let stage = Stage::new(web());
            delegate(&stage, name);
            let template = [(
                "NAME_TEMPLATE",
                "%{{service_name}}.shop.%{{environment_name}}",
            )];
            for settings in [&[][..], &template] {
                let ran = crate::commands::ran(&stage.run_with(&["plan"], settings));
                assert!(
                    !ran.stdout.contains("NS record set"),
                    "{name}: {}",
                    ran.stdout
                );
            }
            let check = run(&stage, &["check"]).stdout;
            assert!(!check.contains("delegation"), "{check}");
        },
    );
}
