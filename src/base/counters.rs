//! What only ever grows: counts and durations. Bounded in size, whatever comes from outside.

use std::time::Duration;

/// Different codes that are told apart for one operation; the rest is [`OTHER`].
const MOST_CODES: usize = 24;
/// Longest code that is shown, in characters.
const LONGEST_CODE: usize = 48;
/// Instead of a code that isn't told apart.
pub const OTHER: &str = "other";
/// The code of a call that went well.
pub const OK: &str = "ok";
/// The code of a call that had no answer, or none that can be read.
pub const NO_ANSWER: &str = "no_answer";

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundOutcome {
    /// The zone was changed.
    Changed,
    /// There was nothing to change.
    Unchanged,
    /// It ended early, since something else may be desired by now.
    Cut,
    /// It failed.
    Failed,
}

impl RoundOutcome {
    /// All of them, in the order of their numbers.
    pub const ALL: [RoundOutcome; 4] = [
        RoundOutcome::Changed,
        RoundOutcome::Unchanged,
        RoundOutcome::Cut,
        RoundOutcome::Failed,
    ];

    /// A word for programs.
    pub fn word(self) -> &'static str {
        match self {
            RoundOutcome::Changed => "changed",
            RoundOutcome::Unchanged => "unchanged",
            RoundOutcome::Cut => "cut",
            RoundOutcome::Failed => "failed",
        }
    }
}

/// What was done to a record set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Create,
    /// It has other values or another TTL.
    Change,
    /// It is gone.
    Delete,
}

impl Action {
    /// All of them, in the order of their numbers.
    pub const ALL: [Action; 3] = [Action::Create, Action::Change, Action::Delete];

    /// A word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Change => "change",
            Action::Delete => "delete",
        }
    }

    /// A word for people.
    pub fn past(self) -> &'static str {
        match self {
            Action::Create => "created",
            Action::Change => "changed",
            Action::Delete => "deleted",
        }
    }
}

/// What is called: the API, and its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// `route53`, `rancher`, `metadata` or `credentials`.
    pub api: &'static str,
    /// As the API calls it.
    pub name: &'static str,
}

impl Operation {
    /// For metrics.
    pub fn labels(&self) -> [(&'static str, &'static str); 2] {
        [("api", self.api), ("operation", self.name)]
    }
}

/// Calls of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calls {
    /// Which.
    pub operation: Operation,
    /// How they ended, and how many did so.
    pub codes: Vec<(Box<str>, u64)>,
    /// How long they took.
    pub durations: Histogram,
}

/// Rounds and what they changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoundCounters {
    /// Rounds, in the order of [`RoundOutcome::ALL`].
    pub rounds: [u64; RoundOutcome::ALL.len()],
    /// How long rounds took.
    pub round_durations: Histogram,
    /// Changes to record sets, in the order of [`Action::ALL`].
    pub changes: [u64; Action::ALL.len()],
}

/// Calls to other systems.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallCounters {
    /// By operation: a dozen at most, so they needn't be sorted.
    pub calls: Vec<Calls>,
    /// How often Route 53 said that this account calls too much.
    pub throttles: u64,
    /// Calls to Route 53 that were made again.
    pub retries: u64,
}

impl RoundCounters {
    /// A round has ended.
    pub fn round(&mut self, outcome: RoundOutcome, took: Duration) {
        self.rounds[outcome as usize] += 1;
        self.round_durations.add(took);
    }

    /// A record set was changed.
    pub fn changed(&mut self, action: Action) {
        self.changes[action as usize] += 1;
    }
}

impl CallCounters {
    /// A call has ended. `code` may be anything.
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
        calls.count(if is_told_apart(code) { code } else { OTHER });
    }
}

impl Calls {
    /// One more that ended like this.
    fn count(&mut self, code: &str) {
        let is_ours = matches!(code, OK | NO_ANSWER | OTHER);
        let known = self.codes.iter().position(|(known, _)| **known == *code);
        match known {
            Some(index) => self.codes[index].1 += 1,
            None if is_ours || self.codes.len() < MOST_CODES => self.codes.push((code.into(), 1)),
            None => self.count(OTHER),
        }
    }
}

/// Whether a code looks like one.
fn is_told_apart(code: &str) -> bool {
    (1..=LONGEST_CODE).contains(&code.len())
        && code.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}

/// How long things took, in ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many took no longer than each of [`BOUNDS`], and longer than the one before; those
    /// that took longer than the last come last.
    pub counts: [u64; BOUNDS.len() + 1],
    /// All durations together.
    pub sum: Duration,
}

/// The ranges' upper ends: in milliseconds, and in seconds as text.
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
    /// One more.
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
        for bad in ["", "a\nb", "é", &"x".repeat(LONGEST_CODE + 1)] {
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
        assert!(calls.codes.len() <= MOST_CODES + 2, "{:?}", calls.codes);
        let count = |code: &str| calls.codes.iter().find(|(known, _)| **known == *code);
        for (code, expected) in [(OK, 2), (NO_ANSWER, 1), ("Code0", 1), (OTHER, 982)] {
            assert_eq!(count(code).unwrap().1, expected, "{code}");
        }
        assert_eq!(calls.codes.iter().map(|(_, n)| n).sum::<u64>(), 1_007);
    }
}
