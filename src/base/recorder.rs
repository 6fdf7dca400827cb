//! The record of calls to other services: how many there were, how they ended, how long they took,
//! and whether each service works. Clients write it; the status page and the metrics read it.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use chrono::Utc;

use crate::base::counters::{CallCounters, NO_ANSWER, OK, Operation};
use crate::base::dependency::{Dependency, DependencyHealth};
use crate::base::heartbeat::Heartbeat;
use crate::base::lock::lock;

/// Writes to a record. Clones write to the same one.
#[derive(Clone)]
pub struct Recorder {
    /// The sign of life of the main loop.
    pub heartbeat: Heartbeat,
    record: Arc<Mutex<Record>>,
}

/// The calls since the start of the process, and the health of each dependency.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Number, results and durations of the calls.
    pub calls: CallCounters,
    /// One for each dependency, in the order of [`Dependency::ALL`].
    dependencies: [DependencyHealth; Dependency::ALL.len()],
}

impl Record {
    /// Whether a dependency works, and since when.
    pub fn health(&self, dependency: Dependency) -> &DependencyHealth {
        &self.dependencies[dependency as usize]
    }

    /// The health of a dependency, for a change.
    pub fn health_mut(&mut self, dependency: Dependency) -> &mut DependencyHealth {
        &mut self.dependencies[dependency as usize]
    }
}

impl Recorder {
    /// A recorder with an empty record.
    pub fn new(heartbeat: Heartbeat) -> Recorder {
        let record = Arc::default();
        Recorder { heartbeat, record }
    }

    /// A copy of the record as it is now.
    pub fn record(&self) -> Record {
        lock(&self.record).clone()
    }

    /// Changes the record.
    pub fn note(&self, change: impl FnOnce(&mut Record)) {
        change(&mut lock(&self.record));
    }

    /// Notes that a dependency has worked just now, or has failed with this error.
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

    /// Notes the end of a call. `code` is [`OK`], [`NO_ANSWER`] or the error code of the API.
    pub fn call(&self, api: &'static str, name: &'static str, code: &str, started: Instant) {
        let (operation, took) = (Operation { api, name }, started.elapsed());
        self.note(|record| record.calls.add(operation, code, took));
    }

    /// Notes the end of an HTTP call; without a status there was no answer.
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
}
