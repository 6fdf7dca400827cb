//! From the programs that came before, back to them, and here again. Nobody who resolves a name
//! notices, and at no instant is there a record set that no state record lists.

use crate::commands::run;
use crate::stage::{PATIENCE, SECOND, STATE, Stage, ZONE, each, world};
use crate::status;
use sim::forerunner::Forerunner;
use sim::harness::{DOMAIN, listed};
use sim::rancher::World;
use sim::route53::{RecordSet, Zone};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

const TEMPLATE: &str = "io.rancher.service.external_dns_name_template";
const FORERUNNERS: [Forerunner; 2] = [
    Forerunner::RANCHER_EXTERNAL_DNS,
    Forerunner::EXTERNAL_DNS_SYNC,
];
const ANY: &str = "\\052.prod.example.com.";
const DB: &str = "db.shop.prod.example.com.";
const WEB: &str = "web.shop.prod.example.com.";

/// A wildcard, and names with IPv4 and IPv6 addresses.
fn mixed() -> World {
    world(|world| {
        let six = world.host_mut("h2");
        six.label("io.rancher.host.external_dns_ip", "2001:db8::2");
        for (name, hosts) in [
            ("web", &["h1", "h2"][..]),
            ("db", &["h3"]),
            ("any", &["h1", "h2"]),
        ] {
            let service = world.add_service("shop", name);
            hosts.iter().for_each(|host| {
                service.run_on(host, 80);
            });
        }
        let any = world.service_mut("shop", "any");
        any.label(TEMPLATE, "\\052.%{{environment_name}}");
    })
}

/// What version 0.1.0 made of that world: it listed AAAA record sets in the first state record,
/// escaped a wildcard once more, and wrote state records with the usual TTL.
fn left_by_0_1_0() -> Vec<RecordSet> {
    let (four, six) = (["203.0.113.1"], ["2001:db8::2"]);
    let entries = [
        "\"\\\\052.prod.example.com.\"",
        "\"\\\\052.prod.example.com. AAAA\"",
        "\"db.shop.prod.example.com.\"",
        "\"web.shop.prod.example.com.\"",
        "\"web.shop.prod.example.com. AAAA\"",
    ];
    vec![
        RecordSet::simple(STATE, "TXT", 300, &entries),
        RecordSet::simple(ANY, "A", 300, &four),
        RecordSet::simple(ANY, "AAAA", 300, &six),
        RecordSet::simple(DB, "A", 300, &["203.0.113.3"]),
        RecordSet::simple(WEB, "A", 300, &four),
        RecordSet::simple(WEB, "AAAA", 300, &six),
    ]
}

/// What went wrong: record sets that were touched, and those that nobody owned.
#[derive(Debug, Clone, Default)]
struct Faults(Arc<Mutex<BTreeSet<String>>>);

impl Faults {
    /// From now on every write counts.
    fn watch(stage: &Stage) -> Faults {
        let faults = Faults::default();
        let found = faults.clone();
        stage.route53.watch(move |written| {
            let mut found = found.0.lock().unwrap();
            let (before, after) = (addresses(written.before), addresses(written.after));
            for (name, set) in before.iter().chain(&after) {
                if before.get(name) != after.get(name) {
                    found.insert(format!("touched: {set}"));
                }
            }
            found.extend(orphans(written.after));
        });
        faults
    }

    fn expect_none(&self) {
        let found = self.0.lock().unwrap();
        assert!(found.is_empty(), "{found:#?}");
    }
}

/// A record sets by name.
fn addresses(zone: &Zone) -> BTreeMap<String, RecordSet> {
    let sets = zone.record_sets().filter(|set| set.rtype == "A");
    sets.map(|set| (set.name.clone(), set.clone())).collect()
}

/// Record sets that no state record lists.
pub fn orphans(zone: &Zone) -> Vec<String> {
    let is_state = |set: &&RecordSet| set.rtype == "TXT" && set.name.starts_with("external-dns-");
    let records = zone.record_sets().filter(is_state);
    // However it is escaped.
    let entries: BTreeSet<String> = records
        .flat_map(listed)
        .map(|entry| entry.replace("\\\\", "\\"))
        .collect();
    let ours = zone.record_sets().filter(|set| {
        matches!(set.rtype.as_str(), "A" | "AAAA" | "CNAME")
            && set.name.ends_with("prod.example.com.")
    });
    let is_orphan = |set: &&RecordSet| !entries.contains(&entry(set));
    let orphans = ours.filter(is_orphan);
    orphans.map(|set| format!("nobody's: {set}")).collect()
}

/// How a state record lists a record set.
pub fn entry(set: &RecordSet) -> String {
    let RecordSet { name, rtype, .. } = set;
    match (rtype.as_str(), &set.set_identifier) {
        ("A", None) => name.clone(),
        (rtype, None) => format!("{name} {rtype}"),
        (rtype, Some(id)) => format!("{name} {rtype} {id}"),
    }
}

/// This program is started, comes to rest, and is stopped.
fn reign(stage: &Stage) {
    let service = stage.run();
    status::wait_until(&service, |status| {
        status["last_success"].is_string() && status["fqdns_waiting"] == 0
    });
    service.terminate();
    assert_eq!(service.wait(PATIENCE).and_then(|s| s.code()), Some(0));
    let troubles = ["left alone", "refuses", "failed"];
    let troubled = |line: &String| troubles.iter().any(|words| line.contains(words));
    let log = service.log();
    assert!(!log.iter().any(troubled), "{log:#?}");
}

/// The other one is started, makes several rounds, and is stopped.
fn other_reign(stage: &Stage, forerunner: Forerunner) {
    for _ in 0..3 {
        forerunner.round(&stage.rancher.world(), &stage.route53, ZONE, DOMAIN);
    }
}

fn state_record(stage: &Stage, name: &str) -> RecordSet {
    let sets = stage.route53.record_sets(ZONE);
    let record = sets.iter().find(|set| set.name == name);
    record.expect("a state record").clone()
}

/// Once all is over there is nothing that was forgotten.
fn expect_nothing_is_left(stage: &Stage) {
    let purged = run(stage, &["purge", "--yes"]);
    assert_eq!(purged.code, 0, "{}", purged.stderr);
    assert_eq!(stage.lines(), [] as [String; 0]);
    assert_eq!(stage.route53.record_sets(ZONE).len(), 2, "SOA and NS");
}

#[test]
fn back_and_forth_twice_nothing_is_touched_and_nothing_is_nobodys() {
    let starts = [None, Some(FORERUNNERS[0]), Some(FORERUNNERS[1])];
    let cases = starts
        .into_iter()
        .flat_map(|start| FORERUNNERS.map(|other| (start, other)));
    each(cases, |(start, other)| {
        let stage = Stage::new(mixed());
        match start {
            None => left_by_0_1_0().into_iter().for_each(|set| stage.put(set)),
            Some(forerunner) => other_reign(&stage, forerunner),
        }
        let faults = Faults::watch(&stage);
        let first = ["\"\\052.prod.example.com.\"", "\"db.", "\"web."];
        for _ in 0..2 {
            reign(&stage);
            faults.expect_none();
            let record = state_record(&stage, STATE);
            assert_eq!(record.values.len(), 3, "only A: {record}");
            let is_right = |(value, start): (&String, &&str)| value.starts_with(*start);
            assert!(record.values.iter().zip(&first).all(is_right), "{record}");
            let second = state_record(&stage, SECOND);
            let values: String = second.values.concat();
            assert!(values.contains("\"\\052.prod.example.com. AAAA\""));
            assert!(values.contains("claim "), "{second}");
            other_reign(&stage, other);
            faults.expect_none();
            assert_eq!(state_record(&stage, SECOND), second, "they don't know it");
        }
        reign(&stage);
        faults.expect_none();
        expect_nothing_is_left(&stage);
    });
}

/// Names that a service has by its label here, and other services by their templates there: wildcards
/// in both spellings, and names outside of the environment's.
#[test]
fn more_names_of_a_service_are_those_that_were_there() {
    const NAMES: &str = "io.rancher.service.external_dns_names";
    each(FORERUNNERS, |other| {
        let stage = Stage::new(world(|world| {
            let templates = [
                ("any", "\\052.%{{environment_name}}"),
                ("far", "far"),
                ("www", "www.%{{environment_name}}"),
                ("all", "\\052.all"),
            ];
            for (name, template) in templates {
                let service = world.add_service("shop", name).run_on("h1", 80);
                service.label(TEMPLATE, template);
            }
            let web = world.add_service("shop", "web").run_on("h1", 80);
            let names = "*.%{{environment_name}}, \\052.all ,far,www.prod.example.com.";
            web.label(NAMES, names);
        }));
        other_reign(&stage, other);
        let before = stage.lines();
        assert_eq!(before.len(), 6, "{before:#?}");
        let faults = Faults::watch(&stage);
        for _ in 0..2 {
            reign(&stage);
            faults.expect_none();
            assert_eq!(stage.lines(), before);
            other_reign(&stage, other);
            faults.expect_none();
            assert_eq!(stage.lines(), before);
        }
        // Here it needs the other services no more.
        reign(&stage);
        stage.rancher.change(|world| {
            for name in ["any", "far", "www", "all"] {
                world.remove_service("shop", name);
            }
        });
        reign(&stage);
        faults.expect_none();
        assert_eq!(stage.lines(), before);
        expect_nothing_is_left(&stage);
    });
}

/// So many that the first state record doesn't hold them all.
#[test]
fn names_that_the_first_state_record_has_no_room_for_are_taken_up_again() {
    let many = || {
        let mut world = mixed();
        for number in 0..150 {
            let name = format!("many{number:03}");
            world.add_service("shop", &name).run_on("h1", 80);
        }
        world
    };
    each(FORERUNNERS, |other| {
        let stage = Stage::new(many());
        reign(&stage);
        let faults = Faults::watch(&stage);
        for _ in 0..2 {
            other_reign(&stage, other);
            assert_eq!(state_record(&stage, STATE).values.len(), 153);
            reign(&stage);
            faults.expect_none();
        }
        expect_nothing_is_left(&stage);
    });
}

/// Services come, change and go under either.
#[test]
fn what_changed_under_the_other_is_made_right() {
    each(FORERUNNERS, |other| {
        let stage = Stage::new(mixed());
        let expect = |names: &[&str]| {
            let sets = stage.route53.record_sets(ZONE);
            let is_address = |set: &&RecordSet| matches!(set.rtype.as_str(), "A" | "AAAA");
            let shown = sets.iter().filter(is_address);
            let shown: Vec<String> = shown
                .map(|set| format!("{} {}", set.name, set.values.join(" ")))
                .collect();
            assert_eq!(shown, names);
            let nobodys = stage.route53.edit(ZONE, |zone| orphans(zone));
            assert_eq!(nobodys, [] as [String; 0]);
        };
        let (any4, any6) = (
            "\\052.prod.example.com. 203.0.113.1",
            "\\052.prod.example.com. 2001:db8::2",
        );
        let db = "db.shop.prod.example.com. 203.0.113.3";
        let (web4, web6) = (
            "web.shop.prod.example.com. 203.0.113.1",
            "web.shop.prod.example.com. 2001:db8::2",
        );
        reign(&stage);
        expect(&[any4, any6, db, web4, web6]);
        stage.rancher.change(|world| {
            world.remove_service("shop", "any");
            world.add_service("shop", "new").run_on("h1", 80);
            world.service_mut("shop", "db").move_from("h3", "h1");
        });
        other_reign(&stage, other);
        let (db, new) = (
            "db.shop.prod.example.com. 203.0.113.1",
            "new.shop.prod.example.com. 203.0.113.1",
        );
        expect(&[any6, db, new, web4, web6]);
        reign(&stage);
        expect(&[db, new, web4, web6]);
        stage.rancher.change(|world| {
            world.remove_service("shop", "new");
            world.service_mut("shop", "db").run_on("h2", 80);
        });
        reign(&stage);
        let db6 = "db.shop.prod.example.com. 2001:db8::2";
        expect(&[db, db6, web4, web6]);
        stage
            .rancher
            .change(|world| world.remove_service("shop", "db"));
        other_reign(&stage, other);
        expect(&[db6, web4, web6]);
        reign(&stage);
        expect(&[web4, web6]);
        expect_nothing_is_left(&stage);
    });
}
