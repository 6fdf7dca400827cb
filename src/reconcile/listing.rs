//! Lists the part of the zone that matters, and keeps the result as a [`CachedZone`].
//!
//! A zone may hold thousands of record sets that aren't ours. Route 53 sorts a listing by the
//! reversed labels, so everything at or below a name stands together. Normally only
//! `<environment>.<zone>`, a few names elsewhere and the state records are listed. A page that is the
//! same as before isn't decoded again.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use crate::desired::Desired;
use crate::dns::{ChangeBatch, Member, Name, Zone};
use crate::plan::Policy;
use crate::plan::state_records::StateNames;
use crate::plan::view::{Place, RecordsChange, ZoneView};
use crate::route53::client::{Client, PageDigest};
use crate::route53::error::Error;
use crate::route53::xml::{ListPage, ListStart};

/// More pages than any zone has. A listing with more of them doesn't end.
const MAX_PAGES: usize = 20_000;

/// What is known of the zone, and what saves work when it is looked at again.
#[derive(Debug, Clone)]
pub struct CachedZone {
    /// What is known.
    pub view: ZoneView,
    pages: Pages,
    settled: Option<Settled>,
}

/// What the zone was compared with when a round found nothing to do.
#[derive(Debug, Clone)]
struct Settled {
    /// What that round desired.
    desired: Weak<Desired>,
    /// What was in the zone then.
    in_zone: Arc<BTreeSet<Member>>,
}

/// The pages that a view was listed from; empty if the view has changed since.
#[derive(Debug, Clone, Default)]
struct Pages {
    /// Pages with everybody's state records.
    state_records: Vec<Page>,
    /// Pages with everything else, by their places.
    rest: Vec<(Place, Vec<Page>)>,
}

#[derive(Debug, Clone)]
struct Page {
    digest: PageDigest,
    next: Option<ListStart>,
}

impl CachedZone {
    /// Nothing has been listed yet.
    pub fn new(names: StateNames) -> CachedZone {
        CachedZone {
            view: ZoneView::new(names),
            pages: Pages::default(),
            settled: None,
        }
    }

    /// What remains useful when the zone is listed again. A view without pages saves no decoding,
    /// so it is dropped, which saves memory during the listing.
    pub fn for_listing(self) -> CachedZone {
        if self.pages.state_records.is_empty() {
            return CachedZone::new(self.view.names);
        }
        self
    }

    /// Applies a batch that Route 53 has confirmed.
    pub fn apply(&mut self, batch: &ChangeBatch) {
        self.view.apply(batch);
        self.pages = Pages::default();
        self.settled = None;
    }

    /// Remembers that the zone equals what is desired: nothing has to change.
    pub fn settle(&mut self, desired: &Arc<Desired>, in_zone: &Arc<BTreeSet<Member>>) {
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

    /// What is in the zone with all its desired record sets, and what of that has other values or
    /// another TTL there.
    pub fn published(
        &self,
        desired: &Arc<Desired>,
        policy: Policy,
    ) -> (Arc<BTreeSet<Member>>, Arc<BTreeSet<Member>>) {
        if let Some(settled) = self.settled(desired) {
            return (settled.in_zone.clone(), Arc::default());
        }
        let (in_zone, outdated) = self.view.published(desired, policy);
        (Arc::new(in_zone), Arc::new(outdated))
    }

    /// Lists everybody's state records.
    pub fn list_state_records(
        &mut self,
        client: &mut Client,
        zone_id: &str,
    ) -> Result<RecordsChange, Error> {
        let names = &self.view.names;
        let (start, known) = (names.listing_start(), &self.pages.state_records);
        let is_over = |listed: &Name| names.is_past_all(listed);
        let Some((records, pages)) = stretch(client, zone_id, Some(&start), &is_over, known)?
        else {
            return Ok(RecordsChange::None);
        };
        self.pages.state_records = pages;
        let change = self.view.set_state_records(records);
        match change {
            RecordsChange::None | RecordsChange::Rewritten => {}
            RecordsChange::Others | RecordsChange::Ours => self.settled = None,
        }
        Ok(change)
    }

    /// Lists everything but the state records in the part of the zone that matters: see
    /// [`ZoneView::coverage_for`].
    pub fn list_rest(
        &mut self,
        client: &mut Client,
        zone_id: &str,
        environment: Option<&Name>,
        desired: &Arc<Desired>,
    ) -> Result<(), Error> {
        // A settled zone is wholly within what was listed, unless the environment has another name
        // now.
        let coverage = &self.view.coverage;
        let coverage = match self.is_settled(desired) && coverage.below() == environment {
            true => coverage.clone(),
            false => self.view.coverage_for(environment, desired),
        };
        let places = coverage.places();
        if self.view.coverage != coverage {
            self.pages.rest.retain(|(place, _)| places.contains(place));
            self.view.set_coverage(coverage);
            self.settled = None;
        }
        for place in places {
            let at = self
                .pages
                .rest
                .iter()
                .position(|(known, _)| *known == place);
            let known = at.map_or(&[][..], |at| &self.pages.rest[at].1);
            let is_over = |listed: &Name| !place.has(listed);
            let listed = stretch(client, zone_id, place.start(), &is_over, known)?;
            let Some((listed, pages)) = listed else {
                continue;
            };
            self.view.set_place(&place, listed);
            self.settled = None;
            match at {
                Some(at) => self.pages.rest[at].1 = pages,
                None => self.pages.rest.push((place, pages)),
            }
        }
        Ok(())
    }
}

/// Lists from a name on, up to the first name for which `is_over` is true; none if all pages are
/// the same as the known ones.
fn stretch(
    client: &mut Client,
    zone_id: &str,
    from: Option<&Name>,
    is_over: &dyn Fn(&Name) -> bool,
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
