//! One round: where the edges meet the core.
//!
//! ```text
//! view (listed) ─► plan ─► guard ─► batches ─► Client::change ─► view, updated
//!      ▲             ▲                               │
//!      │             └── set aside ◄── refused ──────┤
//!      └──────── list again ◄── lost, unknown ───────┘
//! ```

use std::time::Duration;

use chrono::Utc;

use crate::aws::retry;
use crate::batch::batches;
use crate::change_log;
use crate::desired::{Desired, Rules};
use crate::dns::{ChangeBatch, Name, RecordKey};
use crate::guard::{Guard, GuardSettings};
use crate::listing::{self, View};
use crate::log;
use crate::ownership::{State, StateNames};
use crate::plan::{Adopt, Plan, Policy, plan};
use crate::quarantine::{Quarantine, Trials, suspects};
use crate::rancher::snapshot::Environment;
use crate::round::{Goal, Preview, Progress, Round, RoundError};
use crate::route53::client::Client;
use crate::route53::error::{Error, Refusal};
use crate::telemetry::Telemetry;
use crate::template::sanitize;

/// How often a round lists the zone again and starts over before it gives up.
const MOST_LISTINGS: u32 = 5;
/// Ceiling of the first pause between two listings of a round: whoever was faster isn't met
/// again at once.
const PAUSE: Duration = Duration::from_millis(200);
/// A batch that is refused more often because the zone is another, although the zone was listed
/// before each time, isn't refused because somebody else was faster.
const MOST_RACES: u32 = 2;

/// `ADOPT`, as set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdoptSetting {
    /// Nothing is taken over.
    Never,
    /// What is desired is.
    Matching,
    /// What old versions of rancher/external-dns left is.
    Legacy,
}

/// What a round goes by, besides the zone.
#[derive(Debug, Clone)]
pub struct ReconcilerSettings {
    /// The zone's id.
    pub zone_id: String,
    /// What holds for all names.
    pub rules: Rules,
    /// `POLICY`.
    pub policy: Policy,
    /// `ADOPT`.
    pub adopt: AdoptSetting,
    /// `DELETE_GUARD_PERCENT` and what belongs to it.
    pub guard: GuardSettings,
}

/// Keeps one zone.
pub struct Reconciler {
    client: Client,
    settings: ReconcilerSettings,
    telemetry: Telemetry,
    guard: Guard,
    quarantine: Quarantine,
    /// What the zone holds, if that is known.
    view: Option<View>,
    /// Whether it has to be listed all the same.
    is_due: bool,
}

/// A batch that came to nothing.
struct Stopped {
    error: Error,
    /// None if it was a listing that failed.
    batch: Option<ChangeBatch>,
}

impl From<Error> for Box<Stopped> {
    fn from(error: Error) -> Box<Stopped> {
        Box::new(Stopped { error, batch: None })
    }
}

impl Reconciler {
    /// For a zone of which nothing is known yet.
    pub fn new(client: Client, settings: ReconcilerSettings, telemetry: Telemetry) -> Reconciler {
        Reconciler {
            client,
            telemetry,
            guard: Guard::new(settings.guard),
            quarantine: Quarantine::default(),
            view: None,
            is_due: false,
            settings,
        }
    }

    /// What holds for all names.
    pub fn rules(&self) -> &Rules {
        &self.settings.rules
    }

    /// The next round lists the zone, and tries again what was refused.
    pub fn resync(&mut self) {
        self.is_due = true;
        self.quarantine.clear();
    }

    /// Has what calls are signed with renewed ahead of time, on the side.
    pub fn keep_credentials_fresh(&mut self) {
        self.client.keep_credentials_fresh();
    }

    /// Whether all of Route 53's name servers know of a batch.
    pub fn is_in_sync(&mut self, change_id: &str) -> Result<bool, Error> {
        self.client.is_in_sync(change_id)
    }

    /// What [`Reconciler::round`] would do. Nothing is changed, and nothing remembered by the
    /// deletion guard.
    pub fn preview(&mut self, goal: Goal<'_>) -> Result<Preview, RoundError> {
        let names = self.state_names(goal)?;
        let (view, plan) = self.look(goal, &names).map_err(RoundError::Route53)?;
        let mut guarded = plan.clone();
        let mut guard = Guard::new(self.settings.guard);
        let held = guard.hold(&mut guarded, owned(&view.state, &plan), goal.read);
        let batches = batches(&guarded, &view.state, &names, self.rules().ttl).len();
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

    /// Makes the zone equal to what is desired. `goes_on` is asked after each batch: false ends
    /// the round early.
    pub fn round(
        &mut self,
        goal: Goal<'_>,
        goes_on: &mut dyn FnMut(Progress) -> bool,
    ) -> Result<Round, RoundError> {
        let names = self.state_names(goal)?;
        self.quarantine.review(&goal.desired.record_sets);
        self.guard.review(&goal.desired.record_sets);
        let mut round = Round::default();
        let mut trials = Trials::default();
        let mut listings = 0;
        // The batch that was refused last because the zone was another, and how often.
        let mut lost: Option<(ChangeBatch, u32)> = None;
        loop {
            let attempt = self.attempt(goal, &names, &trials, goes_on, &mut round);
            let Err(stopped) = attempt else {
                if !round.is_cut && trials.go_on() {
                    continue;
                }
                round.quarantined = self.quarantine.list();
                return Ok(round);
            };
            let Stopped { error, batch } = *stopped;
            let times_lost = lost.take().map_or(0, |(known, times)| {
                if batch.as_ref() == Some(&known) {
                    times
                } else {
                    0
                }
            });
            let is_no_race = times_lost >= MOST_RACES;
            match (&error, &batch) {
                (Error::Refused(refusal), Some(batch))
                    if refusal.is_about_content() && (is_no_race || !refusal.is_lost_race()) =>
                {
                    let is_set_aside = self.set_aside(
                        batch,
                        refusal,
                        is_no_race,
                        goal.desired,
                        &names,
                        &mut trials,
                    );
                    if !is_set_aside {
                        self.view = None;
                        return Err(RoundError::Route53(error));
                    }
                }
                _ if starts_over(&error) => {
                    self.view = None;
                    listings += 1;
                    if listings == MOST_LISTINGS {
                        return Err(RoundError::Contended(error));
                    }
                    log::debug(
                        "a change batch was not confirmed, listing the zone again",
                        &[("error", &error)],
                    );
                    let random = retry::random();
                    let wait = retry::backoff(listings - 1, PAUSE, retry::LONGEST, random);
                    self.telemetry.heartbeat.sleep(wait);
                    lost = batch
                        .filter(|_| matches!(error, Error::Refused(_)))
                        .map(|batch| (batch, times_lost + 1));
                }
                _ => {
                    self.view = None;
                    return Err(RoundError::Route53(error));
                }
            }
        }
    }

    /// Keeps what a refusal names out of the next batches. False if it names what can't be kept
    /// out.
    fn set_aside(
        &mut self,
        batch: &ChangeBatch,
        refusal: &Refusal,
        with_races: bool,
        desired: &Desired,
        names: &StateNames,
        trials: &mut Trials,
    ) -> bool {
        let messages: Vec<String> = refusal
            .messages
            .iter()
            .filter(|message| with_races || !Refusal::tells_of_lost_race(message))
            .cloned()
            .collect();
        let groups = suspects(batch, &messages, |key| names.index_of(key).is_some());
        let is_any = !groups.is_empty();
        for group in groups {
            let Some(bad) = trials.split(group) else {
                continue;
            };
            for key in bad.keys {
                let wanted = desired.record_sets.get(&key);
                self.quarantine.add(key, wanted, bad.words.clone());
            }
        }
        is_any
    }

    /// Lists if need be, plans and applies, once.
    fn attempt(
        &mut self,
        goal: Goal<'_>,
        names: &StateNames,
        trials: &Trials,
        goes_on: &mut dyn FnMut(Progress) -> bool,
        round: &mut Round,
    ) -> Result<(), Box<Stopped>> {
        let (mut view, mut plan) = self.look(goal, names)?;
        let is_settled = plan == Plan::default();
        round.conflicts = std::mem::take(&mut plan.conflicts);
        plan.retain(|key| !self.quarantine.holds(key));
        let owned = owned(&view.state, &plan);
        round.held = self.guard.hold(&mut plan, owned, goal.read);
        trials.limit(&mut plan);
        let mut stopped = None;
        let batches = batches(&plan, &view.state, names, self.rules().ttl);
        let of = round.batches.len() + batches.len();
        for batch in batches {
            // The account's limits may make it wait for seconds: whether it still is wanted is asked
            // after that.
            self.client.wait_for_room(&batch);
            let done = round.batches.len();
            if !goes_on(Progress { done, of }) {
                round.is_cut = true;
                break;
            }
            match self.client.change(&self.settings.zone_id, &batch) {
                Ok(id) => round.batches.push(id),
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
            goes_on(Progress { done: of, of }); // whatever it says, there is nothing more to do
        }
        round.owned = view.state.owned().len();
        (round.in_zone, round.outdated) = view.published(goal.desired);
        if is_settled {
            view.settle(goal.desired, &round.in_zone);
        }
        self.view = Some(view);
        stopped.map_or(Ok(()), Err)
    }

    /// The zone, as known or listed, and what has to change in it.
    fn look(&mut self, goal: Goal<'_>, names: &StateNames) -> Result<(View, Plan), Error> {
        let desired = &goal.desired.record_sets;
        let is_due = std::mem::take(&mut self.is_due);
        let mut known = self.view.take();
        if let Some(view) =
            known.take_if(|v| !is_due && v.names == *names && v.covers(desired.keys()))
        {
            // An entry is forgotten since its record set is gone; nothing in the batch would fail
            // if another instance had made it anew. So that must have been seen just now.
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
        if plan.hangs_on_ownership()
            && listing::list_state_records(&mut self.client, &self.settings.zone_id, &mut view)?
        {
            plan = self.plan(&view, goal);
        }
        Ok((view, plan))
    }

    fn plan(&self, view: &View, goal: Goal<'_>) -> Plan {
        if view.is_settled(goal.desired) {
            return Plan::default();
        }
        let ReconcilerSettings {
            rules,
            policy,
            adopt,
            ..
        } = &self.settings;
        let below = environment_name(goal.environment, &rules.zone);
        let adopt = match (adopt, below) {
            (AdoptSetting::Matching, _) => Adopt::Matching,
            (AdoptSetting::Legacy, Some(below)) => Adopt::Legacy {
                below,
                ttl: rules.ttl,
            },
            (AdoptSetting::Never, _) | (AdoptSetting::Legacy, None) => Adopt::Never,
        };
        let desired = &goal.desired.record_sets;
        plan(desired, &view.zone, &view.state, *policy, &adopt)
    }
}

/// `<environment>.<zone>`; none if nothing is left of the environment's name.
pub fn environment_name(environment: &Environment, zone: &Name) -> Option<Name> {
    let label = sanitize(&environment.name);
    (!label.is_empty()).then(|| zone.child(&label).ok())?
}

/// After a batch that lost its compare-and-swap or whose answer was lost, the zone has changed,
/// or may have.
fn starts_over(error: &Error) -> bool {
    match error {
        Error::NoAnswer(_) => true,
        Error::Refused(refusal) => refusal.is_lost_race(),
        Error::NoCredentials(_) | Error::Unsent(_) => false,
    }
}

/// Whether only an operator can mend it.
pub fn needs_operator(error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => refusal.needs_operator(),
        Error::NoCredentials(error) => error.needs_operator,
        Error::NoAnswer(_) | Error::Unsent(_) => false,
    }
}

/// How many record sets are ours, or become ours by this plan, be it to be deleted.
fn owned(state: &State, plan: &Plan) -> usize {
    let unlisted = plan.deletes.iter().filter(|set| !state.owns(&set.key));
    state.owned().len() + plan.adopts.len() + unlisted.count()
}
