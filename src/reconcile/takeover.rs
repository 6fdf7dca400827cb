//! What the command `adopt --owner` would move, worked out from the zone's state records.

use std::collections::BTreeSet;

use super::Reconciler;
use crate::base::random;
use crate::dns::{ChangeBatch, RecordKey};
use crate::plan::batch::batches;
use crate::plan::guard::ApprovedPlan;
use crate::plan::handover::{Handover, write_all};
use crate::plan::round::{Goal, Progress};
use crate::plan::state_records::{StateNames, StateRecords};
use crate::plan::{ClaimChange, Plan};
use crate::reconcile::error::RoundError;
use crate::reconcile::listing::state_records;
use crate::reconcile::sending::Waiting;
use crate::route53::error::Error;

/// What is taken over from another owner.
#[derive(Debug)]
pub struct Takeover {
    /// Keys of the record sets.
    pub keys: BTreeSet<RecordKey>,
    /// How many record sets stay with the other owner.
    pub left: usize,
    /// The batches that do it, in this order.
    pub batches: Vec<ChangeBatch>,
}

impl Reconciler {
    /// What of the owner with this id can be taken over: what is desired or owned here, too. If
    /// the id is this environment's own, all of it, from another Rancher server.
    pub fn handover(&mut self, goal: Goal<'_>, owner_id: &str) -> Result<Takeover, RoundError> {
        let names = self.state_names(goal)?;
        let their_names = StateNames::new(owner_id, &self.rules().zone)
            .map_err(|error| RoundError::OwnerId(owner_id.to_owned(), error))?;
        let view = state_records(&mut self.client, &self.settings.zone_id, &names);
        let view = view.map_err(RoundError::Route53)?;
        let claim = self.settings.owner.claim(goal.environment);
        let random = random::bits();
        if their_names == names {
            let keys: BTreeSet<RecordKey> = view.state.owned().cloned().collect();
            let is_ours = view.state.claim_of_another(&claim).is_none();
            let plan = ApprovedPlan::of_entries(Plan {
                claim: match is_ours {
                    true => ClaimChange::Keep,
                    false => ClaimChange::Write(claim),
                },
                ..Plan::default()
            });
            let mut batches = batches(&plan, &view.state, &names, random);
            write_all(&mut batches, &view.state, random);
            return Ok(Takeover {
                keys,
                left: 0,
                batches,
            });
        }
        if let Some(other) = view.state.claim_of_another(&claim) {
            return Err(self.kept_by_another(goal, &names, other.clone()));
        }
        let theirs = StateRecords::read(&view.zone, &their_names);
        let wanted =
            |key: &&RecordKey| goal.desired.record_sets.contains_key(key) || view.state.owns(key);
        let keys: BTreeSet<RecordKey> = theirs.owned().filter(wanted).cloned().collect();
        let handover = Handover {
            theirs: &theirs,
            ours: &view.state,
            our_names: &names,
            claim: &claim,
            random,
        };
        Ok(Takeover {
            left: theirs.owned().len() - keys.len(),
            batches: handover.batches(&keys),
            keys,
        })
    }

    /// Sends one batch of a takeover.
    pub fn apply(&mut self, batch: &ChangeBatch) -> Result<(), Error> {
        let mut wait = Waiting {
            heartbeat: self.telemetry.heartbeat(),
            progress: Progress::new(0, 1),
            goes_on: &mut |_| true,
        };
        let zone_id = &self.settings.zone_id;
        let sent = self
            .sending
            .send(&mut self.client, zone_id, batch, &mut wait);
        sent.map(|_| ())
    }
}
