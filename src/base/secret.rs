//! Text that must not appear in logs, errors or pages: passwords, keys and tokens.

use std::fmt;
use std::sync::Arc;

use crate::base::redactor::{self, Hidden};

/// A password, key or token. `Debug` does not show the text, and there is no `Display`. The only
/// way to the text is [`Secret::expose`], which an auditor can search for.
///
/// Every secret is known to the [`redactor`], which takes it out of everything that is shown.
#[derive(Clone)]
pub struct Secret(Arc<Hidden>);

impl Secret {
    /// Makes a secret of a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret::after("", &text.into())
    }

    /// A text that starts with something that is no secret, such as the name of an authentication
    /// scheme.
    pub fn after(prefix: &str, secret: &str) -> Secret {
        Secret(redactor::add(Hidden {
            text: format!("{prefix}{secret}"),
            start: prefix.len(),
            is_words: false,
        }))
    }

    /// A secret of ordinary words. One of them alone isn't hidden, since other text has it, too.
    pub fn of_words(words: &str) -> Secret {
        Secret(redactor::add(Hidden {
            text: words.to_owned(),
            start: 0,
            is_words: true,
        }))
    }

    /// The value of a header, which may start with the name of an authentication scheme.
    pub fn with_scheme(value: &str) -> Secret {
        match value.split_once(' ') {
            Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                let (scheme, secret) = value.split_at(scheme.len() + 1);
                Secret::after(scheme, secret)
            }
            _ => Secret::new(value),
        }
    }

    /// The secret text, with its prefix. Only for signing and for what is sent in a request.
    pub fn expose(&self) -> &str {
        &self.0.text
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_text() {
        let shown = format!(
            "{:?} {:#?}",
            Secret::new("hunter2"),
            Some(Secret::new("hunter2"))
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
