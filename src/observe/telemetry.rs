//! The [`Status`] that the loop writes and the status page reads. Its lock is held only to write a
//! fact or to take a copy, never while a page is made. The pages that are made of it stand beside it.

use std::sync::{Arc, Mutex};

use chrono::Utc;

use crate::base::heartbeat::Heartbeat;
use crate::base::lock::lock;
use crate::base::recorder::Recorder;
use crate::dns::Name;
use crate::observe::pages::Pages;
use crate::observe::status::Status;

/// A handle; clones share one status.
#[derive(Clone)]
pub struct Telemetry {
    /// What the clients write to.
    pub recorder: Recorder,
    /// The pages that are kept for a second.
    pub pages: Arc<Pages>,
    status: Arc<Mutex<Status>>,
}

impl Telemetry {
    /// Nothing has happened yet.
    pub fn new(zone: Name, heartbeat: Heartbeat) -> Telemetry {
        Telemetry {
            recorder: Recorder::new(heartbeat),
            pages: Arc::default(),
            status: Arc::new(Mutex::new(Status::new(zone, Utc::now()))),
        }
    }

    /// Whether the main loop is alive.
    pub fn heartbeat(&self) -> &Heartbeat {
        &self.recorder.heartbeat
    }

    /// A copy of the status as it is now.
    pub fn status(&self) -> Status {
        let mut status = lock(&self.status).clone();
        status.record = self.recorder.record();
        let is_stuck = !self.heartbeat().is_alive();
        status.stuck_for = is_stuck.then(|| self.heartbeat().age().as_secs());
        status
    }

    /// Changes the status.
    pub fn note(&self, facts: impl FnOnce(&mut Status)) {
        facts(&mut lock(&self.status));
    }
}
