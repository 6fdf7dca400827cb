//! Makes text from outside safe for HTML, JSON and Prometheus's text format: without secrets, and
//! escaped.

use std::fmt::Write as _;

use crate::base::redactor::redact;
use crate::base::text::{is_visible, quoted};

/// Appends a template, with an escaped value in the place of each `{}`.
pub fn fill(out: &mut String, escape: fn(&mut String, &str), template: &str, values: &[&str]) {
    let mut values = values.iter();
    for (index, part) in template.split("{}").enumerate() {
        if index > 0 {
            escape(out, values.next().copied().unwrap_or_default());
        }
        out.push_str(part);
    }
}

/// Escapes for HTML, between tags or in a quoted attribute. Invisible characters that change how
/// the text around them looks are shown as numbers.
pub fn html(out: &mut String, text: &str) {
    let text = redact(text);
    let is_special = |c: char| matches!(c, '&' | '<' | '>' | '"' | '\'') || !is_visible(c);
    let mut copied = 0;
    for (at, special) in text.char_indices().filter(|(_, c)| is_special(*c)) {
        out.push_str(&text[copied..at]);
        copied = at + special.len_utf8();
        match special {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            hidden => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(hidden));
            }
        }
    }
    out.push_str(&text[copied..]);
}

/// A JSON string, with its quotes.
pub fn json(out: &mut String, text: &str) {
    out.push_str(&quoted(&redact(text)));
}

/// A label's value in Prometheus's text format, with its quotes.
pub fn label(out: &mut String, text: &str) {
    for c in redact(text).chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

/// Text that needs no escaping.
pub fn not_at_all(out: &mut String, text: &str) {
    out.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(escape: fn(&mut String, &str), text: &str) -> String {
        let mut out = String::new();
        fill(&mut out, escape, "[{}]", &[text]);
        out
    }

    #[test]
    fn nothing_leaves_the_text_it_is_in() {
        for (text, expected) in [
            ("plain ü 中", "[plain ü 中]"),
            (
                "<script>alert(\"x\")</script>",
                "[&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;]",
            ),
            ("a & 'b'", "[a &amp; &#39;b&#39;]"),
            ("&lt;", "[&amp;lt;]"),
            ("a\u{202e}b\0\n", "[a\\u{202e}b\\u{0}\\u{a}]"),
            ("שלום", "[שלום]"),
            ("{}", "[{}]"),
        ] {
            assert_eq!(through(html, text), expected, "{text:?}");
        }
        assert_eq!(through(json, "a\"\n</"), "[\"a\\\"\\n</\"]");
        assert_eq!(through(label, "a\"\\\n"), "[a\\\"\\\\\\n]");
    }

    #[test]
    fn values_take_their_places() {
        let mut out = String::new();
        fill(&mut out, html, "{}<b>{}</b>{}", &["1", "<", "{}"]);
        fill(&mut out, html, "|{}|{}", &["2"]);
        assert_eq!(out, "1<b>&lt;</b>{}|2|");
    }
}
