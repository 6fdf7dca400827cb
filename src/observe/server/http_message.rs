//! Requests and answers of HTTP/1: the bytes of a request go in, the bytes of the answer come out. Pure.
//! Each answer ends its connection, so a request's body is never read as another request.

use std::sync::Arc;

use super::request::{Asked, Refusal, Verdict, judge};

/// `Content-Security-Policy` of answers that aren't HTML: a browser loads and runs nothing.
pub const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// An answer before it is turned into bytes.
pub struct PageResponse {
    /// Status code and reason, such as `200 OK`.
    pub status: &'static str,
    /// Value of `Content-Type`, such as `text/plain; charset=utf-8`.
    pub content_type: &'static str,
    /// Value of `Content-Security-Policy`.
    pub policy: String,
    /// Name and value of the header that belongs to the status: `Allow` to 405, `Location` to 303.
    pub of_status: Option<(&'static str, &'static str)>,
    /// The body, or its beginning. It isn't sent for a `HEAD` request.
    pub body: String,
    /// The rest of a body that is too large to make at once. No piece is empty.
    pub rest: Option<Pieces>,
}

/// The rest of a body, made piece by piece as it is sent. Other connections may have the same pieces.
pub type Pieces = Box<dyn Iterator<Item = Arc<str>>>;

/// An answer as bytes.
pub struct Answer {
    /// The head, and the body or its beginning.
    pub bytes: Vec<u8>,
    /// The rest of the body, if it comes in pieces.
    pub rest: Option<Pieces>,
}

impl PageResponse {
    /// An answer of plain text.
    pub fn text(status: &'static str, body: impl Into<String>) -> PageResponse {
        PageResponse {
            status,
            content_type: "text/plain; charset=utf-8",
            policy: NOTHING.to_owned(),
            of_status: None,
            body: body.into(),
            rest: None,
        }
    }

    fn into_answer(self, has_body: bool) -> Answer {
        // Without `Content-Length`, the body ends where the connection ends.
        let length = match self.rest {
            None => format!("Content-Length: {}\r\n", self.body.len()),
            Some(_) => String::new(),
        };
        let of_status = self.of_status;
        let of_status = of_status.map(|(name, value)| format!("{name}: {value}\r\n"));
        let of_status = of_status.unwrap_or_default();
        let mut text = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\n{length}{of_status}Content-Security-Policy: {}\r\n\
             X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\nCache-Control: no-store\r\n\
             Connection: close\r\n\r\n",
            self.status, self.content_type, self.policy
        );
        if has_body {
            text.push_str(&self.body);
        }
        Answer {
            bytes: text.into_bytes(),
            rest: self.rest.filter(|_| has_body),
        }
    }
}

/// Answers a request, as far as it has come; none if its head isn't complete yet. `route` makes the
/// answer to one that asks for a page.
pub fn respond(bytes: &[u8], route: &dyn Fn(&Asked<'_>) -> PageResponse) -> Option<Answer> {
    match judge(bytes) {
        Verdict::Incomplete => None,
        Verdict::Asks { is_head, asked } => Some(route(&asked).into_answer(!is_head)),
        Verdict::Refused { is_head, refusal } => Some(refused(refusal).into_answer(!is_head)),
    }
}

fn refused(refusal: Refusal) -> PageResponse {
    let text = |status, body: &str| PageResponse::text(status, body);
    match refusal {
        Refusal::Malformed(words) => text("400 Bad Request", &format!("{words}\n")),
        Refusal::Method => PageResponse {
            of_status: Some(("Allow", "GET, HEAD")),
            ..text("405 Method Not Allowed", "GET or HEAD\n")
        },
        Refusal::Target => text("414 URI Too Long", "too long\n"),
        Refusal::Head => text("431 Request Header Fields Too Large", "too large\n"),
        Refusal::Version => text("505 HTTP Version Not Supported", "HTTP/1.0 or HTTP/1.1\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(asked: &Asked<'_>) -> PageResponse {
        match &*asked.path {
            "/here" => PageResponse::text("200 OK", "yes\n"),
            _ => PageResponse::text("404 Not Found", "no\n"),
        }
    }

    fn answer(request: &str) -> Answer {
        respond(request.as_bytes(), &route).expect("a whole request")
    }

    fn text(request: &str) -> String {
        String::from_utf8(answer(request).bytes).unwrap()
    }

    #[test]
    fn each_verdict_has_its_status() {
        for (request, status) in [
            ("GET /here HTTP/1.0\r\n\r\n", "200 OK"),
            ("HEAD /here HTTP/1.0\r\n\r\n", "200 OK"),
            ("GET /secret HTTP/1.0\r\n\r\n", "404 Not Found"),
            ("HEAD /secret HTTP/1.0\r\n\r\n", "404 Not Found"),
            ("POST /here HTTP/1.0\r\n\r\n", "405 Method Not Allowed"),
            ("GET /here HTTP/1.1\r\n\r\n", "400 Bad Request"),
            ("HEAD /here HTTP/1.1\r\n\r\n", "400 Bad Request"),
            (
                "GET /here HTTP/2.0\r\n\r\n",
                "505 HTTP Version Not Supported",
            ),
            (
                "HEAD /here HTTP/2.0\r\n\r\n",
                "505 HTTP Version Not Supported",
            ),
        ] {
            let answer = text(request);
            let first = answer.split("\r\n").next().unwrap();
            assert_eq!(first, format!("HTTP/1.1 {status}"), "{request:?}");
            assert!(answer.contains("\r\nConnection: close\r\n"), "{request:?}");
            assert_eq!(answer.ends_with("\r\n\r\n"), request.starts_with("HEAD"));
            let says_methods = answer.contains("\r\nAllow: GET, HEAD\r\n");
            assert_eq!(says_methods, status.starts_with("405"), "{answer}");
        }
        for (request, status) in [
            (
                format!("GET /{} HTTP/1.0\r\n\r\n", "x".repeat(5000)),
                "414 ",
            ),
            (
                format!("GET / HTTP/1.0\r\nX: {}\r\n\r\n", "x".repeat(5000)),
                "431 ",
            ),
        ] {
            assert!(text(&request).starts_with(&format!("HTTP/1.1 {status}")));
        }
        assert!(respond(b"GET /here HTTP/1.0\r\n", &route).is_none());
    }

    #[test]
    fn says_how_long_the_body_is_also_without_it() {
        for (method, body) in [("GET", "yes\n"), ("HEAD", "")] {
            let answer = text(&format!("{method} /here HTTP/1.0\r\n\r\n"));
            let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.contains("\r\nContent-Length: 4\r\n"), "{head}");
            assert_eq!(rest, body);
        }
    }

    #[test]
    fn what_follows_the_body_is_not_counted_and_goes_with_the_body() {
        let route = |_: &Asked<'_>| PageResponse {
            rest: Some(Box::new(["more".into()].into_iter())),
            ..PageResponse::text("200 OK", "begins")
        };
        for (method, end, rest) in [("GET", "\r\n\r\nbegins", 1), ("HEAD", "\r\n\r\n", 0)] {
            let request = format!("{method} /here HTTP/1.0\r\n\r\n");
            let answer = respond(request.as_bytes(), &route).expect("a whole request");
            let text = String::from_utf8(answer.bytes).unwrap();
            assert!(
                text.ends_with(end) && !text.contains("Content-Length"),
                "{text}"
            );
            assert_eq!(answer.rest.into_iter().flatten().count(), rest);
        }
    }
}
