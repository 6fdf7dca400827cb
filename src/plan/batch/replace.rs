//! Adds replacements to filled batches: record sets that go and those that come in their place, in one
//! batch with their entries. Pure.
//!
//! They come after everything else in a plan, and into the batch before if they fit. Where entries and
//! record sets don't fit into one request, the entries of what comes are added before it or with it, and
//! those of what goes are removed with it or after it.

use std::collections::{BTreeMap, BTreeSet};

use super::pack::{Writing, pack};
use super::rewrites::{Work, is_within_own_limits};
use super::{Cost, fit_in_one_request};
use crate::base::sorted;
use crate::dns::{ChangeBatch, RecordKey, RecordSet};
use crate::plan::state_records::{Entry, MAX_ENTRIES, StateRecord, StateRecords};
use crate::plan::{Plan, Replacement};

/// Adds replacements to the batches of the rest of a plan. `state` is what the state records are
/// before the first of them.
pub fn add(
    batches: &mut Vec<ChangeBatch>,
    replacements: &[Replacement],
    state: &StateRecords,
    writing: Writing<'_>,
) {
    let mut filling = Filling {
        state: state.clone(),
        writing,
        batches: Vec::new(),
        leaving_later: BTreeSet::new(),
    };
    for batch in std::mem::take(batches) {
        filling.state.apply(&batch, writing.names);
        filling.batches.push(batch);
    }
    filling.writing.random = filling.writing.random.wrapping_add(OTHERS);
    for replacement in in_order(replacements, &filling.state) {
        filling.add(replacement);
    }
    filling.remove_left_entries();
    *batches = filling.batches;
}

/// More than there are state records, so that one that was deleted and is made again within a plan
/// doesn't get a generation that it had before.
pub(super) const OTHERS: u64 = 1 << 16;

/// Those one after the other whose entries stand in the same state record, so that it is written as
/// seldom as can be.
fn in_order<'a>(replacements: &'a [Replacement], state: &StateRecords) -> Vec<&'a Replacement> {
    let first = |replacement: &Replacement| {
        let mut listed = replacement.keys().flat_map(|key| state.listed_in(key));
        listed.next().unwrap_or(u16::MAX)
    };
    let all = replacements.iter().collect();
    sorted::largest_first(all, |replacement| {
        usize::from(u16::MAX - first(replacement))
    })
}

/// Batches that are being filled.
struct Filling<'a> {
    batches: Vec<ChangeBatch>,
    /// The state records after these batches.
    state: StateRecords,
    writing: Writing<'a>,
    /// What has gone, but not its entry yet: the state record that has it is too long to be written in
    /// the usual way.
    leaving_later: BTreeSet<RecordKey>,
}

impl Filling<'_> {
    fn add(&mut self, replacement: &Replacement) {
        let Replacement { deletes, creates } = replacement;
        let coming = keys_without(creates, deletes);
        let going = keys_without(deletes, creates);
        let all = ChangeBatch {
            deletes: deletes.clone(),
            creates: creates.clone(),
        };
        let whole = joined(self.rewrite(&coming, &going), &all);
        if fit_in_one_request([&whole]) {
            self.push(whole);
        } else if fit_in_one_request([&all]) {
            let listing = self.rewrite(&coming, &BTreeSet::new());
            let listed = joined(listing.clone(), &all);
            if fit_in_one_request([&listed]) {
                self.push(listed);
            } else {
                self.push(listing);
                self.push(all);
            }
            self.push(self.rewrite(&BTreeSet::new(), &going));
        } else {
            for set in deletes {
                self.push(delete(set));
            }
            for set in creates {
                let key = coming.get(&set.key).copied();
                let listing = self.rewrite(&sorted::set(key), &BTreeSet::new());
                self.push(joined(listing, &create(set)));
            }
            self.push(self.rewrite(&BTreeSet::new(), &going));
        }
        let left = going.into_iter().filter(|key| self.state.owns(key));
        self.leaving_later.extend(left.cloned());
    }

    /// Adds a batch, to the last one if both fit into one request.
    fn push(&mut self, batch: ChangeBatch) {
        if batch.changes() == 0 {
            return;
        }
        self.state.apply(&batch, self.writing.names);
        if self.writing.removes_state_record(&batch) {
            self.writing.random = self.writing.random.wrapping_add(OTHERS);
        }
        let both = self.batches.last().map(|last| combined(last, &batch));
        match both.filter(|both| fit_in_one_request([both])) {
            Some(both) => *self.batches.last_mut().expect("there is a last one") = both,
            None => self.batches.push(batch),
        }
    }

    /// The writes of the state records that get entries for `coming` and lose those for `going`. What
    /// comes and is listed already has its state record written all the same, so that nobody else
    /// removes its entry at the same time.
    fn rewrite(&self, coming: &BTreeSet<&RecordKey>, going: &BTreeSet<&RecordKey>) -> ChangeBatch {
        let mut written: BTreeMap<u16, BTreeSet<Entry>> = BTreeMap::new();
        let of_state = |index: u16| self.record(index).map(|known| known.entries.clone());
        for key in going {
            for index in self.usable(key) {
                let entries = written.entry(index);
                let entries = entries.or_insert_with(|| of_state(index).unwrap_or_default());
                entries.remove(&Entry::Owned((*key).clone()));
            }
        }
        for key in coming {
            let entry = Entry::Owned((*key).clone());
            let index = match self.usable(key).next() {
                Some(index) => index,
                None => self.with_room(&written, &entry),
            };
            let entries = written.entry(index);
            let entries = entries.or_insert_with(|| of_state(index).unwrap_or_default());
            entries.insert(entry);
        }
        let mut batch = ChangeBatch::default();
        for (index, entries) in written {
            let old = self.record(index);
            batch.deletes.extend(old.map(|old| old.set.clone()));
            if !entries.is_empty() {
                let new = self.writing.record(index, old, &entries);
                batch.creates.push(new);
            }
        }
        batch.sort();
        batch
    }

    fn record(&self, index: u16) -> Option<&StateRecord> {
        let records = self.state.records();
        let place = records.binary_search_by_key(&index, |record| record.index);
        Some(&records[place.ok()?])
    }

    /// The state records that list a record set and aren't longer than this program writes them.
    fn usable(&self, key: &RecordKey) -> impl Iterator<Item = u16> {
        let listed = self.state.listed_in(key);
        listed.filter(|index| self.record(*index).is_some_and(is_short))
    }

    /// The first state record that may list an entry and has room for it, or that can be made.
    fn with_room(&self, written: &BTreeMap<u16, BTreeSet<Entry>>, entry: &Entry) -> u16 {
        let first = u16::from(!entry.is_for_forerunners());
        let fits = |entries: &BTreeSet<Entry>| {
            let all: Cost = entries.iter().map(Cost::of_entry).sum();
            is_within_own_limits(all.plus(Cost::of_entry(entry)))
        };
        let has_room = |index: &u16| match (written.get(index), self.record(*index)) {
            (Some(entries), _) => fits(entries),
            (None, Some(record)) => {
                record.entries.len() < MAX_ENTRIES && is_short(record) && fits(&record.entries)
            }
            (None, None) => !self.state.is_taken(*index),
        };
        // There are more state records than a zone can have record sets.
        (first..=u16::MAX).find(has_room).unwrap_or(u16::MAX)
    }

    /// Removes the entries that are left of what has gone, as those of record sets that somebody else
    /// has deleted: what is too long is divided then.
    fn remove_left_entries(&mut self) {
        if self.leaving_later.is_empty() {
            return;
        }
        let plan = Plan {
            releases: self.leaving_later.iter().cloned().collect(),
            ..Plan::default()
        };
        let work = Work::group(&plan, &self.state);
        for batch in pack(&work, &self.state, self.writing) {
            self.push(batch);
        }
    }
}

/// The keys of those record sets that aren't among the others.
fn keys_without<'a>(sets: &'a [RecordSet], others: &[RecordSet]) -> BTreeSet<&'a RecordKey> {
    let others = sorted::set(others.iter().map(|set| &set.key));
    let keys = sets.iter().map(|set| &set.key);
    sorted::set(keys.filter(|key| !others.contains(key)))
}

/// Whether a state record isn't longer than this program writes it.
pub(super) fn is_short(record: &StateRecord) -> bool {
    let entries: Cost = record.entries.iter().map(Cost::of_entry).sum();
    is_within_own_limits(Cost::of_set(&record.set)) && is_within_own_limits(entries)
}

fn delete(set: &RecordSet) -> ChangeBatch {
    ChangeBatch {
        deletes: vec![set.clone()],
        creates: Vec::new(),
    }
}

fn create(set: &RecordSet) -> ChangeBatch {
    ChangeBatch {
        deletes: Vec::new(),
        creates: vec![set.clone()],
    }
}

/// Both in one, which have no record set in common.
pub(super) fn joined(mut first: ChangeBatch, second: &ChangeBatch) -> ChangeBatch {
    first.deletes.extend(second.deletes.iter().cloned());
    first.creates.extend(second.creates.iter().cloned());
    first.sort();
    first
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
