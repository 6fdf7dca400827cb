//! Certificates: the built-in roots, and what CA_FILE adds to them.

use crate::stage::{PATIENCE, Stage, web};
use sim::service::Service;
use sim::tls::{Authority, Front};
use std::io::Write;
use std::net::SocketAddr;

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
    assert!(log.contains("UnknownIssuer"), "{log}");
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
    assert!(log.contains("not valid for"), "{log}");
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
    assert!(log.contains("not valid for any names"), "{log}");
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
