//! What is odd about a service that is published all the same.
//!
//! The list is closed: the log, `plan`, the status page and the metrics show the same warnings.

use std::fmt;

use crate::base::redactor::cut;
use crate::base::text::quoted;

/// Characters of a label that a warning keeps.
const MAX_SHOWN: usize = 80;

/// What is odd about a service. None of it keeps the service from being published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The label `external_dns` is none of the policies. Holds its text.
    Policy(String),
}

impl Warning {
    /// The codes of all warnings, in the order of the variants.
    pub const CODES: [&str; 1] = ["policy"];

    /// A short name for metrics and for programs. It is one of [`Warning::CODES`].
    pub fn code(&self) -> &'static str {
        match self {
            Warning::Policy(_) => "policy",
        }
    }

    /// The label `external_dns` has this text, which is none of the policies.
    pub fn policy(text: &str) -> Warning {
        Warning::Policy(cut(text, MAX_SHOWN))
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::Policy(text) => write!(
                f,
                "external_dns={} is not one of auto, always and never; it is treated as auto",
                quoted(text)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_warning_s_code_is_in_the_list_once() {
        let all = [Warning::policy("x")];
        let codes: Vec<&str> = all.iter().map(Warning::code).collect();
        assert_eq!(codes, Warning::CODES);
    }

    #[test]
    fn a_long_label_is_cut() {
        let words = Warning::policy(&"x".repeat(10_000)).to_string();
        assert!(words.len() < 300, "{words}");
    }
}
