//! Requests, well formed and not, and what each is.

use super::*;

fn asked(request: &str) -> Asked<'_> {
    match judge(request.as_bytes()) {
        Verdict::Asks { asked, .. } => asked,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_host_is_the_targets_or_else_the_headers() {
    for (request, host) in [
        ("GET / HTTP/1.0\r\n\r\n", ""),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", ""),
        ("GET / HTTP/1.1\r\nhost: a.b:80 \r\n\r\n", "a.b:80"),
        ("GET http://c/ HTTP/1.1\r\nHost: a.b:80\r\n\r\n", "c"),
        ("GET http://[::1]:80 HTTP/1.0\r\n\r\n", "[::1]:80"),
    ] {
        assert_eq!(asked(request).host, host, "{request}");
    }
}

#[test]
fn a_browser_says_that_it_takes_html() {
    for (accept, expected) in [
        ("text/html,application/xhtml+xml,*/*;q=0.8", true),
        ("application/json, Text/HTML ;q=0.5", true),
        ("*/*", false),
        ("text/*", false),
        ("text/htmlx", false),
        ("", false),
    ] {
        let request = format!("GET / HTTP/1.0\r\nAccept: {accept}\r\n\r\n");
        assert_eq!(asked(&request).takes_html, expected, "{accept}");
    }
    assert!(!asked("GET / HTTP/1.0\r\n\r\n").takes_html);
}

/// The path that a `GET` asks for.
fn path(request: &str) -> String {
    match judge(request.as_bytes()) {
        Verdict::Asks {
            is_head: false,
            asked,
        } => asked.path.into_owned(),
        other => panic!("{other:?}"),
    }
}

/// The status with which a request is refused; none if it isn't.
fn refusal(bytes: &[u8]) -> Option<Refusal> {
    match judge(bytes) {
        Verdict::Refused { refusal, .. } => Some(refusal),
        _ => None,
    }
}

fn is_malformed(bytes: &[u8]) -> bool {
    matches!(refusal(bytes), Some(Malformed(_)))
}

/// A GET of HTTP/1.1 with a Host and these header lines.
fn with(headers: &str) -> String {
    format!("GET /ping HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
}

#[test]
fn a_target_is_a_path_or_a_url() {
    for (target, expected) in [
        ("/", "/"),
        ("/ping", "/ping"),
        ("/ping?", "/ping"),
        ("/ping?x=y", "/ping"),
        ("/ping?x=/y?z=http://a/b", "/ping"),
        ("/?x", "/"),
        ("//ping", "//ping"),
        ("/ping/", "/ping/"),
        ("/./ping", "/./ping"),
        ("/x://y/ping", "/x://y/ping"),
        ("/p%69n%67", "/ping"),
        ("/%70%69%6E%67?%zz", "/ping"),
        ("/%2fping", "/%2Fping"),
        ("/%00%c3%a4%0d%0a", "/%00%C3%A4%0D%0A"),
        ("/%2570ing", "/%2570ing"),
        ("http://host/ping", "/ping"),
        ("HTTP://host/ping", "/ping"),
        ("http://host:1000/ping?x=y", "/ping"),
        ("http://[2001:db8::1]:1000/ping", "/ping"),
        ("http://rancher_dns.x-1.internal:/ping", "/ping"),
        ("http://host", "/"),
        ("http://host?x=/y", "/"),
        ("http://host/%70ing", "/ping"),
        ("http://host//http://other/", "//http://other/"),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(path(&request), expected, "{target}");
    }
    for target in [
        "ping",
        "?x",
        "*",
        "host:80",
        "https://host/ping",
        "ftp://host/ping",
        "http:/ping",
        "http:///ping",
        "http://?x",
        "http://:80/ping",
        "http://user@host/ping",
        "http://user:password@host/ping",
        "http://host:port/ping",
        "http://[::1/ping",
        "http://[::1]80/ping",
        "http://[]/ping",
        "http://a:b:c/",
        "/ping#x",
        "/%",
        "/%7",
        "/%zz",
        "/%+1",
        "/%7\u{e4}",
        "/\u{e4}",
        "http://h\u{e4}/",
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(is_malformed(request.as_bytes()), "{target}");
    }
}

#[test]
fn lines_end_with_lf_alone_too_and_empty_ones_may_come_first() {
    for request in [
        "GET /ping HTTP/1.1\nHost: x\n\n",
        "GET /ping HTTP/1.1\r\nHost: x\n\r\n",
        "GET /ping HTTP/1.1\nHost: x\r\n\n",
        "\r\nGET /ping HTTP/1.1\r\nHost: x\r\n\r\n",
        "\r\n\r\n\n\r\nGET /ping HTTP/1.1\r\nHost: x\r\n\r\n",
        "\nGET /ping HTTP/1.0\n\n",
    ] {
        assert_eq!(path(request), "/ping", "{request:?}");
    }
    for request in ["\rGET / HTTP/1.0\r\n\r\n", "\r\n GET / HTTP/1.0\r\n\r\n"] {
        assert!(is_malformed(request.as_bytes()), "{request:?}");
    }
    assert_eq!(judge(b"\r\n\r\n"), Verdict::Incomplete);
    let endless = "\r\n".repeat(MAX_HEAD);
    assert!(is_malformed(endless.as_bytes()));
}

#[test]
fn http_1_1_has_one_host_and_http_1_0_may_have_one() {
    let request = |version: &str, headers: &str| format!("GET / {version}\r\n{headers}\r\n");
    for (version, headers, is_right) in [
        ("HTTP/1.0", "", true),
        ("HTTP/1.0", "Host: x\r\n", true),
        ("HTTP/1.0", "Host: x\r\nHost: x\r\n", false),
        ("HTTP/1.0", "Host: a b\r\n", false),
        ("HTTP/1.1", "", false),
        ("HTTP/1.1", "X-Host: x\r\n", false),
        ("HTTP/1.1", "hOST:x\r\n", true),
        ("HTTP/1.1", "Host:\r\n", true),
        ("HTTP/1.1", "Host: [::1]:1000 \t\r\n", true),
        ("HTTP/1.1", "Host: my_service:1000\r\n", true),
        ("HTTP/1.1", "Host: x\r\nX: y\r\nhost: x\r\n", false),
        ("HTTP/1.1", "Host: x, y\r\n", false),
        ("HTTP/1.1", "Host: x/y\r\n", false),
        ("HTTP/1.1", "Host: user@x\r\n", false),
        ("HTTP/1.1", "Host: x:y\r\n", false),
        ("HTTP/1.1", "Host: :80\r\n", false),
        ("HTTP/1.1", "Host: \u{e4}\r\n", false),
    ] {
        let request = request(version, headers);
        assert_eq!(!is_malformed(request.as_bytes()), is_right, "{request:?}");
    }
    let absolute = "GET http://x/ HTTP/1.1\r\n\r\n";
    assert!(is_malformed(absolute.as_bytes()), "its host is no header");
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    for request in [
        with("X: a\r\n folded\r\n"),
        with("X: a\r\n\tfolded\r\n"),
        with(" X: a\r\n"),
        with("X : a\r\n"),
        with("X\t: a\r\n"),
        with("X\r\n"),
        with(": a\r\n"),
        with("X: a\rb\r\n"),
        with("X: a\0b\r\n"),
        with("X: a\u{1}b\r\n"),
        with("X: a\u{7f}b\r\n"),
        with("X\u{1}: a\r\n"),
        with("X(: a\r\n"),
        "GET /\0 HTTP/1.0\r\n\r\n".to_owned(),
        "GET /\u{1} HTTP/1.0\r\n\r\n".to_owned(),
        "G\u{1}T / HTTP/1.0\r\n\r\n".to_owned(),
        "GET  / HTTP/1.0\r\n\r\n".to_owned(),
        "GET /  HTTP/1.0\r\n\r\n".to_owned(),
        "GET / HTTP/1.0 \r\n\r\n".to_owned(),
        "GET\t/ HTTP/1.0\r\n\r\n".to_owned(),
        " GET / HTTP/1.0\r\n\r\n".to_owned(),
        "GET / HTTP/1.0\r\r\n\r\n".to_owned(),
        "GET /\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        "GET HTTP/1.0\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}".to_owned(),
    ] {
        assert!(is_malformed(request.as_bytes()), "{request:?}");
    }
}

#[test]
fn a_body_is_passed_over_if_its_end_is_clear() {
    for (headers, is_right) in [
        ("Content-Length: 5\r\n", true),
        ("Content-Length: 99999999999999999999999999\r\n", true),
        ("Content-Length: 5, 5\r\n", true),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", true),
        ("Content-Length: 5, 6\r\n", false),
        ("Content-Length: 5\r\nContent-Length: 6\r\n", false),
        ("Content-Length: -5\r\n", false),
        ("Content-Length: +5\r\n", false),
        ("Content-Length: 5 5\r\n", false),
        ("Content-Length:\r\n", false),
        ("Content-Length: x\r\n", false),
        ("Transfer-Encoding: chunked\r\n", true),
        ("Transfer-Encoding: gzip, Chunked\r\n", true),
        (
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            true,
        ),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", true),
        ("Transfer-Encoding: chunked, gzip\r\n", false),
        ("Transfer-Encoding: xchunked\r\n", false),
        (
            "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
            false,
        ),
        ("Transfer-Encoding:\r\n", false),
        ("Expect: 100-continue\r\nContent-Length: 5\r\n", true),
        ("Connection: keep-alive, Upgrade\r\nUpgrade: h2c\r\n", true),
        ("Connection: close\r\n", true),
    ] {
        let request = with(headers);
        assert_eq!(!is_malformed(request.as_bytes()), is_right, "{headers:?}");
        if is_right {
            let more = format!("{request}hello\0\u{1}GET /other HTTP/1.1\r\n\r\n");
            assert_eq!(path(&more), "/ping", "{headers:?}");
        }
    }
}

#[test]
fn other_versions_and_methods_are_told_from_nonsense() {
    for version in ["HTTP/2.0", "HTTP/3.0", "HTTP/0.9", "HTTP/1.2", "HTTP/9.9"] {
        let request = format!("GET / {version}\r\n\r\n");
        assert_eq!(refusal(request.as_bytes()), Some(Refusal::Version));
    }
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    assert_eq!(refusal(http2), Some(Refusal::Version));
    for version in [
        "HTTP/2",
        "HTTP/1.10",
        "http/1.1",
        "HTTPS/1.1",
        "XTTP/1.1",
        "1.1",
        "",
    ] {
        let request = format!("GET / {version}\r\n\r\n");
        assert!(is_malformed(request.as_bytes()), "{version}");
    }
    for request in [
        "POST / HTTP/1.0\r\n\r\n",
        "get / HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.0\r\n\r\n",
        "CONNECT host:443 HTTP/1.0\r\n\r\n",
        "X!#$%&'*+-.^_`|~ / HTTP/1.0\r\n\r\n",
    ] {
        assert_eq!(refusal(request.as_bytes()), Some(Refusal::Method));
    }
}

#[test]
fn a_head_has_its_limits() {
    let line = "X: y\r\n";
    let request = with(&line.repeat(MAX_HEADERS - 1));
    assert_eq!(path(&request), "/ping");
    let request = with(&line.repeat(MAX_HEADERS));
    assert_eq!(refusal(request.as_bytes()), Some(Refusal::Head));

    let filled = |length: usize| {
        let room = length - with("X: \r\n").len();
        with(&format!("X: {}\r\n", "x".repeat(room)))
    };
    assert_eq!(path(&filled(MAX_HEAD)), "/ping");
    let request = filled(MAX_HEAD + 1);
    assert_eq!(refusal(request.as_bytes()), Some(Refusal::Head));
    let begin = &request.as_bytes()[..MAX_HEAD - 1];
    assert_eq!(judge(begin), Verdict::Incomplete);

    let long = "x".repeat(MAX_HEAD);
    let target = format!("GET /{long} HTTP/1.0\r\n\r\n");
    assert_eq!(refusal(target.as_bytes()), Some(Refusal::Target));
    assert!(is_malformed(long.as_bytes()), "it may be no method at all");
    let version = format!("GET / HTTP/{long}\r\n\r\n");
    assert!(is_malformed(version.as_bytes()));
}

#[test]
fn pieces_are_judged_like_the_whole() {
    let long = "x".repeat(100);
    for request in [
        "GET /ping HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_owned(),
        "\r\n\nHEAD http://x/p%69ng HTTP/1.1\nHost: x\n\n".to_owned(),
        with(&format!("X: {long}\r\n")),
        with("X: a\r\n folded\r\n"),
        "GET / HTTP/2.0\r\n\r\n".to_owned(),
        "GET / HTTP/2".to_owned(),
        "GET / HTTQ\r\n".to_owned(),
        "GET /\r\n\r\n".to_owned(),
        "POST / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        with(&"X: y\r\n".repeat(MAX_HEADERS)),
    ] {
        let bytes = request.as_bytes();
        let whole = judge(bytes);
        for end in 0..bytes.len() {
            let verdict = judge(&bytes[..end]);
            assert!(
                verdict == Verdict::Incomplete || verdict == whole,
                "{request:?} to {end}: {verdict:?}, then {whole:?}"
            );
        }
    }
}
