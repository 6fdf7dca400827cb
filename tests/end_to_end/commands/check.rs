use super::{Ran, ran, without_ports};
use crate::stage::{Stage, ZONE, web};
use sim::credentials::{Issuer, Sts, StsOptions};
use sim::rancher;
use sim::route53::{self, Credential, Fault, Operation};

const CHANGE: Operation = Operation::ChangeResourceRecordSets;

fn check(stage: &Stage, settings: &[(&'static str, &str)]) -> Ran {
    let sts = Sts::start(StsOptions::default(), &Issuer::new(None));
    let endpoint = sts.endpoint.url();
    let mut all = vec![("AWS_ENDPOINT_URL_STS", endpoint.as_str())];
    all.extend(settings);
    let mut ran = ran(&stage.run_with(&["check"], &all));
    ran.stdout = without_ports(&ran.stdout);
    ran
}

const ALL_IS_WELL: &str = "\
✓ settings    complete
✓ metadata    environment Prod (1a726b88-f6b1-53ad-8dac-f631830b5815) at http://127.0.0.1/2015-12-19: 1 of 2 services are published, on 4 hosts
✓ credentials arn:aws:iam::123456789012:user/AKIDEXAMPLE: AKIDEXAMPLE, from environment
✓ zone        example.com (Z0EXAMPLE, public)
✓ list        0 record sets seen, 0 are ours, in 0 state records
✓ change      record sets at or below prod.example.com may be changed
✓ rancher     takes events at http://127.0.0.1/v2-beta/externaldnsevents
✓ clock       right
";

#[test]
fn looks_at_everything_and_changes_nothing() {
    let stage = Stage::new(web());
    let before = stage.route53.record_sets(ZONE);
    let Ran {
        code,
        stdout,
        stderr,
    } = check(&stage, &[]);
    assert_eq!(stdout, ALL_IS_WELL);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stage.route53.record_sets(ZONE), before);
    assert_eq!(stage.rancher.events().len(), 0);
    let asked = stage.route53.requests();
    assert!(!asked.iter().any(|request| request.applied));
}

/// Its output with one line instead of another, and that the others stand.
fn expect_line(stdout: &str, what: &str, line: &str) {
    let expected: String = ALL_IS_WELL
        .lines()
        .map(|good| match good.contains(&format!(" {what} ")) {
            true => format!("{line}\n"),
            false => format!("{good}\n"),
        })
        .collect();
    assert_eq!(stdout, expected, "{what}");
}

#[test]
fn one_who_may_list_but_not_change_is_told() {
    let stage = Stage::new(web());
    let denied = Fault::Error {
        status: 403,
        code: "AccessDenied".into(),
        message: "User x is not authorized to perform: route53:ChangeResourceRecordSets".into(),
    };
    stage.route53.inject(Some(CHANGE), denied, 9);
    let Ran { code, stdout, .. } = check(&stage, &[]);
    assert_eq!(code, 1);
    expect_line(
        &stdout,
        "change",
        "✗ change      Route 53 answered AccessDenied (403): User x is not authorized to perform: \
         route53:ChangeResourceRecordSets – the IAM policy has to allow \
         route53:ListHostedZonesByName, route53:GetHostedZone, route53:ListResourceRecordSets and \
         route53:ChangeResourceRecordSets",
    );
}

#[test]
fn rancher_may_refuse_events() {
    let world = || web();
    let options = rancher::Options {
        schema_has_event: false,
        ..crate::stage::prompt()
    };
    let stage = Stage::with(world(), options, route53::Options::default());
    let Ran { code, stdout, .. } = check(&stage, &[]);
    assert_eq!(code, 1);
    expect_line(
        &stdout,
        "rancher",
        "✗ rancher     Rancher's schemas at http://127.0.0.1/v2-beta let nobody with these keys \
         post externalDnsEvents; the container needs the labels \
         io.rancher.container.create_agent=true and io.rancher.container.agent.role=external-dns",
    );
}

#[test]
fn a_wrong_clock_is_told_of_although_it_is_put_right() {
    let options = route53::Options {
        clock_offset: 3600,
        ..route53::Options::default()
    };
    let stage = Stage::with(web(), crate::stage::prompt(), options);
    let Ran { code, stdout, .. } = check(&stage, &[]);
    assert_eq!(code, 1);
    let line = stdout.lines().last().unwrap_or_default();
    assert!(
        line.starts_with("✗ clock       AWS's clock is 3") && line.ends_with("set it, by NTP say"),
        "{line}"
    );
}

#[test]
fn whatever_is_missing_the_rest_is_looked_at() {
    let stage = Stage::new(web());
    stage
        .rancher
        .inject_metadata(None, rancher::Fault::Status(503), usize::MAX);
    let wrong = Fault::Error {
        status: 403,
        code: "InvalidClientTokenId".into(),
        message: "The security token included in the request is invalid.".into(),
    };
    stage.route53.inject(None, wrong, 99);
    let Ran { code, stdout, .. } = check(&stage, &[]);
    assert_eq!(code, 1);
    let marks: Vec<String> = stdout
        .lines()
        .map(|line| {
            line.split_whitespace()
                .take(2)
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    assert_eq!(
        marks,
        [
            "✓ settings",
            "✗ metadata",
            "✓ credentials",
            "✗ zone",
            "– list",
            "– change",
            "✓ rancher",
            "✓ clock"
        ],
        "{stdout}"
    );
}

#[test]
fn it_says_whose_credentials_these_are_or_that_nobody_knows() {
    let stage = Stage::new(web());
    let other = Credential {
        access_key: "AKIDOTHER".into(),
        ..Credential::default()
    };
    stage.route53.keyring().add(other);
    let Ran { stdout, .. } = check(&stage, &[("AWS_ACCESS_KEY_ID", "AKIDOTHER")]);
    let line = stdout.lines().find(|line| line.contains("credentials"));
    let line = line.unwrap_or_default();
    assert!(
        line.starts_with(
            "✓ credentials AKIDOTHER, from environment; whose it is isn't known: STS at"
        ),
        "{line}"
    );
}
