//! Services of one environment that share a name by a routing policy: what becomes of one isn't what
//! becomes of the others.

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
