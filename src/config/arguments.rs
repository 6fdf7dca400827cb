//! Parses the command line into a command with its flags. The flags `-debug`, `-log` and `-provider`
//! are there because existing catalog entries pass them. Every flag may have one dash or two.

use std::ffi::OsString;

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
    },
    /// Check each thing that a round depends on.
    Check,
    /// Print the least IAM policy.
    Policy(PolicyFor),
    /// Take over existing record sets.
    Adopt {
        /// `--yes`: don't ask for confirmation.
        yes: bool,
        /// `--owner ID`: take over what the state records of this owner list.
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
        /// `--owner ID`: for `adopt --owner ID`, too.
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
    ("adopt", &["yes", "owner"]),
];

/// Longest id of an owner. With it, the name of every state record has a valid first label.
const MAX_OWNER_ID: usize = 40;

/// Parses the arguments, which don't include the program's name.
pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Arguments, String> {
    let mut command = None;
    let mut flags: Vec<&str> = Vec::new();
    let (mut debug, mut log_file, mut owner) = (false, None, None);
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        let Some(flag) = argument.strip_prefix('-') else {
            if command.is_some() {
                return Err(format!("{argument:?}: there is a command already"));
            }
            command = Some(command_of(&argument)?);
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
                owner = Some(owner_id(&value()?).map_err(|error| format!("--owner: {error}"))?);
                flags.push("owner");
            }
            "provider" => match value()?.as_str() {
                "route53" => {}
                other => return Err(format!("-provider={other:?}: there is only route53")),
            },
            _ => flags.push(flag_of_a_command(flag, &argument)?),
        }
    }
    Ok(Arguments {
        invocation: invocation(command.unwrap_or("run"), &flags, owner)?,
        debug,
        log_file,
    })
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
            "{text:?} is no id; it takes at most {MAX_OWNER_ID} letters, digits, '-' and '_', and \
             begins with a letter or digit"
        ));
    }
    let number = text.rsplit_once('-').map(|(_, number)| number);
    if number.is_some_and(|number| number.parse::<u16>().is_ok()) {
        return Err(format!(
            "{text:?} ends in a number, as further state records of another id do: add a letter"
        ));
    }
    Ok(text.to_ascii_lowercase())
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
             --json, --detailed-exitcode, --yes, --owner=ID, --assume-role, --help and --version"
        )
    })
}

fn invocation(command: &str, flags: &[&str], owner: Option<String>) -> Result<Invocation, String> {
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
        },
        "check" => Invocation::Check,
        "policy" => Invocation::Policy(match (has("assume-role"), has("wait"), owner) {
            (true, false, None) => PolicyFor::AssumeRole,
            (true, ..) => return Err("--assume-role goes with no other flag".to_owned()),
            (false, wait, owner) => PolicyFor::Route53 { wait, owner },
        }),
        "adopt" => Invocation::Adopt {
            yes: has("yes"),
            owner,
        },
        "purge" => Invocation::Purge { yes: has("yes") },
        _ => Invocation::Run,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    fn read(line: &str) -> Result<Arguments, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_what_catalog_entries_pass() {
        for (line, debug, log_file) in [
            ("", false, None),
            ("-provider=route53", false, None),
            ("--provider route53 run", false, None),
            ("-debug=false", false, None),
            ("-debug -provider=route53", true, None),
            ("-log=/x.log", false, Some("/x.log")),
            ("--log /x.log", false, Some("/x.log")),
        ] {
            let expected = Arguments {
                invocation: Invocation::Run,
                debug,
                log_file: log_file.map(str::to_owned),
            };
            assert_eq!(read(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn reads_each_command_with_its_flags() {
        let plan = |json, detailed_exitcode| Invocation::Plan {
            json,
            detailed_exitcode,
        };
        let adopt = |yes, owner: Option<&str>| Invocation::Adopt {
            yes,
            owner: owner.map(str::to_owned),
        };
        let policy = |wait, owner: Option<&str>| {
            let owner = owner.map(str::to_owned);
            Invocation::Policy(PolicyFor::Route53 { wait, owner })
        };
        for (line, invocation, debug) in [
            ("once --debug", Invocation::Once { wait: false }, true),
            ("once --wait", Invocation::Once { wait: true }, false),
            ("plan", plan(false, false), false),
            ("plan --json", plan(true, false), false),
            ("plan --json -detailed-exitcode", plan(true, true), false),
            ("check", Invocation::Check, false),
            ("policy", policy(false, None), false),
            ("policy --wait", policy(true, None), false),
            (
                "policy --owner Berlin",
                policy(false, Some("berlin")),
                false,
            ),
            (
                "policy -assume-role",
                Invocation::Policy(PolicyFor::AssumeRole),
                false,
            ),
            ("--yes purge", Invocation::Purge { yes: true }, false),
            ("adopt", adopt(false, None), false),
            (
                "adopt --owner=adminProject",
                adopt(false, Some("adminproject")),
                false,
            ),
            (
                "adopt -owner berlin --yes",
                adopt(true, Some("berlin")),
                false,
            ),
            ("--help", Invocation::Help, false),
            ("-debug plan -h", Invocation::Help, true),
            ("-version", Invocation::Version, false),
        ] {
            let expected = Arguments {
                invocation,
                debug,
                log_file: None,
            };
            assert_eq!(read(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn ids_of_owners_name_state_records_that_no_other_id_names() {
        for (text, id) in [
            ("adminProject", Some("adminproject")),
            (
                "1a726b88-f6b1-4c11-9ea4-8d4a36b0c1d2",
                Some("1a726b88-f6b1-4c11-9ea4-8d4a36b0c1d2"),
            ),
            ("berlin_2", Some("berlin_2")),
            ("berlin-99999", Some("berlin-99999")),
            ("berlin-2", None),
            ("", None),
            ("-berlin", None),
            ("a.b", None),
            ("é", None),
            (&"x".repeat(41), None),
        ] {
            assert_eq!(owner_id(text).ok().as_deref(), id, "{text}");
        }
    }

    #[test]
    fn a_detailed_exit_code_is_asked_for_also_where_something_else_is_wrong() {
        for (line, expected) in [
            ("plan --detailed-exitcode", true),
            ("plan -detailed-exitcode --what", true),
            ("--detailed-exitcode", true),
            ("plan", false),
            ("detailed-exitcode", false),
            ("plan --detailed-exitcodes", false),
        ] {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(asks_for_detailed_exitcode(&arguments), expected, "{line}");
        }
        let unreadable = OsString::from_vec(vec![0xff]);
        assert!(asks_for_detailed_exitcode(&[
            unreadable,
            "--detailed-exitcode".into()
        ]));
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
            ("run --wait", "--wait belongs to once and policy"),
            ("check --json", "--json belongs to plan"),
            ("purge --owner=x", "--owner belongs to policy and adopt"),
            ("policy --yes", "--yes belongs to purge and adopt"),
            ("policy --assume-role --wait", "goes with no other flag"),
            ("adopt --owner", "takes a value"),
            ("adopt --owner=a.b", "--owner: \"a.b\" is no id"),
        ] {
            let error = read(line).unwrap_err();
            assert!(error.contains(words), "{line}: {error}");
        }
    }
}
