//! Finds out what of a batch the IAM policy denies. Pure.
//!
//! IAM allows a batch only if it allows every name, type and action in it, and its message says
//! which user was denied, but not for what. A policy usually allows names below
//! `<environment>.<zone>` and a list of types, so what is outside of that is suspected first.
//! [`Bisection::deny`] has it tried apart from the rest. Record sets that are only written together
//! count as that one of them that is likeliest denied.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bisection, MAX_TRIALS, Suspects};
use crate::base::sorted;
use crate::dns::{ChangeBatch, Name, RecordKey, RecordType};

/// How likely a policy is to deny a record set, the likeliest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// It isn't below `<environment>.<zone>`. A label on any service can make such a name.
    Outside,
    /// Its name is `<environment>.<zone>` itself, to which `*.<environment>.<zone>` doesn't apply.
    Environment,
    /// It is below that name, but isn't an A record set.
    OtherType,
    /// It is an A record set below that name.
    Usual,
}

/// The record sets of a batch that IAM denied, of those that it is likeliest to deny.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    suspects: Suspects,
    /// The batch had nothing else but state records, so at least one of these is denied.
    are_alone: bool,
    /// They can be denied by their names. If not, all of one type are denied together.
    by_name: bool,
}

/// The record sets to keep out of a batch that IAM denied with these words. None if only A record
/// sets below `<environment>.<zone>`, which is `below`, and state records are left in it: without
/// these nothing can be published.
///
/// `trials` has tried the batch.
pub fn denied(
    trials: &Bisection,
    batch: &ChangeBatch,
    words: String,
    below: Option<&Name>,
    is_state_record: impl Fn(&RecordKey) -> bool,
) -> Option<Denied> {
    let sets = batch.deletes.iter().chain(&batch.creates);
    let keys = sets.map(|set| &set.key).filter(|key| !is_state_record(key));
    let mut places: BTreeMap<Place, BTreeSet<RecordKey>> = BTreeMap::new();
    for unit in trials.units(sorted::set(keys.cloned())) {
        let likeliest = unit.iter().map(|key| place(key, below)).min();
        let of_place = places.entry(likeliest.unwrap_or(Place::Usual)).or_default();
        of_place.extend(unit);
    }
    let are_alone = places.len() == 1;
    let (place, keys) = places.pop_first()?;
    (place != Place::Usual).then_some(Denied {
        suspects: Suspects { keys, words },
        are_alone,
        by_name: place != Place::OtherType,
    })
}

fn place(key: &RecordKey, below: Option<&Name>) -> Place {
    match below {
        Some(below) if key.name == *below => Place::Environment,
        Some(below) if key.name.is_at_or_below(below) => match key.rtype {
            RecordType::A => Place::Usual,
            _ => Place::OtherType,
        },
        _ => Place::Outside,
    }
}

impl Bisection {
    /// Has record sets tried that may be denied: by themselves, then each type, then their halves.
    /// Returns them instead if they have to go into quarantine.
    pub fn deny(&mut self, denied: Denied) -> Option<Suspects> {
        let Denied {
            suspects,
            are_alone,
            by_name,
        } = denied;
        if !are_alone {
            self.waiting.push(suspects.keys);
            self.current = None;
            return None;
        }
        let units = self.units(suspects.keys.clone());
        let mut types: BTreeMap<BTreeSet<RecordType>, BTreeSet<RecordKey>> = BTreeMap::new();
        for unit in &units {
            let of_unit = sorted::set(unit.iter().map(|key| key.rtype.clone()));
            let of_types = types.entry(of_unit).or_default();
            of_types.extend(unit.iter().cloned());
        }
        let is_one = units.len() == 1 || !by_name && types.len() == 1;
        if is_one || self.count >= MAX_TRIALS {
            return Some(suspects);
        }
        if types.len() > 1 {
            self.waiting.extend(types.into_values());
            self.current = None;
        } else {
            self.halve(units, false);
        }
        None
    }
}

#[cfg(test)]
mod tests;
