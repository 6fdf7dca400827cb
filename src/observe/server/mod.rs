//! The health server: answers `GET` and `HEAD` of `/`, `/ping`, `/healthz` and the status pages, all from
//! memory.
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
mod hosts;
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
pub use hosts::Hosts;
pub use http_message::{Answer, PageResponse, Pieces, respond};
pub use request::Asked;

/// Starts the threads that listen on these addresses, and show the pages for these hosts. Failures are
/// logged; if no address at all can be listened on, that is an error.
pub fn start(
    addresses: &[ListenAddress],
    hosts: &Hosts,
    telemetry: &Telemetry,
) -> Result<(), String> {
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
        match listen(socket, limit, hosts.clone(), telemetry.clone()) {
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

fn listen(
    listener: TcpListener,
    limit: usize,
    hosts: Hosts,
    telemetry: Telemetry,
) -> io::Result<SocketAddr> {
    let address = listener.local_addr()?;
    let work = move || {
        listener::serve(&listener, limit, &|asked| {
            route(asked, &hosts, &telemetry, Instant::now())
        })
    };
    threads::start("health", SMALL_STACK, Box::new(work))?;
    Ok(address)
}

/// The answer to a request. Health checks are answered at once, from no copy, and whatever host they
/// ask for: they tell nothing.
fn route(asked: &Asked<'_>, hosts: &Hosts, telemetry: &Telemetry, now: Instant) -> PageResponse {
    let heartbeat = &telemetry.heartbeat();
    match &*asked.path {
        "/" | "/ping" | "/healthz" if !heartbeat.is_alive() => {
            let age = heartbeat.age().as_secs();
            let body = format!("stuck: the loop last got on {age} s ago\n");
            PageResponse::text("503 Service Unavailable", body)
        }
        "/" if asked.takes_html && hosts.allow(asked.host) => PageResponse {
            // Relative, since a reverse proxy may have it below a path of its own.
            of_status: Some(("Location", "status")),
            ..PageResponse::text("303 See Other", "see /status\n")
        },
        "/" | "/ping" | "/healthz" => PageResponse::text("200 OK", "ok\n"),
        _ if !hosts.allow(asked.host) => PageResponse::text("421 Misdirected Request", OTHER_HOST),
        path => {
            let status = || telemetry.status();
            let page = routes::answer(path, &telemetry.pages, now, Utc::now(), &status);
            page.unwrap_or_else(|| {
                let paths = "there are /, /ping, /healthz, /status, /status.json and /metrics\n";
                PageResponse::text("404 Not Found", paths)
            })
        }
    }
}

const OTHER_HOST: &str = "\
This program's pages aren't shown for the host that you asked for, so that no website can read them
through your browser. Ask for the address instead, such as http://10.42.7.1:1000/status, or put the
host's name into the setting HEALTH_HOSTS.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::heartbeat::Heartbeat;
    use crate::dns::Name;
    use crate::observe::pages::FRESH;
    use std::time::Duration;

    /// The answer to a program that asks for a path.
    fn route(path: &str, telemetry: &Telemetry, now: Instant) -> PageResponse {
        ask(path, "rancher-route53:1000", false, telemetry, now)
    }

    fn ask(
        path: &str,
        host: &str,
        takes_html: bool,
        telemetry: &Telemetry,
        now: Instant,
    ) -> PageResponse {
        let path = path.into();
        let asked = Asked {
            path,
            host,
            takes_html,
        };
        let hosts = Hosts::parse("status.example.com").unwrap();
        super::route(&asked, &hosts, telemetry, now)
    }

    #[test]
    fn health_checks_are_answered_for_any_host_and_pages_for_known_ones() {
        let zone = Name::parse("example.com").unwrap();
        let telemetry = Telemetry::new(zone, Heartbeat::start());
        let now = Instant::now();
        for (host, of_pages) in [
            ("evil.example:1000", "421 Misdirected Request"),
            ("status.example.com", "200 OK"),
            ("", "200 OK"),
        ] {
            for path in ["/", "/ping", "/healthz"] {
                let answer = ask(path, host, false, &telemetry, now);
                assert_eq!(answer.status, "200 OK", "{path} of {host}");
            }
            for path in ["/status", "/status.json", "/metrics"] {
                let answer = ask(path, host, true, &telemetry, now);
                assert_eq!(answer.status, of_pages, "{path} of {host}");
                let says_what_to_do = answer.body.contains("HEALTH_HOSTS");
                assert_eq!(says_what_to_do, of_pages.starts_with("421"));
            }
        }
    }

    #[test]
    fn a_browser_is_led_to_the_page() {
        let zone = Name::parse("example.com").unwrap();
        let age = Duration::from_secs(100);
        let telemetry = Telemetry::new(zone, Heartbeat::of_age(age));
        let by_name = |host| ask("/", host, true, &telemetry, Instant::now());
        let ask = |path| ask(path, "10.42.7.1", true, &telemetry, Instant::now());
        // What asks for HTML may be a monitor too.
        assert_eq!(ask("/").status, "503 Service Unavailable");
        telemetry.heartbeat().beat();
        let answer = ask("/");
        assert_eq!(answer.status, "303 See Other");
        assert_eq!(answer.of_status, Some(("Location", "status")));
        for path in ["/ping", "/healthz"] {
            assert_eq!(ask(path).status, "200 OK", "{path}");
        }
        // It would be refused there; a monitor that asks by another name wants to see that it is well.
        let elsewhere = by_name("dns.example.com");
        assert_eq!(elsewhere.status, "200 OK");
    }

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
