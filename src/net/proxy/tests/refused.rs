//! Tests that every kind of wrong value is refused, and that no message shows a password.

use super::*;

#[test]
fn what_is_no_proxy_is_refused_and_shown_without_a_password() {
    for (text, why, shown_as) in [
        ("socks5://proxy:1080", "SOCKS", "socks5://proxy:1080"),
        (
            "socks5h://u:hunter2@proxy:1080",
            "SOCKS",
            "socks5h://***@proxy:1080",
        ),
        ("socks4://proxy", "SOCKS", "socks4://proxy"),
        ("SOCKS4A://proxy", "SOCKS", "SOCKS4A://proxy"),
        ("socks://proxy", "SOCKS", "socks://proxy"),
        ("ftp://proxy", "something else than http://", "ftp://proxy"),
        ("foo://host", "something else than http://", "foo://host"),
        ("://proxy", "something else than http://", "proxy"),
        (
            "u:hunter2://proxy@host",
            "something else than http://",
            "***@host",
        ),
        (
            "\"http://proxy:3128\"",
            "quotes around it",
            "\"http://proxy:3128…",
        ),
        ("'proxy'", "quotes around it", "'proxy'"),
        ("http://pro xy:3128", "a blank", "http://pro…"),
        (
            "http://proxy:3128 # the new one",
            "a blank",
            "http://proxy:3128…",
        ),
        ("http://pr\noxy", "a line break", "http://pr…"),
        ("http://pr\0oxy", "a line break", "http://pr…"),
        ("http://prüxy", "beyond ASCII", "http://prüxy"),
        ("http://", "no host", "http://"),
        ("http:///", "no host", "http:///"),
        ("http://:3128", "no host", "http://:3128"),
        ("http://u:hunter2@", "no host", "http://***@"),
        ("http://u:hunter2@:3128", "no host", "http://***@:3128"),
        ("http:/proxy:3128", "something else than http://", "http…"),
        (
            "http://proxy:",
            "no number from 1 to 65535",
            "http://proxy:",
        ),
        (
            "http://proxy:0",
            "no number from 1 to 65535",
            "http://proxy:0",
        ),
        (
            "http://proxy:65536",
            "no number from 1 to 65535",
            "http://proxy:65536",
        ),
        (
            "http://proxy:+80",
            "no number from 1 to 65535",
            "http://proxy…",
        ),
        (
            "http://proxy:http",
            "no number from 1 to 65535",
            "http://proxy…",
        ),
        (
            "http://user:hunter2",
            "no number from 1 to 65535",
            "http://user…",
        ),
        ("http://2001:db8::1", "in brackets", "http://2001…"),
        (
            "http://[2001:db8::1",
            "neither a name nor an address",
            "http://[2001…",
        ),
        (
            "http://[proxy]:3128",
            "neither a name nor an address",
            "http://[proxy]:3128",
        ),
        (
            "http://[::1]3128",
            "between the host and the port",
            "http://[…",
        ),
        (
            "http://192.0.2.256:3128",
            "neither a name nor an address",
            "http://192.0.2.256:3128",
        ),
        ("3128", "neither a name nor an address", "3128"),
        (
            "http://a..b",
            "neither a name nor an address",
            "http://a..b",
        ),
        (
            "http://.proxy",
            "neither a name nor an address",
            "http://.proxy",
        ),
        (
            "http://<proxy>:3128",
            "neither a name nor an address",
            "http://<proxy>:3128",
        ),
        (
            "http://proxy:3128/proxy.pac",
            "after the host",
            "http://proxy:3128…",
        ),
        (
            "http://proxy/?token=hunter2",
            "after the host",
            "http://proxy…",
        ),
        ("http://proxy#hunter2", "after the host", "http://proxy…"),
        (
            "http://u:hunter2/2@proxy",
            "percent-encoded",
            "http://***@proxy",
        ),
        (
            "http://u:hunter2#2@proxy",
            "percent-encoded",
            "http://***@proxy",
        ),
        ("http://u:100%hunter2@proxy", "%25", "http://***@proxy"),
        ("http://u:hunter2%4@proxy", "%25", "http://***@proxy"),
        (
            "http://u:hunter2%0A@proxy",
            "something else than text",
            "http://***@proxy",
        ),
        (
            "http://u:hunter2%FF@proxy",
            "something else than text",
            "http://***@proxy",
        ),
        (
            "http://u%3Av:hunter2@proxy",
            "with a colon",
            "http://***@proxy",
        ),
    ] {
        let error = Proxy::parse("HTTP_PROXY", text).expect_err(text);
        assert!(error.contains(why), "{text}: {error}");
        assert_eq!(shown(text), shown_as, "{text:?}");
        assert!(!error.contains("hunter2"), "{error}");
        assert!(!shown(text).contains("hunter2"), "{text}");
    }
    let long = format!("http://{}.example.com", "a.".repeat(150));
    assert!(Proxy::parse("HTTP_PROXY", &long).is_err());
}
