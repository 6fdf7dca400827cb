//! What an account's limits leave to us: a bucket of requests and one of changes. Pure: time and
//! chance are arguments.

use std::time::{Duration, Instant};

use crate::base::token_bucket::TokenBucket;

/// Requests that may be made at once after a quiet time: those of 2 s, and no more. AWS allows
/// 50 for the whole account.
const REQUEST_BURST: f64 = 10.0;
/// Changes that may be made at once after a quiet time: those of 10 s, and no more than a full
/// batch has.
const CHANGE_BURST: f64 = 1_000.0;
/// While the account is throttled, what a call takes from the buckets is so much more or less:
/// all that were refused with it would be back at the same moment.
const THROTTLED_SPREAD: f64 = 0.5;

/// Both buckets. A copy tells what would be.
#[derive(Debug, Clone)]
pub struct Limits {
    requests: TokenBucket,
    changes: TokenBucket,
    /// How much the next call takes from them, as a multiple of what it is.
    weight: f64,
}

impl Limits {
    /// Full buckets, for so many requests and changes a second.
    pub fn new(request_rate: f64, change_rate: f64, now: Instant) -> Limits {
        Limits {
            requests: bucket(request_rate, 2.0, REQUEST_BURST, now),
            changes: bucket(change_rate, 10.0, CHANGE_BURST, now),
            weight: 1.0,
        }
    }

    /// Takes what a call with so many changes needs, and returns how long to wait before it.
    pub fn take(&mut self, changes: usize, now: Instant) -> Duration {
        let requests = self.requests.take(self.weight, now);
        let changes = self.weight * changes as f64;
        requests.max(self.changes.take(changes, now))
    }

    /// A call with so many changes was refused for the account's limits, or refused `again`.
    pub fn throttled(&mut self, changes: usize, again: bool, now: Instant) {
        self.requests.throttled(again, now);
        if changes > 0 {
            self.changes.throttled(again, now);
        }
    }

    /// Says what the next call takes. `random` is from 0 to 1.
    pub fn weigh(&mut self, random: f64) {
        let is_slow = self.requests.is_slow() || self.changes.is_slow();
        let spread = if is_slow { THROTTLED_SPREAD } else { 0.0 };
        self.weight = 1.0 + spread * (2.0 * random - 1.0);
    }
}

/// A full bucket that holds what comes in so many seconds, at least one and at most this many.
fn bucket(rate: f64, seconds: f64, most: f64, now: Instant) -> TokenBucket {
    TokenBucket::new(rate, (rate * seconds).clamp(1.0, most), now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_refusal_what_calls_take_is_spread() {
        let start = Instant::now();
        let wait = |throttled: bool, random: f64| {
            let mut limits = Limits::new(1.0, 80.0, start);
            limits.take(800, start);
            if throttled {
                limits.throttled(100, false, start);
            }
            limits.weigh(random);
            limits.take(100, start).as_secs_f64()
        };
        for (throttled, random, expected) in [
            (false, 0.0, 1.25),
            (false, 1.0, 1.25),
            (true, 0.0, 5.0),
            (true, 0.5, 10.0),
            (true, 1.0, 15.0),
        ] {
            assert_eq!(wait(throttled, random), expected, "{throttled} {random}");
        }
    }

    #[test]
    fn a_listing_that_is_refused_leaves_changes_alone() {
        let start = Instant::now();
        let mut limits = Limits::new(5.0, 100.0, start);
        limits.throttled(0, false, start);
        assert!(limits.requests.is_slow());
        assert!(!limits.changes.is_slow());
    }

    #[test]
    fn the_slower_bucket_counts_and_a_copy_takes_nothing() {
        let start = Instant::now();
        let mut limits = Limits::new(5.0, 100.0, start);
        for _ in 0..10 {
            assert_eq!(limits.take(0, start), Duration::ZERO);
        }
        assert_eq!(limits.clone().take(0, start), Duration::from_millis(200));
        assert_eq!(limits.clone().take(1_100, start), Duration::from_secs(1));
        assert_eq!(limits.take(0, start), Duration::from_millis(200));
    }
}
