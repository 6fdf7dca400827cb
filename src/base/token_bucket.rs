//! A token bucket that limits the rate of calls, and slows down after a server has refused some of
//! them.
//!
//! In: how many tokens a call takes, and which calls were refused. Out: how long to wait before a
//! call. Pure: the time is an argument.

use std::time::{Duration, Instant};

/// How long a lowered rate stays as it is before it doubles.
const RECOVERY: Duration = Duration::from_secs(90);
/// How often the first refusal halves the rate. Clients that share an account's limits cannot see
/// how many they are. With one halving at a time, each of them would be refused once per halving
/// until the rate fits.
const FIRST_HALVINGS: u32 = 3;
/// How often the rate is halved at most, which makes it 1/64 of the configured rate.
const MAX_HALVINGS: u32 = 6;

/// A bucket that holds up to `burst` tokens and gains `rate` tokens a second. The number of tokens
/// may become negative: a call that needs more tokens than there are waits for them, and so do
/// the calls after it.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    /// The configured rate, in tokens a second.
    rate: f64,
    burst: f64,
    tokens: f64,
    counted_at: Instant,
    halvings: u32,
    halved_at: Instant,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(rate: f64, burst: f64, now: Instant) -> TokenBucket {
        TokenBucket {
            rate,
            burst,
            tokens: burst,
            counted_at: now,
            halvings: 0,
            halved_at: now,
        }
    }

    /// Takes `count` tokens and returns how long the caller has to wait for them.
    pub fn take(&mut self, count: f64, now: Instant) -> Duration {
        self.advance(now);
        self.tokens -= count;
        // A lowered rate recovers while the caller waits.
        let mut later = self.clone();
        for _ in 0..self.halvings {
            let recovers = later.halved_at + RECOVERY;
            if later.paid_at() <= recovers {
                break;
            }
            later.advance(recovers);
        }
        later.paid_at().saturating_duration_since(now)
    }

    /// When the debt is paid if the rate stays as it is.
    fn paid_at(&self) -> Instant {
        let debt = (-self.tokens).max(0.0);
        self.counted_at + Duration::from_secs_f64(debt / self.current_rate())
    }

    /// Lowers the debt to `max_debt` tokens, if it is larger.
    pub fn forgive(&mut self, max_debt: f64) {
        self.tokens = self.tokens.max(-max_debt);
    }

    /// Records that the server refused a call for its rate: lowers the rate for a while and drops
    /// all saved tokens. A rate that is lowered already is lowered further only if the same call
    /// was refused before (`again`).
    pub fn throttled(&mut self, again: bool, now: Instant) {
        self.advance(now);
        self.tokens = self.tokens.min(0.0);
        self.halvings = match self.halvings {
            0 => FIRST_HALVINGS,
            low => (low + u32::from(again)).min(MAX_HALVINGS),
        };
        self.halved_at = now;
    }

    /// Whether the rate is lower than the configured one.
    pub fn is_slow(&self) -> bool {
        self.halvings > 0
    }

    /// The rate at present, in tokens a second.
    pub fn current_rate(&self) -> f64 {
        self.rate / f64::from(1 << self.halvings)
    }

    /// Adds the tokens and halvings up to `now`.
    fn advance(&mut self, now: Instant) {
        while self.halvings > 0 && now >= self.halved_at + RECOVERY {
            self.gain(self.halved_at + RECOVERY);
            self.halvings -= 1;
            self.halved_at += RECOVERY;
        }
        self.gain(now);
    }

    /// Adds the tokens that the present rate gives until this time.
    fn gain(&mut self, until: Instant) {
        let gained = until
            .saturating_duration_since(self.counted_at)
            .as_secs_f64();
        self.tokens = (self.tokens + gained * self.current_rate()).min(self.burst);
        self.counted_at = self.counted_at.max(until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_full_bucket_gives_its_burst_at_once_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(5.0, 10.0, start);
        for _ in 0..10 {
            assert_eq!(bucket.take(1.0, start), Duration::ZERO);
        }
        assert_eq!(bucket.take(1.0, start), Duration::from_millis(200));
        assert_eq!(bucket.take(1.0, start), Duration::from_millis(400));
        assert_eq!(bucket.take(1.0, start + seconds(1)), Duration::ZERO);
    }

    #[test]
    fn it_never_saves_more_than_its_burst() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(100.0, 1000.0, start);
        assert_eq!(bucket.take(1000.0, start + seconds(3600)), Duration::ZERO);
        assert_eq!(bucket.take(100.0, start + seconds(3600)), seconds(1));
    }

    #[test]
    fn throttling_lowers_the_rate_and_time_heals_it() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(16.0, 10.0, start);
        assert!(!bucket.is_slow());
        bucket.throttled(true, start);
        assert_eq!(bucket.current_rate(), 2.0);
        bucket.throttled(false, start);
        assert_eq!(bucket.current_rate(), 2.0);
        bucket.throttled(true, start);
        assert_eq!(bucket.current_rate(), 1.0);
        assert!(bucket.is_slow());
        assert_eq!(bucket.take(2.0, start), seconds(2));
        for (after, rate) in [(91, 2.0), (181, 4.0), (271, 8.0), (361, 16.0)] {
            bucket.take(0.0, start + seconds(after));
            assert_eq!(bucket.current_rate(), rate, "after {after} s");
        }
        assert!(!bucket.is_slow());
    }

    #[test]
    fn a_long_wait_counts_on_the_recovery() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(80.0, 1000.0, start);
        bucket.throttled(false, start);
        // 10 a second for 90 s, 20 and 40 a second for another 90 s each, then 80.
        assert_eq!(bucket.take(500.0, start), seconds(50));
        assert_eq!(bucket.take(1000.0, start), seconds(120));
        assert_eq!(bucket.take(5600.0, start), seconds(280));
        assert_eq!(bucket.take(0.0, start + seconds(280)), Duration::ZERO);
        assert_eq!(
            bucket.take(8.0, start + seconds(280)),
            Duration::from_millis(100)
        );
    }

    #[test]
    fn forgiven_debt_need_not_be_waited_for() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(1.0, 10.0, start);
        bucket.take(100.0, start);
        bucket.forgive(2.0);
        assert_eq!(bucket.take(0.0, start), seconds(2));
    }

    #[test]
    fn endless_throttling_never_stops_it() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(5.0, 10.0, start);
        for _ in 0..1000 {
            bucket.throttled(true, start);
        }
        assert!(bucket.take(1.0, start) < seconds(60));
    }
}
