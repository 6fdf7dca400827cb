//! Signs one call to AWS, sends it, and reads its answer.
//!
//! Route 53's client and STS's both use it, so there is one place that ensures that the request
//! that is sent is the one that was signed.

use std::time::Duration;

use chrono::{TimeDelta, Utc};

use crate::aws::clock;
use crate::aws::sigv4::{self, Credentials, Scope};
use crate::net::http::{Http, HttpError, Request};
use crate::net::url::Url;

/// A call, ready to be signed.
pub struct SignedCall<'a> {
    /// HTTP method: `GET` or `POST`.
    pub method: &'a str,
    /// URL of the service. It may have a path.
    pub endpoint: &'a Url,
    /// Path below that of the endpoint, percent-encoded. It starts with `/`.
    pub path: &'a str,
    /// Query string, percent-encoded and sorted. Empty for none.
    pub query: &'a str,
    /// Headers to send and to sign, besides those that [`sigv4::sign`] adds.
    pub signed_headers: &'a [(&'a str, &'a str)],
    /// Headers to send without signing them.
    pub unsigned_headers: &'a [(&'a str, &'a str)],
    /// Body of the request. Empty for none.
    pub payload: &'a [u8],
    /// Time limit, from the start to the last byte of the answer.
    pub timeout: Duration,
    /// Largest answer that is read, in bytes.
    pub largest_answer: u64,
}

/// What a call is signed with.
pub struct Signer<'a> {
    /// The key pair.
    pub credentials: &'a Credentials,
    /// Time, region and service of the signature.
    pub scope: Scope<'a>,
}

/// An answer with any status.
pub struct Answer {
    /// HTTP status, such as 200 or 404.
    pub status: u16,
    /// The whole body.
    pub body: String,
    /// How far AWS's clock is ahead of the system's. `None` if the answer has no valid `Date`.
    pub clock_ahead: Option<TimeDelta>,
}

impl SignedCall<'_> {
    /// Sends the call, signed if there is a signer, and reads the answer.
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
