//! Absolute domain names, in the form in which Route 53 returns them.
//!
//! A text goes in, in any case, escaped or not. A [`Name`] comes out, or why the text is not a
//! domain name.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::escape::{push_octal, unescape};

/// RFC 1035 §2.3.4: a label has at most 63 octets.
const MAX_LABEL_OCTETS: usize = 63;
/// RFC 1035 §2.3.4: a name has at most 255 octets, counting each label's length octet and the
/// root's.
const MAX_NAME_OCTETS: usize = 255;
/// The start of a wildcard's name in Route 53's form: the label `*`.
const WILDCARD: &str = "\\052.";

/// An absolute domain name in Route 53's form: lower case, with a dot at the end, and with every
/// octet other than `a-z 0-9 - _` written as `\ooo`, so `*` is `\052`.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>
///
/// [`Name::as_str`] gives this form, for requests and for state records. People and Rancher see
/// [`Name::shown`], which is also what `Display` writes: there a wildcard begins with `*`.
///
/// Clones share the text. The name of a service is kept in half a dozen places, and with 10,000
/// services the copies would take a tenth of the memory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

/// Why a text is not a domain name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameError {
    /// The text is empty, or only the root's dot.
    Empty,
    /// The text has two dots in a row, or one at the start.
    EmptyLabel,
    /// A label has more than 63 octets.
    LabelTooLong,
    /// The name has more than 255 octets, counted as RFC 1035 does.
    TooLong,
    /// A backslash is followed neither by three octal digits up to `377` nor by a character
    /// that is not a digit.
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
    /// Reads a name with or without a dot at the end, in any case, escaped or not.
    pub fn parse(text: &str) -> Result<Name, NameError> {
        if is_plain(text) {
            let dot = if text.ends_with('.') { "" } else { "." };
            return Ok(Name([text, dot].concat().into()));
        }
        Name::parse_octets(text)
    }

    /// Does what [`Name::parse`] does, octet by octet and for any text.
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
                unescape(&mut bytes).ok_or(NameError::BadEscape)?
            } else {
                byte
            };
            if label == 0 {
                octets += 1; // the label's length
            }
            label += 1;
            octets += 1;
            if label > MAX_LABEL_OCTETS {
                return Err(NameError::LabelTooLong);
            }
            push_escaped(&mut name, octet);
        }
        if label > 0 {
            name.push('.');
        }
        if octets > MAX_NAME_OCTETS {
            return Err(NameError::TooLong);
        }
        Ok(Name(name.into()))
    }

    /// The name in Route 53's form, with the dot at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as people and Rancher see it, with the dot at its end: a wildcard's first label is
    /// `*`. All other escapes stay, so that no two names look the same.
    pub fn shown(&self) -> Cow<'_, str> {
        match self.0.strip_prefix(WILDCARD) {
            Some(rest) => Cow::Owned(format!("*.{rest}")),
            None => Cow::Borrowed(&self.0),
        }
    }

    /// What [`Name::shown`] gives, without the dot at its end.
    pub fn without_dot(&self) -> Cow<'_, str> {
        match self.shown() {
            Cow::Borrowed(name) => Cow::Borrowed(cut_dot(name)),
            Cow::Owned(name) => Cow::Owned(cut_dot(&name).to_owned()),
        }
    }

    /// A name below this one. `label` goes in front of it, and may be several labels with dots
    /// between them.
    pub fn child(&self, label: &str) -> Result<Name, NameError> {
        let child = Name::parse(&format!("{label}.{}", self.0))?;
        if child.is_at_or_below(self) {
            Ok(child)
        } else {
            // `label` ends in a backslash, which has escaped the dot behind it.
            Err(NameError::BadEscape)
        }
    }

    /// Whether this name is `ancestor` or a name below it. Whole labels are compared: `a.b.` is
    /// below `b.`, `ab.` is not.
    pub fn is_at_or_below(&self, ancestor: &Name) -> bool {
        let rest = self.0.strip_suffix(&*ancestor.0);
        // A dot within a label is written `\056`, so a dot is always the end of a label.
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The names above this one and below `ancestor`, from the longest to the shortest. There are none
    /// if this one isn't below it.
    pub fn between(&self, ancestor: &Name) -> Vec<Name> {
        let mut names = Vec::new();
        let mut rest = &*self.0;
        while let Some((_, parent)) = rest.split_once('.') {
            let parent = match Name::parse(parent) {
                Ok(parent) if parent != *ancestor && parent.is_at_or_below(ancestor) => parent,
                _ => break,
            };
            rest = &rest[rest.len() - parent.0.len()..];
            names.push(parent);
        }
        names
    }

    /// The key by which ListResourceRecordSets sorts: the labels in reverse order, each followed
    /// by a dot. See
    /// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html>.
    pub fn listing_key(&self) -> String {
        let mut key = String::with_capacity(self.0.len());
        for label in cut_dot(&self.0).rsplit('.') {
            key.push_str(label);
            key.push('.');
        }
        key
    }
}

/// Whether a text is in Route 53's form already, with or without the last dot, and has nothing
/// to escape. Nearly all names are, and this check takes a tenth of the time of
/// [`Name::parse_octets`].
fn is_plain(text: &str) -> bool {
    let mut label = 0;
    for byte in text.bytes() {
        label = match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' if label < MAX_LABEL_OCTETS => label + 1,
            b'.' if label > 0 => 0,
            _ => return false,
        };
    }
    // Each label has a length octet in place of its dot; the root has one more.
    let octets = text.len() + usize::from(label > 0) + 1;
    !text.is_empty() && octets <= MAX_NAME_OCTETS
}

fn cut_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn push_escaped(name: &mut String, octet: u8) {
    if octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_' {
        name.push(char::from(octet.to_ascii_lowercase()));
    } else {
        push_octal(name, octet);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests;
