//! The command `once`: one round, and the names written back.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::aws::retry;
use crate::config::Config;
use crate::desired::{Desired, ServiceKey};
use crate::dns::Name;
use crate::heartbeat::Heartbeat;
use crate::log;
use crate::parts::{Parts, parts, reconciler};
use crate::rancher::api::{Api, ApiError};
use crate::rancher::metadata::Metadata;
use crate::rancher::snapshot::Environment;
use crate::rancher::writeback::missing;
use crate::reconcile::Goal;
use crate::report::Reports;
use crate::shutdown::Gate;
use crate::{desired, startup};

/// How often a failed write-back is tried again.
const RETRIES: u32 = 3;
/// How long a write-back may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What is desired now is put into the zone and written back. Deletes that the guard holds are
/// waited for. The error says what couldn't be done.
pub fn once(config: &Config, gate: Gate, heartbeat: Heartbeat) -> Result<(), String> {
    let Parts {
        mut metadata,
        api,
        mut client,
    } = parts(config, gate, &heartbeat);
    let mut now = read(&mut metadata, config)?;
    let zone_id = startup::zone_id_once(config, &mut client)?;
    let mut reconciler = reconciler(config, client, zone_id, &heartbeat);
    let mut reports = Reports::default();
    let mut batches = 0;
    let round = loop {
        reports.desired(&now.desired);
        let round = reconciler
            .round(now.goal(), &mut || false)
            .map_err(|e| e.to_string())?;
        reports.round(&round);
        batches += round.batches;
        let Some(held) = &round.held else { break round };
        heartbeat.sleep(held.until.saturating_duration_since(Instant::now()));
        now = read(&mut metadata, config)?;
    };
    let desired = &now.desired;
    let failed = write_all(api, &missing(desired, &round.in_zone), &heartbeat);
    log::info(
        "the round is done",
        &[
            ("record_sets", &desired.record_sets.len()),
            ("batches", &batches),
            ("conflicts", &round.conflicts.len()),
            ("refused", &round.quarantined.len()),
        ],
    );
    if let [first, rest @ ..] = &round.quarantined[..] {
        let (key, words) = (&first.key, &first.words);
        let count = rest.len();
        return Err(format!(
            "Route 53 refuses {key} (and {count} other record sets): {words}"
        ));
    }
    failed.map_or(Ok(()), |error| {
        Err(format!(
            "an fqdn could not be written back to Rancher: {error}"
        ))
    })
}

/// What metadata says.
struct Now {
    environment: Environment,
    desired: Desired,
    read: Instant,
}

impl Now {
    fn goal(&self) -> Goal<'_> {
        Goal {
            environment: &self.environment,
            desired: &self.desired,
            read: self.read,
        }
    }
}

fn read(metadata: &mut Metadata, config: &Config) -> Result<Now, String> {
    let read = Instant::now();
    let version = metadata.version();
    let (_, snapshot) = version
        .and_then(|version| metadata.snapshot(version))
        .map_err(|error| format!("metadata at {} is unavailable: {error}", metadata.url()))?;
    Ok(Now {
        desired: desired::desired(&snapshot, &config.rules),
        environment: snapshot.environment,
        read,
    })
}

/// Writes names back, each a few times if need be; the last error if one couldn't be.
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
                    heartbeat.sleep(retry::backoff(
                        attempt,
                        Duration::from_secs(1),
                        retry::LONGEST,
                        retry::random(),
                    ))
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
    }
    failure
}
