//! A zone with a record set of every kind that Route 53 knows, none of them ours, and services that
//! want each of their names: what is in the way is explained, and nothing of it is touched.

use std::collections::BTreeSet;

use serde_json::Value;
use sim::harness::listed;
use sim::route53::{RecordSet, Zone, every_kind};

use crate::commands::{Ran, ran};
use crate::going_back::entry;
use crate::stage::{Stage, UUID, ZONE, each_at_most, world};
use crate::status;

const BELOW: &str = "prod.example.com";
/// That of all record sets of others here.
const FOREIGN_TTL: u32 = 60;
const OWN_TTL: u32 = 300;
const PREFIX: &str = "io.rancher.service.external_dns";

/// What the services want their names to be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Want {
    Simple,
    Weighted,
    Cname,
    Alias,
}

const WANTS: [Want; 4] = [Want::Simple, Want::Weighted, Want::Cname, Want::Alias];

impl Want {
    fn label(self) -> Option<(&'static str, &'static str)> {
        match self {
            Want::Simple => None,
            Want::Weighted => Some(("routing", "weighted 7")),
            Want::Cname => Some(("target", "www.example.net")),
            Want::Alias => Some(("target", "d222222abcdef8.cloudfront.net")),
        }
    }

    fn types(self) -> &'static [&'static str] {
        match self {
            Want::Simple | Want::Weighted => &["A"],
            Want::Cname => &["CNAME"],
            Want::Alias => &["A", "AAAA"],
        }
    }

    fn set_id(self) -> Option<&'static str> {
        (self == Want::Weighted).then_some(UUID)
    }
}

/// The settings with which an environment may take over what isn't its own.
#[derive(Debug, Clone, Copy)]
struct Adopt {
    setting: &'static str,
    ttl: u32,
}

const ADOPTS: [Adopt; 4] = [
    Adopt {
        setting: "never",
        ttl: OWN_TTL,
    },
    Adopt {
        setting: "matching",
        ttl: OWN_TTL,
    },
    Adopt {
        setting: "legacy",
        ttl: OWN_TTL,
    },
    Adopt {
        setting: "legacy",
        ttl: FOREIGN_TTL,
    },
];

impl Adopt {
    /// Whether a record set becomes ours: as the contract has it, only simple ones with values.
    fn takes_over(self, set: &RecordSet, want: Want) -> bool {
        let is_plain = set.set_identifier.is_none()
            && set.alias.is_none()
            && set.traffic_policy_instance_id.is_none();
        let is_chosen = match self.setting {
            "matching" => want.set_id().is_none() && want.types().contains(&&*set.rtype),
            "legacy" => set.rtype == "A" && set.ttl == Some(self.ttl),
            _ => false,
        };
        is_plain && is_chosen
    }
}

/// All those of others.
fn foreign() -> Vec<RecordSet> {
    every_kind(&Zone::new(BELOW).with_id(ZONE))
}

fn names(sets: &[RecordSet]) -> BTreeSet<String> {
    sets.iter().map(|set| set.name.clone()).collect()
}

/// What stands in the way of a record set, in words of the reason that has to be given; none if it is
/// to be written. `there` are the record sets of its name.
fn in_the_way(rtype: &str, want: Want, there: &[&RecordSet], adopt: Adopt) -> Option<String> {
    let stays: Vec<&&RecordSet> = there
        .iter()
        .filter(|set| !adopt.takes_over(set, want))
        .collect();
    let is_routed = |set: &RecordSet| set.set_identifier.is_some();
    let group = stays.iter().find(|set| set.rtype == rtype);
    let words = match (group, stays.first(), want.set_id()) {
        (None, None, _) => return None,
        (None, Some(_), _) if rtype == "CNAME" => {
            format!("a record set of the type {} has that name", stays[0].rtype)
        }
        (None, Some(other), _) if other.rtype == "CNAME" => "a CNAME has that name".to_owned(),
        (None, Some(_), _) => return None,
        (Some(group), _, None) if is_routed(group) => {
            "record sets with a routing policy have that name and type".to_owned()
        }
        (Some(group), _, Some(_)) if !is_routed(group) => {
            "a simple record set has that name and type".to_owned()
        }
        (Some(group), _, None) if group.traffic_policy_instance_id.is_some() => {
            "a record set of that name and type with the element \"TrafficPolicyInstanceId\" exists that isn't ours".to_owned()
        }
        (Some(group), _, None) if group.alias.is_some() => {
            "an alias of that name and type exists that isn't ours".to_owned()
        }
        (Some(_), _, None) => {
            "a record set of that name and type exists that isn't ours".to_owned()
        }
        (Some(group), _, Some(_)) => {
            let policy = match group.policies()[0] {
                "weight" => return None,
                "region" => "latency",
                "multivalue answer" => "multivalue",
                known @ ("failover" | "geolocation") => known,
                _ => "another",
            };
            format!("record sets with {policy} routing have that name and type")
        }
    };
    Some(words)
}

/// What has to become of a record set that a service wants.
struct Expected {
    service: String,
    name: String,
    rtype: &'static str,
    in_the_way: Option<String>,
}

fn expected(foreign: &[RecordSet], want: Want, adopt: Adopt) -> Vec<Expected> {
    let mut all = Vec::new();
    for name in names(foreign) {
        let there: Vec<&RecordSet> = foreign.iter().filter(|set| set.name == name).collect();
        let label = name.split('.').next().expect("a label");
        for rtype in want.types() {
            all.push(Expected {
                service: label.to_owned(),
                name: name.clone(),
                rtype,
                in_the_way: in_the_way(rtype, want, &there, adopt),
            });
        }
    }
    all
}

/// A service for each name.
fn stage(foreign: &[RecordSet], want: Want) -> Stage {
    let stage = Stage::new(world(|world| {
        for name in names(foreign) {
            let label = name.split('.').next().expect("a label");
            let service = world.add_service("shop", label).run_on("h1", 80);
            if let Some((label, value)) = want.label() {
                service.label(&format!("{PREFIX}_{label}"), value);
            }
        }
    }));
    stage.route53.edit(ZONE, |zone| {
        zone.prepare_for_every_kind();
        foreign.iter().for_each(|set| zone.put(set.clone()));
    });
    stage
}

impl Expected {
    /// Whether a record set is the one that is to be written.
    fn is(&self, set: &RecordSet, want: Want) -> bool {
        let has_right_ttl = match want {
            Want::Alias => set.ttl.is_none(),
            Want::Weighted if self.name.starts_with("a-weighted.") => set.ttl == Some(FOREIGN_TTL),
            _ => set.ttl.is_some(),
        };
        set.name == self.name
            && set.rtype == self.rtype
            && set.set_identifier.as_deref() == want.set_id()
            && set.alias.is_some() == (want == Want::Alias)
            && has_right_ttl
    }
}

/// What all state records list.
fn entries(sets: &[RecordSet]) -> BTreeSet<String> {
    let records = sets
        .iter()
        .filter(|set| set.name.starts_with("external-dns-"));
    records.flat_map(listed).collect()
}

#[test]
fn of_what_is_there_nothing_is_touched_and_each_conflict_is_explained() {
    let cases = WANTS.map(|want| ADOPTS.map(|adopt| (want, adopt)));
    let cases = cases.into_iter().flatten();
    each_at_most(4, cases, |(want, adopt)| expect_explained(want, adopt));
}

fn expect_explained(want: Want, adopt: Adopt) {
    let foreign = foreign();
    let expected = expected(&foreign, want, adopt);
    let stage = stage(&foreign, want);
    let before = stage.route53.record_sets(ZONE);
    let ttl = adopt.ttl.to_string();
    let settings = [
        ("NAME_TEMPLATE", "%{{service_name}}.%{{environment_name}}"),
        ("ADOPT", adopt.setting),
        ("TTL", &ttl),
        ("WRITE_BACK", "false"),
        ("ROUTE53_REQUEST_RATE", "1000"),
    ];
    let planned = ran(&stage.run_with(&["plan"], &settings));
    assert_eq!(stage.route53.record_sets(ZONE), before, "a plan writes");
    expect_planned(&planned, &expected, want);

    let service = stage.run_with(&[], &settings);
    let conflicts = expected.iter().filter(|one| one.in_the_way.is_some());
    let conflicts = conflicts.count();
    let status = status::wait_until(&service, |status| {
        status["last_success"].is_string() && status["record_sets_in_conflict"] == conflicts
    });
    stage.settle();
    expect_shown(&status, &expected);

    let after = stage.route53.record_sets(ZONE);
    let what = format!("{want:?} {adopt:?}");
    for set in before.iter().filter(|set| !adopt.takes_over(set, want)) {
        assert!(after.contains(set), "{what}: touched {set}");
    }
    let is_written = |one: &&Expected| one.in_the_way.is_none();
    let entries = entries(&after);
    for one in expected.iter().filter(is_written) {
        let Expected { name, rtype, .. } = one;
        let set = after.iter().find(|set| one.is(set, want));
        let set = set.unwrap_or_else(|| panic!("{what}: {name} {rtype} is missing"));
        assert!(entries.contains(&entry(set)), "{what}: nobody's: {set}");
    }
    let is_mine = |set: &&RecordSet| set.name.starts_with("external-dns-");
    let taken = before.iter().filter(|set| adopt.takes_over(set, want));
    let rest = after.iter().filter(|set| !is_mine(set)).count();
    let written = expected.iter().filter(is_written).count();
    assert_eq!(rest, before.len() - taken.count() + written, "{what}");
}

fn expect_planned(planned: &Ran, expected: &[Expected], want: Want) {
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let mut left_alone = 0;
    for Expected {
        name,
        rtype,
        in_the_way,
        ..
    } in expected
    {
        let id = want.set_id().map(|id| format!(" {id}")).unwrap_or_default();
        let head = format!("! {name} {rtype}{id}\n    ");
        let found = planned.stdout.split_once(&head).map(|(_, rest)| rest);
        match (in_the_way, found) {
            (None, None) => {}
            (Some(words), Some(found)) if found.starts_with(words) => left_alone += 1,
            (words, found) => {
                let found = found.and_then(|found| found.lines().next());
                panic!("{name} {rtype}: {words:?}, not {found:?}");
            }
        }
    }
    let total = format!(", {left_alone} left alone: ");
    let lines = planned.stdout.lines().last().unwrap_or_default().to_owned();
    assert!(lines.contains(&total), "{left_alone}: {lines}");
}

fn expect_shown(status: &Value, expected: &[Expected]) {
    let rows = status["services"].as_array().expect("a list");
    for Expected {
        service,
        in_the_way,
        ..
    } in expected
    {
        let row = rows.iter().find(|row| row["name"] == **service);
        let row = row.expect("the service");
        if let Some(words) = in_the_way {
            assert_eq!(row["state"], "conflict", "{row}");
            let reason = row["reason"].as_str().unwrap_or_default();
            assert!(reason.contains(words.as_str()), "{words}: {row}");
        }
    }
}
