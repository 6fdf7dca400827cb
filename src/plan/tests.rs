//! Rows of a table, each a small story. `web` is `web.prod.example.com.`, `@` is
//! `prod.example.com.`; a record set is `web A 192.0.2.1`, with a TTL other than 300 at the end
//! (`web A 192.0.2.1 ttl=60`), `special` for an alias or a routing policy, and `health` for a simple
//! one with a health check.

use super::*;
use crate::plan::state_records::{Entry, StateNames};

mod adopt;
mod extended;
mod policy;
mod upkeep;

const SYNC: Policy = Policy::Sync;

struct Row<'a> {
    story: &'a str,
    desired: &'a [&'a str],
    zone: &'a [&'a str],
    owned: &'a [&'a str],
    plan: &'a [&'a str],
}

fn name(text: &str) -> Name {
    match text {
        "@" => Name::parse("prod.example.com"),
        _ => Name::parse(&format!("{text}.prod.example.com")),
    }
    .unwrap()
}

fn key(text: &str) -> RecordKey {
    let (text, rtype) = text.split_once(' ').unwrap();
    RecordKey::new(name(text), RecordType::parse(rtype))
}

/// What the zone has: a record set is special if there is none.
fn listed(set: Option<RecordSet>) -> Listed {
    match set {
        Some(set) if set.values.contains("health") => Listed::Extended {
            element: "HealthCheckId".to_owned(),
        },
        Some(set) => Listed::Simple(set),
        None => Listed::Special,
    }
}

/// A record set, or none if it is a special one.
fn record_set(line: &str) -> (RecordKey, Option<RecordSet>) {
    let mut words = line.split(' ');
    let key = key(&format!(
        "{} {}",
        words.next().unwrap(),
        words.next().unwrap()
    ));
    let values = words.next().unwrap();
    let ttl = words.next().map_or(300, |ttl| {
        ttl.strip_prefix("ttl=").unwrap().parse().unwrap()
    });
    let set = RecordSet {
        key: key.clone(),
        ttl,
        values: values.split(',').map(String::from).collect(),
    };
    (key, (values != "special").then_some(set))
}

fn short(key: &RecordKey) -> String {
    let name = key.name.as_str().replace("prod.example.com.", "");
    let name = name.strip_suffix('.').unwrap_or("@");
    format!("{name} {}", key.rtype)
}

fn line(set: &RecordSet) -> String {
    let values: Vec<&str> = set.values.iter().map(String::as_str).collect();
    let ttl = match set.ttl {
        300 => String::new(),
        ttl => format!(" ttl={ttl}"),
    };
    format!("{} {}{ttl}", short(&set.key), values.join(","))
}

/// The plan, said in lines.
fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(
        plan.creates
            .iter()
            .map(|set| format!("create {}", line(set))),
    );
    for Change { from, to } in &plan.changes {
        lines.push(format!("change {} into {}", line(from), line(to)));
    }
    lines.extend(
        plan.deletes
            .iter()
            .map(|set| format!("delete {}", line(set))),
    );
    lines.extend(
        plan.adopts
            .iter()
            .map(|key| format!("adopt {}", short(key))),
    );
    lines.extend(
        plan.releases
            .iter()
            .map(|key| format!("release {}", short(key))),
    );
    for Conflict { key, reason, .. } in &plan.conflicts {
        let reason = reason.to_string();
        let what = reason.split("; ").next().unwrap();
        lines.push(format!("conflict {} because {what}", short(key)));
    }
    if plan.forbidden_by_policy > 0 {
        lines.push(format!("forbidden {}", plan.forbidden_by_policy));
    }
    lines
}

/// A state record that lists these.
fn state_record(names: &StateNames, index: u16, owned: &[&str]) -> RecordSet {
    let entry = |text: &&str| Entry::Owned(key(text)).value();
    RecordSet {
        key: RecordKey::new(names.name(index), RecordType::Txt),
        ttl: 300,
        values: owned.iter().map(entry).collect(),
    }
}

/// Of an owner that wants no claim in its state records.
fn settings<'a>(policy: Policy, adopt: &'a Adopt, claim: &'a Claim) -> PlanSettings<'a> {
    PlanSettings {
        policy,
        adopt,
        claim,
        gives_up: true,
    }
}

fn claim() -> Claim {
    Claim::new("rancher", Some("stack"))
}

fn check(policy: Policy, adopt: &Adopt, rows: &[Row<'_>]) {
    let root = Name::parse("example.com").unwrap();
    let names = StateNames::new("u", &root).unwrap();
    for row in rows {
        let mut zone = Zone::default();
        for (key, set) in row.zone.iter().map(|line| record_set(line)) {
            zone.insert(key, listed(set));
        }
        let record = state_record(&names, 1, row.owned);
        zone.insert(record.key.clone(), Listed::Simple(record));
        let state = StateRecords::read(&zone, &names);
        let desired = row.desired.iter().map(|line| record_set(line));
        let desired = desired.map(|(key, set)| (key, set.unwrap())).collect();
        let plan = plan(&desired, &zone, &state, settings(policy, adopt, &claim()));
        assert_eq!(lines(&plan), row.plan, "{}", row.story);
        let only_conflicts = row.plan.iter().all(|line| line.starts_with("conflict"));
        assert_eq!(plan.is_empty(), only_conflicts, "{}", row.story);
        let is_taken_over = |line: &&str| match line.strip_prefix("delete ") {
            Some(set) => !row.owned.iter().any(|owned| set.starts_with(owned)),
            None => line.starts_with("adopt "),
        };
        let takes_over = row.plan.iter().any(is_taken_over);
        assert_eq!(plan.takes_over, takes_over, "{}", row.story);
    }
}

const NOT_OURS: &str = "conflict web A because a record set of that name and type exists that \
                        isn't ours";
const SPECIAL: &str = "conflict web A because an alias or a record set with a routing policy has \
                       that name and type";
const CNAME: &str = "conflict web A because a CNAME has that name";

#[test]
fn makes_the_zone_say_what_is_desired() {
    check(
        SYNC,
        &Adopt::Never,
        &[
            Row {
                story: "nothing is desired, nothing is there",
                desired: &[],
                zone: &[],
                owned: &[],
                plan: &[],
            },
            Row {
                story: "what is new is created, by name and type",
                desired: &[
                    "web A 192.0.2.1,192.0.2.2",
                    "web AAAA 2001:db8::1",
                    "api A 192.0.2.3",
                ],
                zone: &[],
                owned: &[],
                plan: &[
                    "create api A 192.0.2.3",
                    "create web A 192.0.2.1,192.0.2.2",
                    "create web AAAA 2001:db8::1",
                ],
            },
            Row {
                story: "what is as it should be stays",
                desired: &["web A 192.0.2.1", "web AAAA 2001:db8::1"],
                zone: &["web A 192.0.2.1", "web AAAA 2001:DB8:0::1"],
                owned: &["web A", "web AAAA"],
                plan: &[],
            },
            Row {
                story: "other values and another TTL are changed",
                desired: &["web A 192.0.2.1,192.0.2.2", "api A 192.0.2.3"],
                zone: &["web A 192.0.2.1", "api A 192.0.2.3 ttl=60"],
                owned: &["web A", "api A"],
                plan: &[
                    "change api A 192.0.2.3 ttl=60 into api A 192.0.2.3",
                    "change web A 192.0.2.1 into web A 192.0.2.1,192.0.2.2",
                ],
            },
        ],
    );
}

#[test]
fn deletes_what_is_not_desired_and_heals_what_somebody_deleted() {
    check(
        SYNC,
        &Adopt::Never,
        &[
            Row {
                story: "what isn't desired any more is deleted as it is",
                desired: &["web A 192.0.2.1"],
                zone: &[
                    "web A 192.0.2.1",
                    "web AAAA 2001:DB8::1 ttl=7",
                    "old A 192.0.2.9",
                ],
                owned: &["web A", "web AAAA", "old A"],
                plan: &[
                    "delete old A 192.0.2.9",
                    "delete web AAAA 2001:DB8::1 ttl=7",
                ],
            },
            Row {
                story: "what somebody deleted is created again",
                desired: &["web A 192.0.2.1"],
                zone: &[],
                owned: &["web A"],
                plan: &["create web A 192.0.2.1"],
            },
            Row {
                story: "what somebody deleted and nobody wants is forgotten",
                desired: &[],
                zone: &[],
                owned: &["web A"],
                plan: &["release web A"],
            },
        ],
    );
}

#[test]
fn leaves_alone_what_is_not_ours() {
    check(
        SYNC,
        &Adopt::Never,
        &[
            Row {
                story: "what nobody wants and nobody listed is somebody else's",
                desired: &[],
                zone: &[
                    "web A 192.0.2.1",
                    "api CNAME x.",
                    "cdn A special",
                    "\\052 A 192.0.2.2",
                ],
                owned: &[],
                plan: &[],
            },
            Row {
                story: "the name and type are taken, though the values are the same",
                desired: &["web A 192.0.2.1"],
                zone: &["web A 192.0.2.1"],
                owned: &[],
                plan: &[NOT_OURS],
            },
            Row {
                story: "other types of that name are no hindrance",
                desired: &["web A 192.0.2.1"],
                zone: &[
                    "web AAAA 2001:db8::1",
                    "web MX 10,m.",
                    "web AAAA special",
                    "web TXT x",
                ],
                owned: &[],
                plan: &["create web A 192.0.2.1"],
            },
            Row {
                story: "to own one type isn't to own the other",
                desired: &["web A 192.0.2.1", "web AAAA 2001:db8::1"],
                zone: &["web A 192.0.2.1", "web AAAA 2001:db8::9"],
                owned: &["web AAAA"],
                plan: &[
                    "change web AAAA 2001:db8::9 into web AAAA 2001:db8::1",
                    NOT_OURS,
                ],
            },
            Row {
                story: "one that can't be doesn't keep the others back",
                desired: &["web A 192.0.2.1", "api A 192.0.2.2"],
                zone: &["web A 192.0.2.9", "old A 192.0.2.3"],
                owned: &["old A"],
                plan: &["create api A 192.0.2.2", "delete old A 192.0.2.3", NOT_OURS],
            },
        ],
    );
}

#[test]
fn leaves_aliases_and_cnames_alone() {
    check(
        SYNC,
        &Adopt::Never,
        &[
            Row {
                story: "an alias has the place",
                desired: &["web A 192.0.2.1"],
                zone: &["web A special"],
                owned: &[],
                plan: &[SPECIAL],
            },
            Row {
                story: "somebody made an alias of ours",
                desired: &["web A 192.0.2.1"],
                zone: &["web A special"],
                owned: &["web A"],
                plan: &["release web A", SPECIAL],
            },
            Row {
                story: "somebody made an alias of ours, and nobody wants it",
                desired: &[],
                zone: &["web A special"],
                owned: &["web A"],
                plan: &["release web A"],
            },
            Row {
                story: "a CNAME has the name",
                desired: &["web A 192.0.2.1"],
                zone: &["web CNAME x."],
                owned: &[],
                plan: &[CNAME],
            },
            Row {
                story: "somebody put a CNAME in the place of ours",
                desired: &["web A 192.0.2.1"],
                zone: &["web CNAME x."],
                owned: &["web A"],
                plan: &["release web A", CNAME],
            },
            Row {
                story: "a weighted CNAME is a CNAME",
                desired: &["web A 192.0.2.1"],
                zone: &["web CNAME special"],
                owned: &[],
                plan: &[CNAME],
            },
        ],
    );
}

#[test]
fn a_conflict_says_what_to_do() {
    assert_eq!(
        [
            ConflictReason::NotOwned,
            ConflictReason::Special,
            ConflictReason::Cname
        ]
        .map(|why| why.to_string()),
        [
            "a record set of that name and type exists that isn't ours; remove it, or take it \
             over: the command adopt shows what that would do",
            "an alias or a record set with a routing policy has that name and type; remove it, \
             or give the service another name",
            "a CNAME has that name; remove it, or give the service another name",
        ]
    );
}
