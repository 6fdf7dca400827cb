//! Route 53 as far as it matters here: a batch is applied as a whole, or not at all.

use rancher_route53::dns::zone::Listed;
use rancher_route53::dns::{ChangeBatch, RecordKey, RecordType, Zone};

/// Whether the zone takes a batch: it deletes what is there, byte for byte, and creates what isn't.
pub fn takes(zone: &Zone, batch: &ChangeBatch) -> bool {
    let is_deleted = |key: &RecordKey| batch.deletes.iter().any(|set| set.key == *key);
    let is_there = |set| zone.get(key_of(set)) == Some(&Listed::Whole(Clone::clone(set)));
    batch.deletes.iter().all(is_there)
        && batch
            .creates
            .iter()
            .all(|set| zone.get(&set.key).is_none() || is_deleted(&set.key))
}

fn key_of(set: &rancher_route53::dns::RecordSet) -> &RecordKey {
    &set.key
}

/// The keys that the state records with this beginning of their names list, read without the
/// program's help.
pub fn listed_by(zone: &Zone, owner: Option<&str>) -> Vec<(String, RecordKey)> {
    let mut all = Vec::new();
    for (key, listed) in zone.iter() {
        let Some(record) = key.name.as_str().strip_prefix("external-dns-") else {
            continue;
        };
        let (Listed::Whole(set), RecordType::Txt) = (listed, &key.rtype) else {
            continue;
        };
        let id = record.split(['-', '.']).next().unwrap_or_default();
        if owner.is_some_and(|owner| owner != id) {
            continue;
        }
        for value in set.values() {
            let entry = value.split(" \"claim ").next().unwrap_or_default();
            let entry = entry.trim_matches('"');
            let (name, rtype) = match entry.strip_suffix(" AAAA") {
                Some(name) => (name, RecordType::Aaaa),
                None => (entry, RecordType::A),
            };
            if let Ok(name) = rancher_route53::dns::Name::parse(name)
                && name.as_str().ends_with(".example.com.")
            {
                all.push((id.to_owned(), RecordKey::new(name, rtype)));
            }
        }
    }
    all
}

/// The claims in an owner's state records, as they stand there.
pub fn claims(zone: &Zone, owner: &str) -> Vec<String> {
    let beginning = format!("external-dns-{owner}");
    let sets = zone.iter().filter_map(|(key, _)| zone.whole(key));
    let records = sets.filter(|set| {
        let rest = set.key.name.as_str().strip_prefix(&beginning);
        set.key.rtype == RecordType::Txt && rest.is_some_and(|rest| rest.starts_with(['-', '.']))
    });
    let values = records.flat_map(|set| set.values().iter());
    let claims = values.filter_map(|value| value.split_once("\"claim "));
    claims
        .map(|(_, claim)| format!("claim {}", claim.trim_end_matches('"')))
        .collect()
}
