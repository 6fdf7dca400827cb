//! Many names at once: how many batches that takes.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use rancher_route53::plan::Policy;
use sim::route53 as aws;

use crate::fewest_batches;
use crate::generators::{
    AdoptAs, Built, Family, Form, Group, TTL, There, World, heavy_worlds, only, together,
};
use crate::invariants;
use crate::run::{converge, others, owned, round};

/// Converges, and gives the number of batches and the least there can be.
fn counted(zone: &mut aws::Zone, built: &Built) -> (usize, usize) {
    let before = zone.clone();
    let batches = converge(zone, &built.setting);
    (batches, fewest_batches::check(batches, &before, zone))
}

fn new(count: usize, desired: usize) -> World {
    only(Group {
        count,
        desired,
        ..Group::default()
    })
}

/// A thousand names of one value, and the zone that has them.
fn converged() -> (Built, aws::Zone) {
    let built = new(1_000, 1).build();
    let mut zone = built.zone.clone();
    converge(&mut zone, &built.setting);
    (built, zone)
}

#[test]
fn first_convergence() {
    for (names, values, expected) in [
        (1, 1, (1, 1)),
        (499, 1, (1, 1)),
        (501, 1, (2, 2)),
        (1_000, 1, (2, 2)),
        (5_000, 1, (10, 10)),
        // 166 names of 6 values fill 996 of 1,000, and the least is reckoned without that waste.
        (1_000, 5, (7, 6)),
        (5_000, 5, (31, 30)),
        (500, 20, (11, 11)),
        (40, 400, (20, 20)),
    ] {
        let built = new(names, values).build();
        let got = counted(&mut built.zone.clone(), &built);
        assert_eq!(got, expected, "{names} names of {values} values");
    }
}

#[test]
fn everything_goes() {
    let (mut built, mut zone) = converged();
    built.setting.desired.clear();
    assert_eq!(counted(&mut zone, &built), (2, 2));
    assert_eq!(zone, built.zone);
}

#[test]
fn somebody_deletes_every_second_record_set() {
    let (built, mut zone) = converged();
    let end = zone.clone();
    for (name, rtype, _) in built.sites.keys().step_by(2) {
        assert!(zone.remove(name, rtype));
    }
    assert_eq!(counted(&mut zone, &built), (3, 3));
    assert_eq!(others(&zone), others(&end));
    assert_eq!(owned(&zone), owned(&end));
}

#[test]
fn another_ttl() {
    let (mut built, mut zone) = converged();
    built.setting.ttl = TTL + 1;
    for set in built.setting.desired.values_mut() {
        *set = set.clone().with_ttl(TTL + 1);
    }
    assert_eq!(counted(&mut zone, &built), (2, 2));
}

#[test]
fn a_thousand_names_become_another_thousand() {
    let (mut built, mut zone) = converged();
    let mut other = new(1_000, 1);
    other.groups[0].in_environment = false;
    built.setting.desired = other.build().setting.desired;
    assert_eq!(counted(&mut zone, &built), (4, 4));
    assert!(round(&zone, &built.setting).batches.is_empty());
}

#[test]
fn small_additions_fill_what_bulky_changes_leave() {
    let bulky = Group {
        count: 10,
        desired: 360,
        there: There::Drifted(360, false),
        listed: [0].into(),
        ..Group::default()
    };
    let built = together([bulky, new(1_200, 1).groups.remove(0)]).build();
    assert_eq!(counted(&mut built.zone.clone(), &built), (10, 10));
}

#[test]
fn a_state_record_that_is_written_several_times_is_filled_at_last() {
    let missing = Group {
        count: 8,
        family: Family::Aaaa,
        name_length: 46,
        desired: 289,
        listed: [0].into(),
        ..Group::default()
    };
    let more = Group {
        count: 60,
        name_length: 60,
        desired: 1,
        ..Group::default()
    };
    let built = together([missing, more]).build();
    // Two of the missing ones fit into a request, with the state record as it was; one, if it is full.
    assert_eq!(counted(&mut built.zone.clone(), &built), (4, 4));
}

#[test]
fn entries_of_what_is_taken_over_do_not_wait_for_that() {
    let aaaa = Group {
        count: 20,
        family: Family::Aaaa,
        ..Group::default()
    };
    let missing = Group {
        name_length: 52,
        desired: 400,
        listed: [0].into(),
        ..aaaa.clone()
    };
    let taken_over = Group {
        desired: 160,
        there: There::Drifted(160, false),
        ..aaaa
    };
    let world = World {
        adopt: AdoptAs::Matching,
        ..together([missing, taken_over])
    };
    let built = world.build();
    // One of each in a request. The changes may only come after the entries.
    assert_eq!(counted(&mut built.zone.clone(), &built), (20, 20));
}

#[test]
fn new_names_of_all_sizes_are_packed_well() {
    let sizes = [400, 250, 400, 250, 100, 30, 3];
    let groups = sizes.map(|desired| new(8, desired).groups.remove(0));
    let built = together(groups).build();
    // 401 + 251 + 251 would do it in 12; the largest first puts 401 to 401.
    assert_eq!(counted(&mut built.zone.clone(), &built), (14, 12));
}

/// All together are much closer than each has to be, and few need one more than 1.25 of the bound.
/// The worlds are the same each time.
#[test]
fn as_few_batches_as_there_can_be_or_hardly_more() {
    let mut runner = TestRunner::deterministic();
    let (mut batches, mut least, mut one_more) = (0, 0, 0);
    for _ in 0..40 {
        let world = heavy_worlds().new_tree(&mut runner).unwrap().current();
        let built = world.build();
        let (took, bound) = counted(&mut built.zone.clone(), &built);
        batches += took;
        least += bound;
        one_more += usize::from(took * 4 > bound * 5);
    }
    println!("{batches} batches, at least {least}; {one_more} worlds with one more");
    assert!(
        batches * 100 <= least * 110 && one_more <= 8,
        "{batches} batches, at least {least}; {one_more} worlds with one more"
    );
}

#[test]
fn the_invariants_hold_for_a_thousand_names() {
    let batches = invariants::hold(&new(1_000, 1).build());
    assert_eq!(batches.len(), 2);
}

/// A find of the properties: without a first state record, new entries make no other one longer.
#[test]
fn names_that_are_taken_over_go_to_a_new_first_state_record() {
    for form in [Form::Usual, Form::Wildcard] {
        let listed = Group {
            count: 35,
            there: There::Same,
            listed: [1].into(),
            ..Group::default()
        };
        let missing = Group {
            count: 2,
            form,
            family: Family::Both,
            desired: 233,
            listed: [3].into(),
            ..Group::default()
        };
        let adopted = Group {
            count: 3,
            desired: 1,
            there: There::Drifted(11, false),
            ..Group::default()
        };
        let world = World {
            policy: Policy::CreateOnly,
            adopt: AdoptAs::Matching,
            ..together([listed, missing, adopted])
        };
        invariants::hold(&world.build());
    }
}
