//! The I/O of all sources: one request, one short answer.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::base::secret::Secret;
use crate::net::http::{Http, HttpError, Request};

/// Largest answer and largest token file, in bytes. Real ones have two thousand.
const LARGEST: u64 = 64 * 1024;

/// An answer, whatever its status.
pub struct Answer {
    /// 200, 404 …
    pub status: u16,
    /// `Date`.
    pub date: Option<String>,
    /// All of it.
    pub body: String,
}

/// Sends a request and reads the whole answer.
pub fn exchange(http: &Http, request: &Request<'_>) -> Result<Answer, HttpError> {
    let response = http.send(request)?;
    Ok(Answer {
        status: response.status,
        date: response.header("date").map(str::to_owned),
        body: response.text(LARGEST)?,
    })
}

/// Reads a token that is kept in a file and renewed there by someone else.
pub fn token_file(path: &Path) -> Result<Secret, String> {
    let shown = path.display();
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?
            .take(LARGEST + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error| format!("the file {shown} can't be read: {error}"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("the file {shown} is too large for a token"));
    }
    token(&bytes).map_err(|error| format!("the file {shown} {error}"))
}

/// A token as text that can stand in a header: a line break in it would begin another one.
fn token(bytes: &[u8]) -> Result<Secret, &'static str> {
    let text = str::from_utf8(bytes).unwrap_or("\0").trim();
    match text {
        "" => Err("is empty"),
        _ if text.bytes().all(|b| (b' '..=b'~').contains(&b)) => Ok(Secret::new(text)),
        _ => Err("holds something else than a token"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_token_is_one_line_of_text() {
        for (bytes, expected) in [
            (&b"abc.def\n"[..], Ok("abc.def")),
            (b" Bearer abc ", Ok("Bearer abc")),
            (b"", Err("is empty")),
            (b" \n", Err("is empty")),
            (b"a\r\nx-evil: 1", Err("holds something else than a token")),
            (b"a\0b", Err("holds something else than a token")),
            (b"\xff\xfe", Err("holds something else than a token")),
        ] {
            assert_eq!(token(bytes), expected.map(Secret::new), "{bytes:?}");
        }
    }

    #[test]
    fn a_file_that_gives_no_token_is_named() {
        let mut large = tempfile::NamedTempFile::new().unwrap();
        large.write_all(&[b'a'; 70_000]).unwrap();
        let empty = tempfile::NamedTempFile::new().unwrap();
        for (path, words) in [
            (large.path(), "too large"),
            (empty.path(), "is empty"),
            (Path::new("/does/not/exist"), "can't be read: No such file"),
            (Path::new("/"), "can't be read"),
        ] {
            let error = token_file(path).unwrap_err();
            assert!(error.contains(words), "{error}");
            assert!(error.contains(&format!("the file {} ", path.display())));
        }
    }
}
