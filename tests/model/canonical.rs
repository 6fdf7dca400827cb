//! One form for states that differ only in the numbers of generations. A number matters only as
//! far as it is the zone's present one or not: numbers grow and never come back, so what is older
//! can't be met again. Without this, no state would ever be met twice.

use rancher_route53::dns::zone::Listed;
use rancher_route53::dns::{ChangeBatch, Name, RecordKey, RecordSet, RecordType, Zone};

use crate::instance::Phase;
use crate::route53::takes;
use crate::setups::{Setup, Variant};
use crate::world::World;

/// The least TTL that is a generation.
const LEAST: u32 = 1 << 30;
/// What every older generation becomes, and the zone's present one.
const OLD: u32 = LEAST + 1;
const PRESENT: u32 = LEAST + 100;
/// What a new state record's is.
const FRESH: u32 = LEAST + 50;

/// Brings a state into its form.
pub fn canonical(setup: &Setup, world: &mut World) {
    if setup.variant == Variant::WithoutGenerations {
        return;
    }
    // What is applied to a state record that has been written since never will be.
    let zone = world.zone.clone();
    world
        .flights
        .retain(|flight| !is_dead(&zone, &flight.batch));
    let before = world.zone.clone();
    let renumbered = |key: &RecordKey, ttl: u32, is_batch: bool| match present(&before, &key.name) {
        _ if ttl < LEAST || key.rtype != RecordType::Txt => ttl,
        // A state record without a generation has none that is older.
        Some(present) if present < LEAST => ttl,
        Some(present) if ttl >= present => PRESENT + (ttl - present),
        None if is_batch => ttl,
        Some(_) | None => OLD,
    };
    for instance in &mut world.instances {
        match &mut instance.phase {
            Phase::Idle(None) => {}
            Phase::Idle(Some(view)) | Phase::Looking { view, .. } => {
                renumber_zone(&mut view.zone, &renumbered);
                view.state = rancher_route53::plan::state_records::StateRecords::read(
                    &view.zone,
                    &view.names,
                );
            }
            Phase::Sending { view, batches, .. } => {
                renumber_zone(&mut view.zone, &renumbered);
                view.state = rancher_route53::plan::state_records::StateRecords::read(
                    &view.zone,
                    &view.names,
                );
                for batch in batches {
                    renumber_batch(batch, &renumbered);
                }
            }
        }
    }
    for flight in &mut world.flights {
        renumber_batch(&mut flight.batch, &renumbered);
    }
    renumber_zone(&mut world.zone, &renumbered);
    world.flights.sort_by_key(|flight| format!("{flight:?}"));
}

/// Whether a batch can never be applied any more.
fn is_dead(zone: &Zone, batch: &ChangeBatch) -> bool {
    let has_generation =
        |set: &&RecordSet| set.key.rtype == RecordType::Txt && set.ttl() >= Some(LEAST);
    let old = batch.deletes.iter().filter(has_generation);
    let is_gone = |set: &RecordSet| zone.whole(&set.key) != Some(set);
    !takes(zone, batch) && old.into_iter().any(is_gone)
}

fn present(zone: &Zone, name: &Name) -> Option<u32> {
    let key = RecordKey::new(name.clone(), RecordType::Txt);
    zone.whole(&key).and_then(RecordSet::ttl)
}

fn renumber_zone(zone: &mut Zone, renumbered: &impl Fn(&RecordKey, u32, bool) -> u32) {
    let changed: Vec<RecordSet> = zone
        .iter()
        .filter_map(|(key, _)| zone.whole(key))
        .filter_map(|set| {
            let old = set.ttl()?;
            let ttl = renumbered(&set.key, old, false);
            (ttl != old).then(|| set.clone().with_ttl(ttl))
        })
        .collect();
    let mut other = Zone::default();
    for set in changed {
        other.insert(set.key.clone(), Listed::Whole(set));
    }
    zone.merge(other);
}

/// A batch creates a new state record with any number, and an old one with the next one.
fn renumber_batch(batch: &mut ChangeBatch, renumbered: &impl Fn(&RecordKey, u32, bool) -> u32) {
    for set in &mut batch.deletes {
        let ttl = renumbered(&set.key, set.ttl().unwrap_or_default(), true);
        *set = set.clone().with_ttl(ttl);
    }
    for set in &mut batch.creates {
        let old = batch.deletes.iter().find(|old| old.key == set.key);
        let is_state_record = set.key.rtype == RecordType::Txt;
        match old {
            Some(old) if is_state_record && old.ttl() >= Some(LEAST) => {
                *set = set.clone().with_ttl(old.ttl().unwrap_or_default() + 1);
            }
            None if is_state_record => *set = set.clone().with_ttl(FRESH),
            Some(_) | None => {}
        }
    }
}
