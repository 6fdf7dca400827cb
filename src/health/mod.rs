//! The health listener: answers `GET` and `HEAD` of `/` and `/ping` from memory.
//!
//! ```text
//!  listener (whom to take in) ─► connection (reading, writing, closing) ─► message ─► answer
//! ```
//!
//! One thread for each address that is bound. It blocks while nobody is connected, and goes
//! round its connections without blocking while somebody is, so that one who sends or reads
//! slowly, or not at all, holds nobody up.

mod connection;
mod listener;
mod message;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use crate::heartbeat::Heartbeat;
use crate::log;
pub use message::{Response, respond};

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
        .spawn(move || listener::serve(&listener, &|path| answer(path, &heartbeat)))?;
    Ok(address)
}

/// What there is under a path.
fn answer(path: &str, heartbeat: &Heartbeat) -> Response {
    match path {
        "/" | "/ping" if heartbeat.is_alive() => Response::text("200 OK", "ok\n"),
        "/" | "/ping" => {
            let age = heartbeat.age().as_secs();
            let body = format!("stuck: the loop last got on {age} s ago\n");
            Response::text("503 Service Unavailable", body)
        }
        _ => Response::text("404 Not Found", "there are / and /ping\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_by_path() {
        let heartbeat = Heartbeat::start();
        for (path, status) in [
            ("/", "200 OK"),
            ("/ping", "200 OK"),
            ("/x", "404 Not Found"),
        ] {
            assert_eq!(answer(path, &heartbeat).status, status, "{path}");
        }
    }
}
