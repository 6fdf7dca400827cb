//! The status pages: from memory, whole, and without a secret. How they look in a browser is
//! for `tests/status_page`.

use crate::health::{address, ask};
use crate::stage::{PATIENCE, Stage, ZONE, each, web, world};
use chrono::{SecondsFormat, Utc};
use serde_json::Value;
use sim::rancher::{Fault, World};
use sim::route53::{self, Operation, RecordSet};
use sim::service::Service;
use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

pub fn get(service: &Service, path: &str) -> (String, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let answer = ask(address(service), &request);
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    (head.to_owned(), body.to_owned())
}

fn json(service: &Service) -> Value {
    serde_json::from_str(&get(service, "/status.json").1).expect("JSON")
}

/// Waits until the data are as they should be.
pub fn wait_until(service: &Service, is_right: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = json(service);
        if is_right(&status) {
            return status;
        }
        assert!(Instant::now() < end, "{status:#}");
        // Nothing tells of a change, so it is asked for.
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The data as they are now. What is given first may be as old as a second.
fn made_anew(service: &Service) -> Value {
    let asked = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    wait_until(service, |status| status["time"].as_str() > Some(&asked))
}

#[test]
fn the_pages_tell_what_became_of_each_service() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
        world.add_service("shop", "taken").run_on("h1", 80);
        world
            .add_service("shop", "db")
            .run_unpublished_on("h1", 5432);
    }));
    let taken = "taken.shop.prod.example.com.";
    stage.put(RecordSet::simple(taken, "CNAME", 60, &["example.org."]));
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    let status = wait_until(&service, |status| status["fqdns_waiting"] == 0);
    assert_eq!(status["environment"]["name"], "Prod");
    assert_eq!(status["zone"]["id"], ZONE);
    assert_eq!(status["dependencies"]["rancher_api"]["state"], "works");
    let rows: Vec<String> = status["services"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|s| {
            format!(
                "{} {} {} {}",
                s["name"], s["state"], s["fqdn"], s["addresses"]
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            r#""external-dns" "skipped" null []"#,
            r#""db" "skipped" null []"#,
            r#""taken" "conflict" "taken.shop.prod.example.com" ["203.0.113.1"]"#,
            r#""web" "published" "web.shop.prod.example.com" ["203.0.113.1"]"#,
        ]
    );
    let changes = status["changes"].as_array().expect("a list");
    assert_eq!(changes.len(), 1, "state records aren't shown");
    assert_eq!(changes[0]["to"], "203.0.113.1, TTL 300");
    let (_, page) = get(&service, "/status");
    for text in [
        "Prod",
        ZONE,
        "web.shop.prod.example.com",
        "a CNAME has that name",
    ] {
        assert!(page.contains(text), "{text}");
    }

    // From memory: nobody is asked anything for it.
    stage.settle();
    stage.route53.clear_requests();
    stage.rancher.clear_requests();
    for path in ["/status", "/status.json", "/metrics"] {
        get(&service, path);
    }
    assert_eq!(stage.route53.requests().len(), 0);
    assert_eq!(stage.rancher.metadata_requests().len(), 0);
    assert_eq!(stage.rancher.api_requests().len(), 0);
}

/// What DNS rebinding would need.
#[test]
fn pages_are_not_shown_for_a_name_that_anybody_can_register() {
    let stage = Stage::new(web());
    let service = stage.run_with(&[], &[("HEALTH_HOSTS", "status.example.com")]);
    let address = address(&service);
    let ask = |path: &str, host: &str| {
        let browser = "Accept: text/html,*/*;q=0.8\r\n";
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{browser}\r\n");
        ask(address, &request)
    };
    for path in ["/status", "/status.json", "/metrics"] {
        let refused = ask(path, "evil.example:1000");
        let (head, body) = refused.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 421 "), "{refused}");
        assert!(body.contains("HEALTH_HOSTS") && !body.contains("example.com"));
        for host in [
            "10.42.0.1:1000",
            "[::1]",
            "status.example.com",
            "a.dns.rancher.internal",
        ] {
            let answer = ask(path, host);
            assert!(
                answer.starts_with("HTTP/1.1 200 OK\r\n"),
                "{host}: {answer}"
            );
        }
    }
    assert!(ask("/ping", "evil.example").starts_with("HTTP/1.1 200 OK\r\n"));
    let led = ask("/", "localhost");
    assert!(led.starts_with("HTTP/1.1 303 See Other\r\n"), "{led}");
    assert!(led.contains("\r\nLocation: status\r\n"), "{led}");
}

/// State and reason of the service `web`.
fn state_of_web(status: &Value) -> String {
    let services = status["services"].as_array().expect("a list");
    let web = services.iter().find(|service| service["name"] == "web");
    let web = web.expect("the service");
    format!("{}: {}", web["state"], web["reason"])
}

#[test]
fn a_service_is_published_only_with_the_addresses_that_the_page_shows() {
    const FAILED: &str = r#""waiting": "not in the zone yet: the last round failed""#;
    const KEPT: &str = r#""waiting": "the zone keeps other values: POLICY=create-only""#;
    const PUBLISHED: &str = r#""published": null"#;
    each(["sync", "create-only"], |policy| {
        let stage = Stage::new(web());
        let service = stage.run_with(&[], &[("POLICY", policy)]);
        let expect = |service: &Service, words| {
            wait_until(service, |status| {
                let is_known = status["services"][1] != Value::Null;
                is_known && state_of_web(status) == words
            });
        };
        expect(&service, PUBLISHED);
        let change = Some(Operation::ChangeResourceRecordSets);
        if policy == "sync" {
            // Longer than a page is kept, or what it says meanwhile might not be seen.
            let slow = route53::Fault::Delay(Duration::from_millis(2_500));
            stage.route53.inject(change, slow, 1);
            stage.rancher.change(|world| {
                world.service_mut("shop", "web").move_from("h1", "h3");
            });
            expect(&service, r#""waiting": "not in the zone yet""#);
            expect(&service, PUBLISHED);
            stage.rancher.change(|world| {
                world.service_mut("shop", "web").move_from("h3", "h1");
            });
            expect(&service, PUBLISHED);
        }
        stage
            .route53
            .inject(change, route53::Fault::Status(403), usize::MAX);
        stage.rancher.change(|world| {
            world.service_mut("shop", "web").move_from("h1", "h2");
        });
        if policy == "sync" {
            expect(&service, FAILED);
            stage.rancher.change(|world| {
                world.service_mut("shop", "web").label("unrelated", 1);
            });
            stage.settle();
            assert_eq!(
                state_of_web(&made_anew(&service)),
                FAILED,
                "nor is it later"
            );
            stage.route53.clear_faults();
            expect(&service, PUBLISHED);
            return;
        }
        expect(&service, KEPT);
        // Whoever starts anew finds the same.
        expect(&stage.run_with(&[], &[("POLICY", policy)]), KEPT);
        stage.rancher.change(|world| {
            world.service_mut("shop", "web").move_from("h2", "h1");
        });
        expect(&service, PUBLISHED);
    });
}

#[test]
fn from_the_first_moment_there_is_a_page_that_says_what_is_wrong() {
    let stage = Stage::new(web());
    stage.rancher.stop_metadata();
    let service = stage.run();
    let status = wait_until(&service, |s| {
        s["dependencies"]["metadata"]["state"] == "fails"
    });
    assert_eq!(
        status["problems"][0],
        "Metadata is unavailable: nothing is changed meanwhile."
    );
    let error = status["dependencies"]["metadata"]["last_error"].as_str();
    assert!(
        error.is_some_and(|error| error.contains("refused")),
        "{status:#}"
    );
    assert_eq!(status["last_success"], Value::Null);
    stage.rancher.start_metadata();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    let status = wait_until(&service, |status| {
        status["problems"] == serde_json::json!([])
    });
    assert!(
        status["dependencies"]["metadata"]["last_error"].is_string(),
        "it stays"
    );
    assert!(status["last_success"].is_string());
}

#[test]
fn no_page_holds_a_secret_whatever_servers_quote() {
    let stage = Stage::new(web());
    let keys = stage.environment();
    let key = |name: &str| {
        let found = keys.iter().find(|(known, _)| *known == name);
        found.expect("a setting").1.clone()
    };
    let secrets = [key("AWS_SECRET_ACCESS_KEY"), key("CATTLE_SECRET_KEY")];
    stage.route53.inject(
        None,
        route53::Fault::Error {
            status: 400,
            code: "SignatureDoesNotMatch".to_owned(),
            message: format!("you said {}", secrets[0]),
        },
        1,
    );
    stage.rancher.inject_events(Fault::Status(401), usize::MAX);
    let service = stage.run();
    wait_until(&service, |s| {
        s["dependencies"]["rancher_api"]["state"] == "fails"
    });
    for path in ["/status", "/status.json", "/metrics"] {
        let (_, text) = get(&service, path);
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{path}");
        }
    }
}

#[test]
fn what_a_browser_may_do_with_a_page_is_said_with_it() {
    let stage = Stage::new(web());
    let service = stage.run();
    for (path, policy, counted) in [
        ("/status", "default-src 'none'; style-src 'sha256-", false),
        ("/status.json", "default-src 'none'; frame-ancestors", false),
        ("/metrics", "default-src 'none'; frame-ancestors", true),
        ("/ping", "default-src 'none'; frame-ancestors", true),
    ] {
        let (head, _) = get(&service, path);
        for line in [
            &format!("Content-Security-Policy: {policy}"),
            "Cache-Control: no-store\r\n",
            "X-Content-Type-Options: nosniff\r\n",
            "Referrer-Policy: no-referrer\r\n",
        ] {
            assert!(head.contains(line), "{path}: {line} in {head}");
        }
        assert_eq!(head.contains("Content-Length: "), counted, "{path}");
    }
    let head = ask(
        address(&service),
        "HEAD /status HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    assert!(
        head.ends_with("\r\n\r\n") && head.contains("text/html"),
        "{head}"
    );
    let none = ask(
        address(&service),
        "GET /status/x HTTP/1.1\r\nHost: x\r\n\r\n",
    );
    assert!(none.starts_with("HTTP/1.1 404"), "{none}");
}

#[test]
fn those_who_do_not_read_it_cost_next_to_nothing() {
    let stage = Stage::new(World::of_size(1_000));
    let service = stage.run_with(&[], &[("ROUTE53_CHANGE_RATE", "1000")]);
    wait_until(&service, |status| status["record_sets_owned"] == 1_000);
    stage.settle();
    get(&service, "/status");
    let before = service.memory().expect("a running process").resident_kb;
    let idle: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(address(&service)).unwrap();
            stream
                .write_all(b"GET /status HTTP/1.1\r\nHost: x\r\n\r\n")
                .unwrap();
            stream
        })
        .collect();
    // Whoever reads gets all of it.
    for _ in 0..3 {
        let (_, page) = get(&service, "/status");
        assert_eq!(page.matches("<tr\nclass=").count(), 1_501);
        assert!(page.ends_with("</script>\n"));
    }
    let after = service.memory().expect("a running process").resident_kb;
    assert!(after < before + 4 * 1024, "{before} kB, then {after} kB");
    drop(idle);
}
