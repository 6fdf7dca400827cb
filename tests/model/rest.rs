//! Undisturbed rounds end exactly at what is desired, from every state.

use rancher_route53::dns::{RecordKey, RecordSet, Routing};

use crate::instance::Phase;
use crate::judge::{Fault, owner};
use crate::moves::{Answer, Move};
use crate::route53::{can_be_beside, claims, listed_by};
use crate::setups::Setup;
use crate::world::World;

/// More rounds than any state needs.
const MAX_ROUNDS: usize = 12;
const MAX_REQUESTS: usize = 60;

/// Lets each instance make rounds until none has anything to do, and looks at the zone then.
pub fn ends_well(setup: &Setup, mut world: World) -> Result<(), Fault> {
    let mut quiet = 0;
    for round in 0.. {
        if round > MAX_ROUNDS * world.instances.len() {
            return Err(Fault::Rest("rounds go on and on".to_owned()));
        }
        let by = round % world.instances.len();
        let wrote = make_round(setup, &mut world, by)?;
        quiet = if wrote { 0 } else { quiet + 1 };
        // Twice, since the guard lets go only what is planned again later.
        if quiet > 2 * world.instances.len() {
            return is_right(setup, &world);
        }
        world.now = world.now.saturating_add(setup.guard.hold.as_secs() as u8);
    }
    Ok(())
}

/// A whole round of one instance, listing the zone. True if it has sent a batch.
fn make_round(setup: &Setup, world: &mut World, by: usize) -> Result<bool, Fault> {
    let mut wrote = false;
    for _ in 0..MAX_REQUESTS {
        match &world.instances[by].phase {
            Phase::Idle(_) if wrote => return Ok(true),
            Phase::Idle(_) => {
                world.begin(setup, by, true);
                if matches!(world.instances[by].phase, Phase::Idle(_)) {
                    return Ok(false);
                }
            }
            Phase::Looking { .. } => {
                world.make(setup, &Move::List { by })?;
                if matches!(world.instances[by].phase, Phase::Idle(_)) {
                    return Ok(wrote);
                }
            }
            Phase::Sending { .. } => {
                let answer = Answer::Comes;
                world.make(setup, &Move::Send { by, answer })?;
                wrote = true;
            }
        }
    }
    Err(Fault::Rest("a round goes on and on".to_owned()))
}

/// Whether the zone holds what is desired.
fn is_right(setup: &Setup, world: &World) -> Result<(), Fault> {
    let fault = |why: String| Err(Fault::Rest(why));
    for (number, server) in setup.servers.iter().enumerate() {
        let owner = owner(server);
        let claims = claims(&world.zone, &owner);
        let listed: Vec<RecordKey> = listed_by(&world.zone, Some(&owner))
            .into_iter()
            .map(|(_, key)| key)
            .collect();
        let ours = server.claim.to_string();
        if claims.iter().any(|claim| *claim != ours) {
            continue; // another server keeps these state records
        }
        if claims.len() > 1 || claims.is_empty() && !listed.is_empty() {
            return fault(format!("the claims of {owner} are {claims:?}"));
        }
        let desired = &server.worlds[usize::from(world.metadata[number])].record_sets;
        let is_elsewhere = |key: &RecordKey| {
            let all = listed_by(&world.zone, None);
            all.iter()
                .any(|(other, listed)| *other != owner && listed == key)
        };
        let sets = world
            .zone
            .iter()
            .filter_map(|(key, _)| world.zone.whole(key));
        let others: Vec<&RecordSet> = sets.filter(|set| !listed.contains(&set.key)).collect();
        let mut hindered: Vec<RecordSet> = Vec::new();
        for (key, wanted) in desired {
            let wanted = with_ttl_of_others(wanted, &others);
            let there = world.zone.whole(key);
            let is_ours = listed.contains(key);
            let is_hindered = others.iter().any(|other| !can_be_beside(&wanted, other));
            let is_in_the_way = there.is_some() && !is_ours || is_elsewhere(key) || is_hindered;
            if there != Some(&wanted) && !is_in_the_way {
                return fault(format!("{key} is {there:?}"));
            }
            if there.is_none() && !is_elsewhere(key) && !is_hindered {
                return fault(format!("{key} is missing"));
            }
            if is_in_the_way {
                hindered.push(wanted);
            }
        }
        let waits_for_another = |key: &RecordKey| {
            let there = world.zone.whole(key);
            let mut hindered = hindered.iter();
            there.is_some_and(|there| hindered.any(|wanted| !can_be_beside(wanted, there)))
        };
        for key in &listed {
            if !desired.contains_key(key) && !is_elsewhere(key) && !waits_for_another(key) {
                return fault(format!("{key} is still listed by {owner}"));
            }
        }
    }
    Ok(())
}

/// A weighted record set with the TTL of those of others, since Route 53 allows only one.
fn with_ttl_of_others(wanted: &RecordSet, others: &[&RecordSet]) -> RecordSet {
    let is_weighted =
        |set: &RecordSet| matches!(set.routing.as_deref(), Some(Routing::Weighted(_)));
    let is_of_group = |other: &&&RecordSet| {
        is_weighted(other) && other.key.is_same_group(&wanted.key) && is_weighted(wanted)
    };
    let ttl = others
        .iter()
        .find(is_of_group)
        .and_then(|other| other.ttl());
    match ttl {
        Some(ttl) => wanted.clone().with_ttl(ttl),
        None => wanted.clone(),
    }
}
