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

const HEAD: &str = "example.com (Z0EXAMPLE), environment Prod: looks for ";
const LEGACY: &str =
    "A record sets below prod.example.com with exactly the TTL 300 (ADOPT=legacy, TTL)\n\n";
const THEN: &str =
    "From then on this program changes them, and deletes those that no service wants.\n";
const WHEN: &str = "This command lists them as ours in the state records, and no more. The next \
                    round is that of the running service, within 300 s (RESYNC_INTERVAL), or of \
                    the command once.\n";
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
    let expected = format!(
        "{HEAD}record sets whose name and type a service wants, as with ADOPT=matching; \
         ADOPT=legacy looks for those that old versions left\n\n\
         * web.shop.prod.example.com. A 300 192.0.2.1\n    \
             is changed in the next round\n    \
             - 192.0.2.1\n    + 203.0.113.1\n    for shop/web\n\n\
         1 record set to take over. {THEN}\
         The next round changes 1 and deletes 0 of them.\n{WHEN}\
         1 record set taken over.\n"
    );
    assert_eq!(stdout, expected);
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
    let adopt = |flags: &[&str]| {
        let arguments = [&["adopt"], flags].concat();
        ran(&stage.run_with(&arguments, &legacy))
    };
    let before = stage.lines();
    let told = format!(
        "{HEAD}{LEGACY}\
* old.shop.prod.example.com. A 300 192.0.2.2
    is deleted in the next round, since no service asks for it
* web.shop.prod.example.com. A 300 192.0.2.1
    is changed in the next round
    - 192.0.2.1
    + 203.0.113.1
    for shop/web

2 record sets to take over. {THEN}\
The next round changes 1 and deletes 1 of them.
{WHEN}"
    );
    let too_few = "nothing was changed: 1 of these record sets would be deleted, since \
                   no service asks for them; pass --yes --deletes=1 if they may go";
    let unasked = "nothing was changed: pass --yes --deletes=1 to go on without being asked";
    for (flags, words) in [
        (&[][..], unasked),
        (&["--yes"], too_few),
        (&["--yes", "--deletes=0"], too_few),
    ] {
        let Ran {
            code,
            stdout,
            stderr,
        } = adopt(flags);
        assert_eq!((&*stdout, code), (&*told, 1), "{flags:?}");
        assert!(stderr.ends_with(words), "{flags:?}: {stderr}");
        assert_eq!(stage.lines(), before, "{flags:?}");
    }
    let Ran { code, stdout, .. } = adopt(&["--yes", "--deletes=1"]);
    assert_eq!(stdout, format!("{told}2 record sets taken over.\n"));
    assert_eq!(code, 0);
    let state = state_line(&["old.shop.prod.example.com.", "web.shop.prod.example.com."]);
    assert_eq!(stage.lines(), [state.as_str(), OLD, WEB]);
    assert!(state.starts_with(STATE));

    // What was said is what the next round does; nobody says that a service has ever asked for it.
    let plan = run(&stage, &["plan"]).stdout;
    let expected = "- old.shop.prod.example.com. A 300 192.0.2.2\n    no service asks for it\n";
    assert!(plan.contains(expected), "{plan}");
    assert_eq!(run(&stage, &["once"]).code, 0);
    let web = "web.shop.prod.example.com. 300 A 203.0.113.1";
    assert_eq!(
        stage.lines(),
        [state_line(&["web.shop.prod.example.com."]).as_str(), web]
    );
}

/// `POLICY` and the deletion guard may keep a record set, for good or for a while.
#[test]
fn what_keeps_a_record_set_that_is_taken_over_is_told() {
    let waits = "1 more is deleted once the deletion guard lets go: no service asks for 1 of 2 \
                 record sets; they are deleted once metadata has said so for 60 s without a break \
                 (DELETE_GUARD_HOLD).\n";
    let forbidden = "1 more is deleted once POLICY is sync.\n";
    let stays = "    stays while POLICY doesn't delete; POLICY=sync deletes it, since no service asks \
                 for it\n";
    for (settings, of_old, of_web, outlook) in [
        (
            &[("DELETE_GUARD_MIN", "1")][..],
            "    is deleted, since no service asks for it, once the deletion guard lets it go\n",
            "    is changed in the next round\n",
            format!("The next round changes 1 and deletes 0 of them.\n{waits}"),
        ),
        (
            &[("POLICY", "upsert-only")],
            stays,
            "    is changed in the next round\n",
            format!("The next round changes 1 and deletes 0 of them.\n{forbidden}"),
        ),
        (
            &[("POLICY", "create-only")],
            stays,
            "    stays as it is, since POLICY=create-only doesn't change it\n",
            format!("The next round changes 0 and deletes 0 of them.\n{forbidden}"),
        ),
    ] {
        let stage = stage();
        let settings = [&[("ADOPT", "legacy")], settings].concat();
        let Ran { stdout, .. } = ran(&stage.run_with(&["adopt"], &settings));
        for line in [
            &format!("* old.shop.prod.example.com. A 300 192.0.2.2\n{of_old}"),
            &format!("* web.shop.prod.example.com. A 300 192.0.2.1\n{of_web}"),
            &outlook,
        ] {
            assert!(stdout.contains(line), "{settings:?}: {line}: {stdout}");
        }
        // A delete that comes later has to be confirmed, too.
        let before = stage.lines();
        let Ran { code, stderr, .. } = ran(&stage.run_with(&["adopt", "--yes"], &settings));
        let words = "nothing was changed: 1 of these record sets would be deleted, 1 of them not at \
                     once, since no service asks for them; pass --yes --deletes=1 if they may go";
        assert!(stderr.ends_with(words), "{settings:?}: {stderr}");
        assert_eq!((code, stage.lines()), (1, before), "{settings:?}");
    }
}

/// In one step, with the setting: then `plan` says that it is no service's wish that has ended.
#[test]
fn a_plan_with_the_setting_says_which_deletes_it_takes_over() {
    let stage = stage();
    let plan = ran(&stage.run_with(&["plan"], &[("ADOPT", "legacy")])).stdout;
    let expected = "- old.shop.prod.example.com. A 300 192.0.2.2\n    no service asks for it, and \
                    ADOPT=legacy takes it over\n";
    assert!(plan.contains(expected), "{plan}");
}

const CONFLICTS: &str = "\
! alias.shop.prod.example.com. A
    an alias of that name and type exists that isn't ours; remove it, or give the service another name
    for shop/alias
! cname.shop.prod.example.com. A
    a CNAME has that name; remove it, or give the service another name
    for shop/cname
! other.shop.prod.example.com. A
    a record set of that name and type exists that isn't ours; ADOPT=legacy takes over A record sets with the TTL 300 only, ADOPT=matching takes over this one, too
    for shop/other
Left out, since their TTL isn't 300 (TTL): byhand.prod.example.com. A 60 192.0.2.8, other.shop.prod.example.com. A 60 192.0.2.1
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
        RecordSet::simple("byhand.prod.example.com.", "A", 60, &["192.0.2.8"]),
        RecordSet::simple("zone.example.com.", "A", 60, &["192.0.2.8"]),
        RecordSet::simple(&name("web"), "A", 300, &["192.0.2.1"]),
    ] {
        stage.put(set);
    }
    let before = stage.lines();
    let adopt = || ran(&stage.run_with(&["adopt", "--yes"], &[("ADOPT", "legacy")]));
    let Ran { code, stdout, .. } = adopt();
    let expected = format!(
        "{HEAD}{LEGACY}* web.shop.prod.example.com. A 300 192.0.2.1\n    is changed in the next round\n    \
             - 192.0.2.1\n    + 203.0.113.1\n    for shop/web\n{CONFLICTS}\n\
         1 record set to take over, 3 left alone. {THEN}\
         The next round changes 1 and deletes 0 of them.\n{WHEN}\
         1 record set taken over.\n"
    );
    assert_eq!(stdout, expected);
    assert_eq!(code, 0);
    let mut after = vec![state_line(&["web.shop.prod.example.com."])];
    after.extend(before);
    assert_eq!(stage.lines(), after);

    let changes = stage.calls(Operation::ChangeResourceRecordSets);
    let Ran { code, stdout, .. } = adopt();
    assert_eq!(
        stdout,
        format!("{HEAD}{LEGACY}{CONFLICTS}Nothing to take over.\n")
    );
    assert_eq!(code, 0);
    assert_eq!(stage.calls(Operation::ChangeResourceRecordSets), changes);
}
