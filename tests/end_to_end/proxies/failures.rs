//! A proxy that refuses, is away, or answers nonsense: what is said names it and its variable, and
//! isn't taken for what Route 53, STS or Rancher say.

use super::{ENCODED, RANCHER, ROUTE53, Scene, USER, is_clean, run, with};
use crate::stage::{PATIENCE, each, program};
use sim::credentials::Endpoint;
use sim::http::Response;
use sim::proxy::Misbehaviour;
use sim::service::Service;
use std::time::Duration;

/// Route 53 without a role, so that it is asked first.
const NO_ROLE: (&str, &str) = ("ROUTE53_ASSUME_ROLE_ARN", "");

#[test]
fn a_proxy_that_wants_credentials_is_told_from_the_servers_behind_it() {
    let scene = Scene::new();
    scene.proxy.require(USER.0, USER.1);
    let at = scene.proxy.address();
    let none = format!(
        "the proxy http://{at} (HTTPS_PROXY) wants credentials: put them into HTTPS_PROXY as \
         http://user:password@host:port"
    );
    let wrong = format!(
        "the proxy http://***@{at} (HTTPS_PROXY) refuses the user name and password in HTTPS_PROXY"
    );
    for (user, words) in [("", &none), ("dns:wrong", &wrong), ("other:p%40ss", &wrong)] {
        for https in [true, false] {
            let mut settings = scene.through(&scene.proxy.url(user));
            settings = with(settings, NO_ROLE.0, NO_ROLE.1);
            let mut words = words.clone();
            if !https {
                // In absolute form its answer looks like one of Route 53's.
                let url = "http://route53.example.org";
                settings = with(settings, "AWS_ENDPOINT_URL_ROUTE_53", url);
                words = words.replace("HTTPS_PROXY", "HTTP_PROXY");
            }
            let (code, log) = run("once", &settings);
            assert_eq!(code, Some(1), "{log}");
            let words = format!("no valid answer from Route 53: {words}");
            assert!(log.contains(&words), "{words} in {log}");
            assert!(!log.contains("Route 53 answered"), "{log}");
        }
    }
    // Rancher's hints are for what Rancher says.
    let (_, text) = run("check", &scene.through(&scene.proxy.url("")));
    let rancher = text.lines().find(|line| line.starts_with("✗ rancher"));
    let words = format!(
        "✗ rancher     {}; asked for http://{RANCHER}/v2-beta (CATTLE_URL)",
        none.replace("HTTPS_PROXY", "HTTP_PROXY")
    );
    assert_eq!(rancher, Some(words.as_str()), "{text}");

    scene.proxy.require_by("Negotiate, NTLM");
    let (_, text) = run("check", &scene.through(&scene.proxy.url(ENCODED)));
    let words = "wants credentials by Negotiate or NTLM, and only Basic can be used here";
    assert_eq!(text.matches(words).count(), 2, "{text}");
}

#[test]
fn what_a_proxy_refuses_at_the_start_is_waited_for() {
    for https in [true, false] {
        let scene = Scene::new();
        scene.proxy.require(USER.0, USER.1);
        let mut settings = scene.through(&scene.proxy.url(""));
        if !https {
            settings = with(settings, "HTTPS_PROXY", "");
            settings = with(settings, "HTTP_PROXY", &scene.proxy.url(""));
            let url = scene.stage.route53.url().replace("127.0.0.1", "0.0.0.0");
            settings = with(settings, "AWS_ENDPOINT_URL_ROUTE_53", &url);
            settings = with(settings, NO_ROLE.0, NO_ROLE.1);
            let target = url.trim_start_matches("http://");
            let address = super::address(&scene.stage.route53.url());
            scene.proxy.add_host(target, address);
        }
        let service = Service::spawn(program(), &[], &settings);
        let line = service.wait_for_log(PATIENCE, |line| line.contains("can't be looked up yet"));
        let line = line.expect("a line");
        assert!(
            line.contains("wants credentials: put them into HTTP"),
            "{line}"
        );
        scene.proxy.open_to_all();
        scene
            .stage
            .expect_fqdn("shop", "web", "web.shop.prod.example.com");
    }
}

#[test]
fn what_its_rules_forbid_and_what_it_cannot_reach_is_its_own_refusal() {
    let scene = Scene::new();
    let at = scene.proxy.address();
    scene.proxy.deny(ROUTE53);
    scene.proxy.deny(RANCHER);
    let settings = with(
        scene.through(&scene.proxy.url(ENCODED)),
        NO_ROLE.0,
        NO_ROLE.1,
    );
    let (_, text) = run("check", &settings);
    for (target, variable) in [(ROUTE53, "HTTPS_PROXY"), (RANCHER, "HTTP_PROXY")] {
        let words = format!(
            "the proxy http://***@{at} ({variable}) answers 403 (ERR_ACCESS_DENIED) instead of \
             connecting to {target}: its rules have to allow that"
        );
        assert!(text.contains(&words), "{words} in {text}");
    }
    assert!(!text.contains("the keys may not do this"), "{text}");

    let settings = with(
        settings,
        "AWS_ENDPOINT_URL_ROUTE_53",
        "https://elsewhere.example.org",
    );
    let settings = with(settings, "CATTLE_URL", "http://elsewhere.example.org/v1");
    let (_, text) = run("check", &settings);
    let words = format!(
        "the proxy http://***@{at} (HTTPS_PROXY) answers 503 instead of connecting to \
         elsewhere.example.org:443: it can't reach it"
    );
    assert!(text.contains(&words), "{text}");
    let words = format!(
        "the proxy http://***@{at} (HTTP_PROXY), or something behind it, answers 503 for \
         elsewhere.example.org with a page of its own"
    );
    assert!(text.contains(&words), "{text}");
}

#[test]
fn nonsense_is_told_as_what_it_is_and_ends_in_time() {
    let bytes = |text: &str| Misbehaviour::Answer(text.as_bytes().to_vec());
    let no_pause = Duration::ZERO;
    let drops = Duration::from_millis(100);
    let endless = |start: &str, more: &str, pause| {
        Misbehaviour::Endless(start.as_bytes().to_vec(), more.as_bytes().to_vec(), pause)
    };
    let line = "HTTP/1.1 200 OK\r\n";
    let established = "HTTP/1.1 200 OK\r\n\r\n";
    each(
        [
            (
                "nothing",
                bytes(""),
                "ended the connection without an answer",
            ),
            (
                "cut",
                bytes("HTTP/1.1 20"),
                "ended the connection within its answer",
            ),
            (
                "no end",
                bytes(line),
                "ended the connection within its answer",
            ),
            ("SSH", bytes("SSH-2.0-OpenSSH_9.2\r\n"), "isn't HTTP"),
            (
                "bytes",
                Misbehaviour::Answer(vec![0xff; 4096]),
                "isn't HTTP",
            ),
            ("HTTP/2", bytes("HTTP/2 200\r\n\r\n"), "isn't HTTP"),
            ("no status", bytes("HTTP/1.1 OK\r\n\r\n"), "isn't HTTP"),
            ("status 99", bytes("HTTP/1.1 099 X\r\n\r\n"), "isn't HTTP"),
            (
                "an endless head",
                endless(line, "x: y\r\n", no_pause),
                "has no end",
            ),
            (
                "an endless line",
                endless(line, "x", no_pause),
                "has no end",
            ),
            (
                "only interim",
                endless("", "HTTP/1.1 100 C\r\n\r\n", no_pause),
                "has no end",
            ),
            (
                "drop by drop",
                endless(line, "x", drops),
                "doesn't answer in time",
            ),
            ("silence", Misbehaviour::Silence, "doesn't answer in time"),
            ("a tunnel cut", bytes(established), "through the proxy "),
            (
                "a tunnel of nonsense",
                endless(established, "no TLS", drops),
                "through the proxy ",
            ),
        ],
        |(what, misbehaviour, words)| {
            let scene = Scene::new();
            scene.proxy.misbehave(misbehaviour);
            let proxy = scene.proxy.url(ENCODED);
            let settings = with(scene.through(&proxy), NO_ROLE.0, NO_ROLE.1);
            let service = Service::spawn(program(), &["once"], &settings);
            let status = service.wait(Duration::from_secs(30));
            let log = service.log().join("\n");
            assert_eq!(status.and_then(|s| s.code()), Some(1), "{what}: {log}");
            let name = format!(
                "the proxy http://***@{} (HTTPS_PROXY)",
                scene.proxy.address()
            );
            let stopping = log.lines().last().unwrap_or_default();
            assert!(stopping.contains(&name), "{what}: {log}");
            assert!(stopping.contains(words), "{what}: {log}");
            is_clean(&log);
        },
    );
}

/// In absolute form it is an answer like any other, with the same limits.
#[test]
fn nonsense_instead_of_an_answer_of_ranchers_names_the_proxy_and_ends_in_time() {
    let bytes = |text: &str| Misbehaviour::Answer(text.as_bytes().to_vec());
    let line = b"HTTP/1.1 200 OK\r\n".to_vec();
    let no_pause = Duration::ZERO;
    let endless = Misbehaviour::Endless(line, b"x: y\r\n".to_vec(), no_pause);
    each(
        [
            ("nothing", bytes("")),
            ("cut", bytes("HTTP/1.1 200 OK\r\nContent-")),
            ("SSH", bytes("SSH-2.0-OpenSSH_9.2\r\n")),
            ("an endless head", endless),
            ("silence", Misbehaviour::Silence),
        ],
        |(what, misbehaviour)| {
            let scene = Scene::new();
            scene.proxy.misbehave(misbehaviour);
            let settings = with(
                scene.stage.environment(),
                "CATTLE_URL",
                &format!("http://{RANCHER}/v2-beta"),
            );
            let settings = with(settings, "HTTP_PROXY", &scene.proxy.url(ENCODED));
            let service = Service::spawn(program(), &["once"], &settings);
            let status = service.wait(Duration::from_secs(60));
            let log = service.log().join("\n");
            assert_eq!(status.and_then(|s| s.code()), Some(1), "{what}: {log}");
            let words = format!(
                "written back to Rancher: through the proxy http://***@{} (HTTP_PROXY): ",
                scene.proxy.address()
            );
            assert!(log.contains(&words), "{what}: {log}");
            is_clean(&log);
        },
    );
}

#[test]
fn a_proxy_that_cannot_be_reached_is_named_and_not_the_server() {
    let scene = Scene::new();
    let closed = Endpoint::start(|_| Response::new(502, "text/plain", ""));
    closed.go_down();
    let nowhere = super::direct::nowhere();
    for (proxy, words) in [
        (closed.url(), "Connection refused"),
        (format!("{nowhere}:3128"), "is no name of a host"),
    ] {
        let name = proxy.trim_start_matches("http://");
        let (_, text) = run("check", &scene.through(&proxy));
        for (line, variable) in [
            ("✗ credentials", "HTTPS_PROXY"),
            ("✗ rancher", "HTTP_PROXY"),
        ] {
            let told = text
                .lines()
                .find(|told| told.starts_with(line))
                .unwrap_or_default();
            let start = format!("the proxy http://{name} ({variable}) can't be reached: ");
            assert!(
                told.contains(&start) && told.contains(words),
                "{told} in {text}"
            );
        }
    }
}

/// Whatever it quotes: key and password, as they are and as they were sent.
#[test]
fn a_proxy_that_quotes_the_password_is_not_repeated() {
    let scene = Scene::new();
    let sent = sim::proxy::basic(USER.0, USER.1);
    let body = format!("{{\"message\":\"no {sent} {}\"}}", USER.1);
    let head = "Content-Type: application/json\r\nConnection: close\r\n";
    for status in [401, 403, 407, 500] {
        let answer = format!(
            "HTTP/1.1 {status} {sent}\r\n{head}X-Squid-Error: {sent} {}\r\nProxy-Authenticate: \
             {sent}\r\nContent-Length: {}\r\n\r\n{body}",
            USER.1,
            body.len()
        );
        for answer in [answer.clone(), answer.replace("X-Squid-Error", "X-Other")] {
            scene
                .proxy
                .misbehave(Misbehaviour::Answer(answer.into_bytes()));
            let (code, text) = run("check", &scene.through(&scene.proxy.url(ENCODED)));
            assert_eq!(code, Some(1), "{text}");
        }
    }
}
