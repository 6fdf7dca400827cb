//! What a zone holds, in the words of this test: record sets by their keys, and which of them
//! the environment's state records list. Nothing here is the program's own code.

use std::collections::{BTreeMap, BTreeSet};

use sim::route53::{RecordSet, Zone};

pub use sim::harness::{DOMAIN, ZONE};
pub const UUID: &str = "1a726b88-f6b1-53ad-8dac-f631830b5815";
/// Seconds; the program's default.
pub const TTL: u32 = 300;

/// How names are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// `<service>.<stack>.<environment>.<zone>.`, so that only that part of the zone is listed.
    Usual,
    /// The environment comes first, so that the whole zone is.
    Turned,
}

impl Naming {
    /// `NAME_TEMPLATE`.
    pub fn template(self) -> &'static str {
        match self {
            Naming::Usual => "%{{service_name}}.%{{stack_name}}.%{{environment_name}}",
            Naming::Turned => "%{{environment_name}}.%{{service_name}}.%{{stack_name}}",
        }
    }

    pub fn name(self, stack: &str, service: &str) -> String {
        let label = |text: &str| text.to_lowercase().replace('_', "-");
        let (name, stack) = (label(service), label(stack));
        match self {
            Naming::Usual => format!("{name}.{stack}.prod.{DOMAIN}."),
            Naming::Turned => format!("prod.{name}.{stack}.{DOMAIN}."),
        }
    }
}

/// Name, type, set identifier: what a zone has at most one record set of.
pub type Key = (String, String, Option<String>);
pub type Sets = BTreeMap<Key, RecordSet>;

pub fn key(set: &RecordSet) -> Key {
    let (name, rtype) = (set.name.clone(), set.rtype.clone());
    (name, rtype, set.set_identifier.clone())
}

/// Neither an alias nor one of several with a routing policy, and without a health check: such as
/// the program makes.
pub fn is_simple(set: &RecordSet) -> bool {
    set.alias.is_none() && set.set_identifier.is_none() && set.health_check_id.is_none()
}

pub fn state_name(index: usize) -> String {
    match index {
        0 => format!("external-dns-{UUID}.{DOMAIN}."),
        _ => format!("external-dns-{UUID}-{index}.{DOMAIN}."),
    }
}

/// Whether this is one of the environment's state records.
pub fn is_state(set: &RecordSet) -> bool {
    let is_numbered = |name: &str| {
        let number = name.strip_prefix(&format!("external-dns-{UUID}-"));
        let number = number.and_then(|rest| rest.strip_suffix(&format!(".{DOMAIN}.")));
        number.is_some_and(|text| text.parse().is_ok_and(|n: u16| n.to_string() == text))
    };
    let is_named = set.name == state_name(0) || is_numbered(&set.name);
    set.rtype == "TXT" && is_simple(set) && is_named
}

pub fn state_records(zone: &Zone) -> impl Iterator<Item = &RecordSet> {
    zone.record_sets().filter(|set| is_state(set))
}

/// Everything else.
pub fn others(zone: &Zone) -> Sets {
    let others = zone.record_sets().filter(|set| !is_state(set));
    others.map(|set| (key(set), set.clone())).collect()
}

/// Which record set a state record's value lists; `None` for what is no entry.
pub fn entry(value: &str) -> Option<Key> {
    let value = value.split(" \"claim ").next().unwrap_or(value);
    let text = value.trim_matches('"');
    let (name, rtype) = match text.strip_suffix(" AAAA") {
        Some(name) => (name, "AAAA"),
        None => (text, "A"),
    };
    let name = format!("{}.", name.trim_end_matches('.').to_lowercase());
    let is_ours = name.ends_with(&format!(".{DOMAIN}.")) && !name.contains(' ');
    is_ours.then(|| (name, rtype.to_owned(), None))
}

/// The value that lists a record set.
pub fn value((name, rtype, _): &Key) -> String {
    match rtype.as_str() {
        "A" => format!("\"{name}\""),
        _ => format!("\"{name} {rtype}\""),
    }
}

/// What the state records list: what is owned.
pub fn listed(zone: &Zone) -> BTreeSet<Key> {
    let values = state_records(zone).flat_map(|set| &set.values);
    values.filter_map(|value| entry(value)).collect()
}

/// What else is written in the state records.
pub fn notes(zone: &Zone) -> BTreeSet<String> {
    let values = state_records(zone).flat_map(|set| &set.values);
    let notes = values.filter(|value| entry(value).is_none());
    notes.cloned().collect()
}
