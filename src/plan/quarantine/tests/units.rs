//! Record sets that are only written together with others of their name.

use super::*;
use crate::plan::Replacement;
use crate::plan::quarantine::denied::denied;

const NOT_NAMED: &str = "no";
/// What is written without anything else.
const ALONE: [&str; 6] = [
    "api A",
    "cdn CNAME",
    "play#u A",
    "play#v A",
    "shop A",
    "shop AAAA",
];

/// An address that becomes a CNAME, a simple record set that becomes a weighted one, and new ones.
fn plan() -> Plan {
    let set = |text: &str| set(text, "x");
    let replacement = |deletes: &[&str], creates: &[&str]| Replacement {
        deletes: deletes.iter().map(|text| set(text)).collect(),
        creates: creates.iter().map(|text| set(text)).collect(),
    };
    Plan {
        creates: ALONE.map(set).to_vec(),
        replacements: vec![
            replacement(&["db A"], &["db CNAME"]),
            replacement(&["web A", "web AAAA"], &["web#u A", "web#v A"]),
        ],
        ..Plan::default()
    }
}

/// One batch of all that an approved plan has.
fn batch_of(plan: &ApprovedPlan) -> ChangeBatch {
    let plan = plan.plan();
    let mut batch = ChangeBatch {
        creates: plan.creates.clone(),
        ..ChangeBatch::default()
    };
    for replacement in &plan.replacements {
        batch.deletes.extend(replacement.deletes.iter().cloned());
        batch.creates.extend(replacement.creates.iter().cloned());
    }
    batch
}

fn keys_of(batch: &ChangeBatch) -> BTreeSet<RecordKey> {
    let sets = batch.deletes.iter().chain(&batch.creates);
    sets.map(|set| set.key.clone()).collect()
}

/// Makes a round of such a plan, whose batches with one of the bad record sets are refused. Returns the
/// groups that go into quarantine; everything else must have been written.
fn round(
    bad: &[&str],
    refused: impl Fn(&mut Bisection, &ChangeBatch) -> Vec<Suspects>,
) -> Vec<BTreeSet<RecordKey>> {
    let bad = keys(bad);
    let (mut done, mut found) = (BTreeSet::new(), Vec::<BTreeSet<RecordKey>>::new());
    let mut trials = Bisection::default();
    for _ in 0..40 {
        let mut plan = plan();
        let aside: BTreeSet<&RecordKey> = found.iter().flatten().collect();
        plan.retain(|key| !done.contains(key) && !aside.contains(key));
        let mut approved = approved(plan);
        trials.limit(&mut approved);
        let batch = batch_of(&approved);
        let tried = keys_of(&batch);
        if !tried.is_disjoint(&bad) {
            let more = refused(&mut trials, &batch);
            found.extend(more.into_iter().map(|suspects| suspects.keys));
            continue;
        }
        done.extend(tried);
        if !trials.advance() {
            let all = keys_of(&batch_of(&self::approved(self::plan())));
            let good = all
                .iter()
                .filter(|key| !found.iter().flatten().any(|f| f == *key));
            assert_eq!(good.cloned().collect::<BTreeSet<_>>(), done, "{bad:?}");
            return found;
        }
    }
    panic!("it has no end: {bad:?}")
}

#[test]
fn what_is_written_together_is_tried_together_and_refused_together() {
    let web = &["web A", "web AAAA", "web#u A", "web#v A"][..];
    for (bad, expected) in [
        (&["db CNAME"][..], &[&["db A", "db CNAME"][..]][..]),
        (&["web#v A"], &[web]),
        (&["web A"], &[web]),
        (&["cdn CNAME"], &[&["cdn CNAME"]]),
        // Nothing goes for these, so each can be written without the other.
        (&["play#v A"], &[&["play#v A"]]),
        (&["shop AAAA"], &[&["shop AAAA"]]),
        (
            &["db A", "shop A", "web#u A"],
            &[&["shop A"], &["db A", "db CNAME"], web],
        ),
    ] {
        let found = round(bad, |trials, batch| {
            let groups = suspects(batch, &[NOT_NAMED.to_owned()], is_state_record);
            let bad = groups.into_iter().filter_map(|group| trials.split(group));
            bad.collect()
        });
        let found: BTreeSet<_> = found.into_iter().collect();
        let expected = expected.iter().map(|group| keys(group)).collect();
        assert_eq!(found, expected, "{bad:?}");
    }
}

/// A message may mention only a part of what is written together.
#[test]
fn one_that_is_named_keeps_back_what_is_written_with_it_only() {
    let message = "'CNAME db.example.com.' is bad".to_owned();
    let bad = keys(&["db CNAME"]);
    let mut trials = Bisection::default();
    let batch = batch_of(&approved(plan()));
    let groups = suspects(&batch, &[message], is_state_record);
    let found: Vec<Suspects> = groups
        .into_iter()
        .filter_map(|group| trials.split(group))
        .collect();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].keys, bad);
    let mut rest = plan();
    rest.retain(|key| !bad.contains(key));
    assert_eq!(rest.replacements.len(), 1);
    assert_eq!(rest.creates, plan().creates);
}

/// As where only the first of several batches of a replacement is refused, which are no part of it.
#[test]
fn a_part_of_a_replacement_has_all_of_it_tried() {
    let mut trials = Bisection::default();
    trials.limit(&mut approved(plan()));
    let refused = Suspects {
        keys: keys(&["db A", "web A"]),
        words: NOT_NAMED.to_owned(),
    };
    assert_eq!(trials.split(refused), None);
    for expected in [
        &ALONE[..],
        &["db A", "db CNAME"],
        &["web A", "web AAAA", "web#u A", "web#v A"],
    ] {
        let mut limited = approved(plan());
        trials.limit(&mut limited);
        assert_eq!(keys_of(&batch_of(&limited)), keys(expected));
        trials.advance();
    }
}

#[test]
fn what_is_denied_is_denied_together_with_what_is_written_with_it() {
    let below = Name::parse("example.com").unwrap();
    let web = &["web A", "web AAAA", "web#u A", "web#v A"][..];
    for (bad, expected) in [
        // Types that a policy doesn't allow: all that is written together with one of them.
        (
            &["db CNAME", "cdn CNAME"][..],
            &[&["cdn CNAME"][..], &["db A", "db CNAME"]][..],
        ),
        (&["shop AAAA", "web AAAA"], &[&["shop AAAA"], web]),
    ] {
        let found = round(bad, |trials, batch| {
            let denied = denied(
                trials,
                batch,
                NOT_NAMED.to_owned(),
                Some(&below),
                is_state_record,
            );
            let denied = denied.expect("something is suspected");
            trials.deny(denied).into_iter().collect()
        });
        let found: BTreeSet<_> = found.into_iter().collect();
        let expected = expected.iter().map(|group| keys(group)).collect();
        assert_eq!(found, expected, "{bad:?}");
    }
}

#[test]
fn another_wish_for_one_has_all_of_its_name_tried_again() {
    let mut quarantine = Quarantine::default();
    let wanted = set("db CNAME", "lb.example.org.");
    quarantine.add(key("db A"), None, "no".to_owned());
    quarantine.add(wanted.key.clone(), Some(&wanted), "no".to_owned());
    quarantine.add(key("web A"), None, "no".to_owned());
    quarantine.review(&[(wanted.key.clone(), wanted.clone())].into());
    assert!(quarantine.holds(&key("db A")));
    let other = set("db CNAME", "other.example.org.");
    quarantine.review(&[(other.key.clone(), other)].into());
    assert!(!quarantine.holds(&key("db A")) && !quarantine.holds(&wanted.key));
    assert!(quarantine.holds(&key("web A")));
}
