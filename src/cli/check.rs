//! The command `check`: each thing that a round depends on, in the order in which it is needed,
//! and what to do about what is missing. Nothing is changed.

use std::time::Duration;

use super::context::Survey;
use super::terminal::{Colour, Failure, coloured, has_colours, say, shown};
use crate::aws::credentials::provider::Identity;
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::Clients;
use crate::daemon::startup;
use crate::desired::name_template::environment_name;
use crate::dns::{ChangeBatch, Name, RecordKey, RecordSet, RecordType};
use crate::net::http::{Http, Request};
use crate::net::proxy::Proxies;
use crate::observe::server::ListenAddress;
use crate::observe::telemetry::Telemetry;
use crate::plan::state_records::StateNames;
use crate::reconcile::listing;
use crate::route53::client::Client;
use crate::route53::error::Error;
use crate::route53::xml::HostedZone;

/// How long Rancher's API may take to answer, for each of its calls.
const TIMEOUT: Duration = Duration::from_secs(10);
/// AWS refuses a signature that is five minutes off. Ours is corrected then, but a clock that is
/// wrong is worth a word.
const LARGEST_SKEW_SECONDS: i64 = 120;
/// How long a service on this machine may take to answer a health check, and the longest such
/// answer, in bytes.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
const LONGEST_PONG: u64 = 1024;
/// Nobody's name.
const PROBE: &str = "rancher-route53-check";

/// What came of looking at one thing.
enum Finding {
    /// In words.
    Good(String),
    /// What is wrong, and what to do.
    Bad(String),
    /// What it depends on is missing.
    Skipped(&'static str),
}

/// Looks at everything and prints a line for each. The error says that something is wrong.
pub fn check(config: &Config, gate: InFlightGate, telemetry: Telemetry) -> Result<(), Failure> {
    let mut bad = 0;
    let colours = has_colours();
    let mut tell = |what: &str, finding: Finding| {
        let (mark, colour, words) = match finding {
            Finding::Good(words) => ("✓", Colour::Green, words),
            Finding::Bad(words) => ("✗", Colour::Red, words),
            Finding::Skipped(missing) => ("–", Colour::Yellow, format!("needs {missing}")),
        };
        bad += usize::from(mark == "✗");
        let mark = coloured(mark, colour, colours);
        say(format_args!("{mark} {what:<11} {}\n", shown(&words)))
    };
    let Clients {
        mut metadata,
        api,
        mut client,
    } = Clients::new(config, gate, &telemetry.recorder);

    tell("settings", Finding::Good("complete".to_owned()))?;
    tell("health", finding(&health(config), Clone::clone))?;
    if let Some(ways) = config.ways() {
        let words = format!(
            "Route 53 is reached {}, Rancher's API {}",
            ways.route53, ways.rancher
        );
        tell("proxies", Finding::Good(words))?;
    }
    let survey = Survey::take(&mut metadata, config);
    tell(
        "metadata",
        finding(&survey, |_| format!("read at {}", metadata.url())),
    )?;
    let survey = survey.ok();
    tell(
        "environment",
        match &survey {
            Some(survey) => Finding::Good(in_words(survey)),
            None => Finding::Skipped("metadata"),
        },
    )?;
    let identity = client.identity();
    tell("credentials", finding(&identity, whose))?;
    let zone = match &identity {
        Ok(_) => Some(startup::zone_once(config, &mut client)),
        Err(_) => None,
    };
    tell("zone", needing("credentials", &zone, kind))?;
    let zone = zone.and_then(Result::ok);
    let site = survey.zip(zone);
    let what = "metadata and the zone";
    let listed = site
        .as_ref()
        .map(|(survey, zone)| list(&mut client, survey, zone));
    tell("list", needing(what, &listed, Clone::clone))?;
    let changed = site
        .as_ref()
        .map(|(survey, zone)| probe(&mut client, survey, zone));
    tell("change", needing(what, &changed, Clone::clone))?;
    let events = api.check(TIMEOUT).map_err(|error| error.to_string());
    tell(
        "rancher",
        finding(&events, |url| format!("takes events at {url}")),
    )?;
    let ahead = client
        .clock_is_ahead()
        .map(|ahead| clock(ahead.num_seconds()));
    tell(
        "clock",
        needing("an answer of Route 53", &ahead, Clone::clone),
    )?;
    match bad {
        0 => Ok(()),
        1 => Err("one thing is wrong".to_owned().into()),
        n => Err(format!("{n} things are wrong").into()),
    }
}

fn finding<T, E: ToString>(result: &Result<T, E>, words: impl Fn(&T) -> String) -> Finding {
    match result {
        Ok(value) => Finding::Good(words(value)),
        Err(error) => Finding::Bad(error.to_string()),
    }
}

fn needing<T>(
    what: &'static str,
    result: &Option<Result<T, String>>,
    words: impl Fn(&T) -> String,
) -> Finding {
    match result {
        Some(result) => finding(result, words),
        None => Finding::Skipped(what),
    }
}

fn in_words(survey: &Survey) -> String {
    let services = &survey.desired.services;
    let published = services.values().filter(|outcome| outcome.name.is_ok());
    format!(
        "{} ({}): {} of {} services are to be published, on {} hosts",
        survey.environment.name,
        survey.environment.uuid,
        published.count(),
        services.len(),
        survey.hosts
    )
}

fn whose(identity: &Identity) -> String {
    let Identity {
        access_key_id,
        source,
        arn,
    } = identity;
    match arn {
        Ok(arn) => format!("{arn}: {access_key_id}, from {source}"),
        Err(error) => format!("{access_key_id}, from {source}; whose it is isn't known: {error}"),
    }
}

fn kind(zone: &HostedZone) -> String {
    let kind = if zone.is_private { "private" } else { "public" };
    format!("{} ({}, {kind})", zone.name.without_dot(), zone.id)
}

/// Lists what a round would list.
fn list(client: &mut Client, survey: &Survey, zone: &HostedZone) -> Result<String, String> {
    let names = StateNames::new(&survey.environment.uuid, &zone.name).map_err(|e| e.to_string())?;
    let below = environment_name(&survey.environment, &zone.name);
    let view = listing::list(
        client,
        &zone.id,
        &names,
        below.as_ref(),
        &survey.desired,
        None,
    );
    let view = view.map_err(|error| error.to_string())?;
    let state = &view.state;
    Ok(format!(
        "{} record sets seen, {} are ours, in {} state records",
        view.zone.iter().count(),
        state.owned().len(),
        state.records().count()
    ))
}

/// Asks for a change that can't succeed: to delete what isn't there. Whoever may not change
/// anything is refused before that is noticed. It is made anew in the same batch, which fails
/// whole, so that both actions are asked for; and should it be there, it is what it was. A policy
/// may allow some names, actions and types only, so: below the environment's name, and of the
/// types that rounds write.
fn probe(client: &mut Client, survey: &Survey, zone: &HostedZone) -> Result<String, String> {
    let names = StateNames::new(&survey.environment.uuid, &zone.name).map_err(|e| e.to_string())?;
    let below = environment_name(&survey.environment, &zone.name);
    let below = below.unwrap_or_else(|| zone.name.clone());
    let name = below.child(PROBE).map_err(|error| error.to_string())?;
    let mut sets = vec![
        no_such(name.clone(), RecordType::A, "192.0.2.1"),
        no_such(names.name(u16::MAX), RecordType::Txt, "\"-\""),
    ];
    let mut desired = survey.desired.record_sets.keys();
    if desired.any(|key| key.rtype == RecordType::Aaaa) {
        sets.push(no_such(name, RecordType::Aaaa, "2001:db8::1"));
    }
    let batch = ChangeBatch {
        creates: sets.clone(),
        deletes: sets,
    };
    match client.change(&zone.id, &batch) {
        Err(Error::Refused(refusal)) if refusal.is_about_content() => {}
        Ok(_) => {}
        Err(error) => return Err(error.to_string()),
    }
    Ok(format!(
        "record sets at or below {} may be changed",
        below.without_dot()
    ))
}

fn no_such(name: Name, rtype: RecordType, value: &str) -> RecordSet {
    RecordSet {
        key: RecordKey::new(name, rtype),
        ttl: 0,
        values: [value.to_owned()].into(),
    }
}

/// Looks whether each address of `HEALTH_ADDRESS` is listened on by the service that runs here, or
/// could be.
fn health(config: &Config) -> Result<String, String> {
    let http = Http::new(&[], Proxies::default());
    let mut free = Vec::new();
    let mut answering = Vec::new();
    let mut wrong = Vec::new();
    for address in &config.health {
        match ping(&http, *address) {
            Some(Ping::Alive) => answering.push(address.to_string()),
            Some(Ping::Stuck(why)) => wrong.push(format!("{address}: the service is {why}")),
            None => match address.bind() {
                Ok(_) => free.push(address.to_string()),
                Err(error) => wrong.push(format!("{address}: {}", address.not_bound(&error))),
            },
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    let words = [
        (free, "can be listened on"),
        (answering, "answered by the running service"),
    ];
    let words: Vec<String> = words
        .iter()
        .filter(|(addresses, _)| !addresses.is_empty())
        .map(|(addresses, words)| format!("{} {words}", addresses.join(", ")))
        .collect();
    Ok(words.join("; "))
}

/// What a service of this program answers to a health check.
enum Ping {
    Alive,
    /// In its own words.
    Stuck(String),
}

/// Asks at an address. None if nobody answers, or somebody else.
fn ping(http: &Http, address: ListenAddress) -> Option<Ping> {
    let address = address.on_this_machine();
    if address.port() == 0 {
        return None; // the system chooses one then
    }
    let answer = http.send(&Request {
        method: "GET",
        url: &format!("http://{address}/ping"),
        headers: &[],
        body: &[],
        timeout: PING_TIMEOUT,
    });
    let answer = answer.ok()?;
    let status = answer.status;
    let body = answer.text(LONGEST_PONG).ok()?;
    match status {
        200 if body == "ok\n" => Some(Ping::Alive),
        503 if body.starts_with("stuck: ") => Some(Ping::Stuck(body.trim_end().to_owned())),
        _ => None,
    }
}

fn clock(ahead_seconds: i64) -> Result<String, String> {
    match ahead_seconds {
        s if s.abs() <= LARGEST_SKEW_SECONDS => Ok("right".to_owned()),
        s => Err(format!(
            "AWS's clock is {s} s ahead of this system's: set it, by NTP say"
        )),
    }
}
