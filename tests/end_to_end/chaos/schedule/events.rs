//! What happens next.

use sim::route53::{self, Operation};

use super::temper::What;
use super::{Anew, Event, MOST_FAULTS, Moment, Rounds};
use crate::chaos::denial::Denial;
use crate::chaos::faults;
use crate::chaos::outside_edits::Edit;
use crate::chaos::world::Deed;

impl Rounds {
    pub(super) fn event(&mut self, now: usize) -> Event {
        let random = &mut self.random;
        let (naming, is_large) = (self.naming, self.temper.has_large_crowds);
        let what = random.weighted(&self.temper.weights);
        let of = match what {
            What::Route53 | What::Deny => Some(0),
            What::Metadata | What::Restart => Some(1),
            What::Api => Some(2),
            _ => None,
        };
        if let Some(of) = of {
            self.faults[of] += 1;
            if self.faults[of] > MOST_FAULTS {
                return Event::Deed(Deed::random(random));
            }
        }
        let turns = &mut self.turns;
        let mut turn = |of: usize| {
            turns[of] = turns[of].wrapping_add(1);
            turns[of]
        };
        match what {
            What::Deed if is_large && random.chance(10) => {
                Event::Deed(Deed::large_crowd(self.crowd))
            }
            What::Deed => Event::Deed(Deed::random(random)),
            What::Edit => Event::Edit(Edit::random(random, naming)),
            What::Route53 => {
                let operations = [
                    (5, Some(Operation::ChangeResourceRecordSets)),
                    (4, Some(Operation::ListResourceRecordSets)),
                    (2, None),
                ];
                let operation = random.weighted(&operations);
                let times = random.pick(&[1, 1, 2]);
                let fault = match faults::route53(turn(0), random, naming) {
                    route53::Fault::Error { .. } if self.temper.is_alone => {
                        route53::Fault::Status(500)
                    }
                    fault => fault,
                };
                Event::Route53(operation, fault, times)
            }
            What::Metadata => {
                let paths = [
                    None,
                    Some("version"),
                    Some("services"),
                    Some("hosts"),
                    Some("self/stack"),
                ];
                let path = random.pick(&paths);
                let times = 1 + random.below(3);
                Event::Metadata(path, faults::metadata(turn(1), random), times)
            }
            What::Restart if random.chance(30) => Event::RestartMetadata,
            What::Restart => {
                let after = now + 1 + random.below(4);
                self.later.insert(after, Event::LoadMetadata);
                Event::UnloadMetadata
            }
            What::Api => {
                let times = 1 + random.below(2);
                Event::Api(faults::api(turn(2), random), times)
            }
            What::Kill => {
                let slot = random.pick(&[0, 0, 1]);
                let moments = [
                    (3, Moment::Now),
                    (3, Moment::During(Operation::ChangeResourceRecordSets)),
                    (1, Moment::During(Operation::ListResourceRecordSets)),
                    (2, Moment::AfterBatch),
                ];
                let moment = random.weighted(&moments);
                let after = now + 1 + random.pick(&[0, 0, 0, 1, 3]);
                self.later.insert(after, Event::Start(slot));
                if is_large && random.chance(60) {
                    let deed = Deed::large_crowd(self.crowd);
                    return Event::Kill(slot, Moment::HalfDone, deed);
                }
                Event::Kill(slot, moment, Deed::run(random))
            }
            What::Terminate => {
                let slot = random.below(2);
                self.later.insert(now + 1, Event::Start(slot));
                Event::Terminate(slot)
            }
            What::Second => Event::Start(1),
            What::Regime | What::Deny | What::Anew | What::Claim | What::Throttle => {
                self.of_operators(what, now)
            }
        }
    }

    /// What operators do, or somebody else who has the zone in their hands.
    fn of_operators(&mut self, what: What, now: usize) -> Event {
        let random = &mut self.random;
        match what {
            What::Regime => {
                if self.temper.has_twins {
                    self.later.insert(now + 1, Event::Start(1));
                }
                Event::Restart {
                    regime: self.regime.changed(random),
                    is_killed: random.chance(50),
                    takes_over: random.chance(50),
                }
            }
            What::Deny => {
                let after = now + 1 + random.below(5);
                self.later.insert(after, Event::Allow);
                Event::Deny(Denial::random(random, self.naming.environment))
            }
            What::Anew => {
                let kinds = [
                    (2, Anew::Nothing),
                    (2, Anew::All),
                    (1, Anew::AllButStateRecords),
                ];
                Event::Anew(random.weighted(&kinds))
            }
            What::Claim => {
                let after = now + 2 + random.below(8);
                self.later.insert(after, Event::Edit(Edit::Unclaim));
                Event::Edit(Edit::Claim(random.chance(50)))
            }
            _ => {
                let deed = Deed::large_crowd(self.crowd);
                let Deed::Crowd(coming) = deed else {
                    unreachable!("it is a crowd")
                };
                let times = random.pick(&[1, 2, 3, 5]);
                Event::Throttle(deed, times, Deed::other_crowd(random, coming))
            }
        }
    }
}
