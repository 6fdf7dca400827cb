//! The output of `plan`: a plan and the services that it comes from become text for people. Pure, and in
//! a stable order.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::context::MetadataReading;
use super::terminal::{Colour, coloured, record_sets, shown};
use crate::desired::name_template::environment_name;
use crate::desired::{Desired, truncation_notice};
use crate::dns::{Name, RecordKey, RecordSet};
use crate::plan::delegation::{delegations, explain};
use crate::plan::fate::{Fate, Outlook};
use crate::plan::round::Preview;
use crate::plan::{ClaimChange, Plan, Replacement};
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
    let head = format!("{}\n\n", place(zone, reading));
    let mut text = PlanText::new(head, has_colours, &reading.desired);
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

/// The zone and the environment, as the first line of a text has them.
pub fn place(zone: &HostedZone, reading: &MetadataReading) -> String {
    format!(
        "{} ({}), environment {}",
        zone.name.without_dot(),
        zone.id,
        shown(&reading.environment.name)
    )
}

/// A plan's text while it is put together.
pub struct PlanText<'a> {
    /// The text until now.
    pub out: String,
    /// Whether marks are coloured.
    has_colours: bool,
    /// What services want.
    desired: &'a Desired,
    /// The services that publish each name.
    services: BTreeMap<&'a Name, Vec<&'a ServiceKey>>,
}

impl<'a> PlanText<'a> {
    /// A text that begins so.
    pub fn new(out: String, has_colours: bool, desired: &'a Desired) -> PlanText<'a> {
        PlanText {
            out,
            has_colours,
            desired,
            services: services_by_name(desired),
        }
    }

    /// The record sets that are created, changed and deleted; deletes come last.
    fn add_writes(&mut self, preview: &Preview) {
        let Preview {
            plan, held, state, ..
        } = preview;
        for set in &plan.creates {
            self.add_item('+', Colour::Green, &one_line(set));
            self.add_services(&set.key);
        }
        for change in &plan.changes {
            self.add_item('~', Colour::Yellow, &change.to.key.to_string());
            self.add_change(&change.from, &change.to);
            self.add_services(&change.to.key);
        }
        for replacement in &plan.replacements {
            self.add_replacement(replacement);
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
    fn add_change(&mut self, from: &RecordSet, to: &RecordSet) {
        if let (Some(from), Some(to)) = (from.ttl(), to.ttl())
            && from != to
        {
            let _ = writeln!(self.out, "    ttl {from} → {to}");
        }
        for (mark, some, others) in [('-', from, to), ('+', to, from)] {
            let (some, others) = (details(some), details(others));
            for detail in some.iter().filter(|detail| !others.contains(detail)) {
                let _ = writeln!(self.out, "    {mark} {}", shown(detail));
            }
        }
    }

    /// The record sets of one name that change together.
    fn add_replacement(&mut self, replacement: &Replacement) {
        let Replacement { deletes, creates } = replacement;
        let name = replacement.name().map(Name::to_string);
        let title = format!("{} (all in one batch)", name.unwrap_or_default());
        self.add_item('~', Colour::Yellow, &title);
        for (mark, sets) in [('-', deletes), ('+', creates)] {
            for set in sets {
                let _ = writeln!(self.out, "    {mark} {}", one_line(set));
            }
        }
        if let Some(set) = creates.first() {
            self.add_services(&set.key);
        }
    }

    /// What becomes of a record set in the next round, in these words.
    pub fn add_fate(&mut self, words: &str, fate: &Fate<'_>) {
        let _ = writeln!(self.out, "    {}", shown(words));
        if let Fate::Changed { from, to } = fate {
            self.add_change(from, to);
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
            let _ = writeln!(self.out, "    {FORGOTTEN}");
        }
        for conflict in &plan.conflicts {
            self.add_left_alone(&conflict.key, &conflict.reason.to_string());
        }
    }

    /// A record set that is left alone, and why.
    pub fn add_left_alone(&mut self, key: &RecordKey, reason: &str) {
        self.add_item('!', Colour::Red, &key.to_string());
        let _ = writeln!(self.out, "    {}", shown(reason));
        self.add_services(key);
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

    /// A line with the services that this record set is for, if there are any.
    pub fn add_services(&mut self, key: &RecordKey) {
        // A name may have services, and yet none that wants this type.
        let is_wanted = self.desired.record_sets.contains_key(key);
        if let Some(keys) = self.services.get(&key.name).filter(|_| is_wanted) {
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

/// Why a record set is deleted.
pub const UNWANTED: &str = "no service asks for it";

/// What becomes of a record set in the next round, in words. `unwanted` says why, if it is deleted.
pub fn fate_in_words(fate: &Fate<'_>, unwanted: &str) -> String {
    let words = match fate {
        Fate::LeftAlone(reason) => return format!("is left alone: {reason}"),
        Fate::Deleted => return format!("is deleted in the next round, since {unwanted}"),
        Fate::Waits => {
            return format!("is deleted, since {unwanted}, once the deletion guard lets it go");
        }
        Fate::UndeletedByPolicy => {
            return format!(
                "stays while POLICY doesn't delete; POLICY=sync deletes it, since {unwanted}"
            );
        }
        Fate::Created => "is created in the next round",
        Fate::Changed { .. } => "is changed in the next round",
        Fate::Replaced => "is replaced in the next round",
        Fate::AwaitsSuccessor => {
            return format!(
                "stays until what is to come in its place can be written, although {unwanted}"
            );
        }
        Fate::Forgotten => FORGOTTEN,
        Fate::Foreign => "isn't ours and stays as it is",
        Fate::UnchangedByPolicy => "stays as it is, since POLICY=create-only doesn't change it",
        Fate::Kept => "stays as it is",
    };
    words.to_owned()
}

/// Why an entry leaves the state records.
const FORGOTTEN: &str = "is gone; it is no longer listed as ours";

/// The values or the target of a record set, its routing policy and its health check.
fn details(set: &RecordSet) -> Vec<String> {
    let mut details: Vec<String> = set.in_order().into_iter().cloned().collect();
    details.extend(set.alias().map(|_| set.answers()));
    details.extend(set.extras());
    details
}

fn totals(preview: &Preview) -> String {
    let plan = &preview.plan;
    format!(
        "\n{} to create, {} to change, {} to delete{}, {} to take over, {} to forget, {} left alone: \
         {}.\n",
        plan.creates.len(),
        plan.changes.len() + plan.replacements.len(),
        plan.deletes.len(),
        match preview.held.as_ref().map_or(0, |held| held.keys.len()) {
            0 => String::new(),
            waits if waits == plan.deletes.len() => " (all wait)".to_owned(),
            waits => format!(" ({waits} wait)"),
        },
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
    for (key, outcome) in reading.desired.warned() {
        let warnings = outcome.warnings.iter();
        all.extend(warnings.map(|warning| format!("{key}: {warning}")));
    }
    for (key, count) in &reading.desired.truncated {
        all.push(format!("{key}: {}", truncation_notice(*count)));
    }
    let below = environment_name(&reading.environment, &zone.name);
    let desired = &reading.desired.record_sets;
    let delegated = delegations(&preview.zone, &zone.name, below.as_ref(), desired);
    all.extend(delegated.iter().map(explain));
    let other_ttls = preview.plan.other_ttls.iter();
    all.extend(other_ttls.map(|other| format!("{}: {}", other.key, other.reason())));
    all.extend(left_undone(reading, preview));
    all
}

/// What `POLICY` keeps from being changed and from being deleted.
fn left_undone(reading: &MetadataReading, preview: &Preview) -> Vec<String> {
    let outlook = Outlook::of(preview);
    let (mut changes, mut deletes) = (Vec::new(), Vec::new());
    for key in preview.state.owned().chain(&preview.plan.adopts) {
        match outlook.fate(key, reading.desired.record_sets.get(key)) {
            Some(Fate::UnchangedByPolicy) => changes.push(key.to_string()),
            Some(Fate::UndeletedByPolicy) => deletes.push(key.to_string()),
            _ => {}
        }
    }
    let kinds = [
        (changes, "change", "that should be otherwise"),
        (deletes, "delete", "that no service asks for"),
    ];
    let kinds = kinds.iter().filter(|(keys, ..)| !keys.is_empty());
    let words = kinds.map(|(keys, verb, what)| {
        format!(
            "POLICY doesn't {verb} {} {what}: {}",
            record_sets(keys.len()),
            first_few(keys)
        )
    });
    words.collect()
}

/// How many record sets are named in one line.
const MAX_NAMED: usize = 5;

/// The first few of these texts, and how many more there are.
pub fn first_few(all: &[String]) -> String {
    match all.len().checked_sub(MAX_NAMED) {
        None | Some(0) => joined(all),
        Some(more) => format!("{}, and {more} more", joined(&all[..MAX_NAMED])),
    }
}

/// A record set as in `web.shop.prod.example.com. A 300 192.0.2.1, 192.0.2.2`.
pub fn one_line(set: &RecordSet) -> String {
    format!("{} {}", set.key, answers(set))
}

/// How many values of a record set are shown.
const MAX_VALUES_SHOWN: usize = 20;

/// The values of a record set, or so many and how many more there are.
fn some_values(values: &[&String]) -> String {
    let shown = &values[..values.len().min(MAX_VALUES_SHOWN)];
    let mut text = joined(shown);
    if shown.len() < values.len() {
        text += &format!(", … and {} more", values.len() - shown.len());
    }
    text
}

/// What a record set answers, as in `300 192.0.2.1, 192.0.2.2 (weighted 10)`.
pub fn answers(set: &RecordSet) -> String {
    let mut text = match set.ttl() {
        Some(ttl) => format!("{ttl} {}", some_values(&set.in_order())),
        None => shown(&set.answers()),
    };
    let extras: Vec<String> = set.extras().collect();
    if !extras.is_empty() {
        text += &format!(" ({})", joined(&extras));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_first_few_are_named_and_the_others_counted() {
        let all: Vec<String> = (1..=7).map(|number| format!("w{number}")).collect();
        assert_eq!(first_few(&all[..1]), "w1");
        assert_eq!(first_few(&all[..5]), "w1, w2, w3, w4, w5");
        assert_eq!(first_few(&all), "w1, w2, w3, w4, w5, and 2 more");
    }
}
