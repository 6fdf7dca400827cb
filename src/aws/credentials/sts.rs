//! The client of AWS's Security Token Service (STS), which gives credentials of a role, and says to
//! whom credentials belong. <https://docs.aws.amazon.com/STS/latest/APIReference/>

use std::time::Duration;

use super::{Granted, NoCredentials};
use crate::aws::clock::Clock;
use crate::aws::error_code;
use crate::aws::signed_call::{Answer, SignedCall, Signer};
use crate::aws::sigv4::{Credentials, Scope};
use crate::aws::xml::{self, Element};
use crate::base::percent::query_string;
use crate::base::redactor::shortened;
use crate::base::secret::Secret;
use crate::net::http::{Http, HttpError};
use crate::net::url::Url;

/// Version of STS's API.
const VERSION: &str = "2011-06-15";
const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// Time limit for a call, from the start to the last byte of the answer. Most calls are made in the
/// background, before the old credentials expire.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer that is read, in bytes. Real ones have two thousand.
const MAX_ANSWER: u64 = 64 * 1024;
/// What STS says with `InvalidIdentityToken` if the identity provider didn't answer it. With other
/// words, the token is refused.
const NO_KEY: &str = "Couldn't retrieve verification key from your identity provider";
/// Characters of an error message of STS that are kept.
const MAX_MESSAGE_CHARACTERS: usize = 400;

/// Settings for STS.
#[derive(Debug, Clone)]
pub struct StsSettings {
    /// `AWS_ENDPOINT_URL_STS`, or the endpoint of the region.
    pub endpoint: Url,
    /// Region in the scope of signatures.
    pub region: String,
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// ARN of the role, such as `arn:aws:iam::123456789012:role/name`.
    pub arn: String,
    /// Session name, which CloudTrail shows for the calls that are made with the role.
    pub session_name: String,
    /// External id, which the role's trust policy may demand. AWS does not treat it as a secret.
    pub external_id: Option<String>,
}

/// The client.
pub struct Sts {
    settings: StsSettings,
    http: Http,
    clock: Clock,
}

/// One call, ready to be signed.
struct Call<'a> {
    operation: &'static str,
    form: Vec<(&'static str, &'a str)>,
    /// Credentials to sign with. `None` if the operation takes no signature.
    signer: Option<&'a Credentials>,
    /// Whether the credentials or the token of the call are renewed by themselves.
    is_renewed: bool,
    /// Whether rounds need the answer. If not, the operator is needed only where the keys themselves are
    /// refused.
    is_needed: bool,
}

impl Sts {
    /// Makes a client. No request is sent yet.
    pub fn new(settings: StsSettings, http: Http, clock: Clock) -> Sts {
        Sts {
            settings,
            http,
            clock,
        }
    }

    /// AssumeRole: credentials of a role, for a caller with these credentials. `is_renewed`: whether
    /// these are renewed by themselves.
    pub fn assume_role(
        &self,
        role: &Role,
        caller: &Credentials,
        is_renewed: bool,
    ) -> Result<Granted, NoCredentials> {
        let mut form = form("AssumeRole", role);
        form.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
        self.grant(&Call {
            operation: "AssumeRole",
            form,
            signer: Some(caller),
            is_renewed,
            is_needed: true,
        })
    }

    /// GetCallerIdentity: the ARN of the identity to which credentials belong. No IAM policy can
    /// deny this operation, but the policy of a VPC's endpoint can. `is_renewed`: whether the credentials
    /// are renewed by themselves.
    pub fn caller_identity(
        &self,
        credentials: &Credentials,
        is_renewed: bool,
    ) -> Result<String, NoCredentials> {
        let call = Call {
            operation: "GetCallerIdentity",
            form: vec![("Action", "GetCallerIdentity"), ("Version", VERSION)],
            signer: Some(credentials),
            is_renewed,
            is_needed: false,
        };
        let body = self.call(&call)?;
        let arn = result(&body, call.operation)
            .and_then(|result| result.required_text("Arn").map(str::to_owned));
        arn.map_err(|error| unusable(&error).with_context(&self.name()))
    }

    /// AssumeRoleWithWebIdentity: credentials of a role, for a caller with this token. The call is
    /// not signed.
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
            is_renewed: true,
            is_needed: true,
        })
    }

    /// Makes a call whose answer has credentials.
    fn grant(&self, call: &Call<'_>) -> Result<Granted, NoCredentials> {
        let body = self.call(call)?;
        granted(&body, call.operation).map_err(|error| unusable(&error).with_context(&self.name()))
    }

    /// Name of the service, for messages.
    fn name(&self) -> String {
        format!("STS at {}", self.settings.endpoint)
    }

    /// Makes a call and returns the body of the answer. If a refusal shows that the clock is wrong,
    /// the call is repeated once with the corrected time.
    fn call(&self, call: &Call<'_>) -> Result<String, NoCredentials> {
        let name = self.name();
        let attempt = || {
            let answer = self.send(call);
            let settings = "HTTPS_PROXY and AWS_ENDPOINT_URL_STS";
            let lost = |error: HttpError| NoCredentials::retryable(error.with_hint(settings));
            answer.map_err(|error| lost(error).with_context(&name))
        };
        let mut answer = attempt()?;
        let code = xml::error_response(&answer.body).map(|error| error.code);
        let ahead = answer.clock_ahead;
        if answer.status >= 400 && code.is_ok_and(|code| self.clock.learn(&code, ahead)) {
            answer = attempt()?;
        }
        match answer.status {
            200 => Ok(answer.body),
            status => Err(refusal(status, &answer.body, call).with_context(&name)),
        }
    }

    /// Sends a call once.
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
            largest_answer: MAX_ANSWER,
        };
        signed.send(&self.http, signer.as_ref())
    }
}

/// The parameters that both operations with a role have.
fn form<'a>(operation: &'static str, role: &'a Role) -> Vec<(&'static str, &'a str)> {
    vec![
        ("Action", operation),
        ("Version", VERSION),
        ("RoleArn", &role.arn),
        ("RoleSessionName", &role.session_name),
    ]
}

/// The error for an answer with status 200 that cannot be read.
fn unusable(error: &str) -> NoCredentials {
    NoCredentials::retryable(format!("its answer can't be used: {error}"))
}

/// Reads the result in an answer. The error leaves out what the XML reader says, which could quote
/// a secret.
fn result(body: &str, operation: &str) -> Result<Element, String> {
    let root = format!("{operation}Response");
    let response = xml::read(body, &root);
    let result = response.and_then(|r| r.required(&format!("{operation}Result")).cloned());
    result.map_err(|_| format!("it is not a whole {root}"))
}

/// Reads the credentials in an answer to `AssumeRole` or `AssumeRoleWithWebIdentity`.
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

/// Reads an error answer. If it is not in STS's form, it comes from a proxy or load balancer, and
/// the call may succeed later.
fn refusal(status: u16, body: &str, call: &Call<'_>) -> NoCredentials {
    let Ok(error) = xml::error_response(body) else {
        return NoCredentials::retryable(format!("it answers {status} without an error of STS"));
    };
    let is_retryable = status >= 500
        || status == 429
        || error_code::is_throttling(&error.code)
        || error_code::is_failure_of_aws(&error.code)
        || (error_code::is_expired(&error.code) && call.is_renewed)
        || !(call.is_needed
            || error_code::is_expired(&error.code)
            || error_code::is_about_keys(&error.code))
        || error.code == error_code::REQUEST_EXPIRED
        || (error.code == "InvalidIdentityToken" && error.message.contains(NO_KEY));
    let message = match error.message.as_str() {
        "" => format!("it answers {} ({status})", error.code),
        message => format!("it answers {} ({status}): {message}", error.code),
    };
    NoCredentials {
        message: shortened(&message, MAX_MESSAGE_CHARACTERS),
        needs_operator: !is_retryable,
    }
}

#[cfg(test)]
mod tests;
