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
mod tests {
    use super::*;
    use crate::base::redactor::shortened;

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
    fn what_makes_a_url_secret_is_hidden_and_nothing_else() {
        const UUID: &str = "3f1c8f0e-5a4e-4bd5-9a3c-0b8a7a2d6c11";
        for (url, hidden, shown) in [
            // Host and port, however they are written.
            ("http://LOCALHOST:13389/creds", "", "LOCALHOST:13389"),
            ("HTTP://localhost:13389/creds", "", "localhost:13389"),
            (
                "http://127.0.0.1:80/creds",
                "",
                "127.0.0.1:80 127.0.0.1:8080",
            ),
            ("https://agent-17.example:443/", "", "agent-17.example:443"),
            (
                "https://agent-17.example?id=0a1b2c3d",
                "0a1b2c3d",
                "agent-17.example",
            ),
            // Names of parameters; words, but for the whole that they make.
            ("http://localhost/?token2024=x", "", "x"),
            (
                "http://localhost/v2/credentials/production-2",
                "production-2",
                "the production-1 of production, production-22",
            ),
            (
                "http://localhost/?region=eu-central-1",
                "eu-central-1",
                "central eu-central-2",
            ),
            ("http://localhost/2011-06-15/", "2011-06-15", "2011-06-16"),
            // What is made at random, also in part.
            (
                "http://169.254.170.2/v2/credentials/3f1c8f0e-5a4e-4bd5-9a3c-0b8a7a2d6c11",
                UUID,
                "v2",
            ),
            (
                "http://localhost/3f1c8f0e-5a4e-4bd5-9a3c-0b8a7a2d6c11",
                &UUID[..8],
                "localhost",
            ),
            (
                "http://localhost/?a=b&id=hunter2hunter2",
                "hunter2h",
                "a b id",
            ),
            ("http://localhost/aB3dE5gH", "aB3dE5gH", "localhost"),
            ("http://localhost/123456789", "12345678 x", "localhost"),
        ] {
            let endpoint = Endpoint::full(url).unwrap();
            assert_eq!(shortened(shown, 100), shown, "{url}");
            if !hidden.is_empty() {
                let words = format!("it wants ({hidden}) or more");
                let hides = !shortened(&words, 100).contains(hidden);
                assert!(hides, "{url}: {}", shortened(&words, 100));
            }
            drop(endpoint);
        }
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
            let error = read(status, body, Sent::OfFile).unwrap_err();
            assert_eq!(error.message, expected);
            assert_eq!(error.needs_operator, needs_operator, "{expected}");
        }
        let without = read(401, "", Sent::Nothing).unwrap_err();
        assert!(without.message.contains("TOKEN_FILE"), "{without}");
    }

    #[test]
    fn what_has_expired_is_waited_for_unless_it_is_a_setting() {
        use Sent::{Nothing, OfFile, OfSetting};
        const EXPIRED: &str = r#"{"code":"ExpiredToken","message":"too old"}"#;
        const OF_EKS: &str = "[1]: (ExpiredTokenException): too old, fault: client";
        const INVALID: &str = "[1]: (InvalidTokenException): no token, fault: client";
        for (status, body, sent, needs_operator) in [
            (400, EXPIRED, OfFile, false),
            (400, EXPIRED, Nothing, false),
            (400, EXPIRED, OfSetting, true),
            (200, EXPIRED, OfFile, false),
            (403, EXPIRED, OfFile, false),
            (400, OF_EKS, OfFile, false),
            (400, OF_EKS, OfSetting, true),
            (400, INVALID, OfFile, true),
            (400, r#"{"code":"ThrottlingException"}"#, OfSetting, false),
            (
                400,
                r#"{"code":"CredentialsUninitialized"}"#,
                Nothing,
                false,
            ),
            (404, "(ResourceNotFoundException): no role", OfFile, true),
        ] {
            let error = read(status, body, sent).unwrap_err();
            assert_eq!(error.needs_operator, needs_operator, "{error} {sent:?}");
            let hints = error.message.contains("check the authorization token");
            let may_hint = needs_operator && status == 400;
            assert_eq!(hints, may_hint, "{error} {sent:?}");
        }
    }
}
