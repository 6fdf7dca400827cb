//! Why a round failed.

use std::fmt;

use crate::base::identifiers::masked;
use crate::base::text::quoted;
use crate::dns::{Name, NameError};
use crate::plan::state_records::Claim;
use crate::route53::error::Error;

/// Why a round failed. What it has done so far stays done; the next one lists the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundError {
    /// The id of the state records, which is `OWNER_ID` or the environment's UUID, can't be part of
    /// a name.
    OwnerId(String, NameError),
    /// Another Rancher server keeps the state records. Nothing was changed.
    KeptByAnother {
        /// The first of them.
        state_record: Name,
        /// The id in their names.
        owner_id: String,
        /// The claim of this environment's Rancher server.
        ours: Claim,
        /// The claim in the state records.
        theirs: Claim,
    },
    /// A call failed for good.
    Route53(Error),
    /// Batches were refused or lost again and again; the last reason.
    Contended(Error),
    /// State records were written all the time that the zone was looked at, so nothing can be taken
    /// over.
    TakeoverWaits,
    /// The hosted zone is gone, and no other is known yet; in these words.
    NoZone(String),
}

impl RoundError {
    /// [`RoundError::TakeoverWaits`], if one does.
    pub fn if_takeover_waits(waits: bool) -> Result<(), RoundError> {
        match waits {
            true => Err(RoundError::TakeoverWaits),
            false => Ok(()),
        }
    }

    /// The error for the status page: without AWS's own words.
    pub fn for_page(&self) -> String {
        match self {
            RoundError::Route53(error) => error.for_page(),
            RoundError::Contended(error) => {
                format!(
                    "gave up after listing the zone again and again: {}",
                    error.for_page()
                )
            }
            RoundError::NoZone(words) => masked(words),
            RoundError::OwnerId(..)
            | RoundError::KeptByAnother { .. }
            | RoundError::TakeoverWaits => self.to_string(),
        }
    }

    /// Whether AWS says that there is no hosted zone with this id.
    pub fn is_zone_gone(&self) -> bool {
        match self {
            RoundError::Route53(Error::Refused(refusal)) => refusal.is_zone_gone(),
            _ => false,
        }
    }
}

impl fmt::Display for RoundError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoundError::OwnerId(id, error) => {
                write!(
                    f,
                    "the id {} can't be part of a state record's name: {error} – set another OWNER_ID",
                    quoted(id)
                )
            }
            RoundError::KeptByAnother {
                state_record,
                owner_id,
                ours,
                theirs,
            } => write!(
                f,
                "another Rancher server keeps the state record {} (its mark is {}, this server's is \
                 {}; a mark is made of the host and port in CATTLE_URL and of the UUID of this \
                 program's stack), so nothing is changed: if both servers are to publish in this zone, set \
                 OWNER_ID here to an id of its own; if this server takes over from the other, run \
                 the command adopt --owner={owner_id}",
                state_record.without_dot(),
                theirs.mark(),
                ours.mark()
            ),
            RoundError::Route53(error) => error.fmt(f),
            RoundError::NoZone(words) => f.write_str(words),
            RoundError::TakeoverWaits => f.write_str(
                "state records were written all the time that the zone was looked at, so nothing can be \
                 taken over until those who write are done",
            ),
            RoundError::Contended(error) => {
                write!(f, "gave up after listing the zone again and again: {error}")
            }
        }
    }
}

impl std::error::Error for RoundError {}
