//! What `check` says of health checks: whether the running service answers them, or could listen.

use std::time::Duration;

use crate::config::Config;
use crate::net::http::{Http, Request};
use crate::net::proxy::Proxies;
use crate::net::tls::Trust;
use crate::observe::server::ListenAddress;

/// Time limit of a health check on this machine.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// Largest answer to a health check that is read, in bytes.
const MAX_PING_ANSWER: u64 = 1024;

/// Checks that each address of `HEALTH_ADDRESS` is free, or is answered by the running service.
pub fn health(config: &Config) -> Result<String, String> {
    let http = Http::new(&Trust::default(), Proxies::default());
    let mut free = Vec::new();
    let mut answering = Vec::new();
    let mut wrong = Vec::new();
    for address in &config.health {
        match ping(&http, *address) {
            Some(Ping::Alive) => answering.push(address.to_string()),
            Some(Ping::Stuck(why)) => wrong.push(format!(
                "{address}: the service is {why}; restart it, and look what its log says last"
            )),
            None => match address.bind() {
                Ok(_) => free.push(address.to_string()),
                Err(error) => {
                    wrong.push(format!("{address}: {}", address.explain_bind_error(&error)))
                }
            },
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    let words = [
        (free, "can be listened on"),
        (answering, "answered by the running service"),
    ];
    let words: Vec<String> = words
        .iter()
        .filter(|(addresses, _)| !addresses.is_empty())
        .map(|(addresses, words)| format!("{} {words}", addresses.join(", ")))
        .collect();
    Ok(words.join("; "))
}

/// The answer of the running service to a health check.
enum Ping {
    Alive,
    /// The main loop is stuck; the text is the service's own.
    Stuck(String),
}

/// Sends a health check to an address. `None` if there is no answer, or another program's.
fn ping(http: &Http, address: ListenAddress) -> Option<Ping> {
    let address = address.on_this_machine();
    if address.port() == 0 {
        return None; // the system would choose a free one
    }
    let answer = http.send(&Request {
        method: "GET",
        url: &format!("http://{address}/ping"),
        headers: &[],
        body: &[],
        timeout: PING_TIMEOUT,
    });
    let answer = answer.ok()?;
    let status = answer.status;
    let body = answer.text(MAX_PING_ANSWER).ok()?;
    match status {
        200 if body == "ok\n" => Some(Ping::Alive),
        503 if body.starts_with("stuck: ") => Some(Ping::Stuck(body.trim_end().to_owned())),
        _ => None,
    }
}
