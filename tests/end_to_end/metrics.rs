//! Every metric moves when its cause happens. Read by a parser that someone else wrote.

use crate::health::{address, ask};
use crate::stage::{PATIENCE, SECOND, Stage, ZONE, each, four_batches, web, world};
use prometheus_parse::{Scrape, Value};
use sim::rancher::{self, World};
use sim::route53::{self, Fault, Operation, RecordSet};
use sim::service::Service;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

mod services;

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
const LIST: (&str, &str) = ("operation", "ListResourceRecordSets");
const WRITE: (&str, &str) = ("operation", "ChangeResourceRecordSets");

/// The series that a case has seen move, as `name{label=value}` with what follows the prefix.
type Seen = Mutex<BTreeSet<String>>;

/// The program, and what it has shown so far.
struct Watched<'a> {
    stage: Stage,
    service: Service,
    seen: &'a Seen,
}

impl<'a> Watched<'a> {
    fn new(stage: Stage, settings: &[(&'static str, &str)], seen: &'a Seen) -> Watched<'a> {
        let service = stage.run_with(&[], settings);
        Watched {
            stage,
            service,
            seen,
        }
    }

    fn on(world: World, seen: &'a Seen) -> Watched<'a> {
        Watched::new(Stage::new(world), &[], seen)
    }

    fn scrape(&self) -> Scrape {
        scrape(&self.service)
    }

    /// Waits until the series has such a value, and returns it.
    fn wait_for(
        &self,
        name: &str,
        labels: &[(&str, &str)],
        is_right: impl Fn(Option<f64>) -> bool,
    ) -> Option<f64> {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = value(&self.scrape(), name, labels);
            if is_right(found) {
                self.seen.lock().unwrap().insert(name.to_owned());
                for (label, value) in labels {
                    let series = format!("{name}{{{label}={value}}}");
                    self.seen.lock().unwrap().insert(series);
                }
                return found;
            }
            assert!(Instant::now() < end, "{name} {labels:?} is {found:?}");
            // Nothing tells of a new value, so it is asked for.
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn expect(&self, name: &str, labels: &[(&str, &str)], expected: f64) {
        self.wait_for(name, labels, |found| found == Some(expected));
    }

    fn expect_some(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found = self.wait_for(name, labels, |found| found.is_some_and(|value| value > 0.0));
        found.unwrap_or_default()
    }

    fn up(&self, dependency: &str, expected: f64) {
        self.expect("dependency_up", &[("dependency", dependency)], expected);
    }
}

fn scrape(service: &Service) -> Scrape {
    let answer = ask(address(service), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    let (head, text) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains("\r\nContent-Type: text/plain; version=0.0.4"));
    let scrape = Scrape::parse(text.lines().map(|line| Ok(line.to_owned())));
    scrape.expect("Prometheus's text format")
}

fn value(scrape: &Scrape, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let name = format!("rancher_route53_{name}");
    let sample = scrape.samples.iter().find(|sample| {
        let mut labels = labels.iter();
        sample.metric == name
            && labels.all(|(label, value)| sample.labels.get(label) == Some(value))
    });
    match &sample?.value {
        Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => Some(*value),
        Value::Histogram(counts) => counts.last().map(|last| last.count),
        Value::Summary(_) => None,
    }
}

/// Since the middle of 2020, and not in the future.
fn is_recent(seconds: f64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    (1.59e9..=now.as_secs_f64() + 1.0).contains(&seconds)
}

fn start(seen: &Seen) {
    let watched = Watched::on(web(), seen);
    watched.expect("rounds_total", &[("outcome", "changed")], 1.0);
    watched.expect("changes_total", &[("action", "create")], 1.0);
    watched.expect("record_sets_desired", &[], 1.0);
    watched.expect("record_sets_owned", &[], 1.0);
    watched.expect("services", &[("state", "published")], 1.0);
    watched.expect("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    for time in ["start_time_seconds", "last_success_timestamp_seconds"] {
        assert!(is_recent(watched.expect_some(time, &[])), "{time}");
    }
    assert_eq!(watched.expect_some("round_duration_seconds", &[]), 1.0);
    for operation in [LIST, WRITE, ("operation", "ListHostedZonesByName")] {
        watched.expect_some("api_calls_total", &[operation, ("code", "ok")]);
        watched.expect_some("api_call_duration_seconds", &[operation]);
    }
    for path in [
        "/version",
        "/version?wait",
        "/self/stack",
        "/hosts",
        "/services",
    ] {
        let labels = [("api", "metadata"), ("operation", path), ("code", "ok")];
        watched.expect_some("api_calls_total", &labels);
    }
    for call in ["root", "schemas", "externalDnsEvent"] {
        let labels = [("api", "rancher"), ("operation", call), ("code", "ok")];
        watched.expect("api_calls_total", &labels, 1.0);
    }
    for dependency in ["metadata", "route53", "rancher_api", "credentials"] {
        watched.up(dependency, 1.0);
    }

    let times = [
        "metadata_last_change_timestamp_seconds",
        "last_success_timestamp_seconds",
    ];
    let before = times.map(|time| watched.expect_some(time, &[]));
    watched.stage.rancher.change(|world| {
        world.service_mut("shop", "web").move_from("h1", "h2");
    });
    watched.expect("changes_total", &[("action", "change")], 1.0);
    for (time, before) in times.into_iter().zip(before) {
        watched.wait_for(time, &[], |now| now.is_some_and(|now| now > before));
    }
    watched
        .stage
        .rancher
        .change(|world| world.remove_service("shop", "web"));
    watched.expect("changes_total", &[("action", "delete")], 1.0);
    watched.expect("record_sets_desired", &[], 0.0);
    watched.expect("record_sets_owned", &[], 0.0);

    // Whoever comes next finds nothing to do.
    let next = Watched::new(watched.stage, &[], seen);
    next.expect("rounds_total", &[("outcome", "unchanged")], 1.0);
}

fn route53_fails(seen: &Seen) {
    let watched = Watched::on(web(), seen);
    watched.up("route53", 1.0);
    // Not yet before its first round: that one isn't to fail.
    watched.expect("services", &[("state", "published")], 1.0);
    watched.expect("fqdns_waiting", &[], 0.0);
    let refused = Fault::Error {
        status: 403,
        code: "AccessDenied".to_owned(),
        message: "not you".to_owned(),
    };
    // Until all has been seen: else a failed round may be over before it is looked at.
    let route53 = &watched.stage.route53;
    route53.inject(Some(CHANGE), refused, usize::MAX);
    watched.stage.rancher.change(|world| {
        world.add_service("shop", "new").run_on("h1", 80);
    });
    watched.expect("services", &[("state", "waiting")], 1.0);
    watched.expect_some("rounds_total", &[("outcome", "failed")]);
    watched.up("route53", 0.0);
    watched.expect_some("api_calls_total", &[WRITE, ("code", "AccessDenied")]);
    route53.clear_faults();
    watched.up("route53", 1.0);
    watched.expect("services", &[("state", "waiting")], 0.0);
}

fn throttled_and_lost(seen: &Seen) {
    let stage = Stage::new(web());
    stage.route53.inject(Some(CHANGE), Fault::Throttle, 1);
    let list = Some(Operation::ListResourceRecordSets);
    stage.route53.inject(list, Fault::DropBefore, 1);
    let watched = Watched::new(stage, &[], seen);
    watched.expect("api_throttles_total", &[], 1.0);
    watched.expect("api_calls_total", &[WRITE, ("code", "Throttling")], 1.0);
    watched.expect("api_calls_total", &[LIST, ("code", "no_answer")], 1.0);
    watched.expect("api_retries_total", &[], 2.0);
}

fn in_the_way(seen: &Seen) {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "taken").run_on("h1", 80);
        world.add_service("shop", "bad").run_on("h1", 80);
    }));
    let (taken, bad) = ("taken.shop.prod.example.com.", "bad.shop.prod.example.com.");
    stage.put(RecordSet::simple(taken, "A", 60, &["192.0.2.1"]));
    let words = format!("RRSet with DNS name {bad} is not permitted in zone example.com.");
    stage
        .route53
        .edit(ZONE, |zone| zone.refuse(bad, "A", &words));
    let watched = Watched::new(stage, &[], seen);
    watched.expect("record_sets_in_conflict", &[], 1.0);
    watched.expect("record_sets_quarantined", &[], 1.0);
    watched.expect("services", &[("state", "conflict")], 1.0);
    watched.expect("services", &[("state", "quarantined")], 1.0);
    watched.expect("record_sets_desired", &[], 2.0);
    watched.expect("record_sets_owned", &[], 0.0);
}

fn kept_by_another(seen: &Seen) {
    let stage = Stage::new(web());
    let claim = ["\"claim 00000000000000ff\""];
    stage.put(RecordSet::simple(SECOND, "TXT", 1 << 30, &claim));
    let watched = Watched::new(stage, &[], seen);
    watched.expect("state_records_kept_by_another", &[], 1.0);
    watched.expect("record_sets_owned", &[], 0.0);
    watched
        .stage
        .route53
        .edit(ZONE, |zone| zone.remove(SECOND, "TXT"));
    watched.expect("state_records_kept_by_another", &[], 0.0);
    watched.expect("record_sets_owned", &[], 1.0);
}

fn guarded(seen: &Seen) {
    let stage = Stage::new(world(|world| {
        for i in 0..12 {
            world
                .add_service("shop", &format!("web{i}"))
                .run_on("h1", 80);
        }
    }));
    let watched = Watched::new(stage, &[("DELETE_GUARD_HOLD", "3")], seen);
    watched.expect("record_sets_owned", &[], 12.0);
    watched.stage.rancher.change(|world| {
        for i in 0..6 {
            world.remove_service("shop", &format!("web{i}"));
        }
    });
    watched.expect("deletion_guard_holding", &[], 1.0);
    watched.expect("deletion_guard_held_deletes", &[], 6.0);
    let until = "deletion_guard_until_timestamp_seconds";
    assert!(is_recent(watched.expect_some(until, &[]) - 3.0));
    watched.expect("deletion_guard_holding", &[], 0.0);
    watched.expect("deletion_guard_held_deletes", &[], 0.0);
    watched.wait_for(until, &[], |found| found.is_none());
    watched.expect("record_sets_owned", &[], 6.0);
}

fn rancher_fails(seen: &Seen) {
    let stage = Stage::new(web());
    stage
        .rancher
        .inject_events(rancher::Fault::Status(500), usize::MAX);
    let watched = Watched::new(stage, &[], seen);
    watched.expect("fqdns_waiting", &[], 1.0);
    watched.up("rancher_api", 0.0);
    let event = ("operation", "externalDnsEvent");
    watched.expect_some("api_calls_total", &[event, ("code", "500")]);
    watched.stage.rancher.clear_faults();
    watched.up("rancher_api", 1.0);
    watched.expect("fqdns_waiting", &[], 0.0);

    watched.stage.rancher.stop_metadata();
    watched.up("metadata", 0.0);
    let version = [("api", "metadata"), ("code", "no_answer")];
    watched.expect_some("api_calls_total", &version);
    watched.stage.rancher.start_metadata();
    watched.up("metadata", 1.0);
}

fn no_credentials(seen: &Seen) {
    let nobody = "http://127.0.0.1:1/credentials";
    let settings = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", nobody),
    ];
    let watched = Watched::new(Stage::new(web()), &settings, seen);
    watched.up("credentials", 0.0);
    let labels = [
        ("api", "credentials"),
        ("operation", "container"),
        ("code", "failed"),
    ];
    watched.expect_some("api_calls_total", &labels);
}

fn cut(seen: &Seen) {
    let stage = Stage::new(four_batches());
    let slow = Fault::Delay(Duration::from_secs(1));
    stage.route53.inject(Some(CHANGE), slow, 4);
    let watched = Watched::new(stage, &[("ROUTE53_CHANGE_RATE", "1000")], seen);
    let begun = |state: &route53::State| state.in_flight(CHANGE) > 0;
    assert!(watched.stage.route53.wait_until(PATIENCE, begun));
    watched.stage.rancher.change(|world| {
        world.add_service("shop", "new").run_on("h1", 80);
    });
    watched.expect("rounds_total", &[("outcome", "cut")], 1.0);
    watched.expect("record_sets_owned", &[], 9.0);
    watched.expect("record_sets_owned_by_type", &[("type", "A")], 9.0);
    watched.expect("record_sets_desired_by_type", &[("type", "A")], 9.0);
}

#[test]
fn every_metric_moves_when_its_cause_happens() {
    let seen = Seen::default();
    let cases: [fn(&Seen); 14] = [
        start,
        route53_fails,
        throttled_and_lost,
        in_the_way,
        kept_by_another,
        services::skipped_for_every_reason,
        services::skipped_by_settings,
        services::containers_skipped_for_every_reason,
        services::warned_of,
        services::contested,
        guarded,
        rancher_fails,
        no_credentials,
        cut,
    ];
    each(cases, |case| case(&seen));

    // What there is at all, in the words of the program itself.
    let watched = Watched::on(web(), &seen);
    watched.up("rancher_api", 1.0);
    let all = watched.scrape();
    let closed = [
        "outcome",
        "action",
        "state",
        "reason",
        "dependency",
        "warning",
        "type",
    ];
    let series = all.samples.iter().flat_map(|sample| {
        let labels = sample.labels.iter();
        let labels = labels.filter(|(label, _)| closed.contains(&label.as_str()));
        labels.map(|(label, value)| format!("{}{{{label}={value}}}", sample.metric))
    });
    let all: BTreeSet<String> = all.docs.keys().cloned().chain(series).collect();
    let seen = seen.lock().unwrap();
    let is_unseen = |series: &&str| !seen.contains(*series);
    let all = all
        .iter()
        .map(|name| name.strip_prefix("rancher_route53_").expect("our prefix"));
    let unseen: Vec<&str> = all.filter(is_unseen).collect();
    // A loop is stuck after 90 s of nothing: health::tests has that.
    assert_eq!(unseen, ["stuck"]);
}
