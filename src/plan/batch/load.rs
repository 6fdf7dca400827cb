//! How much of a state record's changes fits into one batch.

use std::collections::BTreeSet;

use super::Cost;
use super::rewrites::{NewEntry, Rewrite, is_within_own_limits};

/// The changes that go into a batch together with one write of a state record.
#[derive(Default, PartialEq, Eq)]
pub struct Load {
    /// Positions in [`Rewrite::deletes`].
    pub deletes: BTreeSet<usize>,
    /// Positions in [`Rewrite::creates`].
    pub creates: BTreeSet<usize>,
    /// Positions in the list of all new entries.
    pub new_entries: BTreeSet<usize>,
    /// Cost of all these and of writing the state record.
    pub cost: Cost,
}

impl Load {
    /// As many changes as fit into a batch of which `used` is taken. `None` if the write of the
    /// state record does not fit, or would bring the plan no further.
    pub fn fitting(
        rewrite: &Rewrite<'_>,
        new_entries: &[NewEntry<'_>],
        used: Cost,
    ) -> Option<Load> {
        let mut load = Load {
            cost: rewrite.cost(),
            ..Load::default()
        };
        let fits = |load: &Load, more: Cost| used.plus(load.cost).plus(more).fits();
        let mut length = rewrite.kept_cost();
        let claim = load.add_claim(rewrite, new_entries, used);
        length = length.plus(claim);
        for (i, set) in rewrite.deletes.iter().enumerate() {
            let entry_cost = Cost::of_entry_for(set);
            let cost = load.cost.plus(Cost::of_set(set)).minus(entry_cost);
            // The entry's removal may save more than the DELETE takes.
            if used.plus(cost).fits() || cost.is_within(load.cost.records, load.cost.characters) {
                length = length.minus(entry_cost);
                load.cost = cost;
                load.deletes.insert(i);
            }
        }
        for (i, set) in rewrite.creates.iter().enumerate() {
            if fits(&load, Cost::of_set(set)) {
                load.cost = load.cost.plus(Cost::of_set(set));
                load.creates.insert(i);
            }
        }
        // Each write sends the whole state record twice, so new entries that can wait are added
        // only at the last write.
        let is_last = load.completes(rewrite);
        let others = new_entries.iter().enumerate();
        for (i, new_entry) in others.filter(|(_, add)| !add.is_claim()) {
            if !new_entry.may_stand_in(rewrite.index) {
                continue;
            }
            // A change of an existing record set may be waiting for its entry.
            let may_wait = new_entry.create.is_some();
            let longer = length.plus(new_entry.entry_cost);
            if (is_last || !may_wait) && is_within_own_limits(longer) && fits(&load, new_entry.cost)
            {
                length = longer;
                load.cost = load.cost.plus(new_entry.cost);
                load.new_entries.insert(i);
            }
        }
        let mut added = load.new_entries.iter().map(|i| &new_entries[*i]);
        if claim != Cost::default() && (rewrite.keeps_owned() || added.any(NewEntry::is_owned)) {
            load.cost = load.cost.without_value_of_claim();
        }
        let is_of_use = if rewrite.is_done() {
            rewrite.loses_entries() || !load.new_entries.is_empty()
        } else {
            !load.deletes.is_empty() || !load.creates.is_empty()
        };
        (is_of_use && fits(&load, Cost::default())).then_some(load)
    }

    /// Adds the claim, if it is among the new entries and this state record may hold it. Returns its
    /// cost, or none. It comes before anything else, since it has to be in the first batch.
    fn add_claim(
        &mut self,
        rewrite: &Rewrite<'_>,
        new_entries: &[NewEntry<'_>],
        used: Cost,
    ) -> Cost {
        let mut all = new_entries.iter().enumerate();
        let Some((i, claim)) = all.find(|(_, add)| add.is_claim()) else {
            return Cost::default();
        };
        let may_stand = claim.may_stand_in(rewrite.index) && !rewrite.is_too_long;
        let is_short = is_within_own_limits(rewrite.kept_cost().plus(claim.cost));
        if !may_stand || !is_short || !used.plus(self.cost).plus(claim.cost).fits() {
            return Cost::default();
        }
        self.cost = self.cost.plus(claim.cost);
        self.new_entries.insert(i);
        claim.cost
    }

    /// Whether it has all deletes and creates of a rewrite.
    pub fn completes(&self, rewrite: &Rewrite<'_>) -> bool {
        self.deletes.len() + self.creates.len() == rewrite.deletes.len() + rewrite.creates.len()
    }
}
