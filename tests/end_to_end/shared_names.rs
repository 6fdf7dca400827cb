//! Two and three installations publish one name together while everything goes wrong: they are killed,
//! Route 53's answers get lost, services come, go and change. None ever touches another's record set, and
//! what one removes by `purge` leaves the others' as they are.
//!
//! Each installation is a Rancher server of its own, with an environment of the same UUID as every other,
//! its own `OWNER_ID` and its own access key, by which the simulated Route 53 knows who has written.
//!
//! ```text
//! seed ─► events ─► installations (wishes: what their services ask for) ─► what must be there in the end
//!                                                                      └─► watcher: what never may be
//! ```
//!
//! `SHARED_NAMES_ROUNDS` says how many rounds each stage has, `SHARED_NAMES_SEED` with which seed the
//! first one begins. A stage that fails shows its seed and what has happened on it.

mod installation;
mod watcher;
mod wishes;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sim::harness::{DOMAIN, ZONE};
use sim::lock::lock;
use sim::route53::{self, Credential, Fault, GeoLocation, Operation, RecordSet, Route53};

use crate::chaos::history::History;
use crate::chaos::random::Random;
use crate::stage::{PATIENCE, each_at_most, number};
use installation::{Installation, SECRET, key};
use watcher::{Watcher, is_state_record};
use wishes::{CHECK, Kind, Wish};

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
const LIST: Operation = Operation::ListResourceRecordSets;
const OWNERS: [&str; 3] = ["berlin", "munich", "paris"];
/// The names that all share.
const SHARED: [&str; 2] = ["www", "api"];
/// What is waited for before the next thing happens, at most.
const SOON: Duration = Duration::from_millis(300);
/// Stages at once: most of their time is waiting.
const AT_ONCE: usize = 5;

/// What there was.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    batches: usize,
    kills: usize,
    kills_in_flight: usize,
    lost_answers: usize,
}

#[test]
fn installations_that_share_a_name_never_touch_each_other_s_record_sets() {
    let rounds = number("SHARED_NAMES_ROUNDS", 24) as usize;
    let first = number("SHARED_NAMES_SEED", 1);
    let start = Instant::now();
    let kinds = Kind::ALL.map(|kind| [(kind, 2), (kind, 3)]);
    let mut stages: Vec<(u64, Kind, usize)> = Vec::new();
    for (seed, (kind, count)) in (first..).zip(kinds.into_iter().flatten()) {
        stages.push((seed, kind, count));
    }
    let tallies = Mutex::new(Vec::new());
    each_at_most(AT_ONCE, stages.clone(), |(seed, kind, count)| {
        let tally = Stage::set(seed, kind, count).perform(rounds);
        lock(&tallies).push(tally);
    });
    let tallies = lock(&tallies);
    let sum = |f: fn(&Tally) -> usize| tallies.iter().map(f).sum::<usize>();
    let (kills, in_flight) = (sum(|t| t.kills), sum(|t| t.kills_in_flight));
    let (batches, lost) = (sum(|t| t.batches), sum(|t| t.lost_answers));
    println!(
        "seeds from {first}, {rounds} rounds each: {batches} batches, {kills} kills ({in_flight} with a \
         batch in flight), {lost} lost answers, in {:?}",
        start.elapsed()
    );
    if rounds >= 24 {
        assert!(in_flight > 0 && kills > in_flight && lost > 0 && batches > 8 * stages.len());
    }
}

struct Stage {
    seed: u64,
    kind: Kind,
    random: Random,
    route53: Route53,
    installations: Vec<Installation>,
    watcher: Arc<Mutex<Watcher>>,
    history: Arc<History>,
    tally: Tally,
}

impl Stage {
    fn set(seed: u64, kind: Kind, count: usize) -> Stage {
        let owners = &OWNERS[..count];
        let credentials = owners
            .iter()
            .map(|owner| Credential::new(&key(owner), SECRET));
        let mut random = Random::new(seed);
        let orders = [
            route53::IdentifierOrder::Ascending,
            route53::IdentifierOrder::Descending,
            route53::IdentifierOrder::Shuffled(seed),
        ];
        let route53 = Route53::start(route53::Options {
            credentials: credentials.collect(),
            identifier_order: random.pick(&orders),
            latency: Duration::from_millis(5),
            ..route53::Options::default()
        });
        route53.add_zone(ZONE, DOMAIN, false);
        route53.add_health_check(CHECK);
        route53.edit(ZONE, |zone| {
            consoles(kind).into_iter().for_each(|set| zone.put(set))
        });
        let watcher = Arc::new(Mutex::new(Watcher::default()));
        let history = Arc::new(History::new());
        let (seen, notes) = (watcher.clone(), history.clone());
        route53.watch(move |written| {
            let by = written.by.unwrap_or("nobody");
            for change in written.batch.unwrap_or_default() {
                notes.note(format_args!("    {by}: {change}"));
            }
            lock(&seen).see(written);
        });
        let installations = owners.iter().enumerate();
        let installations =
            installations.map(|(index, owner)| Installation::new(index, owner, kind, &route53));
        Stage {
            seed,
            kind,
            random,
            installations: installations.collect(),
            route53,
            watcher,
            history,
            tally: Tally::default(),
        }
    }

    fn perform(mut self, rounds: usize) -> Tally {
        for installation in &mut self.installations {
            installation.start();
        }
        for round in 0..rounds {
            self.history.note(format_args!("{round}"));
            self.happen();
            self.pause();
        }
        self.rest();
        for index in 0..self.installations.len() {
            self.purge(index);
        }
        let left = self.sets(|set| !matches!(&*set.rtype, "SOA" | "NS"));
        assert_eq!(left, consoles(self.kind), "after all have purged");
        self.expect_no_wrongs();
        let requests = self.route53.requests();
        let is_applied = |request: &&route53::RequestRecord| {
            request.operation == Some(CHANGE) && request.applied
        };
        let applied = requests.iter().filter(is_applied);
        self.tally.batches = applied.clone().count();
        self.tally.lost_answers = applied.filter(|request| request.fault.is_some()).count();
        self.tally
    }

    /// One thing happens.
    fn happen(&mut self) {
        let index = self.random.below(self.installations.len());
        match self.random.below(100) {
            0..50 => {
                let service = self.random.pick(&[SHARED[0], SHARED[0], SHARED[1], "own"]);
                let wish = match self.random.chance(80) {
                    true => Some(Wish::random(&mut self.random)),
                    false => None,
                };
                self.history
                    .note(format_args!("  {}: {service} {wish:?}", OWNERS[index]));
                self.installations[index].wish(service, wish);
            }
            50..73 => self.fault(),
            73..95 => self.kill(index),
            _ => self.installations[index].rancher.bump(),
        }
        for installation in &mut self.installations {
            if installation.service.is_none() && self.random.chance(85) {
                installation.start();
            }
        }
    }

    fn fault(&mut self) {
        let fault = match self.random.below(9) {
            0 | 1 => Fault::DropAfter,
            2 => Fault::CutAfter(self.random.below(300)),
            3 => Fault::StatusAfter(500),
            4 => Fault::Garbled,
            5 => Fault::DropBefore,
            6 => Fault::PriorRequestNotComplete,
            7 => Fault::Status(503),
            _ => Fault::Delay(Duration::from_millis(100)),
        };
        let operation = match self.random.chance(80) {
            true => CHANGE,
            false => LIST,
        };
        self.history
            .note(format_args!("  {operation:?}: {fault:?}"));
        let times = 1 + self.random.below(2);
        self.route53.inject(Some(operation), fault, times);
    }

    /// Ends one by SIGKILL: at once, in the middle of a batch, or right after one.
    fn kill(&mut self, index: usize) {
        let batches = self.batches();
        let moment = self.random.below(3);
        if moment > 0 {
            // So that there is a batch.
            let wish = Wish::random(&mut self.random);
            self.installations[index].wish(SHARED[0], Some(wish));
        }
        let Some(service) = &self.installations[index].service else {
            return;
        };
        self.route53.wait_until(SOON, |state| {
            let is_time = match moment {
                0 => true,
                1 => state.in_flight(CHANGE) > 0,
                _ => state.requests().iter().filter(|r| r.applied).count() > batches,
            };
            if is_time {
                service.kill();
                self.tally.kills_in_flight += usize::from(state.in_flight(CHANGE) > 0);
            }
            is_time
        });
        service.kill();
        assert!(service.wait(PATIENCE).is_some());
        self.history
            .note(format_args!("  {}: killed", OWNERS[index]));
        self.tally.kills += 1;
        self.installations[index].service = None;
    }

    fn batches(&self) -> usize {
        let requests = self.route53.requests();
        requests.iter().filter(|request| request.applied).count()
    }

    fn pause(&mut self) {
        let batches = self.batches();
        match self.random.below(3) {
            0 => {}
            1 => {
                let is_more = |state: &route53::State| {
                    state.requests().iter().filter(|r| r.applied).count() > batches
                };
                self.route53.wait_until(SOON, is_more);
            }
            _ => {
                let running = self
                    .installations
                    .iter()
                    .filter(|one| one.service.is_some());
                for installation in running {
                    installation.rancher.wait_until_polled(SOON);
                }
            }
        }
    }

    /// Nothing goes wrong any more, and everybody's record sets are as they should be.
    fn rest(&mut self) {
        self.route53.clear_faults();
        for installation in &mut self.installations {
            installation.start();
        }
        let consoles = consoles(self.kind);
        let installations = &self.installations;
        let is_right = |state: &route53::State| {
            let zone = state.zone(ZONE).expect("the zone");
            wishes::is_right(zone, self.kind, installations, &consoles)
        };
        if !self.route53.wait_until(PATIENCE, is_right) {
            let sets = self.sets(|_| true);
            let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
            panic!("it doesn't come right: {sets:#?}");
        }
        for installation in &self.installations {
            assert!(installation.rancher.wait_until_polled(PATIENCE));
        }
        self.expect_no_wrongs();
    }

    fn expect_no_wrongs(&self) {
        let watcher = lock(&self.watcher);
        assert!(watcher.wrongs.is_empty(), "{:#?}", watcher.wrongs);
    }

    fn sets(&self, is_wanted: impl Fn(&RecordSet) -> bool) -> Vec<RecordSet> {
        let mut sets = self.route53.record_sets(ZONE);
        sets.retain(is_wanted);
        sets
    }

    /// One installation goes for good.
    fn purge(&mut self, index: usize) {
        let owner = OWNERS[index];
        self.history.note(format_args!("  {owner}: purge"));
        let is_others = |set: &RecordSet| watcher::owner(set) != Some(owner);
        let before = self.sets(is_others);
        self.installations[index].purge();
        assert_eq!(self.sets(is_others), before, "purge of {owner}");
        let left = self.sets(|set| watcher::owner(set) == Some(owner));
        assert_eq!(left, [], "purge of {owner}");
        assert!(
            !before
                .iter()
                .any(|set| is_state_record(set) && set.values.is_empty())
        );
    }
}

/// What somebody has made by hand under the first shared name, beside ours.
fn consoles(kind: Kind) -> Vec<RecordSet> {
    let set = RecordSet::simple("www.example.com.", "A", 300, &["192.0.2.1"]);
    let set = match kind {
        Kind::Weighted => set.weighted("console", 5),
        Kind::Latency => set.latency("console", "ca-central-1"),
        Kind::Multivalue => set.multivalue("console"),
        Kind::Geolocation => set.geolocation("console", GeoLocation::continent("AS")),
        // There is no third one.
        Kind::Failover => return Vec::new(),
    };
    vec![set]
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.history.show();
            eprintln!(
                "{:?} with {} installations: SHARED_NAMES_SEED of this stage is {}",
                self.kind,
                self.installations.len(),
                self.seed
            );
        }
    }
}
