//! Names whose record sets are of all kinds and change from one to another, with strangers beside them.

pub mod ends;

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use rancher_route53::dns::{RecordKey, RecordSet};
use sim::route53 as aws;

use crate::generators::{ENVIRONMENT, Family, Key, TTL, ZONE, key_of, values};
use crate::run::list;

/// Several names of the same story.
#[derive(Debug, Clone)]
pub struct Mixed {
    pub count: usize,
    pub in_environment: bool,
    pub is_wildcard: bool,
    /// Characters that a name has at least, without the zone's.
    pub name_length: usize,
    pub has: Kind,
    pub wants: Kind,
    /// 0 if it wants what it has where that is of the same kind.
    pub salt: usize,
    /// The state records that list what it has. If there are none, that isn't ours.
    pub listed: BTreeSet<u16>,
    /// Whether they list what it wants, too, although that is missing.
    pub is_wish_listed: bool,
    /// Whether somebody has attached a health check to what it has.
    pub is_checked: bool,
    pub strangers: Vec<Stranger>,
    pub elsewhere: Elsewhere,
}

/// What a name has, or is to have.
#[derive(Debug, Clone)]
pub enum Kind {
    Nothing,
    Addresses(Family, usize),
    Alias(Family),
    Cname,
    /// So many of our set identifiers.
    Routed(Routed),
}

/// Some record sets with a routing policy.
#[derive(Debug, Clone)]
pub struct Routed {
    pub by: By,
    /// Which of our set identifiers.
    pub ids: BTreeSet<usize>,
    pub family: Family,
    /// 0 for an alias.
    pub values: usize,
    pub ttl: u32,
}

/// A routing policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Weight,
    Region,
    Half,
    Multivalue,
    Place,
}

/// Somebody else's record set at the same name, if Route 53 allows it beside what the name has.
#[derive(Debug, Clone)]
pub enum Stranger {
    Mail,
    Text,
    Cname,
    Address(&'static str),
    /// One of several, with a set identifier of theirs, or with one of ours.
    Routed(By, &'static str, bool),
}

/// What another owner's state record lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    Nothing,
    /// The first that the name has.
    FirstHad,
    /// The first that it wants.
    FirstWanted,
}

/// All that there is at one name.
#[derive(Debug, Clone, Default)]
pub struct Story {
    pub name: String,
    pub has: Vec<aws::RecordSet>,
    pub wants: Vec<aws::RecordSet>,
    pub strangers: Vec<aws::RecordSet>,
    /// What our state records list.
    pub listed: BTreeSet<Key>,
    /// What another owner's lists.
    pub elsewhere: BTreeSet<Key>,
}

/// The health checks that the account has: one that somebody attaches, and one that services ask for.
pub const CHECKS: [&str; 2] = ["of-somebody", "of-the-service"];
/// The zone of a load balancer, of which nothing else is known.
const ALIAS_ZONE: &str = "ZLOADBALANCER1";

impl Kind {
    /// Its record sets; with another salt their content is another one.
    fn sets(&self, name: &str, salt: usize) -> Vec<aws::RecordSet> {
        let alias = |rtype: &&str| {
            aws::RecordSet::alias(name, rtype, ALIAS_ZONE, &format!("lb{salt}.example.org."))
        };
        match self {
            Kind::Nothing => Vec::new(),
            Kind::Addresses(family, count) => {
                let of = |rtype: &&str| simple(name, rtype, TTL, &values(rtype, salt, *count));
                family.rtypes().iter().map(of).collect()
            }
            Kind::Alias(family) => family.rtypes().iter().map(alias).collect(),
            Kind::Cname => vec![simple(
                name,
                "CNAME",
                TTL,
                &[format!("t{salt}.example.org.")],
            )],
            Kind::Routed(routed) => {
                let of = |rtype: &'static str| {
                    let ids = routed.ids.iter();
                    let ids = ids.filter(|id| routed.by != By::Half || **id < 2);
                    ids.map(move |id| routed.set(name, rtype, *id, salt))
                };
                routed
                    .family
                    .rtypes()
                    .iter()
                    .copied()
                    .flat_map(of)
                    .collect()
            }
        }
    }
}

impl Routed {
    fn set(&self, name: &str, rtype: &str, id: usize, salt: usize) -> aws::RecordSet {
        let plain = match self.values == 0 && self.by != By::Multivalue {
            true => {
                let target = format!("lb{id}-{salt}.example.org.");
                aws::RecordSet::alias(name, rtype, ALIAS_ZONE, &target).evaluating()
            }
            false => {
                let values = values(rtype, salt * 10 + id, self.values.max(1));
                simple(name, rtype, self.ttl, &values)
            }
        };
        let set_id = format!("u{id}");
        let turn = (id + salt) % 3;
        match self.by {
            By::Weight => plain.weighted(&set_id, turn as u8),
            By::Region => plain.latency(&set_id, ["eu-west-1", "us-east-1", "sa-east-1"][turn]),
            By::Half if id == 0 => plain.primary(&set_id).checked(CHECKS[1]),
            By::Half => plain.secondary(&set_id),
            By::Multivalue => plain.multivalue(&set_id),
            By::Place => {
                let place = aws::GeoLocation::continent(["EU", "NA", "AS"][turn]);
                plain.geolocation(&set_id, place)
            }
        }
    }
}

impl Stranger {
    /// Weighted ones have this TTL.
    fn set(&self, name: &str, ttl: u32) -> aws::RecordSet {
        match self {
            Stranger::Mail => simple(name, "MX", 60, &["10 a.example.org.".to_owned()]),
            Stranger::Text => simple(name, "TXT", TTL, &["\"text\"".to_owned()]),
            Stranger::Cname => simple(name, "CNAME", 60, &["x.example.org.".to_owned()]),
            // Another TTL, so that ADOPT=legacy doesn't concern it.
            Stranger::Address(rtype) => simple(name, rtype, TTL + 2, &values(rtype, 99, 2)),
            Stranger::Routed(by, rtype, has_our_id) => {
                let plain = simple(name, rtype, ttl, &values(rtype, 98, 1));
                let id = if *has_our_id { "u0" } else { "theirs" };
                match by {
                    By::Weight | By::Half => plain.weighted(id, 7),
                    By::Region => plain.latency(id, "ap-south-1"),
                    By::Multivalue => plain.multivalue(id),
                    By::Place => plain.geolocation(id, aws::GeoLocation::continent("AF")),
                }
            }
        }
    }
}

fn simple(name: &str, rtype: &str, ttl: u32, values: &[String]) -> aws::RecordSet {
    // In the order in which the program sends them.
    let sorted: BTreeSet<&String> = values.iter().collect();
    aws::RecordSet::simple(name, rtype, ttl, &Vec::from_iter(sorted))
}

impl Mixed {
    pub fn story(&self, number: usize, i: usize) -> Story {
        let name = self.name(number, i);
        let mut story = Story {
            has: self.has.sets(&name, 0),
            wants: self.wants.sets(&name, self.salt),
            ..Story::default()
        };
        if self.is_checked {
            let has = std::mem::take(&mut story.has).into_iter();
            story.has = has.map(|set| set.checked(CHECKS[0])).collect();
        }
        let weighted = story.has.iter().filter(|set| set.weight.is_some());
        let ttl = weighted.filter_map(|set| set.ttl).next();
        for stranger in &self.strangers {
            let set = stranger.set(&name, ttl.unwrap_or(TTL + 2));
            let mut there = story.has.iter().chain(&story.strangers);
            let is_new = |other: &aws::RecordSet| key_of(other) != key_of(&set);
            if there.all(|other| is_new(other) && ends::can_be_beside(other, &set)) {
                story.strangers.push(set);
            }
        }
        let first = match self.elsewhere {
            Elsewhere::Nothing => None,
            Elsewhere::FirstHad => story.has.first(),
            Elsewhere::FirstWanted => story.wants.first(),
        };
        story.elsewhere = first.map(key_of).into_iter().collect();
        if !self.listed.is_empty() {
            let wishes = story.wants.iter().filter(|_| self.is_wish_listed);
            story.listed = story.has.iter().chain(wishes).map(key_of).collect();
        }
        story.name = name;
        story
    }

    fn name(&self, number: usize, i: usize) -> String {
        let mut name = format!("m{number}-{i}");
        if self.is_wildcard {
            name.insert_str(0, "\\052.");
        }
        while name.len() < self.name_length {
            name.push('.');
            let more = (self.name_length - name.len()).clamp(1, 60);
            name.push_str(&"x".repeat(more));
        }
        match self.in_environment {
            true => format!("{name}.{ENVIRONMENT}"),
            false => format!("{name}.{ZONE}."),
        }
    }
}

/// How a state record lists it.
pub fn entry((name, rtype, set_id): &Key) -> String {
    match (&**rtype, set_id) {
        ("A", None) => format!("\"{name}\""),
        (rtype, None) => format!("\"{name} {rtype}\""),
        (rtype, Some(set_id)) => format!("\"{name} {rtype} {set_id}\""),
    }
}

/// Record sets in the program's terms: as it reads them itself.
pub fn in_the_programs_terms(
    sets: impl IntoIterator<Item = aws::RecordSet>,
) -> BTreeMap<RecordKey, RecordSet> {
    let mut zone = aws::Zone::new(ZONE);
    sets.into_iter().for_each(|set| zone.put(set));
    let listed = list(&zone);
    let usual = aws::Zone::new(ZONE);
    let usual: Vec<RecordKey> = list(&usual).iter().map(|(key, _)| key.clone()).collect();
    let sets = listed.iter().filter(|(key, _)| !usual.contains(key));
    sets.map(|(key, held)| (key.clone(), held.whole().expect("it is known").clone()))
        .collect()
}

/// Some names of each story, several of them or as many as this.
pub fn stories(
    count: std::ops::RangeInclusive<usize>,
    stories: std::ops::RangeInclusive<usize>,
) -> impl Strategy<Value = Vec<Mixed>> {
    vec(mixed(count), stories)
}

fn mixed(count: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Mixed> {
    let are_many = *count.end() > 8;
    let listed = prop_oneof![
        1 => Just(BTreeSet::new()),
        6 => (0..4u16).prop_map(|index| BTreeSet::from([index])),
        1 => btree_set(0..4u16, 2),
    ];
    let elsewhere = prop_oneof![
        12 => Just(Elsewhere::Nothing),
        1 => Just(Elsewhere::FirstHad),
        1 => Just(Elsewhere::FirstWanted),
    ];
    let seldom = || prop_oneof![4 => Just(false), 1 => Just(true)];
    let name = (
        count,
        any::<bool>(),
        seldom(),
        prop_oneof![4 => Just(0usize), 1 => 1..=60usize, 1 => 61..=150usize],
    );
    (
        name,
        (kind(are_many), kind(are_many), seldom(), 0..=2usize),
        (listed, seldom(), seldom()),
        vec(stranger(), 0..=2),
        elsewhere,
    )
        .prop_map(
            |(
                (count, in_environment, is_wildcard, name_length),
                (has, wants, is_same_kind, salt),
                (listed, is_wish_listed, is_checked),
                strangers,
                elsewhere,
            )| Mixed {
                count,
                in_environment,
                is_wildcard,
                name_length,
                wants: if is_same_kind { has.clone() } else { wants },
                has,
                salt,
                listed,
                is_wish_listed,
                is_checked,
                strangers,
                elsewhere,
            },
        )
}

fn kind(are_many: bool) -> impl Strategy<Value = Kind> {
    let family = || {
        prop_oneof![
            3 => Just(Family::A),
            1 => Just(Family::Aaaa),
            1 => Just(Family::Both),
        ]
    };
    let most: usize = if are_many { 3 } else { 400 };
    let values = move || {
        prop_oneof![
            1 => Just(0usize),
            6 => 1..=3usize,
            1 => 1..=most,
        ]
    };
    let by = prop_oneof![
        3 => Just(By::Weight),
        2 => Just(By::Region),
        1 => Just(By::Half),
        1 => Just(By::Multivalue),
        1 => Just(By::Place),
    ];
    let ttl = prop_oneof![Just(TTL), Just(60u32)];
    let ids = btree_set(0..3usize, 1..=3);
    let routed = (by, ids, family(), values(), ttl).prop_map(|(by, ids, family, values, ttl)| {
        Kind::Routed(Routed {
            by,
            ids,
            family,
            values,
            ttl,
        })
    });
    prop_oneof![
        2 => Just(Kind::Nothing),
        3 => (family(), values()).prop_map(|(family, n)| Kind::Addresses(family, n.max(1))),
        1 => family().prop_map(Kind::Alias),
        2 => Just(Kind::Cname),
        6 => routed,
    ]
}

fn stranger() -> impl Strategy<Value = Stranger> {
    let rtype = || prop_oneof![2 => Just("A"), 1 => Just("AAAA")];
    let by = prop_oneof![
        3 => Just(By::Weight),
        2 => Just(By::Region),
        1 => Just(By::Multivalue),
        1 => Just(By::Place),
    ];
    let is_ours = prop_oneof![3 => Just(false), 1 => Just(true)];
    prop_oneof![
        1 => Just(Stranger::Mail),
        1 => Just(Stranger::Text),
        1 => Just(Stranger::Cname),
        1 => rtype().prop_map(Stranger::Address),
        4 => (by, rtype(), is_ours).prop_map(|(by, rtype, id)| Stranger::Routed(by, rtype, id)),
    ]
}
