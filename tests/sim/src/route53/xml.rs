//! Writes the service's answers.

use super::clock;
use super::error::ApiError;
use super::listing::Page;
use super::place::GeoProximity;
use super::record::RecordSet;
use super::zone::{NAME_SERVERS, Zone};
use std::time::SystemTime;

/// The namespace of everything that Route 53 reads and writes.
pub const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// A change batch on its way to the name servers.
#[derive(Debug, Clone)]
pub struct ChangeInfo {
    /// Without `/change/`.
    pub id: String,
    pub in_sync: bool,
    pub submitted: SystemTime,
    pub comment: Option<String>,
}

/// One page of zones, for either of the operations that list them.
pub struct ZonePage<'a> {
    pub zones: Vec<&'a Zone>,
    pub next: Option<&'a Zone>,
    pub max_items: usize,
}

/// Elements as text, written inside out.
#[derive(Default)]
struct Xml(String);

impl Xml {
    fn leaf(mut self, name: &str, text: impl AsRef<str>) -> Xml {
        self.0 += &format!("<{name}>{}</{name}>", escaped(text.as_ref()));
        self
    }

    fn leaf_if(self, name: &str, text: Option<impl AsRef<str>>) -> Xml {
        match text {
            Some(text) => self.leaf(name, text),
            None => self,
        }
    }

    fn nest(mut self, name: &str, inner: Xml) -> Xml {
        self.0 += &format!("<{name}>{}</{name}>", inner.0);
        self
    }

    fn each<T>(self, items: impl IntoIterator<Item = T>, f: impl Fn(Xml, T) -> Xml) -> Xml {
        items.into_iter().fold(self, f)
    }

    fn document(self, root: &str) -> String {
        format!(
            "<?xml version=\"1.0\"?>\n<{root} xmlns=\"{NAMESPACE}\">{}</{root}>",
            self.0
        )
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            _ => out.push(c),
        }
    }
    out
}

/// ListResourceRecordSets.
pub fn list_record_sets(page: &Page) -> String {
    let sets = Xml::default().each(&page.record_sets, |xml, set| {
        xml.nest("ResourceRecordSet", record_set(set))
    });
    let mut xml = Xml::default()
        .nest("ResourceRecordSets", sets)
        .leaf("IsTruncated", page.next.is_some().to_string());
    if let Some(next) = page.next {
        xml = xml
            .leaf("NextRecordName", &next.name)
            .leaf("NextRecordType", &next.rtype)
            .leaf_if("NextRecordIdentifier", next.set_identifier.as_ref());
    }
    xml.leaf("MaxItems", page.max_items.to_string())
        .document("ListResourceRecordSetsResponse")
}

fn record_set(set: &RecordSet) -> Xml {
    let mut xml = Xml::default()
        .leaf("Name", &set.name)
        .leaf("Type", &set.rtype)
        .leaf_if("SetIdentifier", set.set_identifier.as_ref())
        .leaf_if("Weight", set.weight.map(|n| n.to_string()))
        .leaf_if("Region", set.region.as_ref());
    if let Some(geo) = &set.geo_location {
        let codes = Xml::default()
            .leaf_if("ContinentCode", geo.continent_code.as_ref())
            .leaf_if("CountryCode", geo.country_code.as_ref())
            .leaf_if("SubdivisionCode", geo.subdivision_code.as_ref());
        xml = xml.nest("GeoLocation", codes);
    }
    xml = xml
        .leaf_if("Failover", set.failover.as_ref())
        .leaf_if(
            "MultiValueAnswer",
            set.multi_value_answer.map(|b| b.to_string()),
        )
        .leaf_if("TTL", set.ttl.map(|n| n.to_string()));
    if !set.values.is_empty() {
        let records = Xml::default().each(&set.values, |xml, value| {
            xml.nest("ResourceRecord", Xml::default().leaf("Value", value))
        });
        xml = xml.nest("ResourceRecords", records);
    }
    if let Some(alias) = &set.alias {
        let target = Xml::default()
            .leaf("HostedZoneId", &alias.hosted_zone_id)
            .leaf("DNSName", &alias.dns_name)
            .leaf(
                "EvaluateTargetHealth",
                alias.evaluate_target_health.to_string(),
            );
        xml = xml.nest("AliasTarget", target);
    }
    xml = xml
        .leaf_if("HealthCheckId", set.health_check_id.as_ref())
        .leaf_if(
            "TrafficPolicyInstanceId",
            set.traffic_policy_instance_id.as_ref(),
        );
    if let Some(cidr) = &set.cidr {
        let inner = Xml::default()
            .leaf("CollectionId", &cidr.collection_id)
            .leaf("LocationName", &cidr.location_name);
        xml = xml.nest("CidrRoutingConfig", inner);
    }
    match &set.geo_proximity {
        Some(location) => xml.nest("GeoProximityLocation", geo_proximity(location)),
        None => xml,
    }
}

fn geo_proximity(location: &GeoProximity) -> Xml {
    let mut xml = Xml::default()
        .leaf_if("AWSRegion", location.aws_region.as_ref())
        .leaf_if("LocalZoneGroup", location.local_zone_group.as_ref());
    if let Some(at) = &location.coordinates {
        let inner = Xml::default()
            .leaf("Latitude", &at.latitude)
            .leaf("Longitude", &at.longitude);
        xml = xml.nest("Coordinates", inner);
    }
    xml.leaf_if("Bias", location.bias.map(|bias| bias.to_string()))
}

/// ChangeResourceRecordSets.
pub fn changed(info: &ChangeInfo) -> String {
    change_info(info).document("ChangeResourceRecordSetsResponse")
}

/// GetChange.
pub fn change(info: &ChangeInfo) -> String {
    change_info(info).document("GetChangeResponse")
}

fn change_info(info: &ChangeInfo) -> Xml {
    let inner = Xml::default()
        .leaf("Id", format!("/change/{}", info.id))
        .leaf("Status", if info.in_sync { "INSYNC" } else { "PENDING" })
        .leaf("SubmittedAt", clock::iso(info.submitted))
        .leaf_if("Comment", info.comment.as_ref());
    Xml::default().nest("ChangeInfo", inner)
}

/// ListHostedZonesByName; the first two repeat what was asked.
pub fn zones_by_name(dns_name: Option<&str>, zone_id: Option<&str>, page: &ZonePage) -> String {
    let mut xml = zones(page)
        .leaf_if("DNSName", dns_name)
        .leaf_if("HostedZoneId", zone_id)
        .leaf("IsTruncated", page.next.is_some().to_string());
    if let Some(next) = page.next {
        xml = xml
            .leaf("NextDNSName", &next.name)
            .leaf("NextHostedZoneId", &next.id);
    }
    xml.leaf("MaxItems", page.max_items.to_string())
        .document("ListHostedZonesByNameResponse")
}

/// ListHostedZones.
pub fn all_zones(marker: Option<&str>, page: &ZonePage) -> String {
    zones(page)
        .leaf_if("Marker", marker)
        .leaf("IsTruncated", page.next.is_some().to_string())
        .leaf_if("NextMarker", page.next.map(|zone| &zone.id))
        .leaf("MaxItems", page.max_items.to_string())
        .document("ListHostedZonesResponse")
}

fn zones(page: &ZonePage) -> Xml {
    let list = Xml::default().each(&page.zones, |xml, z| xml.nest("HostedZone", zone(z)));
    Xml::default().nest("HostedZones", list)
}

/// GetHostedZone.
pub fn hosted_zone(z: &Zone) -> String {
    let mut xml = Xml::default().nest("HostedZone", zone(z));
    if z.private {
        let network = Xml::default()
            .leaf("VPCRegion", "us-east-1")
            .leaf("VPCId", "vpc-00000000");
        xml = xml.nest("VPCs", Xml::default().nest("VPC", network));
    } else {
        let servers = Xml::default().each(NAME_SERVERS, |xml, server| {
            xml.leaf("NameServer", server.trim_end_matches('.'))
        });
        xml = xml.nest("DelegationSet", Xml::default().nest("NameServers", servers));
    }
    xml.document("GetHostedZoneResponse")
}

fn zone(zone: &Zone) -> Xml {
    let config = Xml::default().leaf("PrivateZone", zone.private.to_string());
    Xml::default()
        .leaf("Id", format!("/hostedzone/{}", zone.id))
        .leaf("Name", &zone.name)
        .leaf("CallerReference", format!("simulated-{}", zone.id))
        .nest("Config", config)
        .leaf("ResourceRecordSetCount", zone.len().to_string())
}

/// Any error. A refused change batch has a form of its own, unless the older one is wanted, in
/// which several messages stand in brackets in one.
pub fn error(error: &ApiError, request_id: &str, old_form: bool) -> String {
    let batch = error.code == "InvalidChangeBatch";
    if batch && !old_form {
        let messages = Xml::default().each(&error.messages, |xml, m| xml.leaf("Message", m));
        return Xml::default()
            .nest("Messages", messages)
            .leaf("RequestId", request_id)
            .document("InvalidChangeBatch");
    }
    let message = if batch {
        format!("[{}]", error.messages.join(", "))
    } else {
        error.messages.join(", ")
    };
    let whose = if error.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    let inner = Xml::default()
        .leaf("Type", whose)
        .leaf("Code", &error.code)
        .leaf("Message", message);
    Xml::default()
        .nest("Error", inner)
        .leaf("RequestId", request_id)
        .document("ErrorResponse")
}
