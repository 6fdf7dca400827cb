//! The pages, of facts made by hand.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::*;
use crate::base::counters::{NO_ANSWER, Operation, RoundOutcome};
use crate::desired::ServiceOutcome;
use crate::desired::container::{ContainerSkip, Requirement, SkippedContainers};
use crate::desired::skip::SkipReason;
use crate::desired::warning::Warning;
use crate::dns::Routing;
use crate::observe::pages::Pages;
use crate::observe::routes::answer;
use crate::plan::ConflictReason;
use crate::rancher::labels::{self, LabelKey};
use crate::rancher::model::ServiceKey;

mod problems;

pub fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-01-02T03:04:05Z")
        .unwrap()
        .to_utc()
}

pub fn ago(seconds: i64) -> DateTime<Utc> {
    now() - TimeDelta::seconds(seconds)
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A name that nobody shares.
pub fn member(text: &str) -> Member {
    RecordKey::new(name(text), RecordType::A).member()
}

pub fn empty() -> Status {
    Status::new(name("example.com"), ago(86_400))
}

pub fn set(text: &str, rtype: RecordType, values: &[&str]) -> RecordSet {
    RecordSet::of_values(
        RecordKey::new(name(text), rtype),
        300,
        values.iter().map(|value| (*value).to_owned()).collect(),
    )
}

/// A weighted record set with a health check.
fn weighted(text: &str, address: &str) -> RecordSet {
    let simple = set(text, RecordType::A, &[address]);
    let key = RecordKey::with_set_id(name(text), RecordType::A, Some("blue".into()));
    let mut weighted = RecordSet::new(key, simple.body, Some(Routing::Weighted(10)));
    weighted.health_check = Some("check-1".into());
    weighted
}

fn outcome(name: Result<Name, SkipReason>, fqdn: Option<&str>) -> ServiceOutcome {
    let mut outcome = ServiceOutcome::new(name);
    outcome.fqdn = fqdn.map(str::to_owned);
    outcome
}

fn service(stack: &str, service: &str) -> ServiceKey {
    ServiceKey {
        stack: stack.to_owned(),
        service: service.to_owned(),
    }
}

/// Two containers of four.
fn skipped_containers() -> Box<SkippedContainers> {
    let reasons = [
        ("web-4", ContainerSkip::new(Requirement::Port, "")),
        ("<i>", ContainerSkip::new(Requirement::Healthy, "<u>")),
    ];
    Box::new(SkippedContainers::new(4, reasons.into_iter()))
}

/// One service in each state, and something of everything else.
pub fn busy() -> Status {
    let mut status = empty();
    status.commit = Some("3e4ffb7abcde");
    let mut desired = Desired::default();
    for set in [
        set(
            "web.example.com",
            RecordType::A,
            &["192.0.2.1", "192.0.2.2"],
        ),
        set("web.example.com", RecordType::Aaaa, &["2001:db8::1"]),
        set("new.example.com", RecordType::A, &["192.0.2.3"]),
        set("taken.example.com", RecordType::A, &["192.0.2.4"]),
        set("bad.example.com", RecordType::A, &["192.0.2.5"]),
        weighted("*.example.com", "192.0.2.6"),
    ] {
        desired.record_sets.insert(set.key.clone(), set);
    }
    let published = |text: &str, fqdn| outcome(Ok(name(text)), fqdn);
    let mut web = published("web.example.com", Some("web.example.com"));
    web.skipped_containers = Some(skipped_containers());
    let mut any = published("*.example.com", None);
    any.warnings = vec![Warning::policy("<b>")];
    any.set_id = Some("blue".into());
    let of_any = any.member(&name("*.example.com"));
    desired.services = [
        (service("shop", "web"), web),
        (service("shop", "new"), published("new.example.com", None)),
        (
            service("shop", "taken"),
            published("taken.example.com", None),
        ),
        (service("shop", "bad"), published("bad.example.com", None)),
        (
            service("shop", "hidden"),
            outcome(
                Err(SkipReason::Container(ContainerSkip::new(
                    Requirement::Port,
                    "",
                ))),
                None,
            ),
        ),
        (
            service("<script>alert(1)</script>", "\u{202e}\"'&\n"),
            outcome(
                Err(SkipReason::Container(ContainerSkip::new(
                    Requirement::Running,
                    "</td>",
                ))),
                None,
            ),
        ),
        (service("shop", "any"), any),
    ]
    .into();
    status.desired = desired.into();
    status.in_zone = Arc::new([member("web.example.com"), of_any].into());
    let a = |text: &str| RecordKey::new(name(text), RecordType::A);
    let taken = Conflict {
        key: a("taken.example.com"),
        reason: ConflictReason::Cname,
        found: Some(RecordSet::of_values(
            RecordKey::new(name("taken.example.com"), RecordType::Cname),
            60,
            ["elsewhere.example.org.".to_owned()].into(),
        )),
    };
    let bad = Quarantined {
        key: a("bad.example.com"),
        words: "ARRDATAIllegalIPv4Address".to_owned(),
    };
    status.conflicts = Arc::new(vec![taken]);
    status.quarantined = Arc::new(vec![bad]);
    let held = HeldDeletes {
        keys: (1..=12)
            .map(|index| a(&format!("gone{index:02}.example.com")))
            .collect(),
        owned: 30,
        until: Instant::now(),
        hold: Duration::from_secs(60),
    };
    status.held = Some((held, ago(-30)));
    status.environment = Some(("Prod <i>".to_owned(), "1a726b88".to_owned()));
    status.hosted_zone = Some(HostedZone {
        id: "Z0EXAMPLE".to_owned(),
        name: name("example.com"),
        is_private: true,
    });
    status.owned = 3;
    status.owned_by_type = [2, 1, 0];
    status.fqdns_waiting = 1;
    status.last_success = Some(ago(90));
    status.metadata_changed = Some(ago(7_300));
    status
        .record
        .health_mut(Dependency::Metadata)
        .record_success(ago(3_600));
    status
        .record
        .health_mut(Dependency::Route53)
        .record_success(ago(3_600));
    status
        .record
        .health_mut(Dependency::Route53)
        .record_failure("<Throttling>".to_owned(), ago(60));
    let change = ChangeBatch {
        deletes: vec![set("web.example.com", RecordType::A, &["192.0.2.9"])],
        creates: vec![
            set(
                "web.example.com",
                RecordType::A,
                &["192.0.2.1", "192.0.2.2"],
            ),
            set("state.example.com", RecordType::Txt, &["\"web\""]),
        ],
    };
    status.changed(
        &change,
        |key| key.name == name("state.example.com"),
        ago(10),
    );
    let list = Operation {
        api: "route53",
        name: "ListResourceRecordSets",
    };
    let calls = &mut status.record.calls;
    calls.add(list, "ok", Duration::from_millis(20));
    calls.add(list, "odd \"\\ code", Duration::from_millis(1_500));
    calls.add(list, NO_ANSWER, Duration::from_secs(300));
    status
        .counters
        .add_round(RoundOutcome::Changed, Duration::from_millis(1_234));
    status.record.calls.throttles = 2;
    status.record.calls.retries = 3;
    status
}

/// Its policy and all of it.
pub fn page(path: &str, status: &Status) -> (String, String) {
    let response = answer(path, &Pages::default(), Instant::now(), now(), &|| {
        status.clone()
    })
    .unwrap();
    let mut text = response.body;
    for piece in response.rest.into_iter().flatten() {
        assert!(!piece.is_empty());
        text.push_str(&piece);
    }
    (response.policy, text)
}

fn json_of(status: &Status) -> Value {
    serde_json::from_str(&page("/status.json", status).1).unwrap()
}

#[test]
fn the_json_has_everything() {
    let mut expected = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "commit": "3e4ffb7abcde",
        "contested": [],
        "time": "2026-01-02T03:04:05Z",
        "started": "2026-01-01T03:04:05Z",
        "last_success": "2026-01-02T03:02:35Z",
        "metadata_changed": "2026-01-02T01:02:25Z",
        "problems": [
            "Calls to Route 53 fail.",
            "Deletes wait: no service asks for 12 of 30 record sets; \
             they are deleted once metadata has said so for 60 s without a \
             break (DELETE_GUARD_HOLD). If the services still run, stop rancher-route53 now.",
            "Record sets in conflict with what is in the zone: 1. The services say why.",
            "Record sets refused by Route 53: 1. The services say why.",
        ],
        "environment": {"name": "Prod <i>", "uuid": "1a726b88"},
        "zone": {"name": "example.com", "id": "Z0EXAMPLE", "kind": "private"},
        "dependencies": {
            "metadata": {"state": "works", "since": "2026-01-02T02:04:05Z",
                "last_error": null, "last_error_at": null},
            "rancher_api": {"state": "unknown", "since": null,
                "last_error": null, "last_error_at": null},
            "route53": {"state": "fails", "since": "2026-01-02T03:03:05Z",
                "last_error": "<Throttling>", "last_error_at": "2026-01-02T03:03:05Z"},
            "credentials": {"state": "unknown", "since": null,
                "last_error": null, "last_error_at": null},
            "rounds": {"state": "unknown", "since": null,
                "last_error": null, "last_error_at": null},
        },
        "kept_by_another": null,
        "deletion_guard": {"deletes": 12, "of": 30, "until": "2026-01-02T03:04:35Z",
            "record_sets": (1..=12).map(|index| json!({
                "name": format!("gone{index:02}.example.com"), "type": "A", "set_id": null,
            })).collect::<Vec<_>>()},
        "record_sets_desired": 6,
        "record_sets_owned": 3,
        "record_sets_in_conflict": 1,
        "record_sets_quarantined": 1,
        "fqdns_waiting": 1,
        "fqdns_contested": 0,
        "services": [
            {"stack": "<script>alert(1)</script>", "name": "\u{202e}\"'&\n", "state": "skipped",
             "skipped": "not_running", "reason": "no container is running (state \"</td>\")",
             "fqdn": null, "addresses": [], "target": null, "routing": [], "more_names": [], "warnings": []},
            {"stack": "shop", "name": "any", "state": "published", "skipped": null,
             "reason": "Rancher doesn't show the name yet; external_dns=\"<b>\" is not one of auto, \
                        always and never; it is treated as auto",
             "fqdn": "*.example.com", "addresses": ["192.0.2.6"], "target": null,
             "routing": [{"type": "A", "set_id": "blue", "policy": "weighted 10", "health_check": "check-1"}],
             "more_names": [], "warnings": ["external_dns=\"<b>\" is not one of auto, \
                        always and never; it is treated as auto"]},
            {"stack": "shop", "name": "bad", "state": "quarantined", "skipped": null,
             "reason": "A: Route 53 refuses it: ARRDATAIllegalIPv4Address",
             "fqdn": "bad.example.com", "addresses": ["192.0.2.5"], "target": null, "routing": [], "more_names": [], "warnings": []},
            {"stack": "shop", "name": "hidden", "state": "skipped", "skipped": "no_port",
             "reason": SkipReason::Container(ContainerSkip::new(Requirement::Port, "")).to_string(), "fqdn": null, "addresses": [], "target": null, "routing": [], "more_names": [], "warnings": []},
            {"stack": "shop", "name": "new", "state": "waiting", "skipped": null,
             "reason": "not in the zone yet", "fqdn": "new.example.com",
             "addresses": ["192.0.2.3"], "target": null, "routing": [], "more_names": [], "warnings": []},
            {"stack": "shop", "name": "taken", "state": "conflict", "skipped": null,
             "reason": format!("A: the zone has CNAME elsewhere.example.org., TTL 60; {}",
                 ConflictReason::Cname), "fqdn": "taken.example.com",
             "addresses": ["192.0.2.4"], "target": null, "routing": [], "more_names": [], "warnings": []},
            {"stack": "shop", "name": "web", "state": "published", "skipped": null,
             "reason": "2 of 4 containers count: <i> isn't healthy (health \"<u>\"); web-4 publishes no \
                        port on its host", "fqdn": "web.example.com",
             "addresses": ["192.0.2.1", "192.0.2.2", "2001:db8::1"], "target": null, "routing": [], "more_names": [], "warnings": []},
        ],
        "changes": [
            {"time": "2026-01-02T03:03:55Z", "action": "change", "name": "web.example.com",
             "type": "A", "set_id": null, "from": "192.0.2.9, TTL 300", "to": "192.0.2.1, 192.0.2.2, TTL 300"},
        ],
    });
    for service in expected["services"].as_array_mut().unwrap() {
        service["skipped_containers"] = match service["name"] == "web" {
            false => Value::Null,
            true => json!({"total": 4, "skipped": 2, "first": [
                {"name": "<i>", "code": "not_healthy", "reason": "isn't healthy (health \"<u>\")"},
                {"name": "web-4", "code": "no_port", "reason": "publishes no port on its host"},
            ]}),
        };
    }
    assert_eq!(json_of(&busy()), expected);
}

#[test]
fn at_the_start_there_are_pages_too() {
    let status = empty();
    let json = json_of(&status);
    assert_eq!(json["environment"]["name"], Value::Null);
    assert_eq!(json["services"], json!([]));
    assert!(
        page("/status", &status)
            .1
            .contains(">Starting: the zone has not been looked at yet.</h2>")
    );
    assert!(
        page("/metrics", &status)
            .1
            .contains("rancher_route53_services{state=\"published\"} 0\n")
    );
}

#[test]
fn every_service_is_there_once_in_order_in_small_pieces() {
    for count in [0, 1, 63, 64, 65, 128, 200] {
        let mut status = empty();
        let mut desired = Desired::default();
        for number in 0..count {
            let skipped = outcome(
                Err(SkipReason::Never(LabelKey::usual(labels::POLICY))),
                None,
            );
            desired
                .services
                .insert(service("s", &format!("n{number:03}")), skipped);
        }
        status.desired = desired.into();
        let expected: Vec<String> = (0..count).map(|number| format!("n{number:03}")).collect();
        let json = json_of(&status);
        let names = json["services"].as_array().unwrap().iter();
        let names: Vec<&str> = names
            .map(|service| service["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected, "{count}");
        let (_, text) = page("/status", &status);
        let rows = text.split("<bdi>s</bdi>/<wbr><bdi>").skip(1);
        let names: Vec<&str> = rows
            .map(|row| row.split_once("</bdi>").unwrap().0)
            .collect();
        assert_eq!(names, expected, "{count}");
    }
}

#[test]
fn only_the_last_changes_are_kept_and_only_some_values() {
    let mut status = empty();
    for number in 0..60 {
        let created = set(
            &format!("n{number}.example.com"),
            RecordType::A,
            &["192.0.2.1"],
        );
        let batch = ChangeBatch {
            deletes: vec![],
            creates: vec![created],
        };
        status.changed(&batch, |_| false, now());
    }
    assert_eq!(status.changes.len(), MAX_CHANGES);
    assert_eq!(status.changes[0].key.name, name("n59.example.com"));
    assert_eq!(status.counters.changes, [60, 0, 0]);
    let many: Vec<String> = (0..255).map(|n| format!("192.0.2.{n:03}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let gone = ChangeBatch {
        deletes: vec![set("many.example.com", RecordType::A, &many)],
        creates: vec![],
    };
    status.changed(&gone, |_| false, now());
    assert_eq!(status.counters.changes, [60, 0, 1]);
    assert!(
        status.changes[0]
            .from
            .ends_with("192.0.2.007, 247 more, TTL 300")
    );
    assert_eq!(status.changes[0].to, "");
}
