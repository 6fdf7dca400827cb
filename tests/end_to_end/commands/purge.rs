use super::{Ran, run};
use crate::stage::{PATIENCE, SECOND, STATE, Stage, ZONE, web, world};
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
            "\"other.shop.prod.example.com.\"",
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
fn a_state_record_with_one_name_says_so() {
    let stage = Stage::new(web());
    run_until_settled(&stage);
    let Ran { stdout, .. } = run(&stage, &["purge", "--yes"]);
    let line = format!("- {STATE} TXT: a state record with 1 name\n");
    assert!(stdout.contains(&line), "{stdout}");
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
             - {STATE} TXT: a state record with 2 names\n\
             - {SECOND} TXT: a state record with 0 names\n\n\
             2 record sets of environment Prod in example.com, and the state records.\n\
             A service that still runs creates them again at its next resync: stop it right after this.\n\
             2 record sets deleted, and the state records.\n"
        )
    );
    assert_eq!(code, 0);
    assert_eq!(stage.route53.record_sets(ZONE), before);

    let Ran { code, stdout, .. } = run(&stage, &["purge", "--yes"]);
    assert_eq!(stdout, "Nothing to remove.\n");
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
    let left = [format!("{STATE} 300 TXT \"not a name\"")];
    assert_eq!(stage.lines(), left);

    // It is told of again as long as it is there, and not shown as something that goes.
    let Ran {
        code,
        stdout,
        stderr,
    } = run(&stage, &["purge", "--yes"]);
    assert_eq!((code, &*stdout), (1, "Nothing to remove.\n"));
    assert!(stderr.ends_with(&words), "{stderr}");
    assert_eq!(stage.lines(), left);
}

/// Its entry stays with it.
#[test]
fn what_route_53_does_not_delete_is_told_of_and_still_ours() {
    let stage = Stage::new(web());
    assert_eq!(run(&stage, &["once"]).code, 0);
    let before = stage.lines();
    let name = "web.shop.prod.example.com.";
    let fault = Fault::Error {
        status: 400,
        code: "InvalidChangeBatch".to_owned(),
        message: format!("RRSet of type A with DNS name {name} is locked."),
    };
    stage.route53.inject(Some(CHANGE), fault, 1);
    let Ran { code, stderr, .. } = run(&stage, &["purge", "--yes"]);
    assert_eq!(code, 1);
    let words = format!("{name} A could not be deleted: RRSet of type A with DNS name {name}");
    let last = stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with(&words), "{stderr}");
    assert_eq!(stage.lines(), before);
    let Ran { code, stdout, .. } = run(&stage, &["purge", "--yes"]);
    assert!(
        stdout.ends_with("1 record set deleted, and the state records.\n"),
        "{stdout}"
    );
    assert_eq!(code, 0);
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
