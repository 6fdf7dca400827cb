//! The body of a change request: what is read, and what is refused before the zone is asked.

use super::super::request::parse;
use super::super::{Action, ApiError, Change, Order, RecordSet, Zone};

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

fn with_batch(batch: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ChangeResourceRecordSetsRequest \
         xmlns=\"{NAMESPACE}\"><ChangeBatch>{batch}</ChangeBatch></ChangeResourceRecordSetsRequest>"
    )
}

fn with_set(set: &str) -> String {
    with_batch(&format!(
        "<Changes><Change><Action>CREATE</Action><ResourceRecordSet>{set}</ResourceRecordSet>\
         </Change></Changes>"
    ))
}

fn records(values: &[&str]) -> String {
    let values: Vec<String> = values
        .iter()
        .map(|v| format!("<ResourceRecord><Value>{v}</Value></ResourceRecord>"))
        .collect();
    format!("<ResourceRecords>{}</ResourceRecords>", values.concat())
}

fn read(body: &str) -> Result<Vec<Change>, ApiError> {
    parse(body.as_bytes(), Order::Model).map(|request| request.changes)
}

fn refused(body: &str, code: &str, words: &str) {
    let error = read(body).expect_err(body);
    assert_eq!((error.status, error.code.as_str()), (400, code), "{body}");
    assert!(error.messages[0].contains(words), "{:?}", error.messages);
}

#[test]
fn reads_simple_record_sets() {
    let body = with_batch(&format!(
        "<Comment>a &amp; b</Comment>\n <Changes>\n<Change><Action>DELETE</Action>\
         <ResourceRecordSet><Name>Web.Example.com</Name><Type>TXT</Type><TTL>0</TTL>{}\
         </ResourceRecordSet></Change></Changes>",
        records(&["&quot;a&quot;", "\"b\""])
    ));
    let request = parse(body.as_bytes(), Order::Model).unwrap();
    assert_eq!(request.comment.as_deref(), Some("a & b"));
    let set = RecordSet::simple("web.example.com", "TXT", 0, &["\"a\"", "\"b\""]);
    assert_eq!(request.changes, [Change::delete(set)]);
    assert_eq!(request.changes[0].action, Action::Delete);
}

#[test]
fn reads_aliases_and_routing_policies() {
    let alias = "<Name>x.example.com.</Name><Type>A</Type><AliasTarget><HostedZoneId>Z2\
                 </HostedZoneId><DNSName>LB.example.org</DNSName><EvaluateTargetHealth>false\
                 </EvaluateTargetHealth></AliasTarget>";
    let set = RecordSet::alias("x.example.com", "A", "Z2", "lb.example.org");
    assert_eq!(read(&with_set(alias)).unwrap()[0].record_set, set);
    let weighted = format!(
        "<Name>x.example.com.</Name><Type>A</Type><SetIdentifier>one</SetIdentifier><Weight>255\
         </Weight><TTL>60</TTL>{}",
        records(&["192.0.2.1"])
    );
    let set = RecordSet::simple("x.example.com", "A", 60, &["192.0.2.1"]).weighted("one", 255);
    assert_eq!(read(&with_set(&weighted)).unwrap()[0].record_set, set);
}

#[test]
fn refuses_what_is_not_xml_of_its_namespace() {
    for body in ["", "hello", "<a>", "<a></b>", "<!DOCTYPE a><a/>"] {
        refused(body, "MalformedInput", "Could not parse XML");
    }
    let fine = with_set(&format!(
        "<Name>x.example.com</Name><Type>A</Type><TTL>60</TTL>{}",
        records(&["192.0.2.1"])
    ));
    read(&fine).unwrap();
    for namespace in ["", "https://route53.amazonaws.com/doc/2012-12-12/"] {
        let body = fine.replace(NAMESPACE, namespace);
        refused(&body, "InvalidInput", "Invalid content was found");
    }
    let mut bytes = fine.into_bytes();
    bytes.extend_from_slice(b"<!-- \xff -->");
    assert!(parse(&bytes, Order::Model).is_err(), "UTF-8 only");
}

#[test]
fn refuses_unknown_missing_repeated_and_misplaced_elements() {
    let one = records(&["192.0.2.1"]);
    let head = "<Name>x.example.com</Name><Type>A</Type>";
    for set in [
        format!("{head}<TTL>60</TTL>{one}<Colour>red</Colour>"),
        format!("{head}{one}<TTL>60</TTL>"),
        format!("{head}<TTL>60</TTL><TTL>60</TTL>{one}"),
        format!("<Type>A</Type><TTL>60</TTL>{one}"),
        format!("{head}<TTL>60</TTL><ResourceRecords></ResourceRecords>"),
        format!("{head}<TTL>60</TTL><ResourceRecords><Value>1</Value></ResourceRecords>"),
        format!("{head}<TTL>60</TTL>stray{one}"),
        format!("{head}<TTL unit=\"s\">60</TTL>{one}"),
        format!("{head}<TTL>60s</TTL>{one}"),
        format!("{head}<TTL><b>60</b></TTL>{one}"),
    ] {
        refused(&with_set(&set), "InvalidInput", "Invalid XML ; cvc-");
    }
    let empty = with_batch("<Changes></Changes>");
    refused(&empty, "InvalidInput", "content of element 'Changes'");
}

#[test]
fn takes_any_order_if_told_to() {
    let body = with_set(&format!(
        "{}<TTL>60</TTL><Type>A</Type><Name>x.example.com</Name>",
        records(&["192.0.2.1"])
    ));
    assert!(parse(body.as_bytes(), Order::Model).is_err());
    assert!(parse(body.as_bytes(), Order::Any).is_ok());
    let twice = body.replace("<TTL>60</TTL>", "<TTL>60</TTL><TTL>60</TTL>");
    assert!(parse(twice.as_bytes(), Order::Any).is_err());
}

#[test]
fn refuses_what_the_model_forbids() {
    let set = |rtype: &str, ttl: &str, value: &str| {
        with_set(&format!(
            "<Name>x.example.com</Name><Type>{rtype}</Type><TTL>{ttl}</TTL>{}",
            records(&[value])
        ))
    };
    let text = |length: usize| format!("\"{}\"", "a".repeat(length - 2));
    read(&set("A", "2147483647", "192.0.2.1")).unwrap();
    read(&set("TXT", "0", &text(4_000))).unwrap();
    for (body, words) in [
        (
            set("A", "2147483648", "192.0.2.1"),
            "less than or equal to 2147483647",
        ),
        (set("A", "-1", "192.0.2.1"), "greater than or equal to 0"),
        (
            set("TXT", "0", &text(4_001)),
            "length less than or equal to 4000",
        ),
        (set("WKS", "0", "192.0.2.1"), "enum value set"),
        (
            set("A", "0", "192.0.2.1").replace("CREATE", "REPLACE"),
            "[CREATE, DELETE, UPSERT]",
        ),
    ] {
        refused(&body, "InvalidInput", words);
    }
    let comment = |length: usize| {
        set("A", "0", "192.0.2.1").replace(
            "<Changes>",
            &format!("<Comment>{}</Comment><Changes>", "c".repeat(length)),
        )
    };
    read(&comment(256)).unwrap();
    refused(&comment(257), "InvalidInput", "equal to 256");
}

#[test]
fn refuses_a_shape_that_no_record_set_has() {
    let one = records(&["192.0.2.1"]);
    let head = "<Name>x.example.com</Name><Type>A</Type>";
    let none = "but found none in Change with [Action=CREATE, Name=x.example.com, Type=A, \
                SetIdentifier=null]";
    for (set, words) in [
        (format!("{head}<TTL>60</TTL>"), none),
        (format!("{head}{one}"), none),
        (head.to_owned(), none),
        (
            format!("{head}<Weight>1</Weight><TTL>60</TTL>{one}"),
            "Missing field 'SetIdentifier'",
        ),
        (
            format!("{head}<SetIdentifier>one</SetIdentifier><TTL>60</TTL>{one}"),
            "but found none",
        ),
    ] {
        refused(&with_set(&set), "InvalidInput", words);
    }
}

#[test]
fn a_zone_takes_xml_as_the_service_does() {
    let mut zone = Zone::new("example.com");
    let set = |name: &str| {
        with_set(&format!(
            "<Name>{name}</Name><Type>A</Type><TTL>60</TTL>{}",
            records(&["192.0.2.1"])
        ))
    };
    zone.apply_xml(&set("*.example.com")).unwrap();
    assert_eq!(
        zone.get("*.example.com", "A").unwrap().name,
        "\\052.example.com."
    );
    let again = zone.apply_xml(&set("*.example.com")).unwrap_err();
    assert_eq!(again.code, "InvalidChangeBatch");
    let long = format!("{}.example.com", "a".repeat(64));
    let refusal = zone.apply_xml(&set(&long)).unwrap_err();
    assert_eq!(refusal.code, "InvalidChangeBatch");
    assert!(refusal.messages[0].contains("DomainLabelTooLong"));
}
