//! When credentials are to be renewed. Pure: time is an argument.
//!
//! ```text
//!            15 min before      10 min before        expiry
//!  ────────────────┼──────────────────┼─────────────────┼─────────────────►
//!   use            │ use, and renew on the side         │ renew, then use
//!                  │ failure: debug   │ failure: warning│ failure: an error
//! ```
//!
//! The minutes are those of AWS's SDKs (botocore's `RefreshableCredentials`).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Renewing begins this long before they end.
const DUE: TimeDelta = TimeDelta::minutes(15);
/// Until this long before they end a failure is nothing to worry about.
const TOLERATED: TimeDelta = TimeDelta::minutes(10);
/// Attempts are at least so far apart, also those that brought nothing newer: instance metadata
/// has new credentials only five minutes before the old ones end.
pub const PACE: Duration = Duration::from_secs(30);

/// What to do about the credentials at hand before a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// They are good.
    Use,
    /// They are good for this call; others should be fetched meanwhile.
    UseAndRenew,
    /// They have ended: others are needed first.
    Renew,
}

/// What to do with credentials that end at `expires` and were fetched this long ago, if the
/// last attempt to renew them on the side was that long ago.
pub fn step(
    expires: DateTime<Utc>,
    now: DateTime<Utc>,
    since_fetched: Duration,
    since_attempt: Option<Duration>,
) -> Step {
    let left = expires - now;
    if left > DUE {
        return Step::Use;
    }
    if left > TimeDelta::zero() {
        return match since_attempt {
            Some(since) if since < PACE => Step::Use,
            _ => Step::UseAndRenew,
        };
    }
    // Just fetched and already over: our clock may be wrong, or the endpoint hands out old ones,
    // as instance metadata does when it can't renew them itself. AWS has the last word.
    match since_fetched < PACE {
        true => Step::Use,
        false => Step::Renew,
    }
}

/// Whether credentials that ended then by our clock may be good by AWS's, from which ours may differ
/// by five minutes without its taking offence.
pub fn may_still_do(expires: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - expires < TimeDelta::minutes(5)
}

/// Whether a failure to renew credentials that end then is worth a warning.
pub fn is_urgent(expires: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    expires - now <= TOLERATED
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
                Some(PACE - Duration::from_millis(1)),
                Step::Use,
            ),
            (900, long_ago, Some(PACE), Step::UseAndRenew),
            (1, long_ago, Some(Duration::ZERO), Step::Use),
            (1, long_ago, None, Step::UseAndRenew),
            (0, long_ago, Some(Duration::ZERO), Step::Renew),
            (-86_400, long_ago, None, Step::Renew),
            (0, PACE, None, Step::Renew),
            (-86_400, Duration::ZERO, None, Step::Use),
        ] {
            let expires = now + TimeDelta::seconds(left);
            let found = step(expires, now, since_fetched, since_attempt);
            assert_eq!(
                found, expected,
                "{left} {since_fetched:?} {since_attempt:?}"
            );
        }
    }

    #[test]
    fn what_has_ended_may_do_for_as_long_as_clocks_may_differ() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        for (left, expected) in [(1, true), (0, true), (-299, true), (-300, false)] {
            assert_eq!(may_still_do(now + TimeDelta::seconds(left), now), expected);
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
