//! What a plan does with one record set. Pure.

use crate::dns::zone::Listed;
use crate::dns::{RecordKey, RecordSet, Zone};
use crate::plan::guard::HeldDeletes;
use crate::plan::round::Preview;
use crate::plan::state_records::StateRecords;
use crate::plan::{ConflictReason, Plan, Replacement};

/// What a plan does with one record set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate<'a> {
    /// It is created.
    Created,
    /// It gets another TTL, other values or another target.
    Changed {
        /// What it is.
        from: &'a RecordSet,
        /// What it becomes.
        to: &'a RecordSet,
    },
    /// It is deleted.
    Deleted,
    /// It is deleted for another one of ours, in one batch.
    Replaced,
    /// No service asks for it, but it stays until what is to come in its place can be written.
    AwaitsSuccessor,
    /// The deletion guard lets its delete wait.
    Waits,
    /// It is gone, so its entry leaves the state records.
    Forgotten,
    /// Something else is in its place, or it can't be written.
    LeftAlone(&'a ConflictReason),
    /// It isn't ours, and no service wants one in its place.
    Foreign,
    /// It stays as it is, although services ask for something else: `POLICY` allows no change.
    UnchangedByPolicy,
    /// It stays, although no service asks for it: `POLICY` allows no delete.
    UndeletedByPolicy,
    /// It stays as it is.
    Kept,
}

impl Fate<'_> {
    /// A short name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Fate::Created => "create",
            Fate::Changed { .. } => "change",
            Fate::Replaced => "replace",
            Fate::AwaitsSuccessor => "kept_until_replaced",
            Fate::Deleted => "delete",
            Fate::Waits => "delete_waits",
            Fate::Forgotten => "release",
            Fate::LeftAlone(_) => "conflict",
            Fate::Foreign => "foreign",
            Fate::UnchangedByPolicy | Fate::UndeletedByPolicy => "kept_by_policy",
            Fate::Kept => "kept",
        }
    }

    /// Whether a round writes something for it, now or once a delete need no longer wait.
    pub fn is_change(&self) -> bool {
        match self {
            Fate::Created
            | Fate::Changed { .. }
            | Fate::Deleted
            | Fate::Replaced
            | Fate::Waits
            | Fate::Forgotten => true,
            Fate::LeftAlone(_)
            | Fate::AwaitsSuccessor
            | Fate::Foreign
            | Fate::UnchangedByPolicy
            | Fate::UndeletedByPolicy
            | Fate::Kept => false,
        }
    }
}

/// What there is to know before the fate of a record set can be told.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'a> {
    /// The plan, with the deletes that wait.
    pub plan: &'a Plan,
    /// The deletes that wait.
    pub held: Option<&'a HeldDeletes>,
    /// The zone for which it was made.
    pub zone: &'a Zone,
    /// The state records for which it was made.
    pub state: &'a StateRecords,
}

impl<'a> Outlook<'a> {
    /// What there is to know after a preview.
    pub fn of(preview: &'a Preview) -> Outlook<'a> {
        Outlook {
            plan: &preview.plan,
            held: preview.held.as_ref(),
            zone: &preview.zone,
            state: &preview.state,
        }
    }

    /// What becomes of the record set with this key, of which services want `wanted`. None if there is
    /// no such record set, now or then.
    pub fn fate(self, key: &RecordKey, wanted: Option<&RecordSet>) -> Option<Fate<'a>> {
        let Outlook {
            plan,
            held,
            zone,
            state,
        } = self;
        // Each list of a plan is sorted by key.
        let conflicts = &plan.conflicts;
        if let Ok(at) = conflicts.binary_search_by(|conflict| conflict.key.cmp(key)) {
            return Some(Fate::LeftAlone(&conflicts[at].reason));
        }
        let place = |sets: &[RecordSet]| sets.binary_search_by(|set| set.key.cmp(key)).ok();
        if place(&plan.creates).is_some() {
            return Some(Fate::Created);
        }
        let changes = &plan.changes;
        if let Ok(at) = changes.binary_search_by(|change| change.to.key.cmp(key)) {
            let change = &changes[at];
            return Some(Fate::Changed {
                from: &change.from,
                to: &change.to,
            });
        }
        if let Some(fate) = replacement(plan, key) {
            return Some(fate);
        }
        if place(&plan.deletes).is_some() {
            return Some(match held.is_some_and(|held| held.has(key)) {
                true => Fate::Waits,
                false => Fate::Deleted,
            });
        }
        let has = |keys: &[RecordKey]| keys.binary_search(key).is_ok();
        if has(&plan.releases) {
            return Some(Fate::Forgotten);
        }
        if has(&plan.predecessors) {
            return Some(Fate::AwaitsSuccessor);
        }
        let is_ours = state.owns(key) || has(&plan.adopts);
        Some(match (zone.get(key)?, wanted) {
            _ if !is_ours => Fate::Foreign,
            (Listed::Whole(current), Some(wanted)) if is_right(plan, wanted, current) => Fate::Kept,
            (_, Some(_)) => Fate::UnchangedByPolicy,
            (_, None) => Fate::UndeletedByPolicy,
        })
    }
}

/// What becomes of a record set that is in a replacement.
fn replacement<'a>(plan: &'a Plan, key: &RecordKey) -> Option<Fate<'a>> {
    // They are sorted by name, of which there may be several.
    let all = &plan.replacements;
    let start = all.partition_point(|replacement| replacement.name() < Some(&key.name));
    let of_name = all[start..].iter();
    let mut of_name = of_name.take_while(|replacement| replacement.name() == Some(&key.name));
    let find = |sets: &'a [RecordSet]| sets.iter().find(|set| set.key == *key);
    of_name.find_map(
        |Replacement { deletes, creates }| match (find(deletes), find(creates)) {
            (Some(from), Some(to)) => Some(Fate::Changed { from, to }),
            (None, Some(_)) => Some(Fate::Created),
            (Some(_), None) => Some(Fate::Replaced),
            (None, None) => None,
        },
    )
}

/// Whether a record set is as desired, or as near to that as those beside it allow.
fn is_right(plan: &Plan, wanted: &RecordSet, current: &RecordSet) -> bool {
    let others = &plan.other_ttls;
    match others.binary_search_by(|other| other.key.cmp(&wanted.key)) {
        Ok(at) => {
            let nearest = wanted.clone().with_ttl(others[at].used);
            nearest.is_satisfied_by(current)
        }
        Err(_) => wanted.is_satisfied_by(current),
    }
}

#[cfg(test)]
mod tests;
