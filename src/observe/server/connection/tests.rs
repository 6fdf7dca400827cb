//! Tests of each phase, with a simulated client and clock.

use super::*;
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

/// A simulated client: the pieces that it sends, and how many bytes it takes at a time. Reads and
/// writes would block when there are none left. An empty piece means that it has closed.
#[derive(Default)]
pub struct Client {
    sends: VecDeque<Vec<u8>>,
    takes: VecDeque<usize>,
    has_got: Vec<u8>,
    is_finished: Cell<bool>,
}

impl Client {
    /// A client that has sent a request, and takes this many bytes of the answer.
    pub fn asking(room: usize) -> Client {
        Client::taking("/ping", (room > 0).then_some(room))
    }

    /// A client that has asked for a path, and takes so many bytes each time.
    pub fn taking(path: &str, takes: impl IntoIterator<Item = usize>) -> Client {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        Client {
            sends: [request.into_bytes()].into(),
            takes: takes.into_iter().collect(),
            ..Client::default()
        }
    }
}

impl Read for Client {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut piece) = self.sends.pop_front() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let count = piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&piece[..count]);
        piece.drain(..count);
        if !piece.is_empty() {
            self.sends.push_front(piece);
        }
        Ok(count)
    }
}

impl Write for Client {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(room) = self.takes.pop_front() else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let count = room.min(bytes.len());
        self.has_got.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Client {
    fn finish(&self) {
        self.is_finished.set(true);
    }
}

const PING: &[u8] = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n";

fn page(_: &Asked<'_>) -> PageResponse {
    PageResponse::text("200 OK", "x".repeat(300_000))
}

/// A connection that begins at second 0, with a client that sends these pieces; and a function that
/// returns the time at a second.
fn connect(sends: &[&[u8]]) -> (Connection<Client>, impl Fn(u64) -> Instant + use<>) {
    let start = Instant::now();
    let client = Client {
        sends: sends.iter().map(|piece| piece.to_vec()).collect(),
        ..Client::default()
    };
    let at = move |second| start + Duration::from_secs(second);
    (Connection::new(client, start), at)
}

#[test]
fn a_request_in_one_piece_is_answered_in_one_step() {
    let (mut connection, at) = connect(&[PING]);
    connection.stream.takes = [1_000_000].into();
    assert_eq!(connection.step(at(0), &page), Step::Progress);
    assert!(
        connection
            .stream
            .has_got
            .starts_with(b"HTTP/1.1 200 OK\r\n")
    );
    assert!(connection.stream.is_finished.get());
    assert_eq!(connection.size(), 0, "the answer isn't kept");
    assert_eq!(connection.step(at(0), &page), Step::Waiting);
    connection.stream.sends.push_back(vec![]);
    assert_eq!(connection.step(at(0), &page), Step::Done);
}

#[test]
fn an_answer_goes_on_where_the_last_write_ended() {
    let (mut connection, at) = connect(&[PING]);
    for room in [1, 100_000, 7, 300_000] {
        connection.stream.takes.push_back(room);
        assert_eq!(connection.step(at(1), &page), Step::Progress);
        assert_eq!(connection.step(at(1), &page), Step::Waiting);
    }
    assert!(connection.stream.has_got == respond(PING, &page).unwrap().bytes);
    assert_eq!(connection.phase(), (Phase::Closing, at(1)));
}

#[test]
fn pieces_are_made_as_they_are_taken() {
    let made = Rc::new(Cell::new(0));
    let counted = made.clone();
    let page = move |_: &Asked<'_>| {
        let counted = counted.clone();
        let pieces = (0..5).map(move |number| {
            counted.set(number + 1);
            number.to_string().repeat(1000).into()
        });
        PageResponse {
            rest: Some(Box::new(pieces)),
            ..PageResponse::text("200 OK", "x".repeat(1000))
        }
    };
    let (mut connection, at) = connect(&[PING]);
    connection.stream.takes = [500, 500].into();
    while connection.step(at(0), &page) != Step::Waiting {}
    assert_eq!(made.get(), 0, "none before the body is sent");
    connection.stream.takes = [1_000_000, 1000, 999].into();
    while connection.step(at(0), &page) != Step::Waiting {}
    assert_eq!(made.get(), 2);
    assert_eq!(connection.size(), 0, "pieces are shared");
    connection.stream.takes = [1_000_000; 9].into();
    while connection.step(at(0), &page) != Step::Waiting {}
    let expected = format!(
        "x{}",
        (0..5)
            .map(|n| n.to_string().repeat(1000))
            .collect::<String>()
    );
    assert!(connection.stream.has_got.ends_with(expected.as_bytes()));
    assert_eq!(connection.phase(), (Phase::Closing, at(0)));
    assert_eq!(connection.size(), 0, "nothing is kept");
}

#[test]
fn one_who_never_reads_is_let_go() {
    let (mut connection, at) = connect(&[PING]);
    connection.step(at(1), &page);
    assert_eq!(connection.phase().0, Phase::Writing);
    assert_eq!(connection.step(at(10), &page), Step::Waiting);
    assert_eq!(connection.step(at(11), &page), Step::Done);
}

#[test]
fn one_who_sends_or_reads_slowly_is_let_go_too() {
    let (mut sender, at) = connect(&[b"G", b"E", b"T"]);
    assert_eq!(sender.step(at(1), &page), Step::Progress);
    assert_eq!(sender.step(at(2), &page), Step::Done);

    let (mut reader, at) = connect(&[PING]);
    reader.stream.takes = [1; 20].into();
    assert_eq!(reader.step(at(0), &page), Step::Progress);
    assert_eq!(reader.step(at(9), &page), Step::Progress);
    assert_eq!(reader.step(at(10), &page), Step::Done);
}

#[test]
fn one_who_hangs_up_before_the_end_gets_nothing() {
    let (mut connection, at) = connect(&[b"GET / HT", b""]);
    connection.stream.takes = [100].into();
    assert_eq!(connection.step(at(0), &page), Step::Progress);
    assert_eq!(connection.step(at(0), &page), Step::Done);
    assert!(connection.stream.has_got.is_empty());
}

#[test]
fn a_request_that_is_too_large_is_read_no_further_than_it_takes() {
    let request = [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'x'; 1_000_000]].concat();
    let (mut connection, at) = connect(&[&request]);
    connection.stream.takes = [1000].into();
    while connection.step(at(0), &page) == Step::Progress {
        assert!(connection.size() <= MAX_HEAD);
    }
    assert!(connection.stream.has_got.starts_with(b"HTTP/1.1 431 "));
    let left: usize = connection.stream.sends.iter().map(Vec::len).sum();
    assert!(left > 900_000, "{left} of it were not read");
}
