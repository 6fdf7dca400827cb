//! Many names at once: how many batches that takes.

use std::collections::BTreeSet;

use sim::route53 as aws;

use crate::bound;
use crate::laws;
use crate::run::{apply, converge, owned, round};
use crate::world::{Built, Group, TTL, World, only};

/// Converges, and gives the number of batches and the least there can be.
fn counted(zone: &mut aws::Zone, built: &Built) -> (usize, usize) {
    let before = zone.clone();
    let batches = round(zone, &built.setting).batches;
    for batch in &batches {
        apply(zone, batch);
    }
    assert!(round(zone, &built.setting).plan.is_empty());
    let least = bound::least(&before, zone);
    println!("{} batches, at least {least}", batches.len());
    (batches.len(), least)
}

fn new(count: usize, desired: usize) -> World {
    only(Group {
        count,
        desired,
        ..Group::default()
    })
}

#[test]
fn first_convergence() {
    for (names, values) in [
        (1_000, 1),
        (1_000, 5),
        (5_000, 1),
        (5_000, 5),
        (500, 20),
        (40, 400),
    ] {
        println!("{names} names of {values} values");
        let built = new(names, values).build();
        counted(&mut built.zone.clone(), &built);
    }
}

#[test]
fn everything_goes() {
    let mut built = new(1_000, 1).build();
    let mut zone = built.zone.clone();
    converge(&mut zone, &built.setting);
    built.setting.desired.clear();
    counted(&mut zone, &built);
    assert_eq!(zone, built.zone);
}

#[test]
fn somebody_deletes_every_second_record_set() {
    let built = new(1_000, 1).build();
    let mut zone = built.zone.clone();
    converge(&mut zone, &built.setting);
    let end = zone.clone();
    for (name, rtype) in built.sites.keys().step_by(2) {
        assert!(zone.remove(name, rtype));
    }
    counted(&mut zone, &built);
    assert_eq!(zone, end);
}

#[test]
fn somebody_deletes_the_state_records_of_500_names() {
    let built = new(1_000, 1).build();
    let mut zone = built.zone.clone();
    converge(&mut zone, &built.setting);
    for index in 0..5 {
        zone.remove(built.setting.names.name(index).as_str(), "TXT");
    }
    let left: BTreeSet<_> = owned(&zone);
    println!("{} of 1000 are left", left.len());
}

#[test]
fn another_ttl() {
    let mut built = new(1_000, 1).build();
    let mut zone = built.zone.clone();
    converge(&mut zone, &built.setting);
    built.setting.ttl = TTL + 1;
    for set in built.setting.desired.values_mut() {
        set.ttl = TTL + 1;
    }
    counted(&mut zone, &built);
}

#[test]
fn a_thousand_names_become_another_thousand() {
    let mut built = new(1_000, 1).build();
    let mut zone = built.zone.clone();
    converge(&mut zone, &built.setting);
    let mut other = new(1_000, 1);
    other.groups[0].in_environment = false;
    built.setting.desired = other.build().setting.desired;
    counted(&mut zone, &built);
}

#[test]
fn the_laws_hold_for_a_thousand_names() {
    let batches = laws::hold(&new(1_000, 1).build());
    assert_eq!(batches.len(), 2);
}
