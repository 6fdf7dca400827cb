//! Requests to the health listener: any bytes, in any pieces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rancher_route53::observe::server::{Asked, PageResponse, respond};

const BODY: &str = "ok\n";
/// Largest head that is accepted, in bytes.
const MAX_HEAD: usize = 4096;
const STATUSES: [&str; 6] = ["200", "400", "405", "414", "431", "505"];

fuzz_target!(|bytes: &[u8]| {
    let bytes = &bytes[..bytes.len().min(MAX_HEAD)];
    let whole = answer(bytes);
    check_pieces(bytes, whole.as_ref());
    let Some((text, path)) = whole else {
        assert!(bytes.len() < MAX_HEAD, "a full buffer is answered");
        return;
    };
    let is_head = first_line(bytes).starts_with(b"HEAD ");
    check_answer(&text, is_head, path.is_some());
    if let Some(path) = path {
        check_accepted(bytes, &path, is_head);
    }
});

/// The answer to what has come, if there is one, and the path that it is for.
fn answer(bytes: &[u8]) -> Option<(String, Option<String>)> {
    let asked = std::cell::RefCell::new(None);
    let route = |request: &Asked<'_>| {
        *asked.borrow_mut() = Some(request.path.to_string());
        PageResponse::text("200 OK", BODY)
    };
    let answer = respond(bytes, &route)?;
    let text = String::from_utf8(answer.bytes).expect("text");
    Some((text, asked.into_inner()))
}

/// However few bytes have come: the answer is the same as to all of them, or there is none yet.
fn check_pieces(bytes: &[u8], whole: Option<&(String, Option<String>)>) {
    let step = 1 + bytes.len() / 24;
    for end in (0..bytes.len()).step_by(step) {
        let part = answer(&bytes[..end]);
        assert!(part.is_none() || part.as_ref() == whole, "cut at {end}");
    }
    // What follows the head changes nothing.
    if whole.is_some() && bytes.len() < MAX_HEAD {
        let more = [bytes, b"\r\nX: y\r\n\r\nGET /more HTTP/1.1\r\n\r\n"].concat();
        assert_eq!(answer(&more[..more.len().min(MAX_HEAD)]).as_ref(), whole);
    }
}

/// Nothing of the request comes back: nobody can write headers of their own.
fn check_answer(answer: &str, is_head: bool, is_accepted: bool) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("an empty line");
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 "));
    let status = &status.expect("a status")[..3];
    assert!(STATUSES.contains(&status), "{status}");
    assert_eq!(status == "200", is_accepted);
    let names = lines.map(|line| line.split_once(": ").expect("a header").0);
    let allow = (status == "405").then_some("Allow");
    let expected = ["Content-Type", "Content-Length"]
        .into_iter()
        .chain(allow)
        .chain([
            "Content-Security-Policy",
            "X-Content-Type-Options",
            "Referrer-Policy",
            "Cross-Origin-Resource-Policy",
            "Cache-Control",
            "Connection",
        ]);
    assert!(names.eq(expected), "{head}");
    let length: usize = head
        .split_once("Content-Length: ")
        .and_then(|(_, rest)| rest.split("\r\n").next()?.parse().ok())
        .expect("a length");
    // A request without a method has a body in its answer as well.
    assert!(body.len() == length || (body.is_empty() && is_head));
}

/// A request that is accepted keeps to the rules, by a reader that shares nothing with the product's;
/// and written anew in its plainest form, it asks for the same.
fn check_accepted(bytes: &[u8], path: &str, is_head: bool) {
    let (head, method) = (head(bytes), if is_head { "HEAD" } else { "GET" });
    let mut lines = head.lines();
    let words: Vec<&str> = lines.next().expect("a line").split(' ').collect();
    let [said, target, version] = words[..] else {
        panic!("{words:?}");
    };
    assert_eq!(said, method);
    assert!(["HTTP/1.0", "HTTP/1.1"].contains(&version));
    let headers: Vec<(String, &str)> = lines
        .map(|line| line.split_once(':').expect("a colon"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim()))
        .collect();
    for (name, value) in &headers {
        assert!(!name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control()));
        assert!(!value.contains(|c: char| c != '\t' && c.is_ascii_control()));
    }
    let hosts = headers.iter().filter(|(name, _)| name == "host").count();
    assert!(hosts == 1 || (hosts == 0 && version == "HTTP/1.0"));

    assert!(path.starts_with('/') && !path.contains(['?', '#', ' ']));
    assert!(path.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(target.starts_with('/') || target.to_ascii_lowercase().starts_with("http://"));
    let plain = format!("{method} {path} HTTP/1.1\r\nHost:\r\n\r\n");
    let (_, again) = answer(plain.as_bytes()).expect("a whole request");
    assert_eq!(again.as_deref(), Some(path));
}

/// The first line that isn't empty, as far as it has come.
fn first_line(bytes: &[u8]) -> &[u8] {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let is_full = |line: &&[u8]| !line.is_empty() && *line != b"\r";
    lines.find(is_full).unwrap_or_default()
}

/// The head without the empty lines before it and the one at its end. Bytes that aren't ASCII may
/// stand in values of headers only.
fn head(bytes: &[u8]) -> String {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let text = text.replace("\r\n", "\n");
    let text = text.trim_start_matches('\n');
    let (head, _) = text.split_once("\n\n").expect("an empty line");
    head.to_owned()
}
