//! Counters for the metrics: rounds, changes, calls to other systems, and how long they took.
//!
//! Rounds and clients add to them, and the metrics page shows them. They only grow, but their
//! memory is bounded: of codes that come from outside, only a limited number is kept.

use std::time::Duration;

/// Codes that are counted separately for one operation. All further ones count as [`OTHER`].
const MAX_CODES: usize = 24;
/// Length of the longest code that is counted separately, in octets.
const MAX_CODE: usize = 48;
/// Stands for all codes that are not counted separately.
pub const OTHER: &str = "other";
/// The code of a call that succeeded.
pub const OK: &str = "ok";
/// The code of a call without an answer, or with one that cannot be read.
pub const NO_ANSWER: &str = "no_answer";

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundOutcome {
    /// The zone was changed.
    Changed,
    /// The zone already was as it should be.
    Unchanged,
    /// The round stopped between two batches, because newer metadata may ask for something else.
    Cut,
    /// The round failed.
    Failed,
}

impl RoundOutcome {
    /// All outcomes. The index of each is its value as a `usize`.
    pub const ALL: [RoundOutcome; 4] = [
        RoundOutcome::Changed,
        RoundOutcome::Unchanged,
        RoundOutcome::Cut,
        RoundOutcome::Failed,
    ];

    /// The outcome's name in metrics.
    pub fn word(self) -> &'static str {
        match self {
            RoundOutcome::Changed => "changed",
            RoundOutcome::Unchanged => "unchanged",
            RoundOutcome::Cut => "cut",
            RoundOutcome::Failed => "failed",
        }
    }
}

/// What a batch did to a record set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The record set was created.
    Create,
    /// Its values or its TTL were changed.
    Change,
    /// The record set was deleted.
    Delete,
}

impl Action {
    /// All actions. The index of each is its value as a `usize`.
    pub const ALL: [Action; 3] = [Action::Create, Action::Change, Action::Delete];

    /// The action's name in metrics and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Change => "change",
            Action::Delete => "delete",
        }
    }

    /// The action in the past tense, for people.
    pub fn past(self) -> &'static str {
        match self {
            Action::Create => "created",
            Action::Change => "changed",
            Action::Delete => "deleted",
        }
    }
}

/// An operation of another system's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// `route53`, `rancher`, `metadata` or `credentials`.
    pub api: &'static str,
    /// The operation's name in that API.
    pub name: &'static str,
}

impl Operation {
    /// The labels that name the operation in metrics.
    pub fn labels(&self) -> [(&'static str, &'static str); 2] {
        [("api", self.api), ("operation", self.name)]
    }
}

/// Calls of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calls {
    /// The operation that was called.
    pub operation: Operation,
    /// The codes with which calls ended, and the number of calls for each.
    pub codes: Vec<(Box<str>, u64)>,
    /// How long the calls took.
    pub durations: Histogram,
}

/// Counters of rounds and of what they changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoundCounters {
    /// Number of rounds for each outcome, in the order of [`RoundOutcome::ALL`].
    pub rounds: [u64; RoundOutcome::ALL.len()],
    /// How long the rounds took.
    pub round_durations: Histogram,
    /// Number of changed record sets for each action, in the order of [`Action::ALL`].
    pub changes: [u64; Action::ALL.len()],
}

/// Counters of calls to other systems.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallCounters {
    /// One item for each operation. There are a dozen at most, so the list is not sorted.
    pub calls: Vec<Calls>,
    /// How often Route 53 refused a call because of the account's rate limits.
    pub throttles: u64,
    /// How often a call to Route 53 was repeated.
    pub retries: u64,
}

impl RoundCounters {
    /// Counts a round that has ended.
    pub fn add_round(&mut self, outcome: RoundOutcome, took: Duration) {
        self.rounds[outcome as usize] += 1;
        self.round_durations.add(took);
    }

    /// Counts a record set that a batch has created, changed or deleted.
    pub fn add_change(&mut self, action: Action) {
        self.changes[action as usize] += 1;
    }
}

impl CallCounters {
    /// Counts a call that has ended. `code` may be any text from outside.
    pub fn add(&mut self, operation: Operation, code: &str, took: Duration) {
        let known = self.calls.iter().position(|c| c.operation == operation);
        let index = known.unwrap_or(self.calls.len());
        if known.is_none() {
            self.calls.push(Calls {
                operation,
                codes: Vec::new(),
                durations: Histogram::default(),
            });
        }
        let calls = &mut self.calls[index];
        calls.durations.add(took);
        calls.count(if is_well_formed(code) { code } else { OTHER });
    }
}

impl Calls {
    /// Counts a call that ended with this code.
    fn count(&mut self, code: &str) {
        let is_own_code = matches!(code, OK | NO_ANSWER | OTHER);
        let known = self.codes.iter().position(|(known, _)| **known == *code);
        match known {
            Some(index) => self.codes[index].1 += 1,
            None if is_own_code || self.codes.len() < MAX_CODES => {
                self.codes.push((code.into(), 1));
            }
            None => self.count(OTHER),
        }
    }
}

/// Whether a text can be shown as a code: not empty, not too long, and in printable ASCII.
fn is_well_formed(code: &str) -> bool {
    (1..=MAX_CODE).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}

/// Counts durations by range.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Number of durations in each range. Item `i` counts those that are at most `BOUNDS[i]` and
    /// longer than the bound before. The last item counts those longer than every bound.
    pub counts: [u64; BOUNDS.len() + 1],
    /// Sum of all durations.
    pub sum: Duration,
}

/// Upper bounds of the ranges of a [`Histogram`], in milliseconds and as text in seconds.
pub const BOUNDS: [(u64, &str); 13] = [
    (5, "0.005"),
    (10, "0.01"),
    (25, "0.025"),
    (50, "0.05"),
    (100, "0.1"),
    (250, "0.25"),
    (500, "0.5"),
    (1_000, "1"),
    (2_500, "2.5"),
    (5_000, "5"),
    (10_000, "10"),
    (30_000, "30"),
    (120_000, "120"),
];

impl Histogram {
    /// Counts a duration.
    pub fn add(&mut self, took: Duration) {
        let is_within = |(bound, _): &(u64, &str)| took <= Duration::from_millis(*bound);
        let index = BOUNDS.iter().position(is_within).unwrap_or(BOUNDS.len());
        self.counts[index] += 1;
        self.sum = self.sum.saturating_add(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_in_the_range_that_it_ends_in() {
        let mut histogram = Histogram::default();
        for (millis, index) in [
            (0, 0),
            (5, 0),
            (6, 1),
            (1_000, 7),
            (1_001, 8),
            (120_001, 13),
        ] {
            let before = histogram.counts[index];
            histogram.add(Duration::from_millis(millis));
            assert_eq!(histogram.counts[index], before + 1, "{millis}");
        }
        assert_eq!(histogram.sum, Duration::from_millis(122_013));
        for (millis, text) in BOUNDS {
            let seconds: f64 = text.parse().unwrap();
            assert_eq!(seconds * 1e3, millis as f64);
        }
    }

    #[test]
    fn codes_from_outside_are_bounded_in_number_and_form() {
        let operation = Operation {
            api: "route53",
            name: "GetHostedZone",
        };
        let mut counters = CallCounters::default();
        counters.add(operation, OK, Duration::ZERO);
        for bad in ["", "a\nb", "é", &"x".repeat(MAX_CODE + 1)] {
            counters.add(operation, bad, Duration::ZERO);
        }
        for n in 0..1_000 {
            counters.add(operation, &format!("Code{n}"), Duration::ZERO);
        }
        counters.add(operation, OK, Duration::ZERO);
        counters.add(operation, NO_ANSWER, Duration::ZERO);
        let [calls] = &counters.calls[..] else {
            panic!("one operation");
        };
        assert!(calls.codes.len() <= MAX_CODES + 2, "{:?}", calls.codes);
        let count = |code: &str| calls.codes.iter().find(|(known, _)| **known == *code);
        for (code, expected) in [(OK, 2), (NO_ANSWER, 1), ("Code0", 1), (OTHER, 982)] {
            assert_eq!(count(code).unwrap().1, expected, "{code}");
        }
        assert_eq!(calls.codes.iter().map(|(_, n)| n).sum::<u64>(), 1_007);
    }
}
