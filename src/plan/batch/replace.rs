//! Adds replacements to filled batches: record sets that go and those that come in their place, in one
//! batch with their entries. Pure.
//!
//! They come after everything else in a plan, and into the batch before if they fit. Where entries and
//! record sets don't fit into one request, the entries of what comes are added before, and those of
//! what goes are removed after.

use std::collections::{BTreeMap, BTreeSet};

use super::pack::Writing;
use super::rewrites::is_within_own_limits;
use super::{Cost, fit_in_one_request};
use crate::base::sorted;
use crate::dns::{ChangeBatch, RecordKey, RecordSet};
use crate::plan::Replacement;
use crate::plan::state_records::{Entry, StateRecord, StateRecords};

/// Adds replacements to the batches of the rest of a plan. `state` is what the state records are
/// before the first of them.
pub fn add(
    batches: &mut Vec<ChangeBatch>,
    replacements: &[Replacement],
    state: &StateRecords,
    writing: Writing<'_>,
) {
    let mut state = state.clone();
    for batch in &*batches {
        state.apply(batch, writing.names);
    }
    for replacement in replacements {
        let record_sets = ChangeBatch {
            deletes: replacement.deletes.clone(),
            creates: replacement.creates.clone(),
        };
        let coming = keys_without(&replacement.creates, &replacement.deletes);
        let going = keys_without(&replacement.deletes, &replacement.creates);
        let mut whole = rewrite(&state, &coming, &going, writing);
        whole.deletes.extend(record_sets.deletes.iter().cloned());
        whole.creates.extend(record_sets.creates.iter().cloned());
        if fit_in_one_request([&whole]) {
            push(batches, whole, &mut state, writing);
            continue;
        }
        let nothing = BTreeSet::new();
        let before = rewrite(&state, &coming, &nothing, writing);
        push(batches, before, &mut state, writing);
        for part in parts(record_sets) {
            push(batches, part, &mut state, writing);
        }
        let after = rewrite(&state, &nothing, &going, writing);
        push(batches, after, &mut state, writing);
    }
}

/// The keys of those record sets that aren't among the others.
fn keys_without<'a>(sets: &'a [RecordSet], others: &[RecordSet]) -> BTreeSet<&'a RecordKey> {
    let others = sorted::set(others.iter().map(|set| &set.key));
    let keys = sets.iter().map(|set| &set.key);
    sorted::set(keys.filter(|key| !others.contains(key)))
}

/// Record sets that change together, in one request if they fit.
fn parts(whole: ChangeBatch) -> Vec<ChangeBatch> {
    if fit_in_one_request([&whole]) {
        return vec![whole];
    }
    let deletes = ChangeBatch {
        deletes: whole.deletes,
        creates: Vec::new(),
    };
    let creates = whole.creates.into_iter().map(|set| ChangeBatch {
        deletes: Vec::new(),
        creates: vec![set],
    });
    std::iter::once(deletes).chain(creates).collect()
}

/// Adds a batch, to the last one if both fit into one request.
fn push(
    batches: &mut Vec<ChangeBatch>,
    batch: ChangeBatch,
    state: &mut StateRecords,
    writing: Writing<'_>,
) {
    if batch.changes() == 0 {
        return;
    }
    state.apply(&batch, writing.names);
    let both = batches.last().map(|last| combined(last, &batch));
    match both.filter(|both| fit_in_one_request([both])) {
        Some(both) => *batches.last_mut().expect("there is a last one") = both,
        None => batches.push(batch),
    }
}

/// One batch that does what two do one after the other.
fn combined(first: &ChangeBatch, second: &ChangeBatch) -> ChangeBatch {
    let is_between = |set: &&RecordSet| first.creates.contains(set);
    let (between, deletes): (Vec<_>, Vec<_>) = second.deletes.iter().partition(is_between);
    let kept = first.creates.iter().filter(|set| !between.contains(set));
    let mut both = ChangeBatch {
        deletes: first.deletes.iter().chain(deletes).cloned().collect(),
        creates: kept.chain(&second.creates).cloned().collect(),
    };
    both.sort();
    both
}

/// The writes of the state records that get entries for `coming` and lose those for `going`. What
/// comes and is listed already has its state record written all the same, so that nobody else removes
/// its entry at the same time.
fn rewrite(
    state: &StateRecords,
    coming: &BTreeSet<&RecordKey>,
    going: &BTreeSet<&RecordKey>,
    writing: Writing<'_>,
) -> ChangeBatch {
    let mut written: BTreeMap<u16, BTreeSet<Entry>> = BTreeMap::new();
    let of_state = |index: u16| record(state, index).map(|known| known.entries.clone());
    for key in going {
        for index in state.listed_in(key) {
            let entries = written.entry(index);
            let entries = entries.or_insert_with(|| of_state(index).unwrap_or_default());
            entries.remove(&Entry::Owned((*key).clone()));
        }
    }
    for key in coming {
        let entry = Entry::Owned((*key).clone());
        let index = match state.listed_in(key).next() {
            Some(index) => index,
            None => with_room(state, &written, &entry),
        };
        let entries = written.entry(index);
        let entries = entries.or_insert_with(|| of_state(index).unwrap_or_default());
        entries.insert(entry);
    }
    let mut batch = ChangeBatch::default();
    for (index, entries) in written {
        let old = record(state, index);
        batch.deletes.extend(old.map(|old| old.set.clone()));
        if !entries.is_empty() {
            let new = writing.record(index, old, &entries);
            batch.creates.push(new);
        }
    }
    batch.sort();
    batch
}

fn record(state: &StateRecords, index: u16) -> Option<&StateRecord> {
    let mut records = state.records().iter();
    records.find(|record| record.index == index)
}

/// The first state record that may list an entry and has room for it, or that can be made.
fn with_room(state: &StateRecords, written: &BTreeMap<u16, BTreeSet<Entry>>, entry: &Entry) -> u16 {
    let first = u16::from(!entry.is_for_forerunners());
    let has_room = |index: &u16| {
        let entries = written.get(index);
        let entries = entries.or_else(|| record(state, *index).map(|record| &record.entries));
        match entries {
            Some(entries) => {
                let all: Cost = entries.iter().map(Cost::of_entry).sum();
                is_within_own_limits(all.plus(Cost::of_entry(entry)))
            }
            None => !state.is_taken(*index),
        }
    };
    // There are more state records than a zone can have record sets.
    (first..=u16::MAX).find(has_room).unwrap_or(u16::MAX)
}
