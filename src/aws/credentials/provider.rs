//! Has credentials ready for whoever is about to sign.
//!
//! Renewing means asking servers that may be slow or gone, while the old credentials still do.
//! So it is done on a thread that lives only for that one attempt: the call that notices that
//! renewing is due signs with the old ones and doesn't wait; a later one finds the new ones.
//! Only where there is nothing to sign with is the answer waited for.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Instant;

use super::chain::Chain;
use super::refresh::{self, Step};
use super::{CredentialSettings, Granted, NoCredentials};
use crate::aws::clock::Clock;
use crate::aws::sigv4::Credentials;
use crate::base::counters::OK;
use crate::base::dependency::Dependency;
use crate::base::log;
use crate::base::recorder::Recorder;
use crate::base::threads::{self, USUAL_STACK};
use crate::net::http::Http;

/// What an attempt brought.
type Fetched = Result<CachedCredentials, NoCredentials>;

/// Gives credentials before each call.
pub struct Provider {
    chain: Arc<Chain>,
    clock: Clock,
    held: Option<CachedCredentials>,
    /// Where the outcome of an attempt on the side will be.
    renewing: Option<Receiver<Fetched>>,
    /// When that was started, or the one before it.
    attempted: Option<Instant>,
    recorder: Recorder,
}

/// Whose credentials are in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Which key.
    pub access_key_id: String,
    /// Where it comes from, in words.
    pub source: &'static str,
    /// `arn:aws:iam::123456789012:user/name`, or why STS doesn't say.
    pub arn: Result<String, NoCredentials>,
}

struct CachedCredentials {
    granted: Granted,
    fetched: Instant,
}

fn attempt(chain: &Chain, recorder: &Recorder) -> Fetched {
    let started = Instant::now();
    let granted = chain.fetch();
    let fetched = Instant::now();
    let error = granted.as_ref().err().map(|error| error.to_string());
    if !chain.is_fixed() {
        let code = if error.is_some() { "failed" } else { OK };
        recorder.call("credentials", chain.name(), code, started);
    }
    recorder.dependency(Dependency::Credentials, error);
    Ok(CachedCredentials {
        granted: granted?,
        fetched,
    })
}

impl Provider {
    /// Nothing is fetched before it is asked for. `outside` may go through a proxy, `inside`
    /// must not.
    pub fn new(
        settings: CredentialSettings,
        outside: Http,
        inside: Http,
        recorder: Recorder,
    ) -> Provider {
        let clock = Clock::default();
        Provider {
            chain: Arc::new(Chain::new(settings, outside, inside, clock.clone())),
            clock,
            held: None,
            renewing: None,
            attempted: None,
            recorder,
        }
    }

    /// The clock by which credentials end; whoever signs with them has to use it as well.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Credentials to sign with now.
    pub fn get(&mut self) -> Result<Credentials, NoCredentials> {
        self.collect();
        match self.step() {
            Some(Step::Use) => {}
            Some(Step::UseAndRenew) => self.renew_on_the_side(),
            Some(Step::Renew) => {
                if let Err(error) = self.fetch() {
                    self.go_on_with_old_ones(error)?;
                }
            }
            None => self.fetch()?,
        }
        match &self.held {
            Some(held) => Ok(held.granted.credentials.clone()),
            None => Err(NoCredentials::yet("no AWS credentials were fetched")),
        }
    }

    /// Has them renewed on the side if that is due, without anybody waiting for them: whoever calls
    /// next finds the new ones, however quiet it has been.
    pub fn keep_fresh(&mut self) {
        self.collect();
        if self.step() == Some(Step::UseAndRenew) {
            self.renew_on_the_side();
        }
    }

    /// Those that ended a moment ago by our clock, which may be ahead, do for now if AWS takes them.
    fn go_on_with_old_ones(&mut self, error: NoCredentials) -> Result<(), NoCredentials> {
        let now = self.clock.now();
        let held = self.held.as_mut().filter(|held| {
            let expires = held.granted.expires;
            expires.is_some_and(|expires| refresh::may_still_do(expires, now))
        });
        held.ok_or_else(|| error.clone())?.fetched = Instant::now(); // not tried again at once
        self.failed(&error);
        Ok(())
    }

    /// Whose they are. Asks STS.
    pub fn identity(&mut self) -> Result<Identity, NoCredentials> {
        let credentials = self.get()?;
        Ok(Identity {
            arn: self.chain.arn_of(&credentials),
            source: self.chain.name(),
            access_key_id: credentials.access_key_id,
        })
    }

    /// AWS doesn't take these any more, whatever their expiry says. True if there are others.
    pub fn replace(&mut self, refused: &Credentials) -> bool {
        if self.chain.is_fixed() {
            return false;
        }
        self.collect();
        if self.is_held(refused)
            && let Err(error) = self.fetch()
        {
            log::warn(
                "AWS refuses the credentials, and they can't be renewed",
                &[("error", &error)],
            );
            return false;
        }
        !self.is_held(refused)
    }

    fn is_held(&self, credentials: &Credentials) -> bool {
        let held = self.held.as_ref();
        held.is_some_and(|held| held.granted.credentials == *credentials)
    }

    /// None if there are no credentials at all.
    fn step(&self) -> Option<Step> {
        let held = self.held.as_ref()?;
        let Some(expires) = held.granted.expires else {
            return Some(Step::Use);
        };
        let since_attempt = self.attempted.map(|attempted| attempted.elapsed());
        let since_fetched = held.fetched.elapsed();
        let now = self.clock.now();
        Some(refresh::step(expires, now, since_fetched, since_attempt))
    }

    /// Fetches credentials, or waits for those that are being fetched.
    fn fetch(&mut self) -> Result<(), NoCredentials> {
        let renewing = self.renewing.take();
        let outcome = match renewing.and_then(|renewing| renewing.recv().ok()) {
            Some(outcome) => outcome,
            None => attempt(&self.chain, &self.recorder),
        };
        self.take(outcome?);
        Ok(())
    }

    fn renew_on_the_side(&mut self) {
        if self.renewing.is_some() {
            return;
        }
        self.attempted = Some(Instant::now());
        let (sender, receiver) = sync_channel(1);
        let (chain, recorder) = (self.chain.clone(), self.recorder.clone());
        let work = move || {
            let _ = sender.send(attempt(&chain, &recorder));
        };
        match threads::start("credentials", USUAL_STACK, Box::new(work)) {
            Ok(()) => self.renewing = Some(receiver),
            Err(error) => self.failed(&error.to_string()),
        }
    }

    /// Takes what an attempt on the side has brought, if it has ended.
    fn collect(&mut self) {
        let outcome = match self.renewing.as_ref().map(Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => return,
            Some(Ok(outcome)) => Some(outcome),
            Some(Err(TryRecvError::Disconnected)) => None,
        };
        self.renewing = None;
        match outcome {
            Some(Ok(held)) => self.take(held),
            Some(Err(error)) => self.failed(&error),
            None => {}
        }
    }

    fn take(&mut self, held: CachedCredentials) {
        let granted = &held.granted;
        if !self.is_held(&granted.credentials) {
            let expires = granted.expires.map_or("never".to_owned(), |at| {
                at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
            });
            // Renewed ones are no news.
            let level = match self.held {
                None => log::Level::Info,
                Some(_) => log::Level::Debug,
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
        self.held = Some(held);
    }

    /// An attempt on the side has failed: the old ones do for a while.
    fn failed(&self, error: &dyn std::fmt::Display) {
        let expires = self.held.as_ref().and_then(|held| held.granted.expires);
        let now = self.clock.now();
        let level = match expires.is_some_and(|expires| refresh::is_urgent(expires, now)) {
            true => log::Level::Warn,
            false => log::Level::Debug,
        };
        let left = expires.map_or(0, |expires| (expires - now).num_seconds());
        log::write(
            level,
            "the AWS credentials could not be renewed yet",
            &[("expire_in_s", &left), ("error", &error)],
        );
    }
}
