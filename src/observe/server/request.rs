//! Judges the head of a request: bytes go in; which page is asked for, or why the request is refused,
//! comes out. Pure. `httparse` splits the head into its parts; what it leaves to its callers is here:
//! the target's form, `Host`, the version, and how the body would be framed.
//! <https://www.rfc-editor.org/rfc/rfc9112>

use std::borrow::Cow;

use httparse::{EMPTY_HEADER, Error, Header, Request, Status};

/// Largest head of a request that is accepted, in bytes, empty lines before it included.
pub const MAX_HEAD: usize = 4 * 1024;
/// Most header lines that are accepted.
const MAX_HEADERS: usize = 64;

/// What the bytes that have come are.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// The beginning of a head, which may become any of the others.
    Incomplete,
    /// A request for a page.
    Asks {
        /// `HEAD` instead of `GET`: the body isn't sent.
        is_head: bool,
        /// Which page, by which name, and for whom.
        asked: Asked<'a>,
    },
    /// Something that isn't answered with a page.
    Refused {
        /// As in [`Verdict::Asks`].
        is_head: bool,
        /// Why not.
        refusal: Refusal,
    },
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The path, such as `/ping`, without a query and without needless percent-encoding.
    pub path: Cow<'a, str>,
    /// The host that the client asks for, perhaps with a port; empty if it doesn't say. A request of
    /// HTTP/1.0 needs none.
    pub host: &'a str,
    /// Whether the client is one for people: it takes HTML and says so, as every browser does.
    pub takes_html: bool,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It isn't HTTP/1, or breaks its rules; what is wrong in words.
    Malformed(&'static str),
    /// Its method is neither `GET` nor `HEAD`.
    Method,
    /// Its target is too long.
    Target,
    /// Its head is too large.
    Head,
    /// It is of another version of HTTP.
    Version,
}

use Refusal::Malformed;

/// Judges what has come of a connection so far. What follows the head is passed over: each connection
/// has one request, and a body means nothing for `GET` and `HEAD`.
///
/// The verdict doesn't depend on the pieces in which the bytes have come: if it isn't
/// [`Verdict::Incomplete`], further bytes don't change it.
pub fn judge(bytes: &[u8]) -> Verdict<'_> {
    let is_full = bytes.len() >= MAX_HEAD;
    let bytes = &bytes[..bytes.len().min(MAX_HEAD)];
    let mut headers = [EMPTY_HEADER; MAX_HEADERS];
    let mut request = Request::new(&mut headers);
    let result = request.parse(bytes);
    let is_head = request.method == Some("HEAD");
    let refused = |refusal| Verdict::Refused { is_head, refusal };
    match result {
        Ok(Status::Complete(_)) => match asked(&request) {
            Ok(asked) => Verdict::Asks { is_head, asked },
            Err(refusal) => refused(refusal),
        },
        Ok(Status::Partial) if !is_full => Verdict::Incomplete,
        Ok(Status::Partial) => refused(too_large(&request)),
        // The parser stops within the version; the rest of its line says which it is.
        Err(Error::Version) => match request_line(bytes) {
            None if !is_full => Verdict::Incomplete,
            Some(line) if has_other_version(line) => refused(Refusal::Version),
            _ => refused(NOT_HTTP),
        },
        Err(Error::TooManyHeaders) => refused(Refusal::Head),
        Err(Error::HeaderName | Error::HeaderValue) => refused(Malformed("a malformed header")),
        Err(Error::NewLine | Error::Status | Error::Token) => refused(NOT_HTTP),
    }
}

const NOT_HTTP: Refusal = Malformed("not an HTTP/1 request");

/// What is too large if the head hasn't ended within the limit. RFC 9112, section 3, asks for an
/// answer of its own for a long target.
fn too_large(request: &Request<'_, '_>) -> Refusal {
    match (request.method, request.path) {
        (None, _) => NOT_HTTP,
        (_, None) => Refusal::Target,
        _ => Refusal::Head,
    }
}

/// The first line that isn't empty, if its end has come.
fn request_line(bytes: &[u8]) -> Option<&[u8]> {
    let begin = bytes.iter().position(|byte| !b"\r\n".contains(byte))?;
    let line = &bytes[begin..];
    let end = line.iter().position(|byte| *byte == b'\n')?;
    let line = &line[..end];
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}

/// Whether a request line is of three words, of which the last is `HTTP/`, a digit, a dot and a digit.
fn has_other_version(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ').skip(2);
    let (Some(version), None) = (words.next(), words.next()) else {
        return false;
    };
    matches!(version.strip_prefix(b"HTTP/"), Some([major, b'.', minor])
        if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// What a whole head asks for.
fn asked<'a>(request: &Request<'_, 'a>) -> Result<Asked<'a>, Refusal> {
    let host = host(request.headers, request.version == Some(1))?;
    check_framing(request.headers)?;
    if !matches!(request.method, Some("GET" | "HEAD")) {
        return Err(Refusal::Method);
    }
    let target = request.path.unwrap_or_default();
    let malformed = Malformed("the target must be a path or an http:// URL");
    let (path, authority) = parts_of_target(target).ok_or(malformed)?;
    Ok(Asked {
        path,
        // The target's host counts, not the header's (RFC 9112, section 3.2.2).
        host: authority.unwrap_or(host),
        takes_html: takes_html(request.headers),
    })
}

/// Whether `Accept` names HTML, and not only as a part of `*/*`: RFC 9110, section 12.5.1.
fn takes_html(headers: &[Header<'_>]) -> bool {
    values(headers, "accept")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .any(|range| {
            let kind = range.split(|byte| *byte == b';').next();
            kind.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"text/html"))
        })
}

/// The values of a header, which may stand on several lines.
fn values<'a>(headers: &[Header<'a>], name: &str) -> impl Iterator<Item = &'a [u8]> {
    headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value)
}

/// The value of `Host`; empty if there is none. RFC 9112, section 3.2: HTTP/1.1 asks for one, and no
/// request may have several.
fn host<'a>(headers: &[Header<'a>], is_required: bool) -> Result<&'a str, Refusal> {
    let mut hosts = values(headers, "host");
    match (hosts.next(), hosts.next()) {
        (None, _) if is_required => Err(Malformed("the Host header is missing")),
        (_, Some(_)) => Err(Malformed("several Host headers")),
        (Some(host), None) if !host.is_empty() => match std::str::from_utf8(host) {
            Ok(text) if is_authority(host) => Ok(text),
            _ => Err(Malformed("a malformed Host header")),
        },
        _ => Ok(""),
    }
}

/// RFC 9112, section 6.3: a body whose end can't be known is refused. A body that is well framed is
/// passed over, for the connection ends with the answer.
fn check_framing(headers: &[Header<'_>]) -> Result<(), Refusal> {
    let items = |name| values(headers, name).flat_map(|value| value.split(|byte| *byte == b','));
    if let Some(coding) = items("transfer-encoding").last() {
        if coding.trim_ascii().eq_ignore_ascii_case(b"chunked") {
            return Ok(());
        }
        return Err(Malformed("chunked must be the last Transfer-Encoding"));
    }
    let mut lengths = items("content-length").map(<[u8]>::trim_ascii);
    let Some(first) = lengths.next() else {
        return Ok(());
    };
    let is_number = !first.is_empty() && first.iter().all(u8::is_ascii_digit);
    if is_number && lengths.all(|length| length == first) {
        Ok(())
    } else {
        Err(Malformed("a malformed Content-Length"))
    }
}

/// The path of a target in origin form (`/ping?x=y`) or absolute form (`http://host/ping?x=y`), and
/// the host of the latter; RFC 9112, sections 3.2.1 and 3.2.2. The other two forms are for other
/// methods.
fn parts_of_target(target: &str) -> Option<(Cow<'_, str>, Option<&str>)> {
    if !target
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#')
    {
        return None;
    }
    let (path, authority) = match target.split_once("://") {
        _ if target.starts_with('/') => (target, None),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            if !is_authority(authority.as_bytes()) {
                return None;
            }
            (path, Some(authority))
        }
        _ => return None,
    };
    let path = match path.split('?').next() {
        None | Some("") => Cow::Borrowed("/"),
        Some(path) => decode_unreserved(path)?,
    };
    Some((path, authority))
}

/// A path without percent-encoding of characters that don't need any, which makes no difference by RFC
/// 3986, section 6.2.2.2. None if a `%` isn't followed by two hexadecimal digits.
fn decode_unreserved(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path));
    }
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        let digits = after.get(..2)?;
        let octet = hex_octet(digits)?;
        decoded.push_str(before);
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            decoded.push(char::from(octet));
        } else {
            decoded.push('%');
            decoded.push_str(&digits.to_ascii_uppercase());
        }
        rest = &after[2..];
    }
    decoded.push_str(rest);
    Some(Cow::Owned(decoded))
}

fn hex_octet(digits: &str) -> Option<u8> {
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

/// Whether this is a host with or without a port; RFC 9110, section 4.2.1, and RFC 3986, section
/// 3.2.2. User names aren't for `http` (RFC 9110, section 4.2.4).
fn is_authority(text: &[u8]) -> bool {
    let (host, port) = match text.strip_prefix(b"[") {
        Some(rest) => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else {
                return false;
            };
            (&rest[..end], &rest[end + 1..])
        }
        None => {
            let end = text.iter().position(|byte| *byte == b':');
            text.split_at(end.unwrap_or(text.len()))
        }
    };
    let is_in_brackets = text.starts_with(b"[");
    let is_host_byte = |byte: &u8| match byte {
        b':' => is_in_brackets,
        b'%' => true,
        _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(byte),
    };
    let is_port = match port.split_first() {
        None => true,
        Some((b':', digits)) => digits.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    !host.is_empty() && host.iter().all(is_host_byte) && is_port
}

#[cfg(test)]
mod tests;
