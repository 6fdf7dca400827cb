//! TLS for the HTTP client: makes the connection, verifies the server's certificate, and explains
//! failures to the operator.
//!
//! It differs from ureq's own connector in two points. It trusts both the built-in roots and the
//! operator's certificates, where ureq takes one or the other. And at some hosts it accepts a server's
//! certificate that is, byte by byte, one of the operator's. Rancher servers often have a self-signed
//! certificate made by `openssl req -x509`, which marks it as an authority's: Go's clients accept that,
//! but webpki doesn't let an authority's certificate be a server's.
//!
//! ```text
//!  connector ─► verifier ─► trust (who is trusted for what) ◄── authority (who may sign)
//!      │           └──────► refused (what is wrong with the certificate) ─┐
//!      └──────► probe (what the server offers) ───────────────────────────┴─► failure (a sentence)
//! ```

mod authority;
mod der;
mod failure;
mod probe;
mod refused;
#[cfg(test)]
mod samples;
mod trust;
mod verifier;
mod x509;

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::sign::SigningKey;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use crate::base::brackets::without_brackets;
pub use authority::NoAuthority;
pub use failure::Failure;
pub use trust::{OwnCertificate, OwnCertificates, Trust, certificates};
pub use verifier::Verifier;

/// How many sessions with servers are kept, to resume them; rustls keeps eight for each server. A
/// resumed session isn't verified again, so connectors with another trust have sessions of their own.
const MAX_SESSIONS: usize = 32;

/// Adds TLS to the connections of `https` URLs.
#[derive(Clone)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
}

impl TlsConnector {
    /// A connector that verifies servers as this trust has it.
    pub fn new(trust: Trust) -> TlsConnector {
        let provider = Arc::new(provider());
        let verifier = Arc::new(Verifier::new(trust, &provider));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the cipher suites of TLS 1.2 and 1.3")
            .dangerous() // rustls requires this call for every custom verifier
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(MAX_SESSIONS);
        TlsConnector {
            config: Arc::new(config),
        }
    }
}

/// All algorithms of ring, without the code that loads private keys: the client has no certificate
/// of its own, so it signs nothing.
fn provider() -> CryptoProvider {
    CryptoProvider {
        key_provider: &NoKeys,
        ..ring::default_provider()
    }
}

/// Refuses to load the private key of a client certificate, since there are none.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _key: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General(
            "there are no client certificates".to_owned(),
        ))
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConnector")
    }
}

/// Turns an I/O error that holds one of rustls into a sentence. Others are returned unchanged.
fn in_words(host: &str, error: io::Error) -> io::Error {
    let words = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref())
        .map(|inner| failure::explain(host, inner, None));
    match words {
        Some(words) => io::Error::new(error.kind(), Failure(words)),
        None => error,
    }
}

/// Explains a failed handshake. `ask` asks the server over another connection what it offers.
fn explain_handshake(
    host: &str,
    error: io::Error,
    ask: impl FnOnce() -> Option<probe::Offer>,
) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    let words = match (inner, error.kind()) {
        (Some(inner), _) if failure::is_incompatible(inner) => {
            failure::explain(host, inner, ask().as_ref())
        }
        (None, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            failure::closed(host, ask().as_ref())
        }
        _ => return in_words(host, error),
    };
    io::Error::new(error.kind(), Failure(words))
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        if !details.needs_tls() || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let host = details.uri.host().unwrap_or_default();
        let host = without_brackets(host);
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| ureq::Error::BadUri(format!("{host:?} is no host name")))?;
        let connection = ClientConnection::new(self.config.clone(), name)
            .map_err(|error| in_words(host, io::Error::other(error)))?;
        let socket = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        let mut stream = StreamOwned {
            conn: connection,
            sock: socket,
        };
        stream.sock.set_timeout(details.timeout);
        let started = Instant::now();
        if let Err(error) = stream.conn.complete_io(&mut stream.sock) {
            drop(stream); // some servers accept only one connection at a time
            let ask = || {
                // Not through a proxy: the addresses are the proxy's, and the server may not be
                // reachable without it.
                let is_direct = details.config.proxy().is_none();
                let left = details.timeout.not_zero();
                let left = left.map_or(Duration::MAX, |left| *left);
                let left = left.saturating_sub(started.elapsed());
                is_direct.then(|| probe::ask(&details.addrs, host, left))?
            };
            return Err(explain_handshake(host, error, ask).into());
        }
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        let host = host.to_owned();
        Ok(Some(Either::B(TlsTransport {
            buffers,
            stream,
            host,
        })))
    }
}

/// A connection with TLS.
pub struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
    host: String,
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let written = self.stream.write_all(&self.buffers.output()[..amount]);
        written.map_err(|error| in_words(&self.host, error))?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.sock.set_timeout(timeout);
        let read = self.stream.read(self.buffers.input_append_buf());
        let amount = read.map_err(|error| in_words(&self.host, error))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
