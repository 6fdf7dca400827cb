//! Record sets, the unit that Route 53 lists, creates and deletes: all values of one name and type.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use super::Name;
use crate::base::sorted;

/// Values that Route 53 allows in one record set.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>
pub const MAX_VALUES: usize = 400;
/// The largest TTL that the DNS allows, in seconds (RFC 2181 §8).
pub const MAX_TTL: u32 = 2_147_483_647;

/// The type of a record set, as far as this program distinguishes types.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Canonical name. No other record set may have the same name as a CNAME.
    Cname,
    /// Text. This program's state records have this type.
    Txt,
    /// Any other type, in Route 53's spelling.
    Other(Box<str>),
}

impl RecordType {
    /// The types of the record sets that are published.
    pub const PUBLISHED: [RecordType; 2] = [RecordType::A, RecordType::Aaaa];

    /// Reads a type in Route 53's spelling.
    pub fn parse(text: &str) -> RecordType {
        match text {
            "A" => RecordType::A,
            "AAAA" => RecordType::Aaaa,
            "CNAME" => RecordType::Cname,
            "TXT" => RecordType::Txt,
            other => RecordType::Other(other.into()),
        }
    }

    /// The type in Route 53's spelling.
    pub fn as_str(&self) -> &str {
        match self {
            RecordType::A => "A",
            RecordType::Aaaa => "AAAA",
            RecordType::Cname => "CNAME",
            RecordType::Txt => "TXT",
            RecordType::Other(text) => text,
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Name and type. A zone has at most one simple record set for each key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// Name of the record set.
    pub name: Name,
    /// Type of the record set.
    pub rtype: RecordType,
}

impl RecordKey {
    /// The key of the record set with this name and type.
    pub fn new(name: Name, rtype: RecordType) -> RecordKey {
        RecordKey { name, rtype }
    }
}

/// How many of these keys have each type, in the order of [`RecordType::PUBLISHED`].
pub fn count_by_type<'a>(
    keys: impl Iterator<Item = &'a RecordKey>,
) -> [usize; RecordType::PUBLISHED.len()] {
    let mut counts = [0; RecordType::PUBLISHED.len()];
    for key in keys {
        let at = RecordType::PUBLISHED
            .iter()
            .position(|rtype| *rtype == key.rtype);
        if let Some(at) = at {
            counts[at] += 1;
        }
    }
    counts
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.rtype)
    }
}

/// A simple record set: one that has a TTL and values and no routing policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordSet {
    /// Name and type.
    pub key: RecordKey,
    /// Time to live, in seconds.
    pub ttl: u32,
    /// Values exactly as Route 53 has them, since a DELETE has to repeat them to the letter.
    pub values: BTreeSet<String>,
}

impl RecordSet {
    /// A record set of IP addresses. `addresses` must all be of the family of the key's type: IPv4
    /// for A, IPv6 for AAAA.
    pub fn of_addresses(key: RecordKey, ttl: u32, addresses: &[IpAddr]) -> RecordSet {
        let values = sorted::set(addresses.iter().map(IpAddr::to_string));
        RecordSet { key, ttl, values }
    }

    /// Whether both record sets give the same answers. Addresses are compared as addresses, not as
    /// text: a record set that has `2001:DB8::1` needs no change to `2001:db8::1`.
    pub fn is_equivalent_to(&self, other: &RecordSet) -> bool {
        self.key == other.key
            && self.ttl == other.ttl
            && (self.values == other.values
                || matches!((self.addresses(), other.addresses()), (Some(a), Some(b)) if a == b))
    }

    /// The values as people look for them: addresses in the order of their numbers, whatever else in
    /// that of the text.
    pub fn in_order(&self) -> Vec<&String> {
        let mut sorted: Vec<(Option<IpAddr>, &String)> = Vec::with_capacity(self.values.len());
        for value in &self.values {
            sorted::add(&mut sorted, &(value.parse().ok(), value));
        }
        sorted.into_iter().map(|(_, value)| value).collect()
    }

    fn addresses(&self) -> Option<BTreeSet<IpAddr>> {
        if !matches!(self.key.rtype, RecordType::A | RecordType::Aaaa) {
            return None;
        }
        let addresses = self.values.iter().map(|value| value.parse().ok());
        let addresses: Option<Vec<IpAddr>> = addresses.collect();
        addresses.map(sorted::set)
    }

    /// Characters of all values together. Route 53 limits this sum for one request.
    pub fn characters(&self) -> usize {
        self.values.iter().map(|value| value.chars().count()).sum()
    }
}

impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<&str> = self.in_order().into_iter().map(String::as_str).collect();
        write!(f, "{} {} {}", self.key, self.ttl, values.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(rtype: RecordType, ttl: u32, values: &[&str]) -> RecordSet {
        let key = RecordKey::new(Name::parse("a.example.com").unwrap(), rtype);
        RecordSet {
            key,
            ttl,
            values: values.iter().map(|v| v.to_string()).collect(),
        }
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

    #[test]
    fn values_are_compared_as_sets_of_addresses() {
        let aaaa = |values: &[&str]| set(RecordType::Aaaa, 60, values);
        assert!(aaaa(&["2001:DB8::1"]).is_equivalent_to(&aaaa(&["2001:db8:0::1"])));
        assert!(!aaaa(&["2001:db8::1"]).is_equivalent_to(&aaaa(&["2001:db8::2"])));
        assert!(!aaaa(&["2001:db8::1"]).is_equivalent_to(&set(
            RecordType::Aaaa,
            61,
            &["2001:db8::1"]
        )));
        let txt = |values: &[&str]| set(RecordType::Txt, 60, values);
        assert!(txt(&["\"b\"", "\"a\""]).is_equivalent_to(&txt(&["\"a\"", "\"b\""])));
        assert!(!txt(&["\"A\""]).is_equivalent_to(&txt(&["\"a\""])));
    }
}
