//! Groups a plan by state record, before [`super::pack`] fills batches.
//!
//! In: a plan and the state records. Out: [`Work`], which has each state record with the changes
//! that must share a batch with its rewrite, the new entries, and the changes that depend on no
//! state record.

use std::collections::{BTreeMap, BTreeSet};

use super::Cost;
use crate::base::sorted;
use crate::dns::{RecordKey, RecordSet, Values};
use crate::plan::state_records::{Entry, Generation, MAX_CHARACTERS, MAX_ENTRIES, StateRecords};
use crate::plan::{Change, ClaimChange, Plan};

/// All changes of a plan, grouped.
#[derive(Clone)]
pub struct Work<'a> {
    /// Existing state records, sorted by index: those that change, and those that have room for new
    /// entries.
    pub rewrites: Vec<Rewrite<'a>>,
    /// Entries for which a state record with room must be found. First comes the claim, then those
    /// of existing record sets, then those with a CREATE, each group sorted by size with the
    /// largest first.
    pub new_entries: Vec<NewEntry<'a>>,
    /// Record sets to delete that no state record lists, such as those that are taken over.
    pub deletes: Vec<&'a RecordSet>,
    /// Record sets to change.
    pub changes: Vec<&'a Change>,
}

/// An entry that has to be added to a state record.
#[derive(Clone)]
pub struct NewEntry<'a> {
    /// The entry.
    pub entry: Entry,
    /// The record set to create in the same batch. `None` if the record set exists already.
    pub create: Option<&'a RecordSet>,
    /// Cost of the entry alone.
    pub entry_cost: Cost,
    /// Cost of the entry and the CREATE together.
    pub cost: Cost,
}

impl<'a> NewEntry<'a> {
    fn new(entry: Entry, create: Option<&'a RecordSet>) -> NewEntry<'a> {
        let entry_cost = Cost::of_entry(&entry);
        let cost = entry_cost.plus(create.map(Cost::of_set).unwrap_or_default());
        NewEntry {
            entry,
            create,
            entry_cost,
            cost,
        }
    }

    fn with_create(set: &'a RecordSet) -> NewEntry<'a> {
        NewEntry::new(Entry::Owned(set.key.clone()), Some(set))
    }

    fn of_existing(entry: Entry) -> NewEntry<'a> {
        NewEntry::new(entry, None)
    }

    /// Whether the state record with this index may list it.
    pub fn may_stand_in(&self, index: u16) -> bool {
        index > 0 || self.entry.is_for_forerunners()
    }

    /// Whether it lists a record set.
    pub fn is_owned(&self) -> bool {
        self.entry.is_owned()
    }

    /// Whether it is the claim, which has to be in the first batch.
    pub fn is_claim(&self) -> bool {
        self.entry.is_claim()
    }
}

/// A state record that has to be written, or may be, and the changes that must share a batch with
/// the write.
#[derive(Clone)]
pub struct Rewrite<'a> {
    /// Index of the state record, as in [`super::StateNames::name`].
    pub index: u16,
    /// The state record as it is in the zone. `None` if it is new.
    pub old: Option<RecordSet>,
    /// Its generation in the zone, or as it was last written.
    pub generation: Option<Generation>,
    /// Number of its entries in the zone.
    pub listed: usize,
    /// Entries that it has after the last write.
    pub kept: BTreeSet<Entry>,
    /// Record sets that it lists and that have to be deleted, in the same batch as their entries.
    pub deletes: Vec<&'a RecordSet>,
    /// Record sets that it lists but that are missing in the zone. They have to be created, in the
    /// same batch as a write of the state record.
    pub creates: Vec<&'a RecordSet>,
    /// Whether it is longer than this program writes it, as another tool may leave it. Then nothing
    /// is added to it.
    pub is_too_long: bool,
    /// Entries that do not fit into it or do not belong there. Another state record must list them
    /// by the time that this one is written.
    pub moved: Vec<Entry>,
}

impl Rewrite<'_> {
    /// The first write of a state record that does not exist yet.
    pub fn of_new_record(index: u16) -> Self {
        Rewrite {
            index,
            old: None,
            generation: None,
            listed: 0,
            kept: BTreeSet::new(),
            deletes: Vec::new(),
            creates: Vec::new(),
            is_too_long: false,
            moved: Vec::new(),
        }
    }

    /// Whether it has to be written to remove entries, even if nothing is created, deleted or
    /// added.
    pub fn loses_entries(&self) -> bool {
        self.kept.len() < self.listed
    }

    /// Whether all of its deletes and creates are in a batch.
    pub fn is_done(&self) -> bool {
        self.deletes.is_empty() && self.creates.is_empty()
    }

    /// Cost of replacing it: the DELETE of the old record set and the CREATE of the new one.
    pub fn cost(&self) -> Cost {
        self.old_cost().plus(self.kept_cost())
    }

    fn old_cost(&self) -> Cost {
        self.old.as_ref().map(Cost::of_set).unwrap_or_default()
    }

    /// Cost of the record set to write: of the entries that stay and of those whose record sets are
    /// still to be deleted.
    pub fn kept_cost(&self) -> Cost {
        let kept: Cost = self.kept.iter().map(Cost::of_entry).sum();
        let deletes = self.deletes.iter();
        let cost = kept.plus(deletes.map(|set| Cost::of_entry_for(set)).sum());
        match self.kept.iter().any(Entry::is_claim) && self.keeps_owned() {
            true => cost.without_value_of_claim(),
            false => cost,
        }
    }

    /// Whether it keeps an owned record set, behind which the claim can stand.
    pub fn keeps_owned(&self) -> bool {
        self.kept.iter().any(Entry::is_owned)
    }

    /// The values to write, in Route 53's form, and the generation to write them with; none if there
    /// is nothing to write. `fresh` is the generation of a state record that has had none.
    pub fn next_write(&mut self, fresh: Generation) -> Option<(Values, Generation)> {
        let deleted = self.deletes.iter().map(|set| Entry::Owned(set.key.clone()));
        let entries: BTreeSet<Entry> = sorted::set(self.kept.iter().cloned().chain(deleted));
        if entries.is_empty() {
            return None;
        }
        let next = self.generation.map_or(fresh, Generation::next);
        self.generation = Some(next);
        Some((Entry::values(&entries), next))
    }
}

impl<'a> Work<'a> {
    /// Groups a plan by state record.
    pub fn group(plan: &'a Plan, state: &StateRecords) -> Work<'a> {
        let deleted = plan.deletes.iter().map(|set| &set.key);
        let removed = sorted::set(plan.releases.iter().chain(deleted));
        let moves = sorted::set(&plan.moves);
        let mut deletes = by_state_record(&plan.deletes, state);
        let mut creates = by_state_record(&plan.creates, state);
        let changes_claim = plan.claim != ClaimChange::Keep;
        let is_removed = |entry: &Entry| match entry {
            Entry::Owned(key) => removed.contains(key),
            Entry::Claim(_) => changes_claim,
            Entry::Foreign(_) => false,
        };
        let is_moved = |key: &RecordKey| moves.contains(key);

        let mut new_entries = Vec::new();
        let mut rewrites = Vec::new();
        let losing_entries = sorted::set(removed.iter().flat_map(|key| state.listed_in(key)));
        for record in state.records() {
            let index = record.index;
            let is_changed = losing_entries.contains(&index)
                || creates.contains_key(&Some(index))
                || index == 0 && !moves.is_empty()
                || changes_claim && record.entries.iter().any(is_removed);
            if !is_changed && record.entries.len() >= MAX_ENTRIES {
                continue; // a full state record that does not change, as most are in a large zone
            }
            let entries = record.entries.iter();
            let mut rewrite = Rewrite {
                old: Some(record.set.clone()),
                generation: record.generation,
                listed: record.entries.len(),
                kept: sorted::set(entries.filter(|entry| !is_removed(entry)).cloned()),
                deletes: deletes.remove(&Some(index)).unwrap_or_default(),
                creates: creates.remove(&Some(index)).unwrap_or_default(),
                ..Rewrite::of_new_record(index)
            };
            if index == 0 && !moves.is_empty() {
                rewrite.move_out(&is_moved, state, &mut new_entries);
            }
            // Both lengths count, since another tool may spell entries shorter than this program.
            if !is_within_own_limits(rewrite.old_cost())
                || !is_within_own_limits(rewrite.kept_cost())
            {
                rewrite.shorten(state, &mut new_entries);
            }
            rewrites.push(rewrite);
        }
        let adopted = plan.adopts.iter().cloned().map(Entry::Owned);
        new_entries.extend(adopted.map(NewEntry::of_existing));
        let unlisted_creates = creates.remove(&None).unwrap_or_default();
        new_entries.extend(unlisted_creates.into_iter().map(NewEntry::with_create));
        Work {
            rewrites,
            new_entries: in_order(&plan.claim, new_entries),
            deletes: deletes.remove(&None).unwrap_or_default(),
            changes: plan.changes.iter().collect(),
        }
    }
}

/// The claim, if it is new, then entries of existing record sets, then those with a CREATE.
fn in_order<'a>(claim: &ClaimChange, new_entries: Vec<NewEntry<'a>>) -> Vec<NewEntry<'a>> {
    let (existing, creating): (Vec<_>, Vec<_>) = new_entries
        .into_iter()
        .partition(|add| add.create.is_none());
    let mut new_entries = Vec::new();
    if let ClaimChange::Write(claim) = claim {
        new_entries.push(NewEntry::of_existing(Entry::Claim(claim.clone())));
    }
    new_entries.extend(sorted::largest_first(existing, |add| add.cost.share()));
    new_entries.extend(sorted::largest_first(creating, |add| add.cost.share()));
    new_entries
}

/// Groups record sets by the first state record that lists them. Each group is sorted by size, with
/// the largest first.
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
        *sets = sorted::largest_first(std::mem::take(sets), |set| Cost::of_set(set).share());
    }
    sorted
}

/// Whether this program writes state records of this size.
pub fn is_within_own_limits(size: Cost) -> bool {
    size.is_within(MAX_ENTRIES, MAX_CHARACTERS)
}

impl<'a> Rewrite<'a> {
    /// Takes the entries that are to stand in other state records out of this one.
    fn move_out(
        &mut self,
        is_moved: &impl Fn(&RecordKey) -> bool,
        state: &StateRecords,
        new_entries: &mut Vec<NewEntry<'a>>,
    ) {
        let (creates, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.creates)
            .into_iter()
            .partition(|set| is_moved(&set.key));
        self.creates = rest;
        let created = sorted::set(creates.iter().map(|set| &set.key));
        let is_leaving = |entry: &Entry| matches!(entry, Entry::Owned(key) if is_moved(key));
        let (leaving, kept): (Vec<_>, Vec<_>) = std::mem::take(&mut self.kept)
            .into_iter()
            .partition(is_leaving);
        self.kept = sorted::set(kept);
        // One whose record set is created gets its new entry together with that.
        let stands_alone = |entry: &Entry| match entry {
            Entry::Owned(key) => !created.contains(key) && state.listed_in(key).count() == 1,
            Entry::Claim(_) | Entry::Foreign(_) => true,
        };
        self.moved = leaving.into_iter().filter(stands_alone).collect();
        new_entries.extend(self.moved.iter().cloned().map(NewEntry::of_existing));
        new_entries.extend(creates.into_iter().map(NewEntry::with_create));
    }

    /// Handles a state record that another tool has made too long. It is not written as long as all
    /// its entries stay. Once entries have to be removed, those that do not fit move to others.
    fn shorten(&mut self, state: &StateRecords, new_entries: &mut Vec<NewEntry<'a>>) {
        self.is_too_long = true;
        // Missing record sets get an entry in another state record, so that this one need not be
        // written for them.
        let creates = self.creates.iter();
        let created = sorted::set(creates.map(|set| Entry::Owned(set.key.clone())));
        new_entries.extend(self.creates.drain(..).map(NewEntry::with_create));
        // A state record whose DELETE does not fit into a request can never be written. It keeps
        // entries of record sets that no longer exist.
        if !self.loses_entries() || !self.old_cost().fits() {
            return;
        }
        let mut short = BTreeSet::new();
        let mut size = Cost::default();
        // What isn't ours stays where it is, so it comes first.
        let is_foreign = |entry: &&Entry| matches!(entry, Entry::Foreign(_));
        let (foreign, own): (Vec<&Entry>, Vec<&Entry>) =
            self.kept.difference(&created).partition(is_foreign);
        for entry in foreign.into_iter().chain(own) {
            let larger = size.plus(Cost::of_entry(entry));
            if is_within_own_limits(larger) && self.old_cost().plus(larger).fits() {
                size = larger;
                short.insert(entry.clone());
            }
        }
        // After a crash in the middle of this, some entries are in another state record already.
        let is_elsewhere = |entry: &Entry| match entry {
            Entry::Owned(key) => state.listed_in(key).any(|index| index > self.index),
            Entry::Claim(_) | Entry::Foreign(_) => false,
        };
        let moved = self.kept.iter().filter(|entry| {
            !short.contains(entry) && !created.contains(entry) && !is_elsewhere(entry)
        });
        let moved: Vec<Entry> = moved.cloned().collect();
        new_entries.extend(moved.iter().cloned().map(NewEntry::of_existing));
        self.moved.extend(moved);
        self.kept = short;
    }
}
