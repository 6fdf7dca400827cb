//! Record sets that Route 53 refuses: which ones they are, and who waits until when. Pure.
//!
//! A batch is all or nothing, so one bad record set would hold back all that share its batch.
//! Route 53 says what it refuses in words, for people; where they name a record set, that one is
//! set aside. Where they don't, halves of the batch are tried, and halves of those.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::sorted;
use crate::dns::{ChangeBatch, RecordKey, RecordSet, RecordType};
use crate::plan::guard::ApprovedPlan;

/// How many parts of refused batches a round tries. Finding one bad record set in a full batch
/// without a hint takes twenty. What is refused after that waits as it is, the good with the bad:
/// all else goes on.
const MOST_TRIALS: usize = 100;

/// A record set that is left as it is, since Route 53 refuses what should be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// Which one.
    pub key: RecordKey,
    /// What Route 53 said.
    pub words: String,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Quarantine {
    cases: BTreeMap<RecordKey, Case>,
}

#[derive(Debug)]
struct Case {
    /// What was desired when it was refused; nothing if it was to be deleted.
    desired: Option<RecordSet>,
    words: String,
}

impl Quarantine {
    /// Leaves a record set alone from now on.
    pub fn add(&mut self, key: RecordKey, desired: Option<&RecordSet>, words: String) {
        let desired = desired.cloned();
        self.cases.insert(key, Case { desired, words });
    }

    /// Lets those go of which something else is desired now.
    pub fn review(&mut self, desired: &BTreeMap<RecordKey, RecordSet>) {
        self.cases
            .retain(|key, case| desired.get(key) == case.desired.as_ref());
    }

    /// Lets all go.
    pub fn clear(&mut self) {
        self.cases.clear();
    }

    /// Whether a record set is to be left alone.
    pub fn holds(&self, key: &RecordKey) -> bool {
        self.cases.contains_key(key)
    }

    /// All of them, for people.
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

/// Some record sets of a refused batch, and what Route 53 said of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspects {
    /// One of them at least is bad, or none if they just don't go together.
    pub keys: BTreeSet<RecordKey>,
    /// In Route 53's words.
    pub words: String,
}

impl Suspects {
    /// Whether there is nothing wrong with them but that the zone is full.
    fn are_too_many(&self) -> bool {
        tells_of_full_zone(&self.words)
    }
}

fn tells_of_full_zone(words: &str) -> bool {
    words.contains("RRSets limit of")
}

/// Which record sets of a refused batch the messages speak of: a group for each message that
/// names any, or all of them if none does; all that are new if the zone is full. Nothing if the
/// batch has nothing but state records, or if a message names one of those: without them nothing
/// can be done at all.
pub fn suspects(
    batch: &ChangeBatch,
    messages: &[String],
    is_state_record: impl Fn(&RecordKey) -> bool,
) -> Vec<Suspects> {
    let sets = || batch.deletes.iter().chain(&batch.creates);
    let mut groups: BTreeMap<BTreeSet<RecordKey>, Vec<&str>> = BTreeMap::new();
    for message in messages {
        let named = |names: &dyn Fn(&str, &RecordSet) -> bool| -> BTreeSet<RecordKey> {
            let named = sets().filter(|set| names(message, set));
            sorted::set(named.map(|set| set.key.clone()))
        };
        let mut keys = named(&|message, set| names_key(message, &set.key));
        if keys.is_empty() {
            keys = named(&names_value);
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
        let is_full = messages.iter().any(|message| tells_of_full_zone(message));
        let is_there = |key: &RecordKey| batch.deletes.iter().any(|set| set.key == *key);
        let is_innocent = |key: &RecordKey| is_state_record(key) || is_full && is_there(key);
        let keys = sorted::set(all.filter(|key| !is_innocent(key)).cloned());
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

/// Whether a message names this record set. Route 53 writes `[name='x.', type='A']`, `of type A
/// with DNS name x.`, `resource record set 'A x.'` or only `DNS name x.`.
fn names_key(message: &str, key: &RecordKey) -> bool {
    let name = key.name.as_str();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.\\".contains(c);
    let is_named = message.match_indices(name).any(|(start, _)| {
        let (before, after) = (&message[..start], &message[start + name.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part)
    });
    let of = |rtype: &RecordType| {
        message.contains(&format!("type='{rtype}'"))
            || message.contains(&format!("of type {rtype} "))
            || message.contains(&format!("'{rtype} {name}'"))
    };
    let other = match key.rtype {
        RecordType::A => RecordType::Aaaa,
        _ => RecordType::A,
    };
    is_named && (of(&key.rtype) || !of(&other))
}

/// Whether a message quotes a value of this record set.
fn names_value(message: &str, set: &RecordSet) -> bool {
    let mut values = set.values.iter();
    values.any(|value| message.contains(&format!("'{value}'")))
}

/// Groups of record sets that are tried by themselves, each after all else is done.
#[derive(Debug, Default)]
pub struct Bisection {
    waiting: Vec<BTreeSet<RecordKey>>,
    /// The group that is being tried; none while it is the turn of all else.
    current: Option<BTreeSet<RecordKey>>,
    count: usize,
    /// Whether not even one more record set fits into the zone.
    is_full: bool,
}

impl Bisection {
    /// Leaves in a plan what it is the turn of.
    pub fn limit(&self, plan: &mut ApprovedPlan) {
        match &self.current {
            Some(current) => plan.retain(|key| current.contains(key)),
            None if self.waiting.is_empty() => {}
            None => plan.retain(|key| !self.waiting.iter().any(|group| group.contains(key))),
        }
    }

    /// Tries halves of a refused group from now on, or gives those that are to be left alone.
    pub fn split(&mut self, refused: Suspects) -> Option<Suspects> {
        let is_one = refused.keys.len() == 1;
        let is_full = refused.are_too_many();
        self.is_full |= is_full && is_one;
        if is_one || self.count >= MOST_TRIALS || is_full && self.is_full {
            return Some(refused);
        }
        self.halve(refused.keys, is_full);
        None
    }

    /// The large groups come first, so that most of what is good is done early. Not so if only so
    /// much fits into the zone: then one half has its turn at once.
    fn halve(&mut self, group: BTreeSet<RecordKey>, at_once: bool) {
        let half = group.len().div_ceil(2);
        let mut keys = group.into_iter();
        let first = sorted::set(keys.by_ref().take(half));
        let place = if at_once { 0 } else { self.waiting.len() };
        self.waiting.insert(place, sorted::set(keys));
        self.waiting.insert(place, first);
        self.current = None;
    }

    /// Goes on to the next group; false if all have been tried.
    pub fn go_on(&mut self) -> bool {
        self.current = (!self.waiting.is_empty()).then(|| self.waiting.remove(0));
        self.count += usize::from(self.current.is_some());
        self.current.is_some()
    }
}

#[cfg(test)]
mod tests;
