//! What other people do in the zone: to record sets of their own, to those of the program, and
//! to its state records. They work with Route 53 as everyone does, so what it doesn't allow
//! doesn't happen.
//!
//! Two things are left out, since nobody could tell whose fault the outcome is: an entry that is
//! removed, or a state record that is deleted, while the record set itself stays exactly as it
//! was. Whoever takes a record set away from the program changes it at the same time.

mod others;

use sim::route53::{Change, RecordSet, Zone};

use crate::chaos::naming::{LABELS, Naming, render};
use crate::chaos::random::Random;
use crate::chaos::record::{
    DOMAIN, TTL, UUID, entry, is_simple, keeper, state_name, state_records, value,
};
use crate::chaos::regime::OWNERS;
use crate::chaos::world::SERVICES;

#[derive(Debug, Clone)]
pub enum Edit {
    /// Makes one, if there is none of that name and type.
    Create(String, Kind),
    /// Whatever has this name goes, and this one comes.
    Replace(String, Kind),
    /// The addresses of that name are others now.
    Change(String, u32),
    /// Whatever has this name goes.
    Delete(String),
    /// The record sets of that name become somebody else's: their entries go, and they change.
    Take(String),
    /// Writes something into a state record that is no entry.
    Note(String),
    /// Gives a state record another TTL.
    StateTtl(u32),
    /// Lists something once more, in another state record: as a crash of another tool may.
    ListTwice(usize),
    /// Spells an entry in capitals and without its last dot.
    Respell(usize),
    /// The addresses of that name get a health check: hands off, whoever's they are.
    Check(String),
    /// No addresses have a health check any more.
    Uncheck,
    /// Another environment makes an A record set of that name, whatever was there, and lists it.
    OtherMakes(String),
    /// Another environment lists the addresses of that name, whether there are any or not.
    OtherLists(String),
    /// Another environment lists that name no more. What it has there stays.
    OtherForgets(String),
    /// Another environment deletes what it has of that name.
    OtherDeletes(String),
    /// Another Rancher server says that it keeps the state records, instead of whom they said so of
    /// or besides.
    Claim(bool),
    /// No other Rancher server says so any more.
    Unclaim,
}

#[derive(Debug, Clone, Copy)]
pub enum Kind {
    A,
    Aaaa,
    Cname,
    Alias,
    Weighted,
    Text,
    /// An A record set with the TTL of those that old versions left.
    Left,
}

impl Edit {
    pub fn random(random: &mut Random, naming: Naming) -> Edit {
        let name = name(random, naming);
        let kinds = [
            (6, Kind::A),
            (2, Kind::Aaaa),
            (2, Kind::Cname),
            (2, Kind::Alias),
            (2, Kind::Weighted),
            (1, Kind::Text),
        ];
        let kind = random.weighted(&kinds);
        match random.below(118) {
            100..104 => Edit::OtherMakes(name),
            104..109 => Edit::OtherLists(name),
            109..112 => Edit::OtherForgets(name),
            112..114 => Edit::OtherDeletes(name),
            114..118 => Edit::Create(name, Kind::Left),
            0..25 => Edit::Create(name, kind),
            25..33 => Edit::Replace(name, kind),
            33..53 => Edit::Change(name, random.pick(&[60, TTL, 600])),
            53..76 => Edit::Delete(name),
            76..83 => Edit::Take(name),
            83..87 => Edit::Note(format!("\"note {}\"", random.below(10))),
            87..89 => Edit::StateTtl(random.pick(&[60, TTL])),
            89..92 => Edit::ListTwice(random.below(100)),
            92..94 => Edit::Respell(random.below(100)),
            _ => Edit::Check(name),
        }
    }

    /// Does it. What was changed, or why nothing was.
    /// `owner` keeps the state records that are meant.
    pub fn apply(&self, zone: &mut Zone, owner: &str) -> Result<Vec<Change>, Vec<String>> {
        let changes = self.changes(zone, owner);
        zone.apply(&changes).map(|()| changes)
    }

    fn changes(&self, zone: &Zone, owner: &str) -> Vec<Change> {
        match self {
            Edit::Create(name, kind) => vec![Change::create(kind.of(name))],
            Edit::Replace(name, kind) => {
                let mut changes = delete(at(zone, name));
                changes.push(Change::create(kind.of(name)));
                changes
            }
            Edit::Change(name, ttl) => addresses(zone, name)
                .flat_map(|set| replace(set, |new| *new = foreign(name, &set.rtype, *ttl)))
                .collect(),
            Edit::Delete(name) => delete(at(zone, name)),
            // Their change is what makes them somebody else's, and a check is no such change.
            Edit::Take(name) if at(zone, name).any(|set| set.health_check_id.is_some()) => {
                Vec::new()
            }
            Edit::Take(name) => {
                let is_theirs = |value: &String| entry(value).is_some_and(|(n, _, _)| n == *name);
                let taken = addresses(zone, name).flat_map(|set| {
                    replace(set, |new| *new = foreign(name, &set.rtype, taken_ttl(set)))
                });
                let listing = all_state_records(zone);
                let listing = listing.filter(|set| set.values.iter().any(is_theirs));
                let forgotten = listing.flat_map(|set| {
                    replace(set, |new| new.values.retain(|value| !is_theirs(value)))
                });
                forgotten.chain(taken).collect()
            }
            Edit::Note(note) => first_state(zone, owner, |new| {
                if !new.values.contains(note) {
                    new.values.push(note.clone());
                }
            }),
            Edit::StateTtl(ttl) => first_state(zone, owner, |new| new.ttl = Some(*ttl)),
            Edit::ListTwice(n) => {
                let Some(key) = nth_entry(zone, owner, *n).and_then(|value| entry(&value)) else {
                    return Vec::new();
                };
                let name = state_name(owner, 7);
                match state_records(zone, owner).find(|set| set.name == name) {
                    Some(set) => replace(set, |new| {
                        if !new.values.contains(&value(&key)) {
                            new.values.push(value(&key));
                        }
                    }),
                    None => {
                        let values = [value(&key)];
                        vec![Change::create(RecordSet::simple(
                            &name, "TXT", TTL, &values,
                        ))]
                    }
                }
            }
            Edit::Check(name) => addresses(zone, name)
                .flat_map(|set| replace(set, |new| new.health_check_id = Some("a".to_owned())))
                .collect(),
            Edit::Uncheck => zone
                .record_sets()
                .filter(|set| set.health_check_id.is_some())
                .flat_map(|set| replace(set, |new| new.health_check_id = None))
                .collect(),
            Edit::Respell(n) => {
                let Some(known) = nth_entry(zone, owner, *n) else {
                    return Vec::new();
                };
                // The type stays as it is.
                let odd = match known.trim_matches('"').split_once(' ') {
                    None => format!(
                        "\"{}\"",
                        known.trim_matches('"').trim_end_matches('.').to_uppercase()
                    ),
                    Some((name, rtype)) => format!("\"{} {rtype}\"", name.to_uppercase()),
                };
                let listing = state_records(zone, owner);
                let listing = listing.filter(|set| set.values.contains(&known));
                let respelt = listing.flat_map(|set| {
                    replace(set, |new| {
                        new.values.retain(|value| *value != known && *value != odd);
                        new.values.push(odd.clone());
                    })
                });
                respelt.collect()
            }
            _ => self.changes_of_others(zone, owner),
        }
    }
}

impl Kind {
    fn of(self, name: &str) -> RecordSet {
        let alias = |rtype: &str| {
            RecordSet::alias(
                name,
                rtype,
                "Z2FDTNDATAQYW2",
                "d111111abcdef8.cloudfront.net.",
            )
        };
        match self {
            Kind::A => foreign(name, "A", 60),
            Kind::Aaaa => foreign(name, "AAAA", 60),
            Kind::Cname => RecordSet::simple(name, "CNAME", 60, &["elsewhere.example.net."]),
            Kind::Alias => alias("A"),
            Kind::Weighted => foreign(name, "A", 60).weighted("one of two", 10),
            Kind::Left => foreign(name, "A", TTL),
            Kind::Text => RecordSet::simple(name, "TXT", 60, &["\"hello\""]),
        }
    }
}

/// Nothing that the program would ever publish.
fn foreign(name: &str, rtype: &str, ttl: u32) -> RecordSet {
    let values = match rtype {
        "A" => ["192.0.2.1", "192.0.2.2"],
        _ => ["2001:db8:ffff::1", "2001:db8:ffff::2"],
    };
    RecordSet::simple(name, rtype, ttl, &values)
}

/// Another than it has, should it have been somebody else's values before.
fn taken_ttl(set: &RecordSet) -> u32 {
    set.ttl.map_or(60, |ttl| ttl + 1)
}

/// Mostly a name that the program uses, or will.
fn name(random: &mut Random, naming: Naming) -> String {
    let elsewhere = [
        format!("www.{DOMAIN}."),
        format!("mail.prod.{DOMAIN}."),
        format!("\\052.shop.prod.{DOMAIN}."),
        state_name(UUID, 1),
    ];
    let (stack, service) = random.pick(&SERVICES);
    match random.below(100) {
        0..75 => naming.name(stack, service),
        75..85 => {
            let name = render(random.pick(&LABELS), stack, service, naming.environment);
            name.unwrap_or_else(|| naming.name(stack, service))
        }
        _ => random.pick(&elsewhere),
    }
}

fn at<'a>(zone: &'a Zone, name: &'a str) -> impl Iterator<Item = &'a RecordSet> {
    let sets = zone.record_sets();
    sets.filter(move |set| set.name == name && keeper(set).is_none())
}

/// Those of the program, whatever its settings are.
fn all_state_records(zone: &Zone) -> impl Iterator<Item = &RecordSet> {
    let sets = zone.record_sets();
    sets.filter(|set| keeper(set).is_some_and(|id| OWNERS.contains(&id)))
}

fn addresses<'a>(zone: &'a Zone, name: &'a str) -> impl Iterator<Item = &'a RecordSet> {
    at(zone, name).filter(|set| is_simple(set) && matches!(&*set.rtype, "A" | "AAAA"))
}

fn delete<'a>(sets: impl Iterator<Item = &'a RecordSet>) -> Vec<Change> {
    sets.cloned().map(Change::delete).collect()
}

/// One that ends without values is deleted.
fn replace(set: &RecordSet, f: impl FnOnce(&mut RecordSet)) -> Vec<Change> {
    let mut new = set.clone();
    f(&mut new);
    let mut changes = vec![Change::delete(set.clone())];
    if !new.values.is_empty() {
        changes.push(Change::create(new));
    }
    changes
}

fn first_state(zone: &Zone, owner: &str, f: impl FnOnce(&mut RecordSet)) -> Vec<Change> {
    let first = state_records(zone, owner).next();
    first.map(|set| replace(set, f)).unwrap_or_default()
}

fn nth_entry(zone: &Zone, owner: &str, n: usize) -> Option<String> {
    let values = state_records(zone, owner).flat_map(|set| &set.values);
    let entries: Vec<&String> = values.filter(|value| entry(value).is_some()).collect();
    (!entries.is_empty()).then(|| entries[n % entries.len()].clone())
}
