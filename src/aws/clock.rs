//! Corrects the system's clock for signatures, since AWS refuses those that are five minutes off.
//!
//! Every answer of AWS has a `Date` header. When a request is refused for a reason that a wrong
//! clock may have, the difference between that date and the system's clock is added to all times
//! from then on, as AWS's SDKs do:
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>.
//! [`measure`] and [`correction`] are pure; [`Clock`] keeps the difference.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::log;

/// A clock that is off by less than this is not the reason for a refusal, since AWS allows five
/// minutes.
const TOLERATED: TimeDelta = TimeDelta::minutes(4);

/// The system's clock with a correction. Clones share the correction, so that what one client
/// learns helps the others.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Milliseconds to add to the system's clock.
    offset: Arc<AtomicI64>,
}

impl Clock {
    /// The corrected time.
    pub fn now(&self) -> DateTime<Utc> {
        let now = Utc::now();
        now.checked_add_signed(self.offset()).unwrap_or(now)
    }

    fn offset(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.offset.load(Ordering::Relaxed))
    }

    /// Learns from a refused request. `code` is AWS's error code, and `measured` is how far AWS's
    /// clock is ahead of the system's. True if the correction has changed, so that the request
    /// should be repeated.
    pub fn learn(&self, code: &str, measured: Option<TimeDelta>) -> bool {
        let Some(offset) = correction(code, measured, self.offset()) else {
            return false;
        };
        self.offset
            .store(offset.num_milliseconds(), Ordering::Relaxed);
        log::warn(
            "this system's clock differs from AWS's, requests are signed with AWS's time",
            &[
                ("aws_is_ahead_s", &offset.num_seconds()),
                ("refused_with", &code),
            ],
        );
        true
    }
}

/// How far a server's clock is ahead of the system's, from its `Date` header. It is assumed that
/// the header was written in the middle between `sent` and `received`.
pub fn measure(date: &str, sent: DateTime<Utc>, received: DateTime<Utc>) -> Option<TimeDelta> {
    let date = DateTime::parse_from_rfc2822(date).ok()?.to_utc();
    let midpoint = sent.checked_add_signed((received - sent) / 2)?;
    Some(date - midpoint)
}

/// The new correction, if a wrong one may be the reason why a request was refused with this code.
pub fn correction(code: &str, measured: Option<TimeDelta>, in_use: TimeDelta) -> Option<TimeDelta> {
    let measured = measured.filter(|_| may_mean_skew(code))?;
    ((measured - in_use).abs() > TOLERATED).then_some(measured)
}

/// Whether a wrong clock is a possible reason for an error code. The codes are those for which
/// AWS's SDKs for Rust and JavaScript correct their clocks.
fn may_mean_skew(code: &str) -> bool {
    matches!(
        code,
        "InvalidSignatureException"
            | "SignatureDoesNotMatch"
            | "AuthFailure"
            | "RequestTimeTooSkewed"
            | "RequestExpired"
            | "RequestInTheFuture"
            | "AccessDeniedException"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn measures_from_the_midpoint() {
        let sent = at("2015-08-30T12:36:00Z");
        let received = at("2015-08-30T12:36:02Z");
        for (date, seconds) in [
            ("Sun, 30 Aug 2015 12:36:01 GMT", Some(0)),
            ("Sun, 30 Aug 2015 13:36:01 GMT", Some(3600)),
            ("Sun, 30 Aug 2015 12:26:01 +0000", Some(-600)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(-1_440_938_161)),
            ("Mon, 30 Aug 2015 12:36:01 GMT", None),
            ("2015-08-30T12:36:01Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            let measured = measure(date, sent, received);
            assert_eq!(measured.map(|d| d.num_seconds()), seconds, "{date}");
        }
    }

    #[test]
    fn corrects_only_what_the_clock_can_be_blamed_for() {
        for (code, measured, in_use, expected) in [
            ("SignatureDoesNotMatch", Some(241), 0, Some(241)),
            ("SignatureDoesNotMatch", Some(240), 0, None),
            ("SignatureDoesNotMatch", Some(-241), 0, Some(-241)),
            ("RequestTimeTooSkewed", Some(3600), 0, Some(3600)),
            ("InvalidSignatureException", None, 0, None),
            ("AccessDenied", Some(3600), 0, None),
            ("Throttling", Some(3600), 0, None),
            // Once corrected, a wrong secret is a wrong secret.
            ("SignatureDoesNotMatch", Some(3601), 3600, None),
            // The system's clock was set right in the meantime.
            ("SignatureDoesNotMatch", Some(0), 3600, Some(0)),
        ] {
            let found = correction(
                code,
                measured.map(TimeDelta::seconds),
                TimeDelta::seconds(in_use),
            );
            let expected = expected.map(TimeDelta::seconds);
            assert_eq!(found, expected, "{code} {measured:?} {in_use}");
        }
    }

    #[test]
    fn what_one_learns_all_know() {
        let clock = Clock::default();
        let other = clock.clone();
        let hour = TimeDelta::hours(1);
        assert!(clock.learn("SignatureDoesNotMatch", Some(hour)));
        assert!(!other.learn("SignatureDoesNotMatch", Some(hour)));
        let ahead = other.now() - Utc::now();
        assert!((ahead - hour).abs() < TimeDelta::seconds(5), "{ahead}");
    }
}
