//! Lists the part of the zone that matters, and keeps the result as a [`ZoneView`].
//!
//! A zone may hold thousands of record sets that aren't ours. Route 53 sorts a listing by the
//! reversed labels, so everything at or below a name stands together. Normally only
//! `<environment>.<zone>` and the state records are listed.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use crate::desired::Desired;
use crate::dns::{ChangeBatch, Name, RecordKey, Zone};
use crate::plan::state_records::{StateNames, StateRecords};
use crate::route53::client::{Client, PageDigest};
use crate::route53::error::Error;
use crate::route53::xml::{ListPage, ListStart};

/// More pages than any zone has. A listing with more of them doesn't end.
const MAX_PAGES: usize = 20_000;

/// How often the state records are listed again because another instance writes them meanwhile.
/// After that, what it has written is seen at the next resync.
const MAX_RELISTINGS: u32 = 3;

/// What is known of the zone, and which part of the zone that is.
#[derive(Debug, Clone)]
pub struct ZoneView {
    /// The listed record sets, with our own changes since then.
    pub zone: Zone,
    /// Names of the state records that were listed.
    pub names: StateNames,
    /// Content of the state records in `zone`.
    pub state: StateRecords,
    coverage: Coverage,
    pages: Pages,
    settled: Option<Settled>,
}

/// What the zone was compared with when a round found nothing to do.
#[derive(Debug, Clone)]
struct Settled {
    /// What that round desired.
    desired: Weak<Desired>,
    /// The names that were in the zone then.
    in_zone: Arc<BTreeSet<Name>>,
}

/// The pages that a view was listed from; empty if the view has changed since.
#[derive(Debug, Clone, Default)]
struct Pages {
    /// Pages with the state records.
    records: Vec<Page>,
    /// Pages with everything else.
    rest: Vec<Page>,
}

#[derive(Debug, Clone)]
struct Page {
    digest: PageDigest,
    next: Option<ListStart>,
}

/// Which part of the zone was listed, besides the state records.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Coverage {
    Whole,
    Below(Name),
}

impl Coverage {
    /// Everything at or below `below` if all keys are there, else the whole zone.
    fn of<'a>(below: Option<&Name>, mut keys: impl Iterator<Item = &'a RecordKey>) -> Coverage {
        let below = below.filter(|name| keys.all(|key| key.name.is_at_or_below(name)));
        below.map_or(Coverage::Whole, |name| Coverage::Below(name.clone()))
    }

    /// The name at or below which was listed; none for the whole zone.
    fn below(&self) -> Option<&Name> {
        match self {
            Coverage::Whole => None,
            Coverage::Below(name) => Some(name),
        }
    }
}

impl ZoneView {
    /// A view of the state records, before anything else is listed.
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

    /// Applies a batch that Route 53 has confirmed.
    pub fn apply(&mut self, batch: &ChangeBatch) {
        self.zone.apply(batch);
        self.state.apply(batch, &self.names);
        self.pages = Pages::default();
        self.settled = None;
    }

    /// Remembers that the zone equals what is desired: nothing has to change.
    pub fn settle(&mut self, desired: &Arc<Desired>, in_zone: &Arc<BTreeSet<Name>>) {
        self.settled = Some(Settled {
            desired: Arc::downgrade(desired),
            in_zone: in_zone.clone(),
        });
    }

    /// Whether the zone is known to equal this, and neither has changed since.
    pub fn is_settled(&self, desired: &Arc<Desired>) -> bool {
        self.settled(desired).is_some()
    }

    fn settled(&self, desired: &Arc<Desired>) -> Option<&Settled> {
        let settled = self.settled.as_ref();
        settled.filter(|settled| settled.desired.as_ptr() == Arc::as_ptr(desired))
    }

    /// Whether every record set under these names was listed.
    pub fn covers<'a>(&self, mut keys: impl Iterator<Item = &'a RecordKey>) -> bool {
        let below = self.coverage.below();
        below.is_none_or(|name| keys.all(|key| key.name.is_at_or_below(name)))
    }

    /// The names all of whose desired record sets are in the zone, and those among them that have
    /// other values or another TTL there.
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

/// Lists the state records and all record sets at or below `environment`, or the whole zone if
/// something desired or owned is elsewhere. A page that is the same as in `known` isn't decoded
/// again.
///
/// A listing takes several requests, and another instance may write between them. The state
/// records are read first. A record set that is created after that shows without its entry, and is
/// left alone. In the other order its entry would show without the record set, the next plan would
/// remove the entry, and nobody would own the record set any more.
pub fn list(
    client: &mut Client,
    zone_id: &str,
    names: &StateNames,
    environment: Option<&Name>,
    desired: &Arc<Desired>,
    known: Option<ZoneView>,
) -> Result<ZoneView, Error> {
    // A view without pages saves no decoding; it is dropped now to save memory during the listing.
    let known = known.filter(|view| view.names == *names && !view.pages.records.is_empty());
    let mut view =
        known.unwrap_or_else(|| ZoneView::of_state_records(Zone::default(), vec![], names));
    if let Some((records, pages)) = state_records(client, zone_id, &view)? {
        view = ZoneView::of_state_records(records, pages, names);
    }
    // A settled zone is wholly within what was listed, unless the environment has another name
    // now.
    let coverage = if view.is_settled(desired) && view.coverage.below() == environment {
        view.coverage.clone()
    } else {
        let keys = desired.record_sets.keys();
        Coverage::of(environment, keys.chain(view.state.owned()))
    };
    list_rest(client, zone_id, view, coverage)
}

/// Lists the state records once more, and everything else again if they have changed. Another
/// instance may have written a record set and its entry between the two parts of the first
/// listing, which then shows the record set without its owner. True if the view has changed.
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

/// Lists everything but the state records.
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

/// Lists the state records; none if their pages are the same as in the view.
fn state_records(
    client: &mut Client,
    zone_id: &str,
    view: &ZoneView,
) -> Result<Option<(Zone, Vec<Page>)>, Error> {
    let names = &view.names;
    let (from, to) = names.listing_range();
    let last = to.listing_key();
    // AWS doesn't document how escaped characters sort, so a key is compared up to its first
    // escape only.
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

/// Lists from a name on, up to the first name for which `is_over` is true; none if all pages are
/// the same as the known ones.
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
    // Known pages are compared by digest without being kept. At the first one that differs,
    // everything is listed again, except that very page.
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
    while pages.len() < MAX_PAGES {
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
