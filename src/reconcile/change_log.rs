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

/// What there is to say of a record set. `from` is what it was if it has changed; of TTL, routing policy
/// and health check that is said where they are others now.
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
    fields.extend(routing(set).map(|text| ("routing", text)));
    fields.extend(health_check(set).map(|text| ("health_check", text)));
    let Some(from) = from else { return fields };
    let ttl = |set: &RecordSet| set.ttl().map(|ttl| ttl.to_string());
    for (name, of) in [
        ("from_ttl", ttl as fn(&RecordSet) -> Option<String>),
        ("from_routing", routing),
        ("from_health_check", health_check),
    ] {
        let before = of(from);
        if before != of(set) {
            fields.push((name, before.unwrap_or_else(|| "none".to_owned())));
        }
    }
    fields
}

fn routing(set: &RecordSet) -> Option<String> {
    let routing = set.routing.as_deref();
    routing.map(|routing| routing.to_string())
}

fn health_check(set: &RecordSet) -> Option<String> {
    set.health_check.as_deref().map(str::to_owned)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, RecordKey, RecordType, Routing};

    fn weighted(ttl: u32, weight: Option<u8>, health_check: Option<&str>) -> RecordSet {
        let name = Name::parse("web.example.com").unwrap();
        let set_id = weight.map(|_| "blue".into());
        let key = RecordKey::with_set_id(name, RecordType::A, set_id);
        let mut set = RecordSet::of_values(key, ttl, ["192.0.2.1".to_owned()].into());
        set.routing = weight.map(|weight| Box::new(Routing::Weighted(weight)));
        set.health_check = health_check.map(Into::into);
        set
    }

    #[test]
    fn a_line_says_what_is_another_now() {
        let before = weighted(300, Some(1), None);
        for (to, expected) in [
            (weighted(300, Some(1), None), ""),
            (weighted(60, Some(1), None), "from_ttl=300"),
            (weighted(300, Some(2), None), "from_routing=weighted 1"),
            (
                weighted(300, Some(1), Some("check-1")),
                "from_health_check=none",
            ),
        ] {
            let fields = fields(&to, Some(&before)).into_iter();
            let fields = fields.map(|(name, text)| format!("{name}={text}"));
            let others: Vec<String> = fields.filter(|field| field.starts_with("from_")).collect();
            assert_eq!(others.join(" "), expected);
        }
    }
}
