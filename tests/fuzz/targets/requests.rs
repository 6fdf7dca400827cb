//! Requests to the health listener: any bytes, cut off or not.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rancher_route53::observe::server::{PageResponse, respond};

const BODY: &str = "ok\n";

fuzz_target!(|bytes: &[u8]| {
    for is_whole in [true, false] {
        let asked = std::cell::RefCell::new(None);
        let route = |path: &str| {
            *asked.borrow_mut() = Some(path.to_owned());
            PageResponse::text("200 OK", BODY)
        };
        let answer = respond(bytes, is_whole, &route).bytes;
        check(bytes, is_whole, &answer, asked.borrow().as_deref());
    }
});

fn check(request: &[u8], is_whole: bool, answer: &[u8], asked: Option<&str>) {
    let answer = std::str::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an empty line");
    let mut lines = head.split("\r\n");
    let status = lines.next().expect("a line");
    assert!(["200", "400", "405", "431"].contains(&&status["HTTP/1.1 ".len()..][..3]));
    assert_eq!(status == "HTTP/1.1 200 OK", asked.is_some());
    // Nothing of the request comes back: nobody can write headers of their own.
    let names = lines.map(|line| line.split_once(": ").expect("a header").0);
    let expected = [
        "Content-Type",
        "Content-Length",
        "Content-Security-Policy",
        "X-Content-Type-Options",
        "Referrer-Policy",
        "Cross-Origin-Resource-Policy",
        "Cache-Control",
        "Connection",
    ];
    assert!(names.eq(expected), "{head}");
    let length: usize = head
        .split_once("Content-Length: ")
        .and_then(|(_, rest)| rest.split("\r\n").next()?.parse().ok())
        .expect("a length");
    assert!(body.len() == length || (body.is_empty() && request.starts_with(b"HEAD")));
    if let Some(path) = asked {
        assert!(is_whole && (request.starts_with(b"GET ") || request.starts_with(b"HEAD ")));
        assert!(!path.contains([' ', '?', '\r']));
    }
}
