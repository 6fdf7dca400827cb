//! The command `once`: one round, and the names written back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::context::Survey;
use crate::base::backoff;
use crate::base::heartbeat::Heartbeat;
use crate::base::log;
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::{Clients, reconciler};
use crate::daemon::problems::Reports;
use crate::daemon::startup;
use crate::daemon::writeback::missing;
use crate::dns::Name;
use crate::observe::telemetry::Telemetry;
use crate::plan::round::Progress;
use crate::rancher::api::{Api, ApiError};
use crate::rancher::model::ServiceKey;
use crate::reconcile::Reconciler;
use crate::route53::error::Error;

/// How often a failed write-back is tried again.
const RETRIES: u32 = 3;
/// With `--wait`: a change takes a minute usually.
const LONGEST_SYNC: Duration = Duration::from_secs(600);
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// How long a write-back may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is desired now is put into the zone and written back. Deletes that the guard holds are
/// waited for. The error says what couldn't be done.
pub fn once(
    config: &Config,
    until_in_sync: bool,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<(), String> {
    let Clients {
        mut metadata,
        api,
        mut client,
    } = Clients::new(config, gate, &telemetry.recorder);
    let mut survey = Survey::take(&mut metadata, config)?;
    let zone = startup::zone_once(config, &mut client)?;
    let mut reconciler = reconciler(config, client, zone.id, &telemetry);
    let mut reports = Reports::default();
    let mut changes = Vec::new();
    let round = loop {
        reports.desired(&survey.desired);
        let mut round = reconciler
            .round(survey.goal(), &mut progress)
            .map_err(|e| e.to_string())?;
        reports.round(&round);
        changes.append(&mut round.batches);
        let Some(held) = &round.held else { break round };
        telemetry
            .heartbeat()
            .sleep(held.until.saturating_duration_since(Instant::now()));
        survey = Survey::take(&mut metadata, config)?;
    };
    let desired = &survey.desired;
    let failed = write_all(
        api,
        &missing(desired, &round.in_zone),
        telemetry.heartbeat(),
    );
    if until_in_sync {
        wait(&mut reconciler, &changes, telemetry.heartbeat())?;
    }
    log::info(
        "the round is done",
        &[
            ("record_sets", &desired.record_sets.len()),
            ("batches", &changes.len()),
            ("conflicts", &round.conflicts.len()),
            ("refused", &round.quarantined.len()),
        ],
    );
    if let [first, rest @ ..] = &round.quarantined[..] {
        let more = match rest.len() {
            0 => String::new(),
            count => format!(" (and {count} more)"),
        };
        let (key, words) = (&first.key, &first.words);
        return Err(format!("Route 53 refuses {key}{more}: {words}"));
    }
    failed.map_or(Ok(()), |error| {
        Err(format!(
            "an fqdn could not be written back to Rancher: {error}"
        ))
    })
}

/// Says how far a round of several batches has come.
fn progress(Progress { done, total }: Progress) -> bool {
    if done > 0 && total > 1 {
        log::info("change batches applied", &[("done", &done), ("of", &total)]);
    }
    true
}

/// Waits until all of Route 53's name servers know of these changes.
fn wait(
    reconciler: &mut Reconciler,
    changes: &[String],
    heartbeat: &Heartbeat,
) -> Result<(), String> {
    let end = Instant::now() + LONGEST_SYNC;
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
                    LONGEST_SYNC.as_secs()
                ));
            }
            heartbeat.sleep(BETWEEN_LOOKS);
        }
    }
    log::info(
        "all name servers of Route 53 know",
        &[("changes", &changes.len())],
    );
    Ok(())
}

/// Writes names back, each a few times if need be; the last error if one couldn't be. While Rancher
/// takes none, the others aren't tried.
fn write_all(
    mut api: Api,
    names: &BTreeMap<ServiceKey, Name>,
    heartbeat: &Heartbeat,
) -> Option<ApiError> {
    let mut failure = None;
    for (key, name) in names {
        for attempt in 0..=RETRIES {
            match api.publish(key, name, TIMEOUT) {
                Ok(()) => break,
                Err(ApiError::Unavailable(_)) if attempt < RETRIES => {
                    heartbeat.sleep(backoff::backoff(
                        attempt,
                        Duration::from_secs(1),
                        backoff::LONGEST,
                        backoff::random(),
                    ))
                }
                Err(error @ ApiError::Unavailable(_)) => return Some(error),
                Err(error @ ApiError::Refused(_)) => {
                    failure = Some(error);
                    break;
                }
            }
        }
    }
    failure
}
