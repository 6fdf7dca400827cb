//! What Route 53 has against an alias, from the documentation of `AliasTarget` in the API's model.

use super::model::{AWS_ALIAS_TYPES, CLOUDFRONT, NEVER_ALIAS_TYPES};
use super::name;
use super::record::{Alias, RecordSet};
use super::zone::Zone;

/// What is wrong with an alias whatever it points at. The words are ours.
pub(super) fn kind_faults(zone: &Zone, set: &RecordSet) -> Vec<String> {
    let Some(alias) = &set.alias else {
        return Vec::new();
    };
    let rtype = set.rtype.as_str();
    let mut faults = Vec::new();
    let mut fault = |what: &str| {
        faults.push(format!(
            "Alias of type {rtype} with DNS name {}: {what}",
            set.name
        ));
    };
    let inside = alias.hosted_zone_id == zone.id;
    if NEVER_ALIAS_TYPES.contains(&rtype) || !inside && !AWS_ALIAS_TYPES.contains(&rtype) {
        fault("its target can not have this type");
    }
    let cloudfront = alias.hosted_zone_id == CLOUDFRONT;
    if cloudfront && alias.evaluate_target_health {
        fault("EvaluateTargetHealth can not be true for a CloudFront distribution");
    }
    if cloudfront && zone.private {
        fault("a private hosted zone can not have an alias of a CloudFront distribution");
    }
    // The model has it both ways for CloudFront: its aliases can be in a failover group, at most
    // one of them ('DNSName'), and can't evaluate their target's health.
    if set.failover.is_some() && !cloudfront && !alias.evaluate_target_health {
        fault("EvaluateTargetHealth must be true in a failover record");
    }
    faults
}

/// What is wrong with an alias for what it points at, in a zone as it is after the batch.
pub(super) fn target_faults(zone: &Zone, set: &RecordSet) -> Vec<String> {
    let Some(alias) = &set.alias else {
        return Vec::new();
    };
    let mut faults = Vec::new();
    let mut fault = |what: &str| {
        faults.push(format!(
            "Tried to create an alias that targets {}, type {} in zone {}, but {what}",
            alias.dns_name, set.rtype, alias.hosted_zone_id
        ));
    };
    let lies_there = lies_in_its_zone(zone, alias);
    if !lies_there {
        fault("the alias target name does not lie within the target zone");
    }
    let inside = alias.hosted_zone_id == zone.id;
    if !lies_there || inside && !has_target(zone, set, alias) {
        fault("that target was not found");
    }
    faults
}

/// Whether the alias names the zone that its target lies in, as far as that is known: that of an
/// unknown name of AWS can be any but one whose names are known.
fn lies_in_its_zone(zone: &Zone, alias: &Alias) -> bool {
    let id = alias.hosted_zone_id.as_str();
    if name::within(&alias.dns_name, &zone.name) {
        return id == zone.id;
    }
    match zone.account.zone_of(&alias.dns_name) {
        Some(actual) => id == actual,
        None => id != zone.id && !zone.account.knows_zone(id),
    }
}

/// Whether there is a record set of the alias's type for it to point at, itself left out.
fn has_target(zone: &Zone, set: &RecordSet, alias: &Alias) -> bool {
    alias.dns_name != set.name
        && zone
            .at(&alias.dns_name)
            .any(|target| target.rtype == set.rtype)
}
