//! What must never happen. Nothing here uses the program's own reading of state records.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rancher_route53::dns::{ChangeBatch, RecordKey, RecordSet, RecordType};
use rancher_route53::plan::Adopt;
use rancher_route53::plan::guard::GuardSettings;

use crate::route53::{claims, listed_by};
use crate::setups::{Server, Setup};
use crate::world::{Maker, World};

/// Something that must never happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    NobodyOwns(RecordKey),
    NotOurs(RecordKey),
    TakenFromAnother(RecordKey),
    OfAnotherServer,
    TooEarly(RecordKey),
    Impossible,
    Rest(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NobodyOwns(key) => write!(f, "nobody owns {key}"),
            Fault::NotOurs(key) => write!(f, "{key} was touched, and nobody has listed it"),
            Fault::TakenFromAnother(key) => {
                write!(f, "{key}, which another owner lists, was touched")
            }
            Fault::OfAnotherServer => {
                f.write_str("a batch was applied though another Rancher server keeps the records")
            }
            Fault::TooEarly(key) => write!(f, "{key}, whose delete was held, went too early"),
            Fault::Impossible => f.write_str(
                "a batch was sent that Route 53 refuses, though the zone is as it was seen",
            ),
            Fault::Rest(why) => write!(f, "after undisturbed rounds, at rest, {why}"),
        }
    }
}

/// Since when an instance's deletes have been planned, and whether they were suspicious, by the
/// contract's words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Holds {
    planned: BTreeMap<RecordKey, (u8, bool)>,
    /// When metadata was read, and how many record sets were owned then; the numbers fall.
    owned: Vec<(u8, usize)>,
}

impl Holds {
    /// What is wanted again is held no more.
    pub fn review(&mut self, desired: &BTreeMap<RecordKey, RecordSet>) {
        self.planned.retain(|key, _| !desired.contains_key(key));
    }

    /// These deletes are planned, of so many owned record sets, by metadata read at this second.
    pub fn planned(
        &mut self,
        deletes: &[RecordSet],
        owned: usize,
        read: u8,
        guard: &GuardSettings,
    ) {
        let hold = guard.hold.as_secs() as u8;
        self.owned
            .retain(|(at, most)| at + hold > read && *most > owned);
        self.owned.push((read, owned));
        let most = self.owned[0].1;
        let part = guard.percent as usize * most;
        let is_suspicious = most >= guard.min && deletes.len() * 100 > part;
        for set in deletes {
            let (_, is_held) = self.planned.entry(set.key.clone()).or_insert((read, false));
            *is_held |= is_suspicious;
        }
    }

    fn is_early(&self, key: &RecordKey, read: u8, guard: &GuardSettings) -> bool {
        let hold = guard.hold.as_secs() as u8;
        let planned = self.planned.get(key);
        planned.is_some_and(|(since, is_held)| *is_held && since + hold > read)
    }
}

fn is_state_record(key: &RecordKey) -> bool {
    key.rtype == RecordType::Txt && key.name.as_str().starts_with("external-dns-")
}

/// Whether an instance may do this to the zone as it is. `read` is when it read the metadata that
/// it goes by; none if that is long ago, because the batch comes late.
pub fn may_apply(
    setup: &Setup,
    world: &World,
    by: usize,
    batch: &ChangeBatch,
    read: Option<u8>,
) -> Result<(), Fault> {
    let server = &setup.servers[setup.instances[by]];
    let owner = owner(server);
    let claims = claims(&world.zone, &owner);
    if claims
        .iter()
        .any(|claim| *claim != server.claim.to_string())
    {
        return Err(Fault::OfAnotherServer);
    }
    let all = listed_by(&world.zone, None);
    for set in batch
        .deletes
        .iter()
        .filter(|set| !is_state_record(&set.key))
    {
        let owners: BTreeSet<&str> = all
            .iter()
            .filter(|(_, key)| *key == set.key)
            .map(|(owner, _)| owner.as_str())
            .collect();
        let maker = world.made_by.get(&set.key);
        let is_its_own = maker == Some(&Maker::Owner(owner.clone()));
        match (owners.contains(&*owner), owners.len()) {
            (true, 1) => {}
            (true, _) if is_its_own => {}
            (_, 0) if server.adopt != Adopt::Never => {}
            // It took the place of one of ours, between two looks.
            (_, 0) if maker == Some(&Maker::PersonInPlace) => {}
            (_, 0) => return Err(Fault::NotOurs(set.key.clone())),
            _ => return Err(Fault::TakenFromAnother(set.key.clone())),
        }
        let is_gone = batch.creates.iter().all(|created| created.key != set.key);
        let holds = &world.instances[by].holds;
        if is_gone && read.is_some_and(|read| holds.is_early(&set.key, read, &setup.guard)) {
            return Err(Fault::TooEarly(set.key.clone()));
        }
    }
    Ok(())
}

/// The id in the names of a server's state records.
pub fn owner(server: &Server) -> String {
    let first = server.names.name(0);
    let label = first.as_str().split('.').next().unwrap_or_default();
    label.trim_start_matches("external-dns-").to_owned()
}

/// Whether every record set that the program has made is listed.
pub fn everything_is_listed(world: &World) -> Result<(), Fault> {
    let listed = listed_by(&world.zone, None);
    for (key, maker) in &world.made_by {
        let is_listed = || listed.iter().any(|(_, owned)| owned == key);
        let is_the_program_s = matches!(maker, Maker::Owner(_)) && !is_state_record(key);
        if is_the_program_s && !is_listed() {
            return Err(Fault::NobodyOwns(key.clone()));
        }
    }
    Ok(())
}
