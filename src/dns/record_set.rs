//! Record sets, the unit that Route 53 lists, creates and deletes: all values of one name and type, or,
//! with a routing policy, those of one set identifier.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use super::record_key::{MAX_SHOWN, shown_id};
use super::{Name, RecordKey, RecordType, Routing, SharedText, Values};
use crate::base::sorted;
use crate::base::text::quoted_start;

/// Values that Route 53 allows in one record set.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>
pub const MAX_VALUES: usize = 400;
/// The largest TTL that the DNS allows, in seconds (RFC 2181 §8).
pub const MAX_TTL: u32 = 2_147_483_647;

/// A record set, with everything that Route 53 keeps of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordSet {
    /// Name, type and set identifier.
    pub key: RecordKey,
    /// What it answers.
    pub body: Body,
    /// Its routing policy. `None` for a simple record set.
    pub routing: Option<Box<Routing>>,
    /// The id of the health check without which it isn't in answers.
    pub health_check: Option<SharedText>,
}

/// What a record set answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Body {
    /// Values of its own.
    Records {
        /// Time to live, in seconds.
        ttl: u32,
        /// Exactly as Route 53 has them, since a DELETE has to repeat them to the letter.
        values: Values,
    },
    /// What another name answers, which Route 53 looks up itself.
    Alias(Box<AliasTarget>),
}

/// The target of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AliasTarget {
    /// The id of the hosted zone that the target is in.
    pub zone_id: String,
    /// The target's name, exactly as Route 53 has it.
    pub name: String,
    /// Whether it isn't in answers while the target isn't well.
    pub evaluates_health: bool,
}

impl AliasTarget {
    /// Whether both are the same target. Route 53 may give the name back in another spelling.
    fn is_equivalent_to(&self, other: &AliasTarget) -> bool {
        let name = |target: &AliasTarget| Name::parse(&target.name).ok();
        self.zone_id == other.zone_id
            && self.evaluates_health == other.evaluates_health
            && (self.name == other.name
                || matches!((name(self), name(other)), (Some(a), Some(b)) if a == b))
    }
}

impl RecordSet {
    /// A record set with this body, without health check. `routing` goes with the key's set identifier:
    /// both are there, or neither is.
    pub fn new(key: RecordKey, body: Body, routing: Option<Routing>) -> RecordSet {
        RecordSet {
            key,
            body,
            routing: routing.map(Box::new),
            health_check: None,
        }
    }

    /// A simple record set with these values.
    pub fn of_values(key: RecordKey, ttl: u32, values: Values) -> RecordSet {
        RecordSet::new(key, Body::Records { ttl, values }, None)
    }

    /// A simple record set of IP addresses. `addresses` must all be of the family of the key's type:
    /// IPv4 for A, IPv6 for AAAA.
    pub fn of_addresses(key: RecordKey, ttl: u32, addresses: &[IpAddr]) -> RecordSet {
        let values = addresses.iter().map(IpAddr::to_string).collect();
        RecordSet::of_values(key, ttl, values)
    }

    /// Time to live, in seconds. `None` for an alias.
    pub fn ttl(&self) -> Option<u32> {
        match &self.body {
            Body::Records { ttl, .. } => Some(*ttl),
            Body::Alias(_) => None,
        }
    }

    /// The values. None for an alias.
    pub fn values(&self) -> &[String] {
        match &self.body {
            Body::Records { values, .. } => values,
            Body::Alias(_) => &[],
        }
    }

    /// The target, if it is an alias.
    pub fn alias(&self) -> Option<&AliasTarget> {
        match &self.body {
            Body::Records { .. } => None,
            Body::Alias(target) => Some(target),
        }
    }

    /// Whether it is a simple one with values of its own.
    pub fn is_plain(&self) -> bool {
        !self.key.is_routed() && self.routing.is_none() && self.alias().is_none()
    }

    /// The same record set with another TTL. An alias has none, so it stays as it is.
    pub fn with_ttl(mut self, other: u32) -> RecordSet {
        if let Body::Records { ttl, .. } = &mut self.body {
            *ttl = other;
        }
        self
    }

    /// Whether `other` is what this one asks for: it gives the same answers, and has the same health
    /// check or, if this one asks for none, any. Addresses are compared as addresses, not as text: a
    /// record set that has `2001:DB8::1` needs no change to `2001:db8::1`.
    pub fn is_satisfied_by(&self, other: &RecordSet) -> bool {
        self.key == other.key
            && self.routing == other.routing
            && (self.health_check.is_none() || self.health_check == other.health_check)
            && self.has_same_body(other)
    }

    fn has_same_body(&self, other: &RecordSet) -> bool {
        match (&self.body, &other.body) {
            (Body::Alias(a), Body::Alias(b)) => a.is_equivalent_to(b),
            (Body::Records { ttl: a, .. }, Body::Records { ttl: b, .. }) if a != b => false,
            (Body::Records { values: a, .. }, Body::Records { values: b, .. }) => {
                a == b
                    || matches!((self.addresses(), other.addresses()), (Some(a), Some(b)) if a == b)
                    || matches!((self.target(), other.target()), (Some(a), Some(b)) if a == b)
            }
            _ => false,
        }
    }

    /// The values as people look for them: addresses in the order of their numbers, whatever else in
    /// that of the text.
    pub fn in_order(&self) -> Vec<&String> {
        let values = self.values();
        let mut sorted: Vec<(Option<IpAddr>, &String)> = Vec::with_capacity(values.len());
        for value in values {
            sorted::add(&mut sorted, &(value.parse().ok(), value));
        }
        sorted.into_iter().map(|(_, value)| value).collect()
    }

    fn addresses(&self) -> Option<BTreeSet<IpAddr>> {
        if !matches!(self.key.rtype, RecordType::A | RecordType::Aaaa) {
            return None;
        }
        let addresses = self.values().iter().map(|value| value.parse().ok());
        let addresses: Option<Vec<IpAddr>> = addresses.collect();
        addresses.map(sorted::set)
    }

    /// The name that a CNAME leads to.
    fn target(&self) -> Option<Name> {
        let value = self.values().first()?;
        match self.key.rtype {
            RecordType::Cname => Name::parse(value).ok(),
            _ => None,
        }
    }

    /// Characters of all values together. Route 53 limits this sum for one request.
    pub fn characters(&self) -> usize {
        let values = self.values().iter();
        values.map(|value| value.chars().count()).sum()
    }
}

/// Key, TTL, values or target, routing policy and health check.
impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.key, self.answers())?;
        for extra in self.extras() {
            write!(f, " {extra}")?;
        }
        Ok(())
    }
}

impl RecordSet {
    /// TTL and values, or the target.
    pub fn answers(&self) -> String {
        match &self.body {
            Body::Records { ttl, .. } => {
                let values: Vec<&str> = self.in_order().into_iter().map(String::as_str).collect();
                format!("{ttl} {}", values.join(","))
            }
            Body::Alias(target) => format!("alias {}", target.shown()),
        }
    }

    /// The routing policy and the health check, in words; nothing for a simple record set without one.
    pub fn extras(&self) -> impl Iterator<Item = String> + '_ {
        let routing = self.routing.iter().map(|routing| routing.to_string());
        let check = self.health_check.iter();
        let check = check.map(|id| format!("health check {}", shown_id(id)));
        routing.chain(check)
    }
}

impl AliasTarget {
    /// The target's name without the dot, for people.
    pub fn shown(&self) -> String {
        match Name::parse(&self.name) {
            Ok(name) => name.without_dot().into_owned(),
            Err(_) => quoted_start(&self.name, MAX_SHOWN),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rtype: RecordType, ttl: u32, values: &[&str]) -> RecordSet {
        let key = RecordKey::new(Name::parse("a.example.com").unwrap(), rtype);
        RecordSet::of_values(key, ttl, values.iter().map(|v| v.to_string()).collect())
    }

    #[test]
    fn addresses_are_shown_in_the_order_of_their_numbers() {
        for (rtype, values) in [
            (RecordType::A, &["10.0.0.9", "10.0.0.10", "192.0.2.1"][..]),
            (RecordType::Aaaa, &["2001:db8::9", "2001:db8::10"]),
            (RecordType::Txt, &["\"10\"", "\"9\""]),
        ] {
            let set = set(rtype, 60, values);
            assert_eq!(set.in_order(), values);
            assert!(set.to_string().ends_with(&values.join(",")), "{set}");
        }
    }

    /// Each service has two to four in memory, and five keys.
    #[test]
    fn what_is_kept_of_each_is_small() {
        let word = size_of::<usize>();
        assert_eq!(size_of::<RecordKey>(), 5 * word);
        assert_eq!(size_of::<RecordSet>(), 10 * word);
    }

    #[test]
    fn values_are_compared_as_sets_of_addresses() {
        let aaaa = |values: &[&str]| set(RecordType::Aaaa, 60, values);
        assert!(aaaa(&["2001:DB8::1"]).is_satisfied_by(&aaaa(&["2001:db8:0::1"])));
        assert!(!aaaa(&["2001:db8::1"]).is_satisfied_by(&aaaa(&["2001:db8::2"])));
        assert!(!aaaa(&["2001:db8::1"]).is_satisfied_by(&set(
            RecordType::Aaaa,
            61,
            &["2001:db8::1"]
        )));
        let txt = |values: &[&str]| set(RecordType::Txt, 60, values);
        assert!(txt(&["\"b\"", "\"a\""]).is_satisfied_by(&txt(&["\"a\"", "\"b\""])));
        assert!(!txt(&["\"A\""]).is_satisfied_by(&txt(&["\"a\""])));
    }
}
