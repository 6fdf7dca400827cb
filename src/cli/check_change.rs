//! The permission to change record sets, for `check`: a batch that fails tells whether it is given,
//! and, if it isn't, one for each name and type tells what the keys lack.

use super::context::MetadataReading;
use crate::dns::{ChangeBatch, Name, RecordKey, RecordSet, RecordType};
use crate::plan::permissions::{Permissions, below_pattern, pattern, state_patterns};
use crate::route53::client::Client;
use crate::route53::error::Error;

/// The first label of a name that no service has, for the change that must fail.
const PROBE: &str = "rancher-route53-check";
/// How many record sets outside of the environment's name are tried.
const MAX_OUTSIDE: usize = 20;

/// A record set that a round may have to write.
struct Sample {
    set: RecordSet,
    /// The name of it and of those that it stands for, as IAM compares names.
    pattern: String,
}

/// Checks the permission to change record sets, by a batch that fails: it deletes record sets that
/// don't exist. Without the permission, Route 53 refuses the batch before it notices that.
///
/// The batch creates the same record sets again, so that both actions are checked, and nothing is
/// changed even if they exist. A policy may allow only some names and types, so they are those that
/// rounds write.
pub fn probe(
    client: &mut Client,
    permissions: &Permissions,
    reading: &MetadataReading,
    zone_id: &str,
) -> Result<String, String> {
    let desired = reading.desired.record_sets.keys();
    let samples = samples(permissions, desired).map_err(|error| error.to_string())?;
    let mut is_allowed = |samples: &[Sample]| {
        let sets: Vec<RecordSet> = samples.iter().map(|sample| sample.set.clone()).collect();
        let batch = ChangeBatch {
            creates: sets.clone(),
            deletes: sets,
        };
        match client.probe(zone_id, &batch) {
            Err(Error::Refused(refusal)) if refusal.is_about_content() => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    };
    let Err(error) = is_allowed(&samples) else {
        return Ok(what_may_be_changed(permissions));
    };
    if !is_denied(&error) {
        return Err(error.to_string());
    }
    let mut denied = Vec::new();
    for sample in samples.chunks(1) {
        match is_allowed(sample) {
            Err(error) if is_denied(&error) => denied.extend(sample),
            Err(_) => return Err(error.to_string()), // what is denied can't be told
            Ok(()) => {}
        }
    }
    let denied_all = denied.len() == samples.len();
    Err(format!("{error}. {}", what_is_lacking(&denied, denied_all)))
}

fn is_denied(error: &Error) -> bool {
    matches!(error, Error::Refused(refusal) if refusal.is_denied())
}

fn what_may_be_changed(permissions: &Permissions) -> String {
    let below = permissions.below.as_ref();
    let below = below.map(|name| format!("record sets below {}", name.without_dot()));
    let outside = match permissions.names_outside().len() {
        0 => None,
        1 => Some("1 name elsewhere that a service asks for".to_owned()),
        n => Some(format!("{n} names elsewhere that services ask for")),
    };
    let all = match (below, outside) {
        (Some(below), Some(outside)) => format!("{below}, {outside}, and "),
        (Some(one), None) | (None, Some(one)) => format!("{one} and "),
        (None, None) => String::new(),
    };
    format!("{all}state records: may be changed")
}

/// Says what the keys lack, name by name.
fn what_is_lacking(denied: &[&Sample], denied_all: bool) -> String {
    if denied_all {
        return "The keys may change no record set that is needed".to_owned();
    }
    let denied: Vec<String> = denied
        .iter()
        .map(|sample| format!("{} of {}", sample.set.key.rtype, sample.pattern))
        .collect();
    format!("The keys may not change {}", denied.join(", "))
}

/// One for each name and type that is needed now.
fn samples<'a>(
    permissions: &Permissions,
    desired: impl Iterator<Item = &'a RecordKey> + Clone,
) -> Result<Vec<Sample>, crate::dns::NameError> {
    let mut samples = Vec::new();
    if let Some(below) = &permissions.below {
        let name = below.child(PROBE)?;
        let published = permissions.types.iter();
        let published = published.filter(|rtype| **rtype != RecordType::Txt);
        for (index, rtype) in published.enumerate() {
            // One type is always needed, the other if a service has an address of its kind.
            if index == 0 || desired.clone().any(|key| key.rtype == *rtype) {
                let key = RecordKey::new(name.clone(), rtype.clone());
                samples.push(sample(key, below_pattern(below)));
            }
        }
    }
    for owner in permissions.owners() {
        let [first, further] = state_patterns(owner);
        let txt = |name: Name| RecordKey::new(name, RecordType::Txt);
        samples.push(sample(txt(owner.name(0)), first));
        samples.push(sample(txt(owner.name(u16::MAX)), further));
    }
    for key in permissions.outside.iter().take(MAX_OUTSIDE) {
        samples.push(sample(key.clone(), pattern(&key.name)));
    }
    Ok(samples)
}

fn sample(key: RecordKey, pattern: String) -> Sample {
    let value = match key.rtype {
        RecordType::A => "192.0.2.1",
        RecordType::Aaaa => "2001:db8::1",
        _ => "\"-\"",
    };
    Sample {
        set: RecordSet::of_values(key, 0, [value.to_owned()].into()),
        pattern,
    }
}
