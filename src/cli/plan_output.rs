//! The output of `plan`: a plan and the services that it comes from become text for people. Pure, and in
//! a stable order.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::context::MetadataReading;
use super::terminal::{Colour, coloured, shown};
use crate::desired::name_template::environment_name;
use crate::desired::{Desired, truncation_notice};
use crate::dns::{Name, RecordSet};
use crate::plan::delegation::{delegations, explain};
use crate::plan::fate::Fate;
use crate::plan::round::Preview;
use crate::plan::{Change, ClaimChange, Plan};
use crate::rancher::model::ServiceKey;
use crate::route53::xml::HostedZone;

/// The services that publish each name.
pub fn services_by_name(desired: &Desired) -> BTreeMap<&Name, Vec<&ServiceKey>> {
    let mut by_name: BTreeMap<&Name, Vec<&ServiceKey>> = BTreeMap::new();
    for (key, outcome) in &desired.services {
        for name in outcome.names() {
            by_name.entry(name).or_default().push(key);
        }
    }
    by_name
}

/// Joins items with commas, safe to show.
pub fn joined<T: ToString>(items: &[T]) -> String {
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
    text.add_writes(preview);
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
pub struct PlanText<'a> {
    /// The text until now.
    pub out: String,
    /// Whether marks are coloured.
    pub has_colours: bool,
    /// The services that publish each name.
    pub services: BTreeMap<&'a Name, Vec<&'a ServiceKey>>,
}

impl PlanText<'_> {
    /// The record sets that are created, changed and deleted; deletes come last.
    fn add_writes(&mut self, preview: &Preview) {
        let Preview {
            plan, held, state, ..
        } = preview;
        for set in &plan.creates {
            self.add_item('+', Colour::Green, &one_line(set));
            self.add_services(&set.key.name);
        }
        for change in &plan.changes {
            self.add_item('~', Colour::Yellow, &change.to.key.to_string());
            self.add_change(change);
            self.add_services(&change.to.key.name);
        }
        for set in &plan.deletes {
            self.add_item('-', Colour::Red, &one_line(set));
            self.out += match state.owns(&set.key) {
                true => "    no service asks for it",
                false => "    no service asks for it, and ADOPT=legacy takes it over",
            };
            let waits = held.as_ref().is_some_and(|held| held.has(&set.key));
            self.out += if waits { "; its delete waits\n" } else { "\n" };
        }
    }

    /// What is different of a record set.
    fn add_change(&mut self, Change { from, to }: &Change) {
        if from.ttl != to.ttl {
            let _ = writeln!(self.out, "    ttl {} → {}", from.ttl, to.ttl);
        }
        for (mark, some, others) in [('-', from, to), ('+', to, from)] {
            let values = some.in_order().into_iter();
            for value in values.filter(|value| !others.values.contains(*value)) {
                let _ = writeln!(self.out, "    {mark} {}", shown(value));
            }
        }
    }

    /// What becomes of a record set in the next round.
    pub fn add_fate(&mut self, fate: &Fate<'_>) {
        let words = fate_in_words(fate);
        let _ = writeln!(self.out, "    {words}");
        if let Fate::Changed(change) = fate {
            self.add_change(change);
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
            let _ = writeln!(self.out, "    {}", shown(&conflict.reason.to_string()));
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
            self.out +=
                "The list of owned names is rewritten in its new format; no name changes.\n";
        }
    }

    fn add_item(&mut self, mark: char, colour: Colour, text: &str) {
        self.out += &coloured(&format!("{mark} {text}"), colour, self.has_colours);
        self.out.push('\n');
    }

    /// A line with the services that publish this name, if there are any.
    pub fn add_services(&mut self, name: &Name) {
        if let Some(keys) = self.services.get(name) {
            let _ = writeln!(self.out, "    for {}", joined(keys));
        }
    }

    /// A heading and these lines, if there are any.
    pub fn add_section(&mut self, title: &str, lines: Vec<String>) {
        if !lines.is_empty() {
            let _ = writeln!(self.out, "\n{title}:");
        }
        for line in lines {
            let _ = writeln!(self.out, "  {}", shown(&line));
        }
    }
}

/// What becomes of a record set in the next round, in words.
pub fn fate_in_words(fate: &Fate<'_>) -> String {
    let words = match fate {
        Fate::LeftAlone(reason) => return format!("is left alone: {reason}"),
        Fate::Created => "is created in the next round",
        Fate::Changed(_) => "is changed in the next round",
        Fate::Deleted => "is deleted in the next round, since no service asks for it",
        Fate::Waits => {
            "is deleted, since no service asks for it, once the deletion guard lets it go"
        }
        Fate::Forgotten => {
            "is gone or no longer a simple record set; it is no longer listed as ours"
        }
        Fate::Foreign => "isn't ours and stays as it is",
        Fate::KeptByPolicy => "stays as it is, since POLICY allows nothing else",
        Fate::Kept => "stays as it is",
    };
    words.to_owned()
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
pub fn warnings(zone: &HostedZone, reading: &MetadataReading, preview: &Preview) -> Vec<String> {
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
    format!("{} {} {}", set.key, set.ttl, joined(&set.in_order()))
}
