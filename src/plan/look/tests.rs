use super::*;
use crate::dns::{Name, RecordSet, RecordType, Routing};
use crate::plan::state_records::StateNames;
use crate::plan::view::Coverage;
use crate::plan::{Change, Conflict, ConflictReason};

const RECORDS: Step = Step::ListStateRecords;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn web() -> RecordSet {
    RecordSet::of_values(
        RecordKey::new(name("web.prod.example.com"), RecordType::A),
        300,
        ["192.0.2.1".to_owned()].into(),
    )
}

fn view(below: &str) -> ZoneView {
    let mut view = ZoneView::new(StateNames::new("u", &name("example.com")).unwrap());
    view.coverage = Coverage::Part {
        below: name(below),
        singles: Vec::new(),
    };
    view
}

/// A plan that only creates.
fn creating() -> Plan {
    Plan {
        creates: vec![web()],
        ..Plan::default()
    }
}

fn conflict(reason: ConflictReason) -> Plan {
    let key = web().key;
    let found = None;
    Plan {
        conflicts: vec![Conflict { key, reason, found }],
        ..Plan::default()
    }
}

/// Plans that would be others if others owned something else.
fn dependent() -> Vec<Plan> {
    let (from, to) = (web(), web());
    let nothing = Plan::default;
    vec![
        Plan {
            changes: vec![Change { from, to }],
            ..nothing()
        },
        Plan {
            deletes: vec![web()],
            ..nothing()
        },
        Plan {
            adopts: vec![web().key],
            takes_over: true,
            ..nothing()
        },
        Plan {
            releases: vec![web().key],
            ..nothing()
        },
        conflict(ConflictReason::NotOwned),
        conflict(ConflictReason::OwnedElsewhere(name("x.example.com"))),
        conflict(ConflictReason::Alias),
        conflict(ConflictReason::SetIdTaken),
        conflict(ConflictReason::Cname),
        conflict(ConflictReason::OtherType(RecordType::Txt)),
        conflict(ConflictReason::Routed),
        conflict(ConflictReason::Simple),
        conflict(ConflictReason::OtherRouting(None)),
        conflict(ConflictReason::SamePlace(Box::new(Routing::Multivalue))),
    ]
}

#[test]
fn what_is_known_will_do_only_if_it_covers_everything_and_no_listing_is_due() {
    let web = web().key;
    let (covers, elsewhere) = (view("prod.example.com"), view("test.example.com"));
    for (known, is_due, expected) in [
        (Some(&covers), false, (Look::Known, Step::Plan)),
        (Some(&covers), true, (Look::First, RECORDS)),
        (Some(&elsewhere), false, (Look::First, RECORDS)),
        (None, false, (Look::First, RECORDS)),
    ] {
        let begun = Look::begin(known, is_due, std::iter::once(&web));
        assert_eq!(begun, expected, "{known:?} {is_due}");
    }
}

#[test]
fn what_others_have_written_meanwhile_decides_what_is_looked_at_again() {
    use RecordsChange::{None, Others, Ours, Rewritten};
    for (look, change, expected) in [
        (Look::First, None, Step::ListRest),
        (Look::First, Others, Step::ListRest),
        (Look::First, Ours, Step::ListRest),
        (Look::First, Rewritten, Step::ListRest),
        (Look::Again(1), None, Step::Apply),
        (Look::Again(1), Rewritten, Step::Apply),
        (Look::Takeover(1), None, Step::Apply),
        (Look::Takeover(1), Rewritten, Step::ListRest),
        (Look::Takeover(1), Others, Step::ListRest),
        (Look::Takeover(1), Ours, Step::ListRest),
        (Look::Again(1), Others, Step::ListRest),
        (Look::Again(1), Ours, Step::ListRest),
    ] {
        assert_eq!(look.after_state_records(change, false), expected);
        assert_eq!(look.after_state_records(change, true), Step::Plan);
    }
}

#[test]
fn a_plan_that_depends_on_ownership_is_looked_at_again_up_to_three_times() {
    for plan in dependent().into_iter().filter(|plan| !plan.takes_over) {
        let mut look = Look::First;
        for times in 1..=3 {
            assert_eq!(look.after_plan(&plan), RECORDS, "{plan:?}");
            assert_eq!(look, Look::Again(times));
        }
        assert_eq!(
            look.after_plan(&plan),
            Step::Apply,
            "not for ever: {plan:?}"
        );
    }
}

/// A listing before the first of them shows what somebody else may have deleted since.
#[test]
fn a_takeover_takes_two_equal_looks_at_everybodys_state_records() {
    let plan = dependent().into_iter().find(|plan| plan.takes_over);
    let plan = plan.unwrap();
    let mut look = Look::First;
    for times in 1..=10 {
        assert_eq!(look.after_plan(&plan), RECORDS);
        assert_eq!(look, Look::Takeover(times));
    }
    let step = look.after_plan(&plan);
    assert_eq!(step, Step::ApplyWithoutTakeover, "not for ever");
    for plan in dependent().into_iter().filter(|plan| !plan.takes_over) {
        let step = Look::Takeover(10).after_plan(&plan);
        assert_eq!(step, Step::Apply, "{plan:?}");
    }
}

#[test]
fn a_plan_that_anybody_would_make_is_applied_after_one_look() {
    let others = [
        Plan::default(),
        creating(),
        conflict(ConflictReason::Extended("New".to_owned())),
    ];
    for plan in others {
        for mut look in [Look::First, Look::Again(1)] {
            assert_eq!(look.after_plan(&plan), Step::Apply, "{plan:?}");
        }
    }
}

#[test]
fn from_what_is_known_everything_but_releases_and_takeovers_is_applied() {
    for plan in dependent().into_iter().chain([creating()]) {
        let mut look = Look::Known;
        let is_listed_first = !plan.releases.is_empty() || plan.takes_over;
        let expected = if is_listed_first {
            RECORDS
        } else {
            Step::Apply
        };
        assert_eq!(look.after_plan(&plan), expected, "{plan:?}");
        let expected = if is_listed_first {
            Look::First
        } else {
            Look::Known
        };
        assert_eq!(look, expected, "{plan:?}");
    }
}
