//! Reads a JSON list element by element while it arrives, so that of a list of 68 MB only a small
//! part is in memory at once.
//!
//! In: a stream of JSON. Out: each element, handed to the caller; or an error.
//!
//! serde_json reads text in memory eight bytes at a time, but a stream byte by byte. So it gets the
//! part of the list that has arrived, and again with more text if an element is incomplete. For the
//! 6.9 MB of 1,000 services that takes a fifth of the instructions of reading the stream.

use std::io::Read;

use serde::Deserialize;

use crate::base::text::system_words;

/// Bytes of text that are collected before elements are decoded.
const WINDOW: usize = 64 * 1024;
/// Bytes that are read at a time.
const BLOCK: usize = 16 * 1024;
/// Longest element that is accepted, in bytes. A service with 10,000 containers has 22 MB.
const MAX_ELEMENT_BYTES: usize = 64 * 1024 * 1024;

/// Decodes the element at the start of a text and hands it to `take`. Returns the element's length
/// in bytes, or `None` if the text ends before the element does.
pub fn decode_first<'a, T: Deserialize<'a>>(
    text: &'a str,
    take: &mut dyn FnMut(T),
) -> Result<Option<usize>, String> {
    let mut elements = serde_json::Deserializer::from_str(text).into_iter();
    match elements.next() {
        Some(Ok(element)) => {
            let length = elements.byte_offset();
            // A number at the end of the text may have more digits to come.
            let is_whole = length < text.len() || text.ends_with(['}', ']', '"']);
            Ok(is_whole.then(|| {
                take(element);
                length
            }))
        }
        Some(Err(error)) if !error.is_eof() => Err(error.to_string()),
        Some(Err(_)) | None => Ok(None),
    }
}

/// What may come next in the list.
#[derive(Clone, Copy)]
enum Expected {
    List,
    ElementOrEnd,
    Element,
    CommaOrEnd,
    Nothing,
}

/// Reads a list to its end. `null` counts as the empty list. For each element, `decode` is called
/// with the text that starts with the element; it returns the result of [`decode_first`]. An error
/// if the document is not exactly one complete list of such elements.
pub fn for_each(
    json: &mut dyn Read,
    decode: &mut dyn FnMut(&str) -> Result<Option<usize>, String>,
) -> Result<(), String> {
    let mut window = Window {
        json,
        block: vec![0; BLOCK],
        carried: 0,
        text: String::with_capacity(WINDOW + BLOCK),
        decoded: 0,
    };
    let mut next = Expected::List;
    loop {
        let rest = window.text[window.decoded..].trim_start_matches([' ', '\t', '\n', '\r']);
        window.decoded = window.text.len() - rest.len();
        let taken = match (next, rest.as_bytes()) {
            (_, []) => None,
            (Expected::List, [b'[', ..]) => Some((Expected::ElementOrEnd, 1)),
            (Expected::List, [b'n', b'u', b'l', b'l', ..]) => Some((Expected::Nothing, 4)),
            (Expected::List, _) if "null".starts_with(rest) => None,
            (Expected::ElementOrEnd | Expected::CommaOrEnd, [b']', ..]) => {
                Some((Expected::Nothing, 1))
            }
            (Expected::CommaOrEnd, [b',', ..]) => Some((Expected::Element, 1)),
            (Expected::Element | Expected::ElementOrEnd, _) => {
                decode(rest)?.map(|length| (Expected::CommaOrEnd, length))
            }
            (Expected::List, _) => return Err("expected a list or null".to_owned()),
            (Expected::CommaOrEnd, _) => return Err("expected a comma or bracket".to_owned()),
            (Expected::Nothing, _) => return Err("something follows the list".to_owned()),
        };
        match (taken, next) {
            (Some((then, length)), _) => (next, window.decoded) = (then, window.decoded + length),
            (None, _) if window.fill()? => {}
            (None, Expected::Nothing) => return Ok(()),
            (None, _) => return Err("the list is cut off".to_owned()),
        }
    }
}

/// The part of the document that is in memory.
struct Window<'a> {
    json: &'a mut dyn Read,
    /// Buffer for reading.
    block: Vec<u8>,
    /// Bytes at the start of `block` from the last read: the start of an incomplete character.
    carried: usize,
    text: String,
    /// Position in `text` up to which it has been decoded.
    decoded: usize,
}

impl Window<'_> {
    /// Reads more text; false at the end of the document. It reads at least as much as is left, so
    /// that a long element is not decoded from its start too often.
    fn fill(&mut self) -> Result<bool, String> {
        self.text.drain(..self.decoded);
        self.decoded = 0;
        let held = self.text.len();
        if held > MAX_ELEMENT_BYTES {
            return Err(format!(
                "an element is longer than {MAX_ELEMENT_BYTES} bytes"
            ));
        }
        let enough = WINDOW.max(2 * held).min(MAX_ELEMENT_BYTES + 1);
        while self.text.len() < enough && self.read()? {}
        Ok(self.text.len() > held)
    }

    /// Reads a block of text; false at the end of the document.
    fn read(&mut self) -> Result<bool, String> {
        let count = self.json.read(&mut self.block[self.carried..]);
        let count = count.map_err(|error| system_words(&error))?;
        let read = &self.block[..self.carried + count];
        let whole = match std::str::from_utf8(read) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() && count > 0 => {
                let whole = std::str::from_utf8(&read[..error.valid_up_to()]);
                whole.map_err(|error| error.to_string())?
            }
            Err(error) => return Err(error.to_string()),
        };
        self.text.push_str(whole);
        let (start, end) = (whole.len(), read.len());
        self.block.copy_within(start..end, 0);
        self.carried = end - start;
        Ok(count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

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

    fn elements(json: &[u8], at_once: usize) -> Result<Vec<Value>, String> {
        let mut all = Vec::new();
        for_each(&mut Drops(json, at_once), &mut |text| {
            decode_first(text, &mut |element| all.push(element))
        })?;
        Ok(all)
    }

    #[test]
    fn reads_lists_and_null() {
        for (json, expected) in [
            ("null", json!([])),
            (" null\n", json!([])),
            (" [ \n] ", json!([])),
            ("[1]", json!([1])),
            (
                "[null , \"],[\\\"\",{\"é\":[[]]}]",
                json!([null, "],[\"", {"é": [[]]}]),
            ),
        ] {
            for at_once in [1, 3, 1000] {
                let found = elements(json.as_bytes(), at_once).map(Value::from);
                assert_eq!(found, Ok(expected.clone()), "{json}");
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
            b"[{]",
            b"[}]",
            b"[,]",
            b"[1,]",
            b"[1 2]",
            b"[] 1",
            b"[],",
            b"[]]",
            b"[\x0c]",
            b"[\xff]",
            b"[\"\xc3\"]",
            b"[] \xc3",
        ] {
            for at_once in [1, 1000] {
                assert!(elements(json, at_once).is_err(), "{}", json.escape_ascii());
            }
        }
    }

    #[test]
    fn an_element_may_be_longer_than_what_is_read_but_not_endless() {
        let long = "é".repeat(5 * WINDOW);
        let found = elements(format!("[\"{long}\",2]").as_bytes(), 7001);
        assert_eq!(found, Ok(vec![json!(long), json!(2)]));
        let mut endless = (&b"[\""[..]).chain(std::io::repeat(b'x'));
        let error = for_each(&mut endless, &mut |text| {
            decode_first(text, &mut |_: Value| ())
        })
        .unwrap_err();
        assert!(error.contains("longer than 67108864"), "{error}");
    }

    proptest! {
        #[test]
        fn agrees_with_serde_on_whole_documents(
            json in r#"[\[\]{},:"\\ 1é]{0,24}|[nul \[\]]{0,6}|\[(("([a\\",\[{]|\\.)*"|[\[\]{}]|12|null|-1e5),?){0,8}\]"#,
            at_once in 1usize..40,
        ) {
            let whole: Result<Option<Vec<Value>>, _> = serde_json::from_str(&json);
            let found = elements(json.as_bytes(), at_once);
            prop_assert_eq!(whole.ok().map(Option::unwrap_or_default), found.ok());
        }
    }
}
