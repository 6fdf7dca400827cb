//! Finds out which record sets Route 53 refuses, and keeps them out of later batches. Pure.
//!
//! Route 53 applies all of a batch or nothing, so one bad record set would hold back all others in
//! its batch. Its error messages are sentences for people. Where a message mentions a record set,
//! that one is put into [`Quarantine`]. Where it mentions none, [`Bisection`] has halves of the
//! batch tried, and halves of those. A batch that IAM denies names none: see [`denied`].

pub mod denied;
pub(super) mod mentions;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::sorted;
use crate::dns::{ChangeBatch, RecordKey, RecordSet, RecordType};
use crate::plan::Conflict;
use crate::plan::guard::{ApprovedPlan, HeldDeletes};
use mentions::{mentions_key, mentions_value};

/// How many groups of a refused batch one round tries. Finding one bad record set in a full batch
/// takes twenty trials if no message mentions it. Groups that are refused after the last trial go
/// into quarantine as they are, good record sets with bad ones, so that all others go on.
const MAX_TRIALS: usize = 100;

/// A record set that is left as it is, because Route 53 refuses its change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Key of the record set.
    pub key: RecordKey,
    /// Route 53's error message.
    pub words: String,
}

/// The record sets in quarantine. Each stays until something else is desired for it, or until a round
/// that tries it again has ended.
#[derive(Debug, Default)]
pub struct Quarantine {
    cases: BTreeMap<RecordKey, Case>,
}

#[derive(Debug)]
struct Case {
    /// What was desired when Route 53 refused it. `None` if the record set was to be deleted.
    desired: Option<RecordSet>,
    words: String,
    /// Whether it is tried again. Until then it counts as refused, since a round may end early.
    is_retried: bool,
}

impl Quarantine {
    /// Puts a record set into quarantine. `desired` is `None` if it was to be deleted.
    pub fn add(&mut self, key: RecordKey, desired: Option<&RecordSet>, words: String) {
        let case = Case {
            desired: desired.cloned(),
            words,
            is_retried: false,
        };
        self.cases.insert(key, case);
    }

    /// Lets record sets be tried again for which something else is desired now, and with them all others
    /// of their names: what is written in the place of others is written together with them only.
    pub fn review(&mut self, desired: &BTreeMap<RecordKey, RecordSet>) {
        let cases = self.cases.iter();
        let changed = cases.filter(|(key, case)| desired.get(key) != case.desired.as_ref());
        let names = sorted::set(changed.map(|(key, _)| key.name.clone()));
        for (key, case) in &mut self.cases {
            case.is_retried |= names.contains(&key.name);
        }
    }

    /// Releases record sets in whose place something else is now: a conflict is what they are, and
    /// once that is gone they are tried anew.
    pub fn release_conflicts(&mut self, conflicts: &[Conflict]) {
        for conflict in conflicts {
            self.cases.remove(&conflict.key);
        }
    }

    /// Releases all record sets.
    pub fn clear(&mut self) {
        self.cases.clear();
    }

    /// Lets all record sets be tried again.
    pub fn retry(&mut self) {
        for case in self.cases.values_mut() {
            case.is_retried = true;
        }
    }

    /// A batch was applied: what it changes isn't refused any more.
    pub fn applied(&mut self, batch: &ChangeBatch) {
        for set in batch.deletes.iter().chain(&batch.creates) {
            self.cases.remove(&set.key);
        }
    }

    /// A round has tried all that was to be tried, but for deletes that wait: what wasn't refused again
    /// is released.
    pub fn retried(&mut self, waiting: Option<&HeldDeletes>) {
        let waits = |key: &RecordKey| waiting.is_some_and(|held| held.has(key));
        self.cases
            .retain(|key, case| !case.is_retried || waits(key));
    }

    /// Whether a record set is to be left as it is.
    pub fn holds(&self, key: &RecordKey) -> bool {
        self.cases.get(key).is_some_and(|case| !case.is_retried)
    }

    /// All record sets in quarantine, and those that are still to be tried again, with Route 53's
    /// messages.
    pub fn list(&self) -> Vec<Quarantined> {
        let cases = self.cases.iter();
        cases
            .map(|(key, case)| Quarantined {
                key: key.clone(),
                words: case.words.clone(),
            })
            .collect()
    }
}

/// Record sets of a refused batch of which at least one may be bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspects {
    /// Keys of the record sets. Possibly none of them is bad by itself, but only all of them in one
    /// batch.
    pub keys: BTreeSet<RecordKey>,
    /// Route 53's error messages about them, joined.
    pub words: String,
}

impl Suspects {
    /// Whether they were refused only because the zone would have too many record sets.
    fn exceed_zone_limit(&self) -> bool {
        reports_full_zone(&self.words)
    }
}

/// Whether Route 53 says that the zone has as many record sets as its limit allows.
fn reports_full_zone(message: &str) -> bool {
    message.contains("RRSets limit of")
}

/// The record sets of a refused batch that may be bad, in groups.
///
/// There is one group for each message that mentions record sets. If no message does, there is one
/// group of all record sets, or, if the zone is full, of all that are new in the zone. There is no
/// group if the batch has only state records, or if a message mentions a state record: without
/// state records, nothing can be written at all.
pub fn suspects(
    batch: &ChangeBatch,
    messages: &[String],
    is_state_record: impl Fn(&RecordKey) -> bool,
) -> Vec<Suspects> {
    let sets = || batch.deletes.iter().chain(&batch.creates);
    let mut groups: BTreeMap<BTreeSet<RecordKey>, Vec<&str>> = BTreeMap::new();
    for message in messages {
        let keys_where = |mentions: &dyn Fn(&str, &RecordSet) -> bool| -> BTreeSet<RecordKey> {
            let mentioned = sets().filter(|set| mentions(message, set));
            sorted::set(mentioned.map(|set| set.key.clone()))
        };
        let mut keys = keys_where(&|message, set| mentions_key(message, &set.key));
        if keys.is_empty() {
            keys = keys_where(&mentions_value);
        }
        if keys.iter().any(&is_state_record) {
            return Vec::new();
        }
        if !keys.is_empty() {
            groups.entry(keys).or_default().push(message);
        }
    }
    if groups.is_empty() {
        let all = sets().map(|set| &set.key);
        let is_full = messages.iter().any(|message| reports_full_zone(message));
        let exists = |key: &RecordKey| batch.deletes.iter().any(|set| set.key == *key);
        let is_good = |key: &RecordKey| is_state_record(key) || is_full && exists(key);
        let keys = sorted::set(all.filter(|key| !is_good(key)).cloned());
        if keys.is_empty() {
            return Vec::new();
        }
        groups.insert(keys, messages.iter().map(String::as_str).collect());
    }
    let groups = groups.into_iter();
    groups
        .map(|(keys, words)| Suspects {
            keys,
            words: words.join("; "),
        })
        .collect()
}

/// Finds bad record sets in refused groups by halving them. The plan without any of these groups
/// is applied first, then each group by itself.
#[derive(Debug, Default)]
pub struct Bisection {
    waiting: Vec<BTreeSet<RecordKey>>,
    /// The group that is being tried. `None` while the rest of the plan is applied.
    current: Option<BTreeSet<RecordKey>>,
    count: usize,
    /// What is written together in the plan of which a part was tried last: the number of its
    /// replacement, by key.
    replacements: BTreeMap<RecordKey, usize>,
    /// Whether the zone has no room for even one more record set.
    is_full: bool,
    /// Whether the claim waits for another round, because the zone has no room for it.
    leaves_claim_out: bool,
}

impl Bisection {
    /// Leaves only the current group in a plan, or, if there is none, all but the waiting groups. Record
    /// sets that change together are tried if one of them is in the group.
    pub fn limit(&mut self, plan: &mut ApprovedPlan) {
        let replacements = plan.plan().replacements.iter().enumerate();
        let keys = replacements.flat_map(|(number, all)| all.keys().map(move |key| (key, number)));
        self.replacements = sorted::map(keys.map(|(key, number)| (key.clone(), number)));
        if self.leaves_claim_out {
            plan.leave_claim_out();
        }
        match &self.current {
            Some(current) => {
                let number = |key: &RecordKey| self.replacements.get(key);
                let tried = sorted::set(current.iter().filter_map(number));
                let is_tried = |key: &RecordKey| number(key).is_some_and(|n| tried.contains(n));
                plan.retain(|key| current.contains(key) || is_tried(key));
            }
            None => plan.retain(|key| !self.waiting.iter().any(|group| group.contains(key))),
        }
    }

    /// Has a batch tried without the claim if the zone has no room for the state record that would
    /// hold it. Otherwise nothing at all could be changed in a full zone, and nothing deleted. True
    /// if that wasn't tried yet.
    pub fn leave_claim_out(&mut self, batch: &ChangeBatch, messages: &[String]) -> bool {
        let is_full = messages.iter().any(|message| reports_full_zone(message));
        let exists = |set: &RecordSet| batch.deletes.iter().any(|old| old.key == set.key);
        let is_new = |set: &RecordSet| set.key.rtype == RecordType::Txt && !exists(set);
        let is_untried = is_full && !self.leaves_claim_out && batch.creates.iter().any(is_new);
        self.leaves_claim_out |= is_untried;
        is_untried
    }

    /// Whether the same may be tried once more with less in it. Counts as a trial.
    pub fn try_again(&mut self) -> bool {
        self.count += 1;
        self.count <= MAX_TRIALS
    }

    /// Has the halves of a refused group tried. Returns the group instead if it has to go into
    /// quarantine, because it cannot be halved or no more trials are left.
    pub fn split(&mut self, refused: Suspects) -> Option<Suspects> {
        let units = self.units(refused.keys.clone());
        let is_one = units.len() == 1;
        let is_full = refused.exceed_zone_limit();
        self.is_full |= is_full && is_one;
        if is_one || self.count >= MAX_TRIALS || is_full && self.is_full {
            return Some(refused);
        }
        self.halve(units, is_full);
        None
    }

    /// The record sets of a group in such parts as can be tried by themselves: those of one replacement
    /// are never apart.
    fn units(&self, group: BTreeSet<RecordKey>) -> Vec<BTreeSet<RecordKey>> {
        let mut units: Vec<BTreeSet<RecordKey>> = Vec::new();
        // The numbers of replacements, each with the place of its unit.
        let mut known: Vec<(usize, usize)> = Vec::new();
        for key in group {
            let number = self.replacements.get(&key).copied();
            let mut all = known.iter();
            let unit = all.find(|(known, _)| Some(*known) == number);
            if let Some((_, unit)) = unit {
                units[*unit].insert(key);
                continue;
            }
            known.extend(number.map(|number| (number, units.len())));
            units.push(sorted::set([key]));
        }
        units
    }

    /// Adds both halves of a group to the waiting groups: at the end, so that larger groups are
    /// tried first and most good record sets are written early. If the zone is almost full, the
    /// halves go to the front, `at_once`, so that the room that is left is found and used.
    fn halve(&mut self, group: Vec<BTreeSet<RecordKey>>, at_once: bool) {
        let half = group.len().div_ceil(2);
        let mut units = group.into_iter();
        let first = sorted::set(units.by_ref().take(half).flatten());
        let place = if at_once { 0 } else { self.waiting.len() };
        self.waiting.insert(place, sorted::set(units.flatten()));
        self.waiting.insert(place, first);
        self.current = None;
    }

    /// Makes the next waiting group the current one. False if none is left.
    pub fn advance(&mut self) -> bool {
        self.current = (!self.waiting.is_empty()).then(|| self.waiting.remove(0));
        self.count += usize::from(self.current.is_some());
        self.current.is_some()
    }
}

#[cfg(test)]
mod tests;
