use std::time::{Duration, Instant};

use super::*;
use crate::dns::Name;
use crate::plan::guard::{Guard, GuardSettings};
use crate::plan::state_records::Claim;
use crate::plan::{ClaimChange, Plan};

mod units;

/// `web A`, or `web#id A` for one of several.
fn key(text: &str) -> RecordKey {
    let (name, rtype) = text.split_once(' ').unwrap();
    let (name, set_id) = match name.split_once('#') {
        Some((name, set_id)) => (name, Some(set_id.into())),
        None => (name, None),
    };
    let name = Name::parse(&format!("{name}.example.com")).unwrap();
    RecordKey::with_set_id(name, RecordType::parse(rtype), set_id)
}

fn set(text: &str, value: &str) -> RecordSet {
    RecordSet::of_values(key(text), 300, [value.to_owned()].into())
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
fn messages_about_a_health_check_are_about_the_record_sets_that_have_it() {
    let checked = |text: &str, id: &str| RecordSet {
        health_check: Some(id.into()),
        ..set(text, "192.0.2.1")
    };
    let batch = ChangeBatch {
        deletes: vec![checked("old A", "c-1")],
        creates: vec![
            checked("web A", "c-1"),
            checked("db A", "c-2"),
            checked("cache A", "c-11"),
            set("plain A", "192.0.2.1"),
            set("state TXT", "\"y\""),
        ],
    };
    let everything = &["old A", "web A", "db A", "cache A", "plain A"][..];
    for (message, expected) in [
        (
            "A health check with id c-1 does not exist.",
            &["old A", "web A"][..],
        ),
        (
            "The specified health check does not exist: c-11",
            &["cache A"],
        ),
        (
            "No health check exists with the specified ID 'c-2'.",
            &["db A"],
        ),
        ("A health check with id c-3 does not exist.", everything),
    ] {
        let found = suspects(&batch, &[message.to_owned()], is_state_record);
        let found: Vec<BTreeSet<RecordKey>> = found.into_iter().map(|group| group.keys).collect();
        assert_eq!(found, [keys(expected)], "{message}");
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

/// Names of record sets to create.
fn web(count: usize) -> Vec<RecordKey> {
    (0..count).map(|i| key(&format!("web{i} A"))).collect()
}

/// Creates record sets as a round does, halving what is refused. `refuse` has the words of the
/// refusal, if a batch of these record sets is refused. Returns what was created, the groups that
/// go into quarantine, and how many groups were tried.
fn bisect(
    all: &[RecordKey],
    mut refuse: impl FnMut(&BTreeSet<RecordKey>) -> Option<&'static str>,
) -> (BTreeSet<RecordKey>, Vec<BTreeSet<RecordKey>>, usize) {
    let creates = all
        .iter()
        .map(|key| RecordSet::of_values(key.clone(), 300, ["192.0.2.1".to_owned()].into()));
    let creates: Vec<RecordSet> = creates.collect();
    let (mut done, mut found) = (BTreeSet::new(), Vec::<BTreeSet<RecordKey>>::new());
    let mut trials = Bisection::default();
    let mut tried = 0;
    for _ in 0..2 * all.len() {
        let mut plan = Plan {
            creates: creates.clone(),
            ..Plan::default()
        };
        let aside: BTreeSet<&RecordKey> = found.iter().flatten().collect();
        plan.retain(|key| !done.contains(key) && !aside.contains(key));
        let mut approved = approved(plan);
        trials.limit(&mut approved);
        let creates = approved.plan().creates.iter();
        let batch: BTreeSet<RecordKey> = creates.map(|set| set.key.clone()).collect();
        let words = refuse(&batch).filter(|_| !batch.is_empty());
        if let Some(words) = words {
            let refused = Suspects {
                keys: batch,
                words: words.to_owned(),
            };
            found.extend(trials.split(refused).map(|bad| bad.keys));
            continue;
        }
        done.extend(batch);
        if !trials.advance() {
            return (done, found, tried);
        }
        tried += 1;
    }
    panic!("it has no end")
}

#[test]
fn groups_are_halved_until_the_bad_ones_are_found() {
    let all = web(250);
    for bad in [&[][..], &[0], &[249], &[77, 78, 200]] {
        let bad: BTreeSet<RecordKey> = bad.iter().map(|i| all[*i].clone()).collect();
        let (done, found, tried) = bisect(&all, |batch| (!batch.is_disjoint(&bad)).then_some("no"));
        assert!(found.iter().all(|group| group.len() == 1));
        assert_eq!(
            found.iter().flatten().cloned().collect::<BTreeSet<_>>(),
            bad
        );
        assert_eq!(done.len() + found.len(), 250);
        assert!(tried <= 2 + 2 * 8 * bad.len(), "{tried}");
    }
}

#[test]
fn after_so_many_trials_what_is_refused_is_set_aside_as_it_is() {
    let all = web(250);
    let (done, found, tried) = bisect(&all, |_| Some("no"));
    assert_eq!(done, BTreeSet::new());
    assert_eq!(found.iter().map(BTreeSet::len).sum::<usize>(), 250);
    // The first 99 groups that are tried are halved: 2 + 4 + … + 32 and 37 of the next 64. The other
    // 27 and the halves of the 37 are tried once.
    assert_eq!(found.len(), 27 + 2 * 37);
    assert_eq!(tried, 99 + 27 + 2 * 37);
}

#[test]
fn what_room_a_full_zone_has_is_found_and_used() {
    let all = web(100);
    for (room, tries) in [(0, 14), (1, 14), (37, 12), (99, 12)] {
        let mut left = room;
        let (done, found, tried) = bisect(&all, |batch| {
            if batch.len() > left {
                return Some("… exceeds the RRSets limit of 10000 in zone z.");
            }
            left -= batch.len();
            None
        });
        assert_eq!(done.len(), room);
        assert_eq!(found.iter().map(BTreeSet::len).sum::<usize>(), 100 - room);
        assert_eq!(tried, tries, "{room}");
    }
}

#[test]
fn in_a_full_zone_only_what_is_new_is_suspect() {
    let mut batch = batch();
    batch.deletes.push(set("db A", "192.0.2.22")); // it changes
    let full = "This operation can't be completed because … RRSets limit of 10000".to_owned();
    let found = suspects(&batch, std::slice::from_ref(&full), is_state_record);
    let expected = Suspects {
        keys: keys(&["web A", "web AAAA", "webdb A"]),
        words: full.clone(),
    };
    assert_eq!(found, [expected]);

    batch.creates.clear();
    assert_eq!(suspects(&batch, &[full], is_state_record), []);
}

#[test]
fn a_message_about_a_name_is_about_that_name_only() {
    let batch = ChangeBatch {
        deletes: vec![],
        creates: vec![
            set("a A", "192.0.2.1"),
            set("b.a A", "192.0.2.2"),
            set("c-a A", "192.0.2.3"),
            set("a AAAA", "2001:db8::1"),
        ],
    };
    for (message, expected) in [
        ("a.example.com. is bad", &["a A", "a AAAA"][..]),
        ("b.a.example.com. is bad", &["b.a A"]),
        ("c-a.example.com. is bad", &["c-a A"]),
        ("[name='a.example.com.', type='AAAA'] is bad", &["a AAAA"]),
        (
            "'AAAA a.example.com.' and 'A a.example.com.'",
            &["a A", "a AAAA"],
        ),
        // A longer name that begins like one of them is none of them.
        (
            "a.example.com.example.org. is bad",
            &["a A", "a AAAA", "b.a A", "c-a A"],
        ),
    ] {
        let found = suspects(&batch, &[message.to_owned()], is_state_record);
        let found: Vec<BTreeSet<RecordKey>> = found.into_iter().map(|group| group.keys).collect();
        assert_eq!(found, [keys(expected)], "{message}");
    }
}

#[test]
fn the_words_of_all_messages_about_a_record_set_are_kept() {
    let messages = ["db.example.com. is bad", "'A db.example.com.' is wrong"].map(str::to_owned);
    let found = suspects(&batch(), &messages, is_state_record);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].words, messages.join("; "));
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
    assert!(!quarantine.holds(&key("db A")));
    assert_eq!(quarantine.list().len(), 2);
    quarantine.review(&desired(&[
        &set("web A", "192.0.2.2"),
        &set("old A", "192.0.2.3"),
    ]));
    assert!(!quarantine.holds(&web.key) && !quarantine.holds(&key("old A")));
    assert_eq!(quarantine.list().len(), 2, "until they were tried");
    quarantine.retried(None);
    assert_eq!(quarantine.list(), []);

    quarantine.add(web.key.clone(), Some(&web), "no".to_owned());
    let listed = Quarantined {
        key: web.key.clone(),
        words: "no".to_owned(),
    };
    assert_eq!(quarantine.list(), [listed]);
    quarantine.clear();
    assert_eq!(quarantine.list(), []);
}

#[test]
fn what_is_tried_again_counts_as_refused_until_it_was_tried() {
    let mut quarantine = Quarantine::default();
    let keys = [key("db A"), key("web A")];
    for key in &keys {
        quarantine.add(key.clone(), None, "no".to_owned());
    }
    let listed = |quarantine: &Quarantine| -> Vec<(RecordKey, String)> {
        let list = quarantine.list().into_iter();
        list.map(|case| (case.key, case.words)).collect()
    };
    let [db, web] = keys.clone().map(|key| (key, "no".to_owned()));
    quarantine.retry();
    assert!(!quarantine.holds(&db.0) && !quarantine.holds(&web.0));
    assert_eq!(listed(&quarantine), [db.clone(), web.clone()]);

    quarantine.add(db.0.clone(), None, "never".to_owned());
    assert!(quarantine.holds(&db.0) && !quarantine.holds(&web.0));
    let db = (db.0, "never".to_owned());
    assert_eq!(listed(&quarantine), [db.clone(), web]);

    quarantine.retried(None);
    assert_eq!(listed(&quarantine), [db]);
}

#[test]
fn what_was_applied_is_not_refused_any_more() {
    let mut quarantine = Quarantine::default();
    let batch = batch();
    let sets = batch.deletes.iter().chain(&batch.creates);
    let other = key("other A");
    for key in sets.map(|set| &set.key).chain([&other]) {
        quarantine.add(key.clone(), None, "no".to_owned());
    }
    quarantine.retry();
    quarantine.applied(&batch);
    let listed: Vec<RecordKey> = quarantine.list().into_iter().map(|case| case.key).collect();
    assert_eq!(listed, [other]);
}

#[test]
fn a_refused_delete_that_waits_has_not_been_tried() {
    let mut quarantine = Quarantine::default();
    let held = HeldDeletes {
        keys: vec![key("old A")],
        owned: 1,
        until: Instant::now(),
        hold: Duration::ZERO,
    };
    for name in ["old A", "web A"] {
        quarantine.add(key(name), None, "no".to_owned());
    }
    quarantine.retry();
    quarantine.retried(Some(&held));
    let listed: Vec<RecordKey> = quarantine.list().into_iter().map(|case| case.key).collect();
    assert_eq!(listed, [key("old A")]);
    quarantine.retried(None);
    assert_eq!(quarantine.list(), []);
}

/// The batch creates a state record, as one does that has the claim.
#[test]
fn in_a_full_zone_a_batch_with_a_new_state_record_is_tried_once_without_the_claim() {
    let full = "This operation can't be completed because … RRSets limit of 10000";
    let new = ChangeBatch {
        creates: vec![set("web A", "192.0.2.1"), set("state TXT", "\"x\"")],
        ..ChangeBatch::default()
    };
    let without = ChangeBatch {
        creates: vec![set("web A", "192.0.2.1")],
        ..ChangeBatch::default()
    };
    let rewritten = ChangeBatch {
        deletes: vec![set("state TXT", "\"y\"")],
        creates: vec![set("state TXT", "\"x\"")],
    };
    for (batch, message, expected) in [
        (&rewritten, full, false),
        (&new, full, true),
        (&new, "another reason", false),
        (&batch(), full, false), // its state record exists
        (&without, full, false),
    ] {
        let mut bisection = Bisection::default();
        let messages = [message.to_owned()];
        let claim = ClaimChange::Write(Claim::new("rancher:8080", None));
        let plan = |claim| Plan {
            claim,
            ..Plan::default()
        };
        for is_first in [true, false] {
            let is_tried = bisection.leave_claim_out(batch, &messages);
            assert_eq!(is_tried, expected && is_first, "{message} {batch:?}");
            let mut limited = approved(plan(claim.clone()));
            bisection.limit(&mut limited);
            let left = match expected {
                true => ClaimChange::Keep,
                false => claim.clone(),
            };
            assert_eq!(*limited.plan(), plan(left));
        }
    }
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
        found: None,
    }]);
    assert!(!quarantine.holds(&key("web A")) && quarantine.holds(&key("db A")));
}
