//! Zones as other tools leave them.

use rancher_route53::dns::{ChangeBatch, RecordType};
use sim::route53 as aws;

use crate::generators::{Group, TTL, There, World, only, together};
use crate::invariants;
use crate::run::{entries, opaque, state_records};

/// Services that rancher/external-dns has published: all in one state record.
fn published(count: usize, name_length: usize) -> Group {
    Group {
        count,
        name_length,
        desired: 2,
        there: There::Same,
        listed: [0].into(),
        ..Group::default()
    }
}

fn one(group: Group) -> Group {
    Group { count: 1, ..group }
}

/// One more service, which isn't published yet.
fn new() -> Group {
    Group {
        desired: 1,
        ..Group::default()
    }
}

/// One that has been published and is gone from Rancher.
fn gone(name_length: usize) -> Group {
    Group {
        desired: 0,
        ..one(published(1, name_length))
    }
}

/// The state records after the batches, which all invariants hold for.
fn after(world: &World) -> (Vec<ChangeBatch>, Vec<aws::RecordSet>) {
    let built = world.build();
    let batches = invariants::hold(&built);
    let mut zone = built.zone;
    for batch in &batches {
        crate::run::apply(&mut zone, batch);
    }
    (batches, state_records(&zone).into_values().collect())
}

fn touches_a_state_record(batch: &ChangeBatch, name: &str) -> bool {
    let mut sets = batch.deletes.iter().chain(&batch.creates);
    sets.any(|set| set.key.rtype == RecordType::Txt && set.key.name.as_str() == name)
}

#[test]
fn nothing_changes_hands_with_a_zone_of_60_names() {
    let (batches, records) = after(&only(published(60, 0)));
    assert_eq!(batches, []);
    assert_eq!(records.len(), 1);
}

#[test]
fn nothing_changes_hands_with_a_long_state_record() {
    assert_eq!(after(&only(published(350, 40))).0, []);
}

#[test]
fn a_new_service_leaves_a_long_state_record_alone() {
    let world = together([published(350, 40), new()]);
    let long = world.build().setting.names.name(0);
    let (batches, records) = after(&world);
    assert_eq!(batches.len(), 1);
    assert!(!touches_a_state_record(&batches[0], long.as_str()));
    let lengths: Vec<usize> = records.iter().map(|record| record.values.len()).collect();
    assert_eq!(lengths, [350, 1]);
}

#[test]
fn a_service_that_goes_splits_a_long_state_record() {
    let (batches, records) = after(&together([published(349, 40), gone(40)]));
    let lengths: Vec<usize> = records.iter().map(|record| record.values.len()).collect();
    assert_eq!(lengths, [100, 100, 100, 49]);
    // 21,000 characters to delete, and as many to create.
    assert_eq!(batches.len(), 2);
}

#[test]
fn a_full_state_record_is_split_though_no_request_can_replace_it() {
    let world = together([published(399, 57), gone(57)]);
    let zone = world.build().zone;
    let long = state_records(&zone).remove(&0).unwrap();
    let characters: usize = long.values.iter().map(String::len).sum();
    assert_eq!((long.values.len(), characters), (400, 30_800));
    let (batches, records) = after(&world);
    assert_eq!(records.iter().map(|r| entries(r).len()).sum::<usize>(), 399);
    assert_eq!(batches.len(), 2);
    // What the first batch adds, the second one takes away from where it was.
    assert!(!touches_a_state_record(&batches[0], &long.name));
    assert!(touches_a_state_record(&batches[1], &long.name));
}

#[test]
fn others_values_in_a_state_record_survive_its_split() {
    let mut world = together([published(399 - 5, 57), gone(57)]);
    world.records[0].opaque = 5;
    let opaque: usize = after(&world).1.iter().map(|r| opaque(r).len()).sum();
    assert_eq!(opaque, 5);
}

#[test]
fn entries_that_a_crash_left_twice_stay_until_they_go() {
    let twice = Group {
        listed: [0, 1].into(),
        ..published(20, 0)
    };
    assert_eq!(after(&only(twice.clone())).0, []);
    let (batches, records) = after(&only(Group {
        desired: 0,
        ..twice
    }));
    assert_eq!(batches.len(), 1);
    assert_eq!(records, []);
}

/// As a crash between the two batches of a split leaves it, had it been another tool's.
#[test]
fn entries_of_two_long_state_records_are_not_moved_once_more() {
    let twice = |desired, count| Group {
        desired,
        listed: [0, 1].into(),
        ..Group {
            count,
            ..published(1, 0)
        }
    };
    let (_, records) = after(&together([twice(2, 250), twice(0, 1)]));
    let lengths: Vec<usize> = records.iter().map(|record| record.values.len()).collect();
    // The first one keeps what it may, the second one all, in one place or another.
    assert_eq!(lengths, [100, 100, 100, 50]);
}

#[test]
fn a_state_record_gets_a_generation_when_it_is_written() {
    let mut world = together([published(3, 0), new()]);
    world.records[0].ttl = 60;
    let (batches, records) = after(&world);
    assert_eq!(batches.len(), 1);
    assert!(records[0].ttl > Some(TTL));
}

#[test]
fn a_state_record_s_name_that_is_taken_is_passed_over() {
    let mut world = together([new()]);
    world.records[0].taken = crate::generators::Taken::Cname;
    world.records[1].taken = crate::generators::Taken::Weighted;
    let names = world.build().setting.names;
    let (batches, _) = after(&world);
    assert!(touches_a_state_record(&batches[0], names.name(2).as_str()));
}
