//! The API: who may ask, the schemas, and what becomes of an event.

use super::super::api::base64;
use super::*;
use serde_json::{Value, json};

/// With the right keys.
fn call(rancher: &Rancher, method: &str, url: &str, body: &str) -> io::Result<Answer> {
    let options = rancher.options();
    let keys = format!("{}:{}", options.access_key, options.secret_key);
    let authorization = format!("Basic {}", base64(keys.as_bytes()));
    let headers = [
        ("Authorization", &*authorization),
        ("Content-Type", "application/json"),
    ];
    send(method, url, &headers, body)
}

fn event(service: &str, stack: &str, fqdn: &str) -> Value {
    json!({
        "eventType": "dns.update", "externalId": format!("{fqdn}."), "fqdn": fqdn,
        "serviceName": service, "stackName": stack,
    })
}

fn post(rancher: &Rancher, event: &Value) -> io::Result<Answer> {
    let url = format!("{}/externaldnsevents", rancher.api_url());
    call(rancher, "POST", &url, &event.to_string())
}

fn wait_for_outcome(rancher: &Rancher, outcome: Outcome) {
    let came = rancher.wait_until(ENOUGH, |state| {
        state.events().last().is_some_and(|e| e.outcome == outcome)
    });
    assert!(came, "{:?}", rancher.events());
}

#[test]
fn without_the_right_keys_there_is_nothing() {
    let rancher = start();
    let wrong = format!("Basic {}", base64(b"key:secret"));
    for headers in [&[][..], &[("Authorization", &*wrong)]] {
        for method in ["GET", "POST"] {
            let url = format!("{}/externaldnsevents", rancher.api_url());
            for url in [&rancher.api_url(), &url] {
                let answer = send(method, url, headers, "{}").unwrap();
                assert_eq!(answer.status, 401);
                assert_eq!(answer.json()["code"], "Unauthorized");
                assert!(answer.header("WWW-Authenticate").is_some());
            }
        }
    }
    assert!(
        rancher
            .events()
            .iter()
            .all(|e| e.outcome == Outcome::Refused)
    );
    assert_eq!(rancher.events().len(), 2);
}

#[test]
fn an_event_shows_with_which_key_it_was_sent() {
    let options = Options {
        second_access_key: Some("second".to_owned()),
        ..Options::default()
    };
    let secret = options.secret_key.clone();
    let rancher = Rancher::start(options.clone(), World::new("Prod", "u"));
    let url = format!("{}/externaldnsevents", rancher.api_url());
    let keys = [&*options.access_key, "second", "third"];
    for key in keys {
        let keys = format!("Basic {}", base64(format!("{key}:{secret}").as_bytes()));
        send("POST", &url, &[("Authorization", &*keys)], "{}").unwrap();
    }
    let events = rancher.events();
    let sent: Vec<Option<&str>> = events.iter().map(|e| e.access_key.as_deref()).collect();
    assert_eq!(sent, [Some(keys[0]), Some(keys[1]), None]);
}

#[test]
fn the_right_keys_may_be_forbidden() {
    let rancher = start();
    rancher.set_forbidden(true);
    let answer = call(&rancher, "GET", &rancher.api_url(), "").unwrap();
    assert_eq!(answer.status, 403);
    assert_eq!(
        post(&rancher, &event("Web", "Shop", "a.b")).unwrap().status,
        403
    );
    rancher.set_forbidden(false);
    let answer = call(&rancher, "GET", &rancher.api_url(), "").unwrap();
    assert_eq!(answer.status, 200);
}

#[test]
fn each_base_leads_to_its_schemas_and_these_to_the_events() {
    for base in [
        "/v1",
        "/v2-beta",
        "/v1/projects/1a5",
        "/v2-beta/projects/1a5",
    ] {
        let options = Options {
            api_base: base.into(),
            ..Options::default()
        };
        let rancher = Rancher::start(options, world());
        assert!(rancher.api_url().ends_with(base));
        for slash in ["", "/"] {
            let url = format!("{}{slash}", rancher.api_url());
            let answer = call(&rancher, "GET", &url, "").unwrap();
            let schemas = answer.header("X-API-Schemas").unwrap();
            assert_eq!(schemas, format!("{}/schemas", rancher.api_url()));
        }
        let schemas = format!("{}/schemas", rancher.api_url());
        let schemas = call(&rancher, "GET", &schemas, "").unwrap().json();
        let all = schemas["data"].as_array().unwrap();
        let schema = all.iter().find(|s| s["id"] == "externalDnsEvent").unwrap();
        assert_eq!(
            schema["links"]["collection"],
            format!("{}/externaldnsevents", rancher.api_url())
        );
        assert!(schema["resourceFields"]["stackName"].is_object());
        assert_eq!(
            post(&rancher, &event("Web", "Shop", "a.b")).unwrap().status,
            201
        );
        let other = if base.starts_with("/v1") {
            "/v2-beta"
        } else {
            "/v1"
        };
        let other = format!("{}{other}", rancher.api_root());
        assert_eq!(call(&rancher, "GET", &other, "").unwrap().status, 404);
    }
}

#[test]
fn the_root_is_a_page_for_people() {
    let rancher = start();
    let answer = call(&rancher, "GET", &rancher.api_root(), "").unwrap();
    assert_eq!((answer.status, answer.header("X-API-Schemas")), (200, None));
    assert_eq!(answer.header("Content-Type"), Some("text/html"));
}

#[test]
fn the_schemas_can_lack_the_event_or_have_it_elsewhere() {
    let lacking = Options {
        schema_has_event: false,
        ..Options::default()
    };
    let rancher = Rancher::start(lacking, world());
    let url = format!("{}/schemas", rancher.api_url());
    let body = call(&rancher, "GET", &url, "").unwrap().body;
    assert!(!body.contains("externalDnsEvent"));
    assert_eq!(
        post(&rancher, &event("Web", "Shop", "a.b")).unwrap().status,
        201
    );

    let elsewhere = Options {
        event_collection: "dnsevents".into(),
        ..Options::default()
    };
    let rancher = Rancher::start(elsewhere, world());
    assert_eq!(
        post(&rancher, &event("Web", "Shop", "a.b")).unwrap().status,
        404
    );
    let url = format!("{}/dnsevents", rancher.api_url());
    let text = event("Web", "Shop", "a.b").to_string();
    assert_eq!(call(&rancher, "POST", &url, &text).unwrap().status, 201);
}

#[test]
fn an_event_sets_the_fqdn_and_changes_metadata() {
    let rancher = start();
    let before = rancher.version();
    let answer = post(&rancher, &event("Web", "Shop", "web.example.com")).unwrap();
    assert_eq!(answer.status, 201);
    let body = answer.json();
    assert_eq!(body["type"], "externalDnsEvent");
    assert_eq!(body["state"], "creating");
    assert_eq!(body["serviceName"], "Web");
    wait_for_outcome(&rancher, Outcome::Applied);
    assert_eq!(
        rancher.fqdn("Shop", "Web").as_deref(),
        Some("web.example.com")
    );
    assert_ne!(rancher.version(), before);
    let events = rancher.events();
    let event = &events[0];
    assert_eq!(
        (
            &*event.service,
            &*event.stack,
            &*event.fqdn,
            &*event.external_id
        ),
        ("Web", "Shop", "web.example.com", "web.example.com.")
    );
    assert!(rancher.wait_until(ENOUGH, |s| s.events()[0].status == Some(201)));
}

/// Its answer is the same: only metadata, where nothing happens, tells.
#[test]
fn an_event_for_what_is_not_there_is_dropped_silently() {
    let rancher = start();
    let before = rancher.version();
    for (service, stack) in [
        ("web", "Shop"),
        ("Web", "shop"),
        ("nginx", "Shop"),
        ("x", "y"),
    ] {
        let answer = post(&rancher, &event(service, stack, "web.example.com")).unwrap();
        assert_eq!(answer.status, 201, "{service}");
        wait_for_outcome(&rancher, Outcome::Dropped);
    }
    assert_eq!(rancher.version(), before);
    assert_eq!(rancher.world(), world());
}

#[test]
fn events_take_effect_after_the_delay_in_their_order() {
    let options = Options {
        event_delay: Duration::from_millis(100),
        ..Options::default()
    };
    let rancher = Rancher::start(options, world());
    let began = Instant::now();
    for fqdn in ["one.example.com", "two.example.com"] {
        post(&rancher, &event("Web", "Shop", fqdn)).unwrap();
    }
    let outcomes: Vec<Outcome> = rancher.events().iter().map(|e| e.outcome).collect();
    if began.elapsed() < Duration::from_millis(100) {
        assert_eq!(outcomes, [Outcome::Accepted, Outcome::Accepted]);
    }
    wait_for_outcome(&rancher, Outcome::Applied);
    assert!(began.elapsed() >= Duration::from_millis(100));
    assert_eq!(
        rancher.fqdn("Shop", "Web").as_deref(),
        Some("two.example.com")
    );
}

#[test]
fn malformed_events_are_refused_with_the_field_that_is_wrong() {
    let rancher = start();
    let good = event("Web", "Shop", "web.example.com");
    for (field, value, code) in [
        ("eventType", json!("dns.create"), "InvalidOption"),
        ("eventType", Value::Null, "MissingRequired"),
        ("externalId", json!("web.example.com"), "InvalidFormat"),
        ("externalId", json!("other.example.com."), "InvalidFormat"),
        ("fqdn", json!("web.example.com."), "InvalidFormat"),
        ("fqdn", json!(""), "MissingRequired"),
        ("serviceName", json!(7), "InvalidType"),
        ("stackName", json!(["Shop"]), "InvalidType"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let answer = post(&rancher, &bad).unwrap();
        let body = answer.json();
        assert_eq!((answer.status, &body["code"]), (422, &json!(code)), "{bad}");
        assert_eq!(body["fieldName"], field);
        assert_eq!(body["type"], "error");
    }
    let url = format!("{}/externaldnsevents", rancher.api_url());
    assert_eq!(call(&rancher, "POST", &url, "{").unwrap().status, 422);
    assert!(
        rancher
            .events()
            .iter()
            .all(|e| e.outcome == Outcome::Refused)
    );
    assert_eq!(rancher.fqdn("Shop", "Web"), None);
}

#[test]
fn an_event_must_be_called_json() {
    let rancher = start();
    let options = rancher.options();
    let keys = format!("{}:{}", options.access_key, options.secret_key);
    let authorization = format!("Basic {}", base64(keys.as_bytes()));
    let url = format!("{}/externaldnsevents", rancher.api_url());
    let body = event("Web", "Shop", "web.example.com").to_string();
    let answer = send("POST", &url, &[("Authorization", &authorization)], &body).unwrap();
    assert_eq!(answer.status, 422);
}

#[test]
fn faults_hide_the_answer_and_some_the_event() {
    let rancher = start();
    let post = |fqdn: &str| post(&rancher, &event("Web", "Shop", fqdn));
    rancher.inject_events(Fault::Status(500), 1);
    rancher.inject_events(Fault::Drop, 1);
    let root = call(&rancher, "GET", &rancher.api_url(), "").unwrap();
    assert_eq!(root.status, 200);
    assert_eq!(post("a.b").unwrap().status, 500);
    assert!(post("a.b").is_err());
    rancher.inject_api(Fault::LoseEvent, 1);
    let root = call(&rancher, "GET", &rancher.api_url(), "").unwrap();
    assert_eq!(root.status, 200);
    assert_eq!(post("a.b").unwrap().status, 201);
    wait_for_outcome(&rancher, Outcome::Dropped);
    assert_eq!(rancher.fqdn("Shop", "Web"), None);
    // Cut off, but accepted: the answer proves nothing either way.
    rancher.inject_events(Fault::Cut(3), 1);
    assert_eq!(post("a.b").unwrap().body.len(), 3);
    wait_for_outcome(&rancher, Outcome::Applied);
    assert_eq!(rancher.fqdn("Shop", "Web").as_deref(), Some("a.b"));
    rancher.inject_api(Fault::Status(502), 1);
    let root = call(&rancher, "GET", &rancher.api_url(), "").unwrap();
    assert_eq!(root.status, 502);
    rancher.inject_api(Fault::Redirect("http://127.0.0.1:9/x".into()), 1);
    let root = call(&rancher, "GET", &rancher.api_url(), "").unwrap();
    assert_eq!(root.status, 302);
    assert_eq!(root.header("Location"), Some("http://127.0.0.1:9/x"));
    rancher.inject_events(Fault::HugeBody(100_000), 1);
    let huge = post("c.d").unwrap();
    assert_eq!((huge.status, huge.body.len()), (201, 100_000));
    assert_eq!(huge.json()["fqdn"], "c.d");
    wait_for_outcome(&rancher, Outcome::Applied);
}

#[test]
fn a_stopped_api_comes_back_at_the_same_address() {
    let rancher = start();
    let url = rancher.api_url();
    rancher.stop_api();
    assert!(call(&rancher, "GET", &url, "").is_err());
    rancher.start_api();
    assert_eq!(call(&rancher, "GET", &url, "").unwrap().status, 200);
    assert_eq!(rancher.api_requests().len(), 1);
}
