//! Limits the rate of calls to Route 53, since all clients of an AWS account share its limits.
//!
//! In: the configured rates, what each call needs, and which calls were throttled. Out: how long to
//! wait before a call. Pure: the time and random numbers are arguments.

use std::time::{Duration, Instant};

use crate::base::token_bucket::TokenBucket;

/// Seconds of the request rate that may be saved up while there are no calls.
const REQUEST_BURST_SECONDS: f64 = 2.0;
/// Requests that may be saved up at most. AWS allows a burst of 50 for a whole
/// account.
const MAX_REQUEST_BURST: f64 = 10.0;
/// Seconds of the change rate that may be saved up while there are no calls.
const CHANGE_BURST_SECONDS: f64 = 10.0;
/// Changes that may be saved up at most: those of a full batch.
const MAX_CHANGE_BURST: f64 = 1_000.0;
/// While Route 53 throttles the account, a call takes up to this part more or less from the
/// buckets. Otherwise all clients that were refused at the same time would call again at the same
/// time.
const THROTTLED_SPREAD: f64 = 0.5;

/// A bucket of requests and one of changes.
#[derive(Debug, Clone)]
pub struct Limits {
    requests: TokenBucket,
    changes: TokenBucket,
    /// What the next call takes from the buckets, as a multiple of what it needs.
    weight: f64,
    /// Requests and changes that are taken for the next batch.
    reserved: (f64, f64),
}

impl Limits {
    /// Full buckets for these rates, in requests and changes a second.
    pub fn new(request_rate: f64, change_rate: f64, now: Instant) -> Limits {
        Limits {
            requests: bucket(request_rate, REQUEST_BURST_SECONDS, MAX_REQUEST_BURST, now),
            changes: bucket(change_rate, CHANGE_BURST_SECONDS, MAX_CHANGE_BURST, now),
            weight: 1.0,
            reserved: (0.0, 0.0),
        }
    }

    /// Takes what a call with this number of changes needs, and returns how long to wait before it.
    pub fn take(&mut self, changes: usize, now: Instant) -> Duration {
        let requests = self.requests.take(self.weight, now);
        let changes = self.weight * changes as f64;
        requests.max(self.changes.take(changes, now))
    }

    /// Takes what a batch with this number of changes needs, once, and returns how long to wait
    /// before it is sent. A batch that isn't sent then leaves what is taken to the next one, so that
    /// waiting again and again gets there in the end.
    pub fn reserve(&mut self, changes: usize, now: Instant) -> Duration {
        let (requests, changes) = (self.weight, self.weight * changes as f64);
        let more = (requests - self.reserved.0, changes - self.reserved.1);
        self.reserved = (requests, changes);
        let wait = self.requests.take(more.0, now);
        wait.max(self.changes.take(more.1, now))
    }

    /// The batch for which room is reserved is sent now.
    pub fn use_reserved(&mut self) {
        self.reserved = (0.0, 0.0);
    }

    /// Records that Route 53 throttled a call with this number of changes. `again`: it had
    /// throttled the same call before.
    pub fn throttled(&mut self, changes: usize, again: bool, now: Instant) {
        self.requests.throttled(again, now);
        if changes > 0 {
            self.changes.throttled(again, now);
        }
    }

    /// Sets what the next call takes from the buckets. `random` is from 0 to 1.
    pub fn spread_next_call(&mut self, random: f64) {
        let is_slow = self.requests.is_slow() || self.changes.is_slow();
        let spread = if is_slow { THROTTLED_SPREAD } else { 0.0 };
        self.weight = 1.0 + spread * (2.0 * random - 1.0);
    }
}

/// A full bucket. It holds the tokens of this many seconds, but at least one and at most `max`.
fn bucket(rate: f64, seconds: f64, max: f64, now: Instant) -> TokenBucket {
    TokenBucket::new(rate, (rate * seconds).clamp(1.0, max), now)
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
            limits.spread_next_call(random);
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
    fn after_a_refused_listing_what_listings_take_is_spread() {
        let start = Instant::now();
        for (random, expected) in [(0.0, 4), (1.0, 12)] {
            let mut limits = Limits::new(1.0, 80.0, start);
            limits.throttled(0, false, start);
            limits.spread_next_call(random);
            assert_eq!(limits.take(0, start), Duration::from_secs(expected));
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
    fn the_slower_bucket_counts() {
        let start = Instant::now();
        let mut limits = Limits::new(5.0, 100.0, start);
        for _ in 0..10 {
            assert_eq!(limits.take(0, start), Duration::ZERO);
        }
        assert_eq!(limits.clone().take(0, start), Duration::from_millis(200));
        assert_eq!(limits.clone().take(1_100, start), Duration::from_secs(1));
    }

    #[test]
    fn a_batch_is_one_request_however_often_it_waits() {
        let start = Instant::now();
        let mut limits = Limits::new(0.5, 1.0, start);
        let waits = [11, 11, 11].map(|changes| limits.reserve(changes, start).as_secs());
        assert_eq!(waits, [1, 1, 1], "for a change, not for a request");
        limits.use_reserved();
        assert_eq!(limits.take(0, start), Duration::from_secs(2));
    }

    #[test]
    fn what_is_reserved_is_taken_once_and_waited_for_once() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut limits = Limits::new(5.0, 1.0, start);
        // More than the bucket ever holds, which is ten.
        for (changes, seconds, wait) in [
            (110, 0, 100),
            (110, 40, 60),
            (60, 40, 10), // a smaller batch instead
            (80, 45, 25),
            (80, 70, 0),
        ] {
            let left = limits.reserve(changes, at(seconds));
            assert_eq!(
                left,
                Duration::from_secs(wait),
                "{changes} after {seconds} s"
            );
        }
        limits.use_reserved();
        assert_eq!(limits.reserve(5, at(70)), Duration::from_secs(5));
    }
}
