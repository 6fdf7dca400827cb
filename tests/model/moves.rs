//! What can happen next, and what comes of it.

use rancher_route53::dns::zone::Listed;
use rancher_route53::dns::{ChangeBatch, RecordKey, RecordSet, RecordType};

use crate::instance::{Goal, Instance, Phase, begin, list};
use crate::judge::{Fault, Holds, everything_is_listed, may_apply, owner};
use crate::route53::{allows_neighbours, can_be_beside, listed_by, takes};
use crate::setups::{Setup, TTL, key};
use crate::world::{Flight, Maker, World};
use rancher_route53::plan::guard::Guard;
use rancher_route53::plan::look::Step;

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Move {
    Metadata { server: usize, to: u8 },
    Begin { by: usize, is_due: bool },
    List { by: usize },
    Send { by: usize, answer: Answer },
    Land { flight: usize },
    Crash { by: usize },
    PersonCreates(RecordKey),
    PersonDeletes(RecordKey),
    Tick,
}

/// What becomes of a batch and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Comes,
    LostAfterwards,
    LostBefore,
    /// The batch has no answer, and may be applied later.
    Late,
}

/// The labels that people make record sets of.
const PEOPLES: [&str; 1] = ["x"];

impl World {
    /// All that can happen next.
    pub fn moves(&self, setup: &Setup) -> Vec<Move> {
        let mut all = Vec::new();
        let budget = &self.budget;
        for (server, world) in self.metadata.iter().enumerate() {
            let worlds = 0..setup.servers[server].worlds.len() as u8;
            let others = worlds.filter(|to| budget.changes > 0 && to != world);
            all.extend(others.map(|to| Move::Metadata { server, to }));
        }
        for (by, instance) in self.instances.iter().enumerate() {
            match &instance.phase {
                Phase::Idle(None) => all.push(Move::Begin { by, is_due: false }),
                Phase::Idle(Some(_)) => {
                    all.push(Move::Begin { by, is_due: false });
                    all.push(Move::Begin { by, is_due: true });
                }
                Phase::Looking { .. } => all.push(Move::List { by }),
                Phase::Sending { .. } => {
                    let mut answers = vec![Answer::Comes];
                    if budget.losses > 0 {
                        answers.extend([Answer::LostAfterwards, Answer::LostBefore, Answer::Late]);
                    }
                    all.extend(answers.into_iter().map(|answer| Move::Send { by, answer }));
                }
            }
            let is_new = matches!(instance.phase, Phase::Idle(None));
            if budget.crashes > 0 && !is_new {
                all.push(Move::Crash { by });
            }
        }
        all.extend((0..self.flights.len()).map(|flight| Move::Land { flight }));
        if budget.edits > 0 {
            for label in PEOPLES {
                let key = key(label, RecordType::A);
                let set = of_a_person(&key);
                let mut others = self.zone.iter().filter_map(|(key, _)| self.zone.whole(key));
                match self.zone.get(&key) {
                    Some(_) => all.push(Move::PersonDeletes(key)),
                    None if others.all(|other| can_be_beside(&set, other)) => {
                        all.push(Move::PersonCreates(key));
                    }
                    None => {}
                }
            }
        }
        if budget.ticks > 0 {
            all.push(Move::Tick);
        }
        all
    }

    /// Makes a move. The error is what must not have happened.
    pub fn make(&mut self, setup: &Setup, what: &Move) -> Result<(), Fault> {
        match what {
            Move::Metadata { server, to } => {
                self.budget.changes -= 1;
                self.metadata[*server] = *to;
            }
            Move::Begin { by, is_due } => self.begin(setup, *by, *is_due),
            Move::List { by } => {
                let server = &setup.servers[setup.instances[*by]];
                list(setup, server, &mut self.instances[*by], &self.zone);
            }
            Move::Send { by, answer } => self.send(setup, *by, *answer)?,
            Move::Land { flight } => {
                let Flight { by, batch } = self.flights.remove(*flight);
                if takes(&self.zone, &batch) {
                    may_apply(setup, self, by, &batch, None)?;
                    self.apply(setup, by, &batch);
                }
            }
            Move::Crash { by } => {
                self.budget.crashes -= 1;
                self.instances[*by] = Instance {
                    guard: Guard::new(setup.guard),
                    holds: Holds::default(),
                    phase: Phase::Idle(None),
                };
            }
            Move::PersonCreates(key) => {
                self.budget.edits -= 1;
                let set = of_a_person(key);
                let listed = listed_by(&self.zone, None);
                let maker = match listed.iter().any(|(_, owned)| owned == key) {
                    true => Maker::PersonInPlace,
                    false => Maker::Person,
                };
                self.zone.insert(key.clone(), Listed::Whole(set));
                self.made_by.insert(key.clone(), maker);
            }
            Move::PersonDeletes(key) => {
                self.budget.edits -= 1;
                self.zone.retain(|other| other != key);
                self.made_by.remove(key);
            }
            Move::Tick => {
                self.budget.ticks -= 1;
                self.now += 1;
            }
        }
        everything_is_listed(self)
    }

    pub fn begin(&mut self, setup: &Setup, by: usize, is_due: bool) {
        let number = setup.instances[by];
        let goal = Goal {
            world: self.metadata[number],
            read: self.now,
        };
        let instance = &mut self.instances[by];
        let Phase::Idle(known) = std::mem::replace(&mut instance.phase, Phase::Idle(None)) else {
            panic!("it is at work");
        };
        begin(setup, &setup.servers[number], instance, goal, known, is_due);
    }

    /// Sends the next batch of an instance. One that loses, or whose answer is lost, makes it list
    /// the zone again for the same goal.
    fn send(&mut self, setup: &Setup, by: usize, answer: Answer) -> Result<(), Fault> {
        let idle = Phase::Idle(None);
        let Phase::Sending {
            goal,
            mut view,
            mut batches,
        } = std::mem::replace(&mut self.instances[by].phase, idle)
        else {
            panic!("it has nothing to send");
        };
        let batch = batches.remove(0);
        if !allows_neighbours(&view.zone, &batch) {
            return Err(Fault::Impossible);
        }
        let is_taken = takes(&self.zone, &batch);
        self.budget.losses -= u8::from(answer != Answer::Comes);
        if is_taken && matches!(answer, Answer::Comes | Answer::LostAfterwards) {
            may_apply(setup, self, by, &batch, Some(goal.read))?;
            self.apply(setup, by, &batch);
        }
        if answer == Answer::Late && is_taken {
            let batch = batch.clone();
            self.flights.push(Flight { by, batch });
        }
        if answer == Answer::Comes && is_taken {
            view.apply(&batch);
            self.instances[by].phase = match batches.is_empty() {
                true => Phase::Idle(Some(view)),
                false => Phase::Sending {
                    goal,
                    view,
                    batches,
                },
            };
            return Ok(());
        }
        let server = &setup.servers[setup.instances[by]];
        begin(setup, server, &mut self.instances[by], goal, None, true);
        Ok(())
    }

    fn apply(&mut self, setup: &Setup, by: usize, batch: &ChangeBatch) {
        self.zone.apply(batch);
        // What a person has made and an instance has only changed is still a person's.
        let is_changed = |key: &RecordKey| batch.deletes.iter().any(|set| set.key == *key);
        let owner = owner(&setup.servers[setup.instances[by]]);
        for set in batch.creates.iter().filter(|set| !is_changed(&set.key)) {
            let maker = Maker::Owner(owner.clone());
            self.made_by.insert(set.key.clone(), maker);
        }
        let zone = &self.zone;
        self.made_by.retain(|key, _| zone.get(key).is_some());
    }
}

fn of_a_person(key: &RecordKey) -> RecordSet {
    RecordSet::of_values(key.clone(), TTL, ["192.0.2.99".to_owned()].into())
}

/// What happens, for the trace.
pub fn in_words(setup: &Setup, world: &World, what: &Move) -> String {
    let instance = |by: &usize| format!("instance {}", char::from(b'A' + *by as u8));
    match what {
        Move::Metadata { server, to } => {
            let desired = &setup.servers[*server].worlds[usize::from(*to)].record_sets;
            format!(
                "metadata of server {server} asks for {}",
                sets(desired.values())
            )
        }
        Move::Begin { by, is_due } => {
            let how = if *is_due { ", to list the zone" } else { "" };
            format!("{} begins a round{how}", instance(by))
        }
        Move::List { by } => match &world.instances[*by].phase {
            Phase::Looking {
                step: Step::ListRest,
                ..
            } => {
                format!("{} lists everything but the state records", instance(by))
            }
            _ => format!("{} lists the state records", instance(by)),
        },
        Move::Send { by, answer } => {
            let Phase::Sending { batches, .. } = &world.instances[*by].phase else {
                return format!("{} sends nothing", instance(by));
            };
            let outcome = match (takes(&world.zone, &batches[0]), answer) {
                (false, _) => "and loses",
                (true, Answer::Comes) => "and wins",
                (true, Answer::LostAfterwards) => "and wins, but the answer is lost",
                (true, Answer::LostBefore) => "and the request is lost",
                (true, Answer::Late) => "and has no answer; it may come late",
            };
            format!(
                "{} sends {} {outcome}",
                instance(by),
                batch_in_words(&batches[0])
            )
        }
        Move::Land { flight } => {
            let Flight { by, batch } = &world.flights[*flight];
            let outcome = match takes(&world.zone, batch) {
                true => "is applied",
                false => "loses",
            };
            format!(
                "the late batch of {} {outcome}: {}",
                instance(by),
                batch_in_words(batch)
            )
        }
        Move::Crash { by } => format!("{} is killed and starts anew", instance(by)),
        Move::PersonCreates(key) => format!("a person creates {key}"),
        Move::PersonDeletes(key) => format!("a person deletes {key}"),
        Move::Tick => "a second passes".to_owned(),
    }
}

fn batch_in_words(batch: &ChangeBatch) -> String {
    format!(
        "[delete {}; create {}]",
        sets(&batch.deletes),
        sets(&batch.creates)
    )
}

fn sets<'a>(sets: impl IntoIterator<Item = &'a RecordSet>) -> String {
    let sets = sets.into_iter().map(|set| {
        let key = set.key.to_string().replace(".example.com.", "");
        let values: Vec<&str> = set.values().iter().map(String::as_str).collect();
        let routing = set.routing.as_ref().map(|routing| format!(" {routing}"));
        let words = format!("{key} {}{}", values.join(" "), routing.unwrap_or_default());
        match set.ttl() {
            None | Some(TTL) => words,
            Some(ttl) => format!("{words} ({ttl})"),
        }
    });
    let sets: Vec<String> = sets.collect();
    match sets.is_empty() {
        true => "nothing".to_owned(),
        false => sets.join(", "),
    }
}
