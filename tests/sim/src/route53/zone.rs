//! A hosted zone: its record sets in listing order, and its listings. No I/O, no clock. How a
//! change batch is judged is in `batch.rs`.

use super::batch;
use super::error::ApiError;
use super::name;
use super::record::{Change, RecordSet};
use super::request;
use super::schema::Order;
use super::xml;
use std::collections::BTreeMap;

/// The most record sets that one answer lists.
pub const PAGE: usize = 300;

/// Reversed name, type, set identifier: the order of a listing. Whether AWS sorts `*` as itself
/// or as its escape isn't documented; here it is the escape.
pub(super) type Key = (String, String, String);

/// A hosted zone and everything in it.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    pub(super) sets: BTreeMap<Key, RecordSet>,
}

/// Which part of a zone to list.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    pub name: Option<String>,
    pub rtype: Option<String>,
    pub identifier: Option<String>,
    pub max_items: Option<String>,
}

/// One page of a listing.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    pub record_sets: Vec<&'a RecordSet>,
    /// Where the next page starts.
    pub next: Option<&'a RecordSet>,
    pub max_items: usize,
}

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

    /// Applies all of the changes or, with every fault found, none. What is judged is what the
    /// service judges, in its order.
    pub fn apply(&mut self, changes: &[Change]) -> Result<(), Vec<String>> {
        batch::apply(self, changes)
    }

    /// Applies the body of a ChangeResourceRecordSets request, as the service does.
    pub fn apply_xml(&mut self, body: &str) -> Result<(), ApiError> {
        let request = request::parse(body.as_bytes(), Order::Model)?;
        self.apply(&request.changes)
            .map_err(ApiError::invalid_change_batch)
    }

    /// Stores a record set whatever is there, as someone else's or as a state that the API
    /// itself would not lead to.
    pub fn put(&mut self, record_set: RecordSet) {
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

    /// All record sets, in listing order.
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

    /// The record sets of exactly this stored name.
    pub(super) fn at<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a RecordSet> + use<'a> {
        let reversed = name::reversed(name);
        let start = (reversed.clone(), String::new(), String::new());
        self.sets
            .range(start..)
            .take_while(move |((at, _, _), _)| *at == reversed)
            .map(|(_, set)| set)
    }

    /// One page, from the first record set that isn't before the one asked for.
    pub fn list(&self, query: &ListQuery) -> Result<Page<'_>, ApiError> {
        if query.rtype.is_some() && query.name.is_none() {
            return Err(ApiError::invalid_input(
                "The input is not valid: a type was given without a name.",
            ));
        }
        if query.identifier.is_some() && query.rtype.is_none() {
            return Err(ApiError::invalid_input(
                "The input is not valid: an identifier was given without a name and a type.",
            ));
        }
        if let Some(rtype) = &query.rtype {
            request::check_type(rtype)?;
        }
        let start = match &query.name {
            None => String::new(),
            Some(name) => name::reversed(&name::canonical(name).map_err(ApiError::invalid_input)?),
        };
        let start = (
            start,
            query.rtype.clone().unwrap_or_default(),
            query.identifier.clone().unwrap_or_default(),
        );
        let max_items = page_size(query.max_items.as_deref(), PAGE)?;
        let mut rest = self.sets.range(start..).map(|(_, set)| set);
        Ok(Page {
            record_sets: rest.by_ref().take(max_items).collect(),
            next: rest.next(),
            max_items,
        })
    }

    /// The answer that ListResourceRecordSets gives, be it an error.
    pub fn list_xml(
        &self,
        name: Option<&str>,
        rtype: Option<&str>,
        identifier: Option<&str>,
        maxitems: Option<usize>,
    ) -> String {
        let query = ListQuery {
            name: name.map(str::to_owned),
            rtype: rtype.map(str::to_owned),
            identifier: identifier.map(str::to_owned),
            max_items: maxitems.map(|n| n.to_string()),
        };
        match self.list(&query) {
            Ok(page) => xml::list_record_sets(&page),
            Err(error) => xml::error(&error, "00000000-0000-0000-0000-000000000000", false),
        }
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

/// `maxitems` as asked for, at most the operation's page.
pub(super) fn page_size(asked: Option<&str>, page: usize) -> Result<usize, ApiError> {
    match asked {
        None => Ok(page),
        Some(text) => match text.parse::<usize>() {
            Ok(n) if n > 0 => Ok(n.min(page)),
            _ => Err(ApiError::invalid_input(format!(
                "The input is not valid: maxitems is '{text}'."
            ))),
        },
    }
}
