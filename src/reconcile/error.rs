//! Why a round failed.

use std::fmt;

use crate::dns::NameError;
use crate::route53::error::Error;

/// Why a round failed. What it has done so far stays done; the next one lists the zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundError {
    /// The environment's UUID can't be part of a name.
    EnvironmentUuid(String, NameError),
    /// A call failed for good.
    Route53(Error),
    /// Batches were refused or lost again and again; the last reason.
    Contended(Error),
    /// The hosted zone is gone, and no other is known yet; in these words.
    NoZone(String),
}

impl RoundError {
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
            RoundError::EnvironmentUuid(uuid, error) => {
                write!(
                    f,
                    "the environment's UUID {uuid:?} can't be part of a name: {error}"
                )
            }
            RoundError::Route53(error) => error.fmt(f),
            RoundError::NoZone(words) => f.write_str(words),
            RoundError::Contended(error) => {
                write!(f, "gave up after listing the zone again and again: {error}")
            }
        }
    }
}

impl std::error::Error for RoundError {}
