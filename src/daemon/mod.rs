//! The loop: wait → snapshot → desired → plan → apply → write back, on one thread.

pub mod clients;
pub mod daily_summary;
pub mod polling;
pub mod problems;
pub mod publish;
pub mod schedule;
pub mod snapshot;
pub mod startup;
pub mod writeback;
pub mod zone;

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;

use crate::base::backoff;
use crate::base::counters::RoundOutcome;
use crate::base::dependency::Dependency;
use crate::base::log;
use crate::base::shutdown::InFlightGate;
use crate::base::version::{commit, version};
use crate::config::Config;
use crate::daemon::clients::{Clients, reconciler};
use crate::daemon::daily_summary::Summary;
use crate::daemon::polling::Pace;
use crate::daemon::problems::Reports;
use crate::daemon::publish::publish;
use crate::daemon::schedule::Schedule;
use crate::daemon::snapshot::Snapshot;
use crate::daemon::startup::Read;
use crate::daemon::writeback::{WriteBack, missing};
use crate::daemon::zone::ZoneLookUp;
use crate::desired::Desired;
use crate::dns::Member;
use crate::observe::telemetry::Telemetry;
use crate::plan::Policy;
use crate::plan::round::{Goal, Progress, Round};
use crate::rancher::api::Api;
use crate::rancher::metadata::{Metadata, Unavailable, Version};
use crate::rancher::model::Environment;
use crate::reconcile::Reconciler;
use crate::reconcile::error::RoundError;

/// Shortest time between two questions for metadata's version during a round of many batches.
const BETWEEN_BATCHES: Duration = Duration::from_millis(500);
/// A snapshot that was taken longer ago, while the zone was looked up, is taken again.
const FRESH: Duration = Duration::from_secs(5);

/// Keeps the zone until the process ends. The error is one that only an operator can correct.
pub fn run(
    config: &Config,
    gate: InFlightGate,
    telemetry: Telemetry,
) -> Result<Infallible, String> {
    let version = version(commit());
    let mut fields: Vec<log::Field<'_>> = vec![
        ("version", &version),
        ("zone", &config.rules.zone),
        ("route53", &config.route53.endpoint),
        ("rancher", &config.rancher.url),
    ];
    let routes = config.routes();
    if let Some(routes) = &routes {
        fields.extend([
            ("route53_reached", &routes.route53 as _),
            ("rancher_reached", &routes.rancher as _),
        ]);
    }
    log::info("starting", &fields);
    let Clients {
        mut metadata,
        api,
        mut client,
    } = Clients::new(config, gate, &telemetry.recorder);
    let (zone_id, first) =
        startup::zone_id_and_metadata(config, &mut client, &mut metadata, &telemetry)?;
    telemetry.note(|status| {
        status.is_create_only = config.policy == Policy::CreateOnly;
        status.writes_back = config.writes_back;
    });
    let reconciler = reconciler(config, client, zone_id, &telemetry);
    let mut daemon = Daemon::new(config, metadata, api, reconciler, telemetry);
    daemon.begin(first);
    loop {
        daemon.step()?;
    }
}

/// What the loop remembers from step to step.
struct Daemon {
    metadata: Metadata,
    api: Api,
    reconciler: Reconciler,
    zone: ZoneLookUp,
    telemetry: Telemetry,
    pace: Pace,
    reports: Reports,
    summary: Summary,
    /// The last snapshot.
    known: Option<Known>,
    /// The snapshot before it. Freeing ten thousand names takes a while, so it is done when no
    /// change waits.
    outdated: Option<Known>,
    schedule: Schedule,
    /// What the last round found in the zone.
    in_zone: Arc<BTreeSet<Member>>,
    writeback: WriteBack,
}

struct Known {
    version: Version,
    environment: Environment,
    desired: Arc<Desired>,
    /// When metadata was read.
    read: Instant,
}

impl Daemon {
    fn new(
        config: &Config,
        metadata: Metadata,
        api: Api,
        reconciler: Reconciler,
        telemetry: Telemetry,
    ) -> Daemon {
        let now = Instant::now();
        Daemon {
            metadata,
            api,
            reconciler,
            zone: ZoneLookUp::new(config.zone_id.is_some()),
            telemetry,
            pace: Pace::new(now),
            reports: Reports::default(),
            summary: Summary::new(now),
            known: None,
            outdated: None,
            schedule: Schedule::new(config.resync_interval, now),
            in_zone: Arc::default(),
            writeback: WriteBack::new(config.writes_back, now),
        }
    }

    /// Takes over the snapshot that was taken while the zone was looked up, if it is recent.
    fn begin(&mut self, first: Result<Read, Unavailable>) {
        match first {
            Ok((_, snapshot)) if snapshot.read.elapsed() > FRESH => {}
            Ok((version, snapshot)) => {
                self.learn(version, snapshot);
            }
            Err(error) => self.unavailable(&error),
        }
    }

    /// Waits for something to do, then does one thing: a round, or one write-back. The error is one
    /// that only an operator can correct.
    fn step(&mut self) -> Result<(), String> {
        self.telemetry.heartbeat().beat();
        self.telemetry.pages.free_outdated(Instant::now());
        self.outdated = None;
        self.reconciler.keep_credentials_fresh();
        let telemetry = &self.telemetry;
        if let Some(day) = self.summary.day(Instant::now(), &|| telemetry.status()) {
            log::info(
                "a day has passed",
                &[
                    ("record_sets", &day.record_sets),
                    ("changes", &day.changes),
                    ("failed_rounds", &day.failed_rounds),
                    ("troubled", &day.troubled),
                ],
            );
        }
        let write_back = self.writeback.next(Instant::now());
        let is_due = self.known.is_some() && self.schedule.next_due() <= Instant::now();
        match self.poll(write_back.is_none() && !is_due) {
            Ok(is_changed) => {
                self.pace.succeeded();
                self.reports.metadata(None);
                self.telemetry
                    .recorder
                    .dependency(Dependency::Metadata, None);
                if is_changed || self.schedule.next_round() <= Instant::now() {
                    return self.round(); // metadata may have changed meanwhile; names can wait
                }
            }
            Err(error) => self.unavailable(&error),
        }
        if let Some(task) = write_back {
            let (telemetry, reports) = (&self.telemetry, &mut self.reports);
            publish(
                &mut self.api,
                &mut self.writeback,
                &task,
                telemetry,
                reports,
            );
        }
        Ok(())
    }

    /// Reports that metadata can't be read, and pauses before the next try.
    fn unavailable(&mut self, error: &Unavailable) {
        // Each try goes to another of the places. Naming them all keeps the words the same, so the
        // log has one line instead of one for each try.
        let words = format!("{error} ({})", self.metadata.places());
        self.reports.metadata(Some(&words));
        self.telemetry
            .recorder
            .dependency(Dependency::Metadata, Some(words));
        let pause = self.pace.failed(backoff::random());
        self.telemetry.heartbeat().sleep(pause);
    }

    /// Asks metadata whether it has changed, and takes a snapshot if it has. Waits for a change if
    /// `may_wait`. True if something else is desired than before, or if held deletes waited for
    /// this snapshot.
    fn poll(&mut self, may_wait: bool) -> Result<bool, Unavailable> {
        let now = Instant::now();
        let version = match &self.known {
            Some(known) if may_wait => {
                let next = self.schedule.next_due();
                let next = self.writeback.due().map_or(next, |due| due.min(next));
                let wait = Pace::wait(Some(next), now);
                let version = self.metadata.wait(&known.version, wait)?;
                if version == known.version {
                    self.telemetry
                        .heartbeat()
                        .sleep(Pace::after_wait(wait, now.elapsed()));
                }
                version
            }
            Some(_) | None => self.metadata.version()?,
        };
        let is_known = |known: &Known| known.version == version;
        let is_reread = self.schedule.is_reread_due(Instant::now());
        if self.known.as_ref().is_some_and(is_known) && !is_reread {
            return Ok(false);
        }
        let now = Instant::now();
        let pause = self.pace.before_snapshot(now);
        let is_free = self.schedule.next_round() > now && self.writeback.next(now).is_some();
        if !pause.is_zero() && is_free {
            return Ok(false); // names are written back meanwhile; each is a new version
        }
        self.telemetry.heartbeat().sleep(pause);
        let begun = Instant::now();
        let rules = self.reconciler.rules();
        let snapshot = snapshot::take(&mut self.metadata, version, rules, None);
        self.pace.after_snapshot(begun.elapsed(), Instant::now());
        let (version, snapshot) = snapshot?;
        let is_changed = self.learn(version, snapshot);
        if is_reread {
            self.schedule.reread();
        }
        Ok(is_changed || is_reread)
    }

    /// Takes over a snapshot. True if something else is desired than before.
    fn learn(&mut self, version: Version, snapshot: Snapshot) -> bool {
        let desired = Arc::new(snapshot.desired);
        let known = Known {
            version,
            environment: snapshot.environment,
            desired,
            read: snapshot.read,
        };
        let is_changed = self.known.as_ref().is_none_or(|old| {
            old.desired.record_sets != known.desired.record_sets
                || old.environment != known.environment
        });
        self.reports.desired(&known.desired);
        self.telemetry.note(|status| {
            let environment = &known.environment;
            status.environment = Some((environment.name.clone(), environment.uuid.clone()));
            status.desire(&known.desired);
            if self
                .known
                .as_ref()
                .is_none_or(|old| old.version != known.version)
            {
                status.metadata_changed = Some(Utc::now());
            }
        });
        self.outdated = self.known.replace(known);
        self.want_write_backs();
        is_changed
    }

    fn round(&mut self) -> Result<(), String> {
        let Some(known) = &self.known else {
            return Ok(());
        };
        if self.schedule.begin_round(Instant::now(), backoff::random()) {
            self.reconciler.resync();
        }
        let goal = Goal {
            environment: &known.environment,
            desired: &known.desired,
            read: known.read,
        };
        // The account's limits can make a round of many batches last minutes. Metadata is asked
        // now and then, and before a batch that has waited, so that a change ends the round early.
        let mut asked = Instant::now();
        let mut goes_on = |progress: Progress| {
            let is_asked = asked.elapsed() < BETWEEN_BATCHES && !progress.is_repeated;
            if progress.done == progress.total || is_asked {
                return true;
            }
            // Names are written back in slices of the wait that are long enough.
            let task = self.writeback.next(Instant::now());
            if let Some(task) = task.filter(|(_, _, timeout)| *timeout < progress.wait) {
                let (telemetry, reports) = (&self.telemetry, &mut self.reports);
                publish(
                    &mut self.api,
                    &mut self.writeback,
                    &task,
                    telemetry,
                    reports,
                );
            }
            asked = Instant::now();
            let version = self.metadata.version();
            !version.is_ok_and(|version| version != known.version)
        };
        let started = Instant::now();
        let found = self.zone.find(&mut self.reconciler, &self.telemetry);
        let result = found.and_then(|()| self.reconciler.round(goal, &mut goes_on));
        self.round_ended(result, started.elapsed())
    }

    /// Takes in what a round has come to. The error is one that only an operator can correct.
    fn round_ended(
        &mut self,
        result: Result<Round, RoundError>,
        took: Duration,
    ) -> Result<(), String> {
        if self.reconciler.take_unanswered() {
            let random = backoff::random();
            self.schedule.batch_unanswered(Instant::now(), random);
            log::debug(
                "a change batch had no answer, the zone is listed again soon",
                &[],
            );
        }
        let now = Utc::now();
        match result {
            Ok(round) => {
                let held_until = round.held.as_ref().map(|held| held.until);
                self.schedule
                    .round_succeeded(round.is_cut, held_until, Instant::now());
                self.reports.round(&round);
                let is_same = Arc::ptr_eq(&self.in_zone, &round.in_zone);
                self.in_zone = round.in_zone.clone();
                self.telemetry.note(|status| status.round(round, took, now));
                self.telemetry.recorder.dependency(Dependency::Rounds, None);
                if !is_same || self.writeback.is_watching() {
                    self.want_write_backs();
                }
            }
            Err(error) => {
                let error = self.zone.learn(error, self.reconciler.zone_id())?;
                self.reports.failed(&error);
                self.telemetry.note(|status| {
                    status.counters.add_round(RoundOutcome::Failed, took);
                    if let RoundError::KeptByAnother { .. } = error {
                        status.kept_by_another = Some(error.to_string());
                    }
                });
                self.telemetry
                    .recorder
                    .dependency(Dependency::Rounds, Some(error.for_page()));
                self.schedule
                    .round_failed(Instant::now(), backoff::random());
            }
        }
        Ok(())
    }

    fn want_write_backs(&mut self) {
        if let Some(known) = &self.known {
            self.writeback
                .want(missing(&known.desired, &self.in_zone), Instant::now());
            let waiting = self.writeback.len();
            let contested = self.writeback.contested();
            self.telemetry.note(|status| {
                status.fqdns_waiting = waiting;
                status.contested = contested.keys().cloned().collect();
            });
            if waiting == 0 {
                self.telemetry.recorder.note(|record| {
                    record
                        .health_mut(Dependency::Api)
                        .record_not_needed(Utc::now())
                });
            }
            self.reports
                .written_back(self.writeback.refusals(), contested, waiting == 0);
        }
    }
}
