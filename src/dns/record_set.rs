//! Record sets: what Route 53 lists, creates and deletes as one.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use super::Name;
use crate::base::sorted;

/// Route 53's limit on the values of one record set.
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>
pub const MOST_VALUES: usize = 400;
/// The largest TTL there is, in seconds (RFC 2181 §8).
pub const LONGEST_TTL: u32 = 2_147_483_647;

/// The types that this program tells apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordType {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// An alias name, beside which nothing else may have the name.
    Cname,
    /// Text: the state records.
    Txt,
    /// Any other, as Route 53 spells it.
    Other(Box<str>),
}

impl RecordType {
    /// Reads Route 53's spelling.
    pub fn parse(text: &str) -> RecordType {
        match text {
            "A" => RecordType::A,
            "AAAA" => RecordType::Aaaa,
            "CNAME" => RecordType::Cname,
            "TXT" => RecordType::Txt,
            other => RecordType::Other(other.into()),
        }
    }

    /// Route 53's spelling.
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

/// What there is at most one simple record set of in a zone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey {
    /// The record set's name.
    pub name: Name,
    /// The record set's type.
    pub rtype: RecordType,
}

impl RecordKey {
    /// Both parts.
    pub fn new(name: Name, rtype: RecordType) -> RecordKey {
        RecordKey { name, rtype }
    }
}

impl fmt::Display for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.rtype)
    }
}

/// A simple record set: one that has a TTL and values and no routing policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    /// Name and type.
    pub key: RecordKey,
    /// In seconds.
    pub ttl: u32,
    /// As Route 53 has them, to the letter: a DELETE has to repeat them.
    pub values: BTreeSet<String>,
}

impl RecordSet {
    /// The addresses of one family under a name. `addresses` are all of the type's family.
    pub fn of_addresses(key: RecordKey, ttl: u32, addresses: &[IpAddr]) -> RecordSet {
        let values = sorted::set(addresses.iter().map(IpAddr::to_string));
        RecordSet { key, ttl, values }
    }

    /// Whether both say the same: addresses are compared as such, however they are written
    /// (`2001:DB8::1` is `2001:db8::1`), so that one only spelled otherwise isn't changed.
    pub fn says_the_same_as(&self, other: &RecordSet) -> bool {
        self.key == other.key
            && self.ttl == other.ttl
            && (self.values == other.values
                || matches!((self.addresses(), other.addresses()), (Some(a), Some(b)) if a == b))
    }

    fn addresses(&self) -> Option<BTreeSet<IpAddr>> {
        if !matches!(self.key.rtype, RecordType::A | RecordType::Aaaa) {
            return None;
        }
        let addresses = self.values.iter().map(|value| value.parse().ok());
        let addresses: Option<Vec<IpAddr>> = addresses.collect();
        addresses.map(sorted::set)
    }

    /// Number of characters over all values, which is what Route 53's limit counts.
    pub fn characters(&self) -> usize {
        self.values.iter().map(|value| value.chars().count()).sum()
    }
}

impl fmt::Display for RecordSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<&str> = self.values.iter().map(String::as_str).collect();
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
    fn values_are_compared_as_sets_of_addresses() {
        let aaaa = |values: &[&str]| set(RecordType::Aaaa, 60, values);
        assert!(aaaa(&["2001:DB8::1"]).says_the_same_as(&aaaa(&["2001:db8:0::1"])));
        assert!(!aaaa(&["2001:db8::1"]).says_the_same_as(&aaaa(&["2001:db8::2"])));
        assert!(!aaaa(&["2001:db8::1"]).says_the_same_as(&set(
            RecordType::Aaaa,
            61,
            &["2001:db8::1"]
        )));
        let txt = |values: &[&str]| set(RecordType::Txt, 60, values);
        assert!(txt(&["\"b\"", "\"a\""]).says_the_same_as(&txt(&["\"a\"", "\"b\""])));
        assert!(!txt(&["\"A\""]).says_the_same_as(&txt(&["\"a\""])));
    }
}
