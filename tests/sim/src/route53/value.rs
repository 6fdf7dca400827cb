//! What a value may look like, by type, and Route 53's words where it doesn't.

use super::name;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A character string's longest length in octets (RFC 1035, section 3.3).
const CHARACTER_STRING_LIMIT: usize = 255;

/// `Ok` if Route 53 takes this value in a record set of this type.
pub fn check(rtype: &str, value: &str) -> Result<(), String> {
    let problem = match rtype {
        "A" => value.parse::<Ipv4Addr>().err().map(|_| {
            (
                "ARRDATAIllegalIPv4Address",
                "Value is not a valid IPv4 address",
            )
        }),
        "AAAA" => value.parse::<Ipv6Addr>().err().map(|_| {
            (
                "AAAARRDATAIllegalIPv6Address",
                "Value is not a valid IPv6 address",
            )
        }),
        "TXT" | "SPF" => character_strings(value).err(),
        "CNAME" | "NS" | "PTR" => return domain(value),
        "MX" => return numbers_then_domain("MXRRDATANotTwoFields", value, 1),
        "SRV" => return numbers_then_domain("SRVRRDATANotFourFields", value, 3),
        "SOA" => return soa(value),
        "CAA" => caa(value),
        // DS, TLSA, SSHFP, NAPTR, SVCB and HTTPS are only ever foreign to the program under
        // test: that they have some text is all that matters.
        _ => value
            .trim()
            .is_empty()
            .then_some(("RRDATAEmpty", "Value is empty")),
    };
    problem.map_or(Ok(()), |(kind, what)| Err(fatal(kind, what, value)))
}

fn fatal(kind: &str, what: &str, value: &str) -> String {
    format!("Invalid Resource Record: FATAL problem: {kind} ({what}) encountered with '{value}'")
}

fn domain(value: &str) -> Result<(), String> {
    name::canonical(value)
        .map(|_| ())
        .map_err(|why| format!("Invalid Resource Record: {why}"))
}

fn numbers_then_domain(kind: &str, value: &str, numbers: usize) -> Result<(), String> {
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    let well_formed =
        fields.len() == numbers + 1 && fields[..numbers].iter().all(|n| n.parse::<u16>().is_ok());
    if !well_formed {
        return Err(fatal(
            kind,
            "Value does not have the fields of its type",
            value,
        ));
    }
    domain(fields[numbers])
}

fn soa(value: &str) -> Result<(), String> {
    let fields: Vec<&str> = value.split_ascii_whitespace().collect();
    if fields.len() != 7 || !fields[2..].iter().all(|n| n.parse::<u32>().is_ok()) {
        return Err(fatal(
            "SOARRDATANotSevenFields",
            "Value does not have the fields of its type",
            value,
        ));
    }
    domain(fields[0]).and(domain(fields[1]))
}

fn caa(value: &str) -> Option<(&'static str, &'static str)> {
    let mut fields = value.splitn(3, ' ');
    let flags = fields.next().is_some_and(|f| f.parse::<u8>().is_ok());
    let tag = fields
        .next()
        .is_some_and(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric()));
    let quoted = fields.next().is_some_and(|v| character_strings(v).is_ok());
    (!(flags && tag && quoted)).then_some((
        "CAARRDATAInvalid",
        "Value is not a flag, a tag and a quoted value",
    ))
}

/// One or more strings in quotes, blanks between them. Inside, `\"` and `\\` stand for the
/// character, `\ooo` for a byte; bytes outside printable ASCII must be written so.
fn character_strings(value: &str) -> Result<(), (&'static str, &'static str)> {
    const UNQUOTED: (&str, &str) = (
        "InvalidCharacterString",
        "Value should be enclosed in quotation marks",
    );
    const UNSUPPORTED: (&str, &str) = (
        "UnsupportedCharacter",
        "Value contains unsupported characters",
    );
    let mut rest = value.bytes().peekable();
    let mut strings = 0;
    loop {
        let mut blanks = 0;
        while rest.next_if(|b| matches!(b, b' ' | b'\t')).is_some() {
            blanks += 1;
        }
        match rest.next() {
            None if strings > 0 => return Ok(()),
            Some(b'"') if strings == 0 || blanks > 0 => {}
            _ => return Err(UNQUOTED),
        }
        let mut length = 0;
        loop {
            match rest.next().ok_or(UNQUOTED)? {
                b'"' => break,
                b'\\' => match rest.next().ok_or(UNQUOTED)? {
                    b'0'..=b'3' => {
                        for _ in 0..2 {
                            rest.next_if(|b| (b'0'..=b'7').contains(b))
                                .ok_or(UNSUPPORTED)?;
                        }
                    }
                    b'4'..=b'9' => return Err(UNSUPPORTED),
                    b' '..=b'~' => {}
                    _ => return Err(UNSUPPORTED),
                },
                b' '..=b'~' => {}
                _ => return Err(UNSUPPORTED),
            }
            length += 1;
        }
        if length > CHARACTER_STRING_LIMIT {
            return Err(("CharacterStringTooLong", "Value is too long"));
        }
        strings += 1;
    }
}

/// What two values of a record set may not have in common: addresses are compared as such,
/// since `::1` and `0:0:0:0:0:0:0:1` are one record.
pub fn identity(rtype: &str, value: &str) -> String {
    match (rtype, value.parse::<Ipv6Addr>()) {
        ("AAAA", Ok(address)) => address.to_string(),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_what_each_type_may_hold() {
        let full = format!("\"{}\"", "a".repeat(255));
        let escaped = format!("\"{}\"", "\\101".repeat(255));
        for (rtype, value) in [
            ("A", "192.0.2.1"),
            ("AAAA", "2001:db8::1"),
            ("TXT", "\"\""),
            ("TXT", "\"web.example.com.\""),
            ("TXT", "\"web.example.com. AAAA\""),
            ("TXT", "\"one\" \"two\""),
            ("TXT", "\"a \\\" quote, a \\\\ backslash, a \\303\\274\""),
            ("TXT", &full),
            ("TXT", &escaped),
            ("CNAME", "target.example.org"),
            ("NS", "ns-1.example.org."),
            ("MX", "10 mail.example.org."),
            ("SRV", "1 10 5269 xmpp.example.org."),
            ("CAA", "0 issue \"ca.example.org\""),
        ] {
            assert_eq!(check(rtype, value), Ok(()), "{rtype} {value}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_value() {
        let long = format!("\"{}\"", "a".repeat(256));
        for (rtype, value, kind) in [
            (
                "A",
                "192.0.2",
                "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)",
            ),
            ("A", "192.0.2.01", "ARRDATAIllegalIPv4Address"),
            ("A", " 192.0.2.1", "ARRDATAIllegalIPv4Address"),
            ("A", "2001:db8::1", "ARRDATAIllegalIPv4Address"),
            ("A", "", "ARRDATAIllegalIPv4Address"),
            ("AAAA", "192.0.2.1", "AAAARRDATAIllegalIPv6Address"),
            ("AAAA", "fe80::1%eth0", "AAAARRDATAIllegalIPv6Address"),
            (
                "TXT",
                "bare",
                "InvalidCharacterString (Value should be enclosed in quotation marks)",
            ),
            ("TXT", "", "InvalidCharacterString"),
            ("TXT", "\"open", "InvalidCharacterString"),
            ("TXT", "\"a\"\"b\"", "InvalidCharacterString"),
            ("TXT", "\"a\"b", "InvalidCharacterString"),
            ("TXT", "\"ü\"", "UnsupportedCharacter"),
            ("TXT", "\"line\nfeed\"", "UnsupportedCharacter"),
            ("TXT", "\"\\40\"", "UnsupportedCharacter"),
            ("TXT", "\"\\777\"", "UnsupportedCharacter"),
            ("TXT", &long, "CharacterStringTooLong (Value is too long)"),
            ("CNAME", "a..b", "DomainLabelEmpty"),
            ("MX", "mail.example.org.", "MXRRDATANotTwoFields"),
        ] {
            let refusal = check(rtype, value).unwrap_err();
            assert!(refusal.contains(kind), "{rtype} {value}: {refusal}");
            assert!(refusal.starts_with("Invalid Resource Record: FATAL problem: "));
        }
    }

    #[test]
    fn one_address_written_twice_is_a_duplicate() {
        assert_eq!(identity("AAAA", "::1"), identity("AAAA", "0:0:0:0:0:0:0:1"));
        assert_ne!(identity("A", "192.0.2.1"), identity("A", "192.0.2.2"));
    }
}
