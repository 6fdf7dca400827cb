//! The state of each service, and the reason for it in words.

use std::borrow::Cow;

use crate::base::dependency::{Condition, Dependency};
use crate::desired::warning::Warning;
use crate::desired::{ServiceOutcome, truncation_notice};
use crate::dns::{Member, RecordKey, RecordSet};
use crate::observe::status::{Status, shown};
use crate::plan::Conflict;
use crate::rancher::model::ServiceKey;

/// The state of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// Its record sets are owned, and in the zone as desired.
    Published,
    /// Its record sets aren't in the zone as desired yet.
    Waiting,
    /// A record set that isn't ours is in the place of one of its record sets.
    Conflict,
    /// Route 53 refuses one of its record sets.
    Quarantined,
    /// It isn't published; the skip reason says why.
    Skipped,
}

impl ServiceState {
    /// All of them, in the order of their numbers.
    pub const ALL: [ServiceState; 5] = [
        ServiceState::Published,
        ServiceState::Waiting,
        ServiceState::Conflict,
        ServiceState::Quarantined,
        ServiceState::Skipped,
    ];

    /// A word for programs.
    pub fn word(self) -> &'static str {
        match self {
            ServiceState::Published => "published",
            ServiceState::Waiting => "waiting",
            ServiceState::Conflict => "conflict",
            ServiceState::Quarantined => "quarantined",
            ServiceState::Skipped => "skipped",
        }
    }

    /// The words on the page for people.
    pub fn shown(self) -> &'static str {
        match self {
            ServiceState::Skipped => "not published",
            state => state.class(),
        }
    }

    /// The name of its class on the page, and of the place where links to it lead.
    pub fn class(self) -> &'static str {
        match self {
            ServiceState::Quarantined => "refused",
            state => state.word(),
        }
    }
}

/// What is known of all services together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many services are in each state, in the order of [`ServiceState::ALL`].
    pub counts: [usize; ServiceState::ALL.len()],
    /// The services that somebody should look at, the worst first.
    pub first: Vec<ServiceKey>,
}

/// How many ranks there are.
const RANKS: usize = 5;

/// How far before others a service stands on the page; none if nothing is odd about it.
pub fn rank(outcome: &ServiceOutcome, state: ServiceState) -> Option<usize> {
    match state {
        ServiceState::Conflict => Some(0),
        ServiceState::Quarantined => Some(1),
        ServiceState::Waiting => Some(2),
        _ if !outcome.warnings.is_empty() => Some(3),
        _ if outcome.mistake().is_some() => Some(3),
        _ => outcome.skipped_containers.is_some().then_some(4),
    }
}

impl Status {
    /// What a service is to answer under a name, each once: addresses, or where an alias or a CNAME leads
    /// to; then routing policies and health checks.
    pub fn answers(&self, member: &Member) -> Vec<Cow<'_, str>> {
        let mut answers: Vec<Cow<'_, str>> = Vec::new();
        let mut rest: Vec<Cow<'_, str>> = Vec::new();
        for set in self.desired.of_member(member) {
            answers.extend(
                set.in_order()
                    .into_iter()
                    .map(|value| value.as_str().into()),
            );
            let target = set.alias().map(|_| Cow::from(set.answers()));
            for part in target.into_iter().chain(set.extras().map(Cow::from)) {
                if !rest.contains(&part) {
                    rest.push(part);
                }
            }
        }
        answers.extend(rest);
        answers
    }

    /// Whether the zone has what a service is to answer under a name, and nothing of somebody else's in
    /// the place of a record set of it.
    pub fn is_ours(&self, member: &Member) -> bool {
        let mut sets = self.desired.of_member(member);
        self.in_zone.contains(member) && sets.all(|set| self.conflict(&set.key).is_none())
    }

    /// Why a desired record set is left alone; none if it isn't.
    fn conflict(&self, key: &RecordKey) -> Option<&Conflict> {
        let conflicts = &self.conflicts;
        let found = conflicts.binary_search_by(|conflict| conflict.key.cmp(key));
        Some(&conflicts[found.ok()?])
    }

    /// Route 53's words if it refuses a record set.
    fn refusal(&self, key: &RecordKey) -> Option<&str> {
        let cases = &self.quarantined;
        let found = cases.binary_search_by(|case| case.key.cmp(key));
        Some(&cases[found.ok()?].words)
    }

    /// The state of a service.
    pub fn state(&self, outcome: &ServiceOutcome) -> ServiceState {
        if outcome.name.is_err() {
            return ServiceState::Skipped;
        }
        let mut state = ServiceState::Published;
        for name in outcome.names() {
            let member = outcome.member(name);
            let is_right = self.in_zone.contains(&member) && !self.outdated.contains(&member);
            if !is_right && state == ServiceState::Published {
                state = ServiceState::Waiting;
            }
            for RecordSet { key, .. } in self.desired.of_member(&member) {
                if self.conflict(key).is_some() {
                    return ServiceState::Conflict;
                }
                if self.refusal(key).is_some() {
                    state = ServiceState::Quarantined;
                }
            }
        }
        state
    }

    /// How many services are in each state, in the order of [`ServiceState::ALL`].
    pub fn states(&self) -> [usize; ServiceState::ALL.len()] {
        let mut counts = [0; ServiceState::ALL.len()];
        for outcome in self.desired.services.values() {
            counts[self.state(outcome) as usize] += 1;
        }
        counts
    }

    /// The states of all services, and which of these come first on the page.
    pub fn survey(&self) -> Survey {
        let mut counts = [0; ServiceState::ALL.len()];
        let mut by_rank: [Vec<ServiceKey>; RANKS] = Default::default();
        for (key, outcome) in &self.desired.services {
            let state = self.state(outcome);
            counts[state as usize] += 1;
            if let Some(rank) = rank(outcome, state) {
                by_rank[rank].push(key.clone());
            }
        }
        let first = by_rank.concat();
        Survey { counts, first }
    }

    /// The reason for a service's state, and warnings; empty if there is nothing to say.
    pub fn reason(&self, outcome: &ServiceOutcome, state: ServiceState) -> String {
        let mut reason = Vec::new();
        match &outcome.name {
            Err(skip) => reason.push(skip.to_string()),
            Ok(name) => {
                for other in outcome.names() {
                    self.reasons_of_name(&outcome.member(other), other == name, &mut reason);
                }
                let is_left = |name| {
                    let member = outcome.member(name);
                    self.in_zone.contains(&member) && self.outdated.contains(&member)
                };
                match state {
                    ServiceState::Waiting
                        if self.is_create_only && outcome.names().any(is_left) =>
                    {
                        let words = "the zone keeps other values: POLICY=create-only";
                        reason.push(words.to_owned());
                    }
                    ServiceState::Waiting if self.rounds_fail() => {
                        reason.push("not in the zone yet: the last round failed".to_owned());
                    }
                    ServiceState::Waiting => reason.push("not in the zone yet".to_owned()),
                    ServiceState::Published
                        if self.writes_back && !outcome.is_sidekick && !outcome.shows(name) =>
                    {
                        reason.push("Rancher doesn't show the name yet".to_owned());
                    }
                    _ => {}
                }
            }
        }
        let skipped = outcome.skipped_containers.iter();
        reason.extend(skipped.map(|skipped| skipped.to_string()));
        reason.extend(outcome.warnings.iter().map(Warning::to_string));
        reason.join("; ")
    }

    /// Adds why the record sets of a service under a name aren't as desired. That it is another name
    /// than the service's `fqdn` is said.
    fn reasons_of_name(&self, member: &Member, is_fqdn: bool, reasons: &mut Vec<String>) {
        for RecordSet { key, .. } in self.desired.of_member(member) {
            let what = match is_fqdn {
                true => key.kind(),
                false => format!("{} {}", key.name.without_dot(), key.kind()),
            };
            if let Some(Conflict { reason, found, .. }) = self.conflict(key) {
                let found = found.as_ref().map(|found| {
                    let (kind, values) = (found.key.kind(), shown(found));
                    format!("the zone has {kind} {values}; ")
                });
                let found = found.unwrap_or_default();
                reasons.push(format!("{what}: {found}{reason}"));
            }
            if let Some(words) = self.refusal(key) {
                reasons.push(format!("{what}: Route 53 refuses it: {words}"));
            }
            if let Some(count) = self.desired.truncated.get(key).filter(|_| is_fqdn) {
                reasons.push(truncation_notice(*count));
            }
        }
    }

    fn rounds_fail(&self) -> bool {
        self.health(Dependency::Rounds).condition == Condition::Fails
    }
}

#[cfg(test)]
mod tests;
