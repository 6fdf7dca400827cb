//! State records that other programs have made longer than this one writes them.

use super::*;

/// Only our own entries move to other state records.
#[test]
fn a_text_of_somebody_else_stays_in_a_state_record_that_is_divided() {
    let names: Vec<String> = (0..121).map(|i| format!("s{i}.example.com.")).collect();
    let texts = ["note of the operator", "v=spf1 -all"].map(str::to_owned);
    let sets = names.iter().map(|text| RecordSet {
        key: RecordKey::new(name(text), RecordType::A),
        ..a("x", "192.0.2.1")
    });
    let sets: Vec<RecordSet> = sets.collect();
    let record = state_record(0, &[&names[..], &texts].concat());
    let zone = [&sets[..], std::slice::from_ref(&record)].concat();
    let (_, after) = run(&zone, &sets[1..]);
    let written = after.whole(&record.key).expect("it");
    assert_ne!(written, &record);
    for text in &texts {
        let values = written.in_order();
        assert!(values.contains(&&format!("{text:?}")), "{values:?}");
    }
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
        after.whole(&key).unwrap()
    });
    assert!(
        records
            .iter()
            .all(|record| record.characters() <= MAX_CHARACTERS)
    );
    assert_eq!(records.map(|record| record.values().len()), [98, 1]);
    assert_eq!(batches.len(), 1);
}
