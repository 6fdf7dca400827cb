//! Which record sets of others are taken over: the setting `ADOPT`. Pure.

use crate::dns::{Name, RecordSet, RecordType};

/// The setting `ADOPT`. With [`AdoptSetting::Legacy`], the environment's name and the TTL are added
/// to it, which makes it an [`Adopt`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdoptSetting {
    /// No record set is taken over.
    Never,
    /// Record sets whose name and type are desired are taken over.
    Matching,
    /// Record sets that rancher/external-dns before 0.6 left are taken over.
    Legacy,
}

/// Which existing record sets that this environment does not own are taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adopt {
    /// No record set is taken over.
    Never,
    /// Record sets whose name and type are desired are taken over.
    Matching,
    /// All A record sets below a name that have exactly this TTL are taken over. They are those
    /// that rancher/external-dns before 0.6 left, which wrote no state record.
    Legacy {
        /// `<environment>.<zone>`.
        below: Name,
        /// TTL in seconds.
        ttl: u32,
    },
}

impl Adopt {
    /// Whether a record set that this environment does not own is taken over. `wanted` is what is
    /// desired under its key.
    ///
    /// An alias or a routing policy that somebody has made is more than name and type, so such a record
    /// set is taken over only if it is as desired.
    pub fn takes_over(&self, set: &RecordSet, wanted: Option<&RecordSet>) -> bool {
        match self {
            Adopt::Never => false,
            Adopt::Matching => {
                wanted.is_some_and(|wanted| set.is_plain() || wanted.is_satisfied_by(set))
            }
            Adopt::Legacy { below, ttl } => {
                let name = &set.key.name;
                set.is_plain()
                    && set.key.rtype == RecordType::A
                    && set.ttl() == Some(*ttl)
                    && name != below
                    && name.is_at_or_below(below)
            }
        }
    }
}
