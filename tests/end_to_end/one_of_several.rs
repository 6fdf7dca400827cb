//! Services of one environment that share a name by a routing policy: what becomes of one isn't what
//! becomes of the others. And what a name answers stays until what comes instead is there.

use serde_json::{Value, json};

use crate::stage::{PATIENCE, Stage, ZONE, world};
use crate::status;

const PREFIX: &str = "io.rancher.service.external_dns";
const NAME: &str = "api.example.com.";
/// The simulated account has no health checks.
const NO_CHECK: &str = "abcdef11-2222-3333-4444-555555fedcba";

fn service<'a>(status: &'a Value, name: &str) -> &'a Value {
    let rows = status["services"].as_array().expect("a list");
    let row = rows.iter().find(|row| row["name"] == name);
    row.expect("the service")
}

#[test]
fn one_that_is_refused_does_not_hold_back_the_others_of_its_name() {
    let stage = Stage::new(world(|world| {
        for (name, host) in [("blue", "h1"), ("green", "h2")] {
            let service = world.add_service("shop", name).run_on(host, 80);
            service
                .label(&format!("{PREFIX}_name_template"), "api")
                .label(&format!("{PREFIX}_routing"), "weighted 10")
                .label(&format!("{PREFIX}_routing_id"), name);
        }
        let green = world.service_mut("shop", "green");
        green.label(&format!("{PREFIX}_health_check"), NO_CHECK);
    }));
    let running = stage.run();
    stage.expect_fqdn("shop", "blue", "api.example.com");
    let status = status::wait_until(&running, |status| {
        let is_shown = service(status, "blue")["reason"].is_null();
        is_shown && service(status, "green")["state"] == "quarantined"
    });
    let (blue, green) = (service(&status, "blue"), service(&status, "green"));
    assert_eq!(blue["state"], "published");
    assert_eq!(blue["addresses"], json!(["203.0.113.1"]));
    assert_eq!(green["addresses"], json!(["203.0.113.2"]));
    let reason = green["reason"].as_str().expect("a reason");
    assert!(reason.contains(NO_CHECK), "{reason}");
    assert_eq!(stage.rancher.fqdn("shop", "green"), None);

    // Once it is right, both are there.
    stage.rancher.change(|world| {
        let green = world.service_mut("shop", "green");
        green.labels.remove(&format!("{PREFIX}_health_check"));
    });
    stage.expect_fqdn("shop", "green", "api.example.com");
    let is_whole = stage.route53.wait_until(PATIENCE, |state| {
        let sets = state.zone(ZONE).expect("the zone").record_sets();
        sets.filter(|set| set.name == NAME).count() == 2
    });
    assert!(is_whole);
}

/// What the zone holds besides state records, a line each.
fn rest(stage: &Stage) -> Vec<String> {
    let mut lines = stage.lines();
    lines.retain(|line| !line.starts_with("external-dns-"));
    lines
}

#[test]
fn a_name_keeps_its_answer_while_its_successor_is_refused() {
    let label = |name: &str| format!("{PREFIX}_{name}");
    let stage = Stage::new(world(|world| {
        world.add_host("h6", "2001:db8::6");
        world.add_service("shop", "plain").run_on("h1", 80);
        let routed = world.add_service("shop", "routed").run_on("h2", 80);
        routed
            .label(&label("routing"), "weighted 10")
            .label(&label("routing_id"), "blue");
    }));
    const PLAIN: &str = "plain.shop.prod.example.com.";
    let running = stage.run_with(&[], &[("RESYNC_INTERVAL", "10")]);
    stage.expect_fqdn("shop", "plain", PLAIN.trim_end_matches('.'));
    stage.expect_fqdn("shop", "routed", "routed.shop.prod.example.com");
    let before = rest(&stage);
    assert_eq!(before.len(), 2, "{before:#?}");

    // An address of the other family, which is refused without a word about which it is; and another
    // set identifier, with a health check that isn't there.
    let refuse = |words: &'static str| {
        stage
            .route53
            .edit(ZONE, |zone| zone.refuse(PLAIN, "AAAA", words));
    };
    refuse("something is wrong");
    stage.rancher.change(|world| {
        world.service_mut("shop", "plain").move_from("h1", "h6");
        let routed = world.service_mut("shop", "routed");
        routed
            .label(&label("routing_id"), "green")
            .label(&label("health_check"), NO_CHECK);
    });
    for refused in [&format!("{PLAIN} AAAA")[..], "green"] {
        let tells = |line: &str| line.contains("refuses a record set") && line.contains(refused);
        assert!(running.wait_for_log(PATIENCE, tells).is_some(), "{refused}");
    }
    stage.settle();
    assert_eq!(rest(&stage), before);

    stage.route53.edit(ZONE, |zone| zone.refused.clear());
    stage.rancher.change(|world| {
        let routed = world.service_mut("shop", "routed");
        routed.labels.remove(&label("health_check"));
    });
    let has_changed = stage.route53.wait_until(PATIENCE, |state| {
        let sets = state.zone(ZONE).expect("the zone").record_sets();
        let sets = sets.filter(|set| ["A", "AAAA"].contains(&&*set.rtype));
        let shown: Vec<String> = sets.map(ToString::to_string).collect();
        let has = |words: &str| shown.iter().any(|line| line.contains(words));
        shown.len() == 2 && has("2001:db8::6") && has("green")
    });
    assert!(has_changed, "{:#?}", rest(&stage));
}
