//! The record sets of all services together.
//!
//! In: what each service wants under its names. Out: the record sets. Services that share a name and a
//! set identifier share the record set. What can't be together under one name, the first service by stack
//! and name gets; metadata's order varies, so it says nothing.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;
use std::sync::Arc;

use crate::base::redactor::shortened;
use crate::base::sorted;
use crate::desired::routing::Share;
use crate::desired::rules::RecordTypes;
use crate::desired::skip::SkipReason;
use crate::desired::target::HostTarget;
use crate::desired::warning::{LeftOut, Warning};
use crate::desired::{Desired, DesiredBuilder, Rival, ServiceOutcome};
use crate::dns::record_set::MAX_VALUES;
use crate::dns::{
    AliasTarget, Body, Name, RecordKey, RecordSet, RecordType, RoutingKind, SharedText,
};
use crate::rancher::model::ServiceKey;
use crate::route53::alias_zones::is_cloudfront;

/// Characters of a service's stack and name that are kept.
const MAX_SHOWN: usize = 80;
/// Warnings of one service, from which on names that are left out aren't told any more.
const MAX_WARNINGS: usize = 100;

/// What a service wants under each of its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wants {
    /// These addresses, unsorted and with duplicates. None with a target.
    pub addresses: Vec<IpAddr>,
    /// What is beyond addresses in simple record sets. Nearly always nothing; one for all names.
    pub extra: Option<Arc<Extra>>,
}

/// What a service wants beyond addresses in simple record sets.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Extra {
    /// How its names are shared with record sets that have other set identifiers.
    pub share: Option<Share>,
    /// The id of the health check without which its record sets aren't in answers.
    pub health_check: Option<SharedText>,
    /// The name that its names lead to, in the place of addresses.
    pub target: Option<HostTarget>,
}

/// Which of two things can't be together under one name.
#[derive(Clone, Copy)]
enum Difference {
    Target,
    Routing,
}

impl Wants {
    /// The name that the names of the service lead to.
    pub(super) fn host(&self) -> Option<&HostTarget> {
        self.extra.as_ref()?.target.as_ref()
    }

    /// How its names are shared.
    pub(super) fn share(&self) -> Option<&Share> {
        self.extra.as_ref()?.share.as_ref()
    }

    fn health_check(&self) -> Option<&str> {
        self.extra.as_ref()?.health_check.as_deref()
    }

    fn kind(&self) -> Option<RoutingKind> {
        self.share().map(|share| share.routing.kind())
    }

    fn is_alias(&self) -> bool {
        self.host().is_some_and(|host| host.alias_zone.is_some())
    }

    fn is_cname(&self) -> bool {
        self.host().is_some_and(|host| host.alias_zone.is_none())
    }

    /// Whether both go into the same record sets of a name.
    fn is_same_set(&self, other: &Wants) -> bool {
        self.share().map(|share| &share.set_id) == other.share().map(|share| &share.set_id)
    }

    /// Whether both are for the same region, place or part of a failover group.
    fn is_same_place(&self, other: &Wants) -> bool {
        let routing = self.share().map(|share| &share.routing);
        let is_for_one = self.kind().is_some_and(RoutingKind::is_for_one);
        is_for_one && routing == other.share().map(|share| &share.routing)
    }

    /// Why both can't be under one name.
    fn difference(&self, other: &Wants) -> Option<Difference> {
        let is_same_set = self.is_same_set(other);
        let differs = |is_different: bool, what| is_different.then_some(what);
        let routing = self.kind() != other.kind()
            || match is_same_set {
                true => {
                    self.share() != other.share() || self.health_check() != other.health_check()
                }
                false => self.is_same_place(other),
            };
        let target = match is_same_set {
            true => self.host() != other.host(),
            false => self.is_cname() != other.is_cname(),
        };
        differs(routing, Difference::Routing).or(differs(target, Difference::Target))
    }
}

/// What services want under one name.
struct AtName<'a> {
    /// That of the first of them, and of all with the same set identifier.
    first: Set<'a>,
    /// Those with other set identifiers.
    others: Vec<Set<'a>>,
    /// The smallest of their TTLs; none if all are aliases.
    ttl: Option<u32>,
    /// Whether they want several TTLs.
    is_disputed: bool,
}

/// What services with the same set identifier want under one name.
struct Set<'a> {
    wants: Box<Wants>,
    /// The first of them.
    by: &'a ServiceKey,
}

impl<'a> AtName<'a> {
    /// The first service whose record sets can't be beside these.
    fn rival(&self, wants: &Wants) -> Option<(Difference, &'a ServiceKey)> {
        let mut sets = std::iter::once(&self.first).chain(&self.others);
        sets.find_map(|set| {
            let difference = set.wants.difference(wants)?;
            Some((difference, set.by))
        })
    }

    /// Adds what another service wants; or says which service wants something that can't be beside it.
    fn add(
        &mut self,
        wants: Box<Wants>,
        by: &'a ServiceKey,
        ttl: Option<u32>,
    ) -> Result<(), (Difference, &'a ServiceKey)> {
        let is_usual = |wants: &Wants| wants.extra.is_none();
        // Nearly always: services without labels that share a name.
        if is_usual(&wants) && is_usual(&self.first.wants) {
            self.first.wants.addresses.extend(&wants.addresses);
        } else {
            if let Some(rival) = self.rival(&wants) {
                return Err(rival);
            }
            let sets = std::iter::once(&mut self.first).chain(&mut self.others);
            let mut sets = sets.filter(|set| set.wants.is_same_set(&wants));
            match sets.next() {
                Some(set) => set.wants.addresses.extend(&wants.addresses),
                None => self.others.push(Set { wants, by }),
            }
        }
        self.is_disputed |= matches!((self.ttl, ttl), (Some(one), Some(other)) if one != other);
        self.ttl = self.ttl.into_iter().chain(ttl).min();
        Ok(())
    }
}

/// The names so far, and what services want there.
struct Names<'a> {
    names: BTreeMap<Name, AtName<'a>>,
    /// The TTL of services that have none of their own.
    ttl: u32,
}

impl<'a> Names<'a> {
    /// Adds what a service wants. If that can't be under its name, beside what services before it want,
    /// it isn't published; if it can't be under another name of it, it doesn't have that one.
    fn add(&mut self, key: &'a ServiceKey, outcome: &mut ServiceOutcome) {
        let (Some(wants), Ok(name)) = (outcome.wants.take(), &outcome.name) else {
            return;
        };
        let ttl = (!wants.is_alias()).then_some(outcome.ttl.unwrap_or(self.ttl));
        let for_others = (!outcome.more_names.is_empty()).then(|| wants.clone());
        if let Err((difference, by)) = self.share(name, wants, key, ttl) {
            let rival = Box::new(Rival {
                name: name.clone(),
                service: shown(by),
            });
            outcome.name = Err(match difference {
                Difference::Target => SkipReason::TargetDiffers(rival),
                Difference::Routing => SkipReason::RoutingDiffers(rival),
            });
            outcome.more_names = Vec::new();
            outcome.skipped_containers = None;
            return;
        }
        let Some(wants) = for_others else { return };
        let warnings = &mut outcome.warnings;
        outcome.more_names.retain(|name| {
            let Err((difference, by)) = self.share(name, wants.clone(), key, ttl) else {
                return true;
            };
            if warnings.len() < MAX_WARNINGS {
                let why = match difference {
                    Difference::Target => LeftOut::TargetDiffers(shown(by)),
                    Difference::Routing => LeftOut::RoutingDiffers(shown(by)),
                };
                warnings.push(Warning::LeftOut(name.clone(), why));
            }
            false
        });
    }

    fn share(
        &mut self,
        name: &Name,
        wants: Box<Wants>,
        by: &'a ServiceKey,
        ttl: Option<u32>,
    ) -> Result<(), (Difference, &'a ServiceKey)> {
        match self.names.entry(name.clone()) {
            Entry::Occupied(mut place) => place.get_mut().add(wants, by, ttl),
            Entry::Vacant(place) => {
                place.insert(AtName {
                    first: Set { wants, by },
                    others: Vec::new(),
                    ttl,
                    is_disputed: false,
                });
                Ok(())
            }
        }
    }
}

fn shown(key: &ServiceKey) -> String {
    shortened(&key.to_string(), MAX_SHOWN)
}

impl DesiredBuilder<'_> {
    /// Returns what should be published, once all services have been added.
    pub fn finish(mut self) -> Desired {
        let mut names = Names {
            names: BTreeMap::new(),
            ttl: self.rules.ttl,
        };
        let mut duplicates = self.duplicates.into_iter().peekable();
        for (key, outcome) in &mut self.services {
            names.add(key, outcome);
            while let Some((_, mut outcome)) = duplicates.next_if(|(other, _)| other == key) {
                names.add(key, &mut outcome);
            }
        }
        let mut desired = Desired::default();
        let mut disputed = BTreeMap::new();
        for (name, at_name) in names.names {
            if let (true, Some(ttl)) = (at_name.is_disputed, at_name.ttl) {
                disputed.insert(name.clone(), ttl);
            }
            // Without a TTL there are only aliases.
            let ttl = at_name.ttl.unwrap_or(self.rules.ttl);
            desired.add(&name, at_name.first, ttl, self.rules.record_types);
            for set in at_name.others {
                desired.add(&name, set, ttl, self.rules.record_types);
            }
        }
        if !disputed.is_empty() {
            warn_of_other_ttls(&mut self.services, &disputed, self.rules.ttl);
        }
        desired.services = self.services;
        desired
    }
}

/// Warns each service whose TTL isn't that of its names. One of them is enough to say so.
fn warn_of_other_ttls(
    services: &mut BTreeMap<ServiceKey, ServiceOutcome>,
    disputed: &BTreeMap<Name, u32>,
    default: u32,
) {
    for outcome in services.values_mut().filter(|outcome| !outcome.is_alias) {
        let wanted = outcome.ttl.unwrap_or(default);
        let other = outcome.names().find_map(|name| {
            let used = *disputed.get(name)?;
            (used != wanted).then(|| (name.clone(), used))
        });
        let warning = other.map(|(name, used)| Warning::OtherTtl { name, wanted, used });
        outcome.warnings.extend(warning);
    }
}

impl Desired {
    /// Adds the record sets with one set identifier of a name.
    fn add(&mut self, name: &Name, set: Set<'_>, ttl: u32, record_types: RecordTypes) {
        let wants = *set.wants;
        let extra = wants.extra.as_deref();
        match wants.host() {
            None => {
                let addresses = sorted::set(wants.addresses.iter().copied()).into_iter();
                let (v4, v6) = addresses.partition(IpAddr::is_ipv4);
                self.add_addresses(name, RecordType::A, v4, ttl, extra);
                self.add_addresses(name, RecordType::Aaaa, v6, ttl, extra);
            }
            Some(target) => match target.alias_zone {
                None => {
                    let values = [target.name.as_str().to_owned()].into();
                    self.add_set(
                        name,
                        RecordType::Cname,
                        Body::Records { ttl, values },
                        extra,
                    );
                }
                Some(zone_id) => {
                    let is_routed = wants.share().is_some();
                    for rtype in record_types.types() {
                        let body = Body::Alias(Box::new(AliasTarget {
                            zone_id: zone_id.to_owned(),
                            name: target.name.as_str().to_owned(),
                            evaluates_health: is_routed && !is_cloudfront(zone_id),
                        }));
                        self.add_set(name, rtype.clone(), body, extra);
                    }
                }
            },
        }
    }

    /// Adds a record set unless `addresses` is empty. `addresses` must be sorted, so that a record
    /// set that is truncated keeps the same values in every round.
    fn add_addresses(
        &mut self,
        name: &Name,
        rtype: RecordType,
        mut addresses: Vec<IpAddr>,
        ttl: u32,
        extra: Option<&Extra>,
    ) {
        if addresses.is_empty() {
            return;
        }
        let count = addresses.len();
        addresses.truncate(MAX_VALUES);
        let values = addresses.iter().map(IpAddr::to_string).collect();
        let key = self.add_set(name, rtype, Body::Records { ttl, values }, extra);
        if count > MAX_VALUES {
            self.truncated.insert(key, count);
        }
    }

    /// Adds a record set. Returns its key.
    fn add_set(
        &mut self,
        name: &Name,
        rtype: RecordType,
        body: Body,
        extra: Option<&Extra>,
    ) -> RecordKey {
        let share = extra.and_then(|extra| extra.share.as_ref());
        let set_id = share.map(|share| share.set_id.clone());
        let key = RecordKey::with_set_id(name.clone(), rtype, set_id);
        let routing = share.map(|share| share.routing.clone());
        let mut set = RecordSet::new(key.clone(), body, routing);
        set.health_check = extra.and_then(|extra| extra.health_check.clone());
        self.record_sets.insert(key.clone(), set);
        key
    }
}
