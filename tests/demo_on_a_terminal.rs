//! The demo as a newcomer sees it: on a terminal it stays up after its story, until Ctrl-C.

use sim::terminal::Terminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than anything takes, on a machine that is ten times as slow, too; a test that runs into it has
/// failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// Examples lie beside the program; Cargo names only the program.
fn demo() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_rancher-route53"));
    let demo = program.with_file_name("examples").join("demo");
    assert!(
        demo.exists(),
        "{} is missing: `cargo test` builds it, and so does `cargo build --example demo`",
        demo.display()
    );
    demo
}

#[test]
fn stays_up_until_ctrl_c_and_says_how_to_look_at_the_zone() {
    let mut terminal = Terminal::spawn(&demo(), &[], &[("TERM", "dumb".to_owned())]);
    let hint = "route53 list-resource-record-sets --hosted-zone-id";
    assert!(terminal.wait_for(hint, PATIENCE), "{}", terminal.shown());
    assert!(terminal.wait_for("curl -i http://", PATIENCE));
    let shown = terminal.shown();
    for words in [
        "all of it stays up until Ctrl-C",
        "AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
        "--endpoint-url http://127.0.0.1:",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    // It waits: nothing ends by itself.
    assert!(terminal.wait(Duration::from_millis(500)).is_none());
    terminal.interrupt();
    let status = terminal.wait(PATIENCE).expect("an end");
    assert_eq!(status.code(), Some(0), "{}", terminal.shown());
    let end = "The service was told to stop, and ended with 0";
    assert!(terminal.wait_for(end, PATIENCE), "{}", terminal.shown());
}
