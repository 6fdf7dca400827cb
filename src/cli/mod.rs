//! The command line: arguments go in, a command runs, and an exit code comes out. 0 means done or
//! told to stop, 1 that the command ran and failed, 2 that a setting or argument is wrong. With
//! `plan --detailed-exitcode`, 2 means that there is something to change, and every error is 1.

pub mod adopt;
pub mod adopt_owner;
pub mod check;
mod check_change;
mod check_health;
mod check_trust;
pub mod context;
pub mod help;
pub mod once;
pub mod plan;
mod plan_json;
pub mod plan_output;
pub mod policy;
pub mod purge;
mod search;
mod service_output;
mod service_record_sets;
mod takeover;
pub mod terminal;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use crate::base::heartbeat::Heartbeat;
use crate::base::log::{self, Level, Log};
use crate::base::shutdown::{self, InFlightGate};
use crate::base::text::{quoted, system_words};
use crate::base::version::{commit, version};
use crate::config::arguments::{self, Arguments, Invocation};
use crate::config::{self, Config};
use crate::daemon;
use crate::observe::server;
use crate::observe::telemetry::Telemetry;
use plan::PlanFlags;
use takeover::Consent;
use terminal::{Failure, MAX_FLUSH_WAIT};

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// Runs the whole program. The first argument isn't the program's name, but what follows it.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let gate = InFlightGate::default();
    // First of all, since later steps may block, such as opening a file that a setting names.
    let signals = shutdown::on_signal(gate.clone());
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let is_detailed = arguments::asks_for_detailed_exitcode(&arguments);
    let arguments: Result<Vec<String>, OsString> =
        arguments.into_iter().map(OsString::into_string).collect();
    let parsed = arguments
        .map_err(|argument| format!("{} isn't Unicode", quoted(&argument.to_string_lossy())))
        .and_then(arguments::parse);
    let code = match parsed {
        Ok(arguments) => invoke(&arguments, gate, signals),
        Err(error) => report_usage(&error),
    };
    let code = match code {
        Err(()) if is_detailed => ExitCode::from(FAILED),
        Err(()) => ExitCode::from(USAGE),
        Ok(code) => code,
    };
    log::flush(MAX_FLUSH_WAIT);
    code
}

fn show(text: &str) -> ExitCode {
    match terminal::say(format_args!("{text}")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report_failure(error.into()),
    }
}

fn report_failure(failure: Failure) -> ExitCode {
    match failure {
        Failure::Words(words) | Failure::Usage(words) => {
            terminal::complain(format_args!("{}", terminal::shown(&words)))
        }
        Failure::StdoutClosed => {}
    }
    ExitCode::from(FAILED)
}

/// Runs a command. An error if the settings are wrong, which has been said.
fn invoke(
    arguments: &Arguments,
    gate: InFlightGate,
    signals: io::Result<()>,
) -> Result<ExitCode, ()> {
    match &arguments.invocation {
        Invocation::Help => Ok(show(&help::help())),
        Invocation::Version => Ok(show(&format!("rancher-route53 {}\n", version(commit())))),
        invocation => match Config::read(&config::environment, arguments) {
            Ok(config) => start(invocation, config, gate, signals),
            Err(error) => report_usage(&error),
        },
    }
}

fn report_usage(error: &dyn std::fmt::Display) -> Result<ExitCode, ()> {
    terminal::complain(format_args!("{error}"));
    Err(())
}

fn start(
    invocation: &Invocation,
    mut config: Config,
    gate: InFlightGate,
    signals: io::Result<()>,
) -> Result<ExitCode, ()> {
    // Commands print their results, and lines of a log would only disturb there. LOG_LEVEL may be meant
    // for the service in whose container they run; only `once` does the same as that.
    let is_quiet = match invocation {
        Invocation::Run => false,
        Invocation::Once { .. } => !config.log.is_asked_for,
        _ => config.log.level > Level::Debug && config.log.file.is_none(),
    };
    let reports_by_log =
        matches!(invocation, Invocation::Run | Invocation::Once { .. }) && !is_quiet;
    log::start(Log {
        level: match is_quiet {
            true => Level::Error,
            false => config.log.level,
        },
        format: config.log.format,
        file: config.log.file.take(),
    });
    for doubt in &config.doubts {
        let message = "a setting may be wrong";
        match is_quiet {
            true => terminal::complain(format_args!("{message}: {}", terminal::shown(doubt))),
            false => log::warn(message, &[("error", doubt)]),
        }
    }
    let telemetry = Telemetry::new(config.rules.zone.clone(), Heartbeat::start());
    let ready = signals
        .map_err(|error| format!("signals can't be handled: {}", system_words(&error)))
        .and_then(|()| match invocation {
            Invocation::Run => server::start(&config.health, &config.health_hosts, &telemetry),
            _ => Ok(()),
        });
    let result = ready.map_err(Failure::from);
    let result = result.and_then(|()| command(invocation, &config, gate, telemetry));
    match result {
        Ok(code) => Ok(code),
        Err(Failure::Usage(words)) => report_usage(&terminal::shown(&words)),
        Err(Failure::Words(error)) if reports_by_log => {
            // What stops `once` may go away by itself; what stops `run` doesn't.
            let message = match invocation {
                Invocation::Once { .. } => "stopping: not all is done",
                _ => "stopping: this has to be mended",
            };
            log::error(message, &[("error", &error)]);
            Ok(ExitCode::from(FAILED))
        }
        Err(failure) => Ok(report_failure(failure)),
    }
}

/// Runs a command that needs the settings.
fn command(
    invocation: &Invocation,
    config: &Config,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<ExitCode, Failure> {
    let done = |()| ExitCode::SUCCESS;
    match invocation {
        Invocation::Once { wait } => once::once(config, *wait, gate, telemetry).map(done),
        Invocation::Plan {
            json,
            detailed_exitcode,
            service,
        } => {
            let flags = PlanFlags {
                json: *json,
                detailed_exitcode: *detailed_exitcode,
            };
            plan::plan(config, service.as_ref(), flags, gate, telemetry)
        }
        Invocation::Check => check::check(config, gate, telemetry).map(done),
        Invocation::Policy(wanted) => policy::policy(config, wanted, gate, &telemetry).map(done),
        Invocation::Purge { yes } => purge::purge(config, *yes, gate, telemetry).map(done),
        Invocation::Adopt {
            yes,
            deletes,
            owner,
        } => {
            let consent = Consent {
                is_given: *yes,
                deletes: *deletes,
            };
            match owner {
                None => adopt::adopt(config, consent, gate, telemetry).map(done),
                Some(id) => adopt_owner::adopt(config, id, consent, gate, telemetry).map(done),
            }
        }
        Invocation::Run => Ok(daemon::run(config, gate, telemetry).map(|never| match never {})?),
        // `invoke` has answered these before it read the settings.
        Invocation::Help | Invocation::Version => Ok(ExitCode::SUCCESS),
    }
}
