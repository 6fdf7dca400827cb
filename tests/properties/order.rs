//! What must not be done too early, where the batches have gaps that would invite it.

use rancher_route53::dns::ChangeBatch;

use crate::generators::{AdoptAs, Group, There, World};
use crate::invariants;

/// As many bulky changes as fill a batch up to a gap of so many records.
fn changes_that_leave(gap: usize) -> Group {
    let values = (1_000 - gap) / 3 / 2;
    Group {
        count: 3,
        listed: [3].into(),
        ..change(values)
    }
}

fn change(values: usize) -> Group {
    Group {
        desired: values,
        there: There::Drifted(values, false),
        ..Group::default()
    }
}

/// A state record with room whose content, sent twice, is too much for the gap.
fn state_record_with_room(index: u16, entries: usize) -> Group {
    Group {
        count: entries,
        desired: 1,
        there: There::Same,
        listed: [index].into(),
        ..Group::default()
    }
}

fn batches(adopt: AdoptAs, groups: Vec<Group>) -> Vec<ChangeBatch> {
    let world = World {
        groups,
        adopt,
        ..World::default()
    };
    invariants::hold(&world.build())
}

/// In which batch a record set of this first label is created.
fn created_in(batches: &[ChangeBatch], label: &str) -> usize {
    let is_it = |batch: &ChangeBatch| {
        let mut sets = batch.creates.iter();
        sets.any(|set| set.key.name.as_str().split('.').next() == Some(label))
    };
    batches.iter().position(is_it).unwrap()
}

#[test]
fn what_is_taken_over_is_changed_once_it_is_listed() {
    let groups = vec![
        changes_that_leave(100),
        state_record_with_room(0, 60),
        change(1),
    ];
    let batches = batches(AdoptAs::Matching, groups);
    assert_eq!(batches.len(), 2);
    assert_eq!(created_in(&batches, "g0-0"), 0);
    assert_eq!(created_in(&batches, "g2-0"), 1, "though the first has room");
}

#[test]
fn bulky_changes_of_what_is_taken_over_wait_as_well() {
    let taken_over = Group {
        count: 4,
        ..change(150)
    };
    let groups = vec![state_record_with_room(0, 60), taken_over];
    let batches = batches(AdoptAs::Matching, groups);
    assert_eq!(batches.len(), 2);
}

#[test]
fn an_entry_leaves_a_long_state_record_once_it_is_elsewhere() {
    // 61 entries of 104 characters, of which 57 may stay.
    let long = |count, desired| Group {
        count,
        name_length: 84,
        listed: [1].into(),
        ..Group {
            desired,
            ..state_record_with_room(1, 1)
        }
    };
    let groups = vec![
        changes_that_leave(130),
        state_record_with_room(0, 70),
        long(60, 1),
        long(1, 0),
    ];
    let batches = batches(AdoptAs::Never, groups);
    assert_eq!(batches.len(), 2);
    let uuid = crate::generators::UUID;
    let long = created_in(&batches, &format!("external-dns-{uuid}-1"));
    assert_eq!(long, 1, "though the first has room");
}
