//! What has happened on a stage, line by line, to be shown if it comes to a bad end.

use std::fmt::Display;
use std::sync::Mutex;
use std::time::Instant;

use sim::lock::lock;

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
        lock(&self.lines).push(line);
    }

    pub fn show(&self) {
        for line in lock(&self.lines).iter() {
            eprintln!("{line}");
        }
    }
}
