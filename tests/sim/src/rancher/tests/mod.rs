//! Both servers over real sockets. A client of a few lines, so that nothing is hidden.

mod api;
mod metadata;

use super::*;
use std::io::{self, Read, Write};
use std::net::TcpStream;

const ENOUGH: Duration = Duration::from_secs(10);

fn world() -> World {
    let mut world = World::new("Production EU", "1a726b88-f6b1-53ad-8dac-f631830b5815");
    world.add_host("h1", "203.0.113.11");
    world.add_service("Shop", "Web").run_on("h1", 8080);
    world
        .add_sidekick("Shop", "Web", "nginx")
        .run_on("h1", 8081);
    world
}

fn start() -> Rancher {
    Rancher::start(Options::default(), world())
}

/// Waits a hundred times shorter than a real server.
fn hurried() -> Rancher {
    let options = Options {
        tick: Duration::from_millis(50),
        second: Duration::from_millis(10),
        ..Options::default()
    };
    Rancher::start(options, world())
}

struct Answer {
    status: u16,
    head: String,
    /// As it was on the wire: perhaps in chunks.
    body: String,
}

impl Answer {
    fn json(&self) -> serde_json::Value {
        let text = match self.head.contains("Transfer-Encoding: chunked") {
            true => joined(&self.body).expect("whole chunks"),
            false => self.body.clone(),
        };
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// The data of a chunked body; `None` if its end is missing.
fn joined(chunked: &str) -> Option<String> {
    let (mut text, mut rest) = (String::new(), chunked);
    loop {
        let (length, more) = rest.split_once("\r\n")?;
        let length = usize::from_str_radix(length, 16).ok()?;
        if length == 0 {
            return Some(text);
        }
        text += more.get(..length)?;
        rest = more.get(length..)?.strip_prefix("\r\n")?;
    }
}

/// One request on a connection of its own.
fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Answer> {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let path = if path.is_empty() { "/" } else { path };
    let mut stream = TcpStream::connect(host)?;
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(io::ErrorKind::InvalidData)?;
    let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
    Ok(Answer {
        status: status.ok_or(io::ErrorKind::InvalidData)?,
        head: head.into(),
        body: body.into(),
    })
}
