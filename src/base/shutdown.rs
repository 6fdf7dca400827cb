//! SIGTERM and SIGINT: exit 0 within a second, wherever the main thread is.
//!
//! Everything that the program does is safe to be cut off, so a thread waits for the signal and
//! ends the process; only a change batch in flight is given a moment to complete, so that its
//! outcome is in the log. This works as PID 1 too, where a signal without a handler is ignored.
//! A second signal ends the process at once, whatever holds the thread up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use crate::base::log;
use crate::base::threads::{self, SMALL_STACK};

/// How long a batch in flight may keep the process from ending.
const GRACE: Duration = Duration::from_millis(700);
/// How long a blocked log may do so: once until its last line finds room, once until that is
/// written.
const LAST_WORDS: Duration = Duration::from_millis(100);
const SIGNALS: [i32; 2] = [SIGTERM, SIGINT];

/// Tells whether a batch is in flight, and keeps back the next one when the process ends.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<State>, Condvar)>);

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Open,
    /// A batch is in flight.
    Held,
    /// No batch is to be sent any more.
    Closed,
}

impl Gate {
    /// Marks the time that `work` takes as one in which the process shouldn't end. Doesn't return
    /// once the gate is closed.
    pub fn hold<R>(&self, work: impl FnOnce() -> R) -> R {
        let (state, changed) = &*self.0;
        let lock = || state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = lock();
        while *now == State::Closed {
            now = changed.wait(now).unwrap_or_else(PoisonError::into_inner);
        }
        *now = State::Held;
        drop(now);
        let result = work();
        let mut now = lock();
        if *now == State::Held {
            *now = State::Open;
        }
        drop(now);
        changed.notify_all();
        result
    }

    /// Waits until no batch is in flight, and lets no further one begin.
    fn close(&self, longest: Duration) {
        let (state, changed) = &*self.0;
        let now = state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(now, longest, |now| *now == State::Held);
        let (mut now, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *now = State::Closed;
    }
}

/// Starts the thread that ends the process.
pub fn on_signal(gate: Gate) -> std::io::Result<()> {
    let mut signals = Signals::new(SIGNALS)?;
    let is_last = Arc::new(AtomicBool::new(false));
    for signal in SIGNALS {
        // In this order, so that the first signal doesn't count as the second.
        flag::register_conditional_shutdown(signal, 0, is_last.clone())?;
        flag::register(signal, is_last.clone())?;
    }
    let work = move || {
        if let Some(signal) = signals.forever().next() {
            let name = if signal == SIGTERM {
                "SIGTERM"
            } else {
                "SIGINT"
            };
            gate.close(GRACE);
            log::hurry(LAST_WORDS);
            log::info("stopping", &[("signal", &name)]);
            log::flush(LAST_WORDS);
            // Without the tidying up of `std::process::exit`, which may wait for other threads.
            low_level::exit(0);
        }
    };
    let started = threads::start("signals", SMALL_STACK, Box::new(work));
    if started.is_err() {
        is_last.store(true, Ordering::Relaxed);
    }
    started
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn waits_for_work_in_flight_but_not_for_ever() {
        let gate = Gate::default();
        let other = gate.clone();
        let start = Instant::now();
        gate.hold(|| {
            std::thread::scope(|s| {
                s.spawn(|| other.close(Duration::from_millis(50)))
                    .join()
                    .unwrap();
            })
        });
        assert!(start.elapsed() >= Duration::from_millis(50));
        Gate::default().close(Duration::from_secs(3600)); // nothing is in flight
    }

    #[test]
    fn once_closed_it_lets_nothing_begin() {
        let gate = Gate::default();
        gate.close(Duration::ZERO);
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || gate.hold(|| sender.send(()).unwrap()));
        assert!(receiver.recv_timeout(Duration::from_millis(100)).is_err());
    }
}
