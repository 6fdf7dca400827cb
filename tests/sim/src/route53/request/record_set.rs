//! One `ResourceRecordSet` of a request: its elements, and which of them belong together.

use super::super::error::ApiError;
use super::super::model::{PRIMARY, REGIONS, SECONDARY};
use super::super::name;
use super::super::record::{Action, Alias, RecordSet};
use super::super::schema::{
    Order, at_most, boolean, fields, items, length, number, one_of, optional, required, text_of,
};
use super::{check_type, place};
use roxmltree::Node;
use std::ops::RangeInclusive;

/// From the API's model.
const NAME_LIMIT: usize = 1_024;
const VALUE_LIMIT: usize = 4_000;
const RESOURCE_ID_LIMIT: usize = 32;
const HEALTH_CHECK_ID_LIMIT: usize = 64;
const IDENTIFIER_LENGTH: RangeInclusive<usize> = 1..=128;
const POLICY_INSTANCE_ID_LENGTH: RangeInclusive<usize> = 1..=36;
const TTLS: RangeInclusive<i64> = 0..=2_147_483_647;
const WEIGHTS: RangeInclusive<i64> = 0..=255;

/// In the order of the model.
const CHILDREN: [&str; 15] = [
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
    "TrafficPolicyInstanceId",
    "CidrRoutingConfig",
    "GeoProximityLocation",
];

pub(super) fn read(order: Order, node: Node, action: Action) -> Result<RecordSet, ApiError> {
    let [
        name,
        rtype,
        set_identifier,
        weight,
        region,
        geo,
        failover,
        multi_value,
        ttl,
        records,
        alias,
        health_check,
        traffic_policy,
        cidr,
        proximity,
    ] = fields(order, node, CHILDREN)?;
    let typed = text_of(required(node, name, "Name")?)?;
    at_most(&typed, NAME_LIMIT, "name")?;
    let rtype = text_of(required(node, rtype, "Type")?)?;
    check_type(&rtype)?;
    let set = RecordSet {
        // A name that DNS can't hold stays as it is: the batch is refused for it, with all else
        // that is wrong with the batch.
        name: name::canonical(&typed).unwrap_or_else(|_| typed.clone()),
        rtype,
        ttl: number(ttl, "tTL", TTLS)?.and_then(|n| u32::try_from(n).ok()),
        values: records
            .map(|node| values(order, node))
            .transpose()?
            .unwrap_or_default(),
        set_identifier: optional(set_identifier)?,
        weight: number(weight, "weight", WEIGHTS)?.and_then(|n| u8::try_from(n).ok()),
        region: optional(region)?,
        geo_location: geo.map(|node| place::location(order, node)).transpose()?,
        failover: optional(failover)?,
        multi_value_answer: multi_value.map(boolean).transpose()?,
        alias: alias.map(|node| alias_target(order, node)).transpose()?,
        health_check_id: optional(health_check)?,
        traffic_policy_instance_id: optional(traffic_policy)?,
        cidr: cidr.map(|node| place::cidr(order, node)).transpose()?,
        geo_proximity: proximity
            .map(|node| place::proximity(order, node))
            .transpose()?,
    };
    check_words(&set)?;
    check_shape(&set, &typed, action)?;
    Ok(set)
}

/// What the model says of single elements.
fn check_words(set: &RecordSet) -> Result<(), ApiError> {
    if let Some(id) = &set.set_identifier {
        length(id, IDENTIFIER_LENGTH, "setIdentifier")?;
    }
    if let Some(region) = &set.region {
        one_of(region, &REGIONS, "region")?;
    }
    if let Some(word) = &set.failover {
        one_of(word, &[PRIMARY, SECONDARY], "failover")?;
    }
    if let Some(id) = &set.health_check_id {
        at_most(id, HEALTH_CHECK_ID_LIMIT, "healthCheckId")?;
    }
    if let Some(id) = &set.traffic_policy_instance_id {
        length(id, POLICY_INSTANCE_ID_LENGTH, "trafficPolicyInstanceId")?;
    }
    Ok(())
}

/// The rules on which elements belong together.
fn check_shape(set: &RecordSet, typed: &str, action: Action) -> Result<(), ApiError> {
    let refuse = |fault: String| {
        Err(ApiError::invalid_input(format!(
            "Invalid request: {fault} in Change with [Action={}, Name={typed}, Type={}, \
             SetIdentifier={}]",
            action.name(),
            set.rtype,
            set.set_identifier.as_deref().unwrap_or("null")
        )))
    };
    let (ttl, records) = (set.ttl.is_some(), !set.values.is_empty());
    let alias = set.alias.is_some();
    let policy = set.traffic_policy_instance_id.is_some();
    let kinds = "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or \
                 TrafficPolicyInstanceId], but found";
    match (alias, ttl, records, policy) {
        (true, false, false, false) | (false, true, true, false) | (false, _, false, true) => {}
        (false, _, _, false) => return refuse(format!("{kinds} none")),
        _ => return refuse(format!("{kinds} more than one")),
    }
    match (set.set_identifier.is_some(), set.policies().len()) {
        (false, 0) | (true, 1) => Ok(()),
        (false, _) => refuse("Missing field 'SetIdentifier'".to_owned()),
        (true, n) => refuse(format!(
            "Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer, \
             GeoProximityLocation, or CidrRoutingConfig], but found {}",
            if n == 0 { "none" } else { "more than one" }
        )),
    }
}

fn values(order: Order, node: Node) -> Result<Vec<String>, ApiError> {
    items(node, "ResourceRecord")?
        .into_iter()
        .map(|record| {
            let [value] = fields(order, record, ["Value"])?;
            let value = text_of(required(record, value, "Value")?)?;
            at_most(&value, VALUE_LIMIT, "value")?;
            Ok(value)
        })
        .collect()
}

fn alias_target(order: Order, node: Node) -> Result<Alias, ApiError> {
    let [zone, target, evaluate] = fields(
        order,
        node,
        ["HostedZoneId", "DNSName", "EvaluateTargetHealth"],
    )?;
    let hosted_zone_id = text_of(required(node, zone, "HostedZoneId")?)?;
    at_most(&hosted_zone_id, RESOURCE_ID_LIMIT, "hostedZoneId")?;
    let target = text_of(required(node, target, "DNSName")?)?;
    at_most(&target, NAME_LIMIT, "dNSName")?;
    Ok(Alias {
        hosted_zone_id,
        dns_name: name::canonical(&target).unwrap_or(target),
        evaluate_target_health: boolean(required(node, evaluate, "EvaluateTargetHealth")?)?,
    })
}
