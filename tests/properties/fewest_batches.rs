//! How few batches there can be: worked out from the zone before and after alone, without a
//! glance at how the program packs them.
//!
//! What any way must send: a DELETE and a CREATE of all that differs; of a state record that
//! loses entries, its old content and all that remains of it; a value for each new entry, and for
//! each that comes with a CREATE; and of each state record that has room while there are new entries,
//! or that alone lists what is missing, its content twice, and again for each further batch of what it
//! alone lists.

mod replacements;

use std::collections::{BTreeMap, BTreeSet};

use sim::route53 as aws;

use crate::generators::{Key, is_for_first};
use crate::mixed;
use crate::run::{entries, opaque, others, owned, state_records};

use replacements::after_the_rest;
pub use replacements::fits_at_once;

const RECORDS: usize = 1_000;
const CHARACTERS: usize = 32_000;

/// Part of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Cost {
    records: usize,
    characters: usize,
}

impl Cost {
    fn of<'a>(values: impl IntoIterator<Item = &'a String>) -> Cost {
        values.into_iter().fold(Cost::default(), |sum, value| Cost {
            records: sum.records + 1,
            characters: sum.characters + value.chars().count(),
        })
    }

    /// An alias counts as one record.
    fn of_set(set: &aws::RecordSet) -> Cost {
        let cost = Cost::of(&set.values);
        Cost {
            records: cost.records.max(1),
            ..cost
        }
    }

    fn plus(self, other: Cost) -> Cost {
        Cost {
            records: self.records + other.records,
            characters: self.characters + other.characters,
        }
    }

    fn times(self, factor: usize) -> Cost {
        Cost {
            records: self.records * factor,
            characters: self.characters * factor,
        }
    }

    fn fits(self) -> bool {
        self.records <= RECORDS && self.characters <= CHARACTERS
    }

    fn share(self) -> usize {
        (self.records * CHARACTERS / RECORDS).max(self.characters)
    }

    /// How many requests it fills.
    fn requests(self) -> usize {
        let records = self.records.div_ceil(RECORDS);
        records.max(self.characters.div_ceil(CHARACTERS))
    }
}

/// What has to be sent.
#[derive(Default)]
struct Load {
    total: Cost,
    /// Of which each of these goes in one request.
    whole: Vec<Cost>,
    /// Whose change is a part of one of these, or would be, if one request held it.
    replaced: BTreeSet<Key>,
    /// Of how many names one request doesn't.
    divided: usize,
}

impl Load {
    /// Adds what goes in one request, unless that is a part of what replaces others.
    fn add_part(&mut self, key: &Key, cost: Cost) {
        match self.replaced.contains(key) {
            true => self.add(cost),
            false => self.add_whole(cost),
        }
    }

    fn add(&mut self, cost: Cost) {
        self.total = self.total.plus(cost);
    }

    /// Adds something that goes in one request, unless it is too much for any.
    fn add_whole(&mut self, cost: Cost) {
        self.add(cost);
        if cost.fits() {
            self.whole.push(cost);
        }
    }
}

/// A state record before.
struct Record {
    index: u16,
    /// Without those that don't belong into the first state record: they leave it for another one, and
    /// are as good as new there.
    entries: BTreeSet<Key>,
    /// One that we write; a longer one is another tool's.
    is_short: bool,
    old: Cost,
    /// Entries that it surely keeps if it is written. One that is too long needn't keep what another
    /// one lists as well.
    kept: BTreeSet<Key>,
    /// What remains of it.
    remains: Cost,
    must_be_written: bool,
}

/// Asserts that the batches are within 1.25 of the least there can be, or one more, and gives that
/// least. One more, since whether two requests can hold what three do is bin packing, in two
/// dimensions: to be always right about that, or within less than 1.5, takes a search that no
/// program should start. Where there are many requests, one more is little.
pub fn check(took: usize, before: &aws::Zone, after: &aws::Zone) -> usize {
    let least = least(before, after);
    assert!(took >= least, "{took} batches, but {least} is the least");
    // Entries that have to leave the first state record are not in the bound.
    let first = state_records(before).remove(&0);
    let is_moving = first.is_some_and(|first| !entries(&first).iter().all(is_for_first));
    let mut more = if is_moving { 3 } else { 1 };
    more += after_the_rest(before, after);
    assert!(
        took <= least * 5 / 4 + more,
        "{took} batches, though {least} might do"
    );
    least
}

/// The least number of batches that lead from one zone to the other.
fn least(before: &aws::Zone, after: &aws::Zone) -> usize {
    let mut load = Load::of_replacements(before, after);
    let (old, new) = (others(before), others(after));
    let mut created: BTreeMap<Key, Cost> = BTreeMap::new();
    for (key, to) in &new {
        match old.get(key) {
            None => {
                created.insert(key.clone(), Cost::of_set(to));
            }
            Some(from) if from != to => {
                load.add_part(key, Cost::of_set(from).plus(Cost::of_set(to)));
            }
            Some(_) => {}
        }
    }
    let mut deleted: BTreeMap<Key, Cost> = BTreeMap::new();
    for (key, gone) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        let cost = Cost::of_set(gone);
        load.add_part(key, cost);
        deleted.insert(key.clone(), cost);
    }

    let owned = owned(after);
    let mut records = Record::all(before, &owned);
    must_be_written(&mut records, &created, &owned);
    for key in &owned {
        let mut listing = records.iter().filter(|r| r.entries.contains(key));
        let create = created.get(key);
        // All that list it are written anew: at least one of them, or a new one, has it then.
        let is_rewritten = listing.clone().all(|record| record.must_be_written);
        let is_counted = listing.any(|record| record.must_be_written && record.kept.contains(key));
        match create {
            Some(create) if is_counted => load.add_part(key, *create),
            // It shares the batch with a write of its entry.
            Some(create) => load.add_part(key, create.plus(entry_cost(key))),
            None if is_rewritten && !is_counted => load.add_whole(entry_cost(key)),
            None => {}
        }
    }
    let mut least = 0;
    for record in records.iter().filter(|record| record.must_be_written) {
        if record.is_short {
            load.add_whole(record.rewriting());
        } else {
            // What remains of it may go to several others.
            load.add_whole(record.old);
            load.add(record.remains);
        }
        // Each batch that creates or deletes a record set of its own has to write it.
        let is_elsewhere = |key: &&Key| {
            let listing = records.iter().filter(|other| other.entries.contains(*key));
            listing.count() > 1
        };
        let its_own: Vec<Cost> = record
            .entries
            .iter()
            .filter(|key| record.is_short && !is_elsewhere(key))
            .filter_map(|key| created.get(key).or(deleted.get(key)).copied())
            .collect();
        let writes = least_requests(&its_own, record.once_more());
        load.add(record.once_more().times(writes.saturating_sub(1)));
        least = least.max(writes);
    }
    let Load {
        total, mut whole, ..
    } = load;
    least = least.max(least_requests(&whole, Cost::default()));
    least = least.max(total.requests());
    whole.sort_by_key(|item| std::cmp::Reverse(item.share()));
    while least < whole.len() && !may_fit(&whole, least) {
        least += 1;
    }
    least
}

/// Marks the state records that can't stay as they are, besides those that lose entries.
fn must_be_written(records: &mut [Record], created: &BTreeMap<Key, Cost>, owned: &BTreeSet<Key>) {
    // Those of A record sets go to the first state record, which may be a new one, the others to the
    // further ones.
    let (mut of_a, mut of_others) = (Vec::new(), Vec::new());
    for key in owned {
        let mut listing = records.iter_mut().filter(|r| r.entries.contains(key));
        match (listing.next(), listing.next()) {
            (None, _) if is_for_first(key) => of_a.push(entry_cost(key)),
            (None, _) => of_others.push(entry_cost(key)),
            // With a CREATE of what it alone lists.
            (Some(only), None) => {
                only.must_be_written |= only.is_short && created.contains_key(key);
            }
            (Some(_), Some(_)) => {}
        }
    }
    if records.iter().any(|record| record.index == 0) {
        take_new_entries(records.iter_mut(), &of_a);
    }
    let further = records.iter_mut().filter(|record| record.index > 0);
    take_new_entries(further, &of_others);
}

/// Marks the state records that new entries make longer: the first with room, at most so many.
fn take_new_entries<'a>(records: impl Iterator<Item = &'a mut Record>, new_entries: &[Cost]) {
    let longest = new_entries.iter().map(|c| c.characters).max().unwrap_or(0);
    let shortest = new_entries.iter().map(|c| c.characters).min().unwrap_or(1);
    let mut homeless = new_entries.len();
    // What is released counts for one that is short only here, since that depends on when it goes.
    let room = |record: &&mut Record| is_short(record.old) && is_short(record.remains);
    for record in records.filter(room) {
        let entries = 100 - record.remains.records;
        let characters = 6_000 - record.remains.characters;
        if homeless > 0 && entries > 0 && characters >= longest {
            record.must_be_written |= record.is_short;
        }
        homeless = homeless.saturating_sub(entries.min(characters / shortest));
    }
}

/// Most steps of the search below.
const PATIENCE: usize = 20_000;

/// Whether so many requests may hold these, the largest first: false only if all ways to do it
/// have been tried in vain.
fn may_fit(items: &[Cost], requests: usize) -> bool {
    fn place(items: &[Cost], bins: &mut [Cost], steps: &mut usize) -> bool {
        let Some((item, rest)) = items.split_first() else {
            return true;
        };
        *steps += 1;
        if *steps > PATIENCE {
            return true;
        }
        for i in 0..bins.len() {
            let filled = bins[i].plus(*item);
            // Two that are equally full are as good as each other.
            if filled.fits() && !bins[..i].contains(&bins[i]) {
                let before = std::mem::replace(&mut bins[i], filled);
                if place(rest, bins, steps) {
                    return true;
                }
                bins[i] = before;
            }
        }
        false
    }
    place(items, &mut vec![Cost::default(); requests], &mut 0)
}

/// How many requests these fill if so much of each is taken already: by what they are together,
/// and since each holds at most k items of more than 1/(k+1) of its room.
fn least_requests(items: &[Cost], taken: Cost) -> usize {
    let least = |limit: usize, sizes: Vec<usize>| {
        let larger = |k: usize| sizes.iter().filter(|size| *size * (k + 1) > limit).count();
        let by_number = (1..20).map(|k| larger(k).div_ceil(k)).max();
        let total: usize = sizes.iter().sum();
        by_number.unwrap_or(0).max(total.div_ceil(limit))
    };
    let records = items.iter().map(|item| item.records).collect();
    let characters = items.iter().map(|item| item.characters).collect();
    least(RECORDS.saturating_sub(taken.records).max(1), records).max(least(
        CHARACTERS.saturating_sub(taken.characters).max(1),
        characters,
    ))
}

impl Record {
    fn all(before: &aws::Zone, owned: &BTreeSet<Key>) -> Vec<Record> {
        let sets = state_records(before);
        let mut times_listed: BTreeMap<Key, usize> = BTreeMap::new();
        for key in sets.values().flat_map(entries) {
            *times_listed.entry(key).or_default() += 1;
        }
        sets.iter()
            .map(|(index, set)| Record::new(*index, set, owned, &times_listed))
            .collect()
    }

    fn new(
        index: u16,
        set: &aws::RecordSet,
        owned: &BTreeSet<Key>,
        times_listed: &BTreeMap<Key, usize>,
    ) -> Record {
        let entries = entries(set);
        let entries_cost = |entries: &BTreeSet<Key>| {
            let entries = entries.iter().map(entry_cost);
            entries.fold(Cost::default(), Cost::plus)
        };
        let (old, not_ours) = (Cost::of(&set.values), Cost::of(&opaque(set)));
        // Ours may be the longer spelling.
        let is_short = is_short(old) && is_short(not_ours.plus(entries_cost(&entries)));
        // What isn't ours moves away from one that is too long, perhaps to where the same is already.
        let stays = if is_short { not_ours } else { Cost::default() };
        let mut entries = entries;
        entries.retain(|key| index > 0 || is_for_first(key));
        let kept = entries.intersection(owned);
        let kept: BTreeSet<Key> = kept
            .filter(|key| is_short || times_listed[*key] == 1)
            .cloned()
            .collect();
        Record {
            index,
            is_short,
            old,
            must_be_written: !entries.is_subset(owned),
            remains: stays.plus(entries_cost(&kept)),
            kept,
            entries,
        }
    }

    /// Its old content and what remains of it.
    fn rewriting(&self) -> Cost {
        self.old.plus(self.remains)
    }

    /// What writing it again takes: by then it holds only what remains of it.
    fn once_more(&self) -> Cost {
        let (twice, first) = (self.remains.times(2), self.rewriting());
        Cost {
            records: twice.records.min(first.records),
            characters: twice.characters.min(first.characters),
        }
    }
}

/// Whether a state record of this size is one that we write.
fn is_short(size: Cost) -> bool {
    size.records <= 100 && size.characters <= 6_000
}

fn entry_cost(key: &Key) -> Cost {
    Cost::of([&mixed::entry(key)])
}
