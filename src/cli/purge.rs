//! The command `purge`: removes every record set that is ours, and the state records.
//!
//! It is a round in which nothing is desired, so an interrupted one is finished by the next.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::context::Site;
use super::plan_output::one_line;
use super::terminal::{Failure, confirm, nothing_was_changed, progress, record_sets, say, shown};
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::desired::Desired;
use crate::dns::RecordSet;
use crate::observe::telemetry::Telemetry;
use crate::plan::AdoptSetting;
use crate::plan::Policy;
use crate::plan::guard::GuardSettings;
use crate::plan::round::Goal;
use crate::plan::state_records::{Entry, StateRecords};
use crate::reconcile::{Reconciler, ReconcilerSettings};

/// Shows what would go, asks, and removes it.
pub fn purge(
    config: &Config,
    is_confirmed: bool,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<(), Failure> {
    let Site {
        client,
        survey,
        zone,
    } = Site::find(config, gate, &telemetry)?;
    let settings = ReconcilerSettings {
        zone_id: zone.id.clone(),
        rules: config.rules.clone(),
        policy: Policy::Sync,
        adopt: AdoptSetting::Never,
        guard: GuardSettings {
            percent: 100, // whoever runs this wants all of it to go
            ..config.guard
        },
    };
    let mut reconciler = Reconciler::new(client, settings, telemetry);
    let nothing = Arc::new(Desired::default());
    let goal = Goal {
        desired: &nothing,
        ..survey.goal()
    };
    let preview = reconciler.preview(goal).map_err(|e| e.to_string())?;
    let sets = preview.plan.deletes.iter();
    let records = preview.state.records();
    let state_records = records.filter(|record| !holds_others(record));
    let mut list = String::new();
    for set in sets.chain(state_records.map(|(_, set, _)| set)) {
        list += &format!("- {}\n", one_line(set));
    }
    if preview.batches == 0 {
        say(format_args!("{list}Nothing to remove.\n"))?;
        return Ok(nothing_stays(&preview.state)?);
    }
    let count = record_sets(preview.plan.deletes.len());
    let environment = shown(&survey.environment.name);
    let zone = zone.name.without_dot();
    let told = say(format_args!(
        "{list}\n{count} of environment {environment} in {zone}, and the state records.\n\
         A service that still runs creates them again at its next resync: stop it right after this.\n"
    ));
    told.map_err(nothing_was_changed)?;
    if !confirm("All of this is deleted.", is_confirmed)? {
        return Err("nothing was changed".to_owned().into());
    }
    let round = reconciler
        .round(goal, &mut progress)
        .map_err(|error| format!("{error}; run it again to go on from here"))?;
    if let Some(refused) = round.quarantined.first() {
        let words = format!("{} could not be deleted: {}", refused.key, refused.words);
        return Err(words.into());
    }
    nothing_stays(&preview.state)?;
    let told = say(format_args!("{count} deleted, and the state records.\n"));
    told.map_err(|error| format!("{count} deleted, and the state records, but {error}"))?;
    Ok(())
}

/// A state record of which not all is ours stays, without what is.
fn holds_others((_, _, entries): &(u16, &RecordSet, &BTreeSet<Entry>)) -> bool {
    let mut entries = entries.iter();
    entries.any(|entry| matches!(entry, Entry::Foreign(_)))
}

/// What stays all the same, and why, is the error.
fn nothing_stays(state: &StateRecords) -> Result<(), String> {
    match state.records().find(holds_others) {
        None => Ok(()),
        Some((_, record, _)) => Err(format!(
            "{} holds values that aren't ours: look at it and delete it",
            record.key.name
        )),
    }
}
