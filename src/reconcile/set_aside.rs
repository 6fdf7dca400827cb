//! What a round does with the record sets of a batch that Route 53 has refused.

use crate::base::log;
use crate::desired::Desired;
use crate::dns::{ChangeBatch, RecordKey, SharedText};
use crate::plan::quarantine::{Bisection, Suspects, suspects};
use crate::plan::state_records::StateNames;
use crate::reconcile::{Goal, Reconciler};

impl Reconciler {
    /// Finds out what is bad in a refused batch, or has a part of it tried without the rest, or the same
    /// with less in it. Returns what is found to be bad so far; none if nothing can be.
    pub(super) fn set_aside(
        &mut self,
        batch: &ChangeBatch,
        messages: &[String],
        misses_health_check: bool,
        goal: Goal<'_>,
        names: &StateNames,
        trials: &mut Bisection,
    ) -> Option<Vec<Suspects>> {
        if trials.leave_claim_out(batch, messages) {
            return Some(Vec::new());
        }
        let desired = &goal.desired.record_sets;
        if misses_health_check {
            let lost = self.lost_checks.learn(batch, messages, desired);
            if says_lost(&lost) && trials.try_again() {
                return Some(Vec::new());
            }
        }
        let is_state_record = |key: &RecordKey| names.index_of(key).is_some();
        let groups = suspects(batch, messages, is_state_record);
        if groups.is_empty() {
            return None;
        }
        let bad = groups.into_iter().filter_map(|group| trials.split(group));
        let mut bad: Vec<Suspects> = bad.collect();
        if misses_health_check {
            bad.retain(|group| {
                let lost = self.lost_checks.learn_unnamed(batch, &group.keys, desired);
                !(says_lost(&lost) && trials.try_again())
            });
        }
        Some(bad)
    }

    /// Keeps record sets out of later batches.
    pub(super) fn put_into_quarantine(&mut self, bad: Vec<Suspects>, desired: &Desired) {
        for group in bad {
            for key in group.keys {
                let wanted = desired.record_sets.get(&key);
                self.quarantine.add(key, wanted, group.words.clone());
            }
        }
    }
}

/// Logs that record sets go without these health checks. False if there are none.
fn says_lost(lost: &[SharedText]) -> bool {
    for id in lost {
        log::warn(
            "a health check that somebody attached to record sets doesn't exist any more, so they go \
             without it",
            &[("health_check", id)],
        );
    }
    !lost.is_empty()
}
