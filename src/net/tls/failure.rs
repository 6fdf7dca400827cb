//! Explains a failure of TLS in one sentence for the operator: what the server offers, if that is
//! known, what is needed, and what to do. rustls's own texts are the names of its types, with parts
//! of certificates as lists of numbers.

use std::error::Error as StdError;
use std::fmt;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

use super::probe::{GROUPS, Offer, SUITES, TLS12, USABLE_GROUPS, USABLE_SUITES};
use super::refused::{Refused, Stage, certificate};

/// What this program needs of a server, for the end of a sentence.
pub const NEEDED: &str = "needed are TLS 1.2 or 1.3 with AES-GCM or ChaCha20, key exchange over \
    X25519, P-256 or P-384 (ECDHE), and a certificate with an RSA (2048 bits or more), \
    ECDSA P-256, P-384 or Ed25519 key";

/// A failure of TLS: a sentence for the operator.
#[derive(Debug)]
pub struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Failure {}

/// Whether the server may have ended the handshake because it supports nothing that this program
/// does. It is worth asking then what it offers.
pub fn is_incompatible(error: &Error) -> bool {
    use AlertDescription::{HandshakeFailure, InsufficientSecurity, ProtocolVersion};
    match error {
        Error::PeerIncompatible(_) => true,
        Error::AlertReceived(alert) => {
            [HandshakeFailure, InsufficientSecurity, ProtocolVersion].contains(alert)
        }
        _ => false,
    }
}

/// The sentence for an error of rustls. `offer` is what the server chose when it was asked.
pub fn explain(host: &str, error: &Error, offer: Option<&Offer>) -> String {
    let words = match error {
        Error::InvalidCertificate(CertificateError::Other(other))
            if let Some(refused) = other.0.downcast_ref::<Refused>() =>
        {
            certificate(host, refused)
        }
        Error::InvalidCertificate(error) => {
            let refused = Refused {
                error: error.clone(),
                stage: Stage::Chain,
                sent: Vec::new(),
                trusted: Vec::new(),
                is_own: false,
                takes_own: true,
                now: 0,
            };
            certificate(host, &refused)
        }
        Error::AlertReceived(alert) => alerted(host, *alert, offer),
        Error::PeerIncompatible(why) => {
            let why = match (offer, why) {
                (Some(offer), _) => unusable(offer),
                (None, PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
                    "it speaks TLS 1.1 or older".to_owned()
                }
                (None, why) => format!("it isn't compatible ({})", spaced(why)),
            };
            format!("{why}; {NEEDED}")
        }
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "it doesn't speak TLS there: does its URL begin with http://, or has it another port?"
                .to_owned()
        }
        Error::InvalidMessage(what) => format!("it sent what isn't TLS ({})", spaced(what)),
        Error::PeerMisbehaved(what) => format!("it broke the rules of TLS ({})", spaced(what)),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "it answered out of turn".to_owned()
        }
        Error::NoCertificatesPresented => "it has no certificate".to_owned(),
        Error::DecryptError | Error::PeerSentOversizedRecord => {
            "what it sent was damaged on its way".to_owned()
        }
        Error::FailedToGetCurrentTime => "the clock of this host can't be read".to_owned(),
        Error::FailedToGetRandomBytes => "this host has no random numbers yet".to_owned(),
        other => spaced(other),
    };
    format!("TLS with {host} failed: {words}")
}

/// The sentence for a connection that the server closed in the middle of the handshake.
pub fn closed(host: &str, offer: Option<&Offer>) -> String {
    let why = match offer {
        Some(offer) => format!("; asked for what it has, {}; {NEEDED}", unusable(offer)),
        None => ", as servers do that speak no TLS there or only an old one: check the host and the port of its URL"
            .to_owned(),
    };
    format!("TLS with {host} failed: it closed the connection in the middle of the handshake{why}")
}

fn alerted(host: &str, alert: AlertDescription, offer: Option<&Offer>) -> String {
    use AlertDescription as A;
    let word = match alert {
        A::Unknown(number) => format!("alert {number}"),
        known => spaced(&known),
    };
    match alert {
        A::HandshakeFailure | A::InsufficientSecurity | A::ProtocolVersion => match offer {
            // Only if nothing else is wrong: a server may ask for a certificate without needing it.
            Some(offer) if offer.asks_for_certificate && faults(offer).is_empty() => {
                CLIENT_CERTIFICATE.to_owned()
            }
            Some(offer) => format!("{}; {NEEDED}", unusable(offer)),
            None => format!("it takes nothing that this program offers ({word}); {NEEDED}"),
        },
        A::CertificateRequired | A::NoCertificate | A::BadCertificate | A::AccessDenied => {
            CLIENT_CERTIFICATE.to_owned()
        }
        A::UnrecognisedName => format!("it has no certificate for the name {host}: check the URL"),
        _ => format!("it ended the handshake ({word}); its own log may say why"),
    }
}

const CLIENT_CERTIFICATE: &str = "it asks for a client's certificate, which this program doesn't \
    have: let it take clients without one";

/// What this program can't use of a server's choice, as a part of a sentence.
fn unusable(offer: &Offer) -> String {
    let faults = faults(offer);
    if faults.is_empty() {
        return "it takes nothing that this program offers".to_owned();
    }
    faults.join(" and ")
}

/// One text for each part of a server's choice that this program can't use.
fn faults(offer: &Offer) -> Vec<String> {
    let Offer {
        version,
        suite,
        key,
        group,
        asks_for_certificate: _,
    } = offer;
    let named = |list: &[(u16, &str)], number: u16| {
        let known = list.iter().find(|(known, _)| *known == number);
        known.map_or(format!("number {number:#06x}"), |(_, name)| {
            (*name).to_owned()
        })
    };
    let is_in = |list: &[(u16, &str)], number: &u16| list.iter().any(|(known, _)| known == number);
    let mut faults = Vec::new();
    if *version < TLS12 {
        let version = match version {
            0x0300 => "SSL 3.0",
            0x0301 => "TLS 1.0",
            0x0302 => "TLS 1.1",
            _ => "an unknown version of TLS",
        };
        faults.push(format!("it speaks {version} at most"));
    }
    if !is_in(&SUITES[..USABLE_SUITES], suite) {
        let suite = named(&SUITES, *suite);
        faults.push(format!("it chooses the cipher suite {suite}"));
    }
    if let Some(group) = group
        && !is_in(&GROUPS[..USABLE_GROUPS], group)
    {
        let group = named(&GROUPS, *group);
        faults.push(format!("it exchanges keys over {group}"));
    }
    if let Some(key) = key
        && !key.is_usable()
    {
        faults.push(format!("its certificate's key is {}", key.name()));
    }
    faults
}

/// The name of an enum's variant as words: `NoKxGroupsInCommon` becomes "no kx groups in common".
/// The variant's fields are left out.
pub fn spaced(variant: &dyn fmt::Debug) -> String {
    spaced_name(&format!("{variant:?}"))
}

/// The same for the variant's name as text.
pub fn spaced_name(name: &str) -> String {
    let name: String = name
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect();
    let mut words = String::new();
    let mut before = 'A';
    for c in name.chars() {
        if c.is_ascii_uppercase() && !before.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
        before = c;
    }
    words
}

#[cfg(test)]
mod tests;
