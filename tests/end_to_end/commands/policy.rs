//! The command `policy`, and the names that an IAM policy has to allow, as `check` prints them.

use super::{Ran, ran, run};
use crate::stage::{Stage, UUID, ZONE, each, web, world};
use serde_json::{Value, json};
use sim::rancher::Fault;
use sim::route53::{Credential, Operation};

const ROLE: &str = "arn:aws:iam::123456789012:role/dns";

fn policy(stage: &Stage, flags: &[&str], settings: &[(&'static str, &str)]) -> Ran {
    let settings = [&[("LOG_LEVEL", "error")], settings].concat();
    ran(&stage.run_with(&[&["policy"], flags].concat(), &settings))
}

#[test]
fn stdout_has_the_policy_alone_and_stderr_when_to_print_it_anew() {
    let stage = Stage::new(web());
    let Ran {
        code,
        stdout,
        stderr,
    } = policy(&stage, &[], &[]);
    let document: Value = serde_json::from_str(&stdout).expect("JSON");
    let statements = document["Statement"].as_array().expect("statements");
    assert_eq!(statements.len(), 3);
    assert_eq!(
        statements[2]["Resource"],
        format!("arn:aws:route53:::hostedzone/{ZONE}")
    );
    assert_eq!(
        statements[2]["Condition"]["ForAllValues:StringLike"],
        json!({"route53:ChangeResourceRecordSetsNormalizedRecordNames": [
            "*.prod.example.com",
            format!("external-dns-{UUID}.example.com"),
            format!("external-dns-{UUID}-*.example.com"),
        ]})
    );
    assert_eq!(
        stderr,
        "If a label or setting later asks for a name outside of *.prod.example.com, print the \
         policy anew."
    );
    assert_eq!(code, 0);
}

#[test]
fn names_outside_are_to_be_looked_at_and_too_many_are_said() {
    let stage = Stage::new(world(|world| {
        let web = world.add_service("shop", "web").run_on("h1", 80);
        let names = (0..50).map(|i| format!("{i:02}-{},", "x".repeat(60 - 3)));
        let names: String = names.collect();
        web.label("io.rancher.service.external_dns_names", names.as_str());
        for i in 0..2 {
            let more = world.add_service("more", &format!("web{i}"));
            let names = names.replace("-x", &format!("-{i}"));
            more.run_on("h1", 80)
                .label("io.rancher.service.external_dns_names", names);
        }
    }));
    let Ran { stdout, stderr, .. } = policy(&stage, &[], &[]);
    let lines: Vec<&str> = stderr.lines().collect();
    let [_, outside, size] = lines[..] else {
        panic!("{stderr}");
    };
    assert!(
        outside.starts_with("150 of its names are outside of *.prod.example.com, "),
        "{outside}"
    );
    let count = stdout.chars().filter(|c| !c.is_whitespace()).count();
    let start =
        format!("It has {count} characters without white space, and IAM takes at most 6144");
    assert!(size.starts_with(&start), "{size}");
}

/// Then it can be printed before there are keys.
#[test]
fn with_the_zone_s_id_nothing_is_asked_of_aws() {
    let stage = Stage::new(web());
    let settings = [
        ("ROUTE53_ZONE_ID", "Z0OTHER"),
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1"),
    ];
    let Ran { code, stdout, .. } = policy(&stage, &[], &settings);
    assert_eq!(code, 0);
    assert!(stdout.contains("\"arn:aws:route53:::hostedzone/Z0OTHER\""));
    assert_eq!(stage.route53.requests().len(), 0);
}

#[test]
fn who_assumes_a_role_gets_another_policy_than_the_role() {
    let stage = Stage::new(web());
    let role = ("ROUTE53_ASSUME_ROLE_ARN", ROLE);
    let zone = ("ROUTE53_ZONE_ID", ZONE);
    let of_role = policy(&stage, &[], &[role, zone]);
    assert!(!of_role.stdout.contains("sts:"), "{}", of_role.stdout);
    let note = format!(
        "This is the policy of the role {ROLE}; policy --assume-role prints that of the credentials \
         that assume it."
    );
    assert_eq!(of_role.stderr.lines().last(), Some(&*note));
    let Ran { stdout, stderr, .. } = policy(&stage, &["--assume-role"], &[role]);
    let document: Value = serde_json::from_str(&stdout).expect("JSON");
    let expected = json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": ROLE}]);
    assert_eq!(document["Statement"], expected);
    assert_eq!(stderr, "");
}

#[test]
fn what_is_missing_is_said_and_nothing_is_printed() {
    each(
        [
            (
                "no metadata",
                &[][..],
                "is unavailable: /version: status 503",
            ),
            (
                "no permission to find the zone",
                &[][..],
                "the policy needs the hosted zone's id; set ROUTE53_ZONE_ID: Route 53 answered \
                 AccessDenied (403)",
            ),
            (
                "no role",
                &["--assume-role"][..],
                "there is no role to assume: ROUTE53_ASSUME_ROLE_ARN is not set",
            ),
        ],
        |(what, flags, words)| {
            let stage = Stage::new(web());
            match what {
                "no metadata" => {
                    let fault = Fault::Status(503);
                    stage.rancher.inject_metadata(None, fault, usize::MAX);
                }
                "no role" => {}
                _ => {
                    let keys = Credential::default().denying(Operation::ListHostedZonesByName);
                    stage.route53.rotate_credentials(vec![keys]);
                }
            }
            let Ran {
                code,
                stdout,
                stderr,
            } = policy(&stage, flags, &[]);
            assert_eq!((code, &*stdout), (1, ""), "{what}");
            assert!(stderr.contains(words), "{what}: {stderr}");
            assert_eq!(stderr.lines().count(), 1, "{what}: {stderr}");
        },
    );
}

/// A policy from before a label asked for another name.
#[test]
fn check_names_what_an_older_policy_lacks() {
    let stage = Stage::new(web());
    let old = policy(&stage, &[], &[]).stdout;
    let keys = Credential::default().with_policy(&old);
    stage.route53.rotate_credentials(vec![keys]);
    let before = stage.lines();
    assert!(run(&stage, &["check"]).stdout.contains("✓ change "));
    stage.rancher.change(|world| {
        world.add_host("six", "2001:db8::6");
        let web = world.service_mut("shop", "web").run_on("six", 80);
        web.label("io.rancher.service.external_dns_names", "*,www.prod,@");
    });
    let Ran { stdout, .. } = run(&stage, &["check"]);
    let words = "The keys may not change A of \\052.example.com, AAAA of \\052.example.com, A of \
                 example.com, AAAA of example.com\n";
    assert!(stdout.contains(words), "{stdout}");
    assert_eq!(stage.lines(), before);
}

/// IAM compares names as Route 53 writes them: in small letters, and escaped.
#[test]
fn the_state_record_s_name_is_shown_as_iam_sees_it() {
    for (uuid, seen) in [
        ("adminProject", "external-dns-adminproject.example.com"),
        ("1A5.b", "external-dns-1a5\\056b.example.com"),
    ] {
        let stage = Stage::new(sim::rancher::World::new("Prod", uuid));
        let Ran { stdout, .. } = run(&stage, &["check"]);
        let further = seen.replace(".example", "-*.example");
        let line = format!("for an IAM policy: *.prod.example.com, {seen}, {further}\n");
        assert!(stdout.contains(&line), "{stdout}");
    }
}

#[test]
fn names_outside_of_the_environment_s_are_among_them() {
    for (names, expected) in [
        ("www.prod", String::new()),
        (
            "@,*,www,prod",
            ", \\052.example.com, example.com, prod.example.com, www.example.com".to_owned(),
        ),
        (&(10..40).map(|i| format!("n{i},")).collect::<String>(), {
            let named = (10..30).map(|i| format!(", n{i}.example.com"));
            named.collect::<String>() + " and 10 more"
        }),
    ] {
        let stage = Stage::new(world(|world| {
            let web = world.add_service("shop", "web").run_on("h1", 80);
            web.label("io.rancher.service.external_dns_names", names);
        }));
        let Ran { stdout, .. } = run(&stage, &["check"]);
        let line = format!("-*.example.com{expected}\n");
        assert!(stdout.contains(&line), "{line} in {stdout}");
    }
}
