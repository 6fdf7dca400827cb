//! What tells a record set from all others of its zone: name, type, and with a routing policy its set
//! identifier.

use std::cmp::Ordering;
use std::fmt;

use super::{Name, SharedText};
use crate::base::text::quoted_start;

/// Characters that are shown of what may be any text: a set identifier, say.
pub(super) const MAX_SHOWN: usize = 128;

/// A set identifier, or the id of a health check: in quotes if it has other characters than those of
/// this program's own.
pub(super) fn shown_id(id: &str) -> String {
    match is_own_id(id) {
        true => id.to_owned(),
        false => quoted_start(id, MAX_SHOWN),
    }
}

/// Whether this program uses such a text as a set identifier: state records list it as it is.
pub fn is_own_id(id: &str) -> bool {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    (1..=MAX_OWN_ID).contains(&id.len()) && id.chars().all(is_usual)
}

/// Characters of the longest set identifier of this program. Route 53 allows 128.
const MAX_OWN_ID: usize = 64;

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
    Other(SharedText),
}

impl RecordType {
    /// The types of the record sets that are published.
    pub const PUBLISHED: [RecordType; 3] = [RecordType::A, RecordType::Aaaa, RecordType::Cname];
    /// Those of them that are for addresses.
    pub const OF_ADDRESSES: [RecordType; 2] = [RecordType::A, RecordType::Aaaa];

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

/// What tells a record set from all others of its zone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordKey {
    /// Name of the record set.
    pub name: Name,
    /// Type of the record set.
    pub rtype: RecordType,
    /// What tells it from others of the same name and type. `None` for a simple one, which is the
    /// only one of its name and type; every other has one, and a routing policy.
    pub set_id: Option<SharedText>,
}

/// By name, then type, then set identifier. A function of its own, since dozens of sorted maps and sets
/// of keys compare them.
impl Ord for RecordKey {
    #[inline(never)]
    fn cmp(&self, other: &RecordKey) -> Ordering {
        let by_name = self.name.cmp(&other.name);
        let by_type = by_name.then_with(|| self.rtype.cmp(&other.rtype));
        by_type.then_with(|| self.set_id.cmp(&other.set_id))
    }
}

impl PartialOrd for RecordKey {
    fn partial_cmp(&self, other: &RecordKey) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    fn lt(&self, other: &RecordKey) -> bool {
        self.cmp(other) == Ordering::Less
    }
}

impl RecordKey {
    /// The key of the simple record set with this name and type.
    pub fn new(name: Name, rtype: RecordType) -> RecordKey {
        RecordKey {
            name,
            rtype,
            set_id: None,
        }
    }

    /// The key of the record set with this name, type and set identifier.
    pub fn with_set_id(name: Name, rtype: RecordType, set_id: Option<SharedText>) -> RecordKey {
        RecordKey {
            name,
            rtype,
            set_id,
        }
    }

    /// Whether it is that of one of several record sets of its name and type.
    pub fn is_routed(&self) -> bool {
        self.set_id.is_some()
    }

    /// Type, and set identifier if it has one.
    pub fn kind(&self) -> String {
        match &self.set_id {
            Some(set_id) => format!("{} {}", self.rtype, shown_id(set_id)),
            None => self.rtype.to_string(),
        }
    }

    /// Whether both have the same name and type.
    pub fn is_same_group(&self, other: &RecordKey) -> bool {
        self.name == other.name && self.rtype == other.rtype
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
        write!(f, "{} {}", self.name, self.kind())
    }
}
