//! The health server: answers `GET` and `HEAD` of `/`, `/ping` and the status pages, all from memory.
//!
//! ```text
//!  listener (accepts, closes) ─► connection (reads, writes) ─► http_message ─► routes
//!                                                               └ request (judges the head)
//! ```
//!
//! There is a thread for each socket: one for each address, or two where an IPv6 socket doesn't
//! accept IPv4 (`net.ipv6.bindv6only=1`). A thread blocks while there is no connection. Otherwise it
//! lets each connection go on without blocking, so that a slow or silent client delays no other.

mod address;
mod connection;
mod http_message;
mod listener;
mod request;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Instant;

use chrono::Utc;

use crate::base::log;
use crate::base::threads::{self, SMALL_STACK};
use crate::observe::routes;
use crate::observe::telemetry::Telemetry;
pub use address::ListenAddress;
pub use http_message::{Answer, PageResponse, Pieces, respond};

/// Starts the threads that listen on these addresses. Failures are logged; if no address at all can
/// be listened on, that is an error.
pub fn start(addresses: &[ListenAddress], telemetry: &Telemetry) -> Result<(), String> {
    let mut sockets = Vec::new();
    let mut failures = Vec::new();
    for address in addresses {
        match address.bind() {
            Ok(bound) => sockets.extend(bound.into_iter().map(|socket| (address, socket))),
            Err(error) => failures.push((address, address.explain_bind_error(&error))),
        }
    }
    let limit = listener::max_connections(sockets.len());
    let mut is_listening = false;
    for (address, socket) in sockets {
        match listen(socket, limit, telemetry.clone()) {
            Ok(local) => {
                is_listening = true;
                log::info("health checks are answered", &[("address", &local)]);
            }
            Err(error) => failures.push((address, error.to_string())),
        }
    }
    if !is_listening {
        let failures = failures.iter().map(|(at, why)| format!("{at}: {why}"));
        let failures: Vec<String> = failures.collect();
        return Err(format!(
            "HEALTH_ADDRESS: none of its addresses can be listened on: {}",
            failures.join("; ")
        ));
    }
    for (address, why) in failures {
        log::warn(
            "health checks are not answered on an address of HEALTH_ADDRESS",
            &[("address", address), ("error", &why)],
        );
    }
    Ok(())
}

fn listen(listener: TcpListener, limit: usize, telemetry: Telemetry) -> io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    let work = move || {
        listener::serve(&listener, limit, &|path| {
            route(path, &telemetry, Instant::now())
        })
    };
    threads::start("health", SMALL_STACK, Box::new(work))?;
    Ok(address)
}

/// The answer for a path. Health checks are answered at once, and from no copy.
fn route(path: &str, telemetry: &Telemetry, now: Instant) -> PageResponse {
    let heartbeat = &telemetry.heartbeat();
    match path {
        "/" | "/ping" | "/healthz" if heartbeat.is_alive() => PageResponse::text("200 OK", "ok\n"),
        "/" | "/ping" | "/healthz" => {
            let age = heartbeat.age().as_secs();
            let body = format!("stuck: the loop last got on {age} s ago\n");
            PageResponse::text("503 Service Unavailable", body)
        }
        _ => {
            let status = || telemetry.status();
            let page = routes::answer(path, &telemetry.pages, now, Utc::now(), &status);
            page.unwrap_or_else(|| {
                let paths = "there are /, /ping, /status, /status.json and /metrics\n";
                PageResponse::text("404 Not Found", paths)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::heartbeat::Heartbeat;
    use crate::dns::Name;
    use crate::observe::pages::FRESH;
    use std::time::Duration;

    #[test]
    fn answers_by_path() {
        let zone = Name::parse("example.com").unwrap();
        let telemetry = Telemetry::new(zone, Heartbeat::start());
        let now = Instant::now();
        for (path, status) in [
            ("/", "200 OK"),
            ("/ping", "200 OK"),
            ("/healthz", "200 OK"),
            ("/healthz/", "404 Not Found"),
            ("/status", "200 OK"),
            ("/status.json", "200 OK"),
            ("/metrics", "200 OK"),
            ("/x", "404 Not Found"),
            ("/status/", "404 Not Found"),
        ] {
            assert_eq!(route(path, &telemetry, now).status, status, "{path}");
        }
    }

    #[test]
    fn a_loop_that_is_stuck_is_reported_until_it_gets_on() {
        let zone = Name::parse("example.com").unwrap();
        let age = Duration::from_secs(100);
        let telemetry = Telemetry::new(zone, Heartbeat::of_age(age));
        let now = Instant::now();
        for path in ["/", "/ping", "/healthz"] {
            let stuck = route(path, &telemetry, now);
            assert_eq!(stuck.status, "503 Service Unavailable", "{path}");
            assert!(stuck.body.starts_with("stuck: the loop last got on 10"));
        }
        let metric = |value| format!("\nrancher_route53_stuck {value}\n");
        assert!(route("/metrics", &telemetry, now).body.contains(&metric(1)));
        // The status page is there all the same.
        assert_eq!(route("/status", &telemetry, now).status, "200 OK");
        telemetry.heartbeat().beat();
        let now = now + FRESH;
        for path in ["/", "/ping", "/healthz"] {
            assert_eq!(route(path, &telemetry, now).status, "200 OK", "{path}");
        }
        assert!(route("/metrics", &telemetry, now).body.contains(&metric(0)));
    }
}
