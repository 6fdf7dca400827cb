//! Reads DER, the encoding of certificates (X.690), as far as certificates need it.

use chrono::NaiveDate;

pub const BOOLEAN: u8 = 0x01;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;
pub const OBJECT_ID: u8 = 0x06;
pub const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The content of the first element, and the bytes after it. `None` if its tag is another one.
pub fn expect(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(input)?;
    (found == tag).then_some((content, rest))
}

/// Tag and content of the first element, and the bytes after it.
pub fn element(input: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = input.split_first_chunk()?;
    let (length, rest) = match usize::from(length) {
        short @ ..=0x7f => (short, rest),
        0x81 => (usize::from(*rest.first()?), &rest[1..]),
        0x82 => {
            let (length, rest) = rest.split_first_chunk()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The seconds since 1970 of a date in the form that RFC 5280, section 4.1.2.5, asks for: with
/// seconds, in UTC. The year of the short form is one from 1950 to 2049.
pub fn seconds(tag: u8, text: &[u8]) -> Option<i64> {
    let digits = text.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |digits: &[u8]| {
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = digits.split_at(2);
            let year = number(year);
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, rest) = digits.split_at(4);
            (number(year), rest)
        }
        _ => return None,
    };
    let part = |at: usize| number(&rest[at..at + 2]);
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, part(0), part(2))?;
    let time = date.and_hms_opt(part(4), part(6), part(8))?;
    Some(time.and_utc().timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_both_forms() {
        for (tag, text, expected) in [
            (UTC_TIME, &b"700101000000Z"[..], Some(0)),
            (UTC_TIME, b"491231235959Z", Some(2_524_607_999)),
            (UTC_TIME, b"500101000000Z", Some(-631_152_000)),
            (GENERALIZED_TIME, b"20500101000000Z", Some(2_524_608_000)),
            (GENERALIZED_TIME, b"99991231235959Z", Some(253_402_300_799)),
            (GENERALIZED_TIME, b"00000101000000Z", Some(-62_167_219_200)),
            (UTC_TIME, b"20500101000000Z", None),
            (GENERALIZED_TIME, b"700101000000Z", None),
            (UTC_TIME, b"7001010000Z", None),
            (UTC_TIME, b"700101000000+0100", None),
            (UTC_TIME, b"700001000000Z", None),
            (UTC_TIME, b"700230000000Z", None),
            (UTC_TIME, b"700101240000Z", None),
            (UTC_TIME, b"70010100000 Z", None),
            (UTC_TIME, b"", None),
            (0x16, b"700101000000Z", None),
        ] {
            let text_shown = String::from_utf8_lossy(text);
            assert_eq!(seconds(tag, text), expected, "{text_shown}");
        }
    }
}
