//! The command `adopt --owner`: takes over what the state records of another owner list, or, if
//! the owner is this environment's own, the state records themselves from another Rancher server.
//!
//! It only moves entries between state records. The record sets stay as they are until the next
//! round.

use super::context::CommandContext;
use super::terminal::{Failure, confirm, nothing_was_changed, record_sets, say};
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::reconciler;
use crate::observe::telemetry::Telemetry;

/// Shows which entries would be moved, asks, and moves them.
pub fn adopt(
    config: &Config,
    owner_id: &str,
    is_confirmed: bool,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<(), Failure> {
    let CommandContext {
        client,
        reading,
        zone,
    } = CommandContext::load(config, gate, &telemetry)?;
    let mut reconciler = reconciler(config, client, zone.id, &telemetry);
    let handover = reconciler.handover(reading.goal(), owner_id);
    let handover = handover.map_err(|error| error.to_string())?;
    let list: String = handover
        .keys
        .iter()
        .map(|key| format!("* {key}\n"))
        .collect();
    if handover.batches.is_empty() {
        say(format_args!("Nothing of {owner_id} to take over.\n"))?;
        return Ok(());
    }
    let count = record_sets(handover.keys.len());
    let stays = record_sets(handover.left);
    let shown = say(format_args!(
        "{list}\n{count} of {owner_id} to take over, from then on changed or deleted as services \
         ask; {stays} of {owner_id} stay with it.\nStop what has kept them until now, or give it \
         an OWNER_ID of its own first.\n"
    ));
    shown.map_err(nothing_was_changed)?;
    confirm("They are taken over.", is_confirmed)?;
    for batch in &handover.batches {
        let applied = reconciler.apply(batch);
        applied.map_err(|error| format!("{error}; run it again to go on from here"))?;
    }
    let shown = say(format_args!("{count} taken over.\n"));
    shown.map_err(|error| format!("{count} taken over, but {error}"))?;
    Ok(())
}
