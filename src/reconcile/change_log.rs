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
            &[("name", &set.key.name), ("entries", &set.values().len())],
        ),
        RecordChange::Delete(set) => lines.add(
            Level::Debug,
            "state record deleted",
            &[("name", &set.key.name)],
        ),
    }
}

fn add_record_set(lines: &mut Lines, change: RecordChange<'_>) {
    let (message, from, set) = match change {
        RecordChange::Create(set) => ("record set created", None, set),
        RecordChange::Change { from, to } => ("record set changed", Some(from), to),
        RecordChange::Delete(set) => ("record set deleted", None, set),
    };
    let fields = fields(set, from);
    let fields: Vec<log::Field<'_>> = fields
        .iter()
        .map(|(name, text)| (*name, text as &dyn fmt::Display))
        .collect();
    lines.add(Level::Info, message, &fields);
}

/// What there is to say of a record set. `from` is what it was if it has changed.
fn fields(set: &RecordSet, from: Option<&RecordSet>) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("name", set.key.name.to_string()),
        ("type", set.key.rtype.to_string()),
    ];
    let set_id = set.key.set_id.as_deref();
    fields.extend(set_id.map(|id| ("set_id", id.to_owned())));
    fields.extend(set.ttl().map(|ttl| ("ttl", ttl.to_string())));
    fields.extend(from.map(|from| ("from", values(from))));
    fields.push(("values", values(set)));
    let routing = set.routing.as_deref();
    fields.extend(routing.map(|routing| ("routing", routing.to_string())));
    let health_check = set.health_check.as_deref();
    fields.extend(health_check.map(|id| ("health_check", id.to_owned())));
    fields
}

fn values(set: &RecordSet) -> String {
    match set.alias() {
        Some(_) => set.answers(),
        None => {
            let values: Vec<&str> = set.in_order().into_iter().map(String::as_str).collect();
            values.join(",")
        }
    }
}
