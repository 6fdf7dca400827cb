//! A simulated Rancher: the metadata server and the API, each on a port of its own, over one
//! world that tests change as a user of Rancher would.
//!
//! `world` is the model, `render` its JSON, `metadata` and `api` the two servers, `state` what
//! they share; [`Rancher`] is the handle.

pub(crate) mod api;
mod metadata;
pub mod render;
mod state;
pub mod world;

pub use metadata::VERSION;
pub use state::{ApiRequest, Event, Fault, MetadataRequest, Outcome, State};
pub use world::{Container, Host, OWN_SERVICE, OWN_STACK, Service, World};

use crate::port::Port;
use state::{Shared, Target};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Debug, Clone)]
pub struct Options {
    /// How often metadata looks for long polls that are over; 5 s on a real server.
    pub tick: Duration,
    /// How long a second of `maxWait` lasts; 1 s unless a test is in a hurry.
    pub second: Duration,
    pub access_key: String,
    /// Another one that is as good, so that a test can tell who has sent an event.
    pub second_access_key: Option<String>,
    pub secret_key: String,
    /// `/v1`, `/v2-beta`, or either with `/projects/1a5` behind it. No other is served.
    pub api_base: String,
    /// Whether the schemas document has `externalDnsEvent`.
    pub schema_has_event: bool,
    /// The collection's name behind `api_base`, as the schema links it.
    pub event_collection: String,
    /// Between an event's answer and its effect.
    pub event_delay: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            tick: Duration::from_secs(5),
            second: Duration::from_secs(1),
            access_key: "9F3A1C6B2E8D4075A1B2".into(),
            second_access_key: None,
            secret_key: "rSz3kDq8VwYp1XnB6tLhGm4CeJ7fUa2QoT9iRb5d".into(),
            api_base: "/v2-beta".into(),
            schema_has_event: true,
            event_collection: "externaldnsevents".into(),
            event_delay: Duration::from_millis(5),
        }
    }
}

/// A running simulation. Dropping it ends it.
pub struct Rancher {
    shared: Arc<Shared>,
    answers: Arc<metadata::Metadata>,
    metadata: Port,
    api: Port,
    worker: Option<thread::JoinHandle<()>>,
}

impl Rancher {
    /// Starts both servers, each on a free loopback port.
    pub fn start(options: Options, world: World) -> Rancher {
        let shared = Arc::new(Shared::new(options, world));
        let answers = Arc::new(metadata::Metadata {
            shared: shared.clone(),
            rendered: Mutex::new(HashMap::new()),
        });
        let metadata = Port::open(answers.clone());
        let api = Port::open(Arc::new(api::Api {
            shared: shared.clone(),
        }));
        let worker = thread::spawn({
            let shared = shared.clone();
            move || api::handle_events(&shared)
        });
        Rancher {
            shared,
            answers,
            metadata,
            api,
            worker: Some(worker),
        }
    }

    /// What the program is given: `http://127.0.0.1:<port>/2015-12-19`.
    pub fn metadata_url(&self) -> String {
        format!("http://{}/{VERSION}", self.metadata.address())
    }

    /// What the program is given: `http://127.0.0.1:<port>/v2-beta`, or another base.
    pub fn api_url(&self) -> String {
        format!("{}{}", self.api_root(), self.options().api_base)
    }

    /// The API's address without any path.
    pub fn api_root(&self) -> String {
        format!("http://{}", self.api.address())
    }

    pub fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Changes the world: metadata has a new version, and the long polls return.
    pub fn change<R>(&self, f: impl FnOnce(&mut World) -> R) -> R {
        self.shared.update(|state| {
            let result = f(state.world_mut());
            state.new_version();
            result
        })
    }

    /// The same, but the new version comes only when its answers are made, as on a real server,
    /// and the moment at which it came is returned. For when time is measured: here answers are
    /// otherwise made when they are asked for.
    pub fn change_prepared(&self, f: impl FnOnce(&mut World)) -> Instant {
        self.shared.update(|state| f(state.world_mut()));
        self.prepare();
        self.shared.update(|state| {
            state.new_version();
            Instant::now()
        })
    }

    /// Makes the answers that the present world needs, before somebody asks for them.
    pub fn prepare(&self) {
        self.answers.prepare();
    }

    /// A new version of metadata without any change, save in the order of its lists.
    pub fn bump(&self) {
        self.shared.update(State::reload);
    }

    /// A copy of the world as it is now.
    pub fn world(&self) -> World {
        World::clone(self.shared.lock().world())
    }

    /// The bare text of `/version`.
    pub fn version(&self) -> String {
        self.shared.lock().version().to_owned()
    }

    /// The fqdn that Rancher has for a primary service.
    pub fn fqdn(&self, stack: &str, service: &str) -> Option<String> {
        let state = self.shared.lock();
        state.world().service(stack, service)?.fqdn.clone()
    }

    /// Waits until this is so; false if it hasn't come about in time. Looked at on every
    /// request, answer, event and change.
    pub fn wait_until(&self, timeout: Duration, mut cond: impl FnMut(&State) -> bool) -> bool {
        let end = Instant::now() + timeout;
        let mut state = self.shared.lock();
        loop {
            if cond(&state) {
                return true;
            }
            if Instant::now() >= end {
                return false;
            }
            state = self.shared.wait(state, Some(end));
        }
    }

    /// Waits until a long poll is being held back: the program has seen all there is to see.
    pub fn wait_until_polled(&self, timeout: Duration) -> bool {
        self.wait_until(timeout, State::is_polled)
    }

    pub fn metadata_requests(&self) -> Vec<MetadataRequest> {
        self.shared.lock().metadata_requests.clone()
    }

    pub fn api_requests(&self) -> Vec<ApiRequest> {
        self.shared.lock().api_requests.clone()
    }

    /// Every event that was posted, whatever became of it.
    pub fn events(&self) -> Vec<Event> {
        self.shared.lock().events.clone()
    }

    /// Forgets the requests and events so far; those in progress still take effect.
    pub fn clear_requests(&self) {
        self.shared.update(|state| {
            state.metadata_requests.clear();
            state.api_requests.clear();
            state.events.clear();
        });
    }

    /// As a metadata server that has just been restarted and has no data yet: connections are
    /// closed, and every dated path answers 404, also to a long poll.
    pub fn unload(&self) {
        self.shared.update(|state| state.is_loaded = false);
        self.restart_metadata();
    }

    /// The data is there, in a new version.
    pub fn load(&self) {
        self.shared.update(|state| {
            state.is_loaded = true;
            state.reload();
        });
    }

    /// Closes all connections, and comes back with a new version.
    pub fn restart_metadata(&self) {
        self.stop_metadata();
        self.bump();
        self.start_metadata();
    }

    /// Closes the port and all connections.
    pub fn stop_metadata(&self) {
        self.shared.update(|state| state.epoch += 1);
        self.metadata.close();
    }

    /// Opens the port again, at the same address.
    pub fn start_metadata(&self) {
        self.metadata.open_again();
    }

    /// Closes the port and all connections. What was accepted is still handled.
    pub fn stop_api(&self) {
        self.api.close();
    }

    /// Opens the port again, at the same address.
    pub fn start_api(&self) {
        self.api.open_again();
    }

    /// Whether the keys, though right, get 403 from the API.
    pub fn set_forbidden(&self, forbidden: bool) {
        self.shared.update(|state| state.is_forbidden = forbidden);
    }

    /// Shows a fault to the next so many requests (`usize::MAX`: until cleared) for a path
    /// behind the API version (`version`, `services`, `hosts`, `self/stack`), or for any.
    /// Faults injected for the same request come one after the other.
    pub fn inject_metadata(&self, path: Option<&str>, fault: Fault, times: usize) {
        self.inject(Target::Metadata(path.map(str::to_owned)), fault, times);
    }

    /// Shows a fault to the next so many requests to the API, of any kind.
    pub fn inject_api(&self, fault: Fault, times: usize) {
        self.inject(Target::Api, fault, times);
    }

    /// Shows a fault to the next so many events only.
    pub fn inject_events(&self, fault: Fault, times: usize) {
        self.inject(Target::Events, fault, times);
    }

    /// No more faults; answers that are being delayed are sent now.
    pub fn clear_faults(&self) {
        self.shared.update(|state| {
            state.faults.clear();
            state.clearings += 1;
        });
    }

    fn inject(&self, target: Target, fault: Fault, times: usize) {
        if times > 0 {
            let fault = (target, fault, times);
            self.shared.update(|state| state.faults.push(fault));
        }
    }
}

impl Drop for Rancher {
    fn drop(&mut self) {
        self.shared.update(|state| {
            state.is_ending = true;
            state.epoch += 1;
        });
        if let Some(worker) = self.worker.take() {
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
mod tests;
