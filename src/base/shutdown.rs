//! SIGTERM and SIGINT end the process with exit code 0 within a second, whatever the main thread is
//! doing.
//!
//! All work of the program can be interrupted safely, so a thread waits for the signal and ends the
//! process. Only a change batch in flight gets a moment to complete, so that its result is in the
//! log. A second signal ends the process at once, also if that thread is held up. The handlers are
//! needed as PID 1, too, where Linux ignores a signal without one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use crate::base::lock::lock;
use crate::base::log;
use crate::base::threads::{self, SMALL_STACK};

/// How long a batch in flight may delay the end of the process.
const BATCH_GRACE: Duration = Duration::from_millis(700);
/// How long a blocked log may delay it: first until the last line has room in the queue, and again
/// until that line is written.
const LOG_GRACE: Duration = Duration::from_millis(100);
const SIGNALS: [i32; 2] = [SIGTERM, SIGINT];

/// Knows whether a change batch is in flight, and holds back the next one when the process ends.
/// Clones share their state.
#[derive(Clone, Default)]
pub struct InFlightGate(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    /// A batch is in flight.
    is_in_flight: bool,
    /// The process ends: no batch may be sent any more.
    is_closed: bool,
}

impl InFlightGate {
    /// Does the work while the end of the process waits for it. Never returns once the gate is
    /// closed: the process is about to end then.
    pub fn hold<R>(&self, work: impl FnOnce() -> R) -> R {
        let (state, changed) = &*self.0;
        let now = changed.wait_while(lock(state), |now| now.is_closed);
        let mut now = now.unwrap_or_else(PoisonError::into_inner);
        now.is_in_flight = true;
        drop(now);
        let result = work();
        lock(state).is_in_flight = false;
        changed.notify_all();
        result
    }

    /// Lets no further batch begin, and waits until none is in flight, for at most `max_wait`.
    fn close(&self, max_wait: Duration) {
        let (state, changed) = &*self.0;
        let mut now = lock(state);
        // Before the wait: the next batch may be ready the instant the one in flight has ended, and
        // would begin before this thread wakes up.
        now.is_closed = true;
        let _ = changed.wait_timeout_while(now, max_wait, |now| now.is_in_flight);
    }
}

/// Starts the thread that ends the process when a signal comes.
pub fn on_signal(in_flight: InFlightGate) -> std::io::Result<()> {
    let mut signals = Signals::new(SIGNALS)?;
    let is_second = Arc::new(AtomicBool::new(false));
    for signal in SIGNALS {
        // The handlers run in this order: the first signal finds the flag unset, and sets it.
        flag::register_conditional_shutdown(signal, 0, is_second.clone())?;
        flag::register(signal, is_second.clone())?;
    }
    let work = move || {
        if let Some(signal) = signals.forever().next() {
            let name = if signal == SIGTERM {
                "SIGTERM"
            } else {
                "SIGINT"
            };
            in_flight.close(BATCH_GRACE);
            log::limit_wait(LOG_GRACE);
            log::info("stopping", &[("signal", &name)]);
            log::flush(LOG_GRACE);
            // Not `std::process::exit`, whose cleanup may wait for other threads.
            low_level::exit(0);
        }
    };
    let started = threads::start("signals", SMALL_STACK, Box::new(work));
    if started.is_err() {
        is_second.store(true, Ordering::Relaxed);
    }
    started
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn waits_for_work_in_flight_but_not_for_ever() {
        let gate = InFlightGate::default();
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
        InFlightGate::default().close(Duration::from_secs(3600)); // nothing is in flight
    }

    #[test]
    fn nothing_begins_while_it_waits_for_work_in_flight() {
        let gate = InFlightGate::default();
        let other = gate.clone();
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            other.hold(|| {
                sender.send("first").unwrap();
                while !lock(&other.0.0).is_closed {
                    std::thread::yield_now();
                }
            });
            other.hold(|| sender.send("second").unwrap());
        });
        assert_eq!(receiver.recv(), Ok("first"));
        gate.close(Duration::from_secs(3600));
        assert!(receiver.recv_timeout(Duration::from_millis(100)).is_err());
    }

    #[test]
    fn once_closed_it_lets_nothing_begin() {
        let gate = InFlightGate::default();
        gate.close(Duration::ZERO);
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || gate.hold(|| sender.send(()).unwrap()));
        assert!(receiver.recv_timeout(Duration::from_millis(100)).is_err());
    }
}
