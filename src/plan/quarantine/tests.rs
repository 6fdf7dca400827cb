use std::time::Instant;

use super::*;
use crate::dns::Name;
use crate::plan::Plan;
use crate::plan::guard::{Guard, GuardSettings};

fn key(text: &str) -> RecordKey {
    let (name, rtype) = text.split_once(' ').unwrap();
    let name = Name::parse(&format!("{name}.example.com")).unwrap();
    RecordKey::new(name, RecordType::parse(rtype))
}

fn set(text: &str, value: &str) -> RecordSet {
    RecordSet {
        key: key(text),
        ttl: 300,
        values: [value.to_owned()].into(),
    }
}

fn keys(text: &[&str]) -> BTreeSet<RecordKey> {
    text.iter().map(|text| key(text)).collect()
}

fn is_state_record(key: &RecordKey) -> bool {
    key.rtype == RecordType::Txt
}

/// A batch that deletes a record set, creates four, and rewrites a state record.
fn batch() -> ChangeBatch {
    ChangeBatch {
        deletes: vec![set("old A", "192.0.2.9"), set("state TXT", "\"x\"")],
        creates: vec![
            set("web A", "192.0.2.1"),
            set("web AAAA", "2001:db8::1"),
            set("db A", "192.0.2.2"),
            set("webdb A", "192.0.2.2"),
            set("state TXT", "\"y\""),
        ],
    }
}

#[test]
fn messages_name_record_sets() {
    let batch = batch();
    let everything = &["old A", "web A", "web AAAA", "db A", "webdb A"][..];
    // As seen live, or as the service might say it.
    for (messages, expected) in [
        (
            &[
                "RRSet of type A with DNS name web.example.com. is not permitted because a \
               conflicting RRSet of type  CNAME with the same DNS name already exists in zone z.",
            ][..],
            &[&["web A"][..]][..],
        ),
        (
            &["RRSet of type AAAA with DNS name web.example.com. is not permitted"],
            &[&["web AAAA"]],
        ),
        (
            &["RRSet with DNS name web.example.com. is not permitted in zone z."],
            &[&["web A", "web AAAA"]],
        ),
        (
            &["Tried to delete resource record set [name='old.example.com.', type='A'] but …"],
            &[&["old A"]],
        ),
        (
            &[
                "The request contains an invalid set of changes for a resource record set \
               'A db.example.com.'",
            ],
            &[&["db A"]],
        ),
        (
            &[
                "Invalid Resource Record: FATAL problem: ARRDATAIllegalIPv4Address (Value is not a \
               valid IPv4 address) encountered with '192.0.2.1'",
            ],
            &[&["web A"]],
        ),
        (
            &["Duplicate Resource Record: '192.0.2.2'"],
            &[&["db A", "webdb A"]],
        ),
        (
            &["db.example.com. is bad", "old.example.com. is bad"],
            &[&["db A"], &["old A"]],
        ),
        (&["Something is bad"], &[everything]),
        (&[], &[everything]),
        (
            &["'TXT state.example.com.' is bad", "db.example.com. is bad"],
            &[],
        ),
    ] {
        let messages: Vec<String> = messages.iter().map(|m| (*m).to_owned()).collect();
        let found = suspects(&batch, &messages, is_state_record).into_iter();
        let found: BTreeSet<BTreeSet<RecordKey>> = found.map(|group| group.keys).collect();
        let expected = expected.iter().map(|group| keys(group)).collect();
        assert_eq!(found, expected, "{messages:?}");
    }
}

#[test]
fn a_batch_of_state_records_only_has_no_suspects() {
    let bookkeeping = ChangeBatch {
        deletes: vec![],
        creates: vec![set("state TXT", "\"y\"")],
    };
    assert_eq!(suspects(&bookkeeping, &[], is_state_record), []);
}

#[test]
fn groups_are_halved_until_the_bad_ones_are_found() {
    let names: Vec<String> = (0..500).map(|i| format!("web{i} A")).collect();
    for bad in [&[][..], &[0], &[499], &[77, 78, 400]] {
        let bad: BTreeSet<RecordKey> = bad.iter().map(|i| key(&names[*i])).collect();
        let (mut done, mut found) = (BTreeSet::new(), BTreeSet::new());
        let mut trials = Bisection::default();
        let refused = |keys: BTreeSet<RecordKey>| Suspects {
            keys,
            words: "no".to_owned(),
        };
        let all = names.iter().map(|name| key(name)).collect();
        assert_eq!(trials.split(refused(all)), None);
        loop {
            let creates = names.iter().map(|name| set(name, "192.0.2.1"));
            let mut plan = Plan {
                creates: creates.collect(),
                ..Plan::default()
            };
            plan.retain(|key| !done.contains(key) && !found.contains(key));
            let mut approved = approved(plan);
            trials.limit(&mut approved);
            let creates = approved.plan().creates.iter();
            let batch: BTreeSet<RecordKey> = creates.map(|set| set.key.clone()).collect();
            if batch.is_disjoint(&bad) {
                done.extend(batch);
                if !trials.advance() {
                    break;
                }
            } else if let Some(bad_ones) = trials.split(refused(batch)) {
                assert_eq!(bad_ones.keys.len(), 1);
                found.extend(bad_ones.keys);
            }
        }
        assert_eq!(found, bad);
        assert_eq!(done.len() + found.len(), 500);
        assert!(trials.count <= 2 + 2 * 9 * bad.len(), "{}", trials.count);
    }
}

#[test]
fn it_lasts_until_something_else_is_desired() {
    let mut quarantine = Quarantine::default();
    let web = set("web A", "192.0.2.1");
    let desired = |sets: &[&RecordSet]| -> BTreeMap<RecordKey, RecordSet> {
        let sets = sets.iter().map(|set| (set.key.clone(), (*set).clone()));
        sets.collect()
    };
    quarantine.add(web.key.clone(), Some(&web), "no".to_owned());
    quarantine.add(key("old A"), None, "never".to_owned());
    quarantine.review(&desired(&[&web]));
    assert!(quarantine.holds(&web.key) && quarantine.holds(&key("old A")));
    assert_eq!(quarantine.list().len(), 2);
    quarantine.review(&desired(&[
        &set("web A", "192.0.2.2"),
        &set("old A", "192.0.2.3"),
    ]));
    assert_eq!(quarantine.list(), []);
}

/// The plan as a guard that is turned off passes it on.
fn approved(plan: Plan) -> ApprovedPlan {
    let mut guard = Guard::new(GuardSettings::OFF);
    guard.approve(plan, 0, Instant::now()).0
}

#[test]
fn what_is_in_conflict_is_not_refused_at_the_same_time() {
    let mut quarantine = Quarantine::default();
    for name in ["web A", "db A"] {
        quarantine.add(key(name), None, "words".to_owned());
    }
    quarantine.release_conflicts(&[Conflict {
        key: key("web A"),
        reason: crate::plan::ConflictReason::Cname,
    }]);
    assert!(!quarantine.holds(&key("web A")) && quarantine.holds(&key("db A")));
}
