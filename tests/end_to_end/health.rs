//! Health checks: answered from memory, by whoever listens.

mod abuse;
mod check;

use crate::stage::{PATIENCE, Stage, web};
use sim::free_port;
use sim::service::Service;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

/// Where the program answers health checks; in its log, since the port is a free one.
pub fn address(service: &Service) -> SocketAddr {
    service.health_address(PATIENCE)
}

pub fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn says_that_the_loop_is_alive_without_a_call_to_anyone() {
    let stage = Stage::new(web());
    let service = stage.run();
    let address = address(&service);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    stage.route53.clear_requests();
    stage.rancher.clear_requests();
    for request in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n",
        "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
        "HEAD /ping HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let answer = ask(address, request);
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n"),
            "{request}: {answer}"
        );
    }
    assert!(ask(address, "GET /other HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 404"));
    assert!(ask(address, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
    assert_eq!(stage.route53.requests().len(), 0);
    assert_eq!(stage.rancher.metadata_requests().len(), 0);
    assert_eq!(stage.rancher.api_requests().len(), 0);
}

#[test]
fn one_who_says_nothing_holds_nobody_up() {
    let stage = Stage::new(web());
    let service = stage.run();
    let address = address(&service);
    let idle: Vec<TcpStream> = (0..200)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let mut slow = TcpStream::connect(address).unwrap();
    slow.write_all(b"GET / HT").unwrap();
    assert!(ask(address, "GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200"));
    let huge = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 16));
    let mut stream = TcpStream::connect(address).unwrap();
    let _ = stream.write_all(huge.as_bytes()); // it may hang up in the middle
    assert!(ask(address, "GET /ping HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200"));
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    drop(idle);
}

#[test]
fn an_address_that_is_taken_is_skipped_if_another_one_works() {
    let taken = free_port::listen();
    let taken = taken.local_addr().map(|address| (taken, address)).unwrap();
    let stage = Stage::new(web());
    let both = format!("{},127.0.0.1:0", taken.1);
    let service = stage.run_with(&[], &[("HEALTH_ADDRESS", &both)]);
    let warned = service.wait_for_log(PATIENCE, |line| line.contains("level=warn"));
    let said = format!(
        "health checks are not answered on an address of HEALTH_ADDRESS\" address={} \
         error=\"another process listens there: stop it, or set another HEALTH_ADDRESS\"",
        taken.1
    );
    assert!(warned.is_some_and(|line| line.contains(&said)));
    assert!(ask(address(&service), "GET / HTTP/1.0\r\n\r\n").contains("200"));

    let service = stage.run_with(&[], &[("HEALTH_ADDRESS", &taken.1.to_string())]);
    assert_eq!(
        service.wait(PATIENCE).and_then(|status| status.code()),
        Some(1)
    );
    let said = format!(
        "can be listened on: {}: another process listens there",
        taken.1
    );
    assert!(service.log().join("\n").contains(&said));
}

/// Over a real connection, where requests come in pieces and bodies follow them.
#[test]
fn requests_are_read_by_the_rules_of_http() {
    let stage = Stage::new(web());
    let service = stage.run();
    let address = address(&service);
    for (request, status) in [
        (
            "GET http://host:1000/ping HTTP/1.1\r\nHost: host:1000\r\n\r\n",
            "200",
        ),
        ("GET http://host HTTP/1.1\r\nHost: host\r\n\r\n", "200"),
        ("\r\n\r\nGET /ping HTTP/1.1\r\nHost: x\r\n\r\n", "200"),
        ("GET /ping HTTP/1.1\nHost: x\n\n", "200"),
        ("GET /p%69ng?x=y HTTP/1.1\r\nHost: x\r\n\r\n", "200"),
        (
            "GET /ping HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
            "200",
        ),
        (
            "GET /ping HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
             GET /other HTTP/1.1\r\nHost: x\r\n\r\n",
            "200",
        ),
        ("GET /ping HTTP/1.1\r\n\r\n", "400"),
        ("GET /ping HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400"),
        ("GET /ping HTTP/1.0\r\nX: a\r\n b\r\n\r\n", "400"),
        ("GET /ping HTTP/1.0\r\nX : a\r\n\r\n", "400"),
        ("GET /ping HTTP/1.0\r\nX: \0\r\n\r\n", "400"),
        ("GET /ping HTTP/2.0\r\n\r\n", "505"),
        ("DELETE /ping HTTP/1.0\r\n\r\n", "405"),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        for piece in request.as_bytes().chunks(16) {
            // It may have answered and hung up before the last piece.
            let _ = stream.write_all(piece);
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let begins = format!("HTTP/1.1 {status} ");
        assert!(answer.starts_with(&begins), "{request:?}: {answer}");
        assert_eq!(
            answer.matches("HTTP/1.1 ").count(),
            1,
            "{request:?}: {answer}"
        );
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        let says_methods = answer.contains("\r\nAllow: GET, HEAD\r\n");
        assert_eq!(says_methods, status == "405", "{answer}");
    }
}
