//! The input and the results of a round, as plain data.
//!
//! A round makes the zone equal to a [`Goal`], reports its [`Progress`] before each batch and while
//! one waits, and ends with a [`Round`]. A [`Preview`] says what a round would do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::desired::Desired;
use crate::dns::{Member, Name, RecordType, Zone};
use crate::plan::guard::HeldDeletes;
use crate::plan::quarantine::Quarantined;
use crate::plan::state_records::{Claim, StateRecords};
use crate::plan::view::Coverage;
use crate::plan::{Conflict, OtherTtl, Plan};
use crate::rancher::model::Environment;

/// What should be in the zone, and when that was read from metadata.
#[derive(Debug, Clone, Copy)]
pub struct Goal<'a> {
    /// The environment whose services are published.
    pub environment: &'a Environment,
    /// The record sets that should be in the zone.
    pub desired: &'a Arc<Desired>,
    /// When the metadata was read from which `desired` was made.
    pub read: Instant,
}

/// What a round would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The whole plan, including deletes that would have to wait.
    pub plan: Plan,
    /// The deletes that would have to wait, if any.
    pub held: Option<HeldDeletes>,
    /// Number of change batches, without the deletes that would have to wait.
    pub batches: usize,
    /// The state records, which list the owned record sets.
    pub state: StateRecords,
    /// The record sets of the zone that were listed.
    pub zone: Zone,
    /// Which part of the zone that is.
    pub coverage: Coverage,
}

/// How many of its batches a round has applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Number of batches that were applied.
    pub done: usize,
    /// Number of all batches.
    pub total: usize,
    /// The same was reported before, and the next batch has waited since.
    pub is_repeated: bool,
    /// How long the next batch has to wait at least.
    pub wait: Duration,
}

impl Progress {
    /// So many batches of so many are applied.
    pub fn new(done: usize, total: usize) -> Progress {
        Progress {
            done,
            total,
            is_repeated: false,
            wait: Duration::ZERO,
        }
    }
}

/// The result of a round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Ids of the change batches that were applied.
    pub batches: Vec<String>,
    /// Record sets that were left alone although they are desired or owned, sorted by key.
    pub conflicts: Vec<Conflict>,
    /// Record sets that were left as they are, because Route 53 refuses their change.
    pub quarantined: Vec<Quarantined>,
    /// The deletes that wait, if any.
    pub held: Option<HeldDeletes>,
    /// The claim of another Rancher server that keeps the state records; nothing was changed then.
    pub kept_by_another: Option<Claim>,
    /// Names that are delegated to other name servers, although some of ours are at or below them.
    pub delegated: Vec<Name>,
    /// Weighted record sets that have another TTL than desired, since those of others have it.
    pub other_ttls: Vec<OtherTtl>,
    /// Whether something would have been taken over, if state records hadn't been written all the time
    /// that the zone was looked at.
    pub takeover_waits: bool,
    /// Whether the round stopped early, before its last batch.
    pub is_cut: bool,
    /// Number of owned record sets.
    pub owned: usize,
    /// The same by type, in the order of [`RecordType::PUBLISHED`].
    pub owned_by_type: [usize; RecordType::PUBLISHED.len()],
    /// That of which all desired record sets are in the zone and owned.
    pub in_zone: Arc<BTreeSet<Member>>,
    /// That of which a record set in the zone has another TTL or other values than desired.
    pub outdated: Arc<BTreeSet<Member>>,
}
