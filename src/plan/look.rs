//! What to look at next in the hosted zone, on the way to a plan that may be applied. Pure: the
//! loop makes the listings, and tests/model runs the same steps in every order that two instances
//! can come in.
//!
//! A listing takes several requests, and others may write between them. So the order matters:
//!
//! 1. Everybody's state records are read first. A record set that is created after that shows without
//!    its entry, and is left alone. In the other order its entry would show without the record set.
//!    What another owner lists is a conflict, also where there is no record set yet.
//! 2. Everything else is read.
//! 3. If the plan depends on who owns what, the state records are read again. If ours have changed, or
//!    what others list, everything else is read again, too: the first listing may show a record set
//!    without its owner, or one that its owner has deleted since.
//! 4. A takeover goes by a listing of everything else between two looks at everybody's state records
//!    that are the same, generations included: then nobody has listed the record set in between, and
//!    none has come in its place. Where there are no two such looks, nothing is taken over.

use crate::dns::RecordKey;
use crate::plan::Plan;
use crate::plan::view::{RecordsChange, ZoneView};

/// How often the state records are listed again because others write them meanwhile. After that,
/// what they have written is seen at the next resync. Each write is a compare-and-swap, so nothing
/// gets lost by it.
const MAX_RELISTINGS: u32 = 3;
/// How often they are listed again for a takeover. It isn't a compare-and-swap of what others list,
/// so after that it waits for another round.
const MAX_RELISTINGS_FOR_TAKEOVER: u32 = 10;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// List everybody's state records.
    ListStateRecords,
    /// List everything else in [`ZoneView::coverage_for`].
    ListRest,
    /// Make a plan from what was seen.
    Plan,
    /// The plan may be applied, but for what it takes over.
    ApplyWithoutTakeover,
    /// The plan may be applied.
    Apply,
}

/// How far the look at the zone is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Look {
    /// What is known will do: nothing is listed.
    Known,
    /// The first listing.
    First,
    /// The state records were listed again so many times.
    Again(u32),
    /// The same, and this time for a takeover.
    Takeover(u32),
}

impl Look {
    /// Where to begin. `known` is what is known of the zone, `is_due` that it is to be listed
    /// anyway, and `desired` the keys of the desired record sets.
    pub fn begin<'a>(
        known: Option<&ZoneView>,
        is_due: bool,
        desired: impl Iterator<Item = &'a RecordKey>,
    ) -> (Look, Step) {
        match known {
            Some(view) if !is_due && view.covers(desired) => (Look::Known, Step::Plan),
            Some(_) | None => (Look::First, Step::ListStateRecords),
        }
    }

    /// The step after the state records were listed. `is_kept_by_another`: another Rancher server
    /// keeps them, so nothing else matters.
    pub fn after_state_records(self, change: RecordsChange, is_kept_by_another: bool) -> Step {
        match (self, change) {
            _ if is_kept_by_another => Step::Plan,
            (Look::Again(_), RecordsChange::None | RecordsChange::Rewritten)
            | (Look::Takeover(_), RecordsChange::None) => Step::Apply,
            (Look::First | Look::Known | Look::Takeover(_), _)
            | (Look::Again(_), RecordsChange::Ours | RecordsChange::Others) => Step::ListRest,
        }
    }

    /// The step after a plan was made.
    pub fn after_plan(&mut self, plan: &Plan) -> Step {
        let relistings = match self {
            // A release removes an entry whose record set is gone. Programs that know of no
            // generations may have created that record set again without a trace in the state
            // record, so a release is planned from a fresh listing only. So is a takeover: others may
            // have listed the record set since.
            Look::Known if !plan.releases.is_empty() || plan.takes_over => {
                *self = Look::First;
                return Step::ListStateRecords;
            }
            Look::Known => return Step::Apply,
            Look::First => 0,
            Look::Again(times) | Look::Takeover(times) => *times,
        };
        let again = relistings + 1;
        *self = match plan.takes_over {
            true if again > MAX_RELISTINGS_FOR_TAKEOVER => return Step::ApplyWithoutTakeover,
            true => Look::Takeover(again),
            false if again > MAX_RELISTINGS || !plan.depends_on_ownership() => return Step::Apply,
            false => Look::Again(again),
        };
        Step::ListStateRecords
    }
}

#[cfg(test)]
mod tests;
