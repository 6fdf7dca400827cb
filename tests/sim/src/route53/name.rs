//! Domain names as Route 53 keeps them: lower case, a dot at the end, and every byte outside
//! `a-z 0-9 - _` as a three-digit octal escape.

/// A label's longest length, in octets (RFC 1035, section 2.3.4).
const LABEL_LIMIT: usize = 63;
/// A name's longest length on the wire, the root's octet included (same place).
const NAME_LIMIT: usize = 255;

/// The stored form of a name as a user typed it, or Route 53's words against it.
pub fn canonical(typed: &str) -> Result<String, String> {
    let fatal = |kind: &str, what: &str| {
        Err(format!(
            "FATAL problem: {kind} ({what}) encountered with '{typed}'"
        ))
    };
    if typed.is_empty() {
        return fatal("DomainNameEmpty", "Domain name is empty");
    }
    let Some(labels) = labels(typed) else {
        return fatal(
            "UnsupportedCharacter",
            "Value contains unsupported characters",
        );
    };
    if labels.iter().any(Vec::is_empty) {
        return fatal("DomainLabelEmpty", "Domain label is empty");
    }
    if labels.iter().any(|label| label.len() > LABEL_LIMIT) {
        return fatal("DomainLabelTooLong", "Domain label is too long");
    }
    if labels.iter().map(|label| label.len() + 1).sum::<usize>() + 1 > NAME_LIMIT {
        return fatal("DomainNameTooLong", "Domain name is too long");
    }
    Ok(written(&labels))
}

/// The labels' bytes; `None` if a byte may not stand there or an escape is broken.
fn labels(typed: &str) -> Option<Vec<Vec<u8>>> {
    let mut labels = vec![Vec::new()];
    let mut bytes = typed.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'.' => labels.push(Vec::new()),
            b'\\' => {
                let mut value = 0u16;
                for _ in 0..3 {
                    let digit = bytes.next().filter(|b| (b'0'..=b'7').contains(b))?;
                    value = value * 8 + u16::from(digit - b'0');
                }
                labels.last_mut()?.push(u8::try_from(value).ok()?);
            }
            b'!'..=b'~' => labels.last_mut()?.push(byte),
            _ => return None,
        }
    }
    // The root's empty label; without it the name counts as absolute all the same.
    if labels.len() > 1 && labels.last()?.is_empty() {
        labels.pop();
    }
    Some(labels)
}

fn written(labels: &[Vec<u8>]) -> String {
    let mut name = String::new();
    for label in labels {
        for byte in label.iter().map(u8::to_ascii_lowercase) {
            match byte {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
                _ => name += &format!("\\{byte:03o}"),
            }
        }
        name.push('.');
    }
    name
}

/// What listings are ordered by: the labels from the last to the first, each with its dot
/// (`com.example.www.`). The dots are AWS's own note, and are what keeps a subtree together.
pub fn reversed(name: &str) -> String {
    name.split_terminator('.')
        .rev()
        .flat_map(|label| [label, "."])
        .collect()
}

/// Whether a stored name is the zone's or lies below it.
pub fn within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_names_lower_case_with_a_dot_and_escapes() {
        for (typed, stored) in [
            ("Web.Example.COM", "web.example.com."),
            ("web.example.com.", "web.example.com."),
            ("*.example.com", "\\052.example.com."),
            ("\\052.example.com", "\\052.example.com."),
            ("a\\056b.example.com", "a\\056b.example.com."),
            ("\\101.example.com", "a.example.com."),
            ("_dmarc.a-b.example.com", "_dmarc.a-b.example.com."),
            ("a@b.example.com", "a\\100b.example.com."),
        ] {
            assert_eq!(canonical(typed).as_deref(), Ok(stored), "{typed}");
        }
    }

    #[test]
    fn refuses_names_that_dns_cannot_hold() {
        let long = "a".repeat(64);
        let label = "a".repeat(63);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert!(canonical(&longest).is_ok());
        assert!(canonical(&"a".repeat(63)).is_ok());
        for (typed, kind) in [
            ("", "DomainNameEmpty"),
            (".", "DomainLabelEmpty"),
            ("a..example.com", "DomainLabelEmpty"),
            (".example.com", "DomainLabelEmpty"),
            (&long, "DomainLabelTooLong"),
            (&format!("{longest}a"), "DomainNameTooLong"),
            ("a b.example.com", "UnsupportedCharacter"),
            ("bücher.example.com", "UnsupportedCharacter"),
            ("a\\9.example.com", "UnsupportedCharacter"),
            ("a\\777.example.com", "UnsupportedCharacter"),
        ] {
            let refusal = canonical(typed).unwrap_err();
            assert!(refusal.contains(kind), "{typed}: {refusal}");
        }
    }

    #[test]
    fn a_subtree_is_contiguous_in_the_listing_order() {
        let mut names = vec![
            "a-b.example.com.",
            "a.example.com.",
            "x.a.example.com.",
            "example.com.",
            "a1.example.com.",
        ];
        names.sort_by_key(|name| reversed(name));
        assert_eq!(
            names,
            [
                "example.com.",
                "a-b.example.com.",
                "a.example.com.",
                "x.a.example.com.",
                "a1.example.com.",
            ]
        );
    }

    #[test]
    fn a_zone_holds_itself_and_what_is_below() {
        assert!(within("example.com.", "example.com."));
        assert!(within("a.example.com.", "example.com."));
        assert!(!within("anexample.com.", "example.com."));
        assert!(!within("com.", "example.com."));
    }
}
