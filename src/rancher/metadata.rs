//! The metadata client: waits for a new version and takes snapshots.
//!
//! Unavailable is not empty: whatever isn't a whole, settled, plausible answer is an error.

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::time::{Duration, Instant};

use super::model::{self, Environment, Host, Service};
use crate::base::percent::query_string;
use crate::base::recorder::Recorder;
use crate::net::http::{Http, Request, Response};
use crate::net::url::Url;

/// A document has to be there, to its last byte, within this time.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The server notices the end of a wait on a tick of 5 s, so it answers that much late.
const TICK: Duration = Duration::from_secs(5);
/// What an answer may be late beyond that.
const SLACK: Duration = Duration::from_secs(3);
/// Largest `/services` and `/hosts`, in bytes: that of 10,000 services has 68 MB.
const LARGEST_LIST: u64 = 512 * 1024 * 1024;
/// Largest `/self/stack`: it holds the stack's services.
const LARGEST_STACK: u64 = 64 * 1024 * 1024;
/// Largest `/version`, in bytes.
const LARGEST_VERSION: u64 = 4 * 1024;
/// How often documents are read again because metadata has changed meanwhile. A reload of the
/// server bumps the version twice in quick succession.
const MAX_READINGS: u32 = 5;

/// What metrics call a wait for another version.
const WAIT: &str = "/version?wait";

/// A version of the metadata: a text without meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// Reads the answer to `/version`; the error says what it is instead.
    pub fn read(json: &str) -> Result<Version, String> {
        let version: String = serde_json::from_str(json)
            .map_err(|_| format!("expected a JSON string, not {json:.40?}"))?;
        match version.is_empty() {
            true => Err("the version is empty".to_owned()),
            false => Ok(Version(version)),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why metadata can't be used at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unavailable {
    /// 404: the server hasn't loaded its data, or doesn't know this container (yet).
    NotLoaded(&'static str),
    /// `/services` is there but this service's own stack isn't in it.
    WithoutUs {
        /// That stack's name.
        own_stack: String,
    },
    /// It changes faster than it can be read.
    Unsettled,
    /// Anything else: what was asked for, and what came.
    Failed(&'static str, String),
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unavailable::NotLoaded(path) => {
                write!(
                    f,
                    "{path}: 404, the server has not loaded its data or does not know us yet"
                )
            }
            Unavailable::WithoutUs { own_stack } => write!(
                f,
                "/services: our own stack {own_stack:?} is not in it, the server has not loaded \
                 everything yet"
            ),
            Unavailable::Unsettled => f.write_str("it changes faster than it can be read"),
            Unavailable::Failed(path, error) => write!(f, "{path}: {error}"),
        }
    }
}

impl std::error::Error for Unavailable {}

/// A client of the metadata server.
pub struct Metadata {
    http: Http,
    /// Where it may be; the first one that answers is kept until it doesn't.
    urls: Vec<Url>,
    current: usize,
    recorder: Recorder,
}

impl Metadata {
    /// A client. `urls` are not empty and end in the API version.
    pub fn new(http: Http, urls: Vec<Url>, recorder: Recorder) -> Metadata {
        Metadata {
            http,
            urls,
            current: 0,
            recorder,
        }
    }

    /// Where metadata is at present, or is tried next.
    pub fn url(&self) -> &Url {
        &self.urls[self.current % self.urls.len()]
    }

    /// All places where it may be.
    pub fn places(&self) -> String {
        let places: Vec<String> = self.urls.iter().map(Url::to_string).collect();
        places.join(" or ")
    }

    /// The version there is now.
    pub fn version(&mut self) -> Result<Version, Unavailable> {
        self.read_version("", TIMEOUT)
    }

    /// Waits until the version is another than `last`, `longest` at most (whole seconds, at
    /// least one), and returns it.
    pub fn wait(&mut self, last: &Version, longest: Duration) -> Result<Version, Unavailable> {
        let seconds = longest.as_secs().max(1);
        // The value is the bare text: quoted or empty, the server would answer at once.
        let query = query_string(&[
            ("wait", "true"),
            ("value", &last.0),
            ("maxWait", &seconds.to_string()),
        ]);
        self.read_version(
            &format!("?{query}"),
            Duration::from_secs(seconds) + TICK + SLACK,
        )
    }

    /// Reads several documents that belong to one version: the one returned with them, which is
    /// `version` or a later one. `read` is called again if metadata has changed meanwhile.
    pub fn settled<T>(
        &mut self,
        version: Version,
        read: &mut dyn FnMut(&mut Metadata) -> Result<T, Unavailable>,
    ) -> Result<(Version, T), Unavailable> {
        let mut before = version;
        for _ in 0..MAX_READINGS {
            let documents = read(self);
            // If it has changed meanwhile, neither what was read nor an error says much.
            let after = self.version()?;
            if after == before {
                return documents.map(|documents| (after, documents));
            }
            before = after;
        }
        Err(Unavailable::Unsettled)
    }

    /// The environment that this service runs in.
    pub fn environment(&mut self) -> Result<Environment, Unavailable> {
        let stack = self.open("/self/stack", LARGEST_STACK)?;
        model::read_environment(stack).map_err(garbled("/self/stack"))
    }

    /// The environment's hosts, by UUID. There is at least one: this service runs on it.
    pub fn hosts(&mut self) -> Result<HashMap<String, Host>, Unavailable> {
        let hosts = self.open("/hosts", LARGEST_LIST)?;
        let hosts = model::read_hosts(hosts).map_err(garbled("/hosts"))?;
        if hosts.is_empty() {
            let error = "it is empty, but this service runs on a host: the server has not loaded \
                         everything yet";
            return Err(Unavailable::Failed("/hosts", error.to_owned()));
        }
        Ok(hosts)
    }

    /// Hands over each service as it is decoded. What was handed over is void if an error follows:
    /// such as that our own stack wasn't among them.
    pub fn services(
        &mut self,
        environment: &Environment,
        take: &mut dyn FnMut(Service<'_>),
    ) -> Result<(), Unavailable> {
        let services = self.open("/services", LARGEST_LIST)?;
        let mut is_with_us = false;
        model::read_services(services, &mut |service| {
            is_with_us |= service.stack_name == environment.own_stack;
            take(service);
        })
        .map_err(garbled("/services"))?;
        if !is_with_us {
            return Err(Unavailable::WithoutUs {
                own_stack: environment.own_stack.clone(),
            });
        }
        Ok(())
    }

    fn read_version(&mut self, query: &str, timeout: Duration) -> Result<Version, Unavailable> {
        let path = "/version";
        let failed = |error: String| Unavailable::Failed(path, error);
        let response = self.get(path, query, timeout)?;
        let text = response
            .text(LARGEST_VERSION)
            .map_err(|e| failed(e.to_string()))?;
        Version::read(&text).map_err(failed)
    }

    /// A document, to be decoded as it comes.
    fn open(&mut self, path: &'static str, limit: u64) -> Result<impl Read + use<>, Unavailable> {
        Ok(self.get(path, "", TIMEOUT)?.reader(limit))
    }

    fn get(
        &mut self,
        path: &'static str,
        query: &str,
        timeout: Duration,
    ) -> Result<Response, Unavailable> {
        let url = format!("{}{path}{query}", self.url());
        let headers = [("accept", "application/json")];
        let request = Request {
            method: "GET",
            url: &url,
            headers: &headers,
            body: b"",
            timeout,
        };
        // A snapshot takes several requests, each of which may take its time.
        self.recorder.heartbeat.beat();
        let started = Instant::now();
        let sent = self.http.send(&request);
        let name = if query.is_empty() { path } else { WAIT };
        let status = sent.as_ref().ok().map(|response| response.status);
        self.recorder.http_call("metadata", name, status, started);
        match sent {
            Ok(response) if response.status == 200 => Ok(response),
            Ok(response) if response.status == 404 => Err(Unavailable::NotLoaded(path)),
            Ok(response) => Err(Unavailable::Failed(
                path,
                format!("status {}", response.status),
            )),
            Err(error) => {
                self.current += 1; // perhaps it is at the other place
                Err(Unavailable::Failed(path, error.to_string()))
            }
        }
    }
}

fn garbled(path: &'static str) -> impl Fn(String) -> Unavailable {
    move |error| Unavailable::Failed(path, error)
}
