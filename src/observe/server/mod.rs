//! The health listener: answers `GET` and `HEAD` of `/` and `/ping`, and of the status pages, from
//! memory.
//!
//! ```text
//!  listener (whom to take in) ─► connection (reading, writing, closing) ─► message ─► answer
//! ```
//!
//! One thread for each address that is bound. It blocks while nobody is connected, and goes
//! round its connections without blocking while somebody is, so that one who sends or reads
//! slowly, or not at all, holds nobody up.

mod connection;
mod http_message;
mod listener;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use chrono::Utc;

use crate::base::log;
use crate::base::threads::{self, SMALL_STACK};
use crate::observe::routes;
use crate::observe::telemetry::Telemetry;
pub use http_message::{Answer, Pieces, Response, respond};

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
pub fn start(addresses: &[HealthAddress], telemetry: &Telemetry) -> Result<(), String> {
    let mut failures = Vec::new();
    let mut bound = 0;
    for address in addresses {
        match address
            .bind()
            .and_then(|listener| listen(listener, telemetry.clone()))
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

fn listen(listener: TcpListener, telemetry: Telemetry) -> io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    let work = move || listener::serve(&listener, &|path| route(path, &telemetry));
    threads::start("health", SMALL_STACK, Box::new(work))?;
    Ok(address)
}

/// What there is under a path.
fn route(path: &str, telemetry: &Telemetry) -> Response {
    let heartbeat = &telemetry.heartbeat();
    match path {
        "/" | "/ping" if heartbeat.is_alive() => Response::text("200 OK", "ok\n"),
        "/" | "/ping" => {
            let age = heartbeat.age().as_secs();
            let body = format!("stuck: the loop last got on {age} s ago\n");
            Response::text("503 Service Unavailable", body)
        }
        _ => routes::answer(path, || telemetry.status(), Utc::now()).unwrap_or_else(|| {
            let paths = "there are /, /ping, /status, /status.json and /metrics\n";
            Response::text("404 Not Found", paths)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::heartbeat::Heartbeat;
    use crate::dns::Name;
    use std::time::Duration;

    #[test]
    fn answers_by_path() {
        let zone = Name::parse("example.com").unwrap();
        let telemetry = Telemetry::new(zone, Heartbeat::start());
        for (path, status) in [
            ("/", "200 OK"),
            ("/ping", "200 OK"),
            ("/status", "200 OK"),
            ("/status.json", "200 OK"),
            ("/metrics", "200 OK"),
            ("/x", "404 Not Found"),
            ("/status/", "404 Not Found"),
        ] {
            assert_eq!(route(path, &telemetry).status, status, "{path}");
        }
    }

    #[test]
    fn a_loop_that_is_stuck_is_reported_until_it_gets_on() {
        let zone = Name::parse("example.com").unwrap();
        let age = Duration::from_secs(100);
        let telemetry = Telemetry::new(zone, Heartbeat::of_age(age));
        for path in ["/", "/ping"] {
            let stuck = route(path, &telemetry);
            assert_eq!(stuck.status, "503 Service Unavailable", "{path}");
            assert!(stuck.body.starts_with("stuck: the loop last got on 10"));
        }
        let metric = |value| format!("\nrancher_route53_stuck {value}\n");
        assert!(route("/metrics", &telemetry).body.contains(&metric(1)));
        // How it is can be looked at all the same.
        assert_eq!(route("/status", &telemetry).status, "200 OK");
        telemetry.heartbeat().beat();
        for path in ["/", "/ping"] {
            assert_eq!(route(path, &telemetry).status, "200 OK", "{path}");
        }
        assert!(route("/metrics", &telemetry).body.contains(&metric(0)));
    }
}
