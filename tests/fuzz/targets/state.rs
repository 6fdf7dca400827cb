//! State records: the environment's UUID on the first line, then one value of a TXT record set
//! a line; an empty line begins the next record set.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use libfuzzer_sys::fuzz_target;
use rancher_route53::dns::zone::Listed;
use rancher_route53::dns::{Name, RecordKey, RecordSet, RecordType, Zone, txt};
use rancher_route53::plan::batch::batches;
use rancher_route53::plan::state_records::{Claim, Entry, StateNames, StateRecords};
use rancher_route53::plan::{Adopt, PlanSettings, Policy, plan};
use rancher_route53_fuzz::{apply_strictly, approved, assert_within_limits};

fuzz_target!(|text: &str| {
    let zone_name = Name::parse("example.com").expect("a name");
    let (uuid, records) = text.split_once('\n').unwrap_or((text, ""));
    for line in text.lines() {
        texts(line);
        entry(line, &zone_name);
    }
    let names = StateNames::new(uuid, &zone_name);
    let Ok(names) = names else { return };
    numbered(&names, &zone_name);

    let mut zone = Zone::default();
    for (index, record) in (0..).zip(records.split("\n\n").take(8)) {
        let key = RecordKey::new(names.name(index), RecordType::Txt);
        let values = record.lines().filter(|line| !line.is_empty()).take(400);
        let set = RecordSet::of_values(key.clone(), 300, values.map(str::to_owned).collect());
        if !set.values().is_empty() {
            zone.insert(key, Listed::Whole(set));
        }
    }
    let state = StateRecords::read(&zone, &names);
    read_as_a_whole(&state, &zone, &zone_name);
    empty(zone, &state, &names);
});

fn texts(text: &str) {
    let value = txt::encode(text);
    assert_eq!(txt::decode(&value).as_deref(), Some(text));
    assert!(value.bytes().all(|octet| (b' '..=b'~').contains(&octet)));
    if let Some(decoded) = txt::decode(text) {
        assert_eq!(txt::decode(&txt::encode(&decoded)), Some(decoded));
    }
}

fn entry(value: &str, zone: &Name) {
    let entries: BTreeSet<Entry> = Entry::read(value, zone).into_iter().collect();
    for entry in &entries {
        match entry {
            Entry::Owned(key) => {
                assert_within_limits(&key.name);
                assert!(key.name.is_at_or_below(zone));
                assert!(RecordType::PUBLISHED.contains(&key.rtype));
            }
            Entry::Foreign(kept) => assert_eq!(kept, value),
            Entry::Claim(claim) => assert!(claim.is_same_server(claim)),
        }
    }
    let values = Entry::values(&entries);
    let read: BTreeSet<Entry> = values
        .iter()
        .flat_map(|value| Entry::read(value, zone))
        .collect();
    assert_eq!(read, entries);
}

/// Whatever the UUID is, the state records are one label below the zone, and are listed in the
/// stretch of everybody's.
fn numbered(names: &StateNames, zone: &Name) {
    for index in [0, 1, 2, 9, 10, 99, 1000, u16::MAX] {
        let name = names.name(index);
        assert_within_limits(&name);
        assert_eq!(
            name.as_str().split_once('.').map(|(_, parent)| parent),
            Some(zone.as_str())
        );
        assert_eq!(names.index_of_name(&name), Some(index));
        let key = name.listing_key();
        assert!(names.listing_start().listing_key() <= key);
        assert!(!names.is_past_all(&name));
    }
}

fn read_as_a_whole(state: &StateRecords, zone: &Zone, zone_name: &Name) {
    let mut listed: BTreeMap<RecordKey, Vec<u16>> = BTreeMap::new();
    for record in state.records() {
        let set = &record.set;
        assert_eq!(zone.whole(&set.key), Some(set));
        assert!(state.is_taken(record.index));
        let read = set
            .values()
            .iter()
            .flat_map(|value| Entry::read(value, zone_name));
        assert_eq!(read.collect::<BTreeSet<_>>(), record.entries);
        for key in record.owned() {
            listed.entry(key.clone()).or_default().push(record.index);
        }
    }
    assert!(state.owned().eq(listed.keys()));
    for (key, indexes) in &listed {
        assert!(state.owns(key) && state.listed_in(key).eq(indexes.iter().copied()));
    }
}

/// Everything owned is in the zone and none of it is desired any more: afterwards nothing of it
/// is there, and what other people wrote into the state records still is.
fn empty(mut zone: Zone, state: &StateRecords, names: &StateNames) {
    let claim = Claim::new("rancher", None);
    if state.claim_of_another(&claim).is_some() {
        return;
    }
    for key in state.owned() {
        let value = match key.rtype {
            RecordType::A => "192.0.2.1",
            _ => "2001:db8::1",
        };
        let set = RecordSet::of_values(key.clone(), 300, [value.to_owned()].into());
        zone.insert(key.clone(), Listed::Whole(set));
    }
    let foreign = |state: &StateRecords| -> Vec<String> {
        let entries = state.records().iter().flat_map(|record| &record.entries);
        let mut foreign: Vec<String> = entries
            .filter_map(|entry| match entry {
                Entry::Foreign(value) => Some(value.clone()),
                Entry::Owned(_) | Entry::Claim(_) => None,
            })
            .collect();
        foreign.sort();
        foreign.dedup();
        foreign
    };
    let nothing = BTreeMap::new();
    let settings = PlanSettings {
        policy: Policy::Sync,
        adopt: &Adopt::Never,
        claim: &claim,
        gives_up: true,
    };
    let todo = plan(&nothing, &zone, state, settings);
    assert_eq!(todo.deletes.len(), state.owned().len());
    apply_strictly(&mut zone, &batches(&approved(todo), state, names, 7));
    let after = StateRecords::read(&zone, names);
    assert_eq!(foreign(&after), foreign(state));
    assert_eq!(after.owned().len(), 0);
}
