//! Reads a JSON list element by element as it comes, so that of one of 68 MB only a small part
//! is ever held.
//!
//! serde reads text in memory eight bytes at a time, and a stream one by one. So it is given
//! what there is of the list, and again with more if an element isn't all there: the 6.9 MB of
//! 1,000 services take a fifth of the instructions that way.

use std::io::Read;

use serde::Deserialize;

/// Of the text, this much is held before it is looked at, in bytes.
const WINDOW: usize = 64 * 1024;
/// What is read at a time, in bytes.
const BLOCK: usize = 16 * 1024;
/// Longest element, in bytes: a service with 10,000 containers has 22 MB.
const LONGEST: usize = 64 * 1024 * 1024;

/// Decodes the element that a text starts with, which may borrow from it, gives it to `take` and
/// returns its length in bytes; none if there is more to come of it.
pub fn first<'a, T: Deserialize<'a>>(
    text: &'a str,
    take: &mut dyn FnMut(T),
) -> Result<Option<usize>, String> {
    let mut elements = serde_json::Deserializer::from_str(text).into_iter();
    match elements.next() {
        Some(Ok(element)) => {
            let length = elements.byte_offset();
            // Of a number there may be more to come.
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

/// What may come next.
#[derive(Clone, Copy)]
enum Next {
    List,
    ElementOrEnd,
    Element,
    CommaOrEnd,
    Nothing,
}

/// Reads a list to its end; `null` is the empty list. `take` is given each element, with what is
/// behind it, to take the [`first`]. Whatever isn't one list of such elements, whole and with nothing
/// behind it, is an error.
pub fn each(
    json: &mut dyn Read,
    take: &mut dyn FnMut(&str) -> Result<Option<usize>, String>,
) -> Result<(), String> {
    let mut text = Text {
        json,
        block: vec![0; BLOCK],
        held_over: 0,
        window: String::with_capacity(WINDOW + BLOCK),
        at: 0,
    };
    let mut next = Next::List;
    loop {
        let rest = text.window[text.at..].trim_start_matches([' ', '\t', '\n', '\r']);
        text.at = text.window.len() - rest.len();
        let taken = match (next, rest.as_bytes()) {
            (_, []) => None,
            (Next::List, [b'[', ..]) => Some((Next::ElementOrEnd, 1)),
            (Next::List, [b'n', b'u', b'l', b'l', ..]) => Some((Next::Nothing, 4)),
            (Next::List, _) if "null".starts_with(rest) => None,
            (Next::ElementOrEnd | Next::CommaOrEnd, [b']', ..]) => Some((Next::Nothing, 1)),
            (Next::CommaOrEnd, [b',', ..]) => Some((Next::Element, 1)),
            (Next::Element | Next::ElementOrEnd, _) => {
                take(rest)?.map(|length| (Next::CommaOrEnd, length))
            }
            (Next::List, _) => return Err("expected a list or null".to_owned()),
            (Next::CommaOrEnd, _) => return Err("expected a comma or bracket".to_owned()),
            (Next::Nothing, _) => return Err("something follows the list".to_owned()),
        };
        match (taken, next) {
            (Some((then, length)), _) => (next, text.at) = (then, text.at + length),
            (None, _) if text.fill()? => {}
            (None, Next::Nothing) => return Ok(()),
            (None, _) => return Err("the list is cut off".to_owned()),
        }
    }
}

/// The document, of which a part is held.
struct Text<'a> {
    json: &'a mut dyn Read,
    /// What was read last.
    block: Vec<u8>,
    /// Bytes at the block's start that are the start of a character.
    held_over: usize,
    window: String,
    /// What is before it isn't needed any more.
    at: usize,
}

impl Text<'_> {
    /// Reads on, at least as much as there is already, so that a long element isn't looked at
    /// too often; false at the end of the document.
    fn fill(&mut self) -> Result<bool, String> {
        self.window.drain(..self.at);
        self.at = 0;
        let held = self.window.len();
        if held > LONGEST {
            return Err(format!("an element is longer than {LONGEST} bytes"));
        }
        let enough = WINDOW.max(2 * held).min(LONGEST + 1);
        while self.window.len() < enough && self.read()? {}
        Ok(self.window.len() > held)
    }

    /// Reads a block; false at the end of the document.
    fn read(&mut self) -> Result<bool, String> {
        let count = self.json.read(&mut self.block[self.held_over..]);
        let count = count.map_err(|error| error.to_string())?;
        let read = &self.block[..self.held_over + count];
        let whole = match std::str::from_utf8(read) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() && count > 0 => {
                let whole = std::str::from_utf8(&read[..error.valid_up_to()]);
                whole.map_err(|error| error.to_string())?
            }
            Err(error) => return Err(error.to_string()),
        };
        self.window.push_str(whole);
        let (start, end) = (whole.len(), read.len());
        self.block.copy_within(start..end, 0);
        self.held_over = end - start;
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
        each(&mut Drops(json, at_once), &mut |text| {
            first(text, &mut |element| all.push(element))
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
        let error = each(&mut endless, &mut |text| first(text, &mut |_: Value| ())).unwrap_err();
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
