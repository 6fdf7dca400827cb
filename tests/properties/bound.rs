//! How few batches there can be: worked out from the zone before and after alone, without a
//! glance at how the program packs them.
//!
//! What any way must send: a DELETE and a CREATE of all that differs; of a state record that
//! loses entries, its old content and all that remains of it; a value for each new entry; and of
//! each state record that has room while there are new entries, its content twice, since they go
//! to the first with room.

use std::collections::{BTreeMap, BTreeSet};

use sim::route53 as aws;

use crate::run::{entries, opaque, others, owned, state_records};
use crate::world::Key;

const RECORDS: usize = 1_000;
const CHARACTERS: usize = 32_000;

/// Part of a request.
#[derive(Debug, Clone, Copy, Default)]
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

    /// Whether it takes more than 1/`part` of a request.
    fn is_more_than_one_in(self, part: usize) -> bool {
        self.records * part > RECORDS || self.characters * part > CHARACTERS
    }

    /// How many requests it fills.
    fn requests(self) -> usize {
        let records = self.records.div_ceil(RECORDS);
        records.max(self.characters.div_ceil(CHARACTERS))
    }
}

/// A state record before.
struct Record {
    entries: BTreeSet<Key>,
    is_short: bool,
    /// Its old content and what remains of it.
    rewriting: Cost,
    /// What remains of it.
    remains: Cost,
    must_be_written: bool,
}

/// The least number of batches that lead from one zone to the other.
pub fn least(before: &aws::Zone, after: &aws::Zone) -> usize {
    let mut total = Cost::default();
    let mut indivisible: Vec<Cost> = Vec::new();

    let (old, new) = (others(before), others(after));
    let mut created: BTreeMap<Key, Cost> = BTreeMap::new();
    for (id, to) in &new {
        match old.get(id) {
            None => {
                created.insert((id.0.clone(), id.1.clone()), Cost::of(&to.values));
            }
            Some(from) if from != to => {
                let change = Cost::of(&from.values).plus(Cost::of(&to.values));
                total = total.plus(change);
                if !change.is_more_than_one_in(1) {
                    indivisible.push(change);
                }
            }
            Some(_) => {}
        }
    }
    for (_, gone) in old.iter().filter(|(id, _)| !new.contains_key(*id)) {
        total = total.plus(Cost::of(&gone.values));
        indivisible.push(Cost::of(&gone.values));
    }

    let owned = owned(after);
    let mut times_listed: BTreeMap<Key, usize> = BTreeMap::new();
    for key in state_records(before).values().flat_map(entries) {
        *times_listed.entry(key).or_default() += 1;
    }
    let mut records: Vec<Record> = state_records(before)
        .values()
        .map(|set| Record::new(set, &owned, &times_listed))
        .collect();
    let mut new_entries: Vec<Cost> = Vec::new();
    for key in &owned {
        let entry = entry_cost(key);
        let listed: Vec<usize> = (0..records.len())
            .filter(|i| records[*i].entries.contains(key))
            .collect();
        let create = created.get(key);
        match &listed[..] {
            [] => {
                new_entries.push(entry);
                let create = create.copied().unwrap_or_default();
                total = total.plus(create).plus(entry);
                indivisible.push(create.plus(entry));
            }
            [only] if create.is_some() && records[*only].is_short => {
                records[*only].must_be_written = true;
                total = total.plus(*create.unwrap());
                indivisible.push(*create.unwrap());
            }
            _ => total = total.plus(create.copied().unwrap_or_default()),
        }
    }

    // New entries go to the first with room, at most so many.
    let longest = new_entries.iter().map(|c| c.characters).max().unwrap_or(0);
    let shortest = new_entries.iter().map(|c| c.characters).min().unwrap_or(1);
    let mut homeless = new_entries.len();
    for record in records.iter_mut().filter(|record| record.is_short) {
        let entries = 100 - record.remains.records;
        let characters = 6_000 - record.remains.characters;
        if homeless > 0 && entries > 0 && characters >= longest {
            record.must_be_written = true;
        }
        homeless = homeless.saturating_sub(entries.min(characters / shortest));
    }
    for record in records.iter().filter(|record| record.must_be_written) {
        total = total.plus(record.rewriting);
        if !record.rewriting.is_more_than_one_in(1) {
            indivisible.push(record.rewriting);
        }
        // Each batch with a missing record set of its own has to write it.
        let missing = |key: &&Key| created.contains_key(*key) && record.is_short;
        let is_elsewhere = |key: &&Key| {
            let listing = records.iter().filter(|other| other.entries.contains(*key));
            listing.count() > 1
        };
        let missing: Cost = record
            .entries
            .iter()
            .filter(|key| missing(key) && !is_elsewhere(key))
            .map(|key| created[key])
            .fold(Cost::default(), Cost::plus);
        let writes = missing
            .records
            .div_ceil(RECORDS - record.rewriting.records.min(RECORDS - 1));
        let again = writes.saturating_sub(1);
        total = total.plus(record.rewriting.times(again));
    }
    // A request holds at most k items of more than 1/(k+1) of it.
    let items = (1..20).map(|k| {
        let large = indivisible.iter().filter(|c| c.is_more_than_one_in(k + 1));
        let by_records = large
            .clone()
            .filter(|c| c.records * (k + 1) > RECORDS)
            .count();
        let by_characters = large
            .filter(|c| c.characters * (k + 1) > CHARACTERS)
            .count();
        by_records.max(by_characters).div_ceil(k)
    });
    let items = items.max().unwrap_or(0);
    eprintln!("VOL {} {} items {items}", total.records, total.characters);
    items.max(total.requests())
}

impl Record {
    fn new(
        set: &aws::RecordSet,
        owned: &BTreeSet<Key>,
        times_listed: &BTreeMap<Key, usize>,
    ) -> Record {
        let entries = entries(set);
        let old = Cost::of(&set.values);
        let is_short = old.records <= 100 && old.characters <= 6_000;
        let remains = entries
            .intersection(owned)
            // One that is too long needn't keep what another one lists as well.
            .filter(|key| is_short || times_listed[*key] == 1)
            .map(entry_cost)
            .fold(Cost::of(&opaque(set)), Cost::plus);
        Record {
            is_short,
            must_be_written: !entries.is_subset(owned),
            rewriting: old.plus(remains),
            remains,
            entries,
        }
    }
}

fn entry_cost((name, rtype): &Key) -> Cost {
    let suffix = if rtype == "AAAA" { " AAAA" } else { "" };
    Cost::of([&format!("\"{name}{suffix}\"")])
}
