//! The loop: wait → snapshot → desired → plan → apply → write back, on one thread.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::{Duration, Instant};

use crate::aws::credentials::provider::Provider;
use crate::aws::retry;
use crate::config::Config;
use crate::desired::{Desired, ServiceKey, desired};
use crate::dns::Name;
use crate::heartbeat::Heartbeat;
use crate::http::{Http, Proxy};
use crate::log;
use crate::pace::Pace;
use crate::rancher::api::{Api, ApiError};
use crate::rancher::metadata::{Metadata, Unavailable, Version};
use crate::rancher::snapshot::Environment;
use crate::rancher::writeback::{WriteBack, missing};
use crate::reconcile::Reconciler;
use crate::report::Reports;
use crate::route53::client::{Client, ClientSettings};
use crate::shutdown::Gate;
use crate::startup;

/// Ceilings of the wait after a round has failed: at first, and in the long run.
const FAILED_ROUND: Duration = Duration::from_secs(2);
const LONGEST_FAILED_ROUND: Duration = Duration::from_secs(60);
/// The interval between two listings of the zone varies by this much.
const RESYNC_SPREAD: f64 = 0.1;
/// With `once`, how often a failed write-back is tried again.
const ONCE_RETRIES: u32 = 3;
/// With `once`, how long a write-back may take.
const ONCE_TIMEOUT: Duration = Duration::from_secs(10);

/// What the loop works with.
struct Parts {
    metadata: Metadata,
    api: Api,
    client: Client,
}

fn parts(config: &Config, gate: Gate, heartbeat: &Heartbeat) -> Parts {
    let outside = Http::new(&config.certificates, Proxy::FromEnvironment);
    let inside = Http::new(&config.certificates, Proxy::None);
    let rancher = &config.rancher;
    let settings = ClientSettings {
        endpoint: config.route53_endpoint.clone(),
        signing_region: config.signing_region.clone(),
        max_retries: config.max_retries,
        request_rate: config.request_rate,
        change_rate: config.change_rate,
    };
    let credentials = Provider::new(config.credentials.clone(), outside.clone(), inside.clone());
    Parts {
        metadata: Metadata::new(inside, config.metadata_urls.clone()),
        api: Api::new(
            outside.clone(),
            rancher.url.clone(),
            &rancher.access_key,
            &rancher.secret_key,
        ),
        client: Client::new(settings, credentials, outside, gate, heartbeat.clone()),
    }
}

fn reconciler(
    config: &Config,
    client: Client,
    zone_id: String,
    heartbeat: &Heartbeat,
) -> Reconciler {
    let rules = config.rules.clone();
    Reconciler::new(
        client,
        zone_id,
        rules,
        config.policy,
        config.adopt,
        heartbeat.clone(),
    )
}

/// Keeps the zone until the process ends. The error is one that only an operator can mend.
pub fn run(config: &Config, gate: Gate, heartbeat: Heartbeat) -> Result<Infallible, String> {
    log::info(
        "starting",
        &[
            ("version", &env!("CARGO_PKG_VERSION")),
            ("zone", &config.rules.zone),
            ("route53", &config.route53_endpoint),
            ("rancher", &config.rancher.url),
        ],
    );
    let Parts {
        metadata,
        api,
        mut client,
    } = parts(config, gate, &heartbeat);
    let zone_id = startup::zone_id(config, &mut client, &heartbeat)?;
    let reconciler = reconciler(config, client, zone_id, &heartbeat);
    let mut daemon = Daemon::new(config, metadata, api, reconciler, heartbeat);
    loop {
        daemon.step();
    }
}

/// One round: what is desired now is put into the zone and written back.
pub fn once(config: &Config, gate: Gate, heartbeat: Heartbeat) -> Result<(), String> {
    let Parts {
        mut metadata,
        api,
        mut client,
    } = parts(config, gate, &heartbeat);
    let snapshot = metadata
        .version()
        .and_then(|version| metadata.snapshot(version));
    let (_, snapshot) = snapshot
        .map_err(|error| format!("metadata at {} is unavailable: {error}", metadata.url()))?;
    let zone_id = startup::zone_id_once(config, &mut client)?;
    let desired = desired(&snapshot, &config.rules);
    let mut reconciler = reconciler(config, client, zone_id, &heartbeat);
    let mut reports = Reports::default();
    reports.desired(&desired);
    let round = reconciler
        .round(&snapshot.environment, &desired)
        .map_err(|error| error.to_string())?;
    reports.round(&round);
    let failed = write_all(api, &missing(&desired, &round.in_zone), &heartbeat);
    log::info(
        "the round is done",
        &[
            ("record_sets", &desired.record_sets.len()),
            ("batches", &round.batches),
            ("conflicts", &round.conflicts.len()),
        ],
    );
    match failed {
        None => Ok(()),
        Some(error) => Err(format!(
            "an fqdn could not be written back to Rancher: {error}"
        )),
    }
}

/// Writes names back, each a few times if need be; the last error if one couldn't be.
fn write_all(
    mut api: Api,
    names: &BTreeMap<ServiceKey, Name>,
    heartbeat: &Heartbeat,
) -> Option<ApiError> {
    let mut failure = None;
    for (key, name) in names {
        for attempt in 0..=ONCE_RETRIES {
            match api.publish(key, name, ONCE_TIMEOUT) {
                Ok(()) => break,
                Err(ApiError::Unavailable(_)) if attempt < ONCE_RETRIES => {
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

/// What the loop remembers from step to step.
struct Daemon {
    metadata: Metadata,
    api: Api,
    reconciler: Reconciler,
    heartbeat: Heartbeat,
    resync_interval: Duration,
    pace: Pace,
    reports: Reports,
    /// What the last snapshot said.
    known: Option<Known>,
    /// When the zone is to be looked at next, although nothing has changed.
    next_round: Instant,
    /// Rounds that failed in succession.
    failed_rounds: u32,
    /// Names that the last round found in the zone.
    in_zone: BTreeSet<Name>,
    writeback: WriteBack,
}

struct Known {
    version: Version,
    environment: Environment,
    desired: Desired,
}

impl Daemon {
    fn new(
        config: &Config,
        metadata: Metadata,
        api: Api,
        reconciler: Reconciler,
        heartbeat: Heartbeat,
    ) -> Daemon {
        let now = Instant::now();
        Daemon {
            metadata,
            api,
            reconciler,
            heartbeat,
            resync_interval: config.resync_interval,
            pace: Pace::new(now),
            reports: Reports::default(),
            known: None,
            next_round: now,
            failed_rounds: 0,
            in_zone: BTreeSet::new(),
            writeback: WriteBack::new(now),
        }
    }

    /// Waits for something to do and does it: a change of metadata, a round that is due, or one
    /// write-back.
    fn step(&mut self) {
        self.heartbeat.beat();
        let write_back = self.writeback.next(Instant::now());
        let is_due = self.known.is_some() && self.next_round <= Instant::now();
        match self.poll(write_back.is_none() && !is_due) {
            Ok(is_changed) => {
                self.pace.succeeded();
                self.reports.metadata(None);
                if is_changed || self.next_round <= Instant::now() {
                    self.round();
                    return; // metadata may have changed meanwhile; names can wait
                }
            }
            Err(error) => {
                self.reports.metadata(Some((self.metadata.url(), &error)));
                self.heartbeat.sleep(self.pace.failed(retry::random()));
            }
        }
        if let Some((key, name, timeout)) = write_back {
            self.write_back(&key, &name, timeout);
        }
    }

    /// Asks metadata for a change, waiting for one if there is nothing else to do. True if
    /// something else is desired than before.
    fn poll(&mut self, may_wait: bool) -> Result<bool, Unavailable> {
        let now = Instant::now();
        let version = match &self.known {
            Some(known) if may_wait => {
                let next = self
                    .writeback
                    .due()
                    .map_or(self.next_round, |d| d.min(self.next_round));
                let wait = Pace::wait(Some(next), now);
                let version = self.metadata.wait(&known.version, wait)?;
                if version == known.version {
                    self.heartbeat.sleep(Pace::after_wait(wait, now.elapsed()));
                }
                version
            }
            Some(_) | None => self.metadata.version()?,
        };
        if self
            .known
            .as_ref()
            .is_some_and(|known| known.version == version)
        {
            return Ok(false);
        }
        let pause = self.pace.before_snapshot(Instant::now());
        if !pause.is_zero() && self.writeback.next(Instant::now()).is_some() {
            return Ok(false); // names are written back meanwhile; each is a new version
        }
        self.heartbeat.sleep(pause);
        let started = Instant::now();
        let snapshot = self.metadata.snapshot(version);
        self.pace.after_snapshot(started.elapsed(), Instant::now());
        let (version, snapshot) = snapshot?;
        let desired = desired(&snapshot, self.reconciler.rules());
        let known = Known {
            version,
            environment: snapshot.environment,
            desired,
        };
        let is_changed = self.known.as_ref().is_none_or(|old| {
            old.desired.record_sets != known.desired.record_sets
                || old.environment != known.environment
        });
        self.reports.desired(&known.desired);
        self.known = Some(known);
        self.want_write_backs();
        Ok(is_changed)
    }

    fn round(&mut self) {
        let Some(known) = &self.known else { return };
        let now = Instant::now();
        if self.next_round <= now {
            self.reconciler.forget();
        }
        let result = self.reconciler.round(&known.environment, &known.desired);
        let wait = match result {
            Ok(round) => {
                self.failed_rounds = 0;
                self.reports.round(&round);
                self.in_zone = round.in_zone;
                self.want_write_backs();
                // A round that only followed a change doesn't put the resync off.
                (self.next_round <= now)
                    .then(|| retry::spread(self.resync_interval, RESYNC_SPREAD, retry::random()))
            }
            Err(error) => {
                self.reports.failed(&error);
                let ceiling = LONGEST_FAILED_ROUND;
                let wait =
                    retry::backoff(self.failed_rounds, FAILED_ROUND, ceiling, retry::random());
                self.failed_rounds = self.failed_rounds.saturating_add(1);
                Some(wait)
            }
        };
        if let Some(wait) = wait {
            self.next_round = Instant::now() + wait;
        }
    }

    fn want_write_backs(&mut self) {
        if let Some(known) = &self.known {
            self.writeback
                .want(missing(&known.desired, &self.in_zone), Instant::now());
        }
    }

    fn write_back(&mut self, key: &ServiceKey, name: &Name, timeout: Duration) {
        let result = self.api.publish(key, name, timeout);
        let now = Instant::now();
        match &result {
            Ok(()) => {
                self.writeback.accepted(key, now);
                log::debug(
                    "fqdn sent to Rancher",
                    &[("service", &key), ("fqdn", &name.without_dot())],
                );
            }
            Err(ApiError::Refused(_)) => self.writeback.refused(key, now, retry::random()),
            Err(ApiError::Unavailable(_)) => self.writeback.unavailable(now, retry::random()),
        }
        self.reports.write_back(result.err().as_ref());
    }
}
