//! The whole resolver against a simulated name server on loopback.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use sim::name_server::NameServer;
use tempfile::TempDir;

use super::samples::addresses;
use super::{Files, Resolver};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// A resolver with these system files, and with the port of this name server.
fn resolver_of(server: &NameServer, resolv: &str, hosts: &str) -> (Resolver, TempDir) {
    let folder = TempDir::new().unwrap();
    let files = Files {
        hosts: folder.path().join("hosts"),
        resolv: folder.path().join("resolv.conf"),
        port: server.address().port(),
    };
    fs::write(&files.hosts, hosts).unwrap();
    fs::write(&files.resolv, resolv).unwrap();
    (Resolver::with(files), folder)
}

const LOOPBACK: &str = "nameserver 127.0.0.1\n";
/// A time limit that no look-up with an answer reaches.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn an_answer_is_remembered_for_all_that_ask_for_its_host() {
    let server = NameServer::start(&["a.example A 192.0.2.1", "a.example AAAA empty"]);
    let (resolver, _folder) = resolver_of(&server, LOOPBACK, "");
    for host in ["a.example", "A.Example", "a.example"] {
        let found = resolver.clone().addresses(host, LONG);
        assert_eq!(found, Ok(addresses(&["192.0.2.1"])));
    }
    assert_eq!(server.queries().len(), 2);
    // A missing host isn't cached: it may exist the next time.
    for _ in 0..2 {
        let error = resolver
            .addresses("b.example", LONG)
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "the name b.example is unknown to the name server 127.0.0.1: check the name, and the \
             container's DNS (/etc/resolv.conf)"
        );
    }
    assert_eq!(server.queries().len(), 6);
}

#[test]
fn addresses_and_the_hosts_file_need_no_name_server() {
    let server = NameServer::start(&["* * never"]);
    let (resolver, _folder) = resolver_of(&server, LOOPBACK, "192.0.2.7 rancher\n");
    for (host, expected) in [
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("rancher", "192.0.2.7"),
    ] {
        let found = resolver.addresses(host, Duration::ZERO);
        assert_eq!(found, Ok(addresses(&[expected])));
    }
    let error = resolver.addresses("a..b", LONG).unwrap_err();
    assert_eq!(error.to_string(), "\"a..b\" is no name of a host");
    assert!(server.queries().is_empty());
}

#[test]
fn what_does_not_fit_into_a_datagram_is_had_all_the_same() {
    let server = NameServer::start(&[
        "cut.example A 192.0.2.1x60 alias:other.example",
        "whole.example A 192.0.2.1x60 whole",
        "bare.example A 192.0.2.1x60 bare",
        "mute.example A 192.0.2.1x60 bare no-tcp",
        "* AAAA empty",
    ]);
    let (resolver, _folder) = resolver_of(&server, LOOPBACK, "");
    for (host, is_over_tcp) in [
        ("cut.example", false),
        ("whole.example", false),
        ("bare.example", true),
    ] {
        let found = resolver.addresses(host, LONG);
        assert_eq!(found, Ok(addresses(&["192.0.2.1"; 8])), "{host}");
        let queries = server.queries();
        let over_tcp = queries
            .iter()
            .any(|query| query.is_tcp && query.name == host);
        assert_eq!(over_tcp, is_over_tcp, "{host}");
    }
    let error = resolver.addresses("mute.example", ms(300)).unwrap_err();
    assert!(error.to_string().contains("wasn't resolved in "), "{error}");
}

#[test]
fn an_answer_that_comes_late_is_there_for_the_next_request() {
    let server = NameServer::start(&["a.example A 192.0.2.1 late:1", "* AAAA never"]);
    let (resolver, _folder) = resolver_of(&server, LOOPBACK, "");
    let error = resolver.addresses("a.example", ms(50)).unwrap_err();
    let words = error.to_string();
    assert!(
        words.starts_with("the name of a.example wasn't resolved in "),
        "{words}"
    );
    let end = " s: no answer from the name server 127.0.0.1: check the container's DNS \
               (/etc/resolv.conf)";
    assert!(words.ends_with(end), "{words}");
    // Query and rule are taken under one lock, so the answer is on its way once the query is there.
    while !server.queries().iter().any(|query| query.kind == "A") {
        thread::yield_now();
    }
    // From now on the server answers nothing; the late answer comes to the same socket.
    server.change(&["* * never"]);
    let found = resolver.addresses("a.example", LONG);
    assert_eq!(found, Ok(addresses(&["192.0.2.1"])));
}

#[test]
fn while_nobody_answers_a_host_is_where_it_was_and_then_where_it_is() {
    let server = NameServer::start(&["a.example A 192.0.2.1", "* AAAA empty"]);
    let (resolver, _folder) = resolver_of(&server, LOOPBACK, "");
    let look = || resolver.addresses("a.example", LONG);
    let expire = || {
        let host = resolver.host("a.example");
        let mut known = super::lock(&host.known);
        known.answer.as_mut().unwrap().until = Instant::now();
    };
    assert_eq!(look(), Ok(addresses(&["192.0.2.1"])));
    server.change(&["* * never"]);
    expire();
    assert_eq!(
        look(),
        Ok(addresses(&["192.0.2.1"])),
        "silence is no answer"
    );
    server.change(&["a.example A 192.0.2.2", "* AAAA empty"]);
    expire();
    assert_eq!(look(), Ok(addresses(&["192.0.2.2"])), "it has moved");
    server.change(&["* * nxdomain"]);
    expire();
    assert!(look().is_err(), "that it is gone is an answer");
    server.change(&["* * never"]);
    let error = resolver.addresses("a.example", ms(100)).unwrap_err();
    assert!(error.to_string().contains("no answer from"), "{error}");
}

#[test]
fn another_name_server_in_resolv_conf_is_asked_at_once() {
    let server = NameServer::start(&["a.example A 192.0.2.1", "* AAAA empty"]);
    let (resolver, folder) = resolver_of(&server, "nameserver 127.0.0.2\n", "");
    assert!(resolver.addresses("a.example", ms(50)).is_err());
    fs::write(folder.path().join("resolv.conf"), LOOPBACK).unwrap();
    let found = resolver.addresses("a.example", LONG);
    assert_eq!(found, Ok(addresses(&["192.0.2.1"])));
}

#[test]
fn many_that_ask_at_once_are_one_look_up() {
    let server = NameServer::start(&["a.example A 192.0.2.1 late:0.2", "* AAAA empty"]);
    let (resolver, _folder) = resolver_of(&server, LOOPBACK, "");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let found = resolver.addresses("a.example", LONG);
                assert_eq!(found, Ok(addresses(&["192.0.2.1"])));
            });
        }
    });
    assert_eq!(server.queries().len(), 2);
}

#[test]
fn those_that_wait_for_another_s_look_up_do_not_begin_it_again() {
    let server = NameServer::start(&["* * never"]);
    let (resolver, _folder) = resolver_of(&server, LOOPBACK, "");
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert!(resolver.addresses("a.example", ms(2_000)).is_err()));
        }
    });
    // If each thread waited for its own look-up, they would take 32 seconds.
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn no_more_than_so_many_hosts_are_remembered() {
    let server = NameServer::start(&["* A 192.0.2.1", "* AAAA empty"]);
    let (resolver, _folder) = resolver_of(&server, LOOPBACK, "");
    for number in 0..40 {
        let host = format!("h{number}.example");
        assert!(resolver.addresses(&host, LONG).is_ok());
    }
    assert_eq!(super::lock(&resolver.hosts).len(), super::MAX_HOSTS);
}
