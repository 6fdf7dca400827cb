//! What must be so after each batch, whoever has sent it.

use std::collections::{BTreeMap, BTreeSet};

use sim::harness::listed;
use sim::route53::{Change, RecordSet, Written, Zone};

use crate::going_back::entry;
use crate::shared_names::OWNERS;
use crate::shared_names::installation::key;

#[derive(Default)]
pub struct Watcher {
    pub wrongs: Vec<String>,
}

/// Name, type and set identifier.
type Key = (String, String, Option<String>);

pub fn is_state_record(set: &RecordSet) -> bool {
    set.rtype == "TXT" && set.name.starts_with("external-dns-")
}

/// Whose a record set is, by its set identifier or its name.
pub fn owner(set: &RecordSet) -> Option<&'static str> {
    let is_of = |owner: &&&str| match &set.set_identifier {
        Some(id) => id == **owner,
        None => {
            let names = [format!("external-dns-{owner}"), format!("own-{owner}")];
            let label = set.name.split('.').next().unwrap_or_default();
            names.iter().any(|name| {
                let rest = label.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
            })
        }
    };
    OWNERS.iter().find(is_of).copied()
}

impl Watcher {
    /// Looks at a batch that was applied.
    pub fn see(&mut self, written: &Written<'_>) {
        let Some(batch) = written.batch else { return };
        let by = written.by.unwrap_or_default();
        let is_its_own = |set: &RecordSet| owner(set).is_some_and(|owner| key(owner) == by);
        for change in batch
            .iter()
            .filter(|change| !is_its_own(&change.record_set))
        {
            self.wrongs.push(format!("{by} sends {change}"));
        }
        let (before, after) = (sets(written.before), sets(written.after));
        let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
        for key in keys {
            let (was, is) = (before.get(key), after.get(key));
            let touched = was.into_iter().chain(is);
            if was != is && touched.clone().any(|set| !is_its_own(set)) {
                let touched: Vec<String> = touched.map(ToString::to_string).collect();
                self.wrongs.push(format!("{by} has touched {touched:?}"));
            }
        }
        self.wrongs.extend(unlisted(written.after));
    }
}

fn sets(zone: &Zone) -> BTreeMap<Key, &RecordSet> {
    let key = |set: &RecordSet| {
        let (name, rtype) = (set.name.clone(), set.rtype.clone());
        (name, rtype, set.set_identifier.clone())
    };
    zone.record_sets().map(|set| (key(set), set)).collect()
}

/// Record sets that their owner's state records don't list.
fn unlisted(zone: &Zone) -> Vec<String> {
    let mut entries: BTreeMap<Option<&str>, BTreeSet<String>> = BTreeMap::new();
    for record in zone.record_sets().filter(|set| is_state_record(set)) {
        entries
            .entry(owner(record))
            .or_default()
            .extend(listed(record));
    }
    let is_listed = |set: &RecordSet| match owner(set) {
        None => true,
        owner => entries
            .get(&owner)
            .is_some_and(|listed| listed.contains(&entry(set))),
    };
    let ours = zone.record_sets().filter(|set| !is_state_record(set));
    let unlisted = ours.filter(|set| !is_listed(set));
    unlisted.map(|set| format!("nobody's: {set}")).collect()
}

/// Nothing that it watches for has ever happened, so it is shown what that would look like.
#[test]
fn what_belongs_to_another_is_seen_when_it_is_touched() {
    let www = |owner: &str, address: &str| {
        let set = RecordSet::simple("www.example.com.", "A", 60, &[address]);
        set.weighted(owner, 1)
    };
    let entries = |owner: &str| {
        let name = format!("external-dns-{owner}-1.example.com.");
        let entry = format!("\"www.example.com. A {owner}\"");
        RecordSet::simple(&name, "TXT", 300, &[entry])
    };
    let (before, mut after) = (
        zone(&[www("munich", "192.0.2.1"), entries("munich")]),
        Vec::new(),
    );
    let berlins = [www("berlin", "192.0.2.2"), entries("berlin")];
    let see = |sets: &[RecordSet], changes: &[Change]| {
        let mut watcher = Watcher::default();
        watcher.see(&Written {
            before: &before,
            after: &zone(sets),
            batch: Some(changes),
            by: Some(&key("berlin")),
            requests: &[],
        });
        watcher.wrongs
    };
    after.extend([www("munich", "192.0.2.1"), entries("munich")]);
    after.extend(berlins.clone());
    let creates = berlins.clone().map(Change::create);
    assert_eq!(see(&after, &creates), [""; 0]);
    let unlisted = see(&after[..3], &creates[..1]);
    assert_eq!(unlisted.len(), 1, "{unlisted:?}");
    let deleted = see(&after[1..], &[Change::delete(after[0].clone())]);
    assert_eq!(deleted.len(), 2, "{deleted:?}");
    let robbed = see(&[after[0].clone()], &[Change::delete(after[1].clone())]);
    assert_eq!(robbed.len(), 3, "{robbed:?}");
    after[0] = www("munich", "192.0.2.3");
    let changed = see(&after, &creates);
    assert_eq!(changed.len(), 1, "{changed:?}");
}

fn zone(sets: &[RecordSet]) -> Zone {
    let mut zone = Zone::new("example.com");
    sets.iter().for_each(|set| zone.put(set.clone()));
    zone
}
