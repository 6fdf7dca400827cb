//! Route 53 as far as it matters here: a batch is applied as a whole, or not at all.

use rancher_route53::dns::zone::Listed;
use rancher_route53::dns::{ChangeBatch, Name, RecordKey, RecordSet, RecordType, Routing, Zone};

/// Whether both can be in a zone.
pub fn can_be_beside(a: &RecordSet, b: &RecordSet) -> bool {
    let is_cname = |set: &RecordSet| set.key.rtype == RecordType::Cname;
    if a.key.name != b.key.name {
        return true;
    }
    if a.key.rtype != b.key.rtype {
        return !is_cname(a) && !is_cname(b);
    }
    match (a.routing.as_deref(), b.routing.as_deref()) {
        (Some(Routing::Weighted(_)), Some(Routing::Weighted(_))) => a.ttl() == b.ttl(),
        (Some(Routing::Latency(a)), Some(Routing::Latency(b))) => a != b,
        _ => false,
    }
}

/// Whether nothing that a batch creates is there beside what can't be there with it.
pub fn allows_neighbours(zone: &Zone, batch: &ChangeBatch) -> bool {
    let mut after = zone.clone();
    after.apply(batch);
    let sets = || after.iter().filter_map(|(key, _)| after.whole(key));
    batch.creates.iter().all(|new| {
        let mut others = sets().filter(|other| other.key != new.key);
        others.all(|other| can_be_beside(new, other))
    })
}

/// Whether the zone takes a batch: it deletes what is there, byte for byte, creates what isn't, and
/// creates nothing beside what can't be there with it.
pub fn takes(zone: &Zone, batch: &ChangeBatch) -> bool {
    let is_deleted = |key: &RecordKey| batch.deletes.iter().any(|set| set.key == *key);
    let is_there = |set| zone.get(key_of(set)) == Some(&Listed::Whole(Clone::clone(set)));
    batch.deletes.iter().all(is_there)
        && batch
            .creates
            .iter()
            .all(|set| zone.get(&set.key).is_none() || is_deleted(&set.key))
        && allows_neighbours(zone, batch)
}

fn key_of(set: &RecordSet) -> &RecordKey {
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
            let mut words = entry.trim_matches('"').split(' ');
            let name = words.next().unwrap_or_default();
            let rtype = RecordType::parse(words.next().unwrap_or("A"));
            let set_id = words.next().map(Into::into);
            if let Ok(name) = Name::parse(name)
                && name.as_str().ends_with(".example.com.")
            {
                all.push((id.to_owned(), RecordKey::with_set_id(name, rtype, set_id)));
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
