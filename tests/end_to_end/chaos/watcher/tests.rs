use super::*;
use crate::chaos::naming::below;
use crate::chaos::publishing::USUAL;
use crate::chaos::record::{OTHER, OTHERS_CLAIM, Sets, TTL, UUID, state_name, state_records};
use crate::chaos::regime::{Adopt, Policy};
use sim::route53::{Operation, RecordSet, RequestRecord};

const NAME: &str = "web.shop.prod.example.com.";
const ENTRY: &str = "\"web.shop.prod.example.com.\"";
const REGIME: Regime = Regime {
    owner: UUID,
    adopt: Adopt::Never,
    policy: Policy::Sync,
    writes_back: true,
    publishing: USUAL,
};

fn a(address: &str) -> RecordSet {
    RecordSet::simple(NAME, "A", TTL, &[address])
}

/// A zone under observation.
struct Scene {
    zone: Zone,
    watcher: Watcher,
    requests: Vec<RequestRecord>,
    /// Of the next state record.
    generation: u32,
}

impl Scene {
    /// One of two addresses is desired.
    fn new(regime: Regime) -> Scene {
        let zone = Zone::new("example.com");
        let mut scene = Scene {
            watcher: Watcher::new(&zone),
            zone,
            requests: Vec::new(),
            generation: 1 << 30,
        };
        scene.watcher.starts("key", regime, None);
        for set in [a("203.0.113.1"), a("203.0.113.2")] {
            scene.is_desired(&[set]);
        }
        scene
    }

    /// With one record set that the program has published.
    fn published(regime: Regime) -> Scene {
        let mut scene = Scene::new(regime);
        scene.batch(&[create(a("203.0.113.1"))], &[ENTRY]);
        assert_eq!(scene.wrongs(), "");
        scene
    }

    fn is_desired(&mut self, sets: &[RecordSet]) {
        let sets: Sets = sets.iter().map(|set| (key(set), set.clone())).collect();
        let below = below("Prod");
        let past = &mut self.watcher.past;
        past.is_desired(Epoch { sets, below }, Instant::now());
    }

    fn write(&mut self, changes: &[Change], by: Option<&str>) {
        let before = self.zone.clone();
        self.zone.apply(changes).unwrap();
        self.watcher.see(&Written {
            before: &before,
            after: &self.zone,
            batch: by.is_some().then_some(changes),
            by,
            requests: &self.requests,
        });
    }

    /// The program writes these, and such a state record.
    fn batch(&mut self, changes: &[Change], values: &[&str]) -> &mut Scene {
        let mut all = self.state(values);
        all.extend_from_slice(changes);
        self.write(&all, Some("key"));
        self
    }

    fn state(&mut self, values: &[&str]) -> Vec<Change> {
        let old = state_records(&self.zone, UUID).cloned();
        let mut changes: Vec<Change> = old.map(delete).collect();
        if !values.is_empty() {
            let name = state_name(UUID, 0);
            let new = RecordSet::simple(&name, "TXT", self.generation, values);
            changes.push(create(new));
            self.generation += 1;
        }
        changes
    }

    fn edit(&mut self, changes: &[Change]) -> &mut Scene {
        self.write(changes, None);
        self
    }

    /// Another owner's state record lists it.
    fn is_listed_elsewhere(&mut self) -> Change {
        let name = state_name(OTHER, 0);
        create(RecordSet::simple(&name, "TXT", TTL, &[ENTRY]))
    }

    fn wrongs(&mut self) -> String {
        std::mem::take(&mut self.watcher.wrongs).join("; ")
    }

    fn expect(&mut self, words: &str) {
        let wrongs = self.wrongs();
        assert!(wrongs.contains(words), "{words}: {wrongs}");
    }
}

fn create(set: RecordSet) -> Change {
    Change::create(set)
}

fn delete(set: RecordSet) -> Change {
    Change::delete(set)
}

#[test]
fn finds_nothing_wrong_with_what_the_program_may_do() {
    let mut scene = Scene::published(REGIME);
    let (one, two) = (a("203.0.113.1"), a("203.0.113.2"));
    scene.batch(&[delete(one), create(two.clone())], &[ENTRY]);
    scene.edit(&[delete(two), create(a("192.0.2.1"))]);
    scene.is_desired(&[]);
    scene.batch(&[delete(a("192.0.2.1"))], &[]);
    assert_eq!(scene.wrongs(), "");
}

#[test]
fn finds_whatever_touches_what_is_not_ours() {
    for with in [create(a("203.0.113.1")), create(a("192.0.2.1"))] {
        let mut scene = Scene::new(REGIME);
        scene.edit(&[create(a("192.0.2.1"))]);
        scene.batch(&[delete(a("192.0.2.1")), with], &[ENTRY]);
        scene.expect("deletes what it does not own");
    }
    let mut scene = Scene::new(REGIME);
    scene.edit(&[create(a("192.0.2.1"))]);
    scene.batch(&[], &[ENTRY]);
    scene.expect("takes over what is someone else's");
    scene.batch(&[Change::upsert(a("203.0.113.1"))], &[ENTRY]);
    scene.expect("overwrites");
    scene.write(&[delete(a("203.0.113.1"))], Some("no key"));
    scene.expect("nobody that was started");
}

#[test]
fn finds_what_is_left_without_an_entry_and_a_note_that_is_lost() {
    let mut scene = Scene::new(REGIME);
    scene.batch(&[create(a("203.0.113.1"))], &[]);
    scene.expect("has no entry");
    let mut scene = Scene::published(REGIME);
    scene.batch(&[], &[]);
    scene.expect("has no entry");
    let mut scene = Scene::published(REGIME);
    let noted = scene.state(&[ENTRY, "\"a note\"", "\"claim 1\""]);
    scene.edit(&noted);
    scene.batch(&[], &[ENTRY]);
    scene.expect("a note");
    assert!(!scene.wrongs().contains("claim"));
}

#[test]
fn finds_what_nobody_can_have_wanted() {
    let mut scene = Scene::published(REGIME);
    let changed = [delete(a("203.0.113.1")), create(a("203.0.113.3"))];
    scene.batch(&changed, &[ENTRY]);
    scene.expect("never desired");
    let mut scene = Scene::published(REGIME);
    scene.batch(&[delete(a("203.0.113.1"))], &[]);
    scene.expect("was desired all the time");
    // What was so before all was right doesn't count any more.
    let mut scene = Scene::published(REGIME);
    let two = a("203.0.113.2");
    scene.watcher.all_is_right();
    let there = [delete(a("203.0.113.1")), create(two.clone())];
    scene.batch(&there, &[ENTRY]);
    assert_eq!(scene.wrongs(), "");
    let back = [delete(two), create(a("203.0.113.1"))];
    scene.batch(&back, &[ENTRY]);
    scene.expect("never desired");
    // Nor does what was so before a process was started.
    let mut scene = Scene::published(REGIME);
    scene.is_desired(&[]);
    scene.is_desired(&[a("203.0.113.1")]);
    scene.watcher.starts("key", REGIME, None);
    scene.batch(&[delete(a("203.0.113.1"))], &[]);
    scene.expect("desired as long as it runs");
}

#[test]
fn finds_what_the_settings_forbid() {
    for (policy, is_changed, is_deleted) in [
        (Policy::Sync, true, true),
        (Policy::UpsertOnly, true, false),
        (Policy::CreateOnly, false, false),
    ] {
        let mut scene = Scene::published(Regime { policy, ..REGIME });
        let changed = [delete(a("203.0.113.1")), create(a("203.0.113.2"))];
        scene.batch(&changed, &[ENTRY]);
        assert_eq!(!scene.wrongs().contains("POLICY"), is_changed, "{policy:?}");
        scene.is_desired(&[]);
        scene.batch(&[delete(a("203.0.113.2"))], &[]);
        assert_eq!(!scene.wrongs().contains("POLICY"), is_deleted, "{policy:?}");
    }
    for (adopt, ttl, may_take) in [
        (Adopt::Never, TTL, false),
        (Adopt::Matching, 60, true),
        (Adopt::Legacy, TTL, true),
        (Adopt::Legacy, 60, false),
    ] {
        let mut scene = Scene::new(Regime { adopt, ..REGIME });
        let theirs = RecordSet::simple(NAME, "A", ttl, &["192.0.2.1"]);
        scene.edit(&[create(theirs.clone())]);
        scene.batch(&[], &[ENTRY]);
        assert_eq!(scene.wrongs().is_empty(), may_take, "{adopt:?} {ttl}");
    }
}

#[test]
fn finds_what_takes_from_another_owner() {
    let regime = Regime {
        adopt: Adopt::Matching,
        ..REGIME
    };
    // Listed before the program could plan, or only afterwards.
    for is_known in [true, false] {
        let mut scene = Scene::new(regime);
        scene.edit(&[create(a("192.0.2.1"))]);
        let listed = scene.is_listed_elsewhere();
        scene.edit(&[listed]);
        if is_known {
            scene.watcher.all_is_right();
        }
        scene.batch(&[], &[ENTRY]);
        assert_eq!(scene.wrongs().is_empty(), !is_known);
    }
    let mut scene = Scene::published(REGIME);
    let theirs = [
        scene.is_listed_elsewhere(),
        delete(a("203.0.113.1")),
        create(a("192.0.2.1")),
    ];
    scene.edit(&theirs);
    let changed = [delete(a("192.0.2.1")), create(a("203.0.113.2"))];
    scene.batch(&changed, &[ENTRY]);
    scene.expect("deletes what another owner has made");
}

#[test]
fn finds_a_state_record_that_is_written_as_before() {
    let mut scene = Scene::published(REGIME);
    scene.generation -= 1;
    scene.batch(&[], &[ENTRY]);
    scene.expect("as it was before");
    scene.generation += 1;
    scene.batch(&[], &[ENTRY]);
    scene.expect("without the next generation");
    scene.generation = TTL;
    scene.batch(&[], &[ENTRY]);
    scene.expect("without the next generation");
}

#[test]
fn finds_what_is_written_beside_the_claim_of_another_server() {
    let listed = |at: Instant| RequestRecord {
        at,
        done: at,
        operation: Some(Operation::ListResourceRecordSets),
        zone: None,
        resource: String::new(),
        status: 200,
        code: None,
        access_key: Some("key".to_owned()),
        applied: false,
        changes: 0,
        resource_records: 0,
        characters: 0,
        batch: None,
        fault: None,
        query: format!("name=external-dns-{UUID}-1.example.com."),
    };
    // Listed before there was a claim, since then, and not at all but started since then.
    for (lists_before, lists_after, starts, may_write) in [
        (true, false, false, true),
        (false, true, false, false),
        (false, false, true, false),
    ] {
        let mut scene = Scene::published(REGIME);
        if lists_before {
            scene.requests.push(listed(Instant::now()));
        }
        let claimed = scene.state(&[ENTRY, OTHERS_CLAIM]);
        scene.edit(&claimed);
        if lists_after {
            scene.requests.push(listed(Instant::now()));
        }
        if starts {
            scene.watcher.starts("key", REGIME, None);
        }
        let changed = [delete(a("203.0.113.1")), create(a("203.0.113.2"))];
        scene.batch(&changed, &[ENTRY, OTHERS_CLAIM]);
        assert_eq!(scene.wrongs().is_empty(), may_write);
    }
}

#[test]
fn finds_many_deletes_that_were_not_held() {
    let set = |i: usize| {
        let name = format!("web{i}.shop.prod.example.com.");
        RecordSet::simple(&name, "A", TTL, &["203.0.113.1"])
    };
    for (count, gone, may_go) in [(9, 9, true), (10, 3, true), (10, 4, false)] {
        let mut scene = Scene::new(REGIME);
        let sets: Vec<RecordSet> = (0..count).map(set).collect();
        let entries: Vec<String> = sets.iter().map(|s| format!("\"{}\"", s.name)).collect();
        let entries: Vec<&str> = entries.iter().map(String::as_str).collect();
        scene.is_desired(&sets);
        let creates: Vec<Change> = sets.iter().cloned().map(create).collect();
        scene.batch(&creates, &entries);
        scene.is_desired(&sets[gone..]);
        let deletes: Vec<Change> = sets[..gone].iter().cloned().map(delete).collect();
        scene.batch(&deletes, &entries[gone..]);
        assert_eq!(scene.wrongs().is_empty(), may_go, "{gone} of {count}");
    }
}

#[test]
fn knows_what_the_command_takes_from_the_owner_that_it_names_and_no_other() {
    let berlin = Regime {
        owner: OWNERS[1],
        ..REGIME
    };
    for (from, may_take) in [(UUID, true), (OWNERS[2], false)] {
        let mut scene = Scene::published(REGIME);
        scene.watcher.starts("adopt", berlin, Some(from));
        let name = state_name(OWNERS[1], 0);
        let coming = create(RecordSet::simple(&name, "TXT", (1 << 30) + 77, &[ENTRY]));
        let mut changes = scene.state(&[]);
        changes.push(coming);
        scene.write(&changes, Some("adopt"));
        assert_eq!(scene.wrongs().is_empty(), may_take, "{from}");
    }
}
