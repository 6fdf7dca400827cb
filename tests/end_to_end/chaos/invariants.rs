//! What must be true in the end: worked out here from the simulated world, without the
//! program's help.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde_json::Value;
use sim::rancher::{Service, World};
use sim::route53::{RecordSet, Zone};

use crate::chaos::naming::{below, render, render_hostname, render_item, shown};
use crate::chaos::publishing::{Publishing, Types};
use crate::chaos::record::{Key, Sets, TTL, is_simple, key, listed, listed_elsewhere, others};
use crate::chaos::regime::{Policy, Regime};
use crate::chaos::world::{
    ADDRESS, HOST, HOST_IP, LB_HOSTNAMES, NAMES, POLICY, SERVICE_TTL, TEMPLATE,
};

/// What Rancher's world says should be published.
pub struct Desired {
    pub sets: Sets,
    /// `<environment>.<zone>`.
    pub below: String,
    /// The name of each service, by stack and name, and whether it is published; not of those that
    /// can have no name.
    names: BTreeMap<(String, String), (String, bool)>,
}

/// `publishing` are the settings.
pub fn desired(world: &World, publishing: &Publishing) -> Desired {
    let mut addresses: BTreeMap<String, (BTreeSet<String>, u32)> = BTreeMap::new();
    let mut names = BTreeMap::new();
    for service in &world.services {
        let label = |ending| publishing.label(&service.labels, ending);
        let template = label(TEMPLATE).unwrap_or(publishing.template);
        let environment = &world.environment_name;
        let Some(name) = render(template, &service.stack, &service.name, environment) else {
            continue;
        };
        let found = addresses_of(service, world, publishing);
        let id = (service.stack.clone(), service.name.clone());
        names.insert(id, (name.clone(), !found.is_empty()));
        if found.is_empty() {
            continue;
        }
        let ttl = label(SERVICE_TTL).and_then(|ttl| ttl.parse().ok());
        let ttl = ttl.unwrap_or(TTL);
        let more = label(NAMES).unwrap_or_default().split(',');
        let more =
            more.filter_map(|item| render_item(item, &service.stack, &service.name, environment));
        let hostnames = hostnames(service, publishing).iter();
        let hostnames = hostnames.filter_map(|hostname| render_hostname(hostname));
        for name in more.chain(hostnames).chain([name]) {
            let (shared, least) = addresses.entry(name).or_insert((BTreeSet::new(), ttl));
            shared.extend(found.clone());
            *least = ttl.min(*least);
        }
    }
    let mut sets = Sets::new();
    for (name, (addresses, ttl)) in &addresses {
        for (rtype, is_v6) in [("A", false), ("AAAA", true)] {
            let of_type = addresses.iter().filter(|a| a.contains(':') == is_v6);
            let values: Vec<&String> = of_type.collect();
            if !values.is_empty() {
                let set = RecordSet::simple(name, rtype, *ttl, &values);
                sets.insert(key(&set), set);
            }
        }
    }
    Desired {
        sets,
        below: below(&world.environment_name),
        names,
    }
}

/// The host names of a load balancer that are to be names of it.
fn hostnames<'a>(service: &'a Service, publishing: &Publishing) -> &'a [String] {
    let is_on = match publishing.label(&service.labels, LB_HOSTNAMES) {
        Some("true") => true,
        Some("false") => false,
        _ => publishing.lb_hostnames,
    };
    match is_on && service.kind == "loadBalancerService" {
        true => &service.lb_hostnames,
        false => &[],
    }
}

/// The addresses under which a service is published; none if it isn't.
pub fn addresses_of(service: &Service, world: &World, publishing: &Publishing) -> BTreeSet<String> {
    let label = |ending| publishing.label(&service.labels, ending);
    let implied = match label(ADDRESS) {
        Some("container") => "always",
        _ => publishing.policy,
    };
    let policy = label(POLICY).unwrap_or(implied);
    let source = label(ADDRESS).unwrap_or(publishing.address);
    let mut addresses = BTreeSet::new();
    if service.system && !publishing.system_services || policy == "never" {
        return addresses;
    }
    let needs_port = policy == "auto" && source != "container";
    for container in &service.containers {
        let health = container.health_state.as_deref();
        let is_up = container.state == "running" && matches!(health, None | Some("healthy"));
        let is_public = container.ports.iter().any(|port| port.contains(':'));
        let Some(host) = world.host(&container.host) else {
            continue;
        };
        let label = |ending| publishing.label(&host.labels, ending);
        if !is_up || needs_port && !is_public || label(HOST) == Some("false") {
            continue;
        }
        let agent_ip = host.agent_ip.as_deref();
        let inner = host.labels.get("inner").and_then(Value::as_str);
        addresses.extend(match source {
            "container" => Some(container.primary_ip()),
            "host-label:inner" => inner.map(str::to_owned),
            _ => label(HOST_IP).or(agent_ip).map(str::to_owned),
        });
    }
    addresses.retain(|address| match publishing.types {
        Types::Both => true,
        Types::A => !address.contains(':'),
        Types::Aaaa => address.contains(':'),
    });
    addresses
}

/// What has become of a record set that is desired, owned or taken over.
enum Outcome {
    Right,
    /// It is left alone, and the program has to say so.
    Conflict,
    /// It is left alone, and whether the program knows of a conflict depends on what it has listed.
    PerhapsConflict,
    Wrong(&'static str),
}

/// What the zone has in the place of a record set.
struct Place<'a> {
    set: Option<&'a RecordSet>,
    /// An alias, or a record set with a routing policy, has that name and type.
    is_special: bool,
    is_cname: bool,
    is_listed: bool,
    is_elsewhere: bool,
}

impl Desired {
    /// What is wrong with a zone once nothing is left to be done, and how many conflicts the program
    /// should tell of.
    pub fn judge(&self, zone: &Zone, regime: Regime) -> (Vec<String>, RangeInclusive<usize>) {
        let (listed, elsewhere) = (
            listed(zone, regime.owner),
            listed_elsewhere(zone, regime.owner),
        );
        let found = others(zone);
        let names: BTreeSet<(&str, &str)> = found
            .keys()
            .map(|(name, rtype, _)| (name.as_str(), rtype.as_str()))
            .collect();
        let keys: BTreeSet<&Key> = self
            .sets
            .keys()
            .chain(&listed)
            .chain(found.keys())
            .collect();
        let (mut faults, mut conflicts, mut perhaps) = (Vec::new(), 0, 0);
        for key in keys.into_iter().filter(|key| key.2.is_none()) {
            let set = found.get(key).filter(|set| is_simple(set));
            let place = Place {
                set,
                is_special: set.is_none() && names.contains(&(&key.0, &key.1)),
                is_cname: key.1 != "CNAME" && names.contains(&(&key.0, "CNAME")),
                is_listed: listed.contains(key),
                is_elsewhere: elsewhere.contains(key),
            };
            match self.outcome(key, &place, regime) {
                Outcome::Right => {}
                Outcome::Conflict => conflicts += 1,
                Outcome::PerhapsConflict => perhaps += 1,
                Outcome::Wrong(why) => {
                    let wanted = self.sets.get(key).map(RecordSet::to_string);
                    let is = set.map(RecordSet::to_string);
                    faults.push(format!("{why}: {key:?} is {is:?}, wanted {wanted:?}"));
                }
            }
        }
        (faults, conflicts..=conflicts + perhaps)
    }

    fn outcome(&self, key: &Key, place: &Place<'_>, regime: Regime) -> Outcome {
        let wanted = self.sets.get(key);
        let is_right = match (wanted, place.set) {
            (Some(wanted), Some(set)) => set.matches(wanted),
            _ => false,
        };
        if place.is_elsewhere {
            return match (place.is_listed, place.set) {
                (true, None) => Outcome::Wrong("has an entry although it is gone"),
                (true, Some(_)) if is_right => Outcome::Right,
                // Without anything to do there is no need to know who else lists it.
                (true, Some(_)) if regime.policy == Policy::CreateOnly => Outcome::PerhapsConflict,
                (true, Some(_)) if wanted.is_none() && regime.policy != Policy::Sync => {
                    Outcome::PerhapsConflict
                }
                (true, Some(_)) => Outcome::Conflict,
                (false, _) if wanted.is_some() => Outcome::Conflict,
                (false, _) => Outcome::Right,
            };
        }
        let takes = |set| regime.takes(set, wanted.is_some(), &self.below);
        match (wanted, place.set, place.is_listed) {
            (_, None, true) => Outcome::Wrong("has an entry although it is not there"),
            (Some(_), None, false) if place.is_cname || place.is_special => Outcome::Conflict,
            (Some(_), None, false) => Outcome::Wrong("is missing"),
            (Some(_), Some(_), true) if is_right || regime.policy == Policy::CreateOnly => {
                Outcome::Right
            }
            (Some(_), Some(_), true) => Outcome::Wrong("should be other"),
            (_, Some(set), false) if takes(set) => Outcome::Wrong("should have been taken over"),
            (Some(_), Some(_), false) => Outcome::Conflict,
            (None, Some(_), true) if regime.policy == Policy::Sync => {
                Outcome::Wrong("should not be there")
            }
            (None, ..) => Outcome::Right,
        }
    }

    /// The services whose fqdn isn't what it should be, with the name that each should have: all
    /// that are published and have all their record sets in the zone should show it, and the others
    /// nothing, or what they showed when they had: `was_shown`. That they show nothing is right, too, if
    /// nobody writes names back.
    pub fn wrong_fqdns<'a>(
        &'a self,
        world: &'a World,
        zone: &Zone,
        owner: &str,
        writes_back: bool,
        was_shown: impl Fn(&str) -> bool,
    ) -> Vec<(&'a Service, String)> {
        let (found, listed) = (others(zone), listed(zone, owner));
        let is_ours = |key: &Key| found.get(key).is_some_and(is_simple) && listed.contains(key);
        let mut names: BTreeMap<&str, bool> = BTreeMap::new();
        for key in self.sets.keys() {
            *names.entry(&key.0).or_insert(true) &= is_ours(key);
        }
        let mut wrong = Vec::new();
        for service in &world.services {
            let id = (service.stack.clone(), service.name.clone());
            let known = self.names.get(&id);
            let name = known.filter(|(name, is_published)| {
                *is_published && names.get(name.as_str()) == Some(&true)
            });
            let is_right = match (&service.fqdn, name) {
                (Some(fqdn), Some((name, _))) if writes_back => *fqdn == shown(name),
                (None, Some(_)) => !writes_back,
                (Some(fqdn), Some((name, _))) if *fqdn == shown(name) => true,
                (Some(fqdn), _) => was_shown(fqdn),
                (None, None) => true,
            };
            if !is_right {
                wrong.push((service, known.map(|(n, _)| shown(n)).unwrap_or_default()));
            }
        }
        wrong
    }
}
