//! The metadata server's side of HTTP: paths, content types and the long poll, as the source
//! of rancher-metadata and measurements of a running server have them.

use super::render;
use super::state::{Fault, MetadataRequest, Shared, Target, status_of};
use super::world::World;
use crate::http::{Handler, Reply, Request, Response, percent_decode};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The API version that the program must use.
pub const VERSION: &str = "2015-12-19";
/// A later one, whose names are in lower case; `latest` is the same.
const LATER_VERSION: &str = "2016-07-29";

/// What has been rendered: the answer and the revision of the world that it shows.
type Rendered = HashMap<(&'static str, bool), (u64, Option<Arc<Vec<u8>>>)>;

pub(super) struct Metadata {
    pub shared: Arc<Shared>,
    pub rendered: Mutex<Rendered>,
}

impl Handler for Metadata {
    fn handle(&self, request: &Request) -> Reply {
        // Go's router redirects to the clean path before anything else.
        if request.path.contains("//") {
            return Reply::Send(redirect(request));
        }
        let trimmed = request.path.trim_matches('/');
        let segments: Vec<String> = trimmed.split('/').map(percent_decode).collect();
        let mut segments = segments.iter().map(String::as_str);
        let version = segments.next().unwrap_or("");
        let path: Vec<&str> = segments.collect();
        let (id, epoch, fault) = self.shared.update(|state| {
            let id = state.new_id();
            state.metadata_requests.push(MetadataRequest {
                at: request.arrived,
                path: request.path.clone(),
                query: request.query.clone(),
                waited: false,
                status: None,
                is_open: true,
                id,
            });
            let here = path.join("/");
            let fault = state.take_fault(|target, _| match target {
                Target::Metadata(Some(path)) => *path == here,
                Target::Metadata(None) => true,
                Target::Api | Target::Events => false,
            });
            (id, state.epoch, fault)
        });
        let may_wait = fault.is_none() || matches!(fault, Some(Fault::Delay(_)));
        let reply = self.shared.reply(fault, || {
            if may_wait && !self.hold(request, version, &path, id, epoch) {
                return Reply::Drop;
            }
            Reply::Send(self.answer(request, version, &path))
        });
        self.shared.update(|state| {
            if let Some(noted) = state.metadata_request(id) {
                noted.status = status_of(&reply);
                noted.is_open = false;
            }
        });
        reply
    }
}

impl Metadata {
    /// Holds a long poll back until the version isn't `value` any more or its time is over;
    /// false if metadata's connections were closed meanwhile.
    ///
    /// A wait for another path than the version isn't simulated: it returns at once, as the
    /// real one does for a list or an object, which never equals the value's text.
    fn hold(&self, request: &Request, version: &str, path: &[&str], id: u64, epoch: u64) -> bool {
        let asked = request.query_value("wait").as_deref() == Some("true");
        if !asked || path != ["version"] || !is_known(version) {
            return true;
        }
        let value = request.query_value("value").unwrap_or_default();
        let Some(longest) = self.longest_wait(request) else {
            return true;
        };
        let end = self.next_tick_after(request.arrived + longest);
        let mut state = self.shared.lock();
        loop {
            if state.epoch != epoch {
                return false;
            }
            // Without data the answer is 404 at once, also to a long poll.
            if !state.is_loaded || state.version() != value || Instant::now() >= end {
                return true;
            }
            match state.metadata_request(id) {
                Some(noted) if !noted.waited => {
                    noted.waited = true;
                    drop(state);
                    self.shared.update(|_| ());
                    state = self.shared.lock();
                }
                _ => state = self.shared.wait(state, Some(end)),
            }
        }
    }

    /// `maxWait` in whole seconds: 60 if it is 0, absent or not a number, at most 120; `None`
    /// if it is negative, which is over at once.
    fn longest_wait(&self, request: &Request) -> Option<Duration> {
        let asked = request.query_value("maxWait").unwrap_or_default();
        let seconds = match asked.parse::<i64>().unwrap_or(0) {
            0 => 60,
            seconds => seconds.min(120),
        };
        Some(self.shared.options.second * u32::try_from(seconds).ok()?)
    }

    /// The server looks for long polls that are over only on a tick, every 5 s since its start.
    fn next_tick_after(&self, moment: Instant) -> Instant {
        let (tick, started) = (self.shared.options.tick, self.shared.started);
        started + next_tick_after(moment.saturating_duration_since(started), tick)
    }

    fn answer(&self, request: &Request, version: &str, path: &[&str]) -> Response {
        let json = wants_json(request);
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return text(404, "404 page not found\n");
        }
        let is_loaded = self.shared.lock().is_loaded;
        if version.is_empty() {
            let mut list = json!({"latest": "/latest"});
            for known in [VERSION, LATER_VERSION].iter().filter(|_| is_loaded) {
                list[*known] = format!("/{known}").into();
            }
            return success(&list, json);
        }
        if !is_loaded || !is_known(version) {
            return failure("Invalid version", json);
        }
        let is_lower = version != VERSION;
        match path {
            ["version"] if json => success(&self.version(), true),
            ["services"] if json => chunked(self.rendered("services", is_lower)),
            ["hosts"] if json => chunked(self.rendered("hosts", is_lower)),
            ["self", "stack"] if json => match self.rendered("self/stack", is_lower) {
                Some(body) => chunked(Some(body)),
                None => failure("Not found", true),
            },
            path => match self.look_up(path, is_lower) {
                Some(value) => success(&value, json),
                None => failure("Not found", json),
            },
        }
    }

    /// Any part of the tree, found step by step.
    fn look_up(&self, path: &[&str], is_lower: bool) -> Option<Value> {
        let parsed = |what| {
            let body = self.rendered(what, is_lower)?;
            Some(serde_json::from_slice::<Value>(&body).expect("our own JSON"))
        };
        let own = || match parsed("self/stack") {
            Some(stack) => json!({"stack": stack}),
            None => json!({}),
        };
        let (mut here, rest) = match path {
            [] => {
                let all = json!({
                    "hosts": parsed("hosts"), "self": own(),
                    "services": parsed("services"), "version": self.version(),
                });
                (all, path)
            }
            ["version", rest @ ..] => (self.version(), rest),
            ["self", rest @ ..] => (own(), rest),
            ["services", rest @ ..] => (parsed("services")?, rest),
            ["hosts", rest @ ..] => (parsed("hosts")?, rest),
            _ => return None,
        };
        for step in rest {
            here = match here {
                Value::Object(mut fields) => fields.remove(*step)?,
                Value::Array(items) => pick(items, step)?,
                _ => return None,
            };
        }
        Some(here)
    }

    fn version(&self) -> Value {
        self.shared.lock().version().into()
    }

    /// Renders what the program reads, so that it needn't be done when that is asked for.
    pub fn prepare(&self) {
        for what in ["services", "hosts", "self/stack"] {
            self.rendered(what, false);
        }
    }

    /// Rendered outside the lock on the state, since a big world takes its time, and kept until
    /// the world changes.
    fn rendered(&self, what: &'static str, is_lower: bool) -> Option<Arc<Vec<u8>>> {
        let (world, revision) = {
            let state = self.shared.lock();
            (state.world.clone(), state.revision)
        };
        let cache = self.rendered.lock();
        let mut cache = cache.unwrap_or_else(PoisonError::into_inner);
        match cache.get(&(what, is_lower)) {
            Some((of, body)) if *of == revision => body.clone(),
            _ => {
                let world = match is_lower {
                    true => Arc::new(in_lower_case(&world)),
                    false => world,
                };
                let body = match what {
                    "services" => Some(render::services(&world, revision)),
                    "hosts" => Some(render::hosts(&world, revision)),
                    _ => render::self_stack(&world, revision),
                };
                let body = body.map(Arc::new);
                cache.insert((what, is_lower), (revision, body.clone()));
                body
            }
        }
    }
}

fn next_tick_after(since_start: Duration, tick: Duration) -> Duration {
    let ticks = since_start.as_nanos() / tick.as_nanos().max(1) + 1;
    tick * u32::try_from(ticks).unwrap_or(u32::MAX)
}

fn is_known(version: &str) -> bool {
    [VERSION, LATER_VERSION, "latest"].contains(&version)
}

/// Items are found by their number, or by their name or UUID.
fn pick(mut items: Vec<Value>, step: &str) -> Option<Value> {
    let at = match step.parse::<usize>() {
        Ok(at) => (at < items.len()).then_some(at)?,
        Err(_) => items
            .iter()
            .position(|item| item["name"] == step || item["uuid"] == step)?,
    };
    Some(items.swap_remove(at))
}

fn in_lower_case(world: &World) -> World {
    let mut world = world.clone();
    if let Some(own) = &mut world.own_stack {
        *own = own.to_lowercase();
    }
    for service in &mut world.services {
        service.stack = service.stack.to_lowercase();
        service.name = service.name.to_lowercase();
        service.sidekick_of = service.sidekick_of.as_deref().map(str::to_lowercase);
        for container in &mut service.containers {
            container.name = container.name.to_lowercase();
        }
    }
    world
}

/// JSON has to be asked for by its name; `*/*` means text. Of two equals, text is preferred.
fn wants_json(request: &Request) -> bool {
    let accept = request.header("accept").unwrap_or("");
    let quality = |name: &str| {
        let item = accept.split(',').map(str::trim).find(|item| {
            let kind = item.split(';').next().unwrap_or("");
            kind.trim().eq_ignore_ascii_case(name)
        })?;
        let mut parameters = item.split(';').skip(1).map(str::trim);
        let q = parameters.find_map(|p| p.strip_prefix("q="));
        Some(q.map_or(1.0, |q| q.parse::<f64>().unwrap_or(0.0)))
    };
    let json = quality("application/json").unwrap_or(0.0);
    json > quality("text/plain").unwrap_or(0.0) && json >= quality("*/*").unwrap_or(0.0)
}

/// All of it is called text, JSON too.
fn text(status: u16, body: impl Into<Vec<u8>>) -> Response {
    shared_text(status, Arc::new(body.into()))
}

fn shared_text(status: u16, body: Arc<Vec<u8>>) -> Response {
    Response::shared(status, "text/plain; charset=utf-8", body)
        .with_header("Access-Control-Allow-Origin", "*")
}

fn success(value: &Value, json: bool) -> Response {
    match json {
        true => text(200, render::to_json(value)),
        false => text(200, as_text(value)),
    }
}

/// Go's server sends what is longer than its buffer of 2,048 bytes in chunks.
fn chunked(body: Option<Arc<Vec<u8>>>) -> Response {
    let body = body.unwrap_or_else(|| Arc::new(b"null".to_vec()));
    let is_long = body.len() > 2048;
    let response = shared_text(200, body);
    match is_long {
        true => response.with_header("Transfer-Encoding", "chunked"),
        false => response,
    }
}

fn failure(message: &str, json: bool) -> Response {
    let body = match json {
        true => json!({"code": 404, "message": message, "type": "error"}).to_string(),
        false => message.to_owned(),
    };
    text(404, body + "\n").with_header("X-Content-Type-Options", "nosniff")
}

fn redirect(request: &Request) -> Response {
    let segments = request.path.split('/').filter(|s| !s.is_empty());
    let mut clean: String = segments.map(|s| format!("/{s}")).collect();
    if !request.query.is_empty() {
        clean += &format!("?{}", request.query);
    }
    text(301, "").with_header("Location", &clean)
}

/// Without JSON: the bare text of a value, the names of an object's fields, the numbers and
/// names of a list's items.
fn as_text(value: &Value) -> String {
    let is_nested = |v: &Value| v.is_object() || v.is_array();
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, v)| format!("{name}{}\n", if is_nested(v) { "/" } else { "" }))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, v)| match v["name"].as_str() {
                Some(name) => format!("{i}={name}\n"),
                None => format!("{i}{}\n", if is_nested(v) { "/" } else { "" }),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measured on a real server: 3 s took 4.95 s, 10 s took 14.96 s, 30 s took 35 s.
    #[test]
    fn a_long_poll_is_over_on_the_tick_after_its_time() {
        let tick = Duration::from_secs(5);
        for (asked, began, over) in [(3_000, 50, 5), (10_000, 40, 15), (30_000, 0, 35)] {
            let end = next_tick_after(Duration::from_millis(began + asked), tick);
            assert_eq!(end, Duration::from_secs(over));
        }
    }
}
