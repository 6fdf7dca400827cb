//! The command line: a command, and the few flags that existing catalog entries use, with one
//! dash or two.

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Keep the zone until told to stop.
    Run,
    /// One round.
    Once,
    /// Show what a round would change.
    Plan,
    /// Look at each thing that a round depends on.
    Check,
    /// Remove everything that is ours from the zone.
    Purge,
    /// Take over record sets that exist.
    Adopt,
    /// Print how to use the program.
    Help,
    /// Print its version.
    Version,
}

/// The command line, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// `run` if none is given.
    pub command: Command,
    /// `-debug`: sets the log level.
    pub debug: bool,
    /// `-log=FILE`: the log goes there.
    pub log_file: Option<String>,
    /// `--wait`: until Route 53 has told all its name servers.
    pub wait: bool,
    /// `--json`: for programs.
    pub json: bool,
    /// `--detailed-exitcode`: 2 if there is something to change.
    pub detailed_exitcode: bool,
    /// `--yes`: don't ask.
    pub yes: bool,
}

impl Default for Arguments {
    fn default() -> Arguments {
        Arguments {
            command: Command::Run,
            debug: false,
            log_file: None,
            wait: false,
            json: false,
            detailed_exitcode: false,
            yes: false,
        }
    }
}

/// The commands by name.
const COMMANDS: [(&str, Command); 6] = [
    ("run", Command::Run),
    ("once", Command::Once),
    ("plan", Command::Plan),
    ("check", Command::Check),
    ("purge", Command::Purge),
    ("adopt", Command::Adopt),
];

/// Flags of single commands.
const FLAGS: [(&str, &[Command]); 4] = [
    ("wait", &[Command::Once]),
    ("json", &[Command::Plan]),
    ("detailed-exitcode", &[Command::Plan]),
    ("yes", &[Command::Purge, Command::Adopt]),
];

/// Reads the arguments, without the program's name.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Arguments, String> {
    let mut parsed = Arguments::default();
    let mut has_command = false;
    let mut special: Vec<&str> = Vec::new();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        let Some(flag) = argument.strip_prefix('-') else {
            if has_command {
                return Err(format!("{argument:?}: there is a command already"));
            }
            has_command = true;
            let known = COMMANDS.iter().find(|(name, _)| *name == argument);
            let Some((_, command)) = known else {
                let names: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
                return Err(format!(
                    "{argument:?} is no command; there are {}",
                    names.join(", ")
                ));
            };
            parsed.command = *command;
            continue;
        };
        let flag = flag.strip_prefix('-').unwrap_or(flag);
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        let mut value = || {
            let value = value.clone().or_else(|| rest.next());
            value.ok_or_else(|| format!("{argument:?} takes a value, such as -{name}=…"))
        };
        match name {
            "help" | "h" => {
                return Ok(Arguments {
                    command: Command::Help,
                    ..parsed
                });
            }
            "version" | "V" => {
                return Ok(Arguments {
                    command: Command::Version,
                    ..parsed
                });
            }
            "debug" if flag == "debug" || flag == "debug=true" => parsed.debug = true,
            "debug" if flag == "debug=false" => parsed.debug = false,
            "log" => parsed.log_file = Some(value()?).filter(|path| !path.is_empty()),
            "provider" => match value()?.as_str() {
                "route53" => {}
                other => return Err(format!("-provider={other:?}: there is only route53")),
            },
            _ => match FLAGS.iter().find(|(known, _)| *known == flag) {
                Some((known, _)) => special.push(known),
                None => {
                    return Err(format!(
                        "{argument:?} is no flag; there are -debug, -log=FILE, \
                         -provider=route53, --wait, --json, --detailed-exitcode, --yes, --help \
                         and --version"
                    ));
                }
            },
        }
    }
    for (flag, commands) in FLAGS {
        if special.contains(&flag) && !commands.contains(&parsed.command) {
            let names = COMMANDS.iter().filter(|(_, c)| commands.contains(c));
            let names: Vec<&str> = names.map(|(name, _)| *name).collect();
            return Err(format!("--{flag} belongs to {}", names.join(" and ")));
        }
    }
    parsed.wait = special.contains(&"wait");
    parsed.json = special.contains(&"json");
    parsed.detailed_exitcode = special.contains(&"detailed-exitcode");
    parsed.yes = special.contains(&"yes");
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_what_catalog_entries_pass() {
        let run = Arguments::default();
        for (line, expected) in [
            ("", run.clone()),
            ("-provider=route53", run.clone()),
            ("--provider route53 run", run.clone()),
            ("-debug=false", run.clone()),
            (
                "-debug -provider=route53",
                Arguments {
                    debug: true,
                    ..run.clone()
                },
            ),
            (
                "-log=/x.log",
                Arguments {
                    log_file: Some("/x.log".into()),
                    ..run.clone()
                },
            ),
            (
                "--log /x.log",
                Arguments {
                    log_file: Some("/x.log".into()),
                    ..run.clone()
                },
            ),
            (
                "once --debug",
                Arguments {
                    command: Command::Once,
                    debug: true,
                    ..run.clone()
                },
            ),
            (
                "plan --json -detailed-exitcode",
                Arguments {
                    command: Command::Plan,
                    json: true,
                    detailed_exitcode: true,
                    ..run.clone()
                },
            ),
            (
                "--yes purge",
                Arguments {
                    command: Command::Purge,
                    yes: true,
                    ..run.clone()
                },
            ),
            (
                "once --wait",
                Arguments {
                    command: Command::Once,
                    wait: true,
                    ..run.clone()
                },
            ),
            (
                "--help",
                Arguments {
                    command: Command::Help,
                    ..run.clone()
                },
            ),
            (
                "-version",
                Arguments {
                    command: Command::Version,
                    ..run.clone()
                },
            ),
        ] {
            assert_eq!(read(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for (line, words) in [
            ("-provider=cloudflare", "only route53"),
            ("-provider", "takes a value"),
            ("dance", "no command"),
            ("run once", "command already"),
            ("--fast", "no flag"),
            ("-debug=perhaps", "no flag"),
            ("-", "no flag"),
            ("--yes", "--yes belongs to purge and adopt"),
            ("run --wait", "--wait belongs to once"),
            ("check --json", "--json belongs to plan"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(words), "{line}: {error}");
        }
    }
}
