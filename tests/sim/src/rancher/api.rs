//! Rancher's API as far as an agent of an external DNS provider uses it: the schemas, and the
//! events through which it tells services their fqdn.

use super::state::{ApiRequest, Event, Fault, Outcome, Queued, Shared, State, Target, status_of};
use super::world::uuid;
use crate::http::{Handler, Reply, Request, Response};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Instant;

pub(super) struct Api {
    pub shared: Arc<Shared>,
}

impl Handler for Api {
    fn handle(&self, request: &Request) -> Reply {
        let is_event = request.method == "POST" && request.path == self.event_path();
        let (id, fault) = self.shared.update(|state| {
            let id = state.new_id();
            state.api_requests.push(ApiRequest {
                at: request.arrived,
                method: request.method.clone(),
                path: request.path.clone(),
                status: None,
                id,
            });
            if is_event {
                let access_key = self.access_key(request).cloned();
                state.events.push(noted_event(id, request, access_key));
            }
            let fault = state.take_fault(|target, fault| match target {
                Target::Api => is_event || *fault != Fault::LoseEvent,
                Target::Events => is_event,
                Target::Metadata(_) => false,
            });
            (id, fault)
        });
        let is_lost = fault == Some(Fault::LoseEvent);
        let reply = self.shared.reply(fault, || {
            Reply::Send(match is_event {
                true => self.take_event(request, id, is_lost),
                false => self.answer(request),
            })
        });
        self.shared.update(|state| {
            let status = status_of(&reply);
            if let Some(noted) = state.api_requests.iter_mut().rfind(|r| r.id == id) {
                noted.status = status;
            }
            if let Some(event) = state.event(id) {
                event.status = status;
            }
        });
        reply
    }
}

impl Api {
    fn base(&self) -> &str {
        self.shared.options.api_base.trim_end_matches('/')
    }

    fn event_path(&self) -> String {
        format!("{}/{}", self.base(), self.shared.options.event_collection)
    }

    /// Links are absolute and lead to where the client thinks that it is.
    fn link(&self, request: &Request, path: &str) -> String {
        format!(
            "http://{}{path}",
            request.header("host").unwrap_or("localhost")
        )
    }

    fn answer(&self, request: &Request) -> Response {
        let Some(path) = request.path.strip_prefix(self.base()) else {
            return match request.path.as_str() {
                "/" => Response::new(200, "text/html", "<!DOCTYPE html><title>Rancher</title>"),
                _ => error(404, "NotFound", None, "Not Found"),
            };
        };
        if let Some(refused) = self.refusal(request) {
            return refused;
        }
        let collection = format!("/{}", self.shared.options.event_collection);
        let body = match path {
            "" | "/" => self.root(request),
            "/schemas" | "/schemas/" => self.schemas(request),
            path if path == collection => json!({
                "type": "collection", "resourceType": "externalDnsEvent", "data": [],
                "links": {"self": self.link(request, &request.path)},
            }),
            _ => return error(404, "NotFound", None, "Not Found"),
        };
        match request.method.as_str() {
            "GET" | "HEAD" => self.json(request, 200, &body),
            _ => error(405, "MethodNotAllowed", None, "Method not allowed"),
        }
    }

    fn json(&self, request: &Request, status: u16, body: &Value) -> Response {
        let schemas = self.link(request, &format!("{}/schemas", self.base()));
        Response::new(status, "application/json; charset=utf-8", body.to_string())
            .with_header("X-API-Schemas", &schemas)
    }

    /// The access key of a request, if it has one that is right and the secret key with it.
    fn access_key(&self, request: &Request) -> Option<&String> {
        let options = &self.shared.options;
        let given = request.header("authorization").unwrap_or("");
        let (scheme, given) = given.split_once(' ')?;
        let is_given = |key: &&String| {
            let keys = format!("{key}:{}", options.secret_key);
            given.trim() == base64(keys.as_bytes())
        };
        let mut known = [
            Some(&options.access_key),
            options.second_access_key.as_ref(),
        ]
        .into_iter();
        let found = known.find_map(|key| key.filter(is_given));
        found.filter(|_| scheme.eq_ignore_ascii_case("basic"))
    }

    /// 401 without the right keys, 403 if they mayn't do this.
    fn refusal(&self, request: &Request) -> Option<Response> {
        if self.access_key(request).is_none() {
            let realm =
                "Basic realm=\"Enter API access key and secret key as username and password\"";
            return Some(
                error(401, "Unauthorized", None, "Unauthorized")
                    .with_header("WWW-Authenticate", realm),
            );
        }
        let is_forbidden = self.shared.lock().is_forbidden;
        is_forbidden.then(|| error(403, "Forbidden", None, "Forbidden"))
    }

    fn root(&self, request: &Request) -> Value {
        let is_project = self.base().contains("/projects/");
        let links = [
            ("self", ""),
            ("schemas", "/schemas"),
            ("services", "/services"),
        ];
        let links: Map<String, Value> = links
            .iter()
            .map(|(name, path)| {
                let link = self.link(request, &format!("{}{path}", self.base()));
                (name.to_string(), link.into())
            })
            .collect();
        json!({
            "id": self.base().rsplit('/').next(),
            "type": if is_project { "project" } else { "apiVersion" },
            "links": links, "actions": {},
        })
    }

    fn schemas(&self, request: &Request) -> Value {
        let link = |path: &str| self.link(request, &format!("{}{path}", self.base()));
        let schema = |id: &str, plural: &str, methods: &[&str], fields: &[&str]| {
            let field = json!({
                "type": "string", "create": true, "update": false, "nullable": true,
                "required": false, "default": null,
            });
            let fields: Map<String, Value> = fields
                .iter()
                .map(|name| (name.to_string(), field.clone()))
                .collect();
            json!({
                "id": id, "type": "schema", "pluralName": plural, "actions": {},
                "links": {
                    "self": link(&format!("/schemas/{id}")),
                    "collection": link(&format!("/{}", plural.to_lowercase())),
                },
                "collectionMethods": methods, "resourceMethods": ["GET"],
                "resourceActions": {}, "collectionActions": {},
                "resourceFields": fields, "collectionFields": {}, "collectionFilters": {},
                "includeableLinks": [],
            })
        };
        let mut data = vec![
            schema("container", "containers", &["GET"], &["name", "state"]),
            schema(
                "service",
                "services",
                &["GET"],
                &["name", "fqdn", "stackId"],
            ),
            schema("stack", "stacks", &["GET"], &["name", "state"]),
        ];
        if self.shared.options.schema_has_event {
            let fields = [
                "eventType",
                "externalId",
                "fqdn",
                "reportedAccountId",
                "serviceName",
                "stackName",
            ];
            let collection = &self.shared.options.event_collection;
            let mut event = schema(
                "externalDnsEvent",
                "externalDnsEvents",
                &["GET", "POST"],
                &fields,
            );
            event["links"]["collection"] = link(&format!("/{collection}")).into();
            data.insert(1, event);
        }
        json!({
            "type": "collection", "resourceType": "schema",
            "links": {"self": link("/schemas")}, "data": data,
        })
    }

    /// Accepts an event, to be handled later, or says what is wrong with it.
    fn take_event(&self, request: &Request, id: u64, is_lost: bool) -> Response {
        if let Some(refused) = self.refusal(request) {
            return refused;
        }
        let fields = match validated(request) {
            Ok(fields) => fields,
            Err((code, field, message)) => return error(422, code, field, &message),
        };
        let text = |name: &str| fields[name].as_str().unwrap_or("").to_owned();
        let number = self.shared.update(|state| {
            if let Some(event) = state.event(id) {
                event.outcome = Outcome::Accepted;
            }
            state.queue.push_back(Queued {
                due: Instant::now() + self.shared.options.event_delay,
                id,
                stack: text("stackName"),
                service: text("serviceName"),
                fqdn: text("fqdn"),
                is_lost,
            });
            id
        });
        let own = self.link(request, &format!("{}/1de{number}", self.event_path()));
        let body = json!({
            "id": format!("1de{number}"), "type": "externalDnsEvent",
            "links": {"self": own, "remove": own}, "actions": {"remove": format!("{own}/?action=remove")},
            "baseType": "externalEvent", "name": null, "state": "creating", "accountId": "1a5",
            "description": null, "eventType": "dns.update", "externalId": text("externalId"),
            "fqdn": text("fqdn"), "kind": "externalDnsEvent", "reportedAccountId": "1a6",
            "serviceName": text("serviceName"), "stackName": text("stackName"),
            "transitioning": "yes", "transitioningMessage": "In Progress",
            "transitioningProgress": null, "uuid": uuid(&format!("event {number}")),
        });
        self.json(request, 201, &body)
    }
}

fn noted_event(id: u64, request: &Request, access_key: Option<String>) -> Event {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().unwrap_or("").to_owned();
    Event {
        at: request.arrived,
        service: text("serviceName"),
        stack: text("stackName"),
        fqdn: text("fqdn"),
        external_id: text("externalId"),
        access_key,
        status: None,
        outcome: Outcome::Refused,
        id,
    }
}

/// The code, the field if it is one, and what is wrong.
type Invalid = (&'static str, Option<&'static str>, String);

/// Stricter than Cattle, which takes what comes: a malformed event would go unnoticed there.
fn validated(request: &Request) -> Result<Value, Invalid> {
    let kind = request.header("content-type").unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err(("InvalidFormat", None, format!("not JSON but '{kind}'")));
    }
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|e| ("InvalidFormat", None, e.to_string()))?;
    let text = |field: &'static str| match &body[field] {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::String(_) | Value::Null => Err((
            "MissingRequired",
            Some(field),
            format!("{field} is missing"),
        )),
        other => Err(("InvalidType", Some(field), format!("{other} is no string"))),
    };
    let event_type = text("eventType")?;
    if event_type != "dns.update" {
        return Err(("InvalidOption", Some("eventType"), event_type));
    }
    let (external_id, fqdn) = (text("externalId")?, text("fqdn")?);
    text("serviceName")?;
    text("stackName")?;
    if fqdn.ends_with('.') {
        return Err(("InvalidFormat", Some("fqdn"), fqdn));
    }
    if external_id.strip_suffix('.') != Some(&fqdn) {
        let message = format!("{external_id} isn't {fqdn} with a dot");
        return Err(("InvalidFormat", Some("externalId"), message));
    }
    Ok(body)
}

fn error(status: u16, code: &str, field: Option<&str>, message: &str) -> Response {
    let mut body = json!({
        "id": uuid(&format!("{code} {message}")), "type": "error", "links": {}, "actions": {},
        "status": status, "code": code, "message": message, "detail": null, "baseType": "error",
    });
    if let Some(field) = field {
        body["fieldName"] = field.into();
    }
    Response::new(status, "application/json; charset=utf-8", body.to_string())
}

/// Handles accepted events, one after the other, each when its time has come, until the end.
pub(super) fn handle_events(shared: &Shared) {
    let mut state = shared.lock();
    while !state.is_ending {
        let due = state.queue.front().map(|queued| queued.due);
        match due {
            Some(due) if due <= Instant::now() => {
                drop(state);
                shared.update(handle_next);
                state = shared.lock();
            }
            due => state = shared.wait(state, due),
        }
    }
}

/// A stack and a primary service of exactly these names get the fqdn, and metadata changes,
/// even if the fqdn was the same before; anything else is dropped without a word.
fn handle_next(state: &mut State) {
    let Some(queued) = state.queue.pop_front() else {
        return;
    };
    let found = state.world().services.iter().position(|s| {
        s.name == queued.service && s.stack == queued.stack && s.sidekick_of.is_none()
    });
    let outcome = match found {
        Some(at) if !queued.is_lost => {
            state.world_mut().services[at].fqdn = Some(queued.fqdn);
            state.new_version();
            Outcome::Applied
        }
        _ => Outcome::Dropped,
    };
    if let Some(event) = state.event(queued.id) {
        event.outcome = outcome;
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |i: usize| u32::from(group.get(i).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= group.len() { digit as char } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (plain, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }
}
