//! Where rustls asks whether a server is the right one: [`Trust`] answers, and errors get what the
//! certificates say.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme};

use super::refused::{Refused, Stage};
use super::trust::Trust;
use super::x509::Summary;

/// Verifies servers' certificates as a [`Trust`] has it.
#[derive(Debug)]
pub struct Verifier {
    trust: Trust,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// A verifier with the algorithms of this provider.
    pub fn new(trust: Trust, provider: &CryptoProvider) -> Verifier {
        Verifier {
            trust,
            algorithms: provider.signature_verification_algorithms,
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let trust = &self.trust;
        let verified = trust.verify(end_entity, intermediates, server_name, now, self.algorithms);
        let sent = [end_entity].into_iter().chain(intermediates);
        match verified {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(Error::InvalidCertificate(error)) => Err(in_context(Refused {
                error,
                stage: Stage::Chain,
                sent: sent.map(|sent| Summary::of(sent)).collect(),
                trusted: trust.own().summaries(),
                is_own: trust.find_own(end_entity).is_some(),
                takes_own: trust.takes_own_at(server_name),
                now: now.as_secs(),
            })),
            Err(error) => Err(error),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
            .map_err(|error| without_key(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
            .map_err(|error| without_key(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Adds the certificate to an error about the server's signature with its key.
fn without_key(error: Error, certificate: &CertificateDer<'_>) -> Error {
    match error {
        Error::InvalidCertificate(error) => in_context(Refused {
            error,
            stage: Stage::Handshake,
            sent: vec![Summary::of(certificate)],
            trusted: Vec::new(),
            is_own: false,
            takes_own: false,
            now: 0,
        }),
        error => error,
    }
}

/// rustls sends the alert `certificate_unknown` to the server for every such error.
fn in_context(refused: Refused) -> Error {
    CertificateError::Other(OtherError(Arc::new(refused))).into()
}
