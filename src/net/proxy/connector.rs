//! Connects through the proxy that a request carries. For an `https` URL the proxy is asked for a
//! tunnel with `CONNECT`; for an `http` URL it gets the request with the whole URL in the first line
//! (absolute form), as from Go's clients. ureq's own connector only knows tunnels, doesn't limit
//! their total time, and doesn't say why there is none.
//!
//! The header `Proxy-Authorization`, which only the proxy may see, is added here: to the `CONNECT`,
//! or to the requests in absolute form.

use std::fmt;
use std::io::{Read, Write};
use std::time::Instant;

use ureq::http::Uri;
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport, TransportAdapter,
};

use super::{authorization, scheme};
use crate::base::secret::Secret;
use crate::net::http::USER_AGENT;
use crate::net::tls::TlsConnector;
use crate::net::url::port_of;

/// Largest head of a proxy's answer to `CONNECT`, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// Why there is no connection through a proxy. Its texts are written to follow the proxy's name.
#[derive(Debug)]
pub enum ProxyError {
    /// The proxy itself can't be reached.
    Unreachable(ureq::Error),
    /// The proxy hasn't answered in time.
    Silent,
    /// The proxy's answer can't be understood; the text says why.
    Broken(&'static str),
    /// The proxy refuses to connect to the target.
    Refused {
        /// Host and port of the target.
        target: String,
        /// The proxy's answer.
        refusal: Refusal,
    },
}

/// A proxy's own answer that refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status code, such as 407.
    pub status: u16,
    /// Squid's name of the error, such as `ERR_ACCESS_DENIED`; empty if there is none.
    pub name: String,
    /// With 407: the authentication schemes that the proxy accepts, if `Basic` isn't among them.
    pub unknown_schemes: String,
}

/// Authentication schemes that an error may name. Other words aren't repeated, because a proxy could
/// send back the credentials that it got.
const SCHEMES: [&str; 5] = ["Negotiate", "NTLM", "Digest", "Kerberos", "Bearer"];

impl Refusal {
    /// Reads the reasons of a refusal from its headers.
    pub fn new<'a>(status: u16, headers: impl Iterator<Item = (&'a str, &'a str)>) -> Refusal {
        let mut name = String::new();
        let mut schemes: Vec<&str> = Vec::new();
        let mut with_basic = false;
        for (header, value) in headers {
            let words = value.split([',', ' ']).map(str::trim);
            match header.to_ascii_lowercase().as_str() {
                "x-squid-error" => {
                    let is_name = |word: &&str| {
                        word.starts_with("ERR_")
                            && word.len() <= 40
                            && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
                    };
                    name = words.filter(is_name).take(1).collect();
                }
                "proxy-authenticate" => {
                    for word in words {
                        with_basic |= word.eq_ignore_ascii_case("basic");
                        let known = SCHEMES.into_iter().find(|s| s.eq_ignore_ascii_case(word));
                        schemes.extend(known.filter(|known| !schemes.contains(known)));
                    }
                }
                _ => {}
            }
        }
        if with_basic {
            schemes.clear();
        }
        Refusal {
            status,
            name,
            unknown_schemes: schemes.join(" or "),
        }
    }
}

/// Connects through proxies. Requests without a proxy are left to the next connector.
#[derive(Debug)]
pub struct ProxyConnector {
    tcp: TcpConnector,
    tls: TlsConnector,
}

impl ProxyConnector {
    /// A connector that speaks TLS to proxies with an `https` URL by this one.
    pub fn new(tls: TlsConnector) -> ProxyConnector {
        ProxyConnector {
            tcp: TcpConnector::default(),
            tls,
        }
    }

    /// Connects to the proxy itself.
    fn connect_to_proxy(
        &self,
        proxy: &ureq::Proxy,
        details: &ConnectionDetails<'_>,
        deadline: &Deadline,
    ) -> Result<Box<dyn Transport>, ureq::Error> {
        let uri = format!("{}://{}:{}/", scheme(proxy), proxy.host(), proxy.port());
        let uri: Uri = uri.parse().map_err(|_| ureq::Error::InvalidProxyUrl)?;
        let resolver = details.resolver;
        let addrs = resolver.resolve(&uri, details.config, deadline.left())?;
        let details = |uri| ConnectionDetails {
            uri,
            addrs: addrs.clone(),
            config: details.config,
            request_level: details.request_level,
            resolver,
            now: (details.current_time)(),
            timeout: deadline.left(),
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let tcp = Connector::<()>::connect(&self.tcp, &details(&uri), None)?;
        let transport = self.tls.connect(&details(&uri), tcp)?;
        Ok(transport.ok_or(ureq::Error::ConnectionFailed)?.boxed())
    }
}

impl Connector<()> for ProxyConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(proxy) = details.config.proxy() else {
            return Ok(None);
        };
        let authority = details.uri.authority().map_or("", |a| a.as_str());
        let deadline = Deadline::new(details.timeout);
        let transport = self
            .connect_to_proxy(proxy, details, &deadline)
            .map_err(|error| ProxyError::Unreachable(error).into_ureq())?;
        if !details.needs_tls() {
            return Ok(Some(Box::new(AbsoluteForm {
                inner: transport,
                origin: format!("http://{authority}"),
                authorization: authorization(proxy),
                is_at_start: true,
            })));
        }
        let host = details.uri.host().unwrap_or_default();
        let port = port_of(details.uri);
        let mut stream = TransportAdapter::new(transport, details.current_time.clone());
        stream.set_timeout(deadline.left());
        ask_for_tunnel(
            &mut stream,
            &format!("{host}:{port}"),
            authorization(proxy).as_ref(),
        )
        .map_err(ProxyError::into_ureq)?;
        Ok(Some(Box::new(Tunnel(stream.into_inner()))))
    }
}

/// The time limit of connecting, for all its steps together.
struct Deadline {
    timeout: NextTimeout,
    started: Instant,
}

impl Deadline {
    fn new(timeout: NextTimeout) -> Deadline {
        let started = Instant::now();
        Deadline { timeout, started }
    }

    fn left(&self) -> NextTimeout {
        let after = match self.timeout.after {
            Duration::Exact(after) => Duration::Exact(after.saturating_sub(self.started.elapsed())),
            Duration::NotHappening => Duration::NotHappening,
        };
        NextTimeout {
            after,
            ..self.timeout
        }
    }
}

/// Asks the proxy for a tunnel to `target` (host and port), and reads the answer. Only the head is
/// read: the bytes after it are the target's.
fn ask_for_tunnel(
    stream: &mut (impl Read + Write),
    target: &str,
    authorization: Option<&Secret>,
) -> Result<(), ProxyError> {
    let mut request =
        format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: {USER_AGENT}\r\n");
    if let Some(authorization) = authorization {
        request += &format!("Proxy-Authorization: {}\r\n", authorization.expose());
    }
    request += "\r\n";
    stream
        .write_all(request.as_bytes())
        .map_err(|error| ProxyError::of_stream(error, "it has ended the connection"))?;
    let mut room = MAX_HEAD;
    loop {
        let head = read_head(stream, &mut room)?;
        match status(&head)? {
            // Informational answers may come before the final one.
            100..=199 => {}
            200..=299 => return Ok(()),
            status => {
                let headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
                return Err(ProxyError::Refused {
                    target: target.to_owned(),
                    refusal: Refusal::new(status, headers),
                });
            }
        }
    }
}

/// Reads up to the empty line, byte by byte: the bytes after it are the target's. `room` is the
/// number of bytes that may still be read.
fn read_head(stream: &mut impl Read, room: &mut usize) -> Result<String, ProxyError> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"\n\n") {
        if *room == 0 {
            return Err(ProxyError::Broken("the head of its answer has no end"));
        }
        *room -= 1;
        let cut = if head.is_empty() {
            "it has ended the connection without an answer"
        } else {
            "it has ended the connection within its answer"
        };
        match stream.read(&mut byte) {
            Ok(0) => return Err(ProxyError::Broken(cut)),
            Ok(_) => head.extend(byte),
            Err(error) => return Err(ProxyError::of_stream(error, cut)),
        }
        // Checked at once, because another protocol may never send the end of a head.
        let start = &head[..head.len().min(HTTP.len())];
        if !HTTP.starts_with(start) {
            return Err(ProxyError::Broken("what it answers isn't HTTP"));
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

const HTTP: &[u8] = b"HTTP/1.";

/// The status code in an answer's first line, such as `HTTP/1.1 200 OK`.
fn status(head: &str) -> Result<u16, ProxyError> {
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().filter(|status| status.len() == 3);
    let status = status.and_then(|status| status.parse().ok());
    match (version, status) {
        ("HTTP/1.0" | "HTTP/1.1", Some(status @ 100..=999)) => Ok(status),
        _ => Err(ProxyError::Broken("what it answers isn't HTTP")),
    }
}

impl ProxyError {
    fn of_stream(error: std::io::Error, cut: &'static str) -> ProxyError {
        match ureq::Error::from(error) {
            ureq::Error::Timeout(_) => ProxyError::Silent,
            _ => ProxyError::Broken(cut),
        }
    }

    fn into_ureq(self) -> ureq::Error {
        ureq::Error::Other(Box::new(self))
    }
}

/// A text without the proxy's name; [`super::Proxy::explain`] makes the full one.
impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the proxy makes no connection")
    }
}

impl std::error::Error for ProxyError {}

/// A tunnel to the target. `is_tls` keeps its default, false, even if the proxy itself is reached by
/// TLS, because there is no TLS to the target yet.
#[derive(Debug)]
struct Tunnel(Box<dyn Transport>);

impl Transport for Tunnel {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }
}

/// A connection that ends at the proxy, for requests to one target.
#[derive(Debug)]
struct AbsoluteForm {
    inner: Box<dyn Transport>,
    /// `http://host:port` of the target.
    origin: String,
    authorization: Option<Secret>,
    /// Nothing has been sent since the last answer, so the next output begins a request.
    is_at_start: bool,
}

impl Transport for AbsoluteForm {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        if !std::mem::take(&mut self.is_at_start) {
            return self.inner.transmit_output(amount, timeout);
        }
        let head = &self.inner.buffers().output()[..amount];
        let head = in_absolute_form(head, &self.origin, self.authorization.as_ref());
        let mut rest = head.as_slice();
        while !rest.is_empty() {
            let output = self.inner.buffers().output();
            let (now, later) = rest.split_at(rest.len().min(output.len()));
            output[..now.len()].copy_from_slice(now);
            self.inner.transmit_output(now.len(), timeout)?;
            rest = later;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.is_at_start = true;
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }
}

/// Rewrites the head of a request: the path in its first line becomes a whole URL, and the
/// credentials for the proxy are added.
fn in_absolute_form(head: &[u8], origin: &str, authorization: Option<&Secret>) -> Vec<u8> {
    let after_method = head.iter().position(|byte| *byte == b' ');
    let (method, rest) = head.split_at(after_method.map_or(0, |space| space + 1));
    let line_end = rest.windows(2).position(|bytes| bytes == b"\r\n");
    let (path, headers) = rest.split_at(line_end.map_or(rest.len(), |end| end + 2));
    // A header can only be added after the first line. ureq always writes that in one piece.
    let credentials = authorization.filter(|_| line_end.is_some());
    let credentials = credentials.map_or(String::new(), |value| {
        format!("Proxy-Authorization: {}\r\n", value.expose())
    });
    [
        method,
        origin.as_bytes(),
        path,
        credentials.as_bytes(),
        headers,
    ]
    .concat()
}

#[cfg(test)]
mod tests;
