//! HTTP's authentication scheme `Basic` (RFC 7617).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::base::secret::Secret;

/// The value of `Authorization` or `Proxy-Authorization`.
pub fn header(user: &str, password: &str) -> Secret {
    let pair = STANDARD.encode(format!("{user}:{password}"));
    Secret::after("Basic ", &pair)
}
