//! What has happened on a stage, line by line, to be shown if it comes to a bad end.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

pub struct History {
    start: Instant,
    lines: Mutex<Vec<String>>,
}

impl History {
    pub fn new() -> History {
        History {
            start: Instant::now(),
            lines: Mutex::default(),
        }
    }

    pub fn note(&self, what: impl Display) {
        let line = format!("{:8.3} s  {what}", self.start.elapsed().as_secs_f64());
        let lines = self.lines.lock();
        lines.unwrap_or_else(PoisonError::into_inner).push(line);
    }

    pub fn show(&self) {
        let lines = self.lines.lock();
        for line in lines.unwrap_or_else(PoisonError::into_inner).iter() {
            eprintln!("{line}");
        }
    }
}
