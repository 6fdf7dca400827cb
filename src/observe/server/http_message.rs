//! The part of HTTP/1.1 that health checks need: the bytes of a request go in, the bytes of the
//! answer come out. Pure.

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
    /// The body, or its beginning. It isn't sent for a `HEAD` request.
    pub body: String,
    /// The rest of a body that is too large to keep in memory. No piece is empty.
    pub rest: Option<Pieces>,
}

/// The rest of a body, made piece by piece as it is sent.
pub type Pieces = Box<dyn Iterator<Item = String>>;

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
        let mut text = format!(
            "HTTP/1.1 {}\r\nContent-Type: {}\r\n{length}Content-Security-Policy: {}\r\n\
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

/// Answers a request. `head` is its head, up to the empty line; `is_whole` is false if it was cut
/// off because it is too large. `route` makes the answer for a path; it is called only for `GET` and
/// `HEAD`.
pub fn respond(head: &[u8], is_whole: bool, route: &dyn Fn(&str) -> PageResponse) -> Answer {
    let line = head.split(|byte| *byte == b'\r').next();
    let line = line.and_then(|line| std::str::from_utf8(line).ok());
    let mut words = line.unwrap_or_default().split(' ');
    let mut word = || words.next().unwrap_or_default();
    let (method, target, version) = (word(), word(), word());
    let path = target.split('?').next().unwrap_or_default();
    let response = match method {
        _ if !version.starts_with("HTTP/1.") => {
            PageResponse::text("400 Bad Request", "not an HTTP/1 request\n")
        }
        _ if !is_whole => PageResponse::text("431 Request Header Fields Too Large", "too large\n"),
        "GET" | "HEAD" => route(path),
        _ => PageResponse::text("405 Method Not Allowed", "GET or HEAD\n"),
    };
    response.into_answer(method != "HEAD")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str) -> PageResponse {
        match path {
            "/here" => PageResponse::text("200 OK", "yes\n"),
            _ => PageResponse::text("404 Not Found", "no\n"),
        }
    }

    #[test]
    fn answers_by_method_and_path() {
        for (request, status) in [
            ("GET /here HTTP/1.1\r\n\r\n", "200 OK"),
            ("GET /here HTTP/1.0\r\nHost: x\r\n\r\n", "200 OK"),
            ("GET /here?x=y HTTP/1.1\r\n\r\n", "200 OK"),
            ("HEAD /here HTTP/1.1\r\n\r\n", "200 OK"),
            ("GET /secret HTTP/1.1\r\n\r\n", "404 Not Found"),
            ("POST /here HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
            ("\r\n\r\n", "400 Bad Request"),
            ("GET /here\r\n\r\n", "400 Bad Request"),
            ("GET /here HTTP/2.0\r\n\r\n", "400 Bad Request"),
            ("\u{16}\u{3}\u{1}\r\n\r\n", "400 Bad Request"),
        ] {
            let answer =
                String::from_utf8(respond(request.as_bytes(), true, &route).bytes).unwrap();
            let first = answer.split("\r\n").next().unwrap();
            assert_eq!(first, format!("HTTP/1.1 {status}"), "{request:?}");
            assert_eq!(answer.ends_with("\r\n\r\n"), request.starts_with("HEAD"));
        }
        let cut = respond(b"GET /here HTTP/1.1\r\nX: y", false, &route);
        assert!(cut.bytes.starts_with(b"HTTP/1.1 431"));
    }

    #[test]
    fn says_how_long_the_body_is_also_without_it() {
        for (method, body) in [("GET", "yes\n"), ("HEAD", "")] {
            let request = format!("{method} /here HTTP/1.1\r\n\r\n");
            let answer =
                String::from_utf8(respond(request.as_bytes(), true, &route).bytes).unwrap();
            let (head, rest) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.contains("\r\nContent-Length: 4\r\n"), "{head}");
            assert_eq!(rest, body);
        }
    }

    #[test]
    fn what_follows_the_body_is_not_counted_and_goes_with_the_body() {
        let route = |_: &str| PageResponse {
            rest: Some(Box::new(["more".to_owned()].into_iter())),
            ..PageResponse::text("200 OK", "begins")
        };
        for (method, end, rest) in [("GET", "\r\n\r\nbegins", 1), ("HEAD", "\r\n\r\n", 0)] {
            let request = format!("{method} /here HTTP/1.1\r\n\r\n");
            let answer = respond(request.as_bytes(), true, &route);
            let text = String::from_utf8(answer.bytes).unwrap();
            assert!(
                text.ends_with(end) && !text.contains("Content-Length"),
                "{text}"
            );
            assert_eq!(answer.rest.into_iter().flatten().count(), rest);
        }
    }
}
