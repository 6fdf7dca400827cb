//! What the loop tells, and outsiders ask for: one [`Status`] behind a lock, which is held only
//! to write a fact or to take a copy, never while a page is made.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::Utc;

use crate::base::counters::{NO_ANSWER, OK, Operation};
use crate::base::dependency::Part;
use crate::base::heartbeat::Heartbeat;
use crate::dns::Name;
use crate::net::http::{HttpError, Response};
use crate::observe::status::Status;

/// A handle. Clones are of the same facts.
#[derive(Clone)]
pub struct Telemetry {
    /// Whether the loop is alive.
    pub heartbeat: Heartbeat,
    status: Arc<Mutex<Status>>,
}

impl Telemetry {
    /// Nothing has happened yet.
    pub fn new(zone: Name, heartbeat: Heartbeat) -> Telemetry {
        Telemetry {
            status: Arc::new(Mutex::new(Status::new(zone, Utc::now()))),
            heartbeat,
        }
    }

    /// The facts as of now.
    pub fn status(&self) -> Status {
        let mut status = self.lock().clone();
        let is_stuck = !self.heartbeat.is_alive();
        status.stuck_for = is_stuck.then(|| self.heartbeat.age().as_secs());
        status
    }

    /// Writes facts down.
    pub fn note(&self, facts: impl FnOnce(&mut Status)) {
        facts(&mut self.lock());
    }

    /// A part works, or it failed with this error.
    pub fn part(&self, part: Part, error: Option<String>) {
        let now = Utc::now();
        self.note(|status| {
            let health = status.health_mut(part);
            match error {
                None => health.works(now),
                Some(words) => health.fails(words, now),
            }
        });
    }

    /// A call that was started then has ended like this.
    pub fn call(&self, api: &'static str, name: &'static str, code: &str, started: Instant) {
        let (operation, took) = (Operation { api, name }, started.elapsed());
        self.note(|status| status.counters.call(operation, code, took));
    }

    /// The same, by the status of the answer.
    pub fn answered(
        &self,
        api: &'static str,
        name: &'static str,
        answer: &Result<Response, HttpError>,
        started: Instant,
    ) {
        match answer.as_ref().map(|response| response.status) {
            Ok(200..=299) => self.call(api, name, OK, started),
            Ok(status) => self.call(api, name, &status.to_string(), started),
            Err(_) => self.call(api, name, NO_ANSWER, started),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        // Whoever panicked with it has left whole facts: each is one assignment.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
