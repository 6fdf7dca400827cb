//! Whether the main loop is alive: it beats at every step, and whoever wants to know looks at
//! how long ago that was. At the start, while the zone is looked up and metadata read, either counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Nothing that the loop does takes longer than this between two beats: its longest requests
/// take 30 s, and each may wait 20 s for the name of its host. After three times 30 s it is stuck.
const STUCK: Duration = Duration::from_secs(90);
/// A long sleep beats this often.
const BEAT: Duration = Duration::from_secs(10);

/// Shared by the loop and its observers.
#[derive(Clone)]
pub struct Heartbeat {
    started: Instant,
    /// Milliseconds from `started` to the last beat.
    last: Arc<AtomicU64>,
}

impl Heartbeat {
    /// Beats for the first time.
    pub fn start() -> Heartbeat {
        Heartbeat {
            started: Instant::now(),
            last: Arc::default(),
        }
    }

    /// The loop is getting on.
    pub fn beat(&self) {
        let elapsed = self.started.elapsed().as_millis();
        self.last.store(
            u64::try_from(elapsed).unwrap_or(u64::MAX),
            Ordering::Relaxed,
        );
    }

    /// Sleeps, alive.
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

    /// How long ago the last beat was.
    pub fn age(&self) -> Duration {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(last)
    }

    /// Whether the loop gets on.
    pub fn is_alive(&self) -> bool {
        self.age() < STUCK
    }

    /// One whose last beat was so long ago.
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
