//! What is searched: instances, names, what may happen how often.

mod kinds;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rancher_route53::desired::Desired;
use rancher_route53::dns::zone::Listed;
use rancher_route53::dns::{Name, RecordKey, RecordSet, RecordType, Routing, Zone};
use rancher_route53::plan::guard::GuardSettings;
use rancher_route53::plan::state_records::{Claim, Entry, Generation, StateNames};
use rancher_route53::plan::{Adopt, Policy};

use crate::world::Maker;

pub const TTL: u32 = 300;

/// One search.
#[derive(Clone)]
pub struct Setup {
    pub name: &'static str,
    pub variant: Variant,
    pub servers: Vec<Server>,
    /// The server of each instance.
    pub instances: Vec<usize>,
    pub budget: Budget,
    pub zone: Zone,
    pub made_by: BTreeMap<RecordKey, Maker>,
    pub guard: GuardSettings,
}

/// A Rancher server with one environment.
#[derive(Clone)]
pub struct Server {
    pub names: StateNames,
    pub claim: Claim,
    pub adopt: Adopt,
    pub policy: Policy,
    /// What metadata may say; it starts with the first.
    pub worlds: Vec<Arc<Desired>>,
}

/// How often something may still happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    /// Changes of metadata.
    pub changes: u8,
    /// Record sets that people create or delete.
    pub edits: u8,
    /// Instances that are killed.
    pub crashes: u8,
    /// Batches whose answer is lost.
    pub losses: u8,
    /// Seconds of the guard's clock.
    pub ticks: u8,
}

/// A safeguard that is taken away, to see that the model misses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    None,
    /// State records are written with the TTL of all record sets, as version 0.1.0 did.
    WithoutGenerations,
    /// Everything else is listed before the state records.
    RecordsLast,
    /// Nobody looks at what other owners list.
    WithoutOthers,
    /// Nobody sees that other owners have written, if they list the same again.
    WithoutOthersGenerations,
    /// A state record that loses its last entry goes, and nothing else is written.
    WithoutTraces,
    /// Deletes go at once.
    WithoutGuard,
    /// Nobody looks at claims.
    WithoutClaims,
    /// Record sets are written before the state records that list them.
    EntriesApart,
    /// What comes is created before what goes is deleted.
    CreatesApart,
}

fn zone_name() -> Name {
    Name::parse("example.com").unwrap()
}

pub fn key(label: &str, rtype: RecordType) -> RecordKey {
    let name = Name::parse(&format!("{label}.prod.example.com")).unwrap();
    RecordKey::new(name, rtype)
}

/// A world in words, such as `x=1 y=2 x6=1`: `x6` is an AAAA record set. `x=t1` is a CNAME, `x#u=1` a
/// weighted record set with the identifier `u`, `x%u=1` one for a region, and `x=1@60` has another TTL.
fn world(text: &str) -> Arc<Desired> {
    let record_sets = text.split_whitespace().map(record_set);
    Arc::new(Desired {
        record_sets: record_sets.map(|set| (set.key.clone(), set)).collect(),
        ..Desired::default()
    })
}

fn record_set(word: &str) -> RecordSet {
    let (place, value) = word.split_once('=').unwrap();
    let (number, ttl) = match value.split_once('@') {
        Some((number, ttl)) => (number, ttl.parse().unwrap()),
        None => (value, TTL),
    };
    let routed = place.split_once(['#', '%']);
    let (label, set_id) = match routed {
        Some((label, set_id)) => (label, Some(set_id.into())),
        None => (place, None),
    };
    let (label, rtype, value) = match (label.strip_suffix('6'), number.strip_prefix('t')) {
        (Some(label), _) => (label, RecordType::Aaaa, format!("2001:db8::{number}")),
        (None, Some(_)) => (label, RecordType::Cname, format!("{number}.example.org.")),
        (None, None) => (label, RecordType::A, format!("192.0.2.{number}")),
    };
    let mut set = RecordSet::of_values(key(label, rtype), ttl, [value].into());
    set.routing = routed.map(|_| match place.contains('#') {
        true => Box::new(Routing::Weighted(1)),
        false => Box::new(Routing::Latency(format!("region-{number}").into())),
    });
    set.key.set_id = set_id;
    set
}

fn server(owner: &str, host: &str, worlds: &[&str]) -> Server {
    Server {
        names: StateNames::new(owner, &zone_name()).unwrap(),
        claim: Claim::new(host, None),
        adopt: Adopt::Never,
        policy: Policy::Sync,
        worlds: worlds.iter().map(|text| world(text)).collect(),
    }
}

fn usual(name: &'static str, instances: usize, worlds: &[&str], budget: Budget) -> Setup {
    Setup {
        name,
        variant: Variant::None,
        servers: vec![server("u", "rancher", worlds)],
        instances: vec![0; instances],
        budget,
        zone: Zone::default(),
        made_by: BTreeMap::new(),
        guard: GuardSettings::OFF,
    }
}

/// `<environment>.<zone>`.
pub fn below() -> Name {
    Name::parse("prod.example.com").unwrap()
}

/// A zone as version 0.1.0 left it: the state record lists both types and has no generation.
fn left_by_0_1_0() -> Zone {
    let mut zone = Zone::default();
    let names = StateNames::new("u", &zone_name()).unwrap();
    let values = ["\"x.prod.example.com.\"", "\"x.prod.example.com. AAAA\""];
    let state_record = RecordSet::of_values(
        RecordKey::new(names.name(0), RecordType::Txt),
        TTL,
        values.map(str::to_owned).into(),
    );
    let sets = world("x=1 x6=1").record_sets.clone();
    for set in sets.into_values().chain([state_record]) {
        zone.insert(set.key.clone(), Listed::Whole(set));
    }
    zone
}

fn made_by_0_1_0() -> BTreeMap<RecordKey, Maker> {
    let types = [RecordType::A, RecordType::Aaaa];
    types
        .map(|rtype| (key("x", rtype), Maker::Owner("u".to_owned())))
        .into()
}

/// A zone in which this owner has published something once: the claim is left.
fn left_by(server: &Server) -> Zone {
    let mut zone = Zone::default();
    let claim = Entry::Claim(server.claim.clone());
    let state_record = RecordSet::of_values(
        RecordKey::new(server.names.name(1), RecordType::Txt),
        Generation::of_number(0).ttl(),
        Entry::values([&claim]),
    );
    zone.insert(state_record.key.clone(), Listed::Whole(state_record));
    zone
}

/// How far the searches go: each has a budget that debug builds exhaust in seconds, one for CI and
/// one for a long run by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scale {
    Quick,
    Full,
    Large,
}

/// All searches.
pub fn all(scale: Scale) -> Vec<Setup> {
    let flapping = &["", "x=1"];
    let more = match scale {
        Scale::Quick => 0,
        Scale::Full => 1,
        Scale::Large => 2,
    };
    let budget = |changes: u8, edits, crashes, losses| Budget {
        changes: changes + more,
        edits: if edits > 0 { edits + more } else { more.min(1) },
        crashes,
        losses,
        ticks: 0,
    };
    let two_servers = |first: &str, second: &str| {
        vec![
            server(first, "a", &["x=1", "y=1", ""]),
            server(second, "b", &["x=2", "z=2", ""]),
        ]
    };
    let adopting = |adopt: Adopt| {
        let adopting = |server: Server| Server {
            adopt: adopt.clone(),
            ..server
        };
        two_servers("u", "v").into_iter().map(adopting).collect()
    };
    let of_two_servers = |name, servers, budget| Setup {
        servers,
        instances: vec![0, 1],
        ..usual(name, 2, flapping, budget)
    };
    let legacy = Adopt::Legacy {
        below: below(),
        ttl: TTL,
    };
    // Those with few states come first: what time they leave is for the others.
    let mut all = kinds::all(&budget);
    all.extend([
        usual("one flaps", 2, flapping, budget(3, 0, 0, 0)),
        usual("losses", 1, flapping, budget(2, 0, 0, 2)),
        usual("losses of two", 2, flapping, budget(1, 0, 0, 1)),
        usual("crashes", 2, &["", "x=1", "x=2"], budget(1, 0, 1, 0)),
        usual("people", 2, &["x=1", "", "x=2"], budget(1, 1, 0, 0)),
        usual("two names", 2, &["", "x=1 y=1", "x=1"], budget(1, 0, 0, 0)),
        usual(
            "both types",
            2,
            &["", "x=1 x6=1", "x6=1"],
            budget(1, 0, 0, 0),
        ),
        usual("three", 3, &["x=1", ""], budget(0, 0, 0, 0)),
        Setup {
            zone: left_by_0_1_0(),
            made_by: made_by_0_1_0(),
            ..usual(
                "from 0.1.0",
                2,
                &["x=1 x6=1", "x=1", ""],
                budget(1, 0, 1, 0),
            )
        },
        of_two_servers("one claim", two_servers("u", "u"), budget(1, 0, 0, 0)),
        Setup {
            zone: left_by_0_1_0(),
            made_by: made_by_0_1_0(),
            ..of_two_servers(
                "one claim, from 0.1.0",
                two_servers("u", "u"),
                budget(0, 0, 0, 1),
            )
        },
        Setup {
            zone: left_by(&server("u", "a", &[])),
            ..of_two_servers(
                "two owners, one flaps",
                vec![
                    server("u", "a", flapping),
                    Server {
                        adopt: Adopt::Matching,
                        ..server("v", "b", &["x=2"])
                    },
                ],
                Budget {
                    edits: 0,
                    ..budget(3, 0, 0, 0)
                },
            )
        },
        // People between two owners of one name are in the next two: see docs/verification.md.
        of_two_servers(
            "two owners, matching",
            adopting(Adopt::Matching),
            Budget {
                edits: 0,
                ..budget(1, 0, 0, 0)
            },
        ),
        of_two_servers(
            "two owners, legacy",
            adopting(legacy.clone()),
            Budget {
                edits: 0,
                ..budget(1, 0, 0, 0)
            },
        ),
        of_two_servers(
            "two owners, matching, people",
            adopting(Adopt::Matching),
            Budget {
                changes: more.min(1),
                edits: 1,
                ..budget(0, 0, 0, 0)
            },
        ),
        of_two_servers(
            "two owners, legacy, people",
            adopting(legacy),
            Budget {
                changes: more.min(1),
                edits: 1,
                ..budget(0, 0, 0, 0)
            },
        ),
        Setup {
            guard: GuardSettings {
                percent: 50,
                min: 2,
                hold: Duration::from_secs(2),
            },
            ..usual(
                "guard",
                1,
                &["x=1 y=1", "", "x=1 y=1 z=1", "z=1 w=1 v=1"],
                Budget {
                    ticks: 2 + more,
                    losses: 0,
                    ..budget(2, 0, 0, 0)
                },
            )
        },
    ]);
    all
}

/// For each safeguard that is taken away, a search that has to find a fault, and words of it.
pub fn without_a_safeguard() -> Vec<(Variant, Setup, &'static str)> {
    let find = |name: &str| {
        all(Scale::Full)
            .into_iter()
            .find(|setup| setup.name == name)
            .unwrap()
    };
    vec![
        (
            Variant::WithoutGenerations,
            find("one flaps"),
            "nobody owns",
        ),
        (Variant::RecordsLast, find("one flaps"), "nobody owns"),
        (
            Variant::WithoutClaims,
            find("one claim"),
            "another Rancher server",
        ),
        (Variant::WithoutGuard, find("guard"), "too early"),
        (
            Variant::WithoutOthers,
            find("two owners, matching"),
            "another owner",
        ),
        (
            Variant::WithoutOthersGenerations,
            find("two owners, one flaps"),
            "another owner",
        ),
        (
            Variant::WithoutTraces,
            find("two owners, one flaps"),
            "another owner",
        ),
        (Variant::EntriesApart, find("A, CNAME, loss"), "nobody owns"),
        (
            Variant::CreatesApart,
            find("simple, weighted"),
            "Route 53 refuses",
        ),
    ]
}
