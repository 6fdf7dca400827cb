//! Text that must never be printed.

use std::fmt;

/// A password, key or token. Its `Debug` says only that there is one; it has no `Display`, so
/// the one way to the text is [`Secret::expose`], which is easy to search for.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the two places that need it: signing, and a request's header.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A text without this secret: error messages of servers quote what they were sent.
    pub fn redact(&self, text: &str) -> String {
        match self.0.is_empty() {
            true => text.to_owned(),
            false => text.replace(&self.0, "…"),
        }
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
