//! What outsiders may see of the loop's work: the facts, as plain data, and pure functions that
//! turn them into `/status`, `/status.json` and `/metrics`.
//!
//! ```text
//! telemetry::Telemetry ─► Status ─┬► pieces ─► html, json
//!   (the loop writes)             └► metrics
//! ```
//!
//! The large tables are shared with the loop, not copied; so a [`Status`] is cheap to take, and
//! stays as it is while it is sent to someone slow.

mod escape;
pub mod html;
pub mod json;
pub mod metrics;
pub mod page;
pub mod service_state;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::base::counters::{Action, RoundCounters, RoundOutcome};
use crate::base::dependency::{Condition, Dependency, DependencyHealth};
use crate::base::recorder::Record;
use crate::base::version;
use crate::desired::Desired;
use crate::dns::{ChangeBatch, Name, RecordKey, RecordSet};
use crate::plan::Conflict;
use crate::plan::guard::HeldDeletes;
use crate::plan::quarantine::Quarantined;
use crate::plan::round::Round;
use crate::route53::xml::HostedZone;

/// How many of the last changes are kept.
pub const MOST_CHANGES: usize = 50;
/// Of a record set in the list of changes, so many values are kept.
const MOST_SHOWN_VALUES: usize = 8;

/// Everything that is shown.
#[derive(Debug, Clone)]
pub struct Status {
    /// When the process started.
    pub started: DateTime<Utc>,
    /// [`crate::base::version::commit`].
    pub commit: Option<&'static str>,
    /// Seconds since the loop last got on, if that is too long ago.
    pub stuck_for: Option<u64>,
    /// `ROOT_DOMAIN`.
    pub zone: Name,
    /// The hosted zone of that name, once it is found.
    pub hosted_zone: Option<HostedZone>,
    /// The environment's name and UUID, once metadata has been read.
    pub environment: Option<(String, String)>,
    /// Calls to other systems, and whether these work.
    pub record: Record,
    /// What should be published, and what became of each service.
    pub desired: Arc<Desired>,
    /// Names that the last successful round found in the zone, all of them ours.
    pub in_zone: Arc<BTreeSet<Name>>,
    /// Names of these of which something else is desired than what was found there.
    pub outdated: Arc<BTreeSet<Name>>,
    /// `POLICY=create-only`: that stays so.
    pub is_create_only: bool,
    /// Desired record sets that were left alone, by key.
    pub conflicts: Arc<Vec<Conflict>>,
    /// Record sets that Route 53 refuses, by key.
    pub quarantined: Arc<Vec<Quarantined>>,
    /// Deletes that the deletion guard holds back, and until when at least.
    pub held: Option<(HeldDeletes, DateTime<Utc>)>,
    /// Record sets that are ours.
    pub owned: usize,
    /// Names that are in the zone and that metadata doesn't show yet.
    pub fqdns_waiting: usize,
    /// When a round last succeeded.
    pub last_success: Option<DateTime<Utc>>,
    /// When metadata last had a new version.
    pub metadata_changed: Option<DateTime<Utc>>,
    /// The last changes to the zone, the newest first.
    pub changes: Arc<Vec<ChangeEntry>>,
    /// Rounds and what they changed, since the start.
    pub counters: RoundCounters,
}

/// A change to one record set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeEntry {
    /// When Route 53 confirmed it.
    pub at: DateTime<Utc>,
    /// What was done.
    pub action: Action,
    /// To which record set.
    pub key: RecordKey,
    /// The values before and after; of many only some.
    pub from: String,
    /// See `from`.
    pub to: String,
}

impl Status {
    /// Nothing has happened yet.
    pub fn new(zone: Name, started: DateTime<Utc>) -> Status {
        Status {
            started,
            commit: version::commit(),
            stuck_for: None,
            zone,
            hosted_zone: None,
            environment: None,
            record: Record::default(),
            desired: Arc::default(),
            in_zone: Arc::default(),
            outdated: Arc::default(),
            is_create_only: false,
            conflicts: Arc::default(),
            quarantined: Arc::default(),
            held: None,
            owned: 0,
            fqdns_waiting: 0,
            last_success: None,
            metadata_changed: None,
            changes: Arc::default(),
            counters: RoundCounters::default(),
        }
    }

    /// Whether a dependency works.
    pub fn health(&self, dependency: Dependency) -> &DependencyHealth {
        self.record.health(dependency)
    }

    /// Takes in what should be published from now on.
    pub fn desire(&mut self, desired: &Arc<Desired>) {
        let mut outdated = BTreeSet::new();
        for (key, set) in &desired.record_sets {
            let name = &key.name;
            let is_other = self.desired.record_sets.get(key) != Some(set);
            if (is_other || self.outdated.contains(name)) && self.in_zone.contains(name) {
                outdated.insert(name.clone());
            }
        }
        self.outdated = Arc::new(outdated);
        self.desired = desired.clone();
    }

    /// Takes in the changes of a batch that Route 53 has confirmed. State records are
    /// bookkeeping: they aren't shown.
    pub fn changed(
        &mut self,
        batch: &ChangeBatch,
        is_state: impl Fn(&RecordKey) -> bool,
        at: DateTime<Utc>,
    ) {
        let of = |set: &RecordSet, action, from, to| ChangeEntry {
            at,
            action,
            key: set.key.clone(),
            from,
            to,
        };
        let mut add = |change: ChangeEntry| {
            self.counters.add_change(change.action);
            let changes = Arc::make_mut(&mut self.changes);
            changes.truncate(MOST_CHANGES - 1);
            changes.insert(0, change);
        };
        for set in batch.creates.iter().filter(|set| !is_state(&set.key)) {
            match batch.deletes.iter().find(|deleted| deleted.key == set.key) {
                None => add(of(set, Action::Create, String::new(), shown(set))),
                Some(before) => add(of(set, Action::Change, shown(before), shown(set))),
            }
        }
        for set in batch.deletes.iter().filter(|set| !is_state(&set.key)) {
            if !batch.creates.iter().any(|created| created.key == set.key) {
                add(of(set, Action::Delete, shown(set), String::new()));
            }
        }
    }

    /// Takes in what came of a round that succeeded, and how long it took.
    pub fn round(&mut self, round: Round, took: Duration, now: DateTime<Utc>) {
        let outcome = match round.batches.len() {
            _ if round.is_cut => RoundOutcome::Cut,
            0 => RoundOutcome::Unchanged,
            _ => RoundOutcome::Changed,
        };
        self.counters.add_round(outcome, took);
        if !round.is_cut {
            self.last_success = Some(now);
        }
        self.conflicts = Arc::new(round.conflicts);
        self.quarantined = Arc::new(round.quarantined);
        self.held = round.held.map(|held| {
            let left = held.until.saturating_duration_since(Instant::now());
            let until = TimeDelta::from_std(left).map_or(now, |left| now + left);
            (held, until)
        });
        self.owned = round.owned;
        self.in_zone = round.in_zone;
        self.outdated = round.outdated;
    }

    /// What needs somebody's attention, in words; nothing if all is well.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(seconds) = self.stuck_for {
            problems.push(format!(
                "The loop is stuck: it last got on {seconds} s ago."
            ));
        }
        for part in Dependency::ALL {
            if self.health(part).condition == Condition::Fails {
                problems.push(part.trouble().to_owned());
            }
        }
        if let Some((held, until)) = &self.held {
            let until = timestamp(*until);
            problems.push(format!("Deletes wait until {until}: {held}."));
        }
        for (count, what) in [
            (self.conflicts.len(), "in conflict with what is in the zone"),
            (self.quarantined.len(), "refused by Route 53"),
        ] {
            if count > 0 {
                problems.push(format!(
                    "Record sets {what}: {count}. The services say why."
                ));
            }
        }
        problems
    }
}

/// The TTL and the values, as far as they are of use in a list.
fn shown(set: &RecordSet) -> String {
    let mut text = String::new();
    for value in set.values.iter().take(MOST_SHOWN_VALUES) {
        text.push_str(value);
        text.push_str(", ");
    }
    let rest = set.values.len().saturating_sub(MOST_SHOWN_VALUES);
    if rest > 0 {
        text.push_str(&format!("{rest} more, "));
    }
    text.push_str(&format!("TTL {}", set.ttl));
    text
}

/// RFC 3339, UTC, whole seconds: `2026-01-02T03:04:05Z`.
fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
