//! With rustls' own client, and a plain server behind the front.

use super::*;
use crate::http::{Reply, Request, Response, Server};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::time::{Duration, Instant};

fn echo() -> Server {
    Server::start(Arc::new(|request: &Request| match request.path.as_str() {
        "/drop" => Reply::Drop,
        "/cut" => Reply::Cut(Response::new(200, "text/plain", "four"), 2),
        "/big" => Reply::Send(Response::new(200, "text/plain", vec![b'x'; 1_000_000])),
        _ => Reply::Send(Response::new(200, "text/plain", request.body.clone())),
    }))
}

type Client = StreamOwned<ClientConnection, TcpStream>;

fn connect(front: &Front, name: &str, trusted: &str) -> Client {
    let mut roots = RootCertStore::empty();
    let trusted = CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap();
    roots.add(trusted).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let client = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(client, TcpStream::connect(front.address()).unwrap())
}

/// The whole answer, up to the connection's end.
fn ask(client: &mut Client, path: &str, body: &str) -> io::Result<String> {
    let length = body.len();
    write!(
        client,
        "POST {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn requests_and_answers_go_through_to_who_trusts_the_authority() {
    let server = echo();
    let front = Front::start(server.address(), &["route53.test", "127.0.0.1"]);
    assert!(front.url().starts_with("https://route53.test:"));
    for name in ["route53.test", "127.0.0.1"] {
        let mut client = connect(&front, name, front.ca_pem());
        let answer = ask(&mut client, "/", "hello").unwrap();
        assert!(answer.ends_with("\r\n\r\nhello"), "{answer}");
    }
    let mut client = connect(&front, "route53.test", front.ca_pem());
    let body = "y".repeat(100_000);
    assert!(ask(&mut client, "/", &body).unwrap().ends_with(&body));
    let mut client = connect(&front, "route53.test", front.ca_pem());
    assert!(ask(&mut client, "/big", "").unwrap().len() > 1_000_000);
}

#[test]
fn who_does_not_trust_it_or_asks_for_another_name_is_refused() {
    let server = echo();
    let front = Front::start(server.address(), &["route53.test"]);
    let other = Authority::new();
    for (name, trusted) in [
        ("route53.test", other.pem()),
        ("rancher.test", front.ca_pem()),
    ] {
        let mut client = connect(&front, name, trusted);
        let error = ask(&mut client, "/", "").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
    }
}

#[test]
fn one_authority_signs_for_several_fronts() {
    let (first, second) = (echo(), echo());
    let authority = Authority::new();
    for (server, name) in [(&first, "route53.test"), (&second, "rancher.test")] {
        let front = authority.front(server.address(), &[name]);
        let mut client = connect(&front, name, authority.pem());
        assert!(ask(&mut client, "/", "hello").unwrap().ends_with("hello"));
    }
}

#[test]
fn faults_of_the_target_are_the_clients_to_see() {
    let server = echo();
    let front = Front::start(server.address(), &["route53.test"]);
    let mut client = connect(&front, "route53.test", front.ca_pem());
    assert_eq!(ask(&mut client, "/drop", "").unwrap(), "");
    let mut client = connect(&front, "route53.test", front.ca_pem());
    assert!(
        ask(&mut client, "/cut", "")
            .unwrap()
            .ends_with("\r\n\r\nfo")
    );
    drop(server);
    let mut client = connect(&front, "route53.test", front.ca_pem());
    assert!(!matches!(ask(&mut client, "/", "hello"), Ok(answer) if answer.contains("200")));
}

#[test]
fn a_dropped_front_is_gone() {
    let server = echo();
    let front = Front::start(server.address(), &["route53.test"]);
    let address = front.address();
    let mut client = connect(&front, "route53.test", front.ca_pem());
    client.write_all(b"POST / HTTP/1.1\r\n").unwrap();
    drop(front);
    // A process that another test is just starting has the listener until it is another program.
    let end = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < end, "it is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert!(rest.is_empty());
}
