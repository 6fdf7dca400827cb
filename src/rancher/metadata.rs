//! The client of Rancher's metadata server, which waits for new versions and reads documents.
//!
//! In: URLs of the server. Out: the environment, hosts and services of one version; or why they are
//! [`Unavailable`]. Unavailable never counts as empty: an answer that is incomplete, changes while
//! it is read, or is not plausible, is an error, since an empty list would unpublish everything.

use std::collections::HashMap;
use std::fmt;
use std::io::Read;
use std::time::{Duration, Instant};

use super::model::{self, Container, Environment, Host, Service};
use crate::base::percent::query_string;
use crate::base::recorder::Recorder;
use crate::base::text::{quoted, quoted_start};
use crate::net::http::{Http, Request, Response};
use crate::net::url::Url;

/// Time limit for reading a document, from the request to the last byte.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How late the server may answer a wait: it checks for the end of waits every 5 s.
const TICK: Duration = Duration::from_secs(5);
/// How late the answer to a wait may be beyond [`TICK`].
const SLACK: Duration = Duration::from_secs(3);
/// Largest `/services` or `/hosts` that is read, in bytes. With 10,000 services, `/services` has
/// 68 MB.
const MAX_LIST: u64 = 512 * 1024 * 1024;
/// Largest `/self/stack` that is read, in bytes. It has all services of the stack.
const MAX_STACK: u64 = 64 * 1024 * 1024;
/// Largest `/version` that is read, in bytes.
const MAX_VERSION: u64 = 4 * 1024;
/// Characters of an answer that an error quotes.
const MAX_QUOTED: usize = 40;
/// How often documents are read at most until they all belong to one version. When the server
/// reloads, the version changes twice in quick succession.
const MAX_READINGS: u32 = 5;

/// Name of a wait for another version in the metrics.
const WAIT: &str = "/version?wait";

/// A version of the metadata: an opaque text that changes whenever metadata does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// Reads the answer to `/version`. The error says what the answer is instead of a version.
    pub fn read(json: &str) -> Result<Version, String> {
        let version: String = serde_json::from_str(json).map_err(|_| {
            format!(
                "expected a JSON string, not {}",
                quoted_start(json, MAX_QUOTED)
            )
        })?;
        if version.is_empty() {
            return Err("the version is empty".to_owned());
        }
        Ok(Version(version))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why metadata cannot be used at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unavailable {
    /// The answer to this path is 404: the server has not loaded its data, or does not know this
    /// container yet.
    NotLoaded(&'static str),
    /// `/services` has no service of the stack in which this program runs.
    OwnStackMissing {
        /// Name of that stack.
        own_stack: String,
    },
    /// `/services` has services of that stack, but no container that could be this one.
    OwnContainerMissing {
        /// Name of that stack.
        own_stack: String,
    },
    /// The version changes faster than the documents can be read.
    Unsettled,
    /// Any other failure: the path that was asked for, and the error.
    Failed(&'static str, String),
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unavailable::NotLoaded(path) => {
                write!(
                    f,
                    "{path}: 404, the server has not loaded its data or does not know this \
                     container yet"
                )
            }
            Unavailable::OwnStackMissing { own_stack } => write!(
                f,
                "/services: our own stack {} is not in it, the server has not loaded everything yet",
                quoted(own_stack)
            ),
            Unavailable::OwnContainerMissing { own_stack } => write!(
                f,
                "/services: no service of our own stack {} has a running container in it, the \
                 server has not loaded everything yet",
                quoted(own_stack)
            ),
            Unavailable::Unsettled => f.write_str("it changes faster than it can be read"),
            Unavailable::Failed(path, error) => write!(f, "{path}: {error}"),
        }
    }
}

impl std::error::Error for Unavailable {}

/// The client.
pub struct Metadata {
    http: Http,
    /// URLs of the server, of which one at a time is used. After a request without an answer, the
    /// next one is tried.
    urls: Vec<Url>,
    current: usize,
    recorder: Recorder,
}

impl Metadata {
    /// Makes a client. `urls` must not be empty, and each must end in the API version.
    pub fn new(http: Http, urls: Vec<Url>, recorder: Recorder) -> Metadata {
        Metadata {
            http,
            urls,
            current: 0,
            recorder,
        }
    }

    /// The URL that is used at present.
    pub fn url(&self) -> &Url {
        &self.urls[self.current % self.urls.len()]
    }

    /// All URLs, for messages.
    pub fn places(&self) -> String {
        let places: Vec<String> = self.urls.iter().map(Url::to_string).collect();
        places.join(" or ")
    }

    /// Reads the current version.
    pub fn version(&mut self) -> Result<Version, Unavailable> {
        self.read_version("", TIMEOUT)
    }

    /// Waits until the version differs from `last`, and returns it. After `longest`, rounded down
    /// to whole seconds but at least one, it returns the version as it is.
    pub fn wait(&mut self, last: &Version, longest: Duration) -> Result<Version, Unavailable> {
        let seconds = longest.as_secs().max(1);
        // The value must be without the quotes of JSON. With them, the server answers at once.
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

    /// Reads documents that all belong to one version, and returns that version, which is `version`
    /// or a later one. `read` is called again if the version has changed in the meantime.
    pub fn settled<T>(
        &mut self,
        version: Version,
        read: &mut dyn FnMut(&mut Metadata) -> Result<T, Unavailable>,
    ) -> Result<(Version, T), Unavailable> {
        let mut before = version;
        for _ in 0..MAX_READINGS {
            let documents = read(self);
            // If the version has changed, what was read is of mixed versions, and an error may be
            // caused by that.
            let after = self.version()?;
            if after == before {
                return documents.map(|documents| (after, documents));
            }
            before = after;
        }
        Err(Unavailable::Unsettled)
    }

    /// Reads the environment in which this program runs.
    pub fn environment(&mut self) -> Result<Environment, Unavailable> {
        let stack = self.open("/self/stack", MAX_STACK)?;
        model::read_environment(stack).map_err(failed_at("/self/stack"))
    }

    /// Reads the hosts of the environment, by UUID. There is at least the one on which this program
    /// runs.
    pub fn hosts(&mut self) -> Result<HashMap<String, Host>, Unavailable> {
        let hosts = self.open("/hosts", MAX_LIST)?;
        let hosts = model::read_hosts(hosts).map_err(failed_at("/hosts"))?;
        if hosts.is_empty() {
            let error = "it is empty, but this service runs on a host: the server has not loaded \
                         everything yet";
            return Err(Unavailable::Failed("/hosts", error.to_owned()));
        }
        Ok(hosts)
    }

    /// Reads the services, and hands each to `take` as soon as it is decoded. The stack in which this
    /// program runs has to be among them, with a container that may be its own: which of the stack's
    /// services is its own would take another request. After an error, the
    /// caller must discard what it got: the list was incomplete.
    pub fn services(
        &mut self,
        environment: &Environment,
        take: &mut dyn FnMut(Service<'_>),
    ) -> Result<(), Unavailable> {
        let services = self.open("/services", MAX_LIST)?;
        let (mut has_own_stack, mut has_own_container) = (false, false);
        model::read_services(services, &mut |service| {
            if service.stack_name == environment.own_stack {
                has_own_stack = true;
                has_own_container |= service.containers.iter().any(Container::may_be_alive);
            }
            take(service);
        })
        .map_err(failed_at("/services"))?;
        let own_stack = environment.own_stack.clone();
        match (has_own_stack, has_own_container) {
            (true, true) => Ok(()),
            (true, false) => Err(Unavailable::OwnContainerMissing { own_stack }),
            (false, _) => Err(Unavailable::OwnStackMissing { own_stack }),
        }
    }

    fn read_version(&mut self, query: &str, timeout: Duration) -> Result<Version, Unavailable> {
        let path = "/version";
        let failed = |error: String| Unavailable::Failed(path, error);
        let response = self.get(path, query, timeout)?;
        let text = response
            .text(MAX_VERSION)
            .map_err(|e| failed(e.to_string()))?;
        Version::read(&text).map_err(failed)
    }

    /// Requests a document, which is decoded while it arrives.
    fn open(&mut self, path: &'static str, limit: u64) -> Result<impl Read + use<>, Unavailable> {
        let reader = self.get(path, "", TIMEOUT)?.reader(limit);
        reader.map_err(|error| Unavailable::Failed(path, error.to_string()))
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
        // Reading all documents may take longer than the heartbeat allows between two beats.
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
                self.current += 1; // the next request tries the next URL
                Err(Unavailable::Failed(path, error.to_string()))
            }
        }
    }
}

fn failed_at(path: &'static str) -> impl Fn(String) -> Unavailable {
    move |error| Unavailable::Failed(path, error)
}
