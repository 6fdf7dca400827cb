//! Record sets that cannot be written because something else is in their place, and what that is, in
//! words.

use std::fmt;

use crate::base::text::quoted_start;
use crate::dns::{Name, RecordKey, RecordSet};

/// Characters of an element's name that are shown.
const MAX_QUOTED: usize = 80;
/// The element of a record set that names its health check.
const HEALTH_CHECK: &str = "HealthCheckId";

/// A record set that cannot be written, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Key of the record set, which is desired or owned, or a state record.
    pub key: RecordKey,
    /// What is in its place.
    pub reason: ConflictReason,
    /// The record set that is there, if it is a simple one.
    pub found: Option<RecordSet>,
}

/// What prevents a record set from being written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConflictReason {
    /// A simple record set of the same name and type exists, and this environment does not own it.
    NotOwned,
    /// The state record with this name, which is another owner's, lists the record set.
    OwnedElsewhere(Name),
    /// An alias or a record set with a routing policy has the same name and type.
    Special,
    /// A CNAME has the same name, so no other record set can have it.
    Cname,
    /// The record set itself has an element that this program can't write. Holds its name. If the
    /// record set is owned, it stays so.
    Extended(String),
    /// It is a state record that isn't a simple record set, so its entries don't count.
    StateRecord {
        /// Name of the element that this program can't write. `None` for an alias or a routing
        /// policy.
        extension: Option<String>,
    },
}

impl fmt::Display for ConflictReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConflictReason::OwnedElsewhere(by) => {
                return write!(
                    f,
                    "the state record {} lists it, so another environment owns it; give the \
                     service another name, or take it over with the command adopt --owner=ID",
                    by.without_dot()
                );
            }
            ConflictReason::Extended(element) if element == HEALTH_CHECK => {
                "somebody has attached a health check (HealthCheckId) to the record set, which a \
                 change would lose, so it is left as it is; remove it in Route 53"
            }
            ConflictReason::Extended(element) => {
                let element = quoted_start(element, MAX_QUOTED);
                return write!(
                    f,
                    "the record set has the element {element}, which can't be kept in a \
                     change, so it is left as it is; remove {element} from it in Route 53"
                );
            }
            ConflictReason::StateRecord {
                extension: Some(element),
            } if element == HEALTH_CHECK => {
                "somebody has attached a health check (HealthCheckId) to this state record, so it isn't \
                 read, and what only it lists isn't ours; remove the health check in Route 53"
            }
            ConflictReason::StateRecord {
                extension: Some(element),
            } => {
                let element = quoted_start(element, MAX_QUOTED);
                return write!(
                    f,
                    "this state record has the element {element}, which can't be kept in a \
                     change, so it isn't read, and what only it lists isn't ours; remove \
                     {element} from it in Route 53"
                );
            }
            ConflictReason::StateRecord { extension: None } => {
                "this state record is an alias or has a routing policy, so it isn't read, and what \
                 only it lists isn't ours; make it a simple record set in Route 53"
            }
            ConflictReason::NotOwned => {
                "a record set of that name and type exists that isn't ours; \
                 remove it, or take it over: the command adopt shows what that would do"
            }
            ConflictReason::Special => {
                "an alias or a record set with a routing policy has that name and type; \
                 remove it, or give the service another name"
            }
            ConflictReason::Cname => {
                "a CNAME has that name; remove it, or give the service another name"
            }
        })
    }
}
