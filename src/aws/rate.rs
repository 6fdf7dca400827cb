//! A token bucket, and the pair of them that keeps us within the account's limits.
//!
//! Pure: time is an argument.

use std::time::{Duration, Instant};

/// How long a throttled rate stays halved before it doubles again.
const RECOVERY: Duration = Duration::from_secs(30);
/// The rate is halved at most this often: 1/64 of what is configured.
const MOST_HALVINGS: u32 = 6;

/// Holds up to `burst` tokens and gains `rate` a second. It may go into debt: a request larger
/// than what is left waits, and so does everything after it.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    /// Tokens a second, as configured.
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

    /// Takes `count` tokens and returns how long to wait before using them.
    pub fn take(&mut self, count: f64, now: Instant) -> Duration {
        self.count(now);
        self.tokens -= count;
        // The rate recovers while we wait.
        let mut later = self.clone();
        loop {
            let debt = (-later.tokens).max(0.0);
            let paid = later.counted_at + Duration::from_secs_f64(debt / later.current_rate());
            let recovers = later.halved_at + RECOVERY;
            if later.halvings == 0 || paid <= recovers {
                return paid.saturating_duration_since(now);
            }
            later.count(recovers);
        }
    }

    /// Forgives the debt beyond this.
    pub fn forgive(&mut self, most: f64) {
        self.tokens = self.tokens.max(-most);
    }

    /// Halves the rate for a while and spends what was saved up: the server has just said that
    /// our idea of what is left is wrong.
    pub fn throttled(&mut self, now: Instant) {
        self.count(now);
        self.tokens = self.tokens.min(0.0);
        self.halvings = (self.halvings + 1).min(MOST_HALVINGS);
        self.halved_at = now;
    }

    /// Tokens a second at present.
    pub fn current_rate(&self) -> f64 {
        self.rate / f64::from(1 << self.halvings)
    }

    fn count(&mut self, now: Instant) {
        while self.halvings > 0 && now >= self.halved_at + RECOVERY {
            self.gain(self.halved_at + RECOVERY);
            self.halvings -= 1;
            self.halved_at += RECOVERY;
        }
        self.gain(now);
    }

    /// What comes until then at the present rate.
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
    fn throttling_halves_the_rate_and_time_heals_it() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(8.0, 10.0, start);
        bucket.throttled(start);
        assert_eq!(bucket.current_rate(), 4.0);
        bucket.throttled(start);
        assert_eq!(bucket.current_rate(), 2.0);
        assert_eq!(bucket.take(2.0, start), seconds(1));
        bucket.take(0.0, start + seconds(31));
        assert_eq!(bucket.current_rate(), 4.0);
        bucket.take(0.0, start + seconds(61));
        assert_eq!(bucket.current_rate(), 8.0);
    }

    #[test]
    fn a_long_wait_counts_on_the_recovery() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(100.0, 1000.0, start);
        bucket.throttled(start);
        bucket.throttled(start);
        // 25 a second for 30 s, 50 a second for another 30 s, then 100.
        assert_eq!(bucket.take(500.0, start), seconds(20));
        assert_eq!(bucket.take(1000.0, start), seconds(45));
        assert_eq!(bucket.take(1250.0, start), seconds(65));
        assert_eq!(bucket.take(0.0, start + seconds(65)), Duration::ZERO);
        assert_eq!(
            bucket.take(1.0, start + seconds(65)),
            Duration::from_millis(10)
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
            bucket.throttled(start);
        }
        assert!(bucket.take(1.0, start) < seconds(60));
    }
}
