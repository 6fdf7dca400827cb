//! Worlds as proptest makes them up.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use rancher_route53::plan::Policy;

use super::{
    AdoptAs, Family, Form, Group, Neighbour, Spelling, StateRecord, TTL, Taken, There, World,
};
use crate::mixed::Elsewhere::{self, FirstWanted};
use crate::mixed::{self, Mixed};

/// Worlds of a few names, with everything that can be wrong with them.
pub fn small_worlds() -> impl Strategy<Value = World> {
    worlds(vec(group(1..=4), 0..=8), Just(Vec::new()))
}

/// Worlds of up to several hundred names.
pub fn large_worlds() -> impl Strategy<Value = World> {
    let group = prop_oneof![3 => group(1..=4), 2 => group(20..=90)];
    worlds(vec(group, 3..=10), Just(Vec::new()))
}

/// Worlds of a few names of all kinds, beside a few of the usual.
pub fn mixed_worlds() -> impl Strategy<Value = World> {
    worlds(vec(group(1..=3), 0..=2), mixed::stories(1..=3, 1..=5))
}

/// Worlds of up to several hundred names of all kinds.
pub fn large_mixed_worlds() -> impl Strategy<Value = World> {
    let groups = vec(group(20..=60), 0..=2);
    worlds(groups, mixed::stories(10..=60, 2..=7))
}

/// Worlds in which much is to be done, as it takes many batches.
pub fn heavy_worlds() -> impl Strategy<Value = World> {
    let group = prop_oneof![3 => group(1..=8), 2 => group(20..=120)];
    worlds(vec(group, 8..=24), Just(Vec::new())).prop_map(|mut world| {
        world.policy = Policy::Sync;
        // What 0.1.0 put into the first state record moves once, and the bound doesn't know that.
        let groups = world.groups.iter_mut();
        for group in groups.filter(|group| group.family != Family::A) {
            group.listed = group.listed.iter().map(|index| (*index).max(1)).collect();
        }
        world
    })
}

fn worlds(
    groups: impl Strategy<Value = Vec<Group>>,
    mixed: impl Strategy<Value = Vec<Mixed>>,
) -> impl Strategy<Value = World> {
    let policy = prop_oneof![
        4 => Just(Policy::Sync),
        1 => Just(Policy::UpsertOnly),
        1 => Just(Policy::CreateOnly),
    ];
    let adopt = prop_oneof![
        3 => Just(AdoptAs::Never),
        1 => Just(AdoptAs::Matching),
        1 => Just(AdoptAs::Legacy),
    ];
    let records = vec(state_record(), 4);
    (groups, mixed, records, policy, adopt, any::<bool>()).prop_map(
        |(mut groups, mut mixed, records, policy, adopt, is_claimed)| {
            if !is_claimed {
                // An owner that gives up what others list, too, wants nothing in its place.
                let wanted = groups.iter_mut().filter(|group| group.desired > 0);
                wanted.for_each(|group| group.is_elsewhere = false);
                let wanted = mixed.iter_mut().filter(|m| m.elsewhere == FirstWanted);
                wanted.for_each(|mixed| mixed.elsewhere = Elsewhere::Nothing);
            }
            World {
                groups,
                mixed,
                records,
                policy,
                adopt,
                is_claimed,
            }
        },
    )
}

fn state_record() -> impl Strategy<Value = StateRecord> {
    let taken = prop_oneof![
        18 => Just(Taken::No),
        1 => Just(Taken::Cname),
        1 => Just(Taken::Weighted),
    ];
    let opaque = prop_oneof![3 => Just(0usize), 1 => 1..=5usize];
    (prop_oneof![3 => Just(TTL), 1 => Just(60u32)], opaque, taken)
        .prop_map(|(ttl, opaque, taken)| StateRecord { ttl, opaque, taken })
}

fn group(count: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Group> {
    let are_many = *count.start() > 4;
    let sizes = move || {
        if are_many {
            prop_oneof![10 => 1..=2usize, 2 => 3..=12usize, 0 => 13..=400usize]
        } else {
            prop_oneof![4 => 1..=3usize, 2 => 4..=60usize, 1 => 61..=400usize]
        }
    };
    let there = prop_oneof![
        4 => Just(There::Nothing),
        4 => Just(There::Same),
        1 => Just(There::Respelled),
        3 => (sizes(), any::<bool>()).prop_map(|(n, ttl)| There::Drifted(n, ttl)),
        2 => Just(There::OtherTtl),
        1 => Just(There::Alias),
        1 => Just(There::Weighted),
    ];
    let neighbour = prop_oneof![
        8 => Just(Neighbour::Nothing),
        1 => Just(Neighbour::Cname),
        1 => Just(Neighbour::Mail),
        1 => Just(Neighbour::Text),
        1 => any::<bool>().prop_map(Neighbour::OtherFamily),
    ];
    let listed = prop_oneof![
        3 => Just(BTreeSet::new()),
        5 => (0..4u16).prop_map(|index| BTreeSet::from([index])),
        1 => proptest::collection::btree_set(0..4u16, 2),
    ];
    let form = prop_oneof![
        8 => Just(Form::Usual),
        2 => Just(Form::Wildcard),
        2 => Just(Form::Apex),
    ];
    let ttl = prop_oneof![4 => Just(TTL), 1 => Just(0u32), 1 => Just(60u32)];
    let spelling = prop_oneof![
        8 => Just(Spelling::Usual),
        1 => Just(Spelling::Odd),
        1 => Just(Spelling::Twice),
    ];
    (
        (
            count,
            any::<bool>(),
            prop_oneof![9 => Just(false), 1 => Just(true)],
        ),
        (
            prop_oneof![4 => Just(0usize), 2 => 1..=60usize, 1 => 61..=200usize],
            form,
            ttl,
        ),
        prop_oneof![2 => Just(Family::A), 1 => Just(Family::Aaaa), 1 => Just(Family::Both)],
        prop_oneof![1 => Just(0usize), 2 => sizes()],
        there,
        neighbour,
        listed,
        spelling,
    )
        .prop_map(
            |(
                (count, in_environment, is_elsewhere),
                (name_length, form, ttl),
                family,
                desired,
                there,
                neighbour,
                listed,
                spelling,
            )| Group {
                count,
                in_environment,
                form,
                name_length,
                ttl,
                family,
                desired,
                there,
                neighbour,
                listed,
                is_elsewhere,
                spelling,
            },
        )
}
