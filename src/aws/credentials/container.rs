//! Credentials from the endpoint that ECS or EKS Pod Identity offers to a container.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use ureq::http::Uri;

use super::io::{send_and_read, token_file};
use super::{Granted, NoCredentials, document};
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
            secrets: secret_parts(text.strip_prefix(&origin).unwrap_or(text)),
            origin,
        })
    }
}

/// The parts of a path and a query that may be what makes them secret. Words, as in
/// `/v2/credentials/`, are none.
fn secret_parts(path: &str) -> Vec<Secret> {
    let parts = path.split(['/', '?', '&', '=']);
    parts
        .filter(|part| part.len() >= MIN_SECRET_PART && part.contains(|c: char| c.is_ascii_digit()))
        .map(Secret::new)
        .collect()
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
    answer
        .and_then(|answer| read(answer.status, &answer.body, token.is_some()))
        .map_err(|error| error.with_context(&settings.endpoint.origin))
}

/// Reads an answer.
fn read(status: u16, body: &str, has_token: bool) -> Result<Granted, NoCredentials> {
    let refusal = document::refusal(body);
    match (status, refusal) {
        (200, None) => document::read(body).map_err(|error| {
            NoCredentials::retryable(format!("its answer can't be used: {error}"))
        }),
        (200, Some(refusal)) => Err(NoCredentials::permanent(format!("it refuses: {refusal}"))),
        (_, refusal) => {
            let why = refusal.map(|text| format!(": {text}")).unwrap_or_default();
            let hint = match (status, has_token) {
                (400 | 401 | 403, false) => {
                    " – it may want AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or \
                     AWS_CONTAINER_AUTHORIZATION_TOKEN"
                }
                (400 | 401 | 403, true) => " – check the authorization token",
                _ => "",
            };
            // A page for people is from a gateway or captive portal, and says nothing of the keys.
            let is_page = body.trim_start().starts_with('<');
            Err(NoCredentials {
                message: format!("it answers {status}{why}{hint}"),
                needs_operator: (400..500).contains(&status) && status != 429 && !is_page,
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_on_the_host_may_go_without_tls() {
        for (text, is_allowed) in [
            ("http://localhost:1338/latest/credentials", true),
            ("http://LOCALHOST/x", true),
            ("http://127.0.0.1/creds?id=1", true),
            ("http://127.1.2.3:80/", true),
            ("http://[::1]:8080/creds", true),
            ("http://169.254.170.2/v2", true),
            ("http://169.254.170.23/v1/credentials", true),
            ("http://[fd00:ec2::23]/v1/credentials", true),
            ("https://anywhere.example/creds", true),
            ("http://anywhere.example/creds", false),
            ("http://localhost.example/creds", false),
            ("http://127.0.0.1.example/", false),
            ("http://169.254.169.254/", false),
            ("http://[fd00:ec2::24]/", false),
            ("http://0.0.0.0/", false),
        ] {
            let endpoint = Endpoint::full(text);
            assert_eq!(endpoint.is_ok(), is_allowed, "{text}: {endpoint:?}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for (text, words) in [
            ("", "not a URL"),
            ("/v2/credentials", "http://"),
            ("ftp://localhost/", "http://"),
            ("http://user@localhost/", "user name"),
            ("http://localhost/a b", "not a URL"),
            ("http://localhost/?a b", "not a URL"),
            ("http://evil.example@169.254.170.2/", "user name"),
        ] {
            let error = Endpoint::full(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }

    #[test]
    fn a_relative_one_is_of_ecs_and_stays_there() {
        let endpoint = Endpoint::relative("/v2/credentials/1-2").unwrap();
        assert_eq!(endpoint.url, "http://169.254.170.2/v2/credentials/1-2");
        assert_eq!(endpoint.origin, "http://169.254.170.2");
        for text in [".evil.example/", "@evil.example/", ":80/", "x"] {
            assert!(Endpoint::relative(text).is_err(), "{text}");
        }
        assert!(!format!("{endpoint:?}").contains("credentials/1-2"));
    }

    #[test]
    fn each_answer_says_whether_to_wait_or_to_mend() {
        let _sent = Secret::new("tok3n");
        for (status, body, expected, needs_operator) in [
            (
                200,
                "<html>",
                "its answer can't be used: it is not JSON",
                false,
            ),
            (
                200,
                r#"{"code":"NoRole","message":"none for tok3n"}"#,
                "it refuses: NoRole: none for …",
                true,
            ),
            (
                400,
                r#"{"code":"BadToken"}"#,
                "it answers 400: BadToken – check the authorization token",
                true,
            ),
            (404, "", "it answers 404", true),
            (404, "\n<!DOCTYPE html>", "it answers 404", false),
            (
                403,
                "<html>",
                "it answers 403 – check the authorization token",
                false,
            ),
            (429, "", "it answers 429", false),
            (500, "oops tok3n", "it answers 500", false),
            (302, "", "it answers 302", false),
        ] {
            let error = read(status, body, true).unwrap_err();
            assert_eq!(error.message, expected);
            assert_eq!(error.needs_operator, needs_operator, "{expected}");
        }
        let without = read(401, "", false).unwrap_err();
        assert!(without.message.contains("TOKEN_FILE"), "{without}");
    }
}
