//! Makes text from outside safe to show.

use std::fmt::Write as _;

use crate::base::redactor::shortened;

/// Whether a character is safe to show. Control characters (also those beyond ASCII), line
/// separators, changes of writing direction and characters without width aren't.
pub fn is_visible(c: char) -> bool {
    // Nearly all characters are of ASCII, and that is quicker to see.
    matches!(c, ' '..='~')
        || !c.is_control()
            && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A JSON string, which readers of logfmt understand too. Unsafe characters are escaped even where
/// JSON allows them.
pub fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if !is_visible(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// An error of the system in its own words, without the number that the standard library adds.
pub fn system_words(error: &std::io::Error) -> String {
    let words = error.to_string();
    let parts = words
        .split_once(" (os error ")
        .and_then(|(before, rest)| Some((before, rest.split_once(')')?)));
    match parts {
        Some((before, (number, after))) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{before}{after}")
        }
        _ => words,
    }
}

/// The start of a text as a JSON string: at most so many characters of it, without secrets.
pub fn quoted_start(text: &str, max_characters: usize) -> String {
    quoted(&shortened(text, max_characters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_shown_by_its_number() {
        for (from, to) in [
            ('\0', '\u{1f}'),
            ('\u{7f}', '\u{9f}'),
            ('\u{ad}', '\u{ad}'),
            ('\u{61c}', '\u{61c}'),
            ('\u{180e}', '\u{180e}'),
            ('\u{200b}', '\u{200f}'),
            ('\u{2028}', '\u{202e}'),
            ('\u{2060}', '\u{206f}'),
            ('\u{feff}', '\u{feff}'),
            ('\u{fff9}', '\u{fffb}'),
            ('\u{e0000}', '\u{e007f}'),
        ] {
            for c in from..=to {
                let shown = quoted(&format!("a{c}b"));
                assert!(shown.is_ascii() && shown.len() > 5, "{shown}");
                let parsed: String = serde_json::from_str(&shown).unwrap();
                assert_eq!(parsed, format!("a{c}b"));
            }
        }
        for text in ["web", "ü 中 שלום", "🙂", "e\u{301}"] {
            assert_eq!(quoted(text), format!("\"{text}\""));
        }
    }

    #[test]
    fn an_error_of_the_system_has_no_number() {
        let refused = std::io::Error::from_raw_os_error(111);
        assert_eq!(system_words(&refused), "Connection refused");
        let with_context = std::io::Error::other(format!("{refused}: while it was read"));
        assert_eq!(
            system_words(&with_context),
            "Connection refused: while it was read"
        );
        assert_eq!(
            system_words(&std::io::Error::other("it is odd")),
            "it is odd"
        );
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(quoted_start("a\nb", 3), "\"a\\nb\"");
        assert_eq!(quoted_start(&"ü".repeat(1_000_000), 3), "\"üüü…\"");
    }
}
