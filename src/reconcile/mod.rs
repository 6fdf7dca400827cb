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
mod looking;
pub mod recovery;
pub mod sending;
mod set_aside;
pub mod settings;
pub mod takeover;

use std::time::Duration;

use chrono::Utc;

use crate::base::backoff;
use crate::base::dependency::Dependency;
use crate::base::log;
use crate::base::random;
use crate::desired::Rules;
use crate::desired::name_template::environment_name;
use crate::dns::record_key::count_by_type;
use crate::dns::{ChangeBatch, RecordKey};
use crate::observe::telemetry::Telemetry;
use crate::plan::Plan;
use crate::plan::batch::batches;
use crate::plan::delegation::delegations;
use crate::plan::guard::{ApprovedPlan, Guard};
use crate::plan::last_answers::last_answers;
use crate::plan::lost_checks::LostChecks;
use crate::plan::quarantine::denied::denied;
use crate::plan::quarantine::{Bisection, Quarantine};
use crate::plan::round::{Goal, Preview, Progress, Round};
use crate::plan::state_records::{Claim, StateNames, StateRecords};
use crate::plan::view::ZoneView;
use crate::reconcile::error::RoundError;
use crate::reconcile::listing::CachedZone;
use crate::reconcile::recovery::{History, Recovery};
use crate::reconcile::sending::{Sending, Waiting};
pub use crate::reconcile::settings::{OwnerSettings, ReconcilerSettings};
use crate::route53::client::Client;
use crate::route53::error::Error;

/// Longest first pause before a round lists the zone again: another instance that writes at the
/// same time should be done by then.
const PAUSE: Duration = Duration::from_millis(200);

/// Keeps one hosted zone equal to what is desired, round by round.
pub struct Reconciler {
    client: Client,
    settings: ReconcilerSettings,
    telemetry: Telemetry,
    guard: Guard,
    quarantine: Quarantine,
    lost_checks: LostChecks,
    sending: Sending,
    /// What the zone holds; none if it has to be listed.
    view: Option<CachedZone>,
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
            lost_checks: LostChecks::default(),
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
        self.quarantine.retry();
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
        let (known, plan) = self.look(goal, &names).map_err(RoundError::Route53)?;
        if let Some(theirs) = plan.kept_by_another {
            return Err(self.kept_by_another(goal, &names, theirs));
        }
        RoundError::if_takeover_waits(plan.takeover_waits)?;
        let preview = self.preview_of(plan, &known.view, goal);
        self.view = Some(known);
        Ok(preview)
    }

    /// What a round would do with this plan.
    fn preview_of(&self, plan: Plan, view: &ZoneView, goal: Goal<'_>) -> Preview {
        let mut guard = Guard::new(self.settings.guard);
        let owned = owned(&view.state, &plan);
        let (approved, held) = guard.approve(plan.clone(), owned, goal.read);
        Preview {
            plan,
            held,
            batches: batches(&approved, &view.state, &view.names, 0).len(),
            state: view.state.clone(),
            zone: view.zone.clone(),
            coverage: view.coverage.clone(),
        }
    }

    fn state_names(&self, goal: Goal<'_>) -> Result<StateNames, RoundError> {
        let id = self.settings.owner.id(goal.environment);
        StateNames::new(id, &self.rules().zone).map_err(|e| RoundError::OwnerId(id.to_owned(), e))
    }

    fn kept_by_another(&self, goal: Goal<'_>, names: &StateNames, theirs: Claim) -> RoundError {
        let owner = &self.settings.owner;
        RoundError::KeptByAnother {
            state_record: names.name(0),
            owner_id: owner.id(goal.environment).to_owned(),
            ours: owner.claim(goal.environment),
            theirs,
        }
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
            let attempt = self.attempt(goal, &names, &mut trials, goes_on, &mut round);
            let Err(stopped) = attempt else {
                if let Some(theirs) = round.kept_by_another {
                    self.view = None;
                    return Err(self.kept_by_another(goal, &names, theirs));
                }
                if !round.is_cut {
                    if trials.advance() {
                        continue;
                    }
                    self.quarantine.retried(round.held.as_ref());
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
                let misses_check = refusal.misses_health_check();
                self.set_aside(batch, &messages, misses_check, goal, names, trials)
            }
            (Recovery::SetDeniedAside, Error::Refused(refusal), Some(batch)) => {
                let below = environment_name(goal.environment, &self.settings.rules.zone);
                let words = refusal.words();
                let denied = denied(trials, batch, words, below.as_ref(), is_state_record);
                if denied.is_none() {
                    let failure = Some(error.for_page());
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

    /// What of a plan may be written now. The round is told of the rest.
    fn approve(
        &mut self,
        mut plan: Plan,
        state: &StateRecords,
        goal: Goal<'_>,
        round: &mut Round,
    ) -> ApprovedPlan {
        round.kept_by_another = plan.kept_by_another.take();
        round.takeover_waits = plan.takeover_waits;
        round.conflicts = std::mem::take(&mut plan.conflicts);
        round.other_ttls = std::mem::take(&mut plan.other_ttls);
        let desired = &goal.desired.record_sets;
        self.lost_checks.leave_out_of(&mut plan, desired);
        self.quarantine.release_conflicts(&round.conflicts);
        plan.retain(|key| !self.quarantine.holds(key));
        let owned = owned(state, &plan);
        let (approved, held) = self.guard.approve(plan, owned, goal.read);
        round.held = held;
        approved
    }

    /// Looks at the zone, plans, and applies the plan up to the first batch that fails.
    fn attempt(
        &mut self,
        goal: Goal<'_>,
        names: &StateNames,
        trials: &mut Bisection,
        goes_on: &mut dyn FnMut(Progress) -> bool,
        round: &mut Round,
    ) -> Result<(), Box<Stopped>> {
        let (mut known, plan) = self.look(goal, names)?;
        let is_settled = plan == Plan::default();
        let state = &known.view.state;
        let mut approved = self.approve(plan, state, goal, round);
        trials.limit(&mut approved);
        let last = last_answers(approved.plan(), &known.view.zone, goal.desired);
        approved.retain(|key| !last.contains(key));
        let mut stopped = None;
        let batches = batches(&approved, state, names, random::bits());
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
            self.quarantine.applied(&batch);
            known.apply(&batch);
            change_log::applied(&batch, names);
            let is_state = |key: &RecordKey| names.index_of(key).is_some();
            self.telemetry
                .note(|status| status.changed(&batch, is_state, Utc::now()));
        }
        if of > 0 && round.batches.len() == of {
            goes_on(Progress::new(of, of)); // whatever it says, there is nothing more to do
        }
        let view = &known.view;
        round.owned = view.state.owned().len();
        round.owned_by_type = count_by_type(view.state.owned());
        let zone_name = &self.rules().zone;
        let below = environment_name(goal.environment, zone_name);
        let desired = &goal.desired.record_sets;
        round.delegated = delegations(&view.zone, zone_name, below.as_ref(), desired);
        (round.in_zone, round.outdated) = known.published(goal.desired, self.settings.policy);
        if is_settled {
            known.settle(goal.desired, &round.in_zone);
        }
        self.view = Some(known);
        stopped.map_or(Ok(()), Err)
    }
}

/// How many record sets are ours, those included that this plan takes over, to keep or to delete.
fn owned(state: &StateRecords, plan: &Plan) -> usize {
    let unlisted = plan.deletes.iter().filter(|set| !state.owns(&set.key));
    state.owned().len() + plan.adopts.len() + unlisted.count()
}

#[cfg(test)]
mod tests;
