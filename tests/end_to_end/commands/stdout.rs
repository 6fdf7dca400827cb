//! Stdout that can't be written: a full disk, or a reader that has gone.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{ran, stage};
use crate::stage::{PATIENCE, Stage, each, world};
use sim::pipe;
use sim::route53::{Fault, Operation};

const ERROR: [(&str, &str); 1] = [("LOG_LEVEL", "error")];
const COMMANDS: [&[&str]; 10] = [
    &["--help"],
    &["--version"],
    &["plan"],
    &["plan", "--json"],
    &["plan", "--detailed-exitcode"],
    &["check"],
    &["policy"],
    &["adopt", "--yes"],
    &["purge", "--yes"],
    &["adopt"],
];

fn acts(command: &[&str]) -> bool {
    matches!(command[0], "adopt" | "purge")
}

#[test]
fn a_full_disk_is_an_error_and_nothing_is_done() {
    each(COMMANDS, |command| {
        let stage = stage();
        let before = stage.lines();
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ran = ran(&stage.run_into(command, &ERROR, full, Stdio::piped()));
        assert_eq!(ran.code, 1, "{command:?}: {}", ran.stderr);
        let words = "stdout can't be written: No space left on device";
        let said = match acts(command) {
            true => format!("nothing was changed: {words}"),
            false => words.to_owned(),
        };
        assert_eq!(ran.stderr, said, "{command:?}");
        assert_eq!(stage.lines(), before, "{command:?}");
    });
}

/// As of `plan | head -1`: that is nothing to complain about. Only who was to change something has
/// to say that he didn't.
#[test]
fn a_reader_that_has_gone_is_no_news() {
    each(COMMANDS, |command| {
        let stage = stage();
        let before = stage.lines();
        let ran = ran(&stage.run_into(command, &ERROR, pipe::unread(), Stdio::piped()));
        assert_eq!(ran.code, 1, "{command:?}: {}", ran.stderr);
        let said = match acts(command) {
            true => "nothing was changed: stdout can't be written: Broken pipe",
            false => "",
        };
        assert_eq!(ran.stderr, said, "{command:?}");
        assert_eq!(stage.lines(), before, "{command:?}");
    });
}

/// The last line of a command says that it is done: where it can't, the error says so.
#[test]
fn what_was_done_although_the_reader_has_gone_is_said() {
    let cases = [
        (
            "adopt",
            "of the command once.",
            "1 record set taken over, but ",
        ),
        (
            "purge",
            "right after this.",
            "1 record set deleted, and the state records, but ",
        ),
    ];
    each(cases, |(command, last, said)| {
        let stage = stage();
        let before = stage.lines();
        let change = Operation::ChangeResourceRecordSets;
        stage
            .route53
            .inject(Some(change), Fault::Delay(Duration::from_secs(2)), 1);
        let (reader, stdout) = std::io::pipe().unwrap();
        let service = stage.run_into(&[command, "--yes"], &ERROR, stdout, Stdio::piped());
        let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
        assert!(lines.any(|line| line.ends_with(last)), "{command}");
        drop(lines);
        let ran = ran(&service);
        assert_eq!(ran.code, 1, "{command}: {}", ran.stderr);
        let words = "stdout can't be written: Broken pipe";
        assert_eq!(ran.stderr, format!("{said}{words}"));
        assert_ne!(stage.lines(), before, "{command}");
    });
}

/// A reader that reads no more, as a pager does that waits for its user.
#[test]
fn a_plan_that_is_half_read_can_be_stopped() {
    // More than the 64 KiB that a pipe holds.
    let stage = Stage::new(world(|world| {
        for i in 0..600 {
            let long = format!("{}{i}", "s".repeat(50));
            let stack = "t".repeat(50);
            world.add_service(&stack, &long).run_on("h1", 80);
        }
    }));
    let (reader, stdout) = std::io::pipe().unwrap();
    let service = stage.run_into(&["plan"], &ERROR, stdout, Stdio::piped());
    let mut lines = BufReader::new(reader).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("example.com"));
    let start = Instant::now();
    service.terminate();
    let status = service.wait(PATIENCE).and_then(|status| status.code());
    assert_eq!(status, Some(0));
    assert!(start.elapsed() < Duration::from_secs(1));
}
