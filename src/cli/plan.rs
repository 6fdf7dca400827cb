//! The command `plan`: what the next round would change, and why, of all services or of one. Nothing is
//! changed.

use std::process::ExitCode;

use super::context::CommandContext;
use super::service_output::{ServiceReport, unknown};
use super::terminal::{self, Failure, say};
use super::{plan_json, plan_output};
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::reconciler;
use crate::observe::telemetry::Telemetry;
use crate::rancher::model::ServiceKey;

/// Exit code for 'there is something to change' with `--detailed-exitcode`, as Terraform has it.
const CHANGES: u8 = 2;

/// The flags of the command.
#[derive(Debug, Clone, Copy)]
pub struct PlanFlags {
    /// `--json`.
    pub json: bool,
    /// `--detailed-exitcode`.
    pub detailed_exitcode: bool,
}

/// Prints the plan, or what it means for one service and why.
pub fn plan(
    config: &Config,
    service: Option<&ServiceKey>,
    flags: PlanFlags,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<ExitCode, Failure> {
    let CommandContext {
        client,
        reading,
        zone,
    } = CommandContext::load_for(config, service, gate, &telemetry)?;
    if let Some(key) = service.filter(|key| !reading.desired.services.contains_key(key)) {
        return Err(Failure::Usage(unknown(key, &reading)));
    }
    let mut reconciler = reconciler(config, client, zone.id.clone(), &telemetry);
    let preview = reconciler.preview(reading.goal());
    let preview = preview.map_err(|error| error.to_string())?;
    let report = service.and_then(|key| ServiceReport::new(key, &zone, &reading, &preview));
    if flags.json {
        let json = match &report {
            Some(report) => report.json(),
            None => plan_json::json(&zone, &reading, &preview),
        };
        say(format_args!("{json:#}\n"))?;
    } else {
        let text = match &report {
            Some(report) => report.text(),
            None => plan_output::text(&zone, &reading, &preview, terminal::has_colours()),
        };
        say(format_args!("{text}"))?;
    }
    let has_changes = match &report {
        Some(report) => report.has_changes(),
        None => !preview.plan.is_empty(),
    };
    Ok(if flags.detailed_exitcode && has_changes {
        ExitCode::from(CHANGES)
    } else {
        ExitCode::SUCCESS
    })
}
