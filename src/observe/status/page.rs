//! Makes a page piece by piece. A page of ten thousand services takes long to make; this way nobody
//! waits for more than a piece of it.

use chrono::{DateTime, Utc};

use super::service_state::{Survey, rank};
use super::{Status, html, json};
use crate::base::counters::CallCounters;
use crate::rancher::model::ServiceKey;

/// Services in one piece.
const SERVICES: usize = 64;

/// The page's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `/status`.
    Html,
    /// `/status.json`.
    Json,
}

/// The pieces of a page, in order.
#[derive(Debug)]
pub struct Pieces {
    status: Status,
    now: DateTime<Utc>,
    form: Form,
    /// The services that stand before all others on the page for people.
    first: Vec<ServiceKey>,
    next: Next,
}

#[derive(Debug)]
enum Next {
    Head,
    /// Those of the first services from this index on.
    First(usize),
    /// Services from this index on.
    Services(usize),
    Nothing,
}

impl Pieces {
    /// The page as of `now`.
    pub fn new(mut status: Status, now: DateTime<Utc>, form: Form) -> Pieces {
        status.record.calls = CallCounters::default(); // only metrics show them
        Pieces {
            status,
            now,
            form,
            first: Vec::new(),
            next: Next::Head,
        }
    }

    fn head(&mut self, out: &mut String) {
        match self.form {
            Form::Html => {
                let Survey { counts, first } = self.status.survey();
                self.first = first;
                html::head(out, &self.status, &counts, self.now);
            }
            Form::Json => json::head(out, &self.status, self.now),
        }
    }

    /// Appends some of the first services from this index on; returns what comes next.
    fn first(&self, out: &mut String, first: usize) -> Next {
        let end = self.first.len().min(first + SERVICES);
        for key in &self.first[first..end] {
            if let Some(service) = self.status.desired.services.get_key_value(key) {
                let state = self.status.state(service.1);
                html::service(out, &self.status, service, state);
            }
        }
        match end == self.first.len() {
            true => Next::Services(0),
            false => Next::First(end),
        }
    }

    /// Appends some services from this index on; returns what comes next.
    fn services(&self, out: &mut String, first: usize) -> Next {
        let services = &self.status.desired.services;
        for service in services.iter().skip(first).take(SERVICES) {
            let state = self.status.state(service.1);
            match self.form {
                Form::Html if rank(service.1, state).is_some() => {} // it is there already
                Form::Html => html::service(out, &self.status, service, state),
                Form::Json => json::service(out, &self.status, service, state),
            }
        }
        if first + SERVICES < services.len() {
            return Next::Services(first + SERVICES);
        }
        match self.form {
            Form::Html => html::tail(out, &self.status, self.now),
            Form::Json => json::tail(out, &self.status),
        }
        Next::Nothing
    }
}

impl Iterator for Pieces {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let mut out = String::new();
        while out.is_empty() {
            self.next = match std::mem::replace(&mut self.next, Next::Nothing) {
                Next::Head => {
                    self.head(&mut out);
                    Next::First(0)
                }
                Next::First(first) => self.first(&mut out, first),
                Next::Services(first) => self.services(&mut out, first),
                Next::Nothing => return None,
            };
        }
        Some(out)
    }
}
