//! Explains what is wrong with a server's certificate: a sentence with the certificate's names, dates
//! and algorithms, what is needed, and what to do.

mod issuer;

use std::error::Error as StdError;
use std::fmt;

use chrono::{DateTime, SecondsFormat};
use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use super::authority::{may_be_a_server, may_sign};
use super::failure::{NEEDED, spaced, spaced_name};
use super::x509::{MIN_RSA_BITS, Summary, algorithm, name};
use issuer::{top, unknown_issuer};

/// The signatures of certificates that can be verified, for the end of a sentence.
const VERIFIED: &str = "verified are RSA (2048 bits or more) with SHA-256, SHA-384 or SHA-512, \
    ECDSA (P-256 or P-384) with SHA-256 or SHA-384, and Ed25519";

/// What to do about such a signature. A certificate in CA_FILE is taken as itself at some hosts only.
fn sign_or_trust(refused: &Refused) -> &'static str {
    match refused.takes_own {
        true => "have it signed with one of these, or put the server's own certificate in CA_FILE",
        false => "have it signed with one of these",
    }
}

/// Most names of a certificate that are shown; it can have hundreds.
const MAX_NAMES: usize = 8;

/// An error about a server's certificate, with what the certificates say. It travels inside an error
/// of rustls, because rustls's own errors don't hold the certificates.
#[derive(Debug)]
pub struct Refused {
    pub error: CertificateError,
    /// The check that failed.
    pub stage: Stage,
    /// The certificates that the server sent, its own first.
    pub sent: Vec<Summary>,
    /// The certificates of CA_FILE.
    pub trusted: Vec<Summary>,
    /// The server's own certificate is one of those.
    pub is_own: bool,
    /// At this host, each of those is taken as itself.
    pub takes_own: bool,
    /// When the certificates were looked at, in seconds since 1970.
    pub now: u64,
}

/// A check of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The certificate is valid, and signed by a trusted authority.
    Chain,
    /// The server has the certificate's private key.
    Handshake,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&certificate("it", self))
    }
}

impl StdError for Refused {}

/// The sentence for an error about a certificate, without the beginning that names the host.
pub fn certificate(host: &str, refused: &Refused) -> String {
    use CertificateError as E;
    let own = refused.sent.first();
    let whose = own.map_or_else(
        || "its certificate".to_owned(),
        |own| format!("its certificate '{}'", name(&own.subject)),
    );
    let is_for_others = |own: &Summary| own.version == 3 && !may_be_a_server(own);
    if refused.stage == Stage::Chain && own.is_some_and(is_for_others) {
        return not_for_servers(&whose);
    }
    match &refused.error {
        E::UnknownIssuer => unknown_issuer(host, &whose, refused),
        E::ExpiredContext { time, not_after } => format!(
            "{whose} or one above it was valid until {}, and the clock of this host says {}: renew \
             the certificate, or set the clock",
            date(*not_after),
            date(*time)
        ),
        E::NotValidYetContext { time, not_before } => format!(
            "{whose} or one above it is valid from {} on, and the clock of this host says {}: set \
             the clock, or wait",
            date(*not_before),
            date(*time)
        ),
        E::Expired | E::NotValidYet => format!("{whose} isn't valid at this time: renew it"),
        E::NotValidForNameContext { presented, .. } => other_name(host, &whose, refused, presented),
        E::NotValidForName => other_name(host, &whose, refused, &[]),
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => not_for_servers(&whose),
        E::UnhandledCriticalExtension => unknown_extension(&whose),
        E::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        } => unverified(&whose, refused, signature_algorithm_id, None),
        E::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id,
            public_key_algorithm_id,
        } => unverified(
            &whose,
            refused,
            signature_algorithm_id,
            Some(public_key_algorithm_id),
        ),
        // An authority of the same name may stand beside it in CA_FILE.
        E::BadSignature if refused.is_own && !refused.takes_own => {
            unknown_issuer(host, &whose, refused)
        }
        E::BadSignature => bad_signature(&whose, refused),
        E::BadEncoding => format!("{whose} can't be read: it isn't an X.509 certificate in DER"),
        E::Revoked => format!("{whose} has been revoked"),
        E::Other(other) => malformed(host, &whose, refused, &other.to_string()),
        other => format!("{whose} can't be used ({})", spaced(other)),
    }
}

fn other_name(host: &str, whose: &str, refused: &Refused, presented: &[String]) -> String {
    let names: Vec<&str> = named_hosts(presented).collect();
    if names.is_empty() {
        let or_trust = match refused.takes_own {
            true => ", or put this very certificate in CA_FILE",
            false => "",
        };
        return format!(
            "{whose} names no host in its subjectAltName (a common name doesn't count): make one \
             that names {host} there{or_trust}"
        );
    }
    let more = match names.len().saturating_sub(MAX_NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown = &names[..names.len().min(MAX_NAMES)];
    format!(
        "{whose} is for {}{more}, not for {host}: use such a name in the URL, or make a certificate \
         that names {host} in its subjectAltName",
        shown.join(", ")
    )
}

/// The hosts among a certificate's names, which webpki gives as text.
pub fn named_hosts(presented: &[String]) -> impl Iterator<Item = &str> {
    presented.iter().filter_map(|name| presented_name(name))
}

/// The bare name in webpki's `DnsName("www.example.com")` or `IpAddress(192.0.2.1)`. `None` for other
/// kinds of names.
fn presented_name(presented: &str) -> Option<&str> {
    let (kind, name) = presented.split_once('(')?;
    let is_host = matches!(kind, "DnsName" | "IpAddress");
    is_host.then(|| name.trim_end_matches(')').trim_matches('"'))
}

fn not_for_servers(whose: &str) -> String {
    format!(
        "{whose} isn't one for servers: its extended key usage has to have serverAuth, or there \
         has to be none"
    )
}

fn unknown_extension(whose: &str) -> String {
    format!(
        "{whose} or one above it has an extension marked as critical that isn't known here: make \
         it without, or not critical"
    )
}

/// The sentence for a signature whose algorithm can't be verified.
fn unverified(whose: &str, refused: &Refused, signature: &[u8], key: Option<&[u8]>) -> String {
    let own = refused.sent.first();
    if refused.stage == Stage::Handshake {
        let key = match (own, key) {
            (Some(own), _) => own.key.name(),
            (None, Some(key)) => algorithm(key),
            (None, None) => algorithm(signature),
        };
        return format!("the key of {whose} is {key}; {NEEDED}");
    }
    let signed = refused.sent.iter().find(|sent| sent.signature == signature);
    let mut by = String::new();
    if let Some(signed) = signed {
        by = format!(" by '{}'", name(&signed.issuer));
        let above = refused.sent.iter().chain(&refused.trusted);
        let above = above.clone().find(|above| above.subject == signed.issuer);
        let key = key.map(algorithm).or_else(|| Some(above?.key.name()));
        if let Some(key) = key {
            by += &format!(", whose key is {key}");
        }
    } else if let Some(key) = key {
        by = format!(" by a key that is {}", algorithm(key));
    }
    let whose = match signed {
        Some(signed) if Some(signed) != own => {
            format!(
                "the certificate of the authority '{}'",
                name(&signed.subject)
            )
        }
        _ => whose.to_owned(),
    };
    let how = algorithm(signature);
    format!(
        "{whose} is signed with {how}{by}; {VERIFIED}: {}",
        sign_or_trust(refused)
    )
}

fn bad_signature(whose: &str, refused: &Refused) -> String {
    let is_small = |sent: &&Summary| sent.key.rsa_bits.is_some_and(|bits| bits < MIN_RSA_BITS);
    if refused.stage == Stage::Handshake {
        let small = refused.sent.first().filter(is_small);
        return match small {
            Some(own) => format!("the key of {whose} is {}; {NEEDED}", own.key.name()),
            None => format!("it doesn't have the key of {whose}"),
        };
    }
    let mut above = refused.sent.iter().skip(1).chain(&refused.trusted);
    let is_above = |sent: &&Summary| {
        refused
            .sent
            .iter()
            .any(|below| below.issuer == sent.subject)
    };
    if let Some(above) = above.find(|sent| is_small(sent) && is_above(sent)) {
        return format!(
            "{whose} is signed by '{}', whose key is {}; {VERIFIED}: {}",
            name(&above.subject),
            above.key.name(),
            sign_or_trust(refused)
        );
    }
    let own = refused.sent.first();
    let issuer = own.map(|own| name(&top(own, &refused.sent).issuer));
    let issuer = issuer.map_or_else(|| "its authority".to_owned(), |name| format!("'{name}'"));
    format!(
        "{whose} doesn't lead to the authority {issuer} that is trusted, but to another one of that \
         name: put the present certificate of {issuer} in CA_FILE"
    )
}

/// The sentence for an error of webpki that rustls has no variant for. `error` is its name.
fn malformed(host: &str, whose: &str, refused: &Refused, error: &str) -> String {
    let own = refused.sent.first();
    let is_none = |own: &Summary| may_sign(own).is_err();
    match error {
        // `openssl req -x509` makes such certificates.
        "CaUsedAsEndEntity"
            if own.is_some_and(Summary::is_self_signed)
                && (refused.takes_own || !refused.is_own || own.is_some_and(is_none)) =>
        {
            unknown_issuer(host, whose, refused)
        }
        "CaUsedAsEndEntity" if refused.takes_own => format!(
            "{whose} is an authority's (CA:TRUE), not a server's: put this very certificate in \
             CA_FILE, or make one with CA:FALSE"
        ),
        "CaUsedAsEndEntity" => format!(
            "{whose} is an authority's (CA:TRUE), not a server's: let the server have one with \
             CA:FALSE that this authority signed"
        ),
        "EndEntityUsedAsCa" => format!(
            "{whose} is signed by a certificate that isn't an authority's (CA:TRUE is missing): \
             have it signed by one that is"
        ),
        "UnsupportedCertVersion" => {
            let version = own.map_or(0, |own| own.version);
            let version = match version {
                1 | 2 => format!("is of X.509 version {version}"),
                _ => "or one above it isn't of X.509 version 3".to_owned(),
            };
            format!("{whose} {version}: make one of version 3, with the host in its subjectAltName")
        }
        "UnsupportedCriticalExtension" => unknown_extension(whose),
        "NameConstraintViolation" => {
            format!("{whose} has a name that its authority's name constraints don't allow")
        }
        "PathLenConstraintViolated" => {
            format!("{whose} has more authorities above it than one of them allows (pathlen)")
        }
        "SignatureAlgorithmMismatch" => {
            format!("{whose} or one above it names two algorithms for its one signature")
        }
        other => format!(
            "{whose} or one above it can't be used ({})",
            spaced_name(other)
        ),
    }
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, 0).map_or_else(
        || "a time that no calendar has".to_owned(),
        |date| date.to_rfc3339_opts(SecondsFormat::Secs, true),
    )
}

#[cfg(test)]
mod tests;
