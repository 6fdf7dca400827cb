//! What the plan has to do with the state records themselves: other owners' entries, claims, and
//! entries that stand in the wrong one.

use super::*;
use crate::dns::Name;

fn names(id: &str) -> StateNames {
    StateNames::new(id, &Name::parse("example.com").unwrap()).unwrap()
}

/// The record set with these values, too.
fn with_values(set: RecordSet, more: impl IntoIterator<Item = String>) -> RecordSet {
    let values = set.values().iter().cloned().chain(more).collect();
    RecordSet::of_values(set.key.clone(), 300, values)
}

fn planned(zone: &[RecordSet], desired: &[&str], settings: PlanSettings<'_>) -> Plan {
    let mut listed = Zone::default();
    for set in zone {
        listed.insert(set.key.clone(), Listed::Whole(set.clone()));
    }
    let state = StateRecords::read(&listed, &names("u"));
    let desired = desired.iter().map(|line| record_set(line));
    let desired = desired.map(|(key, set)| (key, set.unwrap())).collect();
    plan(&desired, &listed, &state, settings)
}

#[test]
fn what_another_state_record_lists_is_left_alone_and_said_to_be_whose() {
    let elsewhere = "conflict web A because the state record external-dns-other.example.com lists \
                     it, so another environment owns it";
    let web = "web A 192.0.2.1";
    let legacy = Adopt::Legacy {
        below: name("@"),
        ttl: 300,
    };
    // Desired, in the zone, whether it is listed here, and the plan.
    for (desired, there, ours, expected) in [
        (Some(web), None, false, Some(elsewhere)),
        (Some(web), Some(web), false, Some(elsewhere)),
        (Some(web), Some("web A 192.0.2.9"), false, Some(elsewhere)),
        (None, Some(web), false, None),
        (Some(web), Some(web), true, None),
        (Some(web), Some("web A 192.0.2.9"), true, Some(elsewhere)),
        (None, Some(web), true, Some(elsewhere)),
        (None, None, true, Some("release web A")),
        (None, None, false, None),
    ] {
        for adopt in [&Adopt::Never, &Adopt::Matching, &legacy] {
            let mut zone = vec![state_record(&names("other"), 0, &["web A"])];
            let there = there.map(|line| record_set(line).1.unwrap());
            zone.extend(there.clone());
            if ours {
                zone.push(state_record(&names("u"), 0, &["web A"]));
            }
            let desired: Vec<&str> = desired.into_iter().collect();
            let claim = claim();
            let settings = PlanSettings {
                gives_up: false,
                ..settings(SYNC, adopt, &claim)
            };
            let plan = planned(&zone, &desired, settings);
            let story = format!("{desired:?} {there:?} {ours} {adopt:?}");
            assert_eq!(lines(&plan), Vec::from_iter(expected), "{story}");
        }
    }
}

#[test]
fn an_owner_that_gives_up_deletes_what_it_lists_whoever_else_lists_it() {
    let zone = [
        state_record(&names("other"), 0, &["web A", "not-ours A"]),
        state_record(&names("u"), 0, &["web A"]),
        record_set("web A 192.0.2.1").1.unwrap(),
        record_set("not-ours A 192.0.2.1").1.unwrap(),
    ];
    let plan = planned(&zone, &[], settings(SYNC, &Adopt::Never, &claim()));
    assert_eq!(lines(&plan), ["delete web A 192.0.2.1"]);
}

#[test]
fn a_claim_is_written_where_there_is_something_to_claim_and_kept_from_then_on() {
    let claim = |host: &str, stack: &str| Claim::new(host, Some(stack));
    let ours = claim("rancher", "stack");
    let with = |claims: &[&Claim]| {
        let record = state_record(&names("u"), 1, &["web A"]);
        let values = claims.iter().map(|c| Entry::Claim((*c).clone()).value());
        let record = with_values(record, values);
        let (_, web) = record_set("web A 192.0.2.1");
        vec![record, web.unwrap()]
    };
    let write = || ClaimChange::Write(ours.clone());
    let web: &[&str] = &["web A 192.0.2.1"];
    for (story, zone, desired, change) in [
        ("nothing at all", vec![], &[] as &[&str], ClaimChange::Keep),
        ("the first service", vec![], web, write()),
        ("a forerunner's records", with(&[]), web, write()),
        ("ours", with(&[&ours]), web, ClaimChange::Keep),
        (
            "ours, the stack made anew",
            with(&[&claim("rancher", "x")]),
            web,
            ClaimChange::Keep,
        ),
        (
            "ours, with another URL",
            with(&[&claim("x", "stack")]),
            web,
            write(),
        ),
    ] {
        let settings = PlanSettings {
            gives_up: false,
            ..settings(SYNC, &Adopt::Never, &ours)
        };
        let plan = planned(&zone, desired, settings);
        assert_eq!(plan.claim, change, "{story}");
        assert_eq!(plan.kept_by_another, None, "{story}");
        assert_eq!(plan.is_empty(), change == ClaimChange::Keep, "{story}");
    }
    // With what is written anyway, the claim gets the new stack: else it would be another server's once
    // the URL changes, too.
    let more: &[&str] = &["web A 192.0.2.1", "new A 192.0.2.1"];
    for (desired, of, change) in [
        (more, "x", write()),
        (&[][..], "x", write()),
        (&["web A 192.0.2.9"], "x", ClaimChange::Keep),
        (more, "stack", ClaimChange::Keep),
    ] {
        let settings = PlanSettings {
            gives_up: false,
            ..settings(SYNC, &Adopt::Never, &ours)
        };
        let plan = planned(&with(&[&claim("rancher", of)]), desired, settings);
        assert_eq!(plan.claim, change, "{desired:?} {of}");
    }
    let unknown = Claim::new("rancher", None);
    let settings_of_unknown = PlanSettings {
        gives_up: false,
        ..settings(SYNC, &Adopt::Never, &unknown)
    };
    let plan = planned(&with(&[&ours]), more, settings_of_unknown);
    assert_eq!(plan.claim, ClaimChange::Keep, "no stack is known");
    let legacy = Adopt::Legacy {
        below: name("@"),
        ttl: 300,
    };
    let settings_of_legacy = PlanSettings {
        gives_up: false,
        ..settings(SYNC, &legacy, &ours)
    };
    let left = [record_set("web A 192.0.2.1").1.unwrap()];
    let plan = planned(&left, &[], settings_of_legacy);
    assert_eq!(lines(&plan), ["delete web A 192.0.2.1"]);
    assert_eq!(plan.claim, write(), "with what is taken over to be deleted");
    let plan = planned(&with(&[&ours]), web, settings(SYNC, &Adopt::Never, &ours));
    assert_eq!(plan.claim, ClaimChange::Remove, "before all is deleted");
}

#[test]
fn nothing_is_planned_where_another_server_keeps_the_state_records() {
    let (ours, theirs) = (Claim::new("a", Some("a")), Claim::new("b", Some("b")));
    let record = state_record(&names("u"), 1, &["web A"]);
    let values = [&ours, &theirs].map(|claim| Entry::Claim(claim.clone()).value());
    let record = with_values(record, values);
    let (_, gone) = record_set("web A 192.0.2.1");
    let zone = [record, gone.unwrap()];
    let expected = Plan {
        kept_by_another: Some(theirs),
        ..Plan::default()
    };
    for gives_up in [false, true] {
        let settings = PlanSettings {
            gives_up,
            ..settings(SYNC, &Adopt::Matching, &ours)
        };
        assert_eq!(planned(&zone, &["new A 192.0.2.1"], settings), expected);
    }
}

#[test]
fn entries_that_the_forerunners_would_drop_leave_the_first_state_record() {
    let six = "web AAAA 2001:db8::1";
    let zone = |index| {
        let record = state_record(&names("u"), index, &["web A", "web AAAA"]);
        let sets = ["web A 192.0.2.1", six].map(|line| record_set(line).1.unwrap());
        let [a, aaaa] = sets;
        [record, a, aaaa]
    };
    for (index, moves) in [(0, vec![key("web AAAA")]), (1, vec![])] {
        let plan = planned(
            &zone(index),
            &["web A 192.0.2.1", six],
            settings(SYNC, &Adopt::Never, &claim()),
        );
        assert_eq!(plan.moves, moves);
        assert_eq!(plan.is_empty(), moves.is_empty());
    }
}
