//! The command `once`: makes one round, and writes the names of services back to Rancher.

use std::fmt;
use std::time::{Duration, Instant};

use super::context::MetadataReading;
use super::terminal::{self, Failure, complain, say};
use crate::base::backoff;
use crate::base::counters::Action;
use crate::base::heartbeat::Heartbeat;
use crate::base::log::{self, Level};
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::{Clients, reconciler};
use crate::daemon::problems::Reports;
use crate::daemon::startup;
use crate::daemon::writeback::{Missing, missing};
use crate::desired::Desired;
use crate::observe::telemetry::Telemetry;
use crate::plan::round::{Progress, Round};
use crate::rancher::api::{Api, ApiError};
use crate::rancher::model::ServiceKey;
use crate::reconcile::Reconciler;
use crate::reconcile::error::RoundError;
use crate::route53::error::Error;

/// How many times a failed write-back is tried again.
const RETRIES: u32 = 3;
/// How long `--wait` waits for Route 53's name servers, which usually have a change in a minute.
const MAX_SYNC_WAIT: Duration = Duration::from_secs(600);
/// Pause between two questions whether they have it.
const SYNC_POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Time limit of a write-back.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Makes the zone as the services ask, and writes the names back. Waits for deletes that the delete
/// guard holds back, and with `wait_for_sync` also for Route 53's name servers. Says what it did. The
/// error says what couldn't be done.
pub fn once(
    config: &Config,
    wait_for_sync: bool,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<(), Failure> {
    let Clients {
        mut metadata,
        api,
        mut client,
    } = Clients::new(config, gate, &telemetry.recorder);
    let mut reading = MetadataReading::read(&mut metadata, config)?;
    let zone = startup::zone_once(config, &mut client)?;
    let mut reconciler = reconciler(config, client, zone.id, &telemetry);
    let mut changes = Vec::new();
    let made = rounds(
        &mut reconciler,
        &mut reading,
        &mut changes,
        &telemetry,
        || MetadataReading::read(&mut metadata, config),
    );
    let round = match made {
        Ok(round) => round,
        Err(error) => {
            let changed = Changed(telemetry.status().counters.changes);
            if !changed.is_nothing() {
                say(format_args!("Record sets before it stopped: {changed}.\n"))?;
            }
            return Err(Failure::Words(error));
        }
    };
    let desired = &reading.desired;
    let missing = match config.writes_back {
        true => missing(desired, &round.in_zone),
        false => Vec::new(),
    };
    let (written, write_back_error) = write_back(api, &missing, telemetry.heartbeat());
    let synced = match wait_for_sync {
        true => await_sync(&mut reconciler, &changes, telemetry.heartbeat()),
        false => Ok(()),
    };
    log::info(
        "the round is done",
        &[
            ("record_sets", &desired.record_sets.len()),
            ("batches", &changes.len()),
            ("conflicts", &round.conflicts.len()),
            ("refused", &round.quarantined.len()),
        ],
    );
    let done = Done {
        changed: Changed(telemetry.status().counters.changes),
        batches: changes.len(),
        written,
        odd: odd(desired, &round),
    };
    let said = say(format_args!("{done}"));
    synced?;
    check_nothing_is_left(&round)?;
    if let Some(error) = write_back_error {
        return Err(Failure::Words(format!(
            "an fqdn could not be written back to Rancher: {error}"
        )));
    }
    Ok(said?)
}

/// Makes rounds until no deletes wait. `read` reads metadata anew after a wait.
fn rounds(
    reconciler: &mut Reconciler,
    reading: &mut MetadataReading,
    changes: &mut Vec<String>,
    telemetry: &Telemetry,
    mut read: impl FnMut() -> Result<MetadataReading, String>,
) -> Result<Round, String> {
    let mut reports = Reports::default();
    loop {
        reports.desired(&reading.desired);
        let mut round = reconciler
            .round(reading.goal(), &mut progress)
            .map_err(|error| error.to_string())?;
        reports.round(&round);
        changes.append(&mut round.batches);
        let Some(held) = &round.held else {
            return Ok(round);
        };
        // The log says so, too.
        if !log::is_written(Level::Info) {
            complain(format_args!("Waiting with deletes: {held}."));
        }
        let wait = held.until.saturating_duration_since(Instant::now());
        telemetry.heartbeat().sleep(wait);
        *reading = read()?;
    }
}

/// Numbers of changes to record sets, in the order of [`Action::ALL`].
struct Changed([u64; Action::ALL.len()]);

impl Changed {
    fn is_nothing(&self) -> bool {
        self.0 == [0; Action::ALL.len()]
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [created, changed, deleted] = self.0;
        write!(f, "{created} created, {changed} changed, {deleted} deleted")
    }
}

/// What was done, in sentences.
struct Done {
    changed: Changed,
    batches: usize,
    /// Names written back to Rancher.
    written: usize,
    /// How much there is to look at, in the order of [`ODD`].
    odd: [usize; ODD.len()],
}

/// What may be odd of a round.
const ODD: [&str; 4] = [
    "record sets left alone",
    "delegated names",
    "services with containers that don't count",
    "warnings",
];

/// How much of it there is, in the order of [`ODD`].
fn odd(desired: &Desired, round: &Round) -> [usize; ODD.len()] {
    [
        round.conflicts.len(),
        round.delegated.len(),
        desired.skipped_containers().count(),
        desired.misconfigured().count() + desired.warned().count() + desired.truncated.len(),
    ]
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Done {
            changed,
            batches,
            written,
            ..
        } = self;
        writeln!(
            f,
            "Record sets: {changed}. Change batches: {batches}. Names written back to Rancher: {written}."
        )?;
        let mut before = "To look at, with the command plan: ";
        for (what, count) in ODD.iter().zip(self.odd).filter(|(_, count)| *count > 0) {
            write!(f, "{before}{what}: {count}")?;
            before = ", ";
        }
        f.write_str(match self.odd.iter().any(|count| *count > 0) {
            true => ".\n",
            false => "",
        })
    }
}

/// The error names the first record set that Route 53 refuses, or says that a takeover waits.
fn check_nothing_is_left(round: &Round) -> Result<(), String> {
    let [first, rest @ ..] = &round.quarantined[..] else {
        let waits = RoundError::if_takeover_waits(round.takeover_waits);
        return waits.map_err(|error| error.to_string());
    };
    let more = match rest.len() {
        0 => String::new(),
        count => format!(" (and {count} more)"),
    };
    let (key, words) = (&first.key, &first.words);
    Err(format!("Route 53 refuses {key}{more}: {words}"))
}

/// Logs how many batches have been applied, if the round has several, and shows it on a terminal. Never
/// cancels the round.
fn progress(progress: Progress) -> bool {
    let Progress { done, total, .. } = progress;
    if total < 2 {
        return true;
    }
    if done > 0 && !progress.is_repeated {
        log::info("change batches applied", &[("done", &done), ("of", &total)]);
    }
    terminal::progress(progress)
}

/// Waits until all of Route 53's name servers have these changes, given by their ids.
fn await_sync(
    reconciler: &mut Reconciler,
    changes: &[String],
    heartbeat: &Heartbeat,
) -> Result<(), String> {
    let end = Instant::now() + MAX_SYNC_WAIT;
    let unknown = |error: Error| {
        format!(
            "the changes are made, but Route 53 doesn't say whether all its name servers know: \
             {error}"
        )
    };
    for id in changes {
        while !reconciler.is_in_sync(id).map_err(unknown)? {
            if Instant::now() > end {
                return Err(format!(
                    "Route 53 hasn't told all its name servers of change {id} within {} s",
                    MAX_SYNC_WAIT.as_secs()
                ));
            }
            heartbeat.sleep(SYNC_POLL_INTERVAL);
        }
    }
    log::info(
        "all name servers of Route 53 know",
        &[("changes", &changes.len())],
    );
    Ok(())
}

/// Writes names back to Rancher, each with a few retries, and returns how many it took, and the last
/// error. If Rancher stays unavailable, the remaining names aren't tried.
fn write_back(
    mut api: Api,
    names: &[(ServiceKey, Missing)],
    heartbeat: &Heartbeat,
) -> (usize, Option<ApiError>) {
    let (mut written, mut failure) = (0, None);
    for (key, Missing { name, .. }) in names {
        for attempt in 0..=RETRIES {
            match api.publish(key, name, TIMEOUT) {
                Ok(()) => {
                    written += 1;
                    break;
                }
                Err(ApiError::Unavailable(_)) if attempt < RETRIES => {
                    heartbeat.sleep(backoff::backoff(
                        attempt,
                        Duration::from_secs(1),
                        backoff::LONGEST,
                        backoff::random(),
                    ))
                }
                Err(error @ ApiError::Unavailable(_)) => return (written, Some(error)),
                Err(error @ ApiError::Refused(_)) => {
                    failure = Some(error);
                    break;
                }
            }
        }
    }
    (written, failure)
}
