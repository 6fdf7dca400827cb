//! What both forms of `adopt` say of the record sets that they would take over: what becomes of each
//! in the next round, and what has to be confirmed.

use std::fmt::Write as _;
use std::time::Duration;

use super::context::MetadataReading;
use super::plan_output::{PlanText, UNWANTED, fate_in_words, one_line};
use super::terminal::confirm;
use crate::dns::RecordKey;
use crate::plan::fate::{Fate, Outlook};
use crate::plan::round::Preview;

/// What it means that record sets are taken over.
pub const FROM_THEN_ON: &str =
    "From then on this program changes them, and deletes those that no service wants.";

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
    /// How many there are.
    count: usize,
    /// How many of them the next round changes.
    changes: usize,
    /// How many of them the next round deletes.
    deletes: usize,
    /// How many of them are deleted once the deletion guard lets them go.
    waits: usize,
    /// How many of them are deleted once `POLICY` allows it.
    forbidden: usize,
}

/// Describes the record sets with these keys, as they are in the zone, and what the next round does
/// with them.
pub fn describe(
    keys: &mut dyn Iterator<Item = &RecordKey>,
    reading: &MetadataReading,
    next: &Preview,
) -> TakenOver {
    let outlook = Outlook::of(next);
    let mut text = PlanText::new(String::new(), false, &reading.desired);
    let mut taken = TakenOver {
        list: String::new(),
        count: 0,
        changes: 0,
        deletes: 0,
        waits: 0,
        forbidden: 0,
    };
    for key in keys {
        taken.count += 1;
        let line = match next.zone.whole(key) {
            Some(set) => one_line(set),
            None => key.to_string(),
        };
        let _ = writeln!(text.out, "* {line}");
        let Some(fate) = outlook.fate(key, reading.desired.record_sets.get(key)) else {
            continue;
        };
        match fate {
            Fate::Changed { .. } | Fate::Replaced => taken.changes += 1,
            Fate::Deleted => taken.deletes += 1,
            Fate::Waits => taken.waits += 1,
            Fate::UndeletedByPolicy => taken.forbidden += 1,
            _ => {}
        }
        text.add_fate(&fate_in_words(&fate, UNWANTED), &fate);
        text.add_services(key);
    }
    taken.list = text.out;
    taken
}

impl TakenOver {
    /// What becomes of all of them and when, in lines. `resync` is `RESYNC_INTERVAL`.
    pub fn outlook(&self, next: &Preview, resync: Duration) -> String {
        let mut words = format!(
            "The next round changes {} and deletes {} of them.\n",
            self.changes, self.deletes
        );
        if let Some(held) = next.held.as_ref().filter(|_| self.waits > 0) {
            let _ = writeln!(
                words,
                "{} deleted once the deletion guard lets go: {held}.",
                more(self.waits)
            );
        }
        if self.forbidden > 0 {
            let _ = writeln!(
                words,
                "{} deleted once POLICY is sync.",
                more(self.forbidden)
            );
        }
        let _ = writeln!(
            words,
            "This command lists them as ours in the state records, and no more. The next round is \
             that of the running service, within {} s (RESYNC_INTERVAL), or of the command once.",
            resync.as_secs()
        );
        words
    }

    /// Asks whether to go on. If that is confirmed already, there may be at most so many deletes as
    /// were confirmed, now or later.
    pub fn confirm(&self, consent: Consent) -> Result<(), String> {
        let later = self.waits + self.forbidden;
        let deletes = self.deletes + later;
        let flags = match deletes {
            0 => "--yes".to_owned(),
            _ => format!("--yes --deletes={deletes}"),
        };
        if consent.is_given && deletes > consent.deletes.unwrap_or(0) {
            let of_them = match later {
                0 => String::new(),
                _ => format!(", {later} of them not at once"),
            };
            return Err(format!(
                "nothing was changed: {deletes} of these record sets would be deleted{of_them}, \
                 since no service asks for them; pass {flags} if they may go"
            ));
        }
        confirm(&self.question(), consent.is_given, &flags)
    }

    fn question(&self) -> String {
        let (these, of_which) = match self.count {
            1 => ("this one".to_owned(), "which"),
            count => (format!("these {count}"), "of which"),
        };
        let number = |deletes: usize| match self.count {
            1 => String::new(),
            _ => format!(" {deletes}"),
        };
        let deletes = match (self.deletes, self.waits + self.forbidden) {
            (0, 0) => String::new(),
            (now, 0) => format!(", {of_which} the next round deletes{}", number(now)),
            (0, later) => format!(", {of_which}{} may be deleted later", number(later)),
            (now, later) => {
                format!(", of which the next round deletes {now}, and {later} may be deleted later")
            }
        };
        format!("Take over {these}{deletes}?")
    }
}

/// The start of a sentence on so many more.
fn more(count: usize) -> String {
    match count {
        1 => "1 more is".to_owned(),
        _ => format!("{count} more are"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_says_what_is_deleted_now_and_later() {
        for (count, deletes, waits, forbidden, question) in [
            (1, 0, 0, 0, "Take over this one?"),
            (
                1,
                1,
                0,
                0,
                "Take over this one, which the next round deletes?",
            ),
            (
                1,
                0,
                1,
                0,
                "Take over this one, which may be deleted later?",
            ),
            (9, 0, 0, 0, "Take over these 9?"),
            (
                9,
                2,
                0,
                0,
                "Take over these 9, of which the next round deletes 2?",
            ),
            (
                9,
                0,
                3,
                0,
                "Take over these 9, of which 3 may be deleted later?",
            ),
            (
                9,
                0,
                0,
                4,
                "Take over these 9, of which 4 may be deleted later?",
            ),
            (
                9,
                2,
                3,
                0,
                "Take over these 9, of which the next round deletes 2, and 3 may be deleted later?",
            ),
        ] {
            let taken = TakenOver {
                list: String::new(),
                count,
                changes: 1,
                deletes,
                waits,
                forbidden,
            };
            assert_eq!(taken.question(), question);
            // All of them have to be confirmed, whenever they come.
            let all = deletes + waits + forbidden;
            let with = |deletes| {
                taken.confirm(Consent {
                    is_given: true,
                    deletes,
                })
            };
            assert_eq!(with(Some(all)), Ok(()));
            assert_eq!(with(None).is_ok(), all == 0, "{question}");
            assert!(all == 0 || with(Some(all - 1)).is_err(), "{question}");
        }
    }
}
