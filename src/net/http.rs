//! The one way to the network: blocking HTTP with every limit set.
//!
//! ureq's own defaults have no timeouts; here a request can't be made without one, redirects
//! aren't followed, and a body is read only up to a limit that the caller names.

use std::fmt;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::http;
use ureq::unversioned::transport::{Connector, TcpConnector};

use crate::net::proxy::connector::{ProxyConnector, ProxyError};
use crate::net::proxy::{Proxies, Proxy};
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
/// What we call ourselves.
pub const USER_AGENT: &str = concat!("rancher-route53/", env!("CARGO_PKG_VERSION"));

/// A client. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Http {
    agent: ureq::Agent,
    resolver: Resolver,
    proxies: Arc<Proxies>,
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
    /// Through which it came.
    proxy: Option<Proxy>,
    /// The proxy could read the request, so it may quote its password in the answer.
    is_in_the_clear: bool,
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
    /// It is about a proxy, which the message names, and not about the server.
    pub is_of_proxy: bool,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HttpError {}

impl Http {
    /// A client that trusts the built-in roots and these certificates, and uses these proxies,
    /// whatever the environment says.
    pub fn new(certificates: &[Certificate], proxies: Proxies) -> Http {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(USER_AGENT)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .max_response_header_size(LARGEST_HEAD)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_idle_connections(4)
            .max_idle_connections_per_host(1)
            .max_idle_age(IDLE);
        let tls = TlsConnector::new(certificates);
        let connector =
            ().chain(ProxyConnector::new(tls.clone()))
                .chain(TcpConnector::default())
                .chain(tls);
        let resolver = Resolver::new();
        Http {
            agent: ureq::Agent::with_parts(config.build(), connector, resolver.clone()),
            resolver,
            proxies: Arc::new(proxies),
        }
    }

    /// Sends a request and waits for the head of the answer.
    pub fn send(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let uri: http::Uri = request
            .url
            .parse()
            .map_err(|error: http::uri::InvalidUri| {
                HttpError::new(&ureq::Error::BadUri(error.to_string()), None)
            })?;
        // Chosen before anything else: where there is one, it is its host that is resolved and
        // connected to.
        let proxy = self.proxies.for_uri(&uri);
        self.resolve_ahead(request, &uri, proxy)?;
        let response = send(&self.agent, request, &uri, proxy)
            .map_err(|error| HttpError::new(&error, proxy))?;
        // Within a tunnel all answers are the target's.
        let in_the_clear = proxy.filter(|_| uri.scheme_str() == Some("http"));
        let own_answer = in_the_clear.and_then(|proxy| {
            let target = uri.authority()?.as_str();
            proxy.own_answer(target, response.status, &response.headers)
        });
        match own_answer {
            Some(message) => Err(HttpError {
                message,
                is_timeout: false,
                is_unsent: false,
                is_of_proxy: true,
            }),
            None => Ok(response),
        }
    }

    /// Finds the addresses of the host that the request connects to, so that this takes none of the
    /// request's time.
    fn resolve_ahead(
        &self,
        request: &Request<'_>,
        uri: &http::Uri,
        proxy: Option<&Proxy>,
    ) -> Result<(), HttpError> {
        let host = proxy.map(Proxy::host).or(uri.host());
        let patience = match request.timeout < SHORT {
            true => SHORT,
            false => resolver::PATIENCE,
        };
        match host.map(|host| self.resolver.addresses(host, patience)) {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(HttpError {
                message: match proxy {
                    Some(proxy) => proxy.unreachable(&error.to_string()),
                    None => error.to_string(),
                },
                is_timeout: false,
                is_unsent: true,
                is_of_proxy: proxy.is_some(),
            }),
        }
    }
}

fn send(
    agent: &ureq::Agent,
    request: &Request<'_>,
    uri: &http::Uri,
    proxy: Option<&Proxy>,
) -> Result<Response, ureq::Error> {
    let mut builder = http::Request::builder().method(request.method).uri(uri);
    for (name, value) in request.headers {
        builder = builder.header(*name, *value);
    }
    let timeout = Some(request.timeout);
    let handle = proxy.map(Proxy::handle);
    let answer = if request.body.is_empty() && request.method == "GET" {
        let sent = builder.body(())?;
        agent.run(
            agent
                .configure_request(sent)
                .timeout_global(timeout)
                .proxy(handle)
                .build(),
        )?
    } else {
        let sent = builder.body(request.body)?;
        agent.run(
            agent
                .configure_request(sent)
                .timeout_global(timeout)
                .proxy(handle)
                .build(),
        )?
    };
    let (head, body) = answer.into_parts();
    Ok(Response {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
        proxy: proxy.cloned(),
        is_in_the_clear: uri.scheme_str() == Some("http"),
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
        let (status, is_in_the_clear) = (self.status, self.is_in_the_clear);
        let proxy = self.proxy.clone();
        self.reader(limit)
            .read_to_end(&mut bytes)
            .map_err(|error| HttpError::new(&error.into(), proxy.as_ref()))?;
        let text = String::from_utf8(bytes).map_err(|_| HttpError {
            message: "the answer isn't UTF-8".to_owned(),
            is_timeout: false,
            is_unsent: false,
            is_of_proxy: false,
        })?;
        // What an error says is shown, and may be what a proxy says that quotes its password.
        Ok(match proxy {
            Some(proxy) if is_in_the_clear && status >= 400 => proxy.redact(&text),
            _ => text,
        })
    }
}

impl HttpError {
    fn new(error: &ureq::Error, proxy: Option<&Proxy>) -> HttpError {
        let of_proxy = match (error, proxy) {
            (ureq::Error::Other(other), Some(proxy)) => {
                other.downcast_ref().map(|error| (proxy, error))
            }
            _ => None,
        };
        let message = match (of_proxy, proxy) {
            (Some((proxy, error)), _) => proxy.explain(error, in_words),
            (None, Some(proxy)) => format!("through the proxy {proxy}: {}", in_words(error)),
            (None, None) => in_words(error),
        };
        HttpError {
            message,
            is_timeout: match of_proxy {
                Some((_, ProxyError::Unreachable(error))) => is_timeout(error),
                Some((_, error)) => matches!(error, ProxyError::Silent),
                None => is_timeout(error),
            },
            is_unsent: false,
            is_of_proxy: of_proxy.is_some(),
        }
    }
}

fn in_words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Other(error) => error.to_string(),
        // A sentence of its own: without ureq's `io: ` before it.
        ureq::Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<Failure>()) => {
            error.to_string()
        }
        ureq::Error::Timeout(what) => format!("time is up ({what})"),
        other => other.to_string(),
    }
}

fn is_timeout(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Timeout(_) => true,
        ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::TimedOut,
        _ => false,
    }
}
