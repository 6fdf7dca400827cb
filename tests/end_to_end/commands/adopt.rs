use super::{Ran, ran, run};
use crate::stage::{STATE, Stage, ZONE, state_line, web, world};
use sim::route53::{Operation, RecordSet};

fn stage() -> Stage {
    let stage = Stage::new(web());
    for (name, value) in [
        ("web.shop.prod.example.com.", "192.0.2.1"),
        ("old.shop.prod.example.com.", "192.0.2.2"),
    ] {
        stage.put(RecordSet::simple(name, "A", 300, &[value]));
    }
    stage
}

const WEB: &str = "web.shop.prod.example.com. 300 A 192.0.2.1";
const OLD: &str = "old.shop.prod.example.com. 300 A 192.0.2.2";

#[test]
fn what_is_desired_becomes_ours_and_stays_as_it_is() {
    let stage = stage();
    let before = stage.lines();
    let Ran { code, stderr, .. } = run(&stage, &["adopt"]);
    assert_eq!(code, 1);
    assert!(
        stderr.ends_with("pass --yes to go on without being asked"),
        "{stderr}"
    );
    assert_eq!(stage.lines(), before);

    let Ran { code, stdout, .. } = run(&stage, &["adopt", "--yes"]);
    assert_eq!(
        stdout,
        "* web.shop.prod.example.com. A 300 192.0.2.1\n\n\
         1 record set to take over, from then on changed or deleted as services ask.\n\
         1 record set taken over.\n"
    );
    assert_eq!(code, 0);
    let state = state_line(&["web.shop.prod.example.com."]);
    assert_eq!(stage.lines(), [state.as_str(), OLD, WEB]);
    assert!(
        run(&stage, &["adopt", "--yes"])
            .stdout
            .ends_with("Nothing to take over.\n")
    );

    // From now on it is kept as services ask, without any setting.
    let _service = stage.run();
    stage.expect_zone(&[&state, OLD, "web.shop.prod.example.com. 300 A 203.0.113.1"]);
}

#[test]
fn what_old_versions_left_is_taken_over_too_if_asked_for() {
    let stage = stage();
    let legacy = [("ADOPT", "legacy")];
    let Ran { code, stdout, .. } = ran(&stage.run_with(&["adopt", "--yes"], &legacy));
    assert!(stdout.ends_with("2 record sets taken over.\n"), "{stdout}");
    assert_eq!(code, 0);
    let state = state_line(&["old.shop.prod.example.com.", "web.shop.prod.example.com."]);
    assert_eq!(stage.lines(), [state.as_str(), OLD, WEB]);
    assert!(state.starts_with(STATE));
}

const CONFLICTS: &str = "\
! alias.shop.prod.example.com. A
    an alias or a record set with a routing policy has that name and type; remove it, or give the service another name
! cname.shop.prod.example.com. A
    a CNAME has that name; remove it, or give the service another name
! other.shop.prod.example.com. A
    a record set of that name and type exists that isn't ours; remove it, or take it over with ADOPT=matching
";

/// By `legacy` one with another TTL can't be, and by nothing what is no simple record set.
#[test]
fn what_can_t_be_taken_over_is_told_of_and_left_alone() {
    let stage = Stage::new(world(|world| {
        for service in ["alias", "cname", "other", "web"] {
            world.add_service("shop", service).run_on("h1", 80);
        }
    }));
    let name = |service: &str| format!("{service}.shop.prod.example.com.");
    for set in [
        RecordSet::alias(&name("alias"), "A", ZONE, &name("web")),
        RecordSet::simple(&name("cname"), "CNAME", 300, &["example.org."]),
        RecordSet::simple(&name("other"), "A", 60, &["192.0.2.1"]),
        RecordSet::simple(&name("web"), "A", 300, &["192.0.2.1"]),
    ] {
        stage.put(set);
    }
    let before = stage.lines();
    let adopt = || ran(&stage.run_with(&["adopt", "--yes"], &[("ADOPT", "legacy")]));
    let Ran { code, stdout, .. } = adopt();
    let expected = format!(
        "* web.shop.prod.example.com. A 300 192.0.2.1\n{CONFLICTS}\n\
         1 record set to take over, from then on changed or deleted as services ask.\n\
         1 record set taken over.\n"
    );
    assert_eq!(stdout, expected);
    assert_eq!(code, 0);
    let mut after = vec![state_line(&["web.shop.prod.example.com."])];
    after.extend(before);
    assert_eq!(stage.lines(), after);

    let changes = stage.calls(Operation::ChangeResourceRecordSets);
    let Ran { code, stdout, .. } = adopt();
    assert_eq!(stdout, format!("{CONFLICTS}Nothing to take over.\n"));
    assert_eq!(code, 0);
    assert_eq!(stage.calls(Operation::ChangeResourceRecordSets), changes);
}
