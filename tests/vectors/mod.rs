//! `sigv4.json` as Rust sees it: requests, and how botocore signs them. `generate.py` made it.
//!
//! Included by the signer's own tests, which compare stage by stage, and by those of its public
//! function, which compare what is sent. Each brings `percent`, `sigv4` and `Secret` along.

use super::sigv4::{Credentials, Request, Scope};
use super::{Secret, percent};
use chrono::NaiveDateTime;
use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    vectors: Vec<Vector>,
}

/// A request, and what botocore makes of it.
#[derive(Deserialize)]
pub struct Vector {
    pub title: String,
    method: String,
    pub host: String,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    payload: String,
    access_key_id: String,
    secret_access_key: String,
    pub session_token: Option<String>,
    region: String,
    pub time: String,
    pub canonical_request: String,
    pub string_to_sign: String,
    pub signature: String,
    pub authorization: String,
}

/// All of them.
pub fn vectors() -> Vec<Vector> {
    let file: File = serde_json::from_str(include_str!("sigv4.json")).expect("generate.py's JSON");
    assert!(!file.vectors.is_empty());
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
        let pairs: Vec<(&str, &str)> = self
            .query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let request = Request {
            method: &self.method,
            host: &self.host,
            path: &path,
            query: &percent::query_string(&pairs),
            headers: &[],
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
            service: "route53",
        };
        f(&request, &credentials, &scope)
    }
}
