//! Whatever a command depends on may be missing: it says so in a line, exits with 1, and has
//! changed nothing.

use super::{ran, stage};
use crate::stage::{Stage, ZONE, each};
use sim::rancher;
use sim::route53::{Fault, Operation};

type Spoil = fn(&Stage);

fn refuse(stage: &Stage, operation: Option<Operation>, code: &str, message: &str) {
    let fault = Fault::Error {
        status: 403,
        code: code.into(),
        message: message.into(),
    };
    stage.route53.inject(operation, fault, 99);
}

const CASES: [(&str, Spoil, &str); 5] = [
    (
        "metadata",
        |stage| {
            let unloaded = rancher::Fault::Status(404);
            stage.rancher.inject_metadata(None, unloaded, usize::MAX);
        },
        "metadata at http://127.0.0.1/2015-12-19 is unavailable: /version: 404, the server has not \
         loaded its data or does not know this container yet",
    ),
    (
        "credentials",
        |stage| refuse(stage, None, "InvalidClientTokenId", "The token is invalid."),
        "Route 53 answered InvalidClientTokenId (403): The token is invalid. – check \
         AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if they are \
         temporary), or where the credentials come from",
    ),
    (
        "zone",
        |stage| {
            stage
                .route53
                .edit(ZONE, |zone| zone.name = "example.org.".into())
        },
        "there is no hosted zone example.com in this account: check ROOT_DOMAIN and whose \
         credentials these are",
    ),
    (
        "permission to list",
        |stage| {
            let list = Operation::ListResourceRecordSets;
            refuse(stage, Some(list), "AccessDenied", "User x may not.");
        },
        DENIED,
    ),
    (
        "permission to change",
        |stage| {
            let change = Operation::ChangeResourceRecordSets;
            refuse(stage, Some(change), "AccessDenied", "User x may not.");
        },
        DENIED,
    ),
];

const DENIED: &str = "Route 53 answered AccessDenied (403): User x may not. – the IAM policy has to \
                      allow it: the command policy prints one that does";

#[test]
fn whatever_is_missing_is_said_in_a_line() {
    let commands = [
        &["plan"][..],
        &["once"],
        &["purge", "--yes"],
        &["adopt", "--yes"],
    ];
    let cases = commands.into_iter().flat_map(|command| {
        // A plan asks for no change.
        let is_plan = command == ["plan"];
        let cases = CASES.into_iter();
        cases
            .filter(move |(what, ..)| !(is_plan && *what == "permission to change"))
            .map(move |case| (command, case))
    });
    each(cases, |(command, (what, spoil, words))| {
        let stage = stage();
        spoil(&stage);
        let before = stage.lines();
        let ran = ran(&stage.run_with(command, &[("LOG_LEVEL", "error")]));
        let said = super::without_ports(ran.stderr.lines().last().unwrap_or_default());
        assert_eq!(ran.code, 1, "{command:?} without {what}: {}", ran.stderr);
        assert!(said.contains(words), "{command:?} without {what}: {said}");
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert_eq!(stage.lines(), before, "{command:?} without {what}");
    });
}
