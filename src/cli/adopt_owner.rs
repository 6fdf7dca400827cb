//! The command `adopt --owner`: takes over what the state records of another owner list, or, if
//! the owner is this environment's own, the state records themselves from another Rancher server.
//!
//! It only moves entries between state records. The record sets stay as they are until the next
//! round.

use super::context::CommandContext;
use super::plan_output::place;
use super::takeover::{self, Consent, FROM_THEN_ON};
use super::terminal::{Failure, nothing_was_changed, record_sets, say};
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::reconciler;
use crate::observe::telemetry::Telemetry;

/// Shows which entries would be moved, asks, and moves them.
pub fn adopt(
    config: &Config,
    owner_id: &str,
    consent: Consent,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<(), Failure> {
    let CommandContext {
        client,
        reading,
        zone,
    } = CommandContext::load(config, gate, &telemetry)?;
    let head = place(&zone, &reading);
    let mut reconciler = reconciler(config, client, zone.id, &telemetry);
    let handover = reconciler.handover(reading.goal(), owner_id);
    let handover = handover.map_err(|error| error.to_string())?;
    let Some(next) = &handover.next else {
        say(format_args!(
            "{head}\n\nNothing of {owner_id} to take over.\n"
        ))?;
        return Ok(());
    };
    let taken = takeover::describe(&mut handover.keys.iter(), &reading, next);
    let count = record_sets(handover.keys.len());
    let stays = match handover.left {
        0 => String::new(),
        1 => ", 1 stays with it".to_owned(),
        left => format!(", {left} stay with it"),
    };
    let outlook = taken.outlook(next, config.resync_interval);
    let stop = match consent.is_given {
        true => "Stop",
        false => "Before you say yes: stop",
    };
    let shown = say(format_args!(
        "{head}\n\n{}\n{count} of {owner_id} to take over{stays}. {FROM_THEN_ON}\n{outlook}{stop} what \
         has kept them until now, or give it an OWNER_ID of its own.\n",
        taken.list
    ));
    shown.map_err(nothing_was_changed)?;
    taken.confirm(consent)?;
    for batch in &handover.batches {
        let applied = reconciler.apply(batch);
        applied.map_err(|error| format!("{error}; run it again to go on from here"))?;
    }
    let shown = say(format_args!("{count} taken over.\n"));
    shown.map_err(|error| format!("{count} taken over, but {error}"))?;
    Ok(())
}
