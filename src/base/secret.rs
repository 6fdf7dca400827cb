//! Text that must not appear in logs, errors or pages: passwords, keys and tokens.

use std::fmt;

/// A password, key or token. `Debug` does not show the text, and there is no `Display`. The only
/// way to the text is [`Secret::expose`], which an auditor can search for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Makes a secret of a text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret text. Only for signing and for what is sent in a request.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Replaces this secret in a text by `…`. Error messages of servers may quote what was sent to
    /// them.
    pub fn redact(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        text.replace(&self.0, "…")
    }
}

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

    #[test]
    fn what_a_server_quotes_is_taken_out() {
        let secret = Secret::new("hunter2");
        assert_eq!(
            secret.redact("token hunter2, or hunter"),
            "token …, or hunter"
        );
        assert_eq!(Secret::new("").redact("text"), "text");
    }
}
