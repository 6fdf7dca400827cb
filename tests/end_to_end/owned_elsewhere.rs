//! What another owner's state record lists is taken from nobody, and two that list the same name
//! leave it alone: whatever `ADOPT` says, and whatever was known before.

use crate::commands::{Ran, ran};
use crate::stage::{PATIENCE, STATE, Stage, ZONE, each, state_line, web, world};
use crate::status;
use sim::rancher::World;
use sim::route53::{Operation, RecordSet};
use sim::service::Service;

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
const LIST: Operation = Operation::ListResourceRecordSets;
const OTHER: &str = "external-dns-berlin.example.com";
const OURS: &str = "external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815.example.com";
const WEB: &str = "web.shop.prod.example.com.";
const OLD: &str = "old.shop.prod.example.com.";

/// A name that a service here wants, and one that looks as old versions left it, both listed by
/// another owner: in its first state record, or in another one.
fn put_what_another_owns(stage: &Stage, record: &str, names: &[&str]) {
    let values: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    stage.put(RecordSet::simple(record, "TXT", 1 << 30, &values));
    for name in names {
        stage.put(RecordSet::simple(name, "A", 300, &["192.0.2.1"]));
    }
}

/// A conflict that names the state record, in log and status.
fn expect_told(service: &Service) {
    let fits = |line: &str| line.contains("left alone") && line.contains(OTHER);
    let line = service.wait_for_log(PATIENCE, fits);
    assert!(line.is_some_and(|line| line.contains(WEB)));
    let is_told = |web: &serde_json::Value| {
        let reason = web["reason"].as_str().unwrap_or_default();
        web["state"] == "conflict" && reason.contains(OTHER) && reason.contains("adopt --owner")
    };
    status::wait_until(service, |status| {
        let services = status["services"].as_array().expect("a list");
        status["record_sets_in_conflict"] == 1 && services.iter().any(is_told)
    });
}

#[test]
fn adopt_takes_and_deletes_nothing_that_another_owner_lists() {
    let records = ["external-dns-berlin", "external-dns-berlin-7"];
    let cases = ["never", "matching", "legacy"];
    let cases = cases
        .into_iter()
        .flat_map(|adopt| records.map(|record| (adopt, record)));
    each(cases, |(adopt, record)| {
        let stage = Stage::new(web());
        let full = format!("{record}.example.com.");
        put_what_another_owns(&stage, &full, &[OLD, WEB]);
        let before = stage.route53.record_sets(ZONE);
        let settings = [("ADOPT", adopt)];
        let Ran { code, stdout, .. } = ran(&stage.run_with(&["plan"], &settings));
        assert_eq!(code, 0);
        let told = format!("the state record {record}.example.com lists it");
        assert!(
            stdout.contains(&format!("! {WEB} A\n    {told}")),
            "{stdout}"
        );
        assert!(stdout.contains("0 to delete, 0 to take over"), "{stdout}");
        let Ran { code, stdout, .. } = ran(&stage.run_with(&["adopt", "--yes"], &settings));
        assert_eq!(code, 0);
        assert!(stdout.contains(&told), "{stdout}");
        let service = stage.run_with(&[], &[("ADOPT", adopt), ("RESYNC_INTERVAL", "10")]);
        let fits = |line: &str| line.contains("left alone") && line.contains(record);
        assert!(service.wait_for_log(PATIENCE, fits).is_some());
        stage.settle();
        assert_eq!(stage.route53.record_sets(ZONE), before, "{adopt}");
        assert_eq!(stage.calls(CHANGE), 0);
    });
}

/// The zone was listed when nothing here wanted the name, so nobody was asked whose it is.
#[test]
fn a_name_that_is_wanted_later_is_not_taken_on_what_was_known_before() {
    each(["matching", "legacy"], |adopt| {
        let stage = Stage::new(world(|world| {
            world.add_service("shop", "own").run_on("h2", 80);
        }));
        let other = format!("{OTHER}.");
        put_what_another_owns(&stage, &other, &[WEB]);
        let service = stage.run_with(&[], &[("ADOPT", adopt)]);
        stage.expect_fqdn("shop", "own", "own.shop.prod.example.com");
        stage.settle();
        stage.rancher.change(|world| {
            world.add_service("shop", "web").run_on("h1", 80);
        });
        expect_told(&service);
        let own = "own.shop.prod.example.com.";
        stage.expect_zone(&[
            &state_line(&[own]),
            &format!("{OTHER}. 300 TXT \"{WEB}\""),
            &format!("{own} 300 A 203.0.113.2"),
            &format!("{WEB} 300 A 192.0.2.1"),
        ]);
    });
}

/// Both list the name, and want other addresses for it: neither writes it, at no resync, and the one
/// whose addresses aren't there says so.
#[test]
fn two_owners_that_list_the_same_name_do_not_fight() {
    let stage = Stage::new(web());
    let values = [format!("\"{WEB}\"")];
    for record in [STATE, "external-dns-berlin.example.com."] {
        stage.put(RecordSet::simple(record, "TXT", 300, &values));
    }
    stage.put(RecordSet::simple(WEB, "A", 300, &["203.0.113.1"]));
    let ours = stage.run_with(&[], &[("RESYNC_INTERVAL", "10")]);
    status::wait_until(&ours, |status| status["last_success"].is_string());
    let theirs = World::clone(&stage.rancher.world());
    let other = Stage::new(theirs);
    other.rancher.change(|world| {
        world.service_mut("shop", "web").move_from("h1", "h2");
    });
    let url = stage.route53.url();
    let settings = [
        ("OWNER_ID", "berlin"),
        ("RESYNC_INTERVAL", "10"),
        ("AWS_ENDPOINT_URL_ROUTE_53", &*url),
    ];
    let berlin = other.run_with(&[], &settings);
    let fits = |line: &str| line.contains("left alone") && line.contains(OURS);
    assert!(berlin.wait_for_log(PATIENCE, fits).is_some());
    // Each has written its claim by now, and writes nothing any more.
    stage.settle();
    other.settle();
    let before = stage.route53.record_sets(ZONE);
    let web = before.iter().find(|set| set.name == WEB).expect("the name");
    assert_eq!(web.values, ["203.0.113.1"]);
    stage.route53.clear_requests();
    let resynced = stage.route53.wait_until(PATIENCE, |state| {
        let requests = state.requests().iter();
        let lists = requests.filter(|request| request.operation == Some(LIST));
        lists.count() >= 12
    });
    assert!(resynced, "several resyncs");
    assert_eq!(stage.route53.record_sets(ZONE), before);
    assert_eq!(stage.calls(CHANGE), 0);
    // Once it wants what is there, there is no more to say.
    other.rancher.change(|world| {
        world.service_mut("shop", "web").move_from("h2", "h1");
    });
    let over = berlin.wait_for_log(PATIENCE, |line| line.contains("a conflict is gone"));
    assert!(over.is_some());
    // And when it wants the name no more, that is still no reason to delete what the other lists.
    other
        .rancher
        .change(|world| world.remove_service("shop", "web"));
    other.settle();
    assert_eq!(stage.route53.record_sets(ZONE), before);
}

/// Whoever listed it may make it at any time: created by us, it would be listed by two, and neither could
/// change or delete it any more.
#[test]
fn what_another_owner_lists_is_not_created_where_it_is_missing() {
    let stage = Stage::new(web());
    stage.put(RecordSet::simple(
        &format!("{OTHER}."),
        "TXT",
        1 << 30,
        &[format!("\"{WEB}\"")],
    ));
    let before = stage.route53.record_sets(ZONE);
    let Ran { code, stdout, .. } = ran(&stage.run_with(&["plan"], &[]));
    let told = format!("! {WEB} A\n    the state record {OTHER} lists it");
    assert!(code == 0 && stdout.contains(&told), "{stdout}");
    let service = stage.run();
    expect_told(&service);
    assert_eq!(stage.route53.record_sets(ZONE), before);
    // Nor later, from what is known.
    stage.rancher.change(|world| {
        world.add_service("shop", "new").run_on("h1", 80);
    });
    stage.expect_fqdn("shop", "new", "new.shop.prod.example.com");
    stage.rancher.change(|world| {
        world.service_mut("shop", "web").move_from("h1", "h2");
        world.add_service("shop", "newer").run_on("h1", 80);
    });
    stage.expect_fqdn("shop", "newer", "newer.shop.prod.example.com");
    let sets = stage.route53.record_sets(ZONE);
    assert!(!sets.iter().any(|set| set.name == WEB), "{sets:#?}");
}
