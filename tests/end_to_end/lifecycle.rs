//! The whole road: metadata → Route 53 → fqdn.

use crate::stage::{
    PATIENCE, STATE, Stage, addresses, four_batches, has_address, second_line, web, world,
};
use sim::rancher::World;
use sim::route53::{Fault, Operation, State};
use std::time::Duration;

#[test]
fn services_appear_scale_move_and_vanish() {
    let stage = Stage::new(web());
    let service = stage.run();
    let state = |entries: &str| format!("{STATE} 300 TXT {entries}");
    stage.expect_zone(&[
        &state("\"web.shop.prod.example.com.\""),
        "web.shop.prod.example.com. 300 A 203.0.113.1",
    ]);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");

    stage.rancher.change(|world| {
        world.service_mut("shop", "web").run_on("h2", 80);
    });
    stage.expect_zone(&[
        &state("\"web.shop.prod.example.com.\""),
        "web.shop.prod.example.com. 300 A 203.0.113.1 203.0.113.2",
    ]);

    stage.rancher.change(|world| {
        world
            .service_mut("shop", "web")
            .stop_on("h1")
            .move_from("h2", "h3");
        world
            .add_service("db", "Post gres")
            .run_with("h1", &["[2001:db8::7]:5432:5432/tcp"]);
    });
    stage.expect_zone(&[
        &second_line(&["post-gres.db.prod.example.com. AAAA"]),
        &state("\"web.shop.prod.example.com.\""),
        "post-gres.db.prod.example.com. 300 AAAA 2001:db8::7",
        "web.shop.prod.example.com. 300 A 203.0.113.3",
    ]);
    stage.expect_fqdn("db", "Post gres", "post-gres.db.prod.example.com");

    stage.rancher.change(|world| {
        world.remove_stack("shop");
        world.remove_stack("db");
    });
    stage.expect_zone(&[]);
    assert!(service.is_running());
}

#[test]
fn the_samples_of_a_real_server_are_published_as_their_readme_says() {
    // The same services as in tests/samples, which the unit tests read byte for byte.
    let mut sample = World::new("Production EU", crate::stage::UUID);
    sample.add_host("h1", "203.0.113.11");
    sample
        .add_host("v6", "203.0.113.13")
        .label("io.rancher.host.external_dns_ip", "2001:db8:20::13");
    sample
        .add_host("out", "203.0.113.14")
        .label("io.rancher.host.external_dns", false);
    sample
        .add_service("shop", "web")
        .run_on("h1", 8080)
        .run_on("v6", 8080)
        .run_on("out", 8080);
    sample
        .add_sidekick("shop", "web", "web-nginx")
        .run_on("h1", 8081);
    sample
        .add_service("shop", "Cart_Service")
        .run_on("h1", 9000)
        .label(
            "io.rancher.service.external_dns_name_template",
            "cart.%{{environment_name}}",
        );
    let stage = Stage::new(sample);
    let _service = stage.run();
    let state = format!(
        "{STATE} 300 TXT \"cart.production-eu.example.com.\" \
         \"web-nginx.shop.production-eu.example.com.\" \
         \"web.shop.production-eu.example.com.\""
    );
    stage.expect_zone(&[
        &second_line(&["web.shop.production-eu.example.com. AAAA"]),
        &state,
        "cart.production-eu.example.com. 300 A 203.0.113.11",
        "web-nginx.shop.production-eu.example.com. 300 A 203.0.113.11",
        "web.shop.production-eu.example.com. 300 A 203.0.113.11",
        "web.shop.production-eu.example.com. 300 AAAA 2001:db8:20::13",
    ]);
    stage.expect_fqdn("shop", "web", "web.shop.production-eu.example.com");
    stage.expect_fqdn("shop", "Cart_Service", "cart.production-eu.example.com");
    stage.settle();
    assert!(
        !stage
            .rancher
            .events()
            .iter()
            .any(|event| event.service == "web-nginx"),
        "a sidekick's fqdn is never set by Rancher, so no event is sent for it"
    );
}

#[test]
fn one_change_is_one_batch_and_nothing_is_listed() {
    use sim::route53::Operation;
    let stage = Stage::new(web());
    let _service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    stage.route53.clear_requests();
    stage.rancher.change(|world| {
        world.add_service("shop", "new").run_on("h2", 80);
    });
    stage.expect_fqdn("shop", "new", "new.shop.prod.example.com");
    stage.settle();
    assert_eq!(stage.calls(Operation::ChangeResourceRecordSets), 1);
    assert_eq!(stage.route53.requests().len(), 1);
}

#[test]
fn once_makes_one_round_and_ends() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
        world.add_service("shop", "api").run_on("h2", 80);
    }));
    let service = stage.run_with(&["once"], &[]);
    assert_eq!(
        service
            .wait(crate::stage::PATIENCE)
            .and_then(|status| status.code()),
        Some(0)
    );
    assert_eq!(stage.lines().len(), 3);
    assert_eq!(stage.rancher.events().len(), 2);

    stage.rancher.unload();
    let service = stage.run_with(&["once"], &[]);
    assert_eq!(
        service
            .wait(crate::stage::PATIENCE)
            .and_then(|status| status.code()),
        Some(1)
    );
    assert!(
        service.log().iter().any(|line| line.contains(": 404, ")),
        "{:?}",
        service.log()
    );
    assert_eq!(stage.lines().len(), 3);
}

#[test]
fn a_change_does_not_wait_for_the_end_of_a_long_round() {
    let stage = Stage::new(four_batches());
    // The answers to its batches take their time.
    let slow = Fault::Delay(Duration::from_secs(1));
    let change = Operation::ChangeResourceRecordSets;
    stage.route53.inject(Some(change), slow, 4);
    let _service = stage.run_with(&[], &[("ROUTE53_CHANGE_RATE", "1000")]);
    let begun = |state: &State| addresses(state) > 0;
    assert!(stage.route53.wait_until(PATIENCE, begun));
    stage.rancher.change(|world| {
        world.add_service("shop", "new").run_on("h1", 80);
    });
    let mut others = 0;
    let name = "new.shop.prod.example.com.";
    let is_there = stage.route53.wait_until(PATIENCE, |state| {
        others = addresses(state);
        has_address(state, name)
    });
    assert!(is_there && others < 9, "{others}");
    let all = |state: &State| addresses(state) == 9;
    assert!(stage.route53.wait_until(PATIENCE, all));
}
