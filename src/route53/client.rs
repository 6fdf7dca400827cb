//! The operations of Route 53 that are used: for each what is asked, and what the answer says.

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use super::caller::{Call, Caller};
use super::error::Error;
use super::xml::{self, HostedZone, ListPage, ListStart};
use crate::aws::credentials::NoCredentials;
use crate::aws::credentials::provider::Identity;
use crate::aws::xml::{Element, read};
use crate::base::percent;
use crate::dns::{ChangeBatch, Name};

/// Version of the API, first in every path.
const VERSION: &str = "2013-04-01";
/// Record sets in a page, the most that Route 53 gives.
const PAGE: &str = "300";

const LIST: &str = "ListResourceRecordSets";

/// SHA-256 of a page as it came: others can write into the zone, and no two pages that differ may
/// be taken for one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageDigest([u8; 32]);

/// A client. Not shared: one thread does the work.
pub struct Client {
    caller: Caller,
}

impl Client {
    /// A client that makes its calls with this.
    pub fn new(caller: Caller) -> Client {
        Client { caller }
    }

    /// ListResourceRecordSets: one page, from `start` on, and by what it can be told. None if it is
    /// to the last byte the one that is expected: to compare takes far less than to decode.
    pub fn list(
        &mut self,
        zone_id: &str,
        start: Option<&ListStart>,
        expected: Option<&PageDigest>,
    ) -> Result<Option<(ListPage, PageDigest)>, Error> {
        let mut query = vec![("maxitems", PAGE)];
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

    /// ListHostedZonesByName: all zones of exactly this name.
    pub fn zones_of_name(&mut self, name: &Name) -> Result<Vec<HostedZone>, Error> {
        let mut zones = Vec::new();
        let mut start = (name.without_dot().to_owned(), None::<String>);
        loop {
            let mut query = vec![("dnsname", start.0.as_str())];
            query.extend(start.1.as_deref().map(|id| ("hostedzoneid", id)));
            let call = get("ListHostedZonesByName", &["hostedzonesbyname"], &query);
            let page = self.ask(&call, xml::zone_page)?;
            // It starts at the name and goes on to others.
            let is_last = page.zones.iter().any(|zone| zone.name != *name);
            zones.extend(page.zones.into_iter().filter(|zone| zone.name == *name));
            match page.next {
                Some((next, id)) if !is_last => start = (next, Some(id)),
                _ => return Ok(zones),
            }
        }
    }

    /// GetHostedZone.
    pub fn zone_of_id(&mut self, zone_id: &str) -> Result<HostedZone, Error> {
        let call = get("GetHostedZone", &["hostedzone", zone_id], &[]);
        self.ask(&call, xml::hosted_zone)
    }

    /// ChangeResourceRecordSets: the change's id. After [`Error::NoAnswer`] it may have been
    /// applied or not; the zone knows.
    pub fn change(&mut self, zone_id: &str, batch: &ChangeBatch) -> Result<String, Error> {
        let payload = xml::change_request(batch);
        let call = Call {
            operation: "ChangeResourceRecordSets",
            method: "POST",
            path: path_of(&["hostedzone", zone_id, "rrset", ""]),
            query: String::new(),
            payload: payload.as_bytes(),
            changes: batch.changes(),
        };
        self.ask(&call, xml::change_id)
    }

    /// Waits until the account's limits allow a batch to be sent.
    pub fn wait_for_room(&mut self, batch: &ChangeBatch) {
        self.caller.wait_for_room(batch.changes());
    }

    /// GetChange: whether all of Route 53's name servers know of a change.
    pub fn is_in_sync(&mut self, change_id: &str) -> Result<bool, Error> {
        let call = get("GetChange", &["change", change_id], &[]);
        self.ask(&call, xml::is_in_sync)
    }

    /// Makes a call whose answer is decoded in any case.
    fn ask<T>(
        &mut self,
        call: &Call<'_>,
        decode: fn(&Element) -> Result<T, String>,
    ) -> Result<T, Error> {
        self.caller
            .call(call, &mut |body| decode(&document(call.operation, body)?))
    }

    /// Has credentials renewed ahead of time, on the side.
    pub fn keep_credentials_fresh(&mut self) {
        self.caller.credentials.keep_fresh();
    }

    /// Who calls, as the credentials' source and STS say.
    pub fn identity(&mut self) -> Result<Identity, NoCredentials> {
        self.caller.credentials.identity()
    }

    /// How far Route 53's clock was ahead of ours at the last answer.
    pub fn clock_is_ahead(&self) -> Option<TimeDelta> {
        self.caller.ahead
    }
}

/// The answer to an operation.
fn document(operation: &str, body: &str) -> Result<Element, String> {
    read(body, &format!("{operation}Response"))
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
