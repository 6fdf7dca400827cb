//! What both servers share: the world and its version, what came in, and the faults to show.

use super::world::World;
use super::{Options, world};
use crate::http::{Reply, Response};
use crate::lock::lock;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One request to the metadata server, noted when it arrives.
#[derive(Debug, Clone)]
pub struct MetadataRequest {
    pub at: Instant,
    /// As sent, with the API version: `/2015-12-19/services`.
    pub path: String,
    pub query: String,
    /// It was held back, as a long poll whose `value` is the current version.
    pub waited: bool,
    /// `None` until it is answered, and for ever if what was sent isn't HTTP.
    pub status: Option<u16>,
    pub(super) is_open: bool,
    pub(super) id: u64,
}

/// One request to the API, events included, noted when it arrives.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    pub at: Instant,
    pub method: String,
    pub path: String,
    /// As in [`MetadataRequest`].
    pub status: Option<u16>,
    pub(super) id: u64,
}

/// One POST of an event; a field that it lacked is empty.
#[derive(Debug, Clone)]
pub struct Event {
    pub at: Instant,
    pub service: String,
    pub stack: String,
    pub fqdn: String,
    pub external_id: String,
    /// With which it was sent; `None` if it is none of ours.
    pub access_key: Option<String>,
    /// As in [`MetadataRequest`].
    pub status: Option<u16>,
    pub outcome: Outcome,
    pub(super) id: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Not accepted: invalid, unauthorised, or a fault was shown instead.
    Refused,
    /// Accepted, not handled yet.
    Accepted,
    /// Accepted and dropped without a word: nothing of that name, or [`Fault::LoseEvent`].
    Dropped,
    /// The service has this fqdn now.
    Applied,
}

/// Something else than the proper answer. Shown as soon as the request is there: a long poll
/// with a fault doesn't wait first, except with [`Fault::Delay`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status, with a few words of text. Nothing is done.
    Status(u16),
    /// The connection is closed without a byte. Nothing is done.
    Drop,
    /// So many bytes of the proper answer's body, then the connection is closed. An event is
    /// accepted.
    Cut(usize),
    /// 200 with this text. Nothing is done.
    Body(String),
    /// Bytes that aren't HTTP. Nothing is done.
    Garbage,
    /// Silence. Nothing is done.
    Hang(Duration),
    /// 302 to there. Nothing is done.
    Redirect(String),
    /// The proper answer, well-formed, with blanks behind it up to so many bytes of body. An event
    /// is accepted.
    HugeBody(usize),
    /// The event is answered properly and then forgotten. Fits events only.
    LoseEvent,
    /// The proper answer, made at once and sent this much later, or when faults are cleared:
    /// it may be old by then.
    Delay(Duration),
}

/// For which requests a fault is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The path behind the API version, or all.
    Metadata(Option<String>),
    Api,
    Events,
}

/// The inside of the simulated Rancher at one moment.
pub struct State {
    pub(super) world: Arc<World>,
    /// Counts the changes of the world, for what is rendered from it.
    pub(super) revision: u64,
    version: String,
    serial: u64,
    pub(super) is_loaded: bool,
    /// Counts how often metadata's connections were closed: those who wait compare it.
    pub(super) epoch: u64,
    pub(super) is_forbidden: bool,
    pub(super) is_ending: bool,
    pub(super) metadata_requests: Vec<MetadataRequest>,
    pub(super) api_requests: Vec<ApiRequest>,
    pub(super) events: Vec<Event>,
    pub(super) queue: VecDeque<Queued>,
    pub(super) faults: Vec<(Target, Fault, usize)>,
    shown_by_metadata: Vec<Fault>,
    shown_by_api: Vec<Fault>,
    /// Counts how often faults were cleared, which ends delays.
    pub(super) clearings: u64,
    delayed: usize,
    last_id: u64,
}

/// An accepted event that is yet to be handled.
pub(super) struct Queued {
    pub due: Instant,
    pub id: u64,
    pub stack: String,
    pub service: String,
    pub fqdn: String,
    pub is_lost: bool,
}

impl State {
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The bare text of `/version`.
    pub fn version(&self) -> &str {
        &self.version
    }

    pub fn metadata_requests(&self) -> &[MetadataRequest] {
        &self.metadata_requests
    }

    pub fn api_requests(&self) -> &[ApiRequest] {
        &self.api_requests
    }

    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Whether the request that came last is a long poll for another version than the present
    /// one, and is being held back: whoever asked has seen all there is.
    pub fn is_polled(&self) -> bool {
        let last = self.metadata_requests.last();
        last.is_some_and(|r| self.is_held(r))
    }

    /// How many such long polls there are.
    pub fn polls(&self) -> usize {
        self.metadata_requests
            .iter()
            .filter(|r| self.is_held(r))
            .count()
    }

    fn is_held(&self, request: &MetadataRequest) -> bool {
        // A poll for an older version may not have noticed yet that it is over.
        let is_current = request.query.contains(&format!("value={}", self.version));
        request.waited && request.is_open && is_current
    }

    /// How many answers are made already, but held back by [`Fault::Delay`].
    pub fn delayed(&self) -> usize {
        self.delayed
    }

    /// How many requests were shown a fault.
    pub fn faults_shown(&self) -> usize {
        self.shown_by_metadata.len() + self.shown_by_api.len()
    }

    /// Those that metadata has shown.
    pub fn shown_by_metadata(&self) -> &[Fault] {
        &self.shown_by_metadata
    }

    /// Those that the API has shown.
    pub fn shown_by_api(&self) -> &[Fault] {
        &self.shown_by_api
    }

    pub(super) fn world_mut(&mut self) -> &mut World {
        self.revision += 1;
        Arc::make_mut(&mut self.world)
    }

    /// The answers are made anew, of the same world.
    pub(super) fn reload(&mut self) {
        self.revision += 1;
        self.new_version();
    }

    pub(super) fn new_version(&mut self) {
        self.serial += 1;
        self.version = world::uuid(&format!("version {}", self.serial));
    }

    pub(super) fn new_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn metadata_request(&mut self, id: u64) -> Option<&mut MetadataRequest> {
        self.metadata_requests.iter_mut().rfind(|r| r.id == id)
    }

    pub(super) fn event(&mut self, id: u64) -> Option<&mut Event> {
        self.events.iter_mut().rfind(|e| e.id == id)
    }

    /// The first fault that fits, once less from now on.
    pub(super) fn take_fault(&mut self, fits: impl Fn(&Target, &Fault) -> bool) -> Option<Fault> {
        let at = self.faults.iter().position(|(t, f, _)| fits(t, f))?;
        let (target, fault, times) = &mut self.faults[at];
        let fault = fault.clone();
        let shown = match target {
            Target::Metadata(_) => &mut self.shown_by_metadata,
            Target::Api | Target::Events => &mut self.shown_by_api,
        };
        shown.push(fault.clone());
        if *times != usize::MAX {
            *times -= 1;
            if *times == 0 {
                self.faults.remove(at);
            }
        }
        Some(fault)
    }
}

pub(super) struct Shared {
    pub options: Options,
    /// The ticks of the metadata server count from here.
    pub started: Instant,
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    pub fn new(options: Options, world: World) -> Shared {
        let mut state = State {
            world: Arc::new(world),
            revision: 0,
            version: String::new(),
            serial: 0,
            is_loaded: true,
            epoch: 0,
            is_forbidden: false,
            is_ending: false,
            metadata_requests: Vec::new(),
            api_requests: Vec::new(),
            events: Vec::new(),
            queue: VecDeque::new(),
            faults: Vec::new(),
            shown_by_metadata: Vec::new(),
            shown_by_api: Vec::new(),
            clearings: 0,
            delayed: 0,
            last_id: 0,
        };
        state.new_version();
        Shared {
            options,
            started: Instant::now(),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// To look, not to change: nobody is woken. A test that panicked with the state in its
    /// hands must not hide why by poisoning it.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Changes the state and wakes whoever waits for a change.
    pub fn update<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        let result = f(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Gives the state away until it changes or that moment comes; `None`: until it changes.
    pub fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        until: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        match until {
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                let waited = self.changed.wait_timeout(state, left);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => {
                let waited = self.changed.wait(state);
                waited.unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    /// The reply that shows a fault; `proper` makes the answer that would have been given.
    pub fn reply(&self, fault: Option<Fault>, proper: impl FnOnce() -> Reply) -> Reply {
        const TEXT: &str = "text/plain; charset=utf-8";
        match fault {
            None | Some(Fault::LoseEvent) => proper(),
            Some(Fault::Status(status)) => {
                Reply::Send(Response::new(status, TEXT, "a simulated fault\n"))
            }
            Some(Fault::Drop) => Reply::Drop,
            Some(Fault::Cut(length)) => match proper() {
                Reply::Send(response) => Reply::Cut(response, length),
                other => other,
            },
            Some(Fault::Body(text)) => Reply::Send(Response::new(200, TEXT, text)),
            Some(Fault::Garbage) => Reply::Raw(b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n".to_vec()),
            Some(Fault::Hang(longest)) => Reply::Hang(longest),
            Some(Fault::Redirect(to)) => {
                Reply::Send(Response::new(302, TEXT, "").with_header("Location", &to))
            }
            Some(Fault::HugeBody(length)) => match proper() {
                Reply::Send(mut response) => {
                    let body = Arc::make_mut(&mut response.body);
                    // `resize` would take a second for 100 MB without optimisation.
                    body.extend(" ".repeat(length.saturating_sub(body.len())).as_bytes());
                    Reply::Send(response)
                }
                other => other,
            },
            Some(Fault::Delay(time)) => {
                let reply = proper();
                self.pause(time);
                reply
            }
        }
    }

    /// Waits, but not beyond the clearing of faults or the end of the simulation.
    fn pause(&self, time: Duration) {
        let end = Instant::now() + time;
        let clearings = self.update(|state| {
            state.delayed += 1;
            state.clearings
        });
        let mut state = self.lock();
        while !state.is_ending && state.clearings == clearings && Instant::now() < end {
            state = self.wait(state, Some(end));
        }
        drop(state);
        self.update(|state| state.delayed -= 1);
    }
}

/// The status of an answer, if it is one.
pub(super) fn status_of(reply: &Reply) -> Option<u16> {
    match reply {
        Reply::Send(response) | Reply::Cut(response, _) => Some(response.status),
        Reply::Drop | Reply::Raw(_) | Reply::Hang(_) => None,
    }
}
