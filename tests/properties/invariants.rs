//! What must hold whatever the zone looks like, and an oracle that says how it has to end.

use std::collections::{BTreeMap, BTreeSet};

use rancher_route53::dns::{ChangeBatch, RecordSet};
use rancher_route53::plan::state_records::StateRecords;
use rancher_route53::plan::{Adopt, Policy};
use rancher_route53::route53::xml;
use sim::route53 as aws;

use crate::fewest_batches;
use crate::generators::{Built, Key, Setting, Site, TTL, owned_key};
use crate::run::{
    Id, Round, apply, converge, entries, holds_claim, list, opaque, others, owned, round,
    state_records, think,
};

/// How a world has to end.
pub struct End {
    /// Everything but the state records.
    pub others: BTreeMap<Id, aws::RecordSet>,
    /// What the state records have to list.
    pub owned: BTreeSet<Key>,
    /// What has to be bit for bit as it was, always.
    strangers: BTreeMap<Id, aws::RecordSet>,
    /// What is not ours to begin with, but is taken over.
    adopted: BTreeMap<Key, aws::RecordSet>,
}

/// What becomes of a name and type.
enum Fate {
    /// There is nothing, or what is there is none of ours.
    NotOurs,
    /// Another owner lists it, too: it stays as it is, and so does our entry.
    Shared,
    /// It stays or becomes ours, as it is or as desired.
    OursAsItIs,
    OursAsDesired,
    Deleted,
}

fn fate(site: &Site, setting: &Setting) -> Fate {
    let is_elsewhere = site.is_elsewhere && (!site.is_listed || setting.claim.is_some());
    let simple = match &site.there[..] {
        [set] if set.set_identifier.is_none() => set,
        [] if site.desired.is_some() && !site.has_cname && !is_elsewhere => {
            return Fate::OursAsDesired;
        }
        _ => return Fate::NotOurs,
    };
    if is_elsewhere {
        return match site.is_listed {
            true => Fate::Shared,
            false => Fate::NotOurs,
        };
    }
    if !site.is_listed && !is_adopted(site, simple, setting) {
        return Fate::NotOurs;
    }
    match (&site.desired, setting.policy) {
        (None, Policy::Sync) => Fate::Deleted,
        (None, Policy::UpsertOnly | Policy::CreateOnly) => Fate::OursAsItIs,
        (Some(_), Policy::CreateOnly) => Fate::OursAsItIs,
        (Some(_), _) if site.is_respelled => Fate::OursAsItIs,
        (Some(_), _) => Fate::OursAsDesired,
    }
}

fn is_adopted(site: &Site, simple: &aws::RecordSet, setting: &Setting) -> bool {
    match setting.adopt {
        Adopt::Never => false,
        // An alias is another thing than what is desired here.
        Adopt::Matching => site.desired.is_some() && simple.ttl.is_some(),
        Adopt::Legacy { .. } => {
            simple.rtype == "A" && simple.ttl == Some(TTL) && site.in_environment
        }
    }
}

/// The oracle: it goes by each name's story, not by what the program plans.
pub fn end(built: &Built) -> End {
    let mut zone = built.zone.clone();
    let mut strangers = built.zone.clone();
    let mut end = End {
        others: BTreeMap::new(),
        owned: BTreeSet::new(),
        strangers: BTreeMap::new(),
        adopted: BTreeMap::new(),
    };
    for (key, site) in &built.sites {
        let fate = fate(site, &built.setting);
        if !matches!(fate, Fate::NotOurs | Fate::Shared) {
            strangers.remove(&key.0, &key.1);
            if let [set] = &site.there[..]
                && !site.is_listed
            {
                end.adopted.insert(key.clone(), set.clone());
            }
        }
        match fate {
            Fate::NotOurs => continue,
            Fate::Deleted => {
                zone.remove(&key.0, &key.1);
                continue;
            }
            Fate::OursAsItIs | Fate::Shared => {}
            Fate::OursAsDesired => {
                // Equal but for the order of the values isn't a difference.
                let desired = site.desired.clone().unwrap();
                if !site.there.iter().any(|there| there.matches(&desired)) {
                    zone.put(desired);
                }
            }
        }
        end.owned.insert(key.clone());
    }
    end.others = others(&zone);
    end.strangers = others(&strangers);
    end
}

/// All invariants, for one world. A crash is tried after every batch if there are few, else after some.
pub fn hold(built: &Built) -> Vec<ChangeBatch> {
    let end = end(built);
    let setting = &built.setting;
    let first = round(&built.zone, setting);
    let again = think(first.view.clone(), setting);
    assert_eq!(first, again, "not deterministic");

    let mut zone = built.zone.clone();
    let mut view = first.view.clone();
    let mut state = StateRecords::read(&view, &setting.names);
    let every = first.batches.len().div_ceil(4).max(1);
    for (number, batch) in first.batches.iter().enumerate() {
        keeps_the_limits(batch);
        keeps_the_policy(batch, setting);
        creates_with_an_entry(batch, setting);
        deletes_with_the_entry(batch, &zone, setting);
        apply(&mut zone, batch);
        view.apply(batch);
        assert_eq!(view, list(&zone), "the view after batch {number}");
        state.apply(batch, &setting.names);
        let read = StateRecords::read(&view, &setting.names);
        assert_eq!(state, read, "the state after batch {number}");
        strangers_are_untouched(&zone, &end, number);
        nothing_is_without_an_owner(&zone, &end, number);
        the_claim_is_there(&zone, setting);
        written_state_records_are_short(&built.zone, &zone);
        if number % every == 0 && number + 1 < first.batches.len() {
            let mut resumed = zone.clone();
            converge(&mut resumed, setting);
            has_ended(&resumed, setting, &end, "resumed after a crash");
        }
    }
    has_ended(&zone, setting, &end, "at the end");
    entries_stay_where_they_are(&built.zone, &zone, &end);
    no_write_is_like_another(&first.batches, &built.zone, setting);
    fewest_batches::check(first.batches.len(), &built.zone, &zone);
    first.batches
}

fn keeps_the_limits(batch: &ChangeBatch) {
    let sets = || batch.deletes.iter().chain(&batch.creates);
    let records: usize = sets().map(|set| set.values().len()).sum();
    let characters: usize = sets()
        .flat_map(|set| set.values())
        .map(|value| value.chars().count())
        .sum();
    assert!((1..=1_000).contains(&records), "{records} records");
    assert!(characters <= 32_000, "{characters} characters");
    assert!(!xml::change_request(batch).contains("<Action>UPSERT"));
}

fn keeps_the_policy(batch: &ChangeBatch, setting: &Setting) {
    let is_state = |name| setting.names.index_of_name(name).is_some();
    for set in batch.deletes.iter().filter(|set| !is_state(&set.key.name)) {
        let comes_back = batch.creates.iter().any(|created| created.key == set.key);
        assert!(
            match setting.policy {
                Policy::Sync => true,
                Policy::UpsertOnly => comes_back,
                Policy::CreateOnly => false,
            },
            "{set} is deleted"
        );
    }
}

/// A new record set and the write of the state record that lists it stand or fall together.
fn creates_with_an_entry(batch: &ChangeBatch, setting: &Setting) {
    let written: BTreeSet<Key> = batch
        .creates
        .iter()
        .filter(|set| setting.names.index_of_name(&set.key.name).is_some())
        .flat_map(|set| set.values().iter().filter_map(|v| owned_key(v)))
        .collect();
    for set in &batch.creates {
        let is_state = setting.names.index_of_name(&set.key.name).is_some();
        let is_change = batch.deletes.iter().any(|deleted| deleted.key == set.key);
        let key = (set.key.name.as_str().to_owned(), set.key.rtype.to_string());
        assert!(
            is_state || is_change || written.contains(&key),
            "{set} is created without its entry"
        );
    }
}

/// A record set of ours goes together with its entry: another instance may see it missing in
/// between, and create it anew for that entry's sake. (A state record that is longer than what we
/// write may be too long for that.)
fn deletes_with_the_entry(batch: &ChangeBatch, zone: &aws::Zone, setting: &Setting) {
    let records = state_records(zone);
    for set in &batch.deletes {
        let comes_back = batch.creates.iter().any(|created| created.key == set.key);
        let key = (set.key.name.as_str().to_owned(), set.key.rtype.to_string());
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

fn strangers_are_untouched(zone: &aws::Zone, end: &End, number: usize) {
    let others = others(zone);
    for (id, stranger) in &end.strangers {
        let now = others.get(id);
        assert_eq!(now, Some(stranger), "after batch {number}, though not ours");
    }
}

fn nothing_is_without_an_owner(zone: &aws::Zone, end: &End, number: usize) {
    let owned = owned(zone);
    for (id, set) in others(zone) {
        let key = (id.0.clone(), id.1.clone());
        assert!(
            owned.contains(&key)
                || end.strangers.contains_key(&id)
                || end.adopted.get(&key) == Some(&set),
            "nobody owns {set} after batch {number}"
        );
    }
}

/// From the first batch on, and in another state record than the forerunners'.
fn the_claim_is_there(zone: &aws::Zone, setting: &Setting) {
    let records = state_records(zone);
    let claims = records
        .iter()
        .filter(|(_, r)| r.values.iter().any(|v| holds_claim(v)));
    let holders: Vec<u16> = claims.map(|(index, _)| *index).collect();
    match (&setting.claim, &holders[..]) {
        (None, []) => {}
        (Some(_), [index]) if *index > 0 => {}
        (claim, _) => panic!("the claim {claim:?} is in {holders:?}"),
    }
}

fn no_write_is_like_another(batches: &[ChangeBatch], before: &aws::Zone, setting: &Setting) {
    let mut seen: BTreeSet<(u16, Option<u32>)> = BTreeSet::new();
    for (index, record) in state_records(before) {
        seen.insert((index, record.ttl));
    }
    for set in batches.iter().flat_map(|batch| &batch.creates) {
        if let Some(index) = setting.names.index_of(&set.key) {
            let is_new = seen.insert((index, set.ttl()));
            assert!(
                is_new,
                "state record {index} has a generation that it had before"
            );
        }
    }
}

fn is_short(record: &aws::RecordSet) -> bool {
    let characters: usize = record.values.iter().map(|v| v.chars().count()).sum();
    record.values.len() <= 100 && characters <= 6_000
}

fn written_state_records_are_short(before: &aws::Zone, after: &aws::Zone) {
    let before = state_records(before);
    for (index, record) in state_records(after) {
        if before.get(&index) != Some(&record) {
            assert!(is_short(&record), "state record {index} is too long");
            assert!(
                record.ttl >= Some(1 << 30),
                "state record {index} has no generation"
            );
        }
    }
}

fn has_ended(zone: &aws::Zone, setting: &Setting, end: &End, when: &str) {
    let others = others(zone);
    for (id, set) in &others {
        assert_eq!(end.others.get(id), Some(set), "{when}");
    }
    for (id, set) in &end.others {
        assert!(others.contains_key(id), "{set} is missing, {when}");
    }
    assert_eq!(owned(zone), end.owned, "owned, {when}");
    let Round { plan, batches, .. } = round(zone, setting);
    assert!(plan.is_empty(), "{plan:?} is left to do, {when}");
    assert!(batches.is_empty(), "{batches:?} are left to do, {when}");
}

fn entries_stay_where_they_are(before: &aws::Zone, after: &aws::Zone, end: &End) {
    let records = state_records(after);
    let all_opaque: BTreeSet<String> = records.values().flat_map(opaque).collect();
    for (index, record) in state_records(before) {
        let belongs = |key: &&Key| index > 0 || key.1 == "A";
        assert!(
            opaque(&record).is_subset(&all_opaque),
            "a foreign value is lost"
        );
        let listed = entries(&record);
        if !is_short(&record) {
            let is_right = listed.iter().all(|key| belongs(&key));
            if listed.is_subset(&end.owned) && is_right {
                assert_eq!(records.get(&index), Some(&record), "needlessly rewritten");
            }
            continue;
        }
        let now = records.get(&index).map(entries).unwrap_or_default();
        let moved: Vec<&Key> = listed
            .intersection(&end.owned)
            .filter(|key| belongs(key) && !now.contains(*key))
            .collect();
        assert!(moved.is_empty(), "{moved:?} left state record {index}");
        let misplaced: Vec<&Key> = now.iter().filter(|key| !belongs(key)).collect();
        assert!(
            misplaced.is_empty(),
            "{misplaced:?} stay in state record {index}"
        );
        let kept = records.get(&index).map(opaque).unwrap_or_default();
        assert_eq!(opaque(&record).difference(&kept).next(), None);
    }
}
