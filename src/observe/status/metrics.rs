//! `/metrics`: Prometheus's text format,
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>, with names as in
//! <https://prometheus.io/docs/practices/naming/>. Pure.
//!
//! Times are printed from whole milliseconds, without floating point.

use std::fmt::Write as _;

use super::Status;
use super::escape;
use super::service_state::ServiceState;
use crate::base::counters::{Action, BOUNDS, Histogram, RoundOutcome};
use crate::base::dependency::{Condition, Dependency};
use crate::base::version::VERSION;
use crate::desired::container::ContainerSkip;
use crate::desired::skip::SkipReason;
use crate::desired::warning::Warning;
use crate::dns::record_key::count_by_type;
use crate::dns::{RecordType, Routing, RoutingKind};

/// The `Content-Type` header.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The page with all metrics.
pub fn metrics(status: &Status) -> String {
    let mut page = Page(String::with_capacity(16 * 1024));
    let counters = &status.counters;
    let calls = &status.record.calls;
    let help = "Always 1; the labels have the version, and the commit if it is known.";
    page.family("build_info", GAUGE, help);
    let commit = status.commit.unwrap_or_default(); // an empty label is none
    let labels = [("version", VERSION), ("commit", commit)];
    page.sample("build_info", &labels, 1);
    times(&mut page, status);
    gauges(&mut page, status);
    record_sets(&mut page, status);
    routing(&mut page, status);
    services(&mut page, status);

    page.family("rounds_total", COUNTER, "Rounds, by how they ended.");
    for (outcome, count) in RoundOutcome::ALL.iter().zip(counters.rounds) {
        page.sample("rounds_total", &[("outcome", outcome.word())], count);
    }
    let help = "How long rounds took, successful or not.";
    page.family("round_duration_seconds", HISTOGRAM, help);
    page.histogram("round_duration_seconds", &[], &counters.round_durations);
    let help = "Changes to record sets that Route 53 has confirmed, by action.";
    page.family("changes_total", COUNTER, help);
    for (action, count) in Action::ALL.iter().zip(counters.changes) {
        page.sample("changes_total", &[("action", action.word())], count);
    }
    let help = "Calls to other systems, by API, operation and what came of them: ok, the error's \
                code or status, or no_answer.";
    page.family("api_calls_total", COUNTER, help);
    for call in &calls.calls {
        let [api, operation] = call.operation.labels();
        for (code, count) in &call.codes {
            page.sample("api_calls_total", &[api, operation, ("code", code)], *count);
        }
    }
    let help = "How long calls took until the answer was there, waits for metadata included.";
    page.family("api_call_duration_seconds", HISTOGRAM, help);
    for call in &calls.calls {
        let labels = call.operation.labels();
        page.histogram("api_call_duration_seconds", &labels, &call.durations);
    }
    let help = "Calls that Route 53 refused because the account makes too many.";
    page.single("api_throttles_total", COUNTER, help, calls.throttles);
    let help = "Calls to Route 53 that were made again.";
    page.single("api_retries_total", COUNTER, help, calls.retries);
    let help = "1 if it worked the last time, 0 if not; absent while it isn't needed.";
    page.family("dependency_up", GAUGE, help);
    for part in Dependency::ALL
        .into_iter()
        .filter(|part| *part != Dependency::Rounds)
    {
        let condition = status.health(part).condition;
        if condition != Condition::Unknown {
            let up = u64::from(condition == Condition::Works);
            page.sample("dependency_up", &[("dependency", part.name())], up);
        }
    }
    page.0
}

/// Metrics that are times. One that isn't known yet is absent.
fn times(page: &mut Page, status: &Status) {
    for (name, help, at) in [
        (
            "start_time_seconds",
            "When the process started, in seconds since 1970.",
            Some(status.started),
        ),
        (
            "last_success_timestamp_seconds",
            "When a round last succeeded, in seconds since 1970.",
            status.last_success,
        ),
        (
            "metadata_last_change_timestamp_seconds",
            "When metadata last had a new version, in seconds since 1970.",
            status.metadata_changed,
        ),
        (
            "deletion_guard_until_timestamp_seconds",
            "When deletes that wait may go, in seconds since 1970; absent if there are none.",
            status.held.as_ref().map(|(_, until)| *until),
        ),
    ] {
        page.family(name, GAUGE, help);
        if let Some(at) = at {
            page.name(name, "", &[]);
            page.millis(at.timestamp_millis().unsigned_abs());
        }
    }
}

fn gauges(page: &mut Page, status: &Status) {
    let held = status.held.as_ref().map_or(0, |(held, _)| held.keys.len());
    for (name, help, value) in [
        (
            "stuck",
            "1 while the loop doesn't get on, else 0.",
            usize::from(status.stuck_for.is_some()),
        ),
        (
            "record_sets_desired",
            "Record sets that should be published.",
            status.desired.record_sets.len(),
        ),
        (
            "state_records_kept_by_another",
            "1 if another Rancher server keeps the state records, so that nothing is changed.",
            usize::from(status.kept_by_another.is_some()),
        ),
        (
            "record_sets_owned",
            "Record sets in the zone that are ours.",
            status.owned,
        ),
        (
            "record_sets_in_conflict",
            "Record sets in conflict: desired or ours, and something is in the way.",
            status.conflicts.len(),
        ),
        (
            "record_sets_quarantined",
            "Record sets that Route 53 refuses.",
            status.quarantined.len(),
        ),
        (
            "fqdns_waiting",
            "Names in the zone that Rancher doesn't show yet.",
            status.fqdns_waiting,
        ),
        (
            "fqdns_contested",
            "Services for which somebody else writes another name to Rancher.",
            status.contested.len(),
        ),
        (
            "deletion_guard_holding",
            "1 while the deletion guard holds deletes back, else 0.",
            usize::from(status.held.is_some()),
        ),
        (
            "deletion_guard_held_deletes",
            "Deletes that the deletion guard holds back.",
            held,
        ),
    ] {
        page.single(name, GAUGE, help, value as u64);
    }
}

fn record_sets(page: &mut Page, status: &Status) {
    for (name, help, counts) in [
        (
            "record_sets_desired_by_type",
            "Record sets that should be published, by type.",
            count_by_type(status.desired.record_sets.keys()),
        ),
        (
            "record_sets_owned_by_type",
            "Record sets in the zone that are ours, by type.",
            status.owned_by_type,
        ),
    ] {
        page.family(name, GAUGE, help);
        for (rtype, count) in RecordType::PUBLISHED.iter().zip(counts) {
            page.sample(name, &[("type", rtype.as_str())], count as u64);
        }
    }
}

/// How record sets are chosen that share name and type with others.
fn routing(page: &mut Page, status: &Status) {
    let name = "record_sets_desired_by_routing";
    let help = "Record sets that should be published, by routing policy.";
    page.family(name, GAUGE, help);
    let sets = status.desired.record_sets.values();
    let kinds = sets.map(|set| set.routing.as_deref().map(Routing::kind));
    let mut counts = [0_u64; 1 + RoutingKind::ALL.len()];
    for kind in kinds {
        let at = RoutingKind::ALL
            .iter()
            .position(|known| Some(*known) == kind);
        counts[at.map_or(0, |at| at + 1)] += 1;
    }
    let words = RoutingKind::ALL.iter().map(|kind| kind.as_str());
    for (word, count) in std::iter::once("simple").chain(words).zip(counts) {
        page.sample(name, &[("routing", word)], count);
    }
}

fn services(page: &mut Page, status: &Status) {
    page.family("services", GAUGE, "Services, by what became of them.");
    for (state, count) in ServiceState::ALL.iter().zip(status.states()) {
        page.sample("services", &[("state", state.word())], count as u64);
    }
    let help = "Services that aren't published, by reason.";
    page.family("services_skipped", GAUGE, help);
    for code in SkipReason::CODES.iter().copied().flatten() {
        let skipped = status.desired.skipped();
        let count = skipped.filter(|(_, reason)| reason.code() == *code).count();
        page.sample("services_skipped", &[("reason", code)], count as u64);
    }
    let help =
        "Containers that don't count of services that are or should be published, by reason.";
    page.family("containers_skipped", GAUGE, help);
    let mut counts = [0; ContainerSkip::CODES.len()];
    for (_, skipped) in status.desired.skipped_containers() {
        for (sum, count) in counts.iter_mut().zip(skipped.counts) {
            *sum += count;
        }
    }
    for (code, count) in ContainerSkip::CODES.iter().zip(counts) {
        page.sample("containers_skipped", &[("reason", code)], count as u64);
    }
    let help = "Warnings about services, by what is odd.";
    page.family("service_warnings", GAUGE, help);
    let services = status.desired.services.values();
    let warnings = services.flat_map(|outcome| &outcome.warnings);
    let codes: Vec<&str> = warnings.map(Warning::code).collect();
    for code in Warning::CODES {
        let count = codes.iter().filter(|found| **found == code).count();
        page.sample("service_warnings", &[("warning", code)], count as u64);
    }
}

const PREFIX: &str = "rancher_route53_";
const COUNTER: &str = "counter";
const GAUGE: &str = "gauge";
const HISTOGRAM: &str = "histogram";

/// Name and value.
type Label<'a> = (&'a str, &'a str);

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let values = [PREFIX, name, help, PREFIX, name, kind];
        let template = "# HELP {}{} {}\n# TYPE {}{} {}\n";
        escape::fill(&mut self.0, escape::not_at_all, template, &values);
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }

    fn sample(&mut self, name: &str, labels: &[Label<'_>], value: u64) {
        self.part(name, "", labels, value);
    }

    fn histogram(&mut self, name: &str, labels: &[Label<'_>], histogram: &Histogram) {
        let mut labels = labels.to_vec();
        let mut total = 0;
        let bounds = BOUNDS.iter().map(|(_, text)| *text).chain(["+Inf"]);
        for (bound, count) in bounds.zip(histogram.counts) {
            total += count;
            labels.push(("le", bound));
            self.part(name, "_bucket", &labels, total);
            labels.pop();
        }
        self.name(name, "_sum", &labels);
        self.millis(u64::try_from(histogram.sum.as_millis()).unwrap_or(u64::MAX));
        self.part(name, "_count", &labels, total);
    }

    fn part(&mut self, name: &str, suffix: &str, labels: &[Label<'_>], value: u64) {
        self.name(name, suffix, labels);
        let _ = writeln!(self.0, " {value}");
    }

    fn millis(&mut self, millis: u64) {
        let _ = writeln!(self.0, " {}.{:03}", millis / 1000, millis % 1000);
    }

    fn name(&mut self, name: &str, suffix: &str, labels: &[Label<'_>]) {
        for text in [PREFIX, name, suffix] {
            self.0.push_str(text);
        }
        let mut template = "{{}=\"";
        for (label, value) in labels {
            escape::fill(&mut self.0, escape::label, template, &[label]);
            escape::fill(&mut self.0, escape::label, "{}\"", &[value]);
            template = ",{}=\"";
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
    }
}

#[cfg(test)]
mod tests;
