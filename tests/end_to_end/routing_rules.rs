//! The rules of Route 53 for targets and routing policies, one after the other: what is sent, what it
//! says, and what the operator reads. They are those of `docs/targets-and-routing.md`. A good service
//! beside is published whatever becomes of the others.

mod kept;

use std::collections::BTreeSet;

use serde_json::Value;
use sim::route53::{self, NoHealthCheck, Operation, RecordSet};

use crate::commands::run;
use crate::stage::{PATIENCE, Stage, ZONE, each_at_most, prompt, world};
use crate::status;

const PAGE: &str = include_str!("../../docs/targets-and-routing.md");
const WEB: &str = "web.shop.prod.example.com.";
const GOOD: &str = "good.shop.prod.example.com.";
const PREFIX: &str = "io.rancher.service.external_dns";
const CHECK: &str = "abcdef11-2222-3333-4444-555555fedcba";
const BALANCER: &str = "dualstack.web-1.eu-central-1.elb.amazonaws.com";
const DISTRIBUTION: &str = "d111111abcdef8.cloudfront.net";
const CLOUDFRONT: &str = "Z2FDTNDATAQYW2";

/// Labels of a service, by the ends of their names.
type Labels = &'static [(&'static str, &'static str)];

/// What Route 53 refuses.
struct Refused {
    /// The row of the page: what is sent, what Route 53 says.
    row: (&'static str, &'static str),
    labels: Labels,
    /// What others have.
    before: fn(&Stage),
    /// Route 53's own words.
    words: &'static str,
}

fn nothing(_: &Stage) {}

fn others() -> RecordSet {
    RecordSet::simple(WEB, "A", 300, &["192.0.2.1"])
}

const UNKNOWN_CHECK: (&str, &str) = (
    "a health check that the account doesn't have, in a label",
    "`NoSuchHealthCheck`",
);
const UNKNOWN_PLACE: (&str, &str) = (
    "a region, country or continent that it doesn't know",
    "that the value is invalid",
);

const REFUSED: [Refused; 9] = [
    Refused {
        row: UNKNOWN_CHECK,
        labels: &[("routing", "weighted 1"), ("health_check", CHECK)],
        before: nothing,
        words: "A health check with id abcdef11-2222-3333-4444-555555fedcba does not exist.",
    },
    Refused {
        row: UNKNOWN_CHECK,
        labels: &[("routing", "multivalue"), ("health_check", CHECK)],
        before: |stage| {
            let in_batch =
                |options: &mut route53::Options| options.no_health_check = NoHealthCheck::InBatch;
            stage.route53.configure(in_batch);
        },
        words: "A health check with id abcdef11-2222-3333-4444-555555fedcba does not exist.",
    },
    Refused {
        row: (
            "a failover primary with addresses and without a health check",
            "that it needs one",
        ),
        labels: &[("routing", "failover primary")],
        before: nothing,
        words: "A non-alias primary ResourceRecordSet must have an associated health check.",
    },
    Refused {
        row: (
            "the 101st weighted record set of a name and type",
            "that there are too many",
        ),
        labels: &[("routing", "weighted 1")],
        before: |stage| {
            for i in 0..100 {
                stage.put(others().weighted(&format!("theirs-{i}"), 1));
            }
        },
        words: "there can be at most 100 weighted sets with the same name and type",
    },
    Refused {
        row: UNKNOWN_PLACE,
        labels: &[("routing", "latency eu-west-9")],
        before: nothing,
        words: "Value 'eu-west-9' at 'region' failed to satisfy constraint",
    },
    Refused {
        row: UNKNOWN_PLACE,
        labels: &[("routing", "geolocation DE/BE")],
        before: nothing,
        words: "'DE/BE' is not a geographic location that Route 53 supports",
    },
    Refused {
        row: (
            "an alias whose target's hosted zone isn't the one that AWS has given",
            "that the target isn't in that zone",
        ),
        labels: &[("target", BALANCER)],
        before: |stage| stage.route53.add_alias_target(BALANCER, "Z0ANOTHERZONE"),
        words: "the alias target name does not lie within the target zone",
    },
    Refused {
        row: (
            "in a private hosted zone, an alias of a CloudFront distribution",
            "that it can't have one",
        ),
        labels: &[("target", DISTRIBUTION)],
        before: |stage| stage.route53.edit(ZONE, |zone| zone.private = true),
        words: "a private hosted zone can not have an alias of a CloudFront distribution",
    },
    Refused {
        row: (
            "a failover secondary that is an alias of a CloudFront distribution, beside a primary that \
             is one, too",
            "that the other one is",
        ),
        labels: &[("target", DISTRIBUTION), ("routing", "failover secondary")],
        before: |stage| {
            for rtype in ["A", "AAAA"] {
                let set = RecordSet::alias(WEB, rtype, CLOUDFRONT, "d222.cloudfront.net.");
                stage.put(set.primary("theirs"));
            }
        },
        words: "the other failover record is an alias of a CloudFront distribution too",
    },
];

/// The service `web` with these labels, and one that has no faults.
fn stage(labels: Labels) -> Stage {
    let world = world(|world| {
        let web = world.add_service("shop", "web").run_on("h1", 80);
        for (label, value) in labels {
            web.label(&format!("{PREFIX}_{label}"), *value);
        }
        world.add_service("shop", "good").run_on("h2", 80);
    });
    let stage = Stage::with(world, prompt(), route53::Options::default());
    stage.route53.add_alias_target(BALANCER, "Z215JYRZR1TBD5");
    stage
}

/// The object of the service `web` on the status page.
fn web(status: &Value) -> &Value {
    let rows = status["services"].as_array().expect("a list");
    let row = rows.iter().find(|row| row["name"] == "web");
    row.expect("the service")
}

/// The record sets of others, and of the name in question.
fn rest(stage: &Stage) -> Vec<RecordSet> {
    let mut sets = stage.route53.record_sets(ZONE);
    sets.retain(|set| set.name != GOOD && !set.name.starts_with("external-dns-"));
    sets
}

#[test]
fn what_route_53_refuses_is_shown_in_its_own_words_and_holds_nothing_back() {
    each_at_most(5, &REFUSED, expect_refused);
}

fn expect_refused(rule: &Refused) {
    let Refused { labels, words, .. } = rule;
    let stage = stage(labels);
    (rule.before)(&stage);
    let before = rest(&stage);
    // Nobody knows yet: the plan says what will be sent.
    let planned = run(&stage, &["plan"]).stdout;
    let routing = labels.iter().find(|(label, _)| *label == "routing");
    let line = planned
        .lines()
        .find(|line| line.starts_with(&format!("+ {WEB} ")));
    let line = line.unwrap_or_else(|| panic!("{planned}"));
    let shown = routing.map_or("alias", |(_, value)| {
        value.split(' ').next().unwrap_or_default()
    });
    assert!(line.contains(shown), "{line}");

    let service = stage.run_with(&[], &[("ROUTE53_REQUEST_RATE", "1000")]);
    stage.expect_fqdn("shop", "good", GOOD.trim_end_matches('.'));
    let is_told = |line: &str| {
        line.contains("refuses a record set") && line.contains(WEB) && line.contains(words)
    };
    let told = service.wait_for_log(PATIENCE, is_told);
    assert!(told.is_some(), "{words}: {:#?}", service.log());
    let status = status::wait_until(&service, |status| web(status)["state"] == "quarantined");
    let reason = web(&status)["reason"].to_string().replace("\\\"", "\"");
    assert!(reason.contains(words), "{words}: {reason}");
    stage.settle();
    assert_eq!(rest(&stage), before, "{words}");
    // It is neither sent again nor does it hold up what comes.
    stage.route53.clear_requests();
    stage.rancher.change(|world| {
        world.service_mut("shop", "good").move_from("h2", "h3");
    });
    let has_moved = stage.route53.wait_until(PATIENCE, |state| {
        let zone = state.zone(ZONE).expect("the zone");
        zone.get(GOOD, "A")
            .is_some_and(|set| set.values == ["203.0.113.3"])
    });
    assert!(has_moved);
    stage.settle();
    assert_eq!(
        stage.calls(Operation::ChangeResourceRecordSets),
        1,
        "{words}"
    );
}

/// The rows of a table of the page, by the head of its first column.
fn rows(head: &str) -> BTreeSet<(String, String)> {
    let head = format!("| {head} |");
    let mut lines = PAGE.lines().skip_while(|line| !line.starts_with(&head));
    assert!(lines.next().is_some(), "no table with {head}");
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.trim_matches('|').split(" | ").collect::<Vec<_>>());
    cells
        .map(|cells| (cells[0].trim().to_owned(), cells[1].trim().to_owned()))
        .collect()
}

fn of_tests(
    rows: impl Iterator<Item = (&'static str, &'static str)>,
) -> BTreeSet<(String, String)> {
    rows.map(|(first, second)| (first.to_owned(), second.to_owned()))
        .collect()
}

#[test]
fn the_page_has_what_route_53_refuses() {
    let tested = of_tests(REFUSED.iter().map(|rule| rule.row));
    assert_eq!(rows("what is sent"), tested);
}
