//! Makes calls to Route 53: signed, in the account's pace, and again if that may help. The only file
//! that talks to it.

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
use crate::base::shutdown::Gate;
use crate::net::http::{Http, HttpError};
use crate::net::url::Url;

/// From the start of a call until its answer is there.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer, in bytes: a page has 300 record sets at most.
const LARGEST_ANSWER: u64 = 16 * 1024 * 1024;
/// Ceiling of the wait before the first retry.
const BACKOFF: Duration = Duration::from_millis(500);

/// Where Route 53 is, and how much of the account's limits may be used.
#[derive(Debug, Clone)]
pub struct CallerSettings {
    /// The endpoint.
    pub endpoint: Url,
    /// Region in the signature's scope.
    pub signing_region: String,
    /// `ROUTE53_MAX_RETRIES`.
    pub max_retries: u32,
    /// `ROUTE53_REQUEST_RATE`, a second.
    pub request_rate: f64,
    /// `ROUTE53_CHANGE_RATE`, a second.
    pub change_rate: f64,
}

/// Makes the calls. Not shared: one thread does the work.
pub struct Caller {
    settings: CallerSettings,
    /// What calls are signed with.
    pub credentials: Provider,
    http: Http,
    limits: Limits,
    gate: Gate,
    recorder: Recorder,
    /// How far the server's clock was ahead of ours at the last answer.
    pub ahead: Option<TimeDelta>,
}

/// One call, ready to be signed.
pub struct Call<'a> {
    /// In Route 53's words.
    pub operation: &'static str,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Below the endpoint's own, encoded.
    pub path: String,
    /// Encoded; empty for none.
    pub query: String,
    /// Empty for none.
    pub payload: &'a [u8],
    /// Changes in it.
    pub changes: usize,
}

/// Takes the body of an answer; the error says what is wrong with it.
type Take<'a> = dyn FnMut(&str) -> Result<(), String> + 'a;

/// What came of a call that was made.
struct Attempt {
    result: Result<(), Error>,
    /// How far the server's clock is ahead of ours.
    ahead: Option<TimeDelta>,
}

/// What has been put right during a call: each at most once.
#[derive(Default)]
struct Recovered {
    clock: bool,
    credentials: bool,
}

impl Caller {
    /// With full buckets.
    pub fn new(
        settings: CallerSettings,
        credentials: Provider,
        http: Http,
        gate: Gate,
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

    /// Makes a call, in the account's pace, again if that may help, and reads the answer's body.
    /// One that can't be read is none.
    pub fn call<T>(
        &mut self,
        call: &Call<'_>,
        read: &mut dyn FnMut(&str) -> Result<T, String>,
    ) -> Result<T, Error> {
        let mut answer = Err(Error::NoAnswer("nothing was read".to_owned()));
        self.call_recorded(call, &mut |body| {
            answer = Ok(read(body)?);
            Ok(())
        })?;
        answer
    }

    /// The same, which the status page hears of.
    fn call_recorded(&mut self, call: &Call<'_>, take: &mut Take<'_>) -> Result<(), Error> {
        let result = self.with_retries(call, take);
        let failure = match &result {
            Ok(()) => None,
            Err(Error::Refused(refusal)) if refusal.is_about_content() => None,
            Err(Error::NoCredentials(_)) => return result,
            Err(error) => Some(error.to_string()),
        };
        self.recorder.dependency(Dependency::Route53, failure);
        result
    }

    fn with_retries(&mut self, call: &Call<'_>, take: &mut Take<'_>) -> Result<(), Error> {
        let mut attempt = 0;
        let mut recovered = Recovered::default();
        loop {
            self.wait_for_tokens(call);
            self.recorder.heartbeat.beat();
            let credentials = self.credentials.get().map_err(Error::NoCredentials)?;
            let outcome = self.attempt(call, &credentials, take);
            self.ahead = outcome.ahead.or(self.ahead);
            if matches!(&outcome.result, Err(Error::Refused(r)) if r.is_throttling()) {
                let again = attempt > 0;
                self.limits.throttled(call.changes, again, Instant::now());
                self.recorder.note(|record| record.calls.throttles += 1);
            }
            self.limits.weigh(backoff::random());
            let Err(error) = outcome.result else {
                return outcome.result;
            };
            if self.try_recover(&error, outcome.ahead, &credentials, &mut recovered) {
                continue;
            }
            if attempt >= self.settings.max_retries || !may_be_repeated(call, &error) {
                return Err(error);
            }
            let wait = backoff::backoff(attempt, BACKOFF, backoff::LONGEST, backoff::random());
            // What lasts fails the round, which is told once.
            log::debug(
                "a call to Route 53 is made again",
                &[
                    ("operation", &call.operation),
                    ("error", &error),
                    ("wait_ms", &wait.as_millis()),
                ],
            );
            self.recorder.heartbeat.sleep(wait);
            self.recorder.note(|record| record.calls.retries += 1);
            attempt += 1;
        }
    }

    /// Whether a refusal was about something that has been put right, so that the call should be
    /// made again at once.
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

    /// Waits until the account's limits allow a call with so many changes.
    pub fn wait_for_room(&mut self, changes: usize) {
        let wait = self.limits.clone().take(changes, Instant::now());
        self.recorder.heartbeat.sleep(wait);
    }

    /// Waits until the account's limits allow the call.
    fn wait_for_tokens(&mut self, call: &Call<'_>) {
        let wait = self.limits.take(call.changes, Instant::now());
        if !wait.is_zero() {
            log::debug(
                "waiting to stay within the account's limits",
                &[
                    ("operation", &call.operation),
                    ("wait_ms", &wait.as_millis()),
                ],
            );
            self.recorder.heartbeat.sleep(wait);
        }
    }

    fn attempt(&self, call: &Call<'_>, credentials: &Credentials, take: &mut Take<'_>) -> Attempt {
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
            200..=299 => take(&answer.body).map_err(Error::NoAnswer),
            status => {
                let refusal = named(xml::refusal(status, &answer.body));
                Err(Error::Refused(without_secrets(refusal, credentials)))
            }
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
            largest_answer: LARGEST_ANSWER,
        };
        signed.send(&self.http, Some(&signer))
    }
}

/// A call without an answer, which may have been sent or not.
fn lost(error: HttpError) -> Error {
    match error.is_unsent {
        true => Error::Unsent(error.message),
        false => Error::NoAnswer(error.message),
    }
}

/// A batch without an answer isn't sent again: whether it was applied is for the zone to say. One
/// that wasn't sent at all surely wasn't.
fn may_be_repeated(call: &Call<'_>, error: &Error) -> bool {
    match error {
        Error::Refused(refusal) => refusal.is_retryable(),
        Error::NoAnswer(_) => call.changes == 0,
        Error::Unsent(_) => true,
        // Their source has been asked just now; the next round asks again.
        Error::NoCredentials(_) => false,
    }
}

/// A refusal always has a code that can be shown.
fn named(mut refusal: Refusal) -> Refusal {
    if refusal.code.is_empty() {
        refusal.code = format!("HTTP {}", refusal.status);
    }
    refusal
}

/// With `SignatureDoesNotMatch` AWS quotes the canonical request, the session token included.
fn without_secrets(mut refusal: Refusal, credentials: &Credentials) -> Refusal {
    let token = credentials.session_token.iter();
    for secret in token.chain([&credentials.secret_access_key]) {
        for message in &mut refusal.messages {
            *message = secret.redact(message);
        }
    }
    refusal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_sent_again_only_if_it_surely_was_not_applied() {
        let unsent = Error::Unsent("the name of route53.amazonaws.com wasn't resolved".to_owned());
        let lost = Error::NoAnswer("time is up (global)".to_owned());
        for (changes, error, expected) in [
            (0, &unsent, true),
            (0, &lost, true),
            (7, &unsent, true),
            (7, &lost, false),
        ] {
            let call = Call {
                operation: "ChangeResourceRecordSets",
                method: "POST",
                path: String::new(),
                query: String::new(),
                payload: b"",
                changes,
            };
            assert_eq!(may_be_repeated(&call, error), expected, "{changes} {error}");
        }
    }
}
