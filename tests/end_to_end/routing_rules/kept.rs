//! The rules that this program keeps by itself, so that Route 53 never has to say a word.

use sim::route53::{GeoLocation, Operation, RecordSet};

use super::{
    BALANCER, CHECK, CLOUDFRONT, DISTRIBUTION, GOOD, Labels, WEB, nothing, of_tests, others, rest,
    rows, stage, web,
};
use crate::commands::run;
use crate::stage::{Stage, UUID, each_at_most};
use crate::status;

/// What becomes of the service.
enum Outcome {
    /// It is skipped with this reason.
    Skipped(&'static str),
    /// It is left alone, in these words.
    Conflict(&'static str),
    /// This record set is published.
    Published(fn() -> RecordSet),
}

struct Kept {
    /// The row of the page: the rule, and how it is kept.
    row: (&'static str, &'static str),
    labels: Labels,
    before: fn(&Stage),
    outcome: Outcome,
}

const NO_CNAME_AT_APEX: (&str, &str) = ("no `CNAME` at the zone's apex", "skip `cname_at_apex`");
const ADDRESSES_ONLY: (&str, &str) = (
    "`multivalue` has addresses only, no alias and no `CNAME`",
    "skip `routing`",
);
const WEIGHTS: (&str, &str) = ("a weight is 0 to 255", "skip `routing`");
const ALONE: (&str, &str) = (
    "a `CNAME` is the only record set of its name",
    "conflict, if what is there isn't ours",
);
const SIMPLE: (&str, &str) = (
    "a simple record set is the only one of its name and type",
    "conflict, if what is there isn't ours",
);
const ONE_POLICY: (&str, &str) = (
    "all record sets of a name and type have one policy",
    "conflict, if what is there isn't ours",
);
const ONE_PLACE: (&str, &str) = (
    "only one record set of a name and type is for a region, for a place, primary or secondary",
    "conflict, if what is there isn't ours",
);
const PLACE_TAKEN: Outcome =
    Outcome::Conflict("another record set of that name and type has the routing");
const ONE_TTL: (&str, &str) = (
    "all weighted record sets of a name and type have one TTL",
    "that of the others is used",
);
const EVALUATED: (&str, &str) = (
    "a failover alias is as healthy as its target",
    "`EvaluateTargetHealth` is true with a policy",
);
const NOT_EVALUATED: (&str, &str) = (
    "an alias of a CloudFront distribution can't be",
    "`EvaluateTargetHealth` is false",
);

const KEPT: [Kept; 17] = [
    Kept {
        row: NO_CNAME_AT_APEX,
        labels: &[("name_template", "@"), ("target", "www.example.net")],
        before: nothing,
        outcome: Outcome::Skipped("cname_at_apex"),
    },
    Kept {
        row: ADDRESSES_ONLY,
        labels: &[("target", "www.example.net"), ("routing", "multivalue")],
        before: nothing,
        outcome: Outcome::Skipped("routing"),
    },
    Kept {
        row: ADDRESSES_ONLY,
        labels: &[("target", BALANCER), ("routing", "multivalue")],
        before: nothing,
        outcome: Outcome::Skipped("routing"),
    },
    Kept {
        row: WEIGHTS,
        labels: &[("routing", "weighted 256")],
        before: nothing,
        outcome: Outcome::Skipped("routing"),
    },
    Kept {
        row: ALONE,
        labels: &[("target", "www.example.net")],
        before: |stage| stage.put(others()),
        outcome: Outcome::Conflict("a record set of the type A has that name"),
    },
    Kept {
        row: ALONE,
        labels: &[],
        before: |stage| stage.put(RecordSet::simple(WEB, "CNAME", 60, &["www.example.net."])),
        outcome: Outcome::Conflict("a CNAME has that name"),
    },
    Kept {
        row: SIMPLE,
        labels: &[],
        before: |stage| stage.put(others().multivalue("theirs")),
        outcome: Outcome::Conflict("record sets with a routing policy have that name and type"),
    },
    Kept {
        row: SIMPLE,
        labels: &[("routing", "weighted 1")],
        before: |stage| stage.put(others()),
        outcome: Outcome::Conflict("a simple record set has that name and type"),
    },
    Kept {
        row: ONE_POLICY,
        labels: &[("routing", "weighted 1")],
        before: |stage| stage.put(others().latency("theirs", "eu-west-1")),
        outcome: Outcome::Conflict("record sets with latency routing have that name and type"),
    },
    Kept {
        row: ONE_PLACE,
        labels: &[("routing", "latency eu-west-1")],
        before: |stage| stage.put(others().latency("theirs", "eu-west-1")),
        outcome: PLACE_TAKEN,
    },
    Kept {
        row: ONE_PLACE,
        labels: &[("routing", "geolocation DE")],
        before: |stage| stage.put(others().geolocation("theirs", GeoLocation::country("DE"))),
        outcome: PLACE_TAKEN,
    },
    Kept {
        row: ONE_PLACE,
        labels: &[("routing", "failover primary"), ("health_check", CHECK)],
        before: |stage| stage.put(others().primary("theirs").checked(CHECK)),
        outcome: PLACE_TAKEN,
    },
    Kept {
        row: ONE_PLACE,
        labels: &[("routing", "failover secondary")],
        before: |stage| stage.put(others().secondary("theirs")),
        outcome: PLACE_TAKEN,
    },
    Kept {
        row: ONE_TTL,
        labels: &[("routing", "weighted 1"), ("ttl", "60")],
        before: |stage| stage.put(others().weighted("theirs", 1)),
        outcome: Outcome::Published(|| {
            let set = RecordSet::simple(WEB, "A", 300, &["203.0.113.1"]);
            set.weighted(UUID, 1)
        }),
    },
    Kept {
        row: EVALUATED,
        labels: &[("target", BALANCER), ("routing", "failover primary")],
        before: nothing,
        outcome: Outcome::Published(|| {
            let set = RecordSet::alias(WEB, "A", "Z215JYRZR1TBD5", BALANCER);
            set.evaluating().primary(UUID)
        }),
    },
    Kept {
        row: NOT_EVALUATED,
        labels: &[("target", DISTRIBUTION), ("routing", "failover primary")],
        before: nothing,
        outcome: Outcome::Published(|| {
            RecordSet::alias(WEB, "A", CLOUDFRONT, DISTRIBUTION).primary(UUID)
        }),
    },
    Kept {
        row: NOT_EVALUATED,
        labels: &[("target", DISTRIBUTION)],
        before: nothing,
        outcome: Outcome::Published(|| RecordSet::alias(WEB, "A", CLOUDFRONT, DISTRIBUTION)),
    },
];

#[test]
fn what_breaks_a_rule_is_not_sent_and_its_reason_is_shown() {
    each_at_most(6, &KEPT, expect_kept);
}

fn expect_kept(rule: &Kept) {
    let stage = stage(rule.labels);
    (rule.before)(&stage);
    let before = rest(&stage);
    let planned = run(&stage, &["plan"]).stdout;
    let service = stage.run();
    stage.expect_fqdn("shop", "good", GOOD.trim_end_matches('.'));
    let status = status::wait_until(&service, |status| {
        status["last_success"].is_string() && status["fqdns_waiting"] == 0
    });
    let row = web(&status);
    let refused = |request: &sim::route53::RequestRecord| request.code.is_some();
    assert!(!stage.route53.requests().iter().any(refused), "{row}");
    match &rule.outcome {
        Outcome::Skipped(reason) => {
            assert_eq!(row["skipped"], *reason, "{row}");
            let words = row["reason"].as_str().expect("a reason");
            let line = format!("  shop/web: {words}");
            assert!(
                planned.lines().any(|known| known == line),
                "{line}: {planned}"
            );
        }
        Outcome::Conflict(words) => {
            assert_eq!(row["state"], "conflict", "{row}");
            assert!(row["reason"].to_string().contains(words), "{row}");
            assert!(planned.contains(&format!("\n    {words}")), "{planned}");
            let log = service.log();
            let is_told = |line: &String| line.contains("left alone") && line.contains(words);
            assert!(log.iter().any(is_told), "{log:#?}");
        }
        Outcome::Published(set) => {
            assert_eq!(row["state"], "published", "{row}");
            assert!(rest(&stage).contains(&set()), "{:#?}", stage.lines());
            return;
        }
    }
    assert_eq!(rest(&stage), before);
    assert_eq!(stage.calls(Operation::ChangeResourceRecordSets), 1);
}

#[test]
fn the_page_has_the_rules_that_are_kept() {
    let tested = of_tests(KEPT.iter().map(|rule| rule.row));
    assert_eq!(rows("Route 53's rule"), tested);
}
