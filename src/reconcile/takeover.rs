//! What the command `adopt --owner` would move, worked out from the zone's state records.

use std::collections::BTreeSet;

use super::Reconciler;
use crate::base::{random, sorted};
use crate::desired::name_template::environment_name;
use crate::dns::{ChangeBatch, RecordKey};
use crate::plan::batch::batches;
use crate::plan::guard::ApprovedPlan;
use crate::plan::handover::{Handover, write_all};
use crate::plan::round::{Goal, Preview, Progress};
use crate::plan::state_records::{StateNames, StateRecords};
use crate::plan::view::ZoneView;
use crate::plan::{ClaimChange, Plan, Policy};
use crate::reconcile::error::RoundError;
use crate::reconcile::listing::CachedZone;
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
    /// What the next round would do after them; none if there are none.
    pub next: Option<Preview>,
}

impl Reconciler {
    /// What of the owner with this id can be taken over: what is desired or owned here, too. If
    /// the id is this environment's own, all of it, from another Rancher server.
    pub fn handover(&mut self, goal: Goal<'_>, owner_id: &str) -> Result<Takeover, RoundError> {
        let names = self.state_names(goal)?;
        let their_names = StateNames::new(owner_id, &self.rules().zone)
            .map_err(|error| RoundError::OwnerId(owner_id.to_owned(), error))?;
        let mut known = CachedZone::new(names.clone());
        let (client, zone_id) = (&mut self.client, &self.settings.zone_id);
        let listed = known.list_state_records(client, zone_id);
        listed.map_err(RoundError::Route53)?;
        let view = &known.view;
        let claim = self.settings.owner.claim(goal.environment);
        let random = random::bits();
        if their_names == names {
            let keys = sorted::set(view.state.owned().cloned());
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
                next: self.after(&batches, known, goal)?,
                batches,
            });
        }
        if let Some(other) = view.state.claim_of_another(&claim) {
            return Err(self.kept_by_another(goal, &names, other.clone()));
        }
        let theirs = StateRecords::read(&view.zone, &their_names);
        let wanted =
            |key: &&RecordKey| goal.desired.record_sets.contains_key(key) || view.state.owns(key);
        let keys = sorted::set(theirs.owned().filter(wanted).cloned());
        let handover = Handover {
            theirs: &theirs,
            ours: &view.state,
            our_names: &names,
            claim: &claim,
            random,
        };
        let batches = handover.batches(&keys);
        Ok(Takeover {
            left: theirs.owned().len() - keys.len(),
            next: self.after(&batches, known, goal)?,
            batches,
            keys,
        })
    }

    /// What the next round would do after these batches; `known` are everybody's state records.
    fn after(
        &mut self,
        batches: &[ChangeBatch],
        mut known: CachedZone,
        goal: Goal<'_>,
    ) -> Result<Option<Preview>, RoundError> {
        if batches.is_empty() {
            return Ok(None);
        }
        batches.iter().for_each(|batch| known.apply(batch));
        let below = environment_name(goal.environment, &self.rules().zone);
        let (client, zone_id) = (&mut self.client, &self.settings.zone_id);
        let listed = known.list_rest(client, zone_id, below.as_ref(), goal.desired);
        listed.map_err(RoundError::Route53)?;
        Ok(Some(self.next_round(
            known.view,
            goal,
            self.settings.policy,
        )))
    }

    /// What the next round would do with this `POLICY`, after the adoptions of a preview.
    pub fn after_adoption(
        &self,
        preview: &Preview,
        goal: Goal<'_>,
        policy: Policy,
    ) -> Result<Preview, RoundError> {
        let names = self.state_names(goal)?;
        let entries = ApprovedPlan::of_entries(preview.plan.clone());
        let mut view = ZoneView::new(names);
        view.zone = preview.zone.clone();
        view.coverage = preview.coverage.clone();
        for batch in batches(&entries, &preview.state, &view.names, 0) {
            view.zone.apply(&batch);
        }
        Ok(self.next_round(view, goal, policy))
    }

    /// What a round would do with this `POLICY` in the zone that this view shows.
    fn next_round(&self, mut view: ZoneView, goal: Goal<'_>, policy: Policy) -> Preview {
        // Entries of others may have become ours.
        view.state = StateRecords::read(&view.zone, &view.names);
        let plan = self.plan(&view, goal, policy);
        self.preview_of(plan, &view, goal)
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
