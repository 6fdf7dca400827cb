//! SIGTERM and SIGINT: exit 0 within a second, wherever the main thread is.
//!
//! Everything that the program does is safe to be cut off, so a thread waits for the signal and
//! ends the process; only a change batch in flight is given a moment to complete, so that its
//! outcome is in the log. This works as PID 1 too, where a signal without a handler is ignored.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::log;

/// How long a batch in flight may keep the process from ending.
const GRACE: Duration = Duration::from_millis(800);

/// Tells whether a batch is in flight.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Marks the time that `work` takes as one in which the process shouldn't end.
    pub fn hold<R>(&self, work: impl FnOnce() -> R) -> R {
        self.set(true);
        let result = work();
        self.set(false);
        result
    }

    fn set(&self, held: bool) {
        let (state, changed) = &*self.0;
        *state.lock().unwrap_or_else(PoisonError::into_inner) = held;
        changed.notify_all();
    }

    fn wait(&self, longest: Duration) {
        let (state, changed) = &*self.0;
        let held = state.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = changed.wait_timeout_while(held, longest, |held| *held);
    }
}

/// Starts the thread that ends the process.
pub fn on_signal(gate: Gate) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    std::thread::Builder::new()
        .name("signals".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || {
            if let Some(signal) = signals.forever().next() {
                let name = if signal == SIGTERM {
                    "SIGTERM"
                } else {
                    "SIGINT"
                };
                gate.wait(GRACE);
                log::info("stopping", &[("signal", &name)]);
                std::process::exit(0);
            }
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn waits_for_work_in_flight_but_not_for_ever() {
        let gate = Gate::default();
        gate.wait(Duration::from_secs(3600)); // nothing is in flight
        let other = gate.clone();
        let start = Instant::now();
        gate.hold(|| {
            std::thread::scope(|s| {
                s.spawn(|| other.wait(Duration::from_millis(50)))
                    .join()
                    .unwrap();
            })
        });
        assert!(start.elapsed() >= Duration::from_millis(50));
    }
}
