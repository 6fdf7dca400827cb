//! The command `plan`: what the next round would change, and why. Nothing is changed.

use std::process::ExitCode;

use super::context::CommandContext;
use super::plan_output;
use super::terminal::{self, Failure, say};
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::reconciler;
use crate::observe::telemetry::Telemetry;

/// Exit code for 'there is something to change' with `--detailed-exitcode`, as Terraform has it.
const CHANGES: u8 = 2;

/// Prints the plan.
pub fn plan(
    config: &Config,
    as_json: bool,
    detailed_exitcode: bool,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<ExitCode, Failure> {
    let CommandContext {
        client,
        reading,
        zone,
    } = CommandContext::load(config, gate, &telemetry)?;
    let mut reconciler = reconciler(config, client, zone.id.clone(), &telemetry);
    let preview = reconciler.preview(reading.goal());
    let preview = preview.map_err(|error| error.to_string())?;
    if as_json {
        let json = plan_output::json(&zone, &reading, &preview);
        say(format_args!("{json:#}\n"))?;
    } else {
        let text = plan_output::text(&zone, &reading, &preview, terminal::has_colours());
        say(format_args!("{text}"))?;
    }
    Ok(if detailed_exitcode && !preview.plan.is_empty() {
        ExitCode::from(CHANGES)
    } else {
        ExitCode::SUCCESS
    })
}
