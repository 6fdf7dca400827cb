//! AWS Signature Version 4: from a request and credentials to the headers that authenticate it.
//!
//! Pure: the time is an argument, nothing is read or sent. One function for each stage, in the
//! order and with the names of AWS's description, so that both can be read side by side:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//!
//! ```text
//! Request ─► canonical_request ─► string_to_sign ─► signature ─► Authorization header
//!                                                      ▲
//!                      secret key ─► signing_key ──────┘
//! ```
//!
//! What is sent is what was signed: [`query_string`](crate::base::percent::query_string) and
//! [`encode_segment`] make the text that goes both into the URL and into the canonical request.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::base::percent::encode_segment;
use crate::base::secret::Secret;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A key pair, and the token that belongs to it if it is temporary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Such as `AKIDEXAMPLE`. Not secret: it is part of every request.
    pub access_key_id: String,
    /// Never sent.
    pub secret_access_key: Secret,
    /// Sent with each request signed with temporary credentials.
    pub session_token: Option<Secret>,
}

/// What is to be signed, in the form in which it will be sent.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// As in the `Host` header: with the port if it isn't the scheme's default.
    pub host: &'a str,
    /// As in the URL, each segment through [`encode_segment`] once. Starts with `/`.
    pub path: &'a str,
    /// As in the URL, made by [`query_string`](crate::base::percent::query_string); empty if there is none.
    pub query: &'a str,
    /// Headers to sign besides `host` and AWS's own; names in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub payload: &'a [u8],
}

/// What a signature is good for, besides the one request: a day, a region and a service.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// When the request is signed. AWS refuses it some minutes later.
    pub time: DateTime<Utc>,
    /// Such as `us-east-1`.
    pub region: &'a str,
    /// `route53` or `sts`.
    pub service: &'a str,
}

impl Scope<'_> {
    /// `20150830T123600Z`, the value of `x-amz-date`.
    fn amz_date(&self) -> String {
        self.time.format("%Y%m%dT%H%M%SZ").to_string()
    }

    /// `20150830`.
    fn day(&self) -> String {
        self.time.format("%Y%m%d").to_string()
    }

    /// `20150830/us-east-1/route53/aws4_request`.
    fn credential_scope(&self) -> String {
        format!(
            "{}/{}/{}/aws4_request",
            self.day(),
            self.region,
            self.service
        )
    }
}

/// Signs: returns the headers to add to the request, all but `host`, which the HTTP client adds.
pub fn sign(
    request: &Request<'_>,
    credentials: &Credentials,
    scope: &Scope<'_>,
) -> Vec<(&'static str, String)> {
    let mut added = vec![("x-amz-date", scope.amz_date())];
    if let Some(token) = &credentials.session_token {
        added.push(("x-amz-security-token", token.expose().to_owned()));
    }
    let mut headers = vec![("host", request.host)];
    headers.extend(request.headers);
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
    headers.sort_unstable();

    let canonical_request = canonical_request(request, &headers);
    let string_to_sign = string_to_sign(scope, &canonical_request);
    let signing_key = signing_key(&credentials.secret_access_key, scope);
    let signature = signature(&signing_key, &string_to_sign);
    let authorization = format!(
        "{ALGORITHM} Credential={}/{}, SignedHeaders={}, Signature={signature}",
        credentials.access_key_id,
        scope.credential_scope(),
        signed_headers(&headers),
    );
    added.push(("authorization", authorization));
    added
}

/// Step 1: the request in a form on which both sides agree to the byte.
///
/// `headers` are all those to be signed, sorted by name. The path is encoded once more, as AWS
/// wants it for every service but S3.
fn canonical_request(request: &Request<'_>, headers: &[(&str, &str)]) -> String {
    let path: Vec<String> = request.path.split('/').map(encode_segment).collect();
    let canonical_headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", trim_all(value)))
        .collect();
    format!(
        "{}\n{}\n{}\n{canonical_headers}\n{}\n{}",
        request.method,
        path.join("/"),
        request.query,
        signed_headers(headers),
        hash(request.payload),
    )
}

/// Step 2 and 3: what is signed is the canonical request's hash, with its time and scope.
fn string_to_sign(scope: &Scope<'_>, canonical_request: &str) -> String {
    format!(
        "{ALGORITHM}\n{}\n{}\n{}",
        scope.amz_date(),
        scope.credential_scope(),
        hash(canonical_request.as_bytes()),
    )
}

/// Step 4, first half: a key that is good for one day, region and service.
fn signing_key(secret_access_key: &Secret, scope: &Scope<'_>) -> [u8; 32] {
    let day_key = hmac(
        format!("AWS4{}", secret_access_key.expose()).as_bytes(),
        scope.day().as_bytes(),
    );
    let region_key = hmac(&day_key, scope.region.as_bytes());
    let service_key = hmac(&region_key, scope.service.as_bytes());
    hmac(&service_key, b"aws4_request")
}

/// Step 4, second half: the signature, 64 hexadecimal digits.
fn signature(signing_key: &[u8; 32], string_to_sign: &str) -> String {
    hex::encode(hmac(signing_key, string_to_sign.as_bytes()))
}

/// `host;x-amz-date`.
fn signed_headers(headers: &[(&str, &str)]) -> String {
    headers
        .iter()
        .map(|(name, _)| *name)
        .collect::<Vec<_>>()
        .join(";")
}

/// Outer white space goes, inner runs become one space.
fn trim_all(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
