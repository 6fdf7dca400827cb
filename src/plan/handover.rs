//! Moves entries from the state records of one owner to those of another: the command
//! `adopt --owner`. Pure.

use std::collections::BTreeSet;

use crate::base::sorted;
use crate::dns::{ChangeBatch, RecordKey, RecordSet};
use crate::plan::batch::{batches, fit_in_one_request};
use crate::plan::guard::ApprovedPlan;
use crate::plan::state_records::{Claim, Entry, Generation, StateNames, StateRecord, StateRecords};
use crate::plan::{ClaimChange, Plan};

/// What a handover is made of.
#[derive(Debug, Clone, Copy)]
pub struct Handover<'a> {
    /// The state records that give entries away.
    pub theirs: &'a StateRecords,
    /// The state records that get them.
    pub ours: &'a StateRecords,
    /// The names of ours.
    pub our_names: &'a StateNames,
    /// The claim that ours are to hold.
    pub claim: &'a Claim,
    /// Any number, another one at each call.
    pub random: u64,
}

impl Handover<'_> {
    /// The batches that move these entries. They must be applied in this order.
    ///
    /// An entry leaves one state record in the batch in which it comes into the other. Where one
    /// batch can't hold both, it comes first and leaves later: nobody writes a record set that two
    /// owners list.
    pub fn batches(&self, keys: &BTreeSet<RecordKey>) -> Vec<ChangeBatch> {
        let mut ours = self.ours.clone();
        let mut all: Vec<ChangeBatch> = Vec::new();
        for record in self.theirs.records() {
            let moved = record.owned().filter(|key| keys.contains(key)).cloned();
            let moved = sorted::set(moved);
            if moved.is_empty() {
                continue;
            }
            let coming = batches(
                &self.arrival(&moved, &ours),
                &ours,
                self.our_names,
                self.random,
            );
            for batch in &coming {
                ours.apply(batch, self.our_names);
            }
            all.extend(coming);
            let leaving = self.departure(record, &moved);
            match all.last_mut() {
                Some(last) if fit_in_one_request([&*last, &leaving]) => {
                    last.deletes.extend(leaving.deletes);
                    last.creates.extend(leaving.creates);
                }
                _ => all.push(leaving),
            }
        }
        all
    }

    /// The plan that adds entries of existing record sets, and the claim.
    fn arrival(&self, moved: &BTreeSet<RecordKey>, ours: &StateRecords) -> ApprovedPlan {
        ApprovedPlan::of_entries(Plan {
            adopts: moved
                .iter()
                .filter(|key| !ours.owns(key))
                .cloned()
                .collect(),
            claim: match ours.has_claim_of(self.claim) {
                true => ClaimChange::Keep,
                false => ClaimChange::Write(self.claim.clone()),
            },
            ..Plan::default()
        })
    }

    /// One of their state records without these entries.
    fn departure(&self, record: &StateRecord, moved: &BTreeSet<RecordKey>) -> ChangeBatch {
        let is_moved = |entry: &&Entry| matches!(entry, Entry::Owned(key) if moved.contains(key));
        let kept = record.entries.iter().filter(|entry| !is_moved(entry));
        let fresh = Generation::of_number(self.random);
        let rest = record.rewritten(Entry::values(kept), fresh);
        ChangeBatch {
            deletes: vec![record.set.clone()],
            creates: Some(rest)
                .filter(|rest| !rest.values().is_empty())
                .into_iter()
                .collect(),
        }
    }
}

/// Adds to the batches of a takeover a write of each state record that they don't write. Whoever
/// has kept the state records until now loses its next write of any of them, whatever it still knows,
/// and then reads whose they are.
pub fn write_all(batches: &mut Vec<ChangeBatch>, ours: &StateRecords, random: u64) {
    let Some(mut last) = batches.pop() else {
        return;
    };
    let written = |set: &RecordSet, batch: &ChangeBatch| batch.deletes.contains(set);
    for record in ours.records() {
        let is_written = batches.iter().any(|batch| written(&record.set, batch));
        if is_written || written(&record.set, &last) {
            continue;
        }
        let fresh = Generation::of_number(random);
        let write = record.written_again(fresh);
        // A state record of another program may be too long for any request.
        if !fit_in_one_request([&write]) {
            continue;
        }
        if fit_in_one_request([&last, &write]) {
            last.deletes.extend(write.deletes);
            last.creates.extend(write.creates);
        } else {
            batches.push(std::mem::replace(&mut last, write));
        }
    }
    batches.push(last);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::zone::Listed;
    use crate::dns::{Name, RecordType, Zone};

    const TTL: u32 = 300;

    fn zone_name() -> Name {
        Name::parse("example.com").unwrap()
    }

    fn key(number: usize) -> RecordKey {
        let name = format!("web{number}.{}.example.com", "x".repeat(40));
        RecordKey::new(Name::parse(&name).unwrap(), RecordType::A)
    }

    /// A state record of `old` with these entries.
    fn record(names: &StateNames, numbers: std::ops::Range<usize>) -> RecordSet {
        RecordSet::of_values(
            RecordKey::new(names.name(0), RecordType::Txt),
            TTL,
            numbers.map(|n| Entry::Owned(key(n)).value()).collect(),
        )
    }

    /// The batches, and the zone after each.
    fn handed_over(listed: std::ops::Range<usize>, moved: std::ops::Range<usize>) -> Vec<Zone> {
        let old = StateNames::new("old", &zone_name()).unwrap();
        let new = StateNames::new("new", &zone_name()).unwrap();
        let mut zone = Zone::default();
        let set = record(&old, listed);
        zone.insert(set.key.clone(), Listed::Whole(set));
        let handover = Handover {
            theirs: &StateRecords::read(&zone, &old),
            ours: &StateRecords::read(&zone, &new),
            our_names: &new,
            claim: &Claim::new("rancher:8080", None),
            random: 7,
        };
        let batches = handover.batches(&moved.map(key).collect());
        let after = batches.iter().map(|batch| {
            assert!(fit_in_one_request([batch]));
            zone.apply(batch);
            zone.clone()
        });
        after.collect()
    }

    #[test]
    fn every_state_record_is_written_and_each_once() {
        let names = StateNames::new("own", &zone_name()).unwrap();
        let mut zone = Zone::default();
        for index in 0..7 {
            let first = usize::from(index) * 100;
            let mut set = record(&names, first..first + 100);
            set.key.name = names.name(index);
            let set = set.with_ttl(match index {
                3 => TTL,
                _ => Generation::of_number(u64::from(index)).ttl(),
            });
            zone.insert(set.key.clone(), Listed::Whole(set));
        }
        let state = StateRecords::read(&zone, &names);
        let sixth = state.records()[6].set.clone();
        let claimed = sixth.clone().with_ttl(sixth.ttl().unwrap() + 1);
        let mut batches = vec![ChangeBatch {
            deletes: vec![sixth],
            creates: vec![claimed],
        }];
        write_all(&mut batches, &state, 7);
        assert!(batches.len() > 1, "they don't fit into one");
        let mut written = BTreeSet::new();
        for batch in &batches {
            assert!(fit_in_one_request([batch]));
            for (old, new) in batch.deletes.iter().zip(&batch.creates) {
                assert!(written.insert(old.key.clone()), "{} twice", old.key);
                assert_eq!((&old.key, old.values()), (&new.key, new.values()));
                let known = old.ttl().and_then(Generation::of_ttl);
                let next = known.map_or(Generation::of_number(7), Generation::next);
                assert_eq!(new.ttl(), Some(next.ttl()));
            }
        }
        assert_eq!(written.len(), 7);
        let mut none = Vec::new();
        write_all(&mut none, &state, 7);
        assert_eq!(none, [], "nothing to fence off");
    }

    fn owned(zone: &Zone, id: &str) -> usize {
        let names = StateNames::new(id, &zone_name()).unwrap();
        StateRecords::read(zone, &names).owned().len()
    }

    #[test]
    fn entries_leave_in_the_batch_in_which_they_come() {
        let zones = handed_over(0..50, 10..30);
        assert_eq!(zones.len(), 1);
        assert_eq!((owned(&zones[0], "old"), owned(&zones[0], "new")), (30, 20));
        let zones = handed_over(0..50, 0..50);
        assert_eq!((owned(&zones[0], "old"), owned(&zones[0], "new")), (0, 50));
        let names = StateNames::new("old", &zone_name()).unwrap();
        let key = RecordKey::new(names.name(0), RecordType::Txt);
        assert_eq!(zones[0].get(&key), None, "an empty one is deleted");
        assert_eq!(
            handed_over(0..50, 60..70).len(),
            0,
            "nothing of it is listed"
        );
    }

    #[test]
    fn entries_of_a_long_state_record_come_before_they_leave() {
        let zones = handed_over(0..380, 0..380);
        assert!(zones.len() > 1, "20,000 characters twice and more");
        for zone in &zones {
            assert!(owned(zone, "old") + owned(zone, "new") >= 380);
        }
        let last = zones.last().unwrap();
        assert_eq!((owned(last, "old"), owned(last, "new")), (0, 380));
    }

    #[test]
    fn the_new_state_records_are_claimed() {
        let last = handed_over(0..5, 0..5).pop().unwrap();
        let names = StateNames::new("new", &zone_name()).unwrap();
        let state = StateRecords::read(&last, &names);
        assert!(state.has_claim_of(&Claim::new("rancher:8080", None)));
    }
    #[test]
    fn what_stays_gets_another_generation() {
        let old = StateNames::new("old", &zone_name()).unwrap();
        let generation = Generation::of_number(41);
        for (before, after) in [
            (TTL, Generation::of_number(7)),
            (generation.ttl(), generation.next()),
        ] {
            let set = record(&old, 0..5).with_ttl(before);
            let mut zone = Zone::default();
            zone.insert(set.key.clone(), Listed::Whole(set.clone()));
            let new = StateNames::new("new", &zone_name()).unwrap();
            let handover = Handover {
                theirs: &StateRecords::read(&zone, &old),
                ours: &StateRecords::default(),
                our_names: &new,
                claim: &Claim::new("rancher:8080", None),
                random: 7,
            };
            let batches = handover.batches(&[key(0)].into());
            let rest = batches[0].creates.iter().find(|new| new.key == set.key);
            assert_eq!(rest.and_then(RecordSet::ttl), Some(after.ttl()));
        }
    }
}
