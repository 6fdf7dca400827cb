//! The vocabulary of a zone: record sets, the routing kinds they come in, and changes.

use super::place::{CidrRouting, GeoLocation, GeoProximity};
use std::collections::BTreeSet;
use std::fmt;

/// A record set, with its name and values as Route 53 stores them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordSet {
    /// Lower case, escaped, with its dot at the end.
    pub name: String,
    pub rtype: String,
    /// Absent in an alias, and in a traffic policy's record set.
    pub ttl: Option<u32>,
    pub values: Vec<String>,
    pub set_identifier: Option<String>,
    pub weight: Option<u8>,
    pub region: Option<String>,
    pub geo_location: Option<GeoLocation>,
    pub failover: Option<String>,
    pub multi_value_answer: Option<bool>,
    pub alias: Option<Alias>,
    pub health_check_id: Option<String>,
    pub traffic_policy_instance_id: Option<String>,
    pub cidr: Option<CidrRouting>,
    pub geo_proximity: Option<GeoProximity>,
}

/// What an alias points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    pub hosted_zone_id: String,
    pub dns_name: String,
    pub evaluate_target_health: bool,
}

impl RecordSet {
    /// Which of the routing policies this belongs to. Those that share a name and type must
    /// agree on it, and at most one may be simple.
    pub fn policies(&self) -> Vec<&'static str> {
        [
            ("weight", self.weight.is_some()),
            ("region", self.region.is_some()),
            ("geolocation", self.geo_location.is_some()),
            ("failover", self.failover.is_some()),
            // A record set that says `false` has no policy.
            ("multivalue answer", self.multi_value_answer == Some(true)),
            ("CIDR", self.cidr.is_some()),
            ("geoproximity", self.geo_proximity.is_some()),
        ]
        .into_iter()
        .filter_map(|(policy, used)| used.then_some(policy))
        .collect()
    }

    /// What distinguishes it from others with its policy.
    fn place(&self) -> Vec<String> {
        let weight = self.weight.map(|weight| weight.to_string());
        let location = self.geo_location.as_ref().map(ToString::to_string);
        let cidr = self.cidr.as_ref().map(ToString::to_string);
        let proximity = self.geo_proximity.as_ref().map(ToString::to_string);
        let (region, failover) = (self.region.clone(), self.failover.clone());
        [weight, region, location, failover, cidr, proximity]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Equal but for the order of values, which Route 53 does not regard.
    pub fn matches(&self, other: &RecordSet) -> bool {
        let values = |set: &RecordSet| set.values.iter().cloned().collect::<BTreeSet<_>>();
        let rest = |set: &RecordSet| RecordSet {
            values: Vec::new(),
            ..set.clone()
        };
        self.values.len() == other.values.len()
            && values(self) == values(other)
            && rest(self) == rest(other)
    }
}

/// `web.example.com. 300 A 1.2.3.4 5.6.7.8`, then for special kinds what makes them so.
impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.name)?;
        match self.ttl {
            Some(ttl) => write!(f, "{ttl} {}", self.rtype)?,
            None => write!(f, "- {}", self.rtype)?,
        }
        for value in &self.values {
            write!(f, " {value}")?;
        }
        if let Some(alias) = &self.alias {
            write!(f, " ALIAS {} {}", alias.hosted_zone_id, alias.dns_name)?;
            if alias.evaluate_target_health {
                write!(f, " [target's health]")?;
            }
        }
        if let Some(id) = &self.set_identifier {
            write!(f, " [{id}: {}", self.policies().join(", "))?;
            for place in self.place() {
                write!(f, " {place}")?;
            }
            write!(f, "]")?;
        }
        if let Some(id) = &self.health_check_id {
            write!(f, " [health check {id}]")?;
        }
        if let Some(id) = &self.traffic_policy_instance_id {
            write!(f, " [traffic policy {id}]")?;
        }
        Ok(())
    }
}

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    Create,
    Delete,
    Upsert,
}

impl Action {
    pub const ALL: [Action; 3] = [Action::Create, Action::Delete, Action::Upsert];

    pub fn name(self) -> &'static str {
        match self {
            Action::Create => "CREATE",
            Action::Delete => "DELETE",
            Action::Upsert => "UPSERT",
        }
    }

    /// An UPSERT counts twice wherever Route 53 counts: it is a DELETE and a CREATE.
    pub fn cost(self) -> usize {
        match self {
            Action::Create | Action::Delete => 1,
            Action::Upsert => 2,
        }
    }
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub action: Action,
    pub record_set: RecordSet,
}

impl Change {
    pub fn create(record_set: RecordSet) -> Change {
        Change {
            action: Action::Create,
            record_set,
        }
    }

    pub fn delete(record_set: RecordSet) -> Change {
        Change {
            action: Action::Delete,
            record_set,
        }
    }

    pub fn upsert(record_set: RecordSet) -> Change {
        Change {
            action: Action::Upsert,
            record_set,
        }
    }

    /// The `ResourceRecord` elements this counts for: one for an alias, which has none.
    pub fn resource_records(&self) -> usize {
        let aliases = usize::from(self.record_set.alias.is_some());
        self.action.cost() * (self.record_set.values.len() + aliases)
    }

    /// The characters of `Value` this counts for.
    pub fn characters(&self) -> usize {
        let values = self.record_set.values.iter();
        self.action.cost() * values.map(|v| v.chars().count()).sum::<usize>()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action.name(), self.record_set)
    }
}
