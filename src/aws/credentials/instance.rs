//! The role of the EC2 instance on which we run, from its metadata service, version 2: a token
//! first, then the role's name, then its credentials.
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html>
//!
//! Version 1 is never tried: it would answer whoever can make us send a GET.

use std::time::Duration;

use super::io::{Answer, exchange};
use super::{Granted, NoCredentials, document};
use crate::base::percent::encode_segment;
use crate::base::secret::Secret;
use crate::net::http::{Http, HttpError, Request};
use crate::net::url::Url;

/// Where every instance has its metadata.
pub const ENDPOINT: &str = "http://169.254.169.254";
/// The service is on the same host; AWS's SDKs give it as long.
const TIMEOUT: Duration = Duration::from_secs(1);
const TOKEN_PATH: &str = "/latest/api/token";
const CREDENTIALS_PATH: &str = "/latest/meta-data/iam/security-credentials/";

/// Where instance metadata is.
#[derive(Debug, Clone)]
pub struct Instance {
    /// `AWS_EC2_METADATA_SERVICE_ENDPOINT`.
    pub endpoint: Url,
}

/// Asks for credentials. `http` must not go through a proxy.
pub fn fetch(settings: &Instance, http: &Http) -> Result<Granted, NoCredentials> {
    let endpoint = settings.endpoint.to_string();
    let result = token(&endpoint, http).and_then(|token| {
        let header = ("x-aws-ec2-metadata-token", token.expose());
        let get = |path: &str| {
            let answer = send(http, "GET", &endpoint, path, header);
            answer.map_err(|error| NoCredentials::yet(error.to_string()))
        };
        let list = get(CREDENTIALS_PATH)?;
        let role = role(list.status, &list.body)?;
        let path = format!("{CREDENTIALS_PATH}{}", encode_segment(role));
        let answer = get(&path)?;
        credentials(answer.status, &answer.body, role, &token)
    });
    result.map_err(|error| error.under(&endpoint))
}

fn token(endpoint: &str, http: &Http) -> Result<Secret, NoCredentials> {
    let header = ("x-aws-ec2-metadata-token-ttl-seconds", "21600");
    let answer = send(http, "PUT", endpoint, TOKEN_PATH, header);
    let answer = answer.map_err(|error| no_token(&error))?;
    let token = answer.body.trim();
    match answer.status {
        200 if !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()) => {
            Ok(Secret::new(token))
        }
        200 => Err(NoCredentials::yet("the token that it gave is none")),
        status => Err(NoCredentials {
            message: format!("it answers {status} when asked for a token"),
            needs_operator: matches!(status, 400..=499) && status != 429,
        }),
    }
}

fn send(
    http: &Http,
    method: &str,
    endpoint: &str,
    path: &str,
    header: (&str, &str),
) -> Result<Answer, HttpError> {
    let request = Request {
        method,
        url: &format!("{endpoint}{path}"),
        headers: &[header],
        body: b"",
        timeout: TIMEOUT,
    };
    exchange(http, &request)
}

/// The token's answer leaves the service with the hop limit, which is 1 by default: it doesn't
/// get through the bridge to a container, and the request looks lost.
fn no_token(error: &HttpError) -> NoCredentials {
    let hint = match error.is_timeout {
        true => {
            " – this is no EC2 instance, or its metadata hop limit is 1: in a bridged container \
             the instance's metadata hop limit must be 2 \
             (aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2)"
        }
        false => "",
    };
    NoCredentials::yet(format!("{error}{hint}"))
}

/// The first line is the role's name; an instance has one at most. One that has none can be
/// given one while we wait, and a new instance has its role a little later than its network.
fn role(status: u16, body: &str) -> Result<&str, NoCredentials> {
    let name = body.lines().next().unwrap_or_default().trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    match status {
        200 if !name.is_empty() && name.chars().all(is_name) => Ok(name),
        200 if !name.is_empty() => Err(NoCredentials::yet("the role that it names is none")),
        200 | 404 => Err(NoCredentials::yet(
            "the instance has no role: attach an instance profile",
        )),
        _ => Err(answered(status, "role")),
    }
}

fn credentials(
    status: u16,
    body: &str,
    role: &str,
    token: &Secret,
) -> Result<Granted, NoCredentials> {
    if status != 200 {
        return Err(answered(status, "credentials"));
    }
    if let Some(refusal) = document::refusal(body, &[token]) {
        let message = format!("no credentials for the role {role}: {refusal}");
        return Err(NoCredentials::ever(message));
    }
    let unusable = |error| NoCredentials::yet(format!("its answer can't be used: {error}"));
    document::read(body).map_err(unusable)
}

/// 401 is a token that has expired in the meantime, 403 a service that is turned off.
fn answered(status: u16, what: &str) -> NoCredentials {
    NoCredentials {
        message: format!("it answers {status} when asked for the {what}"),
        needs_operator: matches!(status, 400 | 403 | 405),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_role() {
        for (status, body, expected) in [
            (200, "dns-writer", Ok("dns-writer")),
            (200, "a@b.c\nother\n", Ok("a@b.c")),
            (200, "", Err(("has no role", false))),
            (404, "<html>", Err(("has no role", false))),
            (200, "<html>", Err(("is none", false))),
            (200, "../../user-data", Err(("is none", false))),
            (401, "", Err(("401", false))),
            (403, "", Err(("403", true))),
            (503, "", Err(("503", false))),
        ] {
            match (role(status, body), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(error), Err((words, needs_operator))) => {
                    assert!(error.message.contains(words), "{error}");
                    assert_eq!(error.needs_operator, needs_operator, "{error}");
                }
                (found, _) => panic!("{status} {body}: {found:?}"),
            }
        }
    }

    #[test]
    fn an_answer_without_credentials_says_why() {
        for (status, body, words, needs_operator) in [
            (
                200,
                r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role"}"#,
                "no credentials for the role r: AssumeRoleUnauthorizedAccess: EC2 cannot assume",
                true,
            ),
            (200, "{", "it is not JSON", false),
            (200, r#"{"Code":"Success"}"#, "it has no AccessKeyId", false),
            (404, "", "404", false),
            (500, "", "500", false),
        ] {
            let error = credentials(status, body, "r", &Secret::new("token")).unwrap_err();
            assert!(error.message.contains(words), "{error}");
            assert_eq!(error.needs_operator, needs_operator, "{error}");
        }
    }

    #[test]
    fn only_a_token_that_does_not_arrive_hints_at_the_hop_limit() {
        for is_timeout in [true, false] {
            let error = HttpError {
                is_of_proxy: false,
                message: "no luck".to_owned(),
                is_timeout,
                is_unsent: false,
            };
            let shown = no_token(&error).message;
            assert_eq!(shown.contains("metadata hop limit must be 2"), is_timeout);
        }
    }
}
