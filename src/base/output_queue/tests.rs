//! Tests of the queue with a simulated output, which blocks or fails when a test says so.

use super::*;
use std::collections::VecDeque;
use std::sync::mpsc;
use std::time::Instant;

/// A time limit that no test reaches.
const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

/// An output that blocks while it is closed, and keeps the text that is written.
#[derive(Clone, Default)]
struct Tap(Arc<(Mutex<Flow>, Condvar)>);

#[derive(Default)]
struct Flow {
    is_open: bool,
    is_asked: bool,
    written: Vec<u8>,
}

impl Tap {
    fn open(&self) {
        self.0.0.lock().unwrap().is_open = true;
        self.0.1.notify_all();
    }

    /// Waits until something is to be written.
    fn wait_until_asked(&self) {
        let (flow, changed) = &*self.0;
        let waited = changed.wait_timeout_while(flow.lock().unwrap(), LONG, |flow| !flow.is_asked);
        assert!(!waited.unwrap().1.timed_out());
    }

    fn lines(&self) -> Vec<String> {
        let flow = self.0.0.lock().unwrap();
        let text = String::from_utf8(flow.written.clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Write for Tap {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (flow, changed) = &*self.0;
        let mut flow = flow.lock().unwrap();
        flow.is_asked = true;
        changed.notify_all();
        let mut flow = changed.wait_while(flow, |flow| !flow.is_open).unwrap();
        flow.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn notice(count: u64, error: Option<&str>) -> String {
    format!("lost {count}: {}\n", error.unwrap_or("blocked"))
}

fn queue(tap: &Tap) -> Arc<OutputQueue> {
    OutputQueue::start(Output::new(Box::new(tap.clone()), notice, |_| {}))
}

/// A line of 100 bytes.
fn line(number: usize) -> String {
    format!("{number:<99}\n")
}

#[test]
fn a_flush_waits_until_everything_is_written_in_order() {
    let tap = Tap::default();
    tap.open();
    let queue = queue(&tap);
    let many: String = (0..5_000).map(line).collect();
    queue.put(&many);
    (5_000..10_000).for_each(|number| queue.put(&line(number)));
    queue.flush(LONG);
    let lines = tap.lines();
    assert_eq!(lines.len(), 10_000);
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(line.trim(), number.to_string());
    }
}

#[test]
fn whoever_finds_no_room_waits_for_it() {
    let tap = Tap::default();
    let queue = queue(&tap);
    queue.limit_wait(LONG);
    let (sender, receiver) = mpsc::channel();
    let other = queue.clone();
    thread::spawn(move || {
        let many: String = (0..3_000).map(line).collect();
        other.put(&many);
        sender.send(()).unwrap();
    });
    assert!(receiver.recv_timeout(SHORT).is_err(), "it doesn't fit");
    tap.open();
    receiver.recv_timeout(LONG).unwrap();
    queue.flush(LONG);
    assert_eq!(tap.lines().len(), 3_000);
}

/// Only one caller waits, and for a limited time; the queue's size is limited; and the number of lost
/// lines is written where they are missing.
#[test]
fn what_nobody_reads_is_dropped_and_counted() {
    const LINES: usize = 100_000;
    let tap = Tap::default();
    let queue = queue(&tap);
    queue.put(&line(0));
    tap.wait_until_asked();
    let start = Instant::now();
    (1..LINES).for_each(|number| queue.put(&line(number)));
    let took = start.elapsed();
    assert!(took >= MAX_WAIT, "nobody waited for room: {took:?}");
    assert!(took < 100 * MAX_WAIT, "many lines waited: {took:?}");
    assert!(queue.lock().waiting.len() <= MAX_WAITING);
    queue.put("short\n");
    queue.flush(LONG); // returns at once, because a wait was in vain before
    assert!(start.elapsed() < took + LONG);

    tap.open();
    queue.flush(LONG);
    // The flush may have come before the first line was written.
    while queue.lock().is_stalled {
        thread::yield_now();
    }
    queue.put("after\n");
    queue.flush(LONG);
    let lines = tap.lines();
    let kept = lines.len() - 2;
    assert!((500..1_000).contains(&kept), "{kept}");
    for (number, line) in lines[..kept].iter().enumerate() {
        assert_eq!(line.trim(), number.to_string());
    }
    let lost = LINES + 1 - kept;
    assert_eq!(
        lines[kept..],
        [format!("lost {lost}: blocked"), "after".into()]
    );
}

#[test]
fn a_blocked_output_is_flushed_for_as_long_as_it_takes_and_no_longer() {
    let tap = Tap::default();
    let queue = queue(&tap);
    queue.put("one\n");
    tap.wait_until_asked();
    let start = Instant::now();
    queue.flush(SHORT);
    assert!(start.elapsed() >= SHORT && start.elapsed() < LONG);
    tap.open();
    while tap.lines().is_empty() {
        thread::yield_now();
    }
}

#[test]
fn where_there_is_no_thread_callers_write_unless_their_wait_is_limited() {
    let tap = Tap::default();
    tap.open();
    let queue = queue(&tap);
    queue.lock().has_thread = false;
    queue.put("one\n");
    assert_eq!(tap.lines(), ["one"]);
    queue.limit_wait(SHORT);
    queue.put("two\n");
    assert_eq!(tap.lines(), ["one"]);
}

/// An output whose writes end as in this list: each with a number of bytes, or an error. After the
/// end of the list they succeed.
#[derive(Default)]
struct Flaky {
    next: VecDeque<Result<usize, ErrorKind>>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Write for Flaky {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.next.pop_front().unwrap_or(Ok(bytes.len()))?;
        let count = count.min(bytes.len());
        self.written
            .lock()
            .unwrap()
            .extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_cannot_be_written_is_counted_and_told_once_it_can() {
    use ErrorKind::{Interrupted, StorageFull as Full, WouldBlock};
    type Case = (&'static [Result<usize, ErrorKind>], &'static str);
    let full = "no storage space";
    let cases: [Case; 8] = [
        (&[], "a b c d e f g "),
        (
            &[Ok(1), Ok(1), Err(Interrupted), Err(WouldBlock)],
            "a b c d e f g ",
        ),
        (&[Ok(4), Err(Full)], "a b lost 1: full d e f g "),
        // It fails in the middle of a line, which is ended before the next one begins.
        (&[Ok(3), Err(Full)], "a b lost 2: full d e f g "),
        (&[Err(Full), Err(Full)], "lost 4: full e f g "),
        (&[Err(Full), Ok(5), Err(Full)], "lost  lost 4: full e f g "),
        (&[Ok(6), Ok(2), Err(Full)], "a b c d lost 1: full f g "),
        (
            &[Ok(6), Err(Full), Err(Full), Err(Full)],
            "a b c lost 3: full g ",
        ),
    ];
    for (next, expected) in cases {
        let written = Arc::new(Mutex::new(Vec::new()));
        let flaky = Flaky {
            next: next.iter().copied().collect(),
            written: written.clone(),
        };
        let mut output = Output::new(Box::new(flaky), notice, |_| {});
        for text in ["a\nb\nc\n", "d\n", "e\n", "f\n", "g\n"] {
            output.write(text.as_bytes(), 0);
        }
        let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let text = text.replace(full, "full").replace('\n', " ");
        assert_eq!(text, expected, "{next:?}");
    }
}

#[test]
fn lines_dropped_while_it_could_not_be_written_count_as_well() {
    let written = Arc::new(Mutex::new(Vec::new()));
    let next = [Err(ErrorKind::StorageFull), Err(ErrorKind::StorageFull)].into();
    let flaky = Flaky {
        next,
        written: written.clone(),
    };
    let mut output = Output::new(Box::new(flaky), notice, |_| {});
    output.write(b"a\nb\n", 10);
    output.write(b"c\n", 100);
    let text = String::from_utf8(written.lock().unwrap().clone()).unwrap();
    assert_eq!(text, "lost 12: no storage space\nc\nlost 100: blocked\n");
}

#[test]
fn whole_lines_are_taken_as_far_as_there_is_room() {
    let long = format!("{}\nrest\n", "x".repeat(MAX_WAITING));
    for (text, waiting, expected) in [
        ("", 0, 0),
        ("a\nb\n", 0, 4),
        ("a\nb\n", MAX_WAITING - 4, 4),
        ("a\nb\n", MAX_WAITING - 3, 2),
        ("a\nb\n", MAX_WAITING - 1, 0),
        ("a\nb\n", MAX_WAITING + 1, 0),
        ("no line break", 0, 13),
        (&long, 0, MAX_WAITING + 1),
        (&long, 1, 0),
        (&long[..MAX_WAITING], 0, MAX_WAITING),
    ] {
        assert_eq!(
            fitting_bytes(text.as_bytes(), waiting),
            expected,
            "{waiting}"
        );
    }
}
