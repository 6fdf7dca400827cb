//! Makes a page piece by piece. A page of ten thousand services takes long to make; this way nobody
//! waits for more than a piece of it.

use chrono::{DateTime, Utc};

use super::{Status, html, json};
use crate::base::counters::CallCounters;

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
    next: Next,
}

#[derive(Debug)]
enum Next {
    Head,
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
            next: Next::Head,
        }
    }

    fn head(&self, out: &mut String) {
        match self.form {
            Form::Html => html::head(out, &self.status, self.now),
            Form::Json => json::head(out, &self.status, self.now),
        }
    }

    /// Appends some services from this index on; returns what comes next.
    fn services(&self, out: &mut String, first: usize) -> Next {
        let services = &self.status.desired.services;
        for service in services.iter().skip(first).take(SERVICES) {
            match self.form {
                Form::Html => html::service(out, &self.status, service),
                Form::Json => json::service(out, &self.status, service),
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
        self.next = match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Head => {
                self.head(&mut out);
                Next::Services(0)
            }
            Next::Services(first) => self.services(&mut out, first),
            Next::Nothing => return None,
        };
        Some(out)
    }
}
