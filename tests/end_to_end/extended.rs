//! Record sets to which somebody has attached something. A DELETE has to repeat it: a health check is
//! repeated and kept, and what this program can't write keeps it from touching the record set.

use crate::commands::{Ran, run};
use crate::stage::{PATIENCE, STATE, Stage, ZONE, state_line, web, world};
use crate::status::wait_until;
use sim::route53::{NoHealthCheck, Operation, RecordSet};
use sim::service::Service;

const WEB: &str = "web.shop.prod.example.com.";
const CHECK: &str = "11111111-2222-3333-4444-555555555555";
const POLICY: &str = "66666666-7777-8888-9999-000000000000";
const ELEMENT: &str = "TrafficPolicyInstanceId";
const RESYNCS: [(&str, &str); 1] = [("RESYNC_INTERVAL", "10")];

/// Makes a record set one of a traffic policy, which this program doesn't know, or no longer.
fn attach(stage: &Stage, name: &str, rtype: &str, is_attached: bool) {
    edit(stage, name, rtype, |set| {
        set.traffic_policy_instance_id = is_attached.then(|| POLICY.to_owned());
    });
}

fn edit(stage: &Stage, name: &str, rtype: &str, change: impl Fn(&mut RecordSet)) {
    stage.route53.edit(ZONE, |zone| {
        let mut set = zone.get(name, rtype).expect("the record set").clone();
        change(&mut set);
        zone.put(set);
    });
}

fn line(name: &str, address: &str) -> String {
    format!("{name} 300 A {address}")
}

fn attached(name: &str, address: &str) -> String {
    format!("{name} 300 A {address} [traffic policy {POLICY}]")
}

/// Waits until the log says that a record set is left alone, and why.
fn expect_told(service: &Service, what: &str) {
    let tells =
        |line: &str| line.contains("left alone") && line.contains(what) && line.contains(ELEMENT);
    let told = service.wait_for_log(PATIENCE, tells);
    assert!(told.is_some(), "{what}: {:#?}", service.log());
}

#[test]
fn ours_is_left_alone_holds_nothing_back_and_is_ours_again_without_it() {
    let stage = Stage::new(web());
    let service = stage.run_with(&[], &RESYNCS);
    stage.expect_fqdn("shop", "web", WEB.trim_end_matches('.'));
    attach(&stage, WEB, "A", true);
    stage.rancher.change(|world| {
        world.service_mut("shop", "web").move_from("h1", "h2");
        world.add_service("shop", "new").run_on("h3", 80);
    });
    let new = "new.shop.prod.example.com.";
    let state = state_line(&[new, WEB]);
    let left = [
        state.clone(),
        line(new, "203.0.113.3"),
        attached(WEB, "203.0.113.1"),
    ];
    let left = left.each_ref().map(String::as_str);
    stage.expect_zone(&left);
    expect_told(&service, "web.shop.prod.example.com. A");
    let status = wait_until(&service, |status| status["record_sets_in_conflict"] == 1);
    assert_eq!(status["record_sets_quarantined"], 0, "{status:#}");
    assert_eq!(status["record_sets_owned"], 2, "{status:#}");
    let services = status["services"].as_array().expect("a list");
    let row = services
        .iter()
        .find(|row| row["name"] == "web")
        .expect("it");
    assert_eq!(row["state"], "conflict", "{row}");
    let reason = row["reason"].as_str().expect("a reason");
    assert!(reason.contains("from it in Route 53"), "{reason}");

    // It is changed as ever once the health check is gone.
    attach(&stage, WEB, "A", false);
    stage.expect_zone(&[&state, &line(new, "203.0.113.3"), &line(WEB, "203.0.113.2")]);
    wait_until(&service, |status| {
        status["problems"] == serde_json::json!([])
    });
}

#[test]
fn ours_that_nobody_wants_any_more_stays_with_its_entry_and_is_said() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
        world.add_service("shop", "old").run_on("h1", 80);
    }));
    let service = stage.run_with(&[], &RESYNCS);
    stage.expect_fqdn("shop", "web", WEB.trim_end_matches('.'));
    attach(&stage, WEB, "A", true);
    stage.rancher.change(|world| world.remove_stack("shop"));
    let left = [state_line(&[WEB]), attached(WEB, "203.0.113.1")];
    stage.expect_zone(&left.each_ref().map(String::as_str));
    expect_told(&service, "web.shop.prod.example.com. A");
    let status = wait_until(&service, |status| status["record_sets_in_conflict"] == 1);
    let problems = status["problems"].to_string();
    assert!(
        problems.contains(WEB.trim_end_matches('.')) && problems.contains(ELEMENT),
        "{problems}"
    );

    let Ran { code, stdout, .. } = run(&stage, &["plan", "--detailed-exitcode"]);
    assert!(stdout.contains(&format!(
        "! {WEB} A\n    the record set has the element \"{ELEMENT}\""
    )));
    assert_eq!(code, 0, "nothing would be changed: {stdout}");
    let Ran {
        code,
        stdout,
        stderr,
    } = run(&stage, &["purge", "--yes"]);
    assert_eq!((code, &*stdout), (1, "Nothing to remove.\n"));
    let last = stderr.lines().last().unwrap_or_default();
    assert!(
        last.starts_with(&format!("{WEB} A is left alone: ")),
        "{stderr}"
    );
    assert_eq!(stage.lines(), left);

    attach(&stage, WEB, "A", false);
    stage.expect_zone(&[]);
    wait_until(&service, |status| {
        status["problems"] == serde_json::json!([])
    });
}

#[test]
fn somebody_else_s_is_a_conflict_and_is_not_taken_over() {
    let stage = Stage::new(web());
    stage.put(RecordSet::simple(WEB, "A", 300, &["192.0.2.1"]));
    attach(&stage, WEB, "A", true);
    let before = stage.lines();
    let adopt = stage.run_with(&["adopt", "--yes"], &[("ADOPT", "matching")]);
    let Ran { code, stdout, .. } = crate::commands::ran(&adopt);
    assert!(stdout.contains(ELEMENT) && stdout.ends_with("Nothing to take over.\n"));
    assert_eq!(code, 0);
    let ours = stdout.contains("isn't ours; remove it, or give the service another name");
    assert!(ours, "{stdout}");
    let asked = run(&stage, &["plan", "shop/web", "--json"]).stdout;
    let asked: serde_json::Value = serde_json::from_str(&asked).expect("JSON");
    let set = &asked["record_sets"][0];
    assert_eq!(set["unknown_element"], ELEMENT, "{set}");
    assert_eq!(
        (&set["in_zone"], &set["in_the_way"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    let once = stage.run_with(&["once"], &[("ADOPT", "legacy")]);
    assert_eq!(crate::commands::ran(&once).code, 0);
    assert_eq!(stage.lines(), before);
    assert_eq!(stage.calls(Operation::ChangeResourceRecordSets), 0);
}

#[test]
fn a_state_record_with_one_is_not_read_not_changed_and_said() {
    let stage = Stage::new(web());
    assert_eq!(run(&stage, &["once"]).code, 0);
    let right = stage.lines();
    attach(&stage, STATE, "TXT", true);
    let before = stage.lines();
    stage.rancher.change(|world| {
        world.service_mut("shop", "web").move_from("h1", "h2");
    });
    let service = stage.run_with(&[], &RESYNCS);
    expect_told(&service, STATE);
    let status = wait_until(&service, |status| status["record_sets_in_conflict"] == 2);
    let problems = status["problems"].to_string();
    assert!(
        problems.contains(STATE.trim_end_matches('.')) && problems.contains(ELEMENT),
        "{problems}"
    );
    assert_eq!(stage.lines(), before);

    attach(&stage, STATE, "TXT", false);
    assert_eq!(right, [state_line(&[WEB]), line(WEB, "203.0.113.1")]);
    stage.expect_zone(&[&right[0], &line(WEB, "203.0.113.2")]);
    wait_until(&service, |status| {
        status["problems"] == serde_json::json!([])
    });
}

/// A state record that can't be read is a fault; the zone can be listed all the same.
#[test]
fn for_check_a_state_record_with_one_is_a_fault() {
    let stage = Stage::new(web());
    let entry = format!("\"{WEB}\"");
    stage.put(RecordSet::simple(STATE, "TXT", 300, &[entry]));
    attach(&stage, STATE, "TXT", true);
    let Ran { code, stdout, .. } = run(&stage, &["check"]);
    assert!(
        stdout.contains("✗ state       external-dns-1a726b88"),
        "{stdout}"
    );
    assert!(
        stdout.contains(&format!("remove \"{ELEMENT}\" from it in Route 53")),
        "{stdout}"
    );
    assert_eq!(code, 1);
}

/// One of a state record goes with the next write: were it deleted in the account, every write would
/// be refused.
#[test]
fn a_health_check_is_kept_in_changes_and_goes_with_the_record_set() {
    let stage = Stage::new(web());
    let service = stage.run_with(&[], &RESYNCS);
    stage.expect_fqdn("shop", "web", WEB.trim_end_matches('.'));
    for (name, rtype) in [(WEB, "A"), (STATE, "TXT")] {
        edit(&stage, name, rtype, |set| {
            set.health_check_id = Some(CHECK.to_owned());
        });
    }
    stage.rancher.change(|world| {
        world.service_mut("shop", "web").move_from("h1", "h2");
        world.add_service("shop", "new").run_on("h3", 80);
    });
    let new = "new.shop.prod.example.com.";
    let check = format!(" [health check {CHECK}]");
    let state = state_line(&[new, WEB]);
    let web = line(WEB, "203.0.113.2") + &check;
    stage.expect_zone(&[&state, &line(new, "203.0.113.3"), &web]);
    wait_until(&service, |status| {
        status["problems"] == serde_json::json!([])
    });
    stage.rancher.change(|world| world.remove_stack("shop"));
    stage.expect_zone(&[]);
}

/// Without the check, since Route 53 takes no record set with one that isn't there.
#[test]
fn a_health_check_that_the_account_has_no_more_goes_with_the_next_change() {
    for form in [
        NoHealthCheck::Named,
        NoHealthCheck::Unnamed,
        NoHealthCheck::InBatch,
    ] {
        let stage = Stage::new(web());
        stage
            .route53
            .configure(|options| options.no_health_check = form);
        stage.route53.add_health_check(CHECK);
        let service = stage.run_with(&[], &RESYNCS);
        stage.expect_fqdn("shop", "web", WEB.trim_end_matches('.'));
        edit(&stage, WEB, "A", |set| {
            set.health_check_id = Some(CHECK.to_owned())
        });
        stage.route53.remove_health_check(CHECK);
        stage.rancher.change(|world| {
            world.service_mut("shop", "web").move_from("h1", "h2");
            world.add_service("shop", "new").run_on("h3", 80);
        });
        let new = "new.shop.prod.example.com.";
        stage.expect_zone(&[
            &state_line(&[new, WEB]),
            &line(new, "203.0.113.3"),
            &line(WEB, "203.0.113.2"),
        ]);
        let tells = |line: &str| line.contains("doesn't exist any more") && line.contains(CHECK);
        assert_eq!(service.log_lines(PATIENCE, 1, tells).len(), 1);
        wait_until(&service, |status| {
            status["record_sets_quarantined"] == 0 && status["services"][1]["state"] == "published"
        });
    }
}
