//! Goes through all states, nearest first, and keeps the way to each.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::time::{Duration, Instant};

use crate::canonical::canonical;
use crate::judge::Fault;
use crate::moves::in_words;
use crate::rest::ends_well;
use crate::setups::Setup;
use crate::world::World;

/// What a search has found.
pub struct Found {
    pub states: usize,
    pub took: Duration,
    /// Whether it has been through all states.
    pub is_whole: bool,
    pub fault: Option<Trace>,
}

/// A fault, and the shortest way there.
pub struct Trace {
    pub fault: Fault,
    pub steps: Vec<String>,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, after:", self.fault)?;
        for (number, step) in (1..).zip(&self.steps) {
            writeln!(f, "  {number}. {step}")?;
        }
        Ok(())
    }
}

impl Found {
    /// A row of the table.
    pub fn row(&self, setup: &Setup) -> String {
        let names = setup.servers.iter().flat_map(|server| &server.worlds);
        let names = names.flat_map(|world| world.record_sets.keys());
        let names: BTreeSet<_> = names.collect();
        let budget = setup.budget;
        let budgets = [
            (budget.changes, "changes"),
            (budget.edits, "edits"),
            (budget.crashes, "crashes"),
            (budget.losses, "losses"),
            (budget.ticks, "ticks"),
        ];
        let budgets: Vec<String> = budgets
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let result = match (&self.fault, self.is_whole) {
            (Some(trace), _) => trace.fault.to_string(),
            (None, true) => "no fault, all states".to_owned(),
            (None, false) => "no fault so far".to_owned(),
        };
        format!(
            "| {} | {} | {} | {} | {} | {:.1} | {result} |",
            setup.name,
            setup.instances.len(),
            names.len(),
            budgets.join(", "),
            self.states,
            self.took.as_secs_f64(),
        )
    }
}

/// From which state, and by which of its moves.
type Way = Option<(u64, u16)>;

/// Searches until all states are seen, a fault is found, or time is up.
pub fn search(setup: &Setup, patience: Duration) -> Found {
    let started = Instant::now();
    let mut first = World::first(setup);
    canonical(setup, &mut first);
    let mut ways: HashMap<u64, Way> = HashMap::new();
    ways.insert(first.fingerprint(), None);
    let mut frontier = vec![first];
    // What may still happen makes no difference to undisturbed rounds.
    let mut rested: HashSet<u64> = HashSet::new();
    let found = |ways: &HashMap<u64, Way>, is_whole, fault| Found {
        states: ways.len(),
        took: started.elapsed(),
        is_whole,
        fault,
    };
    while !frontier.is_empty() {
        let mut next = Vec::new();
        for world in &frontier {
            if started.elapsed() > patience {
                return found(&ways, false, None);
            }
            let from = world.fingerprint();
            let mut undisturbed = world.clone();
            undisturbed.disturb_no_more();
            let is_new = rested.insert(undisturbed.fingerprint());
            if is_new && let Err(fault) = ends_well(setup, undisturbed) {
                let steps = steps(setup, &ways, from);
                return found(&ways, false, Some(Trace { fault, steps }));
            }
            for (number, what) in (0..).zip(world.moves(setup)) {
                let mut after = world.clone();
                if let Err(fault) = after.make(setup, &what) {
                    let mut steps = steps(setup, &ways, from);
                    steps.push(in_words(setup, world, &what));
                    return found(&ways, false, Some(Trace { fault, steps }));
                }
                canonical(setup, &mut after);
                if let Entry::Vacant(place) = ways.entry(after.fingerprint()) {
                    place.insert(Some((from, number)));
                    next.push(after);
                }
            }
        }
        frontier = next;
    }
    found(&ways, true, None)
}

/// The way to a state, in words: made again from the beginning.
fn steps(setup: &Setup, ways: &HashMap<u64, Way>, to: u64) -> Vec<String> {
    let mut numbers = Vec::new();
    let mut at = to;
    while let Some((from, number)) = ways[&at] {
        numbers.push(number);
        at = from;
    }
    let mut world = World::first(setup);
    canonical(setup, &mut world);
    let mut steps = Vec::new();
    for number in numbers.into_iter().rev() {
        let what = &world.moves(setup)[usize::from(number)];
        steps.push(in_words(setup, &world, what));
        world
            .make(setup, what)
            .expect("it went well the first time");
        canonical(setup, &mut world);
    }
    steps
}
