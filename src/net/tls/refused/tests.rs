//! Each fault of a certificate with its sentence.

mod in_ca_file;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, Error, OtherError};

use super::super::failure::explain;
use super::super::samples::{P521, p521, rsa};
use super::super::x509::Key;
use super::*;

/// The encoded name of a certificate's owner that has only a common name.
fn common_name(text: &str) -> Vec<u8> {
    let length = text.len() as u8;
    let mut name = vec![
        0x31,
        length + 9,
        0x30,
        length + 7,
        6,
        3,
        0x55,
        4,
        3,
        0x0c,
        length,
    ];
    name.extend(text.as_bytes());
    name
}

const NOW: u64 = 1_700_000_000;
const SIGN_OR_TRUST: &str =
    "have it signed with one of these, or put the server's own certificate in CA_FILE";
/// basicConstraints with `CA:TRUE`.
const IS_CA: &[u8] = &[0x30, 12, 6, 3, 0x55, 0x1d, 19, 4, 5, 0x30, 3, 1, 1, 0xff];

const SHA1_RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0];
const SHA256_RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0];
const SHA512_ECDSA: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4];
const SHA256_ECDSA: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

fn summary(subject: &str, issuer: &str, signature: &[u8], key: Key) -> Summary {
    Summary {
        version: 3,
        subject: common_name(subject),
        issuer: common_name(issuer),
        signature: signature.to_vec(),
        key,
        valid: Some((0, i64::MAX)),
        extensions: Some(IS_CA.to_vec()),
    }
}

/// A certificate of `r.example` that is signed by `CA`.
fn server(signature: &[u8]) -> Summary {
    summary("r.example", "CA", signature, rsa(2048))
}

fn refused(
    error: CertificateError,
    stage: Stage,
    sent: Vec<Summary>,
    trusted: Vec<Summary>,
) -> Error {
    let refused = Refused {
        error,
        stage,
        sent,
        trusted,
        is_own: false,
        takes_own: true,
        now: NOW,
    };
    CertificateError::Other(OtherError(Arc::new(refused))).into()
}

fn chain(error: CertificateError, sent: Vec<Summary>) -> Error {
    refused(error, Stage::Chain, sent, vec![])
}

/// An error of webpki that rustls passes on, given by its name.
#[derive(Debug)]
struct Named(&'static str);

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Named {}

fn webpki(name: &'static str) -> CertificateError {
    CertificateError::Other(OtherError(Arc::new(Named(name))))
}

fn unsupported(signature: &[u8]) -> CertificateError {
    CertificateError::UnsupportedSignatureAlgorithmContext {
        signature_algorithm_id: signature.to_vec(),
        supported_algorithms: vec![],
    }
}

fn unsupported_key(signature: &[u8], key: &[u8]) -> CertificateError {
    CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
        signature_algorithm_id: signature.to_vec(),
        public_key_algorithm_id: key.to_vec(),
    }
}

fn second(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn other_name(presented: &[&str]) -> CertificateError {
    CertificateError::NotValidForNameContext {
        expected: ServerName::try_from("r.example").unwrap().to_owned(),
        presented: presented.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// Checks the sentence after its beginning `TLS with r.example failed: `.
fn expect(error: &Error, expected: &str) {
    let said = explain("r.example", error, None);
    let words = said.strip_prefix("TLS with r.example failed: ").unwrap();
    let words = words.replace(NEEDED, "NEEDED");
    let words = words.replace(&format!("{VERIFIED}: {SIGN_OR_TRUST}"), "VERIFIED");
    assert_eq!(words, expected);
    for dump in ["{", "}", "[", "Other", "Context", "0x", "::"] {
        assert!(!said.contains(dump), "{said}");
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_leads_to_ca_file() {
    use CertificateError::{BadSignature, UnknownIssuer};
    let own = || server(SHA256_RSA);
    let self_signed = summary("r.example", "r.example", SHA256_RSA, rsa(2048));
    let between = summary("CA", "Root", SHA256_RSA, rsa(2048));
    let round = summary("CA", "r.example", SHA256_RSA, rsa(2048));
    for (sent, expected) in [
        (
            vec![own()],
            "its certificate 'r.example' is signed by the authority 'CA', which isn't trusted: put \
             the certificate of 'CA' in CA_FILE",
        ),
        (
            vec![own(), between],
            "its certificate 'r.example' is signed by the authority 'Root', which isn't trusted: \
             put the certificate of 'Root' in CA_FILE",
        ),
        (
            vec![self_signed],
            "its certificate 'r.example' is signed by itself and isn't trusted: put this \
             certificate in CA_FILE",
        ),
        (
            vec![],
            "its certificate is signed by an authority that isn't trusted: put the authority's \
             certificate in CA_FILE",
        ),
    ] {
        expect(&chain(UnknownIssuer, sent), expected);
    }
    let said = explain("r.example", &chain(UnknownIssuer, vec![own(), round]), None);
    assert!(said.ends_with("in CA_FILE"), "{said}");
    expect(
        &chain(BadSignature, vec![own()]),
        "its certificate 'r.example' doesn't lead to the authority 'CA' that is trusted, but to \
         another one of that name: put the present certificate of 'CA' in CA_FILE",
    );
}

#[test]
fn old_algorithms_are_named_and_what_is_verified() {
    let ca = |key| summary("CA", "CA", SHA256_RSA, key);
    for (error, stage, own, trusted, expected) in [
        (
            unsupported(SHA1_RSA),
            Stage::Chain,
            server(SHA1_RSA),
            vec![],
            "its certificate 'r.example' is signed with RSA with SHA-1 by 'CA'; VERIFIED",
        ),
        (
            unsupported(SHA512_ECDSA),
            Stage::Chain,
            server(SHA512_ECDSA),
            vec![ca(p521())],
            "its certificate 'r.example' is signed with ECDSA with SHA-512 by 'CA', whose key is \
             ECDSA P-521; VERIFIED",
        ),
        (
            unsupported_key(SHA256_ECDSA, P521),
            Stage::Chain,
            server(SHA256_ECDSA),
            vec![],
            "its certificate 'r.example' is signed with ECDSA with SHA-256 by 'CA', whose key is \
             ECDSA P-521; VERIFIED",
        ),
        (
            CertificateError::BadSignature,
            Stage::Chain,
            server(SHA256_RSA),
            vec![ca(rsa(1024))],
            "its certificate 'r.example' is signed by 'CA', whose key is RSA of 1024 bits; VERIFIED",
        ),
        (
            unsupported_key(SHA256_ECDSA, P521),
            Stage::Handshake,
            summary("r.example", "CA", SHA256_RSA, p521()),
            vec![],
            "the key of its certificate 'r.example' is ECDSA P-521; NEEDED",
        ),
        (
            CertificateError::BadSignature,
            Stage::Handshake,
            summary("r.example", "CA", SHA256_RSA, rsa(1024)),
            vec![],
            "the key of its certificate 'r.example' is RSA of 1024 bits; NEEDED",
        ),
        (
            CertificateError::BadSignature,
            Stage::Handshake,
            server(SHA256_RSA),
            vec![],
            "it doesn't have the key of its certificate 'r.example'",
        ),
    ] {
        expect(&refused(error, stage, vec![own], trusted), expected);
    }
    let between = summary("CA", "Root", SHA1_RSA, rsa(2048));
    expect(
        &chain(unsupported(SHA1_RSA), vec![server(SHA256_RSA), between]),
        "the certificate of the authority 'CA' is signed with RSA with SHA-1 by 'Root'; VERIFIED",
    );
}

#[test]
fn dates_are_said_with_the_clock() {
    for (error, expected) in [
        (
            CertificateError::ExpiredContext {
                time: second(1_700_000_000),
                not_after: second(1_600_000_000),
            },
            "its certificate 'r.example' or one above it was valid until 2020-09-13T12:26:40Z, and \
             the clock of this host says 2023-11-14T22:13:20Z: renew the certificate, or set the \
             clock",
        ),
        (
            CertificateError::NotValidYetContext {
                time: second(0),
                not_before: second(u64::MAX),
            },
            "its certificate 'r.example' or one above it is valid from a time that no calendar has \
             on, and the clock of this host says 1970-01-01T00:00:00Z: set the clock, or wait",
        ),
        (
            CertificateError::Expired,
            "its certificate 'r.example' isn't valid at this time: renew it",
        ),
    ] {
        expect(&chain(error, vec![server(SHA256_RSA)]), expected);
    }
}

#[test]
fn names_are_those_that_the_certificate_has() {
    for (error, expected) in [
        (
            other_name(&[
                "DnsName(\"*.example.com\")",
                "IpAddress(192.0.2.1)",
                "DirectoryName",
            ]),
            "its certificate 'r.example' is for *.example.com, 192.0.2.1, not for r.example: use \
             such a name in the URL, or make a certificate that names r.example in its \
             subjectAltName",
        ),
        (
            other_name(&[]),
            "its certificate 'r.example' names no host in its subjectAltName (a common name \
             doesn't count): make one that names r.example there, or put this very certificate in \
             CA_FILE",
        ),
    ] {
        expect(&chain(error, vec![server(SHA256_RSA)]), expected);
    }
    let many: Vec<String> = (0..300)
        .map(|n| format!("DnsName(\"{n}.example\")"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    expect(
        &chain(other_name(&many), vec![server(SHA256_RSA)]),
        "its certificate 'r.example' is for 0.example, 1.example, 2.example, 3.example, 4.example, \
         5.example, 6.example, 7.example and 292 more, not for r.example: use such a name in the \
         URL, or make a certificate that names r.example in its subjectAltName",
    );
}

#[test]
fn a_certificate_of_another_kind_is_said_to_be_one() {
    for (error, expected) in [
        (
            CertificateError::InvalidPurpose,
            "its certificate 'r.example' isn't one for servers: its extended key usage has to have \
             serverAuth, or there has to be none",
        ),
        (
            webpki("UnsupportedCriticalExtension"),
            "its certificate 'r.example' or one above it has an extension marked as critical that \
             isn't known here: make it without, or not critical",
        ),
        (
            webpki("CaUsedAsEndEntity"),
            "its certificate 'r.example' is an authority's (CA:TRUE), not a server's: put this \
             very certificate in CA_FILE, or make one with CA:FALSE",
        ),
    ] {
        expect(&chain(error, vec![server(SHA256_RSA)]), expected);
    }
    let self_signed = summary("self", "self", SHA256_RSA, rsa(2048));
    expect(
        &chain(webpki("CaUsedAsEndEntity"), vec![self_signed]),
        "its certificate 'self' is signed by itself and isn't trusted: put this certificate in \
         CA_FILE",
    );
    let first = Summary {
        version: 1,
        ..server(SHA256_RSA)
    };
    expect(
        &chain(webpki("UnsupportedCertVersion"), vec![first]),
        "its certificate 'r.example' is of X.509 version 1: make one of version 3, with the host in \
         its subjectAltName",
    );
}

#[test]
fn what_is_above_it_may_be_wrong_too() {
    for (error, expected) in [
        (
            webpki("EndEntityUsedAsCa"),
            "its certificate 'r.example' is signed by a certificate that isn't an authority's \
             (CA:TRUE is missing): have it signed by one that is",
        ),
        (
            webpki("NameConstraintViolation"),
            "its certificate 'r.example' has a name that its authority's name constraints don't \
             allow",
        ),
        (
            webpki("UnsupportedCertVersion"),
            "its certificate 'r.example' or one above it isn't of X.509 version 3: make one of \
             version 3, with the host in its subjectAltName",
        ),
        (
            webpki("TrailingData(Certificate)"),
            "its certificate 'r.example' or one above it can't be used (trailing data)",
        ),
        (
            CertificateError::BadEncoding,
            "its certificate 'r.example' can't be read: it isn't an X.509 certificate in DER",
        ),
        (
            CertificateError::ApplicationVerificationFailure,
            "its certificate 'r.example' can't be used (application verification failure)",
        ),
    ] {
        expect(&chain(error, vec![server(SHA256_RSA)]), expected);
    }
}
