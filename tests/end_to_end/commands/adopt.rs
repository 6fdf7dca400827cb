use super::{Ran, ran, run};
use crate::stage::{STATE, Stage, state_line, web};
use sim::route53::RecordSet;

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
