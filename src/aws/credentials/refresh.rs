//! Decides when credentials are renewed, from when they expire and when they were last fetched.
//! Pure: the time is an argument.
//!
//! ```text
//!            15 min before      10 min before        expiry
//!  ────────────────┼──────────────────┼─────────────────┼─────────────────►
//!   use            │ use, renew in the background       │ renew, then use
//!                  │ failure: debug   │ failure: warning│ failure: an error, or for those of an
//!                                                       │ instance: use for 5 to 10 min, renew again
//! ```
//!
//! The minutes before expiry are those of botocore's `RefreshableCredentials`. What happens after it
//! with an instance's credentials is what AWS's SDKs call static stability: Go's `ec2rolecreds`, Rust's
//! `ImdsCredentialsProvider` and JavaScript's `fromInstanceMetadata` use expired ones until there are
//! newer ones, and ask for these again after some minutes.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Credentials are renewed from this long before they expire.
const RENEW_BEFORE: TimeDelta = TimeDelta::minutes(15);
/// From this long before the credentials expire, a failure to renew them is worth a warning.
const WARN_BEFORE: TimeDelta = TimeDelta::minutes(10);
/// Shortest time between two attempts to renew credentials. An attempt may well bring the old ones
/// again: instance metadata has new credentials only five minutes before the old ones expire.
pub const MIN_INTERVAL: Duration = Duration::from_secs(30);
/// How long expired credentials of an instance are used before its metadata is asked again, at least
/// and at most: as in AWS's SDKs, and at random, so that not all instances ask at the same time.
const EXTENSION: [Duration; 2] = [Duration::from_secs(300), Duration::from_secs(600)];

/// What to do with the cached credentials before a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Sign with the cached credentials.
    Use,
    /// Sign with the cached credentials, and fetch new ones in the background.
    UseAndRenew,
    /// Fetch new credentials first: the cached ones have expired.
    Renew,
}

/// For how long expired credentials are used before newer ones are asked for. `random` is from 0 to 1.
pub fn extension(random: f64) -> Duration {
    let [shortest, longest] = EXTENSION;
    shortest + (longest - shortest).mul_f64(random.clamp(0.0, 1.0))
}

/// What to do with cached credentials. `since_fetched` is the time since they were fetched or
/// extended, `since_attempt` the time since the last attempt to renew them in the background, if there
/// was one, and `extension` for how long after the former they are used although they have expired.
pub fn step(
    expires: DateTime<Utc>,
    now: DateTime<Utc>,
    since_fetched: Duration,
    since_attempt: Option<Duration>,
    extension: Duration,
) -> Step {
    let left = expires - now;
    if left > RENEW_BEFORE {
        return Step::Use;
    }
    if left > TimeDelta::zero() {
        return match since_attempt {
            Some(since) if since < MIN_INTERVAL => Step::Use,
            _ => Step::UseAndRenew,
        };
    }
    // Credentials that have expired although they were just fetched: the system's clock may be
    // wrong, or the endpoint gives old ones, as instance metadata does when it cannot renew them
    // itself. AWS decides whether they are valid.
    if since_fetched < extension {
        Step::Use
    } else {
        Step::Renew
    }
}

/// Whether credentials that have expired by this system's clock may be valid by AWS's clock. AWS
/// accepts a difference of five minutes between the two.
pub fn may_still_be_valid(expires: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - expires < TimeDelta::minutes(5)
}

/// Whether a failure to renew credentials that expire at this time is worth a warning.
pub fn is_urgent(expires: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    expires - now <= WARN_BEFORE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewing_begins_in_time_and_keeps_its_pace() {
        let now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
        let long_ago = Duration::from_secs(3600);
        for (left, since_fetched, since_attempt, expected) in [
            (901, long_ago, None, Step::Use),
            (900, long_ago, None, Step::UseAndRenew),
            (900, Duration::ZERO, None, Step::UseAndRenew),
            (900, long_ago, Some(Duration::ZERO), Step::Use),
            (
                900,
                long_ago,
                Some(MIN_INTERVAL - Duration::from_millis(1)),
                Step::Use,
            ),
            (900, long_ago, Some(MIN_INTERVAL), Step::UseAndRenew),
            (1, long_ago, Some(Duration::ZERO), Step::Use),
            (1, long_ago, None, Step::UseAndRenew),
            (0, long_ago, Some(Duration::ZERO), Step::Renew),
            (-86_400, long_ago, None, Step::Renew),
            (0, MIN_INTERVAL, None, Step::Renew),
            (-86_400, Duration::ZERO, None, Step::Use),
        ] {
            let expires = now + TimeDelta::seconds(left);
            let found = step(expires, now, since_fetched, since_attempt, MIN_INTERVAL);
            assert_eq!(
                found, expected,
                "{left} {since_fetched:?} {since_attempt:?}"
            );
        }
    }

    #[test]
    fn expired_ones_are_used_for_their_extension() {
        let now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
        let second = Duration::from_secs(1);
        let (short, long) = (Duration::from_secs(300), Duration::from_secs(600));
        for (left, since_fetched, extension, expected) in [
            (0, Duration::ZERO, short, Step::Use),
            (-1, short - second, short, Step::Use),
            (-1, short, short, Step::Renew),
            (-1, short, long, Step::Use),
            (-86_400, long - second, long, Step::Use),
            (-86_400, long, long, Step::Renew),
            (0, Duration::ZERO, Duration::ZERO, Step::Renew),
            // They hold after all, by a clock that was put right.
            (901, long, long, Step::Use),
            (900, short - second, short, Step::UseAndRenew),
        ] {
            let expires = now + TimeDelta::seconds(left);
            // What was tried in the background before they expired doesn't matter.
            for since_attempt in [None, Some(since_fetched.max(MIN_INTERVAL))] {
                let found = step(expires, now, since_fetched, since_attempt, extension);
                assert_eq!(found, expected, "{left} {since_fetched:?} {extension:?}");
            }
        }
    }

    #[test]
    fn an_extension_is_five_to_ten_minutes() {
        for (random, seconds) in [(0.0, 300), (0.5, 450), (1.0, 600), (-1.0, 300), (2.0, 600)] {
            assert_eq!(extension(random), Duration::from_secs(seconds), "{random}");
        }
    }

    #[test]
    fn what_has_ended_may_do_for_as_long_as_clocks_may_differ() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        for (left, expected) in [(1, true), (0, true), (-299, true), (-300, false)] {
            assert_eq!(
                may_still_be_valid(now + TimeDelta::seconds(left), now),
                expected
            );
        }
    }

    #[test]
    fn a_failure_is_urgent_from_ten_minutes_before() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        for (left, expected) in [(900, false), (601, false), (600, true), (-1, true)] {
            assert_eq!(is_urgent(now + TimeDelta::seconds(left), now), expected);
        }
    }
}
