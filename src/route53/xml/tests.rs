//! Each operation's request and answer as golden text, and answers that are none.

use super::*;
use crate::dns::routing::{Failover, Place};
use crate::dns::{AliasTarget, Body, RecordSet, RecordType, Routing};

fn page_of(xml: &str) -> Result<ListPage, String> {
    list_page(&read(xml, "ListResourceRecordSetsResponse")?)
}

fn set(name: &str, rtype: RecordType, values: &[&str]) -> RecordSet {
    let key = RecordKey::new(Name::parse(name).unwrap(), rtype);
    RecordSet::of_values(key, 300, values.iter().map(|v| v.to_string()).collect())
}

#[test]
fn change_request_has_deletes_first_and_escapes() {
    let batch = ChangeBatch {
        deletes: vec![set("a.example.com", RecordType::A, &["192.0.2.1"])],
        creates: vec![set(
            "t.example.com",
            RecordType::Txt,
            &["\"a&b<c>\"", "\"d\""],
        )],
    };
    assert_eq!(
        change_request(&batch),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ChangeBatch><Comment>rancher-route53</Comment><Changes>\
         <Change><Action>DELETE</Action><ResourceRecordSet><Name>a.example.com.</Name>\
         <Type>A</Type><TTL>300</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value>\
         </ResourceRecord></ResourceRecords></ResourceRecordSet></Change>\
         <Change><Action>CREATE</Action><ResourceRecordSet><Name>t.example.com.</Name>\
         <Type>TXT</Type><TTL>300</TTL><ResourceRecords><ResourceRecord>\
         <Value>&quot;a&amp;b&lt;c&gt;&quot;</Value></ResourceRecord><ResourceRecord>\
         <Value>&quot;d&quot;</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>\
         </Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    );
}

const LIST: &str = r#"<?xml version="1.0"?>
<ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">
<ResourceRecordSets>
 <ResourceRecordSet><Name>\052.example.com.</Name><Type>A</Type><TTL>60</TTL><ResourceRecords>
  <ResourceRecord><Value>192.0.2.2</Value></ResourceRecord>
  <ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>
 <ResourceRecordSet><Name>alias.example.com.</Name><Type>A</Type><AliasTarget>
  <HostedZoneId>Z1</HostedZoneId><DNSName>x.</DNSName>
  <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>
 <ResourceRecordSet><Name>w.example.com.</Name><Type>CAA</Type><SetIdentifier>one</SetIdentifier>
  <Weight>5</Weight><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>x</Value>
  </ResourceRecord></ResourceRecords></ResourceRecordSet>
 <ResourceRecordSet><Name>t.example.com.</Name><Type>TXT</Type><TTL>0</TTL><ResourceRecords>
  <ResourceRecord><Value>"a &amp; &quot; \"b\""</Value></ResourceRecord></ResourceRecords>
 </ResourceRecordSet>
</ResourceRecordSets><IsTruncated>true</IsTruncated><NextRecordName>z\052.example.com.</NextRecordName>
<NextRecordType>A</NextRecordType><NextRecordIdentifier>two</NextRecordIdentifier>
<MaxItems>300</MaxItems></ListResourceRecordSetsResponse>"#;

#[test]
fn reads_a_listing() {
    let page = page_of(LIST).unwrap();
    let wildcard = set("*.example.com", RecordType::A, &["192.0.2.1", "192.0.2.2"]);
    let wildcard = wildcard.with_ttl(60);
    let text = set("t.example.com", RecordType::Txt, &[r#""a & " \"b\"""#]).with_ttl(0);
    let target = AliasTarget {
        zone_id: "Z1".to_owned(),
        name: "x.".to_owned(),
        evaluates_health: false,
    };
    let key = RecordKey::new(Name::parse("alias.example.com").unwrap(), RecordType::A);
    let alias = RecordSet::new(key, Body::Alias(Box::new(target)), None);
    let key = RecordKey::with_set_id(
        Name::parse("w.example.com").unwrap(),
        RecordType::parse("CAA"),
        Some("one".into()),
    );
    let body = Body::Records {
        ttl: 60,
        values: ["x".to_owned()].into(),
    };
    let weighted = RecordSet::new(key, body, Some(Routing::Weighted(5)));
    assert_eq!(
        page.sets,
        [
            (wildcard.key.clone(), Listed::Whole(wildcard)),
            (alias.key.clone(), Listed::Whole(alias)),
            (weighted.key.clone(), Listed::Whole(weighted)),
            (text.key.clone(), Listed::Whole(text)),
        ]
    );
    let next = page.next.unwrap();
    assert_eq!(
        (
            next.name.as_str(),
            next.rtype.as_deref(),
            next.identifier.as_deref()
        ),
        ("z\\052.example.com.", Some("A"), Some("two"))
    );
}

/// What a page with this one record set says that it is.
fn listed_as(elements: &str) -> Listed {
    let xml = format!(
        "<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet>\
         <Name>a.example.com.</Name><Type>A</Type>{elements}</ResourceRecordSet>\
         </ResourceRecordSets><IsTruncated>false</IsTruncated></ListResourceRecordSetsResponse>"
    );
    page_of(&xml).unwrap().sets.remove(0).1
}

const VALUE: &str = "<ResourceRecord><Value>192.0.2.1</Value></ResourceRecord>";

#[test]
fn what_is_read_is_written_as_it_was() {
    let simple = format!("<TTL>300</TTL><ResourceRecords>{VALUE}</ResourceRecords>");
    let alias = "<AliasTarget><HostedZoneId>Z1</HostedZoneId><DNSName>x.</DNSName>\
                 <EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>";
    let routings = [
        ("<Weight>0</Weight>", Routing::Weighted(0)),
        ("<Weight>255</Weight>", Routing::Weighted(255)),
        (
            "<Region>eu-west-1</Region>",
            Routing::Latency("eu-west-1".into()),
        ),
        (
            "<GeoLocation><ContinentCode>EU</ContinentCode></GeoLocation>",
            Routing::Geolocation(Place::Continent("EU".into())),
        ),
        (
            "<GeoLocation><CountryCode>*</CountryCode></GeoLocation>",
            Routing::Geolocation(Place::Country("*".into())),
        ),
        (
            "<GeoLocation><CountryCode>US</CountryCode><SubdivisionCode>CA</SubdivisionCode>\
             </GeoLocation>",
            Routing::Geolocation(Place::Subdivision {
                country: "US".into(),
                subdivision: "CA".into(),
            }),
        ),
        (
            "<Failover>PRIMARY</Failover>",
            Routing::Failover(Failover::Primary),
        ),
        (
            "<Failover>SECONDARY</Failover>",
            Routing::Failover(Failover::Secondary),
        ),
        (
            "<MultiValueAnswer>true</MultiValueAnswer>",
            Routing::Multivalue,
        ),
    ];
    let routed = routings.map(|(xml, routing)| {
        let xml = format!("<SetIdentifier>a &amp; b</SetIdentifier>{xml}");
        (xml, Some(routing))
    });
    for (routing, expected) in [(String::new(), None)].into_iter().chain(routed) {
        for body in [&*simple, alias] {
            for check in ["", "<HealthCheckId>1-2</HealthCheckId>"] {
                let elements = format!("{routing}{body}{check}");
                let Listed::Whole(set) = listed_as(&elements) else {
                    panic!("{elements}");
                };
                assert_eq!(set.routing.as_deref(), expected.as_ref());
                assert_eq!(set.key.is_routed(), expected.is_some());
                let mut written = String::new();
                record_set_xml::write(&mut written, &set);
                let whole = format!(
                    "<ResourceRecordSet><Name>a.example.com.</Name><Type>A</Type>{elements}\
                     </ResourceRecordSet>"
                );
                assert_eq!(written, whole);
            }
        }
    }
}

#[test]
fn what_would_not_be_written_as_it_is_is_known_in_part_only() {
    let simple = format!("<TTL>300</TTL><ResourceRecords>{VALUE}</ResourceRecords>");
    let id = "<SetIdentifier>a</SetIdentifier>";
    for (elements, element) in [
        (format!("<New><Deep/></New>{simple}"), "New"),
        (format!("{simple}<New/><Newer/>"), "New"),
        (format!("{simple}<TTL>300</TTL>"), "TTL"),
        (
            format!("{simple}<ResourceRecords>{VALUE}</ResourceRecords>"),
            "ResourceRecords",
        ),
        (
            format!("<TTL>300</TTL><ResourceRecords>{VALUE}<New/></ResourceRecords>"),
            "ResourceRecords/New",
        ),
        (
            format!("<TTL>300</TTL><ResourceRecords>{VALUE}{VALUE}</ResourceRecords>"),
            "ResourceRecords/Value",
        ),
        (
            "<TTL>300</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value><New/>\
             </ResourceRecord></ResourceRecords>"
                .to_owned(),
            "ResourceRecords/New",
        ),
        (
            "<TTL>300</TTL><ResourceRecords><ResourceRecord/></ResourceRecords>".to_owned(),
            "ResourceRecords/Value",
        ),
        ("<TTL>300</TTL>".to_owned(), "ResourceRecords"),
        (
            "<HealthCheckId>1</HealthCheckId>".to_owned(),
            "ResourceRecords",
        ),
        (
            "<TrafficPolicyInstanceId>1</TrafficPolicyInstanceId>".to_owned(),
            "TrafficPolicyInstanceId",
        ),
        (
            format!("{id}<CidrRoutingConfig/>{simple}"),
            "CidrRoutingConfig",
        ),
        (
            format!("{id}<GeoProximityLocation/>{simple}"),
            "GeoProximityLocation",
        ),
        (format!("{id}{simple}"), "SetIdentifier"),
        (format!("<Weight>1</Weight>{simple}"), "SetIdentifier"),
        (
            format!("{id}<Weight>1</Weight><Region>r</Region>{simple}"),
            "Region",
        ),
        (format!("{id}<Weight>256</Weight>{simple}"), "Weight"),
        (format!("{id}<Weight>+1</Weight>{simple}"), "Weight"),
        (format!("{id}<Failover>NONE</Failover>{simple}"), "Failover"),
        (
            format!("{id}<MultiValueAnswer>false</MultiValueAnswer>{simple}"),
            "MultiValueAnswer",
        ),
        (format!("{id}<GeoLocation/>{simple}"), "GeoLocation"),
        (
            format!("{id}<GeoLocation><New/></GeoLocation>{simple}"),
            "GeoLocation/New",
        ),
        ("<AliasTarget/>".to_owned(), "AliasTarget/HostedZoneId"),
        (format!("{simple}<AliasTarget/>"), "AliasTarget"),
        (
            "<AliasTarget><HostedZoneId>Z</HostedZoneId><DNSName>x.</DNSName>\
             <EvaluateTargetHealth>perhaps</EvaluateTargetHealth></AliasTarget>"
                .to_owned(),
            "AliasTarget/EvaluateTargetHealth",
        ),
    ] {
        let element = element.to_owned();
        assert_eq!(
            listed_as(&elements),
            Listed::Partial { element },
            "{elements}"
        );
    }
}

#[test]
fn reads_an_empty_last_page() {
    let xml = "<ListResourceRecordSetsResponse><ResourceRecordSets/>\
               <IsTruncated>false</IsTruncated></ListResourceRecordSetsResponse>";
    assert_eq!(
        page_of(xml),
        Ok(ListPage {
            sets: vec![],
            next: None
        })
    );
}

#[test]
fn what_is_no_listing_is_never_an_empty_one() {
    for cut in 0..LIST.len() {
        if LIST.is_char_boundary(cut) {
            assert!(page_of(&LIST[..cut]).is_err(), "cut at {cut}");
        }
    }
    for xml in [
        "",
        "<html><body>Bad gateway</body></html>",
        "<ListResourceRecordSetsResponse/>",
        "<ListResourceRecordSetsResponse><ResourceRecordSets/></ListResourceRecordSetsResponse>",
        "<ListResourceRecordSetsResponse><IsTruncated>false</IsTruncated></ListResourceRecordSetsResponse>",
        "<ListResourceRecordSetsResponse><ResourceRecordSets/><IsTruncated>true</IsTruncated></ListResourceRecordSetsResponse>",
        "<!DOCTYPE x [<!ENTITY e \"y\">]><ListResourceRecordSetsResponse><ResourceRecordSets/><IsTruncated>false</IsTruncated></ListResourceRecordSetsResponse>",
        "<ListResourceRecordSetsResponse><ResourceRecordSets><ResourceRecordSet><Name>a..b</Name><Type>A</Type></ResourceRecordSet></ResourceRecordSets><IsTruncated>false</IsTruncated></ListResourceRecordSetsResponse>",
        "\u{0}\u{1}garbage",
        "not xml at all",
        &"<a>".repeat(100_000),
    ] {
        assert!(page_of(xml).is_err(), "{xml:.80}");
    }
}

#[test]
fn reads_hosted_zones() {
    let xml = r#"<ListHostedZonesByNameResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/">
<HostedZones><HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name>
<CallerReference>x</CallerReference><Config><Comment>c</Comment><PrivateZone>true</PrivateZone></Config>
<ResourceRecordSetCount>2</ResourceRecordSetCount></HostedZone>
<HostedZone><Id>/hostedzone/Z2</Id><Name>example.org.</Name><CallerReference>y</CallerReference>
</HostedZone></HostedZones><DNSName>example.com</DNSName><IsTruncated>true</IsTruncated>
<NextDNSName>example.net.</NextDNSName><NextHostedZoneId>Z3</NextHostedZoneId><MaxItems>2</MaxItems>
</ListHostedZonesByNameResponse>"#;
    let page = zone_page(&read(xml, "ListHostedZonesByNameResponse").unwrap()).unwrap();
    let zone = |id: &str, name: &str, is_private| HostedZone {
        id: id.into(),
        name: Name::parse(name).unwrap(),
        is_private,
    };
    assert_eq!(
        page.zones,
        [
            zone("Z1", "example.com", true),
            zone("Z2", "example.org", false)
        ]
    );
    assert_eq!(page.next, Some(("example.net.".into(), "Z3".into())));
    let xml = r#"<GetHostedZoneResponse><HostedZone><Id>/hostedzone/Z1</Id><Name>example.com.</Name>
<Config><PrivateZone>false</PrivateZone></Config></HostedZone><DelegationSet><NameServers>
<NameServer>ns</NameServer></NameServers></DelegationSet></GetHostedZoneResponse>"#;
    assert_eq!(
        hosted_zone(&read(xml, "GetHostedZoneResponse").unwrap()),
        Ok(zone("Z1", "example.com", false))
    );
}

#[test]
fn reads_a_change_s_id() {
    let xml = r#"<ChangeResourceRecordSetsResponse><ChangeInfo><Id>/change/C1</Id>
<Status>PENDING</Status><SubmittedAt>2026-01-01T00:00:00Z</SubmittedAt></ChangeInfo>
</ChangeResourceRecordSetsResponse>"#;
    let root = "ChangeResourceRecordSetsResponse";
    assert_eq!(change_id(&read(xml, root).unwrap()), Ok("C1".to_owned()));
    assert!(read(&xml[..xml.len() - 1], root).is_err());
}

#[test]
fn reads_both_forms_of_errors() {
    let exists = "Tried to create resource record set [name='x.', type='A'] but it already exists";
    let missing = "Tried to delete resource record set [name='y.', type='A'] but it was not found";
    let ttl = "RRSet with DNS name x., type A, SetIdentifier b cannot be created as weighted sets must \
               contain the same TTL.";
    let region = "RRSet with DNS name x., type A, SetIdentifier b, and Region Name=us-east-1 cannot be \
                  created because a latency RRSet with the same name, type and region already exists.";
    for (xml, code, messages) in [
        (
            format!(
                "<ErrorResponse><Error><Code>InvalidChangeBatch</Code><Message>[{ttl}, {region}, \
                 {exists}]</Message></Error><RequestId>r</RequestId></ErrorResponse>"
            ),
            "InvalidChangeBatch",
            vec![ttl, region, exists],
        ),
        (
            format!(
                "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error>\
                 <Type>Sender</Type><Code>InvalidChangeBatch</Code>\
                 <Message>[{exists}, {missing}]</Message></Error><RequestId>r</RequestId></ErrorResponse>"
            ),
            "InvalidChangeBatch",
            vec![exists, missing],
        ),
        (
            format!(
                "<ErrorResponse><Error><Code>InvalidChangeBatch</Code><Message>{exists}</Message>\
                 </Error><RequestId>r</RequestId></ErrorResponse>"
            ),
            "InvalidChangeBatch",
            vec![exists],
        ),
        (
            format!(
                "<?xml version=\"1.0\"?>\n<InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
                 <Messages><Message>{exists}</Message><Message>{missing}</Message></Messages>\
                 <RequestId>r</RequestId></InvalidChangeBatch>"
            ),
            "InvalidChangeBatch",
            vec![exists, missing],
        ),
        (
            "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code>\
             <Message>Rate exceeded</Message></Error><RequestId>r</RequestId></ErrorResponse>"
                .to_owned(),
            "Throttling",
            vec!["Rate exceeded"],
        ),
    ] {
        let refusal = refusal(400, &xml);
        assert_eq!(
            (refusal.code.as_str(), refusal.request_id.as_str()),
            (code, "r")
        );
        assert_eq!(refusal.messages, messages);
    }
    for xml in [
        "",
        "<html/>",
        "Service Unavailable",
        "<ErrorResponse><Error>",
    ] {
        assert_eq!(refusal(503, xml).code, "HTTP 503", "{xml}");
        assert!(refusal(503, xml).is_retryable());
    }
}
