//! Turns a plan into change batches: as few as Route 53's limits allow, and in an order in which
//! the program may crash after any of them.
//!
//! Route 53 applies all of a batch or nothing. So some changes must share a batch, and some must
//! be in an earlier batch than others:
//!
//! - The CREATE of a record set shares a batch with the write of the state record that lists it.
//!   Then a crash never leaves a record set that nobody owns. And since the write is a
//!   compare-and-swap, a second instance cannot remove the entry in between.
//! - The DELETE of a record set shares a batch with the write that removes its entry. Otherwise a
//!   second instance, which still sees the entry, could create the record set again in between.
//!   There is one exception: if another tool has made the state record longer than this program
//!   writes it, the entry is removed in the same batch as the DELETE or in a later one.
//! - An entry that moves to another state record is added there in the same batch in which it is
//!   removed, or in an earlier one.
//! - A record set that changes is owned before and after. Its DELETE and CREATE share a batch, and
//!   it may be any batch. If the record set is being taken over, that batch is not before the one
//!   that adds its entry.
//!
//! - Record sets that can't be there together with those that come in their place share a batch with
//!   these, and with the entries of both.
//! - Each write of a state record has another generation, so an entry is removed only if nobody has
//!   written the state record since it was read: a compare-and-swap also where no record set goes
//!   with the entry.
//! - A state record that has lost its last entry is deleted, and another one is written in the same
//!   batch or before it, so that a reader who looks twice sees that something has happened.
//! - The claim of a Rancher server is in the first batch. Another server's first batch fails then,
//!   and it sees the claim.
//!
//! New entries go to the first state record that has room, those that the forerunners don't
//! understand to the first but one. A state record that was written in an
//! earlier batch of the same plan counts as full, since writing it twice costs more than starting
//! the next one. A state record that has to be written several times gets the entries of new
//! record sets the last time.
//!
//! `rewrites` groups a plan by state record, `pack` fills the batches, with as
//! much at a time as `load` says, `replace` adds the record sets that are replaced, and `trace` what
//! a state record that goes leaves behind.

mod load;
mod pack;
mod replace;
mod rewrites;
mod trace;

use crate::dns::{ChangeBatch, RecordSet};
use crate::plan::guard::ApprovedPlan;
use crate::plan::state_records::{Entry, StateNames, StateRecords};

/// `ResourceRecord` elements that Route 53 allows in one request.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests-changeresourcerecordsets>
pub const MAX_RECORDS: usize = 1_000;
/// Characters that Route 53 allows in all `Value` elements of one request together.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests-changeresourcerecordsets>
pub const MAX_VALUE_CHARACTERS: usize = 32_000;

/// Divides a plan into batches. They must be applied in this order, each only after Route 53 has
/// confirmed the one before. `random` is any number, another one at each call: generations of new
/// state records are made from it.
///
/// There may be no batch although the plan is not empty: a state record that is too long for any
/// request cannot be rewritten, so it keeps entries of record sets that no longer exist.
pub fn batches(
    approved: &ApprovedPlan,
    state: &StateRecords,
    names: &StateNames,
    random: u64,
) -> Vec<ChangeBatch> {
    let plan = approved.plan();
    if plan.is_empty() {
        return Vec::new(); // saves going through all state records
    }
    let work = rewrites::Work::group(plan, state);
    let writing = pack::Writing { names, random };
    let mut batches = pack::pack(&work, state, writing);
    if !plan.replacements.is_empty() {
        replace::add(&mut batches, &plan.replacements, state, writing);
    }
    trace::leave(&mut batches, state, writing);
    batches
}

/// Whether all of these batches together fit into one request.
pub fn fit_in_one_request<'a>(batches: impl IntoIterator<Item = &'a ChangeBatch>) -> bool {
    let sets = |batch: &'a ChangeBatch| batch.deletes.iter().chain(&batch.creates);
    let costs = batches.into_iter().flat_map(sets).map(Cost::of_set);
    costs.sum::<Cost>().fits()
}

/// How much of a request's limits something takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    records: usize,
    characters: usize,
}

impl Cost {
    fn of_set(set: &RecordSet) -> Cost {
        Cost {
            // An alias counts as one.
            records: set.values().len().max(1),
            characters: set.characters(),
        }
    }

    fn of_entry(entry: &Entry) -> Cost {
        let space = usize::from(entry.is_claim()); // in front of it, if it has no value of its own
        Cost {
            records: 1,
            characters: space + entry.value().chars().count(),
        }
    }

    /// This cost if the claim in it stands behind another entry, in the same value.
    fn without_value_of_claim(self) -> Cost {
        Cost {
            records: self.records - 1,
            ..self
        }
    }

    fn of_entry_for(set: &RecordSet) -> Cost {
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

    /// Whether it fits into one request.
    fn fits(self) -> bool {
        self.is_within(MAX_RECORDS, MAX_VALUE_CHARACTERS)
    }

    /// The part of a request that it takes, by the limit that is closer, in characters.
    fn share(self) -> usize {
        let records = self.records * (MAX_VALUE_CHARACTERS / MAX_RECORDS);
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
