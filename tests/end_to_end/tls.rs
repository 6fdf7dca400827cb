//! Certificates: the built-in roots, and what CA_FILE adds to them.

use crate::stage::{PATIENCE, Stage, each, web};
use sim::free_port;
use sim::service::Service;
use sim::tls::{Authority, Front};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::thread;

fn address(url: &str) -> SocketAddr {
    let authority = url.trim_start_matches("http://");
    let authority = authority.split('/').next().unwrap();
    authority.parse().unwrap()
}

fn pem(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// Waits until the name has arrived, and loses it: there is something to write back again.
fn forget(stage: &Stage) {
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage
        .rancher
        .change(|world| world.service_mut("shop", "web").fqdn = None);
}

/// One round with Rancher's API behind this front, with this text in CA_FILE.
fn once(stage: &Stage, front: &Front, ca: Option<&str>) -> (Option<i32>, String) {
    let file = pem(ca.unwrap_or_default());
    let url = format!("{}/v2-beta", front.url());
    let mut settings = vec![("CATTLE_URL", url.as_str())];
    if ca.is_some() {
        settings.push(("CA_FILE", file.path().to_str().unwrap()));
    }
    let service: Service = stage.run_with(&["once"], &settings);
    let code = service.wait(PATIENCE).and_then(|status| status.code());
    (code, service.log().join("\n"))
}

/// The log says this of TLS, and has nothing of rustls's own texts in it.
fn expect_sentence(log: &str, words: &str) {
    let sentence = format!("failed: {words}");
    assert!(log.contains(&sentence), "{sentence} isn't in {log}");
    for dump in ["Context", "InvalidCertificate", "Failure", "Other", "io: "] {
        assert!(!log.contains(dump), "{log}");
    }
}

#[test]
fn a_server_of_a_private_authority_is_trusted_with_its_certificate_and_only_then() {
    let stage = Stage::new(web());
    let target = address(&stage.rancher.api_url());
    let authority = Authority::new();
    let front = authority.front(target, &["localhost"]);
    let (code, log) = once(&stage, &front, Some(authority.pem()));
    assert_eq!(code, Some(0), "{log}");

    forget(&stage);
    let (code, log) = once(&stage, &front, None);
    assert_eq!(code, Some(1));
    expect_sentence(
        &log,
        "its certificate 'Simulated Server' is signed by the authority 'Simulated Authority', which \
         isn't trusted: put the certificate of 'Simulated Authority' in CA_FILE",
    );
    let (code, log) = once(&stage, &front, Some(Authority::new().pem()));
    assert_eq!(code, Some(1), "{log}");
}

#[test]
fn a_server_that_signed_its_own_certificate_is_trusted_with_just_that() {
    let stage = Stage::new(web());
    let target = address(&stage.rancher.api_url());
    // As `openssl req -x509` makes them: an authority's certificate, here with another name.
    for names in [&["localhost"][..], &["rancher.example.com"]] {
        let front = Front::start_self_signed(target, names);
        let port = front.address().port();
        let url = format!("https://localhost:{port}/v2-beta");
        let file = pem(front.ca_pem());
        let settings = [
            ("CATTLE_URL", url.as_str()),
            ("CA_FILE", file.path().to_str().unwrap()),
        ];
        let service = stage.run_with(&["once"], &settings);
        let code = service.wait(PATIENCE).and_then(|status| status.code());
        assert_eq!(code, Some(0), "{names:?}: {:?}", service.log());
        forget(&stage);
    }
    // Another one that signed its own is somebody else.
    let front = Front::start_self_signed(target, &["localhost"]);
    let other = Front::start_self_signed(target, &["localhost"]);
    let (code, log) = once(&stage, &front, Some(other.ca_pem()));
    assert_eq!(code, Some(1), "{log}");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let stage = Stage::new(web());
    let target = address(&stage.rancher.api_url());
    let authority = Authority::new();
    let front = authority.front(target, &["rancher.example.com"]);
    let url = format!("https://localhost:{}/v2-beta", front.address().port());
    let file = pem(authority.pem());
    let settings = [
        ("CATTLE_URL", url.as_str()),
        ("CA_FILE", file.path().to_str().unwrap()),
    ];
    let service = stage.run_with(&["once"], &settings);
    assert_eq!(
        service.wait(PATIENCE).and_then(|status| status.code()),
        Some(1)
    );
    let log = service.log().join("\n");
    expect_sentence(
        &log,
        "its certificate 'Simulated Server' is for rancher.example.com, not for localhost: use",
    );
}

#[test]
fn a_certificate_that_names_no_host_is_trusted_only_as_itself() {
    let stage = Stage::new(web());
    let target = address(&stage.rancher.api_url());
    for start in [
        Front::start_self_signed,
        Front::start_self_signed_without_authority,
    ] {
        let front = start(target, &[]);
        let (code, log) = once(&stage, &front, Some(front.ca_pem()));
        assert_eq!(code, Some(0), "{log}");
        forget(&stage);
    }

    let authority = Authority::new();
    let front = authority.front(target, &[]);
    let (code, log) = once(&stage, &front, Some(authority.pem()));
    assert_eq!(code, Some(1), "{log}");
    expect_sentence(
        &log,
        "its certificate 'Simulated Server' names no host in its subjectAltName",
    );
}

#[test]
fn route_53_is_reached_over_tls_too() {
    let stage = Stage::new(web());
    let authority = Authority::new();
    let front = authority.front(address(&stage.route53.url()), &["localhost"]);
    let file = pem(authority.pem());
    let settings = [
        ("AWS_ENDPOINT_URL_ROUTE_53", front.url()),
        ("AWS_CA_BUNDLE", file.path().to_str().unwrap().to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let _service = stage.run_with(&[], &settings);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
}

/// Whoever signed it: an authority may use algorithms that can't be verified, or not be known.
#[test]
fn a_certificate_in_ca_file_is_trusted_without_its_authority_but_not_beyond_its_time() {
    let stage = Stage::new(web());
    let target = address(&stage.rancher.api_url());
    let authority = Authority::new();
    let front = authority.front(target, &["localhost"]);
    let (code, log) = once(&stage, &front, Some(front.certificate_pem()));
    assert_eq!(code, Some(0), "{log}");
    forget(&stage);

    let other = authority.front(target, &["localhost"]);
    let (code, log) = once(&stage, &other, Some(front.certificate_pem()));
    assert_eq!(code, Some(1), "another one of that authority: {log}");

    // Nobody vouches for its name, so it is only for the host that it names.
    let elsewhere = authority.front(target, &["rancher.example.com"]);
    let url = format!("https://localhost:{}/v2-beta", elsewhere.address().port());
    let file = pem(elsewhere.certificate_pem());
    let settings = [
        ("CATTLE_URL", url.as_str()),
        ("CA_FILE", file.path().to_str().unwrap()),
    ];
    let service = stage.run_with(&["once"], &settings);
    let code = service.wait(PATIENCE).and_then(|status| status.code());
    assert_eq!(code, Some(1), "{:#?}", service.log());

    for ((from, until), words) in [
        (
            (2001, 2002),
            "was valid until 2002-01-01T00:00:00Z, and the clock of this host says 2",
        ),
        (
            (2998, 2999),
            "is valid from 2998-01-01T00:00:00Z on, and the clock of this host says 2",
        ),
    ] {
        let front = authority.front_valid(target, &["localhost"], from..until);
        for ca in [authority.pem(), front.certificate_pem()] {
            let (code, log) = once(&stage, &front, Some(ca));
            assert_eq!(code, Some(1), "{log}");
            let whose = "its certificate 'Simulated Server' or one above it";
            expect_sentence(&log, &format!("{whose} {words}"));
        }
    }
}

/// Answers each connection's first bytes, and hangs up.
fn answering(answer: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> SocketAddr {
    let listener = free_port::listen();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut hello = [0; 4096];
            let count = client.read(&mut hello).unwrap_or(0);
            let _ = client.write_all(&answer(&hello[..count]));
            let _ = client.shutdown(Shutdown::Write);
            let _ = client.read_to_end(&mut Vec::new()); // no reset overtakes the answer
        }
    });
    address
}

/// A record of TLS with a `ServerHello` of this version and cipher suite in it.
fn server_hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let hello = [&version[..], &[7; 32], &[0], &suite, &[0]].concat();
    let message = [&[2, 0, 0, hello.len() as u8], &hello[..]].concat();
    [&[22, 3, 1, 0, message.len() as u8], &message[..]].concat()
}

/// `supported_versions` with TLS 1.3 and 1.2, which only a client of today sends.
fn is_of_today(hello: &[u8]) -> bool {
    let extension = [0, 43, 0, 5, 4, 3, 4, 3, 3];
    hello.windows(extension.len()).any(|part| part == extension)
}

const ALERT: [u8; 5] = [21, 3, 1, 0, 2];

#[test]
fn what_an_old_server_offers_is_named_and_what_is_needed() {
    type Server = fn(&[u8]) -> Vec<u8>;
    let cases: [(Server, &str); 6] = [
        (
            |_| server_hello([3, 1], [0, 0x2f]),
            "it speaks TLS 1.0 at most and it chooses the cipher suite AES128-SHA (RSA key \
             exchange); needed are TLS 1.2 or 1.3",
        ),
        (
            |hello| match is_of_today(hello) {
                true => [&ALERT[..], &[2, 40]].concat(),
                false => server_hello([3, 3], [0xc0, 0x28]),
            },
            "it chooses the cipher suite ECDHE-RSA-AES256-SHA384; needed are TLS 1.2",
        ),
        (
            |hello| match is_of_today(hello) {
                true => vec![],
                false => server_hello([3, 2], [0xc0, 0x14]),
            },
            "it closed the connection in the middle of the handshake; asked for what it has, it \
             speaks TLS 1.1 at most",
        ),
        (
            |_| [&ALERT[..], &[2, 70]].concat(),
            "it takes nothing that this program offers (protocol version); needed are TLS 1.2",
        ),
        (
            |_| b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec(),
            "it doesn't speak TLS there: does its URL begin with http://",
        ),
        (
            |_| [&ALERT[..], &[2, 112]].concat(),
            "it has no certificate for the name localhost: check the URL",
        ),
    ];
    each(cases, |(server, words)| {
        let stage = Stage::new(web());
        let port = answering(server).port();
        let url = format!("https://localhost:{port}/v2-beta");
        let service = stage.run_with(&["once"], &[("CATTLE_URL", &url)]);
        let code = service.wait(PATIENCE).and_then(|status| status.code());
        let log = service.log().join("\n");
        assert_eq!(code, Some(1), "{log}");
        expect_sentence(&log, words);
    });
}
