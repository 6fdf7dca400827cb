use super::*;
use std::io;

/// A simulated stream: the input that it still has, and the output that was written.
struct Stream<'a> {
    comes: &'a [u8],
    sent: Vec<u8>,
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.comes.read(buffer)
    }
}

impl Write for Stream<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sent.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The result of asking for a tunnel if the proxy answers this, and the input that is left.
fn ask(answer: &str) -> (String, usize) {
    let mut stream = Stream {
        comes: answer.as_bytes(),
        sent: Vec::new(),
    };
    let said = match ask_for_tunnel(&mut stream, "host:443", None) {
        Ok(()) => "a tunnel".to_owned(),
        Err(ProxyError::Broken(what)) => what.to_owned(),
        Err(ProxyError::Refused { refusal, .. }) => format!(
            "{} {:?} {:?}",
            refusal.status, refusal.name, refusal.unknown_schemes
        ),
        Err(error) => format!("{error:?}"),
    };
    (said, stream.comes.len())
}

#[test]
fn a_tunnel_is_asked_for_with_credentials_for_the_proxy() {
    let mut stream = Stream {
        comes: b"HTTP/1.1 200 OK\r\n\r\n",
        sent: Vec::new(),
    };
    let value = Secret::new("Basic eA==");
    ask_for_tunnel(&mut stream, "[2001:db8::1]:443", Some(&value)).expect("a tunnel");
    let sent = String::from_utf8(stream.sent).unwrap();
    let expected = format!(
        "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\nUser-Agent: \
         {USER_AGENT}\r\nProxy-Authorization: Basic eA==\r\n\r\n"
    );
    assert_eq!(sent, expected);
}

#[test]
fn an_answer_makes_a_tunnel_or_says_why_not() {
    for (answer, expected, left) in [
        ("HTTP/1.1 200 OK\r\n\r\n", "a tunnel", 0),
        ("HTTP/1.0 200\r\n\r\n", "a tunnel", 0),
        (
            "HTTP/1.1 204 x\r\nContent-Length: 9\r\n\r\nTLS",
            "a tunnel",
            3,
        ),
        ("HTTP/1.1 200 OK\n\nTLS", "a tunnel", 3),
        (
            "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
            "a tunnel",
            0,
        ),
        ("HTTP/1.1 302 x\r\nLocation: y\r\n\r\n", "302 \"\" \"\"", 0),
        (
            "HTTP/1.1 403 x\r\nx-squid-error: ERR_ACCESS_DENIED 0\r\n\r\n<html>",
            "403 \"ERR_ACCESS_DENIED\" \"\"",
            6,
        ),
        (
            "HTTP/1.1 403 x\r\nX-Squid-Error: hunter2\r\n\r\n",
            "403 \"\" \"\"",
            0,
        ),
        (
            "HTTP/1.1 407 x\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n",
            "407 \"\" \"\"",
            0,
        ),
        (
            "HTTP/1.1 407 x\r\nproxy-authenticate: negotiate\r\nPROXY-AUTHENTICATE: NTLM\r\n\r\n",
            "407 \"\" \"Negotiate or NTLM\"",
            0,
        ),
        (
            "HTTP/1.1 407 x\r\nProxy-Authenticate: hunter2\r\n\r\n",
            "407 \"\" \"\"",
            0,
        ),
        ("", "it has ended the connection without an answer", 0),
        (
            "HTTP/1.1 200 OK\r\n",
            "it has ended the connection within its answer",
            0,
        ),
        (
            "HTTP/1.1 100 C\r\n\r\n",
            "it has ended the connection without an answer",
            0,
        ),
        ("HTTP/2 200\r\n\r\n", "what it answers isn't HTTP", 8),
        ("HTTP/1.1  200 OK\r\n\r\n", "what it answers isn't HTTP", 0),
        ("HTTP/1.1 20 OK\r\n\r\n", "what it answers isn't HTTP", 0),
        ("HTTP/1.1 2000 OK\r\n\r\n", "what it answers isn't HTTP", 0),
        ("HTTP/1.1 +20 OK\r\n\r\n", "what it answers isn't HTTP", 0),
        ("HTTP/1.1 099 OK\r\n\r\n", "what it answers isn't HTTP", 0),
        ("\r\n\r\n", "what it answers isn't HTTP", 3),
    ] {
        assert_eq!(ask(answer), (expected.to_owned(), left), "{answer:?}");
    }
}

#[test]
fn a_head_without_an_end_is_read_so_far_and_no_farther() {
    let large = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(2 * MAX_HEAD));
    let (said, left) = ask(&large);
    assert_eq!(said, "the head of its answer has no end");
    assert_eq!(left, large.len() - MAX_HEAD);
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(MAX_HEAD);
    let (said, left) = ask(&interim);
    assert_eq!(said, "the head of its answer has no end");
    assert_eq!(left, interim.len() - MAX_HEAD);
}

#[test]
fn only_the_first_line_becomes_absolute() {
    let value = Secret::new("Basic eA==");
    for (head, authorization, expected) in [
        (
            "GET /v1?a=/b HTTP/1.1\r\nhost: h:8080\r\n\r\n",
            None,
            "GET http://h:8080/v1?a=/b HTTP/1.1\r\nhost: h:8080\r\n\r\n",
        ),
        (
            "POST / HTTP/1.1\r\nhost: h:8080\r\n\r\nGET / HTTP/1.1\r\n",
            Some(&value),
            "POST http://h:8080/ HTTP/1.1\r\nProxy-Authorization: Basic eA==\r\nhost: \
             h:8080\r\n\r\nGET / HTTP/1.1\r\n",
        ),
    ] {
        let sent = in_absolute_form(head.as_bytes(), "http://h:8080", authorization);
        assert_eq!(String::from_utf8(sent).unwrap(), expected);
    }
}
