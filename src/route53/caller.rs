//! Makes calls to Route 53: signed, in the account's pace, and again if that may help. The only file
//! that talks to it.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};

use super::error::{Error, Refusal};
use super::limits::Limits;
use super::xml;
use crate::aws::clock;
use crate::aws::credentials::provider::Provider;
use crate::aws::retry;
use crate::aws::sigv4::{self, Credentials, Scope};
use crate::http::{Http, Request};
use crate::log;
use crate::shutdown::Gate;
use crate::status::counters::{NO_ANSWER, OK};
use crate::status::part::Part;
use crate::telemetry::Telemetry;
use crate::url::Url;

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
    telemetry: Telemetry,
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

/// An answer, whatever its status.
struct Answer {
    status: u16,
    body: String,
    /// How far the server's clock is ahead of ours.
    ahead: Option<TimeDelta>,
}

/// Takes the body of an answer; the error says what is wrong with it.
type Take<'a> = dyn FnMut(&str) -> Result<(), String> + 'a;

/// What came of a call that was made.
struct Outcome {
    result: Result<(), Error>,
    /// How far the server's clock is ahead of ours.
    ahead: Option<TimeDelta>,
}

/// What has been put right during a call: each at most once.
#[derive(Default)]
struct Mended {
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
        telemetry: Telemetry,
    ) -> Caller {
        let (requests, changes) = (settings.request_rate, settings.change_rate);
        Caller {
            limits: Limits::new(requests, changes, Instant::now()),
            settings,
            credentials,
            http,
            gate,
            telemetry,
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
        self.told(call, &mut |body| {
            answer = Ok(read(body)?);
            Ok(())
        })?;
        answer
    }

    /// The same, which the status page hears of.
    fn told(&mut self, call: &Call<'_>, take: &mut Take<'_>) -> Result<(), Error> {
        let result = self.repeatedly(call, take);
        let failure = match &result {
            Ok(()) => None,
            Err(Error::Refused(refusal)) if refusal.is_about_content() => None,
            Err(Error::NoCredentials(_)) => return result,
            Err(error) => Some(error.to_string()),
        };
        self.telemetry.part(Part::Route53, failure);
        result
    }

    fn repeatedly(&mut self, call: &Call<'_>, take: &mut Take<'_>) -> Result<(), Error> {
        let mut attempt = 0;
        let mut mended = Mended::default();
        loop {
            self.wait_for_tokens(call);
            self.telemetry.heartbeat.beat();
            let credentials = self.credentials.get().map_err(Error::NoCredentials)?;
            let outcome = self.once(call, &credentials, take);
            self.ahead = outcome.ahead.or(self.ahead);
            if matches!(&outcome.result, Err(Error::Refused(r)) if r.is_throttling()) {
                let again = attempt > 0;
                self.limits.throttled(call.changes, again, Instant::now());
                self.telemetry.note(|status| status.counters.throttles += 1);
            }
            self.limits.weigh(retry::random());
            let Err(error) = outcome.result else {
                return outcome.result;
            };
            if self.mend(&error, outcome.ahead, &credentials, &mut mended) {
                continue;
            }
            if attempt >= self.settings.max_retries || !may_be_repeated(call, &error) {
                return Err(error);
            }
            let wait = retry::backoff(attempt, BACKOFF, retry::LONGEST, retry::random());
            // What lasts fails the round, which is told once.
            log::debug(
                "a call to Route 53 is made again",
                &[
                    ("operation", &call.operation),
                    ("error", &error),
                    ("wait_ms", &wait.as_millis()),
                ],
            );
            self.telemetry.heartbeat.sleep(wait);
            self.telemetry.note(|status| status.counters.retries += 1);
            attempt += 1;
        }
    }

    /// Whether a refusal was about something that has been put right, so that the call should be
    /// made again at once.
    fn mend(
        &mut self,
        error: &Error,
        ahead: Option<TimeDelta>,
        credentials: &Credentials,
        mended: &mut Mended,
    ) -> bool {
        let Error::Refused(refusal) = error else {
            return false;
        };
        if !mended.clock && self.credentials.clock().learn(&refusal.code, ahead) {
            mended.clock = true;
            return true;
        }
        if !mended.credentials && refusal.is_about_credentials() {
            mended.credentials = true;
            return self.credentials.replace(credentials);
        }
        false
    }

    /// Waits until the account's limits allow a call with so many changes.
    pub fn wait_for_room(&mut self, changes: usize) {
        let wait = self.limits.clone().take(changes, Instant::now());
        self.telemetry.heartbeat.sleep(wait);
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
            self.telemetry.heartbeat.sleep(wait);
        }
    }

    fn once(&self, call: &Call<'_>, credentials: &Credentials, take: &mut Take<'_>) -> Outcome {
        self.telemetry.heartbeat.beat();
        let started = Instant::now();
        let exchange = || self.exchange(call, credentials);
        let exchanged = if call.changes > 0 {
            self.gate.hold(exchange)
        } else {
            exchange()
        };
        self.telemetry.heartbeat.beat();
        let ahead = exchanged.as_ref().ok().and_then(|answer| answer.ahead);
        let result = exchanged.and_then(|answer| match answer.status {
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
        self.telemetry
            .call("route53", call.operation, outcome, started);
        log::debug(
            "called Route 53",
            &[
                ("operation", &call.operation),
                ("outcome", &outcome),
                ("ms", &started.elapsed().as_millis()),
            ],
        );
        Outcome { result, ahead }
    }

    /// Signs and sends.
    fn exchange(&self, call: &Call<'_>, credentials: &Credentials) -> Result<Answer, Error> {
        let settings = &self.settings;
        let path = format!("{}{}", settings.endpoint.path(), call.path);
        let request = sigv4::Request {
            method: call.method,
            host: settings.endpoint.authority(),
            path: &path,
            query: &call.query,
            headers: &[],
            payload: call.payload,
        };
        let scope = Scope {
            time: self.credentials.clock().now(),
            region: &settings.signing_region,
            service: "route53",
        };
        let signed = sigv4::sign(&request, credentials, &scope);
        let mut headers: Vec<(&str, &str)> = signed
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        if !call.payload.is_empty() {
            headers.push(("content-type", "text/xml"));
        }
        let mut url = format!("{}{path}", settings.endpoint.origin());
        if !call.query.is_empty() {
            url = format!("{url}?{}", call.query);
        }
        let request = Request {
            method: call.method,
            url: &url,
            headers: &headers,
            body: call.payload,
            timeout: TIMEOUT,
        };
        let sent = Utc::now();
        let response = self.http.send(&request).map_err(|error| {
            let lost = match error.is_unsent {
                true => Error::Unsent,
                false => Error::NoAnswer,
            };
            lost(error.message)
        })?;
        let date = response.header("date");
        let ahead = date.and_then(|date| clock::measure(date, sent, Utc::now()));
        Ok(Answer {
            status: response.status,
            ahead,
            body: response
                .text(LARGEST_ANSWER)
                .map_err(|error| Error::NoAnswer(error.message))?,
        })
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
