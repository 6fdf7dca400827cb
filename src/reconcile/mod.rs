//! One round: looks at the zone, plans, applies the plan in change batches, and recovers from what
//! Route 53 refuses. Here the calls to Route 53 meet the pure functions that decide.
//!
//! ```text
//! view (listed) ─► plan ─► guard ─► batches ─► Client::change ─► view, updated
//!      ▲             ▲                               │
//!      │             └── set aside ◄── refused, denied ┤
//!      └──────── list again ◄── lost, unknown ───────┘
//! ```

pub mod change_log;
pub mod error;
pub mod listing;
pub mod recovery;
pub mod sending;

use std::time::Duration;

use chrono::Utc;

use crate::base::backoff;
use crate::base::dependency::Dependency;
use crate::base::log;
use crate::desired::name_template::environment_name;
use crate::desired::{Desired, Rules};
use crate::dns::{ChangeBatch, RecordKey};
use crate::observe::telemetry::Telemetry;
use crate::plan::batch::batches;
use crate::plan::guard::{Guard, GuardSettings};
use crate::plan::quarantine::denied::denied;
use crate::plan::quarantine::{Bisection, Quarantine, Suspects, suspects};
use crate::plan::round::{Goal, Preview, Progress, Round};
use crate::plan::state_records::{StateNames, StateRecords};
use crate::plan::{Adopt, AdoptSetting, Plan, Policy, plan};
use crate::reconcile::error::RoundError;
use crate::reconcile::listing::ZoneView;
use crate::reconcile::recovery::{History, Recovery};
use crate::reconcile::sending::{Sending, Waiting};
use crate::route53::client::Client;
use crate::route53::error::Error;

/// Longest first pause before a round lists the zone again: another instance that writes at the
/// same time should be done by then.
const PAUSE: Duration = Duration::from_millis(200);

/// The settings of a round.
#[derive(Debug, Clone)]
pub struct ReconcilerSettings {
    /// Id of the hosted zone, without `/hostedzone/`.
    pub zone_id: String,
    /// Zone name, name template and TTL.
    pub rules: Rules,
    /// `POLICY`.
    pub policy: Policy,
    /// `ADOPT`.
    pub adopt: AdoptSetting,
    /// `DELETE_GUARD_PERCENT`, `DELETE_GUARD_MIN` and `DELETE_GUARD_HOLD`.
    pub guard: GuardSettings,
}

/// Keeps one hosted zone equal to what is desired, round by round.
pub struct Reconciler {
    client: Client,
    settings: ReconcilerSettings,
    telemetry: Telemetry,
    guard: Guard,
    quarantine: Quarantine,
    sending: Sending,
    /// What the zone holds; none if it has to be listed.
    view: Option<ZoneView>,
    /// The next round lists the zone although a view of it is known.
    is_due: bool,
}

/// Why an attempt ended before all its batches were applied.
struct Stopped {
    error: Error,
    /// The batch that failed; none if a listing failed.
    batch: Option<ChangeBatch>,
}

impl From<Error> for Box<Stopped> {
    fn from(error: Error) -> Box<Stopped> {
        Box::new(Stopped { error, batch: None })
    }
}

impl Reconciler {
    /// Nothing is known of the zone yet: the first round lists it.
    pub fn new(client: Client, settings: ReconcilerSettings, telemetry: Telemetry) -> Reconciler {
        Reconciler {
            client,
            telemetry,
            guard: Guard::new(settings.guard),
            quarantine: Quarantine::default(),
            sending: Sending::default(),
            view: None,
            is_due: false,
            settings,
        }
    }

    /// Zone name, name template and TTL.
    pub fn rules(&self) -> &Rules {
        &self.settings.rules
    }

    /// Id of the hosted zone.
    pub fn zone_id(&self) -> &str {
        &self.settings.zone_id
    }

    /// The client of Route 53, to look up the hosted zone.
    pub fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Keeps the hosted zone with this id from now on. What was known of the other one is forgotten.
    pub fn move_to(&mut self, zone_id: String) {
        self.settings.zone_id = zone_id;
        self.guard = Guard::new(self.settings.guard);
        self.quarantine.clear();
        self.view = None;
    }

    /// Whether a batch had no answer since this was asked last, so that it may be applied later.
    pub fn take_unanswered(&mut self) -> bool {
        self.sending.take_unanswered()
    }

    /// Makes the next round list the zone and try again what Route 53 has refused.
    pub fn resync(&mut self) {
        self.is_due = true;
        self.quarantine.clear();
    }

    /// Renews the credentials on another thread if they end soon.
    pub fn keep_credentials_fresh(&mut self) {
        self.client.keep_credentials_fresh();
    }

    /// Whether a batch has reached all of Route 53's name servers (`INSYNC`).
    pub fn is_in_sync(&mut self, change_id: &str) -> Result<bool, Error> {
        self.client.is_in_sync(change_id)
    }

    /// What [`Reconciler::round`] would do. Changes nothing, and leaves the deletion guard as it is.
    pub fn preview(&mut self, goal: Goal<'_>) -> Result<Preview, RoundError> {
        let names = self.state_names(goal)?;
        let (view, plan) = self.look(goal, &names).map_err(RoundError::Route53)?;
        let mut guard = Guard::new(self.settings.guard);
        let owned = owned(&view.state, &plan);
        let (approved, held) = guard.approve(plan.clone(), owned, goal.read);
        let batches = batches(&approved, &view.state, &names, self.rules().ttl).len();
        let (zone, state) = (view.zone.clone(), view.state.clone());
        self.view = Some(view);
        Ok(Preview {
            plan,
            held,
            batches,
            state,
            zone,
        })
    }

    fn state_names(&self, goal: Goal<'_>) -> Result<StateNames, RoundError> {
        let uuid = &goal.environment.uuid;
        StateNames::new(uuid, &self.rules().zone)
            .map_err(|e| RoundError::EnvironmentUuid(uuid.clone(), e))
    }

    /// Makes the zone equal to what is desired. `goes_on` is asked before each batch, and while one
    /// waits: false ends the round early.
    pub fn round(
        &mut self,
        goal: Goal<'_>,
        goes_on: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Round, RoundError> {
        let names = self.state_names(goal)?;
        self.quarantine.review(&goal.desired.record_sets);
        self.guard.review(&goal.desired.record_sets);
        let mut round = Round::default();
        let mut trials = Bisection::default();
        let mut history = History::default();
        loop {
            let attempt = self.attempt(goal, &names, &trials, goes_on, &mut round);
            let Err(stopped) = attempt else {
                if !round.is_cut && trials.advance() {
                    continue;
                }
                round.quarantined = self.quarantine.list();
                return Ok(round);
            };
            self.recover(*stopped, goal, &names, &mut history, &mut trials)?;
        }
    }

    /// Prepares the next attempt of a round after one that stopped, or fails the round.
    fn recover(
        &mut self,
        stopped: Stopped,
        goal: Goal<'_>,
        names: &StateNames,
        history: &mut History,
        trials: &mut Bisection,
    ) -> Result<(), RoundError> {
        let Stopped { error, batch } = stopped;
        let is_state_record = |key: &RecordKey| names.index_of(key).is_some();
        let bad = match (history.next(&error, batch.clone()), &error, &batch) {
            (Recovery::SetAside { with_lost_races }, Error::Refused(refusal), Some(batch)) => {
                let messages = refusal.batch_messages(with_lost_races);
                let groups = suspects(batch, &messages, is_state_record);
                let is_known = !groups.is_empty();
                let bad = groups.into_iter().filter_map(|group| trials.split(group));
                is_known.then(|| bad.collect())
            }
            (Recovery::SetDeniedAside, Error::Refused(refusal), Some(batch)) => {
                let below = environment_name(goal.environment, &self.settings.rules.zone);
                let denied = denied(batch, refusal.words(), below.as_ref(), is_state_record);
                if denied.is_none() {
                    let failure = Some(error.to_string());
                    let recorder = &self.telemetry.recorder;
                    recorder.dependency(Dependency::Route53, failure);
                }
                denied.map(|denied| trials.deny(denied).into_iter().collect())
            }
            (Recovery::ListAgain(times), _, _) => {
                self.view = None;
                log::debug(
                    "a change batch was not confirmed, listing the zone again",
                    &[("error", &error)],
                );
                let random = backoff::random();
                let wait = backoff::backoff(times, PAUSE, backoff::LONGEST, random);
                self.telemetry.heartbeat().sleep(wait);
                Some(Vec::new())
            }
            (Recovery::GiveUpOnZone, _, _) => {
                self.view = None;
                return Err(RoundError::Contended(error));
            }
            _ => None,
        };
        let Some(bad) = bad else {
            self.view = None;
            return Err(RoundError::Route53(error));
        };
        self.put_into_quarantine(bad, goal.desired);
        Ok(())
    }

    fn put_into_quarantine(&mut self, bad: Vec<Suspects>, desired: &Desired) {
        for group in bad {
            for key in group.keys {
                let wanted = desired.record_sets.get(&key);
                self.quarantine.add(key, wanted, group.words.clone());
            }
        }
    }

    /// Looks at the zone, plans, and applies the plan up to the first batch that fails.
    fn attempt(
        &mut self,
        goal: Goal<'_>,
        names: &StateNames,
        trials: &Bisection,
        goes_on: &mut dyn FnMut(Progress) -> bool,
        round: &mut Round,
    ) -> Result<(), Box<Stopped>> {
        let (mut view, mut plan) = self.look(goal, names)?;
        let is_settled = plan == Plan::default();
        round.conflicts = std::mem::take(&mut plan.conflicts);
        self.quarantine.release_conflicts(&round.conflicts);
        plan.retain(|key| !self.quarantine.holds(key));
        let owned = owned(&view.state, &plan);
        let (mut approved, held) = self.guard.approve(plan, owned, goal.read);
        round.held = held;
        trials.limit(&mut approved);
        let mut stopped = None;
        let batches = batches(&approved, &view.state, names, self.rules().ttl);
        let of = round.batches.len() + batches.len();
        for batch in batches {
            let mut waiting = Waiting {
                heartbeat: self.telemetry.heartbeat(),
                progress: Progress::new(round.batches.len(), of),
                goes_on,
            };
            let zone_id = &self.settings.zone_id;
            let sent = self
                .sending
                .send(&mut self.client, zone_id, &batch, &mut waiting);
            match sent {
                Ok(Some(id)) => round.batches.push(id),
                Ok(None) => {
                    round.is_cut = true;
                    break;
                }
                Err(error) => {
                    let batch = Some(batch);
                    stopped = Some(Box::new(Stopped { error, batch }));
                    break;
                }
            }
            view.apply(&batch);
            change_log::applied(&batch, names);
            let is_state = |key: &RecordKey| names.index_of(key).is_some();
            self.telemetry
                .note(|status| status.changed(&batch, is_state, Utc::now()));
        }
        if of > 0 && round.batches.len() == of {
            goes_on(Progress::new(of, of)); // whatever it says, there is nothing more to do
        }
        round.owned = view.state.owned().len();
        (round.in_zone, round.outdated) = view.published(goal.desired);
        if is_settled {
            view.settle(goal.desired, &round.in_zone);
        }
        self.view = Some(view);
        stopped.map_or(Ok(()), Err)
    }

    /// The zone, listed if need be, and the plan for it.
    fn look(&mut self, goal: Goal<'_>, names: &StateNames) -> Result<(ZoneView, Plan), Error> {
        let desired = &goal.desired.record_sets;
        let is_due = std::mem::take(&mut self.is_due);
        let mut known = self.view.take();
        if let Some(view) =
            known.take_if(|v| !is_due && v.names == *names && v.covers(desired.keys()))
        {
            // A release only removes an entry whose record set is gone. Its batch would succeed
            // even if another instance has just created that record set again, so a release is
            // planned from a fresh listing only.
            let plan = self.plan(&view, goal);
            if plan.releases.is_empty() {
                return Ok((view, plan));
            }
            known = Some(view);
        }
        let zone_id = &self.settings.zone_id;
        let below = environment_name(goal.environment, &self.settings.rules.zone);
        let below = below.as_ref();
        let mut view = listing::list(&mut self.client, zone_id, names, below, goal.desired, known)?;
        let mut plan = self.plan(&view, goal);
        if plan.depends_on_ownership()
            && listing::list_state_records(&mut self.client, &self.settings.zone_id, &mut view)?
        {
            plan = self.plan(&view, goal);
        }
        Ok((view, plan))
    }

    fn plan(&self, view: &ZoneView, goal: Goal<'_>) -> Plan {
        if view.is_settled(goal.desired) {
            return Plan::default();
        }
        let ReconcilerSettings {
            rules,
            policy,
            adopt,
            ..
        } = &self.settings;
        let adopt = match adopt {
            AdoptSetting::Never => Adopt::Never,
            AdoptSetting::Matching => Adopt::Matching,
            AdoptSetting::Legacy => match environment_name(goal.environment, &rules.zone) {
                Some(below) => Adopt::Legacy {
                    below,
                    ttl: rules.ttl,
                },
                None => Adopt::Never,
            },
        };
        let desired = &goal.desired.record_sets;
        plan(desired, &view.zone, &view.state, *policy, &adopt)
    }
}

/// How many record sets are ours, those included that this plan takes over, to keep or to delete.
fn owned(state: &StateRecords, plan: &Plan) -> usize {
    let unlisted = plan.deletes.iter().filter(|set| !state.owns(&set.key));
    state.owned().len() + plan.adopts.len() + unlisted.count()
}
