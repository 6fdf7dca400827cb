//! Arguments → command → exit code: 0 done or told to stop, 1 it ran and failed, 2 a setting or
//! argument is wrong.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Mutex;

use crate::config::arguments::{self, Arguments, Command};
use crate::config::{Config, table};
use crate::heartbeat::Heartbeat;
use crate::log::{self, Log};
use crate::shutdown::{self, Gate};
use crate::{daemon, health, once};

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
            print!("{}", help());
            ExitCode::SUCCESS
        }
        Ok(Arguments {
            command: Command::Version,
            ..
        }) => {
            println!("rancher-route53 {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(arguments) => match Config::read(&variable, &arguments) {
            Ok(config) => start(arguments.command, config),
            Err(error) => wrong(&error),
        },
        Err(error) => wrong(&error),
    }
}

fn wrong(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("{error}");
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

fn start(command: Command, mut config: Config) -> ExitCode {
    log::start(Log {
        level: config.log_level,
        format: config.log_format,
        file: config.log_file.take().map(Mutex::new),
    });
    let gate = Gate::default();
    let heartbeat = Heartbeat::start();
    let ready = shutdown::on_signal(gate.clone())
        .map_err(|error| format!("signals can't be handled: {error}"))
        .and_then(|()| match command {
            Command::Run => health::start(&config.health, &heartbeat),
            _ => Ok(()),
        });
    let result = ready.and_then(|()| match command {
        Command::Once => once::once(&config, gate, heartbeat),
        _ => daemon::run(&config, gate, heartbeat).map(|never| match never {}),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::error("stopping: this has to be mended", &[("error", &error)]);
            ExitCode::from(FAILED)
        }
    }
}

/// What `--help` prints.
fn help() -> String {
    let mut text = String::from(
        "Keeps an Amazon Route 53 hosted zone equal to the services of a Rancher 1.x environment.\n\n\
         rancher-route53 [run]   keep the zone until told to stop\n\
         rancher-route53 once    one round, then exit: 0 done, 1 failed\n\n\
         Flags: -debug, -log=FILE, -provider=route53, --help, --version\n\n\
         Settings are environment variables. Those marked * can also be read from the file that\n\
         NAME_FILE names. A blank one counts as not set.\n\n",
    );
    for setting in table::SETTINGS {
        let star = if setting.is_secret { "*" } else { "" };
        text += &format!("  {}{star}\n      {}\n", setting.name, setting.help);
        if !setting.default.is_empty() {
            text += &format!("      default: {}\n", setting.default);
        }
        if !setting.aliases.is_empty() {
            text += &format!("      also read: {}\n", setting.aliases.join(", "));
        }
    }
    text
}
