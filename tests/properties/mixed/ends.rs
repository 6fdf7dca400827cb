//! How a name with record sets of all kinds has to end: by what may be beside what, and who has it.

use std::collections::{BTreeMap, BTreeSet};

use rancher_route53::plan::{Adopt, Policy};
use sim::route53 as aws;

use super::Story;
use crate::generators::{ENVIRONMENT, Key, Setting, TTL, key_of};

/// How a name has to end.
#[derive(Debug, Default)]
pub struct Ended {
    pub sets: Vec<aws::RecordSet>,
    pub owned: BTreeSet<Key>,
    /// Of those in the zone to begin with, what may be changed.
    pub ours: BTreeSet<Key>,
    /// What of that no state record lists yet.
    pub adopted: BTreeMap<Key, aws::RecordSet>,
}

/// Whether Route 53 has both at one name, as far as their kinds go.
fn kinds_can_be_together(a: &aws::RecordSet, b: &aws::RecordSet) -> bool {
    if a.rtype != b.rtype {
        return a.rtype != "CNAME" && b.rtype != "CNAME";
    }
    let both_routed = a.set_identifier.is_some() && b.set_identifier.is_some();
    let same_place = a.region.is_some() && a.region == b.region
        || a.failover.is_some() && a.failover == b.failover
        || a.geo_location.is_some() && a.geo_location == b.geo_location;
    both_routed && a.policies() == b.policies() && !same_place
}

/// Whether Route 53 has both at one name.
pub fn can_be_beside(a: &aws::RecordSet, b: &aws::RecordSet) -> bool {
    let are_weighted = a.rtype == b.rtype && a.weight.is_some() && b.weight.is_some();
    let has_other_ttl = a.ttl.is_some() && b.ttl.is_some() && a.ttl != b.ttl;
    kinds_can_be_together(a, b) && !(are_weighted && has_other_ttl)
}

/// Whether what is there is what is wanted, though perhaps with a health check that somebody attached.
fn is_as_wanted(there: &aws::RecordSet, wanted: &aws::RecordSet) -> bool {
    let mut there = there.clone();
    if wanted.health_check_id.is_none() {
        there.health_check_id = None;
    }
    there.matches(wanted)
}

/// The record sets of a name, by who has them.
struct Sides<'a> {
    policy: Policy,
    wants: BTreeMap<Key, &'a aws::RecordSet>,
    ours: BTreeMap<Key, &'a aws::RecordSet>,
    theirs: BTreeMap<Key, &'a aws::RecordSet>,
    /// Of what isn't there: nobody else lists it.
    is_free: BTreeSet<Key>,
}

impl Story {
    pub fn end(&self, setting: &Setting) -> Ended {
        // An owner that gives up deletes what it has made, whoever else lists it.
        let is_elsewhere = |key: &Key| {
            let counts = !self.listed.contains(key) || setting.claim.is_some();
            self.elsewhere.contains(key) && counts
        };
        let wants: BTreeMap<Key, &aws::RecordSet> =
            self.wants.iter().map(|set| (key_of(set), set)).collect();
        let there = self.has.iter().chain(&self.strangers);
        let (ours, theirs): (BTreeMap<_, _>, BTreeMap<_, _>) =
            there.map(|set| (key_of(set), set)).partition(|(key, set)| {
                let is_adopted = || is_adopted(set, wants.get(key).copied(), setting);
                !is_elsewhere(key) && (self.listed.contains(key) || is_adopted())
            });
        let is_free = wants.keys().filter(|key| !is_elsewhere(key));
        let sides = Sides {
            policy: setting.policy,
            is_free: is_free.cloned().collect(),
            wants,
            ours,
            theirs,
        };
        let unlisted = sides.ours.iter();
        let unlisted = unlisted.filter(|(key, _)| !self.listed.contains(*key));
        let mut ended = Ended {
            ours: sides.ours.keys().cloned().collect(),
            adopted: unlisted
                .map(|(key, set)| (key.clone(), (*set).clone()))
                .collect(),
            ..Ended::default()
        };
        for set in sides.rest().into_values() {
            ended.owned.insert(key_of(&set));
            ended.sets.push(set);
        }
        for (key, set) in &sides.theirs {
            if self.listed.contains(key) {
                ended.owned.insert(key.clone()); // another owner lists it, too
            }
            ended.sets.push((*set).clone());
        }
        ended
    }
}

fn is_adopted(set: &aws::RecordSet, wanted: Option<&aws::RecordSet>, setting: &Setting) -> bool {
    let is_plain = set.set_identifier.is_none() && set.alias.is_none();
    match setting.adopt {
        Adopt::Never => false,
        Adopt::Matching => wanted.is_some_and(|wanted| is_plain || is_as_wanted(set, wanted)),
        Adopt::Legacy { .. } => {
            let is_below = set.name.ends_with(ENVIRONMENT);
            is_plain && is_below && set.rtype == "A" && set.ttl == Some(TTL)
        }
    }
}

impl Sides<'_> {
    /// What is ours at the end.
    fn rest(&self) -> BTreeMap<Key, aws::RecordSet> {
        // What is hindered stays, and so may hinder others.
        let mut stuck: BTreeSet<&Key> = BTreeSet::new();
        loop {
            let wants = self.wants.iter();
            let now = wants.filter(|(key, wanted)| !self.may_be_written(key, wanted, &stuck));
            let now: BTreeSet<&Key> = now.map(|(key, _)| key).collect();
            if now == stuck {
                break;
            }
            stuck = now;
        }
        let (mut written, mut hindered) = (Vec::new(), Vec::new());
        for (key, wanted) in &self.wants {
            match stuck.contains(key) {
                false => written.push(self.as_written(key, wanted)),
                true => hindered.push((*wanted).clone()),
            }
        }
        let goes_for = |set: &aws::RecordSet, all: &[aws::RecordSet]| {
            let mut others = all.iter().filter(|other| key_of(other) != key_of(set));
            others.any(|other| !kinds_can_be_together(set, other))
        };
        let mut rest: BTreeMap<Key, aws::RecordSet> = BTreeMap::new();
        for (key, set) in &self.ours {
            let is_kept = match (self.wants.contains_key(key), self.policy) {
                (true, _) | (false, Policy::CreateOnly) => true,
                (false, Policy::UpsertOnly) => !goes_for(set, &written),
                (false, Policy::Sync) => !goes_for(set, &written) && goes_for(set, &hindered),
            };
            if is_kept {
                rest.insert(key.clone(), (*set).clone());
            }
        }
        rest.extend(written.into_iter().map(|set| (key_of(&set), set)));
        rest
    }

    /// Whether it is as wanted at the end, or as near to that as its neighbours allow.
    fn may_be_written(&self, key: &Key, wanted: &aws::RecordSet, stuck: &BTreeSet<&Key>) -> bool {
        let there = self.ours.get(key);
        if self.theirs.contains_key(key) || there.is_none() && !self.is_free.contains(key) {
            return false;
        }
        if there.is_some_and(|there| is_as_wanted(there, &self.as_written(key, wanted))) {
            return true;
        }
        let is_hindered_by = |other: &aws::RecordSet| !kinds_can_be_together(wanted, other);
        let ours = self.ours.iter().filter(|(other, _)| *other != key);
        let hinders = |(other, set): (&Key, &&aws::RecordSet)| {
            let stays = self.policy == Policy::CreateOnly || stuck.contains(other);
            stays && is_hindered_by(set)
        };
        let is_kept = self.policy == Policy::CreateOnly && there.is_some();
        let mut theirs = self.theirs.values();
        !is_kept && !ours.into_iter().any(hinders) && !theirs.any(|set| is_hindered_by(set))
    }

    /// With the TTL of what stays, and the health check that somebody has attached.
    fn as_written(&self, key: &Key, wanted: &aws::RecordSet) -> aws::RecordSet {
        let there = self.ours.get(key);
        let stays = |other: &Key| match self.policy {
            Policy::Sync => false,
            Policy::UpsertOnly => !self.wants.contains_key(other),
            Policy::CreateOnly => other != key,
        };
        let ours = self.ours.iter().filter(|(other, _)| stays(other));
        let neighbours = ours.chain(&self.theirs).map(|(_, set)| set);
        let weighted = neighbours.filter(|set| set.weight.is_some() && set.rtype == key.1);
        let ttl = weighted.filter_map(|set| set.ttl).next();
        let mut written = wanted.clone();
        if written.weight.is_some() && written.ttl.is_some() {
            written.ttl = ttl.or(written.ttl);
        }
        if written.health_check_id.is_none() {
            written.health_check_id = there.and_then(|there| there.health_check_id.clone());
        }
        match there {
            Some(there) if is_as_wanted(there, &written) => (*there).clone(),
            _ => written,
        }
    }
}
