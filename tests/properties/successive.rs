//! What one round has written, the next one finds: from an empty zone, a few names become others, with
//! values that fill requests. Then state records go and come back within one plan.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rancher_route53::dns::{Name, RecordKey, RecordSet, RecordType, Routing};
use rancher_route53::plan::state_records::{Claim, StateNames};
use rancher_route53::plan::{Adopt, Policy};
use sim::route53 as aws;

use crate::generators::{Key, Setting, TTL, UUID};
use crate::run::{apply, others, owned, round, state_records};

/// What a name has. The numbers are of values, and of the network that they are in.
#[derive(Debug, Clone)]
pub enum Kind {
    Nothing,
    Addresses(Option<(u16, u16)>, Option<(u16, u16)>),
    Cname(u16),
    Weighted(u16, u16),
}

/// What is desired in one round after the other: the kinds of some names.
pub type Worlds = Vec<Vec<Kind>>;

fn kinds() -> impl Strategy<Value = Kind> {
    let count = prop_oneof![Just(1_u16), 2..10_u16, 150..350_u16, 390..=400_u16];
    let values = (count, 0..3_u16);
    let some = proptest::option::weighted(0.7, values.clone());
    prop_oneof![
        2 => Just(Kind::Nothing),
        6 => (some.clone(), some).prop_map(|(four, six)| Kind::Addresses(four, six)),
        2 => (0..3_u16).prop_map(Kind::Cname),
        1 => values.prop_map(|(count, net)| Kind::Weighted(count, net)),
    ]
}

pub fn worlds() -> impl Strategy<Value = Worlds> {
    let names = 1..8_usize;
    names.prop_flat_map(|names| {
        let world = proptest::collection::vec(kinds(), names);
        proptest::collection::vec(world, 2..4)
    })
}

fn sets(number: usize, kind: &Kind) -> Vec<RecordSet> {
    let name = Name::parse(&format!("n{number}.prod.example.com")).unwrap();
    let of = |rtype, values: Vec<String>| {
        let key = RecordKey::new(name.clone(), rtype);
        RecordSet::of_values(key, TTL, values.into_iter().collect())
    };
    let four = |(count, net): (u16, u16)| {
        let addresses = (0..count).map(|i| format!("10.{net}.{}.{}", i / 200, i % 200));
        of(RecordType::A, addresses.collect())
    };
    let six = |(count, net): (u16, u16)| {
        let addresses = (0..count).map(|i| format!("2001:db8:{net}:aaaa:bbbb:cccc::{i:x}"));
        of(RecordType::Aaaa, addresses.collect())
    };
    match kind {
        Kind::Nothing => Vec::new(),
        Kind::Addresses(a, aaaa) => a.map(four).into_iter().chain(aaaa.map(six)).collect(),
        Kind::Cname(to) => vec![of(RecordType::Cname, vec![format!("lb{to}.example.org.")])],
        Kind::Weighted(count, net) => {
            let mut set = four((*count, *net));
            set.key.set_id = Some("u".into());
            set.routing = Some(Box::new(Routing::Weighted(1)));
            vec![set]
        }
    }
}

pub fn hold(worlds: &Worlds) {
    let zone_name = Name::parse("example.com").unwrap();
    let mut setting = Setting {
        desired: BTreeMap::new(),
        policy: Policy::Sync,
        adopt: Adopt::Never,
        names: StateNames::new(UUID, &zone_name).unwrap(),
        claim: Some(Claim::new("rancher.example.com:443", None)),
        ttl: TTL,
    };
    let mut zone = aws::Zone::new("example.com");
    let strangers: BTreeSet<Key> = others(&zone).into_keys().collect();
    for world in worlds {
        let all = world.iter().enumerate();
        let desired = all.flat_map(|(number, kind)| sets(number, kind));
        setting.desired = desired.map(|set| (set.key.clone(), set)).collect();
        let mut seen = vec![state_records(&zone)];
        for batch in round(&zone, &setting).batches {
            apply(&mut zone, &batch);
            let listed = &owned(&zone) | &strangers;
            let mut there = others(&zone).into_keys();
            assert!(there.all(|key| listed.contains(&key)), "nobody lists it");
            let state = state_records(&zone);
            if seen.last() != Some(&state) && !state.is_empty() {
                assert!(!seen.contains(&state), "no trace of what was listed");
                seen.push(state);
            }
        }
        let there: BTreeSet<Key> = others(&zone).into_keys().collect();
        let listed = owned(&zone);
        assert_eq!(listed.len(), setting.desired.len());
        assert_eq!(there, &listed | &strangers);
        let left = round(&zone, &setting).batches;
        assert!(left.is_empty(), "{left:?} is left to do");
    }
}
