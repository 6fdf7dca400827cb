//! Undisturbed rounds end exactly at what is desired, from every state.

use rancher_route53::dns::RecordKey;

use crate::instance::Phase;
use crate::judge::{Fault, owner};
use crate::moves::{Answer, Move};
use crate::route53::{claims, listed_by};
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
        for (key, wanted) in desired {
            let there = world.zone.whole(key);
            let is_ours = listed.contains(key);
            let is_in_the_way = there.is_some() && !is_ours || is_elsewhere(key);
            if there != Some(wanted) && !is_in_the_way {
                return fault(format!("{key} is {there:?}"));
            }
            if there.is_none() && !is_elsewhere(key) {
                return fault(format!("{key} is missing"));
            }
        }
        for key in &listed {
            if !desired.contains_key(key) && !is_elsewhere(key) {
                return fault(format!("{key} is still listed by {owner}"));
            }
        }
    }
    Ok(())
}
