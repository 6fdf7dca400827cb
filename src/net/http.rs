//! The one way to the network: blocking HTTP with every limit set.
//!
//! ureq's own defaults have no timeouts; here a request can't be made without one, redirects
//! aren't followed, and a body is read only up to a limit that the caller names.

use std::fmt;
use std::io::Read;
use std::time::Duration;

use ureq::http;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, TcpConnector};

use crate::net::resolver::{self, Resolver};
use crate::net::tls::{Certificate, Failure, TlsConnector};

/// Connecting takes no longer than this, TLS included; the name has been resolved before.
const CONNECT: Duration = Duration::from_secs(5);
/// A pooled connection idle for longer isn't used again: Route 53 closes them itself after some
/// time, and a request that meets the closing one is lost.
const IDLE: Duration = Duration::from_secs(10);
/// A request that may take less time than this is one that other work waits for: so that it doesn't
/// wait for a name either, it waits for it no longer than this. What comes later is there for the
/// next one.
const SHORT: Duration = Duration::from_secs(5);
/// Largest head of an answer, in bytes.
const LARGEST_HEAD: usize = 32 * 1024;
/// Room that is made for a body before it comes, in bytes: as much as its head announces, this at
/// most, and this if it announces nothing.
const MOST_ROOM: u64 = 128 * 1024;
/// Size of each connection's two buffers, in bytes. ureq's default is 128 KiB each.
const BUFFER: usize = 16 * 1024;

/// A client. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Http {
    agent: ureq::Agent,
    resolver: Resolver,
}

/// Which proxy a client goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// None: what it talks to is next door.
    None,
    /// That of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, unless `NO_PROXY` names the host.
    FromEnvironment,
}

/// A request. `Host`, `Content-Length` and `User-Agent` are added.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, `POST` or `PUT`.
    pub method: &'a str,
    /// Absolute, `http` or `https`, encoded.
    pub url: &'a str,
    /// In addition to those that are added.
    pub headers: &'a [(&'a str, &'a str)],
    /// Empty for none.
    pub body: &'a [u8],
    /// From when the host's addresses are known until the last byte of the answer's body.
    pub timeout: Duration,
}

/// An answer, whatever its status; the body hasn't been read yet.
pub struct Response {
    /// 200, 404 …
    pub status: u16,
    headers: http::HeaderMap,
    body: ureq::Body,
}

/// Why there is no answer, or not a whole one.
#[derive(Debug)]
pub struct HttpError {
    /// What happened, in words.
    pub message: String,
    /// Time was up: the other side may still be at work.
    pub is_timeout: bool,
    /// Nothing was sent, since it isn't known where to: the other side knows nothing of it.
    pub is_unsent: bool,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HttpError {}

impl Http {
    /// A client that trusts the built-in roots and these certificates.
    pub fn new(certificates: &[Certificate], proxy: Proxy) -> Http {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("rancher-route53/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .max_response_header_size(LARGEST_HEAD)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_idle_connections(4)
            .max_idle_connections_per_host(1)
            .max_idle_age(IDLE);
        if proxy == Proxy::None {
            config = config.proxy(None);
        }
        let connector =
            ().chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(TlsConnector::new(certificates));
        let resolver = Resolver::new();
        Http {
            agent: ureq::Agent::with_parts(config.build(), connector, resolver.clone()),
            resolver,
        }
    }

    /// Sends a request and waits for the head of the answer.
    pub fn send(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        self.resolve_ahead(request)?;
        send(&self.agent, request).map_err(|error| HttpError::new(&error))
    }

    /// Finds the host that the request's connection goes to, the proxy's where it goes through one,
    /// so that this takes none of the request's time.
    fn resolve_ahead(&self, request: &Request<'_>) -> Result<(), HttpError> {
        let Ok(uri) = request.url.parse::<http::Uri>() else {
            return Ok(()); // which ureq says in its own words
        };
        let proxy = self.agent.config().proxy();
        let host = match proxy.filter(|proxy| !proxy.is_no_proxy(&uri)) {
            Some(proxy) => Some(proxy.host()),
            None => uri.host(),
        };
        let patience = match request.timeout < SHORT {
            true => SHORT,
            false => resolver::PATIENCE,
        };
        match host.map(|host| self.resolver.addresses(host, patience)) {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(HttpError {
                message: error.to_string(),
                is_timeout: false,
                is_unsent: true,
            }),
        }
    }
}

fn send(agent: &ureq::Agent, request: &Request<'_>) -> Result<Response, ureq::Error> {
    let mut builder = http::Request::builder()
        .method(request.method)
        .uri(request.url);
    for (name, value) in request.headers {
        builder = builder.header(*name, *value);
    }
    let timeout = Some(request.timeout);
    let answer = if request.body.is_empty() && request.method == "GET" {
        let sent = builder.body(())?;
        agent.run(
            agent
                .configure_request(sent)
                .timeout_global(timeout)
                .build(),
        )?
    } else {
        let sent = builder.body(request.body)?;
        agent.run(
            agent
                .configure_request(sent)
                .timeout_global(timeout)
                .build(),
        )?
    };
    let (head, body) = answer.into_parts();
    Ok(Response {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
    })
}

impl Response {
    /// A header's value, if it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as it comes; reading more than `limit` bytes of it is an error.
    pub fn reader(self, limit: u64) -> impl Read + use<> {
        self.body.into_with_config().limit(limit).reader()
    }

    /// The whole body, `limit` bytes at most.
    pub fn text(self, limit: u64) -> Result<String, HttpError> {
        // A page of a listing has 100 kB: with room for it, it isn't moved a dozen times as it comes.
        let announced = self
            .body
            .content_length()
            .unwrap_or(MOST_ROOM)
            .min(MOST_ROOM)
            .min(limit);
        let mut bytes = Vec::with_capacity(announced as usize);
        self.reader(limit)
            .read_to_end(&mut bytes)
            .map_err(|error| HttpError::new(&error.into()))?;
        String::from_utf8(bytes).map_err(|_| HttpError {
            message: "the answer isn't UTF-8".to_owned(),
            is_timeout: false,
            is_unsent: false,
        })
    }
}

impl HttpError {
    fn new(error: &ureq::Error) -> HttpError {
        let is_timeout = match error {
            ureq::Error::Timeout(_) => true,
            ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::TimedOut,
            _ => false,
        };
        let message = match error {
            ureq::Error::Other(error) => error.to_string(),
            ureq::Error::Timeout(what) => format!("time is up ({what})"),
            // A sentence of its own: no `io: ` in front.
            ureq::Error::Io(error)
                if error.get_ref().is_some_and(|inner| inner.is::<Failure>()) =>
            {
                error.to_string()
            }
            other => other.to_string(),
        };
        HttpError {
            message,
            is_timeout,
            is_unsent: false,
        }
    }
}
