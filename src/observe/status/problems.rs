//! What needs attention, in words, with the names that it concerns.

use chrono::{DateTime, Utc};

use super::{MAX_NAMED, Status};
use crate::base::dependency::{Condition, Dependency};
use crate::dns::RecordKey;
use crate::plan::Conflict;
use crate::plan::delegation::explain;

/// One thing that an operator should look at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in sentences.
    pub words: String,
    /// The last error behind it.
    pub reason: Option<String>,
    /// Until when it stays so at least.
    pub until: Option<DateTime<Utc>>,
    /// The record sets or services that it concerns.
    pub names: Vec<String>,
    /// Where on the page there is more of it.
    pub place: Option<Place>,
}

/// A place on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// What the program depends on.
    Health,
    /// The services in conflict.
    Conflict,
    /// The services that Route 53 refuses.
    Refused,
    /// All services.
    Services,
}

impl Status {
    /// What an operator should look at; empty if all is well.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(seconds) = self.stuck_for {
            problems.push(Problem::new(format!(
                "The loop is stuck: it last got on {seconds} s ago."
            )));
        }
        if let Some(words) = &self.kept_by_another {
            let (first, rest) = words.split_at_checked(1).unwrap_or_default();
            problems.push(Problem::new(format!("{}{rest}.", first.to_uppercase())));
        }
        for part in Dependency::ALL {
            let health = self.health(part);
            let is_explained = part == Dependency::Rounds && self.kept_by_another.is_some();
            if health.condition == Condition::Fails && !is_explained {
                problems.push(Problem {
                    reason: health.last_error.as_ref().map(|(_, words)| words.clone()),
                    place: Some(Place::Health),
                    ..Problem::new(part.trouble())
                });
            }
        }
        if let Some((held, until)) = &self.held {
            problems.push(Problem {
                until: Some(*until),
                names: held.keys.iter().map(shown).collect(),
                ..Problem::new(format!(
                    "Deletes wait: {held}. If the services still run, stop rancher-route53 now."
                ))
            });
        }
        self.add_left_alone(&mut problems);
        self.add_misconfigured(&mut problems);
        problems
    }

    /// Adds the services that ask for a name and can't have it as they ask.
    fn add_misconfigured(&self, problems: &mut Vec<Problem>) {
        let services = self.desired.misconfigured();
        let names: Vec<String> = services.map(|(key, _)| key.to_string()).collect();
        if !names.is_empty() {
            let words = format!(
                "Services that can't be published as they ask: {}. The services say why.",
                names.len()
            );
            problems.push(Problem {
                names,
                place: Some(Place::Services),
                ..Problem::new(words)
            });
        }
    }

    /// Adds the record sets that can't be written.
    fn add_left_alone(&self, problems: &mut Vec<Problem>) {
        let is_desired =
            |conflict: &&Conflict| self.desired.record_sets.contains_key(&conflict.key);
        let conflicts = self.conflicts.iter().filter(is_desired);
        let conflicts: Vec<String> = conflicts.map(|conflict| shown(&conflict.key)).collect();
        let of_services = conflicts.len();
        let refused = self.quarantined.iter().map(|case| shown(&case.key));
        for (names, what, place) in [
            (
                conflicts,
                "in conflict with what is in the zone",
                Place::Conflict,
            ),
            (refused.collect(), "refused by Route 53", Place::Refused),
        ] {
            if !names.is_empty() {
                let words = format!("Record sets {what}: {}. The services say why.", names.len());
                problems.push(Problem {
                    names,
                    place: Some(place),
                    ..Problem::new(words)
                });
            }
        }
        if !self.contested.is_empty() {
            let words = format!(
                "Somebody else writes other fqdns for services, too: {}. Ours are sent at most every \
                 10 minutes. Set WRITE_BACK=false in one of the two.",
                self.contested.len(),
            );
            problems.push(Problem {
                names: self.contested.to_vec(),
                place: Some(Place::Services),
                ..Problem::new(words)
            });
        }
        let others = self.conflicts.iter().filter(|c| !is_desired(c));
        for Conflict { key, reason, .. } in others.take(MAX_NAMED) {
            problems.push(Problem::new(format!("Conflict: {}: {reason}.", shown(key))));
        }
        for name in self.delegated.iter().take(MAX_NAMED) {
            problems.push(Problem::new(format!("Delegated: {}.", explain(name))));
        }
        for other in self.other_ttls.iter().take(MAX_NAMED) {
            let (key, reason) = (shown(&other.key), other.reason());
            problems.push(Problem::new(format!("Another TTL: {key}: {reason}.")));
        }
        let more = (self.conflicts.len() - of_services).saturating_sub(MAX_NAMED);
        if more > 0 {
            problems.push(Problem::new(format!(
                "{more} more conflicts are over record sets that no service wants. The log names them."
            )));
        }
    }
}

impl Problem {
    fn new(words: impl Into<String>) -> Problem {
        Problem {
            words: words.into(),
            ..Problem::default()
        }
    }
}

/// A record set's name and type, and its set identifier if it has one.
fn shown(key: &RecordKey) -> String {
    format!("{} {}", key.name.without_dot(), key.kind())
}
