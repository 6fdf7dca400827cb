//! Converts text to and from the values of TXT record sets.
//!
//! A value is one or more quoted strings of at most 255 octets each. Within them, `\"` stands for
//! a quote, `\\` for a backslash, and `\ooo` for an octet that is not printable ASCII.
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#TXTFormat>

use super::escape::{push_octal, unescape};

/// Octets in one quoted string. Longer text continues in another string of the same value.
const MAX_STRING_OCTETS: usize = 255;

/// The value of a TXT record that says `text`.
pub fn encode(text: &str) -> String {
    if text.len() <= MAX_STRING_OCTETS && text.bytes().all(is_plain) {
        return ["\"", text, "\""].concat();
    }
    encode_octets(text)
}

fn encode_octets(text: &str) -> String {
    let strings: Vec<String> = text
        .as_bytes()
        .chunks(MAX_STRING_OCTETS)
        .map(quote)
        .collect();
    if strings.is_empty() {
        "\"\"".to_owned()
    } else {
        strings.join(" ")
    }
}

/// Whether an octet is written as it is, without an escape.
fn is_plain(octet: u8) -> bool {
    matches!(octet, b' '..=b'~') && !matches!(octet, b'"' | b'\\')
}

fn quote(octets: &[u8]) -> String {
    let mut quoted = String::with_capacity(octets.len() + 2);
    quoted.push('"');
    for octet in octets {
        match octet {
            b'"' | b'\\' => quoted.extend(['\\', char::from(*octet)]),
            b' '..=b'~' => quoted.push(char::from(*octet)),
            _ => push_octal(&mut quoted, *octet),
        }
    }
    quoted.push('"');
    quoted
}

/// The text of a TXT record's value: its strings, joined. `None` if the value is malformed or not
/// UTF-8. A string without quotes ends at the next space.
pub fn decode(value: &str) -> Option<String> {
    // Most values are one string in which nothing is escaped.
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    if let Some(inner) = inner.filter(|inner| inner.bytes().all(is_plain)) {
        return Some(inner.to_owned());
    }
    decode_octets(value)
}

/// Does what [`decode`] does, octet by octet and for any value.
fn decode_octets(value: &str) -> Option<String> {
    let mut text = Vec::with_capacity(value.len());
    let mut bytes = value.bytes().peekable();
    loop {
        while bytes.next_if_eq(&b' ').is_some() {}
        let quoted = match bytes.peek() {
            None => return String::from_utf8(text).ok(),
            Some(b'"') => bytes.next().is_some(),
            Some(_) => false,
        };
        loop {
            match bytes.next() {
                Some(b'"') if quoted => break,
                Some(b'"') => return None,
                Some(b' ') if !quoted => break,
                Some(b'\\') => text.push(unescape(&mut bytes)?),
                Some(octet) => text.push(octet),
                None if quoted => return None,
                None => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encodes_and_splits() {
        assert_eq!(encode("web.example.com."), "\"web.example.com.\"");
        assert_eq!(encode("a\"b\\c"), r#""a\"b\\c""#);
        assert_eq!(encode("é"), r#""\303\251""#);
        assert_eq!(encode(""), "\"\"");
        assert_eq!(
            encode(&"x".repeat(300)),
            format!("\"{}\" \"{}\"", "x".repeat(255), "x".repeat(45))
        );
    }

    #[test]
    fn decodes_what_other_tools_write() {
        for (value, text) in [
            (r#""a" "b""#, Some("ab")),
            (r#"plain"#, Some("plain")),
            (r#"two words"#, Some("twowords")),
            (r#"a "b""#, Some("ab")),
            (r#""\141""#, Some("a")),
            (r#""a"#, None),
            (r#"a"b"#, None),
            (r#""\"#, None),
            (r#""\14""#, None),
            (r#""\999""#, None),
            (r#""\377""#, None),
        ] {
            assert_eq!(decode(value).as_deref(), text, "{value}");
        }
    }

    #[test]
    fn only_quotes_backslashes_and_what_isn_t_printable_are_escaped() {
        for octet in 0..=u8::MAX {
            let expected = (b' '..=b'~').contains(&octet) && octet != b'"' && octet != b'\\';
            assert_eq!(is_plain(octet), expected, "{octet}");
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_is_what_it_is_octet_by_octet(text in "[\"\\\\ a~\\x7fé]{0,9}|[a-z]{250,260}") {
            prop_assert_eq!(encode(&text), encode_octets(&text));
            prop_assert_eq!(decode(&text), decode_octets(&text));
        }

        #[test]
        fn decoding_undoes_encoding(text in "\\PC{0,400}") {
            prop_assert_eq!(decode(&encode(&text)), Some(text));
        }

        #[test]
        fn decoding_never_panics(value in "[\"\\\\ a0-9é]{0,40}") {
            decode(&value);
        }
    }
}
