//! What is different when a person sits there.

use crate::stage::{PATIENCE, Stage, program, web};
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
