//! Logs problems. A lasting problem is logged when it starts, changes and ends, not each time it is
//! met.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::base::log::{self, Level};
use crate::base::sorted;
use crate::desired::{Desired, truncation_notice};
use crate::plan::delegation::explain;
use crate::plan::round::Round;
use crate::rancher::api::ApiError;
use crate::reconcile::error::RoundError;

/// How many services are logged one by one of which the same is to be said at once: that they have
/// warnings, or containers that don't count. A host can concern thousands; the status page has all.
const MAX_SERVICES: usize = 50;

/// Problems of one kind: what each concerns, and its words.
struct Problems {
    /// Log message when a problem starts or changes.
    starts: &'static str,
    /// Log message when a problem ends.
    ends: &'static str,
    /// How loudly a problem is logged that starts or changes.
    level: Level,
    /// How many are logged one by one when they start or end at once.
    most: usize,
    known: BTreeMap<String, String>,
    /// Until the first success each try is logged: the operator who has just started the program
    /// wants to see what it waits for.
    is_starting: bool,
}

impl Problems {
    fn new(starts: &'static str, ends: &'static str) -> Problems {
        Problems {
            starts,
            ends,
            level: Level::Warn,
            most: usize::MAX,
            known: BTreeMap::new(),
            is_starting: false,
        }
    }

    /// Problems that the program waits for when it starts.
    fn of_start(starts: &'static str, ends: &'static str) -> Problems {
        Problems {
            is_starting: true,
            ..Problems::new(starts, ends)
        }
    }

    /// Takes over all problems of this kind, and logs what is new, changed or gone.
    fn set_all(&mut self, now: BTreeMap<String, String>) {
        let is_new = |(subject, words): &(&String, &String)| {
            self.is_starting || self.known.get(*subject) != Some(*words)
        };
        let new = now.iter().filter(is_new);
        let mut new = new.map(|(subject, words)| (subject, Some(words)));
        log_some((self.level, self.most), self.starts, &mut new);
        let is_gone = |subject: &&String| !now.contains_key(*subject);
        let gone = self.known.keys().filter(is_gone);
        let mut gone = gone.map(|subject| (subject, None));
        log_some((Level::Info, self.most), self.ends, &mut gone);
        self.is_starting &= !now.is_empty();
        self.known = now;
    }

    /// Takes over the problem of a kind that has one subject; none if there is no problem.
    fn set_one(&mut self, subject: &dyn Display, words: Option<&dyn Display>) {
        let now = words.map(|words| (subject.to_string(), words.to_string()));
        self.set_all(sorted::map(now));
    }
}

/// Logs a line for each problem, up to a limit, and one with the number of all others.
fn log_some<'a>(
    (level, most): (Level, usize),
    message: &'static str,
    problems: &mut dyn Iterator<Item = (&'a String, Option<&'a String>)>,
) {
    let key = match level {
        Level::Info => "reason",
        _ => "error",
    };
    let mut more = 0;
    for (index, (subject, words)) in problems.enumerate() {
        match words {
            _ if index >= most => more += 1,
            Some(words) => log::write(level, message, &[("what", subject), (key, words)]),
            None => log::write(level, message, &[("what", subject)]),
        }
    }
    if more > 0 {
        log::write(level, message, &[("more", &more)]);
    }
}

/// All problems that the daemon logs.
pub struct Reports {
    metadata: Problems,
    rounds: Problems,
    conflicts: Problems,
    delegated: Problems,
    other_ttls: Problems,
    quarantined: Problems,
    held: Problems,
    warnings: Problems,
    containers: Problems,
    cuts: Problems,
    write_back: Problems,
    refused: Problems,
    contested: Problems,
    skipped: BTreeMap<String, String>,
}

impl Default for Reports {
    fn default() -> Reports {
        Reports {
            metadata: Problems::of_start(
                "metadata is unavailable, nothing is changed meanwhile",
                "metadata is available again",
            ),
            rounds: Problems::new("a round failed", "rounds succeed again"),
            conflicts: Problems::new("a record set is left alone", "a conflict is gone"),
            delegated: Problems::new(
                "a part of the zone is delegated",
                "a part of the zone is no longer delegated",
            ),
            other_ttls: Problems::new(
                "a weighted record set has the TTL of others",
                "a weighted record set has its own TTL again",
            ),
            quarantined: Problems::new(
                "Route 53 refuses a record set, which is left as it is",
                "a record set is no longer refused",
            ),
            held: Problems::new("deletes wait", "no deletes wait any more"),
            warnings: Problems {
                most: MAX_SERVICES,
                ..Problems::new("a service has a warning", "a service's warning is gone")
            },
            containers: Problems {
                level: Level::Info,
                most: MAX_SERVICES,
                ..Problems::new(
                    "not all containers of a service count",
                    "all containers of a service count again, or it isn't published",
                )
            },
            cuts: Problems::new("there are too many addresses", "all addresses fit again"),
            write_back: Problems::of_start(
                "fqdns can't be written back to Rancher",
                "fqdns are written back again, or need not be",
            ),
            refused: Problems::new(
                "an fqdn can't be written back to Rancher",
                "an fqdn is written back, or need not be",
            ),
            contested: Problems::new(
                "somebody else writes an fqdn, too",
                "nobody else writes an fqdn any more",
            ),
            skipped: BTreeMap::new(),
        }
    }
}

impl Reports {
    /// Metadata was read, or couldn't be: in these words.
    pub fn metadata(&mut self, words: Option<&String>) {
        self.metadata
            .set_one(&"metadata", words.map(|words| words as &dyn Display));
    }

    /// What is desired: warnings of services, containers that don't count, names with too many
    /// addresses, and at debug level the services that are skipped.
    pub fn desired(&mut self, desired: &Desired) {
        let mut warnings = BTreeMap::new();
        for (key, outcome) in &desired.services {
            let mut words = outcome.warning();
            if let Some(reason) = outcome.mistake() {
                let before = if words.is_empty() { "" } else { "; " };
                words = format!("not published: {reason}{before}{words}");
            }
            if !words.is_empty() {
                warnings.insert(key.to_string(), words);
            }
        }
        self.warnings.set_all(warnings);
        let mut containers = BTreeMap::new();
        if log::is_written(Level::Info) {
            for (key, skipped) in desired.skipped_containers() {
                containers.insert(key.to_string(), skipped.to_string());
            }
        }
        self.containers.set_all(containers);
        let mut skipped = BTreeMap::new();
        if log::is_written(Level::Debug) {
            let reasons = desired.skipped();
            skipped.extend(reasons.map(|(key, reason)| (key.to_string(), reason.to_string())));
        }
        for (service, reason) in &skipped {
            if self.skipped.get(service) != Some(reason) {
                log::debug(
                    "service skipped",
                    &[("service", service), ("reason", reason)],
                );
            }
        }
        self.skipped = skipped;
        let cut = desired.truncated.iter();
        let cut = cut.map(|(key, count)| (key.to_string(), truncation_notice(*count)));
        self.cuts.set_all(sorted::map(cut));
    }

    /// A round has succeeded.
    pub fn round(&mut self, round: &Round) {
        let conflicts = round.conflicts.iter();
        self.conflicts.set_all(sorted::map(
            conflicts.map(|c| (c.key.to_string(), c.reason.to_string())),
        ));
        let delegated = round.delegated.iter();
        self.delegated.set_all(sorted::map(
            delegated.map(|name| (name.to_string(), explain(name))),
        ));
        let other_ttls = round.other_ttls.iter();
        self.other_ttls.set_all(sorted::map(
            other_ttls.map(|other| (other.key.to_string(), other.reason())),
        ));
        let quarantined = round.quarantined.iter();
        self.quarantined.set_all(sorted::map(
            quarantined.map(|q| (q.key.to_string(), q.words.clone())),
        ));
        self.held.set_one(
            &"deletes",
            round.held.as_ref().map(|held| held as &dyn Display),
        );
        self.rounds.set_all(BTreeMap::new());
    }

    /// A round has failed.
    pub fn failed(&mut self, error: &RoundError) {
        self.rounds.set_one(&"round", Some(error));
    }

    /// Rancher has taken the last name that it was sent, or not; `refusals` are all that it refuses.
    pub fn write_back(&mut self, error: Option<&ApiError>, refusals: BTreeMap<String, String>) {
        let words = match error {
            Some(ApiError::Unavailable(words)) => Some(words as &dyn Display),
            Some(ApiError::Refused(_)) | None => None,
        };
        self.write_back.set_one(&"write-back", words);
        self.refused.set_all(refusals);
    }

    /// Names are no longer waiting, or are others: `refusals` are those that Rancher refuses, and
    /// `contested` those that somebody else writes. If `nothing` waits, the problem that names can't be
    /// written back is over.
    pub fn written_back(
        &mut self,
        refusals: BTreeMap<String, String>,
        contested: BTreeMap<String, String>,
        nothing: bool,
    ) {
        self.refused.set_all(refusals);
        self.contested.set_all(contested);
        if nothing && !self.write_back.known.is_empty() {
            self.write_back.set_all(BTreeMap::new());
        }
    }
}
