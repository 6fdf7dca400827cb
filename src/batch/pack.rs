//! Fills the batches: first fit, in an order that keeps what must come first in front.

use std::collections::{BTreeMap, VecDeque};

use super::Cost;
use super::work::{Add, Rewrite, Work, is_short};
use crate::dns::{ChangeBatch, RecordKey, RecordSet, RecordType};
use crate::ownership::{Entry, State, StateNames};
use crate::plan::Change;

/// Makes the batches.
pub fn pack(work: Work<'_>, state: &State, names: &StateNames, ttl: u32) -> Vec<ChangeBatch> {
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
    // Records that are too long come last: what they can't keep must be elsewhere by then.
    let (long, usual): (Vec<_>, Vec<_>) = rewrites.into_iter().partition(|r| r.is_too_long);
    for rewrite in usual {
        if rewrite.is_needed() || !adds.is_empty() {
            packer.place(rewrite, &mut adds, 0);
        }
    }
    for index in (0..=u16::MAX).filter(|index| !state.is_taken(*index)) {
        if adds.is_empty() {
            break;
        }
        packer.place(Rewrite::fresh(index), &mut adds, 0);
    }
    let moved = packer.added_in.values().copied().max().unwrap_or(0);
    for rewrite in long.into_iter().filter(Rewrite::is_needed) {
        packer.place(rewrite, &mut VecDeque::new(), moved);
    }
    for set in deletes {
        packer.put(0, Cost::of(set), |batch| batch.deletes.push(set.clone()));
    }
    for change in changes {
        packer.put_change(change);
    }
    packer.finish()
}

/// A batch that is being filled.
#[derive(Default)]
struct Bin {
    batch: ChangeBatch,
    cost: Cost,
}

impl Bin {
    /// Takes the cost on if it fits.
    fn take(&mut self, cost: Cost) -> bool {
        let larger = self.cost.plus(cost);
        if larger.fits() {
            self.cost = larger;
        }
        larger.fits()
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
    /// it and as many additions as it has room for.
    fn place(&mut self, mut rewrite: Rewrite<'_>, adds: &mut VecDeque<Add<'_>>, earliest: usize) {
        let room = room(&rewrite, adds);
        if room == 0 && !rewrite.is_needed() {
            return;
        }
        let record = rewrite.old_cost().plus(rewrite.kept_cost());
        let creates: Cost = rewrite.creates.iter().map(|set| Cost::of(set)).sum();
        let deletes: Cost = rewrite.deletes.iter().map(|set| Cost::of(set)).sum();
        let added: Cost = adds.iter().take(room).map(Add::cost).sum();
        let whole = record.plus(creates).plus(deletes).plus(added);

        // The least that is worth writing it for.
        let least = |rewrite: &Rewrite<'_>, adds: &VecDeque<Add<'_>>| {
            let record = rewrite.old_cost().plus(rewrite.kept_cost());
            let add = adds.front().filter(|_| room > 0 && !rewrite.is_needed());
            let create = rewrite.creates.front().map(|set| Cost::of(set));
            record
                .plus(create.unwrap_or_default())
                .plus(add.map(Add::cost).unwrap_or_default())
        };

        // Together, if one batch has room for all of it, or a new one is needed anyway.
        let together = self.find(earliest, whole).or_else(|| {
            let needs_new = self.find(earliest, least(&rewrite, adds)).is_none();
            (needs_new && whole.fits()).then(|| self.open())
        });
        let mut bin = earliest;
        for set in rewrite.deletes.drain(..) {
            let fill = |batch: &mut ChangeBatch| batch.deletes.push(set.clone());
            bin = bin.max(self.put(together.unwrap_or(0), Cost::of(set), fill));
        }
        // One with more to create again than a batch holds is written once for each batch.
        loop {
            bin = together.unwrap_or_else(|| self.find_or_open(bin, least(&rewrite, adds)));
            self.write(bin, &mut rewrite, adds);
            if rewrite.creates.is_empty() {
                return;
            }
            bin += 1;
        }
    }

    /// Writes a state record into a bin that has room for it, with as much as fits of what
    /// needs that.
    fn write(&mut self, index: usize, rewrite: &mut Rewrite<'_>, adds: &mut VecDeque<Add<'_>>) {
        let room = room(rewrite, adds);
        let bin = &mut self.bins[index];
        bin.cost = bin.cost.plus(rewrite.old_cost()).plus(rewrite.kept_cost());
        while let Some(set) = rewrite.creates.pop_front_if(|set| bin.take(Cost::of(set))) {
            bin.batch.creates.push(set.clone());
        }
        for _ in 0..room {
            let Some(add) = adds.pop_front_if(|add| bin.take(add.cost())) else {
                break;
            };
            match add.create {
                Some(set) => bin.batch.creates.push(set.clone()),
                None => {
                    self.added_in.insert(add.entry.clone(), index);
                }
            }
            rewrite.kept.insert(add.entry);
        }
        bin.batch.deletes.extend(rewrite.old.take());
        if !rewrite.kept.is_empty() {
            let key = RecordKey::new(self.names.name(rewrite.index), RecordType::Txt);
            let values = rewrite.kept.iter().map(Entry::value).collect();
            let new = RecordSet {
                key,
                ttl: self.ttl,
                values,
            };
            bin.batch.creates.push(new.clone());
            rewrite.old = Some(new);
        }
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
            deletes.sort_by(|a, b| a.key.cmp(&b.key));
            creates.sort_by(|a, b| a.key.cmp(&b.key));
            ChangeBatch { deletes, creates }
        };
        self.bins.into_iter().map(sorted).collect()
    }
}

/// How many of the additions a state record has room for.
fn room(rewrite: &Rewrite<'_>, adds: &VecDeque<Add<'_>>) -> usize {
    if rewrite.is_too_long {
        return 0;
    }
    let mut size = rewrite.kept_cost();
    let fits = |add: &&Add<'_>| {
        size = size.plus(Cost::of_entry(&add.entry));
        is_short(size)
    };
    adds.iter().take_while(fits).count()
}
