//! Absolute domain names, in the one form in which Route 53 returns them.

use std::fmt;
use std::sync::Arc;

/// RFC 1035 §2.3.4: a label has at most 63 octets.
const LONGEST_LABEL: usize = 63;
/// RFC 1035 §2.3.4: a name has at most 255 octets, counting each label's length octet and the
/// root's.
const LONGEST_NAME: usize = 255;

/// An absolute domain name: lower case, a dot at the end, every octet other than `a-z 0-9 - _`
/// as `\ooo` (`*` is `\052`), as Route 53 returns it:
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>
///
/// Clones share the text: a service's name is in half a dozen places, which was a tenth of the memory
/// that 10,000 of them take.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a text is no domain name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameError {
    /// Nothing, or nothing but the root.
    Empty,
    /// Two dots in a row, or one at the start.
    EmptyLabel,
    /// A label of more than 63 octets.
    LabelTooLong,
    /// More than 255 octets in all.
    TooLong,
    /// A backslash that starts neither `\ooo` nor an escaped character.
    BadEscape,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NameError::Empty => "the name is empty",
            NameError::EmptyLabel => "a label of the name is empty",
            NameError::LabelTooLong => "a label of the name is longer than 63 characters",
            NameError::TooLong => "the name is longer than 255 octets",
            NameError::BadEscape => "the name has a backslash that escapes nothing",
        })
    }
}

impl std::error::Error for NameError {}

impl Name {
    /// Reads a name with or without its trailing dot, in any case, escaped or not.
    pub fn parse(text: &str) -> Result<Name, NameError> {
        if is_plain(text) {
            let dot = if text.ends_with('.') { "" } else { "." };
            return Ok(Name([text, dot].concat().into()));
        }
        Name::parse_octets(text)
    }

    /// The same for any text, octet by octet.
    fn parse_octets(text: &str) -> Result<Name, NameError> {
        let mut name = String::with_capacity(text.len() + 1);
        let mut octets = 1; // the root's
        let mut label = 0;
        let mut bytes = text.bytes().peekable();
        if matches!(text, "" | ".") {
            return Err(NameError::Empty);
        }
        while let Some(byte) = bytes.next() {
            if byte == b'.' {
                if label == 0 {
                    return Err(NameError::EmptyLabel);
                }
                label = 0;
                name.push('.');
                continue;
            }
            let octet = if byte == b'\\' {
                unescape(&mut bytes)?
            } else {
                byte
            };
            if label == 0 {
                octets += 1; // the label's length
            }
            label += 1;
            octets += 1;
            if label > LONGEST_LABEL {
                return Err(NameError::LabelTooLong);
            }
            push_escaped(&mut name, octet);
        }
        if label > 0 {
            name.push('.');
        }
        if octets > LONGEST_NAME {
            return Err(NameError::TooLong);
        }
        Ok(Name(name.into()))
    }

    /// With its trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without its trailing dot.
    pub fn without_dot(&self) -> &str {
        self.0.strip_suffix('.').unwrap_or(&self.0)
    }

    /// This name with one more label in front, or several with dots.
    pub fn child(&self, label: &str) -> Result<Name, NameError> {
        let child = Name::parse(&format!("{label}.{self}"))?;
        match child.is_at_or_below(self) {
            true => Ok(child),
            false => Err(NameError::BadEscape), // a backslash at its end, before the dot
        }
    }

    /// Whether it is `ancestor` or below it, label by label: `a.b.` is below `b.`, `ab.` isn't.
    pub fn is_at_or_below(&self, ancestor: &Name) -> bool {
        let rest = self.0.strip_suffix(&*ancestor.0);
        // An escaped dot is `\056`, so the dot before a match is always a label's end.
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// What ListResourceRecordSets sorts by: the labels reversed, each with its dot. See
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html>.
    pub fn listing_key(&self) -> String {
        let mut key = String::with_capacity(self.0.len());
        for label in self.without_dot().rsplit('.') {
            key.push_str(label);
            key.push('.');
        }
        key
    }
}

/// Whether a text is a name in Route 53's form, but perhaps for the last dot. Nearly all are, and
/// this takes a tenth of what looking at them octet by octet does.
fn is_plain(text: &str) -> bool {
    let mut label = 0;
    for byte in text.bytes() {
        label = match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' if label < LONGEST_LABEL => label + 1,
            b'.' if label > 0 => 0,
            _ => return false,
        };
    }
    // Each label with its length octet or dot, and the root's.
    let octets = text.len() + usize::from(label > 0) + 1;
    !text.is_empty() && octets <= LONGEST_NAME
}

/// The octet that follows a backslash: three octal digits, or any other character for itself.
fn unescape(bytes: &mut std::iter::Peekable<std::str::Bytes<'_>>) -> Result<u8, NameError> {
    let first = bytes.next().ok_or(NameError::BadEscape)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut value = octal(first)?;
    for _ in 0..2 {
        value = value * 8 + octal(bytes.next().ok_or(NameError::BadEscape)?)?;
    }
    u8::try_from(value).map_err(|_| NameError::BadEscape)
}

fn octal(digit: u8) -> Result<u32, NameError> {
    char::from(digit).to_digit(8).ok_or(NameError::BadEscape)
}

fn push_escaped(name: &mut String, octet: u8) {
    if octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_' {
        name.push(char::from(octet.to_ascii_lowercase()));
    } else {
        name.push_str(&format!("\\{octet:03o}"));
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_names_into_route_53_s_form() {
        for (text, expected) in [
            ("example.com", "example.com."),
            ("Example.COM.", "example.com."),
            ("*.example.com", "\\052.example.com."),
            ("\\052.example.com.", "\\052.example.com."),
            ("a\\.b.c", "a\\056b.c."),
            ("_dmarc.x", "_dmarc.x."),
            ("é.x", "\\303\\251.x."),
            ("a b", "a\\040b."),
            ("com", "com."),
        ] {
            assert_eq!(Name::parse(text).unwrap().as_str(), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_name() {
        let long_label = "a".repeat(64);
        let longest = [
            "a".repeat(63),
            "b".repeat(63),
            "c".repeat(63),
            "d".repeat(61),
        ]
        .join(".");
        assert!(Name::parse(&longest).is_ok());
        for (text, error) in [
            ("", NameError::Empty),
            (".", NameError::Empty),
            (".a", NameError::EmptyLabel),
            ("a..b", NameError::EmptyLabel),
            (long_label.as_str(), NameError::LabelTooLong),
            (&format!("{longest}e"), NameError::TooLong),
            ("a\\", NameError::BadEscape),
            ("a\\05", NameError::BadEscape),
            ("a\\089", NameError::BadEscape),
            ("a\\777", NameError::BadEscape),
        ] {
            assert_eq!(Name::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn below_goes_by_labels_not_letters() {
        let name = |text| Name::parse(text).unwrap();
        for (below, ancestor, expected) in [
            ("a.b.example.com", "b.example.com", true),
            ("b.example.com", "b.example.com", true),
            ("ab.example.com", "b.example.com", false),
            ("example.com", "b.example.com", false),
            ("a\\.b.example.com", "b.example.com", false),
        ] {
            assert_eq!(
                name(below).is_at_or_below(&name(ancestor)),
                expected,
                "{below}"
            );
        }
    }

    #[test]
    fn a_child_is_below_its_parent() {
        let parent = Name::parse("example.com").unwrap();
        for (label, child) in [
            ("a.b", Ok("a.b.example.com.")),
            ("a\\\\", Ok("a\\134.example.com.")),
            ("a\\", Err(NameError::BadEscape)),
            ("", Err(NameError::EmptyLabel)),
            ("a.", Err(NameError::EmptyLabel)),
        ] {
            let child = child.map(|text| Name::parse(text).unwrap());
            assert_eq!(parent.child(label), child, "{label}");
        }
    }

    #[test]
    fn the_listing_s_order_counts_the_dots() {
        let mut names: Vec<Name> = [
            "external-dns-u",
            "external-dns-u-1",
            "external-dns-u-10",
            "a",
        ]
        .iter()
        .map(|label| Name::parse(&format!("{label}.z")).unwrap())
        .collect();
        names.sort_by_key(Name::listing_key);
        let sorted: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        assert_eq!(
            sorted,
            [
                "a.z.",
                "external-dns-u-1.z.",
                "external-dns-u-10.z.",
                "external-dns-u.z."
            ]
        );
    }

    proptest! {
        #[test]
        fn what_is_plain_reads_as_it_does_octet_by_octet(
            text in "[a-c.\\\\A*]{0,9}|[a-z.]{0,300}|(a{60,64}\\.){0,2}(b{60,64}\\.){0,2}(c{58,64}\\.?)?"
        ) {
            prop_assert_eq!(Name::parse(&text), Name::parse_octets(&text));
        }

        #[test]
        fn parsing_is_idempotent_and_never_panics(text in "\\PC{0,80}|[a-z.\\\\0-9*]{0,300}") {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()).unwrap(), name.clone());
                prop_assert_eq!(Name::parse(name.without_dot()).unwrap(), name);
            }
        }
    }
}
