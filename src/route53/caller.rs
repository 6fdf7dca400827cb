//! Makes calls to Route 53. No other file sends it requests.
//!
//! In: an operation's request. Out: the body of the answer, or an [`Error`]. The caller signs each
//! request, waits to stay within the configured rates, and repeats a call where that may help.

use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::error::{Error, Refusal};
use super::limits::Limits;
use super::xml;
use crate::aws::credentials::provider::Provider;
use crate::aws::signed_call::{Answer, SignedCall, Signer};
use crate::aws::sigv4::{Credentials, Scope};
use crate::base::backoff;
use crate::base::counters::{NO_ANSWER, OK};
use crate::base::dependency::Dependency;
use crate::base::log;
use crate::base::recorder::Recorder;
use crate::base::shutdown::InFlightGate;
use crate::net::http::{Http, HttpError, with_network_hint};
use crate::net::url::Url;

/// Time limit for one attempt, from sending the request to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer that is read, in bytes. A page of a listing has up to 300 record sets.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;
/// Longest wait before the first retry. It doubles for each further retry.
const BACKOFF: Duration = Duration::from_millis(500);

/// Where Route 53 is, and how often it may be called.
#[derive(Debug, Clone)]
pub struct CallerSettings {
    /// URL of Route 53's API.
    pub endpoint: Url,
    /// Region in the scope of signatures.
    pub signing_region: String,
    /// `ROUTE53_MAX_RETRIES`: retries of one call.
    pub max_retries: u32,
    /// `ROUTE53_REQUEST_RATE`, in requests a second.
    pub request_rate: f64,
    /// `ROUTE53_CHANGE_RATE`, in changes a second.
    pub change_rate: f64,
}

/// Makes the calls, one at a time.
pub struct Caller {
    settings: CallerSettings,
    /// Gives the credentials with which calls are signed.
    pub credentials: Provider,
    http: Http,
    limits: Limits,
    gate: InFlightGate,
    recorder: Recorder,
    /// How far the server's clock was ahead of this system's at the last answer that had a date.
    pub ahead: Option<TimeDelta>,
}

/// One call, ready to be signed.
pub struct Call<'a> {
    /// Name of the operation, in Route 53's spelling.
    pub operation: &'static str,
    /// HTTP method: `GET` or `POST`.
    pub method: &'static str,
    /// Path below that of the endpoint, percent-encoded.
    pub path: String,
    /// Query string, percent-encoded and sorted. Empty for none.
    pub query: String,
    /// Body of the request. Empty for none.
    pub payload: &'a [u8],
    /// Number of changes in the payload, as Route 53 counts them.
    pub changes: usize,
}

/// Reads the body of an answer. The error says why the body is not such an answer.
type ReadBody<'a> = dyn FnMut(&str) -> Result<(), String> + 'a;

/// The result of sending a call once.
struct Attempt {
    result: Result<(), Error>,
    /// How far the server's clock is ahead of this system's.
    ahead: Option<TimeDelta>,
}

/// What has been tried for one call so far.
#[derive(Debug, Default)]
pub struct Tries {
    /// The causes of refusals that have been removed. Each is tried once per call.
    recovered: Recovered,
    retries: u32,
    /// The next try is a retry.
    is_retry: bool,
    /// A try failed that may have changed something all the same.
    pub may_be_applied: bool,
}

#[derive(Debug, Default)]
struct Recovered {
    clock: bool,
    credentials: bool,
}

/// What one try of a call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried<T> {
    /// It was answered.
    Done(T),
    /// It failed, and may be made again after this time.
    Again(Duration),
}

impl Caller {
    /// Makes a caller that has made no call yet.
    pub fn new(
        settings: CallerSettings,
        credentials: Provider,
        http: Http,
        gate: InFlightGate,
        recorder: Recorder,
    ) -> Caller {
        let (requests, changes) = (settings.request_rate, settings.change_rate);
        Caller {
            limits: Limits::new(requests, changes, Instant::now()),
            settings,
            credentials,
            http,
            gate,
            recorder,
            ahead: None,
        }
    }

    /// Makes a call, repeats it where that may help, and reads the body of the answer with `read`.
    /// A body that `read` cannot read becomes [`Error::NoAnswer`]. Not for calls that change
    /// something in the zone: before these are repeated, whether they are still wanted has to be asked.
    pub fn call<T>(
        &mut self,
        call: &Call<'_>,
        read: &mut dyn FnMut(&str) -> Result<T, String>,
    ) -> Result<T, Error> {
        let mut tries = Tries::default();
        loop {
            match self.try_once(call, &mut tries, read)? {
                Tried::Done(answer) => return Ok(answer),
                Tried::Again(wait) => self.recorder.heartbeat.sleep(wait),
            }
        }
    }

    /// Makes a call once, and says whether it may be made again if it failed. `tries` is the same
    /// for all tries of a call.
    pub fn try_once<T>(
        &mut self,
        call: &Call<'_>,
        tries: &mut Tries,
        read: &mut dyn FnMut(&str) -> Result<T, String>,
    ) -> Result<Tried<T>, Error> {
        let mut answer = Err(Error::NoAnswer("nothing was read".to_owned()));
        let tried = self.try_recorded(call, tries, &mut |body| {
            answer = Ok(read(body)?);
            Ok(())
        })?;
        match tried {
            Tried::Done(()) => answer.map(Tried::Done),
            Tried::Again(wait) => Ok(Tried::Again(wait)),
        }
    }

    /// Makes a call once, and records for the status page whether Route 53 works.
    fn try_recorded(
        &mut self,
        call: &Call<'_>,
        tries: &mut Tries,
        read: &mut ReadBody<'_>,
    ) -> Result<Tried<()>, Error> {
        let result = self.try_call(call, tries, read);
        let failure = match &result {
            Ok(Tried::Done(())) => None,
            Ok(Tried::Again(_)) => return result,
            Err(Error::Refused(refusal)) if refusal.is_about_content() => None,
            // What of a batch is denied is left out; if all of it is, the round fails and says so.
            Err(Error::Refused(refusal)) if call.changes > 0 && refusal.is_denied() => None,
            Err(Error::NoCredentials(_)) => return result,
            Err(error) => Some(error.for_page()),
        };
        self.recorder.dependency(Dependency::Route53, failure);
        result
    }

    fn try_call(
        &mut self,
        call: &Call<'_>,
        tries: &mut Tries,
        read: &mut ReadBody<'_>,
    ) -> Result<Tried<()>, Error> {
        if std::mem::take(&mut tries.is_retry) {
            self.recorder.note(|record| record.calls.retries += 1);
        }
        self.wait_for_tokens(call);
        self.recorder.heartbeat.beat();
        let credentials = self.credentials.get().map_err(Error::NoCredentials)?;
        let outcome = self.attempt(call, &credentials, read);
        self.ahead = outcome.ahead.or(self.ahead);
        if matches!(&outcome.result, Err(Error::Refused(r)) if r.is_throttling()) {
            let again = tries.retries > 0;
            self.limits.throttled(call.changes, again, Instant::now());
            self.recorder.note(|record| record.calls.throttles += 1);
        }
        self.limits.spread_next_call(backoff::random());
        let Err(error) = outcome.result else {
            return Ok(Tried::Done(()));
        };
        tries.may_be_applied |= error.may_be_applied();
        if self.try_recover(&error, outcome.ahead, &credentials, &mut tries.recovered) {
            return Ok(Tried::Again(Duration::ZERO));
        }
        if tries.retries >= self.settings.max_retries || !may_be_repeated(call, &error) {
            return Err(error);
        }
        let wait = backoff::backoff(tries.retries, BACKOFF, backoff::LONGEST, backoff::random());
        // Not a warning: if the error persists, the round fails, and that is logged.
        log::debug(
            "a call to Route 53 is repeated",
            &[
                ("operation", &call.operation),
                ("error", &error),
                ("wait_ms", &wait.as_millis()),
            ],
        );
        tries.retries += 1;
        tries.is_retry = true;
        Ok(Tried::Again(wait))
    }

    /// Removes the cause of a refusal, if it is a wrong clock or old credentials. True if the call
    /// should be repeated at once.
    fn try_recover(
        &mut self,
        error: &Error,
        ahead: Option<TimeDelta>,
        credentials: &Credentials,
        recovered: &mut Recovered,
    ) -> bool {
        let Error::Refused(refusal) = error else {
            return false;
        };
        if !recovered.clock && self.credentials.clock().learn(&refusal.code, ahead) {
            recovered.clock = true;
            return true;
        }
        if !recovered.credentials && refusal.is_about_credentials() {
            recovered.credentials = true;
            return self.credentials.replace(credentials);
        }
        false
    }

    /// Reserves room for a batch with this number of changes within the configured rates, and
    /// returns how long to wait before it may be sent.
    pub fn room(&mut self, changes: usize) -> Duration {
        self.limits.reserve(changes, Instant::now())
    }

    /// Takes what a call needs from the rate limits, and waits until it may be sent.
    fn wait_for_tokens(&mut self, call: &Call<'_>) {
        let now = Instant::now();
        let wait = match call.changes {
            0 => self.limits.take(0, now),
            changes => {
                let wait = self.limits.reserve(changes, now);
                self.limits.use_reserved();
                wait
            }
        };
        if !wait.is_zero() {
            log_wait(call.operation, wait);
            self.recorder.heartbeat.sleep(wait);
        }
    }

    /// Sends a call once and reads the answer.
    fn attempt(
        &self,
        call: &Call<'_>,
        credentials: &Credentials,
        read: &mut ReadBody<'_>,
    ) -> Attempt {
        self.recorder.heartbeat.beat();
        let started = Instant::now();
        let send = || self.send(call, credentials);
        let answer = if call.changes > 0 {
            self.gate.hold(send)
        } else {
            send()
        };
        self.recorder.heartbeat.beat();
        let ahead = answer.as_ref().ok().and_then(|answer| answer.clock_ahead);
        let result = answer.map_err(lost).and_then(|answer| match answer.status {
            200..=299 => read(&answer.body)
                .map_err(|words| Error::NoAnswer(with_network_hint(&words, SETTINGS))),
            status => Err(Error::Refused(Refusal {
                renewed_by: self.credentials.renewed_by(),
                ..xml::refusal(status, &answer.body)
            })),
        });
        let outcome = match &result {
            Ok(()) => OK,
            Err(Error::Refused(refusal)) => refusal.code.as_str(),
            Err(_) => NO_ANSWER,
        };
        self.recorder
            .call("route53", call.operation, outcome, started);
        log::debug(
            "called Route 53",
            &[
                ("operation", &call.operation),
                ("outcome", &outcome),
                ("ms", &started.elapsed().as_millis()),
            ],
        );
        Attempt { result, ahead }
    }

    fn send(&self, call: &Call<'_>, credentials: &Credentials) -> Result<Answer, HttpError> {
        let signer = Signer {
            credentials,
            scope: Scope {
                time: self.credentials.clock().now(),
                region: &self.settings.signing_region,
                service: "route53",
            },
        };
        let content_type = [("content-type", "text/xml")];
        let signed = SignedCall {
            method: call.method,
            endpoint: &self.settings.endpoint,
            path: &call.path,
            query: &call.query,
            signed_headers: &[],
            unsigned_headers: match call.payload {
                [] => &[],
                _ => &content_type,
            },
            payload: call.payload,
            timeout: TIMEOUT,
            largest_answer: MAX_ANSWER,
        };
        signed.send(&self.http, Some(&signer))
    }
}

/// Says why nothing is sent for a while.
pub fn log_wait(operation: &str, wait: Duration) {
    log::debug(
        "waiting to stay within the rate limits",
        &[("operation", &operation), ("wait_ms", &wait.as_millis())],
    );
}

/// What to check if Route 53 can't be reached, or somebody else answers in its place.
const SETTINGS: &str = "HTTPS_PROXY and AWS_ENDPOINT_URL_ROUTE_53";

/// A call without an answer, which may have been sent or not.
fn lost(error: HttpError) -> Error {
    let words = error.with_hint(SETTINGS);
    match error.is_unsent {
        true => Error::Unsent(words),
        false => Error::NoAnswer(words),
    }
}

/// Whether a failed call may be repeated. A batch without an answer is not: it may have been
/// applied, which only a new listing of the zone can show. A batch that was not sent is.
fn may_be_repeated(call: &Call<'_>, error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => refusal.is_retryable(),
        Error::NoAnswer(_) => call.changes == 0,
        Error::Unsent(_) => true,
        // The source of credentials has just been asked. The next round asks it again.
        Error::NoCredentials(_) => false,
    }
}

#[cfg(test)]
mod tests;
