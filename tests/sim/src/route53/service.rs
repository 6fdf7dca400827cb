//! From a request to its reply: which operation it is, whether it may, and what it does.

use super::auth;
use super::clock;
use super::error::ApiError;
use super::fault::{Fault, server_error};
use super::listing::{ListQuery, page_size};
use super::name;
use super::policy;
use super::record::Change;
use super::request::{self, ChangeRequest};
use super::state::{RequestRecord, Shared, State, Submitted};
use super::xml::{self, ChangeInfo, ZonePage};
use super::zone::Zone;
use crate::http::{Handler, Reply, Request, Response, percent_decode};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// The most zones that one answer lists.
const ZONE_PAGE: usize = 100;
/// What somebody in between answers.
const PAGE: &str = "<!DOCTYPE html><html><body><h1>Sign in to the network</h1></body></html>";

/// What Route 53 is asked to do; those of its operations that are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    ListResourceRecordSets,
    ChangeResourceRecordSets,
    ListHostedZonesByName,
    GetHostedZone,
    GetChange,
    ListHostedZones,
}

impl Operation {
    /// AWS's name, as in its policies and messages.
    pub fn name(self) -> &'static str {
        match self {
            Operation::ListResourceRecordSets => "ListResourceRecordSets",
            Operation::ChangeResourceRecordSets => "ChangeResourceRecordSets",
            Operation::ListHostedZonesByName => "ListHostedZonesByName",
            Operation::GetHostedZone => "GetHostedZone",
            Operation::GetChange => "GetChange",
            Operation::ListHostedZones => "ListHostedZones",
        }
    }

    pub(super) fn has_zone(self) -> bool {
        matches!(
            self,
            Operation::ListResourceRecordSets
                | Operation::ChangeResourceRecordSets
                | Operation::GetHostedZone
        )
    }
}

/// An operation, and the id in its path.
struct Route {
    operation: Operation,
    id: String,
}

fn route(request: &Request) -> Option<Route> {
    let path = request.path.strip_prefix("/2013-04-01/")?;
    let parts: Vec<&str> = path.split('/').collect();
    let (operation, id) = match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["hostedzone"]) => (Operation::ListHostedZones, ""),
        ("GET", ["hostedzonesbyname"]) => (Operation::ListHostedZonesByName, ""),
        ("GET", ["hostedzone", id]) => (Operation::GetHostedZone, *id),
        ("GET", ["hostedzone", id, "rrset"]) => (Operation::ListResourceRecordSets, *id),
        // With its slash, unlike the listing: so it stands in AWS's model.
        ("POST", ["hostedzone", id, "rrset", ""]) => (Operation::ChangeResourceRecordSets, *id),
        ("GET", ["change", id]) => (Operation::GetChange, *id),
        _ => return None,
    };
    Some(Route {
        operation,
        id: percent_decode(id),
    })
}

/// The service behind a server, or behind whatever else brings it requests.
pub(super) struct Service {
    pub shared: Arc<Shared>,
}

impl Handler for Service {
    fn handle(&self, request: &Request) -> Reply {
        let route = route(request);
        let operation = route.as_ref().map(|route| route.operation);
        self.shared.with(|state| state.in_flight.extend(operation));
        let region = self.shared.lock().options.region.clone();
        let resource = route
            .as_ref()
            .map(|r| policy::resource(r.operation, &r.id, &region));
        let mut record = RequestRecord {
            at: request.arrived,
            done: request.arrived,
            operation,
            zone: route
                .as_ref()
                .filter(|route| route.operation.has_zone())
                .map(|route| route.id.clone()),
            resource: resource.unwrap_or_default(),
            status: 0,
            code: None,
            access_key: auth::claimed_key(request),
            applied: false,
            changes: 0,
            resource_records: 0,
            characters: 0,
            batch: None,
            fault: None,
            query: request.query.clone(),
        };
        let (result, fault) = match &route {
            Some(route) => self.process(request, route, &mut record),
            None => {
                let unknown = ApiError::new(
                    404,
                    "UnknownOperationException",
                    format!("There is no {} {}.", request.method, request.path),
                );
                (Err(unknown), None)
            }
        };
        record.done = Instant::now();
        let (reply, delay) = self.reply(result, fault, &mut record);
        self.shared.with(|state| {
            if let Some(at) = state.in_flight.iter().position(|o| Some(*o) == operation) {
                state.in_flight.swap_remove(at);
            }
            state.requests.push(record);
        });
        thread::sleep(delay);
        reply
    }
}

impl Service {
    fn process(
        &self,
        request: &Request,
        route: &Route,
        record: &mut RequestRecord,
    ) -> (Result<String, ApiError>, Option<Fault>) {
        let operation = route.operation;
        let order = self.shared.lock().options.element_order;
        let batch = (operation == Operation::ChangeResourceRecordSets)
            .then(|| request::parse(&request.body, order));
        if let Some(Ok(ChangeRequest { changes, .. })) = &batch {
            record.changes = changes.iter().map(|c| c.action.cost()).sum();
            record.resource_records = changes.iter().map(Change::resource_records).sum();
            record.characters = changes.iter().map(Change::characters).sum();
            record.batch = Some(changes.clone());
        }
        let (latency, admitted) = {
            let mut state = self.shared.lock();
            let admitted = admit(&mut state, request, route, record);
            (state.options.latency, admitted)
        };
        // The simulator's own work on a request is part of it, not something on top.
        thread::sleep((request.arrived + latency).saturating_duration_since(Instant::now()));
        let fault = match admitted {
            Err(error) => return (Err(error), None),
            Ok(fault) => fault,
        };
        record.fault = fault.clone();
        if let Some(fault) = fault.as_ref().filter(|fault| fault.prevents()) {
            let refusal = fault.refusal(operation);
            return (refusal.map_or(Ok(String::new()), Err), Some(fault.clone()));
        }
        let result = self.shared.with(|state| {
            let result = perform(state, request, route, batch);
            record.applied = result.is_ok() && operation == Operation::ChangeResourceRecordSets;
            if operation == Operation::ChangeResourceRecordSets {
                state.busy.remove(&route.id);
            }
            result
        });
        (result, fault)
    }

    /// The reply as the fault would have it, and how long to wait with it.
    fn reply(
        &self,
        result: Result<String, ApiError>,
        fault: Option<Fault>,
        record: &mut RequestRecord,
    ) -> (Reply, Duration) {
        let result = match fault {
            Some(Fault::StatusAfter(status)) => Err(server_error(status)),
            _ => result,
        };
        let mut state = self.shared.lock();
        let request_id = format!("00000000-0000-4000-8000-{:012x}", state.fresh());
        let (status, body) = match result {
            Ok(body) => (200, body),
            Err(error) => {
                record.code = Some(error.code.clone());
                let old_form = state.options.old_error_form;
                (error.status, xml::error(&error, &request_id, old_form))
            }
        };
        record.status = status;
        let mut response = Response::new(status, "text/xml", body)
            .with_header("Date", &clock::http_date(now(&state)))
            .with_header("x-amzn-RequestId", &request_id);
        let mut delay = Duration::ZERO;
        let reply = match fault {
            Some(Fault::DropBefore | Fault::DropAfter) => Reply::Drop,
            Some(Fault::Hang(longest)) => Reply::Hang(longest),
            Some(Fault::CutAfter(length)) => Reply::Cut(response, length),
            Some(Fault::Garbled) => {
                (record.status, record.code) = (200, None);
                response.status = 200;
                response.body = Arc::new(b"\x1f\x8b\x00 <Change\xff\xfe& this is no XML".to_vec());
                Reply::Send(response)
            }
            Some(Fault::Page(status)) => {
                (record.status, record.code) = (status, None);
                Reply::Send(Response::new(status, "text/html", PAGE))
            }
            Some(Fault::HugeBody(length)) => {
                // Comments may follow the root element: it is well-formed, only too long.
                let body = Arc::make_mut(&mut response.body);
                let room = length.saturating_sub(body.len() + "<!---->".len());
                body.extend_from_slice(b"<!--");
                body.resize(body.len() + room, b' ');
                body.extend_from_slice(b"-->");
                Reply::Send(response)
            }
            Some(Fault::Delay(longer)) => {
                delay = longer;
                Reply::Send(response)
            }
            _ => Reply::Send(response),
        };
        if matches!(reply, Reply::Drop | Reply::Hang(_)) {
            (record.status, record.code) = (0, None);
        }
        (reply, delay)
    }
}

/// The simulated clock.
fn now(state: &State) -> SystemTime {
    clock::shift(SystemTime::now(), state.options.clock_offset)
}

/// Whether the request gets as far as being handled, and the fault that it meets there.
fn admit(
    state: &mut State,
    request: &Request,
    route: &Route,
    record: &RequestRecord,
) -> Result<Option<Fault>, ApiError> {
    let Route { operation, id } = route;
    let options = &state.options;
    let expected = auth::Expected {
        region: &options.region,
        service: "route53",
    };
    let credential = auth::authenticate(request, &options.credentials, expected, now(state))?;
    let batch = record.batch.as_deref().unwrap_or_default();
    auth::authorize(credential, *operation, &record.resource, batch)?;
    if let Some(buckets) = &options.buckets {
        let throttled = |why: String| ApiError::throttling(&why);
        buckets
            .request(*operation, request.arrived)
            .map_err(throttled)?;
        buckets
            .changes(record.changes, request.arrived)
            .map_err(throttled)?;
    }
    let fault = state.faults.next(*operation);
    let writes = *operation == Operation::ChangeResourceRecordSets
        && !fault.as_ref().is_some_and(Fault::prevents);
    // Writes take as long as the latency, and one zone takes one at a time.
    if writes && !state.busy.insert(id.clone()) {
        return Err(ApiError::prior_request_not_complete());
    }
    Ok(fault)
}

fn perform(
    state: &mut State,
    request: &Request,
    route: &Route,
    batch: Option<Result<ChangeRequest, ApiError>>,
) -> Result<String, ApiError> {
    match route.operation {
        Operation::ListResourceRecordSets => {
            let query = ListQuery {
                name: request.query_value("name"),
                rtype: request.query_value("type"),
                identifier: request.query_value("identifier"),
                max_items: request.query_value("maxitems"),
            };
            let page = zone(state, &route.id)?.list(&query)?;
            Ok(xml::list_record_sets(&page))
        }
        Operation::ChangeResourceRecordSets => change(
            state,
            request,
            &route.id,
            batch.expect("a body that was read"),
        ),
        Operation::GetHostedZone => Ok(xml::hosted_zone(zone(state, &route.id)?)),
        Operation::GetChange => {
            let submitted = state.changes.get(&route.id).ok_or_else(|| {
                let message = format!("No change found with ID: {}", route.id);
                ApiError::new(404, "NoSuchChange", message)
            })?;
            let age = request
                .arrived
                .saturating_duration_since(submitted.accepted);
            let in_sync = age >= state.options.insync_after;
            Ok(xml::change(&change_info(&route.id, submitted, in_sync)))
        }
        Operation::ListHostedZonesByName => zones_by_name(state, request),
        Operation::ListHostedZones => all_zones(state, request),
    }
}

fn zone<'a>(state: &'a State, id: &str) -> Result<&'a Zone, ApiError> {
    let zone = state.zone(id);
    zone.ok_or_else(|| ApiError::no_such_hosted_zone(id))
}

fn change_info(id: &str, submitted: &Submitted, in_sync: bool) -> ChangeInfo {
    ChangeInfo {
        id: id.to_owned(),
        in_sync,
        submitted: submitted.submitted,
        comment: submitted.comment.clone(),
    }
}

fn change(
    state: &mut State,
    request: &Request,
    zone_id: &str,
    batch: Result<ChangeRequest, ApiError>,
) -> Result<String, ApiError> {
    let before = state.remember(zone_id);
    let zone = state.zones.get_mut(zone_id);
    let zone = zone.ok_or_else(|| ApiError::no_such_hosted_zone(zone_id))?;
    let ChangeRequest { comment, changes } = batch?;
    let form = state.options.no_health_check;
    zone.account.check_health_checks(&changes, form)?;
    zone.apply(&changes)
        .map_err(ApiError::invalid_change_batch)?;
    let by = auth::claimed_key(request);
    state.tell(before, Some(&changes), by.as_deref());
    let id = format!("C{:013}", state.fresh());
    let submitted = Submitted {
        accepted: request.arrived,
        submitted: now(state),
        comment,
    };
    let answer = xml::changed(&change_info(&id, &submitted, false));
    state.changes.insert(id, submitted);
    Ok(answer)
}

fn zones_by_name(state: &State, request: &Request) -> Result<String, ApiError> {
    let dns_name = request.query_value("dnsname");
    let zone_id = request.query_value("hostedzoneid");
    if zone_id.is_some() && dns_name.is_none() {
        return Err(ApiError::invalid_input(
            "The input is not valid: a hosted zone id was given without a DNS name.",
        ));
    }
    let start = match &dns_name {
        None => String::new(),
        Some(typed) => name::reversed(
            &name::canonical(typed).map_err(|why| ApiError::new(400, "InvalidDomainName", why))?,
        ),
    };
    let start = (start, zone_id.clone().unwrap_or_default());
    let place = |zone: &Zone| (name::reversed(&zone.name), zone.id.clone());
    let mut zones: Vec<&Zone> = state.zones().filter(|zone| place(zone) >= start).collect();
    zones.sort_by_key(|zone| place(zone));
    let page = zone_page(zones, request)?;
    Ok(xml::zones_by_name(
        dns_name.as_deref(),
        zone_id.as_deref(),
        &page,
    ))
}

fn all_zones(state: &State, request: &Request) -> Result<String, ApiError> {
    let marker = request.query_value("marker");
    let start = marker.as_deref().unwrap_or_default();
    let zones = state.zones().filter(|zone| *zone.id >= *start).collect();
    Ok(xml::all_zones(
        marker.as_deref(),
        &zone_page(zones, request)?,
    ))
}

fn zone_page<'a>(mut zones: Vec<&'a Zone>, request: &Request) -> Result<ZonePage<'a>, ApiError> {
    let max_items = page_size(request.query_value("maxitems").as_deref(), ZONE_PAGE)?;
    let next = zones.get(max_items).copied();
    zones.truncate(max_items);
    Ok(ZonePage {
        zones,
        next,
        max_items,
    })
}
