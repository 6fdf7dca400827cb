//! What the simulated service remembers: its zones, what was asked of it, what is to go wrong.

use super::Options;
use super::account::Account;
use super::fault::{Fault, Faults};
use super::record::Change;
use super::service::Operation;
use super::zone::Zone;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::lock::lock;

/// What became of a request.
#[derive(Debug, Clone)]
pub struct RequestRecord {
    /// When its last byte had been read.
    pub at: Instant,
    /// When it had been dealt with.
    pub done: Instant,
    /// `None` if it was meant for none that exists.
    pub operation: Option<Operation>,
    /// The id of the zone that it names.
    pub zone: Option<String>,
    /// What IAM policies call that which it is about: an ARN, or `*`.
    pub resource: String,
    /// 0 if no answer was sent.
    pub status: u16,
    /// The error code that it was answered with.
    pub code: Option<String>,
    /// The key that it claims to be signed with.
    pub access_key: Option<String>,
    /// Whether it changed the zone, whatever it was answered.
    pub applied: bool,
    /// As AWS counts them: the following three count an UPSERT as two.
    pub changes: usize,
    pub resource_records: usize,
    pub characters: usize,
    /// The change batch, if it could be read.
    pub batch: Option<Vec<Change>>,
    /// What was made to go wrong with it.
    pub fault: Option<Fault>,
    /// Still encoded.
    pub query: String,
}

/// A zone has changed.
pub struct Written<'a> {
    pub before: &'a Zone,
    pub after: &'a Zone,
    /// The change batch that was applied; `None` if it was an edit behind the API's back.
    pub batch: Option<&'a [Change]>,
    /// The key that the batch was signed with.
    pub by: Option<&'a str>,
    /// Every request that was handled before.
    pub requests: &'a [RequestRecord],
}

/// Called whenever a zone has changed.
pub(super) type Observer = Box<dyn FnMut(&Written<'_>) + Send>;

/// A batch that was accepted.
pub(super) struct Submitted {
    pub accepted: Instant,
    pub submitted: SystemTime,
    pub comment: Option<String>,
}

/// Everything behind the lock.
pub struct State {
    pub(super) options: Options,
    pub(super) account: Arc<Account>,
    pub(super) zones: BTreeMap<String, Zone>,
    pub(super) requests: Vec<RequestRecord>,
    pub(super) in_flight: Vec<Operation>,
    pub(super) faults: Faults,
    pub(super) observers: Vec<Observer>,
    pub(super) changes: BTreeMap<String, Submitted>,
    /// Zones with a batch being applied.
    pub(super) busy: BTreeSet<String>,
    next_id: u64,
}

impl State {
    /// Every request that has been handled, in the order in which that was done.
    pub fn requests(&self) -> &[RequestRecord] {
        &self.requests
    }

    /// How many requests for this operation have come in but are not handled yet.
    pub fn in_flight(&self, operation: Operation) -> usize {
        self.in_flight.iter().filter(|&&o| o == operation).count()
    }

    pub fn zone(&self, id: &str) -> Option<&Zone> {
        self.zones.get(id)
    }

    pub fn zones(&self) -> impl Iterator<Item = &Zone> {
        self.zones.values()
    }

    /// Changes what the account has besides record sets, for all its zones.
    pub(super) fn change_account(&mut self, f: impl FnOnce(&mut Account)) {
        let account = Arc::make_mut(&mut self.account);
        f(account);
        account.hosted_zones = self.zones.keys().cloned().collect();
        for zone in self.zones.values_mut() {
            zone.account = self.account.clone();
        }
    }

    /// A zone as it is now, for [`State::tell`]; `None` if nobody wants to know.
    pub(super) fn remember(&self, zone_id: &str) -> Option<Zone> {
        let is_watched = !self.observers.is_empty();
        is_watched.then(|| self.zones.get(zone_id).cloned())?
    }

    /// Tells the observers that a batch was applied, or that an edit is over, if it changed
    /// anything.
    pub(super) fn tell(
        &mut self,
        before: Option<Zone>,
        batch: Option<&[Change]>,
        by: Option<&str>,
    ) {
        let Some(before) = before else { return };
        let Some(after) = self.zones.get(&before.id) else {
            return;
        };
        if batch.is_none() && before == *after {
            return;
        }
        let written = Written {
            before: &before,
            after,
            batch,
            by,
            requests: &self.requests,
        };
        for observe in &mut self.observers {
            observe(&written);
        }
    }

    /// A number that wasn't given out before.
    pub(super) fn fresh(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

/// The state and those who wait for it to change.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    pub fn new(options: Options) -> Shared {
        Shared {
            state: Mutex::new(State {
                options,
                account: Arc::default(),
                zones: BTreeMap::new(),
                requests: Vec::new(),
                in_flight: Vec::new(),
                faults: Faults::default(),
                observers: Vec::new(),
                changes: BTreeMap::new(),
                busy: BTreeSet::new(),
                next_id: 0,
            }),
            changed: Condvar::new(),
        }
    }

    /// A test that failed under the lock has said so already; the others go on.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Does something under the lock, then wakes those who wait.
    pub fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        let result = f(&mut self.lock());
        self.changed.notify_all();
        result
    }

    pub fn wait_until(&self, timeout: Duration, mut cond: impl FnMut(&State) -> bool) -> bool {
        let (_state, waited) = self
            .changed
            .wait_timeout_while(self.lock(), timeout, |state| !cond(state))
            .unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out()
    }
}
