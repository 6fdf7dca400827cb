//! What must hold whatever the zone looks like, and an oracle that says how it has to end.

mod of_a_batch;

use std::collections::{BTreeMap, BTreeSet};

use rancher_route53::dns::ChangeBatch;
use rancher_route53::plan::state_records::StateRecords;
use rancher_route53::plan::{Adopt, Policy};
use sim::route53 as aws;

use of_a_batch::{
    creates_with_an_entry, deletes_with_the_entry, keeps_the_limits, keeps_the_policy,
};

use crate::fewest_batches;
use crate::generators::{Built, Key, Setting, Site, TTL, is_for_first, key_of};
use crate::mixed::Story;
use crate::mixed::ends::{Ended, can_be_beside};
use crate::run::{
    Round, apply, converge, entries, holds_claim, list, opaque, others, owned, round,
    state_records, think,
};

/// How a world has to end.
pub struct End {
    /// Everything but the state records.
    pub others: BTreeMap<Key, aws::RecordSet>,
    /// What the state records have to list.
    pub owned: BTreeSet<Key>,
    /// What has to be bit for bit as it was, always.
    strangers: BTreeMap<Key, aws::RecordSet>,
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
    for story in &built.stories {
        end.add(story, story.end(&built.setting));
    }
    end
}

impl End {
    fn add(&mut self, story: &Story, ended: Ended) {
        let there = story.has.iter().chain(&story.strangers);
        there.for_each(|set| {
            self.others.remove(&key_of(set));
        });
        let sets = ended.sets.into_iter();
        self.others.extend(sets.map(|set| (key_of(&set), set)));
        self.owned.extend(ended.owned);
        self.strangers.retain(|key, _| !ended.ours.contains(key));
        self.adopted.extend(ended.adopted);
    }
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
    let split = split_names(built, &first.batches);
    for (number, batch) in first.batches.iter().enumerate() {
        keeps_the_limits(batch);
        keeps_the_policy(batch, &first.batches, setting);
        creates_with_an_entry(batch, &zone, &split, setting);
        deletes_with_the_entry(batch, &zone, &split, setting);
        apply(&mut zone, batch);
        view.apply(batch);
        assert_eq!(view, list(&zone), "the view after batch {number}");
        state.apply(batch, &setting.names);
        let read = StateRecords::read(&view, &setting.names);
        assert_eq!(state, read, "the state after batch {number}");
        strangers_are_untouched(&zone, &end, number);
        nothing_is_without_an_owner(&zone, &end, number);
        what_changes_its_kind_is_listed_and_answers(built, &zone, &end, &split);
        the_claim_is_there(&zone, setting);
        written_state_records_are_short(&built.zone, &zone);
        what_goes_leaves_a_trace(&built.zone, &zone);
        if number % every == 0 && number + 1 < first.batches.len() {
            let mut resumed = zone.clone();
            converge(&mut resumed, setting);
            has_ended(&resumed, setting, &end, &split, "resumed after a crash");
        }
    }
    has_ended(&zone, setting, &end, &BTreeSet::new(), "at the end");
    entries_stay_where_they_are(&built.zone, &zone, &end);
    no_write_is_like_another(&first.batches, &built.zone, setting);
    fewest_batches::check(first.batches.len(), &built.zone, &zone);
    first.batches
}

/// The names whose record sets and entries are too much for one request.
fn split_names(built: &Built, batches: &[ChangeBatch]) -> BTreeSet<String> {
    let mut after = built.zone.clone();
    batches.iter().for_each(|batch| apply(&mut after, batch));
    let names = built.stories.iter().map(|story| story.name.clone());
    let fits = |name: &String| fewest_batches::fits_at_once(name, &built.zone, &after);
    names.filter(|name| !fits(name)).collect()
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
    for (key, set) in others(zone) {
        assert!(
            owned.contains(&key)
                || end.strangers.contains_key(&key)
                || end.adopted.get(&key) == Some(&set),
            "nobody owns {set} after batch {number}"
        );
    }
}

/// Where what comes can't be beside what goes, the name is listed at each moment, and answers at each
/// moment unless two batches are needed.
fn what_changes_its_kind_is_listed_and_answers(
    built: &Built,
    zone: &aws::Zone,
    end: &End,
    split: &BTreeSet<String>,
) {
    let owned = owned(zone);
    let others = others(zone);
    for story in built.stories.iter().filter(|s| !s.listed.is_empty()) {
        let is_its_own = |key: &&Key| key.0 == story.name;
        let mut ends = end.owned.iter().filter(is_its_own);
        let changes_kind = ends.any(|key| {
            let mut had = story.has.iter().filter(|had| key_of(had) != *key);
            had.any(|had| !can_be_beside(had, &end.others[key]))
        });
        if !changes_kind {
            continue;
        }
        let mut listed = owned.iter().filter(is_its_own);
        assert!(listed.next().is_some(), "nothing lists {}", story.name);
        if !split.contains(&story.name) {
            let mut there = others.keys().filter(is_its_own);
            let answers = there.any(|key| owned.contains(key));
            assert!(answers, "{} has no answer", story.name);
        }
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

/// Whoever has seen the state records before sees that something was written since.
fn what_goes_leaves_a_trace(before: &aws::Zone, after: &aws::Zone) {
    let (before, after) = (state_records(before), state_records(after));
    let is_one_gone = before.keys().any(|index| !after.contains_key(index));
    // Texts of somebody else stay as they are.
    let is_in_use = |record: &aws::RecordSet| {
        !entries(record).is_empty() || record.values.iter().any(|value| holds_claim(value))
    };
    let mut usable = after.values().filter(|record| is_short(record));
    if is_one_gone && usable.any(is_in_use) {
        let mut written = after
            .iter()
            .filter(|(i, record)| before.get(i) != Some(record));
        assert!(
            written.next().is_some(),
            "a state record went without a trace"
        );
    }
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

/// `forgetful`: names of which record sets are deleted in one batch and created in a later one. A health
/// check that somebody has attached is known only from the record set that has it, so a crash in between
/// loses it.
fn has_ended(
    zone: &aws::Zone,
    setting: &Setting,
    end: &End,
    forgetful: &BTreeSet<String>,
    when: &str,
) {
    let others = others(zone);
    for (id, set) in &others {
        let expected = end.others.get(id).map(|expected| aws::RecordSet {
            health_check_id: match forgetful.contains(&id.0) {
                true => set.health_check_id.clone(),
                false => expected.health_check_id.clone(),
            },
            ..expected.clone()
        });
        assert_eq!(expected.as_ref(), Some(set), "{when}");
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
        let belongs = |key: &&Key| index > 0 || is_for_first(key);
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
