//! Performs a plan: a simulated Rancher and Route 53, the program as one or two processes, and
//! what happens to them.

mod recovery;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sim::harness::Harness;
use sim::lock::lock;
use sim::rancher::{self, Rancher};
use sim::route53::{Operation, Route53, State};
use sim::service::{self, Service, environment};

use crate::chaos::ROUNDS;
use crate::chaos::history::History;
use crate::chaos::invariants::desired;
use crate::chaos::outside_edits::Edit;
use crate::chaos::record::{DOMAIN, Naming, ZONE, others};
use crate::chaos::schedule::{Event, Moment, Pause, Plan};
use crate::chaos::watcher::Watcher;
use crate::chaos::world::{Deed, LARGE, MEMBER, MOST_IN_SMALL};
use crate::stage::prompt;

/// In which everything must come right. It normally takes seconds; but a round that fails again
/// and again is made again after a minute.
const PATIENCE: Duration = Duration::from_secs(150);
/// What is waited for before the next thing happens, at most.
const SOON: Duration = Duration::from_millis(400);
/// The same, for a program that has hundreds of services to read and perhaps deletes to hold.
const NOT_SO_SOON: Duration = Duration::from_secs(4);
/// After which the program isn't expected to have a look any more: metadata is down, say.
const NEVER: Duration = Duration::from_secs(8);
/// How often is looked whether it has.
const LOOKS: Duration = Duration::from_millis(20);

pub struct Stage {
    seed: u64,
    rancher: Rancher,
    route53: Route53,
    settings: Vec<(&'static str, String)>,
    naming: Naming,
    /// The instances that run.
    slots: [Option<Instance>; 2],
    /// Those that don't any more, for their logs.
    ended: Vec<Service>,
    watcher: Arc<Mutex<Watcher>>,
    history: Arc<History>,
    tally: Tally,
}

struct Instance {
    service: Service,
    started: Instant,
}

/// What there was.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    pub rounds: usize,
    pub rests: usize,
    pub kills: usize,
    /// Kills while a request was being handled.
    pub kills_in_flight: usize,
    /// Kills after one of the batches of a plan and before another.
    pub kills_between: usize,
    pub terminations: usize,
    /// Of metadata.
    pub restarts: usize,
    pub batches: usize,
    pub edits: usize,
    /// By whose they were, and of what kind.
    pub faults: BTreeMap<(&'static str, String), usize>,
    /// Restarts for names that Rancher had taken and lost.
    pub lost_names: usize,
    pub longest_rest: Duration,
}

/// Performs the plan to its end; what there was.
pub fn perform(seed: u64, plan: Plan) -> Tally {
    let mut stage = Stage::set(seed, &plan);
    for (number, round) in plan.rounds.into_iter().enumerate() {
        stage.history.note(format_args!("{number}: {round:?}"));
        stage.happen(round.event);
        stage.pause(round.pause);
        stage.check();
        stage.tally.rounds += 1;
    }
    stage.tally()
}

impl Stage {
    fn set(seed: u64, plan: &Plan) -> Stage {
        let harness = Harness::start(plan.world.clone(), prompt(), plan.route53.clone());
        let Harness { rancher, route53 } = harness;
        let foreign = route53.edit(ZONE, |zone| others(zone));
        let mut watcher = Watcher::new(foreign);
        watcher.is_desired(desired(&plan.world, plan.naming).sets);
        let watcher = Arc::new(Mutex::new(watcher));
        let history = Arc::new(History::new());
        route53.watch({
            let (watcher, history) = (watcher.clone(), history.clone());
            move |written| {
                for change in written.batch.unwrap_or_default() {
                    history.note(format_args!("    {change}"));
                }
                let mut watcher = lock(&watcher);
                let known = watcher.wrongs.len();
                watcher.see(written);
                for wrong in &watcher.wrongs[known..] {
                    history.note(format_args!("    WRONG: {wrong}"));
                }
            }
        });
        history.note(format_args!("{:?} {:?}", plan.settings, plan.route53));
        let stage = Stage {
            seed,
            rancher,
            route53,
            settings: plan.settings.clone(),
            naming: plan.naming,
            slots: [None, None],
            ended: Vec::new(),
            watcher,
            history,
            tally: Tally::default(),
        };
        for edit in &plan.edits {
            stage.edit(edit);
        }
        stage
    }

    fn tally(&mut self) -> Tally {
        let watcher = lock(&self.watcher);
        let mut faults = BTreeMap::new();
        self.rancher.wait_until(Duration::ZERO, |state| {
            count(&mut faults, "metadata", state.shown_by_metadata());
            count(&mut faults, "API", state.shown_by_api());
            true
        });
        let requests = self.route53.requests();
        count(
            &mut faults,
            "Route 53",
            requests.iter().filter_map(|request| request.fault.as_ref()),
        );
        Tally {
            batches: watcher.batches,
            edits: watcher.edits,
            faults,
            ..self.tally.clone()
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deed(deed) => self.deed(&deed),
            Event::Edit(edit) => self.edit(&edit),
            Event::Metadata(path, fault, times) => self.rancher.inject_metadata(path, fault, times),
            Event::RestartMetadata => {
                self.rancher.restart_metadata();
                self.tally.restarts += 1;
            }
            Event::UnloadMetadata => self.rancher.unload(),
            Event::LoadMetadata => self.rancher.load(),
            Event::Api(fault, times) => self.rancher.inject_api(fault, times),
            Event::Route53(operation, fault, times) => {
                self.route53.inject(operation, fault, times);
            }
            Event::Start(slot) => self.start(slot),
            Event::Kill(slot, moment, deed) => {
                self.deed(&deed);
                self.kill(slot, moment);
            }
            Event::Terminate(slot) => self.terminate(slot),
            Event::Rest(rest) => self.rest(rest),
        }
    }

    fn deed(&self, deed: &Deed) {
        self.rancher.change(|world| {
            deed.apply(world, self.naming);
            lock(&self.watcher).is_desired(desired(world, self.naming).sets);
        });
    }

    fn edit(&self, edit: &Edit) {
        // Noted under the lock, so that the history has it where it belongs.
        self.route53.edit(ZONE, |zone| match edit.apply(zone) {
            Ok(changes) => {
                for change in changes {
                    self.history.note(format_args!("    by hand: {change}"));
                }
            }
            Err(why) => self.history.note(format_args!("    not possible: {why:?}")),
        });
    }

    fn start(&mut self, slot: usize) {
        if self.slots[slot].is_some() {
            return;
        }
        let mut environment = environment(&self.rancher, &self.route53.url(), DOMAIN);
        environment.extend(self.settings.iter().cloned());
        let program = service::program(env!("CARGO_BIN_EXE_rancher-route53"));
        self.slots[slot] = Some(Instance {
            service: Service::spawn(&program, &[], &environment),
            started: Instant::now(),
        });
    }

    fn kill(&mut self, slot: usize, moment: Moment) {
        let Some(Instance { service, .. }) = &self.slots[slot] else {
            return;
        };
        match moment {
            Moment::Now => {}
            Moment::During(operation) => {
                self.strike(service, SOON, |state| state.in_flight(operation) > 0);
            }
            Moment::AfterBatch => self.strike(service, SOON, self.another_batch()),
            Moment::HalfDone if self.crowd_is_complete() => {}
            Moment::HalfDone => self.strike(service, NOT_SO_SOON, is_half_done),
        }
        service.kill();
        let (mut batch, mut listing, mut half_done) = (false, false, false);
        self.route53.wait_until(Duration::ZERO, |state| {
            batch = state.in_flight(Operation::ChangeResourceRecordSets) > 0;
            listing = state.in_flight(Operation::ListResourceRecordSets) > 0;
            half_done = is_half_done(state);
            true
        });
        let in_flight = batch || listing;
        self.tally.kills += 1;
        self.tally.kills_in_flight += usize::from(in_flight);
        self.history
            .note(format_args!("    killed, in flight: {in_flight}"));
        assert!(service.wait(PATIENCE).is_some());
        self.ended
            .extend(self.slots[slot].take().map(|i| i.service));
        // What was in flight may have been the last one, and be done all the same.
        let is_between =
            half_done && (!batch || self.route53.wait_until(Duration::ZERO, is_half_done));
        self.tally.kills_between += usize::from(is_between);
    }

    /// Kills when it is time; what makes it time is still so then, under Route 53's lock. If it isn't
    /// in the end, nothing is killed. How fast the machine is hardly matters: `soon` is counted from
    /// when all instances have looked at what there is.
    fn strike(&self, service: &Service, soon: Duration, is_time: impl Fn(&State) -> bool) {
        let strikes = |state: &State| {
            let strikes = is_time(state);
            if strikes {
                service.kill();
            }
            strikes
        };
        let end = Instant::now() + NEVER;
        let have_seen = |state: &rancher::State| state.polls() >= self.running();
        while Instant::now() < end && !self.rancher.wait_until(Duration::ZERO, have_seen) {
            if self.route53.wait_until(LOOKS, strikes) {
                return;
            }
        }
        self.route53.wait_until(soon, strikes);
    }

    /// Whether all who are wanted of the crowd are there.
    fn crowd_is_complete(&self) -> bool {
        let world = self.rancher.world();
        let wanted = world.services.iter().filter(|s| s.name.starts_with(MEMBER));
        let wanted = wanted.count();
        let is_complete = |state: &State| crowd(state) == wanted;
        self.route53.wait_until(Duration::ZERO, is_complete)
    }

    fn terminate(&mut self, slot: usize) {
        let Some(instance) = self.slots[slot].take() else {
            return;
        };
        instance.service.terminate();
        let status = instance.service.wait(PATIENCE);
        // One that has hardly begun has no handler yet; it dies like any other process.
        let has_begun = !instance.service.log().is_empty();
        self.ended.push(instance.service);
        let code = status.and_then(|status| status.code());
        assert!(code == Some(0) || !has_begun, "after SIGTERM: {status:?}");
        self.tally.terminations += 1;
    }

    fn pause(&self, pause: Pause) {
        match pause {
            Pause::Time(time) => std::thread::sleep(time),
            Pause::Batch => {
                self.route53.wait_until(SOON, self.another_batch());
            }
            Pause::Seen => {
                self.rancher.wait_until_polled(SOON);
            }
        }
    }

    /// Whether one more has been applied than by now.
    fn another_batch(&self) -> impl Fn(&State) -> bool {
        let batches = || lock(&self.watcher).batches;
        let before = batches();
        move |_| batches() > before
    }

    /// What must be so at any time.
    fn check(&self) {
        let wrongs = lock(&self.watcher).wrongs.clone();
        assert!(wrongs.is_empty(), "{wrongs:#?}");
        for instance in self.slots.iter().flatten() {
            assert!(instance.service.is_running(), "it has ended by itself");
        }
    }

    fn running(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    fn restart(&mut self) {
        for slot in 0..self.slots.len() {
            self.kill(slot, Moment::Now);
        }
        self.start(0);
    }
}

/// Counts faults by their kind, which leaves out how long and how much.
fn count<'a, F: std::fmt::Debug + 'a>(
    counts: &mut BTreeMap<(&'static str, String), usize>,
    whose: &'static str,
    faults: impl IntoIterator<Item = &'a F>,
) {
    for fault in faults {
        let shown = format!("{fault:?}");
        let kind = shown.split([' ', '(']).next().unwrap_or_default();
        let kind = match kind {
            "Status" | "Body" => &*shown,
            _ => kind,
        };
        *counts.entry((whose, kind.to_owned())).or_default() += 1;
    }
}

/// How many of the crowd have a record set.
fn crowd(state: &State) -> usize {
    let zone = state.zone(ZONE).expect("the zone");
    let sets = zone.record_sets();
    sets.filter(|set| set.name.contains(MEMBER)).count()
}

/// Whether of a large crowd that comes, or goes, a part is there.
fn is_half_done(state: &State) -> bool {
    (MOST_IN_SMALL + 1..LARGE).contains(&crowd(state))
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "--- CHAOS_SEED={} CHAOS_ROUNDS={ROUNDS} lets this happen again:",
                self.seed
            );
            self.history.show();
            eprintln!("--- and what the program said, the ended ones first:");
            // Fields are dropped after this, and services show their logs then.
            self.ended.clear();
        }
    }
}
