//! What a round does after a call that failed: a table, without I/O.

use crate::dns::{ChangeBatch, RecordSet, RecordType};
use crate::route53::error::Error;

/// How often a round lists the zone again and starts over before it gives up.
const MAX_ROUND_LISTINGS: u32 = 5;
/// A batch that was refused this often as contradicting the zone, although the zone was listed
/// before each time, isn't refused because somebody else was faster.
const MAX_LOST_RACES: u32 = 2;

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Keep the record sets that the refusal names out of the next batches, and go on.
    SetAside {
        /// Also those of which it says only that the zone is different.
        with_lost_races: bool,
    },
    /// IAM denies the batch: keep those of its record sets out of the next batches that the policy
    /// is likeliest to deny, and go on.
    SetDeniedAside,
    /// The zone isn't, or may not be, what it was taken for: list it again, and start over. So
    /// many times it was done before in this round.
    ListAgain(u32),
    /// The zone was listed often enough: fail the round.
    GiveUpOnZone,
    /// Nothing that this round does will help: fail it.
    GiveUp,
}

/// What has failed in a round so far.
#[derive(Debug, Default)]
pub struct History {
    listings: u32,
    /// The batch that lost its compare-and-swap at the last call, and how often in succession.
    lost: Option<(ChangeBatch, u32)>,
}

impl History {
    /// Takes in that a call failed, and says what to do. `batch` is the one that was sent; none if
    /// it was a listing that failed.
    pub fn next(&mut self, error: &Error, batch: Option<ChangeBatch>) -> Recovery {
        let times_lost = match (self.lost.take(), &batch) {
            (Some((known, times)), Some(batch)) if is_same(&known, batch) => times,
            _ => 0,
        };
        let recovery = classify(error, batch.is_some(), times_lost, self.listings);
        if let Recovery::ListAgain(_) = recovery {
            self.listings += 1;
            if let (Error::Refused(_), Some(batch)) = (error, batch) {
                self.lost = Some((batch, times_lost + 1));
            }
        }
        recovery
    }
}

/// Whether two batches do the same in a zone that is the same. The generation of a new state record
/// is another one each time.
fn is_same(a: &ChangeBatch, b: &ChangeBatch) -> bool {
    let are_same_sets = |(a, b): (&RecordSet, &RecordSet)| {
        let is_state_record = a.key.rtype == RecordType::Txt;
        match is_state_record {
            true => a.key == b.key && a.values() == b.values(),
            false => a == b,
        }
    };
    a.deletes == b.deletes
        && a.creates.len() == b.creates.len()
        && a.creates.iter().zip(&b.creates).all(are_same_sets)
}

/// `times_lost`: how often this very batch has lost its compare-and-swap before. `listings`: how
/// often the zone has been listed again in this round.
fn classify(error: &Error, is_batch: bool, times_lost: u32, listings: u32) -> Recovery {
    let is_lost_race = match error {
        Error::Refused(refusal) if is_batch && refusal.is_about_content() => {
            let with_lost_races = times_lost >= MAX_LOST_RACES;
            if with_lost_races || !refusal.is_lost_race() {
                return Recovery::SetAside { with_lost_races };
            }
            true
        }
        Error::Refused(refusal) if is_batch && refusal.is_denied() => {
            return Recovery::SetDeniedAside;
        }
        Error::Refused(refusal) => refusal.is_lost_race(),
        Error::NoAnswer(_) | Error::Unsent(_) | Error::NoCredentials(_) => false,
    };
    let is_unknown = matches!(error, Error::NoAnswer(_));
    match is_lost_race || is_unknown {
        true if listings + 1 < MAX_ROUND_LISTINGS => Recovery::ListAgain(listings),
        true => Recovery::GiveUpOnZone,
        false => Recovery::GiveUp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::credentials::NoCredentials;
    use crate::route53::error::Refusal;

    fn refusal(code: &str, message: &str) -> Error {
        Error::Refused(Refusal {
            status: 400,
            code: code.to_owned(),
            messages: vec![message.to_owned()],
            request_id: String::new(),
            renewed_by: None,
        })
    }

    fn lost() -> Error {
        let message = "Tried to create resource record set [name='x.', type='A'] but it already \
                       exists";
        refusal("InvalidChangeBatch", message)
    }

    #[test]
    fn each_failure_has_its_recovery() {
        let bad = || refusal("InvalidChangeBatch", "FATAL problem: DomainLabelEmpty");
        let denied = || refusal("AccessDenied", "not authorized");
        let unanswered = || Error::NoAnswer("the connection broke".to_owned());
        let unsent = || Error::Unsent("the name wasn't resolved".to_owned());
        let unsigned = || {
            Error::NoCredentials(NoCredentials {
                message: "none".to_owned(),
                needs_operator: false,
            })
        };
        let set_aside = |with_lost_races| Recovery::SetAside { with_lost_races };
        // The error, whether a batch met it, how often it has lost, listings so far.
        for (error, is_batch, times_lost, listings, expected) in [
            (bad(), true, 0, 0, set_aside(false)),
            (bad(), true, 0, 4, set_aside(false)),
            (bad(), false, 0, 0, Recovery::GiveUp),
            (lost(), true, 0, 0, Recovery::ListAgain(0)),
            (lost(), true, 1, 1, Recovery::ListAgain(1)),
            (lost(), true, 2, 2, set_aside(true)),
            (lost(), true, 0, 3, Recovery::ListAgain(3)),
            (lost(), true, 0, 4, Recovery::GiveUpOnZone),
            (unanswered(), true, 0, 0, Recovery::ListAgain(0)),
            (unanswered(), true, 0, 4, Recovery::GiveUpOnZone),
            (unanswered(), false, 0, 0, Recovery::ListAgain(0)),
            (denied(), true, 0, 0, Recovery::SetDeniedAside),
            (denied(), true, 0, 4, Recovery::SetDeniedAside),
            (denied(), false, 0, 0, Recovery::GiveUp),
            (unsent(), true, 0, 0, Recovery::GiveUp),
            (unsigned(), true, 0, 0, Recovery::GiveUp),
        ] {
            assert_eq!(
                classify(&error, is_batch, times_lost, listings),
                expected,
                "{error}, batch: {is_batch}, lost {times_lost} times, {listings} listings"
            );
        }
    }

    #[test]
    fn a_new_state_record_s_generation_makes_no_other_batch() {
        let set = |rtype: RecordType, ttl: u32, value: &str| {
            RecordSet::of_values(
                crate::dns::RecordKey::new(crate::dns::Name::parse("a.example").unwrap(), rtype),
                ttl,
                [value.to_owned()].into(),
            )
        };
        let batch =
            |deletes: Vec<RecordSet>, creates: Vec<RecordSet>| ChangeBatch { deletes, creates };
        let txt = |ttl| set(RecordType::Txt, ttl, "x");
        for (a, b, expected) in [
            (
                batch(vec![], vec![txt(1)]),
                batch(vec![], vec![txt(2)]),
                true,
            ),
            (
                batch(vec![txt(1)], vec![]),
                batch(vec![txt(2)], vec![]),
                false,
            ),
            (
                batch(vec![], vec![set(RecordType::A, 1, "x")]),
                batch(vec![], vec![set(RecordType::A, 2, "x")]),
                false,
            ),
            (
                batch(vec![], vec![txt(1)]),
                batch(vec![], vec![set(RecordType::Txt, 1, "y")]),
                false,
            ),
            (batch(vec![], vec![txt(1)]), batch(vec![], vec![]), false),
        ] {
            assert_eq!(is_same(&a, &b), expected, "{a:?} {b:?}");
            assert_eq!(is_same(&b, &a), expected, "{b:?} {a:?}");
        }
    }

    #[test]
    fn only_the_same_batch_in_succession_counts_as_lost_again() {
        let batch = |comment: &str| ChangeBatch {
            deletes: vec![],
            creates: vec![crate::dns::RecordSet::of_values(
                crate::dns::RecordKey::new(
                    crate::dns::Name::parse(comment).unwrap(),
                    crate::dns::RecordType::A,
                ),
                300,
                ["192.0.2.1".to_owned()].into(),
            )],
        };
        let mut history = History::default();
        for (batch, expected) in [
            (batch("a.example"), Recovery::ListAgain(0)),
            (batch("b.example"), Recovery::ListAgain(1)),
            (batch("b.example"), Recovery::ListAgain(2)),
            (
                batch("b.example"),
                Recovery::SetAside {
                    with_lost_races: true,
                },
            ),
            (batch("b.example"), Recovery::ListAgain(3)),
            (batch("b.example"), Recovery::GiveUpOnZone),
        ] {
            assert_eq!(history.next(&lost(), Some(batch)), expected);
        }
    }
}
