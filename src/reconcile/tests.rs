//! Rounds in this process against the simulated Route 53: what no pure function decides alone.

use std::sync::Arc;
use std::time::Instant;

use sim::harness::{DOMAIN, ZONE};
use sim::route53::{Credential, Operation, Options, Route53};

use super::*;
use crate::aws::credentials::provider::Provider;
use crate::aws::credentials::sts::StsSettings;
use crate::aws::credentials::{CredentialSettings, Source};
use crate::aws::sigv4::Credentials;
use crate::base::heartbeat::Heartbeat;
use crate::base::secret::Secret;
use crate::base::shutdown::InFlightGate;
use crate::desired::Desired;
use crate::dns::{Name, RecordSet, RecordType};
use crate::net::http::Http;
use crate::net::proxy::Proxies;
use crate::net::tls::Trust;
use crate::net::url::Url;
use crate::plan::guard::GuardSettings;
use crate::plan::state_records::Entry;
use crate::plan::view::{Coverage, RecordsChange};
use crate::plan::{AdoptSetting, Policy};
use crate::rancher::model::Environment;
use crate::route53::caller::{Caller, CallerSettings};

mod places;
mod replacements;
mod takeover;

const GUARD: GuardSettings = GuardSettings {
    percent: 30,
    min: 10,
    hold: Duration::from_secs(60),
};

fn client(url: &str, change_rate: f64, telemetry: &Telemetry) -> Client {
    let credential = Credential::default();
    let keys = Credentials {
        access_key_id: credential.access_key,
        secret_access_key: Secret::new(&credential.secret_key),
        session_token: None,
    };
    let endpoint = Url::parse(url).unwrap();
    let region = "us-east-1".to_owned();
    let http = Http::new(&Trust::default(), Proxies::default());
    let sts = StsSettings {
        endpoint: endpoint.clone(),
        region: region.clone(),
    };
    let credentials = CredentialSettings {
        source: Source::Keys(keys),
        assume: None,
        sts,
    };
    let recorder = telemetry.recorder.clone();
    let settings = CallerSettings {
        endpoint,
        signing_region: region,
        max_retries: 0,
        request_rate: 1_000.0,
        change_rate,
    };
    Client::new(Caller::new(
        settings,
        Provider::new(credentials, http.clone(), http.clone(), recorder.clone()),
        http,
        InFlightGate::default(),
        recorder,
    ))
}

struct Stage {
    route53: Route53,
    reconciler: Reconciler,
    environment: Environment,
    start: Instant,
}

impl Stage {
    fn new() -> Stage {
        Stage::with_change_rate(1_000.0)
    }

    fn with_change_rate(change_rate: f64) -> Stage {
        let route53 = Route53::start(Options::default());
        route53.add_zone(ZONE, DOMAIN, false);
        let zone = Name::parse(DOMAIN).unwrap();
        let telemetry = Telemetry::new(zone.clone(), Heartbeat::start());
        let settings = ReconcilerSettings {
            zone_id: ZONE.to_owned(),
            rules: Rules::of_zone(zone),
            policy: Policy::Sync,
            adopt: AdoptSetting::Never,
            guard: GUARD,
            owner: OwnerSettings {
                id: None,
                server: "rancher:8080".to_owned(),
                gives_up: false,
            },
        };
        let client = client(&route53.url(), change_rate, &telemetry);
        Stage {
            reconciler: Reconciler::new(client, settings, telemetry),
            route53,
            environment: environment("prod"),
            start: Instant::now(),
        }
    }

    /// Makes a round for what metadata said after so many seconds.
    fn round(&mut self, desired: &Arc<Desired>, seconds: u64) -> Round {
        self.round_if(desired, seconds, &mut |_| true)
    }

    fn round_if(
        &mut self,
        desired: &Arc<Desired>,
        seconds: u64,
        goes_on: &mut dyn FnMut(Progress) -> bool,
    ) -> Round {
        let goal = Goal {
            environment: &self.environment,
            desired,
            read: self.start + Duration::from_secs(seconds),
        };
        self.reconciler.round(goal, goes_on).expect("a round")
    }

    fn addresses(&self) -> Vec<String> {
        let sets = self.route53.record_sets(ZONE).into_iter();
        let sets = sets.filter(|set| set.rtype == "A");
        sets.map(|set| set.name).collect()
    }

    fn batches(&self) -> usize {
        let requests = self.route53.requests();
        let is_batch = |operation| operation == Some(Operation::ChangeResourceRecordSets);
        requests
            .iter()
            .filter(|request| is_batch(request.operation))
            .count()
    }
}

fn environment(name: &str) -> Environment {
    Environment {
        name: name.to_owned(),
        uuid: "u".to_owned(),
        own_stack: "dns".to_owned(),
        stack_uuid: None,
    }
}

fn a(name: &str) -> RecordSet {
    RecordSet::of_values(
        RecordKey::new(Name::parse(name).unwrap(), RecordType::A),
        300,
        ["192.0.2.1".to_owned()].into(),
    )
}

fn desired<T: AsRef<str>>(names: &[T]) -> Arc<Desired> {
    let sets = names.iter().map(|name| a(name.as_ref()));
    Arc::new(Desired {
        record_sets: sets.map(|set| (set.key.clone(), set)).collect(),
        ..Desired::default()
    })
}

/// So many services of the environment.
fn services(count: usize) -> Arc<Desired> {
    let names: Vec<String> = (0..count).map(|i| format!("s{i}.prod.{DOMAIN}")).collect();
    desired(&names)
}

#[test]
fn what_was_wanted_meanwhile_waits_anew_once_it_is_gone_again() {
    let mut stage = Stage::new();
    stage.round(&services(10), 0);
    let deletes = |round: Round| round.held.map(|held| held.keys.len());
    assert_eq!(deletes(stage.round(&services(2), 1)), Some(8));
    assert_eq!(deletes(stage.round(&services(10), 30)), None);
    assert_eq!(deletes(stage.round(&services(2), 61)), Some(8));
    assert_eq!(stage.addresses().len(), 10);
    assert_eq!(deletes(stage.round(&services(2), 121)), None);
    assert_eq!(stage.addresses().len(), 2);
}

#[test]
fn what_is_taken_over_or_not_listed_counts_as_owned() {
    let names = StateNames::new("u", &Name::parse(DOMAIN).unwrap()).unwrap();
    let listed = ["a.example.com", "b.example.com"].map(|name| Entry::Owned(a(name).key));
    let record = RecordSet::of_values(
        RecordKey::new(names.name(0), RecordType::Txt),
        300,
        Entry::values(&listed),
    );
    let batch = ChangeBatch {
        deletes: vec![],
        creates: vec![record],
    };
    let mut state = StateRecords::default();
    state.apply(&batch, &names);
    let plan = Plan {
        adopts: ["c.example.com", "d.example.com", "e.example.com"]
            .map(|name| a(name).key)
            .into(),
        deletes: ["b.example.com", "f.example.com", "g.example.com"]
            .map(a)
            .into(),
        ..Plan::default()
    };
    assert_eq!(owned(&state, &plan), 2 + 3 + 2);
    assert_eq!(owned(&state, &Plan::default()), 2);
}

#[test]
fn whoever_undoes_our_batch_to_the_letter_is_noticed() {
    let mut stage = Stage::new();
    let before = stage.route53.record_sets(ZONE);
    let desired = services(1);
    stage.round(&desired, 0);
    assert_eq!(stage.addresses().len(), 1);
    let undo = |stage: &Stage| {
        let added = stage.route53.record_sets(ZONE).into_iter();
        for set in added.filter(|set| !before.contains(set)) {
            stage
                .route53
                .edit(ZONE, |zone| zone.remove(&set.name, &set.rtype));
        }
        assert_eq!(stage.route53.record_sets(ZONE), before);
    };
    for seconds in 1..=2 {
        undo(&stage);
        stage.reconciler.resync();
        stage.round(&desired, seconds);
        assert_eq!(stage.addresses().len(), 1, "made anew");
    }
}

#[test]
fn what_changes_in_a_settled_zone_is_noticed() {
    let mut stage = Stage::new();
    let desired = services(2);
    for seconds in 0..3 {
        stage.reconciler.resync();
        let round = stage.round(&desired, seconds);
        assert_eq!(round.in_zone.len(), 2);
    }
    assert_eq!(
        stage.batches(),
        1,
        "nothing had to change after the first round"
    );
    let first = stage.addresses().remove(0);
    stage.route53.edit(ZONE, |zone| zone.remove(&first, "A"));
    stage.reconciler.resync();
    stage.round(&desired, 4);
    assert_eq!(stage.addresses().len(), 2);
}

#[test]
fn what_was_settled_before_another_wish_is_worked_out_anew() {
    let mut stage = Stage::new();
    let (two, three) = (services(2), services(3));
    for (seconds, wanted) in [(0, &two), (1, &two), (2, &three), (3, &two)] {
        stage.round(wanted, seconds);
        assert_eq!(stage.addresses().len(), wanted.record_sets.len());
    }
}

#[test]
fn whether_a_batch_is_wanted_is_asked_after_it_has_waited() {
    // Ten changes at once, then one a second.
    let mut stage = Stage::with_change_rate(1.0);
    stage.round(&services(9), 0);
    let batches = stage.batches();
    let (started, mut asked) = (Instant::now(), Vec::new());
    let round = stage.round_if(&services(18), 1, &mut |progress| {
        asked.push((started.elapsed(), progress.wait));
        false
    });
    assert!(round.is_cut);
    assert_eq!(stage.batches(), batches, "none that isn't wanted is sent");
    assert_eq!(asked.len(), 1);
    let (after, left) = asked[0];
    assert!(
        after >= Duration::from_millis(400),
        "asked at once: {after:?}"
    );
    assert!(left > Duration::ZERO, "it has to wait for nine changes");
}

#[test]
fn what_is_refused_stays_so_where_a_round_ends_before_it_was_tried_again() {
    let mut stage = Stage::with_change_rate(1.0);
    let bad = a(&format!("s0.prod.{DOMAIN}")).key;
    let refused = |round: &Round| -> Vec<RecordKey> {
        let cases = round.quarantined.iter();
        cases.map(|case| case.key.clone()).collect()
    };
    let name = format!("s0.prod.{DOMAIN}.");
    let words = format!("RRSet with DNS name {name} is not permitted");
    stage
        .route53
        .edit(ZONE, |zone| zone.refuse(&name, "A", &words));
    assert_eq!(
        refused(&stage.round(&services(2), 0)),
        std::slice::from_ref(&bad)
    );

    stage.reconciler.resync();
    let round = stage.round_if(&services(12), 1, &mut |_| false);
    assert!(round.is_cut);
    assert_eq!(refused(&round), [bad]);
}

#[test]
fn what_was_written_is_not_refused_although_the_round_ends_early() {
    let mut stage = Stage::new();
    let name = format!("s0.prod.{DOMAIN}.");
    let words = format!("RRSet with DNS name {name} is not permitted");
    stage
        .route53
        .edit(ZONE, |zone| zone.refuse(&name, "A", &words));
    assert_eq!(stage.round(&services(2), 0).quarantined.len(), 1);

    stage.route53.edit(ZONE, |zone| zone.refused.clear());
    stage.reconciler.resync();
    let round = stage.round_if(&services(1_500), 1, &mut |progress| progress.done < 3);
    let is_written = round
        .in_zone
        .iter()
        .any(|known| known.name.as_str() == name);
    assert!(round.is_cut);
    assert_eq!(round.quarantined.is_empty(), is_written, "{is_written}");
}

#[test]
fn a_wait_is_asked_about_in_slices_with_less_left_each_time() {
    let mut stage = Stage::with_change_rate(1.0);
    stage.round(&services(9), 0);
    let mut asked = Vec::new();
    stage.round_if(&services(18), 1, &mut |progress| {
        asked.push((progress.wait, progress.is_repeated));
        asked.len() < 2
    });
    assert!(asked.is_sorted_by(|a, b| a.0 > b.0), "{asked:?}");
    let repeated: Vec<bool> = asked.iter().map(|(_, is_repeated)| *is_repeated).collect();
    assert_eq!(repeated, [false, true]);
}

#[test]
fn another_look_covers_what_is_owned_by_then() {
    let stage = Stage::new();
    let telemetry = Telemetry::new(Name::parse(DOMAIN).unwrap(), Heartbeat::start());
    let mut client = client(&stage.route53.url(), 1_000.0, &telemetry);
    let names = StateNames::new("u", &Name::parse(DOMAIN).unwrap()).unwrap();
    let below = Name::parse("prod.example.com").unwrap();
    let desired = services(1);
    let mut zone = CachedZone::new(names.clone());
    let look = |zone: &mut CachedZone, client: &mut Client| {
        let change = zone.list_state_records(client, ZONE).unwrap();
        zone.list_rest(client, ZONE, Some(&below), &desired)
            .unwrap();
        change
    };
    look(&mut zone, &mut client);
    let part = |singles: &[&Name]| Coverage::Part {
        below: below.clone(),
        singles: singles.iter().map(|name| (*name).clone()).collect(),
    };
    assert_eq!(zone.view.coverage, part(&[]));

    // Meanwhile another instance publishes a name elsewhere.
    let elsewhere = a("elsewhere.example.com");
    let entry = Entry::Owned(elsewhere.key.clone()).value();
    let first = names.name(0);
    stage.route53.edit(ZONE, |zone| {
        let (name, values) = (elsewhere.key.name.as_str(), ["192.0.2.1"]);
        zone.put(sim::route53::RecordSet::simple(name, "A", 300, &values));
        zone.put(sim::route53::RecordSet::simple(
            first.as_str(),
            "TXT",
            300,
            &[entry],
        ));
    });
    let change = look(&mut zone, &mut client);
    assert_eq!(change, RecordsChange::Ours);
    assert_eq!(zone.view.coverage, part(&[&elsewhere.key.name]));
    assert_eq!(zone.view.zone.whole(&elsewhere.key), Some(&elsewhere));
}
