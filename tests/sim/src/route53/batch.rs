//! How Route 53 judges a change batch: whole, against a zone, with a message for every fault.
//! The words are those of the live service where they are known.

use super::alias;
use super::neighbours;
use super::record::{Action, Change, RecordSet};
use super::single;
use super::zone::{Key, Zone, key};
use std::collections::{BTreeMap, BTreeSet};

/// 'Quotas on ChangeResourceRecordSets requests' in AWS's Developer Guide: ResourceRecord
/// elements in a request, and the characters in all their values.
pub const RESOURCE_RECORDS: usize = 1_000;
pub const CHARACTERS: usize = 32_000;

/// Applies all changes, or none and says why.
pub(super) fn apply(zone: &mut Zone, changes: &[Change]) -> Result<(), Vec<String>> {
    let faults = limit_faults(changes);
    if !faults.is_empty() {
        return Err(faults);
    }
    let faults: Vec<String> = changes
        .iter()
        .flat_map(|change| {
            let mut faults = single::faults(zone, change);
            faults.extend(refusal(zone, change));
            faults
        })
        .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut work = Work {
        zone,
        undo: Vec::new(),
        faults: Vec::new(),
    };
    let muddled = muddled_sets(work.zone, changes, &mut work.faults);
    for change in changes {
        if !muddled.contains(&key(&change.record_set)) {
            work.change(change);
        }
    }
    work.finish(changes)
}

/// What the zone was told to say to it.
fn refusal(zone: &Zone, change: &Change) -> Option<String> {
    let set = &change.record_set;
    let key = (set.name.clone(), set.rtype.clone());
    let message = zone.refused.get(&key).cloned();
    message.filter(|_| change.action != Action::Delete)
}

/// What is wrong with the batch by its size alone.
fn limit_faults(changes: &[Change]) -> Vec<String> {
    let records: usize = changes.iter().map(Change::resource_records).sum();
    let characters: usize = changes.iter().map(Change::characters).sum();
    let mut faults = Vec::new();
    if records > RESOURCE_RECORDS {
        faults.push(format!(
            "Number of records limit of {RESOURCE_RECORDS} exceeded."
        ));
    }
    if characters > CHARACTERS {
        faults.push(format!("RDATA character limit of {CHARACTERS} exceeded."));
    }
    faults
}

/// The sets that a batch changes in a way that makes no sense. One change is fine, and so is a
/// DELETE with a CREATE after it. A CREATE before its DELETE is left to be refused by what is
/// in the zone, if the set exists, as the live service does it.
fn muddled_sets(zone: &Zone, changes: &[Change], faults: &mut Vec<String>) -> BTreeSet<Key> {
    let mut actions: BTreeMap<Key, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        let of_set = actions.entry(key(&change.record_set)).or_default();
        of_set.push(change);
    }
    let mut muddled = BTreeSet::new();
    for (set, of_set) in actions {
        use Action::{Create, Delete};
        let sequence: Vec<Action> = of_set.iter().map(|change| change.action).collect();
        let sound = match sequence[..] {
            [_] | [Delete, Create] => true,
            [Create, Delete] => zone.sets.contains_key(&set),
            _ => false,
        };
        if !sound {
            let RecordSet { name, rtype, .. } = &of_set[0].record_set;
            faults.push(format!(
                "The request contains an invalid set of changes for a resource record set \
                 '{rtype} {name}'"
            ));
            muddled.insert(set);
        }
    }
    muddled
}

/// A zone in the middle of a batch, with what it takes to go back.
struct Work<'a> {
    zone: &'a mut Zone,
    undo: Vec<(Key, Option<RecordSet>)>,
    faults: Vec<String>,
}

impl Work<'_> {
    fn change(&mut self, change: &Change) {
        let set = &change.record_set;
        let current = self.zone.sets.get(&key(set));
        let fault = match (change.action, current) {
            (Action::Create, Some(_)) => Some(format!(
                "Tried to create resource record set {} but it already exists",
                described(set)
            )),
            (Action::Delete, None) => Some(format!(
                "Tried to delete resource record set {} but it was not found",
                described(set)
            )),
            (Action::Delete, Some(current)) if !current.matches(set) => Some(format!(
                "Tried to delete resource record set {} but the values provided do not match \
                 the current values",
                described(set)
            )),
            (Action::Delete, Some(_)) => None,
            // An UPSERT to the same values in another order changes nothing (DNSControl, pull
            // request 901): not even the order.
            (Action::Upsert, Some(current)) if current.matches(set) => return,
            (Action::Create | Action::Upsert, _) => neighbours::conflict(self.zone, set),
        };
        match fault {
            Some(fault) => self.faults.push(fault),
            None if change.action == Action::Delete => self.store(key(set), None),
            None => self.store(key(set), Some(set.clone())),
        }
    }

    fn store(&mut self, key: Key, set: Option<RecordSet>) {
        let before = match set {
            Some(set) => self.zone.sets.insert(key.clone(), set),
            None => self.zone.sets.remove(&key),
        };
        self.undo.push((key, before));
    }

    /// Judges the zone as it would be after the batch, and takes all back if it won't do.
    fn finish(mut self, changes: &[Change]) -> Result<(), Vec<String>> {
        if self.faults.is_empty() {
            self.judge_outcome(changes);
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        for (key, before) in self.undo.into_iter().rev() {
            match before {
                Some(set) => self.zone.sets.insert(key, set),
                None => self.zone.sets.remove(&key),
            };
        }
        Err(self.faults)
    }

    fn judge_outcome(&mut self, changes: &[Change]) {
        let zone = &*self.zone;
        let apex = |rtype: &str| zone.at(&zone.name).any(|set| set.rtype == rtype);
        let touched = |rtype: &str| {
            let mut sets = changes.iter().map(|change| &change.record_set);
            sets.any(|set| set.rtype == rtype && set.name == zone.name)
        };
        if touched("SOA") && !apex("SOA") {
            let fault = "A HostedZone must contain exactly one SOA record.";
            self.faults.push(fault.to_owned());
        }
        if touched("NS") && !apex("NS") {
            let fault = "A HostedZone must contain at least one NS record for the zone itself.";
            self.faults.push(fault.to_owned());
        }
        let grown = changes.iter().any(|c| c.action != Action::Delete);
        if grown && zone.len() > zone.record_set_limit {
            self.faults.push(format!(
                "Number of RRSets limit of {} exceeded in zone {}",
                zone.record_set_limit, zone.name
            ));
        }
        let kept = changes.iter().filter(|c| c.action != Action::Delete);
        let faults: Vec<String> = kept
            .flat_map(|change| alias::target_faults(zone, &change.record_set))
            .collect();
        self.faults.extend(faults);
    }
}

fn described(set: &RecordSet) -> String {
    let identifier = match &set.set_identifier {
        Some(id) => format!(", set-identifier='{id}'"),
        None => String::new(),
    };
    format!("[name='{}', type='{}'{identifier}]", set.name, set.rtype)
}
