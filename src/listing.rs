//! Which part of the zone is listed, the listing, and what it shows.
//!
//! A zone may hold thousands of record sets that are none of our business. Listings are sorted
//! by the labels reversed, so everything at or below a name is one stretch of it: normally only
//! `<environment>.<zone>` is listed, and the stretch in which the state records are.

use std::collections::BTreeSet;

use crate::desired::Desired;
use crate::dns::{ChangeBatch, Name, RecordKey, Zone};
use crate::ownership::{State, StateNames};
use crate::route53::client::Client;
use crate::route53::error::Error;
use crate::route53::xml::ListStart;

/// More pages than any zone has: a listing that goes on has lost its way.
const MOST_PAGES: usize = 20_000;

/// How often a listing is made again because another instance writes meanwhile. What it has
/// written is seen at the next one then.
const MOST_LISTINGS: u32 = 3;

/// What is known of a zone, and of how much of it.
#[derive(Debug, Clone)]
pub struct View {
    /// The record sets, with the changes made since.
    pub zone: Zone,
    /// Whose state records were looked for.
    pub names: StateNames,
    /// What they say: always as the zone has them.
    pub state: State,
    coverage: Coverage,
}

/// What was listed besides the state records.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Coverage {
    Whole,
    Below(Name),
}

impl View {
    /// Takes in a change that Route 53 has confirmed.
    pub fn apply(&mut self, batch: &ChangeBatch) {
        self.zone.apply(batch);
        self.state = State::read(&self.zone, &self.names);
    }

    /// Whether it shows every record set under these names.
    pub fn covers<'a>(&self, mut keys: impl Iterator<Item = &'a RecordKey>) -> bool {
        match &self.coverage {
            Coverage::Whole => true,
            Coverage::Below(name) => keys.all(|key| key.name.is_at_or_below(name)),
        }
    }

    /// Names all of whose desired record sets are in the zone, and those of them that say something
    /// else there.
    pub fn published(&self, desired: &Desired) -> (BTreeSet<Name>, BTreeSet<Name>) {
        let mut names: BTreeSet<Name> = BTreeSet::new();
        let mut outdated: BTreeSet<Name> = BTreeSet::new();
        let mut not_yet: BTreeSet<&Name> = BTreeSet::new();
        for (key, wanted) in &desired.record_sets {
            match self.zone.simple(key) {
                Some(current) if self.state.owns(key) => {
                    names.insert(key.name.clone());
                    if !current.says_the_same_as(wanted) {
                        outdated.insert(key.name.clone());
                    }
                }
                _ => {
                    not_yet.insert(&key.name);
                }
            }
        }
        names.retain(|name| !not_yet.contains(name));
        (names, outdated)
    }
}

/// Lists what has to be known: the state records, and all record sets at or below `environment`,
/// or the whole zone if something desired or owned is elsewhere.
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
    desired: &BTreeSet<&RecordKey>,
) -> Result<View, Error> {
    let records = state_records(client, zone_id, names)?;
    let below = environment.filter(|name| desired.iter().all(|k| k.name.is_at_or_below(name)));
    list_after(records, client, zone_id, names, below)
}

/// Lists the state records once more, and then what else is in the view, if they have changed.
/// Somebody may have written them, with a record set that a listing shows, just between the two
/// parts of that listing: then it is only now known whose that is. True if the view is another one
/// than before.
pub fn list_state_records(
    client: &mut Client,
    zone_id: &str,
    view: &mut View,
) -> Result<bool, Error> {
    for listing in 0..MOST_LISTINGS {
        let records = state_records(client, zone_id, &view.names)?;
        let is_state = |key: &RecordKey| view.names.index(&key.name).is_some();
        let known = view.zone.iter().filter(|(key, _)| is_state(key));
        if known.eq(records.iter()) {
            return Ok(listing > 0);
        }
        let below = match &view.coverage {
            Coverage::Below(name) => Some(name),
            Coverage::Whole => None,
        };
        *view = list_after(records, client, zone_id, &view.names, below)?;
    }
    Ok(true)
}

/// Lists the rest: what is at or below this name, or the whole zone.
fn list_after(
    records: Zone,
    client: &mut Client,
    zone_id: &str,
    names: &StateNames,
    below: Option<&Name>,
) -> Result<View, Error> {
    let state = State::read(&records, names);
    let below = below.filter(|name| state.owned().all(|key| key.name.is_at_or_below(name)));
    let (mut zone, coverage) = match below {
        Some(name) => {
            let is_over = |listed: &Name| !listed.is_at_or_below(name);
            let zone = stretch(client, zone_id, Some(name), is_over)?;
            (zone, Coverage::Below(name.clone()))
        }
        None => (stretch(client, zone_id, None, |_| false)?, Coverage::Whole),
    };
    zone.retain(|key| names.index(&key.name).is_none());
    zone.merge(records);
    Ok(View {
        zone,
        names: names.clone(),
        state,
        coverage,
    })
}

fn state_records(client: &mut Client, zone_id: &str, names: &StateNames) -> Result<Zone, Error> {
    let (from, to) = names.listed_from_to();
    let last = to.listing_key();
    // How other characters than ours sort isn't documented: only what is before them decides.
    let is_over = |listed: &Name| {
        let key = listed.listing_key();
        key.split('\\').next().is_some_and(|sure| sure > &*last)
    };
    let mut zone = stretch(client, zone_id, Some(&from), is_over)?;
    zone.retain(|key| names.index(&key.name).is_some());
    Ok(zone)
}

/// Lists from a name on, to the first name that is beyond the stretch.
fn stretch(
    client: &mut Client,
    zone_id: &str,
    from: Option<&Name>,
    is_over: impl Fn(&Name) -> bool,
) -> Result<Zone, Error> {
    let mut zone = Zone::default();
    let mut start = from.map(|name| ListStart {
        name: name.as_str().to_owned(),
        rtype: None,
        identifier: None,
    });
    for _ in 0..MOST_PAGES {
        let page = client.list(zone_id, start.as_ref())?;
        for (key, held) in page.sets {
            if is_over(&key.name) {
                return Ok(zone);
            }
            zone.insert(key, held);
        }
        match page.next {
            None => return Ok(zone),
            Some(next) if start.as_ref() == Some(&next) => break,
            Some(next) => start = Some(next),
        }
    }
    Err(Error::NoAnswer(
        "the listing of the zone doesn't come to an end".to_owned(),
    ))
}
