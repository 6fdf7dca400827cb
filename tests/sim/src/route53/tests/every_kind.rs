//! A record set of every kind: taken by the rules, listed whole, deleted only if all is repeated.

use super::super::model::{ROUTED_TYPES, TYPES};
use super::super::{Change, RecordSet, Zone, every_kind};
use super::case::{Taken, creates, judge};
use std::collections::BTreeSet;

fn zone() -> Zone {
    let mut zone = Zone::new("example.com").with_id("Z1");
    zone.put_every_kind();
    zone
}

#[test]
fn every_one_of_them_is_taken() {
    let mut empty = Zone::new("example.com").with_id("Z1");
    empty.prepare_for_every_kind();
    let sets = every_kind(&empty);
    judge(&mut empty, "all", &creates(sets.clone()), &Taken);
    assert_eq!(empty, zone());
    assert_eq!(empty.len(), sets.len() + 2, "no two are the same");
}

#[test]
fn they_are_all_the_kinds_there_are() {
    let zone = zone();
    let kinds: BTreeSet<(&str, Vec<&str>, bool)> = zone
        .record_sets()
        .map(|set| (&*set.rtype, set.policies(), set.alias.is_some()))
        .collect();
    let of = |rtype: &str| kinds.iter().filter(|kind| kind.0 == rtype).count();
    for rtype in TYPES {
        let expected = match rtype {
            "SOA" | "NS" => 1,
            // Simple, with values or as an alias.
            "DS" => 2,
            // Six policies besides, but no multivalue.
            "CNAME" => 14,
            _ => 15,
        };
        assert_eq!(of(rtype), expected, "{rtype}");
        let policy = |set: &&RecordSet| set.traffic_policy_instance_id.is_some();
        let mut of_type = zone.record_sets().filter(|set| set.rtype == rtype);
        let found = of_type.any(|set| policy(&set));
        assert_eq!(found, ROUTED_TYPES.contains(&rtype), "{rtype}");
    }
}

/// The `ResourceRecordSet` elements of a whole listing.
fn elements(zone: &Zone) -> Vec<String> {
    let (mut elements, mut from) = (Vec::new(), None::<RecordSet>);
    loop {
        let start = from.as_ref();
        let xml = zone.list_xml(
            start.map(|set| &*set.name),
            start.map(|set| &*set.rtype),
            start.and_then(|set| set.set_identifier.as_deref()),
            None,
        );
        let sets = xml.split("<ResourceRecordSet>").skip(1);
        let whole = sets.map(|rest| rest.split_once("</ResourceRecordSet>").unwrap().0);
        elements.extend(whole.map(str::to_owned));
        from = zone.record_sets().nth(elements.len()).cloned();
        if from.is_none() {
            return elements;
        }
    }
}

fn delete(element: &str) -> String {
    format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ChangeBatch><Changes><Change><Action>DELETE</Action><ResourceRecordSet>{element}\
         </ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    )
}

#[test]
fn what_a_listing_gives_deletes_it() {
    let mut zone = zone();
    let elements = elements(&zone);
    assert_eq!(elements.len(), zone.len());
    for element in elements {
        if element.starts_with("<Name>example.com.</Name>") {
            continue;
        }
        let deleted = zone.apply_xml(&delete(&element));
        assert_eq!(deleted, Ok(()), "{element}");
    }
    assert_eq!(zone, Zone::new("example.com").with_id("Z1"));
}

/// All record sets that differ from this one in one element.
fn variants(set: &RecordSet) -> Vec<(&'static str, RecordSet)> {
    let mut variants = Vec::new();
    let mut vary = |what, f: &dyn Fn(&mut RecordSet)| {
        let mut other = set.clone();
        f(&mut other);
        if other != *set {
            variants.push((what, other));
        }
    };
    vary("TTL", &|set| set.ttl = set.ttl.map(|ttl| ttl + 1));
    vary("no TTL", &|set| set.ttl = None);
    vary("value", &|set| set.values.truncate(1));
    vary("weight", &|set| set.weight = set.weight.map(|w| w ^ 1));
    vary("region", &|set| {
        set.region = set.region.as_ref().map(|_| "sa-east-1".to_owned());
    });
    vary("location", &|set| {
        if let Some(location) = &mut set.geo_location {
            location.country_code = Some("FR".to_owned());
        }
    });
    vary("failover", &|set| set.failover = None);
    vary("multivalue", &|set| set.multi_value_answer = None);
    vary("alias", &|set| set.alias = None);
    vary("evaluation", &|set| {
        if let Some(alias) = &mut set.alias {
            alias.evaluate_target_health ^= true;
        }
    });
    vary("no check", &|set| set.health_check_id = None);
    vary("check", &|set| {
        set.health_check_id = Some("other".to_owned())
    });
    vary("policy", &|set| set.traffic_policy_instance_id = None);
    vary("CIDR", &|set| {
        if let Some(cidr) = &mut set.cidr {
            cidr.location_name = "elsewhere".to_owned();
        }
    });
    vary("bias", &|set| {
        if let Some(location) = &mut set.geo_proximity {
            location.bias = Some(7);
        }
    });
    vary("no proximity", &|set| set.geo_proximity = None);
    variants
}

#[test]
fn a_delete_that_differs_in_anything_is_refused() {
    let mut zone = zone();
    let before = zone.clone();
    let mut refused = |set: RecordSet, what: &str, words: &str| {
        let row = format!("{what}: {set}");
        let messages = zone.apply(&[Change::delete(set)]).expect_err(&row);
        assert!(messages[0].contains(words), "{row}: {messages:?}");
    };
    for set in every_kind(&before) {
        for (what, other) in variants(&set) {
            let words = "but the values provided do not match the current values";
            refused(other, what, words);
        }
        if set.set_identifier.is_some() {
            let nameless = RecordSet {
                set_identifier: None,
                ..set
            };
            refused(nameless, "no identifier", "but it was not found");
        }
    }
    assert_eq!(zone, before);
}

#[test]
fn each_is_shown_in_words_of_its_own() {
    let zone = zone();
    let shown: BTreeSet<String> = zone.record_sets().map(ToString::to_string).collect();
    assert_eq!(shown.len(), zone.len());
    for words in [
        "a-latency.example.com. 60 A 192.0.2.1 [ireland: region eu-west-1]",
        "a-geolocation.example.com. 60 A 192.0.2.1 [state: geolocation US/CA]",
        "a-geoproximity.example.com. 60 A 192.0.2.1 [place: geoproximity -33.86/+151.2 bias 99]",
        "a-evaluating.example.com. - A ALIAS Z1 a-simple.example.com. [target's health]",
    ] {
        assert!(shown.contains(words), "{words}");
    }
}
