//! What clients write down about their calls: how they ended, how long they took, and whether what
//! they depend on works. It knows nothing of who reads it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::Utc;

use crate::base::counters::{CallCounters, NO_ANSWER, OK, Operation};
use crate::base::dependency::{Dependency, DependencyHealth};
use crate::base::heartbeat::Heartbeat;

/// A handle. Clones write to the same record.
#[derive(Clone)]
pub struct Recorder {
    /// Whether the main loop is alive.
    pub heartbeat: Heartbeat,
    record: Arc<Mutex<Record>>,
}

/// What has been written down so far.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// All calls since the start.
    pub calls: CallCounters,
    /// In the order of [`Dependency::ALL`].
    dependencies: [DependencyHealth; Dependency::ALL.len()],
}

impl Record {
    /// Whether a dependency works.
    pub fn health(&self, dependency: Dependency) -> &DependencyHealth {
        &self.dependencies[dependency as usize]
    }

    /// To be changed.
    pub fn health_mut(&mut self, dependency: Dependency) -> &mut DependencyHealth {
        &mut self.dependencies[dependency as usize]
    }
}

impl Recorder {
    /// Without a call so far.
    pub fn new(heartbeat: Heartbeat) -> Recorder {
        let record = Arc::default();
        Recorder { heartbeat, record }
    }

    /// A copy of the record as it is now.
    pub fn record(&self) -> Record {
        self.lock().clone()
    }

    /// Changes the record.
    pub fn note(&self, change: impl FnOnce(&mut Record)) {
        change(&mut self.lock());
    }

    /// A dependency has worked just now, or failed with this error.
    pub fn dependency(&self, dependency: Dependency, error: Option<String>) {
        let now = Utc::now();
        self.note(|record| {
            let health = record.health_mut(dependency);
            match error {
                None => health.record_success(now),
                Some(words) => health.record_failure(words, now),
            }
        });
    }

    /// A call has ended. `code` is [`OK`], [`NO_ANSWER`] or the API's own code of the error.
    pub fn call(&self, api: &'static str, name: &'static str, code: &str, started: Instant) {
        let (operation, took) = (Operation { api, name }, started.elapsed());
        self.note(|record| record.calls.add(operation, code, took));
    }

    /// An HTTP call has ended with this status, or without an answer.
    pub fn http_call(
        &self,
        api: &'static str,
        name: &'static str,
        status: Option<u16>,
        started: Instant,
    ) {
        match status {
            Some(200..=299) => self.call(api, name, OK, started),
            Some(status) => self.call(api, name, &status.to_string(), started),
            None => self.call(api, name, NO_ANSWER, started),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        // A thread that panicked while it held the lock has left a usable record: each change is
        // complete in itself.
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
