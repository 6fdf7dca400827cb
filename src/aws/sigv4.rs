//! AWS Signature Version 4: turns a request and credentials into the headers that authenticate the
//! request.
//!
//! Pure: the time is an argument, and nothing is read or sent. There is one function for each stage
//! of AWS's description, in its order and with its names, so that the two can be read side by side:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//!
//! ```text
//! Request ─► canonical_request ─► string_to_sign ─► signature ─► Authorization header
//!                                                      ▲
//!                      secret key ─► signing_key ──────┘
//! ```
//!
//! [`query_string`](crate::base::percent::query_string) and [`encode_segment`] make the text that
//! goes both into the URL and into the canonical request, so that the request that is sent is the
//! one that was signed.

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::base::percent::encode_segment;
use crate::base::secret::Secret;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A key pair, and the token that belongs to it if it is temporary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key id, such as `AKIDEXAMPLE`. It is part of every request, so it is not a secret.
    pub access_key_id: String,
    /// The secret key, which is never sent.
    pub secret_access_key: Secret,
    /// The session token of temporary credentials, which is sent with each request.
    pub session_token: Option<Secret>,
}

/// The request to sign, in the form in which it will be sent.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// HTTP method: `GET` or `POST`.
    pub method: &'a str,
    /// The `Host` header: host name, and port if it is not the scheme's default.
    pub host: &'a str,
    /// The URL's path, with each segment encoded once by [`encode_segment`]. It starts with `/`.
    pub path: &'a str,
    /// The URL's query, made by [`query_string`](crate::base::percent::query_string). Empty for
    /// none.
    pub query: &'a str,
    /// Headers to sign, besides `host` and those that [`sign`] adds. Names are in lower case.
    pub headers: &'a [(&'a str, &'a str)],
    /// The request's body. Empty for none.
    pub payload: &'a [u8],
}

/// The time, region and service for which a signature is valid.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Time of the signature. AWS refuses the request if it arrives more than five minutes later.
    pub time: DateTime<Utc>,
    /// AWS region, such as `us-east-1`.
    pub region: &'a str,
    /// AWS service: `route53` or `sts`.
    pub service: &'a str,
}

impl Scope<'_> {
    /// The value of `x-amz-date`, such as `20150830T123600Z`.
    fn amz_date(&self) -> String {
        self.time.format("%Y%m%dT%H%M%SZ").to_string()
    }

    /// The day in UTC, such as `20150830`.
    fn day(&self) -> String {
        self.time.format("%Y%m%d").to_string()
    }

    /// The credential scope, such as `20150830/us-east-1/route53/aws4_request`.
    fn credential_scope(&self) -> String {
        format!(
            "{}/{}/{}/aws4_request",
            self.day(),
            self.region,
            self.service
        )
    }
}

/// Signs a request. Returns the headers to add to it, without `host`, which the HTTP client adds.
pub fn sign(
    request: &Request<'_>,
    credentials: &Credentials,
    scope: &Scope<'_>,
) -> Vec<(&'static str, String)> {
    let mut added = vec![("x-amz-date", scope.amz_date())];
    if let Some(token) = &credentials.session_token {
        added.push(("x-amz-security-token", token.expose().to_owned()));
    }
    let headers = headers_to_sign(request, &added);
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

/// All headers to sign, sorted by name. Those of one name stay in the order in which they are sent.
fn headers_to_sign<'a>(
    request: &Request<'a>,
    added: &'a [(&'static str, String)],
) -> Vec<(&'a str, &'a str)> {
    let mut headers = vec![("host", request.host)];
    headers.extend(request.headers);
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
    headers.sort_by_key(|(name, _)| *name);
    headers
}

/// Step 1: the request in a form on which both sides agree to the byte.
///
/// `headers` has all headers to sign, sorted by name. Those of one name become one line. The path is
/// encoded a second time, as AWS demands for every service but S3.
fn canonical_request(request: &Request<'_>, headers: &[(&str, &str)]) -> String {
    let path: Vec<String> = request.path.split('/').map(encode_segment).collect();
    let canonical_headers: String = by_name(headers)
        .map(|same| {
            let values: Vec<String> = same.iter().map(|(_, value)| trim_all(value)).collect();
            format!("{}:{}\n", same[0].0, values.join(","))
        })
        .collect();
    format!(
        "{}\n{}\n{}\n{canonical_headers}\n{}\n{}",
        request.method,
        path.join("/"),
        request.query,
        signed_headers(headers),
        sha256_hex(request.payload),
    )
}

/// Steps 2 and 3: the text to sign, which has the hash of the canonical request, the time and the
/// scope.
fn string_to_sign(scope: &Scope<'_>, canonical_request: &str) -> String {
    format!(
        "{ALGORITHM}\n{}\n{}\n{}",
        scope.amz_date(),
        scope.credential_scope(),
        sha256_hex(canonical_request.as_bytes()),
    )
}

/// Step 4, first half: a key that is valid for one day, region and service.
fn signing_key(secret_access_key: &Secret, scope: &Scope<'_>) -> [u8; 32] {
    let day_key = hmac_sha256(
        format!("AWS4{}", secret_access_key.expose()).as_bytes(),
        scope.day().as_bytes(),
    );
    let region_key = hmac_sha256(&day_key, scope.region.as_bytes());
    let service_key = hmac_sha256(&region_key, scope.service.as_bytes());
    hmac_sha256(&service_key, b"aws4_request")
}

/// Step 4, second half: the signature, 64 hexadecimal digits.
fn signature(signing_key: &[u8; 32], string_to_sign: &str) -> String {
    hex::encode(hmac_sha256(signing_key, string_to_sign.as_bytes()))
}

/// The names of the signed headers, such as `host;x-amz-date`.
fn signed_headers(headers: &[(&str, &str)]) -> String {
    by_name(headers)
        .map(|same| same[0].0)
        .collect::<Vec<_>>()
        .join(";")
}

/// The headers of each name.
fn by_name<'h, 'a>(
    headers: &'h [(&'a str, &'a str)],
) -> impl Iterator<Item = &'h [(&'a str, &'a str)]> {
    headers.chunk_by(|(name, _), (next, _)| name == next)
}

/// Removes white space at both ends of a header's value, and makes one space of each run of white
/// space within it.
fn trim_all(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
