//! `plan --json`: a plan as one JSON object for programs. Pure, and in a stable order.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::context::MetadataReading;
use super::plan_output::{services_by_name, warnings};
use crate::base::redactor::redact;
use crate::dns::{Name, RecordKey, RecordSet};
use crate::plan::round::Preview;
use crate::rancher::model::ServiceKey;
use crate::route53::xml::HostedZone;

/// An object with these fields.
pub fn object<const N: usize>(mut fields: [(&str, Value); N]) -> Value {
    object_of(&mut fields)
}

fn object_of(fields: &mut [(&str, Value)]) -> Value {
    let mut map = Map::new();
    for (name, value) in fields {
        map.insert((*name).to_owned(), value.take());
    }
    Value::Object(map)
}

/// A text without secrets.
pub fn text(text: &str) -> Value {
    Value::String(redact(text).into_owned())
}

/// A text, or null.
pub fn maybe(words: Option<&str>) -> Value {
    words.map_or(Value::Null, text)
}

/// A list of whatever there is.
pub fn list(items: &mut dyn Iterator<Item = Value>) -> Value {
    let mut all = Vec::new();
    for item in items {
        all.push(item);
    }
    Value::Array(all)
}

/// Words of any kind.
pub fn texts(words: &[String]) -> Value {
    list(&mut words.iter().map(|words| text(words)))
}

/// What the JSON of a plan is made with: which services publish each name.
pub struct PlanJson<'a>(BTreeMap<&'a Name, Vec<&'a ServiceKey>>);

impl<'a> PlanJson<'a> {
    /// For the services of this reading.
    pub fn new(reading: &'a MetadataReading) -> PlanJson<'a> {
        PlanJson(services_by_name(&reading.desired))
    }

    /// The services that publish a name.
    pub fn services(&self, name: &Name) -> Value {
        let keys = self.0.get(name).into_iter().flatten();
        list(&mut keys.map(|key| text(&key.to_string())))
    }

    fn set(&self, set: &RecordSet) -> Value {
        object([
            ("name", text(&set.key.name.shown())),
            ("type", text(set.key.rtype.as_str())),
            ("ttl", Value::from(set.ttl)),
            ("values", values(set)),
            ("services", self.services(&set.key.name)),
        ])
    }

    fn sets(&self, sets: &[RecordSet]) -> Value {
        list(&mut sets.iter().map(|set| self.set(set)))
    }
}

/// The values of a record set.
pub fn values(set: &RecordSet) -> Value {
    list(&mut set.in_order().into_iter().map(|value| text(value)))
}

/// The zone.
pub fn hosted_zone(zone: &HostedZone) -> Value {
    object([
        ("name", text(&zone.name.without_dot())),
        ("id", text(&zone.id)),
    ])
}

/// The environment.
pub fn environment(reading: &MetadataReading) -> Value {
    object([
        ("name", text(&reading.environment.name)),
        ("uuid", text(&reading.environment.uuid)),
    ])
}

/// In words why deletes wait, or null.
pub fn deletes_wait(preview: &Preview) -> Value {
    let held = preview.held.as_ref().map(|held| held.to_string());
    maybe(held.as_deref())
}

fn keys(keys: &[RecordKey]) -> Value {
    let key = |key: &RecordKey| {
        object([
            ("name", text(&key.name.shown())),
            ("type", text(key.rtype.as_str())),
        ])
    };
    list(&mut keys.iter().map(key))
}

/// The plan.
pub fn json(zone: &HostedZone, reading: &MetadataReading, preview: &Preview) -> Value {
    let plan = &preview.plan;
    let json = PlanJson::new(reading);
    let changes = plan.changes.iter().map(|change| {
        object([
            ("from", json.set(&change.from)),
            ("to", json.set(&change.to)),
        ])
    });
    let conflicts = plan.conflicts.iter().map(|conflict| {
        object([
            ("name", text(&conflict.key.name.shown())),
            ("type", text(conflict.key.rtype.as_str())),
            ("reason", text(&conflict.reason.to_string())),
            ("services", json.services(&conflict.key.name)),
        ])
    });
    let skipped = reading.desired.skipped().map(|(key, reason)| {
        object([
            ("service", text(&key.to_string())),
            ("code", text(reason.code())),
            ("reason", text(&reason.to_string())),
        ])
    });
    let containers = reading.desired.skipped_containers().map(|(key, skipped)| {
        let first = skipped.first.iter().map(|(name, reason)| {
            object([
                ("name", text(name)),
                ("code", text(reason.code())),
                ("reason", text(&reason.to_string())),
            ])
        });
        object([
            ("service", text(&key.to_string())),
            ("total", Value::from(skipped.total)),
            ("skipped", Value::from(skipped.count())),
            ("first", list(&mut { first })),
        ])
    });
    let held = preview.held.as_ref();
    let waiting = held.map_or(&[][..], |held| &held.keys);
    object([
        ("zone", hosted_zone(zone)),
        ("environment", environment(reading)),
        ("creates", json.sets(&plan.creates)),
        ("changes", list(&mut { changes })),
        ("deletes", json.sets(&plan.deletes)),
        ("deletes_wait", deletes_wait(preview)),
        ("deletes_waiting", keys(waiting)),
        ("adopts", keys(&plan.adopts)),
        ("releases", keys(&plan.releases)),
        ("conflicts", list(&mut { conflicts })),
        ("skipped", list(&mut { skipped })),
        ("skipped_containers", list(&mut { containers })),
        ("warnings", texts(&warnings(zone, reading, preview))),
        ("batches", Value::from(preview.batches)),
    ])
}
