//! Whom to take in, and the rounds. What is kept is bounded: so many connections, so many bytes
//! for all of them. Where there are too many, those go that have been in the way for longest;
//! but nobody goes before they had time to say what they want.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::connection::{Connection, Phase, Step, Stream};
use super::http_message::PageResponse;

/// Connections served at once, on all sockets: with the loop's own they are within 1,024 files,
/// which many systems allow a process. More wait in the kernel.
const MOST_CONNECTIONS: usize = 960;
/// Sockets that there usually are.
const USUAL_SOCKETS: usize = 2;
/// Bytes of answers that are kept until somebody takes them, unless there is only one.
const MOST_BYTES: usize = 2 * 1024 * 1024;
/// Taken in at most before all have had their turn.
const MOST_AT_ONCE: usize = 64;
/// Nobody has to go before this, if they say nothing: a request follows its connection at once.
/// Were it longer, those who come in a flood would fill the kernel's queue of 128, from which it
/// drops.
const GRACE: Duration = Duration::from_millis(20);
/// Pause between two rounds while somebody is connected and nothing comes: at first, and after
/// that has been so for a while. In between, a burst must not fill the kernel's queue.
const PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(10);
/// The process, or the system, has too many files open (`EMFILE`, `ENFILE`).
const TOO_MANY_FILES: [Option<i32>; 2] = [Some(24), Some(23)];

/// How many connections each of so many sockets serves at once.
pub fn most_connections(sockets: usize) -> usize {
    (MOST_CONNECTIONS / sockets.max(USUAL_SOCKETS)).max(1)
}

/// Answers whoever connects, `most` at once, for ever.
pub fn serve(listener: &TcpListener, most: usize, route: &dyn Fn(&str) -> PageResponse) {
    let mut connections = Vec::new();
    let mut pause = PAUSE;
    loop {
        let came = take_in(listener, most, &mut connections);
        if round(&mut connections, Instant::now(), route) || came {
            pause = PAUSE;
        } else {
            std::thread::sleep(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
}

/// Gives each connection its turn; false if none of them got on.
fn round<S: Stream>(
    connections: &mut Vec<Connection<S>>,
    now: Instant,
    route: &dyn Fn(&str) -> PageResponse,
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
                while let Some(goes) = too_much(connections) {
                    connections.remove(goes);
                    index -= usize::from(goes < index);
                }
            }
        }
        index += 1;
    }
    progress
}

/// Takes in those who wait, as far as there is room; blocks for the first one if there is nobody
/// else. False if there was none.
fn take_in(
    listener: &TcpListener,
    most: usize,
    connections: &mut Vec<Connection<TcpStream>>,
) -> bool {
    let blocks = connections.is_empty();
    if listener.set_nonblocking(!blocks).is_err() {
        return false;
    }
    let mut any = false;
    for _ in 0..if blocks { 1 } else { MOST_AT_ONCE } {
        let now = Instant::now();
        let is_full = connections.len() >= most;
        let goes = is_full.then(|| first_to_go(connections, now)).flatten();
        if is_full && goes.is_none() {
            break;
        }
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => {
                if TOO_MANY_FILES.contains(&error.raw_os_error()) {
                    connections.retain(|connection| !may_go(connection, now)); // the loop needs some
                }
                break;
            }
        };
        any = true;
        if let Some(index) = goes {
            connections.remove(index);
        }
        if stream.set_nonblocking(true).is_ok() {
            connections.push(Connection::new(stream, Instant::now())); // it may have blocked
        }
    }
    any
}

/// Which of the connections makes room for another one.
fn first_to_go<S: Stream>(connections: &[Connection<S>], now: Instant) -> Option<usize> {
    let indexed = connections.iter().enumerate();
    let goers = indexed.filter(|(_, connection)| may_go(connection, now));
    let first = goers.min_by_key(|(_, connection)| connection.phase());
    first.map(|(index, _)| index)
}

fn may_go<S: Stream>(connection: &Connection<S>, now: Instant) -> bool {
    let (phase, since) = connection.phase();
    phase == Phase::Closing || now.saturating_duration_since(since) >= GRACE
}

/// If all answers that are kept are too much: which of them has not been taken for longest. One
/// alone may be as large as there are.
fn too_much<S: Stream>(connections: &[Connection<S>]) -> Option<usize> {
    let indexed = connections.iter().enumerate();
    let writing = indexed.filter(|(_, connection)| connection.phase().0 == Phase::Writing);
    let size: usize = writing.clone().map(|(_, c)| c.size()).sum();
    let oldest = writing.clone().min_by_key(|(_, c)| c.phase());
    let is_too_much = size > MOST_BYTES && writing.count() > 1;
    oldest.map(|(index, _)| index).filter(|_| is_too_much)
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::Client;
    use super::*;

    /// A connection that is at this phase since so many milliseconds after `start`.
    fn at(phase: Phase, start: Instant, ms: u64, size: usize) -> Connection<Client> {
        let page = move |_: &str| PageResponse::text("200 OK", "x".repeat(size));
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
    fn those_go_first_who_are_done_then_who_say_nothing_then_who_do_not_listen() {
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
            assert_eq!(first_to_go(&connections, now), goes);
        }
    }

    #[test]
    fn all_sockets_together_have_room_for_so_many() {
        for (sockets, most) in [(0, 480), (1, 480), (2, 480), (4, 240), (5000, 1)] {
            assert_eq!(most_connections(sockets), most, "{sockets}");
        }
    }

    #[test]
    fn answers_that_nobody_takes_are_bounded_all_together() {
        let start = Instant::now();
        let page = |_: &str| PageResponse::text("200 OK", "x".repeat(300_000));
        let clients = (0..100).map(|_| Client::asking(0));
        let mut connections: Vec<_> = clients.map(|c| Connection::new(c, start)).collect();
        connections.insert(0, Connection::new(Client::default(), start));
        connections.push(Connection::new(Client::asking(usize::MAX), start));
        assert!(round(&mut connections, start, &page));
        let phases: Vec<Phase> = connections.iter().map(|c| c.phase().0).collect();
        assert_eq!(phases[0], Phase::Reading, "it is in nobody's way");
        assert_eq!(phases.last(), Some(&Phase::Closing), "it got its answer");
        assert!((4..10).contains(&phases.len()), "{phases:?}");
        assert!(!round(&mut connections, start, &page));

        let huge = |_: &str| PageResponse::text("200 OK", "x".repeat(2 * MOST_BYTES));
        let mut alone = vec![Connection::new(Client::asking(0), start)];
        round(&mut alone, start, &huge);
        assert_eq!(alone.len(), 1);
    }
}
