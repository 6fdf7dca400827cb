//! The output of `plan`: a plan and the services that it comes from become text for people, or JSON
//! for programs. Pure, and in a stable order.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::context::MetadataReading;
use super::terminal::{Colour, coloured, shown};
use crate::base::redactor::redact;
use crate::desired::name_template::environment_name;
use crate::desired::{Desired, truncation_notice};
use crate::dns::{Name, RecordKey, RecordSet};
use crate::plan::delegation::{delegations, explain};
use crate::plan::round::Preview;
use crate::plan::{Change, ClaimChange, Plan};
use crate::rancher::model::ServiceKey;
use crate::route53::xml::HostedZone;

/// The services that publish each name.
fn services_by_name(desired: &Desired) -> BTreeMap<&Name, Vec<&ServiceKey>> {
    let mut by_name: BTreeMap<&Name, Vec<&ServiceKey>> = BTreeMap::new();
    for (key, outcome) in &desired.services {
        for name in outcome.names() {
            by_name.entry(name).or_default().push(key);
        }
    }
    by_name
}

/// Joins items with commas, safe to show.
fn joined<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(|item| shown(&item.to_string())).collect();
    items.join(", ")
}

/// The plan as text: record sets that are created, changed, deleted, taken over, forgotten and left
/// alone, then services that aren't published, containers that don't count, warnings, and a line of
/// totals.
pub fn text(
    zone: &HostedZone,
    reading: &MetadataReading,
    preview: &Preview,
    has_colours: bool,
) -> String {
    let plan = &preview.plan;
    let mut text = PlanText {
        out: format!(
            "{} ({}), environment {}\n\n",
            zone.name.without_dot(),
            zone.id,
            shown(&reading.environment.name)
        ),
        has_colours,
        services: services_by_name(&reading.desired),
    };
    text.add_writes(plan);
    if let Some(held) = &preview.held {
        let _ = writeln!(text.out, "    {held}");
    }
    text.add_ownership(plan);
    text.add_upkeep(plan);
    let skipped = reading.desired.skipped();
    let skipped = skipped.map(|(key, reason)| format!("{key}: {reason}"));
    text.add_section("Not published", skipped.collect());
    let containers = reading.desired.skipped_containers();
    let containers = containers.map(|(key, skipped)| format!("{key}: {skipped}"));
    text.add_section("Containers that don't count", containers.collect());
    text.add_section("Warnings", warnings(zone, reading, preview));
    text.out + &totals(preview)
}

/// A plan's text while it is put together.
struct PlanText<'a> {
    out: String,
    has_colours: bool,
    services: BTreeMap<&'a Name, Vec<&'a ServiceKey>>,
}

impl PlanText<'_> {
    /// The record sets that are created, changed and deleted; deletes come last.
    fn add_writes(&mut self, plan: &Plan) {
        for set in &plan.creates {
            self.add_item('+', Colour::Green, &one_line(set));
            self.add_services(&set.key.name);
        }
        for Change { from, to } in &plan.changes {
            self.add_item('~', Colour::Yellow, &to.key.to_string());
            if from.ttl != to.ttl {
                let _ = writeln!(self.out, "    ttl {} → {}", from.ttl, to.ttl);
            }
            for value in from.values.difference(&to.values) {
                let _ = writeln!(self.out, "    - {}", shown(value));
            }
            for value in to.values.difference(&from.values) {
                let _ = writeln!(self.out, "    + {}", shown(value));
            }
            self.add_services(&to.key.name);
        }
        for set in &plan.deletes {
            self.add_item('-', Colour::Red, &one_line(set));
            self.out += "    no service asks for it any more\n";
        }
    }

    /// The record sets that are taken over, forgotten and left alone.
    fn add_ownership(&mut self, plan: &Plan) {
        for key in &plan.adopts {
            self.add_item('*', Colour::Yellow, &key.to_string());
            self.out += "    is taken over\n";
        }
        for key in &plan.releases {
            self.add_item('.', Colour::Yellow, &key.to_string());
            self.out +=
                "    is gone or no longer a simple record set; it is no longer listed as ours\n";
        }
        for conflict in &plan.conflicts {
            self.add_item('!', Colour::Red, &conflict.key.to_string());
            let _ = writeln!(self.out, "    {}", conflict.reason);
            self.add_services(&conflict.key.name);
        }
    }

    /// What changes in the state records alone, if no record set is changed or changes hands.
    fn add_upkeep(&mut self, plan: &Plan) {
        let rest = Plan {
            moves: Vec::new(),
            claim: ClaimChange::Keep,
            ..plan.clone()
        };
        if rest.is_empty() && !plan.is_empty() {
            self.out += "The state records get their present form; no record set is touched.\n";
        }
    }

    fn add_item(&mut self, mark: char, colour: Colour, text: &str) {
        self.out += &coloured(&format!("{mark} {text}"), colour, self.has_colours);
        self.out.push('\n');
    }

    /// A line with the services that publish this name, if there are any.
    fn add_services(&mut self, name: &Name) {
        if let Some(keys) = self.services.get(name) {
            let _ = writeln!(self.out, "    for {}", joined(keys));
        }
    }

    fn add_section(&mut self, title: &str, lines: Vec<String>) {
        if !lines.is_empty() {
            let _ = writeln!(self.out, "\n{title}:");
        }
        for line in lines {
            let _ = writeln!(self.out, "  {}", shown(&line));
        }
    }
}

fn totals(preview: &Preview) -> String {
    let plan = &preview.plan;
    format!(
        "\n{} to create, {} to change, {} to delete, {} to take over, {} to forget, {} left alone: \
         {}.\n",
        plan.creates.len(),
        plan.changes.len(),
        plan.deletes.len(),
        plan.adopts.len(),
        plan.releases.len(),
        plan.conflicts.len(),
        match preview.batches {
            0 => "no change batch".to_owned(),
            1 => "one change batch".to_owned(),
            n => format!("{n} change batches"),
        }
    )
}

/// What the operator should look at although it stops nothing: doubtful labels, addresses that don't
/// fit into a record set, delegated names, and changes that `POLICY` forbids.
fn warnings(zone: &HostedZone, reading: &MetadataReading, preview: &Preview) -> Vec<String> {
    let mut all = Vec::new();
    for (key, outcome) in &reading.desired.services {
        let warnings = outcome.warnings.iter();
        all.extend(warnings.map(|warning| format!("{key}: {warning}")));
    }
    for key in reading.desired.record_sets.keys() {
        if let Some(count) = reading.desired.truncated.get(key) {
            all.push(format!("{key}: {}", truncation_notice(*count)));
        }
    }
    let below = environment_name(&reading.environment, &zone.name);
    let desired = &reading.desired.record_sets;
    let delegated = delegations(&preview.zone, &zone.name, below.as_ref(), desired);
    all.extend(delegated.iter().map(explain));
    let undone = preview.plan.forbidden_by_policy;
    if undone > 0 {
        all.push(format!(
            "changes and deletes that POLICY leaves undone: {undone}"
        ));
    }
    all
}

/// A record set as in `web.shop.prod.example.com. A 300 192.0.2.1, 192.0.2.2`.
pub fn one_line(set: &RecordSet) -> String {
    let values: Vec<&String> = set.values.iter().collect();
    format!("{} {} {}", set.key, set.ttl, joined(&values))
}

/// The plan as one JSON object.
pub fn json(zone: &HostedZone, reading: &MetadataReading, preview: &Preview) -> Value {
    let plan = &preview.plan;
    let services = services_by_name(&reading.desired);
    let of = |name: &Name| -> Vec<String> {
        let keys = services.get(name).into_iter().flatten();
        keys.map(|key| key.to_string()).collect()
    };
    let set = |set: &RecordSet| {
        json!({
            "name": set.key.name.shown(), "type": set.key.rtype.as_str(),
            "ttl": set.ttl, "values": set.values, "services": of(&set.key.name),
        })
    };
    let key = |key: &RecordKey| json!({"name": key.name.shown(), "type": key.rtype.as_str()});
    let skipped = reading.desired.skipped().map(|(key, reason)| {
        json!({
            "service": key.to_string(), "code": reason.code(), "reason": reason.to_string(),
        })
    });
    let containers = reading
        .desired
        .skipped_containers()
        .map(|(key, skipped)| json!({"service": key.to_string(), "reason": skipped.to_string()}));
    without_secrets(json!({
        "zone": {"name": zone.name.without_dot(), "id": zone.id},
        "environment": {"name": reading.environment.name, "uuid": reading.environment.uuid},
        "creates": plan.creates.iter().map(set).collect::<Vec<_>>(),
        "changes": plan.changes.iter().map(|change| json!({
            "from": set(&change.from), "to": set(&change.to),
        })).collect::<Vec<_>>(),
        "deletes": plan.deletes.iter().map(set).collect::<Vec<_>>(),
        "deletes_wait": preview.held.as_ref().map(|held| held.to_string()),
        "adopts": plan.adopts.iter().map(key).collect::<Vec<_>>(),
        "releases": plan.releases.iter().map(key).collect::<Vec<_>>(),
        "conflicts": plan.conflicts.iter().map(|conflict| json!({
            "name": conflict.key.name.shown(), "type": conflict.key.rtype.as_str(),
            "reason": conflict.reason.to_string(),
        })).collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
        "skipped_containers": containers.collect::<Vec<_>>(),
        "warnings": warnings(zone, reading, preview),
        "batches": preview.batches,
    }))
}

/// The same JSON, without secrets in its texts.
fn without_secrets(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redact(&text).into_owned()),
        Value::Array(items) => items.into_iter().map(without_secrets).collect(),
        Value::Object(fields) => {
            let fields = fields.into_iter();
            fields
                .map(|(name, field)| (name, without_secrets(field)))
                .collect()
        }
        other => other,
    }
}
