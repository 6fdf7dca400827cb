use super::{Ran, run};
use crate::stage::{PATIENCE, STATE, Stage, ZONE, world};
use sim::route53::{Fault, Operation, RecordSet};

const CHANGE: Operation = Operation::ChangeResourceRecordSets;

fn foreign(stage: &Stage) {
    for (name, rtype, value) in [
        ("prod.example.com.", "A", "192.0.2.1"),
        ("other.shop.prod.example.com.", "A", "192.0.2.2"),
        ("web.shop.prod.example.com.", "TXT", "\"someone's\""),
        (
            "external-dns-other.example.com.",
            "TXT",
            "\"web.shop.prod.example.com.\"",
        ),
    ] {
        stage.put(RecordSet::simple(name, rtype, 60, &[value]));
    }
}

fn run_until_settled(stage: &Stage) {
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    drop(service);
}

#[test]
fn a_purged_zone_is_as_it_was_before_the_first_run() {
    let stage = Stage::new(world(|world| {
        let web = world.add_service("shop", "web");
        web.run_on("h1", 80);
        web.run_on("h2", 80);
        world.add_service("shop", "db").run_on("h3", 80);
    }));
    foreign(&stage);
    let before = stage.route53.record_sets(ZONE);
    run_until_settled(&stage);
    assert_ne!(stage.route53.record_sets(ZONE), before);

    let ran = run(&stage, &["purge"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.stderr
            .ends_with("nothing was changed: pass --yes to go on without being asked"),
        "{}",
        ran.stderr
    );
    let Ran { code, stdout, .. } = run(&stage, &["purge", "--yes"]);
    assert_eq!(
        stdout,
        format!(
            "- db.shop.prod.example.com. A 300 203.0.113.3\n\
             - web.shop.prod.example.com. A 300 203.0.113.1, 203.0.113.2\n\
             - {STATE} TXT 300 \"db.shop.prod.example.com.\", \"web.shop.prod.example.com.\"\n\n\
             2 record sets of environment Prod in example.com, and the state records.\n\
             A service that still runs creates them again at its next resync: stop it right after this.\n\
             2 record sets deleted, and the state records.\n"
        )
    );
    assert_eq!(code, 0);
    assert_eq!(stage.route53.record_sets(ZONE), before);

    let Ran { code, stdout, .. } = run(&stage, &["purge", "--yes"]);
    assert!(stdout.ends_with("Nothing to remove.\n"), "{stdout}");
    assert_eq!(code, 0);
}

/// 700 record sets: they go in several batches.
#[test]
fn an_interrupted_purge_is_finished_by_the_next() {
    let stage = Stage::new(world(|world| {
        for i in 0..8 {
            world.add_host(&format!("x{i}"), &format!("198.51.100.{i}"));
        }
        for i in 0..700 {
            let service = world.add_service("shop", &format!("web{i:03}"));
            for host in 0..3 {
                service.run_on(&format!("x{host}"), 80);
            }
        }
    }));
    foreign(&stage);
    let before = stage.route53.record_sets(ZONE);
    let fast = [("ROUTE53_CHANGE_RATE", "1000")];
    assert_eq!(super::ran(&stage.run_with(&["once"], &fast)).code, 0);
    let mut rounds = 0;
    loop {
        // The next batch is the last: its answer never comes.
        let all = stage.calls(CHANGE);
        stage
            .route53
            .inject(Some(CHANGE), Fault::Delay(PATIENCE), 1);
        let purge = stage.run_with(&["purge", "--yes"], &fast);
        let gone_on = stage.route53.wait_until(PATIENCE, |state| {
            let zone = state.zone(ZONE).expect("the zone");
            let left = zone
                .record_sets()
                .filter(|set| set.ttl == Some(300))
                .count();
            let calls = state
                .requests()
                .iter()
                .filter(|r| r.operation == Some(CHANGE));
            left == 0 || calls.count() > all
        });
        assert!(gone_on);
        purge.kill();
        stage.route53.clear_faults();
        rounds += 1;
        if stage.route53.record_sets(ZONE) == before {
            break;
        }
        assert!(rounds < 20, "it doesn't come to an end");
    }
    assert!(rounds > 1, "one batch was enough");
    let Ran { code, stdout, .. } = run(&stage, &["purge", "--yes"]);
    assert!(stdout.ends_with("Nothing to remove.\n"), "{stdout}");
    assert_eq!(code, 0);
}

#[test]
fn values_of_others_in_a_state_record_are_left_and_told_of() {
    let stage = Stage::new(world(|_| {}));
    stage.put(RecordSet::simple(
        STATE,
        "TXT",
        300,
        &["\"not a name\"", "\"a.example.com.\""],
    ));
    stage.put(RecordSet::simple(
        "a.example.com.",
        "A",
        300,
        &["192.0.2.1"],
    ));
    let Ran { code, stderr, .. } = run(&stage, &["purge", "--yes"]);
    assert_eq!(code, 1);
    let words = format!("{STATE} holds values that aren't ours: look at it and delete it");
    assert!(stderr.ends_with(&words), "{stderr}");
    assert_eq!(stage.lines(), [format!("{STATE} 300 TXT \"not a name\"")]);
}

/// As the README's uninstalling goes: in the container that runs.
#[test]
fn beside_a_running_service_it_leaves_nothing_until_the_next_resync() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
    }));
    foreign(&stage);
    let before = stage.route53.record_sets(ZONE);
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    assert_eq!(run(&stage, &["purge", "--yes"]).code, 0);
    stage.settle();
    service.terminate();
    assert_eq!(service.wait(PATIENCE).expect("an end").code(), Some(0));
    assert_eq!(stage.route53.record_sets(ZONE), before);
}
