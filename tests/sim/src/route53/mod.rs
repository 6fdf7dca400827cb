//! A simulated Amazon Route 53: hosted zones behind its REST API, as strict as the real one.
//!
//! ```text
//! request ─ service ─┬─ auth      signature, credentials, permissions (policy)
//!                    ├─ throttle  the account's token buckets
//!                    ├─ fault     what a test wants to go wrong
//!                    ├─ request   the body's XML → changes (schema)
//!                    ├─ account   health checks, load balancers: what record sets refer to
//!                    ├─ zone, listing, batch  pure: what a zone holds, shows and takes
//!                    │    ├─ single, alias, neighbours  the rules on record sets
//!                    │    └─ record, place, name, value, model  the vocabulary
//!                    └─ xml       the answer
//! ```
//!
//! A test starts one with [`Route53::start`], points a client at [`Route53::url`] and looks at
//! what came of it, or plays the part of someone else at work in the zone ([`Route53::edit`]).

mod account;
mod alias;
pub(crate) mod auth;
mod batch;
mod builders;
pub(crate) mod clock;
mod error;
mod every_kind;
mod fault;
mod listing;
mod model;
mod name;
mod neighbours;
mod place;
mod policy;
mod record;
mod request;
mod schema;
mod service;
mod single;
mod state;
mod throttle;
mod value;
mod xml;
mod zone;

pub use account::Account;
pub use auth::Credential;
pub use error::ApiError;
pub use every_kind::every_kind;
pub use fault::Fault;
pub use listing::{IdentifierOrder, ListQuery, Page};
pub use name::{canonical as canonical_name, reversed as reversed_name};
pub use place::{CidrRouting, Coordinates, GeoLocation, GeoProximity};
pub use policy::Policy;
pub use record::{Action, Alias, Change, RecordSet};
pub use schema::Order;
pub use service::Operation;
pub use state::{RequestRecord, State, Written};
pub use throttle::{AccountBuckets, Limit, TokenBucket};
pub use zone::Zone;

use crate::http::Handler;
use crate::port::Port;
use service::Service;
use state::Shared;
use std::sync::Arc;
use std::time::Duration;

/// How the service behaves.
#[derive(Debug, Clone)]
pub struct Options {
    pub credentials: Vec<Credential>,
    /// The region that requests must be signed for.
    pub region: String,
    /// What every request takes. A batch keeps its zone busy for so long.
    pub latency: Duration,
    /// The account's limits; without them there are none. Several services can share them.
    pub buckets: Option<Arc<AccountBuckets>>,
    /// Answer `InvalidChangeBatch` as an `ErrorResponse` with its messages in brackets.
    pub old_error_form: bool,
    /// Whether a change request's elements must stand in the order of the API's model.
    pub element_order: Order,
    /// Seconds by which the service's clock is ahead of ours.
    pub clock_offset: i64,
    /// How long a change is PENDING.
    pub insync_after: Duration,
    /// The quota of zones added from now on.
    pub record_set_limit: usize,
    /// How zones added from now on are listed.
    pub identifier_order: IdentifierOrder,
    /// What is answered to a health check that doesn't exist.
    pub no_health_check: NoHealthCheck,
}

/// How a batch with a health check that doesn't exist is refused. The API's model has both codes among
/// the errors, and which one the live service gives, in which words, isn't known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoHealthCheck {
    /// `NoSuchHealthCheck`, with the id.
    #[default]
    Named,
    /// `NoSuchHealthCheck` in the words of the API's reference, which has no id.
    Unnamed,
    /// `InvalidChangeBatch`, with the id.
    InBatch,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            credentials: vec![Credential::default()],
            region: "us-east-1".to_owned(),
            latency: Duration::ZERO,
            buckets: None,
            old_error_form: false,
            element_order: Order::Model,
            clock_offset: 0,
            insync_after: Duration::ZERO,
            record_set_limit: 10_000,
            identifier_order: IdentifierOrder::default(),
            no_health_check: NoHealthCheck::default(),
        }
    }
}

/// The credentials that a service takes, for whoever issues some.
#[derive(Clone)]
pub struct Keyring(Arc<Shared>);

impl Keyring {
    /// From now on these are valid too.
    pub fn add(&self, credential: Credential) {
        self.0
            .with(|state| state.options.credentials.push(credential));
    }
}

/// A running simulated Route 53. Dropping it closes its port and every connection.
pub struct Route53 {
    shared: Arc<Shared>,
    port: Port,
}

impl Route53 {
    /// Starts one on a free port of the loopback interface, over plain HTTP and without zones.
    pub fn start(options: Options) -> Route53 {
        let shared = Arc::new(Shared::new(options));
        let port = Port::open(Arc::new(Service {
            shared: shared.clone(),
        }));
        Route53 { shared, port }
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        self.port.url()
    }

    /// What answers the requests, to be put behind another front, such as one with TLS.
    pub fn handler(&self) -> Arc<dyn Handler> {
        self.port.handler()
    }

    /// Takes the server off the network: connections are closed, and new ones refused.
    pub fn go_down(&self) {
        self.port.close();
    }

    /// Brings it back at the address it had, with the zones it had.
    pub fn come_up(&self) {
        self.port.open_again();
    }

    /// Adds a zone that holds nothing but its SOA and NS record sets.
    ///
    /// # Panics
    /// If DNS can't hold the name.
    pub fn add_zone(&self, id: &str, name: &str, private: bool) {
        let mut zone = Zone::new(name).with_id(id);
        zone.private = private;
        self.shared.with(|state| {
            zone.record_set_limit = state.options.record_set_limit;
            zone.identifier_order = state.options.identifier_order;
            state.zones.insert(id.to_owned(), zone);
            state.change_account(|_| ());
        });
    }

    /// Deletes a zone, and at the same instant has the one that is made of it: somebody has made it
    /// anew. Those who watch are not told.
    ///
    /// # Panics
    /// If there is no such zone.
    pub fn replace_zone(&self, id: &str, f: impl FnOnce(&Zone) -> Zone) {
        self.shared.with(|state| {
            let old = state.zones.remove(id).expect("a zone that was added");
            let mut zone = f(&old);
            zone.record_set_limit = old.record_set_limit;
            zone.identifier_order = old.identifier_order;
            let account = zone.account.clone();
            state.zones.insert(zone.id.clone(), zone);
            state.change_account(|mine| mine.extend(&account));
        });
    }

    /// Deletes a zone with all that is in it.
    pub fn remove_zone(&self, id: &str) {
        self.shared.with(|state| {
            state.zones.remove(id);
            state.change_account(|_| ());
        });
    }

    /// Does something to a zone behind the API's back, under the lock: someone else at work.
    ///
    /// # Panics
    /// If there is no such zone.
    pub fn edit<R>(&self, zone_id: &str, f: impl FnOnce(&mut Zone) -> R) -> R {
        self.shared.with(|state| {
            let before = state.remember(zone_id);
            let zone = state.zones.get_mut(zone_id).expect("a zone that was added");
            let result = f(zone);
            let account = zone.account.clone();
            if !Arc::ptr_eq(&account, &state.account) {
                state.change_account(|mine| *mine = (*account).clone());
            }
            state.tell(before, None, None);
            result
        })
    }

    /// From now on there is a health check of this id, which record sets can refer to.
    pub fn add_health_check(&self, id: &str) {
        self.account(|account| account.add_health_check(id));
    }

    /// Deletes a health check. Record sets that refer to it stay as they are.
    pub fn remove_health_check(&self, id: &str) {
        self.account(|account| account.remove_health_check(id));
    }

    /// From now on there is a load balancer or the like of this name, and an alias of it has to
    /// name this zone of AWS.
    ///
    /// # Panics
    /// If DNS can't hold the name.
    pub fn add_alias_target(&self, dns_name: &str, hosted_zone_id: &str) {
        self.account(|account| account.add_alias_target(dns_name, hosted_zone_id));
    }

    fn account(&self, f: impl FnOnce(&mut Account)) {
        self.shared.with(|state| state.change_account(f));
    }

    /// All of a zone, ordered by reversed name, type and set identifier.
    ///
    /// # Panics
    /// If there is no such zone.
    pub fn record_sets(&self, zone_id: &str) -> Vec<RecordSet> {
        let state = self.shared.lock();
        let zone = state.zone(zone_id).expect("a zone that was added");
        zone.record_sets().cloned().collect()
    }

    /// Every request since the start or [`Route53::clear_requests`], in the order handled.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.shared.lock().requests.clone()
    }

    pub fn clear_requests(&self) {
        self.shared.lock().requests.clear();
    }

    /// Lets this happen to the next so many requests, of this operation or of any. Only those
    /// that are signed properly, allowed and not throttled meet it.
    pub fn inject(&self, operation: Option<Operation>, fault: Fault, times: usize) {
        self.shared.lock().faults.inject(operation, fault, times);
    }

    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// Waits until the condition holds, and says whether it came to that. It is tried now, when
    /// a request comes in, when one has been handled and when a zone has been edited.
    pub fn wait_until(&self, timeout: Duration, cond: impl FnMut(&State) -> bool) -> bool {
        self.shared.wait_until(timeout, cond)
    }

    /// Calls this after each batch that was applied, with the zone and its id. That is done
    /// under the lock, so it can't call this handle; it should note what it sees, not fail.
    pub fn observe(&self, mut f: impl FnMut(&Zone, &str) + Send + 'static) {
        self.watch(move |written| {
            if written.batch.is_some() {
                f(written.after, &written.after.id);
            }
        });
    }

    /// Calls this after each batch that was applied and each edit that changed something. As
    /// with [`Route53::observe`], under the lock.
    pub fn watch(&self, f: impl FnMut(&Written<'_>) + Send + 'static) {
        self.shared.lock().observers.push(Box::new(f));
    }

    /// From now on these are valid, and no others.
    pub fn rotate_credentials(&self, credentials: Vec<Credential>) {
        self.configure(|options| options.credentials = credentials);
    }

    /// Where others can make credentials known to this service.
    pub fn keyring(&self) -> Keyring {
        Keyring(self.shared.clone())
    }

    /// Changes how the service behaves from now on.
    pub fn configure(&self, f: impl FnOnce(&mut Options)) {
        self.shared.with(|state| f(&mut state.options));
    }
}

#[cfg(test)]
mod tests;
