//! The elements of a record set beyond the simple: what is read, and what the model forbids.

use super::super::request::parse;
use super::super::{GeoLocation, GeoProximity, Order, RecordSet};

const ONE: &str = "<TTL>60</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value>\
                   </ResourceRecord></ResourceRecords>";
const COLLECTION: &str = "1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d";

/// A record set with these elements before its TTL and after its values.
fn body(before: &str, after: &str) -> String {
    format!(
        "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <ChangeBatch><Changes><Change><Action>CREATE</Action><ResourceRecordSet>\
         <Name>x.example.com</Name><Type>A</Type>{before}{ONE}{after}</ResourceRecordSet></Change>\
         </Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    )
}

fn read(before: &str, after: &str) -> Result<RecordSet, String> {
    match parse(body(before, after).as_bytes(), Order::Model) {
        Ok(mut request) => Ok(request.changes.remove(0).record_set),
        Err(error) => {
            assert_eq!((error.status, &*error.code), (400, "InvalidInput"));
            Err(error.messages.join("; "))
        }
    }
}

fn set() -> RecordSet {
    RecordSet::simple("x.example.com", "A", 60, &["192.0.2.1"])
}

fn id(rest: &str) -> String {
    format!("<SetIdentifier>one</SetIdentifier>{rest}")
}

fn place(codes: &str) -> String {
    id(&format!("<GeoLocation>{codes}</GeoLocation>"))
}

fn proximity(inner: &str) -> String {
    format!("<GeoProximityLocation>{inner}</GeoProximityLocation>")
}

fn coordinates(latitude: &str, longitude: &str) -> String {
    proximity(&format!(
        "<Coordinates><Latitude>{latitude}</Latitude><Longitude>{longitude}</Longitude>\
         </Coordinates>"
    ))
}

fn cidr(collection: &str, location: &str) -> String {
    format!(
        "<CidrRoutingConfig><CollectionId>{collection}</CollectionId><LocationName>{location}\
         </LocationName></CidrRoutingConfig>"
    )
}

#[test]
fn reads_every_routing_policy() {
    let alone = |rest: &str| (id(rest), String::new());
    let after = |rest: String| (id(""), rest);
    let geo = |codes: &str| (place(codes), String::new());
    for ((before, after), expected) in [
        (alone("<Weight>0</Weight>"), set().weighted("one", 0)),
        (
            alone("<Region>eu-west-1</Region>"),
            set().latency("one", "eu-west-1"),
        ),
        (alone("<Failover>PRIMARY</Failover>"), set().primary("one")),
        (
            alone("<Failover>SECONDARY</Failover>"),
            set().secondary("one"),
        ),
        (
            alone("<MultiValueAnswer>true</MultiValueAnswer>"),
            set().multivalue("one"),
        ),
        (
            geo("<ContinentCode>EU</ContinentCode>"),
            set().geolocation("one", GeoLocation::continent("EU")),
        ),
        (
            geo("<CountryCode>*</CountryCode>"),
            set().geolocation("one", GeoLocation::anywhere()),
        ),
        (
            geo("<CountryCode>US</CountryCode><SubdivisionCode>CA</SubdivisionCode>"),
            set().geolocation("one", GeoLocation::subdivision("US", "CA")),
        ),
        (
            after(cidr(COLLECTION, "*")),
            set().cidr_routed("one", COLLECTION, "*"),
        ),
        (
            after(proximity(
                "<AWSRegion>eu-west-1</AWSRegion><Bias>-99</Bias>",
            )),
            set().geoproximity("one", GeoProximity::region("eu-west-1").biased(-99)),
        ),
        (
            after(proximity(
                "<LocalZoneGroup>us-west-2-den-1</LocalZoneGroup>",
            )),
            set().geoproximity("one", GeoProximity::local_zone("us-west-2-den-1")),
        ),
        (
            after(coordinates("-90", "+179.99")),
            set().geoproximity("one", GeoProximity::coordinates("-90", "+179.99")),
        ),
        (
            (
                String::new(),
                "<HealthCheckId>check</HealthCheckId>".to_owned(),
            ),
            set().checked("check"),
        ),
    ] {
        assert_eq!(read(&before, &after), Ok(expected), "{before}{after}");
    }
}

#[test]
fn refuses_places_that_the_model_does_not_have() {
    let codes = |continent: &str, country: &str, subdivision: &str| {
        let element = |name: &str, code: &str| match code {
            "" => String::new(),
            _ => format!("<{name}>{code}</{name}>"),
        };
        place(&format!(
            "{}{}{}",
            element("ContinentCode", continent),
            element("CountryCode", country),
            element("SubdivisionCode", subdivision)
        ))
    };
    for (row, words) in [
        (codes("", "", ""), "is not a geographic location"),
        (codes("EU", "DE", ""), "is not a geographic location"),
        (codes("EU", "", "CA"), "is not a geographic location"),
        (codes("XX", "", ""), "is not a geographic location"),
        (codes("EUR", "", ""), "length less than or equal to 2"),
        (codes("E", "", ""), "length greater than or equal to 2"),
        (codes("", "de", ""), "is not a geographic location"),
        (codes("", "DEU", ""), "length less than or equal to 2"),
        (codes("", "*", "CA"), "is not a geographic location"),
        (codes("", "DE", "BY"), "is not a geographic location"),
        (codes("", "", "CA"), "is not a geographic location"),
        (codes("", "US", "CALI"), "length less than or equal to 3"),
    ] {
        let refusal = read(&row, "").unwrap_err();
        assert!(refusal.contains(words), "{row}: {refusal}");
    }
}

#[test]
fn refuses_proximities_and_collections_that_the_model_forbids() {
    let region = "<AWSRegion>eu-west-1</AWSRegion>";
    let bias = |n: &str| proximity(&format!("{region}<Bias>{n}</Bias>"));
    for (row, words) in [
        (proximity(""), "but found none"),
        (
            proximity(&format!("{region}<LocalZoneGroup>x</LocalZoneGroup>")),
            "but found more than one",
        ),
        (bias("100"), "less than or equal to 99"),
        (bias("-100"), "greater than or equal to -99"),
        (bias("half"), "not a valid value for 'integer'"),
        (coordinates("91", "0"), "is no latitude on Earth"),
        (coordinates("0", "-180.01"), "is no longitude on Earth"),
        (
            coordinates("40.7128", "0"),
            "length less than or equal to 6",
        ),
        (coordinates("4.128", "0"), "regular expression"),
        (coordinates("N40", "0"), "regular expression"),
        (coordinates("--4", "0"), "regular expression"),
        (coordinates("", "0"), "length greater than or equal to 1"),
        (
            proximity("<Coordinates><Latitude>1</Latitude></Coordinates>"),
            "content of element 'Coordinates' is not complete",
        ),
        (cidr("office", "*"), "regular expression"),
        (cidr(&COLLECTION.to_uppercase(), "*"), "regular expression"),
        (cidr(COLLECTION, ""), "length greater than or equal to 1"),
        (cidr(COLLECTION, "a b"), "regular expression"),
        (cidr(COLLECTION, &"a".repeat(17)), "equal to 16"),
    ] {
        let refusal = read(&id(""), &row).unwrap_err();
        assert!(refusal.contains(words), "{row}: {refusal}");
    }
}

#[test]
fn refuses_words_and_lengths_that_the_model_forbids() {
    let long = |n: usize| "x".repeat(n);
    let named = |id: &str| format!("<SetIdentifier>{id}</SetIdentifier><Weight>1</Weight>");
    let check = |n: usize| format!("<HealthCheckId>{}</HealthCheckId>", long(n));
    assert!(read(&named(&long(128)), "").is_ok());
    assert!(read("", &check(64)).is_ok());
    let (none, policy) = (String::new(), "TrafficPolicyInstanceId");
    for (before, after, words) in [
        (named(&long(129)), none.clone(), "equal to 128"),
        (named(""), none.clone(), "length greater than or equal to 1"),
        (id("<Weight>256</Weight>"), none.clone(), "equal to 255"),
        (
            id("<Weight>-1</Weight>"),
            none.clone(),
            "greater than or equal to 0",
        ),
        (
            id("<Region>Mars</Region>"),
            none.clone(),
            "enum value set: [us-east-1, ",
        ),
        (
            id("<Failover>primary</Failover>"),
            none.clone(),
            "[PRIMARY, SECONDARY]",
        ),
        (
            id("<MultiValueAnswer>yes</MultiValueAnswer>"),
            none.clone(),
            "not a valid value for 'boolean'",
        ),
        (none.clone(), check(65), "equal to 64"),
        (
            none.clone(),
            format!("<{policy}>{}</{policy}>", long(37)),
            "equal to 36",
        ),
    ] {
        let refusal = read(&before, &after).unwrap_err();
        assert!(refusal.contains(words), "{before}{after}: {refusal}");
    }
}

#[test]
fn a_set_identifier_goes_with_exactly_one_policy() {
    let seven = "Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer, \
                 GeoProximityLocation, or CidrRoutingConfig], but found";
    let near = proximity("<AWSRegion>eu-west-1</AWSRegion>");
    for (before, after, words) in [
        (
            "<Weight>1</Weight>",
            "",
            "Missing field 'SetIdentifier'".to_owned(),
        ),
        ("", &*near, "Missing field 'SetIdentifier'".to_owned()),
        (&id(""), "", format!("{seven} none")),
        (
            &id("<MultiValueAnswer>false</MultiValueAnswer>"),
            "",
            format!("{seven} none"),
        ),
        (
            &id("<Weight>1</Weight><Region>eu-west-1</Region>"),
            "",
            format!("{seven} more than one"),
        ),
        (
            &id("<Weight>1</Weight>"),
            &near,
            format!("{seven} more than one"),
        ),
        (
            &id("<Failover>PRIMARY</Failover>"),
            &cidr(COLLECTION, "*"),
            format!("{seven} more than one"),
        ),
    ] {
        let refusal = read(before, after).unwrap_err();
        assert!(refusal.contains(&words), "{before}{after}: {refusal}");
    }
}

#[test]
fn an_alias_has_neither_ttl_nor_values() {
    let alias = "<AliasTarget><HostedZoneId>Z2</HostedZoneId><DNSName>lb.example.net</DNSName>\
                 <EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>";
    let refusal = read("", alias).unwrap_err();
    assert!(refusal.contains("but found more than one"), "{refusal}");
    let bare = |rest: &str| {
        let body = body("", rest).replace(ONE, "");
        let request = parse(body.as_bytes(), Order::Model);
        request.map(|mut request| request.changes.remove(0).record_set)
    };
    let expected = RecordSet::alias("x.example.com", "A", "Z2", "lb.example.net").evaluating();
    assert_eq!(bare(alias), Ok(expected));
    assert!(bare(&format!("<TTL>60</TTL>{alias}")).is_err());
    assert!(bare(&alias.replace("Z2", &"Z".repeat(33))).is_err());
    let policy = "<TrafficPolicyInstanceId>instance</TrafficPolicyInstanceId>";
    let expected = RecordSet::traffic_policy("x.example.com", "A", "instance");
    assert_eq!(bare(policy), Ok(expected));
    assert!(bare(&format!("{alias}{policy}")).is_err());
}

#[test]
fn the_elements_stand_in_the_order_of_the_model() {
    let weight = "<Weight>1</Weight>";
    let misplaced = format!("{weight}<SetIdentifier>one</SetIdentifier>");
    let check = "<HealthCheckId>check</HealthCheckId>";
    let routing = cidr(COLLECTION, "*");
    for (before, after) in [
        (misplaced.as_str(), ""),
        (
            "",
            &*format!("{check}<SetIdentifier>one</SetIdentifier>{weight}"),
        ),
        (&id(""), &format!("{routing}{check}")),
    ] {
        let refusal = read(before, after).unwrap_err();
        assert!(refusal.contains("Invalid XML ; cvc-"), "{refusal}");
        assert!(parse(body(before, after).as_bytes(), Order::Any).is_ok());
    }
}
