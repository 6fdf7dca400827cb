//! A model of several instances on one hosted zone: every order in which their requests, metadata,
//! people and failures can come, with the program's own pure functions as they are. It looks for a
//! record set that nobody owns, one of somebody else that was changed, a delete that came too
//! early, and a rest that isn't what is desired.
//!
//! A search goes through all states, nearest first. A fault is printed as the shortest way there.
//! `MODEL=full` and `MODEL=large` let more happen than a debug build gets through in seconds (see
//! CONTRIBUTING.md), `MODEL_SECONDS` is how long all searches together may take, and `MODEL_ONLY` a
//! part of a search's name.

mod canonical;
mod instance;
mod judge;
mod moves;
mod rest;
mod route53;
mod search;
mod setups;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use search::{Found, search};
use setups::{Scale, Setup};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn scale() -> Scale {
    match &*variable("MODEL") {
        "" | "quick" => Scale::Quick,
        "full" => Scale::Full,
        "large" => Scale::Large,
        other => panic!("MODEL={other} is none of quick, full and large"),
    }
}

#[test]
fn no_order_of_events_does_harm() {
    let only = variable("MODEL_ONLY");
    let setups = setups::all(scale());
    let chosen: Vec<&Setup> = setups.iter().filter(|s| s.name.contains(&only)).collect();
    let patience = variable("MODEL_SECONDS").parse().unwrap_or(3_600.0);
    let end = Instant::now() + Duration::from_secs_f64(patience);
    // The longer ones go on beside other work, or for hours.
    let threads = match scale() {
        Scale::Quick => std::thread::available_parallelism().map_or(1, usize::from),
        Scale::Full | Scale::Large => 1,
    };
    println!("| search | instances | names | may happen | states | seconds | result |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let (next, faults) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(setup) = chosen.get(number) else {
                    return;
                };
                let left = end.saturating_duration_since(Instant::now());
                let share = left * threads as u32 / (chosen.len() - number) as u32;
                let found = search(setup, share.min(left));
                println!("{}", found.row(setup));
                let fault = found.fault.map(|fault| format!("{}: {fault}", setup.name));
                faults.lock().unwrap().extend(fault);
            }
        };
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The model itself: each safeguard that is taken away is missed.
#[test]
fn without_one_of_its_safeguards_the_program_does_harm() {
    for (variant, setup, words) in setups::without_a_safeguard() {
        let setup = Setup { variant, ..setup };
        let Found { fault, states, .. } = search(&setup, Duration::from_secs(600));
        let fault = fault.unwrap_or_else(|| panic!("{variant:?}: no fault in {states} states"));
        println!("{variant:?}: {states} states, {fault}\n");
        assert!(fault.to_string().contains(words), "{variant:?}: {fault}");
    }
}
