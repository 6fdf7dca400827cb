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
            RoundError::Contended(error) => {
                write!(f, "gave up after listing the zone again and again: {error}")
            }
        }
    }
}

impl std::error::Error for RoundError {}
