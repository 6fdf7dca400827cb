//! Whether a certificate may sign others. webpki takes every certificate that it is given as a root for
//! an authority, whatever stands in it, so this has to be asked before.
//!
//! The rules are those of RFC 5280, section 4.2.1, as OpenSSL has them too. What can't be read is no
//! authority.

use std::fmt;

use super::der::{
    BIT_STRING, BOOLEAN, INTEGER, OBJECT_ID, OCTET_STRING, SEQUENCE, element, expect,
};
use super::x509::Summary;

/// Why a certificate may not sign those of servers. As text, it completes "it is no authority: ".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoAuthority {
    /// An extension can't be read.
    Unreadable,
    /// It is older than version 3, has no extensions therefore, and isn't a root.
    OldVersion,
    /// basicConstraints has no `CA:TRUE`, or is missing.
    NotCa,
    /// keyUsage has no `keyCertSign`.
    NoCertSign,
    /// extendedKeyUsage has no `serverAuth`.
    NotForServers,
    /// A critical extension, which may limit what it signs, isn't known here.
    UnknownExtension,
}

impl fmt::Display for NoAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoAuthority::Unreadable => "its extensions can't be read",
            NoAuthority::OldVersion => "it is older than X.509 version 3 and no root",
            NoAuthority::NotCa => "its basicConstraints don't have CA:TRUE",
            NoAuthority::NoCertSign => "its keyUsage doesn't have keyCertSign",
            NoAuthority::NotForServers => "its extendedKeyUsage doesn't have serverAuth",
            NoAuthority::UnknownExtension => "it has a critical extension that isn't known here",
        })
    }
}

/// How many authorities may stand between an authority and a server: pathLenConstraint.
/// `usize::MAX` if there is no limit.
pub type PathLength = usize;

/// The last number of the extensions' object identifiers, 2.5.29.x.
const KEY_USAGE: u8 = 15;
const BASIC_CONSTRAINTS: u8 = 19;
const EXTENDED_KEY_USAGE: u8 = 37;
/// Extensions that may be critical: webpki obeys those above and nameConstraints; the others (names,
/// revocation lists, policies, key ids) limit nothing that this program or OpenSSL by default asks for.
const KNOWN: [u8; 13] = [14, 15, 17, 18, 19, 30, 31, 32, 33, 35, 36, 37, 54];
const STANDARD: [u8; 2] = [0x55, 0x1d];
/// id-kp-serverAuth, 1.3.6.1.5.5.7.3.1.
const SERVER_AUTH: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
/// anyExtendedKeyUsage, 2.5.29.37.0: the authority doesn't limit the use of its keys (RFC 5280,
/// section 4.2.1.12).
const ANY_USAGE: &[u8] = &[0x55, 0x1d, 37, 0];
/// The bit keyCertSign in the first byte of keyUsage.
const KEY_CERT_SIGN: u8 = 0x04;

/// Whether a certificate may sign those of servers; if so, over how many other authorities.
pub fn may_sign(certificate: &Summary) -> Result<PathLength, NoAuthority> {
    if certificate.version < 3 {
        // Version 1 can't say what it is for. The roots of old private authorities are of this kind,
        // and OpenSSL, curl and Go take them. A server's own certificate of version 1 is never
        // accepted here, so it can be trusted only as an authority.
        return match certificate.is_self_signed() && certificate.version == 1 {
            true => Ok(usize::MAX),
            false => Err(NoAuthority::OldVersion),
        };
    }
    let extensions = certificate.extensions.as_deref().unwrap_or_default();
    let extensions = read(extensions).ok_or(NoAuthority::Unreadable)?;
    let is_unknown = |extension: &Extension<'_>| extension.is_critical && !extension.is_known();
    if extensions.iter().any(is_unknown) {
        return Err(NoAuthority::UnknownExtension);
    }
    // Version 3 without basicConstraints must not sign (section 4.2.1.9).
    let constraints = find(&extensions, BASIC_CONSTRAINTS).ok_or(NoAuthority::NotCa)?;
    let length = path_length(constraints).ok_or(NoAuthority::NotCa)?;
    if !allows_signing(&extensions) {
        return Err(NoAuthority::NoCertSign);
    }
    if !is_for_servers(&extensions, &[SERVER_AUTH, ANY_USAGE]) {
        return Err(NoAuthority::NotForServers);
    }
    Ok(length)
}

/// Whether keyUsage forbids a certificate to sign others. webpki leaves keyUsage aside.
pub fn is_forbidden_to_sign(certificate: &Summary) -> bool {
    let extensions = certificate.extensions.as_deref().unwrap_or_default();
    read(extensions).is_some_and(|extensions| !allows_signing(&extensions))
}

/// Whether extendedKeyUsage lets a certificate be a server's.
pub fn may_be_a_server(certificate: &Summary) -> bool {
    let extensions = certificate.extensions.as_deref().unwrap_or_default();
    read(extensions).is_some_and(|extensions| is_for_servers(&extensions, &[SERVER_AUTH]))
}

struct Extension<'a> {
    /// The content of its object identifier.
    id: &'a [u8],
    is_critical: bool,
    value: &'a [u8],
}

impl Extension<'_> {
    fn is_known(&self) -> bool {
        let last = self.id.strip_prefix(&STANDARD);
        last.is_some_and(|last| matches!(last, [number] if KNOWN.contains(number)))
    }
}

/// Reads the extensions. `None` if one is broken or comes twice.
fn read(mut rest: &[u8]) -> Option<Vec<Extension<'_>>> {
    let mut extensions: Vec<Extension<'_>> = Vec::new();
    while !rest.is_empty() {
        let (extension, after) = expect(rest, SEQUENCE)?;
        rest = after;
        let (id, extension) = expect(extension, OBJECT_ID)?;
        let (is_critical, extension) = match expect(extension, BOOLEAN) {
            Some((critical, extension)) => (boolean(critical)?, extension),
            None => (false, extension),
        };
        let (value, end) = expect(extension, OCTET_STRING)?;
        if !end.is_empty() || extensions.iter().any(|known| known.id == id) {
            return None;
        }
        extensions.push(Extension {
            id,
            is_critical,
            value,
        });
    }
    Some(extensions)
}

fn find<'a>(extensions: &[Extension<'a>], number: u8) -> Option<&'a [u8]> {
    let id = [STANDARD[0], STANDARD[1], number];
    let found = extensions.iter().find(|extension| extension.id == id);
    found.map(|extension| extension.value)
}

fn boolean(content: &[u8]) -> Option<bool> {
    match content {
        [0xff] => Some(true),
        [0] => Some(false),
        _ => None,
    }
}

/// The path length of basicConstraints with `CA:TRUE`. `None` without `CA:TRUE`, or if it can't be
/// read.
fn path_length(constraints: &[u8]) -> Option<PathLength> {
    let (constraints, _) = expect(constraints, SEQUENCE)?;
    let (is_ca, length) = expect(constraints, BOOLEAN)?;
    if !boolean(is_ca)? {
        return None;
    }
    match length {
        [] => Some(usize::MAX),
        length => match expect(length, INTEGER)? {
            // More than a path can have.
            ([1..=0x7f, _, ..] | [0, 0x80..=0xff, ..], []) => Some(usize::MAX),
            ([length @ ..=0x7f], []) => Some(usize::from(*length)),
            _ => None,
        },
    }
}

/// Whether there is no keyUsage, or one with keyCertSign (section 4.2.1.3).
fn allows_signing(extensions: &[Extension<'_>]) -> bool {
    let Some(usage) = find(extensions, KEY_USAGE) else {
        return true;
    };
    match expect(usage, BIT_STRING) {
        // The first byte is the number of bits at the end that don't count.
        Some(([0..=2, usage], _) | ([0..=7, usage, _, ..], _)) => usage & KEY_CERT_SIGN != 0,
        _ => false,
    }
}

/// Whether there is no extendedKeyUsage, or one with one of these uses.
fn is_for_servers(extensions: &[Extension<'_>], uses: &[&[u8]]) -> bool {
    let Some(usage) = find(extensions, EXTENDED_KEY_USAGE) else {
        return true;
    };
    let mut rest = expect(usage, SEQUENCE).map_or(&[][..], |(usage, _)| usage);
    while let Some((tag, id, after)) = element(rest) {
        if tag == OBJECT_ID && uses.contains(&id) {
            return true;
        }
        rest = after;
    }
    false
}

#[cfg(test)]
mod tests;
