//! Input and output that the sources of credentials share: a request with a short answer, and a
//! file with a token.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::base::secret::Secret;
use crate::base::text::system_words;
use crate::net::http::{Http, HttpError, Request};

/// Largest answer and largest token file that is read, in bytes. Real ones have two thousand.
const MAX_BYTES: u64 = 64 * 1024;

/// An answer with any status.
pub struct Answer {
    /// HTTP status, such as 200 or 404.
    pub status: u16,
    /// The whole body.
    pub body: String,
}

/// Sends a request and reads the whole answer.
pub fn send_and_read(http: &Http, request: &Request<'_>) -> Result<Answer, HttpError> {
    let response = http.send(request)?;
    Ok(Answer {
        status: response.status,
        body: response.text(MAX_BYTES)?,
    })
}

/// Reads a token from a file, which the container platform renews from time to time.
pub fn token_file(path: &Path) -> Result<Secret, String> {
    let shown = path.display();
    let read = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?
            .take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let unread = |error| format!("the file {shown} can't be read: {}", system_words(&error));
    let bytes = read().map_err(unread)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("the file {shown} is too large for a token"));
    }
    token(&bytes).map_err(|error| format!("the file {shown} {error}"))
}

/// Checks that a token can be sent in a header. A line break in it would start another header.
fn token(bytes: &[u8]) -> Result<Secret, &'static str> {
    let text = str::from_utf8(bytes).unwrap_or("\0").trim();
    match text {
        "" => Err("is empty"),
        _ if text.bytes().all(|b| (b' '..=b'~').contains(&b)) => Ok(Secret::with_scheme(text)),
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
