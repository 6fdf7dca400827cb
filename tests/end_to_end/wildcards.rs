//! Wildcards: `*` for people and Rancher, `\052` for Route 53, and both in templates.

use crate::stage::{PATIENCE, STATE, Stage, each, world};
use crate::status;
use sim::rancher::World;
use sim::route53::{Operation, RecordSet};

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
const TEMPLATE: &str = "io.rancher.service.external_dns_name_template";
/// As Route 53 has it, and as the forerunners write it.
const ESCAPED: &str = "\\052.prod.example.com.";

/// A service whose name is a wildcard, by its label.
fn wildcard(template: &str, fqdn: Option<&str>) -> World {
    world(|world| {
        let service = world.add_service("shop", "any").run_on("h1", 80);
        service.label(TEMPLATE, template);
        service.fqdn = fqdn.map(str::to_owned);
    })
}

/// What the forerunners leave of it: the value in the state record is the name between quotes.
fn put_what_a_forerunner_left(stage: &Stage) {
    let entry = format!("\"{ESCAPED}\"");
    stage.put(RecordSet::simple(STATE, "TXT", 300, &[entry]));
    stage.put(RecordSet::simple(ESCAPED, "A", 300, &["203.0.113.1"]));
}

#[test]
fn one_that_a_forerunner_left_is_taken_over_as_it_is() {
    let shown = [
        None,
        Some("\\052.prod.example.com"),
        Some("*.prod.example.com"),
    ];
    let templates = ["\\052.%{{environment_name}}", "*.%{{environment_name}}"];
    let cases = templates
        .into_iter()
        .flat_map(|t| shown.map(|fqdn| (t, fqdn)));
    each(cases, |(template, fqdn)| {
        let stage = Stage::new(wildcard(template, fqdn));
        put_what_a_forerunner_left(&stage);
        let before = stage.lines();
        let service = stage.run();
        let is_published = |status: &serde_json::Value| {
            let services = status["services"].as_array().expect("a list");
            let any = services.iter().find(|service| service["name"] == "any");
            any.is_some_and(|any| any["state"] == "published") && status["fqdns_waiting"] == 0
        };
        status::wait_until(&service, is_published);
        stage.settle();
        assert_eq!(stage.lines(), before, "{template} {fqdn:?}");
        assert_eq!(stage.calls(CHANGE), 1, "for the claim");
        let events = stage.rancher.events();
        let sent: Vec<(&str, &str)> = events.iter().map(|e| (&*e.fqdn, &*e.external_id)).collect();
        let missing = [("*.prod.example.com", "*.prod.example.com.")];
        let expected = if fqdn.is_none() { &missing[..] } else { &[] };
        assert_eq!(sent, expected, "{template} {fqdn:?}");
    });
}

#[test]
fn the_setting_takes_both_spellings_too() {
    each(
        ["\\052.%{{environment_name}}", "*.%{{environment_name}}"],
        |template| {
            let stage = Stage::new(world(|world| {
                world.add_service("shop", "any").run_on("h1", 80);
            }));
            put_what_a_forerunner_left(&stage);
            let before = stage.lines();
            let _service = stage.run_with(&[], &[("NAME_TEMPLATE", template)]);
            stage.expect_fqdn("shop", "any", "*.prod.example.com");
            stage.settle();
            assert_eq!(stage.lines(), before, "{template}");
            assert_eq!(stage.calls(CHANGE), 1, "for the claim");
        },
    );
}

#[test]
fn a_star_elsewhere_skips_the_service_or_ends_the_start() {
    let stage = Stage::new(world(|world| {
        let bad = world.add_service("shop", "bad").run_on("h1", 80);
        bad.label(TEMPLATE, "web.\\052.%{{environment_name}}");
        world.add_service("shop", "web").run_on("h1", 80);
    }));
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    assert_eq!(stage.lines().len(), 2, "{:#?}", stage.lines());
    let status = status::wait_until(&service, |status| status["fqdns_waiting"] == 0);
    let services = status["services"].as_array().expect("a list");
    let bad = services.iter().find(|service| service["name"] == "bad");
    let bad = bad.expect("the service");
    assert_eq!(bad["skipped"], "wildcard", "{bad}");
    assert!(bad["reason"].to_string().contains("first label"), "{bad}");

    let service = stage.run_with(&[], &[("NAME_TEMPLATE", "web.*.%{{environment_name}}")]);
    assert_eq!(
        service.wait(PATIENCE).and_then(|status| status.code()),
        Some(2)
    );
    let log = service.log().join("\n");
    assert!(
        log.starts_with("NAME_TEMPLATE=") && log.contains("first label"),
        "{log}"
    );
}

/// In log, status, `plan` and `adopt`, whatever becomes of it: created, changed, in conflict,
/// refused, deleted.
#[test]
fn nobody_is_shown_the_escape() {
    let stage = Stage::new(world(|world| {
        world
            .host_mut("h2")
            .label("io.rancher.host.external_dns_ip", "2001:db8::1");
        for (name, template) in [("any", "*.any"), ("taken", "*.taken"), ("bad", "*.bad")] {
            let service = world.add_service("shop", name).run_on("h1", 80);
            service.run_on("h2", 80);
            service.label(TEMPLATE, format!("{template}.%{{{{environment_name}}}}"));
        }
    }));
    let taken = RecordSet::simple("*.taken.prod.example.com.", "A", 300, &["192.0.2.1"]);
    stage.put(taken);
    let bad = "\\052.bad.prod.example.com.";
    let words = format!("RRSet of type A with DNS name {bad} is not permitted here.");
    let zone = crate::stage::ZONE;
    stage
        .route53
        .edit(zone, |zone| zone.refuse(bad, "A", &words));
    for arguments in [
        &["plan"][..],
        &["plan", "--json"],
        &["adopt", "--yes"],
        &["plan"],
    ] {
        let ran = crate::commands::run(&stage, arguments);
        let told = ran.stdout + &ran.stderr;
        assert!(
            told.contains("*.taken.prod.example.com"),
            "{arguments:?}: {told}"
        );
        assert!(!told.contains("\\052"), "{arguments:?}: {told}");
    }
    let service = stage.run_with(&[], &[("LOG_LEVEL", "debug")]);
    stage.expect_fqdn("shop", "any", "*.any.prod.example.com");
    stage.rancher.change(|world| {
        world.service_mut("shop", "any").run_on("h3", 80);
        world.remove_service("shop", "taken");
    });
    for told in ["created", "changed", "deleted", "refuses", "fqdn sent"] {
        let tells = |line: &str| line.contains(told) && line.contains("*.");
        let line = service.wait_for_log(PATIENCE, tells);
        assert!(line.is_some(), "{told}: {:#?}", service.log());
    }
    stage.settle();
    let of_route53 = |line: &String| line.contains("not permitted here");
    let log: Vec<String> = service
        .log()
        .into_iter()
        .filter(|line| !of_route53(line))
        .collect();
    assert!(!log.join("\n").contains("\\052"), "{log:#?}");
    let status = status::wait_until(&service, |_| true).to_string();
    assert!(status.contains("*.any.prod.example.com"), "{status}");
    assert!(
        !status
            .replace(&bad.replace('\\', "\\\\"), "")
            .contains("\\052"),
        "{status}"
    );
}
