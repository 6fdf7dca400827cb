//! What record sets refer to outside of their zone.

use super::super::{Change, NoHealthCheck, Options, RecordSet, Route53, Zone};
use super::client::{Answer, post};

const CHECK: &str = "abcdef11-2222-3333-4444-555555fedcba";

fn server() -> Route53 {
    let server = Route53::start(Options::default());
    server.add_zone("Z1", "example.com", false);
    server
}

fn send(server: &Route53, action: &str, set: &str) -> Answer {
    let body = format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ChangeBatch><Changes><Change><Action>{action}</Action><ResourceRecordSet>{set}\
         </ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    );
    post(&server.url(), "Z1", &body).unwrap()
}

fn checked(name: &str) -> String {
    format!(
        "<Name>{name}</Name><Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord>\
         <Value>192.0.2.1</Value></ResourceRecord></ResourceRecords><HealthCheckId>{CHECK}\
         </HealthCheckId>"
    )
}

#[test]
fn a_health_check_must_exist() {
    let server = server();
    for action in ["CREATE", "UPSERT"] {
        let answer = send(&server, action, &checked("x.example.com"));
        assert_eq!(answer.status, 404);
        assert_eq!(answer.element("Code").as_deref(), Some("NoSuchHealthCheck"));
        let message = format!("A health check with id {CHECK} does not exist.");
        assert_eq!(answer.element("Message"), Some(message));
    }
    assert!(!server.requests().pop().unwrap().applied);
    assert_eq!(server.record_sets("Z1").len(), 2);
    server.add_health_check(CHECK);
    assert_eq!(
        send(&server, "CREATE", &checked("x.example.com")).status,
        200
    );
    server.remove_health_check(CHECK);
    assert_eq!(
        send(&server, "CREATE", &checked("y.example.com")).status,
        404
    );
    assert_eq!(
        send(&server, "DELETE", &checked("x.example.com")).status,
        200
    );
}

#[test]
fn a_missing_health_check_can_be_a_fault_of_the_batch() {
    let server = server();
    server.configure(|options| options.no_health_check = NoHealthCheck::InBatch);
    let answer = send(&server, "CREATE", &checked("x.example.com"));
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("<InvalidChangeBatch xmlns="));
    let message = format!("A health check with id {CHECK} does not exist.");
    assert_eq!(answer.element("Message"), Some(message));
}

#[test]
fn who_edits_a_zone_has_the_checks_that_his_record_sets_refer_to() {
    let set = |name| RecordSet::simple(name, "A", 60, &["192.0.2.1"]).checked(CHECK);
    let edits: [&dyn Fn(&mut Zone); 2] = [&|zone| zone.put(set("y.example.org")), &|zone| {
        let changes = [Change::create(set("y.example.org"))];
        zone.apply(&changes).unwrap();
    }];
    for edit in edits {
        let server = server();
        server.add_zone("Z2", "example.org", false);
        server.edit("Z2", edit);
        assert_eq!(
            send(&server, "CREATE", &checked("x.example.com")).status,
            200
        );
        server.add_zone("Z3", "example.net", false);
        server.edit("Z3", |zone| {
            assert!(zone.account_mut().has_health_check(CHECK));
        });
    }
    let server = server();
    server.replace_zone("Z1", |old| {
        let mut zone = Zone::new(&old.name).with_id("Z1");
        zone.put(set("y.example.com"));
        zone
    });
    assert_eq!(
        send(&server, "CREATE", &checked("x.example.com")).status,
        200
    );
}

#[test]
fn an_alias_cannot_point_into_another_zone_of_the_account() {
    let server = server();
    server.add_alias_target("lb-1.elb.amazonaws.com", "Z9");
    let alias = |id: &str, target: &str| {
        format!(
            "<Name>x.example.com</Name><Type>A</Type><AliasTarget><HostedZoneId>{id}\
             </HostedZoneId><DNSName>{target}</DNSName><EvaluateTargetHealth>false\
             </EvaluateTargetHealth></AliasTarget>"
        )
    };
    server.add_zone("Z2", "example.org", false);
    server.edit("Z2", |zone| {
        zone.put(RecordSet::simple("y.example.org", "A", 60, &["192.0.2.1"]));
    });
    for (id, target) in [("Z2", "y.example.org"), ("Z8", "lb-1.elb.amazonaws.com")] {
        let answer = send(&server, "CREATE", &alias(id, target));
        let text = answer.text();
        assert!(
            text.contains("does not lie within the target zone"),
            "{text}"
        );
    }
    let right = alias("Z9", "lb-1.elb.amazonaws.com");
    assert_eq!(send(&server, "CREATE", &right).status, 200);
    let request = server.requests().pop().unwrap();
    assert_eq!((request.changes, request.resource_records), (1, 1));
    // Once the zone is gone, nothing is known of its id.
    server.remove_zone("Z2");
    let answer = send(&server, "UPSERT", &alias("Z2", "y.example.org"));
    assert_eq!(answer.status, 200, "{}", answer.text());
}
