//! The command `purge`: deletes every owned record set, and the state records.
//!
//! It is a round in which no record set is desired. If it is interrupted, the next one completes it.

use std::sync::Arc;

use super::context::CommandContext;
use super::plan_output::one_line;
use super::terminal::{Failure, confirm, nothing_was_changed, progress, record_sets, say, shown};
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::reconciler_settings;
use crate::desired::Desired;
use crate::observe::telemetry::Telemetry;
use crate::plan::guard::GuardSettings;
use crate::plan::round::{Goal, Preview};
use crate::plan::state_records::{Entry, StateRecord};
use crate::plan::{AdoptSetting, ClaimChange, Conflict, Policy};
use crate::reconcile::{OwnerSettings, Reconciler, ReconcilerSettings};

/// Shows what would be deleted, asks, and deletes it.
pub fn purge(
    config: &Config,
    is_confirmed: bool,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<(), Failure> {
    let CommandContext {
        client,
        reading,
        zone,
    } = CommandContext::load(config, gate, &telemetry)?;
    let usual = reconciler_settings(config, zone.id.clone());
    let settings = ReconcilerSettings {
        policy: Policy::Sync,
        adopt: AdoptSetting::Never,
        guard: GuardSettings::OFF, // this command is meant to delete everything
        owner: OwnerSettings {
            gives_up: true,
            ..usual.owner.clone()
        },
        ..usual
    };
    let mut reconciler = Reconciler::new(client, settings, telemetry);
    let nothing = Arc::new(Desired::default());
    let goal = Goal {
        desired: &nothing,
        ..reading.goal()
    };
    let preview = reconciler.preview(goal).map_err(|e| e.to_string())?;
    let list = list_of_deletes(&preview);
    if preview.batches == 0 {
        say(format_args!("{list}Nothing to remove.\n"))?;
        return Ok(check_nothing_remains(&preview)?);
    }
    let count = record_sets(preview.plan.deletes.len());
    let environment = shown(&reading.environment.name);
    let zone = zone.name.without_dot();
    let summary = say(format_args!(
        "{list}\n{count} of environment {environment} in {zone}, and the state records.\n\
         A service that still runs creates them again at its next resync: stop it right after this.\n"
    ));
    summary.map_err(nothing_was_changed)?;
    confirm("All of this is deleted.", is_confirmed, "--yes")?;
    let round = reconciler
        .round(goal, &mut progress)
        .map_err(|error| format!("{error}; run it again to go on from here"))?;
    if let Some(refused) = round.quarantined.first() {
        let words = format!("{} could not be deleted: {}", refused.key, refused.words);
        return Err(words.into());
    }
    check_nothing_remains(&preview)?;
    let shown = say(format_args!("{count} deleted, and the state records.\n"));
    shown.map_err(|error| format!("{count} deleted, and the state records, but {error}"))?;
    Ok(())
}

/// A line for each record set that would be deleted, and for each state record.
fn list_of_deletes(preview: &Preview) -> String {
    let sets = preview.plan.deletes.iter();
    let records = preview.state.records().iter();
    let conflicts = &preview.plan.conflicts;
    let is_needed = |record: &StateRecord| {
        let holds_only_the_claim = record.owned().next().is_none();
        let stays = holds_only_the_claim && preview.plan.claim != ClaimChange::Remove;
        stays || lists(record, conflicts)
    };
    let is_deleted = |record: &&StateRecord| !has_foreign_values(record) && !is_needed(record);
    let sets = sets.map(|set| format!("- {}\n", one_line(set)));
    let state_records = records.filter(is_deleted).map(|record| {
        let entries = record.owned().count();
        format!(
            "- {}: a state record with {entries} {}\n",
            record.set.key,
            if entries == 1 { "name" } else { "names" }
        )
    });
    sets.chain(state_records).collect()
}

/// Whether a state record also has values that this program didn't write. Such a record set isn't deleted; only
/// the values of this program are removed from it.
fn has_foreign_values(record: &StateRecord) -> bool {
    let mut entries = record.entries.iter();
    entries.any(|entry| matches!(entry, Entry::Foreign(_)))
}

/// Whether a state record lists a record set that is left alone. It stays, with that entry.
fn lists(record: &StateRecord, conflicts: &[Conflict]) -> bool {
    let mut keys = conflicts.iter().map(|conflict| &conflict.key);
    keys.any(|key| record.entries.contains(&Entry::Owned(key.clone())))
}

/// The error names a record set or state record that remains, and says why.
fn check_nothing_remains(Preview { plan, state, .. }: &Preview) -> Result<(), String> {
    if let Some(Conflict { key, reason, .. }) = plan.conflicts.first() {
        return Err(format!("{key} is left alone: {reason}, and run it again"));
    }
    let mut records = state.records().iter();
    match records.find(|record| has_foreign_values(record)) {
        None => Ok(()),
        Some(record) => Err(format!(
            "{} holds values that aren't ours: look at it and delete it",
            record.set.key.name
        )),
    }
}
