//! The rules on record sets that share a name, and on their routing policies.

use super::super::{Change, GeoLocation, GeoProximity, RecordSet, Zone};
use super::case::{Refused, Taken, Verdict, a, creates, judge};

const CHECK: &str = "abcdef11-2222-3333-4444-555555fedcba";
const COLLECTION: &str = "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";

/// What is in the zone, what is created in it, what is said to that.
type Row = (&'static str, Vec<RecordSet>, RecordSet, Verdict);

fn table(rows: Vec<Row>) {
    for (row, there, new, verdict) in rows {
        let mut zone = Zone::new("example.com").with_id("Z1");
        there.into_iter().for_each(|set| zone.put(set));
        judge(
            &mut zone.clone(),
            row,
            &[Change::create(new.clone())],
            &verdict,
        );
        judge(&mut zone, row, &[Change::upsert(new)], &verdict);
    }
}

fn one() -> RecordSet {
    a("x.example.com", "192.0.2.1")
}

fn alias() -> RecordSet {
    RecordSet::alias("x.example.com", "A", "Z9", "lb.example.net")
}

/// One of each policy.
fn policies() -> [(&'static str, RecordSet); 7] {
    [
        ("weighted", one().weighted("one", 1)),
        ("latency", one().latency("one", "eu-west-1")),
        ("failover", one().secondary("one")),
        ("multivalue", one().multivalue("one")),
        (
            "geolocation",
            one().geolocation("one", GeoLocation::country("DE")),
        ),
        ("CIDR", one().cidr_routed("one", COLLECTION, "*")),
        (
            "geoproximity",
            one().geoproximity("one", GeoProximity::region("eu-west-1")),
        ),
    ]
}

#[test]
fn a_name_and_type_has_one_policy_and_a_simple_set_is_alone() {
    let others = "cannot be created as other RRSets exist with the same name and type.";
    let weighted = "cannot be created as a non-weighted set exists with the same name and type.";
    let mut rows: Vec<Row> = Vec::new();
    for (kind, set) in policies() {
        let words = if kind == "weighted" { weighted } else { others };
        let renamed = RecordSet {
            set_identifier: Some("two".to_owned()),
            ..set.clone()
        };
        rows.push((kind, vec![one()], set.clone(), Refused(words)));
        rows.push((kind, vec![set.clone()], one(), Refused(others)));
        for (_, other) in policies().into_iter().filter(|(other, _)| *other != kind) {
            rows.push((kind, vec![other], renamed.clone(), Refused(words)));
        }
        let aaaa = RecordSet {
            rtype: "AAAA".to_owned(),
            values: vec!["2001:db8::1".to_owned()],
            ..set
        };
        rows.push(("another type", vec![one()], aaaa, Taken));
    }
    table(rows);
}

#[test]
fn says_so_with_the_set_identifier() {
    let mut zone = Zone::new("example.com");
    zone.put(one());
    let refused = zone.apply(&creates([one().weighted("one", 1)]));
    let words = "RRSet with DNS name x.example.com., type A, SetIdentifier one cannot be created \
                 as a non-weighted set exists with the same name and type.";
    assert_eq!(refused, Err(vec![words.to_owned()]));
}

#[test]
fn set_identifiers_are_unique_for_a_name_and_type() {
    let exists = "set-identifier='one'] but it already exists";
    for (kind, set) in policies() {
        let mut zone = Zone::new("example.com");
        zone.put(set.clone());
        judge(&mut zone, kind, &creates([set.clone()]), &Refused(exists));
        let elsewhere = RecordSet {
            name: "y.example.com.".to_owned(),
            ..set
        };
        judge(&mut zone, kind, &creates([elsewhere]), &Taken);
    }
}

#[test]
fn weighted_sets_have_one_ttl_and_aliases_none() {
    let with_ttl = |ttl| RecordSet {
        ttl: Some(ttl),
        ..one()
    };
    let words = "RRSet with DNS name x.example.com., type A, SetIdentifier two cannot be created \
                 as weighted sets must contain the same TTL.";
    let there = || vec![with_ttl(60).weighted("one", 1)];
    let latency = with_ttl(60).latency("one", "eu-west-1");
    table(vec![
        ("same", there(), with_ttl(60).weighted("two", 1), Taken),
        (
            "other",
            there(),
            with_ttl(61).weighted("two", 1),
            Refused(words),
        ),
        ("alias", there(), alias().weighted("two", 1), Taken),
        (
            "beside an alias",
            vec![alias().weighted("one", 1)],
            with_ttl(61).weighted("two", 1),
            Taken,
        ),
        (
            "latency",
            vec![latency],
            with_ttl(61).latency("two", "us-east-1"),
            Taken,
        ),
    ]);
    // All of them change in one batch, if what is old goes first.
    let mut zone = Zone::new("example.com");
    let sets = |ttl| ["one", "two"].map(|id| with_ttl(ttl).weighted(id, 1));
    zone.apply(&creates(sets(60))).unwrap();
    let mut changes: Vec<Change> = sets(60).into_iter().map(Change::delete).collect();
    changes.extend(creates(sets(61)));
    judge(&mut zone, "deletes first", &changes, &Taken);
    let changes = [
        Change::delete(sets(61)[0].clone()),
        Change::create(sets(62)[0].clone()),
        Change::delete(sets(61)[1].clone()),
        Change::create(sets(62)[1].clone()),
    ];
    let words = Refused("weighted sets must contain the same TTL");
    judge(&mut zone, "by turns", &changes, &words);
}

#[test]
fn a_name_and_type_has_at_most_100_weighted_sets() {
    let set = |n: usize| one().weighted(&format!("id-{n}"), 1);
    let words = "there can be at most 100 weighted sets with the same name and type";
    let there = || (0..99).map(set).collect::<Vec<_>>();
    let full = || (0..100).map(set).collect::<Vec<_>>();
    table(vec![
        ("the 100th", there(), set(99), Taken),
        ("the 101st", full(), set(100), Refused(words)),
    ]);
    let changed = one().weighted("id-7", 9);
    let mut zone = Zone::new("example.com");
    full().into_iter().for_each(|set| zone.put(set));
    let changes = [Change::upsert(changed.clone())];
    judge(&mut zone, "one of the 100", &changes, &Taken);
    assert_eq!(zone.member("X.example.com", "A", "id-7"), Some(&changed));
}

#[test]
fn each_region_place_and_half_is_taken_once() {
    let state = |code| GeoLocation::subdivision("US", code);
    let geo = |id: &str, place| one().geolocation(id, place);
    let default = || geo("one", GeoLocation::anywhere());
    table(vec![
        (
            "same region",
            vec![one().latency("one", "eu-west-1")],
            one().latency("two", "eu-west-1"),
            Refused(
                "RRSet with DNS name x.example.com., type A, SetIdentifier two, and Region \
                 Name=eu-west-1 cannot be created because a latency RRSet with the same name, \
                 type and region already exists.",
            ),
        ),
        (
            "other region",
            vec![one().latency("one", "eu-west-1")],
            one().latency("two", "eu-west-2"),
            Taken,
        ),
        (
            "second primary",
            vec![one().primary("one").checked(CHECK)],
            one().primary("two").checked(CHECK),
            Refused("Failover=PRIMARY cannot be created because a failover RRSet"),
        ),
        (
            "second secondary",
            vec![one().secondary("one")],
            one().secondary("two"),
            Refused("Failover=SECONDARY cannot be created because a failover RRSet"),
        ),
        (
            "the other half",
            vec![one().primary("one").checked(CHECK)],
            one().secondary("two"),
            Taken,
        ),
        (
            "same country",
            vec![geo("one", GeoLocation::country("DE"))],
            geo("two", GeoLocation::country("DE")),
            Refused("GeoLocation=DE cannot be created because a geolocation RRSet"),
        ),
        (
            "same state",
            vec![geo("one", state("CA"))],
            geo("two", state("CA")),
            Refused("GeoLocation=US/CA cannot be created"),
        ),
        (
            "same default",
            vec![default()],
            geo("two", GeoLocation::anywhere()),
            Refused("GeoLocation=* cannot be created"),
        ),
        (
            "country and state",
            vec![geo("one", GeoLocation::country("US"))],
            geo("two", state("CA")),
            Taken,
        ),
        (
            "a continent's code as a country's",
            vec![geo("one", GeoLocation::continent("NA"))],
            geo("two", GeoLocation::country("NA")),
            Taken,
        ),
        (
            "same location",
            vec![one().cidr_routed("one", COLLECTION, "*")],
            one().cidr_routed("two", COLLECTION, "*"),
            Refused("cannot be created because a CIDR RRSet"),
        ),
        (
            "other location",
            vec![one().cidr_routed("one", COLLECTION, "*")],
            one().cidr_routed("two", COLLECTION, "office"),
            Taken,
        ),
        (
            "multivalue",
            vec![one().multivalue("one")],
            one().multivalue("two"),
            Taken,
        ),
    ]);
}

#[test]
fn a_primary_without_an_alias_needs_a_health_check() {
    let words = "A non-alias primary ResourceRecordSet must have an associated health check.";
    table(vec![
        ("bare", vec![], one().primary("one"), Refused(words)),
        (
            "checked",
            vec![],
            one().primary("one").checked(CHECK),
            Taken,
        ),
        ("secondary", vec![], one().secondary("one"), Taken),
        ("alias", vec![], alias().evaluating().primary("one"), Taken),
    ]);
    // What came to be there in another way can be deleted.
    let mut zone = Zone::new("example.com");
    zone.put(one().primary("one"));
    let changes = [Change::delete(one().primary("one"))];
    judge(&mut zone, "delete", &changes, &Taken);
}

#[test]
fn only_some_types_can_be_routed() {
    let typed = |rtype: &str, value: &str| RecordSet::simple("x.example.com", rtype, 60, &[value]);
    let ns = || typed("NS", "ns.example.net");
    let cname = || typed("CNAME", "y.example.net");
    let ds = || typed("DS", "1 8 2 00ff");
    table(vec![
        ("NS", vec![], ns(), Taken),
        ("DS", vec![], ds(), Taken),
        (
            "routed NS",
            vec![],
            ns().weighted("one", 1),
            Refused(
                "type NS with DNS name x.example.com. can not have the routing policy 'weight'",
            ),
        ),
        (
            "routed DS",
            vec![],
            ds().latency("one", "eu-west-1"),
            Refused("can not have the routing policy 'region'"),
        ),
        ("weighted CNAME", vec![], cname().weighted("one", 1), Taken),
        (
            "multivalue CNAME",
            vec![],
            cname().multivalue("one"),
            Refused("can not have the routing policy 'multivalue answer'"),
        ),
        (
            "multivalue alias",
            vec![],
            alias().multivalue("one"),
            Refused("a multivalue answer record can not be an alias"),
        ),
        (
            "wildcard NS",
            vec![],
            RecordSet::simple("*.example.com", "NS", 60, &["ns.example.net"]),
            Refused("the name has a wildcard"),
        ),
    ]);
}

#[test]
fn a_cname_stands_alone_also_in_a_group() {
    let cname = |id: &str| {
        let set = RecordSet::simple("x.example.com", "CNAME", 60, &["y.example.net"]);
        set.weighted(id, 1)
    };
    let words = "RRSet of type CNAME with DNS name x.example.com. is not permitted as it conflicts \
                 with other records with the same DNS name in zone example.com.";
    let kin = || vec![one().weighted("one", 1)];
    table(vec![
        ("beside an A", kin(), cname("two"), Refused(words)),
        (
            "beside an alias",
            vec![alias()],
            cname("two"),
            Refused(words),
        ),
        ("beside its kind", vec![cname("one")], cname("two"), Taken),
        (
            "an alias beside it",
            vec![cname("one")],
            alias(),
            Refused("a conflicting RRSet of type  CNAME"),
        ),
        (
            "at the apex",
            vec![],
            RecordSet::simple("example.com", "CNAME", 60, &["y.example.net"]),
            Refused("is not permitted at apex in zone"),
        ),
        (
            "two values",
            vec![],
            RecordSet::simple(
                "x.example.com",
                "CNAME",
                60,
                &["y.example.net", "z.example.net"],
            ),
            Refused("may hold only one resource record"),
        ),
    ]);
    // One takes the other's place in one batch, in either direction.
    let mut zone = Zone::new("example.com");
    kin().into_iter().for_each(|set| zone.put(set));
    let to = [
        Change::delete(kin().remove(0)),
        Change::create(cname("two")),
    ];
    judge(&mut zone, "A to CNAME", &to, &Taken);
    let back = [Change::delete(cname("two")), Change::create(alias())];
    judge(&mut zone, "CNAME to alias", &back, &Taken);
    let early = [Change::create(cname("two")), Change::delete(alias())];
    judge(&mut zone, "too early", &early, &Refused(words));
}

#[test]
fn a_group_changes_its_policy_in_one_batch_if_all_members_do() {
    let mut zone = Zone::new("example.com");
    let weighted = ["one", "two"].map(|id| one().weighted(id, 1));
    zone.apply(&creates(weighted.clone())).unwrap();
    let regions = [("one", "eu-west-1"), ("two", "us-east-1")];
    let latency = regions.map(|(id, region)| one().latency(id, region));
    let one_only = [
        Change::delete(weighted[0].clone()),
        Change::create(latency[0].clone()),
    ];
    let words = Refused("cannot be created as other RRSets exist");
    judge(&mut zone, "one", &one_only, &words);
    let mut changes: Vec<Change> = weighted.into_iter().map(Change::delete).collect();
    changes.extend(creates(latency.clone()));
    judge(&mut zone, "all", &changes, &Taken);
    let mut changes: Vec<Change> = latency.into_iter().map(Change::delete).collect();
    changes.push(Change::create(one()));
    judge(&mut zone, "to a simple one", &changes, &Taken);
    assert_eq!(zone.get("x.example.com", "A"), Some(&one()));
}
