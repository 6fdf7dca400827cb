//! Public keys for the tests of several files.

use super::x509::Key;

pub const P521: &[u8] = &[
    6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 5, 0x2b, 0x81, 4, 0, 0x23,
];
const RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];

pub fn rsa(bits: usize) -> Key {
    Key {
        algorithm: RSA.to_vec(),
        rsa_bits: Some(bits),
    }
}

pub fn p521() -> Key {
    Key {
        algorithm: P521.to_vec(),
        rsa_bits: None,
    }
}
