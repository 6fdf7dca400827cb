//! What goes into a batch together with one write of a state record.

use super::*;
use crate::plan::batch::load::Load;
use crate::plan::batch::rewrites::{NewEntry, Rewrite};

fn owned(text: &str) -> Entry {
    Entry::Owned(key(text))
}

fn claim() -> Entry {
    Entry::Claim(Claim::new("rancher:8080", None))
}

fn new_entry(entry: Entry, create: Option<&RecordSet>) -> NewEntry<'_> {
    let entry_cost = Cost::of_entry(&entry);
    NewEntry {
        cost: entry_cost.plus(create.map(Cost::of_set).unwrap_or_default()),
        entry,
        create,
        entry_cost,
    }
}

fn set_of(text: &str, values: usize) -> RecordSet {
    RecordSet::of_values(
        key(text),
        TTL,
        (0..values)
            .map(|i| format!("192.0.{}.{}", i / 250, i % 250))
            .collect(),
    )
}

/// A state record that exists and keeps these entries.
fn rewrite<'a>(index: u16, kept: &[Entry]) -> Rewrite<'a> {
    let old = RecordSet::of_values(
        RecordKey::new(names().name(index), RecordType::Txt),
        TTL,
        Entry::values(kept),
    );
    Rewrite {
        old: Some(old).filter(|_| !kept.is_empty()),
        listed: kept.len(),
        kept: kept.iter().cloned().collect(),
        ..Rewrite::of_new_record(index)
    }
}

/// What the load really takes of the request.
fn written(load: &Load, rewrite: &Rewrite<'_>, new_entries: &[NewEntry<'_>]) -> Cost {
    let added = || load.new_entries.iter().map(|i| &new_entries[*i]);
    let left = rewrite.deletes.iter().enumerate();
    let left = left.filter(|(i, _)| !load.deletes.contains(i));
    let mut entries: Vec<Entry> = rewrite.kept.iter().cloned().collect();
    entries.extend(left.map(|(_, set)| Entry::Owned(set.key.clone())));
    entries.extend(added().map(|add| add.entry.clone()));
    let new = RecordSet::of_values(
        RecordKey::new(names().name(rewrite.index), RecordType::Txt),
        TTL,
        Entry::values(&entries),
    );
    let deletes = load.deletes.iter().map(|i| rewrite.deletes[*i]);
    let creates = load.creates.iter().map(|i| rewrite.creates[*i]);
    let sets = deletes
        .chain(creates)
        .chain(added().filter_map(|add| add.create));
    let sets = sets.chain(&rewrite.old).chain([&new]);
    sets.map(Cost::of_set).sum()
}

#[test]
fn what_is_reckoned_is_what_is_written() {
    let web = set_of("web", 3);
    let foreign = Entry::Foreign("\"x\"".to_owned());
    let new = |entries: &[Entry]| -> Vec<NewEntry<'_>> {
        entries
            .iter()
            .map(|entry| new_entry(entry.clone(), None))
            .collect()
    };
    // A claim that stands alone is reckoned with the space that it would have behind an entry.
    for (kept, added, space) in [
        (vec![], new(&[claim()]), 1),
        (vec![foreign.clone()], new(&[claim()]), 1),
        (vec![], new(&[claim(), owned("a")]), 0),
        (vec![owned("a")], new(&[claim()]), 0),
        (vec![owned("a")], new(&[claim(), owned("b")]), 0),
        (vec![owned("a")], new(&[owned("b")]), 0),
        (vec![owned("a"), claim()], new(&[owned("b")]), 0),
        (vec![foreign], new(&[owned("b")]), 0),
        (
            vec![owned("a")],
            vec![new_entry(owned("web"), Some(&web))],
            0,
        ),
    ] {
        let rewrite = rewrite(1, &kept);
        let load = Load::fitting(&rewrite, &added, Cost::default()).expect("a load");
        assert_eq!(load.new_entries.len(), added.len());
        let mut expected = written(&load, &rewrite, &added);
        expected.characters += space;
        assert_eq!(load.cost, expected, "{kept:?}");
    }
    let (gone, missing) = (set_of("gone", 2), set_of("missing", 3));
    let both = Rewrite {
        deletes: vec![&gone],
        creates: vec![&missing],
        ..rewrite(1, &[owned("a"), owned("missing")])
    };
    let load = Load::fitting(&both, &[], Cost::default()).expect("a load");
    assert!(load.completes(&both));
    assert_eq!(load.cost, written(&load, &both, &[]));
    assert!(!Load::default().completes(&both));
}

#[test]
fn the_claim_goes_only_where_it_may_stand() {
    let all = [new_entry(claim(), None)];
    let long: Vec<Entry> = (0..100).map(|i| owned(&format!("s{i}"))).collect();
    let too_long = Rewrite {
        is_too_long: true,
        ..rewrite(1, &[owned("a")])
    };
    for (rewrite, used, expected) in [
        (rewrite(1, &[owned("a")]), Cost::default(), true),
        (rewrite(0, &[owned("a")]), Cost::default(), false),
        (too_long, Cost::default(), false),
        (rewrite(1, &long), Cost::default(), false),
        (
            rewrite(1, &[owned("a")]),
            Cost {
                records: 0,
                characters: MAX_VALUE_CHARACTERS - 50,
            },
            false,
        ),
    ] {
        let load = Load::fitting(&rewrite, &all, used);
        assert_eq!(load.is_some(), expected, "{} {used:?}", rewrite.index);
    }
}

#[test]
fn a_new_entry_waits_for_the_last_write_unless_something_waits_for_it() {
    let (small, large, new) = (set_of("small", 1), set_of("large", 400), set_of("new", 1));
    let all = [
        new_entry(owned("old"), None),
        new_entry(owned("new"), Some(&new)),
    ];
    let rewrite = Rewrite {
        creates: vec![&small, &large],
        ..rewrite(1, &[owned("small"), owned("large")])
    };
    for (used, creates, new_entries) in [(0, 2, vec![0, 1]), (700, 1, vec![0])] {
        let used = Cost {
            records: used,
            characters: 0,
        };
        let load = Load::fitting(&rewrite, &all, used).expect("a load");
        assert_eq!(load.creates.len(), creates);
        assert_eq!(Vec::from_iter(load.new_entries), new_entries);
    }
}

#[test]
fn a_new_entry_needs_room_in_the_state_record_and_in_the_request() {
    let kept =
        |count: usize| -> Vec<Entry> { (0..count).map(|i| owned(&format!("s{i}"))).collect() };
    let all = [new_entry(owned("new"), None)];
    // Entries, values that the request has already, and whether there is room.
    for (entries, used, expected) in [
        (98, 0, true),
        (99, 0, true),
        (100, 0, false),
        (10, MAX_RECORDS - 21, true),
        (10, MAX_RECORDS - 20, false),
    ] {
        let used = Cost {
            records: used,
            characters: 0,
        };
        let load = Load::fitting(&rewrite(1, &kept(entries)), &all, used);
        assert_eq!(load.is_some(), expected, "{entries} {used:?}");
    }
}

#[test]
fn a_record_set_that_takes_more_than_its_entry_goes_all_the_same() {
    let web = set_of("web", 30);
    let zone = [web.clone(), state_record(0, &["web.example.com."])];
    let (batches, after) = run(&zone, &[]);
    assert_eq!(batches.len(), 1);
    assert_eq!(after.get(&web.key), None);
}
