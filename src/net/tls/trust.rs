//! Who is trusted for what. Everything here is pure; each client of the program has a [`Trust`].
//!
//! | certificate | vouches for |
//! | --- | --- |
//! | built-in root | every host |
//! | authority in `CA_FILE`, within its dates | every host that it may sign for |
//! | any certificate in `CA_FILE`, within its dates | itself, at the host of `CATTLE_URL` and at proxies |
//!
//! So a server's own certificate in `CA_FILE` gives its owner no power over Route 53, STS or any other
//! host. A connection that carries requests to AWS takes no certificate as itself, even if AWS's
//! endpoint is set to the host of `CATTLE_URL`.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

use super::authority::{NoAuthority, PathLength, is_forbidden_to_sign, may_be_a_server, may_sign};
use super::refused::named_hosts;
use super::x509::{Summary, name};
use crate::base::brackets::without_brackets;

/// A certificate of `CA_FILE`.
#[derive(Debug)]
pub struct OwnCertificate {
    der: CertificateDer<'static>,
    summary: Summary,
    /// What it is as an authority, or why it is none.
    anchor: Result<(PathLength, TrustAnchor<'static>), NoAuthority>,
}

impl OwnCertificate {
    /// The certificate's name, for people.
    pub fn name(&self) -> String {
        name(&self.summary.subject)
    }

    /// Why it may not sign others; `None` if it may.
    pub fn no_authority(&self) -> Option<NoAuthority> {
        self.anchor.as_ref().err().copied()
    }

    /// Whether it is valid at this second since 1970.
    pub fn is_valid_at(&self, second: u64) -> bool {
        self.summary.is_valid_at(second)
    }

    /// Whether it may be a server's own: of X.509 version 3, and not for other purposes only.
    pub fn may_be_a_server(&self) -> bool {
        self.summary.version == 3 && may_be_a_server(&self.summary)
    }

    fn may_be_a_server_at(&self, second: u64) -> bool {
        self.is_valid_at(second) && self.may_be_a_server()
    }
}

/// The certificates of `CA_FILE`, each once. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct OwnCertificates(Arc<[OwnCertificate]>);

impl OwnCertificates {
    /// The certificates, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &OwnCertificate> {
        self.0.iter()
    }

    /// What the certificates say, for the texts of errors.
    pub(super) fn summaries(&self) -> Vec<Summary> {
        self.iter().map(|own| own.summary.clone()).collect()
    }
}

impl FromIterator<OwnCertificate> for OwnCertificates {
    fn from_iter<T: IntoIterator<Item = OwnCertificate>>(certificates: T) -> OwnCertificates {
        let mut once: Vec<OwnCertificate> = Vec::new();
        for certificate in certificates {
            if once.iter().all(|known| known.der != certificate.der) {
                once.push(certificate);
            }
        }
        OwnCertificates(once.into())
    }
}

/// Reads the certificates of a PEM file. Other things in it, such as private keys and revocation
/// lists, are left out. The error says what is wrong with the file.
pub fn certificates(pem: &[u8]) -> Result<Vec<OwnCertificate>, String> {
    let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("broken PEM: {error}"))?;
    if certificates.is_empty() {
        return Err("there is no certificate in it; it takes a file in PEM format".to_owned());
    }
    let numbered = certificates.into_iter().enumerate();
    numbered
        .map(|(index, der)| {
            let number = index + 1;
            let mut store = RootCertStore::empty();
            store
                .add(der.clone())
                .map_err(|error| format!("certificate {number} in it can't be read: {error}"))?;
            let summary = Summary::of(&der);
            let anchor = may_sign(&summary).and_then(|length| {
                let anchor = store.roots.pop().ok_or(NoAuthority::Unreadable)?;
                Ok((length, anchor))
            });
            Ok(OwnCertificate {
                der,
                summary,
                anchor,
            })
        })
        .collect()
}

/// Who is trusted at the connections of one client.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    own: OwnCertificates,
    /// The hosts at which each own certificate vouches for itself.
    as_itself_at: Vec<ServerName<'static>>,
}

impl Trust {
    /// Trusts the built-in roots and the authorities among these certificates.
    pub fn authorities(own: &OwnCertificates) -> Trust {
        Trust {
            own: own.clone(),
            as_itself_at: Vec::new(),
        }
    }

    /// Trusts the same authorities and, at this host, each own certificate as itself. The host is a
    /// name or an address; an IPv6 address may be in brackets.
    pub fn and_each_as_itself_at(mut self, host: &str) -> Trust {
        // Connections to what is no host name fail before a certificate comes.
        let host = ServerName::try_from(without_brackets(host).to_owned());
        self.as_itself_at.extend(host);
        self
    }

    /// The certificates of `CA_FILE`.
    pub fn own(&self) -> &OwnCertificates {
        &self.own
    }

    /// Whether own certificates vouch for themselves at this host. Names are compared without regard
    /// to case and to a dot at the end.
    pub fn takes_own_at(&self, host: &ServerName<'_>) -> bool {
        self.as_itself_at.iter().any(|known| known == host)
    }

    /// The own certificate that is this one, byte by byte.
    pub fn find_own(&self, certificate: &CertificateDer<'_>) -> Option<&OwnCertificate> {
        self.own.iter().find(|own| own.der == *certificate)
    }

    /// Verifies the certificates that a server sent, its own first. The error is about the chain of
    /// authorities or about the name.
    pub fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let named = verify_server_name(&parsed, host);
        let own = self
            .find_own(end_entity)
            .filter(|own| self.takes_own_at(host) && own.may_be_a_server_at(now.as_secs()));
        if let Some(own) = own {
            return match names_may_be(&named, &own.summary) {
                true => Ok(()),
                false => named,
            };
        }
        self.verify_chain(&parsed, intermediates, now, algorithms)
            .and(named)
    }

    /// Whether an authority that may do so has signed a certificate, directly or by way of the sent
    /// ones.
    fn verify_chain(
        &self,
        end_entity: &ParsedCertificate<'_>,
        sent: &[CertificateDer<'_>],
        now: UnixTime,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Result<(), Error> {
        let mut signers: Vec<CertificateDer<'_>> = Vec::with_capacity(sent.len());
        for certificate in sent {
            if !is_forbidden_to_sign(&Summary::of(certificate)) {
                signers.push(certificate.clone());
            }
        }
        let mut refusal = Error::from(CertificateError::UnknownIssuer);
        for (length, roots) in self.anchors_at(now.as_secs()).into_iter().rev() {
            let roots = RootCertStore { roots };
            let verified = verify_server_cert_signed_by_trust_anchor(
                end_entity,
                &roots,
                &signers[..signers.len().min(length)],
                now,
                algorithms.all,
            );
            match verified {
                Ok(()) => return Ok(()),
                Err(error) if refusal == CertificateError::UnknownIssuer.into() => refusal = error,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    /// The authorities that are valid at a second, by how many others may stand between each and a
    /// server. webpki doesn't look at dates and path lengths of trusted authorities, so each group is
    /// tried with only as many of the sent certificates; servers send them in order.
    fn anchors_at(&self, second: u64) -> BTreeMap<PathLength, Vec<TrustAnchor<'static>>> {
        let built_in = webpki_roots::TLS_SERVER_ROOTS.to_vec();
        let mut anchors = BTreeMap::from([(usize::MAX, built_in)]);
        for own in self.own.iter().filter(|own| own.is_valid_at(second)) {
            if let Ok((length, anchor)) = &own.anchor {
                anchors.entry(*length).or_default().push(anchor.clone());
            }
        }
        anchors
    }
}

/// Whether the names in a certificate don't forbid to take it as itself: it has the host's, or no
/// host's at all, as old ones with only a common name; or nobody but its own key vouches for them.
/// What another authority has signed for other hosts belongs to those.
fn names_may_be(named: &Result<(), Error>, certificate: &Summary) -> bool {
    match named {
        Ok(()) => true,
        Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented,
            ..
        })) => certificate.is_self_signed() || named_hosts(presented).next().is_none(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests;
