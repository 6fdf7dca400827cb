//! What one instance does: the loop of a round, one request at a time, made of the program's own
//! functions.

use std::hash::{Hash, Hasher};

use rancher_route53::dns::{ChangeBatch, RecordKey, RecordSet, RecordType, Zone};
use rancher_route53::plan::batch::batches;
use rancher_route53::plan::guard::{Guard, GuardSettings};
use rancher_route53::plan::look::{Look, Step};
use rancher_route53::plan::state_records::{Claim, StateNames};
use rancher_route53::plan::view::{RecordsChange, ZoneView};
use rancher_route53::plan::{Plan, PlanSettings, plan};

use crate::judge::Holds;
use crate::setups::{Server, Setup, TTL, Variant, below};
use crate::world::at;

/// One instance of the program.
#[derive(Clone, Hash)]
pub struct Instance {
    pub guard: Guard,
    /// What the judge remembers of its deletes.
    pub holds: Holds,
    pub phase: Phase,
}

/// What an instance is about to do.
#[derive(Clone)]
pub enum Phase {
    /// Nothing; it may remember the zone.
    Idle(Option<ZoneView>),
    /// To list a part of the zone.
    Looking {
        goal: Goal,
        look: Look,
        step: Step,
        view: ZoneView,
    },
    /// To send the first of these batches.
    Sending {
        goal: Goal,
        view: ZoneView,
        batches: Vec<ChangeBatch>,
    },
}

/// What metadata said when the round began, and when that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Goal {
    pub world: u8,
    pub read: u8,
}

impl Hash for Phase {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The rest of a view is made of its zone.
        let mut view = |view: &ZoneView| {
            view.zone.hash(state);
            view.coverage.hash(state);
        };
        match self {
            Phase::Idle(known) => {
                known.iter().for_each(&mut view);
                (0, known.is_some()).hash(state);
            }
            Phase::Looking {
                goal,
                look,
                step,
                view: seen,
            } => {
                view(seen);
                (1, goal, look, step).hash(state);
            }
            Phase::Sending {
                goal,
                view: seen,
                batches,
            } => {
                view(seen);
                (2, goal, batches).hash(state);
            }
        }
    }
}

/// Begins a round. `is_due`: the zone is listed although it is known.
pub fn begin(
    setup: &Setup,
    server: &Server,
    instance: &mut Instance,
    goal: Goal,
    known: Option<ZoneView>,
    is_due: bool,
) {
    let desired = &server.worlds[usize::from(goal.world)];
    if setup.variant == Variant::WithoutGuard {
        instance.guard = Guard::new(GuardSettings::OFF);
    }
    instance.guard.review(&desired.record_sets);
    instance.holds.review(&desired.record_sets);
    let keys = desired.record_sets.keys();
    let (look, step) = Look::begin(known.as_ref(), is_due, keys);
    let view = match (known, look) {
        (Some(known), Look::Known) => known,
        _ => ZoneView::new(server.names.clone()),
    };
    let step = match (setup.variant, step) {
        (Variant::RecordsLast, Step::ListStateRecords) => Step::ListRest,
        (_, step) => step,
    };
    proceed(setup, server, instance, goal, look, step, view);
}

/// Makes the listing that is next, and goes on to the next request.
pub fn list(setup: &Setup, server: &Server, instance: &mut Instance, zone: &Zone) {
    let idle = Phase::Idle(None);
    let Phase::Looking {
        goal,
        look,
        step,
        mut view,
    } = std::mem::replace(&mut instance.phase, idle)
    else {
        panic!("it isn't looking");
    };
    let is_last = setup.variant == Variant::RecordsLast;
    let next = match step {
        Step::ListStateRecords => {
            let with_others = setup.variant != Variant::WithoutOthers;
            let change = match view.set_state_records(records(zone, &server.names, with_others)) {
                RecordsChange::Rewritten if setup.variant == Variant::WithoutOthersGenerations => {
                    RecordsChange::None
                }
                change => change,
            };
            let another = view.state.claim_of_another(&server.claim).is_some();
            match look.after_state_records(change, another && has_claims(setup)) {
                Step::ListRest if is_last && change != RecordsChange::None => Step::Plan,
                Step::ListRest if is_last => Step::Plan,
                next => next,
            }
        }
        Step::ListRest => {
            let desired = &server.worlds[usize::from(goal.world)];
            let coverage = view.coverage_for(Some(&below()), desired);
            let mut rest = zone.clone();
            rest.retain(|key| coverage.has(&key.name));
            view.set_rest(rest, coverage);
            match is_last {
                true => Step::ListStateRecords,
                false => Step::Plan,
            }
        }
        Step::Plan | Step::ApplyWithoutTakeover | Step::Apply => panic!("this takes no request"),
    };
    proceed(setup, server, instance, goal, look, next, view);
}

fn has_claims(setup: &Setup) -> bool {
    setup.variant != Variant::WithoutClaims
}

fn records(zone: &Zone, names: &StateNames, with_others: bool) -> Zone {
    let mut records = zone.clone();
    records.retain(|key: &RecordKey| match with_others {
        false => names.index_of_name(&key.name).is_some(),
        true => names.is_anybodys(&key.name),
    });
    records
}

/// Goes on to the next request, or to the end of the round.
fn proceed(
    setup: &Setup,
    server: &Server,
    instance: &mut Instance,
    goal: Goal,
    mut look: Look,
    mut step: Step,
    view: ZoneView,
) {
    let mut made = Plan::default();
    let mut is_planned = false;
    loop {
        match step {
            Step::ListStateRecords | Step::ListRest => {
                instance.phase = Phase::Looking {
                    goal,
                    look,
                    step,
                    view,
                };
                return;
            }
            Step::Plan => {
                made = planned(setup, server, goal, &view);
                is_planned = true;
                step = look.after_plan(&made);
            }
            Step::ApplyWithoutTakeover => {
                made.put_off_takeover(&view.zone, &view.state);
                step = Step::Apply;
            }
            Step::Apply => break,
        }
    }
    // The second look has shown nothing new, so the plan is the one that was made before it.
    if !is_planned {
        made = planned(setup, server, goal, &view);
    }
    let read = at(goal.read);
    let owned = view.state.owned().len() + made.adopts.len();
    let deletes = made.deletes.clone();
    let (approved, _) = instance.guard.approve(made, owned, read);
    instance
        .holds
        .planned(&deletes, owned, goal.read, &setup.guard);
    let mut next = batches(&approved, &view.state, &server.names, FRESH);
    if setup.variant == Variant::WithoutGenerations {
        next.iter_mut().for_each(without_generation);
    }
    if setup.variant == Variant::WithoutTraces {
        next.iter_mut().for_each(without_trace);
    }
    let next = apart(setup.variant, next);
    instance.phase = match next.is_empty() {
        true => Phase::Idle(Some(view)),
        false => Phase::Sending {
            goal,
            view,
            batches: next,
        },
    };
}

/// Batches in two parts each, if the variant is one that does so.
fn apart(variant: Variant, batches: Vec<ChangeBatch>) -> Vec<ChangeBatch> {
    let is_first: fn(&RecordSet, bool) -> bool = match variant {
        Variant::EntriesApart => |set, _| set.key.rtype != RecordType::Txt,
        Variant::CreatesApart => |set, is_new| is_new || set.key.rtype == RecordType::Txt,
        _ => return batches,
    };
    let part = |batch: &ChangeBatch, of_first: bool| {
        let sets = |all: &[RecordSet], is_new| -> Vec<RecordSet> {
            let all = all.iter().filter(|set| is_first(set, is_new) == of_first);
            all.cloned().collect()
        };
        ChangeBatch {
            deletes: sets(&batch.deletes, false),
            creates: sets(&batch.creates, true),
        }
    };
    let parts = batches
        .iter()
        .flat_map(|batch| [part(batch, true), part(batch, false)]);
    parts.filter(|part| part.changes() > 0).collect()
}

/// The number that new state records' generations are made of. See [`crate::canonical`].
const FRESH: u64 = 50;

fn without_generation(batch: &mut ChangeBatch) {
    let sets = batch.deletes.iter_mut().chain(&mut batch.creates);
    sets.for_each(|set| *set = set.clone().with_ttl(TTL));
}

/// Without state records that are only written once more.
fn without_trace(batch: &mut ChangeBatch) {
    let values = |set: &RecordSet| (set.key.clone(), set.values().to_vec());
    let old: Vec<_> = batch.deletes.iter().map(values).collect();
    let new: Vec<_> = batch.creates.iter().map(values).collect();
    batch.deletes.retain(|set| !new.contains(&values(set)));
    batch.creates.retain(|set| !old.contains(&values(set)));
}

fn planned(setup: &Setup, server: &Server, goal: Goal, view: &ZoneView) -> Plan {
    let nobodys = Claim::new("nobody", None);
    let settings = PlanSettings {
        policy: server.policy,
        adopt: &server.adopt,
        claim: if has_claims(setup) {
            &server.claim
        } else {
            &nobodys
        },
        gives_up: false,
    };
    let desired = &server.worlds[usize::from(goal.world)].record_sets;
    plan(desired, &view.zone, &view.state, settings)
}
