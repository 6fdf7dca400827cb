use std::time::Instant;

use super::*;
use crate::dns::RecordSet;
use crate::plan::Plan;
use crate::plan::guard::{Guard, GuardSettings};

const WORDS: &str = "not authorized";

fn key(text: &str) -> RecordKey {
    let (name, rtype) = text.split_once(' ').unwrap();
    let name = Name::parse(&format!("{name}.example.com")).unwrap();
    RecordKey::new(name, RecordType::parse(rtype))
}

fn set(text: &str) -> RecordSet {
    RecordSet::of_values(key(text), 300, ["192.0.2.1".to_owned()].into())
}

fn is_state_record(key: &RecordKey) -> bool {
    key.rtype == RecordType::Txt
}

fn below() -> Name {
    Name::parse("prod.example.com").unwrap()
}

fn of(trials: &Bisection, batch: &ChangeBatch) -> Option<Denied> {
    let words = WORDS.to_owned();
    denied(trials, batch, words, Some(&below()), is_state_record)
}

/// What is suspected of a batch that creates these record sets and rewrites a state record.
fn suspected(names: &[&str]) -> Option<Denied> {
    let mut sets: Vec<RecordSet> = names.iter().map(|name| set(name)).collect();
    sets.push(set("external-dns-x TXT"));
    let (deletes, creates) = (sets[..1].to_vec(), sets[1..].to_vec());
    let batch = ChangeBatch { deletes, creates };
    of(&Bisection::default(), &batch)
}

#[test]
fn what_is_outside_is_suspected_first_then_other_types() {
    for (names, expected, are_alone) in [
        (vec!["cart A", "web.prod A"], vec!["cart A"], false),
        (
            vec!["cart A", "prod A", "web.prod AAAA", "web.prod A"],
            vec!["cart A"],
            false,
        ),
        (
            vec!["cart A", "web.shop AAAA"],
            vec!["cart A", "web.shop AAAA"],
            true,
        ),
        (vec!["prod A", "web.prod AAAA"], vec!["prod A"], false),
        (
            vec!["web.prod AAAA", "web.prod A"],
            vec!["web.prod AAAA"],
            false,
        ),
        (vec!["web.prod AAAA"], vec!["web.prod AAAA"], true),
        (vec!["webprod A", "web.prod A"], vec!["webprod A"], false),
        (vec!["web.prod A", "db.prod A"], vec![], false),
        (vec!["web.prod A"], vec![], true),
        (vec!["external-dns-x-1 TXT"], vec![], false),
    ] {
        let suspected = suspected(&names);
        let keys: BTreeSet<RecordKey> = expected.iter().map(|name| key(name)).collect();
        match suspected {
            None => assert!(expected.is_empty(), "{names:?}"),
            Some(denied) => {
                assert_eq!(denied.suspects.keys, keys, "{names:?}");
                assert_eq!(denied.suspects.words, WORDS);
                assert_eq!(denied.are_alone, are_alone, "{names:?}");
            }
        }
    }
}

#[test]
fn without_the_environments_name_all_is_outside() {
    let batch = ChangeBatch {
        deletes: vec![],
        creates: vec![set("web.prod A")],
    };
    let denied = denied(
        &Bisection::default(),
        &batch,
        WORDS.to_owned(),
        None,
        is_state_record,
    );
    assert_eq!(
        denied.map(|denied| denied.suspects.keys),
        Some([key("web.prod A")].into())
    );
}

/// Plays rounds against a policy that denies some record sets: what is published, what is in
/// quarantine, and how many batches that took. None if the round fails.
fn round(
    names: &[&str],
    is_allowed: impl Fn(&RecordKey) -> bool,
) -> Option<(BTreeSet<RecordKey>, BTreeSet<RecordKey>, usize)> {
    let (mut published, mut quarantined) = (BTreeSet::new(), BTreeSet::new());
    let mut trials = Bisection::default();
    let mut calls = 0;
    let creates: Vec<RecordSet> = names.iter().map(|name| set(name)).collect();
    for _ in 0..1_000 {
        let open = |key: &RecordKey| !published.contains(key) && !quarantined.contains(key);
        let plan = Plan {
            creates: creates.clone(),
            ..Plan::default()
        };
        let (mut plan, _) = Guard::new(GuardSettings::OFF).approve(plan, 0, Instant::now());
        plan.retain(open);
        trials.limit(&mut plan);
        let batch = ChangeBatch {
            deletes: vec![],
            creates: plan.plan().creates.clone(),
        };
        calls += usize::from(!batch.creates.is_empty());
        let keys = || batch.creates.iter().map(|set| &set.key);
        if keys().all(&is_allowed) {
            published.extend(keys().cloned());
            if !trials.advance() {
                return Some((published, quarantined, calls));
            }
            continue;
        }
        let denied = of(&trials, &batch)?;
        if let Some(bad) = trials.deny(denied) {
            quarantined.extend(bad.keys);
        }
    }
    panic!("it doesn't end");
}

#[test]
fn exactly_what_is_denied_goes_into_quarantine() {
    let many: Vec<String> = (0..500).map(|n| format!("s{n}.web A")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let mixed: &[&str] = &[
        "cart A",
        "shop.cart AAAA",
        "prod A",
        "web.prod A",
        "web.prod AAAA",
        "db.prod AAAA",
    ];
    type Allowed = fn(&RecordKey) -> bool;
    let a_below: Allowed = |key| key.name.is_at_or_below(&below()) && key.rtype == RecordType::A;
    let all_but_aaaa: Allowed = |key| key.rtype != RecordType::Aaaa;
    let all_but_one: Allowed = |key| *key != RecordKey::new(key_of("s123.web"), RecordType::A);
    for (names, is_allowed, most_calls) in [
        (mixed, a_below, 12),
        (mixed, all_but_aaaa, 12),
        (&many[..], all_but_one, 22),
    ] {
        let (published, quarantined, calls) = round(names, is_allowed).expect("a round");
        for name in names {
            let key = key(name);
            assert_eq!(published.contains(&key), is_allowed(&key), "{name}");
            assert_eq!(quarantined.contains(&key), !is_allowed(&key), "{name}");
        }
        assert!(calls <= most_calls, "{calls} calls");
    }
}

fn key_of(name: &str) -> Name {
    Name::parse(&format!("{name}.example.com")).unwrap()
}

#[test]
fn a_policy_that_allows_nothing_fails_the_round() {
    assert_eq!(round(&["cart A", "web.prod A"], |_| false), None);
}

/// All of them are outside: no more than so many trials tell which are denied.
#[test]
fn looking_for_what_is_denied_has_an_end() {
    let many: Vec<String> = (0..800).map(|n| format!("s{n}.web A")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let (published, quarantined, calls) = round(&many, |_| false).expect("a round");
    assert_eq!((published.len(), quarantined.len()), (0, 800));
    assert!(calls <= 2 * MAX_TRIALS + 1, "{calls}");
}

#[test]
fn what_is_denied_alone_is_tried_type_by_type_before_name_by_name() {
    let tried = |names: &[&str]| {
        let batch = ChangeBatch {
            deletes: vec![],
            creates: names.iter().map(|name| set(name)).collect(),
        };
        let mut trials = Bisection::default();
        let denied = of(&trials, &batch);
        let bad = trials.deny(denied.expect("suspects"));
        (bad.map(|bad| bad.keys), trials.waiting)
    };
    let keys = |names: &[&str]| names.iter().map(|name| key(name)).collect::<BTreeSet<_>>();
    for (names, bad, waiting) in [
        (
            &["a AAAA", "b A", "c A"][..],
            None,
            &[&["b A", "c A"][..], &["a AAAA"]][..],
        ),
        (&["a A", "b A", "c A"], None, &[&["a A", "b A"], &["c A"]]),
        (&["a A"], Some(&["a A"][..]), &[]),
        // By its name it isn't denied, so all of its type are.
        (
            &["a.prod AAAA", "b.prod AAAA"],
            Some(&["a.prod AAAA", "b.prod AAAA"]),
            &[],
        ),
        (
            &["a.prod AAAA", "b.prod AAAA", "c.prod MX"],
            None,
            &[&["a.prod AAAA", "b.prod AAAA"], &["c.prod MX"]],
        ),
    ] {
        let waiting: Vec<BTreeSet<RecordKey>> = waiting.iter().map(|group| keys(group)).collect();
        assert_eq!(tried(names), (bad.map(keys), waiting), "{names:?}");
    }
}
