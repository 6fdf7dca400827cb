//! Listings of a zone: their order and their pages.

use super::error::ApiError;
use super::name;
use super::record::RecordSet;
use super::request;
use super::xml;
use super::zone::{Key, Zone};
use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::iter::{self, Peekable};

/// The most record sets that one answer lists.
pub const PAGE: usize = 300;

/// In which order a listing has the record sets of one name and type. AWS doesn't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdentifierOrder {
    #[default]
    Ascending,
    Descending,
    /// One that looks like none, the same whenever the seed is the same.
    Shuffled(u64),
}

impl IdentifierOrder {
    fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            IdentifierOrder::Ascending => a.cmp(b),
            IdentifierOrder::Descending => b.cmp(a),
            IdentifierOrder::Shuffled(seed) => {
                let place = |id: &str| {
                    let mut hasher = DefaultHasher::new();
                    (seed, id).hash(&mut hasher);
                    hasher.finish()
                };
                place(a).cmp(&place(b)).then_with(|| a.cmp(b))
            }
        }
    }
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
    /// One page, from the first record set that isn't before the one asked for.
    pub fn list(&self, query: &ListQuery) -> Result<Page<'_>, ApiError> {
        let (name, rtype) = start(query)?;
        let max_items = page_size(query.max_items.as_deref(), PAGE)?;
        let order = self.identifier_order;
        let from = (name.clone(), rtype.clone(), String::new());
        let is_before = |(key, set): &(&Key, &RecordSet)| {
            let asked_for = query.identifier.as_deref().unwrap_or_default();
            let in_group = key.0 == name && key.1 == rtype && query.identifier.is_some();
            in_group && order.compare(identifier(set), asked_for) == Ordering::Less
        };
        let mut rest = in_order(self.sets.range(from..).peekable(), order)
            .skip_while(is_before)
            .map(|(_, set)| set);
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

/// The reversed name and the type to start at.
fn start(query: &ListQuery) -> Result<(String, String), ApiError> {
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
    let name = match &query.name {
        None => String::new(),
        Some(name) => name::reversed(&name::canonical(name).map_err(ApiError::invalid_input)?),
    };
    Ok((name, query.rtype.clone().unwrap_or_default()))
}

/// The same record sets, those of each name and type in the order asked for.
fn in_order<'a>(
    mut sets: Peekable<impl Iterator<Item = (&'a Key, &'a RecordSet)>>,
    order: IdentifierOrder,
) -> impl Iterator<Item = (&'a Key, &'a RecordSet)> {
    iter::from_fn(move || {
        let first = sets.next()?;
        let is_kin = |key: &Key| key.0 == first.0.0 && key.1 == first.0.1;
        let mut group = vec![first];
        while let Some(next) = sets.next_if(|(key, _)| is_kin(key)) {
            group.push(next);
        }
        group.sort_by(|(_, a), (_, b)| order.compare(identifier(a), identifier(b)));
        Some(group)
    })
    .flatten()
}

fn identifier(set: &RecordSet) -> &str {
    set.set_identifier.as_deref().unwrap_or_default()
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
