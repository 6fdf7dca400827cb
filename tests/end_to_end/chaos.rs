//! Everything goes wrong, at random: metadata, Rancher's API, Route 53, other people at work in
//! the zone, and the program is killed and started again, at times twice over. Nevertheless the
//! zone is exactly what is desired and what is foreign in the end, and every fqdn is right. And at
//! no instant is a foreign record set changed, one of ours without its entry, anything published
//! that was never desired, or deleted that was desired all the time.
//!
//! Restarts bring other settings (`ADOPT`, `POLICY`, `OWNER_ID`, `WRITE_BACK`, and those that say what is
//! published: `publishing`), the environment is renamed, labels make names outside of it, IAM denies things for a while, the zone is made anew,
//! Route 53 throttles in the middle of long plans, and other owners list names or say that they keep
//! the state records. Each process signs with a key of its own, so each batch is judged by the
//! settings of the one that sent it, also one that comes in after its end.
//!
//! ```text
//! seed ─► schedule (world, outside_edits: what can happen) ─► stage ─► invariants: what must hold in the end
//!                                                   └────► watcher: what must be so at any time
//! ```
//!
//! `CHAOS_ROUNDS` says how many rounds there are, `CHAOS_SEED` which; each stage of 50 rounds
//! has a seed of its own. One that fails shows its seed: `CHAOS_SEED=<it> CHAOS_ROUNDS=50` lets
//! the same things happen in the same order again. Not at the same microseconds, though: how
//! fast the program and this machine are is not in the seed's hands.

mod denial;
mod faults;
pub mod history;
mod invariants;
mod naming;
mod outside_edits;
mod publishing;
pub mod random;
mod record;
mod regime;
mod schedule;
mod stage;
mod watcher;
mod world;

use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::stage::{each_at_most, number};
use sim::lock::lock;
use stage::Tally;
use world::LB_HOSTNAMES;

/// Rounds of a stage.
const ROUNDS: usize = 50;
/// Stages at once: most of their time is waiting.
const AT_ONCE: usize = 10;

#[test]
fn whatever_goes_wrong_nothing_is_lost_and_all_is_right_in_the_end() {
    let rounds = usize::try_from(number("CHAOS_ROUNDS", 500)).expect("a number of rounds");
    let first = number("CHAOS_SEED", 1);
    let stages = rounds.div_ceil(ROUNDS).max(1) as u64;
    let start = Instant::now();
    let tallies = Mutex::new(Vec::<Tally>::new());
    each_at_most(AT_ONCE, 0..stages, |number| {
        let seed = first.wrapping_add(number);
        let tally = stage::perform(seed, schedule::plan(seed, ROUNDS));
        lock(&tallies).push(tally);
    });
    let tallies = tallies.into_inner().unwrap();
    let seeds = first..=first.wrapping_add(stages - 1);
    tell(&tallies, seeds, start.elapsed());
    let performed: usize = tallies.iter().map(|tally| tally.rounds).sum();
    assert_eq!(performed, stages as usize * ROUNDS);
    if rounds >= 500 {
        // What a seed says may come to nothing, as a fault that no request meets: the more rounds, and
        // the faster the machine, the less of these 35 or so is left out.
        let most_missing = if rounds >= 5_000 { 0 } else { 10 };
        let missing = what_has_not_happened(&tallies);
        println!("what has not happened: {missing:?}");
        assert!(missing.len() <= most_missing, "{missing:?}");
        // Whether these matter at a rest follows from the seed alone.
        let idle = DECISIVE.iter().filter(|what| decided(&tallies, what) == 0);
        let idle: Vec<_> = idle.collect();
        assert!(idle.is_empty(), "never mattered: {idle:?}");
    }
}

/// Says what there was.
fn tell(tallies: &[Tally], seeds: RangeInclusive<u64>, took: Duration) {
    let sum = |f: fn(&Tally) -> usize| tallies.iter().map(f).sum::<usize>();
    let faults = |whose: &[&str]| -> usize {
        let all = tallies.iter().flat_map(|tally| &tally.faults);
        all.filter(|((of, _), _)| whose.contains(of))
            .map(|(_, count)| count)
            .sum()
    };
    let longest = |f: fn(&Tally) -> Duration| tallies.iter().map(f).max().unwrap_or_default();
    println!(
        "seeds {seeds:?}: {} rounds, {} rests (the longest took {:?}), {} batches, {} edits by \
         others, {} kills ({} with a request in flight, {} between two batches), {} terminations, {} \
         faults of Route 53, {} of Rancher, {} restarts for lost names, in {:?}",
        sum(|t| t.rounds),
        sum(|t| t.rests),
        longest(|t| t.longest_rest),
        sum(|t| t.batches),
        sum(|t| t.edits),
        sum(|t| t.kills),
        sum(|t| t.kills_in_flight),
        sum(|t| t.kills_between),
        sum(|t| t.terminations),
        faults(&["Route 53"]),
        faults(&["metadata", "API"]),
        sum(|t| t.lost_names),
        took,
    );
    println!(
        "{} restarts with other settings ({} with another OWNER_ID, {} batches of adopt --owner), {} zones made anew, {} claims of \
         another server, {} denials by IAM, {} throttles in the middle of a plan, {} record sets taken \
         over, {} batches beside other owners, the latest delete {:?} after it was wanted again",
        sum(|t| t.regimes),
        sum(|t| t.owners),
        sum(|t| t.takeovers),
        sum(|t| t.zones),
        sum(|t| t.claims),
        sum(|t| t.denied),
        sum(|t| t.throttles),
        sum(|t| t.adopted),
        sum(|t| t.beside_others),
        longest(|t| t.latest_delete),
    );
    let counts: Vec<String> = DECISIVE
        .iter()
        .map(|what| format!("{what} {}", decided(tallies, what)))
        .collect();
    println!("rests that were decided by: {}", counts.join(", "));
}

/// Settings and labels without which something else would be published, or told to Rancher.
const DECISIVE: &[&str] = &[
    "LABEL_SUFFIX",
    "DEFAULT_POLICY",
    "ADDRESS",
    "RECORD_TYPES",
    "LB_HOSTNAMES",
    LB_HOSTNAMES,
    "SYSTEM_SERVICES",
    "WRITE_BACK",
];

/// Rests at which it made a difference.
fn decided(tallies: &[Tally], what: &str) -> usize {
    tallies
        .iter()
        .filter_map(|tally| tally.decisive.get(what))
        .sum()
}

const METADATA: &[&str] = &[
    "Status(404)",
    "Status(500)",
    "Drop",
    "Cut",
    "Garbage",
    "Body(\"null\")",
    "Body(\"[]\")",
    "Hang",
    "Delay",
];
const API: &[&str] = &[
    "Status(500)",
    "Drop",
    "Cut",
    "Garbage",
    "Hang",
    "Body(\"<html>\")",
];
const ROUTE53: &[&str] = &[
    "DropBefore",
    "DropAfter",
    "CutAfter",
    "Garbled",
    "Status(500)",
    "Status(503)",
    "StatusAfter",
    "Throttle",
    "PriorRequestNotComplete",
    "Hang",
    "Delay",
    "Page",
    "Error",
];

/// What was there to go wrong and didn't.
fn what_has_not_happened(tallies: &[Tally]) -> Vec<String> {
    let sum = |f: &dyn Fn(&Tally) -> usize| tallies.iter().map(f).sum::<usize>();
    let counts = [
        ("edits", sum(&|t| t.edits)),
        ("kills in flight", sum(&|t| t.kills_in_flight)),
        ("kills between batches", sum(&|t| t.kills_between)),
        ("terminations", sum(&|t| t.terminations)),
        ("restarts of metadata", sum(&|t| t.restarts)),
        ("other settings", sum(&|t| t.regimes)),
        ("other owner ids", sum(&|t| t.owners)),
        ("zones made anew", sum(&|t| t.zones)),
        ("claims of another server", sum(&|t| t.claims)),
        ("denials by IAM", sum(&|t| t.denied)),
        ("throttled plans", sum(&|t| t.throttles)),
        ("record sets taken over", sum(&|t| t.adopted)),
        ("batches beside other owners", sum(&|t| t.beside_others)),
    ];
    let none = counts.iter().filter(|(_, count)| *count == 0);
    let mut missing: Vec<String> = none.map(|(what, _)| (*what).to_owned()).collect();
    let kinds = [("metadata", METADATA), ("API", API), ("Route 53", ROUTE53)];
    let kinds = kinds.into_iter();
    let kinds = kinds.flat_map(|(whose, kinds)| kinds.iter().map(move |kind| (whose, *kind)));
    let is_missing = |(whose, kind): &(&'static str, &str)| {
        let key = (*whose, (*kind).to_owned());
        !tallies.iter().any(|tally| tally.faults.contains_key(&key))
    };
    missing.extend(kinds.filter(is_missing).map(|kind| format!("{kind:?}")));
    missing
}
