//! What must hold at every instant: looks at each batch of the program, and at each edit of
//! someone else, while the zone is locked.

mod case;
mod past;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sim::route53::{Action, Change, Written, Zone};

use crate::chaos::invariants::Desired;
use crate::chaos::record::{Key, is_simple, key, listed, others};
use crate::chaos::regime::{OWNERS, Regime};
use case::Case;
use past::{Epoch, Past};

/// A process, known by the key with which it signs. Its batches are judged by the settings that it
/// was started with, also those that come in after its end.
#[derive(Debug, Clone, Copy)]
pub struct Instance {
    pub regime: Regime,
    pub started: Instant,
    /// It is the command `adopt`, which takes over what this owner has.
    pub takes_from: Option<&'static str>,
}

/// Remembers whose each record set is.
pub struct Watcher {
    past: Past,
    instances: BTreeMap<String, Instance>,
    /// What the program has created or taken over, by whose state records list it, and nobody has
    /// taken away from it.
    ours: BTreeMap<Key, &'static str>,
    /// Names of all that the program has ever had there, and when it first did.
    published: BTreeMap<String, Instant>,
    /// What should never have been.
    pub wrongs: Vec<String>,
    pub batches: usize,
    pub edits: usize,
    /// Record sets that were taken over.
    pub adopted: usize,
    /// Batches of the command that takes over what another owner has.
    pub takeovers: usize,
    /// Batches while another owner's state record listed something.
    pub beside_others: usize,
    /// The longest that a record set was wanted again when it was deleted.
    pub latest_delete: Duration,
}

impl Watcher {
    /// Of a zone in which everything is someone else's.
    pub fn new(zone: &Zone) -> Watcher {
        let mut past = Past::new();
        past.is_listed(zone, &BTreeSet::new());
        Watcher {
            past,
            instances: BTreeMap::new(),
            ours: BTreeMap::new(),
            published: BTreeMap::new(),
            wrongs: Vec::new(),
            batches: 0,
            edits: 0,
            adopted: 0,
            takeovers: 0,
            beside_others: 0,
            latest_delete: Duration::ZERO,
        }
    }

    /// A process is about to be started that signs with this key.
    pub fn starts(&mut self, access_key: &str, regime: Regime, takes_from: Option<&'static str>) {
        let instance = Instance {
            regime,
            started: Instant::now(),
            takes_from,
        };
        self.instances.insert(access_key.to_owned(), instance);
    }

    /// Whether the program had something of this name in the zone by then.
    pub fn had_published(&self, name: &str, then: Instant) -> bool {
        self.published.get(name).is_some_and(|first| *first <= then)
    }

    /// From now on this is desired. To be called before the program can know of it.
    pub fn is_desired(&mut self, desired: Desired) {
        let Desired { sets, below, .. } = desired;
        self.past.is_desired(Epoch { sets, below }, Instant::now());
    }

    /// Every instance knows what is desired now, and who lists what.
    pub fn all_is_right(&mut self) {
        self.past.all_is_right(Instant::now());
    }

    /// Somebody has deleted the zone, and made it anew like this.
    pub fn is_made_anew(&mut self, zone: &Zone) {
        self.lose(zone);
        self.past.is_listed(zone, &BTreeSet::new());
    }

    pub fn see(&mut self, written: &Written<'_>) {
        let touched = touched(written.before, written.after);
        match written.batch {
            Some(batch) => self.see_batch(written, batch),
            None => self.see_edit(written.after),
        }
        self.past.is_listed(written.after, &touched);
    }

    fn see_batch(&mut self, written: &Written<'_>, batch: &[Change]) {
        self.batches += 1;
        let by = written.by.and_then(|key| self.instances.get(key));
        let Some(instance) = by.copied() else {
            let by = written.by;
            return self
                .wrongs
                .push(format!("a batch of nobody that was started: {by:?}"));
        };
        let owner = instance.regime.owner;
        let case = Case::new(written, batch, instance, Instant::now());
        let mut wrongs = case.wrongs(&self.past);
        self.adopted += case.adopted().count();
        self.takeovers += usize::from(instance.takes_from.is_some());
        self.beside_others += usize::from(!case.elsewhere.is_empty());
        self.latest_delete = self.latest_delete.max(case.latest_delete(&self.past));
        for change in batch {
            let set = &change.record_set;
            if case.is_state(set) {
                self.past.remember_write(change);
            }
            if change.action == Action::Delete {
                self.ours.remove(&key(set));
            } else if !case.is_state(set) {
                self.ours.insert(key(set), owner);
                let name = set.name.clone();
                self.published.entry(name).or_insert(case.now);
            }
        }
        for key in case.adopted() {
            let name = key.0.clone();
            self.published.entry(name).or_insert(case.now);
            self.ours.insert(key.clone(), owner);
        }
        let lost = self.lose(written.after);
        let words = |key| format!("a record set of ours has no entry: {key:?}");
        wrongs.extend(lost.into_iter().map(words));
        self.wrongs.extend(wrongs);
    }

    fn see_edit(&mut self, after: &Zone) {
        self.edits += 1;
        self.lose(after);
    }

    /// Forgets what is there no more, or not as the program may have it, or without an entry; what
    /// has none.
    fn lose(&mut self, zone: &Zone) -> Vec<Key> {
        let found = others(zone);
        let listed: BTreeMap<&str, BTreeSet<Key>> =
            OWNERS.map(|owner| (owner, listed(zone, owner))).into();
        self.ours
            .retain(|key, _| found.get(key).is_some_and(is_simple));
        let mut lost = Vec::new();
        self.ours.retain(|key, owner| {
            let is_listed = listed[*owner].contains(key);
            if !is_listed {
                lost.push(key.clone());
            }
            is_listed
        });
        lost
    }
}

/// What isn't there any more as it was, or is new.
fn touched(before: &Zone, after: &Zone) -> BTreeSet<Key> {
    let (was, is) = (others(before), others(after));
    let keys = was.keys().chain(is.keys());
    keys.filter(|key| was.get(*key) != is.get(*key))
        .cloned()
        .collect()
}
