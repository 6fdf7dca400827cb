//! The look at the zone before a plan: makes the listings that [`Look`] asks for.

use super::Reconciler;
use crate::base::log;
use crate::desired::name_template::environment_name;
use crate::plan::blocked::blocked_state_records;
use crate::plan::look::{Look, Step};
use crate::plan::round::Goal;
use crate::plan::state_records::StateNames;
use crate::plan::view::ZoneView;
use crate::plan::{Adopt, AdoptSetting, Plan, PlanSettings, Policy, plan};
use crate::reconcile::listing::CachedZone;
use crate::reconcile::settings::ReconcilerSettings;
use crate::route53::error::Error;

impl Reconciler {
    /// The zone, listed if need be, and the plan for it.
    pub(super) fn look(
        &mut self,
        goal: Goal<'_>,
        names: &StateNames,
    ) -> Result<(CachedZone, Plan), Error> {
        let is_due = std::mem::take(&mut self.is_due);
        let known = self.view.take().filter(|known| known.view.names == *names);
        let known_view = known.as_ref().map(|known| &known.view);
        let desired = goal.desired.record_sets.keys();
        let (mut look, mut step) = Look::begin(known_view, is_due, desired);
        let mut zone = match (known, look) {
            (Some(known), Look::Known) => known,
            (Some(known), _) => known.for_listing(),
            (None, _) => CachedZone::new(names.clone()),
        };
        let below = environment_name(goal.environment, &self.settings.rules.zone);
        let ours = self.settings.owner.claim(goal.environment);
        let mut plan = Plan::default();
        loop {
            let (client, zone_id) = (&mut self.client, &self.settings.zone_id);
            step = match step {
                Step::ListStateRecords => {
                    let change = zone.list_state_records(client, zone_id)?;
                    let is_kept_by_another = zone.view.state.claim_of_another(&ours).is_some();
                    look.after_state_records(change, is_kept_by_another)
                }
                Step::ListRest => {
                    zone.list_rest(client, zone_id, below.as_ref(), goal.desired)?;
                    Step::Plan
                }
                Step::Plan => {
                    plan = match zone.is_settled(goal.desired) {
                        true => Plan::default(),
                        false => self.plan(&zone.view, goal, self.settings.policy),
                    };
                    let was_known = look == Look::Known;
                    let next = look.after_plan(&plan);
                    if was_known && next != Step::Apply {
                        zone = zone.for_listing();
                    }
                    next
                }
                Step::ApplyWithoutTakeover => {
                    log::info(
                        "nothing is taken over in this round, since state records were written all \
                         the time that the zone was looked at",
                        &[],
                    );
                    plan.put_off_takeover(&zone.view.zone, &zone.view.state);
                    Step::Apply
                }
                Step::Apply => return Ok((zone, plan)),
            }
        }
    }

    /// The plan for what is known of the zone.
    pub(super) fn plan(&self, view: &ZoneView, goal: Goal<'_>, policy: Policy) -> Plan {
        self.settings.plan(view, goal, policy)
    }
}

impl ReconcilerSettings {
    /// The plan for what is known of the zone, with this `POLICY`.
    pub fn plan(&self, view: &ZoneView, goal: Goal<'_>, policy: Policy) -> Plan {
        let ReconcilerSettings {
            rules,
            adopt,
            owner,
            ..
        } = self;
        let adopt = match adopt {
            AdoptSetting::Never => Adopt::Never,
            AdoptSetting::Matching => Adopt::Matching,
            AdoptSetting::Legacy => match environment_name(goal.environment, &rules.zone) {
                Some(below) => Adopt::Legacy {
                    below,
                    ttl: rules.ttl,
                },
                None => Adopt::Never,
            },
        };
        let settings = PlanSettings {
            policy,
            adopt: &adopt,
            claim: &owner.claim(goal.environment),
            gives_up: owner.gives_up,
        };
        let desired = &goal.desired.record_sets;
        let mut plan = plan(desired, &view.zone, &view.state, settings);
        let blocked = blocked_state_records(&view.zone, &view.names);
        if plan.kept_by_another.is_none() {
            for conflict in blocked {
                let conflicts = &mut plan.conflicts;
                let place = conflicts.partition_point(|known| known.key < conflict.key);
                conflicts.insert(place, conflict);
            }
        }
        plan
    }
}
