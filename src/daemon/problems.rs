//! What the log is told. A problem that lasts is logged when it starts, changes and ends, not
//! each time it is met.

use std::collections::BTreeMap;
use std::fmt::Display;

use crate::base::log::{self, Level};
use crate::base::sorted;
use crate::desired::{Desired, truncation_notice};
use crate::plan::round::Round;
use crate::rancher::api::ApiError;
use crate::reconcile::error::RoundError;

/// Problems of one kind, by what they concern.
struct Problems {
    /// Message of the line when one starts or changes.
    starts: &'static str,
    /// Message of the line when one ends.
    ends: &'static str,
    known: BTreeMap<String, String>,
    /// Each try is told until one has succeeded: who starts the program wants to see what it
    /// waits for.
    is_starting: bool,
}

impl Problems {
    fn new(starts: &'static str, ends: &'static str) -> Problems {
        Problems {
            starts,
            ends,
            known: BTreeMap::new(),
            is_starting: false,
        }
    }

    /// The same for what the program has to wait for when it starts.
    fn of_start(starts: &'static str, ends: &'static str) -> Problems {
        Problems {
            is_starting: true,
            ..Problems::new(starts, ends)
        }
    }

    /// What problems there are now: what each concerns, and its words.
    fn are(&mut self, now: BTreeMap<String, String>) {
        for (subject, words) in &now {
            if self.is_starting || self.known.get(subject) != Some(words) {
                log::warn(self.starts, &[("what", subject), ("error", words)]);
            }
        }
        for subject in self
            .known
            .keys()
            .filter(|subject| !now.contains_key(*subject))
        {
            log::info(self.ends, &[("what", subject)]);
        }
        self.is_starting &= !now.is_empty();
        self.known = now;
    }

    /// The same for a kind of which there is at most one.
    fn is(&mut self, subject: &dyn Display, words: Option<&dyn Display>) {
        let now = words.map(|words| (subject.to_string(), words.to_string()));
        self.are(sorted::map(now));
    }
}

/// Everything that is told once, and not again until it changes.
pub struct Reports {
    metadata: Problems,
    rounds: Problems,
    conflicts: Problems,
    quarantined: Problems,
    held: Problems,
    labels: Problems,
    cuts: Problems,
    write_back: Problems,
    refused: Problems,
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
            quarantined: Problems::new(
                "Route 53 refuses a record set, which is left as it is",
                "a record set is no longer refused",
            ),
            held: Problems::new("deletes wait", "no deletes wait any more"),
            labels: Problems::new("a label is not understood", "a label is understood again"),
            cuts: Problems::new("there are too many addresses", "all addresses fit again"),
            write_back: Problems::of_start(
                "fqdns can't be written back to Rancher",
                "fqdns are written back again, or need not be",
            ),
            refused: Problems::new(
                "an fqdn can't be written back to Rancher",
                "an fqdn is written back, or need not be",
            ),
            skipped: BTreeMap::new(),
        }
    }
}

impl Reports {
    /// Whether metadata could be read.
    pub fn metadata(&mut self, words: Option<&String>) {
        self.metadata
            .is(&"metadata", words.map(|words| words as &dyn Display));
    }

    /// What is desired, and which services are skipped for what reason.
    pub fn desired(&mut self, desired: &Desired) {
        let mut labels = BTreeMap::new();
        let mut skipped = BTreeMap::new();
        let are_skips_told = log::is_written(Level::Debug);
        for (key, outcome) in &desired.services {
            if let Some(words) = outcome.warning() {
                labels.insert(key.to_string(), words);
            }
            if let (true, Err(skip)) = (are_skips_told, &outcome.name) {
                skipped.insert(key.to_string(), skip.to_string());
            }
        }
        self.labels.are(labels);
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
        self.cuts.are(sorted::map(cut));
    }

    /// A round that succeeded.
    pub fn round(&mut self, round: &Round) {
        let conflicts = round.conflicts.iter();
        self.conflicts.are(sorted::map(
            conflicts.map(|c| (c.key.to_string(), c.reason.to_string())),
        ));
        let quarantined = round.quarantined.iter();
        self.quarantined.are(sorted::map(
            quarantined.map(|q| (q.key.to_string(), q.words.clone())),
        ));
        self.held.is(
            &"deletes",
            round.held.as_ref().map(|held| held as &dyn Display),
        );
        self.rounds.are(BTreeMap::new());
    }

    /// A round that failed.
    pub fn failed(&mut self, error: &RoundError) {
        self.rounds.is(&"round", Some(error));
    }

    /// Whether Rancher took the name that it was last sent, and which it refuses.
    pub fn write_back(&mut self, error: Option<&ApiError>, refusals: BTreeMap<String, String>) {
        let words = match error {
            Some(ApiError::Unavailable(words)) => Some(words as &dyn Display),
            Some(ApiError::Refused(_)) | None => None,
        };
        self.write_back.is(&"write-back", words);
        self.refused.are(refusals);
    }

    /// Which names Rancher still refuses. If there is `nothing` to write back, nothing keeps us
    /// from it.
    pub fn written_back(&mut self, refusals: BTreeMap<String, String>, nothing: bool) {
        self.refused.are(refusals);
        if nothing && !self.write_back.known.is_empty() {
            self.write_back.are(BTreeMap::new());
        }
    }
}
