//! What happens, in which order: decided by the seed alone. No clock, no I/O, and no look at
//! what came of it.

mod events;
mod temper;

use std::collections::BTreeMap;
use std::time::Duration;

use sim::rancher::{self, World};
use sim::route53::{self, Operation};

use crate::chaos::denial::Denial;
use crate::chaos::naming::{ENVIRONMENTS, Naming};
use crate::chaos::outside_edits::Edit;
use crate::chaos::random::Random;
use crate::chaos::regime::Regime;
use crate::chaos::world::{self, Deed};
use temper::{Temper, options, settings};

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
    /// The settings that restarts change.
    pub regime: Regime,
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
    /// All instances end, by SIGTERM or, if it says so, by kill -9, and one is started with these
    /// settings; if another owner id is among them, perhaps after what the one before owned was
    /// taken over with the command `adopt --owner`.
    Restart {
        regime: Regime,
        is_killed: bool,
        takes_over: bool,
    },
    /// From now on IAM denies this.
    Deny(Denial),
    /// IAM denies nothing any more.
    Allow,
    /// Somebody deletes the zone and makes one of the same name.
    Anew(Anew),
    /// The crowd comes or goes; once a part of it has, Route 53 throttles so many batches, and
    /// something else is wanted.
    Throttle(Deed, usize, Deed),
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

/// What is in a zone that is made anew.
#[derive(Debug, Clone, Copy)]
pub enum Anew {
    Nothing,
    /// All that was in the one before.
    All,
    /// The same, but for the state records.
    AllButStateRecords,
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
    let regime = Regime::random(&mut random, seed as usize);
    let naming = Naming {
        template: regime.publishing.template,
        environment: ENVIRONMENTS[0],
    };
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
        regime,
        naming,
    }
    .make(rounds);
    Plan {
        world,
        edits,
        settings,
        route53,
        regime,
        rounds,
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
    /// The settings by then.
    regime: Regime,
    /// How names are made by then.
    naming: Naming,
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
                Event::Edit(Edit::random(&mut self.random, self.naming))
            } else if now >= rest && now + 20 < end {
                rest = self.next_rest(now);
                Event::Rest(self.random.pick(&[Rest::Patience, Rest::Restart]))
            } else {
                let due = self.later.remove(&now);
                due.unwrap_or_else(|| self.event(now))
            };
            self.note(&event);
            if matches!(event, Event::Rest(_)) {
                self.faults = [0; 3];
                self.later.clear();
                self.twin(now);
            }
            rounds.push(self.round(event));
        }
        rounds
    }

    /// Takes in what an event changes for those that come later.
    fn note(&mut self, event: &Event) {
        match event {
            Event::Deed(Deed::Crowd(count))
            | Event::Kill(.., Deed::Crowd(count))
            | Event::Throttle(.., Deed::Crowd(count)) => self.crowd = *count,
            Event::Deed(Deed::Rename(environment)) => self.naming.environment = environment,
            Event::Restart { regime, .. } => {
                self.regime = *regime;
                self.naming.template = regime.publishing.template;
            }
            _ => {}
        }
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
