//! A hosted zone and its record sets. No I/O, no clock. How a change batch is judged is in
//! `batch.rs`, how the zone is listed in `listing.rs`.

use super::NoHealthCheck;
use super::account::Account;
use super::batch;
use super::error::ApiError;
use super::listing::IdentifierOrder;
use super::name;
use super::record::{Action, Change, RecordSet};
use super::request;
use super::schema::Order;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reversed name, type, set identifier: the order of a listing, but for the last, which is as
/// [`Zone::identifier_order`] says. Whether AWS sorts `*` as itself or as its escape isn't
/// documented; here it is the escape.
pub(super) type Key = (String, String, String);

/// A hosted zone and everything in it.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Without `/hostedzone/`.
    pub id: String,
    /// As Route 53 stores it, with its dot.
    pub name: String,
    pub private: bool,
    /// The quota, 10,000 unless AWS raises it.
    pub record_set_limit: usize,
    /// Record sets that can't be created, by name and type, with what the service says to it.
    pub refused: BTreeMap<(String, String), String>,
    /// In which order it is listed where names and types are the same.
    pub identifier_order: IdentifierOrder,
    pub(super) account: Arc<Account>,
    pub(super) sets: BTreeMap<Key, RecordSet>,
}

/// Equal if they hold the same. What else the account has, and how the zone is listed, is no
/// matter.
impl PartialEq for Zone {
    fn eq(&self, other: &Zone) -> bool {
        let what = |zone: &Zone| (zone.id.clone(), zone.name.clone(), zone.private);
        let limits = |zone: &Zone| (zone.record_set_limit, zone.refused.clone());
        what(self) == what(other) && limits(self) == limits(other) && self.sets == other.sets
    }
}

impl Eq for Zone {}

impl Zone {
    /// A new public zone with the SOA and NS record sets that every zone is born with.
    ///
    /// # Panics
    /// If DNS can't hold the name.
    pub fn new(name: &str) -> Zone {
        let mut zone = Zone {
            id: "Z0000000000000".to_owned(),
            name: name::canonical(name).expect("a name that DNS can hold"),
            private: false,
            record_set_limit: 10_000,
            refused: BTreeMap::new(),
            identifier_order: IdentifierOrder::default(),
            account: Arc::default(),
            sets: BTreeMap::new(),
        };
        let apex = zone.name.clone();
        zone.put(RecordSet::simple(&apex, "NS", 172_800, &NAME_SERVERS));
        let soa = format!(
            "{} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",
            NAME_SERVERS[0]
        );
        zone.put(RecordSet::simple(&apex, "SOA", 900, &[soa]));
        zone
    }

    pub fn with_id(mut self, id: &str) -> Zone {
        self.id = id.to_owned();
        self
    }

    /// From now on this record set can't be created, and the service says this to it.
    pub fn refuse(&mut self, name: &str, rtype: &str, message: &str) {
        let key = (name.to_owned(), rtype.to_owned());
        self.refused.insert(key, message.to_owned());
    }

    /// What else the account has that owns the zone. All of its zones see it, once
    /// [`Route53::edit`](super::Route53::edit) is through.
    pub fn account_mut(&mut self) -> &mut Account {
        Arc::make_mut(&mut self.account)
    }

    /// Applies all of the changes or, with every fault found, none. What is judged is what the
    /// service judges, in its order, but for health checks: those that the changes refer to are
    /// taken to exist.
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), Vec<String>> {
        batch::apply(self, changes)?;
        let kept = changes.iter().filter(|c| c.action != Action::Delete);
        kept.for_each(|change| self.learn(&change.record_set));
        Ok(())
    }

    fn learn(&mut self, set: &RecordSet) {
        if let Some(id) = &set.health_check_id
            && !self.account.has_health_check(id)
        {
            self.account_mut().add_health_check(id);
        }
    }

    /// Applies the body of a ChangeResourceRecordSets request, as the service does.
    pub fn apply_xml(&mut self, body: &str) -> Result<(), ApiError> {
        let request = request::parse(body.as_bytes(), Order::Model)?;
        self.account
            .check_health_checks(&request.changes, NoHealthCheck::Named)?;
        self.apply(&request.changes)
            .map_err(ApiError::invalid_change_batch)
    }

    /// Stores a record set whatever is there, as someone else's or as a state that the API
    /// itself would not lead to. A health check that it refers to is taken to exist.
    pub fn put(&mut self, record_set: RecordSet) {
        self.learn(&record_set);
        self.sets.insert(key(&record_set), record_set);
    }

    /// Removes every record set of this name and type; says whether there was one.
    pub fn remove(&mut self, name: &str, rtype: &str) -> bool {
        let before = self.sets.len();
        let name = name::canonical(name).unwrap_or_default();
        self.sets
            .retain(|_, set| set.name != name || set.rtype != rtype);
        self.sets.len() < before
    }

    /// All record sets, ordered by reversed name, type and set identifier.
    pub fn record_sets(&self) -> impl Iterator<Item = &RecordSet> {
        self.sets.values()
    }

    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Never so, unless a test took the SOA and NS record sets out.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// The first record set of this name and type: the only one, unless it has set identifiers.
    pub fn get(&self, name: &str, rtype: &str) -> Option<&RecordSet> {
        let name = name::canonical(name).ok()?;
        self.at(&name).find(|set| set.rtype == rtype)
    }

    /// The record set of this name and type that is known by this set identifier.
    pub fn member(&self, name: &str, rtype: &str, set_identifier: &str) -> Option<&RecordSet> {
        let name = name::canonical(name).ok()?;
        let key = (
            name::reversed(&name),
            rtype.to_owned(),
            set_identifier.to_owned(),
        );
        self.sets.get(&key)
    }

    /// The record sets of exactly this stored name.
    pub(super) fn at<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a RecordSet> + use<'a> {
        let reversed = name::reversed(name);
        let start = (reversed.clone(), String::new(), String::new());
        self.sets
            .range(start..)
            .take_while(move |((at, _, _), _)| *at == reversed)
            .map(|(_, set)| set)
    }
}

/// The name servers of every simulated zone.
pub const NAME_SERVERS: [&str; 4] = [
    "ns-1.awsdns-01.org.",
    "ns-2.awsdns-02.co.uk.",
    "ns-3.awsdns-03.com.",
    "ns-4.awsdns-04.net.",
];

pub(super) fn key(set: &RecordSet) -> Key {
    (
        name::reversed(&set.name),
        set.rtype.clone(),
        set.set_identifier.clone().unwrap_or_default(),
    )
}
