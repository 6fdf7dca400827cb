//! Performs a plan: a simulated Rancher and Route 53, the program as one or two processes, and
//! what happens to them.

mod changes;
mod kills;
mod recovery;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sim::harness::Harness;
use sim::lock::lock;
use sim::rancher::{self, Rancher};
use sim::route53::{RequestRecord, Route53, State, Zone};
use sim::service::Service;

use crate::chaos::ROUNDS;
use crate::chaos::denial::Denial;
use crate::chaos::history::History;
use crate::chaos::invariants::desired;
use crate::chaos::record::ZONE;
use crate::chaos::regime::Regime;
use crate::chaos::schedule::{Event, Moment, Pause, Plan};
use crate::chaos::watcher::Watcher;
use crate::stage::prompt;

/// In which everything must come right. It normally takes seconds; but a round that fails again
/// and again is made again after a minute.
const PATIENCE: Duration = Duration::from_secs(150);
/// What is waited for before the next thing happens, at most.
const SOON: Duration = Duration::from_millis(400);
/// The key for Rancher's API of processes that may tell it no names: `WRITE_BACK` is `false`.
const SILENT: &str = "CHAOSSILENT";

pub struct Stage {
    seed: u64,
    rancher: Rancher,
    route53: Route53,
    /// The zone's id.
    zone: String,
    /// Settings that are the same all the time.
    settings: Vec<(&'static str, String)>,
    /// The other ones, for instances that are started now.
    regime: Regime,
    /// What IAM denies.
    denial: Option<Denial>,
    /// How many instances were ever started.
    started: usize,
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
    /// Restarts with other settings, and those with another `OWNER_ID` among them.
    pub regimes: usize,
    pub owners: usize,
    /// How often the command took over what another owner had.
    pub takeovers: usize,
    /// Zones that were made anew.
    pub zones: usize,
    /// Claims of another Rancher server.
    pub claims: usize,
    /// Throttles in the middle of a long plan.
    pub throttles: usize,
    /// Answers by which IAM denied something.
    pub denied: usize,
    /// Batches while another owner listed something.
    pub beside_others: usize,
    pub adopted: usize,
    /// The longest that a record set was wanted again when it was deleted.
    pub latest_delete: Duration,
    /// Restarts for names that Rancher had taken and lost.
    pub lost_names: usize,
    pub longest_rest: Duration,
    /// Rests at which a setting or label made a difference, by its name.
    pub decisive: BTreeMap<&'static str, usize>,
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
        let options = rancher::Options {
            second_access_key: Some(SILENT.to_owned()),
            ..prompt()
        };
        let harness = Harness::start(plan.world.clone(), options, plan.route53.clone());
        let Harness { rancher, route53 } = harness;
        let mut watcher = route53.edit(ZONE, |zone| Watcher::new(zone));
        watcher.is_desired(desired(&plan.world, &plan.regime.publishing));
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
        history.note(format_args!("{:?}", plan.settings));
        history.note(format_args!("{:?} {:?}", plan.regime, plan.route53));
        let mut stage = Stage {
            seed,
            rancher,
            route53,
            settings: plan.settings.clone(),
            zone: ZONE.to_owned(),
            regime: plan.regime,
            denial: None,
            started: 0,
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
        let is_denied = |r: &&RequestRecord| r.code.as_deref() == Some("AccessDenied");
        count(
            &mut faults,
            "Route 53",
            requests.iter().filter_map(|request| request.fault.as_ref()),
        );
        Tally {
            batches: watcher.batches,
            edits: watcher.edits,
            beside_others: watcher.beside_others,
            adopted: watcher.adopted,
            takeovers: watcher.takeovers,
            latest_delete: watcher.latest_delete,
            denied: requests.iter().filter(is_denied).count(),
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
            Event::Restart {
                regime,
                is_killed,
                takes_over,
            } => self.restart_with(regime, is_killed, takes_over),
            Event::Deny(denial) => self.deny(Some(denial)),
            Event::Allow => self.deny(None),
            Event::Anew(anew) => self.make_anew(anew),
            Event::Throttle(deed, times, then) => self.throttle(&deed, times, &then),
            Event::Rest(rest) => self.rest(rest),
        }
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

/// The only one there is.
fn the_zone(state: &State) -> &Zone {
    state.zones().next().expect("the zone")
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
