//! Removes square brackets around a text, such as those around an IPv6 address in a URL.

/// The text between a `[` at the start and a `]` at the end; `None` if either is missing.
pub fn inside_brackets(text: &str) -> Option<&str> {
    text.strip_prefix('[')?.strip_suffix(']')
}

/// The text without the pair of brackets around it; unchanged if there is no such pair.
pub fn without_brackets(text: &str) -> &str {
    inside_brackets(text).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_pair_is_taken_off() {
        for (text, expected) in [
            ("[::1]", "::1"),
            ("[[x]]", "[x]"),
            ("[]", ""),
            ("::1", "::1"),
            ("[::1", "[::1"),
            ("::1]", "::1]"),
            ("[", "["),
        ] {
            assert_eq!(without_brackets(text), expected, "{text}");
        }
    }
}
