//! Parses the command line into a command with its flags. The flags `-debug`, `-log` and `-provider`
//! are there because existing catalog entries pass them. Every flag may have one dash or two.

use std::ffi::OsString;

use crate::rancher::model::ServiceKey;

/// A command with its own flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// Print the commands, flags and settings.
    Help,
    /// Print the version of the program.
    Version,
    /// Keep the zone equal to the services until told to stop.
    Run,
    /// Make the zone equal to the services once.
    Once {
        /// `--wait`: end when all of Route 53's name servers have the changes.
        wait: bool,
    },
    /// Show what a round would change.
    Plan {
        /// `--json`: print JSON instead of text.
        json: bool,
        /// `--detailed-exitcode`: exit code 2 if there is something to change, and 1 for every error.
        detailed_exitcode: bool,
        /// `STACK/SERVICE`: explain this service alone.
        service: Option<ServiceKey>,
    },
    /// Check each thing that a round depends on.
    Check,
    /// Print the least IAM policy.
    Policy(PolicyFor),
    /// Take over existing record sets.
    Adopt {
        /// `--yes`: don't ask for confirmation.
        yes: bool,
        /// `--deletes=N`: how many of them the next round may delete.
        deletes: Option<usize>,
        /// `--owner=ID`: take over what the state records of this owner list.
        owner: Option<String>,
    },
    /// Delete every record set that this program owns.
    Purge {
        /// `--yes`: don't ask for confirmation.
        yes: bool,
    },
}

/// Whose IAM policy is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyFor {
    /// That of the credentials that call Route 53.
    Route53 {
        /// `--wait`: for `once --wait`, too.
        wait: bool,
        /// `--owner=ID`: for `adopt --owner=ID`, too.
        owner: Option<String>,
    },
    /// `--assume-role`: that of the credentials that assume the role of `ROUTE53_ASSUME_ROLE_ARN`.
    AssumeRole,
}

/// The parsed command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// [`Invocation::Run`] if there is no command.
    pub invocation: Invocation,
    /// `-debug`: the log level is debug, whatever `LOG_LEVEL` says.
    pub debug: bool,
    /// `-log=FILE`: the log goes to this file.
    pub log_file: Option<String>,
}

/// The names of the commands, each with the names of its own flags.
const COMMANDS: [(&str, &[&str]); 7] = [
    ("run", &[]),
    ("once", &["wait"]),
    ("plan", &["json", "detailed-exitcode"]),
    ("check", &[]),
    ("policy", &["wait", "owner", "assume-role"]),
    ("purge", &["yes"]),
    ("adopt", &["yes", "deletes", "owner"]),
];

/// Longest id of an owner. With it, the name of every state record has a valid first label.
const MAX_OWNER_ID: usize = 40;

/// Parses the arguments, which don't include the program's name.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Arguments, String> {
    let mut flags: Vec<&str> = Vec::new();
    let (mut debug, mut log_file) = (false, None);
    let mut values = Values::default();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        let Some(flag) = argument.strip_prefix('-') else {
            values.add_word(&argument)?;
            continue;
        };
        let flag = flag.strip_prefix('-').unwrap_or(flag);
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        let mut value = || {
            let value = value.clone().or_else(|| rest.next());
            value.ok_or_else(|| format!("{argument:?} takes a value: {}", with_value(name)))
        };
        let ends_parsing = match name {
            "help" | "h" => Some(Invocation::Help),
            "version" | "V" => Some(Invocation::Version),
            _ => None,
        };
        if let Some(invocation) = ends_parsing {
            return Ok(Arguments {
                invocation,
                debug,
                log_file,
            });
        }
        match name {
            "debug" if flag == "debug" || flag == "debug=true" => debug = true,
            "debug" if flag == "debug=false" => debug = false,
            "log" => log_file = Some(value()?).filter(|path| !path.is_empty()),
            "owner" => {
                let text = value()?;
                let id = owner_id(&text).map_err(|error| format!("--owner: {text:?}: {error}"))?;
                values.owner = Some(id);
                flags.push("owner");
            }
            "deletes" => {
                values.deletes = Some(number(&value()?)?);
                flags.push("deletes");
            }
            "provider" => match value()?.as_str() {
                "route53" => {}
                other => return Err(format!("-provider={other:?}: there is only route53")),
            },
            _ => flags.push(flag_of_a_command(flag, &argument)?),
        }
    }
    Ok(Arguments {
        invocation: invocation(&flags, values)?,
        debug,
        log_file,
    })
}

/// The command, and what it takes besides flags that are only a word.
#[derive(Default)]
struct Values {
    command: Option<&'static str>,
    service: Option<ServiceKey>,
    deletes: Option<usize>,
    owner: Option<String>,
}

impl Values {
    /// Takes an argument that is no flag.
    fn add_word(&mut self, argument: &str) -> Result<(), String> {
        match self.command {
            None => self.command = Some(command_of(argument)?),
            Some("plan") if self.service.is_none() => self.service = Some(service(argument)?),
            Some("plan") => return Err(format!("{argument:?}: plan takes one service")),
            Some(_) => return Err(format!("{argument:?}: there is a command already")),
        }
        Ok(())
    }
}

/// How a flag that takes a value is written.
fn with_value(flag: &str) -> &'static str {
    match flag {
        "owner" => "--owner=ID",
        "deletes" => "--deletes=N",
        "log" => "-log=FILE",
        _ => "-provider=route53",
    }
}

/// Reads how many deletes may follow.
fn number(text: &str) -> Result<usize, String> {
    let number = text.parse();
    number.map_err(|_| format!("--deletes: {text:?}: it takes a whole number, 0 or more"))
}

/// Reads `STACK/SERVICE`.
fn service(text: &str) -> Result<ServiceKey, String> {
    match text.split_once('/') {
        Some((stack, service)) if !stack.is_empty() && !service.is_empty() => Ok(ServiceKey {
            stack: stack.to_owned(),
            service: service.to_owned(),
        }),
        _ => Err(format!(
            "{text:?} is no STACK/SERVICE: say which stack, as in shop/web"
        )),
    }
}

/// Whether the arguments, right or wrong, have the flag `--detailed-exitcode`. Its exit code 2 means
/// something else than a wrong argument or setting does.
pub fn asks_for_detailed_exitcode(arguments: &[OsString]) -> bool {
    let mut readable = arguments.iter().filter_map(|argument| argument.to_str());
    readable.any(|argument| {
        argument.starts_with('-') && argument.trim_start_matches('-') == "detailed-exitcode"
    })
}

/// Reads the id of an owner, which becomes part of a name: `external-dns-<id>.<zone>`.
pub fn owner_id(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_id = (1..=MAX_OWNER_ID).contains(&text.len())
        && text.chars().all(is_plain)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if !is_id {
        return Err(format!(
            "no id: an id has at most {MAX_OWNER_ID} letters, digits, '-' and '_', and begins with a \
             letter or digit"
        ));
    }
    let number = text.rsplit_once('-').map(|(_, number)| number);
    if number.is_some_and(|number| number.parse::<u16>().is_ok()) {
        return Err(
            "it ends in a number, as further state records of another id do: add a letter"
                .to_owned(),
        );
    }
    Ok(text.to_owned())
}

fn command_of(argument: &str) -> Result<&'static str, String> {
    let known = COMMANDS.iter().find(|(name, _)| *name == argument);
    known.map(|(name, _)| *name).ok_or_else(|| {
        let names: Vec<&str> = COMMANDS.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        format!("{argument:?} is no command; there are {names}")
    })
}

fn flag_of_a_command(flag: &str, argument: &str) -> Result<&'static str, String> {
    let mut all = COMMANDS.iter().flat_map(|(_, flags)| *flags);
    all.find(|known| **known == flag).copied().ok_or_else(|| {
        format!(
            "{argument:?} is no flag; there are -debug, -log=FILE, -provider=route53, --wait, \
             --json, --detailed-exitcode, --yes, --deletes=N, --owner=ID, --assume-role, --help and --version"
        )
    })
}

fn invocation(flags: &[&str], values: Values) -> Result<Invocation, String> {
    let Values {
        command,
        service,
        deletes,
        owner,
    } = values;
    let command = command.unwrap_or("run");
    for flag in flags {
        let owners = COMMANDS.iter().filter(|(_, own)| own.contains(flag));
        let owners: Vec<&str> = owners.map(|(name, _)| *name).collect();
        if !owners.contains(&command) {
            return Err(format!("--{flag} belongs to {}", owners.join(" and ")));
        }
    }
    let has = |flag| flags.contains(&flag);
    Ok(match command {
        "once" => Invocation::Once { wait: has("wait") },
        "plan" => Invocation::Plan {
            json: has("json"),
            detailed_exitcode: has("detailed-exitcode"),
            service,
        },
        "check" => Invocation::Check,
        "policy" => Invocation::Policy(match (has("assume-role"), has("wait"), owner) {
            (true, false, None) => PolicyFor::AssumeRole,
            (true, ..) => return Err("--assume-role goes with no other flag".to_owned()),
            (false, wait, owner) => PolicyFor::Route53 { wait, owner },
        }),
        "adopt" if deletes.is_some() && !has("yes") => {
            return Err("--deletes goes with --yes".to_owned());
        }
        "adopt" => Invocation::Adopt {
            yes: has("yes"),
            deletes,
            owner,
        },
        "purge" => Invocation::Purge { yes: has("yes") },
        _ => Invocation::Run,
    })
}

#[cfg(test)]
mod tests;
