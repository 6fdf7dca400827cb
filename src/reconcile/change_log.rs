//! Logs what has changed in the zone, one line for each record set.

use std::fmt;

use crate::base::log::{self, Level, Lines};
use crate::dns::record_change::RecordChange;
use crate::dns::{ChangeBatch, RecordSet};
use crate::plan::state_records::StateNames;

/// Logs a batch that Route 53 has confirmed. State records are written at debug level: they are
/// bookkeeping.
pub fn applied(batch: &ChangeBatch, names: &StateNames) {
    let mut lines = Lines::now();
    for change in RecordChange::all_of(batch) {
        if names.index_of(change.key()).is_some() {
            add_state_record(&mut lines, change);
        } else {
            add_record_set(&mut lines, change);
        }
    }
    lines.write();
}

fn add_state_record(lines: &mut Lines, change: RecordChange<'_>) {
    match change {
        RecordChange::Create(set) | RecordChange::Change { to: set, .. } => lines.add(
            Level::Debug,
            "state record written",
            &[("name", &set.key.name), ("entries", &set.values.len())],
        ),
        RecordChange::Delete(set) => lines.add(
            Level::Debug,
            "state record deleted",
            &[("name", &set.key.name)],
        ),
    }
}

fn add_record_set(lines: &mut Lines, change: RecordChange<'_>) {
    match change {
        RecordChange::Create(set) => lines.add(
            Level::Info,
            "record set created",
            &fields(set, &values(set)),
        ),
        RecordChange::Change { from, to } => lines.add(
            Level::Info,
            "record set changed",
            &[
                ("name", &to.key.name),
                ("type", &to.key.rtype),
                ("ttl", &to.ttl),
                ("from", &values(from)),
                ("values", &values(to)),
            ],
        ),
        RecordChange::Delete(set) => lines.add(
            Level::Info,
            "record set deleted",
            &fields(set, &values(set)),
        ),
    }
}

fn fields<'a>(set: &'a RecordSet, values: &'a dyn fmt::Display) -> [log::Field<'a>; 4] {
    [
        ("name", &set.key.name),
        ("type", &set.key.rtype),
        ("ttl", &set.ttl),
        ("values", values),
    ]
}

fn values(set: &RecordSet) -> String {
    let values: Vec<&str> = set.in_order().into_iter().map(String::as_str).collect();
    values.join(",")
}
