//! The commands for operators: what they print, to the letter, and what they leave alone.

mod adopt;
mod agreement;
pub mod check;
mod check_advice;
mod check_sts;
mod failures;
mod interrupted;
mod once;
mod plan;
mod plan_service;
mod policy;
mod purge;
mod stdout;
mod terminal;

use crate::stage::{PATIENCE, STATE, Stage, web};
use sim::route53::{Operation, RecordSet};
use sim::service::Service;

/// What a command came to.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    /// The log's lines are in it too.
    pub stderr: String,
}

pub fn ran(service: &Service) -> Ran {
    let status = service.wait(PATIENCE).expect("an end");
    Ran {
        code: status.code().expect("an exit code"),
        stdout: service.stdout(),
        stderr: service.log().join("\n"),
    }
}

/// Runs a command on a stage.
pub fn run(stage: &Stage, arguments: &[&str]) -> Ran {
    ran(&stage.run_with(arguments, &[]))
}

/// Runs a command that prints this, succeeds, and changes nothing.
pub fn expect_printed(stage: &Stage, arguments: &[&str], expected: &str) {
    let before = stage.lines();
    let Ran {
        code,
        stdout,
        stderr,
    } = run(stage, arguments);
    assert_eq!(stdout, expected);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stage.calls(Operation::ChangeResourceRecordSets), 0);
    assert_eq!(stage.rancher.events().len(), 0);
    assert_eq!(stage.lines(), before);
}

/// A stage with something to create, to delete, and to take over.
pub fn stage() -> Stage {
    let stage = Stage::new(web());
    let set = |name: &str| RecordSet::simple(name, "A", 300, &["192.0.2.1"]);
    stage.put(set("web.shop.prod.example.com."));
    stage.put(set("old.shop.prod.example.com."));
    let entry = "\"old.shop.prod.example.com.\"";
    stage.put(RecordSet::simple(STATE, "TXT", 300, &[entry]));
    stage
}

/// Without the ports that differ from run to run.
pub fn without_ports(text: &str) -> String {
    let mut text = text.to_owned();
    for host in ["127.0.0.1", "localhost"] {
        let start = format!("{host}:");
        let mut parts = text.split(&start);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            out += host;
            out += part.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        text = out;
    }
    text
}
