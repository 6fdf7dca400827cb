//! That no proxy but those of the settings is used, whatever the environment says to libraries, and
//! that no answer is read beyond its limit.

use super::*;
use std::io::{Read, Write};
use std::net::TcpListener;

const VARIABLES: [&str; 3] = ["ALL_PROXY", "HTTP_PROXY", "http_proxy"];

/// The test starts itself as a second process, because the environment is that of a whole process.
#[test]
fn proxies_of_the_environment_are_not_used_unless_they_are_given() {
    const HAS_PROXIES: &str = "HAS_PROXIES";
    if std::env::var_os(HAS_PROXIES).is_none() {
        let (_, module) = module_path!().split_once("::").unwrap();
        let test =
            format!("{module}::proxies_of_the_environment_are_not_used_unless_they_are_given");
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let nobody = format!("http://{}", nobody.unwrap());
        let mut itself = std::process::Command::new(std::env::current_exe().unwrap());
        itself.args(["--exact", &test, "--nocapture"]);
        itself
            .env(HAS_PROXIES, "1")
            .env_remove("NO_PROXY")
            .env_remove("no_proxy");
        for variable in VARIABLES {
            itself.env(variable, &nobody);
        }
        let output = itself.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{text}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains("1 passed"), "{stdout}");
        return;
    }
    let answer = answered("Content-Length: 2\r\n\r\nok");
    assert_eq!(answer.status, 200);
}

/// The answer of a server that sends this behind the first line, and closes the connection.
fn answered(rest: &str) -> Response {
    let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{rest}");
    answer_of(answer.as_bytes()).unwrap()
}

/// The answer of a server that sends this, and closes the connection.
fn answer_of(bytes: &[u8]) -> Result<Response, HttpError> {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let bytes = bytes.to_owned();
    let answering = std::thread::spawn(move || {
        let (mut client, _) = server.accept().unwrap();
        let mut request = [0; 1024];
        assert!(client.read(&mut request).unwrap() > 0);
        client.write_all(&bytes).unwrap();
    });
    let answer = Http::new(&Trust::default(), Proxies::default()).send(&Request {
        method: "GET",
        url: &url,
        headers: &[],
        body: &[],
        timeout: Duration::from_secs(30),
    });
    answering.join().unwrap();
    answer
}

#[test]
fn only_what_does_not_begin_as_http_is_said_to_be_something_else() {
    let chunks =
        |chunks: &str| format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    let headers: String = (0..150).map(|i| format!("X-{i}: y\r\n")).collect();
    for (answer, expected) in [
        (
            "SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned(),
            "what answers isn't HTTP (the URL",
        ),
        // TLS's alert, as a port for https:// sends it.
        (
            "\x15\x03\x01\0\x02\x02\x46".to_owned(),
            "what answers isn't HTTP (the URL",
        ),
        (
            chunks("a\r\n0123456789\r\nzz\r\n"),
            "the answer can't be read as HTTP: chunk length",
        ),
        (
            chunks("a\r\n0123456789XX0\r\n\r\n"),
            "the answer can't be read as HTTP: chunk expected",
        ),
        (
            format!("HTTP/1.1 200 OK\r\n{headers}\r\n"),
            "the answer can't be read as HTTP: http parse",
        ),
        (
            "HTTP/1.1 200 OK\r\nno header\r\n\r\n".to_owned(),
            "the answer can't be read as HTTP: http parse",
        ),
    ] {
        let text = answer_of(answer.as_bytes()).and_then(|response| response.text(1_000));
        let words = text.expect_err(&answer).to_string();
        assert!(words.starts_with(expected), "{answer:?}: {words}");
    }
}

#[test]
fn no_body_is_read_beyond_its_limit() {
    let too_large = "the response body is larger than request limit: 10";
    let broken = "the connection was closed before the answer was whole";
    let cases = [
        ("Content-Length: 10\r\n\r\n0123456789", Ok("0123456789")),
        ("Content-Length: 11\r\n\r\n0123456789a", Err(too_large)),
        // Nothing follows: who read it would find a broken connection.
        ("Content-Length: 11\r\n\r\n", Err(too_large)),
        ("Content-Length: 10\r\n\r\n", Err(broken)),
        ("\r\n0123456789", Ok("0123456789")),
        ("\r\n0123456789a", Err(too_large)),
        (
            "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
            Ok("0123456789"),
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n",
            Err(too_large),
        ),
    ];
    for (rest, expected) in cases {
        let text = answered(rest).text(10).map_err(|error| error.to_string());
        let text = text.as_deref().map_err(String::as_str);
        assert_eq!(text, expected, "{rest:?}");
    }
}

/// Whoever reads it is told what to check once.
#[test]
fn a_hint_is_given_once() {
    let error = |is_explained, is_unsent| HttpError {
        message: "no luck".to_owned(),
        is_timeout: false,
        is_unsent,
        is_explained,
    };
    for (is_explained, is_unsent, expected) in [
        (false, false, "no luck – check the network, A and B"),
        (false, true, "no luck, or A and B"),
        (true, false, "no luck"),
        (true, true, "no luck"),
    ] {
        let words = error(is_explained, is_unsent).with_hint("A and B");
        assert_eq!(words, expected);
    }
}
