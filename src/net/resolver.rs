//! Host → addresses: asks the system's name servers itself, and remembers what they said.
//!
//! Not by the C library: glibc and musl differ in what a lost or refused question for an IPv6
//! address does to the look-up, neither gets an answer that takes 15 s, and both would need a thread
//! that waits. Here a look-up is a few datagrams which whoever needs the name waits for. It has time
//! of its own, before the request's begins. One that wasn't answered in time stays open: the next
//! request for that host finds what has come late.

mod exchange;
mod look_up;
pub mod message;
pub mod system;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver as UreqResolver};
use ureq::unversioned::transport::NextTimeout;

use crate::base::log;
use exchange::Exchange;
use look_up::{LookUp, Outcome};
use system::Resolv;

/// How long a request waits for the host's addresses, before its own time begins.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// If there are older ones, new ones are waited for no longer than this, and then those do.
const PATIENCE_WITH_OLD: Duration = Duration::from_secs(1);
/// For so long, a host is taken to be where it was.
const FRESH: Duration = Duration::from_secs(10);
/// For so long, it is if nobody says where it is now.
const OLD: Duration = Duration::from_secs(3600);
/// A look-up that hasn't been answered for so long begins anew.
const LOST: Duration = Duration::from_secs(120);
/// Pause between two looks at whether another thread has finished its look-up.
const BETWEEN_TRIES: Duration = Duration::from_millis(10);
/// Hosts that are remembered.
const MOST_HOSTS: usize = 16;
/// Addresses that ureq takes.
const MOST_ADDRESSES: usize = 16;
/// What is read of a system's file, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Where the system says what it knows of names.
#[derive(Debug, Clone)]
struct Files {
    hosts: PathBuf,
    resolv: PathBuf,
    /// Where name servers listen.
    port: u16,
}

/// Finds hosts, for one client. Clones share what they remember.
#[derive(Debug, Clone)]
pub struct Resolver {
    files: Files,
    hosts: Arc<Mutex<Vec<Arc<Host>>>>,
}

/// What is remembered of a host. Whoever looks it up holds the lock, and others wait for that.
#[derive(Debug)]
struct Host {
    name: String,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    answer: Option<Answer>,
    /// A look-up that hasn't come to an end.
    open: Option<Open>,
    /// How the last look-up failed, and when.
    failure: Option<(NotResolved, Instant)>,
}

#[derive(Debug)]
struct Open {
    exchange: Exchange,
    since: Instant,
    /// What `/etc/resolv.conf` was.
    resolv: String,
}

#[derive(Debug)]
struct Answer {
    addresses: Vec<IpAddr>,
    /// When it came.
    came: Instant,
    /// It is good until then; after that, it does if there is no other.
    until: Instant,
}

/// Why a look-up brought no addresses.
enum Failure {
    /// That is what the servers say.
    NoSuchHost(NotResolved),
    /// There is no answer; the host may be where it was.
    NobodySays(NotResolved),
}

/// Why a host has no addresses, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotResolved(String);

impl fmt::Display for NotResolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotResolved {}

impl Resolver {
    /// Knows no host yet.
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

    /// The addresses of a host, which may be an address itself. Waits for them no longer than
    /// `patience`, also while another thread looks up the same host.
    pub fn addresses(&self, host: &str, patience: Duration) -> Result<Vec<IpAddr>, NotResolved> {
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(host).parse() {
            return Ok(vec![address]);
        }
        if !message::is_name(host.strip_suffix('.').unwrap_or(host)) {
            return Err(NotResolved(format!("{host:.80?} is no name of a host")));
        }
        let started = Instant::now();
        let host = self.host(host);
        let Some(mut known) = lock_until(&host.known, started + patience) else {
            let seconds = seconds(started);
            return Err(NotResolved(format!(
                "the name of {} wasn't resolved in {seconds} s: it is still being looked up",
                host.name
            )));
        };
        if let Some(answer) = known.answer.as_ref().filter(|a| a.until > Instant::now()) {
            return Ok(answer.addresses.clone());
        }
        // Another one has just waited as long, and in vain.
        if let Some((failure, _)) = known.failure.as_ref().filter(|(_, at)| *at >= started) {
            return Err(failure.clone());
        }
        let result = self.find(&host.name, &mut known, patience);
        known.failure = result.as_ref().err().map(|e| (e.clone(), Instant::now()));
        result
    }

    /// What is remembered of this host; room is made by forgetting the first one.
    fn host(&self, name: &str) -> Arc<Host> {
        let name = name.to_ascii_lowercase();
        let mut hosts = lock(&self.hosts);
        if let Some(host) = hosts.iter().find(|host| host.name == name) {
            return host.clone();
        }
        if hosts.len() >= MOST_HOSTS {
            hosts.remove(0);
        }
        let known = Mutex::default();
        let host = Arc::new(Host { name, known });
        hosts.push(host.clone());
        host
    }

    fn find(
        &self,
        name: &str,
        known: &mut Known,
        patience: Duration,
    ) -> Result<Vec<IpAddr>, NotResolved> {
        let in_file = system::in_hosts(&read(&self.files.hosts), name);
        if !in_file.is_empty() {
            return Ok(known.learn(in_file));
        }
        let is_old = |answer: &&mut Answer| answer.came.elapsed() < OLD;
        let patience = match known.answer.as_mut().filter(is_old) {
            Some(_) => patience.min(PATIENCE_WITH_OLD),
            None => patience,
        };
        let failure = match self.ask(name, known, patience) {
            Ok(addresses) => return Ok(known.learn(addresses)),
            Err(Failure::NoSuchHost(error)) => {
                known.answer = None;
                return Err(error);
            }
            Err(Failure::NobodySays(error)) => error,
        };
        let Some(answer) = known.answer.as_mut().filter(is_old) else {
            return Err(failure);
        };
        log::debug(
            "going to where a host was before",
            &[
                ("error", &failure),
                ("known_for_s", &answer.came.elapsed().as_secs()),
            ],
        );
        answer.until = Instant::now() + FRESH;
        Ok(answer.addresses.clone())
    }

    /// Asks the name servers, or goes on with what was asked before.
    fn ask(
        &self,
        name: &str,
        known: &mut Known,
        patience: Duration,
    ) -> Result<Vec<IpAddr>, Failure> {
        let started = Instant::now();
        // Read each time: a runtime may write another one while the program runs.
        let resolv = read(&self.files.resolv);
        let is_same = |open: &Open| open.since.elapsed() < LOST && open.resolv == resolv;
        let (mut exchange, since) = match known.open.take().filter(is_same) {
            Some(mut open) => {
                open.exchange.look_up.ask_again(started);
                (open.exchange, open.since)
            }
            None => (self.open(name, &resolv)?, started),
        };
        match exchange.run(started + patience) {
            Some(Outcome::Found(addresses)) => Ok(addresses),
            Some(Outcome::NoSuchHost { is_doubtful }) => {
                let error = no_such_host(name, &exchange);
                Err(match is_doubtful {
                    true => Failure::NobodySays(error),
                    false => Failure::NoSuchHost(error),
                })
            }
            Some(Outcome::Refused(word)) => {
                let error = refused(name, &word, &exchange, started);
                Err(Failure::NobodySays(error))
            }
            None => {
                let error = unanswered(name, &exchange, started);
                known.open = Some(Open {
                    exchange,
                    since,
                    resolv,
                });
                Err(Failure::NobodySays(error))
            }
        }
    }

    /// Begins a look-up.
    fn open(&self, name: &str, resolv: &str) -> Result<Exchange, Failure> {
        let resolv = Resolv::read(resolv, self.files.port, number_of_interface);
        let candidates = resolv.candidates(name);
        let servers = resolv.servers;
        let look_up = LookUp::new(candidates, servers.len(), random, Instant::now());
        Exchange::new(look_up, servers).map_err(|error| {
            Failure::NobodySays(NotResolved(format!(
                "the name of {name} can't be looked up: no socket can be opened: {error}"
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
    fn learn(&mut self, addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        let now = Instant::now();
        self.open = None;
        self.answer = Some(Answer {
            addresses: addresses.clone(),
            came: now,
            until: now + FRESH,
        });
        addresses
    }
}

impl UreqResolver for Resolver {
    /// Hands over what was found before the request; looks up what wasn't.
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.host().ok_or(ureq::Error::HostNotFound)?;
        let is_tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let found = self.addresses(host, PATIENCE.min(*timeout.after));
        let found = found.map_err(|error| ureq::Error::Other(error.into()))?;
        let mut addresses = self.empty();
        for address in found.into_iter().take(MOST_ADDRESSES) {
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
    NotResolved(format!(
        "the name of {name} wasn't resolved in {} s: {word} from {}: check the container's DNS \
         (/etc/resolv.conf)",
        seconds(started),
        exchange.named(&[])
    ))
}

fn unanswered(name: &str, exchange: &Exchange, started: Instant) -> NotResolved {
    let silent = exchange.look_up.silent();
    let sent = match &exchange.failure {
        Some(error) => format!(" (nothing could be sent: {error})"),
        None => String::new(),
    };
    NotResolved(format!(
        "the name of {name} wasn't resolved in {} s: no answer from {}{sent}: check the \
         container's DNS (/etc/resolv.conf)",
        seconds(started),
        exchange.named(&silent)
    ))
}

fn seconds(started: Instant) -> u64 {
    started.elapsed().as_secs_f64().round() as u64
}

/// What is in one of the system's files; nothing, if there is none.
fn read(path: &Path) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        // What was read before an error is as good as a file that ends there.
        let _ = file.take(LARGEST_FILE).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn number_of_interface(name: &str) -> Option<u32> {
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
    let path = format!("/sys/class/net/{name}/ifindex");
    is_plain.then(|| read(Path::new(&path)).trim().parse().ok())?
}

/// The number of a question, which nobody can foresee who could send a false answer: the standard
/// library's hash is keyed with the system's randomness.
fn random() -> u16 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) as u16
}

/// The lock, unless another thread holds it until then. The standard library's has no time limit.
fn lock_until<T>(mutex: &Mutex<T>, end: Instant) -> Option<MutexGuard<'_, T>> {
    loop {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() >= end => return None,
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_TRIES),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
