use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::*;
use crate::dns::zone::Listed;
use crate::dns::{Name, RecordKey, RecordType, Zone};
use crate::plan::guard::{Guard, GuardSettings};
use crate::plan::state_records::{Claim, Generation, MAX_CHARACTERS, MAX_ENTRIES};
use crate::plan::{Adopt, PlanSettings, Policy, plan};

mod cost;
mod load;
mod long;
mod order;
mod packing;
mod replace;
mod trace;

const TTL: u32 = 300;
/// Generation of the first state record if it has none; the next one has one more.
const RANDOM: u64 = 1_000;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn names() -> StateNames {
    StateNames::new("u", &name("example.com")).unwrap()
}

fn key(text: &str) -> RecordKey {
    RecordKey::new(name(&format!("{text}.example.com")), RecordType::A)
}

fn a(text: &str, value: &str) -> RecordSet {
    RecordSet::of_values(key(text), TTL, [value.to_owned()].into())
}

fn aaaa(text: &str) -> RecordSet {
    let key = RecordKey::new(key(text).name, RecordType::Aaaa);
    RecordSet::of_values(key, TTL, ["2001:db8::1".to_owned()].into())
}

fn zone_of(sets: &[RecordSet]) -> Zone {
    let mut zone = Zone::default();
    for set in sets {
        zone.insert(set.key.clone(), Listed::Whole(set.clone()));
    }
    zone
}

/// `external-dns-u` (0) or a continuation, with these values without their quotes.
fn state_record(index: u16, values: &[impl AsRef<str>]) -> RecordSet {
    let quoted = values.iter().map(|v| format!("\"{}\"", v.as_ref()));
    RecordSet::of_values(
        RecordKey::new(names().name(index), RecordType::Txt),
        TTL,
        quoted.collect(),
    )
}

/// The same, with this generation.
fn of_generation(number: u64, record: RecordSet) -> RecordSet {
    record.with_ttl(Generation::of_number(number).ttl())
}

/// The batches for a zone and what is desired, and the zone after them.
fn run(zone: &[RecordSet], desired: &[RecordSet]) -> (Vec<ChangeBatch>, Zone) {
    run_claimed(zone, desired, None)
}

fn run_claimed(
    zone: &[RecordSet],
    desired: &[RecordSet],
    claim: Option<&Claim>,
) -> (Vec<ChangeBatch>, Zone) {
    run_with(zone, desired, claim, &Adopt::Never)
}

fn run_with(
    zone: &[RecordSet],
    desired: &[RecordSet],
    claim: Option<&Claim>,
    adopt: &Adopt,
) -> (Vec<ChangeBatch>, Zone) {
    let mut view = zone_of(zone);
    let state = StateRecords::read(&view, &names());
    let desired: BTreeMap<RecordKey, RecordSet> = desired
        .iter()
        .map(|set| (set.key.clone(), set.clone()))
        .collect();
    let nobodys = Claim::new("nobody", None);
    let settings = PlanSettings {
        policy: Policy::Sync,
        adopt,
        claim: claim.unwrap_or(&nobodys),
        gives_up: claim.is_none(),
    };
    let plan = plan(&desired, &view, &state, settings);
    let mut guard = Guard::new(GuardSettings::OFF);
    let (approved, _) = guard.approve(plan, 0, Instant::now());
    let batches = batches(&approved, &state, &names(), RANDOM);
    for batch in &batches {
        view.apply(batch);
    }
    (batches, view)
}

/// The zone after each batch.
fn states(zone: &[RecordSet], batches: &[ChangeBatch]) -> Vec<StateRecords> {
    let mut view = zone_of(zone);
    let after = batches.iter().map(|batch| {
        view.apply(batch);
        StateRecords::read(&view, &names())
    });
    after.collect()
}

#[test]
fn an_entry_that_stands_there_twice_in_other_letters_is_no_reason_to_write() {
    let zone = [
        a("web", "192.0.2.1"),
        state_record(0, &["web.example.com.", "WEB.example.com"]),
    ];
    assert_eq!(run(&zone, &[a("web", "192.0.2.1")]).0, []);
}

/// Two record sets that are allowed each, but not in one request.
#[test]
fn a_change_that_no_request_holds_is_made_in_two() {
    let aaaa = RecordKey::new(name("web.example.com"), RecordType::Aaaa);
    let of = |spelled: fn(u32) -> String| {
        RecordSet::of_values(aaaa.clone(), TTL, (10_000..10_400).map(spelled).collect())
    };
    let long = of(|i| {
        format!(
            "2001:0db8:0000:0000:0000:ffff:100.100.1{:02}.1{:02}",
            i / 100 % 100,
            i % 100
        )
    });
    let desired = of(|i| format!("2001:db8:aaaa:bbbb:cccc:dddd:eeee:{i:x}"));
    assert!(!Cost::of_set(&long).plus(Cost::of_set(&desired)).fits());
    let record = state_record(1, &["web.example.com. AAAA"]);
    let (batches, after) = run(&[long.clone(), record], std::slice::from_ref(&desired));
    assert_eq!(after.whole(&aaaa), Some(&desired));
    assert_eq!(batches.len(), 2);
    assert_eq!(batches[0].deletes, [long]);
    assert_eq!(batches[1].creates, [desired]);
}

/// As a service that changes its addresses and one that comes and one that goes: the usual.
#[test]
fn a_batch_deletes_first_and_is_sorted() {
    let zone = [
        a("web", "192.0.2.1"),
        a("old", "192.0.2.3"),
        state_record(0, &["web.example.com.", "old.example.com."]),
    ];
    let desired = [a("web", "192.0.2.2"), a("new", "192.0.2.4")];
    let (batches, _) = run(&zone, &desired);
    assert_eq!(
        batches,
        [ChangeBatch {
            deletes: vec![zone[2].clone(), zone[1].clone(), zone[0].clone()],
            creates: vec![
                of_generation(
                    RANDOM,
                    state_record(0, &["new.example.com.", "web.example.com."])
                ),
                desired[1].clone(),
                desired[0].clone(),
            ],
        }]
    );
}

#[test]
fn new_entries_go_to_the_first_state_record_with_room() {
    let full: Vec<String> = (0..100).map(|i| format!("n{i}.example.com.")).collect();
    let mut zone: Vec<RecordSet> = (0..100).map(|i| a(&format!("n{i}"), "192.0.2.1")).collect();
    let mut desired = zone.clone();
    zone.push(a("web", "192.0.2.2"));
    desired.push(a("web", "192.0.2.2"));
    desired.push(a("new", "192.0.2.3"));
    zone.extend([
        state_record(0, &full),
        state_record(7, &["web.example.com."]),
    ]);
    let (batches, after) = run(&zone, &desired);
    assert_eq!(batches.len(), 1);
    let written = state_record(7, &["new.example.com.", "web.example.com."]);
    let written = of_generation(RANDOM + 7, written);
    assert_eq!(after.whole(&written.key), Some(&written));
}

#[test]
fn the_first_state_record_comes_back_before_others_with_room_are_filled() {
    let claim = Claim::new("rancher:8080", None);
    let (_, empty) = run_claimed(
        &[
            state_record(0, &["web.example.com."]),
            a("web", "192.0.2.1"),
        ],
        &[],
        Some(&claim),
    );
    let sets: Vec<RecordSet> = after_sets(&empty);
    assert_eq!(sets.len(), 1, "the claim is left");
    let (_, after) = run_claimed(&sets, &[a("new", "192.0.2.2")], Some(&claim));
    let state = StateRecords::read(&after, &names());
    let listed_in: Vec<u16> = state.listed_in(&key("new")).collect();
    assert_eq!(listed_in, [0]);
}

#[test]
fn no_two_writes_of_a_state_record_are_equal() {
    let before = of_generation(41, state_record(0, &["web.example.com."]));
    let zone = [a("web", "192.0.2.1"), before.clone()];
    let both = [a("web", "192.0.2.1"), a("new", "192.0.2.2")];
    let (_, with_new) = run(&zone, &both);
    let zone: Vec<RecordSet> = [&before.key, &both[0].key, &both[1].key]
        .map(|key| with_new.whole(key).unwrap().clone())
        .into();
    let (_, without) = run(&zone, &both[..1]);
    let after = without.whole(&before.key).unwrap();
    let entries = state_record(0, &["web.example.com."]);
    assert_eq!(after, &of_generation(43, entries.clone()));
    assert_ne!(after, &before, "though the entries are the same again");
}

#[test]
fn a_state_record_that_is_written_twice_in_a_plan_has_two_generations() {
    let many: Vec<RecordSet> = (0..90)
        .map(|i| {
            let values = (0..40).map(|v| format!("192.0.{v}.{i}")).collect();
            RecordSet::of_values(key(&format!("n{i}")), TTL, values)
        })
        .collect();
    // It lists them, and they are missing.
    let listed: Vec<String> = (0..90).map(|i| format!("n{i}.example.com.")).collect();
    let (batches, after) = run(&[state_record(0, &listed)], &many);
    let key = RecordKey::new(names().name(0), RecordType::Txt);
    let writes = batches.iter().flat_map(|batch| &batch.creates);
    let writes: Vec<&RecordSet> = writes.filter(|set| set.key == key).collect();
    assert!(writes.len() > 1);
    let last = Generation::of_number(RANDOM + writes.len() as u64 - 1);
    assert_eq!(after.whole(&key).unwrap().ttl(), Some(last.ttl()));
}

#[test]
fn the_claim_is_in_the_first_batch_and_no_other_record_than_the_first_holds_it() {
    let claim = Claim::new("rancher:8080", Some("stack"));
    let value = Entry::Claim(claim.clone()).value();
    let many: Vec<RecordSet> = (0..700).map(|i| a(&format!("n{i}"), "192.0.2.1")).collect();
    let six = aaaa("n1");
    let full: Vec<String> = (0..100).map(|i| format!("n{i}.example.com.")).collect();
    for (zone, desired, index) in [
        (vec![], &many[..1], 1),
        (vec![], &many[..], 1),
        (
            vec![state_record(0, &full[..1]), many[0].clone()],
            &many[..],
            1,
        ),
        (
            vec![state_record(1, &full[..1]), many[0].clone()],
            &many[..1],
            1,
        ),
        (
            [&[state_record(1, &full)], &many[..100]].concat(),
            &many[..],
            2,
        ),
        (vec![], &[many[1].clone(), six.clone()][..], 1),
    ] {
        let (batches, after) = run_claimed(&zone, desired, Some(&claim));
        let key = RecordKey::new(names().name(index), RecordType::Txt);
        let holds_claim = |set: &RecordSet| set.values().iter().any(|v| v.ends_with(&value));
        let first = batches[0].creates.iter().filter(|set| holds_claim(set));
        assert_eq!(first.map(|set| &set.key).collect::<Vec<_>>(), [&key]);
        assert!(holds_claim(after.whole(&key).unwrap()));
        let state = StateRecords::read(&after, &names());
        assert_eq!(state.owned().len(), desired.len());
        assert!(
            state
                .records()
                .iter()
                .all(|record| record.misplaced().next().is_none())
        );
        if desired.len() < 3 {
            assert_eq!(batches.len(), 1);
        }
    }
}

#[test]
fn entries_of_other_types_leave_the_first_state_record_and_are_listed_all_the_while() {
    let six = |i: usize| aaaa(&format!("n{i}"));
    let (fours, sixes): (Vec<_>, Vec<_>) = (0..50)
        .map(|i| (a(&format!("n{i}"), "192.0.2.1"), six(i)))
        .unzip();
    let both: Vec<RecordSet> = fours.iter().chain(&sixes).cloned().collect();
    let entries: Vec<String> = (0..50)
        .flat_map(|i| ["", " AAAA"].map(|suffix| format!("n{i}.example.com.{suffix}")))
        .collect();
    let record = state_record(0, &entries);
    // Some are gone, some are missing in the zone, some are listed twice, some are new.
    let twice = state_record(3, &["n7.example.com. AAAA", "n8.example.com. AAAA"]);
    for (there, desired, extra) in [
        (&both[..], &both[..], None),
        (&both[..], &both[..90], None),
        (&both[..90], &both[..], None),
        (&both[..], &both[..], Some(twice.clone())),
        (&both[..90], &both[..70], Some(twice)),
        (
            &both[..],
            &[&both[..], &[a("new", "192.0.2.7")]].concat()[..],
            None,
        ),
    ] {
        let mut zone = there.to_vec();
        zone.push(record.clone());
        zone.extend(extra);
        let mut view = zone_of(&zone);
        let (batches, after) = run(&zone, desired);
        for batch in &batches {
            view.apply(batch);
            let state = StateRecords::read(&view, &names());
            let mut ours = view.iter().filter(|(key, _)| key.rtype != RecordType::Txt);
            assert!(ours.all(|(key, _)| state.owns(key)));
        }
        assert_eq!(view, after);
        let state = StateRecords::read(&after, &names());
        assert!(
            state
                .records()
                .iter()
                .all(|record| record.misplaced().next().is_none())
        );
        assert_eq!(state.owned().len(), desired.len());
        assert_eq!(
            run(&after_sets(&after), desired).0,
            [],
            "nothing is left to do"
        );
    }
}

fn after_sets(zone: &Zone) -> Vec<RecordSet> {
    let sets = zone.iter().map(|(key, _)| zone.whole(key).unwrap().clone());
    sets.collect()
}
