//! Each kind of error with its sentence. Faults of certificates have their own tests.

use rustls::{CertificateError, ContentType, InconsistentKeys, PeerMisbehaved};

use super::super::samples::{p521, rsa};
use super::*;

/// The choice of a modern server, with this change.
fn with(change: fn(&mut Offer)) -> Offer {
    let mut offer = Offer {
        version: TLS12,
        suite: 0xc02f,
        key: Some(rsa(2048)),
        group: Some(23),
        asks_for_certificate: false,
    };
    change(&mut offer);
    offer
}

fn expect(error: &Error, offer: Option<Offer>, expected: &str) {
    let said = explain("r.example", error, offer.as_ref());
    let said = said.replace(NEEDED, "NEEDED");
    assert_eq!(said, format!("TLS with r.example failed: {expected}"));
}

#[test]
fn what_a_server_offers_is_told_if_it_is_known() {
    let alert = Error::AlertReceived(AlertDescription::HandshakeFailure);
    for (error, offer, expected) in [
        (
            &alert,
            None,
            "it takes nothing that this program offers (handshake failure); NEEDED",
        ),
        (
            &alert,
            Some(with(|_| {})),
            "it takes nothing that this program offers; NEEDED",
        ),
        (
            &alert,
            Some(with(|o| {
                o.suite = 0x002f;
                o.group = None;
            })),
            "it chooses the cipher suite AES128-SHA (RSA key exchange); NEEDED",
        ),
        (
            &alert,
            Some(with(|o| o.suite = 0x1301)),
            "it chooses the cipher suite number 0x1301; NEEDED",
        ),
        (
            &alert,
            Some(with(|o| o.group = Some(25))),
            "it exchanges keys over P-521; NEEDED",
        ),
        (
            &alert,
            Some(with(|o| o.key = Some(p521()))),
            "its certificate's key is ECDSA P-521; NEEDED",
        ),
        (
            &alert,
            Some(with(|o| o.asks_for_certificate = true)),
            CLIENT_CERTIFICATE,
        ),
        (
            &alert,
            Some(with(|o| {
                o.asks_for_certificate = true;
                o.suite = 0xc028;
            })),
            "it chooses the cipher suite ECDHE-RSA-AES256-SHA384; NEEDED",
        ),
    ] {
        expect(error, offer, expected);
    }
}

#[test]
fn an_old_server_is_told_from_one_that_only_differs() {
    let old = Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13);
    for (error, offer, expected) in [
        (&old, None, "it speaks TLS 1.1 or older; NEEDED"),
        (
            &old,
            Some(with(|o| {
                o.version = 0x0301;
                o.suite = 0x0005;
                o.key = Some(rsa(1024));
            })),
            "it speaks TLS 1.0 at most and it chooses the cipher suite RC4-SHA (RSA key \
             exchange) and its certificate's key is RSA of 1024 bits; NEEDED",
        ),
        (
            &Error::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon),
            None,
            "it isn't compatible (no kx groups in common); NEEDED",
        ),
    ] {
        expect(error, offer, expected);
    }
    assert_eq!(
        closed("r.example", Some(&with(|o| o.version = 0x0300))).replace(NEEDED, "NEEDED"),
        "TLS with r.example failed: it closed the connection in the middle of the handshake; asked \
         for what it has, it speaks SSL 3.0 at most; NEEDED"
    );
    assert!(closed("r.example", None).contains("only an old one: check"));
}

#[test]
fn every_other_error_is_said_in_words() {
    use AlertDescription as A;
    for (error, expected) in [
        (
            Error::AlertReceived(A::UnrecognisedName),
            "it has no certificate for the name r.example: check the URL",
        ),
        (
            Error::AlertReceived(A::CertificateRequired),
            CLIENT_CERTIFICATE,
        ),
        (
            Error::AlertReceived(A::UnknownCA),
            "it ended the handshake (unknown ca); its own log may say why",
        ),
        (
            Error::AlertReceived(A::Unknown(99)),
            "it ended the handshake (alert 99); its own log may say why",
        ),
        (
            InvalidMessage::InvalidContentType.into(),
            "it doesn't speak TLS there: does its URL begin with http://, or has it another port?",
        ),
        (
            InvalidMessage::MissingData("x").into(),
            "it sent what isn't TLS (missing data)",
        ),
        (
            PeerMisbehaved::SelectedUnofferedCipherSuite.into(),
            "it broke the rules of TLS (selected unoffered cipher suite)",
        ),
        (
            Error::InappropriateMessage {
                expect_types: vec![ContentType::Handshake],
                got_type: ContentType::Alert,
            },
            "it answered out of turn",
        ),
        (Error::NoCertificatesPresented, "it has no certificate"),
        (Error::DecryptError, "what it sent was damaged on its way"),
        (
            Error::FailedToGetRandomBytes,
            "this host has no random numbers yet",
        ),
        (InconsistentKeys::Unknown.into(), "inconsistent keys"),
        (Error::General("secret".into()), "general"),
        (
            CertificateError::UnknownIssuer.into(),
            "its certificate is signed by an authority that isn't trusted: put the authority's \
             certificate in CA_FILE",
        ),
    ] {
        let said = explain("r.example", &error, None);
        assert_eq!(said, format!("TLS with r.example failed: {expected}"));
    }
}
