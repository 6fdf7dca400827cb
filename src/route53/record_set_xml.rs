//! A record set in the XML of Route 53's API: written for a change, and read from a listing. Pure.
//!
//! What is deleted has to be repeated whole. So a record set counts as known only if each of its
//! elements would be written again as it was read. The shape is that of AWS's own model
//! (`ResourceRecordSet` in botocore's `route53/2013-04-01/service-2.json`).

use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::xml::{MAX_QUOTED, name};
use crate::aws::xml::Element;
use crate::base::text::quoted_start;
use crate::dns::routing::{Failover, Place};
use crate::dns::zone::Listed;
use crate::dns::{AliasTarget, Body, RecordKey, RecordSet, RecordType, Routing, Values};

/// The elements of a record set that are known. `ResourceRecords`, `GeoLocation` and `AliasTarget`
/// have more in them.
const KNOWN: [&str; 12] = [
    "Name",
    "Type",
    "SetIdentifier",
    "Weight",
    "Region",
    "GeoLocation",
    "Failover",
    "MultiValueAnswer",
    "TTL",
    "ResourceRecords",
    "AliasTarget",
    "HealthCheckId",
];

/// Adds a record set to the body of a request.
pub fn write(xml: &mut String, set: &RecordSet) {
    xml.push_str("<ResourceRecordSet>");
    element(xml, "Name", set.key.name.as_str());
    element(xml, "Type", set.key.rtype.as_str());
    if let Some(set_id) = &set.key.set_id {
        element(xml, "SetIdentifier", set_id);
    }
    if let Some(routing) = &set.routing {
        write_routing(xml, routing);
    }
    match &set.body {
        Body::Records { ttl, values } => {
            let _ = write!(xml, "<TTL>{ttl}</TTL><ResourceRecords>");
            for value in values.iter() {
                xml.push_str("<ResourceRecord>");
                element(xml, "Value", value);
                xml.push_str("</ResourceRecord>");
            }
            xml.push_str("</ResourceRecords>");
        }
        Body::Alias(target) => {
            xml.push_str("<AliasTarget>");
            element(xml, "HostedZoneId", &target.zone_id);
            element(xml, "DNSName", &target.name);
            let evaluates = target.evaluates_health.to_string();
            element(xml, "EvaluateTargetHealth", &evaluates);
            xml.push_str("</AliasTarget>");
        }
    }
    if let Some(health_check) = &set.health_check {
        element(xml, "HealthCheckId", health_check);
    }
    xml.push_str("</ResourceRecordSet>");
}

fn write_routing(xml: &mut String, routing: &Routing) {
    match routing {
        Routing::Weighted(weight) => element(xml, "Weight", &weight.to_string()),
        Routing::Latency(region) => element(xml, "Region", region),
        Routing::Failover(which) => element(xml, "Failover", which.as_str()),
        Routing::Multivalue => element(xml, "MultiValueAnswer", "true"),
        Routing::Geolocation(place) => {
            xml.push_str("<GeoLocation>");
            match place {
                Place::Continent(code) => element(xml, "ContinentCode", code),
                Place::Country(code) => element(xml, "CountryCode", code),
                Place::Subdivision {
                    country,
                    subdivision,
                } => {
                    element(xml, "CountryCode", country);
                    element(xml, "SubdivisionCode", subdivision);
                }
            }
            xml.push_str("</GeoLocation>");
        }
    }
}

fn element(xml: &mut String, name: &str, text: &str) {
    let _ = write!(xml, "<{name}>{}</{name}>", escape(text));
}

/// Reads a record set of a listing.
pub fn read(set: &Element) -> Result<(RecordKey, Listed), String> {
    let rtype = RecordType::parse(set.required_text("Type")?);
    let set_id = set.text_of("SetIdentifier").map(Into::into);
    let key = RecordKey::with_set_id(name(set)?, rtype, set_id);
    let ttl = set.text_of("TTL").map(|ttl| {
        let number = ttl.parse();
        number.map_err(|_| format!("{key}: {} is no TTL", quoted_start(ttl, MAX_QUOTED)))
    });
    let listed = match whole(set, &key, ttl.transpose()?) {
        Ok(whole) => Listed::Whole(whole),
        Err(element) => Listed::Partial { element },
    };
    Ok((key, listed))
}

/// The record set, or the name of an element that [`write`] wouldn't write as it is, or without
/// which there is nothing to write.
fn whole(set: &Element, key: &RecordKey, ttl: Option<u32>) -> Result<RecordSet, String> {
    no_extra(set, "", &KNOWN)?;
    let routing = routing(set)?;
    if key.is_routed() != routing.is_some() {
        return Err("SetIdentifier".to_owned());
    }
    let body = match (ttl, set.child("ResourceRecords"), set.child("AliasTarget")) {
        (None, None, Some(target)) => Body::Alias(Box::new(alias_target(target)?)),
        (Some(ttl), Some(records), None) => Body::Records {
            ttl,
            values: values(records)?,
        },
        (_, _, Some(_)) => return Err("AliasTarget".to_owned()),
        (_, _, None) => return Err("ResourceRecords".to_owned()),
    };
    let mut whole = RecordSet::new(key.clone(), body, routing);
    whole.health_check = set.text_of("HealthCheckId").map(Into::into);
    Ok(whole)
}

fn values(records: &Element) -> Result<Values, String> {
    let mut listed = Vec::new();
    for record in records.all_children() {
        if record.name() != "ResourceRecord" {
            return Err(format!("ResourceRecords/{}", record.name()));
        }
        no_extra(record, "ResourceRecords/", &["Value"])?;
        let value = record.text_of("Value").unwrap_or_default();
        if value.is_empty() {
            return Err("ResourceRecords/Value".to_owned());
        }
        listed.push(value.to_owned());
    }
    let count = listed.len();
    let values: Values = listed.into_iter().collect();
    match values.len() {
        0 => Err("ResourceRecords".to_owned()),
        // Values are a set in Route 53, too.
        distinct if distinct < count => Err("ResourceRecords/Value".to_owned()),
        _ => Ok(values),
    }
}

fn alias_target(target: &Element) -> Result<AliasTarget, String> {
    let known = ["HostedZoneId", "DNSName", "EvaluateTargetHealth"];
    no_extra(target, "AliasTarget/", &known)?;
    let text = |name| {
        let text = target.text_of(name);
        text.ok_or_else(|| format!("AliasTarget/{name}"))
    };
    Ok(AliasTarget {
        zone_id: text("HostedZoneId")?.to_owned(),
        name: text("DNSName")?.to_owned(),
        evaluates_health: match text("EvaluateTargetHealth")? {
            "true" => true,
            "false" => false,
            _ => return Err("AliasTarget/EvaluateTargetHealth".to_owned()),
        },
    })
}

/// The routing policy, of which there is at most one.
fn routing(set: &Element) -> Result<Option<Routing>, String> {
    let mut found = None;
    for element in set.all_children() {
        let text = element.text();
        let read = match element.name() {
            "Weight" => weight(text).map(Routing::Weighted),
            "Region" => Some(Routing::Latency(text.into())),
            "Failover" => match text {
                "PRIMARY" => Some(Routing::Failover(Failover::Primary)),
                "SECONDARY" => Some(Routing::Failover(Failover::Secondary)),
                _ => None,
            },
            "MultiValueAnswer" => (text == "true").then_some(Routing::Multivalue),
            "GeoLocation" => Some(Routing::Geolocation(place(element)?)),
            _ => continue,
        };
        if read.is_none() || found.is_some() {
            return Err(element.name().to_owned());
        }
        found = read;
    }
    Ok(found)
}

/// A weight that would be written as it was read.
fn weight(text: &str) -> Option<u8> {
    let weight: u8 = text.parse().ok()?;
    (weight.to_string() == text).then_some(weight)
}

fn place(element: &Element) -> Result<Place, String> {
    let known = ["ContinentCode", "CountryCode", "SubdivisionCode"];
    no_extra(element, "GeoLocation/", &known)?;
    match known.map(|name| element.text_of(name)) {
        [Some(continent), None, None] => Ok(Place::Continent(continent.into())),
        [None, Some(country), None] => Ok(Place::Country(country.into())),
        [None, Some(country), Some(subdivision)] => Ok(Place::Subdivision {
            country: country.into(),
            subdivision: subdivision.into(),
        }),
        _ => Err("GeoLocation".to_owned()),
    }
}

/// An error with the first child element that has none of these names, or one that an earlier one
/// has.
fn no_extra(element: &Element, path: &str, known: &[&str]) -> Result<(), String> {
    let mut missing = known.to_vec();
    for name in element.all_children().map(Element::name) {
        match missing.iter().position(|known| *known == name) {
            Some(place) => missing.swap_remove(place),
            None => return Err(format!("{path}{name}")),
        };
    }
    Ok(())
}
