//! What has changed in the zone, a line of the log for each record set.

use std::fmt;

use crate::base::log::{self, Level, Lines};
use crate::dns::{ChangeBatch, RecordSet};
use crate::plan::state_records::StateNames;

/// Logs a batch that was applied; the state records are bookkeeping.
pub fn applied(batch: &ChangeBatch, names: &StateNames) {
    let mut lines = Lines::now();
    let is_state = |set: &RecordSet| names.index_of(&set.key).is_some();
    for set in &batch.creates {
        let before = batch.deletes.iter().find(|deleted| deleted.key == set.key);
        match before {
            _ if is_state(set) => {
                lines.add(
                    Level::Debug,
                    "state record written",
                    &[("name", &set.key.name), ("entries", &set.values.len())],
                );
            }
            None => lines.add(
                Level::Info,
                "record set created",
                &fields(set, &values(set)),
            ),
            Some(before) => {
                let (from, to) = (values(before), values(set));
                lines.add(
                    Level::Info,
                    "record set changed",
                    &[
                        ("name", &set.key.name),
                        ("type", &set.key.rtype),
                        ("ttl", &set.ttl),
                        ("from", &from),
                        ("values", &to),
                    ],
                );
            }
        }
    }
    for set in &batch.deletes {
        let is_gone = !batch.creates.iter().any(|created| created.key == set.key);
        match is_gone {
            true if is_state(set) => lines.add(
                Level::Debug,
                "state record deleted",
                &[("name", &set.key.name)],
            ),
            true => lines.add(
                Level::Info,
                "record set deleted",
                &fields(set, &values(set)),
            ),
            false => {}
        }
    }
    lines.write();
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
    set.values
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(",")
}
