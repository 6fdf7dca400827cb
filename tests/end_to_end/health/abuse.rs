//! The listener under abuse: whatever others do to it, the loop gets on, a well-behaved client
//! is answered, memory stays bounded, and in the end every connection is closed.

use super::{address, ask};
use crate::stage::{PATIENCE, Stage, has_address, program, web};
use sim::route53::{Fault, Operation};
use sim::service::Service;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const PING: &str = "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n";
/// Of each kind, save the idle ones.
const MANY: usize = 40;
const IDLE: usize = 500;
/// Within this, a change is in the zone: a loop that waits for an abuser would wait for seconds.
const PROMPT: Duration = Duration::from_secs(2);
/// What the program may have grown by, in KiB: it keeps some hundred connections for a moment,
/// with up to 4 KiB of a request each.
const ROOM_KB: u64 = 2 * 1024;

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Says this, if it may, and then nothing more.
fn say(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(address);
    let _ = stream.write_all(bytes);
    stream
}

fn garbage(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut byte = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    (0..length).map(|_| byte()).collect()
}

/// Everything that one can do wrong; the connections are kept.
fn abuse(address: SocketAddr) -> Vec<TcpStream> {
    let huge = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let pipelined = PING.repeat(1000);
    let mut streams = Vec::new();
    for number in 0..MANY {
        streams.push(say(address, huge.as_bytes()));
        streams.push(say(address, &garbage(100 * number)));
        streams.push(say(address, b"GET / HT"));
        streams.push(say(address, PING.as_bytes())); // and never reads
        streams.push(say(address, pipelined.as_bytes()));
        let half_closed = connect(address);
        let _ = half_closed.shutdown(Shutdown::Write);
        streams.push(half_closed);
    }
    streams
}

/// Sends a byte now and then on many connections, until each of them has been closed.
fn send_slowly(address: SocketAddr) {
    let mut streams: Vec<_> = (0..MANY).map(|_| connect(address)).collect();
    for letter in PING.bytes().cycle().take(2000) {
        streams.retain_mut(|stream| letter == b'\n' || stream.write_all(&[letter]).is_ok());
        if streams.is_empty() {
            return;
        }
        thread::sleep(Duration::from_millis(20)); // that is what being slow means
    }
    panic!("{} slow senders are still connected", streams.len());
}

/// Ends the health checks, also when the test has failed.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Fails if the program doesn't hang up.
fn expect_end(mut stream: TcpStream) {
    let mut answers = Vec::new();
    match stream.read_to_end(&mut answers) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    let answers = String::from_utf8(answers).unwrap();
    assert!(answers.matches("HTTP/1.1 ").count() <= 1, "{answers}");
}

#[test]
fn abusers_hold_up_neither_the_loop_nor_a_health_check() {
    let stage = Stage::new(web());
    let service = stage.run();
    let address = address(&service);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    assert!(ask(address, PING).starts_with("HTTP/1.1 200"));
    // What it has needed at most so far.
    let memory = || service.memory().unwrap().high_water_kb;
    let before = memory();

    let is_over = AtomicBool::new(false);
    let streams = thread::scope(|scope| {
        let over = Over(&is_over);
        let checks = scope.spawn(|| {
            let mut checks = 0;
            while !is_over.load(Ordering::Relaxed) {
                let answer = ask(address, PING);
                assert!(answer.starts_with("HTTP/1.1 200"), "{checks}: {answer:?}");
                checks += 1;
            }
            checks
        });
        let idle = scope.spawn(|| (0..IDLE).map(|_| connect(address)).collect::<Vec<_>>());
        let abusers = scope.spawn(|| abuse(address));
        let slow = scope.spawn(|| send_slowly(address));
        let mut streams = idle.join().unwrap();
        stage.rancher.change(|world| {
            world.add_service("shop", "cart").run_on("h2", 81);
        });
        let published = stage.route53.wait_until(PROMPT, |state| {
            has_address(state, "cart.shop.prod.example.com.")
        });
        assert!(published, "the loop is held up");
        stage.expect_fqdn("shop", "cart", "cart.shop.prod.example.com");
        streams.extend(abusers.join().unwrap());
        slow.join().unwrap();
        drop(over);
        assert!(checks.join().unwrap() > 0);
        streams
    });
    assert_eq!(streams.len(), IDLE + 6 * MANY);
    streams.into_iter().for_each(expect_end);
    let after = memory();
    assert!(after <= before + ROOM_KB, "{before} KiB → {after} KiB");
    assert!(ask(address, PING).starts_with("HTTP/1.1 200"));
}

/// A process that may have only so many files open, most of them taken by idle connections: the
/// loop needs some too.
#[test]
fn idle_connections_do_not_take_the_last_files() {
    let stage = Stage::new(web());
    let limited = [
        "-c",
        "ulimit -n 40 && exec \"$0\"",
        program().to_str().unwrap(),
    ];
    let service = Service::spawn(Path::new("/bin/sh"), &limited, &stage.environment());
    let address = address(&service);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    let idle: Vec<_> = (0..100).map(|_| connect(address)).collect();
    assert!(ask(address, PING).starts_with("HTTP/1.1 200"));
    // The loop has to connect anew.
    let change = Some(Operation::ChangeResourceRecordSets);
    stage.route53.inject(change, Fault::DropBefore, 1);
    stage.rancher.change(|world| {
        world.add_service("shop", "cart").run_on("h2", 81);
    });
    stage.expect_fqdn("shop", "cart", "cart.shop.prod.example.com");
    idle.into_iter().for_each(expect_end);
}

/// A listener that closes with something unread resets the connection, and the answer may be lost.
#[test]
fn an_answer_arrives_although_the_client_has_more_to_say() {
    let stage = Stage::new(web());
    let service = stage.run();
    let address = address(&service);
    let more = "x".repeat(32 * 1024);
    for (request, status) in [
        (format!("GET / HTTP/1.1\r\nX: {more}\r\n\r\n"), "431"),
        (format!("GET / HTTP/1.1\r\nHost: x\r\n\r\n{more}"), "200"),
        (
            format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 32768\r\n\r\n{more}"),
            "405",
        ),
        (more.clone(), "400"),
    ] {
        for _ in 0..20 {
            let answer = ask(address, &request);
            let first = answer.lines().next().unwrap_or_default();
            assert!(first.contains(status), "{request:.20}: {first}");
        }
    }
}

#[test]
fn one_who_says_all_and_closes_that_half_is_answered() {
    let stage = Stage::new(web());
    let service = stage.run();
    let mut stream = say(address(&service), PING.as_bytes());
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
