//! What a round is asked for and what comes of it: plain data.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use crate::desired::Desired;
use crate::dns::{Name, Zone};
use crate::plan::guard::HeldDeletes;
use crate::plan::quarantine::Quarantined;
use crate::plan::state_records::StateRecords;
use crate::plan::{Conflict, Plan};
use crate::rancher::model::Environment;

/// What is to be in the zone, and since when that is known.
#[derive(Debug, Clone, Copy)]
pub struct Goal<'a> {
    /// Whose zone it is.
    pub environment: &'a Environment,
    /// What metadata asks for.
    pub desired: &'a Arc<Desired>,
    /// When metadata was read.
    pub read: Instant,
}

/// What a round would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// All of it, deletes that would have to wait included.
    pub plan: Plan,
    /// Deletes that would have to wait.
    pub held: Option<HeldDeletes>,
    /// Change batches that it takes, the waiting deletes not included.
    pub batches: usize,
    /// What is ours at present.
    pub state: StateRecords,
    /// What is in the zone, as far as it was listed.
    pub zone: Zone,
}

/// How far a round has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Batches that were applied.
    pub done: usize,
    /// Batches in all.
    pub of: usize,
}

/// What came of a round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Round {
    /// Ids of the change batches that were applied.
    pub batches: Vec<String>,
    /// Desired record sets that were left alone.
    pub conflicts: Vec<Conflict>,
    /// Record sets that Route 53 refuses to change as desired.
    pub quarantined: Vec<Quarantined>,
    /// Deletes that wait.
    pub held: Option<HeldDeletes>,
    /// It was ended early.
    pub is_cut: bool,
    /// Record sets that are ours.
    pub owned: usize,
    /// Names all of whose desired record sets are in the zone, and ours.
    pub in_zone: Arc<BTreeSet<Name>>,
    /// Names of which a record set that is in the zone says something else than is desired.
    pub outdated: Arc<BTreeSet<Name>>,
}
