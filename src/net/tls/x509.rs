//! Reads a few fields of a certificate, because webpki verifies certificates but doesn't give these out:
//! names and algorithms for the texts of errors; dates and extensions for [`super::authority`].

use super::der::{BIT_STRING, INTEGER, OBJECT_ID, SEQUENCE, element, expect, seconds};

/// The fields of a certificate. If it can't be read, all of them have their defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The X.509 version: 1, 2 or 3.
    pub version: u8,
    /// The encoded name of the owner.
    pub subject: Vec<u8>,
    /// The encoded name of the issuer, which signed the certificate.
    pub issuer: Vec<u8>,
    /// The encoded signature algorithm, without its outer tag and length.
    pub signature: Vec<u8>,
    /// The owner's public key.
    pub key: Key,
    /// The first and the last second at which the certificate is valid, since 1970. `None` if they
    /// can't be read.
    pub valid: Option<(i64, i64)>,
    /// The encoded extensions, one after the other. `None` if there are none, as in version 1.
    pub extensions: Option<Vec<u8>>,
}

/// A public key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Key {
    /// The encoded algorithm of the key, without its outer tag and length.
    pub algorithm: Vec<u8>,
    /// The size of an RSA key, in bits.
    pub rsa_bits: Option<usize>,
}

/// The smallest RSA key whose signatures are verified.
pub const MIN_RSA_BITS: usize = 2048;

const VERSION: u8 = 0xa0;
/// The tags of the issuer's and the owner's unique id, which may come before the extensions.
const UNIQUE_IDS: [u8; 2] = [0x81, 0x82];
const EXTENSIONS: u8 = 0xa3;
const BMP_STRING: u8 = 0x1e;

/// Object identifiers of the parts of a name, in the order of preference for showing it: common name,
/// organisational unit, organisation.
const NAME_PARTS: [&[u8]; 3] = [&[0x55, 4, 3], &[0x55, 4, 11], &[0x55, 4, 10]];
/// Longest name that is shown, in characters.
const MAX_NAME: usize = 64;

const RSA: &str = "1.2.840.113549.1.1.1";
const ELLIPTIC: &str = "1.2.840.10045.2.1";

/// Object identifiers of signature algorithms, keys and curves, with their usual names.
const NAMES: &[(&str, &str)] = &[
    (RSA, "RSA"),
    ("1.2.840.113549.1.1.2", "RSA with MD2"),
    ("1.2.840.113549.1.1.4", "RSA with MD5"),
    ("1.2.840.113549.1.1.5", "RSA with SHA-1"),
    ("1.3.14.3.2.29", "RSA with SHA-1"),
    ("1.2.840.113549.1.1.10", "RSA-PSS"),
    ("1.2.840.113549.1.1.11", "RSA with SHA-256"),
    ("1.2.840.113549.1.1.12", "RSA with SHA-384"),
    ("1.2.840.113549.1.1.13", "RSA with SHA-512"),
    ("1.2.840.113549.1.1.14", "RSA with SHA-224"),
    (ELLIPTIC, "ECDSA"),
    ("1.2.840.10045.4.1", "ECDSA with SHA-1"),
    ("1.2.840.10045.4.3.1", "ECDSA with SHA-224"),
    ("1.2.840.10045.4.3.2", "ECDSA with SHA-256"),
    ("1.2.840.10045.4.3.3", "ECDSA with SHA-384"),
    ("1.2.840.10045.4.3.4", "ECDSA with SHA-512"),
    ("1.2.840.10045.3.1.1", "P-192"),
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.33", "P-224"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
    ("1.2.840.10040.4.1", "DSA"),
    ("1.2.840.10040.4.3", "DSA with SHA-1"),
    ("2.16.840.1.101.3.4.3.2", "DSA with SHA-256"),
    ("1.3.101.112", "Ed25519"),
    ("1.3.101.113", "Ed448"),
];

impl Summary {
    /// Reads the fields of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Summary {
        read(certificate).unwrap_or_default()
    }

    /// Whether owner and issuer are the same.
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }

    /// Whether the certificate is valid at a second since 1970.
    pub fn is_valid_at(&self, second: u64) -> bool {
        let second = i64::try_from(second).unwrap_or(i64::MAX);
        let valid = self.valid;
        valid.is_some_and(|(first, last)| (first..=last).contains(&second))
    }
}

impl Key {
    /// The usual name of the key, such as `ECDSA P-521` or `RSA of 1024 bits`.
    pub fn name(&self) -> String {
        match self.rsa_bits {
            Some(bits) => format!("RSA of {bits} bits"),
            None => algorithm(&self.algorithm),
        }
    }

    /// Whether TLS with a server that has this key is possible.
    pub fn is_usable(&self) -> bool {
        let name = algorithm(&self.algorithm);
        match self.rsa_bits {
            Some(bits) => bits >= MIN_RSA_BITS,
            None => ["ECDSA P-256", "ECDSA P-384", "Ed25519"].contains(&&*name),
        }
    }
}

fn read(certificate: &[u8]) -> Option<Summary> {
    let (whole, _) = expect(certificate, SEQUENCE)?;
    let (signed, _) = expect(whole, SEQUENCE)?;
    let (version, rest) = match expect(signed, VERSION) {
        Some((version, rest)) => (*expect(version, INTEGER)?.0.last()?, rest),
        None => (0, signed),
    };
    let (_serial, rest) = expect(rest, INTEGER)?;
    let (signature, rest) = expect(rest, SEQUENCE)?;
    let (issuer, rest) = expect(rest, SEQUENCE)?;
    let (validity, rest) = expect(rest, SEQUENCE)?;
    let (subject, rest) = expect(rest, SEQUENCE)?;
    let (key, mut rest) = expect(rest, SEQUENCE)?;
    for id in UNIQUE_IDS {
        if let Some((_, after)) = expect(rest, id) {
            rest = after;
        }
    }
    let extensions = match rest {
        [] => None,
        rest => Some(expect(expect(rest, EXTENSIONS)?.0, SEQUENCE)?.0.to_vec()),
    };
    Some(Summary {
        version: version.saturating_add(1),
        subject: subject.to_vec(),
        issuer: issuer.to_vec(),
        signature: signature.to_vec(),
        key: read_key(key)?,
        valid: read_validity(validity),
        extensions,
    })
}

fn read_validity(validity: &[u8]) -> Option<(i64, i64)> {
    let (tag, first, rest) = element(validity)?;
    let (last_tag, last, _) = element(rest)?;
    Some((seconds(tag, first)?, seconds(last_tag, last)?))
}

fn read_key(key: &[u8]) -> Option<Key> {
    let (algorithm, rest) = expect(key, SEQUENCE)?;
    let (bits, _) = expect(rest, BIT_STRING)?;
    let is_rsa = dotted(expect(algorithm, OBJECT_ID)?.0) == RSA;
    Some(Key {
        algorithm: algorithm.to_vec(),
        rsa_bits: is_rsa.then(|| rsa_bits(bits)).flatten(),
    })
}

/// The size of an RSA key in bits: that of its modulus. The content of the key's bit string is the
/// input.
fn rsa_bits(bits: &[u8]) -> Option<usize> {
    let (numbers, _) = expect(bits.get(1..)?, SEQUENCE)?;
    let (modulus, _) = expect(numbers, INTEGER)?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let zeros = modulus[first].leading_zeros() as usize;
    Some((modulus.len() - first) * 8 - zeros)
}

/// The usual name of an encoded algorithm, with its curve: `ECDSA P-521`, `RSA with SHA-1`.
pub fn algorithm(encoded: &[u8]) -> String {
    let Some((id, parameters)) = expect(encoded, OBJECT_ID) else {
        return "an algorithm that can't be read".to_owned();
    };
    let name = named(id);
    match expect(parameters, OBJECT_ID) {
        Some((curve, _)) => format!("{name} {}", named(curve)),
        None => name,
    }
}

fn named(id: &[u8]) -> String {
    let id = dotted(id);
    let known = NAMES.iter().find(|(known, _)| *known == id);
    known.map_or(id, |(_, name)| (*name).to_owned())
}

/// An object identifier in dotted form. Of a number that is too large, only the last 64 bits count.
fn dotted(id: &[u8]) -> String {
    let mut numbers = Vec::new();
    let mut number: u64 = 0;
    for byte in id {
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            numbers.push(number);
            number = 0;
        }
    }
    // The encoding combines the first two numbers into one.
    if let Some(first) = numbers.first_mut() {
        let top = (*first / 40).min(2);
        *first -= top * 40;
        numbers.insert(0, top);
    }
    let numbers: Vec<String> = numbers.iter().map(u64::to_string).collect();
    numbers.join(".")
}

/// The part of an encoded name that is shown: the first of [`NAME_PARTS`] that it has.
pub fn name(encoded: &[u8]) -> String {
    let mut parts = Vec::new();
    let mut rest = encoded;
    while let Some((_, set, next)) = element(rest) {
        rest = next;
        if let Some((pair, _)) = expect(set, SEQUENCE)
            && let Some((id, value)) = expect(pair, OBJECT_ID)
            && let Some((tag, text, _)) = element(value)
        {
            parts.push((id, text_of(tag, text)));
        }
    }
    let preferred = NAME_PARTS
        .iter()
        .find_map(|wanted| parts.iter().find(|(id, _)| id == wanted));
    preferred.map_or_else(|| "nameless".to_owned(), |(_, text)| text.clone())
}

fn text_of(tag: u8, text: &[u8]) -> String {
    let text = if tag == BMP_STRING {
        let units: Vec<u16> = text
            .chunks_exact(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    } else {
        String::from_utf8_lossy(text).into_owned()
    };
    text.chars().take(MAX_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_have_the_names_that_people_give_them() {
        for (encoded, expected) in [
            (&[6, 3, 0x2b, 0x65, 0x70][..], "Ed25519"),
            (
                &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4],
                "ECDSA with SHA-512",
            ),
            (
                &[
                    6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x23,
                ],
                "ECDSA P-521",
            ),
            (
                &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5, 5, 0],
                "RSA with SHA-1",
            ),
            (&[6, 3, 0x55, 0x1d, 0x25], "2.5.29.37"),
            (&[6, 2, 0x88, 0x37], "2.999"),
            (&[6, 9, 1], "an algorithm that can't be read"),
            (&[], "an algorithm that can't be read"),
        ] {
            assert_eq!(algorithm(encoded), expected);
        }
    }

    #[test]
    fn a_name_is_its_common_name_or_what_there_is() {
        let part = |id: u8, tag: u8, text: &[u8]| {
            let length = text.len() as u8;
            let mut part = vec![0x31, length + 9, 0x30, length + 7, 6, 3, 0x55, 4, id];
            part.extend([tag, length]);
            part.extend(text);
            part
        };
        let organisation = part(10, 0x0c, "Größe".as_bytes());
        let common = part(3, 0x1e, &[0x20, 0xac, 0, b'x']);
        assert_eq!(name(&organisation), "Größe");
        assert_eq!(name(&[organisation, common].concat()), "€x");
        assert_eq!(name(&part(6, 0x13, b"DE")), "nameless");
        assert_eq!(name(&part(3, 0x0c, b"\xff\x1b[")), "\u{fffd}\u{1b}[");
    }

    #[test]
    fn whatever_is_broken_is_read_as_nothing() {
        // A certificate that is cut off at each place, and one with each byte changed.
        let whole = include_bytes!("x509/rsa-1024-v1.der");
        let summary = Summary::of(whole);
        assert_eq!((summary.version, summary.key.rsa_bits), (1, Some(1024)));
        assert_eq!(algorithm(&summary.signature), "RSA with SHA-1");
        assert_eq!(name(&summary.subject), "old.example.org");
        for end in 0..whole.len() {
            assert_eq!(Summary::of(&whole[..end]), Summary::default());
        }
        for at in 0..whole.len() {
            for byte in [0, 0x7f, 0x80, 0x82, 0xff] {
                let mut other = whole.to_vec();
                other[at] = byte;
                let summary = Summary::of(&other);
                let _ = (
                    name(&summary.subject),
                    summary.key.name(),
                    algorithm(&summary.signature),
                );
            }
        }
    }
}
