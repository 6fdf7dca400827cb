//! What stands under a name with one set identifier, or without one.

use super::{Name, RecordKey, SharedText};

/// One of those that share a name by a routing policy, or the only one that has it: the record sets of
/// all types with the same set identifier, or without one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// The name.
    pub name: Name,
    /// The set identifier. `None` for simple record sets.
    pub set_id: Option<SharedText>,
}

impl RecordKey {
    /// What the record set with this key belongs to.
    pub fn member(&self) -> Member {
        Member {
            name: self.name.clone(),
            set_id: self.set_id.clone(),
        }
    }
}
