//! The command `plan`: what the next round would change, and why. Nothing is changed.

use std::process::ExitCode;

use super::context::Site;
use super::plan_output;
use super::terminal::{self, Failure, say};
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::reconciler;
use crate::observe::telemetry::Telemetry;

/// With `--detailed-exitcode`, as of Terraform: there is something to change.
const CHANGES: u8 = 2;

/// Prints the plan.
pub fn plan(
    config: &Config,
    as_json: bool,
    detailed_exitcode: bool,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<ExitCode, Failure> {
    let Site {
        client,
        survey,
        zone,
    } = Site::find(config, gate, &telemetry)?;
    let mut reconciler = reconciler(config, client, zone.id.clone(), &telemetry);
    let preview = reconciler.preview(survey.goal());
    let preview = preview.map_err(|error| error.to_string())?;
    match as_json {
        true => say(format_args!(
            "{:#}\n",
            plan_output::value(&zone, &survey, &preview)
        ))?,
        false => {
            let colours = terminal::has_colours();
            let text = plan_output::text(&zone, &survey, &preview, colours);
            say(format_args!("{text}"))?;
        }
    }
    Ok(match detailed_exitcode && !preview.plan.is_empty() {
        true => ExitCode::from(CHANGES),
        false => ExitCode::SUCCESS,
    })
}
