//! What both forms of `adopt` say of the record sets that they would take over: what becomes of each
//! in the next round, and what has to be confirmed.

use std::fmt::Write as _;

use super::context::MetadataReading;
use super::plan_output::{PlanText, one_line, services_by_name};
use super::terminal::confirm;
use crate::dns::RecordKey;
use crate::plan::fate::{Fate, Outlook};
use crate::plan::round::Preview;

/// What the command line has confirmed.
#[derive(Debug, Clone, Copy)]
pub struct Consent {
    /// `--yes`.
    pub is_given: bool,
    /// `--deletes=N`: how many deletes may follow.
    pub deletes: Option<usize>,
}

/// The record sets that are taken over.
pub struct TakenOver {
    /// A line for each, and what becomes of it.
    pub list: String,
    /// What becomes of all of them, and which deletes wait.
    pub outlook: String,
    /// How many of them are deleted then.
    deletes: usize,
}

/// Describes the record sets with these keys, as they are in the zone, and what the next round does
/// with them.
pub fn describe(
    keys: &mut dyn Iterator<Item = &RecordKey>,
    reading: &MetadataReading,
    next: &Preview,
) -> TakenOver {
    let outlook = Outlook {
        plan: &next.plan,
        held: next.held.as_ref(),
        zone: &next.zone,
        state: &next.state,
    };
    let mut text = PlanText {
        out: String::new(),
        has_colours: false,
        services: services_by_name(&reading.desired),
    };
    let (mut changes, mut deletes, mut waits) = (0, 0, 0);
    for key in keys {
        let line = match next.zone.simple(key) {
            Some(set) => one_line(set),
            None => key.to_string(),
        };
        let _ = writeln!(text.out, "* {line}");
        let Some(fate) = outlook.fate(key, reading.desired.record_sets.get(key)) else {
            continue;
        };
        changes += usize::from(matches!(fate, Fate::Changed(_)));
        deletes += usize::from(matches!(fate, Fate::Deleted | Fate::Waits));
        waits += usize::from(fate == Fate::Waits);
        text.add_fate(&fate);
        text.add_services(&key.name);
    }
    let mut outlook = format!("The next round changes {changes} and deletes {deletes} of them.");
    if let Some(held) = next.held.as_ref().filter(|_| waits > 0) {
        let _ = write!(outlook, "\nThe deletion guard lets {waits} wait: {held}.");
    }
    TakenOver {
        list: text.out,
        outlook,
        deletes,
    }
}

impl TakenOver {
    /// Asks whether to go on. If that is confirmed already, there may be at most so many deletes as
    /// were confirmed, or `or_else`.
    pub fn confirm(&self, consent: Consent, or_else: usize) -> Result<(), String> {
        let deletes = self.deletes;
        let flags = match deletes > or_else {
            true => format!("--yes --deletes={deletes}"),
            false => "--yes".to_owned(),
        };
        if consent.is_given && deletes > consent.deletes.unwrap_or(or_else) {
            return Err(format!(
                "nothing was changed: the next round would delete {deletes} of these record sets, \
                 since no service asks for them; pass --yes --deletes={deletes} if they may go"
            ));
        }
        let question = match deletes {
            0 => "They are taken over.".to_owned(),
            _ => format!("They are taken over, and the next round deletes {deletes} of them."),
        };
        confirm(&question, consent.is_given, &flags)
    }
}
