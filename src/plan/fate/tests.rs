use std::time::{Duration, Instant};

use super::*;
use crate::dns::{Name, RecordType};
use crate::plan::guard::{Guard, GuardSettings};
use crate::plan::state_records::{Claim, StateNames};
use crate::plan::{Adopt, PlanSettings, Policy, plan};

fn name(text: &str) -> Name {
    Name::parse(&format!("{text}.example.com")).unwrap()
}

fn a(text: &str, value: &str) -> RecordSet {
    RecordSet::of_values(
        RecordKey::new(name(text), RecordType::A),
        300,
        [value.to_owned()].into(),
    )
}

/// What becomes of each of these names with this policy, in a word.
fn fates(policy: Policy, guard: GuardSettings) -> Vec<(&'static str, &'static str)> {
    let names = StateNames::new("own", &Name::parse("example.com").unwrap()).unwrap();
    let desired = [
        a("new", "192.0.2.1"),
        a("other", "192.0.2.1"),
        a("same", "192.0.2.1"),
        a("taken", "192.0.2.1"),
    ];
    let desired = desired.map(|set| (set.key.clone(), set)).into();
    let mut zone = Zone::default();
    for set in [
        a("other", "192.0.2.9"),
        a("same", "192.0.2.1"),
        a("taken", "192.0.2.9"),
        a("foreign", "192.0.2.9"),
        a("old", "192.0.2.9"),
        RecordSet::of_values(
            RecordKey::new(names.name(0), RecordType::Txt),
            300,
            ["other", "same", "old", "gone", "partial"]
                .map(|text| format!("\"{}\"", name(text)))
                .into(),
        ),
    ] {
        zone.insert(set.key.clone(), Listed::Whole(set));
    }
    let partial = Listed::Partial {
        element: "New".to_owned(),
    };
    zone.insert(RecordKey::new(name("partial"), RecordType::A), partial);
    let state = StateRecords::read(&zone, &names);
    let settings = PlanSettings {
        policy,
        adopt: &Adopt::Never,
        claim: &Claim::new("rancher:8080", None),
        gives_up: false,
    };
    let plan = plan(&desired, &zone, &state, settings);
    let (_, held) = Guard::new(guard).approve(plan.clone(), 4, Instant::now());
    let outlook = Outlook {
        plan: &plan,
        held: held.as_ref(),
        zone: &zone,
        state: &state,
    };
    let all = [
        "new", "other", "same", "taken", "foreign", "old", "gone", "partial", "none",
    ];
    let fates = all.map(|text| {
        let key = RecordKey::new(name(text), RecordType::A);
        let word = match outlook.fate(&key, desired.get(&key)) {
            None => "nothing",
            Some(Fate::Created) => "created",
            Some(Fate::Changed { .. }) => "changed",
            Some(Fate::Deleted) => "deleted",
            Some(Fate::Waits) => "waits",
            Some(Fate::Replaced) => "replaced",
            Some(Fate::AwaitsSuccessor) => "awaits its successor",
            Some(Fate::Forgotten) => "gone",
            Some(Fate::LeftAlone(ConflictReason::Extended(_))) => "partly known",
            Some(Fate::LeftAlone(ConflictReason::NotOwned)) => "left alone",
            Some(Fate::LeftAlone(other)) => panic!("{text}: {other}"),
            Some(Fate::Foreign) => "foreign",
            Some(Fate::UnchangedByPolicy) => "unchanged by policy",
            Some(Fate::UndeletedByPolicy) => "undeleted by policy",
            Some(Fate::Kept) => "kept",
        };
        (text, word)
    });
    fates.to_vec()
}

#[test]
fn each_record_set_has_its_fate() {
    let strict = GuardSettings {
        percent: 0,
        min: 0,
        hold: Duration::from_secs(60),
    };
    for (policy, guard, other, old) in [
        (Policy::Sync, GuardSettings::OFF, "changed", "deleted"),
        (Policy::Sync, strict, "changed", "waits"),
        (
            Policy::UpsertOnly,
            GuardSettings::OFF,
            "changed",
            "undeleted by policy",
        ),
        (
            Policy::CreateOnly,
            GuardSettings::OFF,
            "unchanged by policy",
            "undeleted by policy",
        ),
    ] {
        let expected = [
            ("new", "created"),
            ("other", other),
            ("same", "kept"),
            ("taken", "left alone"),
            ("foreign", "foreign"),
            ("old", old),
            ("gone", "gone"),
            ("partial", "partly known"),
            ("none", "nothing"),
        ];
        assert_eq!(fates(policy, guard), expected, "{policy:?}");
    }
}

#[test]
fn each_fate_has_its_code_and_is_a_change_or_none() {
    let (from, to) = (&a("x", "192.0.2.1"), &a("x", "192.0.2.2"));
    let reason = ConflictReason::NotOwned;
    for (fate, code, is_change) in [
        (Fate::Created, "create", true),
        (Fate::Changed { from, to }, "change", true),
        (Fate::Replaced, "replace", true),
        (Fate::AwaitsSuccessor, "kept_until_replaced", false),
        (Fate::Deleted, "delete", true),
        (Fate::Waits, "delete_waits", true),
        (Fate::Forgotten, "release", true),
        (Fate::LeftAlone(&reason), "conflict", false),
        (Fate::Foreign, "foreign", false),
        (Fate::UnchangedByPolicy, "kept_by_policy", false),
        (Fate::UndeletedByPolicy, "kept_by_policy", false),
        (Fate::Kept, "kept", false),
    ] {
        assert_eq!((fate.code(), fate.is_change()), (code, is_change));
    }
}
