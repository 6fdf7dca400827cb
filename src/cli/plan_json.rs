//! `plan --json`: a plan as one JSON object for programs. Pure, and in a stable order.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::context::MetadataReading;
use super::plan_output::{services_by_name, warnings};
use crate::base::redactor::redact;
use crate::desired::Desired;
use crate::desired::skip::SkipReason;
use crate::dns::{Name, RecordKey, RecordSet};
use crate::plan::round::Preview;
use crate::rancher::model::ServiceKey;
use crate::route53::xml::HostedZone;

/// An object while it is put together. Adding fields one by one takes less machine code than a macro or a
/// list of them.
#[derive(Default)]
pub struct Object(Map<String, Value>);

impl Object {
    /// Adds a field.
    pub fn add(&mut self, name: &str, value: Value) -> &mut Object {
        self.0.insert(name.to_owned(), value);
        self
    }

    /// Adds a field with a text, without secrets.
    pub fn text(&mut self, name: &str, words: &str) -> &mut Object {
        self.add(name, text(words))
    }

    /// Adds the fields `name` and `type`, and `set_id` if it has one.
    pub fn key(&mut self, key: &RecordKey) -> &mut Object {
        self.text("name", &key.name.shown())
            .text("type", key.rtype.as_str());
        if let Some(set_id) = &key.set_id {
            self.text("set_id", set_id);
        }
        self
    }

    /// Adds the fields `ttl` and `values`, and `alias`, `routing` and `health_check` if there are any.
    pub fn set(&mut self, set: &RecordSet) -> &mut Object {
        let values = set.in_order().into_iter().map(|value| text(value));
        self.add("ttl", set.ttl().map_or(Value::Null, Value::from))
            .add("values", list(values));
        if let Some(target) = set.alias() {
            let alias = Object::default()
                .text("zone_id", &target.zone_id)
                .text("name", &target.shown())
                .add("evaluates_health", Value::Bool(target.evaluates_health))
                .done();
            self.add("alias", alias);
        }
        if let Some(routing) = &set.routing {
            self.text("routing", &routing.to_string());
        }
        if let Some(health_check) = &set.health_check {
            self.text("health_check", health_check);
        }
        self
    }

    /// Adds the fields `code` and `reason`.
    pub fn skip(&mut self, reason: &SkipReason) -> &mut Object {
        self.text("code", reason.code())
            .text("reason", &reason.to_string())
    }

    /// The object.
    pub fn done(&mut self) -> Value {
        Value::Object(std::mem::take(&mut self.0))
    }
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
pub fn list(items: impl Iterator<Item = Value>) -> Value {
    Value::Array(items.collect())
}

/// Words of any kind.
pub fn texts(words: &[String]) -> Value {
    list(words.iter().map(|words| text(words)))
}

/// What the JSON of a plan is made with.
pub struct PlanJson<'a> {
    /// What services want.
    desired: &'a Desired,
    /// Which services publish each name.
    services: BTreeMap<&'a Name, Vec<&'a ServiceKey>>,
}

impl<'a> PlanJson<'a> {
    /// For the services of this reading.
    pub fn new(reading: &'a MetadataReading) -> PlanJson<'a> {
        PlanJson {
            desired: &reading.desired,
            services: services_by_name(&reading.desired),
        }
    }

    /// The services that a record set is for; none if nobody wants one of its type there.
    pub fn services(&self, key: &RecordKey) -> Value {
        let is_wanted = self.desired.record_sets.contains_key(key);
        let keys = self.services.get(&key.name).filter(|_| is_wanted);
        let keys = keys.into_iter().flatten();
        list(keys.map(|key| text(&key.to_string())))
    }

    fn set(&self, set: &RecordSet) -> Value {
        Object::default()
            .key(&set.key)
            .set(set)
            .add("services", self.services(&set.key))
            .done()
    }

    fn sets(&self, sets: &[RecordSet]) -> Value {
        list(sets.iter().map(|set| self.set(set)))
    }
}

/// The zone.
pub fn hosted_zone(zone: &HostedZone) -> Value {
    Object::default()
        .text("name", &zone.name.without_dot())
        .text("id", &zone.id)
        .done()
}

/// The environment.
pub fn environment(reading: &MetadataReading) -> Value {
    Object::default()
        .text("name", &reading.environment.name)
        .text("uuid", &reading.environment.uuid)
        .done()
}

/// In words why deletes wait, or null.
pub fn deletes_wait(preview: &Preview) -> Value {
    let held = preview.held.as_ref().map(|held| held.to_string());
    maybe(held.as_deref())
}

fn keys(keys: &[RecordKey]) -> Value {
    let key = |key: &RecordKey| Object::default().key(key).done();
    list(keys.iter().map(key))
}

/// The plan.
pub fn json(zone: &HostedZone, reading: &MetadataReading, preview: &Preview) -> Value {
    let plan = &preview.plan;
    let json = PlanJson::new(reading);
    let changes = plan.changes.iter().map(|change| {
        Object::default()
            .add("from", json.set(&change.from))
            .add("to", json.set(&change.to))
            .done()
    });
    let replacements = plan.replacements.iter().map(|replacement| {
        Object::default()
            .add("deletes", json.sets(&replacement.deletes))
            .add("creates", json.sets(&replacement.creates))
            .done()
    });
    let conflicts = plan.conflicts.iter().map(|conflict| {
        Object::default()
            .key(&conflict.key)
            .text("reason", &conflict.reason.to_string())
            .add("services", json.services(&conflict.key))
            .done()
    });
    let skipped = reading.desired.skipped().map(|(key, reason)| {
        Object::default()
            .text("service", &key.to_string())
            .skip(reason)
            .done()
    });
    let containers = reading.desired.skipped_containers().map(|(key, skipped)| {
        Object::default()
            .text("service", &key.to_string())
            .text("reason", &skipped.to_string())
            .done()
    });
    let held = preview.held.as_ref();
    let waiting = held.map_or(&[][..], |held| &held.keys);
    Object::default()
        .add("zone", hosted_zone(zone))
        .add("environment", environment(reading))
        .add("creates", json.sets(&plan.creates))
        .add("changes", list(changes))
        .add("replacements", list(replacements))
        .add("deletes", json.sets(&plan.deletes))
        .add("deletes_wait", deletes_wait(preview))
        .add("deletes_waiting", keys(waiting))
        .add("adopts", keys(&plan.adopts))
        .add("releases", keys(&plan.releases))
        .add("conflicts", list(conflicts))
        .add("skipped", list(skipped))
        .add("skipped_containers", list(containers))
        .add("warnings", texts(&warnings(zone, reading, preview)))
        .add("batches", Value::from(preview.batches))
        .done()
}
