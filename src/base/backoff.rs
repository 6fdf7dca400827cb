//! How long to wait before the next attempt: exponential backoff with full jitter. Pure, except for
//! [`random()`].
//! <https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/>

use std::time::Duration;

use crate::base::random;

/// Upper limit of a wait, for callers that have no limit of their own.
pub const LONGEST: Duration = Duration::from_secs(20);

/// How long to wait before retry number `attempt`, where 0 is the first retry: `random`, from 0 to
/// 1, times `base` · 2^`attempt`, but at most `random` times `longest`.
pub fn backoff(attempt: u32, base: Duration, longest: Duration, random: f64) -> Duration {
    let ceiling = base
        .saturating_mul(2u32.saturating_pow(attempt))
        .min(longest);
    ceiling.mul_f64(random.clamp(0.0, 1.0))
}

/// Varies an interval, so that instances that were started at the same time do not keep calling
/// at the same time: `interval` times a factor from `1 - spread` (`random` is 0) to `1 + spread`
/// (`random` is 1).
pub fn spread(interval: Duration, spread: f64, random: f64) -> Duration {
    interval.mul_f64(1.0 - spread + 2.0 * spread * random.clamp(0.0, 1.0))
}

/// A random number from 0 to 1, for jitter.
pub fn random() -> f64 {
    random::bits() as f64 / u64::MAX as f64
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
