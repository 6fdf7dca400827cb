//! What is different when a person sits there.

use crate::stage::{PATIENCE, Stage, each, program, state_line, web, world};
use sim::route53::{Operation, RecordSet};
use sim::terminal::Terminal;

fn on_terminal(stage: &Stage, arguments: &[&str], more: &[(&'static str, &str)]) -> Terminal {
    let mut environment = stage.environment();
    environment.retain(|(name, _)| *name != "LOG_LEVEL");
    environment.extend(
        more.iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    Terminal::spawn(program(), arguments, &environment)
}

#[test]
fn nothing_is_removed_without_a_yes() {
    let stage = Stage::new(web());
    let before = stage.lines();
    assert_eq!(super::run(&stage, &["once"]).code, 0);
    let owned = stage.lines();
    for (answer, code, after) in [("no", 1, &owned), ("", 1, &owned), ("yes", 0, &before)] {
        let mut terminal = on_terminal(&stage, &["purge"], &[]);
        assert!(
            terminal.wait_for("All of this is deleted. Type yes to go on: ", PATIENCE),
            "{}",
            terminal.shown()
        );
        assert!(
            terminal
                .shown()
                .contains("- web.shop.prod.example.com. A 300 203.0.113.1")
        );
        assert_eq!(stage.lines(), owned);
        terminal.type_line(answer);
        let status = terminal.wait(PATIENCE).expect("an end");
        assert_eq!(status.code(), Some(code), "{}", terminal.shown());
        assert_eq!(stage.lines(), *after);
        if code == 0 {
            assert!(terminal.wait_for("1 of 1 change batches\r\n", PATIENCE));
            assert!(terminal.wait_for("1 record set deleted", PATIENCE));
            assert!(
                !terminal.shown().contains("level=info"),
                "{}",
                terminal.shown()
            );
        }
    }
}

#[test]
fn a_plan_has_colours_unless_they_are_not_wanted() {
    let stage = Stage::new(web());
    for (settings, has_colours) in [
        (&[][..], true),
        (&[("NO_COLOR", "1")], false),
        (&[("NO_COLOR", "")], true),
        (&[("TERM", "dumb")], false),
    ] {
        let mut terminal = on_terminal(&stage, &["plan"], settings);
        assert!(terminal.wait_for("one change batch.", PATIENCE));
        assert_eq!(terminal.wait(PATIENCE).expect("an end").code(), Some(0));
        let shown = terminal.shown();
        assert_eq!(
            shown.contains("\u{1b}["),
            has_colours,
            "{settings:?}: {shown}"
        );
    }
    let piped = super::run(&stage, &["plan"]);
    assert!(!piped.stdout.contains('\u{1b}'));
}

#[test]
fn nothing_is_taken_over_without_a_yes() {
    const WEB: &str = "web.shop.prod.example.com. 300 A 192.0.2.1";
    let stage = Stage::new(web());
    let name = "web.shop.prod.example.com.";
    stage.put(RecordSet::simple(name, "A", 300, &["192.0.2.1"]));
    let state = state_line(&[name]);
    let before = vec![WEB.to_owned()];
    let after = vec![state, WEB.to_owned()];
    for (answer, code, said, zone) in [
        ("no", 1, "\r\nnothing was changed\r\n", &before),
        ("", 1, "\r\nnothing was changed\r\n", &before),
        ("Yes", 0, "\r\n1 record set taken over.\r\n", &after),
    ] {
        let mut terminal = on_terminal(&stage, &["adopt"], &[]);
        let asked = "or of the command once.\r\nTake over this one? Type yes to go on: ";
        assert!(
            terminal.wait_for(asked, PATIENCE),
            "{answer:?}: {}",
            terminal.shown()
        );
        assert_eq!(stage.lines(), before);
        terminal.type_line(answer);
        assert!(
            terminal.wait_for(said, PATIENCE),
            "{answer:?}: {}",
            terminal.shown()
        );
        let status = terminal.wait(PATIENCE).expect("an end");
        assert_eq!(status.code(), Some(code), "{answer:?}");
        assert_eq!(stage.lines(), *zone, "{answer:?}");
    }
}

#[test]
fn the_question_says_how_many_deletes_follow() {
    let stage = Stage::new(web());
    let old = "old.shop.prod.example.com.";
    stage.put(RecordSet::simple(old, "A", 300, &["192.0.2.1"]));
    let mut terminal = on_terminal(&stage, &["adopt"], &[("ADOPT", "legacy")]);
    let asked = "Take over this one, which the next round deletes? Type yes to go on: ";
    assert!(terminal.wait_for(asked, PATIENCE), "{}", terminal.shown());
    terminal.type_line("yes");
    assert!(terminal.wait_for("1 record set taken over.\r\n", PATIENCE));
    assert_eq!(terminal.wait(PATIENCE).expect("an end").code(), Some(0));
}

/// Told to stop is exit 0 for every command; nothing has been done.
#[test]
fn ctrl_c_at_the_question_changes_nothing() {
    each(["purge", "adopt"], |command| {
        let stage = Stage::new(world(|world| {
            world.add_service("shop", "web").run_on("h1", 80);
            world.add_service("shop", "taken").run_on("h1", 80);
        }));
        let taken = "taken.shop.prod.example.com.";
        stage.put(RecordSet::simple(taken, "A", 300, &["192.0.2.1"]));
        assert_eq!(super::run(&stage, &["once"]).code, 0);
        let before = stage.lines();
        let mut terminal = on_terminal(&stage, &[command], &[]);
        assert!(
            terminal.wait_for("Type yes to go on: ", PATIENCE),
            "{command}: {}",
            terminal.shown()
        );
        terminal.interrupt();
        let status = terminal.wait(PATIENCE).expect("an end");
        assert_eq!(status.code(), Some(0), "{command}");
        assert_eq!(stage.lines(), before, "{command}");
    });
}

/// 1,001 entries: more than a batch holds.
#[test]
fn progress_is_shown_in_one_line() {
    const SERVICES: usize = 1_001;
    let stage = Stage::new(world(|world| {
        for i in 0..SERVICES {
            world
                .add_service("shop", &format!("w{i:04}"))
                .run_on("h1", 80);
        }
    }));
    for i in 0..SERVICES {
        let name = format!("w{i:04}.shop.prod.example.com.");
        stage.put(RecordSet::simple(&name, "A", 300, &["203.0.113.1"]));
    }
    for command in ["adopt", "purge"] {
        stage.route53.clear_requests();
        let fast = [("ROUTE53_CHANGE_RATE", "1000")];
        let mut terminal = on_terminal(&stage, &[command, "--yes"], &fast);
        let end = match command {
            "adopt" => "1001 record sets taken over.\r\n",
            _ => "1001 record sets deleted, and the state records.\r\n",
        };
        assert!(terminal.wait_for(end, PATIENCE), "{command}");
        assert_eq!(terminal.wait(PATIENCE).expect("an end").code(), Some(0));
        let batches = stage.calls(Operation::ChangeResourceRecordSets);
        assert!(batches > 1, "one batch was enough");
        let line: String = (0..=batches)
            .map(|done| format!("\r{done} of {batches} change batches"))
            .collect();
        let shown = terminal.shown();
        let at = shown.len().saturating_sub(400);
        assert!(
            shown.contains(&format!("{line}\r\n")),
            "{command}: {}",
            &shown[at..]
        );
    }
    assert_eq!(stage.lines(), [""; 0]);
}
