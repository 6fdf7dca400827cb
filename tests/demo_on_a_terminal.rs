//! The demo as a newcomer sees it: on a terminal it stays up after its story, until Ctrl-C.

use sim::terminal::Terminal;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
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

/// What the command prints that the demo tells people to paste into a shell.
fn plan_as_printed(shown: &str) -> String {
    let (_, rest) = shown.split_once("env -i").expect("a command");
    let (command, _) = rest.split_once(" plan").expect("its end");
    let command = format!("env -i{command} plan").replace('\r', "");
    let ran = Command::new("sh").args(["-c", &command]).output().unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{command}: {stderr}");
    String::from_utf8(ran.stdout).unwrap()
}

/// What a browser gets at the address that the demo prints.
fn status_page_as_printed(shown: &str) -> String {
    let addresses = shown.split("http://").skip(1);
    let mut addresses = addresses.filter_map(|rest| rest.split_whitespace().next());
    let page = addresses.find_map(|address| address.strip_suffix("/status"));
    let page = page.expect("the status page's address");
    let mut stream = TcpStream::connect(page).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "GET /status HTTP/1.1\r\nHost: {page}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn stays_up_until_ctrl_c_and_says_how_to_look_at_it() {
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
    let plan = plan_as_printed(&shown);
    for words in [
        "docs.shop.prod.example.com",
        "\n0 to create, 0 to change, 0 to delete",
    ] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
    let page = status_page_as_printed(&shown);
    assert!(
        page.starts_with("HTTP/1.1 200 ") && page.contains("docs"),
        "{page}"
    );
    // It waits: nothing ends by itself.
    assert!(terminal.wait(Duration::from_millis(500)).is_none());
    terminal.interrupt();
    let status = terminal.wait(PATIENCE).expect("an end");
    assert_eq!(status.code(), Some(0), "{}", terminal.shown());
    let end = "The service was told to stop, and ended with 0";
    assert!(terminal.wait_for(end, PATIENCE), "{}", terminal.shown());
}
