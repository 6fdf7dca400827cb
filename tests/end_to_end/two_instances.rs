//! Somebody else at work, played by the test: another instance in the same environment, or a
//! person. What they do between two requests of ours is neither lost nor left without an entry.

use std::time::Duration;

use crate::stage::{PATIENCE, STATE, Stage, ZONE, web};
use sim::route53::{Fault, Operation, RecordSet};

const LIST: Operation = Operation::ListResourceRecordSets;

/// The answer to the listing after so many comes a second late.
fn hold_listing(stage: &Stage, after: usize) {
    let now = Fault::Delay(Duration::ZERO);
    stage.route53.inject(Some(LIST), now, after);
    let later = Fault::Delay(Duration::from_secs(1));
    stage.route53.inject(Some(LIST), later, 1);
}

/// Until so many have been made, though not all may have been answered.
fn wait_for_listings(stage: &Stage, count: usize) {
    let are_made = stage.route53.wait_until(PATIENCE, |state| {
        let requests = state.requests().iter();
        requests.filter(|r| r.operation == Some(LIST)).count() == count
    });
    assert!(are_made);
}

#[test]
fn what_another_instance_publishes_during_a_listing_is_not_forgotten() {
    let stage = Stage::new(web());
    // In the way of ours, so the state records are read once more after the rest.
    let foreign = "web.shop.prod.example.com. 60 A 192.0.2.1";
    stage.put(RecordSet::simple(
        "web.shop.prod.example.com.",
        "A",
        60,
        &["192.0.2.1"],
    ));
    hold_listing(&stage, 1);
    let _service = stage.run();
    wait_for_listings(&stage, 2);
    // The other one knows of a service already that this one doesn't know of yet.
    stage.route53.edit(ZONE, |zone| {
        let name = "new.shop.prod.example.com.";
        zone.put(RecordSet::simple(name, "A", 300, &["203.0.113.1"]));
        let entry = format!("\"{name}\"");
        zone.put(RecordSet::simple(STATE, "TXT", 300, &[entry]));
    });
    // Gone with its entry: had only the entry gone, nobody would ever delete the record set.
    stage.expect_zone(&[foreign]);
}

#[test]
fn what_is_taken_away_during_a_listing_is_left_alone() {
    let stage = Stage::new(web());
    let name = "web.shop.prod.example.com.";
    let entry = format!("\"{name}\"");
    stage.put(RecordSet::simple(STATE, "TXT", 300, &[entry]));
    stage.put(RecordSet::simple(name, "A", 300, &["203.0.113.2"]));
    // The state record is read, and says that it is ours.
    hold_listing(&stage, 0);
    let service = stage.run();
    wait_for_listings(&stage, 1);
    stage.route53.edit(ZONE, |zone| {
        zone.remove(STATE, "TXT");
        zone.put(RecordSet::simple(name, "A", 60, &["192.0.2.1"]));
    });
    let seen = service.wait_for_log(PATIENCE, |line| line.contains("left alone"));
    assert!(seen.is_some());
    assert_eq!(stage.lines(), ["web.shop.prod.example.com. 60 A 192.0.2.1"]);
}

#[test]
fn an_entry_is_not_forgotten_because_of_what_was_so_a_while_ago() {
    let stage = Stage::new(web());
    let name = "web.shop.prod.example.com.";
    // Somebody has deleted the record set, and Route 53 takes none of that name at present.
    let entry = format!("\"{name}\"");
    stage.put(RecordSet::simple(STATE, "TXT", 300, &[entry]));
    let words = "RRSet with DNS name web.shop.prod.example.com. is not permitted in zone \
                 example.com.";
    stage
        .route53
        .edit(ZONE, |zone| zone.refuse(name, "A", words));
    let service = stage.run();
    let refused = service.wait_for_log(PATIENCE, |line| line.contains("refuses a record set"));
    assert!(refused.is_some());
    stage.settle();
    // Another instance may create it: it does, and the entry stays as it is.
    stage.put(RecordSet::simple(name, "A", 300, &["203.0.113.1"]));
    stage
        .rancher
        .change(|world| world.remove_service("shop", "web"));
    // Had only the entry gone, nobody would ever delete the record set.
    stage.expect_zone(&[]);
}
