//! Shows whether the main loop is alive.
//!
//! The loop calls [`Heartbeat::beat`] at every step, also while the program starts. The health
//! check asks how long ago the last beat was.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The loop is stuck if it has not beaten for this long. Its longest request takes 30 s, after 20 s for
/// the name of the host.
const STUCK: Duration = Duration::from_secs(90);
/// Longest time between two beats while [`Heartbeat::sleep`] sleeps.
const BEAT: Duration = Duration::from_secs(10);

/// The time of the last beat. Clones share it.
#[derive(Clone)]
pub struct Heartbeat {
    started: Instant,
    /// Milliseconds from `started` to the last beat.
    last: Arc<AtomicU64>,
}

impl Heartbeat {
    /// A heartbeat whose first beat is now.
    pub fn start() -> Heartbeat {
        Heartbeat {
            started: Instant::now(),
            last: Arc::default(),
        }
    }

    /// Records that the loop makes progress.
    pub fn beat(&self) {
        let elapsed = self.started.elapsed().as_millis();
        self.last.store(
            u64::try_from(elapsed).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }

    /// Sleeps, and beats meanwhile.
    pub fn sleep(&self, duration: Duration) {
        let end = Instant::now() + duration;
        loop {
            self.beat();
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(BEAT));
        }
    }

    /// Time since the last beat.
    pub fn age(&self) -> Duration {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(last)
    }

    /// Whether the last beat is recent enough for the loop not to be stuck.
    pub fn is_alive(&self) -> bool {
        self.age() < STUCK
    }

    /// A heartbeat whose last beat was `age` ago.
    #[cfg(test)]
    pub fn of_age(age: Duration) -> Heartbeat {
        Heartbeat {
            started: Instant::now().checked_sub(age).expect("a longer uptime"),
            last: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loop_is_stuck_after_three_of_its_longest_requests_without_a_beat() {
        for (seconds, is_alive) in [(0, true), (31, true), (85, true), (90, false), (600, false)] {
            let age = Duration::from_secs(seconds);
            let heartbeat = Heartbeat::of_age(age);
            assert!(heartbeat.age() >= age);
            assert_eq!(heartbeat.is_alive(), is_alive, "{age:?}");
            heartbeat.beat();
            assert!(heartbeat.is_alive(), "it gets on again");
            assert!(heartbeat.age() < Duration::from_secs(60));
        }
    }
}
