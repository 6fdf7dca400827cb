//! One call to AWS: signed, sent, its answer read. What is sent is what was signed.

use std::time::Duration;

use chrono::{TimeDelta, Utc};

use crate::aws::clock;
use crate::aws::sigv4::{self, Credentials, Scope};
use crate::net::http::{Http, HttpError, Request};
use crate::net::url::Url;

/// A call, ready to be signed.
pub struct SignedCall<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The service's endpoint, perhaps with a path of its own.
    pub endpoint: &'a Url,
    /// Below the endpoint's own, encoded; starts with `/`.
    pub path: &'a str,
    /// Encoded; empty for none.
    pub query: &'a str,
    /// Headers that are signed, besides those that every signature has.
    pub signed_headers: &'a [(&'a str, &'a str)],
    /// Headers that are sent without being signed.
    pub unsigned_headers: &'a [(&'a str, &'a str)],
    /// Empty for none.
    pub payload: &'a [u8],
    /// From the start until the last byte of the answer.
    pub timeout: Duration,
    /// Largest answer, in bytes.
    pub largest_answer: u64,
}

/// Whose signature a call gets, and for what.
pub struct Signer<'a> {
    /// Whose.
    pub credentials: &'a Credentials,
    /// Time, region and service.
    pub scope: Scope<'a>,
}

/// An answer, whatever its status.
pub struct Answer {
    /// 200, 404 …
    pub status: u16,
    /// All of it.
    pub body: String,
    /// How far AWS's clock is ahead of ours; none if the answer doesn't say.
    pub clock_ahead: Option<TimeDelta>,
}

impl SignedCall<'_> {
    /// Signs it, unless there is no signer, and sends it.
    pub fn send(&self, http: &Http, signer: Option<&Signer<'_>>) -> Result<Answer, HttpError> {
        let path = format!("{}{}", self.endpoint.path(), self.path);
        let signature = signer.map(|signer| {
            let request = sigv4::Request {
                method: self.method,
                host: self.endpoint.authority(),
                path: &path,
                query: self.query,
                headers: self.signed_headers,
                payload: self.payload,
            };
            sigv4::sign(&request, signer.credentials, &signer.scope)
        });
        let mut headers = [self.signed_headers, self.unsigned_headers].concat();
        let signature = signature.iter().flatten();
        headers.extend(signature.map(|(name, value)| (*name, value.as_str())));
        let mut url = format!("{}{path}", self.endpoint.origin());
        if !self.query.is_empty() {
            url = format!("{url}?{}", self.query);
        }
        let request = Request {
            method: self.method,
            url: &url,
            headers: &headers,
            body: self.payload,
            timeout: self.timeout,
        };
        let sent = Utc::now();
        let response = http.send(&request)?;
        let date = response.header("date");
        Ok(Answer {
            clock_ahead: date.and_then(|date| clock::measure(date, sent, Utc::now())),
            status: response.status,
            body: response.text(self.largest_answer)?,
        })
    }
}
