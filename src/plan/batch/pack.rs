//! Fills the batches: first fit, the largest first, in an order that keeps what must come first
//! in front.

use std::collections::{BTreeMap, BTreeSet};

use super::rewrites::{Add, Rewrite, Work, is_short};
use super::{Cost, MOST_VALUE_CHARACTERS};
use crate::base::sorted;
use crate::dns::{ChangeBatch, RecordKey, RecordSet, RecordType};
use crate::plan::Change;
use crate::plan::state_records::{Entry, StateNames, StateRecords};

/// Makes the batches.
pub fn pack(
    work: Work<'_>,
    state: &StateRecords,
    names: &StateNames,
    ttl: u32,
) -> Vec<ChangeBatch> {
    let mut packer = Packer {
        bins: Vec::new(),
        added_in: BTreeMap::new(),
        names,
        ttl,
    };
    let Work {
        rewrites,
        mut adds,
        deletes,
        changes,
    } = work;
    // What is small fills the gaps that bulky changes leave. One of a record set that is being
    // taken over has to wait for its entry.
    let changes = sorted::largest_first(changes, |change| cost_of(change).share());
    let (bulky, changes): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| {
        cost_of(change).share() > MOST_VALUE_CHARACTERS / 4 && state.owns(&change.from.key)
    });
    for change in bulky {
        packer.put_change(change);
    }
    // Records that are too long come last: what they can't keep must be elsewhere by then.
    let (long, usual): (Vec<_>, Vec<_>) = rewrites.into_iter().partition(|r| r.is_too_long);
    for rewrite in usual {
        packer.place(rewrite, &mut adds, 0);
    }
    for index in (0..=u16::MAX).filter(|index| !state.is_taken(*index)) {
        if adds.is_empty() {
            break;
        }
        packer.place(Rewrite::fresh(index), &mut adds, 0);
    }
    for mut rewrite in long {
        let moved = rewrite.moved.iter();
        let moved_in = moved.filter_map(|entry| packer.added_in.get(entry));
        let mut earliest = moved_in.copied().max().unwrap_or(0);
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
    packer.finish()
}

fn cost_of(change: &Change) -> Cost {
    Cost::of(&change.from).plus(Cost::of(&change.to))
}

/// A batch that is being filled.
#[derive(Default)]
struct Bin {
    batch: ChangeBatch,
    cost: Cost,
}

/// What goes into a batch together with the write of a state record.
#[derive(Default, PartialEq, Eq)]
struct Load {
    /// Which of the record sets that it lists are deleted.
    deletes: BTreeSet<usize>,
    /// Which of them are created.
    creates: BTreeSet<usize>,
    /// Which additions it takes.
    adds: BTreeSet<usize>,
    /// Of all this and the state record.
    cost: Cost,
}

impl Load {
    /// As much as there is room for beside what a batch holds already; none if that is nothing.
    fn of(rewrite: &Rewrite<'_>, adds: &[Add<'_>], held: Cost) -> Option<Load> {
        let mut load = Load {
            cost: rewrite.cost(),
            ..Load::default()
        };
        let fits = |load: &Load, more: Cost| held.plus(load.cost).plus(more).fits();
        let mut length = rewrite.kept_cost();
        for (i, set) in rewrite.deletes.iter().enumerate() {
            let entry_cost = Cost::of_entry_of(set);
            let cost = load.cost.plus(Cost::of(set)).minus(entry_cost);
            // Without its entry, it may even take less.
            if held.plus(cost).fits() || cost.is_within(load.cost.records, load.cost.characters) {
                length = length.minus(entry_cost);
                load.cost = cost;
                load.deletes.insert(i);
            }
        }
        for (i, set) in rewrite.creates.iter().enumerate() {
            if fits(&load, Cost::of(set)) {
                load.cost = load.cost.plus(Cost::of(set));
                load.creates.insert(i);
            }
        }
        // Each time that it is written again, all of it is sent twice: what can wait does.
        let is_last = load.is_all_of(rewrite);
        for (i, add) in adds.iter().enumerate() {
            let may_wait = add.create.is_some(); // for an existing one's entry, other things wait
            let longer = length.plus(add.entry_cost);
            if (is_last || !may_wait) && is_short(longer) && fits(&load, add.cost) {
                length = longer;
                load.cost = load.cost.plus(add.cost);
                load.adds.insert(i);
            }
        }
        let is_of_use = if rewrite.is_done() {
            rewrite.loses_entries() || !load.adds.is_empty()
        } else {
            !load.deletes.is_empty() || !load.creates.is_empty()
        };
        (is_of_use && fits(&load, Cost::default())).then_some(load)
    }

    /// Whether nothing is left of a rewrite but additions, for which there may be room elsewhere.
    fn is_all_of(&self, rewrite: &Rewrite<'_>) -> bool {
        self.deletes.len() + self.creates.len() == rewrite.deletes.len() + rewrite.creates.len()
    }
}

struct Packer<'a> {
    bins: Vec<Bin>,
    /// In which bin the entry of a record set that exists already was written.
    added_in: BTreeMap<Entry, usize>,
    names: &'a StateNames,
    ttl: u32,
}

impl Packer<'_> {
    /// Places a state record's rewriting, in bin `earliest` or later, with all that depends on
    /// it and as many additions as it has room for. One with more to delete or to create again
    /// than a batch holds is written once for each batch, with new record sets in the last.
    fn place(&mut self, mut rewrite: Rewrite<'_>, adds: &mut Vec<Add<'_>>, mut earliest: usize) {
        while let Some(most) = Load::of(&rewrite, adds, Cost::default()) {
            // A batch with room for only some of it will do if that is worth writing the state
            // record once more for the rest.
            let least = 2 * rewrite.cost().share();
            let found = (earliest..self.bins.len()).find_map(|bin| {
                Load::of(&rewrite, adds, self.bins[bin].cost)
                    .filter(|load| {
                        let is_rest = !rewrite.is_done() && load.is_all_of(&rewrite);
                        is_rest || *load == most || load.cost.share() >= least
                    })
                    .map(|load| (bin, load))
            });
            let (bin, load) = found.unwrap_or_else(|| (self.open(), most));
            self.write(bin, load, &mut rewrite, adds);
            if rewrite.is_done() {
                return;
            }
            earliest = bin + 1;
        }
    }

    /// Writes a state record, with what needs that.
    fn write(
        &mut self,
        index: usize,
        load: Load,
        rewrite: &mut Rewrite<'_>,
        adds: &mut Vec<Add<'_>>,
    ) {
        let bin = &mut self.bins[index];
        bin.cost = bin.cost.plus(load.cost);
        for set in split_off(&mut rewrite.deletes, &load.deletes) {
            bin.batch.deletes.push(set.clone());
        }
        for set in split_off(&mut rewrite.creates, &load.creates) {
            bin.batch.creates.push(set.clone());
        }
        for add in split_off(adds, &load.adds) {
            match add.create {
                Some(set) => bin.batch.creates.push(set.clone()),
                None => {
                    self.added_in.insert(add.entry.clone(), index);
                }
            }
            rewrite.kept.insert(add.entry);
        }
        bin.batch.deletes.extend(rewrite.old.take());
        let values = rewrite.values();
        if !values.is_empty() {
            let key = RecordKey::new(self.names.name(rewrite.index), RecordType::Txt);
            let new = RecordSet {
                key,
                ttl: self.ttl,
                values,
            };
            bin.batch.creates.push(new.clone());
            rewrite.old = Some(new);
        }
    }

    fn put_delete(&mut self, set: &RecordSet) -> usize {
        self.put(0, Cost::of(set), |batch| batch.deletes.push(set.clone()))
    }

    fn put_change(&mut self, change: &Change) {
        let entry = Entry::Owned(change.from.key.clone());
        let earliest = self.added_in.get(&entry).copied().unwrap_or(0);
        let (from, to) = (Cost::of(&change.from), Cost::of(&change.to));
        if from.plus(to).fits() {
            self.put(earliest, from.plus(to), |batch| {
                batch.deletes.push(change.from.clone());
                batch.creates.push(change.to.clone());
            });
            return;
        }
        // Two record sets that together exceed a request: gone in one, back in a later one.
        let deleted = self.put(earliest, from, |batch| {
            batch.deletes.push(change.from.clone())
        });
        self.put(deleted + 1, to, |batch| {
            batch.creates.push(change.to.clone())
        });
    }

    /// Puts something into the first bin from `earliest` on that has room, and returns which.
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
        let sorted = |bin: Bin| {
            let ChangeBatch {
                mut deletes,
                mut creates,
            } = bin.batch;
            // Each key is there once, so it doesn't matter that equal ones would change places.
            for sets in [&mut deletes, &mut creates] {
                sets.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            }
            ChangeBatch { deletes, creates }
        };
        self.bins.into_iter().map(sorted).collect()
    }
}

/// Takes what is at these places out.
fn split_off<T>(all: &mut Vec<T>, places: &BTreeSet<usize>) -> Vec<T> {
    let numbered = std::mem::take(all).into_iter().enumerate();
    let (out, left): (Vec<_>, Vec<_>) = numbered.partition(|(i, _)| places.contains(i));
    all.extend(left.into_iter().map(|(_, item)| item));
    out.into_iter().map(|(_, item)| item).collect()
}
