//! One connection: its request is read, the answer written, and the rest of what comes thrown
//! away, each as far as it goes without blocking, and each for so long at most.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::http_message::{Answer, PageResponse, Pieces, respond};

/// Largest head of a request, in bytes.
const LARGEST_REQUEST: usize = 4 * 1024;
/// What is read at once, in bytes.
const PIECE: usize = 1024;
/// Most that is thrown away after the answer, in bytes.
const MOST_REST: usize = 64 * 1024;

/// What a connection is: a [`TcpStream`] that doesn't block.
pub trait Stream: Read + Write {
    /// Nothing more will be written.
    fn finish(&self);
}

impl Stream for TcpStream {
    fn finish(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

/// What a connection is at, in the order in which those in the way have to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// All has been sent. Closing at once, with something unread, would make the kernel send a
    /// reset, which can overtake the answer; so the client's end is waited for.
    Closing,
    /// The request isn't there yet.
    Reading,
    /// The answer isn't sent yet.
    Writing,
}

impl Phase {
    /// How long it may take. A page for people may go over a slow line.
    fn patience(self) -> Duration {
        Duration::from_secs(match self {
            Phase::Reading | Phase::Closing => 2,
            Phase::Writing => 10,
        })
    }
}

/// What became of a connection in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There was nothing to read, or no room to write.
    Waiting,
    /// Something was read or written.
    Progress,
    /// It is to be closed.
    Done,
}

/// A connection.
pub struct Connection<S> {
    stream: S,
    phase: Phase,
    /// When this phase began.
    since: Instant,
    /// The request so far, or the answer, or a piece of it.
    bytes: Vec<u8>,
    /// What follows that piece.
    rest: Option<Pieces>,
    /// How many bytes of the answer are sent, or of the rest thrown away.
    done: usize,
}

impl<S: Stream> Connection<S> {
    /// One that was just taken in.
    pub fn new(stream: S, now: Instant) -> Connection<S> {
        Connection {
            stream,
            phase: Phase::Reading,
            since: now,
            bytes: Vec::new(),
            rest: None,
            done: 0,
        }
    }

    /// What it is at, and since when.
    pub fn phase(&self) -> (Phase, Instant) {
        (self.phase, self.since)
    }

    /// How many bytes are kept for it.
    pub fn size(&self) -> usize {
        self.bytes.capacity()
    }

    /// Goes on as far as it can.
    pub fn step(&mut self, now: Instant, route: &dyn Fn(&str) -> PageResponse) -> Step {
        let before = self.phase;
        let mut result = self.advance(now, route);
        // Most requests come in one piece, and most answers go in one.
        if self.phase == Phase::Writing && before == Phase::Reading {
            result = self.advance(now, route).or(result);
        }
        let is_late = now.saturating_duration_since(self.since) >= self.phase.patience();
        match result {
            Ok(0) => Step::Done,
            _ if is_late => Step::Done,
            Ok(_) => Step::Progress,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Step::Waiting,
                _ => Step::Done,
            },
        }
    }

    fn advance(&mut self, now: Instant, route: &dyn Fn(&str) -> PageResponse) -> io::Result<usize> {
        let mut piece = [0; PIECE];
        match self.phase {
            Phase::Reading => {
                let room = PIECE.min(LARGEST_REQUEST - self.bytes.len());
                let count = self.stream.read(&mut piece[..room])?;
                self.bytes.extend_from_slice(&piece[..count]);
                let is_whole = self.bytes.windows(4).any(|window| window == b"\r\n\r\n");
                if count > 0 && (is_whole || self.bytes.len() >= LARGEST_REQUEST) {
                    let Answer { bytes, rest } = respond(&self.bytes, is_whole, route);
                    (self.bytes, self.rest) = (bytes, rest);
                    self.enter(Phase::Writing, now);
                }
                Ok(count)
            }
            Phase::Writing => {
                let count = self.stream.write(&self.bytes[self.done..])?;
                self.done += count;
                if self.done == self.bytes.len() {
                    let next = self.rest.as_mut().and_then(|rest| rest.next());
                    self.bytes = next.map(String::into_bytes).unwrap_or_default();
                    self.done = 0;
                    if self.bytes.is_empty() {
                        self.rest = None;
                        self.stream.finish();
                        self.enter(Phase::Closing, now);
                    }
                }
                Ok(count)
            }
            Phase::Closing => {
                let count = self.stream.read(&mut piece)?;
                self.done += count;
                Ok(if self.done > MOST_REST { 0 } else { count })
            }
        }
    }

    fn enter(&mut self, phase: Phase, now: Instant) {
        self.phase = phase;
        self.since = now;
        self.done = 0;
    }
}

#[cfg(test)]
pub mod tests;
