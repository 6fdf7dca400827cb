//! Record sets that Route 53 refuses hold back nothing else.

use crate::stage::{PATIENCE, SECOND, STATE, Stage, ZONE, each, prompt, state_line, world};
use sim::rancher::World;
use sim::route53::{self, Operation, RecordSet, RequestRecord};

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
/// Says which one, as Route 53 does it.
const NAMED: &str = "RRSet with DNS name bad.shop.prod.example.com. is not permitted in zone \
                     example.com.";
/// Doesn't.
const NOT_NAMED: &str = "The resource record set cannot be created.";

fn many(count: usize) -> World {
    world(|world| {
        world.add_service("shop", "bad").run_on("h1", 80);
        for i in 1..count {
            world
                .add_service("shop", &format!("web{i:03}"))
                .run_on("h1", 80);
        }
    })
}

fn refuse(stage: &Stage, name: &str, message: &str) {
    let name = format!("{name}.shop.prod.example.com.");
    stage
        .route53
        .edit(ZONE, |zone| zone.refuse(&name, "A", message));
}

fn operations(requests: &[RequestRecord]) -> Vec<Operation> {
    requests
        .iter()
        .filter_map(|request| request.operation)
        .collect()
}

#[test]
fn one_bad_record_set_of_500_is_named_and_left_out() {
    each([false, true], |old_error_form| {
        let options = route53::Options {
            old_error_form,
            ..route53::Options::default()
        };
        let stage = Stage::with(many(500), prompt(), options);
        refuse(&stage, "bad", NAMED);
        let service = stage.run();
        stage.expect_addresses(499);
        let told = service.wait_for_log(PATIENCE, |line| line.contains("refuses a record set"));
        let told = told.expect("a line of the log");
        assert!(
            told.contains("bad.shop.prod.example.com. A") && told.contains("is not permitted"),
            "{told}"
        );
        // The batch was refused once and went again without it: no new listing in between.
        stage.rancher.wait_until_polled(PATIENCE);
        const LIST: Operation = Operation::ListResourceRecordSets;
        assert_eq!(
            operations(&stage.route53.requests())[1..],
            [LIST, LIST, CHANGE, CHANGE]
        );
    });
}

#[test]
fn without_a_hint_it_is_found_by_halves() {
    let stage = Stage::new(many(64));
    refuse(&stage, "bad", NOT_NAMED);
    refuse(&stage, "web050", NOT_NAMED);
    let service = stage.run_with(&[], &[("ROUTE53_REQUEST_RATE", "1000")]);
    stage.expect_addresses(62);
    for name in ["bad", "web050"] {
        let told = service.wait_for_log(PATIENCE, |line| {
            line.contains("refuses a record set")
                && line.contains(&format!("{name}.shop.prod.example.com."))
        });
        assert!(told.is_some(), "{name}");
    }
    assert!(
        stage.calls(CHANGE) <= 2 * 2 * 6 + 1,
        "{}",
        stage.calls(CHANGE)
    );
}

/// A zone that has no room for the state record with the claim is kept all the same.
#[test]
fn a_full_zone_without_a_claim_is_kept_and_claimed_once_there_is_room() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h2", 80);
        world.add_service("shop", "new").run_on("h1", 80);
    }));
    let name = |label: &str| format!("{label}.shop.prod.example.com.");
    let entries = ["web", "gone"].map(|label| format!("\"{}\"", name(label)));
    stage.put(RecordSet::simple(STATE, "TXT", 300, &entries));
    for label in ["web", "gone"] {
        stage.put(RecordSet::simple(&name(label), "A", 300, &["203.0.113.1"]));
    }
    stage
        .route53
        .edit(ZONE, |zone| zone.record_set_limit = zone.len());
    let settings = [("ROUTE53_REQUEST_RATE", "1000"), ("RESYNC_INTERVAL", "10")];
    let _service = stage.run_with(&[], &settings);
    let (web, new) = (name("web"), name("new"));
    stage.expect_zone(&[
        &state_line(&[&new, &web]),
        &format!("{new} 300 A 203.0.113.1"),
        &format!("{web} 300 A 203.0.113.2"),
    ]);
    let has_claim = |state: &sim::route53::State| {
        let zone = state.zone(ZONE).expect("the zone");
        zone.get(SECOND, "TXT").is_some()
    };
    stage
        .route53
        .edit(ZONE, |zone| zone.record_set_limit = zone.len() + 1);
    assert!(stage.route53.wait_until(PATIENCE, has_claim));
}

/// A zone that is full takes no new record set; all else goes on.
#[test]
fn a_full_zone_holds_back_only_what_is_new() {
    let stage = Stage::new(many(100));
    let service = stage.run_with(&[], &[("ROUTE53_REQUEST_RATE", "1000")]);
    stage.expect_addresses(100);
    stage.settle();
    stage.route53.clear_requests();
    stage
        .route53
        .edit(ZONE, |zone| zone.record_set_limit = zone.len() + 2);
    stage.rancher.change(|world| {
        for i in 0..300 {
            let name = format!("new{i:03}");
            world.add_service("shop", &name).run_on("h1", 80);
        }
        world.service_mut("shop", "web001").run_on("h2", 80);
        world.service_mut("shop", "web002").containers.clear();
    });
    let told = service.wait_for_log(PATIENCE, |line| {
        line.contains("refuses a record set") && line.contains("RRSets limit of")
    });
    assert!(told.is_some());
    stage.settle();
    let lines = stage.lines();
    let has = |name: &str| lines.iter().filter(|line| line.starts_with(name)).count();
    assert!(
        lines.contains(&"web001.shop.prod.example.com. 300 A 203.0.113.1 203.0.113.2".to_owned())
    );
    assert_eq!(
        (has("web002"), has("web"), has("new")),
        (0, 98, 3),
        "{lines:#?}"
    );
    // Not one for each of them.
    assert!(stage.calls(CHANGE) <= 40, "{}", stage.calls(CHANGE));
    // Nor again with the next change.
    stage.route53.clear_requests();
    stage.rancher.change(|world| {
        world.service_mut("shop", "web003").run_on("h2", 80);
    });
    let moved = "web003.shop.prod.example.com. 300 A 203.0.113.1 203.0.113.2".to_owned();
    stage.settle();
    assert!(stage.lines().contains(&moved));
    assert_eq!(stage.calls(CHANGE), 1);
}

/// Looking for them has an end; what hasn't been told from them by then waits with them.
#[test]
fn very_many_bad_ones_without_a_hint_do_not_hold_back_a_round() {
    let stage = Stage::new(many(400));
    for i in 100..300 {
        refuse(&stage, &format!("web{i}"), NOT_NAMED);
    }
    let service = stage.run_with(&[], &[("ROUTE53_REQUEST_RATE", "1000")]);
    let told = service.wait_for_log(PATIENCE, |line| line.contains("refuses a record set"));
    assert!(told.is_some());
    stage.settle();
    let published = stage
        .lines()
        .iter()
        .filter(|line| line.contains(" A "))
        .count();
    assert!((190..=200).contains(&published), "{published}");
    assert!(stage.calls(CHANGE) <= 200, "{}", stage.calls(CHANGE));
}

#[test]
fn it_is_not_tried_again_until_something_else_is_desired() {
    let stage = Stage::new(many(5));
    refuse(&stage, "bad", NAMED);
    let service = stage.run();
    stage.expect_addresses(4);
    stage.settle();
    stage.route53.clear_requests();
    // Another change goes by itself.
    stage.rancher.change(|world| {
        world.add_service("shop", "new").run_on("h1", 80);
    });
    stage.expect_addresses(5);
    stage.settle();
    assert_eq!(operations(&stage.route53.requests()), [CHANGE]);
    // Something else is desired of the bad one, which is refused again.
    stage.route53.clear_requests();
    stage.rancher.change(|world| {
        world.service_mut("shop", "bad").run_on("h2", 80);
    });
    assert!(
        stage
            .route53
            .wait_until(PATIENCE, |state| !state.requests().is_empty())
    );
    stage.settle();
    assert_eq!(operations(&stage.route53.requests()), [CHANGE]);
    // Now Route 53 takes it, but nobody has asked it again.
    stage.route53.edit(ZONE, |zone| zone.refused.clear());
    stage.rancher.change(|world| {
        world.service_mut("shop", "bad").run_on("h3", 80);
    });
    stage.expect_addresses(6);
    let over = service.wait_for_log(PATIENCE, |line| line.contains("no longer refused"));
    assert!(over.is_some());
    stage.expect_fqdn("shop", "bad", "bad.shop.prod.example.com");
}

#[test]
fn the_next_resync_tries_it_again() {
    let stage = Stage::new(many(5));
    refuse(&stage, "bad", NAMED);
    let _service = stage.run_with(&[], &[("RESYNC_INTERVAL", "10")]);
    stage.expect_addresses(4);
    stage.settle();
    stage.route53.clear_requests();
    stage.route53.edit(ZONE, |zone| zone.refused.clear());
    stage.expect_addresses(5);
    assert!(stage.calls(Operation::ListResourceRecordSets) >= 2);
}

#[test]
fn a_refused_change_leaves_the_record_set_as_it_was() {
    let stage = Stage::new(many(5));
    let _service = stage.run();
    stage.expect_addresses(5);
    stage.expect_fqdn("shop", "bad", "bad.shop.prod.example.com");
    stage.settle();
    refuse(&stage, "bad", NAMED);
    stage.rancher.change(|world| {
        world.service_mut("shop", "bad").run_on("h2", 80);
        world.service_mut("shop", "web001").run_on("h2", 80);
    });
    let changed = stage.route53.wait_until(PATIENCE, |state| {
        let zone = state.zone(ZONE).expect("the zone");
        let set = zone.get("web001.shop.prod.example.com.", "A");
        set.is_some_and(|set| set.values.len() == 2)
    });
    assert!(changed);
    stage.settle();
    let bad = "bad.shop.prod.example.com. 300 A 203.0.113.1".to_owned();
    assert!(stage.lines().contains(&bad), "{:#?}", stage.lines());
}

#[test]
fn once_names_it_and_fails() {
    let stage = Stage::new(many(5));
    refuse(&stage, "bad", NAMED);
    let service = stage.run_with(&["once"], &[]);
    assert_eq!(service.wait(PATIENCE).expect("an end").code(), Some(1));
    stage.expect_addresses(4);
    let log = service.log().join("\n");
    assert!(
        log.contains("Route 53 refuses bad.shop.prod.example.com. A"),
        "{log}"
    );
}
