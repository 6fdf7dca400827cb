//! Route 53's XML: the one request that has a body, and every answer. Pure.
//!
//! Version 2013-04-01; the shapes are those of AWS's own model (botocore's
//! `route53/2013-04-01/service-2.json`). Of an answer only what is needed is decoded; that must
//! be there, so that a page of a proxy or half a document is never taken for an empty zone.

use std::fmt::Write as _;

use quick_xml::escape::escape;
use serde::Deserialize;

use super::error::Refusal;
use crate::dns::zone::Held;
use crate::dns::{ChangeBatch, Name, RecordKey, RecordSet, RecordType};
use crate::xml::{error_response, read};

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// Body of ChangeResourceRecordSets.
pub fn change_request(batch: &ChangeBatch) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ChangeResourceRecordSetsRequest xmlns=\"{NAMESPACE}\"><ChangeBatch>\
         <Comment>rancher-route53</Comment><Changes>"
    );
    for (action, sets) in [("DELETE", &batch.deletes), ("CREATE", &batch.creates)] {
        for set in sets {
            change(&mut xml, action, set);
        }
    }
    xml.push_str("</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>");
    xml
}

fn change(xml: &mut String, action: &str, set: &RecordSet) {
    let _ = write!(
        xml,
        "<Change><Action>{action}</Action><ResourceRecordSet><Name>{}</Name><Type>{}</Type>\
         <TTL>{}</TTL><ResourceRecords>",
        escape(set.key.name.as_str()),
        escape(set.key.rtype.as_str()),
        set.ttl
    );
    for value in &set.values {
        let _ = write!(
            xml,
            "<ResourceRecord><Value>{}</Value></ResourceRecord>",
            escape(value.as_str())
        );
    }
    xml.push_str("</ResourceRecords></ResourceRecordSet></Change>");
}

/// Where a listing goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListStart {
    /// `name`, as Route 53 gave it.
    pub name: String,
    /// `type`.
    pub rtype: Option<String>,
    /// `identifier`.
    pub identifier: Option<String>,
}

/// One page of ListResourceRecordSets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// In Route 53's order.
    pub sets: Vec<(RecordKey, Held)>,
    /// None on the last page.
    pub next: Option<ListStart>,
}

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    /// Without `/hostedzone/`.
    pub id: String,
    /// As Route 53 has it.
    pub name: Name,
    /// Answers only within VPCs.
    pub is_private: bool,
}

/// One page of ListHostedZonesByName.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonePage {
    /// By name, labels reversed.
    pub zones: Vec<HostedZone>,
    /// `dnsname` and `hostedzoneid` of the next page; none on the last.
    pub next: Option<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListResponse {
    resource_record_sets: RawSets,
    is_truncated: bool,
    next_record_name: Option<String>,
    next_record_type: Option<String>,
    next_record_identifier: Option<String>,
}

#[derive(Deserialize)]
struct RawSets {
    #[serde(rename = "ResourceRecordSet", default)]
    sets: Vec<RawSet>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawSet {
    name: String,
    r#type: String,
    #[serde(rename = "TTL")]
    ttl: Option<u32>,
    set_identifier: Option<String>,
    traffic_policy_instance_id: Option<String>,
    resource_records: Option<RawRecords>,
}

#[derive(Deserialize)]
struct RawRecords {
    #[serde(rename = "ResourceRecord", default)]
    records: Vec<RawRecord>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRecord {
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ZonesResponse {
    hosted_zones: RawZones,
    is_truncated: bool,
    #[serde(rename = "NextDNSName")]
    next_dns_name: Option<String>,
    next_hosted_zone_id: Option<String>,
}

#[derive(Deserialize)]
struct RawZones {
    #[serde(rename = "HostedZone", default)]
    zones: Vec<RawZone>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawZone {
    id: String,
    name: String,
    config: Option<RawZoneConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawZoneConfig {
    #[serde(default)]
    private_zone: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ZoneResponse {
    hosted_zone: RawZone,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ChangeResponse {
    change_info: RawChangeInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawChangeInfo {
    id: String,
}

/// Reads an answer to ListResourceRecordSets.
pub fn list_page(xml: &str) -> Result<ListPage, String> {
    let raw: ListResponse = read(xml, "ListResourceRecordSetsResponse")?;
    let sets: Result<Vec<_>, String> = raw
        .resource_record_sets
        .sets
        .into_iter()
        .map(held)
        .collect();
    let next = match (raw.is_truncated, raw.next_record_name) {
        (false, _) => None,
        (true, Some(name)) => Some(ListStart {
            name,
            rtype: raw.next_record_type,
            identifier: raw.next_record_identifier,
        }),
        (true, None) => return Err("the listing is cut off but has no NextRecordName".to_owned()),
    };
    Ok(ListPage { sets: sets?, next })
}

fn held(raw: RawSet) -> Result<(RecordKey, Held), String> {
    let name = Name::parse(&raw.name).map_err(|e| format!("{:?}: {e}", raw.name))?;
    let key = RecordKey::new(name, RecordType::parse(&raw.r#type));
    let is_routed = raw.set_identifier.is_some() || raw.traffic_policy_instance_id.is_some();
    let values = raw.resource_records.map(|r| r.records).unwrap_or_default();
    let held = match raw.ttl {
        Some(ttl) if !is_routed && !values.is_empty() => {
            let values = values.into_iter().map(|record| record.value).collect();
            Held::Simple(RecordSet {
                key: key.clone(),
                ttl,
                values,
            })
        }
        _ => Held::Special,
    };
    Ok((key, held))
}

/// Reads an answer to ListHostedZonesByName.
pub fn zone_page(xml: &str) -> Result<ZonePage, String> {
    let raw: ZonesResponse = read(xml, "ListHostedZonesByNameResponse")?;
    let zones: Result<Vec<_>, String> = raw.hosted_zones.zones.into_iter().map(zone).collect();
    let next = raw
        .next_dns_name
        .zip(raw.next_hosted_zone_id)
        .filter(|_| raw.is_truncated);
    Ok(ZonePage {
        zones: zones?,
        next,
    })
}

/// Reads an answer to GetHostedZone.
pub fn hosted_zone(xml: &str) -> Result<HostedZone, String> {
    zone(read::<ZoneResponse>(xml, "GetHostedZoneResponse")?.hosted_zone)
}

fn zone(raw: RawZone) -> Result<HostedZone, String> {
    Ok(HostedZone {
        id: raw.id.trim_start_matches("/hostedzone/").to_owned(),
        name: Name::parse(&raw.name).map_err(|e| format!("{:?}: {e}", raw.name))?,
        is_private: raw.config.is_some_and(|config| config.private_zone),
    })
}

/// Reads an answer to ChangeResourceRecordSets: the change's id, without `/change/`.
pub fn change_id(xml: &str) -> Result<String, String> {
    let raw: ChangeResponse = read(xml, "ChangeResourceRecordSetsResponse")?;
    Ok(raw.change_info.id.trim_start_matches("/change/").to_owned())
}

/// Reads an error answer of either form; one that can't be read has the status for a code.
pub fn refusal(status: u16, xml: &str) -> Refusal {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Batch {
        messages: Messages,
        #[serde(default)]
        request_id: String,
    }
    #[derive(Deserialize)]
    struct Messages {
        #[serde(rename = "Message", default)]
        messages: Vec<String>,
    }
    if let Ok(raw) = error_response(xml) {
        let messages = match raw.code.as_str() {
            "InvalidChangeBatch" => split_messages(&raw.message),
            _ if raw.message.is_empty() => Vec::new(),
            _ => vec![raw.message],
        };
        return Refusal {
            status,
            code: raw.code,
            messages,
            request_id: raw.request_id,
        };
    }
    if let Ok(raw) = read::<Batch>(xml, "InvalidChangeBatch") {
        let messages = raw.messages.messages;
        let code = "InvalidChangeBatch".to_owned();
        return Refusal {
            status,
            code,
            messages,
            request_id: raw.request_id,
        };
    }
    let code = format!("HTTP {status}");
    Refusal {
        status,
        code,
        messages: Vec::new(),
        request_id: String::new(),
    }
}

/// `[m1, m2]` or, in older answers, one message without the brackets. Messages may hold commas
/// and brackets of their own; each starts with a capital, which is where the list is cut.
fn split_messages(text: &str) -> Vec<String> {
    let list = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let Some(list) = list else {
        return vec![text.to_owned()];
    };
    let mut messages: Vec<String> = Vec::new();
    for piece in list.split(", ") {
        match messages.last_mut() {
            Some(last) if !piece.starts_with(|c: char| c.is_ascii_uppercase()) => {
                last.push_str(", ");
                last.push_str(piece);
            }
            _ => messages.push(piece.to_owned()),
        }
    }
    messages
}

#[cfg(test)]
#[path = "xml_tests.rs"]
mod tests;
