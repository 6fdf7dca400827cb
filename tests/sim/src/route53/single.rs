//! What Route 53 has against a record set whatever else is in the zone.

use super::alias;
use super::model::{MULTIVALUE_TYPES, PRIMARY, ROUTED_TYPES};
use super::name;
use super::record::{Action, Change, RecordSet};
use super::value;
use super::zone::Zone;
use std::collections::BTreeSet;

/// 'Quotas on records' in AWS's Developer Guide.
const VALUES_IN_A_SET: usize = 400;

/// What is wrong with a record set by itself.
pub(super) fn faults(zone: &Zone, change: &Change) -> Vec<String> {
    let set = &change.record_set;
    let (name, rtype) = (&set.name, &set.rtype);
    match name::canonical(name) {
        Err(fault) => return vec![fault],
        // Only a test that fills a `RecordSet` by hand can get here.
        Ok(stored) if stored != *name => return vec![format!("'{name}' is not in stored form.")],
        Ok(_) => {}
    }
    let mut faults = Vec::new();
    if !name::within(name, &zone.name) {
        faults.push(format!(
            "RRSet with DNS name {name} is not permitted in zone {}",
            zone.name
        ));
    }
    if rtype == "CNAME" && *name == zone.name {
        faults.push(format!(
            "RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {}",
            zone.name
        ));
    }
    if rtype == "SOA" && *name != zone.name {
        faults.push(format!(
            "RRSet of type SOA with DNS name {name} is only permitted at apex in zone {}",
            zone.name
        ));
    }
    if set.values.len() > VALUES_IN_A_SET {
        faults.push(format!(
            "Number of resource records limit of {VALUES_IN_A_SET} exceeded in RRSet of type \
             {rtype} with DNS name {name}"
        ));
    }
    if matches!(rtype.as_str(), "CNAME" | "SOA") && set.values.len() > 1 {
        faults.push(format!(
            "RRSet of type {rtype} with DNS name {name} may hold only one resource record."
        ));
    }
    if let Some(alias) = &set.alias {
        faults.extend(name::canonical(&alias.dns_name).err());
    }
    faults.extend(value_faults(set));
    // What is there already can be deleted, however it came to be there.
    if change.action != Action::Delete {
        faults.extend(routing_faults(set));
        faults.extend(alias::kind_faults(zone, set));
    }
    faults
}

fn value_faults(set: &RecordSet) -> Vec<String> {
    let rtype = &set.rtype;
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for text in &set.values {
        if !seen.insert(value::identity(rtype, text)) {
            faults.push(format!("Duplicate Resource Record: '{text}'"));
        }
        faults.extend(value::check(rtype, text).err());
    }
    faults
}

/// The rules on routing policies, from the API's model. The words are ours but for those of the
/// last one (external-dns, issue 2362).
fn routing_faults(set: &RecordSet) -> Vec<String> {
    let (name, rtype) = (&set.name, &set.rtype.as_str());
    let mut faults = Vec::new();
    if *rtype == "NS" && name.starts_with(WILDCARD) {
        faults.push(format!(
            "RRSet of type NS with DNS name {name} is not permitted: the name has a wildcard"
        ));
    }
    let is_multivalue = set.multi_value_answer == Some(true);
    let takes_policy = if is_multivalue {
        MULTIVALUE_TYPES.contains(rtype)
    } else {
        set.set_identifier.is_none() || ROUTED_TYPES.contains(rtype)
    };
    if !takes_policy {
        faults.push(format!(
            "RRSet of type {rtype} with DNS name {name} can not have the routing policy '{}'",
            set.policies().join(", ")
        ));
    }
    if is_multivalue && set.alias.is_some() {
        faults.push(format!(
            "RRSet of type {rtype} with DNS name {name}: a multivalue answer record can not be \
             an alias"
        ));
    }
    let is_primary = set.failover.as_deref() == Some(PRIMARY);
    if is_primary && set.alias.is_none() && set.health_check_id.is_none() {
        let fault = "A non-alias primary ResourceRecordSet must have an associated health check.";
        faults.push(fault.to_owned());
    }
    faults
}

/// A first label `*`, as it is stored.
const WILDCARD: &str = "\\052.";
