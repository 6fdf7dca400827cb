//! How few batches there are where another order would need one more.

use super::*;

/// A record set with this many values.
fn set_of(label: &str, values: usize, third: u8) -> RecordSet {
    RecordSet::of_values(
        key(label),
        TTL,
        (0..values)
            .map(|i| format!("10.{third}.{}.{}", i / 200, i % 200))
            .collect(),
    )
}

/// Small record sets with names of their own.
fn small(record: usize, count: usize) -> Vec<RecordSet> {
    let label = |i: usize| format!("n{record}-{i:02}");
    (0..count).map(|i| a(&label(i), "192.0.2.1")).collect()
}

fn record_of(index: u16, sets: &[RecordSet]) -> RecordSet {
    let listed = sets.iter().map(|set| match set.key.rtype {
        RecordType::Aaaa => format!("{} AAAA", set.key.name.as_str()),
        _ => set.key.name.as_str().to_owned(),
    });
    state_record(index, &listed.collect::<Vec<_>>())
}

/// Two changes of 800 values each, and two writes of 200: the writes must not share a batch.
#[test]
fn bulky_changes_come_before_the_state_records_that_fill_the_rest() {
    let bulky = |third| ["b1", "b2"].map(|label| set_of(label, 400, third)).to_vec();
    let (second, third) = (small(1, 99), small(2, 99));
    let mut zone = [bulky(1), second.clone(), third.clone()].concat();
    zone.extend([
        record_of(0, &bulky(1)),
        record_of(1, &second),
        record_of(2, &third),
    ]);
    let mut desired = [bulky(2), second, third].concat();
    desired.extend(["six1", "six2"].map(aaaa));
    assert_eq!(run(&zone, &desired).0.len(), 2);
}

/// Four writes of 760 values, and four changes of 240: the changes must not share a batch.
#[test]
fn small_changes_come_after_the_state_records_and_fill_the_rest() {
    let (mut zone, mut desired) = (Vec::new(), Vec::new());
    for record in 0..4 {
        let kept = small(record, 98);
        let label = |what: &str| format!("{what}{record}");
        let gone = [set_of(&label("g"), 400, 1), set_of(&label("h"), 162, 1)];
        let listed = [&kept[..], &gone].concat();
        zone.extend(listed.iter().cloned());
        zone.push(record_of(record as u16, &listed));
        desired.extend(kept);
    }
    // Their entries stand in a state record that is full, so nothing else changes there.
    let changed = |third| {
        (0..4)
            .map(|i| set_of(&format!("c{i}"), 120, third))
            .collect::<Vec<_>>()
    };
    let full = [changed(1), small(4, 96)].concat();
    zone.extend(full.iter().cloned());
    zone.push(record_of(4, &full));
    desired.extend([changed(2), small(4, 96)].concat());
    assert_eq!(run(&zone, &desired).0.len(), 4);
}

/// A write of a state record takes 150 values here. Were one added to the first batch for the sake of
/// a small DELETE, the other state record's write would not find room there.
#[test]
fn a_state_record_is_not_written_twice_for_a_few_deletes() {
    let bulky = |third| set_of("bulky", 400, third);
    let kept = small(0, 72);
    let gone = [400, 395, 40].map(|values| set_of(&format!("g{values}"), values, 1));
    let first = [&kept[..], &gone].concat();
    let second = [small(1, 94), vec![bulky(1)]].concat();
    let mut zone = [&first[..], &second].concat();
    zone.extend([record_of(0, &first), record_of(1, &second)]);
    let mut desired = kept;
    desired.extend(small(1, 93));
    desired.push(bulky(2));
    assert_eq!(run(&zone, &desired).0.len(), 2);
}
