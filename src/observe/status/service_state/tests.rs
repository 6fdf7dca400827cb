use std::sync::Arc;

use super::*;
use crate::desired::Desired;
use crate::dns::{Name, RecordType, Routing};
use crate::observe::status::tests::{empty, member, page, set};
use crate::plan::ConflictReason;
use crate::plan::quarantine::Quarantined;

/// A service with the names `web`, `a` and `www`, of which these are in the zone.
fn status(in_zone: &[&str]) -> Status {
    let name = |text: &str| Name::parse(&format!("{text}.example.com")).unwrap();
    let mut status = empty();
    let mut desired = Desired::default();
    for label in ["web", "a", "www"] {
        let set = set(
            &format!("{label}.example.com"),
            RecordType::A,
            &["192.0.2.1"],
        );
        desired.record_sets.insert(set.key.clone(), set);
    }
    let key = ServiceKey {
        stack: "shop".to_owned(),
        service: "web".to_owned(),
    };
    let mut outcome = ServiceOutcome::new(Ok(name("web")));
    outcome.more_names = vec![name("a"), name("www")];
    outcome.fqdn = Some("web.example.com".to_owned());
    desired.services.insert(key, outcome);
    status.desired = desired.into();
    status.in_zone = Arc::new(
        in_zone
            .iter()
            .map(|label| member(&format!("{label}.example.com")))
            .collect(),
    );
    status
}

fn found(status: &Status) -> (ServiceState, String) {
    let outcome = status.desired.services.values().next().unwrap();
    let state = status.state(outcome);
    (state, status.reason(outcome, state))
}

#[test]
fn a_service_is_published_once_all_its_names_are() {
    let all = status(&["web", "a", "www"]);
    assert_eq!(found(&all), (ServiceState::Published, String::new()));
    for some in [&["web", "a"][..], &["a", "www"], &[]] {
        let (state, reason) = found(&status(some));
        assert_eq!(state, ServiceState::Waiting, "{some:?}");
        assert_eq!(reason, "not in the zone yet");
    }
}

#[test]
fn what_is_in_the_way_of_another_name_says_of_which() {
    let key = set("www.example.com", RecordType::A, &["192.0.2.1"]).key;
    let mut taken = status(&["web", "a"]);
    taken.conflicts = Arc::new(vec![Conflict {
        key: key.clone(),
        reason: ConflictReason::Cname,
        found: None,
    }]);
    let (state, reason) = found(&taken);
    assert_eq!(state, ServiceState::Conflict);
    assert_eq!(
        reason,
        format!("www.example.com A: {}", ConflictReason::Cname)
    );

    let mut refused = status(&["web", "a"]);
    refused.quarantined = Arc::new(vec![Quarantined {
        key,
        words: "no".to_owned(),
    }]);
    let (state, reason) = found(&refused);
    assert_eq!(state, ServiceState::Quarantined);
    assert_eq!(reason, "www.example.com A: Route 53 refuses it: no");
}

/// Each of the services that share a name by a routing policy has a state and answers of its own.
#[test]
fn what_is_wrong_with_one_that_shares_a_name_is_not_wrong_with_the_others() {
    let mut status = empty();
    let mut desired = Desired::default();
    let name = Name::parse("web.example.com").unwrap();
    let mut keys = Vec::new();
    for (number, set_id) in ["blue", "green", "grey"].into_iter().enumerate() {
        let address = format!("192.0.2.{number}");
        let body = set("web.example.com", RecordType::A, &[&address]).body;
        let key = RecordKey::with_set_id(name.clone(), RecordType::A, Some(set_id.into()));
        let set = RecordSet::new(key.clone(), body, Some(Routing::Weighted(1)));
        desired.record_sets.insert(key.clone(), set);
        let mut outcome = ServiceOutcome::new(Ok(name.clone()));
        outcome.set_id = Some(set_id.into());
        outcome.fqdn = Some("web.example.com".to_owned());
        let service = ServiceKey {
            stack: "shop".to_owned(),
            service: set_id.to_owned(),
        };
        desired.services.insert(service, outcome);
        keys.push(key);
    }
    status.in_zone = Arc::new([keys[1].member()].into());
    status.quarantined = Arc::new(vec![Quarantined {
        key: keys[0].clone(),
        words: "no".to_owned(),
    }]);
    status.desired = desired.into();
    let outcomes: Vec<_> = status.desired.services.values().collect();
    let found: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            let state = status.state(outcome);
            let answers = status.answers(&outcome.member(&name)).concat();
            (state, status.reason(outcome, state), answers)
        })
        .collect();
    let of = |state, reason: &str, answers: &str| (state, reason.to_owned(), answers.to_owned());
    assert_eq!(
        found,
        [
            of(
                ServiceState::Quarantined,
                "A blue: Route 53 refuses it: no",
                "192.0.2.0weighted 1"
            ),
            of(ServiceState::Published, "", "192.0.2.1weighted 1"),
            of(
                ServiceState::Waiting,
                "not in the zone yet",
                "192.0.2.2weighted 1"
            ),
        ]
    );
}

#[test]
fn a_name_that_rancher_is_not_told_is_not_waited_for() {
    let mut other = status(&["web", "a", "www"]);
    let desired = Arc::make_mut(&mut other.desired);
    desired.services.values_mut().for_each(|o| o.fqdn = None);
    assert_eq!(found(&other).1, "Rancher doesn't show the name yet");
    other.writes_back = false;
    assert_eq!(found(&other).1, "");
}

#[test]
fn the_pages_show_all_names() {
    let status = status(&["web", "a", "www"]);
    let html = page("/status", &status).1;
    let expected = "<a href=\"http://web.example.com/\">web.<wbr>example.<wbr>com</a><br>\n\
                    <a href=\"http://a.example.com/\">a.<wbr>example.<wbr>com</a><br>\n\
                    <a href=\"http://www.example.com/\">www.<wbr>example.<wbr>com</a>";
    assert!(html.contains(expected), "{html}");
    let json: serde_json::Value = serde_json::from_str(&page("/status.json", &status).1).unwrap();
    let more = &json["services"][0]["more_names"];
    assert_eq!(
        *more,
        serde_json::json!(["a.example.com", "www.example.com"])
    );
}
