//! Which part of the zone is listed, the listing, and what it shows.
//!
//! A zone may hold thousands of record sets that are none of our business. Listings are sorted
//! by the labels reversed, so everything at or below a name is one stretch of it: normally only
//! `<environment>.<zone>` is listed, and the stretch in which the state records are.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use crate::desired::Desired;
use crate::dns::{ChangeBatch, Name, RecordKey, Zone};
use crate::plan::state_records::{StateNames, StateRecords};
use crate::route53::client::{Client, PageDigest};
use crate::route53::error::Error;
use crate::route53::xml::{ListPage, ListStart};

/// More pages than any zone has: a listing that goes on has lost its way.
const MOST_PAGES: usize = 20_000;

/// How often a listing is made again because another instance writes meanwhile. What it has
/// written is seen at the next one then.
const MAX_RELISTINGS: u32 = 3;

/// What is known of a zone, and of how much of it.
#[derive(Debug, Clone)]
pub struct ZoneView {
    /// The record sets, with the changes made since.
    pub zone: Zone,
    /// Whose state records were looked for.
    pub names: StateNames,
    /// What they say: always as the zone has them.
    pub state: StateRecords,
    coverage: Coverage,
    pages: Pages,
    settled: Option<Settled>,
}

/// What a round found that left nothing to do.
#[derive(Debug, Clone)]
struct Settled {
    /// What was desired then.
    desired: Weak<Desired>,
    /// The names of that.
    in_zone: Arc<BTreeSet<Name>>,
}

/// What a view was listed from; nothing if it has changed since.
#[derive(Debug, Clone, Default)]
struct Pages {
    /// Of the state records.
    records: Vec<Page>,
    /// Of the rest.
    rest: Vec<Page>,
}

#[derive(Debug, Clone)]
struct Page {
    digest: PageDigest,
    next: Option<ListStart>,
}

/// What was listed besides the state records.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Coverage {
    Whole,
    Below(Name),
}

impl Coverage {
    /// What is at or below a name if all of these are, else the whole zone.
    fn of<'a>(below: Option<&Name>, mut keys: impl Iterator<Item = &'a RecordKey>) -> Coverage {
        let below = below.filter(|name| keys.all(|key| key.name.is_at_or_below(name)));
        below.map_or(Coverage::Whole, |name| Coverage::Below(name.clone()))
    }

    /// The name, if it isn't the whole zone.
    fn below(&self) -> Option<&Name> {
        match self {
            Coverage::Whole => None,
            Coverage::Below(name) => Some(name),
        }
    }
}

impl ZoneView {
    /// Of the state records, with nothing else listed yet.
    fn of_state_records(records: Zone, pages: Vec<Page>, names: &StateNames) -> ZoneView {
        ZoneView {
            state: StateRecords::read(&records, names),
            zone: records,
            names: names.clone(),
            coverage: Coverage::Whole,
            pages: Pages {
                records: pages,
                rest: Vec::new(),
            },
            settled: None,
        }
    }

    /// Takes in a change that Route 53 has confirmed.
    pub fn apply(&mut self, batch: &ChangeBatch) {
        self.zone.apply(batch);
        self.state.apply(batch, &self.names);
        self.pages = Pages::default();
        self.settled = None;
    }

    /// Remembers that it has all that is desired, under these names, and nothing else is ours.
    pub fn settle(&mut self, desired: &Arc<Desired>, in_zone: &Arc<BTreeSet<Name>>) {
        self.settled = Some(Settled {
            desired: Arc::downgrade(desired),
            in_zone: in_zone.clone(),
        });
    }

    /// Whether it is known to have all of this, and neither has changed since.
    pub fn is_settled(&self, desired: &Arc<Desired>) -> bool {
        self.settled(desired).is_some()
    }

    fn settled(&self, desired: &Arc<Desired>) -> Option<&Settled> {
        let settled = self.settled.as_ref();
        settled.filter(|settled| settled.desired.as_ptr() == Arc::as_ptr(desired))
    }

    /// Whether it shows every record set under these names.
    pub fn covers<'a>(&self, mut keys: impl Iterator<Item = &'a RecordKey>) -> bool {
        let below = self.coverage.below();
        below.is_none_or(|name| keys.all(|key| key.name.is_at_or_below(name)))
    }

    /// Names all of whose desired record sets are in the zone, and those of them that say something
    /// else there.
    pub fn published(&self, desired: &Arc<Desired>) -> (Arc<BTreeSet<Name>>, Arc<BTreeSet<Name>>) {
        if let Some(settled) = self.settled(desired) {
            return (settled.in_zone.clone(), Arc::default());
        }
        let mut names: BTreeSet<Name> = BTreeSet::new();
        let mut outdated: BTreeSet<Name> = BTreeSet::new();
        let mut not_yet: BTreeSet<&Name> = BTreeSet::new();
        for (key, wanted) in &desired.record_sets {
            match self.zone.simple(key) {
                Some(current) if self.state.owns(key) => {
                    names.insert(key.name.clone());
                    if !current.is_equivalent_to(wanted) {
                        outdated.insert(key.name.clone());
                    }
                }
                _ => {
                    not_yet.insert(&key.name);
                }
            }
        }
        names.retain(|name| !not_yet.contains(name));
        (Arc::new(names), Arc::new(outdated))
    }
}

/// Lists what has to be known: the state records, and all record sets at or below `environment`,
/// or the whole zone if something desired or owned is elsewhere. Of `known`, pages that are as they
/// were aren't decoded again.
///
/// A listing takes several requests, and others may write meanwhile. The state records are the
/// part that is read first: what another instance publishes then is a record set without an
/// entry, and left alone. The other way round it would be an entry without a record set, which
/// the next plan would forget: the record set would have no owner any more.
pub fn list(
    client: &mut Client,
    zone_id: &str,
    names: &StateNames,
    environment: Option<&Name>,
    desired: &Arc<Desired>,
    known: Option<ZoneView>,
) -> Result<ZoneView, Error> {
    // One that has changed since it was listed saves nothing, and isn't held meanwhile.
    let known = known.filter(|view| view.names == *names && !view.pages.records.is_empty());
    let mut view =
        known.unwrap_or_else(|| ZoneView::of_state_records(Zone::default(), vec![], names));
    if let Some((records, pages)) = state_records(client, zone_id, &view)? {
        view = ZoneView::of_state_records(records, pages, names);
    }
    // What was listed holds all of a settled zone, but may be more than has to be.
    let coverage = if view.is_settled(desired) && view.coverage.below() == environment {
        view.coverage.clone()
    } else {
        let keys = desired.record_sets.keys();
        Coverage::of(environment, keys.chain(view.state.owned()))
    };
    list_rest(client, zone_id, view, coverage)
}

/// Lists the state records once more, and then what else is in the view, if they have changed.
/// Somebody may have written them, with a record set that a listing shows, just between the two
/// parts of that listing: then it is only now known whose that is. True if the view is another one
/// than before.
pub fn list_state_records(
    client: &mut Client,
    zone_id: &str,
    view: &mut ZoneView,
) -> Result<bool, Error> {
    for listing in 0..MAX_RELISTINGS {
        let Some((records, pages)) = state_records(client, zone_id, view)? else {
            return Ok(listing > 0);
        };
        let is_state = |key: &RecordKey| view.names.index_of_name(&key.name).is_some();
        let known = view.zone.iter().filter(|(key, _)| is_state(key));
        if known.eq(records.iter()) {
            view.pages.records = pages;
            return Ok(listing > 0);
        }
        let records = ZoneView::of_state_records(records, pages, &view.names);
        let coverage = Coverage::of(view.coverage.below(), records.state.owned());
        *view = list_rest(client, zone_id, records, coverage)?;
    }
    Ok(true)
}

/// Lists what isn't a state record.
fn list_rest(
    client: &mut Client,
    zone_id: &str,
    mut view: ZoneView,
    coverage: Coverage,
) -> Result<ZoneView, Error> {
    let below = coverage.below();
    if view.coverage != coverage {
        view.pages.rest.clear();
    }
    let is_over = |listed: &Name| below.is_some_and(|name| !listed.is_at_or_below(name));
    let known = &view.pages.rest;
    let Some((mut zone, pages)) = stretch(client, zone_id, below, is_over, known)? else {
        return Ok(view);
    };
    let names = &view.names;
    zone.retain(|key| names.index_of_name(&key.name).is_none());
    view.zone
        .retain(|key| names.index_of_name(&key.name).is_some());
    zone.merge(view.zone);
    (view.zone, view.coverage, view.pages.rest) = (zone, coverage, pages);
    view.settled = None;
    Ok(view)
}

/// The state records; none if they are as in the view.
fn state_records(
    client: &mut Client,
    zone_id: &str,
    view: &ZoneView,
) -> Result<Option<(Zone, Vec<Page>)>, Error> {
    let names = &view.names;
    let (from, to) = names.listing_range();
    let last = to.listing_key();
    // How other characters than ours sort isn't documented: only what is before them decides.
    let is_over = |listed: &Name| {
        let key = listed.listing_key();
        key.split('\\').next().is_some_and(|sure| sure > &*last)
    };
    let listed = stretch(client, zone_id, Some(&from), is_over, &view.pages.records)?;
    Ok(listed.map(|(mut zone, pages)| {
        zone.retain(|key| names.index_of_name(&key.name).is_some());
        (zone, pages)
    }))
}

/// Lists from a name on, to the first name that is beyond the stretch; none if all pages are the
/// known ones.
fn stretch(
    client: &mut Client,
    zone_id: &str,
    from: Option<&Name>,
    is_over: impl Fn(&Name) -> bool,
    known: &[Page],
) -> Result<Option<(Zone, Vec<Page>)>, Error> {
    let first = from.map(|name| ListStart {
        name: name.as_str().to_owned(),
        rtype: None,
        identifier: None,
    });
    let mut start = first.clone();
    // As long as they are the known ones, nothing of them is kept: all is asked for again then,
    // but for the first that is another.
    let mut other = None;
    for page in known {
        if let Some(listed) = client.list(zone_id, start.as_ref(), Some(&page.digest))? {
            other = Some((start, listed));
            break;
        }
        start.clone_from(&page.next);
    }
    if other.is_none() && !known.is_empty() {
        return Ok(None);
    }
    let (mut zone, mut pages) = (Zone::default(), Vec::new());
    start = first;
    while pages.len() < MOST_PAGES {
        let listed = match other.take_if(|(from, _)| *from == start) {
            Some((_, listed)) => Some(listed),
            None => client.list(zone_id, start.as_ref(), None)?,
        };
        let Some((ListPage { sets, next }, digest)) = listed else {
            break; // which only an expected page is
        };
        let is_stuck = next.is_some() && next == start;
        start.clone_from(&next);
        pages.push(Page { digest, next });
        for (key, held) in sets {
            if is_over(&key.name) {
                return Ok(Some((zone, pages)));
            }
            zone.insert(key, held);
        }
        if start.is_none() {
            return Ok(Some((zone, pages)));
        }
        if is_stuck {
            break;
        }
    }
    Err(Error::NoAnswer(
        "the listing of the zone doesn't come to an end".to_owned(),
    ))
}
