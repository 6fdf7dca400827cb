use super::*;
use crate::dns::{AliasTarget, Body, Name};

fn key(rtype: RecordType, set_id: Option<&str>) -> RecordKey {
    let name = Name::parse("web.example.com").unwrap();
    RecordKey::with_set_id(name, rtype, set_id.map(Into::into))
}

#[test]
fn a_message_about_one_of_several_mentions_that_one() {
    let keys = [
        key(RecordType::A, None),
        key(RecordType::A, Some("blue")),
        key(RecordType::A, Some("blue-2")),
        key(RecordType::A, Some("blue:3")),
        key(RecordType::Aaaa, Some("blue")),
        key(RecordType::Cname, None),
        key(RecordType::Cname, Some("blue")),
    ];
    // The messages, and which of these keys they mention.
    for (message, expected) in [
        (
            "Tried to delete resource record set [name='web.example.com.', type='A', \
             set-identifier='blue'] but the values provided do not match the current values",
            &[1][..],
        ),
        (
            "Tried to create resource record set [name='web.example.com.', type='A'] but it \
             already exists",
            &[0],
        ),
        (
            "RRSet with DNS name web.example.com., type A, SetIdentifier blue cannot be created as \
             weighted sets must contain the same TTL.",
            &[1],
        ),
        (
            "RRSet with DNS name web.example.com., type AAAA, SetIdentifier blue, and Region \
             Name=eu-west-1 cannot be created because a latency RRSet with the same name, type and \
             region already exists.",
            &[4],
        ),
        (
            "RRSet with DNS name web.example.com., type A cannot be created as other RRSets exist \
             with the same name and type.",
            &[0, 1, 2, 3],
        ),
        (
            "RRSet of type A with DNS name web.example.com. is not permitted because a conflicting \
             RRSet of type  CNAME with the same DNS name already exists in zone z.",
            &[0, 1, 2, 3],
        ),
        (
            "RRSet of type CNAME with DNS name web.example.com. is not permitted as it conflicts \
             with other records with the same DNS name in zone example.com.",
            &[5, 6],
        ),
        (
            "RRSet with DNS name web.example.com. is not permitted in zone z.",
            &[0, 1, 2, 3, 4, 5, 6],
        ),
        (
            "an invalid set of changes for a resource record set 'CNAME web.example.com.'",
            &[5, 6],
        ),
        ("[name='web.example.com.', type='TXT']", &[]),
        ("SetIdentifier blue of web.example.com.", &[1, 4, 6]),
        ("SetIdentifier blue of api.example.com.", &[]),
    ] {
        let mentioned = (0..keys.len()).filter(|at| mentions_key(message, &keys[*at]));
        assert_eq!(mentioned.collect::<Vec<_>>(), expected, "{message}");
    }
}

#[test]
fn an_alias_is_known_by_its_target_and_others_by_their_health_check() {
    let alias = |target: &str| {
        let target = AliasTarget {
            zone_id: "Z1".to_owned(),
            name: target.to_owned(),
            evaluates_health: false,
        };
        let body = Body::Alias(Box::new(target));
        RecordSet::new(key(RecordType::A, None), body, None)
    };
    let message = "Tried to create an alias that targets my.lb.example.org., type A in zone Z1, but \
                   that target was not found";
    for (target, expected) in [
        ("my.lb.example.org.", true),
        ("lb.example.org.", false),
        ("other.lb.example.org.", false),
        ("", false),
    ] {
        assert_eq!(
            mentions_value(message, &alias(target)),
            expected,
            "{target}"
        );
    }
    let mut set = RecordSet::of_values(
        key(RecordType::A, None),
        300,
        ["192.0.2.1".to_owned()].into(),
    );
    let message = "A health check with id abc-1 does not exist.";
    assert!(!mentions_value(message, &set));
    for (id, expected) in [("abc-1", true), ("abc", false), ("abc-12", false)] {
        set.health_check = Some(id.into());
        assert_eq!(mentions_value(message, &set), expected, "{id}");
    }
    assert!(mentions_value(
        "Duplicate Resource Record: '192.0.2.1'",
        &set
    ));
}
