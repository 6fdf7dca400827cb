//! What must hold for each batch by itself.

use std::collections::BTreeSet;

use rancher_route53::dns::{ChangeBatch, RecordSet, RecordType};
use rancher_route53::plan::Policy;
use rancher_route53::route53::xml;
use sim::route53 as aws;

use super::is_short;
use crate::generators::{Key, Setting, owned_key};
use crate::run::{entries, owned, state_records};

pub fn keeps_the_limits(batch: &ChangeBatch) {
    let sets = || batch.deletes.iter().chain(&batch.creates);
    // An alias counts as one.
    let records: usize = sets().map(|set| set.values().len().max(1)).sum();
    let characters: usize = sets()
        .flat_map(|set| set.values())
        .map(|value| value.chars().count())
        .sum();
    assert!((1..=1_000).contains(&records), "{records} records");
    assert!(characters <= 32_000, "{characters} characters");
    assert!(!xml::change_request(batch).contains("<Action>UPSERT"));
}

pub fn keeps_the_policy(batch: &ChangeBatch, all: &[ChangeBatch], setting: &Setting) {
    let is_state = |name| setting.names.index_of_name(name).is_some();
    let may_not_stay = |set: &RecordSet| {
        let mut created = all.iter().flat_map(|batch| &batch.creates);
        created.any(|new| {
            let depend =
                |set: &RecordSet| set.key.is_routed() || set.key.rtype == RecordType::Cname;
            new.key.name == set.key.name && (depend(new) || depend(set))
        })
    };
    for set in batch.deletes.iter().filter(|set| !is_state(&set.key.name)) {
        let comes_back = batch.creates.iter().any(|created| created.key == set.key);
        assert!(
            match setting.policy {
                Policy::Sync => true,
                Policy::UpsertOnly => comes_back || may_not_stay(set),
                Policy::CreateOnly => false,
            },
            "{set} is deleted"
        );
    }
}

/// A new record set and the write of the state record that lists it stand or fall together.
pub fn creates_with_an_entry(
    batch: &ChangeBatch,
    zone: &aws::Zone,
    split: &BTreeSet<String>,
    setting: &Setting,
) {
    let written: BTreeSet<Key> = batch
        .creates
        .iter()
        .filter(|set| setting.names.index_of_name(&set.key.name).is_some())
        .flat_map(|set| set.values().iter().filter_map(|v| owned_key(v)))
        .collect();
    let before = owned(zone);
    for set in &batch.creates {
        let is_state = setting.names.index_of_name(&set.key.name).is_some();
        let is_change = batch.deletes.iter().any(|deleted| deleted.key == set.key);
        let key = key_in_aws_terms(set);
        let is_before = split.contains(&key.0) && before.contains(&key);
        assert!(
            is_state || is_change || written.contains(&key) || is_before,
            "{set} is created without its entry"
        );
    }
}

fn key_in_aws_terms(set: &RecordSet) -> Key {
    let set_id = set.key.set_id.as_deref().map(str::to_owned);
    (
        set.key.name.as_str().to_owned(),
        set.key.rtype.to_string(),
        set_id,
    )
}

/// A record set of ours goes together with its entry: another instance may see it missing in
/// between, and create it anew for that entry's sake. (A state record that is longer than what we
/// write may be too long for that.)
pub fn deletes_with_the_entry(
    batch: &ChangeBatch,
    zone: &aws::Zone,
    split: &BTreeSet<String>,
    setting: &Setting,
) {
    let records = state_records(zone);
    for set in &batch.deletes {
        let comes_back = batch.creates.iter().any(|created| created.key == set.key);
        let key = key_in_aws_terms(set);
        if split.contains(&key.0) {
            continue;
        }
        let listing = records
            .iter()
            .find(|(_, record)| entries(record).contains(&key));
        let Some((index, _)) = listing.filter(|(_, record)| !comes_back && is_short(record)) else {
            continue;
        };
        let is_listing = |set: &RecordSet| {
            setting.names.index_of_name(&set.key.name) == Some(*index)
                && set
                    .values()
                    .iter()
                    .any(|v| owned_key(v).as_ref() == Some(&key))
        };
        assert!(
            batch.deletes.iter().any(is_listing) && !batch.creates.iter().any(is_listing),
            "{set} is deleted, and its entry stays"
        );
    }
}
