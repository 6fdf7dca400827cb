//! Change batches against a zone: what is taken, what is refused and in which words.

use super::super::{Change, RecordSet, Zone};

fn a(name: &str, values: &[&str]) -> RecordSet {
    RecordSet::simple(name, "A", 300, values)
}

fn zone() -> Zone {
    let mut zone = Zone::new("example.com").with_id("Z1");
    zone.put(a("web.example.com", &["192.0.2.1", "192.0.2.2"]));
    zone.put(RecordSet::simple(
        "alias.example.com",
        "CNAME",
        300,
        &["other.example.org"],
    ));
    zone.put(a("weighted.example.com", &["192.0.2.1"]).weighted("one", 1));
    zone
}

/// Applies the changes to [`zone`], and gives what it then holds or why not.
fn outcome(changes: &[Change]) -> Result<Zone, String> {
    let mut zone = zone();
    let before = zone.clone();
    match zone.apply(changes) {
        Ok(()) => Ok(zone),
        Err(messages) => {
            assert_eq!(zone, before, "a refused batch must leave no trace");
            Err(messages.join("; "))
        }
    }
}

fn refused(changes: &[Change], words: &str) {
    let refusal = outcome(changes).expect_err(words);
    assert!(refusal.contains(words), "{refusal}\nlacks\n{words}");
}

#[test]
fn creates_deletes_and_replaces() {
    let web = a("web.example.com", &["192.0.2.1", "192.0.2.2"]);
    let other = a("web.example.com", &["192.0.2.3"]);
    let zone = outcome(&[
        Change::create(a("new.example.com", &["192.0.2.9"])),
        Change::delete(web),
        Change::create(other.clone()),
    ])
    .unwrap();
    assert_eq!(zone.get("web.example.com", "A"), Some(&other));
    let new = zone.get("New.Example.com", "A").unwrap();
    assert_eq!(new.to_string(), "new.example.com. 300 A 192.0.2.9");
}

#[test]
fn a_health_check_has_to_be_repeated_in_a_delete() {
    let mut zone = zone();
    let plain = a("web.example.com", &["192.0.2.1", "192.0.2.2"]);
    zone.put(plain.clone().checked("one"));
    for wrong in [plain.clone(), plain.clone().checked("two")] {
        let refused = zone.apply(&[Change::delete(wrong)]).unwrap_err();
        let words = "the values provided do not match the current values";
        assert!(refused.join("; ").contains(words), "{refused:?}");
    }
    assert_eq!(
        zone.get("web.example.com", "A"),
        Some(&plain.clone().checked("one"))
    );
    zone.apply(&[Change::delete(plain.checked("one"))]).unwrap();
    assert_eq!(zone.get("web.example.com", "A"), None);
}

#[test]
fn create_is_refused_if_there_is_one() {
    refused(
        &[Change::create(a("web.example.com", &["192.0.2.3"]))],
        "Tried to create resource record set [name='web.example.com.', type='A'] but it already \
         exists",
    );
}

#[test]
fn delete_must_match_exactly() {
    let exact = |set| [Change::delete(set)];
    let swapped = a("web.example.com", &["192.0.2.2", "192.0.2.1"]);
    assert!(outcome(&exact(swapped)).is_ok(), "order is no difference");
    let mismatch = "Tried to delete resource record set [name='web.example.com.', type='A'] but \
                    the values provided do not match the current values";
    refused(&exact(a("web.example.com", &["192.0.2.1"])), mismatch);
    let ttl = RecordSet {
        ttl: Some(60),
        ..a("web.example.com", &["192.0.2.1", "192.0.2.2"])
    };
    refused(&exact(ttl), mismatch);
    let weight = a("weighted.example.com", &["192.0.2.1"]).weighted("one", 2);
    refused(&exact(weight), "do not match the current values");
    refused(
        &exact(a("weighted.example.com", &["192.0.2.1"])),
        "[name='weighted.example.com.', type='A'] but it was not found",
    );
    refused(
        &exact(a("weighted.example.com", &["192.0.2.1"]).weighted("two", 1)),
        "[name='weighted.example.com.', type='A', set-identifier='two'] but it was not found",
    );
}

#[test]
fn one_bad_change_refuses_the_whole_batch_and_each_fault_is_named() {
    let refusal = outcome(&[
        Change::create(a("fine.example.com", &["192.0.2.9"])),
        Change::delete(a("none.example.com", &["192.0.2.9"])),
        Change::create(a("web.example.com", &["192.0.2.9"])),
    ])
    .unwrap_err();
    assert!(refusal.contains("'none.example.com.', type='A'] but it was not found"));
    assert!(refusal.contains("'web.example.com.', type='A'] but it already exists"));
}

#[test]
fn the_order_of_changes_matters() {
    let web = a("web.example.com", &["192.0.2.1", "192.0.2.2"]);
    let new = a("web.example.com", &["192.0.2.3"]);
    let (out, back) = (Change::delete(web.clone()), Change::create(new));
    assert!(outcome(&[out.clone(), back.clone()]).is_ok());
    refused(&[back, out.clone()], "but it already exists");
    let muddle = "The request contains an invalid set of changes for a resource record set 'A \
                  web.example.com.'";
    refused(&[out.clone(), out.clone()], muddle);
    refused(&[Change::upsert(web.clone()), out], muddle);
    let fresh = a("new.example.com", &["192.0.2.1"]);
    let muddle = "changes for a resource record set 'A new.example.com.'";
    let create = Change::create(fresh.clone());
    refused(&[create.clone(), create.clone()], muddle);
    refused(&[create, Change::delete(fresh)], muddle);
}

#[test]
fn upsert_creates_replaces_and_leaves_equal_ones_alone() {
    let put = |set| outcome(&[Change::upsert(set)]).unwrap();
    let set = a("new.example.com", &["192.0.2.1"]);
    assert_eq!(put(set.clone()).get("new.example.com", "A"), Some(&set));
    let set = a("web.example.com", &["192.0.2.9"]);
    assert_eq!(put(set.clone()).get("web.example.com", "A"), Some(&set));
    let reordered = a("web.example.com", &["192.0.2.2", "192.0.2.1"]);
    assert_eq!(put(reordered), zone());
}

#[test]
fn a_cname_stands_alone() {
    let cname = |name| RecordSet::simple(name, "CNAME", 300, &["x.example.org"]);
    refused(
        &[Change::create(a("alias.example.com", &["192.0.2.1"]))],
        "RRSet of type A with DNS name alias.example.com. is not permitted because a conflicting \
         RRSet of type  CNAME with the same DNS name already exists in zone example.com.",
    );
    refused(
        &[Change::create(cname("web.example.com"))],
        "RRSet of type CNAME with DNS name web.example.com. is not permitted as it conflicts with \
         other records with the same DNS name in zone example.com.",
    );
    refused(&[Change::create(cname("example.com"))], "at apex in zone");
    let old = zone().get("alias.example.com", "CNAME").unwrap().clone();
    let new = a("alias.example.com", &["192.0.2.1"]);
    let (out, back) = (Change::delete(old), Change::create(new));
    assert!(outcome(&[out.clone(), back.clone()]).is_ok());
    refused(&[back, out], "conflicting RRSet of type  CNAME");
}

#[test]
fn the_zone_keeps_its_own_record_sets() {
    let apex = |rtype| zone().get("example.com", rtype).unwrap().clone();
    refused(
        &[Change::delete(apex("SOA"))],
        "A HostedZone must contain exactly one SOA record.",
    );
    refused(
        &[Change::delete(apex("NS"))],
        "A HostedZone must contain at least one NS record for the zone itself.",
    );
    let servers = RecordSet::simple("example.com", "NS", 60, &["ns.example.org."]);
    assert!(outcome(&[Change::delete(apex("NS")), Change::create(servers)]).is_ok());
}

#[test]
fn names_belong_into_the_zone() {
    refused(
        &[Change::create(a("example.org", &["192.0.2.1"]))],
        "RRSet with DNS name example.org. is not permitted in zone example.com.",
    );
    refused(
        &[Change::create(a("anexample.com", &["192.0.2.1"]))],
        "is not permitted in zone example.com.",
    );
}

#[test]
fn values_are_valid_and_different() {
    refused(
        &[Change::create(a(
            "x.example.com",
            &["192.0.2.1", "192.0.2.1"],
        ))],
        "Duplicate Resource Record: '192.0.2.1'",
    );
    refused(
        &[Change::create(a("x.example.com", &["192.0.2.256"]))],
        "Invalid Resource Record: FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid \
         IPv4 address) encountered with '192.0.2.256'",
    );
}

/// So many addresses, all different.
fn addresses(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!("10.0.{}.{}", n / 250, n % 250))
        .collect()
}

fn sets(count: usize, values: usize) -> Vec<RecordSet> {
    let values = addresses(values);
    (0..count)
        .map(|n| RecordSet::simple(&format!("s{n}.example.com"), "A", 300, &values))
        .collect()
}

#[test]
fn a_record_set_holds_400_values() {
    assert!(outcome(&[Change::create(sets(1, 400).remove(0))]).is_ok());
    refused(
        &[Change::create(sets(1, 401).remove(0))],
        "limit of 400 exceeded",
    );
}

#[test]
fn a_request_holds_1000_resource_records_and_upserts_count_twice() {
    let all = |count, f: fn(RecordSet) -> Change| -> Vec<Change> {
        sets(count, 100).into_iter().map(f).collect()
    };
    let words = "Number of records limit of 1000 exceeded.";
    assert!(outcome(&all(10, Change::create)).is_ok());
    refused(&all(11, Change::create), words);
    assert!(outcome(&all(5, Change::upsert)).is_ok());
    refused(&all(6, Change::upsert), words);
}

/// TXT record sets whose values have so many characters altogether.
fn text_sets(characters: usize) -> Vec<RecordSet> {
    let mut left = characters;
    let mut sets = Vec::new();
    while left > 0 {
        // Short of 3 characters more there would be no room for the quotation marks.
        let length = if left > 203 { 200 } else { left };
        let value = format!("\"{}\"", "x".repeat(length - 2));
        let name = format!("t{}.example.com", sets.len());
        sets.push(RecordSet::simple(&name, "TXT", 300, &[value]));
        left -= length;
    }
    sets
}

#[test]
fn a_request_holds_32000_characters_and_upserts_count_twice() {
    let all = |characters, f: fn(RecordSet) -> Change| -> Vec<Change> {
        text_sets(characters).into_iter().map(f).collect()
    };
    let words = "RDATA character limit of 32000 exceeded.";
    assert!(outcome(&all(32_000, Change::create)).is_ok());
    refused(&all(32_001, Change::create), words);
    assert!(outcome(&all(16_000, Change::upsert)).is_ok());
    refused(&all(16_001, Change::upsert), words);
}

#[test]
fn a_zone_holds_so_many_record_sets() {
    let mut zone = zone();
    zone.record_set_limit = 6;
    let mut new = sets(2, 1).into_iter().map(Change::create);
    zone.apply(&[new.next().unwrap()]).unwrap();
    let refusal = zone.apply(&[new.next().unwrap()]).unwrap_err();
    assert!(refusal[0].contains("limit of 6 exceeded"));
    let gone = zone.get("s0.example.com", "A").unwrap().clone();
    zone.apply(&[Change::delete(gone), Change::create(sets(2, 1).remove(1))])
        .unwrap();
}
