use super::*;
use crate::base::redactor::redact;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

mod refused;

fn proxy(text: &str) -> Proxy {
    Proxy::parse("HTTPS_PROXY", text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn a_certificate_as_itself_is_good_at_proxies_with_tls_and_not_at_other_hosts() {
    let proxies = Proxies {
        https: Some(proxy("https://Secure.example.com:8443")),
        http: Some(proxy("http://plain.example.com:3128")),
        ..Proxies::default()
    };
    let rancher = Trust::default().and_each_as_itself_at("rancher.example.com");
    for (host, is_proxy) in [
        ("secure.example.com", true),
        ("plain.example.com", false),
        ("rancher.example.com", false),
    ] {
        let host = host.try_into().unwrap();
        assert_eq!(proxies.trust(&rancher).takes_own_at(&host), is_proxy);
        assert!(!Proxies::default().trust(&rancher).takes_own_at(&host));
    }
}

/// The cases of Go's own test, without those about CGI, SOCKS and names beyond ASCII.
#[test]
fn the_proxy_of_a_url_is_the_one_that_go_takes() {
    for (http, https, except, url, expected) in [
        (
            "127.0.0.1:8080",
            "",
            "",
            "http://example.com",
            "http://127.0.0.1:8080",
        ),
        (
            "cache.corp.example.com:1234",
            "",
            "",
            "http://example.com",
            "http://cache.corp.example.com:1234",
        ),
        (
            "cache.corp.example.com",
            "",
            "",
            "http://example.com",
            "http://cache.corp.example.com:80",
        ),
        (
            "localhost",
            "",
            "",
            "http://example.com",
            "http://localhost:80",
        ),
        (
            "https://cache.corp.example.com",
            "",
            "",
            "http://example.com",
            "https://cache.corp.example.com:443",
        ),
        (
            "https://127.0.0.1:8080",
            "",
            "",
            "http://example.com",
            "https://127.0.0.1:8080",
        ),
        (
            "http.proxy.tld",
            "secure.proxy.tld",
            "",
            "http://insecure.tld/",
            "http://http.proxy.tld:80",
        ),
        (
            "http.proxy.tld",
            "secure.proxy.tld",
            "",
            "https://secure.tld/",
            "http://secure.proxy.tld:80",
        ),
        (
            "http.proxy.tld",
            "https://secure.proxy.tld",
            "",
            "https://secure.tld/",
            "https://secure.proxy.tld:443",
        ),
        ("http.proxy.tld", "", "", "https://secure.tld/", ""),
        ("http.proxy.tld", "", "", "ftp://insecure.tld/", ""),
        (
            "",
            "https://secure.proxy.tld",
            "",
            "https://secure.tld/",
            "https://secure.proxy.tld:443",
        ),
        ("", "", "", "http://example.com", ""),
        ("proxy", "", "example.com", "http://example.com/", ""),
        (
            "proxy",
            "",
            ".example.com",
            "http://example.com/",
            "http://proxy:80",
        ),
        (
            "proxy",
            "",
            "ample.com",
            "http://example.com/",
            "http://proxy:80",
        ),
        ("proxy", "", "example.com", "http://foo.example.com/", ""),
        (
            "proxy",
            "",
            ".foo.com",
            "http://example.com/",
            "http://proxy:80",
        ),
        (
            "proxy",
            "proxy",
            "example.com:443",
            "https://example.com/",
            "",
        ),
        (
            "proxy",
            "proxy",
            "example.com:443",
            "http://example.com/",
            "http://proxy:80",
        ),
        (
            "proxy",
            "proxy",
            "example.com:80",
            "http://example.com/",
            "",
        ),
        (
            "proxy",
            "proxy",
            "example.com:8443",
            "https://example.com:8443/",
            "",
        ),
        ("proxy", "proxy", "", "http://[::1]:8080/", ""),
        ("proxy", "proxy", "", "https://localhost:8443/", ""),
        ("proxy", "proxy", "", "http://127.8.9.1/", ""),
    ] {
        let some = |text: &str| (!text.is_empty()).then(|| proxy(text));
        let proxies = Proxies {
            https: some(https),
            http: some(http),
            except: NoProxy::parse(except).0,
        };
        let found = proxies.for_uri(&url.parse().unwrap());
        let found = found.map_or(String::new(), |proxy| proxy.to_string());
        let expected = match expected {
            "" => String::new(),
            proxy => format!("{proxy} (HTTPS_PROXY)"),
        };
        assert_eq!(found, expected, "{url} {http:?} {https:?} {except:?}");
    }
}

#[test]
fn host_port_and_credentials_are_read_from_every_form() {
    for (text, shown, host, port, user) in [
        ("proxy", "http://proxy:80", "proxy", 80, None),
        (
            "Proxy.Example.com:3128",
            "http://proxy.example.com:3128",
            "proxy.example.com",
            3128,
            None,
        ),
        ("http://proxy/", "http://proxy:80", "proxy", 80, None),
        (
            "HTTP://proxy_1.example.com.:65535/",
            "http://proxy_1.example.com.:65535",
            "proxy_1.example.com.",
            65535,
            None,
        ),
        ("HTTPS://proxy", "https://proxy:443", "proxy", 443, None),
        (
            "http://[2001:DB8::1]:3128",
            "http://[2001:db8::1]:3128",
            "[2001:db8::1]",
            3128,
            None,
        ),
        ("[::1]", "http://[::1]:80", "[::1]", 80, None),
        (
            "http://u:p@192.0.2.1:1",
            "http://***@192.0.2.1:1",
            "192.0.2.1",
            1,
            Some(("u", "p")),
        ),
        (
            "u:p@proxy:3128",
            "http://***@proxy:3128",
            "proxy",
            3128,
            Some(("u", "p")),
        ),
        (
            "http://u@proxy",
            "http://***@proxy:80",
            "proxy",
            80,
            Some(("u", "")),
        ),
        (
            "http://:p@proxy",
            "http://***@proxy:80",
            "proxy",
            80,
            Some(("", "p")),
        ),
        (
            "http://u:@proxy",
            "http://***@proxy:80",
            "proxy",
            80,
            Some(("u", "")),
        ),
        ("http://@proxy", "http://proxy:80", "proxy", 80, None),
        ("http://:@proxy", "http://proxy:80", "proxy", 80, None),
        (
            "http://u:p:q@proxy",
            "http://***@proxy:80",
            "proxy",
            80,
            Some(("u", "p:q")),
        ),
        (
            "http://u:p@q@proxy",
            "http://***@proxy:80",
            "proxy",
            80,
            Some(("u", "p@q")),
        ),
        (
            "http://u:a%40b%3ac%2f%25%20+@proxy",
            "http://***@proxy:80",
            "proxy",
            80,
            Some(("u", "a@b:c/% +")),
        ),
        (
            "http://DOMAIN%5Cu:p%C3%BC@proxy",
            "http://***@proxy:80",
            "proxy",
            80,
            Some(("DOMAIN\\u", "pü")),
        ),
        (
            "http://u:\"p'@proxy",
            "http://***@proxy:80",
            "proxy",
            80,
            Some(("u", "\"p'")),
        ),
    ] {
        let proxy = proxy(text);
        assert_eq!(
            proxy.to_string(),
            format!("{shown} (HTTPS_PROXY)"),
            "{text}"
        );
        assert_eq!((proxy.host(), proxy.port()), (host, port), "{text}");
        assert_eq!(proxy.has_credentials(), user.is_some(), "{text}");
        let expected = user.map(|(user, password)| {
            format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
        });
        let found = authorization(&proxy.handle()).map(|value| value.expose().to_owned());
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn debug_output_hides_the_credentials_and_messages_of_others_lose_them() {
    let proxies = Proxies {
        https: Some(proxy("http://dns:hunter2@proxy:3128")),
        ..Proxies::default()
    };
    let shown = format!("{proxies:?} {proxies:#?}");
    let sent = STANDARD.encode("dns:hunter2");
    assert!(shown.contains("http://***@proxy:3128"), "{shown}");
    assert!(
        !shown.contains("hunter2") && !shown.contains(&sent),
        "{shown}"
    );
    assert_eq!(redact(&format!("Basic {sent} is hunter2")), "… is …");
    let _short = proxy("http://u:a@proxy");
    assert_eq!(redact("a dance"), "a dance");
}
