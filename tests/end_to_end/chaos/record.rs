//! What a zone holds, in the words of this test: record sets by their keys, and which of them
//! whose state records list. Nothing here is the program's own code.

use std::collections::{BTreeMap, BTreeSet};

use sim::route53::{RecordSet, Zone};

use crate::chaos::regime::OWNERS;

pub use sim::harness::{DOMAIN, ZONE};
pub const UUID: &str = "1a726b88-f6b1-53ad-8dac-f631830b5815";
/// Seconds; the program's default.
pub const TTL: u32 = 300;
/// The id of somebody else's state records.
pub const OTHER: &str = "other";
/// The value with which another Rancher server says that it keeps the state records.
pub const OTHERS_CLAIM: &str = "\"claim 00000000000000a1 00000000000000b2\"";

/// Name, type, set identifier: what a zone has at most one record set of.
pub type Key = (String, String, Option<String>);
pub type Sets = BTreeMap<Key, RecordSet>;

pub fn key(set: &RecordSet) -> Key {
    let (name, rtype) = (set.name.clone(), set.rtype.clone());
    (name, rtype, set.set_identifier.clone())
}

/// Neither an alias nor one of several with a routing policy, and without a health check: such as
/// the program makes.
pub fn is_simple(set: &RecordSet) -> bool {
    set.alias.is_none() && set.set_identifier.is_none() && set.health_check_id.is_none()
}

pub fn state_name(owner: &str, index: usize) -> String {
    match index {
        0 => format!("external-dns-{owner}.{DOMAIN}."),
        _ => format!("external-dns-{owner}-{index}.{DOMAIN}."),
    }
}

/// Whose state record this is, if it is anybody's.
pub fn keeper(set: &RecordSet) -> Option<&str> {
    let id = set.name.strip_prefix("external-dns-")?;
    let id = id.strip_suffix(&format!(".{DOMAIN}."))?;
    let is_number = |text: &str| text.parse().is_ok_and(|n: u16| n.to_string() == text);
    let is_theirs = |owner: &str| {
        let number = id.strip_prefix(owner).and_then(|id| id.strip_prefix('-'));
        id == owner || number.is_some_and(is_number)
    };
    let is_one = set.rtype == "TXT" && is_simple(set) && !id.contains('.');
    is_one.then(|| {
        OWNERS
            .into_iter()
            .find(|owner| is_theirs(owner))
            .unwrap_or(id)
    })
}

/// Whether this is one of the owner's state records.
pub fn is_state(set: &RecordSet, owner: &str) -> bool {
    keeper(set) == Some(owner)
}

pub fn state_records<'a>(zone: &'a Zone, owner: &'a str) -> impl Iterator<Item = &'a RecordSet> {
    let sets = zone.record_sets();
    sets.filter(move |set| is_state(set, owner))
}

/// All but the state records.
pub fn others(zone: &Zone) -> Sets {
    let others = zone.record_sets().filter(|set| keeper(set).is_none());
    others.map(|set| (key(set), set.clone())).collect()
}

/// Which record set a state record's value lists; `None` for what is no entry.
pub fn entry(value: &str) -> Option<Key> {
    let value = value.split(" \"claim ").next().unwrap_or(value);
    let text = value.trim_matches('"');
    let (name, rtype) = match text.strip_suffix(" AAAA") {
        Some(name) => (name, "AAAA"),
        None => (text, "A"),
    };
    let name = format!("{}.", name.trim_end_matches('.').to_lowercase());
    let in_zone = format!(".{name}").ends_with(&format!(".{DOMAIN}."));
    let is_ours = in_zone && !name.contains(' ');
    is_ours.then(|| (name, rtype.to_owned(), None))
}

/// The value that lists a record set.
pub fn value((name, rtype, _): &Key) -> String {
    match rtype.as_str() {
        "A" => format!("\"{name}\""),
        _ => format!("\"{name} {rtype}\""),
    }
}

/// Who lists what.
pub fn entries(zone: &Zone) -> BTreeSet<(String, Key)> {
    let of = |set: &RecordSet| {
        let keeper = keeper(set)?.to_owned();
        let keys: Vec<Key> = set.values.iter().filter_map(|value| entry(value)).collect();
        Some(keys.into_iter().map(move |key| (keeper.clone(), key)))
    };
    zone.record_sets().filter_map(of).flatten().collect()
}

/// What the owner's state records list: what is owned.
pub fn listed(zone: &Zone, owner: &str) -> BTreeSet<Key> {
    let values = state_records(zone, owner).flat_map(|set| &set.values);
    values.filter_map(|value| entry(value)).collect()
}

/// What the state records of all others list.
pub fn listed_elsewhere(zone: &Zone, owner: &str) -> BTreeSet<Key> {
    let all = entries(zone).into_iter();
    all.filter(|(keeper, _)| keeper != owner)
        .map(|(_, key)| key)
        .collect()
}

/// What is written in the state records besides entries and claims.
pub fn notes(zone: &Zone, owner: &str) -> BTreeSet<String> {
    let values = state_records(zone, owner).flat_map(|set| &set.values);
    let notes = values.filter(|value| entry(value).is_none() && !value.starts_with("\"claim "));
    notes.cloned().collect()
}

/// Whether another Rancher server says that it keeps the owner's state records.
pub fn is_kept_by_another(zone: &Zone, owner: &str) -> bool {
    let mut values = state_records(zone, owner).flat_map(|set| &set.values);
    values.any(|value| value == OTHERS_CLAIM)
}
