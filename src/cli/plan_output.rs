//! A plan for people and for programs: pure, and in a stable order.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::context::Survey;
use super::terminal::{Colour, coloured, shown};
use crate::desired::{Desired, truncation_notice};
use crate::dns::{Name, RecordSet};
use crate::plan::Change;
use crate::plan::round::Preview;
use crate::rancher::model::ServiceKey;
use crate::route53::xml::HostedZone;

/// The services of each name.
fn services(desired: &Desired) -> BTreeMap<&Name, Vec<&ServiceKey>> {
    let mut by_name: BTreeMap<&Name, Vec<&ServiceKey>> = BTreeMap::new();
    for (key, outcome) in &desired.services {
        if let Ok(name) = &outcome.name {
            by_name.entry(name).or_default().push(key);
        }
    }
    by_name
}

/// Lists names with commas.
fn listed<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(|item| shown(&item.to_string())).collect();
    items.join(", ")
}

/// One section after the other: what is created, changed, deleted, taken over, left alone, and
/// the services that aren't published, and warnings.
pub fn text(zone: &HostedZone, survey: &Survey, preview: &Preview, colours: bool) -> String {
    let plan = &preview.plan;
    let services = services(&survey.desired);
    let of = |name: &Name| match services.get(name) {
        Some(keys) => format!("    for {}\n", listed(keys)),
        None => String::new(),
    };
    let mut out = format!(
        "{} ({}), environment {}\n\n",
        zone.name.without_dot(),
        zone.id,
        shown(&survey.environment.name)
    );
    for set in &plan.creates {
        line(&mut out, '+', Colour::Green, colours, &one_line(set));
        out += &of(&set.key.name);
    }
    for Change { from, to } in &plan.changes {
        line(&mut out, '~', Colour::Yellow, colours, &to.key.to_string());
        if from.ttl != to.ttl {
            let _ = writeln!(out, "    ttl {} → {}", from.ttl, to.ttl);
        }
        for value in from.values.difference(&to.values) {
            let _ = writeln!(out, "    - {}", shown(value));
        }
        for value in to.values.difference(&from.values) {
            let _ = writeln!(out, "    + {}", shown(value));
        }
        out += &of(&to.key.name);
    }
    for set in &plan.deletes {
        line(&mut out, '-', Colour::Red, colours, &one_line(set));
        out += "    no service asks for it any more\n";
    }
    if let Some(held) = &preview.held {
        let _ = writeln!(out, "    {held}");
    }
    for key in &plan.adopts {
        line(&mut out, '*', Colour::Yellow, colours, &key.to_string());
        out += "    is taken over\n";
    }
    for key in &plan.releases {
        line(&mut out, '.', Colour::Yellow, colours, &key.to_string());
        out += "    is gone or no longer a simple record set; it is no longer listed as ours\n";
    }
    for conflict in &plan.conflicts {
        line(
            &mut out,
            '!',
            Colour::Red,
            colours,
            &conflict.key.to_string(),
        );
        let _ = write!(out, "    {}\n{}", conflict.reason, of(&conflict.key.name));
    }
    let skipped = survey.desired.services.iter().filter_map(|(key, outcome)| {
        let reason = outcome.name.as_ref().err()?;
        Some(format!("{key}: {reason}"))
    });
    section(&mut out, "Not published", skipped.collect());
    section(&mut out, "Warnings", warnings(survey, preview));
    let _ = write!(
        out,
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
    );
    out
}

fn section(out: &mut String, title: &str, lines: Vec<String>) {
    if !lines.is_empty() {
        let _ = writeln!(out, "\n{title}:");
    }
    for line in lines {
        let _ = writeln!(out, "  {}", shown(&line));
    }
}

/// What is odd although it counts, and what isn't done although services ask for it.
fn warnings(survey: &Survey, preview: &Preview) -> Vec<String> {
    let mut all = Vec::new();
    for (key, outcome) in &survey.desired.services {
        if let Some(words) = outcome.warning() {
            all.push(format!("{key}: {words}"));
        }
    }
    for key in survey.desired.record_sets.keys() {
        if let Some(count) = survey.desired.truncated.get(key) {
            all.push(format!("{key}: {}", truncation_notice(*count)));
        }
    }
    let undone = preview.plan.forbidden_by_policy;
    if undone > 0 {
        all.push(format!(
            "changes and deletes that POLICY leaves undone: {undone}"
        ));
    }
    all
}

fn line(out: &mut String, mark: char, colour: Colour, colours: bool, text: &str) {
    out.push_str(&coloured(&format!("{mark} {text}"), colour, colours));
    out.push('\n');
}

/// `web.shop.prod.example.com. A 300 192.0.2.1, 192.0.2.2`
pub fn one_line(set: &RecordSet) -> String {
    let values: Vec<&String> = set.values.iter().collect();
    format!("{} {} {}", set.key, set.ttl, listed(&values))
}

/// The same as one JSON object.
pub fn value(zone: &HostedZone, survey: &Survey, preview: &Preview) -> Value {
    let plan = &preview.plan;
    let services = services(&survey.desired);
    let of = |name: &Name| -> Vec<String> {
        let keys = services.get(name).into_iter().flatten();
        keys.map(|key| key.to_string()).collect()
    };
    let set = |set: &RecordSet| {
        json!({
            "name": set.key.name.as_str(), "type": set.key.rtype.as_str(),
            "ttl": set.ttl, "values": set.values, "services": of(&set.key.name),
        })
    };
    let key = |key: &crate::dns::RecordKey| json!({"name": key.name.as_str(), "type": key.rtype.as_str()});
    let skipped = survey.desired.services.iter().filter_map(|(key, outcome)| {
        let reason = outcome.name.as_ref().err()?;
        Some(json!({
            "service": key.to_string(), "code": reason.code(), "reason": reason.to_string(),
        }))
    });
    json!({
        "zone": {"name": zone.name.without_dot(), "id": zone.id},
        "environment": {"name": survey.environment.name, "uuid": survey.environment.uuid},
        "creates": plan.creates.iter().map(set).collect::<Vec<_>>(),
        "changes": plan.changes.iter().map(|change| json!({
            "from": set(&change.from), "to": set(&change.to),
        })).collect::<Vec<_>>(),
        "deletes": plan.deletes.iter().map(set).collect::<Vec<_>>(),
        "deletes_wait": preview.held.as_ref().map(|held| held.to_string()),
        "adopts": plan.adopts.iter().map(key).collect::<Vec<_>>(),
        "releases": plan.releases.iter().map(key).collect::<Vec<_>>(),
        "conflicts": plan.conflicts.iter().map(|conflict| json!({
            "name": conflict.key.name.as_str(), "type": conflict.key.rtype.as_str(),
            "reason": conflict.reason.to_string(),
        })).collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
        "warnings": warnings(survey, preview),
        "batches": preview.batches,
    })
}
