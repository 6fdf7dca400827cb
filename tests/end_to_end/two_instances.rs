//! Somebody else at work, played by the test: another instance in the same environment, or a
//! person. What they do between two requests of ours is neither lost nor left without an entry.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::going_back::orphans;
use crate::stage::{PATIENCE, STATE, Stage, ZONE, each, has_address, state_line, web, world};
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

/// What may not stand beside ours comes after the zone was listed, before our batch.
#[test]
fn what_comes_into_the_way_after_a_listing_is_a_conflict() {
    let name = "web.shop.prod.example.com.";
    let cname = RecordSet::simple(name, "CNAME", 60, &["elsewhere.example."]);
    let weighted = RecordSet::simple(name, "A", 60, &["192.0.2.1"]).weighted("blue", 1);
    let cases = [cname, weighted].map(|set| ["run", "once"].map(|command| (set.clone(), command)));
    each(cases.into_iter().flatten(), |(foreign, command)| {
        let stage = Stage::new(world(|world| {
            world.add_service("shop", "web").run_on("h1", 80);
            world.add_service("shop", "db").run_on("h2", 80);
        }));
        hold_listing(&stage, 1);
        let service = stage.run_with(&[command], &[]);
        wait_for_listings(&stage, 2);
        stage.put(foreign.clone());
        let left = service.wait_for_log(PATIENCE, |line| line.contains("left alone"));
        assert!(left.is_some_and(|line| line.contains(name)));
        stage.expect_zone(&[
            &state_line(&["db.shop.prod.example.com."]),
            "db.shop.prod.example.com. 300 A 203.0.113.2",
            &foreign.to_string(),
        ]);
        match command {
            "once" => assert_eq!(service.wait(PATIENCE).and_then(|s| s.code()), Some(0)),
            _ => stage.settle(),
        }
        let log = service.log();
        assert!(!log.iter().any(|line| line.contains("refuses a record set")));
    });
}

/// It is refused, then somebody puts something into its place: it isn't both at once.
#[test]
fn a_conflict_is_no_refusal_any_more() {
    let stage = Stage::new(web());
    let name = "web.shop.prod.example.com.";
    let words = format!("RRSet with DNS name {name} is not permitted in zone example.com.");
    stage
        .route53
        .edit(ZONE, |zone| zone.refuse(name, "A", &words));
    let service = stage.run();
    let refused = service.wait_for_log(PATIENCE, |line| line.contains("refuses a record set"));
    assert!(refused.is_some());
    stage.settle();
    let cname = RecordSet::simple(name, "CNAME", 60, &["elsewhere.example."]);
    stage.put(cname);
    let other = "new.shop.prod.example.com.";
    stage.put(RecordSet::simple(other, "A", 60, &["192.0.2.1"]));
    // The batch for this one loses, so the zone is listed.
    stage.rancher.change(|world| {
        world.add_service("shop", "new").run_on("h1", 80);
    });
    for words in ["left alone", "no longer refused"] {
        let fits = |line: &str| line.contains(words) && line.contains(name);
        assert!(service.wait_for_log(PATIENCE, fits).is_some(), "{words}");
    }
}

/// A flapping service and two instances: while one looks at the zone, the other deletes a record set
/// with its entry and creates both again. The entries are then the same as before, and the record
/// set was missing in between. Whoever removed the entry now would leave it to nobody.
#[test]
fn an_entry_that_went_and_came_back_during_a_look_is_not_the_one_that_was_read() {
    let name = "web.shop.prod.example.com.";
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
        world.add_service("shop", "stays").run_on("h1", 80);
    }));
    let nobodys = Arc::new(Mutex::new(BTreeSet::new()));
    let found = nobodys.clone();
    let look = move |written: &sim::route53::Written<'_>| {
        found.lock().unwrap().extend(orphans(written.after));
    };
    stage.route53.watch(look);
    let _one = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.expect_fqdn("shop", "stays", "stays.shop.prod.example.com");
    stage.settle();
    stage.route53.clear_requests();

    // The other one runs in the same stack, and its metadata hasn't the service at present.
    let other = Stage::new(world(|world| {
        world.add_service("shop", "stays").run_on("h1", 80);
    }));
    let slow = Fault::Delay(Duration::from_secs(2));
    stage.route53.inject(Some(LIST), slow, 2);
    let url = stage.route53.url();
    let _other = other.run_with(&[], &[("AWS_ENDPOINT_URL_ROUTE_53", &url)]);
    let expect = |is_there: bool| {
        let is_so = |state: &sim::route53::State| has_address(state, name) == is_there;
        assert!(stage.route53.wait_until(PATIENCE, is_so), "{is_there}");
    };
    // It has read the state records.
    wait_for_listings(&stage, 1);
    stage
        .rancher
        .change(|world| world.remove_service("shop", "web"));
    expect(false);
    // It has read the rest.
    wait_for_listings(&stage, 2);
    let add = |world: &mut sim::rancher::World| {
        world.add_service("shop", "web").run_on("h1", 80);
    };
    stage.rancher.change(add);
    expect(true);
    other.expect_fqdn("shop", "stays", "stays.shop.prod.example.com");
    other.settle();
    assert_eq!(*nobodys.lock().unwrap(), BTreeSet::new());
    // Both want it again: there it is, and it is ours.
    other.rancher.change(add);
    stage.expect_zone(&[
        &state_line(&["stays.shop.prod.example.com.", name]),
        "stays.shop.prod.example.com. 300 A 203.0.113.1",
        "web.shop.prod.example.com. 300 A 203.0.113.1",
    ]);
    assert_eq!(*nobodys.lock().unwrap(), BTreeSet::new());
}
