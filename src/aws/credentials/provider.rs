//! Keeps credentials, and renews them before they expire.
//!
//! Renewing means asking servers that may be slow or unreachable, while the old credentials are
//! still valid. So it is done in the background, on a thread for this one attempt. The call that
//! notices that renewing is due signs with the old credentials, and a later call gets the new ones.
//! A call waits for new credentials only if there are no valid ones. Where expired ones are still used
//! (see [`Chain::outlives_expiry`]), it also waits every few minutes, and whenever AWS refuses them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use super::chain::Chain;
use super::refresh::{self, Step};
use super::{CredentialSettings, Granted, NoCredentials};
use crate::aws::clock::Clock;
use crate::aws::sigv4::Credentials;
use crate::base::backoff;
use crate::base::counters::OK;
use crate::base::dependency::Dependency;
use crate::base::identifiers::masked;
use crate::base::log;
use crate::base::recorder::Recorder;
use crate::base::threads::{self, DEFAULT_STACK};
use crate::net::http::Http;

/// The result of an attempt to fetch credentials.
type Fetched = Result<CachedCredentials, NoCredentials>;

/// Gives credentials before each call.
pub struct Provider {
    chain: Arc<Chain>,
    clock: Clock,
    cached: Option<CachedCredentials>,
    /// Receives the result of an attempt in the background.
    renewal: Option<Receiver<Fetched>>,
    /// When the last attempt in the background was started.
    renewal_started: Option<Instant>,
    /// The worst that was logged as a warning since there were valid credentials.
    warned: Option<Trouble>,
    recorder: Recorder,
}

/// What is wrong with the credentials in use, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    /// They could not be renewed yet, and expire soon.
    ExpireSoon,
    /// They have expired, and are used all the same.
    Expired,
    /// AWS refuses them, and there are no others.
    Refused,
}

/// The identity to which the credentials in use belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Access key id.
    pub access_key_id: String,
    /// Name of the source.
    pub source: &'static str,
    /// ARN, such as `arn:aws:iam::123456789012:user/name`, or why STS does not tell it.
    pub arn: Result<String, NoCredentials>,
}

struct CachedCredentials {
    granted: Granted,
    /// When they were fetched or extended.
    fetched: Instant,
    /// For how long from then on they are used although they have expired.
    extension: Duration,
}

/// Fetches credentials once, and records for metrics and status page whether that worked.
fn attempt(chain: &Chain, recorder: &Recorder) -> Fetched {
    let started = Instant::now();
    let granted = chain.fetch();
    let fetched = Instant::now();
    // The status page is open to others, too; the log has the whole error.
    let error = granted.as_ref().err().map(|error| masked(&error.message));
    if !chain.is_fixed() {
        let code = if error.is_some() { "failed" } else { OK };
        recorder.call("credentials", chain.name(), code, started);
    }
    recorder.dependency(Dependency::Credentials, error);
    Ok(CachedCredentials {
        granted: granted?,
        fetched,
        extension: first_extension(chain),
    })
}

/// For how long credentials are used that have expired when they are fetched. Those that may be used for
/// longer are asked for again before, and extended then.
fn first_extension(chain: &Chain) -> Duration {
    match chain.outlives_expiry() {
        true => Duration::ZERO,
        false => refresh::MIN_INTERVAL,
    }
}

impl Provider {
    /// Makes a provider that has fetched nothing yet. `http` may use a proxy, `local_http` must
    /// not.
    pub fn new(
        settings: CredentialSettings,
        http: Http,
        local_http: Http,
        recorder: Recorder,
    ) -> Provider {
        let clock = Clock::default();
        Provider {
            chain: Arc::new(Chain::new(settings, http, local_http, clock.clone())),
            clock,
            cached: None,
            renewal: None,
            renewal_started: None,
            warned: None,
            recorder,
        }
    }

    /// The clock by which credentials expire. Signatures have to use it as well.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Credentials to sign with now. Fetches them if there are no valid ones.
    pub fn get(&mut self) -> Result<Credentials, NoCredentials> {
        self.collect_renewal();
        match self.step() {
            Some(Step::Use) => self.forget_expiry(),
            Some(Step::UseAndRenew) => self.start_renewal(),
            Some(Step::Renew) => {
                if let Err(error) = self.fetch() {
                    self.fall_back_to_cached(error)?;
                }
            }
            None => self.fetch()?,
        }
        match &self.cached {
            Some(cached) => Ok(cached.granted.credentials.clone()),
            None => Err(NoCredentials::retryable("no AWS credentials were fetched")),
        }
    }

    /// Starts renewing the credentials in the background if that is due. Called regularly, so that
    /// credentials stay valid while there are no calls.
    pub fn keep_fresh(&mut self) {
        self.collect_renewal();
        let is_due = match self.step() {
            Some(Step::UseAndRenew) => true,
            Some(Step::Renew) => self.chain.outlives_expiry(),
            Some(Step::Use) | None => false,
        };
        if is_due {
            self.start_renewal();
        }
    }

    /// Goes on with cached credentials that have expired, if AWS may take them all the same: because
    /// its clock differs from this system's, or because they are an instance's. Returns `error` if
    /// there are none.
    fn fall_back_to_cached(&mut self, error: NoCredentials) -> Result<(), NoCredentials> {
        if self.extend_expired(&error) {
            return Ok(());
        }
        let now = self.clock.now();
        let cached = self.cached.as_mut().filter(|cached| {
            let expires = cached.granted.expires;
            expires.is_some_and(|expires| refresh::may_still_be_valid(expires, now))
        });
        cached.ok_or_else(|| error.clone())?.fetched = Instant::now(); // delays the next attempt
        self.log_failed_renewal(&error);
        Ok(())
    }

    /// Goes on for some minutes with cached credentials that have expired, if their source is one for
    /// which that is done. `why` says why there are no newer ones.
    fn extend_expired(&mut self, why: &dyn std::fmt::Display) -> bool {
        let (now, outlives) = (self.clock.now(), self.chain.outlives_expiry());
        let expired = self.cached.as_mut().filter(|cached| {
            let expires = cached.granted.expires;
            outlives && expires.is_some_and(|expires| expires <= now)
        });
        let Some(cached) = expired else {
            return false;
        };
        let extension = refresh::extension(backoff::random());
        cached.fetched = Instant::now();
        cached.extension = extension;
        let expires = cached.granted.expires.unwrap_or(now);
        let level = self.level_of(Trouble::Expired);
        log::write(
            level,
            "the AWS credentials have expired and there are no newer ones: they are used all the same, \
             since AWS may take them",
            &[
                ("expired_s_ago", &(now - expires).num_seconds()),
                ("asked_again_in_s", &extension.as_secs()),
                ("error", why),
            ],
        );
        true
    }

    /// How to log that something is wrong with the credentials: once as a warning, until they are
    /// replaced.
    fn level_of(&mut self, trouble: Trouble) -> log::Level {
        if self.warned >= Some(trouble) {
            return log::Level::Debug;
        }
        self.warned = Some(trouble);
        log::Level::Warn
    }

    /// Credentials that only seemed to have expired, by a clock that was put right, are a new matter
    /// when they really do.
    fn forget_expiry(&mut self) {
        let now = self.clock.now();
        let is_soon = |expires| refresh::is_urgent(expires, now);
        let Some(cached) = self.cached.as_mut() else {
            return;
        };
        if cached.granted.expires.is_some_and(is_soon) {
            return;
        }
        cached.extension = first_extension(&self.chain);
        if self.warned != Some(Trouble::Refused) {
            self.warned = None;
        }
    }

    /// The identity to which the credentials belong. Asks STS.
    pub fn identity(&mut self) -> Result<Identity, NoCredentials> {
        let credentials = self.get()?;
        Ok(Identity {
            arn: self.chain.arn_of(&credentials),
            source: self.chain.name(),
            access_key_id: credentials.access_key_id,
        })
    }

    /// Replaces credentials that AWS has refused, whether or not they have expired: their source is
    /// asked at once, and once for each refusal. True if there are others now.
    pub fn replace(&mut self, refused: &Credentials) -> bool {
        if self.chain.is_fixed() {
            return false;
        }
        self.collect_renewal();
        if !self.is_cached(refused) {
            return true;
        }
        let error = match self.fetch() {
            Ok(()) if !self.is_cached(refused) => return true,
            Ok(()) => format!("{} gave the same ones again", self.chain.name()),
            Err(error) => error.to_string(),
        };
        let level = self.level_of(Trouble::Refused);
        log::write(
            level,
            "AWS refuses the credentials, and they can't be renewed",
            &[("error", &error)],
        );
        false
    }

    /// Where newer credentials come from by themselves. `None` if the operator has set them.
    pub fn renewed_by(&self) -> Option<&'static str> {
        (!self.chain.is_fixed()).then(|| self.chain.name())
    }

    fn is_cached(&self, credentials: &Credentials) -> bool {
        let cached = self.cached.as_ref();
        cached.is_some_and(|cached| cached.granted.credentials == *credentials)
    }

    /// What to do with the cached credentials. `None` if there are none.
    fn step(&self) -> Option<Step> {
        let cached = self.cached.as_ref()?;
        let Some(expires) = cached.granted.expires else {
            return Some(Step::Use);
        };
        let since_attempt = self.renewal_started.map(|started| started.elapsed());
        let since_fetched = cached.fetched.elapsed();
        let now = self.clock.now();
        let extension = cached.extension;
        let step = refresh::step(expires, now, since_fetched, since_attempt, extension);
        Some(step)
    }

    /// Fetches credentials and waits for them. An attempt that is under way counts.
    fn fetch(&mut self) -> Result<(), NoCredentials> {
        let renewal = self.renewal.take();
        let outcome = match renewal.and_then(|receiver| receiver.recv().ok()) {
            Some(outcome) => outcome,
            None => attempt(&self.chain, &self.recorder),
        };
        self.store(outcome?);
        Ok(())
    }

    /// Starts an attempt to fetch credentials in the background, unless one is under way.
    fn start_renewal(&mut self) {
        if self.renewal.is_some() {
            return;
        }
        self.renewal_started = Some(Instant::now());
        let (sender, receiver) = sync_channel(1);
        let (chain, recorder) = (self.chain.clone(), self.recorder.clone());
        let work = move || {
            let _ = sender.send(attempt(&chain, &recorder));
        };
        match threads::start("credentials", DEFAULT_STACK, Box::new(work)) {
            Ok(()) => self.renewal = Some(receiver),
            Err(error) => self.renewal_failed(&error),
        }
    }

    /// Stores the result of an attempt in the background, if it has ended.
    fn collect_renewal(&mut self) {
        let outcome = match self.renewal.as_ref().map(Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => return,
            Some(Ok(outcome)) => Some(outcome),
            Some(Err(TryRecvError::Disconnected)) => None,
        };
        self.renewal = None;
        match outcome {
            Some(Ok(fetched)) => self.store(fetched),
            Some(Err(error)) => self.renewal_failed(&error),
            None => {}
        }
    }

    /// Caches credentials, and logs them if they are new.
    fn store(&mut self, fetched: CachedCredentials) {
        let granted = &fetched.granted;
        let expires = granted.expires;
        let has_expired = expires.is_some_and(|expires| expires <= self.clock.now());
        let is_new = !self.is_cached(&granted.credentials);
        // The end of what was logged as a warning is news, too.
        let was_warned = is_new && !has_expired && self.warned.take().is_some();
        if is_new {
            let expires = expires.map_or("never".to_owned(), |at| {
                at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
            });
            // Renewals happen all the time, so only the first credentials are logged as info.
            let level = if self.cached.is_none() || was_warned {
                log::Level::Info
            } else {
                log::Level::Debug
            };
            log::write(
                level,
                "signing with these AWS credentials from now on",
                &[
                    ("access_key_id", &granted.credentials.access_key_id),
                    ("source", &self.chain.name()),
                    ("expires", &expires),
                ],
            );
        }
        self.cached = Some(fetched);
        let name = self.chain.name();
        self.extend_expired(&format!("{name} gave expired ones"));
    }

    /// Goes on after an attempt in the background has failed.
    fn renewal_failed(&mut self, error: &dyn std::fmt::Display) {
        if !self.extend_expired(error) {
            self.log_failed_renewal(error);
        }
    }

    /// Logs that renewing has failed while the old credentials are still used.
    fn log_failed_renewal(&mut self, error: &dyn std::fmt::Display) {
        let expires = self
            .cached
            .as_ref()
            .and_then(|cached| cached.granted.expires);
        let now = self.clock.now();
        let level = if expires.is_some_and(|expires| refresh::is_urgent(expires, now)) {
            self.level_of(Trouble::ExpireSoon)
        } else {
            log::Level::Debug
        };
        let left = expires.map_or(0, |expires| (expires - now).num_seconds());
        log::write(
            level,
            "the AWS credentials could not be renewed yet",
            &[("expire_in_s", &left), ("error", &error)],
        );
    }
}
