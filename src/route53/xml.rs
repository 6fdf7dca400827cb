//! The XML of Route 53's API, version 2013-04-01. Pure.
//!
//! In: a change batch, or the XML of an answer. Out: the body of the request, or the answer as
//! types. The shapes are those of AWS's own model (botocore's `route53/2013-04-01/service-2.json`).
//! Elements that the program does not need are ignored, except in a record set, which
//! [`record_set_xml`] reads. Those that the program needs must be there, so that a proxy's page or
//! half a document never counts as an empty zone.

use std::fmt::Write as _;

use super::error::{Refusal, STATUS_AS_CODE};
use crate::aws::xml::{Element, error_response, read};
use crate::base::brackets::inside_brackets;
use crate::base::text::quoted_start;
use crate::dns::zone::Listed;
use crate::dns::{ChangeBatch, Name, RecordKey};
use crate::route53::record_set_xml;

/// Characters of an answer that an error quotes.
pub(super) const MAX_QUOTED: usize = 80;

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// The body of a ChangeResourceRecordSets request.
pub fn change_request(batch: &ChangeBatch) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ChangeResourceRecordSetsRequest xmlns=\"{NAMESPACE}\"><ChangeBatch>\
         <Comment>rancher-route53</Comment><Changes>"
    );
    for (action, sets) in [("DELETE", &batch.deletes), ("CREATE", &batch.creates)] {
        for set in sets {
            let _ = write!(xml, "<Change><Action>{action}</Action>");
            record_set_xml::write(&mut xml, set);
            xml.push_str("</Change>");
        }
    }
    xml.push_str("</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>");
    xml
}

/// Where the next page of a listing of record sets starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListStart {
    /// The parameter `name`, exactly as Route 53 gave it.
    pub name: String,
    /// The parameter `type`.
    pub rtype: Option<String>,
    /// The parameter `identifier`.
    pub identifier: Option<String>,
}

/// An answer to ListResourceRecordSets: one page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPage {
    /// The record sets of the page, in Route 53's order.
    pub sets: Vec<(RecordKey, Listed)>,
    /// Where the next page starts. `None` on the last page.
    pub next: Option<ListStart>,
}

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    /// Id of the zone, without `/hostedzone/` in front.
    pub id: String,
    /// Name of the zone.
    pub name: Name,
    /// Whether only VPCs can see the zone.
    pub is_private: bool,
}

impl HostedZone {
    /// The kind of zone for messages: `public` or `private`.
    pub fn kind(&self) -> &'static str {
        if self.is_private { "private" } else { "public" }
    }
}

/// An answer to ListHostedZonesByName: one page of hosted zones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonePage {
    /// The zones of the page. Route 53 sorts them by their labels in reverse order.
    pub zones: Vec<HostedZone>,
    /// The parameters `dnsname` and `hostedzoneid` for the next page. `None` on the last page.
    pub next: Option<(String, String)>,
}

/// Reads an answer to ListResourceRecordSets.
pub fn list_page(response: &Element) -> Result<ListPage, String> {
    let sets = response.required("ResourceRecordSets")?;
    let sets: Result<Vec<_>, String> = sets
        .children("ResourceRecordSet")
        .map(record_set_xml::read)
        .collect();
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

pub(super) fn name(element: &Element) -> Result<Name, String> {
    let name = element.required_text("Name")?;
    Name::parse(name).map_err(|error| format!("{}: {error}", quoted_start(name, MAX_QUOTED)))
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

/// Reads an answer to ChangeResourceRecordSets: the id of the change, without `/change/` in front.
pub fn change_id(response: &Element) -> Result<String, String> {
    let id = response.required("ChangeInfo")?.required_text("Id")?;
    Ok(id.trim_start_matches("/change/").to_owned())
}

/// Reads an answer to GetChange: whether the status of the change is `INSYNC`.
pub fn is_in_sync(response: &Element) -> Result<bool, String> {
    let status = response.required("ChangeInfo")?.required_text("Status")?;
    Ok(status == "INSYNC")
}

/// Reads an error answer, in either of Route 53's two forms. If it has neither, or has no code, the
/// HTTP status becomes the code.
pub fn refusal(status: u16, xml: &str) -> Refusal {
    if let Ok(raw) = error_response(xml) {
        let messages = match raw.code.as_str() {
            "InvalidChangeBatch" => split_messages(&raw.message),
            _ if raw.message.is_empty() => Vec::new(),
            _ => vec![raw.message],
        };
        return Refusal {
            status,
            code: if raw.code.is_empty() {
                status_as_code(status)
            } else {
                raw.code
            },
            messages,
            request_id: raw.request_id,
            renewed_by: None,
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
            renewed_by: None,
        };
    }
    Refusal {
        status,
        code: status_as_code(status),
        messages: Vec::new(),
        request_id: String::new(),
        renewed_by: None,
    }
}

fn status_as_code(status: u16) -> String {
    format!("{STATUS_AS_CODE}{status}")
}

/// Splits the text of `InvalidChangeBatch` into messages. It is `[m1, m2]` or, in older answers,
/// one message without brackets. A message may itself have commas and brackets, but each starts
/// with a capital letter, so a comma before anything else does not separate messages. Nor does one
/// before the words with which the live service names a routed record set's identifier.
fn split_messages(text: &str) -> Vec<String> {
    let Some(list) = inside_brackets(text) else {
        return vec![text.to_owned()];
    };
    let mut messages: Vec<String> = Vec::new();
    for piece in list.split(", ") {
        match messages.last_mut() {
            Some(last) if goes_on(piece) => {
                last.push_str(", ");
                last.push_str(piece);
            }
            _ => messages.push(piece.to_owned()),
        }
    }
    messages
}

/// Whether what stands behind a comma is part of the message before it.
fn goes_on(piece: &str) -> bool {
    piece.starts_with("SetIdentifier ") || !piece.starts_with(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests;
