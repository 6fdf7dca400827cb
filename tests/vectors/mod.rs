//! Requests, and how botocore signs them, as Rust sees them. `sigv4.json` has our own requests, and
//! `generate.py` made it; `aws_cases.json` has AWS's own cases, and `aws_cases.py` made it.
//!
//! Included by the signer's own tests, which compare stage by stage, and by those of its public
//! function, which compare what is sent. Each brings `percent`, `sigv4` and `Secret` along.

use super::sigv4::{Credentials, Request, Scope};
use super::{Secret, percent};
use chrono::NaiveDateTime;
use serde::Deserialize;

#[derive(Deserialize)]
struct File<V> {
    vectors: Vec<V>,
}

/// A request of ours, and what botocore makes of it.
#[derive(Deserialize)]
pub struct Vector {
    pub title: String,
    segments: Vec<String>,
    #[serde(flatten)]
    pub signed: Signed,
}

/// One of AWS's own cases, and what botocore makes of it.
#[derive(Deserialize)]
pub struct AwsCase {
    pub name: String,
    /// As it stands in the request, but not percent-encoded.
    pub path: String,
    /// Whether the signature is for the path without `//`, `.` and `..`.
    pub is_signed_with_another_path: bool,
    headers: Vec<(String, String)>,
    #[serde(flatten)]
    pub signed: Signed,
}

/// What both have: the rest of the request, what it is signed with, and each stage of the signature.
#[derive(Deserialize)]
pub struct Signed {
    method: String,
    pub host: String,
    query: Vec<(String, String)>,
    payload: String,
    access_key_id: String,
    secret_access_key: String,
    pub session_token: Option<String>,
    region: String,
    service: String,
    pub time: String,
    pub canonical_request: String,
    pub string_to_sign: String,
    pub signature: String,
    pub authorization: String,
}

/// All requests of ours.
pub fn vectors() -> Vec<Vector> {
    let file: File<Vector> =
        serde_json::from_str(include_str!("sigv4.json")).expect("generate.py's JSON");
    assert!(!file.vectors.is_empty());
    file.vectors
}

/// All of AWS's cases.
pub fn aws_cases() -> Vec<AwsCase> {
    let file: File<AwsCase> =
        serde_json::from_str(include_str!("aws_cases.json")).expect("aws_cases.py's JSON");
    assert_eq!(file.vectors.len(), 38);
    file.vectors
}

impl Vector {
    /// Hands over what is to be signed, as the program would put it.
    pub fn with<R>(&self, f: impl FnOnce(&Request<'_>, &Credentials, &Scope<'_>) -> R) -> R {
        let path: String = self
            .segments
            .iter()
            .map(|segment| format!("/{}", percent::encode_segment(segment)))
            .collect();
        self.signed.with(&path, &[], f)
    }
}

impl AwsCase {
    /// Hands over what is to be signed.
    pub fn with<R>(&self, f: impl FnOnce(&Request<'_>, &Credentials, &Scope<'_>) -> R) -> R {
        self.signed.with(&self.path, &borrowed(&self.headers), f)
    }
}

impl Signed {
    /// The headers that the signature adds.
    pub fn added(&self) -> Vec<(&'static str, String)> {
        let mut added = vec![("x-amz-date", self.time.clone())];
        let token = self.session_token.clone();
        added.extend(token.map(|token| ("x-amz-security-token", token)));
        added.push(("authorization", self.authorization.clone()));
        added
    }

    fn with<R>(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        f: impl FnOnce(&Request<'_>, &Credentials, &Scope<'_>) -> R,
    ) -> R {
        let request = Request {
            method: &self.method,
            host: &self.host,
            path,
            query: &percent::query_string(&borrowed(&self.query)),
            headers,
            payload: self.payload.as_bytes(),
        };
        let credentials = Credentials {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: Secret::new(&self.secret_access_key),
            session_token: self.session_token.as_ref().map(Secret::new),
        };
        let time = NaiveDateTime::parse_from_str(&self.time, "%Y%m%dT%H%M%SZ");
        let scope = Scope {
            time: time.expect("an ISO 8601 time").and_utc(),
            region: &self.region,
            service: &self.service,
        };
        f(&request, &credentials, &scope)
    }
}

fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}
