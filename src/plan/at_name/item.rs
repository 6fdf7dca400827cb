//! One record set of a name: what is known of it, and what a plan does with it. Pure.

use std::borrow::Cow;

use crate::dns::zone::Listed;
use crate::dns::{Name, RecordKey, RecordSet};
use crate::plan::beside::{cant_be_beside, have_other_ttls};
use crate::plan::{Change, Conflict, ConflictReason, Plan, Policy};

/// A record set that is desired, owned or taken over.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    pub key: &'a RecordKey,
    pub wanted: Option<&'a RecordSet>,
    pub listed: Option<&'a Listed>,
    pub is_owned: bool,
    pub is_adopted: bool,
    /// The state record of another owner that lists it.
    pub elsewhere: Option<&'a Name>,
}

/// What has to happen to one record set.
pub enum Step<'a> {
    Nothing,
    Create(Cow<'a, RecordSet>),
    Change(&'a RecordSet, Cow<'a, RecordSet>),
    Delete(&'a RecordSet),
    /// Its entry goes.
    Release,
    /// It can't be written, because of what is there.
    Conflict(ConflictReason, Option<&'a RecordSet>),
    /// `POLICY` doesn't allow it.
    Forbidden,
}

impl<'a> Item<'a> {
    pub fn is_ours(&self) -> bool {
        self.is_owned || self.is_adopted
    }

    /// Whether it may be deleted for another one of ours.
    pub fn is_replaceable(&self) -> bool {
        self.is_ours() && self.elsewhere.is_none() && self.whole().is_some()
    }

    pub fn whole(&self) -> Option<&'a RecordSet> {
        self.listed.and_then(Listed::whole)
    }

    /// Whether this record set in the zone is what hinders another one that is wanted.
    pub fn is_in_the_way_of(&self, wanted: &RecordSet) -> bool {
        let listed = self.listed.filter(|_| *self.key != wanted.key);
        listed.is_some_and(|listed| cant_be_beside(wanted, self.key, listed).is_some())
    }

    /// Whether this record set can't be as it is once the other one is written.
    pub fn must_go_for(&self, written: &RecordSet) -> bool {
        let has_other_ttl =
            |set: &RecordSet| set.key != written.key && have_other_ttls(set, written);
        self.is_in_the_way_of(written) || self.whole().is_some_and(has_other_ttl)
    }

    /// Whether the policy, or somebody else, keeps it from being changed, or deleted if it isn't wanted.
    pub fn stays_as_it_is(&self, policy: Policy) -> bool {
        !self.is_replaceable() || policy.keeps(self.wanted.is_some())
    }

    /// What has to happen to a record set that another owner's state record lists: nothing to the
    /// record set, whoever else lists it. Two owners that both wrote it would never come to an end, and
    /// if both gave it up at the same time, nobody would own it.
    pub fn owned_elsewhere(&self, by: &Name) -> Step<'a> {
        let is_gone = self.listed.is_none();
        let current = self.whole();
        let is_right = match (self.wanted, current) {
            (Some(wanted), Some(current)) => wanted.is_satisfied_by(current),
            _ => false,
        };
        if self.wanted.is_some() && !(self.is_owned && is_right)
            || self.is_owned && !is_gone && !is_right
        {
            Step::Conflict(ConflictReason::OwnedElsewhere(by.clone()), current)
        } else if self.is_owned && is_gone {
            Step::Release
        } else {
            Step::Nothing
        }
    }

    pub fn add(&self, step: Step<'a>, policy: Policy, plan: &mut Plan) {
        let is_deleted = matches!(step, Step::Delete(_)) && policy == Policy::Sync;
        match is_deleted {
            true => plan.takes_over |= self.is_adopted,
            false => self.add_adopted(plan),
        }
        match step {
            Step::Nothing => {}
            Step::Create(set) => plan.creates.push(set.into_owned()),
            Step::Change(from, to) => plan.changes.push(Change {
                from: from.clone(),
                to: to.into_owned(),
            }),
            Step::Delete(set) if is_deleted => plan.deletes.push(set.clone()),
            Step::Delete(_) | Step::Forbidden => {
                plan.forbidden_by_policy += 1;
                self.release_missing(plan);
            }
            Step::Release => plan.releases.push(self.key.clone()),
            Step::Conflict(reason, found) => {
                plan.conflicts.push(Conflict {
                    key: self.key.clone(),
                    reason,
                    found: found.cloned(),
                });
                self.release_missing(plan);
            }
        }
    }

    /// What isn't there and can't be written needs no entry.
    fn release_missing(&self, plan: &mut Plan) {
        if self.is_owned && self.listed.is_none() {
            plan.releases.push(self.key.clone());
        }
    }

    /// It is taken over, if it is to be.
    pub fn add_adopted(&self, plan: &mut Plan) {
        plan.takes_over |= self.is_adopted;
        if self.is_adopted {
            plan.adopts.push(self.key.clone());
        }
    }

    /// It stays because what is to come in its place can't be written.
    pub fn add_predecessor(&self, plan: &mut Plan) {
        self.add_adopted(plan);
        plan.predecessors.push(self.key.clone());
    }
}
