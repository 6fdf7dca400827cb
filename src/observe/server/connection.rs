//! One connection as a state machine: it reads the request, writes the answer, and then discards
//! further input until the client closes. Each step does as much as is possible without blocking,
//! and each phase has a time limit.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::http_message::{Answer, PageResponse, Pieces, respond};
use super::request::{Asked, MAX_HEAD};

/// Size of a single read, in bytes.
const READ_SIZE: usize = 1024;
/// Most input that is discarded after the answer, in bytes.
const MAX_DISCARDED: usize = 64 * 1024;

/// A non-blocking [`TcpStream`], or a test's replacement for it.
pub trait Stream: Read + Write {
    /// Tells the client that nothing more will be written.
    fn finish(&self);
}

impl Stream for TcpStream {
    fn finish(&self) {
        let _ = self.shutdown(Shutdown::Write);
    }
}

/// The state of a connection. If there are too many connections, those in an earlier variant are
/// closed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The answer has been sent, and the client is expected to close. Closing first, with unread
    /// input, would make the kernel send a reset, which can overtake the answer.
    Closing,
    /// The request isn't complete yet.
    Reading,
    /// The answer isn't completely sent yet.
    Writing,
}

impl Phase {
    /// Time limit of the phase. Writing has more, because a status page may go over a slow line.
    fn time_limit(self) -> Duration {
        Duration::from_secs(match self {
            Phase::Reading | Phase::Closing => 2,
            Phase::Writing => 10,
        })
    }
}

/// The result of [`Connection::step`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing could be read or written without blocking.
    Waiting,
    /// Something was read or written.
    Progress,
    /// The connection has ended, and can be closed.
    Done,
}

/// A connection with its buffers.
pub struct Connection<S> {
    stream: S,
    phase: Phase,
    /// When the present phase began.
    since: Instant,
    /// The part of the request that has come, or the beginning of the answer.
    bytes: Vec<u8>,
    /// The piece of the answer that is being sent after `bytes`.
    piece: Option<Arc<str>>,
    /// The pieces after that one.
    rest: Option<Pieces>,
    /// Number of bytes of `bytes` or `piece` that are sent, or in [`Phase::Closing`], of bytes that were discarded.
    done: usize,
}

impl<S: Stream> Connection<S> {
    /// A connection that was just accepted.
    pub fn new(stream: S, now: Instant) -> Connection<S> {
        Connection {
            stream,
            phase: Phase::Reading,
            since: now,
            bytes: Vec::new(),
            piece: None,
            rest: None,
            done: 0,
        }
    }

    /// The present phase, and when it began.
    pub fn phase(&self) -> (Phase, Instant) {
        (self.phase, self.since)
    }

    /// Size of the buffer that no other connection has, in bytes.
    pub fn size(&self) -> usize {
        self.bytes.capacity()
    }

    /// Reads or writes as much as is possible without blocking. `route` makes the answer to a request.
    pub fn step(&mut self, now: Instant, route: &dyn Fn(&Asked<'_>) -> PageResponse) -> Step {
        let before = self.phase;
        let mut result = self.advance(now, route);
        // Most requests come in one piece, so their answers can be sent in the same step.
        if self.phase == Phase::Writing && before == Phase::Reading {
            result = self.advance(now, route).or(result);
        }
        let is_late = now.saturating_duration_since(self.since) >= self.phase.time_limit();
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

    /// Reads or writes once. Returns the number of bytes; 0 ends the connection.
    fn advance(
        &mut self,
        now: Instant,
        route: &dyn Fn(&Asked<'_>) -> PageResponse,
    ) -> io::Result<usize> {
        let mut piece = [0; READ_SIZE];
        match self.phase {
            Phase::Reading => {
                let room = READ_SIZE.min(MAX_HEAD - self.bytes.len());
                let count = self.stream.read(&mut piece[..room])?;
                self.bytes.extend_from_slice(&piece[..count]);
                if let Some(Answer { bytes, rest }) = respond(&self.bytes, route) {
                    (self.bytes, self.rest) = (bytes, rest);
                    self.enter(Phase::Writing, now);
                }
                Ok(count)
            }
            Phase::Writing => {
                let piece = self.piece.as_ref().map(|piece| piece.as_bytes());
                let bytes = piece.unwrap_or(&self.bytes);
                let count = self.stream.write(&bytes[self.done..])?;
                self.done += count;
                if self.done == bytes.len() {
                    self.bytes = Vec::new();
                    self.piece = self.rest.as_mut().and_then(|rest| rest.next());
                    self.done = 0;
                    if self.piece.is_none() {
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
                Ok(if self.done > MAX_DISCARDED { 0 } else { count })
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
