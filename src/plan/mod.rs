//! Desired, current and owned → plan: what has to change, as plain data. Pure.

pub mod batch;
pub mod guard;
pub mod quarantine;
pub mod round;
pub mod state_records;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::iter::Peekable;

use crate::dns::zone::Listed;
use crate::dns::{Name, RecordKey, RecordSet, RecordType, Zone};
use crate::plan::state_records::StateRecords;

/// `POLICY`: what a plan may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Everything.
    Sync,
    /// No deletes.
    UpsertOnly,
    /// Neither deletes nor changes.
    CreateOnly,
}

/// `ADOPT`, as set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdoptSetting {
    /// Nothing is taken over.
    Never,
    /// What is desired is.
    Matching,
    /// What old versions of rancher/external-dns left is.
    Legacy,
}

/// `ADOPT`: which record sets that exist and aren't ours are taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adopt {
    /// None.
    Never,
    /// Those whose name and type are desired.
    Matching,
    /// A record sets at or below a name that have exactly this TTL, as rancher/external-dns
    /// before 0.6 left them: it had no state record.
    Legacy {
        /// `<environment>.<zone>`
        below: Name,
        /// In seconds.
        ttl: u32,
    },
}

/// What to do, sorted by name, then type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// New record sets.
    pub creates: Vec<RecordSet>,
    /// Record sets that say something else than they should.
    pub changes: Vec<Change>,
    /// Record sets that are to go, exactly as they were downloaded.
    pub deletes: Vec<RecordSet>,
    /// Record sets that exist and become ours; a change to one is in `changes` too.
    pub adopts: Vec<RecordKey>,
    /// Entries to forget: the record set is gone, or somebody made it a special one.
    pub releases: Vec<RecordKey>,
    /// Desired record sets that can't be, since their place is taken.
    pub conflicts: Vec<Conflict>,
    /// Changes and deletes that the policy leaves undone.
    pub undone: usize,
}

/// One record set before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Exactly what was downloaded.
    pub from: RecordSet,
    /// What it is to be.
    pub to: RecordSet,
}

/// Why a desired record set is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The desired one.
    pub key: RecordKey,
    /// What is in its place.
    pub why: Why,
}

/// What is in a desired record set's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A record set of that name and type which isn't ours.
    NotOwned,
    /// An alias, or record sets with a routing policy.
    Special,
    /// A CNAME, beside which nothing else may be.
    Cname,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::NotOwned => {
                "a record set of that name and type exists that isn't ours; \
                 remove it, or take it over with ADOPT=matching"
            }
            Why::Special => {
                "an alias or a record set with a routing policy has that name and type; \
                 remove it, or give the service another name"
            }
            Why::Cname => "a CNAME has that name; remove it, or give the service another name",
        })
    }
}

impl Plan {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.creates.is_empty()
            && self.changes.is_empty()
            && self.deletes.is_empty()
            && self.adopts.is_empty()
            && self.releases.is_empty()
    }

    /// Whether it would be another one if something else were ours. A record set that is only
    /// created is ours in any case.
    pub fn depends_on_ownership(&self) -> bool {
        let mut conflicts = self.conflicts.iter();
        conflicts.any(|conflict| conflict.why == Why::NotOwned)
            || !self.changes.is_empty()
            || !self.deletes.is_empty()
            || !self.adopts.is_empty()
            || !self.releases.is_empty()
    }
}

/// Works out what has to change. `zone` holds at least every record set under a desired or owned
/// name.
pub fn plan(
    desired: &BTreeMap<RecordKey, RecordSet>,
    zone: &Zone,
    state: &StateRecords,
    policy: Policy,
    adopt: &Adopt,
) -> Plan {
    let legacy: Vec<&RecordKey> = match adopt {
        Adopt::Legacy { below, ttl } => legacy(zone, state, below, *ttl).collect(),
        Adopt::Never | Adopt::Matching => Vec::new(),
    };
    // All are sorted by key, so one walk over each will do.
    let mut all_desired = Walk::new(desired.iter());
    let mut all_owned = Walk::new(state.owned().map(|key| (key, ())));
    let mut all_legacy = Walk::new(legacy.iter().map(|key| (*key, ())));
    let mut all_held = Walk::new(zone.iter());
    let next = |desired: Option<_>, owned, legacy| {
        let keys = [desired, owned, legacy];
        keys.into_iter().flatten().min()
    };

    let mut plan = Plan::default();
    while let Some(key) = next(all_desired.next(), all_owned.next(), all_legacy.next()) {
        let wanted = all_desired.take(key);
        let owned = all_owned.take(key).is_some();
        let is_legacy = all_legacy.take(key).is_some();
        match (wanted, all_held.take(key)) {
            (Some(wanted), None) if zone.has_cname(&key.name) => {
                plan.conflict(&wanted.key, Why::Cname);
                plan.release_if(owned, key);
            }
            (Some(wanted), None) => plan.creates.push(wanted.clone()),
            (Some(_), Some(Listed::Special)) => {
                plan.conflict(key, Why::Special);
                plan.release_if(owned, key);
            }
            (None, None | Some(Listed::Special)) => plan.release_if(owned, key),
            (wanted, Some(Listed::Simple(current))) => {
                let adopted =
                    !owned && (is_legacy || (wanted.is_some() && *adopt == Adopt::Matching));
                if !owned && !adopted {
                    plan.conflict(key, Why::NotOwned);
                    continue;
                }
                if wanted.is_none() && policy == Policy::Sync {
                    plan.deletes.push(current.clone());
                    continue;
                }
                if adopted {
                    plan.adopts.push(key.clone());
                }
                match wanted {
                    Some(to) if current.says_the_same_as(to) => {}
                    Some(to) if policy != Policy::CreateOnly => plan.changes.push(Change {
                        from: current.clone(),
                        to: to.clone(),
                    }),
                    Some(_) | None => plan.undone += 1,
                }
            }
        }
    }
    plan
}

/// One walk over what is sorted by key.
struct Walk<'a, V, I: Iterator<Item = (&'a RecordKey, V)>>(Peekable<I>);

impl<'a, V, I: Iterator<Item = (&'a RecordKey, V)>> Walk<'a, V, I> {
    fn new(sorted: I) -> Self {
        Walk(sorted.peekable())
    }

    /// The key where it has come to; none at the end.
    fn next(&mut self) -> Option<&'a RecordKey> {
        self.0.peek().map(|(key, _)| *key)
    }

    /// Goes beyond this key; what was there, if anything was.
    fn take(&mut self, key: &RecordKey) -> Option<V> {
        loop {
            match self.next()?.cmp(key) {
                Ordering::Less => drop(self.0.next()),
                Ordering::Equal => return self.0.next().map(|(_, value)| value),
                Ordering::Greater => return None,
            }
        }
    }
}

impl Plan {
    /// Leaves the rest for another time. Conflicts stay.
    pub fn retain(&mut self, keep: impl Fn(&RecordKey) -> bool) {
        self.creates.retain(|set| keep(&set.key));
        self.changes.retain(|change| keep(&change.to.key));
        self.deletes.retain(|set| keep(&set.key));
        self.adopts.retain(&keep);
        self.releases.retain(&keep);
    }

    fn conflict(&mut self, key: &RecordKey, why: Why) {
        self.conflicts.push(Conflict {
            key: key.clone(),
            why,
        });
    }

    fn release_if(&mut self, owned: bool, key: &RecordKey) {
        if owned {
            self.releases.push(key.clone());
        }
    }
}

fn legacy<'a>(
    zone: &'a Zone,
    state: &'a StateRecords,
    below: &'a Name,
    ttl: u32,
) -> impl Iterator<Item = &'a RecordKey> {
    zone.iter().filter_map(move |(key, held)| match held {
        Listed::Simple(set)
            if key.rtype == RecordType::A
                && set.ttl == ttl
                && key.name != *below
                && key.name.is_at_or_below(below)
                && !state.owns(key) =>
        {
            Some(key)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests;
