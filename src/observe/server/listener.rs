//! The loop of a health socket: accepts connections, and lets each one go on in turn.
//!
//! The number of connections and the memory for all of them are limited. If there are too many, the
//! connections that have been in their phase for longest are closed, but none before it had time
//! to send its request.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::connection::{Connection, Phase, Step, Stream};
use super::http_message::PageResponse;
use super::request::Asked;

/// Most connections at the same time, on all sockets together. With the files that the rest of the
/// program has open, this stays within 1,024, the usual limit of a process. Others wait in the
/// kernel's queue.
const MAX_CONNECTIONS: usize = 960;
/// The usual number of listening sockets.
const USUAL_SOCKETS: usize = 2;
/// Most bytes of answers that wait to be taken by their clients. A single answer may be larger.
const MAX_ANSWER_BYTES: usize = 2 * 1024 * 1024;
/// Most connections that are accepted before all others have had their turn.
const MAX_ACCEPTED_AT_ONCE: usize = 64;
/// Time for a new connection to send its request, before it may be closed to make room. Clients send
/// at once, so this can be short; and it must be, or a flood of connections would fill the kernel's
/// queue of 128, which then drops others.
const GRACE: Duration = Duration::from_millis(20);
/// First pause while there are connections but none makes progress; each further one is twice as
/// long.
const MIN_PAUSE: Duration = Duration::from_millis(1);
/// Longest such pause: a burst of connections that comes meanwhile must not fill the kernel's queue.
const MAX_PAUSE: Duration = Duration::from_millis(10);
/// Error numbers for too many open files: of the process (`EMFILE`), or of the system (`ENFILE`).
const TOO_MANY_FILES: [Option<i32>; 2] = [Some(24), Some(23)];

/// Most connections at the same time on each socket, if there are this many sockets.
pub fn max_connections(sockets: usize) -> usize {
    (MAX_CONNECTIONS / sockets.max(USUAL_SOCKETS)).max(1)
}

/// Serves connections for ever, at most `limit` at the same time.
pub fn serve(listener: &TcpListener, limit: usize, route: &dyn Fn(&Asked<'_>) -> PageResponse) {
    let mut connections = Vec::new();
    let mut pause = MIN_PAUSE;
    loop {
        let has_accepted = accept(listener, limit, &mut connections);
        if step_all(&mut connections, Instant::now(), route) || has_accepted {
            pause = MIN_PAUSE;
        } else {
            std::thread::sleep(pause);
            pause = MAX_PAUSE.min(pause * 2);
        }
    }
}

/// Lets each connection go on once. Returns whether any of them made progress.
fn step_all<S: Stream>(
    connections: &mut Vec<Connection<S>>,
    now: Instant,
    route: &dyn Fn(&Asked<'_>) -> PageResponse,
) -> bool {
    let mut progress = false;
    let mut index = 0;
    while index < connections.len() {
        match connections[index].step(now, route) {
            Step::Done => {
                connections.remove(index);
                continue;
            }
            Step::Waiting => {}
            Step::Progress => {
                progress = true;
                while let Some(excess) = excess_answer(connections) {
                    connections.remove(excess);
                    index -= usize::from(excess < index);
                }
            }
        }
        index += 1;
    }
    progress
}

/// Accepts waiting connections, as long as there is room. Blocks until one comes if there are no
/// connections. Returns whether any was accepted.
fn accept(
    listener: &TcpListener,
    limit: usize,
    connections: &mut Vec<Connection<TcpStream>>,
) -> bool {
    let blocks = connections.is_empty();
    if listener.set_nonblocking(!blocks).is_err() {
        return false;
    }
    let mut has_accepted = false;
    for _ in 0..if blocks { 1 } else { MAX_ACCEPTED_AT_ONCE } {
        let now = Instant::now();
        let is_full = connections.len() >= limit;
        let closed = is_full.then(|| first_to_close(connections, now)).flatten();
        if is_full && closed.is_none() {
            break;
        }
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => {
                if TOO_MANY_FILES.contains(&error.raw_os_error()) {
                    // The main loop needs files, too.
                    connections.retain(|connection| !may_be_closed(connection, now));
                }
                break;
            }
        };
        has_accepted = true;
        if let Some(index) = closed {
            connections.remove(index);
        }
        if stream.set_nonblocking(true).is_ok() {
            // Not `now`: accepting may have blocked since.
            connections.push(Connection::new(stream, Instant::now()));
        }
    }
    has_accepted
}

/// The index of the connection that is closed to make room for a new one.
fn first_to_close<S: Stream>(connections: &[Connection<S>], now: Instant) -> Option<usize> {
    let indexed = connections.iter().enumerate();
    let closable = indexed.filter(|(_, connection)| may_be_closed(connection, now));
    let first = closable.min_by_key(|(_, connection)| connection.phase());
    first.map(|(index, _)| index)
}

fn may_be_closed<S: Stream>(connection: &Connection<S>, now: Instant) -> bool {
    let (phase, since) = connection.phase();
    phase == Phase::Closing || now.saturating_duration_since(since) >= GRACE
}

/// The index of the answer that has waited longest for its client, if all answers together need too
/// much memory. A single answer may have any size.
fn excess_answer<S: Stream>(connections: &[Connection<S>]) -> Option<usize> {
    let indexed = connections.iter().enumerate();
    let writing = indexed.filter(|(_, connection)| connection.phase().0 == Phase::Writing);
    let size: usize = writing.clone().map(|(_, c)| c.size()).sum();
    let oldest = writing.clone().min_by_key(|(_, c)| c.phase());
    let is_too_much = size > MAX_ANSWER_BYTES && writing.count() > 1;
    oldest.map(|(index, _)| index).filter(|_| is_too_much)
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::Client;
    use super::*;
    use crate::observe::pages::{Page, Source};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A connection that entered this phase `ms` milliseconds after `start`, with an answer of `size`
    /// bytes.
    fn at(phase: Phase, start: Instant, ms: u64, size: usize) -> Connection<Client> {
        let page = move |_: &Asked<'_>| PageResponse::text("200 OK", "x".repeat(size));
        let since = start + Duration::from_millis(ms);
        let client = match phase {
            Phase::Reading => Client::default(),
            Phase::Writing => Client::asking(0),
            Phase::Closing => Client::asking(usize::MAX),
        };
        let mut connection = Connection::new(client, since);
        connection.step(since, &page);
        assert_eq!(connection.phase(), (phase, since));
        connection
    }

    #[test]
    fn closed_first_are_those_done_then_without_a_request_then_without_taking_the_answer() {
        use Phase::{Closing, Reading, Writing};
        let start = Instant::now();
        for (connections, goes) in [
            (vec![], None),
            (vec![(Reading, 990)], None),
            (vec![(Writing, 990)], None),
            (vec![(Reading, 0), (Closing, 900)], Some(1)),
            (vec![(Writing, 0), (Reading, 500), (Reading, 400)], Some(2)),
            (vec![(Writing, 1), (Reading, 990), (Writing, 0)], Some(2)),
            (vec![(Closing, 700), (Closing, 600)], Some(1)),
        ] {
            let connections = connections.into_iter();
            let connections: Vec<_> = connections
                .map(|(phase, ms)| at(phase, start, ms, 10))
                .collect();
            let now = start + Duration::from_secs(1);
            assert_eq!(first_to_close(&connections, now), goes);
        }
    }

    #[test]
    fn all_sockets_together_have_room_for_so_many() {
        for (sockets, most) in [(0, 480), (1, 480), (2, 480), (4, 240), (5000, 1)] {
            assert_eq!(max_connections(sockets), most, "{sockets}");
        }
    }

    #[test]
    fn a_health_check_waits_for_one_piece_of_a_page_at_most() {
        let (page, made) = (Page::default(), Arc::new(AtomicUsize::new(0)));
        let start = Instant::now();
        let source = || -> Source {
            let made = made.clone();
            Box::new((0..1000).map(move |_| {
                made.fetch_add(1, Ordering::Relaxed);
                "x".repeat(1000)
            }))
        };
        let route = |asked: &Asked<'_>| {
            let mut response = PageResponse::text("200 OK", "ok\n");
            if asked.path == "/status" {
                response.rest = Some(Box::new(page.get(start, source).pieces()));
            }
            response
        };
        let readers = (0..100).map(|_| Client::taking("/status", [usize::MAX; 2000]));
        let mut connections: Vec<_> = readers.map(|c| Connection::new(c, start)).collect();
        for round in 1..=500 {
            connections.push(Connection::new(Client::asking(usize::MAX), start));
            assert!(step_all(&mut connections, start, &route));
            let asked = connections.pop().map(|connection| connection.phase().0);
            assert_eq!(asked, Some(Phase::Closing), "it has its answer");
            assert!(made.load(Ordering::Relaxed) <= round);
        }
        while step_all(&mut connections, start, &route) {}
        assert!(connections.iter().all(|c| c.phase().0 == Phase::Closing));
        assert_eq!(
            made.load(Ordering::Relaxed),
            1000,
            "for all hundred of them"
        );
    }

    #[test]
    fn answers_that_nobody_takes_are_bounded_all_together() {
        let start = Instant::now();
        let page = |_: &Asked<'_>| PageResponse::text("200 OK", "x".repeat(300_000));
        let clients = (0..100).map(|_| Client::asking(0));
        let mut connections: Vec<_> = clients.map(|c| Connection::new(c, start)).collect();
        connections.insert(0, Connection::new(Client::default(), start));
        connections.push(Connection::new(Client::asking(usize::MAX), start));
        assert!(step_all(&mut connections, start, &page));
        let phases: Vec<Phase> = connections.iter().map(|c| c.phase().0).collect();
        assert_eq!(phases[0], Phase::Reading, "it is in nobody's way");
        assert_eq!(phases.last(), Some(&Phase::Closing), "it got its answer");
        assert!((4..10).contains(&phases.len()), "{phases:?}");
        assert!(!step_all(&mut connections, start, &page));

        let huge = |_: &Asked<'_>| PageResponse::text("200 OK", "x".repeat(2 * MAX_ANSWER_BYTES));
        let mut alone = vec![Connection::new(Client::asking(0), start)];
        step_all(&mut alone, start, &huge);
        assert_eq!(alone.len(), 1);
    }
}
