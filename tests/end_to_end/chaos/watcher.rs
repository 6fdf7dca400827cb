//! What must hold at every instant: looks at each batch of the program, and at each edit of
//! someone else, while the zone is locked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use sim::route53::{Action, Change, Written, Zone};

use crate::chaos::record::{Key, Sets, is_simple, is_state, key, listed, notes, others};

/// Remembers whose each record set is.
pub struct Watcher {
    /// What others have put there, as they left it.
    foreign: Sets,
    /// What the program has created and nobody has taken away from it.
    created: BTreeSet<Key>,
    /// Names of all that the program has ever created, and when it first did.
    published: BTreeMap<String, Instant>,
    /// What was desired at any time since all was right. The program may be late, and see
    /// nothing of what was so for a moment only; but what never was desired, it can't know.
    desired: Vec<Sets>,
    /// What should never have been.
    pub wrongs: Vec<String>,
    pub batches: usize,
    pub edits: usize,
}

impl Watcher {
    /// Of a zone in which everything is someone else's.
    pub fn new(foreign: Sets) -> Watcher {
        Watcher {
            foreign,
            created: BTreeSet::new(),
            published: BTreeMap::new(),
            desired: Vec::new(),
            wrongs: Vec::new(),
            batches: 0,
            edits: 0,
        }
    }

    pub fn foreign(&self) -> &Sets {
        &self.foreign
    }

    /// Whether the program had created something of this name by then.
    pub fn had_published(&self, name: &str, then: Instant) -> bool {
        self.published.get(name).is_some_and(|first| *first <= then)
    }

    /// From now on this is desired. To be called before the program can know of it.
    pub fn is_desired(&mut self, sets: Sets) {
        self.desired.push(sets);
    }

    /// Every instance knows what is desired now.
    pub fn all_is_right(&mut self) {
        let last = self.desired.pop();
        self.desired.clear();
        self.desired.extend(last);
    }

    pub fn see(&mut self, written: &Written<'_>) {
        match written.batch {
            Some(batch) => self.see_batch(written.before, written.after, batch),
            None => self.see_edit(written.before, written.after),
        }
    }

    fn see_batch(&mut self, before: &Zone, after: &Zone, batch: &[Change]) {
        self.batches += 1;
        let (was_listed, is_listed) = (listed(before), listed(after));
        let mut is_new = BTreeSet::new();
        for change in batch {
            let set = &change.record_set;
            if change.action == Action::Upsert {
                self.wrong(format!("overwrites what it may not have seen: {change}"));
            }
            if is_state(set) {
                continue;
            }
            if change.action == Action::Delete {
                if !was_listed.contains(&key(set)) || !is_simple(set) {
                    self.wrong(format!("deletes what it does not own: {change}"));
                }
                self.created.remove(&key(set));
                let is_back = batch
                    .iter()
                    .any(|c| c.action != Action::Delete && key(&c.record_set) == key(set));
                if !is_back && self.desired.iter().all(|sets| sets.contains_key(&key(set))) {
                    self.wrong(format!("deletes what was desired all the time: {change}"));
                }
            } else {
                let says_so = |sets: &Sets| sets.get(&key(set)).is_some_and(|s| s.matches(set));
                if !self.desired.iter().any(says_so) {
                    self.wrong(format!("publishes what was never desired: {change}"));
                }
                if !matches!(&*set.rtype, "A" | "AAAA") || !is_simple(set) {
                    self.wrong(format!("makes something strange: {change}"));
                }
                is_new.insert(key(set));
                self.created.insert(key(set));
                let name = set.name.clone();
                self.published.entry(name).or_insert_with(Instant::now);
                self.foreign.remove(&key(set));
            }
        }
        for key in self
            .created
            .difference(&is_listed)
            .cloned()
            .collect::<Vec<_>>()
        {
            self.wrong(format!("a record set of ours has no entry: {key:?}"));
            self.created.remove(&key);
        }
        let now = others(after);
        for key in is_listed.difference(&was_listed) {
            if now.contains_key(key) && !is_new.contains(key) {
                self.wrong(format!("takes over what is someone else's: {key:?}"));
            }
        }
        // Deleted and made again by others, while the program was forgetting it.
        for key in was_listed.difference(&is_listed) {
            if let Some(set) = now.get(key) {
                self.foreign.insert(key.clone(), set.clone());
            }
        }
        for note in notes(before).difference(&notes(after)) {
            self.wrong(format!("loses what others wrote in a state record: {note}"));
        }
    }

    fn see_edit(&mut self, before: &Zone, after: &Zone) {
        self.edits += 1;
        let (was_listed, is_listed) = (listed(before), listed(after));
        let (was, is) = (others(before), others(after));
        let is_owned = |key: &Key| {
            let set = is.get(key);
            set.is_some_and(is_simple) && is_listed.contains(key)
        };
        self.created.retain(is_owned);
        for key in was.keys().chain(is.keys()) {
            let is_listed_still = was_listed.contains(key) == is_listed.contains(key);
            if was.get(key) == is.get(key) && is_listed_still {
                continue;
            }
            match is.get(key).filter(|_| !is_owned(key)) {
                Some(set) => self.foreign.insert(key.clone(), set.clone()),
                None => self.foreign.remove(key),
            };
        }
    }

    fn wrong(&mut self, what: String) {
        self.wrongs.push(what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chaos::record::{TTL, state_name};
    use sim::route53::RecordSet;

    const NAME: &str = "web.shop.prod.example.com.";

    fn a(address: &str) -> RecordSet {
        RecordSet::simple(NAME, "A", TTL, &[address])
    }

    fn state(values: &[&str]) -> RecordSet {
        RecordSet::simple(&state_name(0), "TXT", TTL, values)
    }

    fn entry() -> RecordSet {
        state(&["\"web.shop.prod.example.com.\""])
    }

    /// A zone under observation.
    struct Scene {
        zone: Zone,
        watcher: Watcher,
    }

    impl Scene {
        fn new() -> Scene {
            let zone = Zone::new("example.com");
            let mut watcher = Watcher::new(others(&zone));
            for set in [a("203.0.113.1"), a("203.0.113.2")] {
                watcher.is_desired(Sets::from([(key(&set), set)]));
            }
            Scene { zone, watcher }
        }

        fn write(&mut self, changes: &[Change], is_batch: bool) {
            let before = self.zone.clone();
            self.zone.apply(changes).unwrap();
            self.watcher.see(&Written {
                before: &before,
                after: &self.zone,
                batch: is_batch.then_some(changes),
            });
        }

        fn batch(&mut self, changes: &[Change]) -> &mut Scene {
            self.write(changes, true);
            self
        }

        fn edit(&mut self, changes: &[Change]) -> &mut Scene {
            self.write(changes, false);
            self
        }

        fn wrongs(&mut self) -> String {
            std::mem::take(&mut self.watcher.wrongs).join("; ")
        }
    }

    fn create(set: RecordSet) -> Change {
        Change::create(set)
    }

    fn delete(set: RecordSet) -> Change {
        Change::delete(set)
    }

    /// With one record set that the program has published.
    fn published() -> Scene {
        let mut scene = Scene::new();
        scene.batch(&[create(entry()), create(a("203.0.113.1"))]);
        assert_eq!(scene.wrongs(), "");
        scene
    }

    #[test]
    fn finds_nothing_wrong_with_what_the_program_may_do() {
        let mut scene = published();
        let (one, two) = (a("203.0.113.1"), a("203.0.113.2"));
        scene.batch(&[delete(one), create(two.clone())]);
        scene.edit(&[delete(two), create(a("192.0.2.1"))]);
        scene.watcher.is_desired(Sets::new());
        scene.batch(&[delete(a("192.0.2.1")), delete(entry())]);
        assert_eq!(scene.wrongs(), "");
        assert_eq!(scene.watcher.foreign(), &others(&Zone::new("example.com")));
    }

    #[test]
    fn finds_whatever_touches_what_is_not_ours() {
        for with in [create(a("203.0.113.1")), create(a("192.0.2.1"))] {
            let mut scene = Scene::new();
            scene.edit(&[create(a("192.0.2.1"))]);
            scene.batch(&[delete(a("192.0.2.1")), with, create(entry())]);
            let wrongs = scene.wrongs();
            assert!(wrongs.contains("deletes what it does not own"), "{wrongs}");
        }
        let mut scene = Scene::new();
        scene.edit(&[create(a("192.0.2.1"))]);
        scene.batch(&[create(entry())]);
        assert!(scene.wrongs().contains("takes over what is someone else's"));
        scene.batch(&[Change::upsert(a("203.0.113.1"))]);
        assert!(scene.wrongs().contains("overwrites"));
    }

    #[test]
    fn finds_what_is_left_without_an_entry_and_a_note_that_is_lost() {
        let mut scene = Scene::new();
        scene.batch(&[create(a("203.0.113.1"))]);
        assert!(scene.wrongs().contains("has no entry"));
        let mut scene = published();
        scene.batch(&[delete(entry())]);
        assert!(scene.wrongs().contains("has no entry"));
        let mut scene = published();
        let noted = state(&["\"web.shop.prod.example.com.\"", "\"a note\""]);
        scene.edit(&[delete(entry()), create(noted.clone())]);
        scene.batch(&[delete(noted), create(entry())]);
        assert!(scene.wrongs().contains("a note"));
    }

    #[test]
    fn finds_what_nobody_can_have_wanted() {
        let mut scene = published();
        scene.batch(&[delete(a("203.0.113.1")), create(a("203.0.113.3"))]);
        assert!(scene.wrongs().contains("never desired"));
        let mut scene = published();
        scene.batch(&[delete(a("203.0.113.1")), delete(entry())]);
        assert!(scene.wrongs().contains("was desired all the time"));
        // What was so before all was right doesn't count any more.
        let mut scene = published();
        let two = a("203.0.113.2");
        scene.watcher.all_is_right();
        scene.batch(&[delete(a("203.0.113.1")), create(two.clone())]);
        assert_eq!(scene.wrongs(), "");
        scene.batch(&[delete(two), create(a("203.0.113.1"))]);
        assert!(scene.wrongs().contains("never desired"));
    }

    #[test]
    fn knows_what_others_have_taken() {
        let mut scene = published();
        let taken = a("192.0.2.1");
        scene.edit(&[
            delete(entry()),
            delete(a("203.0.113.1")),
            create(taken.clone()),
        ]);
        assert_eq!(scene.watcher.foreign()[&key(&taken)], taken);
        scene.batch(&[delete(taken.clone())]);
        assert!(scene.wrongs().contains("deletes what it does not own"));
        // First changed, then taken.
        let mut scene = published();
        scene.edit(&[delete(a("203.0.113.1")), create(taken.clone())]);
        scene.edit(&[delete(entry())]);
        assert_eq!(scene.watcher.foreign()[&key(&taken)], taken);
    }
}
