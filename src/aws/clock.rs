//! How far our clock is from AWS's, which refuses a signature that is five minutes off.
//!
//! Answers of AWS carry a `Date`. It is looked at only when a request was refused for a reason
//! that a wrong clock can have; then the difference is added to our own clock from there on, as
//! AWS's own SDKs do: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>.
//! [`measure`] and [`correction`] are pure, [`Clock`] remembers.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

use crate::base::log;

/// A clock that is off by no more isn't why a request was refused: AWS allows five minutes.
const TOLERATED: TimeDelta = TimeDelta::minutes(4);

/// Our clock, corrected. Clones are one clock: what one client learns, the others know.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Milliseconds to add to the system's clock.
    offset: Arc<AtomicI64>,
}

impl Clock {
    /// The time, as AWS has it.
    pub fn now(&self) -> DateTime<Utc> {
        let now = Utc::now();
        now.checked_add_signed(self.offset()).unwrap_or(now)
    }

    fn offset(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.offset.load(Ordering::Relaxed))
    }

    /// A request was refused with this code, and this is by how much the server's clock was
    /// ahead of the system's. True if that is put right from now on, so that the request should
    /// be made again.
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

/// By how much the server that wrote this `Date` is ahead of our clock, if it was written in
/// the middle between sending and receiving.
pub fn measure(date: &str, sent: DateTime<Utc>, received: DateTime<Utc>) -> Option<TimeDelta> {
    let date = DateTime::parse_from_rfc2822(date).ok()?.to_utc();
    let midpoint = sent.checked_add_signed((received - sent) / 2)?;
    Some(date - midpoint)
}

/// The offset to use from now on, if a wrong one can be why a request was refused.
pub fn correction(code: &str, measured: Option<TimeDelta>, in_use: TimeDelta) -> Option<TimeDelta> {
    let measured = measured.filter(|_| may_be_skew(code))?;
    ((measured - in_use).abs() > TOLERATED).then_some(measured)
}

/// The codes of AWS's SDKs for Rust and JavaScript: a wrong date is one of their reasons.
fn may_be_skew(code: &str) -> bool {
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
