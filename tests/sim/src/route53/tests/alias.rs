//! What an alias may point at, and how.

use super::super::{Change, RecordSet, Zone};
use super::case::{Refused, Taken, Verdict, a, creates, judge};

const CLOUDFRONT: &str = "Z2FDTNDATAQYW2";
const ACCELERATOR: &str = "Z2BJ6XQ5FK7U4H";
const BALANCER: &str = "lb-1.eu-west-1.elb.amazonaws.com";
const BALANCERS: &str = "Z32O12XQLNTSW2";

fn zone() -> Zone {
    let mut zone = Zone::new("example.com").with_id("Z1");
    zone.put(a("web.example.com", "192.0.2.1"));
    zone.account_mut().add_alias_target(BALANCER, BALANCERS);
    zone
}

fn alias(rtype: &str, id: &str, target: &str) -> RecordSet {
    RecordSet::alias("x.example.com", rtype, id, target)
}

fn table(zone: &Zone, rows: Vec<(&str, RecordSet, Verdict)>) {
    for (row, set, verdict) in rows {
        judge(&mut zone.clone(), row, &creates([set.clone()]), &verdict);
        judge(&mut zone.clone(), row, &[Change::upsert(set)], &verdict);
    }
}

#[test]
fn its_zone_is_the_one_that_its_target_lies_in() {
    let outside = "but the alias target name does not lie within the target zone";
    let missing = "but that target was not found";
    let distribution = "d1.cloudfront.net";
    let accelerator = "a1.awsglobalaccelerator.com";
    let dualstack = format!("dualstack.{BALANCER}");
    let a = |id: &str, target: &str| alias("A", id, target);
    table(
        &zone(),
        vec![
            ("in the zone", a("Z1", "web.example.com"), Taken),
            ("missing", a("Z1", "no.example.com"), Refused(missing)),
            ("itself", a("Z1", "x.example.com"), Refused(missing)),
            (
                "another type",
                alias("AAAA", "Z1", "web.example.com"),
                Refused(missing),
            ),
            ("outside", a("Z1", "web.example.org"), Refused(outside)),
            (
                "inside, another id",
                a("Z7", "web.example.com"),
                Refused(outside),
            ),
            ("balancer", a(BALANCERS, BALANCER), Taken),
            ("balancer's other name", a(BALANCERS, &dualstack), Taken),
            (
                "balancer elsewhere",
                a("Z3DZXE0Q79N41H", BALANCER),
                Refused(outside),
            ),
            (
                "other name elsewhere",
                a("Z3DZXE0Q79N41H", &dualstack),
                Refused(outside),
            ),
            ("balancer, own zone", a("Z1", BALANCER), Refused(missing)),
            (
                "unknown",
                a("Z7", "lb-2.eu-west-1.elb.amazonaws.com"),
                Taken,
            ),
            ("CloudFront", a(CLOUDFRONT, distribution), Taken),
            (
                "CloudFront elsewhere",
                a(ACCELERATOR, distribution),
                Refused(outside),
            ),
            (
                "not CloudFront",
                a(CLOUDFRONT, "lb.example.net"),
                Refused(outside),
            ),
            ("accelerator", a(ACCELERATOR, accelerator), Taken),
            (
                "accelerator elsewhere",
                a(CLOUDFRONT, accelerator),
                Refused(outside),
            ),
            ("broken name", broken(), Refused("DomainLabelEmpty")),
        ],
    );
}

/// As the XML can have it.
fn broken() -> RecordSet {
    let mut set = alias("A", "Z7", "lb.example.net");
    let alias = set.alias.as_mut().unwrap();
    alias.dns_name = "lb..example.net".to_owned();
    set
}

#[test]
fn its_target_can_come_in_the_same_batch_and_stay_behind() {
    let new = a("new.example.com", "192.0.2.2");
    let to_new = alias("A", "Z1", "new.example.com");
    let mut zone = zone();
    let changes = creates([to_new.clone(), new.clone()]);
    judge(&mut zone, "with its target", &changes, &Taken);
    judge(&mut zone, "target deleted", &[Change::delete(new)], &Taken);
    judge(
        &mut zone,
        "alias deleted",
        &[Change::delete(to_new)],
        &Taken,
    );
}

#[test]
fn says_what_it_targets() {
    let refused = zone().apply(&creates([alias("A", "Z3DZXE0Q79N41H", BALANCER)]));
    let tried = "Tried to create an alias that targets lb-1.eu-west-1.elb.amazonaws.com., type A \
                 in zone Z3DZXE0Q79N41H, but";
    let expected = [
        format!("{tried} the alias target name does not lie within the target zone"),
        format!("{tried} that target was not found"),
    ];
    assert_eq!(refused, Err(expected.to_vec()));
}

#[test]
fn its_type_is_one_that_its_target_can_have() {
    let words = "its target can not have this type";
    let mut zone = zone();
    let mail = RecordSet::simple("web.example.com", "MX", 60, &["10 mail.example.net"]);
    let servers = RecordSet::simple("web.example.com", "NS", 60, &["ns.example.net"]);
    [mail, servers].into_iter().for_each(|set| zone.put(set));
    table(
        &zone,
        vec![
            ("AAAA", alias("AAAA", BALANCERS, BALANCER), Taken),
            (
                "MX of a balancer",
                alias("MX", BALANCERS, BALANCER),
                Refused(words),
            ),
            (
                "MX in the zone",
                alias("MX", "Z1", "web.example.com"),
                Taken,
            ),
            (
                "NS in the zone",
                alias("NS", "Z1", "web.example.com"),
                Refused(words),
            ),
        ],
    );
}

#[test]
fn evaluates_its_targets_health_where_it_must_and_not_where_it_cannot() {
    let never = "EvaluateTargetHealth can not be true for a CloudFront distribution";
    let must = "EvaluateTargetHealth must be true in a failover record";
    let balancer = || alias("A", BALANCERS, BALANCER);
    let distribution = || alias("A", CLOUDFRONT, "d1.cloudfront.net");
    table(
        &zone(),
        vec![
            ("simple", balancer(), Taken),
            ("simple, evaluating", balancer().evaluating(), Taken),
            ("CloudFront", distribution().evaluating(), Refused(never)),
            ("primary", balancer().primary("one"), Refused(must)),
            ("secondary", balancer().secondary("one"), Refused(must)),
            ("evaluating", balancer().evaluating().primary("one"), Taken),
            (
                "CloudFront, failover",
                distribution().secondary("one"),
                Taken,
            ),
        ],
    );
    let mut zone = zone();
    zone.put(distribution().primary("one"));
    let words = Refused("the other failover record is an alias of a CloudFront distribution too");
    let second = creates([distribution().secondary("two")]);
    judge(&mut zone, "two distributions", &second, &words);
    zone.private = true;
    let words = Refused("a private hosted zone can not have an alias of a CloudFront");
    judge(
        &mut zone,
        "private",
        &creates([RecordSet::alias(
            "y.example.com",
            "A",
            CLOUDFRONT,
            "d1.cloudfront.net",
        )]),
        &words,
    );
}

#[test]
fn a_delete_repeats_all_of_it() {
    let words = Refused("but the values provided do not match the current values");
    let set = alias("A", BALANCERS, BALANCER);
    let mut zone = zone();
    zone.put(set.clone());
    for (row, wrong) in [
        ("health", set.clone().evaluating()),
        ("zone", alias("A", "Z7", BALANCER)),
        (
            "name",
            alias("A", BALANCERS, &format!("dualstack.{BALANCER}")),
        ),
        ("values", a("x.example.com", "192.0.2.1")),
    ] {
        judge(&mut zone, row, &[Change::delete(wrong)], &words);
    }
    let shown = "x.example.com. - A ALIAS Z32O12XQLNTSW2 lb-1.eu-west-1.elb.amazonaws.com.";
    assert_eq!(set.to_string(), shown);
    judge(&mut zone, "exact", &[Change::delete(set)], &Taken);
}

#[test]
fn counts_as_one_record_and_twice_in_an_upsert() {
    let aliases = |count: usize, f: fn(RecordSet) -> Change| -> Vec<Change> {
        let names = (0..count).map(|n| format!("x{n}.example.com"));
        names
            .map(|name| f(RecordSet::alias(&name, "A", BALANCERS, BALANCER)))
            .collect()
    };
    let words = Refused("Number of records limit of 1000 exceeded.");
    let judged = |changes: Vec<Change>, verdict| judge(&mut zone(), "limit", &changes, verdict);
    judged(aliases(1_000, Change::create), &Taken);
    judged(aliases(1_001, Change::create), &words);
    judged(aliases(500, Change::upsert), &Taken);
    judged(aliases(501, Change::upsert), &words);
}
