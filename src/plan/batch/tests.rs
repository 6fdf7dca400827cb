use std::collections::BTreeMap;
use std::time::Instant;

use super::*;
use crate::dns::zone::Listed;
use crate::dns::{Name, RecordKey, RecordType, Zone};
use crate::plan::guard::{Guard, GuardSettings};
use crate::plan::state_records::{MAX_CHARACTERS, MAX_ENTRIES};
use crate::plan::{Adopt, Policy, plan};

const TTL: u32 = 300;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn names() -> StateNames {
    StateNames::new("u", &name("example.com")).unwrap()
}

fn key(text: &str) -> RecordKey {
    RecordKey::new(name(&format!("{text}.example.com")), RecordType::A)
}

fn a(text: &str, value: &str) -> RecordSet {
    RecordSet {
        key: key(text),
        ttl: TTL,
        values: [value.to_owned()].into(),
    }
}

/// `external-dns-u` (0) or a continuation, with these values without their quotes.
fn state_record(index: u16, values: &[impl AsRef<str>]) -> RecordSet {
    let quoted = values.iter().map(|v| format!("\"{}\"", v.as_ref()));
    RecordSet {
        key: RecordKey::new(names().name(index), RecordType::Txt),
        ttl: TTL,
        values: quoted.collect(),
    }
}

/// The batches for a zone and what is desired, and the zone after them.
fn run(zone: &[RecordSet], desired: &[RecordSet]) -> (Vec<ChangeBatch>, Zone) {
    let mut view = Zone::default();
    for set in zone {
        view.insert(set.key.clone(), Listed::Simple(set.clone()));
    }
    let state = StateRecords::read(&view, &names());
    let desired: BTreeMap<RecordKey, RecordSet> = desired
        .iter()
        .map(|set| (set.key.clone(), set.clone()))
        .collect();
    let plan = plan(&desired, &view, &state, Policy::Sync, &Adopt::Never);
    let mut guard = Guard::new(GuardSettings::OFF);
    let (approved, _) = guard.approve(plan, 0, Instant::now());
    let batches = batches(&approved, &state, &names(), TTL);
    for batch in &batches {
        view.apply(batch);
    }
    (batches, view)
}

#[test]
fn an_entry_that_stands_there_twice_in_other_letters_is_no_reason_to_write() {
    let zone = [
        a("web", "192.0.2.1"),
        state_record(0, &["web.example.com.", "WEB.example.com"]),
    ];
    assert_eq!(run(&zone, &[a("web", "192.0.2.1")]).0, []);
}

/// No request can have made such a record, since a CREATE of it doesn't fit into one; but who
/// knows what limits there have been.
#[test]
fn record_sets_go_even_if_their_state_record_is_too_long_to_be_written() {
    let long: Vec<String> = (0..400)
        .map(|i| format!("{i}.{}.example.com.", "x".repeat(63)))
        .collect();
    let kept: Vec<RecordSet> = long[..399]
        .iter()
        .map(|text| RecordSet {
            key: RecordKey::new(name(text), RecordType::A),
            ..a("x", "192.0.2.1")
        })
        .collect();
    let gone = RecordSet {
        key: RecordKey::new(name(&long[399]), RecordType::A),
        ..a("x", "192.0.2.2")
    };
    let mut zone = kept.clone();
    zone.push(gone.clone());
    zone.push(state_record(0, &long));
    assert!(zone.last().unwrap().characters() > MAX_VALUE_CHARACTERS);
    let (batches, after) = run(&zone, &kept);
    assert_eq!(after.get(&gone.key), None);
    assert!(batches.iter().all(|batch| {
        let sets = || batch.deletes.iter().chain(&batch.creates);
        sets().map(Cost::of_set).sum::<Cost>().fits()
    }));
}

/// Two record sets that are allowed each, but not in one request.
#[test]
fn a_change_that_no_request_holds_is_made_in_two() {
    let aaaa = RecordKey::new(name("web.example.com"), RecordType::Aaaa);
    let of = |spelled: fn(u32) -> String| RecordSet {
        key: aaaa.clone(),
        ttl: TTL,
        values: (10_000..10_400).map(spelled).collect(),
    };
    let long = of(|i| {
        format!(
            "2001:0db8:0000:0000:0000:ffff:100.100.1{:02}.1{:02}",
            i / 100 % 100,
            i % 100
        )
    });
    let desired = of(|i| format!("2001:db8:aaaa:bbbb:cccc:dddd:eeee:{i:x}"));
    assert!(!Cost::of_set(&long).plus(Cost::of_set(&desired)).fits());
    let record = state_record(0, &["web.example.com. AAAA"]);
    let (batches, after) = run(&[long.clone(), record], std::slice::from_ref(&desired));
    assert_eq!(after.simple(&aaaa), Some(&desired));
    assert_eq!(batches.len(), 2);
    assert_eq!(batches[0].deletes, [long]);
    assert_eq!(batches[1].creates, [desired]);
}

/// As a service that changes its addresses and one that comes and one that goes: the usual.
#[test]
fn a_batch_deletes_first_and_is_sorted() {
    let zone = [
        a("web", "192.0.2.1"),
        a("old", "192.0.2.3"),
        state_record(0, &["web.example.com.", "old.example.com."]),
    ];
    let desired = [a("web", "192.0.2.2"), a("new", "192.0.2.4")];
    let (batches, _) = run(&zone, &desired);
    assert_eq!(
        batches,
        [ChangeBatch {
            deletes: vec![zone[2].clone(), zone[1].clone(), zone[0].clone()],
            creates: vec![
                state_record(0, &["new.example.com.", "web.example.com."]),
                desired[1].clone(),
                desired[0].clone(),
            ],
        }]
    );
}

#[test]
fn new_entries_go_to_the_first_state_record_with_room() {
    let full: Vec<String> = (0..100).map(|i| format!("n{i}.example.com.")).collect();
    let mut zone: Vec<RecordSet> = (0..100).map(|i| a(&format!("n{i}"), "192.0.2.1")).collect();
    let mut desired = zone.clone();
    zone.push(a("web", "192.0.2.2"));
    desired.push(a("web", "192.0.2.2"));
    desired.push(a("new", "192.0.2.3"));
    zone.extend([
        state_record(0, &full),
        state_record(7, &["web.example.com."]),
    ]);
    let (batches, after) = run(&zone, &desired);
    assert_eq!(batches.len(), 1);
    let written = state_record(7, &["new.example.com.", "web.example.com."]);
    assert_eq!(after.simple(&written.key), Some(&written));
}

#[test]
fn a_state_record_that_grows_by_being_written_in_the_usual_way_is_split() {
    let odd: Vec<String> = (10..110)
        .map(|i| format!("N{i:03}.{}.example.com", "x".repeat(41)))
        .collect();
    let record = state_record(0, &odd);
    assert_eq!(
        (odd.len(), record.characters()),
        (MAX_ENTRIES, MAX_CHARACTERS)
    );
    let kept: Vec<RecordSet> = odd[1..]
        .iter()
        .map(|text| RecordSet {
            key: RecordKey::new(name(text), RecordType::A),
            ..a("x", "192.0.2.1")
        })
        .collect();
    let mut zone = kept.clone();
    zone.push(record);
    let (batches, after) = run(&zone, &kept);
    let records = [0, 1].map(|index| {
        let key = RecordKey::new(names().name(index), RecordType::Txt);
        after.simple(&key).unwrap()
    });
    assert!(
        records
            .iter()
            .all(|record| record.characters() <= MAX_CHARACTERS)
    );
    assert_eq!(records.map(|record| record.values.len()), [98, 1]);
    assert_eq!(batches.len(), 1);
}
