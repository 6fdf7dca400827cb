//! What goes to stderr or into the log file: callers put lines into a queue of bounded size, and a
//! thread writes them. An output that nobody reads, such as that of a stalled log driver or a named
//! pipe without a reader, thus holds nobody up for long. Lines that find no room are dropped and
//! counted, and once the output flows again a line says how many there were.

use std::io::{self, ErrorKind, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::base::threads::{self, SMALL_STACK};

/// Bytes that may wait to be written; as many again may be in the hands of the thread.
const ROOM: usize = 64 * 1024;
/// The longest wait of a caller for room.
const PATIENCE: Duration = Duration::from_secs(1);
/// Somebody who shares the output with us has made it non-blocking: pause between two tries.
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// Where the lines go, and what is told about those that are lost.
pub struct Output {
    to: Box<dyn Write + Send>,
    /// Makes the line that tells how many lines are lost, and the error if one was the reason.
    notice: fn(u64, Option<&str>) -> String,
    /// Is called when writing fails, unless the write before it failed as well.
    on_failure: fn(&str),
    /// Lines that are lost and not told of yet.
    lost: u64,
    /// Why the last write failed, if it did.
    failure: Option<String>,
    /// A write failed in the middle of a line.
    is_mid_line: bool,
}

impl Output {
    /// An output to which nothing was written yet.
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

    /// Writes the text, after which so many lines were dropped.
    fn write(&mut self, text: &[u8], dropped: u64) {
        if !self.tell_of_lost_lines() {
            self.lost += count_lines(text) + dropped;
            return;
        }
        if let Err((written, error)) = self.try_to_write(text) {
            self.lost += count_lines(&text[written..]);
            self.fail(&error);
        }
        if dropped > 0 {
            self.lost += dropped;
            self.tell_of_lost_lines();
        }
    }

    /// False if that failed.
    fn tell_of_lost_lines(&mut self) -> bool {
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

    /// An error comes with how much of the text was written.
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

/// Writes all of the text, also where a write would block and doesn't. An error comes with how much
/// was written.
pub fn write_all(to: &mut dyn Write, text: &[u8]) -> Result<(), (usize, io::Error)> {
    let mut written = 0;
    while written < text.len() {
        match to.write(&text[written..]) {
            Ok(0) => return Err((written, ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(BETWEEN_TRIES),
            Err(error) => return Err((written, error)),
        }
    }
    Ok(())
}

/// Lines on their way to one output.
pub struct OutputQueue {
    state: Mutex<State>,
    /// Something waits to be written.
    filled: Condvar,
    /// What waited was taken, or written.
    emptied: Condvar,
    output: Mutex<Output>,
}

struct State {
    waiting: Vec<u8>,
    /// Lines dropped after those that wait.
    dropped: u64,
    is_writing: bool,
    /// Somebody waited in vain, and nothing was written since: nobody waits again.
    is_stalled: bool,
    patience: Duration,
    /// Else callers write themselves.
    has_thread: bool,
}

impl OutputQueue {
    /// Starts the thread that writes. Where there can be no more threads, callers write themselves.
    pub fn start(output: Output) -> Arc<OutputQueue> {
        let queue = Arc::new(OutputQueue {
            state: Mutex::new(State {
                waiting: Vec::new(),
                dropped: 0,
                is_writing: false,
                is_stalled: false,
                patience: PATIENCE,
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

    /// Puts lines into the queue, and waits for room for a while if there is none.
    pub fn put(&self, text: &str) {
        let mut rest = text.as_bytes();
        let mut state = self.lock();
        if !state.has_thread {
            // Who is in a hurry must not be held up by an output that may be blocked.
            let is_in_a_hurry = state.patience < PATIENCE;
            drop(state);
            if !is_in_a_hurry {
                self.write(rest, 0);
            }
            return;
        }
        loop {
            if state.dropped == 0 {
                let fitting = fitting(rest, state.waiting.len());
                let (fitting, more) = rest.split_at(fitting);
                state.waiting.extend_from_slice(fitting);
                rest = more;
                self.filled.notify_one();
            }
            if rest.is_empty() {
                return;
            }
            let patience = state.patience;
            state = self.wait_while(state, patience, |state| !state.waiting.is_empty());
            if !state.waiting.is_empty() {
                state.dropped += count_lines(rest);
                return;
            }
        }
    }

    /// From now on nobody waits for room for longer than this.
    pub fn hurry(&self, patience: Duration) {
        self.lock().patience = patience;
    }

    /// Waits until everything is written, but not for longer than this.
    pub fn flush(&self, longest: Duration) {
        let is_busy = |state: &State| state.is_writing || !state.waiting.is_empty();
        drop(self.wait_while(self.lock(), longest, is_busy));
    }

    fn wait_while<'a>(
        &'a self,
        state: MutexGuard<'a, State>,
        longest: Duration,
        is_so: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        if state.is_stalled {
            return state;
        }
        let waited = self
            .emptied
            .wait_timeout_while(state, longest, |state| is_so(state));
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_stalled |= timeout.timed_out();
        state
    }

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
        let output = self.output.lock();
        let mut output = output.unwrap_or_else(PoisonError::into_inner);
        output.write(text, dropped);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many bytes of the text, in whole lines, fit beside those that wait already. A line longer
/// than the queue fits into an empty one.
fn fitting(text: &[u8], waiting: usize) -> usize {
    let room = ROOM.saturating_sub(waiting);
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

/// Text without a line break at its end is a line, too.
fn count_lines(text: &[u8]) -> u64 {
    let count = text.split_inclusive(|byte| *byte == b'\n').count();
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
