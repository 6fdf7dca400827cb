//! TLS for the HTTP client: whom it trusts.
//!
//! ureq's own connector trusts either its built-in roots or given ones; operators need both. And
//! a Rancher server often has one certificate that it signed itself, made by `openssl req -x509`
//! and so marked as an authority: Go's clients, the forerunners among them, accept that as the
//! server's own certificate when it is in the list, while webpki doesn't let an authority's
//! certificate be a server's. So this connector differs in two points: all roots are in one
//! list, and a certificate that is in the operator's list to the byte is trusted as itself.
//!
//! ```text
//!  connector ─► verifier ─► refused (what is wrong with the certificate) ─┐
//!      └──────► probe (what else the server has) ─────────────────────────┴─► failure ─► one sentence
//! ```

mod failure;
mod probe;
mod refused;
mod x509;

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::SigningKey;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, OtherError,
    RootCertStore, SignatureScheme, StreamOwned,
};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

pub use failure::Failure;
use refused::{Refused, Stage};
use x509::Summary;

/// A certificate that an operator trusts.
pub type Certificate = CertificateDer<'static>;

/// The certificates of a PEM file; the error says what is wrong with it.
pub fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, String> {
    let certificates: Vec<Certificate> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("broken PEM: {error}"))?;
    if certificates.is_empty() {
        return Err("there is no certificate in it; it takes a file in PEM format".to_owned());
    }
    for certificate in &certificates {
        RootCertStore::empty()
            .add(certificate.clone())
            .map_err(|error| format!("a certificate in it can't be read: {error}"))?;
    }
    Ok(certificates)
}

/// Puts TLS on connections of `https` URLs.
#[derive(Clone)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
}

impl TlsConnector {
    /// Trusts the built-in roots and these certificates.
    pub fn new(own: &[Certificate]) -> TlsConnector {
        let provider = Arc::new(provider());
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        roots.add_parsable_certificates(own.iter().cloned());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
                .build()
                .expect(
                    "there are roots and no revocation lists, so nothing can be wrong with them",
                );
        let verifier = Arc::new(Verifier {
            roots: verifier,
            own: own.to_vec(),
        });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has the cipher suites of TLS 1.2 and 1.3")
            .dangerous() // rustls's word for any verifier of one's own
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        TlsConnector {
            config: Arc::new(config),
        }
    }
}

/// ring's algorithms, all of them: leaving out ChaCha20 would save 64 bytes. A client without a
/// certificate of its own signs nothing.
fn provider() -> CryptoProvider {
    CryptoProvider {
        key_provider: &NoKeys,
        ..ring::default_provider()
    }
}

/// What a client certificate's key would be loaded with.
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

/// The verifier of webpki, and besides it the operator's certificates as themselves. What is refused
/// is told with the certificates' own words.
#[derive(Debug)]
struct Verifier {
    roots: Arc<WebPkiServerVerifier>,
    own: Vec<Certificate>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.roots.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // webpki looks at the dates first, so one that has expired isn't let through here. Its
            // name and whoever signed it don't matter: the operator has named this very
            // certificate, and only its owner can sign the handshake with it.
            Err(rustls::Error::InvalidCertificate(error))
                if is_about_others(&error) && self.own.iter().any(|own| own == end_entity) =>
            {
                Ok(ServerCertVerified::assertion())
            }
            verified => {
                let sent = [end_entity].into_iter().chain(intermediates);
                verified.map_err(|error| self.refused(error, Stage::Chain, sent))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.roots
            .verify_tls12_signature(message, certificate, signature)
            .map_err(|error| self.refused(error, Stage::Handshake, [certificate]))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.roots
            .verify_tls13_signature(message, certificate, signature)
            .map_err(|error| self.refused(error, Stage::Handshake, [certificate]))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.roots.supported_verify_schemes()
    }
}

impl Verifier {
    /// The same error with the certificates that it is about. The server gets the alert
    /// `certificate_unknown` then, whatever is wrong.
    fn refused<'a>(
        &self,
        error: rustls::Error,
        stage: Stage,
        sent: impl IntoIterator<Item = &'a CertificateDer<'a>>,
    ) -> rustls::Error {
        let rustls::Error::InvalidCertificate(error) = error else {
            return error;
        };
        let refused = Refused {
            error,
            stage,
            sent: sent.into_iter().map(|sent| Summary::of(sent)).collect(),
            trusted: self.own.iter().map(|own| Summary::of(own)).collect(),
        };
        CertificateError::Other(OtherError(Arc::new(refused))).into()
    }
}

/// Whether what is wrong is not the certificate itself, but that it names another host or none, that
/// it is also an authority's (which has no variant of its own in rustls), or that whoever signed it
/// isn't known or did so with an algorithm that can't be verified.
fn is_about_others(error: &CertificateError) -> bool {
    match error {
        CertificateError::NotValidForName
        | CertificateError::NotValidForNameContext { .. }
        | CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => true,
        CertificateError::Other(error) => error.to_string().contains("CaUsedAsEndEntity"),
        _ => false,
    }
}

/// An error of rustls that came through the socket's, in words; any other as it is.
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

/// Why there was no handshake. `ask` asks the server what it has; that is another connection.
fn no_handshake(
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
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
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
            drop(stream); // some servers take one connection at a time
            let ask = || {
                // A proxy's addresses aren't the server's, and there may be no way round it.
                let is_direct = details.config.proxy().is_none();
                let left = details.timeout.not_zero();
                let left = left.map_or(Duration::MAX, |left| *left);
                let left = left.saturating_sub(started.elapsed());
                is_direct.then(|| probe::ask(&details.addrs, host, left))?
            };
            return Err(no_handshake(host, error, ask).into());
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

/// A connection with TLS on it.
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
