//! What `plan` prints is what the next round does, to the last value.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{plan, ran};
use crate::stage::{PATIENCE, STATE, Stage, UUID, ZONE, each_at_most, world};
use sim::harness::listed as listed_by;
use sim::route53::{Change, Operation, RecordSet};

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
const TEMPLATE: &str = "io.rancher.service.external_dns_name_template";

type Settings = &'static [(&'static str, &'static str)];

/// Record sets of our environment with this value, listed as ours or not.
fn put(stage: &Stage, names: &[&str], value: &str, is_ours: bool) {
    let full = |name: &&str| format!("{name}.prod.example.com.");
    let names: Vec<String> = names.iter().map(full).collect();
    for name in &names {
        let rtype = if value.contains(':') { "AAAA" } else { "A" };
        stage.put(RecordSet::simple(name, rtype, 300, &[value]));
    }
    if is_ours {
        own(stage, &names);
    }
}

fn own(stage: &Stage, entries: &[String]) {
    let known = entries_of(&stage.route53.record_sets(ZONE));
    let entries = known.iter().chain(entries);
    let entries: BTreeSet<String> = entries.map(|entry| format!("\"{entry}\"")).collect();
    let entries: Vec<String> = entries.into_iter().collect();
    stage.put(RecordSet::simple(STATE, "TXT", 300, &entries));
}

fn is_state(set: &RecordSet) -> bool {
    set.rtype == "TXT" && set.name.starts_with(&format!("external-dns-{UUID}"))
}

/// What the state records list.
fn entries_of(sets: &[RecordSet]) -> BTreeSet<String> {
    let records = sets.iter().filter(|set| is_state(set));
    records.flat_map(listed_by).collect()
}

/// Places that are taken in every way there is, by what is ours and what isn't.
fn conflicts() -> Stage {
    const NAMES: [&str; 5] = ["cname", "alias", "weighted", "other", "mine"];
    let stage = Stage::new(world(|world| {
        for name in NAMES {
            world.add_service("shop", name).run_on("h1", 80);
        }
    }));
    let full = |name: &str| format!("{name}.shop.prod.example.com.");
    let a = |name: &str| RecordSet::simple(&full(name), "A", 300, &["192.0.2.1"]);
    let target = ["elsewhere.example.org."];
    stage.put(RecordSet::simple(&full("cname"), "CNAME", 300, &target));
    stage.put(RecordSet::alias(&full("alias"), "A", ZONE, &full("other")));
    stage.put(a("weighted").weighted("one", 1));
    stage.put(a("other"));
    own(&stage, &["cname", "weighted"].map(full));
    stage
}

/// 12 of 13 are to go.
fn held() -> Stage {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
        world.add_service("shop", "new").run_on("h1", 80);
    }));
    put(&stage, &["web.shop"], "203.0.113.2", true);
    for number in 0..12 {
        put(&stage, &[&format!("old{number}")], "203.0.113.1", true);
    }
    stage
}

/// Both families, two services of one name, and that outside of the environment.
fn names() -> Stage {
    let stage = Stage::new(world(|world| {
        world.add_host("h6", "2001:db8::6");
        for name in ["both", "moved", "www", "www-too"] {
            let service = world.add_service("shop", name);
            service.run_on("h1", 80);
            service.run_on("h6", 80);
        }
        for name in ["www", "www-too"] {
            world.service_mut("shop", name).label(TEMPLATE, "www");
        }
        world.service_mut("shop", "www-too").run_on("h2", 80);
    }));
    put(&stage, &["moved.shop", "gone"], "2001:db8::1", false);
    put(&stage, &["moved.shop"], "203.0.113.9", false);
    let listed = [
        "moved.shop.prod.example.com.",
        "moved.shop.prod.example.com. AAAA",
        "gone.prod.example.com. AAAA",
    ];
    own(&stage, &listed.map(str::to_owned));
    stage
}

/// More than fits into three batches, of everything.
fn large() -> Stage {
    let stage = Stage::new(world(|world| {
        for i in 0..400 {
            world.add_host(&format!("x{i}"), &format!("10.1.{}.{}", i / 200, i % 200));
        }
        for name in ["new0", "new1", "new2", "more", "taken"] {
            let service = world.add_service("shop", name);
            for host in 0..400 {
                service.run_on(&format!("x{host}"), 80);
            }
        }
    }));
    let many: Vec<String> = (0..400)
        .map(|i| format!("10.2.{}.{}", i / 200, i % 200))
        .collect();
    for name in ["more", "old0", "old1", "taken"] {
        let name = format!("{name}.shop.prod.example.com.");
        stage.put(RecordSet::simple(&name, "A", 300, &many));
        if !name.starts_with("taken") {
            own(&stage, &[name]);
        }
    }
    stage
}

/// The world, the settings, how many batches it takes, and what of a plan there is to it.
type Case = (fn() -> Stage, Settings, usize, &'static str);

const CASES: [Case; 14] = [
    (
        plan::stage,
        &[],
        1,
        "creates changes deletes releases conflicts",
    ),
    (
        plan::stage,
        &[("ADOPT", "matching")],
        1,
        "creates changes deletes adopts releases",
    ),
    (
        plan::stage,
        &[("ADOPT", "legacy")],
        1,
        "creates changes deletes adopts releases",
    ),
    (
        plan::stage,
        &[("ADOPT", "legacy"), ("TTL", "60")],
        1,
        "creates changes deletes releases conflicts",
    ),
    (
        plan::stage,
        &[("POLICY", "upsert-only")],
        1,
        "creates changes releases conflicts",
    ),
    (
        plan::stage,
        &[("POLICY", "create-only")],
        1,
        "creates releases conflicts",
    ),
    (
        plan::stage,
        &[("POLICY", "create-only"), ("ADOPT", "matching")],
        1,
        "creates adopts releases",
    ),
    (
        plan::stage,
        &[("DELETE_GUARD_PERCENT", "0"), ("DELETE_GUARD_MIN", "1")],
        1,
        "creates changes deletes deletes_wait releases conflicts",
    ),
    (held, &[], 1, "creates changes deletes deletes_wait"),
    (
        held,
        &[("DELETE_GUARD_PERCENT", "100")],
        1,
        "creates changes deletes",
    ),
    (conflicts, &[], 1, "creates releases conflicts"),
    (
        conflicts,
        &[("ADOPT", "matching")],
        1,
        "creates changes adopts releases conflicts",
    ),
    (names, &[], 1, "creates changes deletes"),
    (
        large,
        &[("ADOPT", "matching"), ("ROUTE53_CHANGE_RATE", "1000")],
        5,
        "creates changes deletes adopts",
    ),
];

/// One section of a plan.
fn section<'a>(plan: &'a Value, name: &str) -> &'a [Value] {
    plan[name].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn record_set(value: &Value) -> RecordSet {
    let values = section(value, "values").iter();
    let mut values: Vec<&str> = values.filter_map(Value::as_str).collect();
    values.sort(); // as the zone is read below; a plan sorts addresses by their numbers
    let ttl = value["ttl"].as_u64().and_then(|ttl| ttl.try_into().ok());
    let (name, rtype) = (text(value, "name"), text(value, "type"));
    RecordSet::simple(name, rtype, ttl.expect("a TTL"), &values)
}

/// The entry of what has this name and type.
fn entry(value: &Value) -> String {
    match (text(value, "name"), text(value, "type")) {
        (name, "A") => name.to_owned(),
        (name, rtype) => format!("{name} {rtype}"),
    }
}

/// The changes that it stands for, those left out that wait. State records aren't shown.
fn planned(plan: &Value) -> Vec<String> {
    let creates = section(plan, "creates").iter();
    let changes = section(plan, "changes").iter();
    let deletes = match plan["deletes_wait"].is_null() {
        true => section(plan, "deletes").iter(),
        false => [].iter(),
    };
    let from = changes.clone().map(|change| &change["from"]);
    let to = changes.map(|change| &change["to"]);
    let gone = deletes.chain(from).map(record_set).map(Change::delete);
    let new = creates.chain(to).map(record_set).map(Change::create);
    let mut planned: Vec<String> = gone.chain(new).map(|change| change.to_string()).collect();
    planned.sort();
    planned
}

/// The changes that Route 53 has been asked for, in how many batches.
fn done(stage: &Stage) -> (Vec<String>, usize) {
    let requests = stage.route53.requests().into_iter();
    let batches: Vec<Vec<Change>> = requests.filter_map(|request| request.batch).collect();
    let changes = batches.iter().flatten();
    let changes = changes.filter(|change| !is_state(&change.record_set));
    let mut done: Vec<String> = changes.map(Change::to_string).collect();
    done.sort();
    (done, batches.len())
}

/// What is to be listed as ours, by what was.
fn listed(plan: &Value, mut entries: BTreeSet<String>) -> BTreeSet<String> {
    let new = ["creates", "adopts"].map(|name| section(plan, name));
    entries.extend(new.into_iter().flatten().map(entry));
    let deletes = match plan["deletes_wait"].is_null() {
        true => section(plan, "deletes"),
        false => &[],
    };
    for gone in deletes.iter().chain(section(plan, "releases")) {
        entries.remove(&entry(gone));
    }
    entries
}

#[test]
fn what_a_plan_prints_is_what_the_next_round_does() {
    let test = |(number, (stage, settings, batches, parts)): (usize, Case)| {
        let case = format!("{number}: {settings:?}");
        let stage = stage();
        let read = || {
            let ran = ran(&stage.run_with(&["plan", "--json"], settings));
            serde_json::from_str::<Value>(&ran.stdout).expect(&ran.stderr)
        };
        let plan = read();
        let is_there = |name: &&str| !section(&plan, name).is_empty() || plan[*name].is_string();
        let names = [
            "creates",
            "changes",
            "deletes",
            "deletes_wait",
            "adopts",
            "releases",
            "conflicts",
        ];
        let there: Vec<&str> = names.into_iter().filter(is_there).collect();
        assert_eq!(there.join(" "), parts, "{case}");
        assert_eq!(plan["batches"], batches, "{case}");
        let before = entries_of(&stage.route53.record_sets(ZONE));
        assert_eq!(stage.calls(CHANGE), 0, "{case}");

        let service = stage.run_with(&[], settings);
        stage.settle();
        service.terminate();
        assert!(service.wait(PATIENCE).is_some(), "{case}");
        let (changes, in_batches) = done(&stage);
        assert_eq!(changes, planned(&plan), "{case}");
        assert_eq!(in_batches, batches, "{case}");
        let after = entries_of(&stage.route53.record_sets(ZONE));
        assert_eq!(after, listed(&plan, before), "{case}");
        let mut told = service.log();
        told.retain(|line| line.contains("a record set is left alone"));
        let conflicts = section(&plan, "conflicts");
        assert_eq!(told.len(), conflicts.len(), "{case}: {told:#?}");
        for conflict in conflicts {
            let what = format!(
                "what=\"{} {}\"",
                text(conflict, "name"),
                text(conflict, "type")
            );
            let is_it =
                |line: &String| line.contains(&what) && line.contains(text(conflict, "reason"));
            assert!(told.iter().any(is_it), "{case}: {what} in {told:#?}");
        }

        // Once more, there is nothing but what waits, and what is in the way.
        let mut rest = plan.clone();
        for name in ["creates", "changes", "adopts", "releases"] {
            rest[name] = Value::Array(Vec::new());
        }
        if rest["deletes_wait"].is_null() {
            rest["deletes"] = Value::Array(Vec::new());
        }
        rest["batches"] = 0.into();
        let mut again = read();
        // It counts what is ours.
        assert_eq!(
            again["deletes_wait"].is_null(),
            rest["deletes_wait"].is_null(),
            "{case}"
        );
        again["deletes_wait"] = rest["deletes_wait"].clone();
        assert_eq!(again, rest, "{case}");
    };
    // All at once they would take too long to read metadata where the machine has other work, too.
    each_at_most(5, CASES.into_iter().enumerate(), test);
}
