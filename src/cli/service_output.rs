//! The output of `plan STACK/SERVICE`: why one service is published as it is, and what is in the way,
//! as text for people or JSON for programs. Pure, and in a stable order.

use std::fmt::Write as _;

use serde_json::Value;

use super::context::MetadataReading;
use super::plan_json::{self, Object, PlanJson, list, maybe, text};
use super::plan_output::{PlanText, UNWANTED, answers, fate_in_words, joined, one_line, place};
use super::service_record_sets::{ReportedSet, record_sets};
use super::terminal::shown;
use crate::desired::container::ContainerSkip;
use crate::desired::explain::{ExplainedContainer, ExplainedName, Explanation};
use crate::desired::{ServiceOutcome, truncation_notice};
use crate::dns::zone::Listed;
use crate::dns::{Name, RecordSet};
use crate::plan::ConflictReason;
use crate::plan::delegation::{delegations, explain};
use crate::plan::fate::Fate;
use crate::plan::round::Preview;
use crate::rancher::model::ServiceKey;
use crate::route53::xml::HostedZone;

/// What is known of one service.
pub struct ServiceReport<'a> {
    key: &'a ServiceKey,
    zone: &'a HostedZone,
    reading: &'a MetadataReading,
    preview: &'a Preview,
    outcome: &'a ServiceOutcome,
    explanation: &'a Explanation,
    /// The record sets under the names of the service that exist or should.
    record_sets: Vec<ReportedSet<'a>>,
}

impl<'a> ServiceReport<'a> {
    /// A report on this service; none if metadata doesn't have it.
    pub fn new(
        key: &'a ServiceKey,
        zone: &'a HostedZone,
        reading: &'a MetadataReading,
        preview: &'a Preview,
    ) -> Option<ServiceReport<'a>> {
        let explanation = reading.explanation.as_ref()?;
        Some(ServiceReport {
            key,
            zone,
            reading,
            preview,
            outcome: reading.desired.services.get(key)?,
            explanation,
            record_sets: record_sets(&explanation.names, reading, preview),
        })
    }

    /// Whether the next round changes something under the names of the service.
    pub fn has_changes(&self) -> bool {
        let mut sets = self.record_sets.iter();
        sets.any(|set| set.is_taken_over || set.fate.is_change())
    }

    /// What the operator should look at besides: doubtful labels, addresses that don't fit, delegated
    /// names, and state records that can't be read.
    fn warnings(&self) -> Vec<String> {
        let desired = &self.reading.desired;
        let warnings = self.outcome.warnings.iter();
        let mut all: Vec<String> = warnings.map(|warning| warning.to_string()).collect();
        for ReportedSet { key, .. } in &self.record_sets {
            let count = desired.truncated.get(key);
            all.extend(count.map(|count| format!("{key}: {}", truncation_notice(*count))));
        }
        let (zone, wanted) = (&self.preview.zone, &desired.record_sets);
        let delegated = delegations(zone, &self.zone.name, None, wanted);
        let concerns_us = |above: &&Name| self.outcome.names().any(|n| n.is_at_or_below(above));
        all.extend(delegated.iter().filter(concerns_us).map(explain));
        for conflict in &self.preview.plan.conflicts {
            if matches!(conflict.reason, ConflictReason::StateRecord { .. }) {
                all.push(format!("{}: {}", conflict.key, conflict.reason));
            }
        }
        all
    }

    /// The report as text.
    pub fn text(&self) -> String {
        let key = shown(&self.key.to_string());
        let head = format!("{key} in {}\n", place(self.zone, self.reading));
        let mut text = PlanText::new(head, false, &self.reading.desired);
        if let Err(reason) = &self.outcome.name {
            text.add_section("Not published", vec![reason.to_string()]);
        }
        let Explanation {
            decisions,
            containers,
            names,
        } = self.explanation;
        let decisions = decisions
            .iter()
            .map(|decision| format!("{}: {} ({})", decision.what, decision.value, decision.by));
        text.add_section("Labels and settings", decisions.collect());
        let containers = containers.iter().map(container_line);
        text.add_section("Containers", containers.collect());
        text.add_section("Names", names.iter().map(name_line).collect());
        if !self.record_sets.is_empty() {
            text.out += "\nRecord sets:\n";
        }
        for set in &self.record_sets {
            self.add_record_set(&mut text, set);
        }
        if let Some(held) = &self.preview.held {
            text.add_section("The deletion guard", vec![held.to_string()]);
        }
        text.add_section("Warnings", self.warnings());
        text.out
    }

    fn add_record_set(&self, text: &mut PlanText<'_>, set: &ReportedSet<'_>) {
        let wanted = set.wanted.map_or(set.key.to_string(), one_line);
        let _ = writeln!(text.out, "  {wanted}");
        let listed = match set.listed {
            None => match self.obstacle(set) {
                Some(found) => format!("{} {}", found.key.kind(), answers(found)),
                None => "nothing".to_owned(),
            },
            Some(Listed::Whole(set)) => answers(set),
            Some(Listed::Partial { element }) => format!("one with the element {element}"),
        };
        let _ = writeln!(text.out, "    in the zone: {}", shown(&listed));
        if set.is_taken_over {
            text.out += "    is taken over\n";
        }
        let mut words = self.words(&set.fate);
        if set.fate == Fate::Created {
            words += " (if it never appears, Route 53 refuses it: see /status)";
        }
        text.add_fate(&words, &set.fate);
        text.add_services(&set.key);
    }

    /// What becomes of a record set under a name of the service.
    fn words(&self, fate: &Fate<'_>) -> String {
        match &self.outcome.name {
            Ok(_) => fate_in_words(fate, UNWANTED),
            Err(_) => {
                let key = self.key;
                let unwanted = format!("{key} isn't published and no other service asks for it");
                fate_in_words(fate, &unwanted)
            }
        }
    }

    /// What is in the way of a record set.
    fn obstacle(&self, set: &ReportedSet<'_>) -> Option<&RecordSet> {
        let conflicts = &self.preview.plan.conflicts;
        let conflict = conflicts.iter().find(|conflict| conflict.key == set.key)?;
        conflict.found.as_ref()
    }

    /// The report as one JSON object.
    pub fn json(&self) -> Value {
        let Explanation {
            decisions,
            containers,
            names,
        } = self.explanation;
        let decisions = decisions.iter().map(|decision| {
            Object::default()
                .text("what", decision.what)
                .text("value", &decision.value)
                .text("by", &decision.by)
                .done()
        });
        Object::default()
            .add("zone", plan_json::hosted_zone(self.zone))
            .add("environment", plan_json::environment(self.reading))
            .text("service", &self.key.to_string())
            .add("skipped", self.skipped())
            .add("decisions", list(decisions))
            .add("containers", list(containers.iter().map(container_json)))
            .add("names", list(names.iter().map(name_json)))
            .add("record_sets", self.record_sets_json())
            .add("deletes_wait", plan_json::deletes_wait(self.preview))
            .add("warnings", plan_json::texts(&self.warnings()))
            .done()
    }

    fn skipped(&self) -> Value {
        match &self.outcome.name {
            Ok(_) => Value::Null,
            Err(reason) => Object::default().skip(reason).done(),
        }
    }

    fn record_sets_json(&self) -> Value {
        let services = PlanJson::new(self.reading);
        let set = |set: Option<&RecordSet>| match set {
            Some(set) => Object::default().set(set).done(),
            None => Value::Null,
        };
        let sets = self.record_sets.iter().map(|reported| {
            let element = match reported.listed {
                Some(Listed::Partial { element }) => Some(element.as_str()),
                _ => None,
            };
            let obstacle = self.obstacle(reported);
            let obstacle = obstacle.filter(|found| found.key != reported.key);
            let obstacle =
                obstacle.map(|found| Object::default().key(&found.key).set(found).done());
            Object::default()
                .key(&reported.key)
                .add("wanted", set(reported.wanted))
                .add("in_zone", set(self.preview.zone.whole(&reported.key)))
                .add("unknown_element", maybe(element))
                .add("in_the_way", obstacle.unwrap_or(Value::Null))
                .add("taken_over", Value::Bool(reported.is_taken_over))
                .text("next", reported.fate.code())
                .text("reason", &self.words(&reported.fate))
                .add("services", services.services(&reported.key))
                .done()
        });
        list(sets)
    }
}

fn container_json(container: &ExplainedContainer) -> Value {
    let counts = container.address.as_ref().ok();
    let reason = container.address.as_ref().err();
    let counts = counts.and_then(Option::as_ref);
    let address = counts.map(|(address, _)| address.to_string());
    let words = reason.map(|reason| reason.to_string());
    Object::default()
        .text("name", &container.name)
        .text("host", &container.host)
        .add("address", maybe(address.as_deref()))
        .add("from", maybe(counts.map(|(_, origin)| origin.words())))
        .add("code", maybe(reason.map(ContainerSkip::code)))
        .add("reason", maybe(words.as_deref()))
        .done()
}

fn name_json(ExplainedName { name, by }: &ExplainedName) -> Value {
    let (name, reason) = match name {
        Ok(name) => (text(&name.shown()), Value::Null),
        Err(reason) => (Value::Null, text(&reason.to_string())),
    };
    Object::default()
        .add("name", name)
        .text("by", by)
        .add("reason", reason)
        .done()
}

fn container_line(container: &ExplainedContainer) -> String {
    let ExplainedContainer {
        name,
        host,
        address,
    } = container;
    let outcome = match address {
        Ok(Some((address, origin))) => format!("{address}, {}", origin.words()),
        Ok(None) => "counts".to_owned(),
        Err(reason) => format!("doesn't count: it {reason}"),
    };
    format!("{name} on {host}: {outcome}")
}

fn name_line(ExplainedName { name, by }: &ExplainedName) -> String {
    match name {
        Ok(name) => format!("{name} ({by})"),
        Err(reason) => format!("none: {reason} ({by})"),
    }
}

/// How many services an error names.
const MAX_NEAR: usize = 5;
/// Characters of names that are compared.
const MAX_COMPARED: usize = 64;

/// That metadata has no such service, and which are spelled alike.
pub fn unknown(key: &ServiceKey, reading: &MetadataReading) -> String {
    let mut near: Vec<&ServiceKey> = reading.desired.services.keys().collect();
    near.sort_by_cached_key(|known| distance(key, known));
    near.truncate(MAX_NEAR);
    format!(
        "{} is no service of the environment {}; the nearest are {}",
        shown(&key.to_string()),
        shown(&reading.environment.name),
        joined(&near)
    )
}

/// How many characters have to be typed anew to make one of the other, whatever their case. The same
/// service in another stack is near.
fn distance(one: &ServiceKey, other: &ServiceKey) -> usize {
    match edits(&one.service, &other.service) {
        0 => edits(&one.stack, &other.stack).min(1),
        edits_of_service => edits_of_service + edits(&one.stack, &other.stack),
    }
}

/// Levenshtein's distance.
fn edits(one: &str, other: &str) -> usize {
    let letters = |text: &str| -> Vec<char> {
        let letters = text.chars().take(MAX_COMPARED);
        letters.map(|c| c.to_ascii_lowercase()).collect()
    };
    let (one, other) = (letters(one), letters(other));
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_spelled_alike_are_near() {
        for (one, other, expected) in [
            ("web", "web", 0),
            ("web", "Web", 0),
            ("web", "wep", 1),
            ("web", "we", 1),
            ("web", "webs", 1),
            ("kitten", "sitting", 3),
            ("", "web", 3),
            ("", "", 0),
            (&"a".repeat(1_000_000), &"a".repeat(1_000_001), 0),
        ] {
            assert_eq!(edits(one, other), expected, "{one:.9} {other:.9}");
        }
    }
}
