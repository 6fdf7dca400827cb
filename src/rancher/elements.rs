//! Cuts a JSON list into its elements as it comes, so that of a list of 68 MB only one element
//! is ever held.
//!
//! This looks at strings and brackets only. What is between them is for serde to judge, element
//! by element. So 6.9 MB of `/services` take 152 million instructions to decode, and 507 million
//! if serde reads the list itself, byte by byte, from the socket.

use std::io::Read;

/// The buffer's size at first, in bytes; it grows with longer elements.
const BUFFER: usize = 64 * 1024;
/// Longest element, in bytes: a service with 10,000 containers has 22 MB.
const LONGEST: usize = 64 * 1024 * 1024;

/// Reads a list to its end and gives each element to `take`; `null` is the empty list. Whatever
/// isn't one list, whole and with nothing behind it, is an error, and so is what `take` says.
pub fn each(
    json: &mut dyn Read,
    take: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Result<(), String> {
    let mut text = Text {
        json,
        buffer: vec![0; BUFFER],
        start: 0,
        at: 0,
        end: 0,
    };
    match text.next_byte()? {
        Some(b'[') => {}
        Some(b'n') => return text.rest_is(b"ull"),
        _ => return Err("expected a list or null".to_owned()),
    }
    let mut is_first = true;
    loop {
        let (element, is_last) = text.element()?;
        let is_empty_list = is_first && is_last && element.bytes().all(is_blank);
        if !is_empty_list {
            take(element)?;
        }
        if is_last {
            return text.rest_is(b"");
        }
        is_first = false;
    }
}

/// The document, of which a part is in the buffer.
struct Text<'a> {
    json: &'a mut dyn Read,
    buffer: Vec<u8>,
    /// What is before it isn't needed any more.
    start: usize,
    /// What is before it has been looked at.
    at: usize,
    /// What is before it has been read.
    end: usize,
}

impl Text<'_> {
    /// The next byte; none at the end of the document.
    fn byte(&mut self) -> Result<Option<u8>, String> {
        self.start = self.at;
        if self.at == self.end && !self.fill()? {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(self.buffer[self.at - 1]))
    }

    /// The next byte that isn't blank.
    fn next_byte(&mut self) -> Result<Option<u8>, String> {
        loop {
            match self.byte()? {
                Some(byte) if is_blank(byte) => {}
                other => return Ok(other),
            }
        }
    }

    /// Nothing may come but this, and blanks.
    fn rest_is(&mut self, expected: &[u8]) -> Result<(), String> {
        for expected in expected {
            if self.byte()? != Some(*expected) {
                return Err("expected a list or null".to_owned());
            }
        }
        match self.next_byte()? {
            None => Ok(()),
            Some(_) => Err("something follows the list".to_owned()),
        }
    }

    /// The text up to the next comma or closing bracket that belongs to the list itself, and
    /// whether it was the bracket.
    fn element(&mut self) -> Result<(&str, bool), String> {
        self.start = self.at;
        let mut inside = Inside::default();
        while !inside.reach_end(&self.buffer[..self.end], &mut self.at) {
            if !self.fill()? {
                return Err("the list is cut off".to_owned());
            }
        }
        let element = &self.buffer[self.start..self.at];
        let is_last = self.buffer[self.at] == b']';
        self.at += 1;
        let element = std::str::from_utf8(element).map_err(|error| error.to_string())?;
        Ok((element, is_last))
    }

    /// Reads on; false at the end of the document.
    fn fill(&mut self) -> Result<bool, String> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.at -= self.start;
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            if self.end >= LONGEST {
                return Err(format!("an element is longer than {LONGEST} bytes"));
            }
            self.buffer.resize(self.end * 2, 0);
        }
        let count = self.json.read(&mut self.buffer[self.end..]);
        let count = count.map_err(|error| error.to_string())?;
        self.end += count;
        Ok(count > 0)
    }
}

/// What JSON allows between its tokens.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Where within an element we are.
#[derive(Default)]
struct Inside {
    /// Brackets that are open.
    brackets: usize,
    string: bool,
}

impl Inside {
    /// Moves `at` to the end of the element; false if that isn't there yet.
    fn reach_end(&mut self, text: &[u8], at: &mut usize) -> bool {
        while let Some(byte) = text.get(*at) {
            if self.string {
                *at = quote_or_backslash(text, *at);
                match text[*at..] {
                    [b'"', ..] => self.string = false,
                    [_, _, ..] => *at += 1, // what is escaped
                    _ => return false,
                }
            } else {
                match byte {
                    b'"' => self.string = true,
                    b'[' | b'{' => self.brackets += 1,
                    b',' | b']' if self.brackets == 0 => return true,
                    b']' | b'}' => self.brackets = self.brackets.saturating_sub(1),
                    _ => {}
                }
            }
            *at += 1;
        }
        false
    }
}

/// The first quote or backslash from `at` on; the end of the text if there is none. Eight bytes
/// at a time, since most of the text is within strings.
/// <https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>
fn quote_or_backslash(text: &[u8], mut at: usize) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // The lowest bit that is set belongs to the first byte that is zero.
    let zero = |word: u64| word.wrapping_sub(LOW) & !word & HIGH;
    while let Some(bytes) = text[at..].first_chunk() {
        let word = u64::from_le_bytes(*bytes);
        let found = zero(word ^ (LOW * u64::from(b'"'))) | zero(word ^ (LOW * u64::from(b'\\')));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = text[at..]
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\'));
    rest.map_or(text.len(), |i| at + i)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives a few bytes at a time, as a socket may.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn elements(json: &[u8], at_once: usize) -> Result<Vec<String>, String> {
        let mut all = Vec::new();
        each(&mut Drops(json, at_once), &mut |element| {
            all.push(element.to_owned());
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn cuts_at_the_list_s_own_commas() {
        for (json, expected) in [
            ("null", vec![]),
            (" null\n", vec![]),
            ("[]", vec![]),
            (" [ \n] ", vec![]),
            ("[1]", vec!["1"]),
            ("[1, \"a\"]", vec!["1", " \"a\""]),
            (
                r#"[{"a":[1,2]},[3,[4]]]"#,
                vec![r#"{"a":[1,2]}"#, "[3,[4]]"],
            ),
            (
                r#"["],[\"]",{"\\":","}]"#,
                vec![r#""],[\"]""#, r#"{"\\":","}"#],
            ),
            (
                "[\"0123456789\\\\\",\"é\"]",
                vec!["\"0123456789\\\\\"", "\"é\""],
            ),
            // Not for this file to judge.
            ("[,]", vec!["", ""]),
            ("[{]]", vec!["{]"]),
            ("[}]", vec!["}"]),
            ("[\x0c]", vec!["\x0c"]),
        ] {
            for at_once in [1, 3, 1000] {
                let found = elements(json.as_bytes(), at_once);
                assert_eq!(
                    found.as_deref(),
                    Ok(&expected.iter().map(|e| (*e).to_owned()).collect::<Vec<_>>()[..]),
                    "{json}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_one_whole_list_is_an_error() {
        for json in [
            &b""[..],
            b" ",
            b"{}",
            b"nul",
            b"n ull",
            b"nulll",
            b"null,",
            b"1",
            b"\"",
            b"]",
            b"[",
            b"[1",
            b"[1,",
            b"[\"]",
            b"[\"\\\"]",
            b"[\"\\",
            b"[{]",
            b"[] 1",
            b"[],",
            b"[]]",
            b"[\xff]",
            b"[\"\xc3\"]",
        ] {
            for at_once in [1, 1000] {
                assert!(elements(json, at_once).is_err(), "{}", json.escape_ascii());
            }
        }
        let refused = each(&mut &b"[1,2]"[..], &mut |_| Err("no".to_owned()));
        assert_eq!(refused, Err("no".to_owned()));
    }

    #[test]
    fn an_element_may_be_longer_than_the_buffer_but_not_endless() {
        let long = format!("[\"{}\",2]", "x".repeat(5 * BUFFER));
        assert_eq!(elements(long.as_bytes(), 7000).unwrap()[1], "2");
        let endless = each(&mut std::io::repeat(b'['), &mut |_| Ok(()));
        assert_eq!(
            endless,
            Err("an element is longer than 67108864 bytes".to_owned())
        );
    }

    proptest! {
        /// Whatever serde takes for a list comes out element by element, and nothing else does
        /// without an error of either.
        #[test]
        fn agrees_with_serde(json in r#"[\[\]{},:"\\ 1]{0,24}|[nul \[\]]{0,6}|\[("([a\\",\[{]|\\.)*"|[\[\]{},1]){0,8}\]"#, at_once in 1usize..40) {
            let whole: Result<Option<Vec<serde_json::Value>>, _> = serde_json::from_str(&json);
            let cut = elements(json.as_bytes(), at_once).and_then(|all| {
                let parsed = all.iter().map(|e| serde_json::from_str(e).map_err(|e| e.to_string()));
                parsed.collect::<Result<Vec<serde_json::Value>, String>>()
            });
            prop_assert_eq!(whole.ok().map(Option::unwrap_or_default), cut.ok());
        }
    }
}
