use super::{ran, without_ports};
use crate::stage::{PATIENCE, Stage, ZONE, each, prompt, web, world};
use sim::route53::{self, Credential, Fault, Operation};
use std::time::Duration;

#[test]
fn with_wait_it_ends_when_all_name_servers_know() {
    let options = route53::Options {
        insync_after: Duration::from_millis(1_500),
        ..route53::Options::default()
    };
    let stage = Stage::with(web(), prompt(), options);
    let service = stage.run_with(&["once", "--wait"], &[]);
    let known = service.wait_for_log(PATIENCE, |line| line.contains("all name servers"));
    assert!(known.is_some());
    assert_eq!(service.wait(PATIENCE).expect("an end").code(), Some(0));
    assert!(stage.calls(Operation::GetChange) >= 2);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");

    let again = super::run(&stage, &["once", "--wait"]);
    assert_eq!(again.code, 0, "nothing to wait for");
}

/// What is wrong, the arguments, whether the record set comes into the zone all the same, and what
/// is said in the end.
type Failure = (
    &'static str,
    fn(&Stage),
    &'static [&'static str],
    bool,
    &'static str,
);

const FAILURES: [Failure; 6] = [
    (
        "what goes away by itself",
        |stage| {
            let list = Some(Operation::ListResourceRecordSets);
            stage.route53.inject(list, Fault::Status(503), 99);
        },
        &["once"],
        false,
        "Route 53 answered ServiceUnavailable (503): The request has failed due to a temporary \
         failure of the server. – this is a fault of AWS: try again later",
    ),
    (
        "a Route 53 that isn't there",
        |stage| stage.route53.go_down(),
        &["once"],
        false,
        "no valid answer from Route 53: Connection refused – check the network, HTTPS_PROXY and \
         AWS_ENDPOINT_URL_ROUTE_53",
    ),
    (
        "a record set that Route 53 refuses",
        |stage| refuse(stage, "web"),
        &["once"],
        false,
        "Route 53 refuses web.shop.prod.example.com. A: RRSet with DNS name \
         web.shop.prod.example.com. is not permitted.",
    ),
    (
        "no permission to wait",
        |stage| {
            let keys = Credential::default().denying(Operation::GetChange);
            stage.route53.rotate_credentials(vec![keys]);
        },
        &["once", "--wait"],
        true,
        "the changes are made, but Route 53 doesn't say whether all its name servers know: Route 53 \
         answered AccessDenied (403): User: arn:aws:iam::123456789012:user/simulated is not \
         authorized to perform: route53:GetChange on resource: \
         arn:aws:route53:::change/C0000000000004 because no identity-based policy allows the \
         route53:GetChange action – the IAM policy has to allow it: the command policy --wait prints \
         one that does",
    ),
    (
        "a Rancher that refuses these keys",
        |stage| stage.rancher.set_forbidden(true),
        &["once"],
        true,
        "an fqdn could not be written back to Rancher: status 403 at http://127.0.0.1/v2-beta: the \
         keys may not do this; the container needs the labels \
         io.rancher.container.create_agent=true and io.rancher.container.agent.role=external-dns \
         (Forbidden)",
    ),
    (
        "a Rancher that isn't there",
        |stage| stage.rancher.stop_api(),
        &["once"],
        true,
        "an fqdn could not be written back to Rancher: Connection refused at \
         http://127.0.0.1/v2-beta: check CATTLE_URL, and whether Rancher's server runs",
    ),
];

fn refuse(stage: &Stage, service: &str) {
    let name = format!("{service}.shop.prod.example.com.");
    let words = format!("RRSet with DNS name {name} is not permitted.");
    stage
        .route53
        .edit(ZONE, |zone| zone.refuse(&name, "A", &words));
}

#[test]
fn a_failure_is_said_in_a_line_and_dns_does_not_depend_on_the_rest() {
    each(FAILURES, |(what, spoil, arguments, is_published, words)| {
        let stage = Stage::new(web());
        spoil(&stage);
        let settings = [("LOG_LEVEL", ""), ("ROUTE53_MAX_RETRIES", "0")];
        let ran = ran(&stage.run_with(arguments, &settings));
        let said = without_ports(&ran.stderr);
        assert_eq!(said, words, "{what}");
        assert_eq!(ran.code, 1, "{what}");
        let name = "web.shop.prod.example.com. 300 A 203.0.113.1".to_owned();
        assert_eq!(stage.lines().contains(&name), is_published, "{what}");
    });
}

#[test]
fn of_several_that_are_refused_the_first_is_named_and_the_others_counted() {
    let services = ["web", "api", "www"];
    let stage = Stage::new(world(|world| {
        for service in services {
            world.add_service("shop", service).run_on("h1", 80);
        }
    }));
    refuse(&stage, "web");
    refuse(&stage, "www");
    let ran = super::run(&stage, &["once"]);
    let words = "error=\"Route 53 refuses web.shop.prod.example.com. A (and 1 more): RRSet with DNS \
                 name web.shop.prod.example.com. is not permitted.\"";
    assert!(ran.stderr.ends_with(words), "{}", ran.stderr);
    assert_eq!(ran.code, 1);
    let name = "api.shop.prod.example.com. 300 A 203.0.113.1".to_owned();
    assert!(stage.lines().contains(&name));
}

/// A stage with 700 services, whose changes one batch doesn't hold.
fn of_several_batches() -> Stage {
    Stage::new(world(|world| {
        for i in 0..700 {
            world
                .add_service("shop", &format!("w{i:03}"))
                .run_on("h1", 80);
        }
    }))
}

#[test]
fn between_batches_it_says_how_far_it_has_come() {
    let stage = of_several_batches();
    let ran = ran(&stage.run_with(&["once"], &[("ROUTE53_CHANGE_RATE", "1000")]));
    let batches = stage.calls(Operation::ChangeResourceRecordSets);
    assert!(batches > 1, "one batch was enough");
    let said: Vec<&str> = ran
        .stderr
        .lines()
        .filter_map(|line| {
            line.split_once("msg=\"change batches applied\" ")
                .map(|(_, rest)| rest)
        })
        .collect();
    let expected: Vec<String> = (1..=batches)
        .map(|done| format!("done={done} of={batches}"))
        .collect();
    assert_eq!(said, expected);
    assert_eq!(ran.code, 0);
}

#[test]
fn in_the_end_it_says_what_it_did_and_no_line_of_the_log_is_in_between() {
    let stage = super::stage();
    stage.rancher.change(|world| {
        let web = world.service_mut("shop", "web");
        web.label("io.rancher.service.external_dns_ttl", "x");
        let api = world.add_service("shop", "api");
        api.run_on("h1", 80).run_unpublished_on("h2", 80);
    });
    let once = |level| ran(&stage.run_with(&["once"], &[("LOG_LEVEL", level)]));
    let odd = "To look at, with the command plan: record sets left alone: 1, services with containers \
               that don't count: 1, warnings: 1.\n";
    let first = "Record sets: 1 created, 0 changed, 1 deleted. Change batches: 1. Names written back \
                 to Rancher: 1.\n";
    let second = "Record sets: 0 created, 0 changed, 0 deleted. Change batches: 0. Names written back \
                  to Rancher: 0.\n";
    for said in [first, second] {
        let ran = once("");
        assert_eq!((ran.stdout, &*ran.stderr), (format!("{said}{odd}"), ""));
        assert_eq!(ran.code, 0);
        stage.expect_fqdn("shop", "api", "api.shop.prod.example.com");
    }
}

/// Of what a cron job did there is a trace, if one is asked for.
#[test]
fn a_log_level_that_is_set_is_heeded() {
    for (settings, is_logged) in [
        (("LOG_LEVEL", "info"), true),
        (("LOG_FORMAT", "logfmt"), true),
        (("LOG_LEVEL", "warn"), false),
        (("LOG_LEVEL", ""), false),
    ] {
        let stage = super::stage();
        let settings = [("LOG_LEVEL", ""), settings];
        let log = ran(&stage.run_with(&["once"], &settings)).stderr;
        let is_told = log.contains("msg=\"record set deleted\"");
        assert_eq!(is_told, is_logged, "{settings:?}: {log}");
    }
}

#[test]
fn what_was_changed_before_it_stopped_is_said() {
    let stage = of_several_batches();
    let change = Some(Operation::ChangeResourceRecordSets);
    let refused = Fault::Error {
        status: 403,
        code: "InvalidClientTokenId".to_owned(),
        message: "The security token included in the request is invalid.".to_owned(),
    };
    stage
        .route53
        .inject(change, Fault::Delay(Duration::ZERO), 1);
    stage.route53.inject(change, refused, 99);
    let settings = [("LOG_LEVEL", ""), ("ROUTE53_CHANGE_RATE", "1000")];
    let ran = ran(&stage.run_with(&["once"], &settings));
    let created = stage
        .lines()
        .iter()
        .filter(|line| line.contains(" A "))
        .count();
    let said = format!("Record sets before it stopped: {created} created, 0 changed, 0 deleted.\n");
    assert!(created > 0 && created < 700, "{created}");
    assert_eq!((ran.code, ran.stdout), (1, said));
    assert!(
        ran.stderr.contains("InvalidClientTokenId"),
        "{}",
        ran.stderr
    );
}

/// A file for the log was asked for.
#[test]
fn a_log_in_a_file_disturbs_nobody() {
    let stage = super::stage();
    let file = tempfile::NamedTempFile::new().unwrap();
    let to_file = format!("-log={}", file.path().display());
    let ran = ran(&stage.run_with(&["once", &to_file], &[("LOG_LEVEL", "info")]));
    assert!(ran.stdout.starts_with("Record sets: "), "{}", ran.stdout);
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    let log = std::fs::read_to_string(file.path()).unwrap();
    assert!(log.contains("msg=\"the round is done\""), "{log}");
}
