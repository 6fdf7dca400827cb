//! Arguments → command → exit code: 0 done or told to stop, 1 it ran and failed, 2 a setting or
//! argument is wrong.

pub mod adopt;
pub mod check;
pub mod context;
pub mod help;
pub mod once;
pub mod plan;
pub mod plan_output;
pub mod purge;
pub mod terminal;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Mutex;

use crate::base::heartbeat::Heartbeat;
use crate::base::log::{self, Level, Log};
use crate::base::shutdown::{self, Gate};
use crate::base::version::{commit, version};
use crate::config::Config;
use crate::config::arguments::{self, Arguments, Command};
use crate::daemon;
use crate::observe::server;
use crate::observe::telemetry::Telemetry;

const FAILED: u8 = 1;
const USAGE: u8 = 2;

/// The whole program. `arguments` are without the program's name.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Result<Vec<String>, OsString> =
        arguments.into_iter().map(OsString::into_string).collect();
    let parsed = arguments
        .map_err(|argument| format!("{argument:?} isn't Unicode"))
        .and_then(arguments::parse);
    match parsed {
        Ok(Arguments {
            command: Command::Help,
            ..
        }) => {
            terminal::say(format_args!("{}", help::help()));
            ExitCode::SUCCESS
        }
        Ok(Arguments {
            command: Command::Version,
            ..
        }) => {
            let version = version(commit());
            terminal::say(format_args!("rancher-route53 {version}\n"));
            ExitCode::SUCCESS
        }
        Ok(arguments) => match Config::read(&variable, &arguments) {
            Ok(config) => start(&arguments, config),
            Err(error) => wrong(&error),
        },
        Err(error) => wrong(&error),
    }
}

fn wrong(error: &dyn std::fmt::Display) -> ExitCode {
    terminal::complain(format_args!("{error}"));
    ExitCode::from(USAGE)
}

/// An environment variable: one that isn't Unicode is an error, not absent.
fn variable(name: &str) -> Option<Result<String, String>> {
    let value = std::env::var_os(name)?;
    Some(
        value
            .into_string()
            .map_err(|_| "the value isn't Unicode".to_owned()),
    )
}

fn start(arguments: &Arguments, mut config: Config) -> ExitCode {
    let command = arguments.command;
    let is_lasting = matches!(command, Command::Run | Command::Once);
    // To people the others tell themselves what happens.
    let is_told = !is_lasting && std::io::stderr().is_terminal();
    log::start(Log {
        level: match config.log_level {
            Level::Info if is_told => Level::Warn,
            level => level,
        },
        format: config.log_format,
        file: config.log_file.take().map(Mutex::new),
    });
    for doubt in &config.doubts {
        log::warn("a setting may be wrong", &[("error", doubt)]);
    }
    let gate = Gate::default();
    let telemetry = Telemetry::new(config.rules.zone.clone(), Heartbeat::start());
    let ready = shutdown::on_signal(gate.clone())
        .map_err(|error| format!("signals can't be handled: {error}"))
        .and_then(|()| match command {
            Command::Run => server::start(&config.health, &telemetry),
            _ => Ok(()),
        });
    let done = |()| ExitCode::SUCCESS;
    let result = ready.and_then(|()| match command {
        Command::Once => once::once(&config, arguments, gate, telemetry).map(done),
        Command::Plan => plan::plan(&config, arguments, gate, telemetry),
        Command::Check => check::check(&config, gate, telemetry).map(done),
        Command::Purge => purge::purge(&config, arguments, gate, telemetry).map(done),
        Command::Adopt => adopt::adopt(&config, arguments, gate, telemetry).map(done),
        Command::Run | Command::Help | Command::Version => {
            daemon::run(&config, gate, telemetry).map(|never| match never {})
        }
    });
    match result {
        Ok(code) => code,
        Err(error) if is_lasting => {
            // Rounds of `once` may fail for what goes away by itself.
            let message = match command {
                Command::Once => "stopping: not all is done",
                _ => "stopping: this has to be mended",
            };
            log::error(message, &[("error", &error)]);
            ExitCode::from(FAILED)
        }
        Err(error) => {
            terminal::complain(format_args!("{}", terminal::shown(&error)));
            ExitCode::from(FAILED)
        }
    }
}
