//! The command `purge`: removes every record set that is ours, and the state records.
//!
//! It is a round in which nothing is desired, so an interrupted one is finished by the next.

use super::diff::one_line;
use super::survey::Site;
use super::terminal::{confirm, progress, say, shown};
use crate::config::Config;
use crate::config::arguments::Arguments;
use crate::desired::Desired;
use crate::guard::GuardSettings;
use crate::plan::Policy;
use crate::reconcile::{AdoptSetting, Reconciler, ReconcilerSettings};
use crate::round::Goal;
use crate::shutdown::Gate;
use crate::telemetry::Telemetry;

/// Shows what would go, asks, and removes it.
pub fn purge(
    config: &Config,
    arguments: &Arguments,
    gate: Gate,
    telemetry: Telemetry,
) -> Result<(), String> {
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
    let nothing = Desired::default();
    let goal = Goal {
        desired: &nothing,
        ..survey.goal()
    };
    let preview = reconciler.preview(goal).map_err(|e| e.to_string())?;
    let sets = preview.plan.deletes.iter();
    let state_records = preview.state.records().map(|(_, set, _)| set);
    for set in sets.chain(state_records) {
        say(format_args!("- {}\n", one_line(set)));
    }
    let (count, environment) = (preview.plan.deletes.len(), shown(&survey.environment.name));
    let zone = zone.name.without_dot();
    say(format_args!(
        "\n{count} record sets of environment {environment} in {zone}, and the state records.\n"
    ));
    if preview.batches == 0 {
        say(format_args!("Nothing to remove.\n"));
        return Ok(());
    }
    say(format_args!(
        "A service that still runs creates them again at its next resync: stop it right after this.\n"
    ));
    if !confirm("All of this is deleted.", arguments.yes)? {
        return Err("nothing was changed".to_owned());
    }
    let round = reconciler
        .round(goal, &mut progress)
        .map_err(|error| format!("{error}; run it again to go on from here"))?;
    let left = reconciler.preview(goal).map_err(|e| e.to_string())?;
    if let Some((_, record, _)) = left.state.records().next() {
        return Err(format!(
            "{} holds values that aren't ours: look at it and delete it",
            record.key.name
        ));
    }
    if let Some(refused) = round.quarantined.first() {
        return Err(format!(
            "{} could not be deleted: {}",
            refused.key, refused.words
        ));
    }
    say(format_args!(
        "{count} record sets deleted, and the state records.\n"
    ));
    Ok(())
}
