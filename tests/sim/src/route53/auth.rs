//! Checks who sent a request, and that it is as they sent it: AWS's own signer signs what
//! arrived anew, with the secret that belongs to the key, and both signatures must agree.

use super::clock;
use super::error::ApiError;
use super::policy::Policy;
use super::record::Change;
use super::service::Operation;
use crate::http::Request;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SessionTokenMode, SignableBody, SignableRequest,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

/// How far a request's date may be off, either way.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// Someone who may call, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    pub access_key: String,
    pub secret_key: String,
    /// What temporary credentials send with every request.
    pub session_token: Option<String>,
    /// By the simulated clock.
    pub expires: Option<SystemTime>,
    /// What their policy forbids.
    pub denied: BTreeSet<Operation>,
    /// What its conditions forbid in a change batch: actions (`CREATE`) and types (`AAAA`).
    pub denied_changes: BTreeSet<&'static str>,
    /// Their policy as it stands in IAM. Without one everything else is allowed.
    pub policy: Option<Policy>,
}

impl Credential {
    /// Credentials that don't expire and may do everything.
    pub fn new(access_key: &str, secret_key: &str) -> Credential {
        Credential {
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
            session_token: None,
            expires: None,
            denied: BTreeSet::new(),
            denied_changes: BTreeSet::new(),
            policy: None,
        }
    }

    /// Temporary ones.
    pub fn with_token(mut self, token: &str, expires: Option<SystemTime>) -> Credential {
        self.session_token = Some(token.to_owned());
        self.expires = expires;
        self
    }

    /// Ones whose policy forbids this.
    pub fn denying(mut self, operation: Operation) -> Credential {
        self.denied.insert(operation);
        self
    }

    /// Ones whose policy forbids change batches with this action, or a record set of this type, by
    /// `route53:ChangeResourceRecordSetsActions` and `…RecordTypes`.
    pub fn denying_changes(mut self, word: &'static str) -> Credential {
        self.denied_changes.insert(word);
        self
    }

    /// Ones that may do what this policy allows, in JSON as IAM takes it.
    pub fn with_policy(mut self, json: &str) -> Credential {
        self.policy = Some(Policy::parse(json));
        self
    }
}

/// The pair from AWS's documentation.
impl Default for Credential {
    fn default() -> Credential {
        Credential::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    }
}

/// What a signature must be for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    pub region: &'a str,
    pub service: &'a str,
}

/// What an `Authorization` header says.
struct Authorization<'a> {
    access_key: &'a str,
    day: &'a str,
    region: &'a str,
    service: &'a str,
    signed_headers: Vec<&'a str>,
    signature: &'a str,
}

/// The access key that a request names, whether or not it is any good.
pub fn claimed_key(request: &Request) -> Option<String> {
    let authorization = parse(request.header("authorization")?).ok()?;
    Some(authorization.access_key.to_owned())
}

/// Who sent the request, if it is signed as it must be.
pub fn authenticate<'c>(
    request: &Request,
    credentials: &'c [Credential],
    expected: Expected<'_>,
    now: SystemTime,
) -> Result<&'c Credential, ApiError> {
    let header = request.header("authorization").ok_or_else(|| {
        ApiError::new(
            403,
            "MissingAuthenticationToken",
            "Missing Authentication Token",
        )
    })?;
    let authorization = parse(header)?;
    let unknown = || {
        ApiError::new(
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
        )
    };
    let credential = credentials
        .iter()
        .find(|credential| credential.access_key == authorization.access_key)
        .ok_or_else(unknown)?;
    if request.header("x-amz-security-token") != credential.session_token.as_deref() {
        return Err(unknown());
    }
    check_scope(&authorization, expected)?;
    let time = signing_time(request, &authorization, now)?;
    check_signature(request, &authorization, credential, time)?;
    if credential.expires.is_some_and(|expires| expires <= now) {
        return Err(ApiError::new(
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
        ));
    }
    Ok(credential)
}

/// Whether the sender's policy lets them do this. `id` is the one in the request's path.
pub fn authorize(
    credential: &Credential,
    operation: Operation,
    resource: &str,
    batch: &[Change],
) -> Result<(), ApiError> {
    let is_denied = |word: &str| credential.denied_changes.contains(word);
    let is_allowed = !batch.iter().any(|change| {
        is_denied(change.action.name()) || is_denied(change.record_set.rtype.as_str())
    });
    let of_policy = credential.policy.as_ref();
    let is_allowed = is_allowed && of_policy.is_none_or(|p| p.allows(operation, resource, batch));
    if is_allowed && !credential.denied.contains(&operation) {
        return Ok(());
    }
    let action = operation.name();
    Err(ApiError::new(
        403,
        "AccessDenied",
        format!(
            "User: arn:aws:iam::123456789012:user/simulated is not authorized to perform: \
             route53:{action} on resource: {resource} because no identity-based policy allows \
             the route53:{action} action"
        ),
    ))
}

fn parse(header: &str) -> Result<Authorization<'_>, ApiError> {
    let incomplete = |what: &str| {
        ApiError::new(
            400,
            "IncompleteSignature",
            format!("Authorization header requires {what}."),
        )
    };
    let rest = header
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or_else(|| incomplete("the algorithm AWS4-HMAC-SHA256"))?;
    let parameter = |name: &str| {
        rest.split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
            .filter(|value| !value.is_empty())
            .ok_or_else(|| incomplete(&format!("'{name}' parameter")))
    };
    let credential = parameter("Credential")?;
    let scope: Vec<&str> = credential.split('/').collect();
    let &[access_key, day, region, service, "aws4_request"] = scope.as_slice() else {
        return Err(incomplete("a credential scope of five parts"));
    };
    Ok(Authorization {
        access_key,
        day,
        region,
        service,
        signed_headers: parameter("SignedHeaders")?.split(';').collect(),
        signature: parameter("Signature")?,
    })
}

fn mismatch(message: impl Into<String>) -> ApiError {
    ApiError::new(403, "SignatureDoesNotMatch", message)
}

fn check_scope(authorization: &Authorization, expected: Expected<'_>) -> Result<(), ApiError> {
    if authorization.region != expected.region {
        return Err(mismatch(format!(
            "Credential should be scoped to a valid region, not '{}'. ",
            authorization.region
        )));
    }
    if authorization.service != expected.service {
        return Err(mismatch(format!(
            "Credential should be scoped to correct service: '{}'. ",
            expected.service
        )));
    }
    Ok(())
}

fn signing_time(
    request: &Request,
    authorization: &Authorization,
    now: SystemTime,
) -> Result<SystemTime, ApiError> {
    let date = request.header("x-amz-date").unwrap_or_default();
    let time = clock::parse_amz_date(date).ok_or_else(|| {
        ApiError::new(
            400,
            "IncompleteSignature",
            format!("Date must be in ISO-8601 'basic format'. Got '{date}'."),
        )
    })?;
    let now_text = clock::amz_date(now);
    if !date.starts_with(authorization.day) || authorization.day.len() != 8 {
        return Err(mismatch(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
             from HTTP: '{}' != '{}', from '{date}'.",
            authorization.day,
            &date[..8]
        )));
    }
    if time + SKEW < now {
        return Err(mismatch(format!(
            "Signature expired: {date} is now earlier than {} ({now_text} - 5 min.)",
            clock::amz_date(now - SKEW)
        )));
    }
    if time > now + SKEW {
        return Err(mismatch(format!(
            "Signature not yet current: {date} is still later than {} ({now_text} + 5 min.)",
            clock::amz_date(now + SKEW)
        )));
    }
    Ok(time)
}

fn check_signature(
    request: &Request,
    authorization: &Authorization,
    credential: &Credential,
    time: SystemTime,
) -> Result<(), ApiError> {
    let names = &authorization.signed_headers;
    let mut must: Vec<&str> = vec!["host", "x-amz-date"];
    if credential.session_token.is_some() {
        must.push("x-amz-security-token");
    }
    if let Some(missing) = must.iter().find(|name| !names.contains(name)) {
        return Err(mismatch(format!("'{missing}' must be a signed header.")));
    }
    let plain = |name: &&str| !name.bytes().any(|b| b.is_ascii_uppercase());
    if !names.iter().all(plain) || !names.is_sorted_by(|a, b| a < b) {
        return Err(mismatch(
            "The signed headers must be in lower case, sorted and without repetition.",
        ));
    }
    let mut signed = Vec::new();
    for name in names {
        let before = signed.len();
        let sent = request.headers.iter().filter(|(n, _)| n == name);
        signed.extend(sent.map(|(n, v)| (n.as_str(), v.as_str())));
        if signed.len() == before {
            return Err(mismatch(format!("Signed header '{name}' was not sent.")));
        }
    }
    let expected = signature(request, &signed, authorization, credential, time);
    if expected.as_deref() == Some(authorization.signature) {
        return Ok(());
    }
    Err(mismatch(
        "The request signature we calculated does not match the signature you provided. Check \
         your AWS Secret Access Key and signing method. Consult the service documentation for \
         details.",
    ))
}

/// What the signature of this request should be; `None` if it is one that can't be signed.
fn signature(
    request: &Request,
    signed: &[(&str, &str)],
    authorization: &Authorization,
    credential: &Credential,
    time: SystemTime,
) -> Option<String> {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Double;
    settings.payload_checksum_kind = PayloadChecksumKind::NoHeader;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Enabled;
    settings.session_token_mode = SessionTokenMode::Include;
    // By default the signer leaves `user-agent` and others out; what is to be signed is what
    // the sender says.
    settings.excluded_headers = None;
    let identity: Identity = Credentials::new(
        &credential.access_key,
        &credential.secret_key,
        credential.session_token.clone(),
        None,
        "simulated",
    )
    .into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(authorization.region)
        .name(authorization.service)
        .time(time)
        .settings(settings)
        .build()
        .ok()?
        .into();
    let host = request.header("host")?;
    // The signer reads a query as a form's, in which `+` is a blank. To AWS it is a plus.
    let query = request.query.replace('+', "%2B");
    let uri = if query.is_empty() {
        format!("http://{host}{}", request.path)
    } else {
        format!("http://{host}{}?{query}", request.path)
    };
    let body = SignableBody::Bytes(&request.body);
    let signable = SignableRequest::new(&request.method, uri, signed.iter().copied(), body).ok()?;
    let (_, signature) = sign(signable, &parameters).ok()?.into_parts();
    Some(signature)
}

/// The signature that a request should have, over the headers that it says are signed.
#[cfg(test)]
pub fn signature_of(
    request: &Request,
    credential: &Credential,
    time: SystemTime,
) -> Option<String> {
    let authorization = parse(request.header("authorization")?).ok()?;
    let names = authorization.signed_headers.iter();
    let signed: Vec<_> = names
        .map(|name| (*name, request.header(name).unwrap_or_default()))
        .collect();
    signature(request, &signed, &authorization, credential, time)
}
