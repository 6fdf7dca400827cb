//! The HTTP client of the whole program, blocking and with every limit set.
//!
//! ureq has no timeouts by default. Here each request has one, redirects aren't followed, and a body
//! is read only up to a limit that the caller gives.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::unversioned::transport::{Connector, TcpConnector};
use ureq::{AsSendBody, http};

use crate::base::text::system_words;
use crate::net::proxy::connector::{ProxyConnector, ProxyError};
use crate::net::proxy::{Proxies, Proxy};
use crate::net::resolver::{self, Resolver};
use crate::net::tls::{Failure, TlsConnector, Trust};

/// Time limit of connecting, including TLS. The host's name has been resolved before.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an idle connection is kept for another request. Route 53 closes idle connections after
/// some time, and a request that is sent just then is lost.
const MAX_IDLE: Duration = Duration::from_secs(10);
/// Time limit of resolving the host's name for a request whose own timeout is shorter than this:
/// other work waits for such requests, so they can't wait long for a name. An answer that comes
/// later is kept for the next request.
const SHORT_RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest head of an answer, in bytes.
const MAX_HEAD: usize = 32 * 1024;
/// Most bytes that are allocated for a body before it comes. Its `Content-Length` may be lower; a
/// body without one gets this.
const MAX_PREALLOCATED: u64 = 128 * 1024;
/// Size of each of a connection's two buffers, in bytes. ureq's default is 128 KiB.
const BUFFER_SIZE: usize = 16 * 1024;
/// The value of `User-Agent` in all requests.
pub const USER_AGENT: &str = concat!("rancher-route53/", env!("CARGO_PKG_VERSION"));

/// An HTTP client. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Http {
    agent: ureq::Agent,
    resolver: Resolver,
    proxies: Arc<Proxies>,
}

/// A request. The client adds `Host`, `Content-Length` and `User-Agent`.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The method: `GET`, `POST` or `PUT`.
    pub method: &'a str,
    /// An absolute `http` or `https` URL, percent-encoded.
    pub url: &'a str,
    /// Headers besides those that the client adds.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body; empty for none.
    pub body: &'a [u8],
    /// Time limit, from when the host's addresses are known to the last byte of the answer.
    pub timeout: Duration,
}

/// An answer with any status. Its body hasn't been read yet.
pub struct Response {
    /// The status code, such as 404.
    pub status: u16,
    headers: http::HeaderMap,
    body: ureq::Body,
    /// The proxy that it came through.
    proxy: Option<Proxy>,
}

/// Why there is no complete answer.
#[derive(Debug)]
pub struct HttpError {
    /// What happened, in words for the operator.
    pub message: String,
    /// The time limit was reached. The server may still handle the request.
    pub is_timeout: bool,
    /// Nothing was sent, because the host's addresses aren't known.
    pub is_unsent: bool,
    /// The message says whose fault it is and what to do: the proxy's, or one of TLS.
    pub is_explained: bool,
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HttpError {}

impl HttpError {
    /// The message, and what to do, unless it says that itself. `settings` are those that say how the
    /// server is reached.
    pub fn with_hint(&self, settings: &str) -> String {
        let message = &self.message;
        match (self.is_explained, self.is_unsent) {
            (true, _) => message.clone(),
            // It says what to check of the name.
            (false, true) => format!("{message}, or {settings}"),
            (false, false) => with_network_hint(message, settings),
        }
    }
}

/// The message of a failure that may be one of the network or of these settings.
pub fn with_network_hint(message: &str, settings: &str) -> String {
    format!("{message} – check the network, {settings}")
}

impl Http {
    /// A client that trusts the servers that this trust names, and uses these proxies. What
    /// ureq finds in the environment by itself is not used.
    ///
    /// Clones share connections, so one client must not be used for servers that are to be trusted in
    /// different ways, even if these are at the same host.
    pub fn new(trust: &Trust, proxies: Proxies) -> Http {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(USER_AGENT)
            .proxy(None)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .max_response_header_size(MAX_HEAD)
            .input_buffer_size(BUFFER_SIZE)
            .output_buffer_size(BUFFER_SIZE)
            .max_idle_connections(4)
            .max_idle_connections_per_host(1)
            .max_idle_age(MAX_IDLE);
        let to_proxies = TlsConnector::new(proxies.trust(trust));
        let connector =
            ().chain(ProxyConnector::new(to_proxies))
                .chain(TcpConnector::default())
                .chain(TlsConnector::new(trust.clone()));
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
        // The proxy is chosen first, because its host is then the one to resolve and connect to.
        let proxy = self.proxies.for_uri(&uri);
        self.resolve_ahead(request, &uri, proxy)?;
        let response = send(&self.agent, request, &uri, proxy)
            .map_err(|error| HttpError::new(&error, proxy))?;
        // An answer of the proxy itself can only come without a tunnel.
        let without_tunnel = proxy.filter(|_| uri.scheme_str() == Some("http"));
        let own_answer = without_tunnel.and_then(|proxy| {
            let target = uri.authority()?.as_str();
            proxy.own_answer(target, response.status, &response.headers)
        });
        match own_answer {
            Some(message) => Err(HttpError {
                message,
                is_timeout: false,
                is_unsent: false,
                is_explained: true,
            }),
            None => Ok(response),
        }
    }

    /// Resolves the name of the host that the request connects to. This happens beforehand, because
    /// it must not use up the request's own time.
    fn resolve_ahead(
        &self,
        request: &Request<'_>,
        uri: &http::Uri,
        proxy: Option<&Proxy>,
    ) -> Result<(), HttpError> {
        let host = proxy.map(Proxy::host).or(uri.host());
        let max_wait = if request.timeout < SHORT_RESOLVE_TIMEOUT {
            SHORT_RESOLVE_TIMEOUT
        } else {
            resolver::MAX_WAIT
        };
        match host.map(|host| self.resolver.addresses(host, max_wait)) {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(HttpError {
                message: match proxy {
                    Some(proxy) => proxy.unreachable(&error.to_string()),
                    None => error.to_string(),
                },
                is_timeout: false,
                is_unsent: true,
                is_explained: proxy.is_some(),
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
    let answer = if request.body.is_empty() && request.method == "GET" {
        run(agent, builder.body(())?, request.timeout, proxy)?
    } else {
        run(agent, builder.body(request.body)?, request.timeout, proxy)?
    };
    let (head, body) = answer.into_parts();
    Ok(Response {
        status: head.status.as_u16(),
        headers: head.headers,
        body,
        proxy: proxy.cloned(),
    })
}

fn run(
    agent: &ureq::Agent,
    request: http::Request<impl AsSendBody>,
    timeout: Duration,
    proxy: Option<&Proxy>,
) -> Result<http::Response<ureq::Body>, ureq::Error> {
    let request = agent
        .configure_request(request)
        .timeout_global(Some(timeout))
        .proxy(proxy.map(Proxy::handle));
    agent.run(request.build())
}

impl Response {
    /// The value of a header, if the header is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A reader of the body while it comes. Reading more than `limit` bytes is an error; a body whose
    /// header says that it has more isn't read at all.
    pub fn reader(self, limit: u64) -> Result<impl Read + use<>, HttpError> {
        if self
            .body
            .content_length()
            .is_some_and(|length| length > limit)
        {
            let error = ureq::Error::BodyExceedsLimit(limit);
            return Err(HttpError::new(&error, self.proxy.as_ref()));
        }
        Ok(self.body.into_with_config().limit(limit).reader())
    }

    /// The whole body as text. A body of more than `limit` bytes is an error.
    pub fn text(self, limit: u64) -> Result<String, HttpError> {
        // A page of a listing has 100 kB. Allocated at once, it isn't copied again and again as it
        // grows.
        let capacity = self
            .body
            .content_length()
            .unwrap_or(MAX_PREALLOCATED)
            .min(MAX_PREALLOCATED)
            .min(limit);
        let mut bytes = Vec::with_capacity(capacity as usize);
        let proxy = self.proxy.clone();
        self.reader(limit)?
            .read_to_end(&mut bytes)
            .map_err(|error| HttpError::new(&error.into(), proxy.as_ref()))?;
        String::from_utf8(bytes).map_err(|_| HttpError {
            message: "the answer isn't UTF-8".to_owned(),
            is_timeout: false,
            is_unsent: false,
            is_explained: false,
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
            is_explained: of_proxy.is_some() || is_of_tls(error),
        }
    }
}

fn in_words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Other(error) => error.to_string(),
        ureq::Error::Io(error)
            if error.kind() == ErrorKind::UnexpectedEof && !is_failure(error) =>
        {
            "the connection was closed before the answer was whole".to_owned()
        }
        ureq::Error::Protocol(error) => {
            let words = error.to_string();
            // Whatever doesn't begin with `HTTP/1.`, such as what a port for https:// answers.
            match words.to_ascii_lowercase().contains("http version") {
                true => {
                    "what answers isn't HTTP (the URL may have to begin with https://, or have \
                         another port)"
                        .to_owned()
                }
                false => format!("the answer can't be read as HTTP: {words}"),
            }
        }
        // Without the `io: ` that ureq puts before it.
        ureq::Error::Io(error) => system_words(error),
        ureq::Error::Timeout(what) => format!("time is up ({what})"),
        other => other.to_string(),
    }
}

/// Whether it is a failure of TLS, whose words are a whole sentence with what to do.
fn is_of_tls(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(error) if is_failure(error))
}

fn is_failure(error: &std::io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Failure>())
}

fn is_timeout(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Timeout(_) => true,
        ureq::Error::Io(error) => error.kind() == std::io::ErrorKind::TimedOut,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
