//! One row of a table of rules: what is in the zone, what is asked for, what is said to it.

use super::super::{Change, RecordSet, Zone};

/// What the service says to a batch, or that it takes it.
pub enum Verdict {
    Taken,
    /// With these words among others.
    Refused(&'static str),
}

pub use Verdict::{Refused, Taken};

pub fn a(name: &str, address: &str) -> RecordSet {
    RecordSet::simple(name, "A", 60, &[address])
}

pub fn creates(sets: impl IntoIterator<Item = RecordSet>) -> Vec<Change> {
    sets.into_iter().map(Change::create).collect()
}

/// Judges a batch against a zone, which must be as before if it was refused.
pub fn judge(zone: &mut Zone, row: &str, changes: &[Change], verdict: &Verdict) {
    let before = zone.clone();
    match (zone.apply(changes), verdict) {
        (Ok(()), Taken) => {}
        (Err(messages), Refused(words)) => {
            let said = messages.join("; ");
            assert!(said.contains(words), "{row}: {said}\nlacks\n{words}");
            assert_eq!(*zone, before, "{row}: a refused batch must leave no trace");
        }
        (Ok(()), Refused(words)) => panic!("{row}: taken, not refused with\n{words}"),
        (Err(messages), Taken) => panic!("{row}: refused with\n{}", messages.join("\n")),
    }
}
