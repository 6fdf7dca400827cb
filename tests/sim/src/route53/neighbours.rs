//! Why a record set may not stand beside what else has its name.

use super::model::CLOUDFRONT;
use super::record::RecordSet;
use super::zone::{Zone, key};

/// 'Weight' of `ResourceRecordSet` in the API's model.
const WEIGHTED_LIMIT: usize = 100;

/// The first reason against it, in a zone as it is at this point of the batch. The live service
/// says so to a CNAME (DNSControl, issue 3493); that it goes in order for the other rules too is
/// an assumption on the strict side.
pub(super) fn conflict(zone: &Zone, set: &RecordSet) -> Option<String> {
    // An UPSERT replaces the set of its own key, so that one is no neighbour.
    let others = zone.at(&set.name).filter(|other| key(other) != key(set));
    let (group, strangers): (Vec<_>, Vec<_>) = others.partition(|other| other.rtype == set.rtype);
    beside_cname(zone, set, &strangers)
        .or_else(|| other_policy(set, &group))
        .or_else(|| other_weighted(set, &group))
        .or_else(|| same_place(set, &group))
        .or_else(|| second_distribution(set, &group))
}

fn beside_cname(zone: &Zone, set: &RecordSet, strangers: &[&RecordSet]) -> Option<String> {
    let (RecordSet { name, rtype, .. }, zone) = (set, &zone.name);
    if rtype == "CNAME" && !strangers.is_empty() {
        return Some(format!(
            "RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other \
             records with the same DNS name in zone {zone}"
        ));
    }
    // The two blanks are the live service's.
    strangers
        .iter()
        .any(|other| other.rtype == "CNAME")
        .then(|| {
            format!(
                "RRSet of type {rtype} with DNS name {name} is not permitted because a conflicting \
             RRSet of type  CNAME with the same DNS name already exists in zone {zone}"
            )
        })
}

/// All record sets of a name and type have one policy, and a simple one is alone. What the live
/// service says to a weighted one is known (external-dns, issue 4345), and what to a simple one
/// (chef's route53, issue 100); to the others it is taken to say the latter.
fn other_policy(set: &RecordSet, group: &[&RecordSet]) -> Option<String> {
    let differs = |other: &&RecordSet| other.policies() != set.policies();
    group.iter().any(differs).then(|| {
        let why = if set.weight.is_some() {
            "a non-weighted set exists"
        } else {
            "other RRSets exist"
        };
        format!(
            "{} cannot be created as {why} with the same name and type.",
            described(set)
        )
    })
}

/// The words about the TTL are the live service's (aws-sdk-go-v2, issue 518).
fn other_weighted(set: &RecordSet, group: &[&RecordSet]) -> Option<String> {
    set.weight?;
    if group.len() >= WEIGHTED_LIMIT {
        return Some(format!(
            "{} cannot be created as there can be at most {WEIGHTED_LIMIT} weighted sets with the \
             same name and type.",
            described(set)
        ));
    }
    // An alias has the TTL of its target, and is not asked for it.
    let ttl = set.ttl?;
    let differs = |other: &&RecordSet| other.ttl.is_some_and(|other| other != ttl);
    group.iter().any(differs).then(|| {
        format!(
            "{} cannot be created as weighted sets must contain the same TTL.",
            described(set)
        )
    })
}

/// One record set for each region, place, location and half of a failover group. The words are
/// the live service's for regions (terraform-provider-aws, issue 1668), and like them for others.
fn same_place(set: &RecordSet, group: &[&RecordSet]) -> Option<String> {
    let place = Place::of(set)?;
    let is_taken = |other: &&RecordSet| Place::of(other).as_ref() == Some(&place);
    group.iter().any(is_taken).then(|| {
        format!(
            "{}, and {}={} cannot be created because a {} RRSet with the same name, type and {} \
             already exists.",
            described(set),
            place.element,
            place.value,
            place.policy,
            place.noun
        )
    })
}

/// What one record set of a group has for itself.
#[derive(PartialEq, Eq)]
struct Place {
    policy: &'static str,
    noun: &'static str,
    element: &'static str,
    value: String,
}

impl Place {
    fn of(set: &RecordSet) -> Option<Place> {
        let location = set.geo_location.as_ref().map(ToString::to_string);
        let cidr = set.cidr.as_ref().map(ToString::to_string);
        let (policy, noun, element, value) = if let Some(region) = &set.region {
            ("latency", "region", "Region Name", region.clone())
        } else if let Some(half) = &set.failover {
            ("failover", "failover type", "Failover", half.clone())
        } else if let Some(location) = location {
            ("geolocation", "location", "GeoLocation", location)
        } else {
            ("CIDR", "location", "CidrRoutingConfig", cidr?)
        };
        Some(Place {
            policy,
            noun,
            element,
            value,
        })
    }
}

/// 'DNSName' of `AliasTarget` in the model: not both halves of a failover group can be aliases of
/// CloudFront. The words are ours.
fn second_distribution(set: &RecordSet, group: &[&RecordSet]) -> Option<String> {
    let is_distribution = |set: &RecordSet| {
        let alias = set.alias.as_ref();
        alias.is_some_and(|alias| alias.hosted_zone_id == CLOUDFRONT)
    };
    let clash = set.failover.is_some()
        && is_distribution(set)
        && group.iter().any(|other| is_distribution(other));
    clash.then(|| {
        format!(
            "{} cannot be created as the other failover record is an alias of a CloudFront \
             distribution too.",
            described(set)
        )
    })
}

fn described(set: &RecordSet) -> String {
    let RecordSet { name, rtype, .. } = set;
    let identifier = match &set.set_identifier {
        Some(id) => format!(", SetIdentifier {id}"),
        None => String::new(),
    };
    format!("RRSet with DNS name {name}, type {rtype}{identifier}")
}
