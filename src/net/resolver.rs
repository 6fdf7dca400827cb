//! Name resolution: a host's name goes in, its addresses come out. The resolver asks the system's
//! name servers itself, and caches their answers.
//!
//! It doesn't use the C library. glibc and musl disagree on a look-up whose question for an IPv6
//! address is lost or refused, neither waits for an answer that takes 15 s, and both would need a
//! thread that waits. Here a look-up is a few datagrams, and the caller itself waits for the
//! answers, before the time limit of its request begins. A look-up that isn't answered in time stays
//! open, so that the next request for that host finds an answer that has come late.

mod exchange;
mod look_up;
pub mod message;
#[cfg(test)]
mod samples;
pub mod system;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver as UreqResolver};
use ureq::unversioned::transport::NextTimeout;

use crate::base::brackets::without_brackets;
use crate::base::lock::lock;
use crate::base::log;
use crate::base::random;
use crate::base::text::{quoted_start, system_words};
use crate::net::url::port_of;
use exchange::Exchange;
use look_up::{LookUp, Outcome};
use system::Resolv;

/// Characters of a wrong host name that are shown.
const MAX_QUOTED: usize = 80;
/// How long a request waits for its host's addresses, before its own time limit begins.
pub const MAX_WAIT: Duration = Duration::from_secs(20);
/// How long it waits if addresses that have expired can be used instead.
const MAX_WAIT_IF_STALE: Duration = Duration::from_secs(1);
/// How long cached addresses are used without asking again.
const FRESH_TIME: Duration = Duration::from_secs(10);
/// How long cached addresses may be used if no name server answers.
const STALE_TIME: Duration = Duration::from_secs(3600);
/// After this time, an unanswered look-up is given up, and a new one begins.
const MAX_OPEN_TIME: Duration = Duration::from_secs(120);
/// Pause between two looks at whether another thread has finished its look-up.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Number of hosts in the cache.
const MAX_HOSTS: usize = 16;
/// Number of addresses that fit into ureq's list.
const MAX_ADDRESSES: usize = 16;
/// Most bytes that are read of `/etc/hosts` and `/etc/resolv.conf`.
const MAX_FILE: u64 = 1024 * 1024;

/// The system's files about names, and the port of name servers; tests set others.
#[derive(Debug, Clone)]
struct Files {
    hosts: PathBuf,
    resolv: PathBuf,
    /// The port on which name servers listen.
    port: u16,
}

/// Resolves names and caches the results. Clones share the cache.
#[derive(Debug, Clone)]
pub struct Resolver {
    files: Files,
    hosts: Arc<Mutex<Vec<Arc<Host>>>>,
}

/// The cache entry of a host. The thread that looks the host up holds the lock; others wait for it.
#[derive(Debug)]
struct Host {
    name: String,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    answer: Option<Answer>,
    /// A look-up that was left unanswered.
    open: Option<OpenLookUp>,
    /// How the last look-up failed, and when.
    failure: Option<(NotResolved, Instant)>,
}

#[derive(Debug)]
struct OpenLookUp {
    exchange: Exchange,
    since: Instant,
    /// The text of `/etc/resolv.conf` when the look-up began.
    resolv: String,
}

#[derive(Debug)]
struct Answer {
    addresses: Vec<IpAddr>,
    /// When the answer came.
    came: Instant,
    /// Until then it is used without asking again; afterwards only if no name server answers.
    until: Instant,
}

/// Why a look-up found no addresses.
enum Failure {
    /// The name servers say that there is no such host.
    NoSuchHost(NotResolved),
    /// No name server gave an answer, so cached addresses may still be right.
    NoAnswer(NotResolved),
}

/// Why a host's addresses aren't known, in a sentence for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotResolved(String);

impl fmt::Display for NotResolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotResolved {}

impl Resolver {
    /// A resolver with an empty cache, which reads the system's own files.
    pub fn new() -> Resolver {
        Resolver::with(Files {
            hosts: "/etc/hosts".into(),
            resolv: "/etc/resolv.conf".into(),
            port: 53,
        })
    }

    fn with(files: Files) -> Resolver {
        Resolver {
            files,
            hosts: Arc::default(),
        }
    }

    /// The addresses of a host, which may also be an address itself. Waits for at most `max_wait`,
    /// also while another thread looks up the same host.
    pub fn addresses(&self, host: &str, max_wait: Duration) -> Result<Vec<IpAddr>, NotResolved> {
        if let Ok(address) = without_brackets(host).parse() {
            return Ok(vec![address]);
        }
        if !message::is_name(host.strip_suffix('.').unwrap_or(host)) {
            return Err(NotResolved(format!(
                "{} is no name of a host",
                quoted_start(host, MAX_QUOTED)
            )));
        }
        let started = Instant::now();
        let host = self.host(host);
        let Some(mut known) = lock_until(&host.known, started + max_wait) else {
            let seconds = seconds(started);
            return Err(NotResolved(format!(
                "the name of {} wasn't resolved in {seconds} s: it is still being looked up",
                host.name
            )));
        };
        if let Some(answer) = known.answer.as_ref().filter(|a| a.until > Instant::now()) {
            return Ok(answer.addresses.clone());
        }
        // Another thread's look-up of this host failed while this one waited for the lock.
        if let Some((failure, _)) = known.failure.as_ref().filter(|(_, at)| *at >= started) {
            return Err(failure.clone());
        }
        let result = self.find(&host.name, &mut known, max_wait);
        known.failure = result.as_ref().err().map(|e| (e.clone(), Instant::now()));
        result
    }

    /// The cache entry of a host. If the cache is full, the oldest entry is dropped.
    fn host(&self, name: &str) -> Arc<Host> {
        let name = name.to_ascii_lowercase();
        let mut hosts = lock(&self.hosts);
        if let Some(host) = hosts.iter().find(|host| host.name == name) {
            return host.clone();
        }
        if hosts.len() >= MAX_HOSTS {
            hosts.remove(0);
        }
        let known = Mutex::default();
        let host = Arc::new(Host { name, known });
        hosts.push(host.clone());
        host
    }

    /// Looks a host up in `/etc/hosts`, by the name servers, and last in the cache.
    fn find(
        &self,
        name: &str,
        known: &mut Known,
        max_wait: Duration,
    ) -> Result<Vec<IpAddr>, NotResolved> {
        let in_file = system::in_hosts(&read(&self.files.hosts), name);
        if !in_file.is_empty() {
            return Ok(known.learn(in_file));
        }
        let is_stale = |answer: &&mut Answer| answer.came.elapsed() < STALE_TIME;
        let max_wait = match known.answer.as_mut().filter(is_stale) {
            Some(_) => max_wait.min(MAX_WAIT_IF_STALE),
            None => max_wait,
        };
        let failure = match self.ask(name, known, max_wait) {
            Ok(addresses) => return Ok(known.learn(addresses)),
            Err(Failure::NoSuchHost(error)) => {
                known.answer = None;
                return Err(error);
            }
            Err(Failure::NoAnswer(error)) => error,
        };
        let Some(answer) = known.answer.as_mut().filter(is_stale) else {
            return Err(failure);
        };
        log::debug(
            "going to where a host was before",
            &[
                ("error", &failure),
                ("known_for_s", &answer.came.elapsed().as_secs()),
            ],
        );
        answer.until = Instant::now() + FRESH_TIME;
        Ok(answer.addresses.clone())
    }

    /// Asks the name servers, or continues a look-up that was left open.
    fn ask(
        &self,
        name: &str,
        known: &mut Known,
        max_wait: Duration,
    ) -> Result<Vec<IpAddr>, Failure> {
        let started = Instant::now();
        // Read each time, because a container runtime may rewrite the file while the program runs.
        let resolv = read(&self.files.resolv);
        let is_same =
            |open: &OpenLookUp| open.since.elapsed() < MAX_OPEN_TIME && open.resolv == resolv;
        let (mut exchange, since) = match known.open.take().filter(is_same) {
            Some(mut open) => {
                open.exchange.look_up.ask_again(started);
                (open.exchange, open.since)
            }
            None => (self.begin(name, &resolv)?, started),
        };
        match exchange.run(started + max_wait) {
            Some(Outcome::Found(addresses)) => Ok(addresses),
            Some(Outcome::NoSuchHost { is_doubtful }) => {
                let error = no_such_host(name, &exchange);
                Err(match is_doubtful {
                    true => Failure::NoAnswer(error),
                    false => Failure::NoSuchHost(error),
                })
            }
            Some(Outcome::Refused(word)) => {
                let error = refused(name, &word, &exchange, started);
                Err(Failure::NoAnswer(error))
            }
            None => {
                let error = unanswered(name, &exchange, started);
                known.open = Some(OpenLookUp {
                    exchange,
                    since,
                    resolv,
                });
                Err(Failure::NoAnswer(error))
            }
        }
    }

    /// Begins a look-up.
    fn begin(&self, name: &str, resolv: &str) -> Result<Exchange, Failure> {
        let resolv = Resolv::read(resolv, self.files.port, interface_index);
        let candidates = resolv.candidates(name);
        let servers = resolv.servers;
        let look_up = LookUp::new(candidates, servers.len(), random_id, Instant::now());
        Exchange::new(look_up, servers).map_err(|error| {
            Failure::NoAnswer(NotResolved(format!(
                "the name of {name} can't be looked up: no socket can be opened: {}",
                system_words(&error)
            )))
        })
    }
}

impl Default for Resolver {
    fn default() -> Resolver {
        Resolver::new()
    }
}

impl Known {
    /// Caches addresses, which end the look-up.
    fn learn(&mut self, addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        let now = Instant::now();
        self.open = None;
        self.answer = Some(Answer {
            addresses: addresses.clone(),
            came: now,
            until: now + FRESH_TIME,
        });
        addresses
    }
}

impl UreqResolver for Resolver {
    /// Resolves the host of a URL for ureq. Usually the addresses are in the cache, because they were
    /// looked up before the request.
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let port = port_of(uri);
        let found = self.addresses(host, MAX_WAIT.min(*timeout.after));
        let found = found.map_err(|error| ureq::Error::Other(error.into()))?;
        let mut addresses = self.empty();
        for address in found.into_iter().take(MAX_ADDRESSES) {
            addresses.push(SocketAddr::new(address, port));
        }
        Ok(addresses)
    }
}

fn no_such_host(name: &str, exchange: &Exchange) -> NotResolved {
    NotResolved(format!(
        "the name {name} is unknown to {}: check the name, and the container's DNS \
         (/etc/resolv.conf)",
        exchange.named(&[])
    ))
}

fn refused(name: &str, word: &str, exchange: &Exchange, started: Instant) -> NotResolved {
    let why = format!("{word} from {}", exchange.named(&[]));
    not_resolved_in_time(name, &why, started)
}

fn unanswered(name: &str, exchange: &Exchange, started: Instant) -> NotResolved {
    let sent = match &exchange.failure {
        Some(error) => format!(" (nothing could be sent: {error})"),
        None => String::new(),
    };
    let silent = exchange.named(&exchange.look_up.silent());
    not_resolved_in_time(name, &format!("no answer from {silent}{sent}"), started)
}

fn not_resolved_in_time(name: &str, why: &str, started: Instant) -> NotResolved {
    NotResolved(format!(
        "the name of {name} wasn't resolved in {} s: {why}: check the container's DNS \
         (/etc/resolv.conf)",
        seconds(started)
    ))
}

fn seconds(started: Instant) -> u64 {
    started.elapsed().as_secs_f64().round() as u64
}

/// The text of one of the system's files; empty if it can't be opened.
fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        // After an error, the text that was read before it is used.
        let _ = file.take(MAX_FILE).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The index of a network interface, as Linux shows it in `/sys`.
fn interface_index(name: &str) -> Option<u32> {
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
    let path = format!("/sys/class/net/{name}/ifindex");
    is_plain.then(|| read(Path::new(&path)).trim().parse().ok())?
}

/// A random number for a question, so that a forged answer can't have the right one except by luck.
fn random_id() -> u16 {
    random::bits() as u16
}

/// The lock, unless another thread holds it until then. The standard library's has no time limit.
fn lock_until<T>(mutex: &Mutex<T>, end: Instant) -> Option<MutexGuard<'_, T>> {
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(POLL_INTERVAL),
        }
    }
}
