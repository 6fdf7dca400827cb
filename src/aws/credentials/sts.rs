//! The Security Token Service, which gives credentials of a role: two of its operations, their
//! requests, answers and errors. <https://docs.aws.amazon.com/STS/latest/APIReference/>

use std::time::Duration;

use super::{Granted, NoCredentials};
use crate::aws::clock::Clock;
use crate::aws::signed_call::{Answer, SignedCall, Signer};
use crate::aws::sigv4::{Credentials, Scope};
use crate::aws::xml::{self, Element};
use crate::base::percent::query_string;
use crate::base::secret::Secret;
use crate::net::http::{Http, HttpError};
use crate::net::url::Url;

const VERSION: &str = "2011-06-15";
const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// From the start of a call until its answer is there. It is usually made on a thread of its
/// own, ahead of time.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer, in bytes. Real ones have two thousand.
const LARGEST_ANSWER: u64 = 64 * 1024;
/// Longest message of STS that is passed on, in characters.
const LONGEST_MESSAGE: usize = 400;

/// Where STS is.
#[derive(Debug, Clone)]
pub struct StsSettings {
    /// `AWS_ENDPOINT_URL_STS`, or the region's own.
    pub endpoint: Url,
    /// Region in the signature's scope.
    pub region: String,
}

/// A role to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// `arn:aws:iam::123456789012:role/name`.
    pub arn: String,
    /// What CloudTrail shows for our calls.
    pub session_name: String,
    /// What the role's trust policy may ask for. AWS doesn't treat it as a secret.
    pub external_id: Option<String>,
}

/// A client.
pub struct Sts {
    settings: StsSettings,
    http: Http,
    clock: Clock,
}

/// One call, ready to be signed.
struct Call<'a> {
    operation: &'static str,
    form: Vec<(&'static str, &'a str)>,
    /// None: the operation takes no signature.
    signer: Option<&'a Credentials>,
    /// What must not come back in a message.
    secrets: Vec<&'a Secret>,
}

impl Sts {
    /// A client.
    pub fn new(settings: StsSettings, http: Http, clock: Clock) -> Sts {
        Sts {
            settings,
            http,
            clock,
        }
    }

    /// AssumeRole, signed with these credentials.
    pub fn assume_role(&self, role: &Role, by: &Credentials) -> Result<Granted, NoCredentials> {
        let mut form = form("AssumeRole", role);
        form.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
        self.grant(&Call {
            operation: "AssumeRole",
            form,
            signer: Some(by),
            secrets: secrets_of(by),
        })
    }

    /// GetCallerIdentity: the ARN of whoever has these credentials. No policy can forbid it.
    pub fn caller_identity(&self, credentials: &Credentials) -> Result<String, NoCredentials> {
        let call = Call {
            operation: "GetCallerIdentity",
            form: vec![("Action", "GetCallerIdentity"), ("Version", VERSION)],
            signer: Some(credentials),
            secrets: secrets_of(credentials),
        };
        let body = self.call(&call)?;
        let arn = result(&body, call.operation)
            .and_then(|result| result.required_text("Arn").map(str::to_owned));
        arn.map_err(|error| unusable(&error).under(&self.name()))
    }

    /// AssumeRoleWithWebIdentity: the token stands for a signature.
    pub fn assume_role_with_web_identity(
        &self,
        role: &Role,
        token: &Secret,
    ) -> Result<Granted, NoCredentials> {
        let mut form = form("AssumeRoleWithWebIdentity", role);
        form.push(("WebIdentityToken", token.expose()));
        self.grant(&Call {
            operation: "AssumeRoleWithWebIdentity",
            form,
            signer: None,
            secrets: vec![token],
        })
    }

    /// Makes a call that brings credentials.
    fn grant(&self, call: &Call<'_>) -> Result<Granted, NoCredentials> {
        let body = self.call(call)?;
        granted(&body, call.operation).map_err(|error| unusable(&error).under(&self.name()))
    }

    fn name(&self) -> String {
        format!("STS at {}", self.settings.endpoint)
    }

    /// Makes a call, a second time if our clock turned out to be wrong, and returns the answer.
    fn call(&self, call: &Call<'_>) -> Result<String, NoCredentials> {
        let name = self.name();
        let once = || {
            let answer = self.send(call);
            answer.map_err(|error| NoCredentials::yet(error.to_string()).under(&name))
        };
        let mut answer = once()?;
        let code = xml::error_response(&answer.body).map(|error| error.code);
        let ahead = answer.clock_ahead;
        if answer.status >= 400 && code.is_ok_and(|code| self.clock.learn(&code, ahead)) {
            answer = once()?;
        }
        match answer.status {
            200 => Ok(answer.body),
            status => Err(refusal(status, &answer.body, &call.secrets).under(&name)),
        }
    }

    fn send(&self, call: &Call<'_>) -> Result<Answer, HttpError> {
        let form = query_string(&call.form);
        let signer = call.signer.map(|credentials| Signer {
            credentials,
            scope: Scope {
                time: self.clock.now(),
                region: &self.settings.region,
                service: "sts",
            },
        });
        let signed = SignedCall {
            method: "POST",
            endpoint: &self.settings.endpoint,
            path: "/",
            query: "",
            signed_headers: &[("content-type", CONTENT_TYPE)],
            unsigned_headers: &[],
            payload: form.as_bytes(),
            timeout: TIMEOUT,
            largest_answer: LARGEST_ANSWER,
        };
        signed.send(&self.http, signer.as_ref())
    }
}

fn form<'a>(operation: &'static str, role: &'a Role) -> Vec<(&'static str, &'a str)> {
    vec![
        ("Action", operation),
        ("Version", VERSION),
        ("RoleArn", &role.arn),
        ("RoleSessionName", &role.session_name),
    ]
}

fn secrets_of(credentials: &Credentials) -> Vec<&Secret> {
    let mut secrets = vec![&credentials.secret_access_key];
    secrets.extend(&credentials.session_token);
    secrets
}

fn unusable(error: &str) -> NoCredentials {
    NoCredentials::yet(format!("its answer can't be used: {error}"))
}

/// Reads an answer. An error of the XML reader could quote a secret, so it isn't passed on.
fn result(body: &str, operation: &str) -> Result<Element, String> {
    let root = format!("{operation}Response");
    let response = xml::read(body, &root);
    let result = response.and_then(|r| r.required(&format!("{operation}Result")).cloned());
    result.map_err(|_| format!("it is not a whole {root}"))
}

/// Reads an answer of `AssumeRole` or `AssumeRoleWithWebIdentity`.
pub fn granted(body: &str, operation: &str) -> Result<Granted, String> {
    let result = result(body, operation)?;
    let credentials = result.required("Credentials");
    let credentials = credentials.map_err(|_| format!("it is not a whole {operation}Response"))?;
    Granted::temporary(
        credentials.text_of("AccessKeyId"),
        credentials.text_of("SecretAccessKey"),
        credentials.text_of("SessionToken"),
        credentials.text_of("Expiration"),
    )
}

/// An error answer. One that isn't STS's own comes from something in between, and may pass.
fn refusal(status: u16, body: &str, secrets: &[&Secret]) -> NoCredentials {
    let Ok(error) = xml::error_response(body) else {
        return NoCredentials::yet(format!("it answers {status} without an error of STS"));
    };
    let is_passing = status >= 500
        || status == 429
        || matches!(
            error.code.as_str(),
            "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "IDPCommunicationError"
        );
    let redact = |text: String| secrets.iter().fold(text, |text, s| s.redact(&text));
    let message = match error.message.as_str() {
        "" => format!("it answers {} ({status})", error.code),
        message => format!("it answers {} ({status}): {message}", error.code),
    };
    // Cut only after that: half a secret wouldn't be found.
    NoCredentials {
        message: redact(message).chars().take(LONGEST_MESSAGE).collect(),
        needs_operator: !is_passing,
    }
}

#[cfg(test)]
mod tests;
