//! What stands in CA_FILE, and the certificates that a server sends. The input is split by two bytes of
//! length before each part: the file first, then the server's certificates.

#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use rancher_route53::net::tls::{OwnCertificates, Trust, Verifier, certificates};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error};

static PROVIDER: LazyLock<CryptoProvider> = LazyLock::new(ring::default_provider);
/// A second at which the certificates of the seeds are valid.
const NOW: u64 = 1_800_000_000;

fn parts(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (part, after) = rest.split_at(length);
        parts.push(part);
        bytes = after;
    }
    parts
}

fuzz_target!(|bytes: &[u8]| {
    let parts = parts(bytes);
    let Some((file, sent)) = parts.split_first() else {
        return;
    };
    let own = certificates(file).unwrap_or_default();
    let own: OwnCertificates = own.into_iter().collect();
    for certificate in own.iter() {
        assert!(certificate.name().chars().count() <= 64);
        certificate.may_be_a_server();
    }
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
    let is_authority = own
        .iter()
        .any(|own| own.no_authority().is_none() && own.is_valid_at(NOW));
    let sent: Vec<CertificateDer<'_>> = sent.iter().map(|sent| (*sent).into()).collect();
    let Some((end_entity, above)) = sent.split_first() else {
        return;
    };
    let authorities = Trust::authorities(&own);
    let rancher = authorities.clone().and_each_as_itself_at("a.example");
    let mut taken = Vec::new();
    for (trust, host) in [
        (authorities, "a.example"),
        (rancher.clone(), "b.example"),
        (rancher, "a.example"),
    ] {
        let verifier = Verifier::new(trust, &PROVIDER);
        let name = ServerName::try_from(host).expect("a host");
        let verified = verifier.verify_server_cert(end_entity, above, &name, &[], now);
        if let Err(Error::InvalidCertificate(CertificateError::Other(error))) = &verified {
            // The sentence for the operator.
            let text = error.0.to_string();
            assert!(text.chars().count() < 5_000, "{text}");
        }
        taken.push(verified.is_ok());
    }
    // Nobody invents the signature of a public root.
    assert!(is_authority || !taken[0] && !taken[1]);
    let is_own = own.iter().next().is_some();
    assert!(is_own || !taken[2]);
    // As itself only adds to what authorities vouch for.
    assert!(!taken[0] || taken[2]);
});
