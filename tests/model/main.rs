//! A model of several instances on one hosted zone: every order in which their requests, metadata,
//! people and failures can come, with the program's own pure functions as they are. It looks for a
//! record set that nobody owns, one of somebody else that was changed, a delete that came too
//! early, and a rest that isn't what is desired.
//!
//! A search goes through all states, nearest first. A fault is printed as the shortest way there.
//! `MODEL_SECONDS` is how long each search may take (20 in all by default), `MODEL_ONLY` a part of a
//! search's name.

mod canonical;
mod instance;
mod judge;
mod moves;
mod rest;
mod route53;
mod search;
mod setups;
mod world;

use std::time::Duration;

use search::{Found, search};
use setups::{Setup, Variant};

/// How long each of so many searches may take.
fn patience(searches: usize) -> Duration {
    let seconds = std::env::var("MODEL_SECONDS").ok();
    let each = seconds.and_then(|text| text.parse().ok());
    let each = each.unwrap_or(20.0 / searches as f64);
    Duration::from_secs_f64(each)
}

#[test]
fn no_order_of_events_does_harm() {
    let only = std::env::var("MODEL_ONLY").unwrap_or_default();
    let setups: Vec<Setup> = setups::all();
    let chosen: Vec<&Setup> = setups.iter().filter(|s| s.name.contains(&only)).collect();
    println!("| search | instances | names | budgets | states | seconds | result |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let mut faults = Vec::new();
    for setup in &chosen {
        let found = search(setup, patience(chosen.len()));
        println!("{}", found.row(setup));
        faults.extend(found.fault.map(|fault| format!("{}: {fault}", setup.name)));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The model itself: each safeguard that is taken away is missed.
#[test]
fn without_one_of_its_safeguards_the_program_does_harm() {
    let variants = setups::without_a_safeguard();
    for (variant, setup, words) in &variants {
        let setup = Setup {
            variant: *variant,
            ..setup.clone()
        };
        let Found { fault, states, .. } = search(&setup, Duration::from_secs(120));
        let fault = fault.unwrap_or_else(|| panic!("{variant:?}: no fault in {states} states"));
        println!("{variant:?}: {states} states, {fault}\n");
        assert!(fault.to_string().contains(words), "{variant:?}: {fault}");
    }
    assert!(!variants.iter().any(|(v, _, _)| *v == Variant::None));
}
