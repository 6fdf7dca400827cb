//! Explains that no trusted authority has signed a server's certificate: what signed it instead, and
//! what to do.

use std::time::Duration;

use rustls::pki_types::UnixTime;

use super::{Refused, date};
use crate::net::tls::authority::{NoAuthority, is_forbidden_to_sign, may_sign};
use crate::net::tls::x509::{Summary, name};

/// Who signed the server's certificate, or one above it, and isn't good for that.
enum Signer<'a> {
    /// It stands in CA_FILE or was sent, and may not sign.
    NoAuthority(&'a Summary, NoAuthority),
    /// It stands in CA_FILE, and isn't valid now.
    OutOfDate(&'a Summary),
    /// It stands in CA_FILE, and allows fewer authorities below it than there are.
    TooFar(&'a Summary),
}

/// The sentence for a certificate without a trusted issuer.
pub fn unknown_issuer(host: &str, whose: &str, refused: &Refused) -> String {
    let Some(own) = refused.sent.first() else {
        return format!(
            "{whose} is signed by an authority that isn't trusted: put the \
             authority's certificate in CA_FILE"
        );
    };
    if refused.is_own && !refused.takes_own {
        let why = may_sign(own).err();
        let why = why.map_or_else(String::new, |why| format!(" ({why})"));
        return format!(
            "{whose} stands in CA_FILE but is no authority{why}, so it is trusted only at the host \
             of CATTLE_URL and at a proxy, not at {host}: have the certificate of {host} signed by \
             an authority, and put that authority's certificate in CA_FILE"
        );
    }
    if own.is_self_signed() {
        return match refused.takes_own {
            true => format!(
                "{whose} is signed by itself and isn't trusted: put this certificate in CA_FILE"
            ),
            false => format!(
                "{whose} is signed by itself and isn't trusted: have it signed by an authority, and \
                 put that authority's certificate in CA_FILE"
            ),
        };
    }
    if let Some(signer) = signer(own, refused) {
        return format!("{whose} {}", signer.in_words(refused));
    }
    let issuer = name(&top(own, &refused.sent).issuer);
    format!(
        "{whose} is signed by the authority '{issuer}', which isn't trusted: put the certificate of \
         '{issuer}' in CA_FILE"
    )
}

impl Signer<'_> {
    /// What is wrong with it and what to do, to follow the name of the server's certificate.
    fn in_words(&self, refused: &Refused) -> String {
        match self {
            Signer::NoAuthority(signer, why) => {
                let or_trust = match refused.takes_own {
                    true => ", or put the server's own certificate in CA_FILE",
                    false => "",
                };
                format!(
                    "is signed by '{}', which is no authority ({why}): have it signed by one that \
                     is{or_trust}",
                    name(&signer.subject)
                )
            }
            Signer::OutOfDate(signer) => format!(
                "is signed by the authority '{0}', whose certificate in CA_FILE {1}, and the clock \
                 of this host says {2}: put the present certificate of '{0}' in CA_FILE, or set the \
                 clock",
                name(&signer.subject),
                dates(signer),
                date_of(refused.now)
            ),
            Signer::TooFar(signer) => format!(
                "has more authorities between it and '{}' in CA_FILE than that one allows (pathlen)",
                name(&signer.subject)
            ),
        }
    }
}

fn dates(certificate: &Summary) -> String {
    let date = |second: i64| date_of(u64::try_from(second).unwrap_or_default());
    certificate.valid.map_or_else(
        || "has dates that can't be read".to_owned(),
        |(first, last)| format!("is valid from {} to {}", date(first), date(last)),
    )
}

fn date_of(second: u64) -> String {
    date(UnixTime::since_unix_epoch(Duration::from_secs(second)))
}

/// The first signer, from the server's certificate up, that isn't good enough.
fn signer<'a>(own: &'a Summary, refused: &'a Refused) -> Option<Signer<'a>> {
    let mut below = own;
    // Limited, because the certificates could name each other as issuers.
    for (between, _) in refused.sent.iter().enumerate() {
        let is_above = |above: &&Summary| above.subject == below.issuer;
        let trusted: Vec<&Summary> = refused.trusted.iter().filter(is_above).collect();
        let faults = trusted.iter().map(|above| match may_sign(above) {
            Err(why) => Some(Signer::NoAuthority(above, why)),
            Ok(_) if !above.is_valid_at(refused.now) => Some(Signer::OutOfDate(above)),
            Ok(length) if length < between => Some(Signer::TooFar(above)),
            Ok(_) => None,
        });
        // If one of them is good, something else is wrong.
        if let Some(faults) = faults.collect::<Option<Vec<_>>>()
            && let Some(fault) = faults.into_iter().next()
        {
            return Some(fault);
        }
        let above = refused.sent.iter().find(is_above)?;
        if is_forbidden_to_sign(above) {
            return Some(Signer::NoAuthority(above, NoAuthority::NoCertSign));
        }
        below = above;
    }
    None
}

/// The top of the chain that the server sent. The loop is limited, because the certificates could
/// name each other as issuers.
pub fn top<'a>(own: &'a Summary, sent: &'a [Summary]) -> &'a Summary {
    let mut top = own;
    for _ in sent {
        match sent.iter().find(|above| above.subject == top.issuer) {
            Some(above) if !top.is_self_signed() => top = above,
            _ => break,
        }
    }
    top
}
