//! A plan, sorted by what belongs together: each state record with what happens to it, entries
//! that need a place, and what depends on no state record.

use std::collections::{BTreeMap, BTreeSet};

use super::Cost;
use crate::base::sorted;
use crate::dns::RecordSet;
use crate::plan::state_records::{Entry, MOST_CHARACTERS, MOST_ENTRIES, StateRecords};
use crate::plan::{Change, Plan};

/// All that a plan asks for.
pub struct Work<'a> {
    /// The state records there are, by index: those that change, and those that have room.
    pub rewrites: Vec<Rewrite<'a>>,
    /// Entries for which a state record with room must be found: those of record sets that exist,
    /// then those that come with a CREATE, the largest first.
    pub adds: Vec<Add<'a>>,
    /// Record sets to delete that no state record lists.
    pub deletes: Vec<&'a RecordSet>,
    /// Record sets to change.
    pub changes: Vec<&'a Change>,
}

/// An entry that needs a place.
pub struct Add<'a> {
    /// What to write.
    pub entry: Entry,
    /// The record set to create in the same batch; none for one that exists.
    pub create: Option<&'a RecordSet>,
    /// Of the entry.
    pub entry_cost: Cost,
    /// Of both.
    pub cost: Cost,
}

impl<'a> Add<'a> {
    fn new(entry: Entry, create: Option<&'a RecordSet>) -> Add<'a> {
        let entry_cost = Cost::of_entry(&entry);
        let cost = entry_cost.plus(create.map(Cost::of).unwrap_or_default());
        Add {
            entry,
            create,
            entry_cost,
            cost,
        }
    }

    fn creating(set: &'a RecordSet) -> Add<'a> {
        Add::new(Entry::Owned(set.key.clone()), Some(set))
    }

    fn existing(entry: Entry) -> Add<'a> {
        Add::new(entry, None)
    }
}

/// What happens to one state record.
pub struct Rewrite<'a> {
    pub index: u16,
    /// As the zone has it; none if it is new.
    pub old: Option<RecordSet>,
    /// How many entries it has there.
    pub listed: usize,
    /// What stays of it in the end.
    pub kept: BTreeSet<Entry>,
    /// Record sets that it lists: to be deleted in the same batch as their entries.
    pub deletes: Vec<&'a RecordSet>,
    /// Record sets that it lists and that are missing: to be created in the same batch.
    pub creates: Vec<&'a RecordSet>,
    /// Longer than what we write, as another tool may leave it: nothing is added to it.
    pub is_too_long: bool,
    /// What it can't keep and what must be listed elsewhere by the time it is written.
    pub moved: Vec<Entry>,
}

impl Rewrite<'_> {
    /// A state record that doesn't exist yet.
    pub fn fresh(index: u16) -> Self {
        Rewrite {
            index,
            old: None,
            listed: 0,
            kept: BTreeSet::new(),
            deletes: Vec::new(),
            creates: Vec::new(),
            is_too_long: false,
            moved: Vec::new(),
        }
    }

    /// Whether it has to be written even if nothing is created, deleted or added.
    pub fn loses_entries(&self) -> bool {
        self.kept.len() < self.listed
    }

    /// Whether all that is to be deleted or created is in a batch.
    pub fn is_done(&self) -> bool {
        self.deletes.is_empty() && self.creates.is_empty()
    }

    /// Of its DELETE and of a CREATE of what stays.
    pub fn cost(&self) -> Cost {
        self.old_cost().plus(self.kept_cost())
    }

    fn old_cost(&self) -> Cost {
        self.old.as_ref().map(Cost::of).unwrap_or_default()
    }

    /// Of what stays, and of the entries of what is still to be deleted.
    pub fn kept_cost(&self) -> Cost {
        let kept: Cost = self.kept.iter().map(Cost::of_entry).sum();
        let deletes = self.deletes.iter();
        kept.plus(deletes.map(|set| Cost::of_entry_of(set)).sum())
    }

    /// What it lists once it is written, in Route 53's form.
    pub fn values(&self) -> BTreeSet<String> {
        let mut values: Vec<String> = self.kept.iter().map(Entry::value).collect();
        for set in &self.deletes {
            values.push(Entry::Owned(set.key.clone()).value());
        }
        sorted::set(values)
    }
}

impl<'a> Work<'a> {
    pub fn sort(plan: &'a Plan, state: &StateRecords) -> Work<'a> {
        let mut gone = sorted::set(&plan.releases);
        gone.extend(plan.deletes.iter().map(|set| &set.key));
        let mut deletes = by_state_record(&plan.deletes, state);
        let mut creates = by_state_record(&plan.creates, state);
        let lists_gone = sorted::set(gone.iter().flat_map(|key| state.listed_in(key)));

        let mut adds = Vec::new();
        let mut rewrites = Vec::new();
        for (index, old, entries) in state.records() {
            let changes = lists_gone.contains(&index) || creates.contains_key(&Some(index));
            if !changes && entries.len() >= MOST_ENTRIES {
                continue; // most of many state records are like this
            }
            let is_gone = |entry: &Entry| matches!(entry, Entry::Owned(key) if gone.contains(key));
            let mut rewrite = Rewrite {
                old: Some(old.clone()),
                listed: entries.len(),
                kept: sorted::set(entries.iter().filter(|entry| !is_gone(entry)).cloned()),
                deletes: deletes.remove(&Some(index)).unwrap_or_default(),
                creates: creates.remove(&Some(index)).unwrap_or_default(),
                ..Rewrite::fresh(index)
            };
            // Another tool's spelling may be shorter than ours.
            if !is_short(rewrite.old_cost()) || !is_short(rewrite.kept_cost()) {
                rewrite.shorten(state, &mut adds);
            }
            rewrites.push(rewrite);
        }
        let adopted = plan.adopts.iter().cloned().map(Entry::Owned);
        adds.extend(adopted.map(Add::existing));
        let unlisted_creates = creates.remove(&None).unwrap_or_default();
        adds.extend(unlisted_creates.into_iter().map(Add::creating));
        let (existing, creating): (Vec<_>, Vec<_>) =
            adds.into_iter().partition(|add| add.create.is_none());
        let mut adds = sorted::largest_first(existing, |add| add.cost.share());
        adds.extend(sorted::largest_first(creating, |add| add.cost.share()));
        Work {
            rewrites,
            adds,
            deletes: deletes.remove(&None).unwrap_or_default(),
            changes: plan.changes.iter().collect(),
        }
    }
}

/// Record sets by the first state record that lists them, the largest first.
fn by_state_record<'a>(
    sets: &'a [RecordSet],
    state: &StateRecords,
) -> BTreeMap<Option<u16>, Vec<&'a RecordSet>> {
    let mut sorted: BTreeMap<Option<u16>, Vec<&RecordSet>> = BTreeMap::new();
    for set in sets {
        sorted
            .entry(state.listed_in(&set.key).next())
            .or_default()
            .push(set);
    }
    for sets in sorted.values_mut() {
        *sets = sorted::largest_first(std::mem::take(sets), |set| Cost::of(set).share());
    }
    sorted
}

/// Whether a state record of this size is one that we write.
pub fn is_short(size: Cost) -> bool {
    size.is_within(MOST_ENTRIES, MOST_CHARACTERS)
}

impl<'a> Rewrite<'a> {
    /// Deals with a state record that another tool has made too long. It is left alone while
    /// nothing of it goes; when something does, what is too long moves elsewhere.
    fn shorten(&mut self, state: &StateRecords, adds: &mut Vec<Add<'a>>) {
        self.is_too_long = true;
        // What is to be created gets its entry elsewhere, so that this one needn't be written.
        let creates = self.creates.iter();
        let created = sorted::set(creates.map(|set| Entry::Owned(set.key.clone())));
        adds.extend(self.creates.drain(..).map(Add::creating));
        // One whose DELETE doesn't even fit into a request can't be written: it goes on listing
        // what is gone.
        if !self.loses_entries() || !self.old_cost().fits() {
            return;
        }
        let mut short = BTreeSet::new();
        let mut size = Cost::default();
        for entry in self.kept.difference(&created) {
            let larger = size.plus(Cost::of_entry(entry));
            if is_short(larger) && self.old_cost().plus(larger).fits() {
                size = larger;
                short.insert(entry.clone());
            }
        }
        // After a crash half-way, some have been written elsewhere already.
        let is_elsewhere = |entry: &Entry| match entry {
            Entry::Owned(key) => state.listed_in(key).any(|index| index > self.index),
            Entry::Foreign(_) => false,
        };
        let moved = self.kept.iter().filter(|entry| {
            !short.contains(entry) && !created.contains(entry) && !is_elsewhere(entry)
        });
        self.moved = moved.cloned().collect();
        adds.extend(self.moved.iter().cloned().map(Add::existing));
        self.kept = short;
    }
}
