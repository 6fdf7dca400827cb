//! Another instance at work in the same environment, played by the test: what it does between
//! two requests of ours is neither lost nor left without an entry.

use std::time::Duration;

use crate::stage::{PATIENCE, STATE, Stage, ZONE, web};
use sim::route53::{Fault, Operation, RecordSet};

const LIST: Operation = Operation::ListResourceRecordSets;

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
    let later = Fault::Delay(Duration::from_secs(1));
    for fault in [Fault::Delay(Duration::ZERO), later] {
        stage.route53.inject(Some(LIST), fault, 1);
    }
    let _service = stage.run();
    let rest_is_listed = stage.route53.wait_until(PATIENCE, |state| {
        let requests = state.requests().iter();
        requests.filter(|r| r.operation == Some(LIST)).count() == 2
    });
    assert!(rest_is_listed);
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
