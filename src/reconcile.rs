//! One round: where the edges meet the core.
//!
//! ```text
//! view (listed) ─► State::read ─► plan ─► batches ─► Client::change ─► view, updated
//!      ▲                                                   │ lost, refused, unknown
//!      └────────────────── list again ─────────────────────┘
//! ```

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::aws::retry;
use crate::batch::batches;
use crate::desired::{Desired, Rules};
use crate::dns::{ChangeBatch, Name, NameError, RecordKey, RecordSet};
use crate::heartbeat::Heartbeat;
use crate::listing::{self, View};
use crate::log;
use crate::ownership::{State, StateNames};
use crate::plan::{Adopt, Conflict, Plan, Policy, Why, plan};
use crate::rancher::snapshot::Environment;
use crate::route53::client::Client;
use crate::route53::error::Error;
use crate::template::sanitize;

/// How often a round lists the zone again and starts over before it gives up.
const MOST_LISTINGS: u32 = 5;
/// Ceiling of the first pause between two listings of a round: whoever was faster isn't met
/// again at once.
const PAUSE: Duration = Duration::from_millis(200);

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

/// Keeps one zone.
pub struct Reconciler {
    client: Client,
    zone_id: String,
    rules: Rules,
    policy: Policy,
    adopt: AdoptSetting,
    heartbeat: Heartbeat,
    /// What the zone holds, if that is known.
    view: Option<View>,
}

/// What came of a round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Change batches that were applied.
    pub batches: usize,
    /// Desired record sets that were left alone.
    pub conflicts: Vec<Conflict>,
    /// Names all of whose desired record sets are in the zone, and ours.
    pub in_zone: BTreeSet<Name>,
}

/// Why a round failed. What it has done so far stays done; the next one lists the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundError {
    /// The environment's UUID can't be part of a name.
    EnvironmentUuid(String, NameError),
    /// A call failed for good.
    Route53(Error),
    /// Batches were refused or lost again and again; the last reason.
    Contended(Error),
}

impl fmt::Display for RoundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoundError::EnvironmentUuid(uuid, error) => {
                write!(
                    f,
                    "the environment's UUID {uuid:?} can't be part of a name: {error}"
                )
            }
            RoundError::Route53(error) => error.fmt(f),
            RoundError::Contended(error) => {
                write!(
                    f,
                    "gave up after {MOST_LISTINGS} listings of the zone: {error}"
                )
            }
        }
    }
}

impl std::error::Error for RoundError {}

impl Reconciler {
    /// For a zone of which nothing is known yet.
    pub fn new(
        client: Client,
        zone_id: String,
        rules: Rules,
        policy: Policy,
        adopt: AdoptSetting,
        heartbeat: Heartbeat,
    ) -> Reconciler {
        Reconciler {
            client,
            zone_id,
            rules,
            policy,
            adopt,
            heartbeat,
            view: None,
        }
    }

    /// What holds for all names.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The next round lists the zone.
    pub fn forget(&mut self) {
        self.view = None;
    }

    /// Makes the zone equal to what is desired.
    pub fn round(
        &mut self,
        environment: &Environment,
        desired: &Desired,
    ) -> Result<Round, RoundError> {
        let names = StateNames::new(&environment.uuid, &self.rules.zone)
            .map_err(|e| RoundError::EnvironmentUuid(environment.uuid.clone(), e))?;
        let mut round = Round::default();
        let mut last = None;
        for attempt in 0..MOST_LISTINGS {
            if attempt > 0 {
                let wait = retry::backoff(attempt - 1, PAUSE, retry::LONGEST, retry::random());
                self.heartbeat.sleep(wait);
            }
            match self.attempt(environment, desired, &names, &mut round) {
                Ok(()) => return Ok(round),
                Err(error) if starts_over(&error) => {
                    log::warn(
                        "a change batch was not confirmed, listing the zone again",
                        &[("error", &error)],
                    );
                    last = Some(error);
                }
                Err(error) => return Err(RoundError::Route53(error)),
            }
        }
        let last = last.unwrap_or_else(|| Error::NoAnswer("no attempt was made".to_owned()));
        Err(RoundError::Contended(last))
    }

    /// Lists if need be, plans and applies, once. On an error the view is forgotten.
    fn attempt(
        &mut self,
        environment: &Environment,
        desired: &Desired,
        names: &StateNames,
        round: &mut Round,
    ) -> Result<(), Error> {
        let known = self
            .view
            .take()
            .filter(|view| view.names == *names && view.covers(desired.record_sets.keys()));
        let is_fresh = known.is_none();
        let below = environment_name(environment, &self.rules.zone);
        let mut view = match known {
            Some(view) => view,
            None => {
                let keys: BTreeSet<&RecordKey> = desired.record_sets.keys().collect();
                listing::list(
                    &mut self.client,
                    &self.zone_id,
                    names,
                    below.as_ref(),
                    &keys,
                )?
            }
        };
        let adopt = self.adopt(below);
        let (mut state, mut plan) = self.plan(&view, desired, &adopt);
        if is_fresh
            && plan
                .conflicts
                .iter()
                .any(|conflict| conflict.why == Why::NotOwned)
        {
            listing::list_state_records(&mut self.client, &self.zone_id, &mut view)?;
            (state, plan) = self.plan(&view, desired, &adopt);
        }
        for batch in batches(&plan, &state, names, self.rules.ttl) {
            self.client.change(&self.zone_id, &batch)?;
            view.zone.apply(&batch);
            round.batches += 1;
            log_changes(&batch, names);
        }
        if !plan.is_empty() {
            (state, plan) = self.plan(&view, desired, &adopt);
        }
        round.conflicts = plan.conflicts;
        round.in_zone = in_zone(desired, &view, &state);
        self.view = Some(view);
        Ok(())
    }

    fn plan(&self, view: &View, desired: &Desired, adopt: &Adopt) -> (State, Plan) {
        let state = State::read(&view.zone, &view.names);
        let plan = plan(&desired.record_sets, &view.zone, &state, self.policy, adopt);
        (state, plan)
    }

    fn adopt(&self, below: Option<Name>) -> Adopt {
        match (self.adopt, below) {
            (AdoptSetting::Matching, _) => Adopt::Matching,
            (AdoptSetting::Legacy, Some(below)) => Adopt::Legacy {
                below,
                ttl: self.rules.ttl,
            },
            (AdoptSetting::Never, _) | (AdoptSetting::Legacy, None) => Adopt::Never,
        }
    }
}

/// `<environment>.<zone>`; none if nothing is left of the environment's name.
fn environment_name(environment: &Environment, zone: &Name) -> Option<Name> {
    let label = sanitize(&environment.name);
    (!label.is_empty()).then(|| zone.child(&label).ok())?
}

/// After a batch that lost its compare-and-swap or whose answer was lost, the zone has changed,
/// or may have.
fn starts_over(error: &Error) -> bool {
    match error {
        Error::NoAnswer(_) => true,
        Error::Refused(refusal) => refusal.is_invalid_change_batch(),
        Error::NoCredentials(_) => false,
    }
}

/// Whether only an operator can mend it.
pub fn needs_operator(error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => refusal.needs_operator(),
        Error::NoCredentials(error) => error.needs_operator,
        Error::NoAnswer(_) => false,
    }
}

fn in_zone(desired: &Desired, view: &View, state: &State) -> BTreeSet<Name> {
    let mut names: BTreeSet<Name> = BTreeSet::new();
    let mut not_yet: BTreeSet<&Name> = BTreeSet::new();
    for key in desired.record_sets.keys() {
        if view.zone.simple(key).is_some() && state.owns(key) {
            names.insert(key.name.clone());
        } else {
            not_yet.insert(&key.name);
        }
    }
    names.retain(|name| !not_yet.contains(name));
    names
}

/// One line for each record set that has changed; the state records are bookkeeping.
fn log_changes(batch: &ChangeBatch, names: &StateNames) {
    let is_state = |set: &RecordSet| names.index(&set.key.name).is_some();
    for set in &batch.creates {
        let before = batch.deletes.iter().find(|deleted| deleted.key == set.key);
        match before {
            _ if is_state(set) => {
                log::debug(
                    "state record written",
                    &[("name", &set.key.name), ("entries", &set.values.len())],
                );
            }
            None => log::info("record set created", &fields(set, &values(set))),
            Some(before) => {
                let (from, to) = (values(before), values(set));
                log::info(
                    "record set changed",
                    &[
                        ("name", &set.key.name),
                        ("type", &set.key.rtype),
                        ("ttl", &set.ttl),
                        ("from", &from),
                        ("values", &to),
                    ],
                );
            }
        }
    }
    for set in &batch.deletes {
        let is_gone = !batch.creates.iter().any(|created| created.key == set.key);
        match is_gone {
            true if is_state(set) => log::debug("state record deleted", &[("name", &set.key.name)]),
            true => log::info("record set deleted", &fields(set, &values(set))),
            false => {}
        }
    }
}

fn fields<'a>(set: &'a RecordSet, values: &'a dyn fmt::Display) -> [log::Field<'a>; 4] {
    [
        ("name", &set.key.name),
        ("type", &set.key.rtype),
        ("ttl", &set.ttl),
        ("values", values),
    ]
}

fn values(set: &RecordSet) -> String {
    set.values
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(",")
}
