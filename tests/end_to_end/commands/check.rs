use super::{Ran, ran, without_ports};
use crate::stage::{Stage, UUID, ZONE, each, web, world};
use sim::credentials::{Issuer, Sts, StsOptions};
use sim::rancher;
use sim::route53::{self, Credential, Fault, Operation, RecordSet};

const CHANGE: Operation = Operation::ChangeResourceRecordSets;

pub fn check(stage: &Stage, settings: &[(&'static str, &str)]) -> Ran {
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
✓ health      127.0.0.1 can be listened on
✓ metadata    read at http://127.0.0.1/2015-12-19
✓ environment Prod (1a726b88-f6b1-53ad-8dac-f631830b5815): 1 of 2 services is to be published, on 4 hosts; the command plan says why the other one isn't
✓ names       for an IAM policy: *.prod.example.com, external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815.example.com, external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815-*.example.com
✓ credentials arn:aws:iam::123456789012:user/AKIDEXAMPLE: AKIDEXAMPLE, from environment
✓ zone        example.com (Z0EXAMPLE, public)
✓ list        0 record sets seen, 0 are ours, in 0 state records
✓ change      record sets below prod.example.com and state records: may be changed
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
    assert_eq!(stdout, format!("{ALL_IS_WELL}\nAll is well.\n"));
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stage.route53.record_sets(ZONE), before);
    assert_eq!(stage.rancher.events().len(), 0);
    let asked = stage.route53.requests();
    assert!(!asked.iter().any(|request| request.applied));
}

#[test]
fn types_that_no_service_needs_needn_t_be_allowed() {
    let stage = Stage::new(web());
    deny_changes(&stage, "AAAA");
    let Ran { code, stdout, .. } = check(&stage, &[]);
    assert_eq!(stdout, format!("{ALL_IS_WELL}\nAll is well.\n"));
    assert_eq!(code, 0);
}

/// Somebody has made what the probe deletes: even that batch leaves all as it is.
#[test]
fn a_probe_that_goes_through_changes_nothing() {
    let stage = Stage::new(web());
    let state = format!("external-dns-{UUID}-65535.example.com.");
    for set in [
        RecordSet::simple(
            "rancher-route53-check.prod.example.com.",
            "A",
            0,
            &["192.0.2.1"],
        ),
        RecordSet::simple(&state, "TXT", 0, &["\"-\""]),
    ] {
        stage.put(set);
    }
    let before = stage.lines();
    let Ran { code, stdout, .. } = check(&stage, &[]);
    assert_eq!(stage.lines(), before);
    assert!(
        stdout.contains(
            "✓ change      record sets below prod.example.com and state records: may be changed\n"
        ),
        "{stdout}"
    );
    assert_eq!(code, 0, "{stdout}");
}

/// Its output with these lines instead of those of the same things, and that the others stand.
fn expect_lines(what: &str, ran: &Ran, lines: &[&str], closing: &str) {
    let thing = |line: &str| line.split_whitespace().nth(1).unwrap_or("").to_owned();
    let expected: String = ALL_IS_WELL
        .lines()
        .map(|good| {
            let other = lines.iter().find(|line| thing(line) == thing(good));
            format!("{}\n", other.unwrap_or(&good))
        })
        .collect();
    assert_eq!(ran.stdout, expected, "{what}");
    assert_eq!(ran.stderr.lines().last(), Some(closing), "{}", ran.stderr);
    assert_eq!(ran.code, 1);
}

type Spoil = fn(&Stage) -> &'static [(&'static str, &'static str)];

/// What is wrong, and the lines that are other ones then.
const FAILURES: [(&str, Spoil, &[&str], &str); 14] = [
    (
        "no metadata",
        |stage| {
            let unloaded = rancher::Fault::Status(404);
            stage.rancher.inject_metadata(None, unloaded, usize::MAX);
            &[]
        },
        &[
            "✗ metadata    metadata at http://127.0.0.1/2015-12-19 is unavailable: /version: 404, \
             the server has not loaded its data or does not know this container yet – if that \
             lasts, this container isn't in a Rancher network, or METADATA_URL is wrong",
            "– environment needs metadata",
            "– names       needs metadata",
            "– list        needs metadata and the zone",
            "– change      needs metadata and the zone",
        ],
        "One thing is wrong.",
    ),
    (
        "no credentials",
        |_| {
            &[
                ("AWS_ACCESS_KEY_ID", ""),
                ("AWS_SECRET_ACCESS_KEY", ""),
                ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1"),
            ]
        },
        &[
            "✗ credentials no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web \
             identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: neither \
             AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set; \
             instance metadata: http://127.0.0.1: Connection refused – correct that, or set \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            "– zone        needs credentials",
            "– list        needs metadata and the zone",
            "– change      needs metadata and the zone",
            "– clock       needs an answer of Route 53",
        ],
        "One thing is wrong.",
    ),
    (
        "no such zone",
        |_| &[("ROOT_DOMAIN", "example.net")],
        &[
            "✓ names       for an IAM policy: *.prod.example.net, \
             external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815.example.net, \
             external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815-*.example.net",
            "✗ zone        there is no hosted zone example.net in this account: check ROOT_DOMAIN \
             and whose credentials these are",
            "– list        needs metadata and the zone",
            "– change      needs metadata and the zone",
        ],
        "One thing is wrong.",
    ),
    (
        "no permission to list",
        |stage| deny(stage, &[Operation::ListResourceRecordSets]),
        &[DENIED_LIST],
        "One thing is wrong.",
    ),
    (
        "no permission to change",
        |stage| deny(stage, &[CHANGE]),
        &[DENIED_CHANGE],
        "One thing is wrong.",
    ),
    (
        "no permission to create",
        |stage| deny_changes(stage, "CREATE"),
        &[DENIED_CHANGE],
        "One thing is wrong.",
    ),
    (
        "no permission to delete",
        |stage| deny_changes(stage, "DELETE"),
        &[DENIED_CHANGE],
        "One thing is wrong.",
    ),
    (
        "no permission to write state records",
        |stage| deny_changes(stage, "TXT"),
        &[DENIED_TXT],
        "One thing is wrong.",
    ),
    (
        "no permission for IPv6 addresses, which a service has",
        |stage| {
            stage.rancher.change(|world| {
                let web = world.service_mut("shop", "web");
                web.run_bound_on("h1", "2001:db8::1", 80);
            });
            deny_changes(stage, "AAAA")
        },
        &[DENIED_AAAA],
        "One thing is wrong.",
    ),
    (
        "a wrong key of Rancher",
        |_| &[("CATTLE_SECRET_KEY", "wrong")],
        &[
            "✗ rancher     status 401 at http://127.0.0.1/v2-beta: Rancher does not know \
             CATTLE_ACCESS_KEY and CATTLE_SECRET_KEY: they have to be those that it gave this \
             container (Unauthorized)",
        ],
        "One thing is wrong.",
    ),
    (
        "a key of Rancher that may not",
        |stage| {
            stage.rancher.set_forbidden(true);
            &[]
        },
        &[
            "✗ rancher     status 403 at http://127.0.0.1/v2-beta: the keys may not do this; the \
             container needs the labels io.rancher.container.create_agent=true and \
             io.rancher.container.agent.role=external-dns (Forbidden)",
        ],
        "One thing is wrong.",
    ),
    (
        "a broken Rancher",
        |stage| {
            let broken = rancher::Fault::Status(503);
            stage.rancher.inject_api(broken, usize::MAX);
            &[]
        },
        &[
            "✗ rancher     status 503 at http://127.0.0.1/v2-beta: look at Rancher's server, or at what \
           stands before it at CATTLE_URL",
        ],
        "One thing is wrong.",
    ),
    (
        "no Rancher",
        |stage| {
            stage.rancher.stop_api();
            &[]
        },
        &[
            "✗ rancher     Connection refused at http://127.0.0.1/v2-beta: check CATTLE_URL, and whether \
             Rancher's server runs",
        ],
        "One thing is wrong.",
    ),
    (
        "several at once",
        |stage| {
            stage.rancher.stop_api();
            deny(stage, &[Operation::ListResourceRecordSets, CHANGE])
        },
        &[
            DENIED_LIST,
            DENIED_CHANGE,
            "✗ rancher     Connection refused at http://127.0.0.1/v2-beta: check CATTLE_URL, and whether \
             Rancher's server runs",
        ],
        "3 things are wrong.",
    ),
];

const DENIED_LIST: &str = "✗ list        Route 53 answered AccessDenied (403): User: \
    arn:aws:iam::123456789012:user/simulated is not authorized to perform: \
    route53:ListResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z0EXAMPLE because no \
    identity-based policy allows the route53:ListResourceRecordSets action – the IAM policy has to \
    allow it: the command policy prints one that does";
/// The line of a change that IAM denies, with what the keys lack.
macro_rules! denied_change {
    ($lacking:literal) => {
        concat!(
            "✗ change      Route 53 answered AccessDenied (403): User: ",
            "arn:aws:iam::123456789012:user/simulated is not authorized to perform: ",
            "route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z0EXAMPLE ",
            "because no identity-based policy allows the route53:ChangeResourceRecordSets action – ",
            "the IAM policy has to allow it: the command policy prints one that does. The keys may ",
            $lacking
        )
    };
}

const DENIED_CHANGE: &str = denied_change!("change no record set that is needed");
const DENIED_AAAA: &str = denied_change!("not change AAAA of *.prod.example.com");
const DENIED_TXT: &str = denied_change!(
    "not change TXT of external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815.example.com, TXT of \
     external-dns-1a726b88-f6b1-53ad-8dac-f631830b5815-*.example.com"
);

fn deny_changes(stage: &Stage, word: &'static str) -> &'static [(&'static str, &'static str)] {
    let keys = Credential::default().denying_changes(word);
    stage.route53.rotate_credentials(vec![keys]);
    &[]
}

fn deny(stage: &Stage, operations: &[Operation]) -> &'static [(&'static str, &'static str)] {
    let mut keys = Credential::default();
    keys.denied.extend(operations);
    stage.route53.rotate_credentials(vec![keys]);
    &[]
}

#[test]
fn each_thing_that_is_missing_has_its_line_and_the_rest_is_looked_at() {
    each(FAILURES, |(what, spoil, lines, closing)| {
        let stage = Stage::new(web());
        let settings = spoil(&stage);
        let before = stage.route53.record_sets(ZONE);
        expect_lines(what, &check(&stage, settings), lines, closing);
        assert_eq!(stage.route53.record_sets(ZONE), before, "{what}");
        assert_eq!(stage.rancher.events().len(), 0, "{what}");
    });
}

#[test]
fn rancher_may_refuse_events() {
    let options = rancher::Options {
        schema_has_event: false,
        ..crate::stage::prompt()
    };
    let stage = Stage::with(web(), options, route53::Options::default());
    expect_lines(
        "no schema",
        &check(&stage, &[]),
        &[
            "✗ rancher     the keys may not post externalDnsEvents, say Rancher's schemas at \
             http://127.0.0.1/v2-beta; the container needs the labels \
             io.rancher.container.create_agent=true and \
             io.rancher.container.agent.role=external-dns",
        ],
        "One thing is wrong.",
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
        line.starts_with("✗ clock       AWS's clock is 3")
            && line.ends_with("set this system's, by NTP say"),
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
            "✓ health",
            "✗ metadata",
            "– environment",
            "– names",
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

/// Nothing is wrong, but it doesn't say that all is well.
#[test]
fn containers_that_do_not_count_and_labels_that_are_not_understood_are_doubts() {
    let stage = Stage::new(world(|world| {
        let web = world.add_service("shop", "web");
        web.run_on("h1", 80).run_on("h2", 80).run_on("h3", 80);
        web.health_on("h2", Some("unhealthy"));
        web.label("io.rancher.service.external_dns_ttl", "1m");
        web.label("io.rancher.service.external_dns_names", "a..b");
        for i in 0..6 {
            let more = world.add_service("more", &format!("m{i}"));
            more.run_on("h1", 80).run_unpublished_on("h2", 80);
        }
    }));
    let Ran {
        code,
        stdout,
        stderr,
    } = check(&stage, &[]);
    let more = (0..5).map(|i| {
        format!(
            "! containers  more/m{i}: 1 of 2 containers count: more-m{i}-2 publishes no port on its \
             host"
        )
    });
    let mut odd: Vec<String> = more.collect();
    odd.extend([
        "! containers  and 2 more: the command plan names all".to_owned(),
        "! labels      shop/web: external_dns_ttl=\"1m\" isn't used: it has to be a whole number \
         from 0 to 2147483647; the setting TTL holds"
            .to_owned(),
        "! labels      shop/web: external_dns_names: \"a..b\" is left out: \"a..b.example.com\" is no \
         name: a label of the name is empty"
            .to_owned(),
    ]);
    let said: Vec<&str> = stdout
        .lines()
        .filter(|line| line.starts_with('!'))
        .collect();
    assert_eq!(said, odd);
    assert!(
        stdout.ends_with("\n\nIt works, but look at the lines with !.\n"),
        "{stdout}"
    );
    assert_eq!(code, 0, "{stderr}");
}
