//! One log line a day, so that a quiet log still shows that the service works. Pure: time is an
//! argument.

use std::time::{Duration, Instant};

use crate::base::counters::RoundOutcome;
use crate::observe::status::Status;

/// Time between two summaries.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What a summary says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Record sets that are ours.
    pub record_sets: usize,
    /// Changes to record sets since the last summary.
    pub changes: u64,
    /// Rounds that failed since the last summary.
    pub failed_rounds: u64,
    /// Record sets in conflict, and record sets that Route 53 refuses.
    pub troubled: usize,
}

/// Remembers the totals of the last summary.
#[derive(Debug)]
pub struct Summary {
    due: Instant,
    changes: u64,
    failed_rounds: u64,
}

impl Summary {
    /// The first one is a day from now.
    pub fn new(now: Instant) -> Summary {
        Summary {
            due: now + DAY,
            changes: 0,
            failed_rounds: 0,
        }
    }

    /// The summary, if it is time for one.
    pub fn day(&mut self, now: Instant, status: &dyn Fn() -> Status) -> Option<Day> {
        if now < self.due {
            return None;
        }
        self.due = now + DAY;
        let status = status();
        let changes = status.counters.changes.iter().sum();
        let failed_rounds = status.counters.rounds[RoundOutcome::Failed as usize];
        let day = Day {
            record_sets: status.owned,
            changes: changes - self.changes,
            failed_rounds: failed_rounds - self.failed_rounds,
            troubled: status.conflicts.len() + status.quarantined.len(),
        };
        (self.changes, self.failed_rounds) = (changes, failed_rounds);
        Some(day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::counters::Action;
    use crate::dns::Name;
    use chrono::Utc;

    #[test]
    fn once_a_day_and_of_that_day() {
        let start = Instant::now();
        let mut summary = Summary::new(start);
        let mut status = Status::new(Name::parse("example.com").unwrap(), Utc::now());
        status.owned = 3;
        let mut today = |status: &Status, hours: u64| {
            let now = start + Duration::from_secs(hours * 3600);
            let day = summary.day(now, &|| status.clone());
            day.map(|day| (day.record_sets, day.changes, day.failed_rounds))
        };
        status.counters.add_change(Action::Create);
        assert_eq!(today(&status, 0), None);
        assert_eq!(today(&status, 23), None);
        assert_eq!(today(&status, 24), Some((3, 1, 0)));
        status.counters.add_change(Action::Delete);
        status.counters.add_change(Action::Delete);
        status
            .counters
            .add_round(RoundOutcome::Failed, Duration::ZERO);
        assert_eq!(today(&status, 25), None, "not again at once");
        assert_eq!(today(&status, 49), Some((3, 2, 1)));
        assert_eq!(today(&status, 80), Some((3, 0, 0)));
    }
}
