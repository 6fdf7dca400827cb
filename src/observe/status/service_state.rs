//! The state of each service, and the reason for it in words.

use crate::base::dependency::{Condition, Dependency};
use crate::desired::warning::Warning;
use crate::desired::{ServiceOutcome, truncation_notice};
use crate::dns::{Name, RecordKey, RecordSet, RecordType};
use crate::observe::status::Status;
use crate::plan::ConflictReason;

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

    /// A word for people and programs.
    pub fn word(self) -> &'static str {
        match self {
            ServiceState::Published => "published",
            ServiceState::Waiting => "waiting",
            ServiceState::Conflict => "conflict",
            ServiceState::Quarantined => "quarantined",
            ServiceState::Skipped => "skipped",
        }
    }
}

impl Status {
    /// The record sets that are desired for a name: `A`, `AAAA` or both.
    pub fn record_sets(&self, name: &Name) -> impl Iterator<Item = &RecordSet> {
        [RecordType::A, RecordType::Aaaa]
            .map(|rtype| RecordKey::new(name.clone(), rtype))
            .into_iter()
            .filter_map(|key| self.desired.record_sets.get(&key))
    }

    /// Why a desired record set is left alone; none if it isn't.
    fn conflict(&self, key: &RecordKey) -> Option<&ConflictReason> {
        let conflicts = &self.conflicts;
        let found = conflicts.binary_search_by(|conflict| conflict.key.cmp(key));
        Some(&conflicts[found.ok()?].reason)
    }

    /// Route 53's words if it refuses a record set.
    fn refusal(&self, key: &RecordKey) -> Option<&str> {
        let cases = &self.quarantined;
        let found = cases.binary_search_by(|case| case.key.cmp(key));
        Some(&cases[found.ok()?].words)
    }

    /// The state of a service.
    pub fn state(&self, outcome: &ServiceOutcome) -> ServiceState {
        let Ok(name) = &outcome.name else {
            return ServiceState::Skipped;
        };
        let mut state = match self.in_zone.contains(name) && !self.outdated.contains(name) {
            true => ServiceState::Published,
            false => ServiceState::Waiting,
        };
        for RecordSet { key, .. } in self.record_sets(name) {
            if self.conflict(key).is_some() {
                return ServiceState::Conflict;
            }
            if self.refusal(key).is_some() {
                state = ServiceState::Quarantined;
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

    /// The reason for a service's state, and warnings; empty if there is nothing to say.
    pub fn reason(&self, outcome: &ServiceOutcome, state: ServiceState) -> String {
        let mut reason = Vec::new();
        match &outcome.name {
            Err(skip) => reason.push(skip.to_string()),
            Ok(name) => {
                for RecordSet { key, .. } in self.record_sets(name) {
                    if let Some(why) = self.conflict(key) {
                        reason.push(format!("{}: {why}", key.rtype));
                    }
                    if let Some(words) = self.refusal(key) {
                        reason.push(format!("{}: Route 53 refuses it: {words}", key.rtype));
                    }
                    if let Some(count) = self.desired.truncated.get(key) {
                        reason.push(truncation_notice(*count));
                    }
                }
                match state {
                    ServiceState::Waiting if self.is_create_only && self.in_zone.contains(name) => {
                        let words = "the zone keeps other values: POLICY=create-only";
                        reason.push(words.to_owned());
                    }
                    ServiceState::Waiting if self.rounds_fail() => {
                        reason.push("not in the zone yet: the last round failed".to_owned());
                    }
                    ServiceState::Waiting => reason.push("not in the zone yet".to_owned()),
                    ServiceState::Published if !outcome.is_sidekick && !outcome.shows(name) => {
                        reason.push("Rancher doesn't show the name yet".to_owned());
                    }
                    _ => {}
                }
            }
        }
        reason.extend(outcome.warnings.iter().map(Warning::to_string));
        reason.join("; ")
    }

    fn rounds_fail(&self) -> bool {
        self.health(Dependency::Rounds).condition == Condition::Fails
    }
}
