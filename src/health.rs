//! The health listener: answers `GET` and `HEAD` of `/` and `/ping` from memory.
//!
//! One thread for each address that is bound. It blocks while nobody is connected, and goes
//! round its connections without blocking while somebody is, so that one who sends slowly or
//! nothing at all holds nobody up. What it keeps is bounded: so many connections, so many bytes
//! and seconds each; the oldest one goes when there are too many.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::heartbeat::Heartbeat;
use crate::log;

/// Connections served at once.
const MOST_CONNECTIONS: usize = 64;
/// A request that isn't there by then isn't answered.
const PATIENCE: Duration = Duration::from_secs(2);
/// Largest head of a request, in bytes.
const LARGEST_REQUEST: usize = 4 * 1024;
/// Pause between two rounds while somebody is connected and nothing comes.
const PAUSE: Duration = Duration::from_millis(10);

/// Where to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthAddress {
    /// `:1000`: every address of the machine.
    Any(u16),
    /// `127.0.0.1:1000`.
    One(SocketAddr),
}

impl HealthAddress {
    fn bind(self) -> io::Result<TcpListener> {
        match self {
            HealthAddress::One(address) => TcpListener::bind(address),
            // An IPv6 socket takes IPv4 as well, unless the machine has no IPv6 at all.
            HealthAddress::Any(port) => TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))
                .or_else(|_| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))),
        }
    }
}

/// Listens on each address that can be bound; an error if that is none of them.
pub fn start(addresses: &[HealthAddress], heartbeat: &Heartbeat) -> Result<(), String> {
    let mut failures = Vec::new();
    let mut bound = 0;
    for address in addresses {
        match address
            .bind()
            .and_then(|listener| listen(listener, heartbeat.clone()))
        {
            Ok(local) => {
                bound += 1;
                log::info("health checks are answered", &[("address", &local)]);
            }
            Err(error) => failures.push(format!("{address:?}: {error}")),
        }
    }
    let failures = failures.join("; ");
    if bound == 0 {
        return Err(format!(
            "HEALTH_ADDRESS: no address can be bound: {failures}"
        ));
    }
    if !failures.is_empty() {
        log::warn(
            "an address of HEALTH_ADDRESS is skipped",
            &[("error", &failures)],
        );
    }
    Ok(())
}

fn listen(listener: TcpListener, heartbeat: Heartbeat) -> io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    std::thread::Builder::new()
        .name("health".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || serve(&listener, &heartbeat))?;
    Ok(address)
}

struct Connection {
    stream: TcpStream,
    since: Instant,
    request: Vec<u8>,
}

fn serve(listener: &TcpListener, heartbeat: &Heartbeat) {
    let mut connections: Vec<Connection> = Vec::new();
    loop {
        let idle = connections.is_empty();
        let mut progress =
            listener.set_nonblocking(!idle).is_ok() && accept(listener, &mut connections);
        connections.retain_mut(|connection| match connection.step(heartbeat) {
            Step::Waiting => connection.since.elapsed() < PATIENCE,
            Step::Progress => {
                progress = true;
                true
            }
            Step::Done => false,
        });
        if !progress {
            std::thread::sleep(PAUSE);
        }
    }
}

/// Takes in those who wait; blocks for the first one if the listener does.
fn accept(listener: &TcpListener, connections: &mut Vec<Connection>) -> bool {
    let Ok((stream, _)) = listener.accept() else {
        return false;
    };
    if stream.set_nonblocking(true).is_ok() {
        if connections.len() >= MOST_CONNECTIONS {
            connections.remove(0);
        }
        connections.push(Connection {
            stream,
            since: Instant::now(),
            request: Vec::new(),
        });
    }
    true
}

enum Step {
    Waiting,
    Progress,
    Done,
}

impl Connection {
    fn step(&mut self, heartbeat: &Heartbeat) -> Step {
        let mut buffer = [0; 1024];
        match self.stream.read(&mut buffer) {
            Ok(0) => Step::Done,
            Ok(count) => {
                self.request.extend_from_slice(&buffer[..count]);
                let is_whole = self.request.windows(4).any(|window| window == b"\r\n\r\n");
                if !is_whole && self.request.len() < LARGEST_REQUEST {
                    return Step::Progress;
                }
                let answer = answer(&self.request, is_whole, heartbeat);
                // An answer is far smaller than a socket's buffer, so this doesn't come short.
                let _ = self.stream.write_all(answer.as_bytes());
                let _ = self.stream.shutdown(std::net::Shutdown::Write);
                Step::Done
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Step::Waiting,
            Err(_) => Step::Done,
        }
    }
}

fn answer(request: &[u8], is_whole: bool, heartbeat: &Heartbeat) -> String {
    let line = request
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let mut words = line.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let path = target.split('?').next().unwrap_or_default();
    let is_http = words
        .next()
        .is_some_and(|version| version.starts_with("HTTP/1."));
    let (status, body) = match (method, path) {
        _ if !is_http => ("400 Bad Request", "not an HTTP/1 request\n".to_owned()),
        _ if !is_whole => (
            "431 Request Header Fields Too Large",
            "too large\n".to_owned(),
        ),
        ("GET" | "HEAD", "/" | "/ping") if heartbeat.is_alive() => ("200 OK", "ok\n".to_owned()),
        ("GET" | "HEAD", "/" | "/ping") => (
            "503 Service Unavailable",
            format!(
                "stuck: the loop last got on {} s ago\n",
                heartbeat.age().as_secs()
            ),
        ),
        ("GET" | "HEAD", _) => ("404 Not Found", "there are / and /ping\n".to_owned()),
        _ => ("405 Method Not Allowed", "GET or HEAD\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if method == "HEAD" { head } else { head + &body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_by_method_and_path() {
        let heartbeat = Heartbeat::start();
        for (request, status) in [
            ("GET / HTTP/1.1\r\n\r\n", "200"),
            ("GET /ping HTTP/1.0\r\nHost: x\r\n\r\n", "200"),
            ("GET /ping?x=y HTTP/1.1\r\n\r\n", "200"),
            ("HEAD /ping HTTP/1.1\r\n\r\n", "200"),
            ("GET /secret HTTP/1.1\r\n\r\n", "404"),
            ("POST / HTTP/1.1\r\n\r\n", "405"),
            ("\r\n\r\n", "400"),
            ("GET /\r\n\r\n", "400"),
            ("\u{16}\u{3}\u{1}\r\n\r\n", "400"),
        ] {
            let answer = answer(request.as_bytes(), true, &heartbeat);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{request:?}: {answer}"
            );
            assert_eq!(answer.ends_with("\r\n\r\n"), request.starts_with("HEAD"));
        }
        assert!(answer(b"GET / HTTP/1.1\r\nX: y", false, &heartbeat).starts_with("HTTP/1.1 431"));
    }
}
