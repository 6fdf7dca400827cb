//! Credentials from the endpoint that ECS or EKS Pod Identity offers to a container.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ureq::http::Uri;

use super::io::{send_and_read, token_file};
use super::{Granted, NoCredentials, document};
use crate::aws::error_code;
use crate::base::brackets::without_brackets;
use crate::base::secret::Secret;
use crate::net::http::{Http, Request};
use crate::net::url::Url;

/// Server of `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`: the agent of ECS.
const ECS: &str = "http://169.254.170.2";
/// Shortest part of a path that may be a secret, in bytes. ECS's is a UUID.
const MIN_SECRET_PART: usize = 8;
/// Time limit for the request, as in AWS's SDKs: the endpoint is on the same host.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The endpoint of a container's credentials, and the token to send to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    endpoint: Endpoint,
    /// `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`. The file is read for each request.
    pub token_file: Option<PathBuf>,
    /// `AWS_CONTAINER_AUTHORIZATION_TOKEN`. Used if there is no token file.
    pub token: Option<Secret>,
}

/// URL of an endpoint that is allowed to get a token. With ECS, anyone who knows the path gets the
/// credentials, so the URL is secret and only its origin is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    origin: String,
    /// What the URL has in it that messages must not show.
    secrets: Vec<Secret>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({}…)", self.origin)
    }
}

impl Endpoint {
    /// The endpoint of `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI`.
    pub fn relative(path: &str) -> Result<Endpoint, String> {
        if !path.starts_with('/') {
            return Err("it doesn't start with a slash".to_owned());
        }
        Endpoint::full(&format!("{ECS}{path}"))
    }

    /// The endpoint of `AWS_CONTAINER_CREDENTIALS_FULL_URI`. Without TLS, it must be on this host
    /// or a known link-local address, so that nobody on the network can read the token.
    pub fn full(text: &str) -> Result<Endpoint, String> {
        let server = Url::parse(text.split('?').next().unwrap_or_default())?;
        text.parse::<Uri>().map_err(|_| "not a URL".to_owned())?;
        let origin = server.origin();
        if origin.starts_with("http:") && !is_on_host(server.authority()) {
            return Err(
                "without TLS it may only be localhost, 127.0.0.0/8, [::1], 169.254.170.2, \
                 169.254.170.23 or [fd00:ec2::23]"
                    .to_owned(),
            );
        }
        Ok(Endpoint {
            url: text.to_owned(),
            secrets: secret_parts(text),
            origin,
        })
    }
}

/// The parts of a URL's path and query that may be what makes it secret. Host and port are none, nor
/// are words without a digit, as in `/v2/credentials/`.
fn secret_parts(url: &str) -> Vec<Secret> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let parts = rest.split(['/', '?', '&', '=', '#']).skip(1);
    parts
        .filter(|part| part.len() >= MIN_SECRET_PART && part.contains(|c: char| c.is_ascii_digit()))
        .map(|part| match is_words(part) {
            true => Secret::of_words(part),
            false => Secret::new(part),
        })
        .collect()
}

/// Whether a part of a URL consists of words and small numbers, such as `eu-central-1`, `2011-06-15`
/// or `production-2`. To hide each run of a few characters of these would hide the words themselves
/// in all other text. What is made at random, such as a UUID, has letters and digits mixed.
fn is_words(part: &str) -> bool {
    part.split(['-', '_', '.', '+', ':']).all(|word| {
        let is_number = word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        is_number || word.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}

/// Whether a server is this host, or the agent of ECS or EKS at its link-local address.
fn is_on_host(authority: &str) -> bool {
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    };
    if host == "localhost" {
        return true;
    }
    without_brackets(host).parse().is_ok_and(|address: IpAddr| {
        let agents = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];
        address.is_loopback() || agents.iter().any(|agent| agent.parse() == Ok(address))
    })
}

impl Container {
    /// An endpoint that needs no token.
    pub fn new(endpoint: Endpoint) -> Container {
        Container {
            endpoint,
            token_file: None,
            token: None,
        }
    }
}

/// Asks the endpoint for credentials. `http` must not use a proxy.
pub fn fetch(settings: &Container, http: &Http) -> Result<Granted, NoCredentials> {
    let token = match &settings.token_file {
        Some(path) => Some(token_file(path).map_err(|error| {
            NoCredentials::permanent(format!("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: {error}"))
        })?),
        None => settings.token.clone(),
    };
    let mut headers = vec![("accept", "application/json")];
    headers.extend(token.as_ref().map(|t| ("authorization", t.expose())));
    let request = Request {
        method: "GET",
        url: &settings.endpoint.url,
        headers: &headers,
        body: b"",
        timeout: TIMEOUT,
    };
    let answer =
        send_and_read(http, &request).map_err(|error| NoCredentials::retryable(error.to_string()));
    let sent = match (&settings.token_file, &token) {
        (Some(_), _) => Sent::OfFile,
        (None, Some(_)) => Sent::OfSetting,
        (None, None) => Sent::Nothing,
    };
    answer
        .and_then(|answer| read(answer.status, &answer.body, sent))
        .map_err(|error| error.with_context(&settings.endpoint.origin))
}

/// The authorization token that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// One of a file, which the platform renews.
    OfFile,
    /// One of a setting, which stays what it is.
    OfSetting,
    Nothing,
}

/// Reads an answer.
fn read(status: u16, body: &str, sent: Sent) -> Result<Granted, NoCredentials> {
    let refusal = document::refusal(body);
    if (status, &refusal) == (200, &None) {
        let granted = document::read(body);
        return granted.map_err(|error| {
            NoCredentials::retryable(format!("its answer can't be used: {error}"))
        });
    }
    let code = refusal.as_ref().map_or("", |refusal| &refusal.code);
    let heals = heals(code, sent);
    let hint = match (status, sent) {
        _ if heals => "",
        (400 | 401 | 403, Sent::Nothing) => {
            " – it may want AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or \
             AWS_CONTAINER_AUTHORIZATION_TOKEN"
        }
        (400 | 401 | 403, _) => " – check the authorization token",
        _ => "",
    };
    // A page for people is from a gateway or captive portal, and says nothing of the keys.
    let is_page = body.trim_start().starts_with('<');
    let is_refused = matches!(status, 200 | 400..=499) && status != 429;
    let text = refusal.map(|refusal| refusal.text);
    let message = match (status, text) {
        (200, text) => format!("it refuses: {}", text.unwrap_or_default()),
        (_, Some(text)) => format!("it answers {status}: {text}{hint}"),
        (_, None) => format!("it answers {status}{hint}"),
    };
    Err(NoCredentials {
        message,
        needs_operator: is_refused && !is_page && !heals,
    })
}

/// Whether a refusal with this code is over by itself after some time.
fn heals(code: &str, sent: Sent) -> bool {
    error_code::is_throttling(code)
        || error_code::is_failure_of_aws(code)
        || (error_code::is_expired(code) && sent != Sent::OfSetting)
}

#[cfg(test)]
mod tests;
