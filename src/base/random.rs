//! Random bits.

use std::hash::{BuildHasher, RandomState};

/// 64 random bits, other ones at each call. They come from the key of the standard library's hash
/// maps, which has the system's randomness in it: good enough for jitter and for what a stranger
/// must not guess, not for secrets.
pub fn bits() -> u64 {
    RandomState::new().hash_one(0)
}
