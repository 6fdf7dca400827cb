//! When to try again: exponential backoff with full jitter.
//! <https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>

use std::time::Duration;

/// No wait is longer than this.
pub const LONGEST: Duration = Duration::from_secs(20);

/// How long to wait before retry number `attempt` (0 for the first), between nothing and
/// `base` · 2^`attempt`, capped at `longest`. `random` is from 0 to 1.
pub fn backoff(attempt: u32, base: Duration, longest: Duration, random: f64) -> Duration {
    let ceiling = base
        .saturating_mul(2u32.saturating_pow(attempt))
        .min(longest);
    ceiling.mul_f64(random.clamp(0.0, 1.0))
}

/// Between `1 - spread` and `1 + spread` times `interval`, so that many instances that were
/// started together don't stay together.
pub fn spread(interval: Duration, spread: f64, random: f64) -> Duration {
    interval.mul_f64(1.0 - spread + 2.0 * spread * random.clamp(0.0, 1.0))
}

/// A number from 0 to 1 that differs from call to call and from process to process. Not for
/// secrets: it is the standard library's hash seed, which is all that jitter needs.
pub fn random() -> f64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_cap() {
        let base = Duration::from_millis(500);
        for (attempt, random, expected) in [
            (0, 1.0, 500),
            (0, 0.0, 0),
            (1, 1.0, 1_000),
            (3, 0.5, 2_000),
            (6, 1.0, 20_000),
            (u32::MAX, 1.0, 20_000),
        ] {
            let wait = backoff(attempt, base, LONGEST, random);
            assert_eq!(wait, Duration::from_millis(expected), "{attempt} {random}");
        }
    }

    #[test]
    fn spread_stays_within_its_bounds() {
        let interval = Duration::from_secs(300);
        assert_eq!(spread(interval, 0.1, 0.0), Duration::from_secs(270));
        assert_eq!(spread(interval, 0.1, 1.0), Duration::from_secs(330));
    }

    #[test]
    fn random_is_from_0_to_1_and_differs() {
        let numbers: Vec<f64> = (0..100).map(|_| random()).collect();
        assert!(numbers.iter().all(|n| (0.0..=1.0).contains(n)));
        assert!(numbers.iter().any(|n| *n != numbers[0]));
    }
}
