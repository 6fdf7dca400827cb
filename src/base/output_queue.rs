//! A queue in front of stderr or the log file: callers put lines in, and a thread writes them. So a
//! blocked output (a stalled log driver, a named pipe without a reader) doesn't block the program
//! for long. The queue's size is bounded: lines that don't fit are dropped and counted, and as soon
//! as the output works again, a line says how many were lost.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::base::lock::lock;
use crate::base::threads::{self, SMALL_STACK};

/// Bytes that may wait in the queue. The thread may hold as many again while it writes them.
const MAX_WAITING: usize = 64 * 1024;
/// How long a caller waits for room in the queue.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// Pause before a write that would block is tried again: a process that shares the output may have
/// made it non-blocking.
const RETRY_PAUSE: Duration = Duration::from_millis(10);

/// The destination of the lines, which also reports lost lines.
pub struct Output {
    to: Box<dyn Write + Send>,
    /// Makes the line that reports lost lines, from their number and the error, if there was one.
    notice: fn(u64, Option<&str>) -> String,
    /// Called with the error of the first of several failed writes in a row.
    on_failure: fn(&str),
    /// Number of lost lines that haven't been reported yet.
    lost: u64,
    /// The error of the last write, if it failed.
    failure: Option<String>,
    /// The last write failed in the middle of a line.
    is_mid_line: bool,
}

impl Output {
    /// An output, with the two functions that report lost lines and failed writes.
    pub fn new(
        to: Box<dyn Write + Send>,
        notice: fn(u64, Option<&str>) -> String,
        on_failure: fn(&str),
    ) -> Output {
        Output {
            to,
            notice,
            on_failure,
            lost: 0,
            failure: None,
            is_mid_line: false,
        }
    }

    /// Writes the text. `dropped` is the number of lines that were dropped after it.
    fn write(&mut self, text: &[u8], dropped: u64) {
        if !self.report_lost_lines() {
            self.lost += count_lines(text) + dropped;
            return;
        }
        if let Err((written, error)) = self.try_to_write(text) {
            self.lost += count_lines(&text[written..]);
            self.fail(&error);
        }
        if dropped > 0 {
            self.lost += dropped;
            self.report_lost_lines();
        }
    }

    /// Writes the line about lost lines, if there are any; false if that failed.
    fn report_lost_lines(&mut self) -> bool {
        if self.lost == 0 {
            return true;
        }
        let notice = (self.notice)(self.lost, self.failure.as_deref());
        match self.try_to_write(notice.as_bytes()) {
            Ok(()) => {
                self.lost = 0;
                self.failure = None;
                true
            }
            Err((_, error)) => {
                self.fail(&error);
                false
            }
        }
    }

    fn fail(&mut self, error: &io::Error) {
        let words = error.to_string();
        if self.failure.is_none() {
            (self.on_failure)(&words);
        }
        self.failure = Some(words);
    }

    /// Writes all of the text. An error comes with the number of bytes that were written.
    fn try_to_write(&mut self, text: &[u8]) -> Result<(), (usize, io::Error)> {
        if self.is_mid_line {
            write_all(&mut self.to, b"\n").map_err(|(_, error)| (0, error))?;
            self.is_mid_line = false;
        }
        let result = write_all(&mut self.to, text);
        if let Err((written, _)) = &result {
            let written = &text[..*written];
            self.is_mid_line = !written.is_empty() && !written.ends_with(b"\n");
        }
        result
    }
}

/// Writes all of the text, also to a non-blocking output. An error comes with the number of bytes
/// that were written.
pub fn write_all(to: &mut dyn Write, text: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < text.len() {
        match to.write(&text[written..]) {
            Ok(0) => return Err((written, ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY_PAUSE),
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

/// The lines that wait for one output.
pub struct OutputQueue {
    state: Mutex<State>,
    /// Notified when text has been put into the queue.
    filled: Condvar,
    /// Notified when the thread has taken the text, and again when it has written it.
    emptied: Condvar,
    output: Mutex<Output>,
}

struct State {
    waiting: Vec<u8>,
    /// Number of lines that were dropped after the waiting ones.
    dropped: u64,
    is_writing: bool,
    /// A caller has waited in vain, and nothing has been written since: other callers don't wait.
    is_stalled: bool,
    /// How long a caller waits for room.
    max_wait: Duration,
    /// If no thread could be started, callers write themselves.
    has_thread: bool,
}

impl OutputQueue {
    /// Starts the thread that writes. If no thread can be started, callers write themselves.
    pub fn start(output: Output) -> Arc<OutputQueue> {
        let queue = Arc::new(OutputQueue {
            state: Mutex::new(State {
                waiting: Vec::new(),
                dropped: 0,
                is_writing: false,
                is_stalled: false,
                max_wait: MAX_WAIT,
                has_thread: true,
            }),
            filled: Condvar::new(),
            emptied: Condvar::new(),
            output: Mutex::new(output),
        });
        let writer = queue.clone();
        let work = Box::new(move || writer.write_for_ever());
        if threads::start("log", SMALL_STACK, work).is_err() {
            queue.lock().has_thread = false;
        }
        queue
    }

    /// Puts lines into the queue. Waits a limited time if the queue is full, then drops the rest.
    pub fn put(&self, text: &str) {
        let mut rest = text.as_bytes();
        let mut state = self.lock();
        if !state.has_thread {
            // A caller that writes itself can't stop after a time limit: where the usual limit has
            // been lowered, since the process is about to end, the text is left out instead.
            let is_limited = state.max_wait < MAX_WAIT;
            drop(state);
            if !is_limited {
                self.write(rest, 0);
            }
            return;
        }
        loop {
            if state.dropped == 0 {
                let fitting = fitting_bytes(rest, state.waiting.len());
                let (fitting, more) = rest.split_at(fitting);
                state.waiting.extend_from_slice(fitting);
                rest = more;
                self.filled.notify_one();
            }
            if rest.is_empty() {
                return;
            }
            let max_wait = state.max_wait;
            state = self.wait_while(state, max_wait, |state| !state.waiting.is_empty());
            if !state.waiting.is_empty() {
                state.dropped += count_lines(rest);
                return;
            }
        }
    }

    /// Sets how long a caller waits for room from now on.
    pub fn limit_wait(&self, max_wait: Duration) {
        self.lock().max_wait = max_wait;
    }

    /// Waits until every line is written, but for at most `max_wait`.
    pub fn flush(&self, max_wait: Duration) {
        let is_busy = |state: &State| state.is_writing || !state.waiting.is_empty();
        drop(self.wait_while(self.lock(), max_wait, is_busy));
    }

    /// Waits while the condition holds, but for at most `max_wait`; not at all if the output is
    /// stalled.
    fn wait_while<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        max_wait: Duration,
        condition: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        if state.is_stalled {
            return state;
        }
        let waited = self
            .emptied
            .wait_timeout_while(state, max_wait, |state| condition(state));
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_stalled |= timeout.timed_out();
        state
    }

    /// The work of the thread.
    fn write_for_ever(&self) {
        loop {
            let waited = self
                .filled
                .wait_while(self.lock(), |state| state.waiting.is_empty());
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            let text = mem::take(&mut state.waiting);
            let dropped = mem::take(&mut state.dropped);
            state.is_writing = true;
            drop(state);
            self.emptied.notify_all();
            self.write(&text, dropped);
            drop(text);
            let mut state = self.lock();
            state.is_writing = false;
            state.is_stalled = false;
            drop(state);
            self.emptied.notify_all();
        }
    }

    fn write(&self, text: &[u8], dropped: u64) {
        lock(&self.output).write(text, dropped);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// How many bytes of the text can be put into the queue beside those that wait already. Only whole
/// lines are counted. A line that is longer than the queue is put into an empty one.
fn fitting_bytes(text: &[u8], waiting: usize) -> usize {
    let room = MAX_WAITING.saturating_sub(waiting);
    if text.len() <= room {
        return text.len();
    }
    let is_end = |byte: &u8| *byte == b'\n';
    match text[..room].iter().rposition(is_end) {
        Some(end) => end + 1,
        None if waiting == 0 => text
            .iter()
            .position(is_end)
            .map_or(text.len(), |end| end + 1),
        None => 0,
    }
}

/// Counts the lines; text after the last line break counts as one.
fn count_lines(text: &[u8]) -> u64 {
    let count = text.split_inclusive(|byte| *byte == b'\n').count();
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
