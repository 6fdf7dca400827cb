//! The facts that are shown to the outside, as plain data, and pure functions that turn them into
//! `/status`, `/status.json` and `/metrics`.
//!
//! ```text
//! telemetry::Telemetry ─► Status ─┬► page ─► html, json
//!   (the loop writes)             └► metrics
//! ```
//!
//! Large tables are shared by reference count, so a copy of a [`Status`] is cheap, and stays the
//! same while it is sent to a slow client.

mod escape;
pub mod html;
pub mod json;
pub mod metrics;
pub mod page;
pub mod problems;
pub mod service_state;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};

use crate::base::counters::{Action, RoundCounters, RoundOutcome};
use crate::base::dependency::{Dependency, DependencyHealth};
use crate::base::identifiers::masked;
use crate::base::recorder::Record;
use crate::base::version;
use crate::desired::Desired;
use crate::dns::record_change::RecordChange;
use crate::dns::{ChangeBatch, Member, Name, RecordKey, RecordSet, RecordType};
use crate::plan::guard::HeldDeletes;
use crate::plan::quarantine::Quarantined;
use crate::plan::round::Round;
use crate::plan::{Conflict, OtherTtl};
use crate::route53::xml::HostedZone;

/// How many of the last changes are kept.
pub const MAX_CHANGES: usize = 50;
/// How many values of a record set the list of changes shows.
const MAX_SHOWN_VALUES: usize = 8;
/// How many record sets that no service explains are named as problems.
const MAX_NAMED: usize = 5;

/// All facts that are shown.
#[derive(Debug, Clone)]
pub struct Status {
    /// When the process started.
    pub started: DateTime<Utc>,
    /// The commit that the program was built from; none if unknown.
    pub commit: Option<&'static str>,
    /// Seconds since the loop's last step; none while the loop works.
    pub stuck_for: Option<u64>,
    /// `ROOT_DOMAIN`.
    pub zone: Name,
    /// The hosted zone; none until it is found.
    pub hosted_zone: Option<HostedZone>,
    /// The environment's name and UUID; none until metadata has been read.
    pub environment: Option<(String, String)>,
    /// Calls to other systems, and whether these systems work.
    pub record: Record,
    /// The record sets that should be published, and the outcome of each service.
    pub desired: Arc<Desired>,
    /// What was in the zone, and ours, at the end of the last successful round.
    pub in_zone: Arc<BTreeSet<Member>>,
    /// What of `in_zone` has record sets with other values or another TTL than desired.
    pub outdated: Arc<BTreeSet<Member>>,
    /// `POLICY=create-only`: what is `outdated` is left as it is.
    pub is_create_only: bool,
    /// Record sets that were left alone although they are desired or owned, sorted by key.
    pub conflicts: Arc<Vec<Conflict>>,
    /// Names that are delegated to other name servers, although some of ours are at or below them.
    pub delegated: Arc<Vec<Name>>,
    /// Weighted record sets that have another TTL than desired, since those of others have it.
    pub other_ttls: Arc<Vec<OtherTtl>>,
    /// Record sets that Route 53 refuses, sorted by key.
    pub quarantined: Arc<Vec<Quarantined>>,
    /// Deletes that the deletion guard holds, and the earliest time at which they may go.
    pub held: Option<(HeldDeletes, DateTime<Utc>)>,
    /// That another Rancher server keeps the state records, so that nothing is changed here, and what
    /// to do about it, in words; none if that is not so.
    pub kept_by_another: Option<String>,
    /// Number of owned record sets.
    pub owned: usize,
    /// The same by type, in the order of [`RecordType::PUBLISHED`].
    pub owned_by_type: [usize; RecordType::PUBLISHED.len()],
    /// Number of names in the zone that metadata doesn't show as `fqdn` yet.
    pub fqdns_waiting: usize,
    /// `WRITE_BACK`.
    pub writes_back: bool,
    /// Services for which somebody else writes another `fqdn`.
    pub contested: Arc<[String]>,
    /// When a round last succeeded.
    pub last_success: Option<DateTime<Utc>>,
    /// When metadata last had a new version.
    pub metadata_changed: Option<DateTime<Utc>>,
    /// The last changes to the zone, newest first.
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
    /// The record set.
    pub key: RecordKey,
    /// TTL and values before; empty if it is new. Of many values only some.
    pub from: String,
    /// TTL and values after; empty if it was deleted. Of many values only some.
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
            delegated: Arc::default(),
            other_ttls: Arc::default(),
            quarantined: Arc::default(),
            held: None,
            kept_by_another: None,
            owned: 0,
            owned_by_type: Default::default(),
            fqdns_waiting: 0,
            writes_back: true,
            contested: Arc::default(),
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

    /// Takes over what should be published from now on.
    pub fn desire(&mut self, desired: &Arc<Desired>) {
        let mut outdated = BTreeSet::new();
        for (key, set) in &desired.record_sets {
            let member = key.member();
            let is_other = self.desired.record_sets.get(key) != Some(set);
            if (is_other || self.outdated.contains(&member)) && self.in_zone.contains(&member) {
                outdated.insert(member);
            }
        }
        self.outdated = Arc::new(outdated);
        self.desired = desired.clone();
    }

    /// Takes over the changes of a batch that Route 53 has confirmed, without those to state
    /// records.
    pub fn changed(
        &mut self,
        batch: &ChangeBatch,
        is_state: impl Fn(&RecordKey) -> bool,
        at: DateTime<Utc>,
    ) {
        for change in RecordChange::all_of(batch) {
            if is_state(change.key()) {
                continue;
            }
            let (action, from, to) = match change {
                RecordChange::Create(set) => (Action::Create, String::new(), shown(set)),
                RecordChange::Change { from, to } => (Action::Change, shown(from), shown(to)),
                RecordChange::Delete(set) => (Action::Delete, shown(set), String::new()),
            };
            self.counters.add_change(action);
            let changes = Arc::make_mut(&mut self.changes);
            changes.truncate(MAX_CHANGES - 1);
            let key = change.key().clone();
            changes.insert(
                0,
                ChangeEntry {
                    at,
                    action,
                    key,
                    from,
                    to,
                },
            );
        }
    }

    /// Takes over the result of a round that succeeded, and how long it took.
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
        // The pages are open to others, too; the log has Route 53's words whole.
        let cases = round.quarantined.into_iter().map(|case| Quarantined {
            words: masked(&case.words),
            ..case
        });
        self.quarantined = Arc::new(cases.collect());
        self.delegated = Arc::new(round.delegated);
        self.other_ttls = Arc::new(round.other_ttls);
        self.held = round.held.map(|held| {
            let left = held.until.saturating_duration_since(Instant::now());
            let until = TimeDelta::from_std(left).map_or(now, |left| now + left);
            (held, until)
        });
        self.kept_by_another = None;
        self.owned = round.owned;
        self.owned_by_type = round.owned_by_type;
        self.in_zone = round.in_zone;
        self.outdated = round.outdated;
    }
}

/// Values or target of a record set, TTL, routing policy and health check, cut to what a list can show.
fn shown(set: &RecordSet) -> String {
    let mut text = String::new();
    for value in set.in_order().into_iter().take(MAX_SHOWN_VALUES) {
        text.push_str(value);
        text.push_str(", ");
    }
    let rest = set.values().len().saturating_sub(MAX_SHOWN_VALUES);
    if rest > 0 {
        text.push_str(&format!("{rest} more, "));
    }
    match set.ttl() {
        Some(ttl) => text.push_str(&format!("TTL {ttl}")),
        None => text.push_str(&set.answers()),
    }
    for extra in set.extras() {
        text.push_str(", ");
        text.push_str(&extra);
    }
    text
}

/// RFC 3339, UTC, whole seconds: `2026-01-02T03:04:05Z`.
fn timestamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
