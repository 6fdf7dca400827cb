//! Route 53's XML: the one request that has a body, and every answer. Pure.
//!
//! Version 2013-04-01; the shapes are those of AWS's own model (botocore's
//! `route53/2013-04-01/service-2.json`). Of an answer only what is needed is decoded; that must
//! be there, so that a page of a proxy or half a document is never taken for an empty zone.
//! The name of an answer's root is its operation's with `Response` behind.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use quick_xml::escape::escape;

use super::error::Refusal;
use crate::aws::xml::{Element, error_response, read};
use crate::dns::zone::Listed;
use crate::dns::{ChangeBatch, Name, RecordKey, RecordSet, RecordType};

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
    pub sets: Vec<(RecordKey, Listed)>,
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

impl HostedZone {
    /// `public` or `private`.
    pub fn kind(&self) -> &'static str {
        match self.is_private {
            true => "private",
            false => "public",
        }
    }
}

/// One page of ListHostedZonesByName.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonePage {
    /// By name, labels reversed.
    pub zones: Vec<HostedZone>,
    /// `dnsname` and `hostedzoneid` of the next page; none on the last.
    pub next: Option<(String, String)>,
}

/// Reads an answer to ListResourceRecordSets.
pub fn list_page(response: &Element) -> Result<ListPage, String> {
    let sets = response.required("ResourceRecordSets")?;
    let sets: Result<Vec<_>, String> = sets.children("ResourceRecordSet").map(held).collect();
    let next = match (
        response.required_bool("IsTruncated")?,
        response.text_of("NextRecordName"),
    ) {
        (false, _) => None,
        (true, Some(name)) => Some(ListStart {
            name: name.to_owned(),
            rtype: response.text_of("NextRecordType").map(str::to_owned),
            identifier: response.text_of("NextRecordIdentifier").map(str::to_owned),
        }),
        (true, None) => return Err("the listing is cut off but has no NextRecordName".to_owned()),
    };
    Ok(ListPage { sets: sets?, next })
}

fn held(set: &Element) -> Result<(RecordKey, Listed), String> {
    let key = RecordKey::new(name(set)?, RecordType::parse(set.required_text("Type")?));
    let is_routed = ["SetIdentifier", "TrafficPolicyInstanceId", "AliasTarget"]
        .iter()
        .any(|field| set.child(field).is_some());
    let records = set.child("ResourceRecords").into_iter();
    let mut values = BTreeSet::new();
    for record in records.flat_map(|records| records.children("ResourceRecord")) {
        values.insert(record.required_text("Value")?.to_owned());
    }
    let held = match set.text_of("TTL") {
        Some(ttl) if !is_routed && !values.is_empty() => {
            let ttl = ttl
                .parse()
                .map_err(|_| format!("{key}: {ttl:.40?} is no TTL"))?;
            Listed::Simple(RecordSet {
                key: key.clone(),
                ttl,
                values,
            })
        }
        _ => Listed::Special,
    };
    Ok((key, held))
}

fn name(element: &Element) -> Result<Name, String> {
    let name = element.required_text("Name")?;
    Name::parse(name).map_err(|error| format!("{name:.80?}: {error}"))
}

/// Reads an answer to ListHostedZonesByName.
pub fn zone_page(response: &Element) -> Result<ZonePage, String> {
    let zones = response.required("HostedZones")?;
    let zones: Result<Vec<_>, String> = zones.children("HostedZone").map(zone).collect();
    let next = response
        .text_of("NextDNSName")
        .zip(response.text_of("NextHostedZoneId"));
    let is_truncated = response.required_bool("IsTruncated")?;
    let next = next.map(|(name, id)| (name.to_owned(), id.to_owned()));
    Ok(ZonePage {
        zones: zones?,
        next: next.filter(|_| is_truncated),
    })
}

/// Reads an answer to GetHostedZone.
pub fn hosted_zone(response: &Element) -> Result<HostedZone, String> {
    zone(response.required("HostedZone")?)
}

fn zone(zone: &Element) -> Result<HostedZone, String> {
    let is_private = zone
        .child("Config")
        .and_then(|config| config.text_of("PrivateZone"));
    Ok(HostedZone {
        id: zone
            .required_text("Id")?
            .trim_start_matches("/hostedzone/")
            .to_owned(),
        name: name(zone)?,
        is_private: is_private == Some("true"),
    })
}

/// Reads an answer to ChangeResourceRecordSets: the change's id, without `/change/`.
pub fn change_id(response: &Element) -> Result<String, String> {
    let id = response.required("ChangeInfo")?.required_text("Id")?;
    Ok(id.trim_start_matches("/change/").to_owned())
}

/// Reads GetChangeResponse: whether the change's status is `INSYNC`.
pub fn is_in_sync(response: &Element) -> Result<bool, String> {
    let status = response.required("ChangeInfo")?.required_text("Status")?;
    Ok(status == "INSYNC")
}

/// Reads an error answer of either form; one that can't be read has the status for a code.
pub fn refusal(status: u16, xml: &str) -> Refusal {
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
    if let Ok(refusal) = read(xml, "InvalidChangeBatch") {
        let messages = refusal.child("Messages").into_iter();
        let messages = messages.flat_map(|messages| messages.children("Message"));
        return Refusal {
            status,
            code: "InvalidChangeBatch".to_owned(),
            messages: messages.map(|message| message.text().to_owned()).collect(),
            request_id: refusal.text_of("RequestId").unwrap_or_default().to_owned(),
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
mod tests;
