//! State records: the TXT record sets in which an owner lists the record sets that it owns.
//!
//! They are in the hosted zone itself. The first is `external-dns-<owner id>.<zone>`, and the list
//! continues in `external-dns-<owner id>-1.<zone>`, `-2` and so on. The owner id is the
//! environment's UUID, or `OWNER_ID`. Each value is an [`Entry`] that names one owned record set:
//! `"web.shop.prod.example.com."` stands for its A record set, `"web.shop.prod.example.com. AAAA"`
//! for its AAAA record set, and one with a routing policy has its set identifier behind its type. The
//! [`Claim`] stands behind one of them. The TTL is the [`Generation`].
//!
//! The first state record has the format of rancher/external-dns since 0.6 (`utils.StateRecord`),
//! so each of the two programs can take over from the other. The forerunners write it anew with
//! the A record sets that they know, and never read the others. So it gets A record sets only.

mod claim;
mod entry;
mod generation;
mod names;

pub use claim::Claim;
pub use entry::Entry;
pub use generation::Generation;
pub use names::StateNames;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::sorted;
use crate::dns::{ChangeBatch, Name, RecordKey, RecordSet, RecordType, Values, Zone};

/// Entries that this program writes into one state record. Route 53 allows 400 values.
pub const MAX_ENTRIES: usize = 100;
/// Characters of the entries that this program writes into one state record. Route 53 allows 32,000
/// characters in a request, of which replacing a state record takes its length twice; the rest is
/// for the record sets that change with it.
pub const MAX_CHARACTERS: usize = 6_000;

/// The state records of an owner, as they are in the zone, and what those of others list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateRecords {
    /// Sorted by index.
    records: Vec<StateRecord>,
    /// For each owned record set, the sorted indexes of the state records that list it. There are
    /// several after a crash while entries were moved from one state record to another.
    owned: BTreeMap<RecordKey, Vec<u16>>,
    /// All claims, with the indexes of the state records that hold them.
    claims: BTreeSet<(u16, Claim)>,
    /// Indexes at which no state record can be created, because another record set has the name.
    blocked: BTreeSet<u16>,
    /// Record sets that the state records of other owners list, with the name of one that does.
    elsewhere: BTreeMap<RecordKey, Name>,
}

/// One state record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRecord {
    /// The index in its name: 0 for the one without a number.
    pub index: u16,
    /// The record set exactly as it was listed.
    pub set: RecordSet,
    /// What its values say.
    pub entries: BTreeSet<Entry>,
    /// Its generation. None if a program has written it that knows of none.
    pub generation: Option<Generation>,
}

impl StateRecord {
    fn read(index: u16, set: &RecordSet, zone: &Name) -> StateRecord {
        let values = set.values().iter();
        StateRecord {
            index,
            set: set.clone(),
            entries: sorted::set(values.flat_map(|value| Entry::read(value, zone))),
            generation: set.ttl().and_then(Generation::of_ttl),
        }
    }

    /// The state record with these values in the place of its own. `fresh` is its generation if it has
    /// had none.
    ///
    /// A health check that somebody has attached to it goes: nobody asks for a state record by its name,
    /// and once the account has no such check any more, Route 53 would refuse every write.
    pub fn rewritten(&self, values: Values, fresh: Generation) -> RecordSet {
        let generation = self.generation.map_or(fresh, Generation::next);
        RecordSet::of_values(self.set.key.clone(), generation.ttl(), values)
    }

    /// The batch that writes it once more as it is, with the next generation.
    pub fn written_again(&self, fresh: Generation) -> ChangeBatch {
        let values = self.set.values().iter().cloned().collect();
        ChangeBatch {
            deletes: vec![self.set.clone()],
            creates: vec![self.rewritten(values, fresh)],
        }
    }

    /// Whether it holds anything of its owner's.
    pub fn is_in_use(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.is_owned() || entry.is_claim())
    }

    /// The keys of the record sets that it lists.
    pub fn owned(&self) -> impl Iterator<Item = &RecordKey> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Owned(key) => Some(key),
            Entry::Claim(_) | Entry::Foreign(_) => None,
        })
    }

    /// Entries of record sets that belong into another state record, because the forerunners would
    /// drop them from this one.
    pub fn misplaced(&self) -> impl Iterator<Item = &RecordKey> {
        let is_first = self.index == 0;
        self.owned()
            .filter(move |key| is_first && !entry::is_for_forerunners(key))
    }
}

impl StateRecords {
    /// Reads the state records from the listing of a zone.
    pub fn read(zone: &Zone, names: &StateNames) -> StateRecords {
        let mut state = StateRecords::default();
        for (key, listed) in zone.iter().filter(|(key, _)| names.is_anybodys(&key.name)) {
            let plain = listed.whole().filter(|set| set.is_plain());
            match (plain, &key.rtype, names.index_of_name(&key.name)) {
                (Some(set), RecordType::Txt, Some(index)) => {
                    state.add(index, set, names.zone());
                }
                (_, RecordType::Txt | RecordType::Cname, Some(index)) => {
                    state.blocked.insert(index);
                }
                (Some(set), RecordType::Txt, None) => {
                    let others = StateRecord::read(0, set, names.zone());
                    let listed = others
                        .owned()
                        .map(|owned| (owned.clone(), key.name.clone()));
                    state.elsewhere.extend(listed);
                }
                _ => {}
            }
        }
        state
    }

    fn add(&mut self, index: u16, set: &RecordSet, zone: &Name) {
        let record = StateRecord::read(index, set, zone);
        for entry in &record.entries {
            match entry {
                Entry::Owned(key) => {
                    let listed_in = self.owned.entry(key.clone()).or_default();
                    let at = listed_in.partition_point(|other| *other < index);
                    listed_in.insert(at, index);
                }
                Entry::Claim(claim) => {
                    self.claims.insert((index, claim.clone()));
                }
                Entry::Foreign(_) => {}
            }
        }
        let at = self.place(index).unwrap_or_else(|at| at);
        self.records.insert(at, record);
    }

    /// Applies a batch that Route 53 has confirmed, as [`Zone::apply`] does. Only its state records
    /// matter here.
    pub fn apply(&mut self, batch: &ChangeBatch, names: &StateNames) {
        for set in &batch.deletes {
            if let Some(index) = names.index_of(&set.key) {
                self.remove(index);
            }
        }
        for set in &batch.creates {
            if let Some(index) = names.index_of(&set.key) {
                self.remove(index);
                self.add(index, set, names.zone());
            }
        }
    }

    /// The position in `records` of the one with this index, or, as an error, where to insert it.
    fn place(&self, index: u16) -> Result<usize, usize> {
        self.records
            .binary_search_by_key(&index, |record| record.index)
    }

    fn remove(&mut self, index: u16) {
        let Ok(at) = self.place(index) else { return };
        self.claims.retain(|(other, _)| *other != index);
        for key in self.records.remove(at).owned() {
            if let Some(listed_in) = self.owned.get_mut(key) {
                listed_in.retain(|other| *other != index);
                if listed_in.is_empty() {
                    self.owned.remove(key);
                }
            }
        }
    }

    /// Whether this environment owns a record set.
    pub fn owns(&self, key: &RecordKey) -> bool {
        self.owned.contains_key(key)
    }

    /// The keys of all owned record sets, sorted.
    pub fn owned(&self) -> impl ExactSizeIterator<Item = &RecordKey> {
        self.owned.keys()
    }

    /// The indexes of the state records that list a record set, sorted.
    pub fn listed_in(&self, key: &RecordKey) -> impl Iterator<Item = u16> + '_ {
        self.owned.get(key).into_iter().flatten().copied()
    }

    /// All state records, sorted by index.
    pub fn records(&self) -> &[StateRecord] {
        &self.records
    }

    /// The name of another owner's state record that lists this record set, if there is one.
    pub fn listed_elsewhere(&self, key: &RecordKey) -> Option<&Name> {
        self.elsewhere.get(key)
    }

    /// The claim of another Rancher server than the one with this claim, if there is one.
    pub fn claim_of_another(&self, ours: &Claim) -> Option<&Claim> {
        let mut claims = self.claims.iter().map(|(_, claim)| claim);
        claims.find(|claim| !claim.is_same_server(ours))
    }

    /// Whether a state record other than the first holds the claim of the server at this address.
    pub fn has_claim_of(&self, ours: &Claim) -> bool {
        let mut claims = self.claims.iter();
        claims.any(|(index, claim)| *index > 0 && claim.has_same_address(ours))
    }

    /// Whether the claim of the server at this address is that of another stack. It is renewed where
    /// state records are written anyway: else two stacks of one server would write it in turns.
    pub fn has_older_claim(&self, ours: &Claim) -> bool {
        let mut claims = self.claims.iter().map(|(_, claim)| claim);
        ours.has_stack() && self.has_claim_of(ours) && !claims.any(|claim| claim == ours)
    }

    /// Whether there is any claim.
    pub fn has_claim(&self) -> bool {
        !self.claims.is_empty()
    }

    /// Whether another reading of the zone shows the same state records of this owner.
    pub fn has_same_records(&self, other: &StateRecords) -> bool {
        self.records == other.records && self.blocked == other.blocked
    }

    /// Whether no state record can be created with this index, because there is one or another
    /// record set has the name.
    pub fn is_taken(&self, index: u16) -> bool {
        self.place(index).is_ok() || self.blocked.contains(&index)
    }
}

#[cfg(test)]
mod tests;
