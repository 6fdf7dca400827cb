//! TLS for the HTTP client: makes the connection, verifies the server's certificate, and explains
//! failures to the operator.
//!
//! It differs from ureq's own connector in two points. It trusts both the built-in roots and the
//! operator's certificates, where ureq takes one or the other. And it accepts a server's certificate
//! that is, byte by byte, one of the operator's. Rancher servers often have a self-signed certificate
//! made by `openssl req -x509`, which marks it as an authority's: Go's clients accept that, but
//! webpki doesn't let an authority's certificate be a server's.
//!
//! ```text
//!  connector ─► verifier ─► refused (what is wrong with the certificate) ─┐
//!      └──────► probe (what the server offers) ───────────────────────────┴─► failure (a sentence)
//! ```

mod failure;
mod probe;
mod refused;
#[cfg(test)]
mod samples;
mod x509;

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::ring;
use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::SigningKey;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, OtherError,
    RootCertStore, SignatureScheme, StreamOwned,
};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
    TransportAdapter,
};

use crate::base::brackets::without_brackets;
pub use failure::Failure;
use refused::{Refused, Stage};
use x509::Summary;

/// A certificate that the operator trusts.
pub type Certificate = CertificateDer<'static>;

/// Reads the certificates of a PEM file. The error says what is wrong with the file.
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

/// Adds TLS to the connections of `https` URLs.
#[derive(Clone)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
}

impl TlsConnector {
    /// A connector that trusts the built-in roots and these certificates.
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
            .dangerous() // rustls requires this call for every custom verifier
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
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

/// Verifies a server's certificate by webpki, and also accepts the operator's certificates as server
/// certificates. Its errors hold what the certificates say.
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
            // webpki checks the dates first, so an expired certificate isn't accepted here. The
            // operator trusts this very certificate, and only its owner can sign the handshake with
            // its key.
            Err(rustls::Error::InvalidCertificate(error))
                if self.own.iter().any(|own| own == end_entity)
                    && (is_about_name(&error)
                        || is_about_issuer(&error) && names(end_entity, server_name)) =>
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
    /// Adds the certificates to an error about them. rustls then sends the alert `certificate_unknown`
    /// to the server for every such error.
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

/// Whether an error is about the certificate's name, or about its being an authority's (for which
/// rustls has no variant). Such errors come after the issuer was found good.
fn is_about_name(error: &CertificateError) -> bool {
    match error {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => true,
        CertificateError::Other(error) => error.to_string().contains("CaUsedAsEndEntity"),
        _ => false,
    }
}

/// Whether an error is about the certificate's issuer or signature.
fn is_about_issuer(error: &CertificateError) -> bool {
    matches!(
        error,
        CertificateError::UnknownIssuer
            | CertificateError::BadSignature
            | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
            | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
    )
}

/// Whether a certificate names a host in its subjectAltName.
fn names(certificate: &CertificateDer<'_>, host: &ServerName<'_>) -> bool {
    let parsed = ParsedCertificate::try_from(certificate);
    parsed.is_ok_and(|parsed| verify_server_name(&parsed, host).is_ok())
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
