//! Undoes the escapes of URLs, JSON and XML in a text, and knows where each byte comes from.

use std::ops::Range;

/// Longest escape that is undone, in bytes. References of XML may have zeros before their number.
const MAX_ESCAPE: usize = 24;

/// The characters with which escapes start.
pub const MARKS: [char; 3] = ['%', '\\', '&'];

/// What undoes one escape at the start of a text: how many bytes it has, and what it stands for.
type Undo = fn(&[u8]) -> Option<(usize, char)>;

const UNDO: [Undo; 3] = [of_url, of_json, of_xml];

/// A text with some escapes undone.
pub struct View {
    bytes: Vec<u8>,
    /// Where each byte starts and ends in the original text.
    origins: Vec<Range<usize>>,
}

impl View {
    /// The text as it is.
    pub fn of(text: &str) -> View {
        View {
            bytes: text.as_bytes().to_vec(),
            origins: (0..text.len()).map(|at| at..at + 1).collect(),
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where a part of this view, which is not empty, comes from in the original text.
    pub fn origin(&self, part: Range<usize>) -> Range<usize> {
        let origins = &self.origins[part];
        let start = origins.first().map_or(0, |first| first.start);
        start..origins.last().map_or(0, |last| last.end)
    }

    /// Once more undone, in each way that changes something. The ways aren't mixed: a secret may have
    /// something in it that looks like an escape of another way.
    pub fn unescaped(&self) -> Vec<View> {
        let ways = UNDO.iter();
        ways.filter_map(|undo| self.undone(*undo)).collect()
    }

    fn undone(&self, undo: Undo) -> Option<View> {
        let mut view = View {
            bytes: Vec::with_capacity(self.bytes.len()),
            origins: Vec::with_capacity(self.bytes.len()),
        };
        let mut at = 0;
        while at < self.bytes.len() {
            let end = self.bytes.len().min(at + MAX_ESCAPE);
            match undo(&self.bytes[at..end]) {
                Some((length, c)) => {
                    let origin = self.origin(at..at + length);
                    for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                        view.bytes.push(byte);
                        view.origins.push(origin.clone());
                    }
                    at += length;
                }
                None => {
                    view.bytes.push(self.bytes[at]);
                    view.origins.push(self.origins[at].clone());
                    at += 1;
                }
            }
        }
        (view.bytes.len() < self.bytes.len()).then_some(view)
    }
}

/// `%2B`. Only ASCII: a byte beyond it isn't a character of its own.
fn of_url(text: &[u8]) -> Option<(usize, char)> {
    let c = number(text.strip_prefix(b"%")?.get(..2)?, 16)?;
    c.is_ascii().then_some((3, c))
}

/// `\u002b`, `\"` and the like; also the `\x2b`, `\u{2b}` and `\U0000002b` of programs and the `\053` of
/// Route 53.
fn of_json(text: &[u8]) -> Option<(usize, char)> {
    let rest = text.strip_prefix(b"\\")?;
    match rest.first()? {
        b'u' if rest.get(1) == Some(&b'{') => {
            let end = rest.iter().position(|byte| *byte == b'}')?;
            Some((end + 2, number(&rest[2..end], 16)?))
        }
        b'U' => Some((10, number(rest.get(1..9)?, 16)?)),
        b'u' => Some((6, number(rest.get(1..5)?, 16)?)),
        b'x' => Some((4, number(rest.get(1..3)?, 16)?)),
        b'0'..=b'7' => Some((4, number(rest.get(..3)?, 8)?)),
        b'n' => Some((2, '\n')),
        b'r' => Some((2, '\r')),
        b't' => Some((2, '\t')),
        other if other.is_ascii_punctuation() => Some((2, char::from(*other))),
        _ => None,
    }
}

/// `&amp;`, `&#43;` and `&#x2b;`; of HTML also those of what stands in keys, and numbers without a
/// semicolon behind them.
fn of_xml(text: &[u8]) -> Option<(usize, char)> {
    let rest = text.strip_prefix(b"&")?;
    let is_in_name = |byte: &u8| *byte == b'#' || byte.is_ascii_alphanumeric();
    let end = rest.iter().position(|byte| !is_in_name(byte));
    let (name, length) = match end {
        Some(end) if rest[end] == b';' => (&rest[..end], end + 2),
        end => unended(&rest[..end.unwrap_or(rest.len())])?,
    };
    let c = match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        b"sol" => '/',
        b"plus" => '+',
        b"equals" => '=',
        [b'#', b'x' | b'X', digits @ ..] => number(digits, 16)?,
        [b'#', digits @ ..] => number(digits, 10)?,
        _ => return None,
    };
    Some((length, c))
}

/// The start of a name that is a number without a semicolon, and how long that is with its `&`.
fn unended(name: &[u8]) -> Option<(&[u8], usize)> {
    let is_hexadecimal = matches!(name, [b'#', b'x' | b'X', ..]);
    let start = if is_hexadecimal { 2 } else { 1 };
    let is_digit = |byte: &u8| match is_hexadecimal {
        true => byte.is_ascii_hexdigit(),
        false => byte.is_ascii_digit(),
    };
    let digits = name.get(start..)?.iter().take_while(|byte| is_digit(byte));
    let end = start + digits.count();
    (name[0] == b'#' && end > start).then(|| (&name[..end], end + 1))
}

fn number(digits: &[u8], radix: u32) -> Option<char> {
    let digits = str::from_utf8(digits).ok()?;
    // Rust takes a sign before the digits, too.
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    char::from_u32(u32::from_str_radix(digits, radix).ok()?)
}
