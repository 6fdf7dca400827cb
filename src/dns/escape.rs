//! The octal escape `\ooo`, which domain names and TXT values share in Route 53's API.

use std::iter::Peekable;
use std::str::Bytes;

/// Appends an octet as a backslash and three octal digits.
pub fn push_octal(text: &mut String, octet: u8) {
    text.push_str(&format!("\\{octet:03o}"));
}

/// Reads the octet that is escaped by a backslash already read: three octal digits up to `377`,
/// or any other character, which stands for itself. `None` if the escape is malformed.
pub fn unescape(bytes: &mut Peekable<Bytes<'_>>) -> Option<u8> {
    let first = bytes.next()?;
    if !first.is_ascii_digit() {
        return Some(first);
    }
    let mut value = 0;
    for digit in [Some(first), bytes.next(), bytes.next()] {
        value = value * 8 + char::from(digit?).to_digit(8)?;
    }
    u8::try_from(value).ok()
}
