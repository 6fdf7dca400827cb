//! Rows of a table, each a small story. `web` is `web.prod.example.com.`, `@` is
//! `prod.example.com.`; a record set is `web A 192.0.2.1`, with a TTL other than 300 at the end
//! (`web A 192.0.2.1 ttl=60`), `web A alias=x.` for an alias, `web#id A 192.0.2.1 weight=5` for one with
//! a routing policy, `check=id` for a health check, and `web A partial` for one with an element that
//! isn't known.

use super::*;
use crate::dns::{AliasTarget, Body, Name, RecordType, Routing, RoutingKind};
use crate::plan::state_records::{Entry, StateNames};

mod adopt;
mod extended;
mod groups;
mod hindered;
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
    let (text, set_id) = match text.split_once('#') {
        Some((text, set_id)) => (text, Some(set_id.into())),
        None => (text, None),
    };
    RecordKey::with_set_id(name(text), RecordType::parse(rtype), set_id)
}

/// What the zone has under a key: partial if there is no record set.
fn listed(set: Option<RecordSet>) -> Listed {
    match set {
        Some(set) => Listed::Whole(set),
        None => Listed::Partial {
            element: "New".to_owned(),
        },
    }
}

/// A record set, or none if it is only partly known.
fn record_set(line: &str) -> (RecordKey, Option<RecordSet>) {
    let mut words = line.split(' ');
    let (name, rtype) = (words.next().unwrap(), words.next().unwrap());
    let key = key(&format!("{name} {rtype}"));
    let answer = words.next().unwrap();
    let mut set = match answer.strip_prefix("alias=") {
        Some(target) => {
            let target = AliasTarget {
                zone_id: "Z9".to_owned(),
                name: target.to_owned(),
                evaluates_health: key.is_routed(),
            };
            RecordSet::new(key.clone(), Body::Alias(Box::new(target)), None)
        }
        None => {
            let values = answer.split(',').map(String::from).collect();
            RecordSet::of_values(key.clone(), 300, values)
        }
    };
    for (what, value) in words.map(|word| word.split_once('=').unwrap()) {
        let routing = match what {
            "ttl" => {
                set = set.with_ttl(value.parse().unwrap());
                continue;
            }
            "check" => {
                set.health_check = Some(value.into());
                continue;
            }
            "weight" => Routing::Weighted(value.parse().unwrap()),
            "region" => Routing::Latency(value.into()),
            other => panic!("{other}"),
        };
        set.routing = Some(Box::new(routing));
    }
    (key, (answer != "partial").then_some(set))
}

fn short(key: &RecordKey) -> String {
    let name = key.name.as_str().replace("prod.example.com.", "");
    let name = name.strip_suffix('.').unwrap_or("@");
    let set_id = key.set_id.as_ref().map(|id| format!("#{id}"));
    format!("{name}{} {}", set_id.unwrap_or_default(), key.rtype)
}

fn line(set: &RecordSet) -> String {
    let mut line = short(&set.key);
    match set.alias() {
        Some(target) => line += &format!(" alias={}", target.name),
        None => {
            let values: Vec<&str> = set.values().iter().map(String::as_str).collect();
            line += &format!(" {}", values.join(","));
        }
    }
    if let Some(ttl) = set.ttl().filter(|ttl| *ttl != 300) {
        line += &format!(" ttl={ttl}");
    }
    match set.routing.as_deref() {
        None => {}
        Some(Routing::Weighted(weight)) => line += &format!(" weight={weight}"),
        Some(Routing::Latency(region)) => line += &format!(" region={region}"),
        Some(other) => panic!("{other}"),
    }
    let check = set.health_check.as_ref().map(|id| format!(" check={id}"));
    line + &check.unwrap_or_default()
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
    for Replacement { deletes, creates } in &plan.replacements {
        let all = |sets: &[RecordSet]| sets.iter().map(line).collect::<Vec<_>>().join(" + ");
        lines.push(format!("replace {} by {}", all(deletes), all(creates)));
    }
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
    for OtherTtl { key, wanted, used } in &plan.other_ttls {
        lines.push(format!("ttl of {} {used} not {wanted}", short(key)));
    }
    let predecessors = plan.predecessors.iter();
    lines.extend(predecessors.map(|key| format!("keep {}", short(key))));
    if plan.forbidden_by_policy > 0 {
        lines.push(format!("forbidden {}", plan.forbidden_by_policy));
    }
    lines
}

/// A state record that lists these.
fn state_record(names: &StateNames, index: u16, owned: &[&str]) -> RecordSet {
    let entry = |text: &&str| Entry::Owned(key(text)).value();
    RecordSet::of_values(
        RecordKey::new(names.name(index), RecordType::Txt),
        300,
        owned.iter().map(entry).collect(),
    )
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
        zone.insert(record.key.clone(), Listed::Whole(record));
        let state = StateRecords::read(&zone, &names);
        let desired = row.desired.iter().map(|line| record_set(line));
        let desired = desired.map(|(key, set)| (key, set.unwrap())).collect();
        let plan = plan(&desired, &zone, &state, settings(policy, adopt, &claim()));
        assert_eq!(lines(&plan), row.plan, "{}", row.story);
        let says_only = ["conflict", "ttl", "keep", "forbidden"];
        let only_conflicts = |line: &&str| says_only.iter().any(|word| line.starts_with(word));
        let only_conflicts = row.plan.iter().all(only_conflicts);
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
const ALIAS: &str = "conflict web A because an alias of that name and type exists that isn't ours";
const PARTIAL: &str = "conflict web A because the record set has the element \"New\", which can't be \
                       kept in a change, so it is left as it is";
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
                    "cdn A alias=x.",
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
                    "web AAAA alias=x.",
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
                zone: &["web A alias=x."],
                owned: &[],
                plan: &[ALIAS],
            },
            Row {
                story: "somebody made an alias of ours",
                desired: &["web A 192.0.2.1"],
                zone: &["web A alias=x."],
                owned: &["web A"],
                plan: &["change web A alias=x. into web A 192.0.2.1"],
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
                zone: &["web#one CNAME x. weight=1"],
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
            ConflictReason::Alias,
            ConflictReason::SetIdTaken,
            ConflictReason::Cname,
            ConflictReason::OtherType(RecordType::Txt),
            ConflictReason::Routed,
            ConflictReason::Simple,
            ConflictReason::OtherRouting(Some(RoutingKind::Latency)),
            ConflictReason::OtherRouting(None),
            ConflictReason::SamePlace(Box::new(Routing::Latency("eu-west-1".into()))),
        ]
        .map(|why| why.to_string()),
        [
            "a record set of that name and type exists that isn't ours; remove it, or take it \
             over: the command adopt shows what that would do",
            "an alias of that name and type exists that isn't ours; remove it, or give the service \
             another name",
            "a record set of that name and type with our set identifier exists that isn't ours; \
             remove it, or set another one with the label \
             io.rancher.service.external_dns_routing_id",
            "a CNAME has that name; remove it, or give the service another name",
            "a record set of the type TXT has that name, beside which there can't be a CNAME; remove \
             it, or give the service another name",
            "record sets with a routing policy have that name and type, beside which there can't be \
             a simple one; remove them, give the service another name, or set the same policy with \
             the label io.rancher.service.external_dns_routing",
            "a simple record set has that name and type, beside which there can't be one with a \
             routing policy; remove it, or give the service another name",
            "record sets with latency routing have that name and type, and all of them must have the \
             same; set it with the label io.rancher.service.external_dns_routing, or give the \
             service another name",
            "record sets with another routing have that name and type, and all of them must have the \
             same; set it with the label io.rancher.service.external_dns_routing, or give the \
             service another name",
            "another record set of that name and type has the routing latency eu-west-1 already, which \
             only one can have; set another routing with the label \
             io.rancher.service.external_dns_routing, or give the service another name",
        ]
    );
}
