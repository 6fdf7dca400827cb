//! What happens, in which order: decided by the seed alone. No clock, no I/O, and no look at
//! what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use sim::rancher::{self, World};
use sim::route53::{self, Operation};

use crate::chaos::faults;
use crate::chaos::outside_edits::Edit;
use crate::chaos::random::Random;
use crate::chaos::record::{Naming, TTL};
use crate::chaos::world::{self, Deed};

/// Faults of each, Route 53, metadata and the API, between two times of rest: more in a row would
/// only lengthen the program's pauses, which grow to a minute.
const MOST_FAULTS: usize = 8;
/// Rounds of a quiet end: a rest, edits, and the last rest.
const QUIET_END: usize = 5;

/// What one stage is, and what happens on it.
pub struct Plan {
    pub world: World,
    /// What other people have in the zone at the start.
    pub edits: Vec<Edit>,
    /// Settings of the program besides the usual ones.
    pub settings: Vec<(&'static str, String)>,
    pub route53: route53::Options,
    pub naming: Naming,
    pub rounds: Vec<Round>,
}

/// One thing that happens, and what to wait for then.
#[derive(Debug, Clone)]
pub struct Round {
    pub event: Event,
    pub pause: Pause,
}

#[derive(Debug, Clone)]
pub enum Event {
    /// A user of Rancher does something.
    Deed(Deed),
    /// Somebody does something to the zone.
    Edit(Edit),
    /// Metadata misbehaves for so many requests, for one path or any.
    Metadata(Option<&'static str>, rancher::Fault, usize),
    RestartMetadata,
    /// Restarted, and without data until it is loaded.
    UnloadMetadata,
    LoadMetadata,
    /// Rancher's API misbehaves for so many requests.
    Api(rancher::Fault, usize),
    /// Route 53 misbehaves for so many requests, for an operation or any.
    Route53(Option<Operation>, route53::Fault, usize),
    /// The first instance, or a second one, starts, if it doesn't run.
    Start(usize),
    /// kill -9, after a user has done something that gives the program something to do.
    Kill(usize, Moment, Deed),
    /// SIGTERM.
    Terminate(usize),
    /// All that is wrong ends, and everything has to come right.
    Rest(Rest),
}

/// When to strike.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    Now,
    /// When Route 53 works on such a request, if it soon does.
    During(Operation),
    /// When the next batch has been applied, if one soon is.
    AfterBatch,
    /// When one of the batches has been applied that a large crowd takes.
    HalfDone,
}

/// What to wait for.
#[derive(Debug, Clone, Copy)]
pub enum Pause {
    Time(Duration),
    /// The next batch, if one comes soon.
    Batch,
    /// Until the program waits for the present version of metadata, if it soon does.
    Seen,
}

/// How everything comes right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// The program, as it is, finds out by itself.
    Patience,
    /// All instances are killed, and one is started.
    Restart,
}

/// A stage with so many rounds. Rests are rounds, too, and the last one is a rest.
pub fn plan(seed: u64, rounds: usize) -> Plan {
    let mut random = Random::new(seed);
    let world = world::start(&mut random);
    let temper = Temper::random(&mut random);
    let naming = temper.naming;
    let edits = (0..6).map(|_| Edit::random(&mut random, naming)).collect();
    let settings = settings(&mut random, &temper);
    let route53 = options(&mut random, &temper);
    let rounds = Rounds {
        random,
        temper,
        later: BTreeMap::new(),
        faults: [0; 3],
        // A stage comes through some kinds only; those of the next seed begin about where these end.
        turns: [seed.wrapping_mul(5) as usize; 3],
        crowd: 0,
    }
    .make(rounds);
    Plan {
        world,
        edits,
        settings,
        route53,
        naming,
        rounds,
    }
}

fn settings(random: &mut Random, temper: &Temper) -> Vec<(&'static str, String)> {
    vec![
        // The least there is: what others have changed is repaired then. Or next to never.
        (
            "RESYNC_INTERVAL",
            if temper.is_alone { "3000" } else { "10" }.to_owned(),
        ),
        ("NAME_TEMPLATE", temper.naming.template().to_owned()),
        ("ROUTE53_REQUEST_RATE", "50".to_owned()),
        ("ROUTE53_CHANGE_RATE", "1000".to_owned()),
        (
            "ROUTE53_MAX_RETRIES",
            random.pick(&["0", "1", "3"]).to_owned(),
        ),
        ("TTL", TTL.to_string()),
        ("DELETE_GUARD_MIN", "10".to_owned()),
        ("DELETE_GUARD_HOLD", "1".to_owned()),
    ]
}

fn options(random: &mut Random, temper: &Temper) -> route53::Options {
    let is_limited = random.chance(25) && !temper.has_large_crowds;
    let limits = is_limited.then(route53::AccountBuckets::new);
    route53::Options {
        latency: Duration::from_millis(match temper.has_large_crowds {
            true => random.pick(&[20, 60]), // to strike between two batches
            false => random.pick(&[0, 5, 20, 60]),
        }),
        buckets: limits.map(std::sync::Arc::new),
        old_error_form: random.chance(50),
        ..route53::Options::default()
    }
}

/// What kind of a stage it is: of what there is much and of what little.
struct Temper {
    /// What may happen, with its weight.
    weights: Vec<(usize, What)>,
    /// There are two instances all the time, not now and then.
    has_twins: bool,
    naming: Naming,
    /// Plans that take several batches.
    has_large_crowds: bool,
    /// Nobody else touches the zone, and Route 53 refuses nothing without a reason: no resync is
    /// needed to come right.
    is_alone: bool,
    /// In the end only other people are at work, so that nothing makes the program look at the
    /// zone but the time.
    ends_quietly: bool,
}

#[derive(Clone, Copy)]
enum What {
    Deed,
    Edit,
    Route53,
    Metadata,
    Restart,
    Api,
    Kill,
    Terminate,
    Second,
}

impl Temper {
    fn random(random: &mut Random) -> Temper {
        let (little, much) = (random.pick(&[0, 1]), random.pick(&[1, 2]));
        let is_alone = random.chance(25);
        let has_large_crowds = random.chance(25);
        let edits = if is_alone { 0 } else { 18 };
        let kills = if has_large_crowds { 20 } else { 6 };
        let mut weight = |usual: usize| usual * random.pick(&[little, 1, 1, much]);
        let weights = vec![
            (42, What::Deed),
            (weight(edits), What::Edit),
            (weight(20), What::Route53),
            (weight(12), What::Metadata),
            (weight(3), What::Restart),
            (weight(12), What::Api),
            (weight(kills), What::Kill),
            (1, What::Terminate),
            (3, What::Second),
        ];
        Temper {
            weights,
            has_twins: random.chance(35),
            naming: random.weighted(&[(3, Naming::Usual), (1, Naming::Turned)]),
            has_large_crowds,
            is_alone,
            ends_quietly: !is_alone && random.chance(30),
        }
    }
}

struct Rounds {
    random: Random,
    temper: Temper,
    /// What follows from what has happened, by round.
    later: BTreeMap<usize, Event>,
    /// Faults since the last rest: of Route 53, of metadata, of the API.
    faults: [usize; 3],
    /// Whose turn it is among the kinds of each.
    turns: [usize; 3],
    /// How many there are in the crowd by then.
    crowd: usize,
}

impl Rounds {
    fn make(mut self, count: usize) -> Vec<Round> {
        let mut rounds = vec![self.round(Event::Start(0))];
        self.twin(0);
        let mut rest = self.next_rest(0);
        let end = match self.temper.ends_quietly {
            true => count.saturating_sub(QUIET_END).max(1),
            false => count - 1,
        };
        while rounds.len() < count {
            let now = rounds.len();
            let event = if now + 1 == count {
                Event::Rest(Rest::Patience)
            } else if now == end {
                Event::Rest(Rest::Restart)
            } else if now > end {
                Event::Edit(Edit::random(&mut self.random, self.temper.naming))
            } else if now >= rest && now + 20 < end {
                rest = self.next_rest(now);
                Event::Rest(self.random.pick(&[Rest::Patience, Rest::Restart]))
            } else {
                let due = self.later.remove(&now);
                due.unwrap_or_else(|| self.event(now))
            };
            if let Event::Deed(Deed::Crowd(count)) | Event::Kill(.., Deed::Crowd(count)) = event {
                self.crowd = count;
            }
            if matches!(event, Event::Rest(_)) {
                self.faults = [0; 3];
                self.later.clear();
                self.twin(now);
            }
            rounds.push(self.round(event));
        }
        rounds
    }

    fn next_rest(&mut self, now: usize) -> usize {
        now + 20 + self.random.below(21)
    }

    fn twin(&mut self, now: usize) {
        if self.temper.has_twins {
            self.later.insert(now + 1, Event::Start(1));
        }
    }

    fn round(&mut self, event: Event) -> Round {
        let pause = match self.random.below(100) {
            0..65 => Pause::Time(Duration::from_millis(self.random.below(150) as u64)),
            65..85 => Pause::Batch,
            _ => Pause::Seen,
        };
        Round { event, pause }
    }

    fn event(&mut self, now: usize) -> Event {
        let random = &mut self.random;
        let (naming, is_large) = (self.temper.naming, self.temper.has_large_crowds);
        let what = random.weighted(&self.temper.weights);
        let of = match what {
            What::Route53 => Some(0),
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_makes_the_same_plan_and_another_one_another() {
        let told = |seed| format!("{:?}", plan(seed, 300).rounds);
        assert_eq!(told(1), told(1));
        assert_ne!(told(1), told(2));
    }

    #[test]
    fn a_plan_is_as_long_as_asked_and_ends_with_a_rest() {
        for count in [2, 21, 50, 300] {
            let rounds = plan(7, count).rounds;
            assert_eq!(rounds.len(), count);
            let last = &rounds[count - 1].event;
            assert!(matches!(last, Event::Rest(Rest::Patience)), "{last:?}");
        }
    }
}
