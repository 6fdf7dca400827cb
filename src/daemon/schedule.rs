//! When the loop has to do something although metadata hasn't changed. Pure: time and chance are
//! arguments.

use std::time::{Duration, Instant};

use crate::base::backoff;

/// Ceilings of the wait after a round has failed: at first, and in the long run.
const FAILED_ROUND: Duration = Duration::from_secs(2);
const MAX_FAILED_ROUND: Duration = Duration::from_secs(60);
/// The interval between two listings of the zone varies by this part, so that instances that
/// started together don't list together.
const RESYNC_SPREAD: f64 = 0.1;

/// A batch without an answer can be applied later than the listing that shows that it wasn't. So the
/// zone is listed once more, after about this time: within a minute.
const AFTER_UNANSWERED: Duration = Duration::from_secs(50);

/// What is due when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// `RESYNC_INTERVAL`.
    resync_interval: Duration,
    /// The zone is to be listed again.
    resync_at: Instant,
    /// A round that failed or was cut short is to be made again.
    retry_at: Option<Instant>,
    /// Metadata is to be read again, for the deletes that wait until it has said the same again.
    reread_at: Option<Instant>,
    /// Rounds that failed in succession.
    failed_rounds: u32,
}

impl Schedule {
    /// Everything is due at once.
    pub fn new(resync_interval: Duration, now: Instant) -> Schedule {
        Schedule {
            resync_interval,
            resync_at: now,
            retry_at: None,
            reread_at: None,
            failed_rounds: 0,
        }
    }

    /// When the next round is due. After a failed one, that is when it is made again, also if a
    /// resync would be due before.
    pub fn next_round(&self) -> Instant {
        self.retry_at.unwrap_or(self.resync_at)
    }

    /// When the next round or the next reading of metadata is due.
    pub fn next_due(&self) -> Instant {
        let next = self.next_round();
        self.reread_at.map_or(next, |reread| reread.min(next))
    }

    /// Whether metadata is to be read although it hasn't changed.
    pub fn is_reread_due(&self, now: Instant) -> bool {
        self.reread_at.is_some_and(|at| at <= now)
    }

    /// Metadata has been read again.
    pub fn reread(&mut self) {
        self.reread_at = None;
    }

    /// A round begins. True if it is to list the zone; the next resync is set then. `random` is
    /// from 0 to 1.
    pub fn begin_round(&mut self, now: Instant, random: f64) -> bool {
        let is_resync = self.resync_at <= now;
        if is_resync {
            self.resync_at = now + backoff::spread(self.resync_interval, RESYNC_SPREAD, random);
        }
        is_resync
    }

    /// A batch had no answer, whatever has become of the round. `random` is from 0 to 1.
    pub fn batch_unanswered(&mut self, now: Instant, random: f64) {
        let soon = now + backoff::spread(AFTER_UNANSWERED, RESYNC_SPREAD, random);
        self.resync_at = self.resync_at.min(soon);
    }

    /// A round succeeded. `is_cut`: it ended early, and is made again at once. `held_until`: when
    /// metadata has to be read again for the deletes that wait.
    pub fn round_succeeded(&mut self, is_cut: bool, held_until: Option<Instant>, now: Instant) {
        self.failed_rounds = 0;
        self.retry_at = is_cut.then_some(now);
        self.reread_at = held_until;
    }

    /// A round failed. `random` is from 0 to 1.
    pub fn round_failed(&mut self, now: Instant, random: f64) {
        let ceiling = MAX_FAILED_ROUND;
        let wait = backoff::backoff(self.failed_rounds, FAILED_ROUND, ceiling, random);
        self.failed_rounds = self.failed_rounds.saturating_add(1);
        self.retry_at = Some(now + wait);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(300);

    /// A schedule after its first round, which began at the time that is returned with it.
    fn started() -> (Schedule, Instant) {
        let now = Instant::now();
        let mut schedule = Schedule::new(INTERVAL, now);
        assert!(schedule.next_round() <= now);
        assert!(schedule.begin_round(now, 0.5), "the first round lists");
        schedule.round_succeeded(false, None, now);
        (schedule, now)
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn the_zone_is_listed_again_after_the_interval_ten_percent_more_or_less() {
        for (random, expected) in [(0.0, 270), (0.5, 300), (1.0, 330)] {
            let now = Instant::now();
            let mut schedule = Schedule::new(INTERVAL, now);
            schedule.begin_round(now, random);
            schedule.round_succeeded(false, None, now);
            assert_eq!(schedule.next_round(), now + seconds(expected), "{random}");
            assert!(!schedule.begin_round(now + seconds(expected - 1), 0.5));
            assert!(schedule.begin_round(now + seconds(expected), 0.5));
        }
    }

    #[test]
    fn a_failed_round_is_made_again_sooner_each_time_later() {
        let (mut schedule, now) = started();
        for expected in [2, 4, 8, 16, 32, 60, 60] {
            schedule.round_failed(now, 1.0);
            assert_eq!(schedule.next_round(), now + seconds(expected));
        }
        schedule.round_succeeded(false, None, now);
        assert_eq!(schedule.next_round(), now + seconds(300));
        schedule.round_failed(now, 1.0);
        assert_eq!(
            schedule.next_round(),
            now + seconds(2),
            "the count starts anew"
        );
    }

    #[test]
    fn after_a_batch_without_an_answer_a_resync_comes_within_a_minute() {
        for (interval, random, expected) in [
            (300, 0.0, 45),
            (300, 1.0, 55),
            (86_400, 1.0, 55),
            (10, 0.5, 10), // comes sooner anyway
        ] {
            for fails in [false, true] {
                let now = Instant::now();
                let mut schedule = Schedule::new(seconds(interval), now);
                assert!(schedule.begin_round(now, 0.5));
                schedule.batch_unanswered(now, random);
                match fails {
                    true => schedule.round_failed(now, 0.0),
                    false => schedule.round_succeeded(false, None, now),
                }
                // A failed round is made again at once, which lists; the resync comes all the same.
                if fails {
                    assert!(!schedule.begin_round(now, 0.5));
                    schedule.round_succeeded(false, None, now);
                }
                assert_eq!(schedule.next_round(), now + seconds(expected), "{random}");
                assert!(schedule.begin_round(now + seconds(expected), 0.5));
                // It is one resync more, not a new interval.
                schedule.round_succeeded(false, None, now + seconds(expected));
                let next = now + seconds(expected + interval);
                assert_eq!(schedule.next_round(), next);
            }
        }
    }

    #[test]
    fn a_round_that_was_cut_short_is_made_again_at_once() {
        let (mut schedule, now) = started();
        schedule.round_succeeded(true, None, now);
        assert_eq!(schedule.next_round(), now);
    }

    #[test]
    fn deletes_that_wait_have_metadata_read_again_in_time() {
        let (mut schedule, now) = started();
        let until = now + seconds(60);
        schedule.round_succeeded(false, Some(until), now);
        assert_eq!(schedule.next_due(), until);
        assert_eq!(schedule.next_round(), now + seconds(300));
        assert!(!schedule.is_reread_due(now + seconds(59)));
        assert!(schedule.is_reread_due(until));
        schedule.reread();
        assert!(!schedule.is_reread_due(until));
        assert_eq!(schedule.next_due(), now + seconds(300));
    }
}
