//! Reads the body of ChangeResourceRecordSets as strictly as AWS's schema: its namespace, its
//! elements in its order, nothing unknown, and the constraints that the API's model states.
//! The order can be let go: awscli sends the elements as its user wrote them, and by what is
//! reported of that (aws-cli issue 2508) the live service takes them.

use super::error::ApiError;
use super::name;
use super::record::{Action, Alias, Change, GeoLocation, RecordSet};
use super::schema::{
    Order, at_most, boolean, constraint, expect_name, fields, invalid_content, items, number,
    optional, required, text_of,
};
use roxmltree::{Document, Node};

/// From the API's model.
const COMMENT_LIMIT: usize = 256;
const NAME_LIMIT: usize = 1_024;
const VALUE_LIMIT: usize = 4_000;
const IDENTIFIER_LIMIT: usize = 128;
const TTL_LIMIT: u64 = 2_147_483_647;
const WEIGHT_LIMIT: u64 = 255;

const TYPES: [&str; 17] = [
    "SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA", "DS",
    "TLSA", "SSHFP", "SVCB", "HTTPS",
];

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRequest {
    pub comment: Option<String>,
    pub changes: Vec<Change>,
}

/// Reads a whole request body.
pub fn parse(body: &[u8], order: Order) -> Result<ChangeRequest, ApiError> {
    let malformed =
        |why: String| ApiError::new(400, "MalformedInput", format!("Could not parse XML: {why}"));
    let text = std::str::from_utf8(body).map_err(|e| malformed(e.to_string()))?;
    let document = Document::parse(text).map_err(|e| malformed(e.to_string()))?;
    let root = document.root_element();
    expect_name(root, "ChangeResourceRecordSetsRequest")?;
    let [batch] = fields(order, root, ["ChangeBatch"])?;
    let [comment, list] = fields(
        order,
        required(root, batch, "ChangeBatch")?,
        ["Comment", "Changes"],
    )?;
    let comment = comment.map(text_of).transpose()?;
    if let Some(comment) = &comment {
        at_most(comment, COMMENT_LIMIT, "changeBatch.comment")?;
    }
    let list = required(batch.unwrap_or(root), list, "Changes")?;
    let changes = items(list, "Change")?.into_iter();
    Ok(ChangeRequest {
        comment,
        changes: changes
            .map(|node| change(order, node))
            .collect::<Result<_, _>>()?,
    })
}

/// Refuses a record type that Route 53 doesn't have.
pub fn check_type(rtype: &str) -> Result<(), ApiError> {
    if TYPES.contains(&rtype) {
        return Ok(());
    }
    Err(constraint(
        rtype,
        "type",
        &format!("Member must satisfy enum value set: [{}]", TYPES.join(", ")),
    ))
}

fn change(order: Order, node: Node) -> Result<Change, ApiError> {
    let [action, set] = fields(order, node, ["Action", "ResourceRecordSet"])?;
    let word = text_of(required(node, action, "Action")?)?;
    let action = Action::ALL
        .into_iter()
        .find(|action| action.name() == word)
        .ok_or_else(|| {
            constraint(
                &word,
                "action",
                "Member must satisfy enum value set: [CREATE, DELETE, UPSERT]",
            )
        })?;
    let set = record_set(order, required(node, set, "ResourceRecordSet")?, action)?;
    Ok(Change {
        action,
        record_set: set,
    })
}

fn record_set(order: Order, node: Node, action: Action) -> Result<RecordSet, ApiError> {
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
    ] = fields(
        order,
        node,
        [
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
        ],
    )?;
    if let Some(unknown) = cidr.or(proximity) {
        // Neither is simulated. A refusal is better than a record set without its policy.
        return Err(invalid_content(unknown, &[]));
    }
    let typed = text_of(required(node, name, "Name")?)?;
    at_most(&typed, NAME_LIMIT, "name")?;
    let rtype = text_of(required(node, rtype, "Type")?)?;
    check_type(&rtype)?;
    let set = RecordSet {
        // A name that DNS can't hold stays as it is: the batch is refused for it, with all else
        // that is wrong with the batch.
        name: name::canonical(&typed).unwrap_or_else(|_| typed.clone()),
        rtype,
        ttl: number(ttl, "tTL", TTL_LIMIT)?.map(|n| n as u32),
        values: records
            .map(|node| values(order, node))
            .transpose()?
            .unwrap_or_default(),
        set_identifier: optional(set_identifier)?,
        weight: number(weight, "weight", WEIGHT_LIMIT)?.map(|n| n as u8),
        region: optional(region)?,
        geo_location: geo.map(|node| geo_location(order, node)).transpose()?,
        failover: optional(failover)?,
        multi_value_answer: multi_value.map(boolean).transpose()?,
        alias: alias.map(|node| alias_target(order, node)).transpose()?,
        health_check_id: optional(health_check)?,
        traffic_policy_instance_id: optional(traffic_policy)?,
    };
    if let Some(id) = &set.set_identifier {
        at_most(id, IDENTIFIER_LIMIT, "setIdentifier")?;
        if id.is_empty() {
            let rule = "Member must have length greater than or equal to 1";
            return Err(constraint(id, "setIdentifier", rule));
        }
    }
    if let Some(word) = set.failover.as_deref()
        && !matches!(word, "PRIMARY" | "SECONDARY")
    {
        let rule = "Member must satisfy enum value set: [PRIMARY, SECONDARY]";
        return Err(constraint(word, "failover", rule));
    }
    check_shape(&set, &typed, action)?;
    Ok(set)
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
            "Expected exactly one of [Weight, Region, Failover, GeoLocation, or \
             MultiValueAnswer], but found {}",
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
    let target = text_of(required(node, target, "DNSName")?)?;
    at_most(&target, NAME_LIMIT, "dNSName")?;
    Ok(Alias {
        hosted_zone_id: text_of(required(node, zone, "HostedZoneId")?)?,
        dns_name: name::canonical(&target).unwrap_or(target),
        evaluate_target_health: boolean(required(node, evaluate, "EvaluateTargetHealth")?)?,
    })
}

fn geo_location(order: Order, node: Node) -> Result<GeoLocation, ApiError> {
    let [continent, country, subdivision] = fields(
        order,
        node,
        ["ContinentCode", "CountryCode", "SubdivisionCode"],
    )?;
    Ok(GeoLocation {
        continent_code: optional(continent)?,
        country_code: optional(country)?,
        subdivision_code: optional(subdivision)?,
    })
}
