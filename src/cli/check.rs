//! The command `check`: tries each thing that a round depends on, in the order in which it is needed,
//! and says what to do about those that don't work. It changes nothing.

use std::fmt;
use std::time::Duration;

use chrono::Utc;

use super::check_change::probe;
use super::check_health::health;
use super::check_trust::trust;
use super::context::MetadataReading;
use super::policy::permissions;
use super::terminal::{Colour, Failure, NotShown, coloured, has_colours, say, shown};
use crate::aws::credentials::provider::Identity;
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::{Clients, reconciler_settings};
use crate::daemon::startup;
use crate::desired::truncation_notice;
use crate::dns::Name;
use crate::observe::telemetry::Telemetry;
use crate::plan::delegation::{delegations, explain};
use crate::plan::permissions::Permissions;
use crate::plan::{Conflict, ConflictReason};
use crate::reconcile::ReconcilerSettings;
use crate::reconcile::error::RoundError;
use crate::reconcile::listing::CachedZone;
use crate::route53::client::Client;
use crate::route53::xml::HostedZone;

/// Time limit of each call of Rancher's API.
const TIMEOUT: Duration = Duration::from_secs(10);
/// AWS refuses a signature whose time is five minutes off. This program corrects its signatures
/// then, but an operator should know of a wrong clock.
const MAX_SKEW_SECONDS: i64 = 120;
/// How many names for the IAM policy are named.
const MAX_PATTERNS: usize = 23;
/// How many lines there are at most about services of which the same is odd.
const MAX_LINES: usize = 5;

/// The result of one check.
enum Finding {
    /// It works; the text says how.
    Good(String),
    /// It works, but not as somebody would expect; the text says why, and what to do.
    Doubtful(String),
    /// It doesn't work; the text says why, and what to do.
    Bad(String),
    /// It couldn't be checked, because this, which it needs, is missing.
    Skipped(&'static str),
}

/// Prints findings as they come, and counts the bad and the doubtful ones.
struct Report {
    bad: usize,
    doubtful: usize,
    has_colours: bool,
}

impl Report {
    fn add(&mut self, what: &str, finding: Finding) -> Result<(), NotShown> {
        let (mark, colour, words) = match finding {
            Finding::Good(words) => ("✓", Colour::Green, words),
            Finding::Doubtful(words) => {
                self.doubtful += 1;
                ("!", Colour::Yellow, words)
            }
            Finding::Bad(words) => {
                self.bad += 1;
                ("✗", Colour::Red, words)
            }
            Finding::Skipped(missing) => ("–", Colour::Yellow, format!("needs {missing}")),
        };
        let mark = coloured(mark, colour, self.has_colours);
        say(format_args!("{mark} {what:<11} {}\n", shown(&words)))
    }

    fn conclude(self) -> Result<(), Failure> {
        match self.bad {
            0 => {
                let words = match self.doubtful {
                    0 => "All is well.",
                    1 => "It works, but look at the line with !.",
                    _ => "It works, but look at the lines with !.",
                };
                Ok(say(format_args!("\n{words}\n"))?)
            }
            1 => Err("One thing is wrong.".to_owned().into()),
            n => Err(format!("{n} things are wrong.").into()),
        }
    }
}

/// Checks everything and prints a line for each thing. The error says how many are wrong.
pub fn check(config: &Config, gate: InFlightGate, telemetry: Telemetry) -> Result<(), Failure> {
    let mut report = Report {
        bad: 0,
        doubtful: 0,
        has_colours: has_colours(),
    };
    let Clients {
        mut metadata,
        api,
        mut client,
    } = Clients::new(config, gate, &telemetry.recorder);

    report.add("settings", Finding::Good("complete".to_owned()))?;
    report.add("health", finding(&health(config), Clone::clone))?;
    if let Some(routes) = config.routes() {
        let words = format!(
            "Route 53 is reached {}, Rancher's API {}",
            routes.route53, routes.rancher
        );
        report.add("proxies", Finding::Good(words))?;
    }
    let now = u64::try_from(Utc::now().timestamp()).unwrap_or_default();
    if let Some(trusted) = trust(config, now) {
        let trusted = trusted.map_or_else(Finding::Doubtful, Finding::Good);
        report.add("trust", trusted)?;
    }
    let reading = MetadataReading::read(&mut metadata, config);
    let read = finding(&reading, |_| format!("read at {}", metadata.url()));
    report.add("metadata", read)?;
    let reading = reading.ok();
    let environment = match &reading {
        Some(reading) => Finding::Good(environment(reading)),
        None => Finding::Skipped("metadata"),
    };
    report.add("environment", environment)?;
    for (what, lines) in reading.iter().flat_map(odd) {
        for words in lines {
            report.add(what, Finding::Doubtful(words))?;
        }
    }
    let permissions = reading.as_ref().map(|reading| permissions(config, reading));
    report.add(
        "names",
        finding_if_asked("metadata", &permissions, policy_names),
    )?;
    let permissions = permissions.and_then(Result::ok);
    check_route53(&mut report, config, &mut client, reading.zip(permissions))?;
    let events = match config.writes_back {
        true => match api.check(TIMEOUT) {
            Ok((url, None)) => Finding::Good(format!("takes events at {url}")),
            Ok((_, Some(doubt))) => Finding::Doubtful(doubt),
            Err(error) => Finding::Bad(error.to_string()),
        },
        false => Finding::Good("isn't needed: WRITE_BACK=false".to_owned()),
    };
    report.add("rancher", events)?;
    let skew = client.clock_is_ahead();
    let skew = skew.map(|skew| clock(skew.num_seconds()));
    let skew = finding_if_asked("an answer of Route 53", &skew, Clone::clone);
    report.add("clock", skew)?;
    report.conclude()
}

/// Checks the credentials, and what they allow: finding the zone, listing it and changing it.
fn check_route53(
    report: &mut Report,
    config: &Config,
    client: &mut Client,
    needed: Option<(MetadataReading, Permissions)>,
) -> Result<(), NotShown> {
    let identity = client.identity();
    let found = match &identity {
        Ok(identity) => describe_identity(identity),
        Err(error) => Finding::Bad(format!("{error} – {}", what_credentials_need(config))),
    };
    report.add("credentials", found)?;
    let zone = match identity {
        Ok(_) => Some(startup::zone_once(config, client)),
        Err(_) => None,
    };
    let found = finding_if_asked("credentials", &zone, describe_zone);
    report.add("zone", found)?;
    let context = needed.zip(zone.and_then(Result::ok));
    let needed = "metadata and the zone";
    let listed = context.as_ref().map(|((reading, permissions), zone)| {
        let settings = reconciler_settings(config, zone.id.clone());
        list(client, &settings, reading, permissions)
    });
    report.add(
        "list",
        finding_if_asked(needed, &listed, |listed| listed.words.clone()),
    )?;
    for name in listed.iter().flatten().flat_map(|listed| &listed.delegated) {
        report.add("delegation", Finding::Doubtful(explain(name)))?;
    }
    let conflicts = listed.iter().flatten().flat_map(|listed| &listed.conflicts);
    let (blocked, conflicts): (Vec<&Conflict>, Vec<&Conflict>) =
        conflicts.partition(|one| matches!(one.reason, ConflictReason::StateRecord { .. }));
    for Conflict { key, reason, .. } in blocked {
        report.add("state", Finding::Bad(format!("{key}: {reason}")))?;
    }
    let conflicts = conflicts.iter();
    let mut conflicts = conflicts.map(|one| (&one.key as _, one.reason.to_string()));
    for words in first_few(&mut conflicts) {
        report.add("conflict", Finding::Doubtful(words))?;
    }
    let changed = context
        .as_ref()
        .map(|((reading, permissions), zone)| probe(client, permissions, reading, &zone.id));
    report.add("change", finding_if_asked(needed, &changed, Clone::clone))
}

fn finding<T, E: ToString>(result: &Result<T, E>, words: impl Fn(&T) -> String) -> Finding {
    match result {
        Ok(value) => Finding::Good(words(value)),
        Err(error) => Finding::Bad(error.to_string()),
    }
}

/// The finding of a check that is skipped if `needed`, without which there is no result, is missing.
fn finding_if_asked<T>(
    needed: &'static str,
    result: &Option<Result<T, String>>,
    words: impl Fn(&T) -> String,
) -> Finding {
    match result {
        Some(result) => finding(result, words),
        None => Finding::Skipped(needed),
    }
}

fn environment(reading: &MetadataReading) -> String {
    let services = &reading.desired.services;
    let published = services.values().filter(|outcome| outcome.name.is_ok());
    let published = published.count();
    let others = match services.len() - published {
        0 => String::new(),
        1 => "; the command plan says why the other one isn't".to_owned(),
        n => format!("; the command plan says why the other {n} aren't"),
    };
    format!(
        "{} ({}): {published} of {} services {} to be published, on {} {}{others}",
        reading.environment.name,
        reading.environment.uuid,
        services.len(),
        if published == 1 { "is" } else { "are" },
        reading.hosts,
        if reading.hosts == 1 { "host" } else { "hosts" },
    )
}

/// Whose the credentials are. If STS refuses the keys they are bad. If it doesn't answer, doesn't allow
/// the question, or if they have expired and are renewed by themselves, they may be good.
fn describe_identity(identity: &Identity) -> Finding {
    let Identity {
        access_key_id,
        source,
        arn,
    } = identity;
    let key = format!("{access_key_id}, from {source}");
    match arn {
        Ok(arn) => Finding::Good(format!("{arn}: {key}")),
        Err(error) if error.needs_operator => Finding::Bad(format!(
            "{key}: {error} – check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and \
             AWS_SESSION_TOKEN, if they are temporary), or where the credentials come from"
        )),
        Err(error) => Finding::Doubtful(format!("{key}; whose it is isn't known: {error}")),
    }
}

/// What to do without credentials.
fn what_credentials_need(config: &Config) -> &'static str {
    match config.credentials.assume {
        Some(_) => {
            "correct that, or ROUTE53_ASSUME_ROLE_ARN; the command policy --assume-role prints what \
             the keys need that assume the role"
        }
        None => "correct that, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    }
}

/// What is odd about services, a line each: containers that don't count, what keeps a service from its
/// name, warnings, and addresses that don't fit.
fn odd(reading: &MetadataReading) -> [(&'static str, Vec<String>); 4] {
    let desired = &reading.desired;
    let containers = desired.skipped_containers();
    let mistakes = desired.misconfigured();
    let mut mistakes = mistakes.map(|(key, reason)| (key as _, format!("not published: {reason}")));
    let warned = desired.warned().flat_map(|(key, outcome)| {
        let warnings = outcome.warnings.iter();
        warnings.map(move |warning| (key as _, warning.to_string()))
    });
    let cut = desired.truncated.iter();
    [
        (
            "containers",
            first_few(&mut containers.map(|(key, skipped)| (key as _, skipped.to_string()))),
        ),
        ("labels", first_few(&mut mistakes)),
        ("labels", first_few(&mut { warned })),
        (
            "addresses",
            first_few(&mut cut.map(|(key, count)| (key as _, truncation_notice(*count)))),
        ),
    ]
}

/// The first few, a line each, and how many more there are.
fn first_few(all: &mut dyn Iterator<Item = (&dyn fmt::Display, String)>) -> Vec<String> {
    let first = all.take(MAX_LINES);
    let mut lines: Vec<String> = first.map(|(what, why)| format!("{what}: {why}")).collect();
    let more = all.count();
    if more > 0 {
        lines.push(format!("and {more} more: the command plan names all"));
    }
    lines
}

fn describe_zone(zone: &HostedZone) -> String {
    format!("{} ({}, {})", zone.name.without_dot(), zone.id, zone.kind())
}

/// What an IAM policy has to allow: the names as IAM compares them. The command `policy` prints them
/// all.
fn policy_names(permissions: &Permissions) -> String {
    let patterns = permissions.patterns();
    let named = &patterns[..patterns.len().min(MAX_PATTERNS)];
    let mut words = format!("for an IAM policy: {}", named.join(", "));
    if patterns.len() > MAX_PATTERNS {
        words += &format!(" and {} more", patterns.len() - MAX_PATTERNS);
    }
    words
}

/// What was seen of the zone.
struct Listing {
    /// How much it is.
    words: String,
    /// Names that are delegated to other name servers, although some of ours are at or below them.
    delegated: Vec<Name>,
    /// Record sets that can't be written, and state records that can't be read.
    conflicts: Vec<Conflict>,
}

/// Lists the record sets that a round would list. An error if another Rancher server keeps the state
/// records.
fn list(
    client: &mut Client,
    settings: &ReconcilerSettings,
    reading: &MetadataReading,
    permissions: &Permissions,
) -> Result<Listing, String> {
    let (owner, zone_id) = (&settings.owner, &settings.zone_id);
    let below = permissions.below.as_ref();
    let mut known = CachedZone::new(permissions.owner.clone());
    let mut listed = known.list_state_records(client, zone_id).map(|_| ());
    if listed.is_ok() {
        listed = known.list_rest(client, zone_id, below, &reading.desired);
    }
    listed.map_err(|error| error.to_string())?;
    let view = &known.view;
    let (names, state) = (&view.names, &view.state);
    let ours = owner.claim(&reading.environment);
    if let Some(theirs) = state.claim_of_another(&ours) {
        let error = RoundError::KeptByAnother {
            state_record: names.name(0),
            owner_id: owner.id(&reading.environment).to_owned(),
            ours,
            theirs: theirs.clone(),
        };
        return Err(error.to_string());
    }
    let words = format!(
        "{} record sets seen, {} are ours, in {} state records",
        view.zone.iter().count(),
        state.owned().len(),
        state.records().len()
    );
    let desired = &reading.desired.record_sets;
    Ok(Listing {
        words,
        delegated: delegations(&view.zone, names.zone(), below, desired),
        conflicts: settings
            .plan(view, reading.goal(), settings.policy)
            .conflicts,
    })
}

fn clock(ahead_seconds: i64) -> Result<String, String> {
    match ahead_seconds {
        s if s.abs() <= MAX_SKEW_SECONDS => Ok("right".to_owned()),
        s => Err(format!(
            "AWS's clock is {s} s ahead of this system's: set this system's, by NTP say"
        )),
    }
}
