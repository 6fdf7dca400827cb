//! Credentials of the role of an EC2 instance, from version 2 of its metadata service (IMDSv2).
//!
//! There are three requests: for a token, for the name of the role, and for the role's credentials.
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html>
//!
//! Version 1 of the service is never used, since it needs no token: anyone who can make a program
//! send a GET request could read the credentials.

use std::time::Duration;

use super::io::{Answer, send_and_read};
use super::{Granted, NoCredentials, document};
use crate::base::percent::encode_segment;
use crate::base::secret::Secret;
use crate::net::http::{Http, HttpError, Request};
use crate::net::url::Url;

/// The metadata service of every EC2 instance.
pub const ENDPOINT: &str = "http://169.254.169.254";
/// The same service for instances whose network has no IPv4.
pub const ENDPOINT_IPV6: &str = "http://[fd00:ec2::254]";
/// Time limit for each request, as in AWS's SDKs: the service is on the same host.
const TIMEOUT: Duration = Duration::from_secs(1);
const TOKEN_PATH: &str = "/latest/api/token";
const CREDENTIALS_PATH: &str = "/latest/meta-data/iam/security-credentials/";

/// Settings for instance metadata.
#[derive(Debug, Clone)]
pub struct Instance {
    /// `AWS_EC2_METADATA_SERVICE_ENDPOINT`, or [`ENDPOINT`] or [`ENDPOINT_IPV6`], as
    /// `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE` says.
    pub endpoint: Url,
}

/// Asks the metadata service for credentials. `http` must not use a proxy.
pub fn fetch(settings: &Instance, http: &Http) -> Result<Granted, NoCredentials> {
    let endpoint = settings.endpoint.to_string();
    let result = token(&endpoint, http).and_then(|token| {
        let header = ("x-aws-ec2-metadata-token", token.expose());
        let get = |path: &str| {
            let answer = send(http, "GET", &endpoint, path, header);
            answer.map_err(|error| NoCredentials::retryable(error.to_string()))
        };
        let list = get(CREDENTIALS_PATH)?;
        let role = role(list.status, &list.body)?;
        let path = format!("{CREDENTIALS_PATH}{}", encode_segment(role));
        let answer = get(&path)?;
        credentials(answer.status, &answer.body, role)
    });
    result.map_err(|error| error.with_context(&endpoint))
}

/// Asks for a token, which is valid for six hours.
fn token(endpoint: &str, http: &Http) -> Result<Secret, NoCredentials> {
    let header = ("x-aws-ec2-metadata-token-ttl-seconds", "21600");
    let answer = send(http, "PUT", endpoint, TOKEN_PATH, header);
    let answer = answer.map_err(|error| no_token(&error))?;
    let token = answer.body.trim();
    match answer.status {
        200 if !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic()) => {
            Ok(Secret::new(token))
        }
        200 => Err(NoCredentials::retryable(
            "the token in its answer is malformed",
        )),
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
    send_and_read(http, &request)
}

/// The error for a request for a token without an answer. With a hop limit of 1, which is the
/// default, the answer does not pass the bridge to a container, and the request times out.
fn no_token(error: &HttpError) -> NoCredentials {
    let hint = if error.is_timeout {
        " – this is no EC2 instance, or its metadata hop limit is 1: in a bridged container the \
         instance's metadata hop limit must be 2 \
         (aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2)"
    } else {
        ""
    };
    NoCredentials::retryable(format!("{error}{hint}"))
}

/// Reads the name of the role, which is the first line of the answer. An instance without a role is
/// worth another attempt: it can get one at any time, and a new instance has its network a little
/// earlier than its role.
fn role(status: u16, body: &str) -> Result<&str, NoCredentials> {
    let name = body.lines().next().unwrap_or_default().trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    match status {
        200 if !name.is_empty() && name.chars().all(is_name) => Ok(name),
        200 if !name.is_empty() => Err(NoCredentials::retryable(
            "the role name in its answer is malformed",
        )),
        200 | 404 => Err(NoCredentials::retryable(
            "the instance has no role: attach an instance profile",
        )),
        _ => Err(unexpected_status(status, "role")),
    }
}

/// Reads the answer with the role's credentials.
fn credentials(status: u16, body: &str, role: &str) -> Result<Granted, NoCredentials> {
    if status != 200 {
        return Err(unexpected_status(status, "credentials"));
    }
    if let Some(refusal) = document::refusal(body) {
        return Err(NoCredentials {
            message: format!("no credentials for the role {role}: {}", refusal.text),
            // These say that the role, its trust policy or its profile are wrong. Whatever else fails
            // may be EC2's fault, such as `Failed`.
            needs_operator: matches!(
                refusal.code.as_str(),
                "AssumeRoleUnauthorizedAccess" | "InstanceProfileNotFound"
            ),
        });
    }
    let unusable = |error| NoCredentials::retryable(format!("its answer can't be used: {error}"));
    document::read(body).map_err(unusable)
}

/// The error for a status other than 200. 403 means that the service is turned off. 401 means that
/// the token has expired, which another attempt solves.
fn unexpected_status(status: u16, what: &str) -> NoCredentials {
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
            (200, "<html>", Err(("is malformed", false))),
            (200, "../../user-data", Err(("is malformed", false))),
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
            (
                200,
                r#"{"Code":"InstanceProfileNotFound","Message":"gone"}"#,
                "InstanceProfileNotFound: gone",
                true,
            ),
            (200, r#"{"Code":"Failed"}"#, "for the role r: Failed", false),
            (200, "{", "it is not JSON", false),
            (200, r#"{"Code":"Success"}"#, "it has no AccessKeyId", false),
            (404, "", "404", false),
            (500, "", "500", false),
        ] {
            let error = credentials(status, body, "r").unwrap_err();
            assert!(error.message.contains(words), "{error}");
            assert_eq!(error.needs_operator, needs_operator, "{error}");
        }
    }

    #[test]
    fn only_a_token_that_does_not_arrive_hints_at_the_hop_limit() {
        for is_timeout in [true, false] {
            let error = HttpError {
                is_explained: false,
                message: "no luck".to_owned(),
                is_timeout,
                is_unsent: false,
            };
            let shown = no_token(&error).message;
            assert_eq!(shown.contains("metadata hop limit must be 2"), is_timeout);
        }
    }
}
