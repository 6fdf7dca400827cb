//! Plan → change batches, as few as Route 53's limits allow, each safe to be the last one.
//!
//! A batch is all or nothing, so the questions are what must share one and what must come first:
//!
//! - A CREATE shares a batch with a write of the state record that lists it. Then no crash leaves
//!   a record set that nobody owns; and since that write is a compare-and-swap, no second
//!   instance can drop the entry in between.
//! - So does a DELETE: in between, a second instance could make the record set anew for the sake of
//!   its entry. Only where the state record is longer than what we write does the entry go in the
//!   same batch as the DELETE, or a later one.
//! - An entry that moves to another state record is written there in the same batch as it is
//!   removed, or an earlier one.
//! - A changed record set is ours before and after: its DELETE and CREATE may go anywhere, but
//!   stay together; and after the entry, if it is just being taken over.
//!
//! New entries go to the first state record with room. One that has been written in an earlier
//! batch of the same plan counts as full: writing it twice would cost more than the next one. One
//! that has to be written several times gets those of new record sets the last time.
//!
//! `work` sorts a plan by what belongs together, `pack` fills the batches.

mod pack;
mod rewrites;

use crate::dns::{ChangeBatch, RecordSet};
use crate::plan::guard::ApprovedPlan;
use crate::plan::state_records::{Entry, StateNames, StateRecords};

/// Most `ResourceRecord` elements in a request.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests-changeresourcerecordsets>
pub const MOST_RECORDS: usize = 1_000;
/// Most characters over all `Value`s in a request. Same source.
pub const MOST_VALUE_CHARACTERS: usize = 32_000;

/// Cuts a plan into batches. They are to be applied in this order, each only if the one before
/// it was. `ttl` is that of the state records, in seconds.
///
/// There may be none although the plan isn't empty: a state record that is too long for any
/// request can't be rewritten, so it goes on listing what is gone.
pub fn batches(
    approved: &ApprovedPlan,
    state: &StateRecords,
    names: &StateNames,
    ttl: u32,
) -> Vec<ChangeBatch> {
    let plan = approved.plan();
    if plan.is_empty() {
        return Vec::new(); // without a look at every state record
    }
    pack::pack(rewrites::Work::sort(plan, state), state, names, ttl)
}

/// What a change takes of a request's limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    records: usize,
    characters: usize,
}

impl Cost {
    fn of(set: &RecordSet) -> Cost {
        Cost {
            records: set.values.len(),
            characters: set.characters(),
        }
    }

    fn of_entry(entry: &Entry) -> Cost {
        Cost {
            records: 1,
            characters: entry.value().chars().count(),
        }
    }

    fn of_entry_of(set: &RecordSet) -> Cost {
        Cost::of_entry(&Entry::Owned(set.key.clone()))
    }

    fn plus(self, other: Cost) -> Cost {
        Cost {
            records: self.records + other.records,
            characters: self.characters + other.characters,
        }
    }

    fn minus(self, other: Cost) -> Cost {
        Cost {
            records: self.records - other.records,
            characters: self.characters - other.characters,
        }
    }

    fn is_within(self, records: usize, characters: usize) -> bool {
        self.records <= records && self.characters <= characters
    }

    /// Whether one request can hold it.
    fn fits(self) -> bool {
        self.is_within(MOST_RECORDS, MOST_VALUE_CHARACTERS)
    }

    /// How much of a request it takes, of the two limits the one that it is closer to, in
    /// characters.
    fn share(self) -> usize {
        let records = self.records * (MOST_VALUE_CHARACTERS / MOST_RECORDS);
        records.max(self.characters)
    }
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Cost>>(costs: I) -> Cost {
        costs.fold(Cost::default(), Cost::plus)
    }
}

#[cfg(test)]
mod tests;
