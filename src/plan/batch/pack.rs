//! Fills batches with the changes that [`super::rewrites`] has grouped.
//!
//! The method is first fit, decreasing: the largest changes come first, and each goes into the
//! first batch that has room. What must be in an earlier batch than something else is placed before
//! it.

use std::collections::{BTreeMap, BTreeSet};

use super::load::Load;
use super::rewrites::{NewEntry, Rewrite, Work};
use super::{Cost, MAX_VALUE_CHARACTERS};
use crate::base::sorted;
use crate::dns::{ChangeBatch, RecordKey, RecordSet, RecordType, Values};
use crate::plan::Change;
use crate::plan::state_records::{Entry, Generation, StateNames, StateRecord, StateRecords};

/// How state records are written.
#[derive(Clone, Copy)]
pub struct Writing<'a> {
    /// Their names.
    pub names: &'a StateNames,
    /// Any number, for the generations of state records that have none.
    pub random: u64,
}

impl Writing<'_> {
    /// The generation of a state record that has had none.
    pub fn fresh_generation(self, index: u16) -> Generation {
        Generation::of_number(self.random.wrapping_add(u64::from(index)))
    }

    /// Whether a record set is one of them.
    pub fn is_state_record(self, set: &RecordSet) -> bool {
        self.names.index_of(&set.key).is_some()
    }

    /// Whether a batch deletes one of them and creates none in its place.
    pub fn removes_state_record(self, batch: &ChangeBatch) -> bool {
        let mut deletes = batch.deletes.iter();
        deletes.any(|set| self.is_state_record(set) && batch.removes(&set.key))
    }

    /// The state record with this index as it is to be after `old`.
    pub fn record(
        self,
        index: u16,
        old: Option<&StateRecord>,
        entries: &BTreeSet<Entry>,
    ) -> RecordSet {
        let (values, fresh) = (Entry::values(entries), self.fresh_generation(index));
        match old {
            Some(old) => old.rewritten(values, fresh),
            None => self.written(index, values, fresh),
        }
    }

    /// The state record with this index, with these values and this generation.
    fn written(self, index: u16, values: Values, generation: Generation) -> RecordSet {
        let key = RecordKey::new(self.names.name(index), RecordType::Txt);
        RecordSet::of_values(key, generation.ttl(), values)
    }
}

/// Fills batches with all changes, in the order in which the batches must be applied.
pub fn pack(work: &Work<'_>, state: &StateRecords, writing: Writing<'_>) -> Vec<ChangeBatch> {
    let has_claim = work.new_entries.iter().any(NewEntry::is_claim);
    let mut rewrites = work.rewrites.iter();
    let is_first_moving = rewrites.any(|r| r.index == 0 && !r.moved.is_empty());
    // What leaves the first state record has to be in another one before the first is written.
    let packed = fill(work.clone(), state, writing, is_first_moving);
    if has_claim && !packed.is_claim_first {
        // It usually comes first by itself. Where it doesn't, its state record is placed first.
        return fill(work.clone(), state, writing, true).batches;
    }
    packed.batches
}

/// Filled batches.
struct Packed {
    batches: Vec<ChangeBatch>,
    /// Whether the claim is in the first one.
    is_claim_first: bool,
}

/// `are_numbered_first`: state records other than the first are placed before anything else.
fn fill(
    work: Work<'_>,
    state: &StateRecords,
    writing: Writing<'_>,
    are_numbered_first: bool,
) -> Packed {
    let mut packer = Packer {
        bins: Vec::new(),
        entry_added_in: BTreeMap::new(),
        new_records: BTreeSet::new(),
        writing,
    };
    let Work {
        mut rewrites,
        mut new_entries,
        deletes,
        changes,
    } = work;
    if are_numbered_first {
        let (mut numbered, rest): (Vec<_>, Vec<_>) = new_entries
            .into_iter()
            .partition(|add| !add.may_stand_in(0));
        new_entries = rest;
        packer.place_in_numbered(&mut rewrites, &mut numbered, state);
        new_entries.extend(numbered);
    }
    let changes = packer.place_bulky(changes, state);
    // State records that are too long come last: by then, the entries that do not fit into them
    // are in other state records.
    let (long, usual): (Vec<_>, Vec<_>) = rewrites.into_iter().partition(|r| r.is_too_long);
    // New entries go to the first one before any other that has room, also if it doesn't exist.
    let is_first_missing = !state.is_taken(0) && !packer.new_records.contains(&0);
    let first = is_first_missing.then(|| Rewrite::of_new_record(0));
    packer
        .new_records
        .extend(first.iter().map(|first| first.index));
    for rewrite in first.into_iter().chain(usual) {
        let earliest = packer.all_moved_in(&rewrite);
        packer.place(rewrite, &mut new_entries, earliest);
    }
    let taken: BTreeSet<u16> = packer.new_records.clone();
    for index in (0..=u16::MAX).filter(|index| !state.is_taken(*index) && !taken.contains(index)) {
        if new_entries.is_empty() {
            break;
        }
        packer.place(Rewrite::of_new_record(index), &mut new_entries, 0);
    }
    for mut rewrite in long {
        let mut earliest = packer.all_moved_in(&rewrite);
        for set in std::mem::take(&mut rewrite.deletes) {
            earliest = earliest.max(packer.put_delete(set));
        }
        packer.place(rewrite, &mut Vec::new(), earliest);
    }
    for set in deletes {
        packer.put_delete(set);
    }
    for change in changes {
        packer.put_change(change);
    }
    let mut added = packer.entry_added_in.iter();
    Packed {
        is_claim_first: added.any(|(entry, bin)| entry.is_claim() && *bin == 0),
        batches: packer.finish(),
    }
}

fn cost_of(change: &Change) -> Cost {
    Cost::of_set(&change.from).plus(Cost::of_set(&change.to))
}

/// A batch that is being filled.
#[derive(Default)]
struct Bin {
    batch: ChangeBatch,
    cost: Cost,
}

struct Packer<'a> {
    bins: Vec<Bin>,
    /// For each entry of an existing record set, the bin of the write that adds it.
    entry_added_in: BTreeMap<Entry, usize>,
    /// Indexes of the state records that were placed first and did not exist before.
    new_records: BTreeSet<u16>,
    writing: Writing<'a>,
}

impl Packer<'_> {
    /// Places bulky changes, so that smaller ones fill the gaps that they leave, and returns the
    /// others. A record set that is being taken over can change only after its entry has been added,
    /// so it is none of the first.
    fn place_bulky<'w>(
        &mut self,
        changes: Vec<&'w Change>,
        state: &StateRecords,
    ) -> Vec<&'w Change> {
        let changes = sorted::largest_first(changes, |change| cost_of(change).share());
        let (bulky, others): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| {
            cost_of(change).share() > MAX_VALUE_CHARACTERS / 4 && state.owns(&change.from.key)
        });
        for change in bulky {
            self.put_change(change);
        }
        others
    }

    /// Places these new entries in state records other than the first, and with each of those what
    /// else has to be written there. What is placed is removed from the lists.
    fn place_in_numbered<'w>(
        &mut self,
        rewrites: &mut Vec<Rewrite<'w>>,
        new_entries: &mut Vec<NewEntry<'w>>,
        state: &StateRecords,
    ) {
        let usable = |r: &Rewrite<'_>| r.index > 0 && !r.is_too_long;
        while let Some(at) = rewrites
            .iter()
            .position(usable)
            .filter(|_| !new_entries.is_empty())
        {
            let rewrite = rewrites.remove(at);
            self.place(rewrite, new_entries, 0);
        }
        for index in (1..=u16::MAX).filter(|index| !state.is_taken(*index)) {
            if new_entries.is_empty() {
                break;
            }
            self.place(Rewrite::of_new_record(index), new_entries, 0);
            self.new_records.insert(index);
        }
    }

    /// The first bin in which all entries that leave a state record are in other ones.
    fn all_moved_in(&self, rewrite: &Rewrite<'_>) -> usize {
        let moved = rewrite.moved.iter();
        let bins = moved.filter_map(|entry| self.entry_added_in.get(entry));
        bins.copied().max().unwrap_or(0)
    }

    /// Places the rewrite of a state record in bin `earliest` or later, with all its deletes and
    /// creates, and with as many new entries as it has room for. If one batch cannot hold all its
    /// deletes and creates, the state record is written in several batches.
    fn place(
        &mut self,
        mut rewrite: Rewrite<'_>,
        new_entries: &mut Vec<NewEntry<'_>>,
        mut earliest: usize,
    ) {
        while let Some(largest) = Load::fitting(&rewrite, new_entries, Cost::default()) {
            // A batch that has room for only a part is used if the part is large enough to justify
            // one more write of the state record for the rest.
            let worthwhile = 2 * rewrite.cost().share();
            let found = (earliest..self.bins.len()).find_map(|bin| {
                Load::fitting(&rewrite, new_entries, self.bins[bin].cost)
                    .filter(|load| {
                        let finishes = !rewrite.is_done() && load.completes(&rewrite);
                        finishes || *load == largest || load.cost.share() >= worthwhile
                    })
                    .map(|load| (bin, load))
            });
            let (bin, load) = found.unwrap_or_else(|| (self.open(), largest));
            self.write(bin, load, &mut rewrite, new_entries);
            if rewrite.is_done() {
                return;
            }
            earliest = bin + 1;
        }
    }

    /// Adds a write of a state record to a bin, with the changes that share its batch.
    fn write(
        &mut self,
        index: usize,
        load: Load,
        rewrite: &mut Rewrite<'_>,
        new_entries: &mut Vec<NewEntry<'_>>,
    ) {
        let bin = &mut self.bins[index];
        bin.cost = bin.cost.plus(load.cost);
        for set in split_off(&mut rewrite.deletes, &load.deletes) {
            bin.batch.deletes.push(set.clone());
        }
        for set in split_off(&mut rewrite.creates, &load.creates) {
            bin.batch.creates.push(set.clone());
        }
        for new_entry in split_off(new_entries, &load.new_entries) {
            match new_entry.create {
                Some(set) => bin.batch.creates.push(set.clone()),
                None => {
                    self.entry_added_in.insert(new_entry.entry.clone(), index);
                }
            }
            rewrite.kept.insert(new_entry.entry);
        }
        bin.batch.deletes.extend(rewrite.old.take());
        let fresh = self.writing.fresh_generation(rewrite.index);
        if let Some((values, generation)) = rewrite.next_write(fresh) {
            let new = self.writing.written(rewrite.index, values, generation);
            bin.batch.creates.push(new.clone());
            rewrite.old = Some(new);
        }
    }

    fn put_delete(&mut self, set: &RecordSet) -> usize {
        self.put(0, Cost::of_set(set), |batch| {
            batch.deletes.push(set.clone())
        })
    }

    fn put_change(&mut self, change: &Change) {
        let entry = Entry::Owned(change.from.key.clone());
        let earliest = self.entry_added_in.get(&entry).copied().unwrap_or(0);
        let (from, to) = (Cost::of_set(&change.from), Cost::of_set(&change.to));
        if from.plus(to).fits() {
            self.put(earliest, from.plus(to), |batch| {
                batch.deletes.push(change.from.clone());
                batch.creates.push(change.to.clone());
            });
            return;
        }
        // Old and new record set do not fit into one request together, so the old one is deleted in
        // one batch and the new one created in a later one.
        let deleted = self.put(earliest, from, |batch| {
            batch.deletes.push(change.from.clone())
        });
        self.put(deleted + 1, to, |batch| {
            batch.creates.push(change.to.clone())
        });
    }

    /// Puts a change into the first bin from `earliest` on that has room. Returns the bin's index.
    fn put(&mut self, earliest: usize, cost: Cost, fill: impl FnOnce(&mut ChangeBatch)) -> usize {
        let index = self.find_or_open(earliest, cost);
        let bin = &mut self.bins[index];
        bin.cost = bin.cost.plus(cost);
        fill(&mut bin.batch);
        index
    }

    fn find(&self, earliest: usize, cost: Cost) -> Option<usize> {
        (earliest..self.bins.len()).find(|index| self.bins[*index].cost.plus(cost).fits())
    }

    fn find_or_open(&mut self, earliest: usize, cost: Cost) -> usize {
        self.find(earliest, cost).unwrap_or_else(|| self.open())
    }

    fn open(&mut self) -> usize {
        self.bins.push(Bin::default());
        self.bins.len() - 1
    }

    fn finish(self) -> Vec<ChangeBatch> {
        let sorted = |mut bin: Bin| {
            bin.batch.sort();
            bin.batch
        };
        self.bins.into_iter().map(sorted).collect()
    }
}

/// Removes the items at these positions from a list and returns them.
fn split_off<T>(all: &mut Vec<T>, places: &BTreeSet<usize>) -> Vec<T> {
    let numbered = std::mem::take(all).into_iter().enumerate();
    let (out, left): (Vec<_>, Vec<_>) = numbered.partition(|(i, _)| places.contains(i));
    all.extend(left.into_iter().map(|(_, item)| item));
    out.into_iter().map(|(_, item)| item).collect()
}
