//! The operations of Route 53 that this program uses, each as a method with its arguments and its
//! answer as types.

use std::time::Duration;

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use super::caller::{self, Call, Caller, Tried, Tries};
use super::error::Error;
use super::xml::{self, HostedZone, ListPage, ListStart};
use crate::aws::credentials::NoCredentials;
use crate::aws::credentials::provider::Identity;
use crate::aws::xml::{Element, read};
use crate::base::percent;
use crate::dns::{ChangeBatch, Name};

/// Version of Route 53's API, the first segment of every path.
const VERSION: &str = "2013-04-01";
/// Record sets that are asked for in one page of a listing. Route 53 gives no more than this.
const PAGE_SIZE: &str = "300";

const LIST: &str = "ListResourceRecordSets";
const CHANGE: &str = "ChangeResourceRecordSets";

/// SHA-256 of a page of a listing, byte for byte. It is a cryptographic hash because others can
/// write into the zone, and must not be able to make a changed page look unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageDigest([u8; 32]);

/// The client.
pub struct Client {
    caller: Caller,
}

impl Client {
    /// A client that makes its calls with `caller`.
    pub fn new(caller: Caller) -> Client {
        Client { caller }
    }

    /// ListResourceRecordSets: the page that begins at `start`, and its digest. `None` if the
    /// digest is the `expected` one, so the page is unchanged: comparing takes far less time than
    /// decoding.
    pub fn list(
        &mut self,
        zone_id: &str,
        start: Option<&ListStart>,
        expected: Option<&PageDigest>,
    ) -> Result<Option<(ListPage, PageDigest)>, Error> {
        let mut query = vec![("maxitems", PAGE_SIZE)];
        if let Some(start) = start {
            query.push(("name", &start.name));
            query.extend(start.rtype.as_deref().map(|rtype| ("type", rtype)));
            query.extend(start.identifier.as_deref().map(|id| ("identifier", id)));
        }
        let call = get(LIST, &["hostedzone", zone_id, "rrset"], &query);
        self.caller.call(&call, &mut |body| {
            let digest = PageDigest(Sha256::digest(body).into());
            if expected == Some(&digest) {
                return Ok(None);
            }
            let page = xml::list_page(&document(LIST, body)?)?;
            Ok(Some((page, digest)))
        })
    }

    /// ListHostedZonesByName: all hosted zones with exactly this name.
    pub fn zones_of_name(&mut self, name: &Name) -> Result<Vec<HostedZone>, Error> {
        let mut zones = Vec::new();
        let mut start = (
            name.as_str().trim_end_matches('.').to_owned(),
            None::<String>,
        );
        loop {
            let mut query = vec![("dnsname", start.0.as_str())];
            query.extend(start.1.as_deref().map(|id| ("hostedzoneid", id)));
            let call = get("ListHostedZonesByName", &["hostedzonesbyname"], &query);
            let page = self.ask(&call, xml::zone_page)?;
            // The listing starts at this name and goes on with other names.
            let is_last = page.zones.iter().any(|zone| zone.name != *name);
            zones.extend(page.zones.into_iter().filter(|zone| zone.name == *name));
            match page.next {
                Some((next, id)) if !is_last => start = (next, Some(id)),
                _ => return Ok(zones),
            }
        }
    }

    /// GetHostedZone: the hosted zone with this id.
    pub fn zone_of_id(&mut self, zone_id: &str) -> Result<HostedZone, Error> {
        let call = get("GetHostedZone", &["hostedzone", zone_id], &[]);
        self.ask(&call, xml::hosted_zone)
    }

    /// ChangeResourceRecordSets: sends a batch once, and returns the id of the change. If the batch
    /// may be sent again, whether it is still wanted has to be asked before. After
    /// [`Error::NoAnswer`] it may have been applied or not; only a new listing of the zone shows
    /// which.
    pub fn change(
        &mut self,
        zone_id: &str,
        batch: &ChangeBatch,
        tries: &mut Tries,
    ) -> Result<Tried<String>, Error> {
        let payload = xml::change_request(batch);
        let call = change_call(zone_id, batch, &payload);
        let mut read = |body: &str| xml::change_id(&document(CHANGE, body)?);
        self.caller.try_once(&call, tries, &mut read)
    }

    /// The same for a batch that changes nothing, whenever it is applied: it is sent again without
    /// asking.
    pub fn probe(&mut self, zone_id: &str, batch: &ChangeBatch) -> Result<String, Error> {
        let payload = xml::change_request(batch);
        self.ask(&change_call(zone_id, batch, &payload), xml::change_id)
    }

    /// Reserves room for a batch within the configured rates, and returns how long to wait before
    /// it may be sent.
    pub fn room(&mut self, batch: &ChangeBatch) -> Duration {
        self.caller.room(batch.changes())
    }

    /// Says in the log that a batch waits.
    pub fn log_wait(wait: Duration) {
        caller::log_wait(CHANGE, wait);
    }

    /// GetChange: whether a change has reached all of Route 53's name servers.
    pub fn is_in_sync(&mut self, change_id: &str) -> Result<bool, Error> {
        let call = get("GetChange", &["change", change_id], &[]);
        self.ask(&call, xml::is_in_sync)
    }

    /// Makes a call and decodes its answer.
    fn ask<T>(
        &mut self,
        call: &Call<'_>,
        decode: fn(&Element) -> Result<T, String>,
    ) -> Result<T, Error> {
        self.caller
            .call(call, &mut |body| decode(&document(call.operation, body)?))
    }

    /// Starts renewing the credentials in the background if they expire soon.
    pub fn keep_credentials_fresh(&mut self) {
        self.caller.credentials.keep_fresh();
    }

    /// The identity that signs the calls, according to the source of credentials and to STS.
    pub fn identity(&mut self) -> Result<Identity, NoCredentials> {
        self.caller.credentials.identity()
    }

    /// How far Route 53's clock was ahead of this system's at the last answer.
    pub fn clock_is_ahead(&self) -> Option<TimeDelta> {
        self.caller.ahead
    }
}

/// Reads the XML of the answer to an operation.
fn document(operation: &str, body: &str) -> Result<Element, String> {
    read(body, &format!("{operation}Response"))
}

fn change_call<'a>(zone_id: &str, batch: &ChangeBatch, payload: &'a str) -> Call<'a> {
    Call {
        operation: CHANGE,
        method: "POST",
        path: path_of(&["hostedzone", zone_id, "rrset", ""]),
        query: String::new(),
        payload: payload.as_bytes(),
        changes: batch.changes(),
    }
}

fn get(operation: &'static str, path: &[&str], query: &[(&str, &str)]) -> Call<'static> {
    Call {
        operation,
        method: "GET",
        path: path_of(path),
        query: percent::query_string(query),
        payload: b"",
        changes: 0,
    }
}

fn path_of(segments: &[&str]) -> String {
    let mut path = format!("/{VERSION}");
    for segment in segments {
        path.push('/');
        path += &percent::encode_segment(segment);
    }
    path
}
