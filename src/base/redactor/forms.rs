//! The forms in which a server may quote a secret, apart from escapes, which are undone in the text
//! instead.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::base::percent::encode_segment;

/// A secret as it is and as a form field has it, and both in Base64 and in hexadecimal digits.
pub fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut sent = vec![secret.to_owned()];
    sent.extend(Some(encode_segment(secret)).filter(|encoded| encoded != secret));
    let mut forms = Vec::new();
    for text in &sent {
        let digits = hex::encode(text);
        forms.extend([digits.to_uppercase(), digits]);
        // Base64 has four characters for three bytes, so a text looks in three ways, by where it
        // starts among what is encoded with it.
        for skipped in 0..3.min(text.len()) {
            let text = &text.as_bytes()[skipped..];
            let base64 = STANDARD.encode(text);
            if base64.contains(['+', '/']) {
                forms.push(URL_SAFE.encode(text));
            }
            forms.push(base64);
        }
    }
    forms.extend(sent);
    forms.into_iter().map(String::into_bytes).collect()
}
