//! What the watcher remembers, to judge a batch that the program has planned a while ago.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sim::route53::{Action, Change, RecordSet, Zone};

use crate::chaos::record::{Key, Sets, entries, is_kept_by_another, listed};
use crate::chaos::regime::OWNERS;

/// How long the program may take what it has listed for true.
const MEMORY: Duration = Duration::from_secs(20);

/// What was desired for a while.
pub struct Epoch {
    pub sets: Sets,
    /// `<environment>.<zone>`.
    pub below: String,
}

/// Since when something is listed.
#[derive(Clone, Copy)]
struct Listed {
    since: Instant,
    /// The record set came in the same moment, or changed.
    is_of_one_piece: bool,
}

pub struct Past {
    /// What was desired at any time since all was right. The program may be late, and see
    /// nothing of what was so for a moment only; but what never was desired, it can't know.
    epochs: Vec<Epoch>,
    /// When all was right.
    right: Instant,
    /// When something came to be desired, or ended to be, by turns; the last time is that of what is
    /// so now.
    turned: BTreeMap<Key, Vec<Instant>>,
    listed: BTreeMap<(String, Key), Listed>,
    /// How many record sets each owner had.
    counts: Vec<(Instant, &'static str, usize)>,
    /// State records as they were written.
    written: BTreeSet<String>,
    /// Since when another Rancher server keeps the state records of each owner.
    kept: BTreeMap<&'static str, Instant>,
}

impl Past {
    pub fn new() -> Past {
        Past {
            epochs: Vec::new(),
            right: Instant::now(),
            turned: BTreeMap::new(),
            listed: BTreeMap::new(),
            counts: Vec::new(),
            written: BTreeSet::new(),
            kept: BTreeMap::new(),
        }
    }

    pub fn is_desired(&mut self, epoch: Epoch, now: Instant) {
        let none = Sets::new();
        let last = self.epochs.last().map_or(&none, |epoch| &epoch.sets);
        let keys = last.keys().chain(epoch.sets.keys());
        let turned = keys.filter(|key| last.contains_key(*key) != epoch.sets.contains_key(*key));
        let turned: Vec<Key> = turned.cloned().collect();
        for key in turned {
            self.turned.entry(key).or_default().push(now);
        }
        self.epochs.push(epoch);
    }

    pub fn all_is_right(&mut self, now: Instant) {
        let last = self.epochs.pop();
        self.epochs.clear();
        self.epochs.extend(last);
        self.right = now;
    }

    /// The zone is like this now; `touched` has just come or changed.
    pub fn is_listed(&mut self, zone: &Zone, touched: &BTreeSet<Key>) {
        let since = Instant::now();
        let entries = entries(zone);
        self.listed.retain(|entry, _| entries.contains(entry));
        for entry in entries {
            let is_touched = touched.contains(&entry.1);
            let new = Listed {
                since,
                is_of_one_piece: is_touched,
            };
            let listed = self.listed.entry(entry).or_insert(new);
            listed.is_of_one_piece &= listed.since == since || !is_touched;
        }
        self.counts.retain(|(at, ..)| at.elapsed() < MEMORY);
        for owner in OWNERS {
            self.counts.push((since, owner, listed(zone, owner).len()));
            if is_kept_by_another(zone, owner) {
                self.kept.entry(owner).or_insert(since);
            } else {
                self.kept.remove(owner);
            }
        }
    }

    /// Of a state record.
    pub fn remember_write(&mut self, change: &Change) {
        if change.action != Action::Delete {
            self.written.insert(change.record_set.to_string());
        }
    }

    /// Whether a state record was written exactly like this before.
    pub fn was_written(&self, set: &RecordSet) -> bool {
        self.written.contains(&set.to_string())
    }

    pub fn was_desired(&self, key: &Key) -> bool {
        self.epochs.iter().any(|e| e.sets.contains_key(key))
    }

    pub fn was_desired_like(&self, key: &Key, set: &RecordSet) -> bool {
        let is_so = |epoch: &Epoch| epoch.sets.get(key).is_some_and(|s| s.matches(set));
        self.epochs.iter().any(is_so)
    }

    pub fn was_desired_all_the_time(&self, key: &Key) -> bool {
        self.epochs.iter().all(|e| e.sets.contains_key(key))
    }

    pub fn belows(&self) -> impl Iterator<Item = &str> {
        self.epochs.iter().map(|epoch| epoch.below.as_str())
    }

    /// Since when it is desired; `None` if it isn't.
    pub fn desired_since(&self, key: &Key) -> Option<Instant> {
        let turned = self.turned.get(key)?;
        turned.last().copied().filter(|_| self.is_desired_now(key))
    }

    /// Whether it was undesired so long ago, but not long before that: then a process that has held a
    /// delete since then may make it, also if it was desired in between for a moment that nobody saw.
    /// Times before `started` don't count.
    pub fn was_undesired(&self, key: &Key, ago: Duration, started: Instant) -> bool {
        let now = Instant::now();
        let turned = self.turned.get(key).map(Vec::as_slice).unwrap_or_default();
        let starts = [started].into_iter().chain(turned.iter().copied());
        let ends = turned.iter().copied().chain([now]);
        let mut stretches: Vec<_> = starts.zip(ends).collect();
        if self.is_desired_now(key) {
            stretches.pop();
        }
        // Every second one, from the last: in between it was desired.
        let mut undesired = stretches.into_iter().rev().step_by(2);
        undesired.any(|(from, to)| {
            let from = from.max(started);
            from < to && from + ago <= now && to + MEMORY > now
        })
    }

    fn is_desired_now(&self, key: &Key) -> bool {
        let last = self.epochs.last();
        last.is_some_and(|epoch| epoch.sets.contains_key(key))
    }

    /// Whether somebody else than the owner lists it, and whoever has started by then must have
    /// known that when it made its plan.
    pub fn is_known_elsewhere(&self, key: &Key, owner: &str, started: Instant) -> bool {
        let since = self.right.max(started);
        self.elsewhere(key, owner)
            .any(|listed| listed.since < since)
    }

    /// Whether somebody else lists it who has also made it, or changed it at the same moment.
    pub fn is_of_another(&self, key: &Key, owner: &str) -> bool {
        self.elsewhere(key, owner)
            .any(|listed| listed.is_of_one_piece)
    }

    fn elsewhere<'a>(&'a self, key: &'a Key, owner: &'a str) -> impl Iterator<Item = &'a Listed> {
        let all = self.listed.iter();
        all.filter(move |((keeper, listed), _)| keeper != owner && listed == key)
            .map(|(_, listed)| listed)
    }

    /// Since when another Rancher server keeps the state records.
    pub fn kept_by_another(&self, owner: &str) -> Option<Instant> {
        self.kept.get(owner).copied()
    }

    /// The most record sets that the owner had lately.
    pub fn most_listed(&self, owner: &str) -> usize {
        let counts = self.counts.iter().filter(|(_, of, _)| *of == owner);
        counts.map(|(_, _, count)| *count).max().unwrap_or_default()
    }
}
