//! How long the loop waits for metadata and pauses between two readings of it. A server that
//! answers too early, too often or with errors can't make the loop busy. Pure: time and chance are
//! arguments.

use std::time::{Duration, Instant};

use crate::base::backoff::backoff;
use crate::base::token_bucket::TokenBucket;

/// The longest wait for a change of metadata. Longer ones would save next to nothing, and a
/// server that has died without a word would be noticed later.
const MAX_WAIT: Duration = Duration::from_secs(10);
/// Ceilings of the wait after metadata has failed: at first, and in the long run.
const FAILURE: Duration = Duration::from_millis(200);
const MAX_FAILURE: Duration = Duration::from_secs(5);
/// Snapshots may take this share of the time, and so many seconds at once. Metadata that changes
/// all the time is read now and then: more often where a snapshot takes little time.
const SNAPSHOT_SHARE: f64 = 0.1;
const SNAPSHOT_BURST: f64 = 0.4;
/// A snapshot counts as at least so many seconds, since it costs the server time as well.
const SNAPSHOT_LEAST: f64 = 0.02;
/// Longest pause before a changed metadata is read.
const MAX_SNAPSHOT_WAIT: Duration = Duration::from_secs(2);
/// Pause after a long poll that ended at once without a change.
const EARLY: Duration = Duration::from_secs(1);

/// Decides on the pauses.
pub struct Pace {
    /// Seconds that snapshots may take.
    snapshots: TokenBucket,
    failures: u32,
}

impl Pace {
    /// Nothing has happened yet.
    pub fn new(now: Instant) -> Pace {
        Pace {
            snapshots: TokenBucket::new(SNAPSHOT_SHARE, SNAPSHOT_BURST, now),
            failures: 0,
        }
    }

    /// How long to wait for a change, in whole seconds, if there is something to do at `next`.
    pub fn wait(next: Option<Instant>, now: Instant) -> Duration {
        let left = next.map_or(MAX_WAIT, |next| next.saturating_duration_since(now));
        let seconds = left.as_millis().div_ceil(1000).max(1);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)).min(MAX_WAIT)
    }

    /// Metadata couldn't be read: how long to pause.
    pub fn failed(&mut self, random: f64) -> Duration {
        let wait = FAILURE / 4 + backoff(self.failures, FAILURE, MAX_FAILURE, random);
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// Metadata has been read.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Metadata has changed: how long to pause before it is read.
    pub fn before_snapshot(&mut self, now: Instant) -> Duration {
        self.snapshots.take(0.0, now).min(MAX_SNAPSHOT_WAIT)
    }

    /// A snapshot was taken or failed, after `elapsed`.
    pub fn after_snapshot(&mut self, elapsed: Duration, now: Instant) {
        self.snapshots
            .take(elapsed.as_secs_f64().max(SNAPSHOT_LEAST), now);
        // A pause is never longer than that, so a larger debt would only delay the first change
        // after a quiet time.
        self.snapshots
            .forgive(SNAPSHOT_SHARE * MAX_SNAPSHOT_WAIT.as_secs_f64());
    }

    /// A long poll of `waited` ended without a change after `elapsed`: how long to pause.
    pub fn after_wait(waited: Duration, elapsed: Duration) -> Duration {
        waited.saturating_sub(elapsed).min(EARLY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn waits_whole_seconds_until_there_is_something_to_do() {
        let now = Instant::now();
        for (left, seconds) in [
            (None, 10),
            (Some(0), 1),
            (Some(1), 1),
            (Some(1_001), 2),
            (Some(60_000), 10),
        ] {
            let next = left.map(|left| now + millis(left));
            assert_eq!(
                Pace::wait(next, now),
                Duration::from_secs(seconds),
                "{left:?}"
            );
        }
        assert_eq!(
            Pace::wait(Some(now), now + millis(5)),
            Duration::from_secs(1)
        );
    }

    #[test]
    fn failures_space_out() {
        let mut pace = Pace::new(Instant::now());
        let waits: Vec<u128> = (0..7).map(|_| pace.failed(1.0).as_millis()).collect();
        assert_eq!(waits, [250, 450, 850, 1650, 3250, 5050, 5050]);
        pace.succeeded();
        assert_eq!(pace.failed(1.0), millis(250));
        assert!(pace.failed(0.0) >= millis(50), "never at once");
    }

    #[test]
    fn constant_change_is_read_in_a_tenth_of_the_time() {
        for (cost, at_once, then) in [(5, 20, 200), (100, 4, 1_000), (500, 1, 1_000)] {
            let now = Instant::now();
            let mut pace = Pace::new(now);
            for _ in 0..at_once {
                assert_eq!(pace.before_snapshot(now), Duration::ZERO, "{cost} ms");
                pace.after_snapshot(millis(cost), now);
            }
            if cost < 500 {
                pace.after_snapshot(millis(cost), now);
            }
            let wait = pace.before_snapshot(now);
            assert!(
                wait.abs_diff(millis(then)) < millis(5),
                "{cost} ms: {wait:?}"
            );
        }
        let now = Instant::now();
        let mut pace = Pace::new(now);
        pace.after_snapshot(Duration::from_secs(60), now);
        assert_eq!(
            pace.before_snapshot(now),
            Duration::from_secs(2),
            "never longer"
        );
    }

    #[test]
    fn a_change_in_a_quiet_time_is_read_at_once_whatever_was_before() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        for _ in 0..100 {
            now += pace.before_snapshot(now) + millis(1_500);
            pace.after_snapshot(millis(1_500), now);
        }
        assert_eq!(pace.before_snapshot(now), millis(2_000));
        assert_eq!(pace.before_snapshot(now + millis(2_000)), Duration::ZERO);
    }

    #[test]
    fn an_early_end_of_a_wait_is_made_up_for() {
        assert_eq!(
            Pace::after_wait(millis(10_000), millis(14_960)),
            Duration::ZERO
        );
        assert_eq!(Pace::after_wait(millis(10_000), millis(1)), millis(1000));
        assert_eq!(Pace::after_wait(millis(1_000), millis(800)), millis(200));
    }
}
