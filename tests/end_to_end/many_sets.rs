//! One name with 400 record sets: they don't fit into one page of a listing, and Route 53 doesn't say
//! in which order it lists them. Ours is among them, and all that is done is done to it alone.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use sim::harness::lines;
use sim::lock::lock;
use sim::rancher::World;
use sim::route53::{self, Change, IdentifierOrder, Operation, RecordSet, Written};

use crate::commands::run;
use crate::stage::{PATIENCE, STATE, Stage, ZONE, each_at_most, prompt, world};

const LIST: Operation = Operation::ListResourceRecordSets;
const CHANGE: Operation = Operation::ChangeResourceRecordSets;
const WEB: &str = "web.shop.prod.example.com.";
const FQDN: &str = "web.shop.prod.example.com";
/// Record sets of others.
const FOREIGN: usize = 399;
/// The most that Route 53 lists at once.
const PAGE: usize = 300;

const ORDERS: [IdentifierOrder; 4] = [
    IdentifierOrder::Ascending,
    IdentifierOrder::Descending,
    IdentifierOrder::Shuffled(1),
    IdentifierOrder::Shuffled(2),
];
/// Set identifiers of ours. In ascending order it is in the middle of the first page, the last of it, or
/// the first of the second one.
const IDS: [&str; 3] = ["s198x", "s298x", "s299x"];

fn foreign() -> Vec<RecordSet> {
    let sets = (0..FOREIGN).map(|i| {
        let address = format!("198.51.{}.{}", i / 200, i % 200);
        RecordSet::simple(WEB, "A", 60, &[address]).multivalue(&format!("s{i:03}"))
    });
    sets.collect()
}

fn with_web(id: &str) -> World {
    world(|world| {
        let web = world.add_service("shop", "web").run_on("h1", 80);
        web.label("io.rancher.service.external_dns_routing", "multivalue");
        web.label("io.rancher.service.external_dns_routing_id", id);
    })
}

/// What others have, and a record set behind all that this program has to read.
fn stage(order: IdentifierOrder, id: &str) -> Stage {
    let options = route53::Options {
        identifier_order: order,
        ..route53::Options::default()
    };
    let stage = Stage::with(with_web(id), prompt(), options);
    // The harness has made the zone with these options.
    stage.route53.edit(ZONE, |zone| {
        foreign().into_iter().for_each(|set| zone.put(set));
        let behind = RecordSet::simple("zzz.example.com.", "A", 60, &["192.0.2.1"]);
        zone.put(behind);
    });
    stage
}

/// How many requests it takes to read all of these and to see that the next one is no longer of them.
fn pages(count: usize) -> usize {
    (count + 1).div_ceil(PAGE)
}

/// Changes of record sets that aren't ours.
fn watch(stage: &Stage, id: &str) -> Arc<Mutex<BTreeSet<String>>> {
    let wrongs = Arc::new(Mutex::new(BTreeSet::new()));
    let (found, id) = (wrongs.clone(), id.to_owned());
    stage.route53.watch(move |written: &Written<'_>| {
        let is_ours = |set: &RecordSet| {
            set.name.starts_with("external-dns-")
                || set.name == WEB && set.set_identifier.as_deref() == Some(&id)
        };
        let touched = written.batch.unwrap_or_default().iter();
        let touched = touched.map(|change| &change.record_set);
        let foreign = touched.filter(|set| !is_ours(set));
        lock(&found).extend(foreign.map(ToString::to_string));
    });
    wrongs
}

/// The changes of all batches since the last time, but for those of state records.
fn changes(stage: &Stage) -> Vec<String> {
    let requests = stage.route53.requests();
    let batches = requests.iter().filter_map(|request| request.batch.as_ref());
    let is_ours = |change: &&Change| change.record_set.name == WEB;
    let changes = batches.flatten().filter(is_ours);
    changes.map(ToString::to_string).collect()
}

/// Since the last time: how often the zone was listed, and what was changed.
fn expect(stage: &Stage, listings: usize, expected: &[String]) {
    assert_eq!(changes(stage), expected);
    assert_eq!(stage.calls(LIST), listings, "{expected:?}");
    assert_eq!(stage.calls(CHANGE), usize::from(!expected.is_empty()));
    let requests = stage.route53.requests();
    let all = requests.iter().filter(|r| r.operation == Some(LIST));
    let continued = all.filter(|r| r.query.contains("identifier=")).count();
    assert_eq!(continued, usize::from(listings > 0), "{requests:#?}");
    stage.route53.clear_requests();
}

#[test]
fn among_400_record_sets_of_one_name_only_ours_is_touched_whatever_their_order() {
    let cases = ORDERS.map(|order| IDS.map(|id| (order, id)));
    let cases = cases.into_iter().flatten();
    each_at_most(6, cases, |(order, id)| expect_exact(order, id));
}

fn expect_exact(order: IdentifierOrder, id: &str) {
    let stage = stage(order, id);
    let before = stage.lines();
    let wrongs = watch(&stage, id);
    let ours = |address: &str| {
        let set = RecordSet::simple(WEB, "A", 300, &[address]).multivalue(id);
        set.to_string()
    };
    let _service = stage.run();
    stage.expect_fqdn("shop", "web", FQDN);
    stage.settle();
    let created = format!("CREATE {}", ours("203.0.113.1"));
    expect(&stage, 1 + pages(FOREIGN), &[created]);
    assert_eq!(stage.route53.record_sets(ZONE).len(), before.len() + 2 + 2);

    // It is found again among all others.
    assert_eq!(run(&stage, &["once"]).code, 0);
    expect(&stage, 1 + pages(FOREIGN + 1), &[]);

    stage.rancher.change(|world| {
        world.service_mut("shop", "web").move_from("h1", "h2");
    });
    let changed = ["203.0.113.1", "203.0.113.2"].map(ours);
    let changed = [
        format!("DELETE {}", changed[0]),
        format!("CREATE {}", changed[1]),
    ];
    let has = |address: &'static str| {
        let line = ours(address);
        stage.route53.wait_until(PATIENCE, |state| {
            let zone = state.zone(ZONE).expect("the zone");
            lines(zone.record_sets()).contains(&line)
        })
    };
    assert!(has("203.0.113.2"));
    expect_without_listing(&stage, &changed);

    stage.rancher.change(|world| world.remove_stack("shop"));
    let before = before.iter().map(String::as_str).collect::<Vec<_>>();
    stage.expect_zone(&before);
    expect_without_listing(&stage, &[format!("DELETE {}", ours("203.0.113.2"))]);
    let is_empty = |zone: &mut route53::Zone| zone.get(STATE, "TXT").is_none();
    assert!(stage.route53.edit(ZONE, is_empty));
    assert_eq!(*lock(&wrongs), BTreeSet::new());
}

/// What was known of the zone was enough.
fn expect_without_listing(stage: &Stage, expected: &[String]) {
    stage.settle();
    expect(stage, 0, expected);
}
