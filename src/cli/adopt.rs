//! The command `adopt`: takes over existing record sets, so that this program owns them from now on.
//!
//! It only writes their entries in the state records. The record sets themselves stay as they are
//! until the next round.

use std::sync::Arc;

use super::context::CommandContext;
use super::plan_output::{PlanText, place};
use super::search::Search;
use super::takeover::{self, Consent, FROM_THEN_ON};
use super::terminal::{Failure, nothing_was_changed, progress, record_sets, say};
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::reconciler_settings;
use crate::desired::Desired;
use crate::observe::telemetry::Telemetry;
use crate::plan::AdoptSetting;
use crate::plan::Policy;
use crate::plan::round::Goal;
use crate::reconcile::error::RoundError;
use crate::reconcile::{Reconciler, ReconcilerSettings};

/// Shows the record sets that would be taken over, asks, and takes them over. They are chosen by
/// `ADOPT`; `never` stands for `matching` here. With `legacy`, deletes may follow, which `--yes` alone
/// doesn't confirm.
pub fn adopt(
    config: &Config,
    consent: Consent,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<(), Failure> {
    let CommandContext {
        client,
        reading,
        zone,
    } = CommandContext::load(config, gate, &telemetry)?;
    let search = Search::new(config, &zone, &reading);
    let head = format!("{}{}\n\n", place(&zone, &reading), search.words());
    let settings = ReconcilerSettings {
        // No changes and no deletes, so that the plan shows adoptions alone.
        policy: Policy::CreateOnly,
        adopt: match config.adopt {
            AdoptSetting::Never => AdoptSetting::Matching,
            setting => setting,
        },
        ..reconciler_settings(config, zone.id)
    };
    let mut reconciler = Reconciler::new(client, settings, telemetry);
    let preview = reconciler.preview(reading.goal());
    let preview = preview.map_err(|error| error.to_string())?;
    // These record sets are desired as they are in the zone, so that the round writes only entries.
    let mut as_is = Desired::default();
    for key in &preview.plan.adopts {
        if let Some(set) = preview.zone.whole(key) {
            as_is.record_sets.insert(key.clone(), set.clone());
        }
    }
    let count = as_is.record_sets.len();
    let next = reconciler.after_adoption(&preview, reading.goal(), config.policy);
    let next = next.map_err(|error| error.to_string())?;
    let taken = takeover::describe(&mut as_is.record_sets.keys(), &reading, &next);
    let mut text = PlanText::new(head + &taken.list, false, &reading.desired);
    let conflicts = &preview.plan.conflicts;
    for conflict in conflicts {
        text.add_left_alone(&conflict.key, &search.reason(&conflict.reason));
    }
    text.out += &search.left_out(&preview);
    let list = text.out;
    if count == 0 {
        say(format_args!("{list}Nothing to take over.\n"))?;
        return Ok(());
    }
    let count = record_sets(count);
    let left_alone = match conflicts.len() {
        0 => String::new(),
        count => format!(", {count} left alone"),
    };
    let outlook = taken.outlook(&next, config.resync_interval);
    let shown = say(format_args!(
        "{list}\n{count} to take over{left_alone}. {FROM_THEN_ON}\n{outlook}"
    ));
    shown.map_err(nothing_was_changed)?;
    taken.confirm(consent)?;
    let goal = Goal {
        desired: &Arc::new(as_is),
        ..reading.goal()
    };
    let round = reconciler.round(goal, &mut progress);
    let taken = round.and_then(|round| RoundError::if_takeover_waits(round.takeover_waits));
    taken.map_err(|error| format!("{error}; run it again to go on from here"))?;
    let shown = say(format_args!("{count} taken over.\n"));
    shown.map_err(|error| format!("{count} taken over, but {error}"))?;
    Ok(())
}
