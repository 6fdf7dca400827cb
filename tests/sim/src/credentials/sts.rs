//! STS: who may become which role, by signature or by token.

use super::endpoint::Endpoint;
use super::issuer::Issuer;
use crate::http::{Request, Response, percent_decode};
use crate::lock::lock;
use crate::route53::auth::{self, Expected};
use crate::route53::{ApiError, Credential, clock};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const FORM: &str = "application/x-www-form-urlencoded";

/// A role, and who may assume it.
#[derive(Debug, Clone, Default)]
pub struct Role {
    pub arn: String,
    /// By signature: any caller, with this external id if there is one.
    pub by_signature: bool,
    pub external_id: Option<String>,
    /// By web identity: with one of these.
    pub tokens: Vec<String>,
}

/// How the service behaves.
#[derive(Debug, Clone)]
pub struct StsOptions {
    /// The region that requests must be signed for.
    pub region: String,
    /// Who can sign, besides those whom the issuer knows.
    pub callers: Vec<Credential>,
    pub roles: Vec<Role>,
    /// Seconds by which the service's clock is ahead of ours.
    pub clock_offset: i64,
}

impl Default for StsOptions {
    fn default() -> StsOptions {
        StsOptions {
            region: "us-east-1".to_owned(),
            callers: vec![Credential::default()],
            roles: Vec::new(),
            clock_offset: 0,
        }
    }
}

/// A running service.
pub struct Sts {
    pub endpoint: Endpoint,
    options: Arc<Mutex<StsOptions>>,
}

impl Sts {
    pub fn start(options: StsOptions, issuer: &Issuer) -> Sts {
        for role in &options.roles {
            role.tokens
                .iter()
                .for_each(|token| issuer.add_secret(token));
        }
        let options = Arc::new(Mutex::new(options));
        let endpoint = {
            let (options, issuer) = (options.clone(), issuer.clone());
            Endpoint::start(move |request| {
                let options = lock(&options);
                answer(request, &options, &issuer)
            })
        };
        Sts { endpoint, options }
    }

    /// Changes how it behaves from now on.
    pub fn configure(&self, f: impl FnOnce(&mut StsOptions)) {
        f(&mut lock(&self.options));
    }
}

fn answer(request: &Request, options: &StsOptions, issuer: &Issuer) -> Response {
    let now = clock::shift(SystemTime::now(), options.clock_offset);
    let (status, body) = match perform(request, options, issuer, now) {
        Ok(body) => (200, body),
        Err(error) => (
            error.status,
            format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{}</Code>\
                 <Message>{}</Message></Error><RequestId>0</RequestId></ErrorResponse>",
                error.code,
                error.messages.join("; ").replace('&', "&amp;")
            ),
        ),
    };
    Response::new(status, "text/xml", body).with_header("Date", &clock::http_date(now))
}

fn perform(
    request: &Request,
    options: &StsOptions,
    issuer: &Issuer,
    now: SystemTime,
) -> Result<String, ApiError> {
    let malformed = |message: String| ApiError::new(400, "ValidationError", message);
    let content_type = request.header("content-type").unwrap_or_default();
    if request.method != "POST" || request.path != "/" || !content_type.starts_with(FORM) {
        return Err(malformed("POST a form to /".to_owned()));
    }
    let mut form = form(&request.body)?;
    let mut take = |name: &str| {
        let value = form.remove(name);
        value.ok_or_else(|| malformed(format!("{name} is missing")))
    };
    let operation = take("Action")?;
    if take("Version")? != "2011-06-15" {
        return Err(malformed("there is no such version".to_owned()));
    }
    if operation == "GetCallerIdentity" {
        let caller = caller(request, options, issuer, now)?;
        return Ok(format!(
            "<GetCallerIdentityResponse xmlns=\"{NAMESPACE}\"><GetCallerIdentityResult>\
             <Arn>arn:aws:iam::123456789012:user/{}</Arn><UserId>AIDA</UserId>\
             <Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata>\
             <RequestId>0</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
            caller.access_key
        ));
    }
    let arn = take("RoleArn")?;
    let session = take("RoleSessionName")?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !(2..=64).contains(&session.len()) || !session.chars().all(is_name) {
        return Err(malformed(format!("RoleSessionName {session:?}")));
    }
    let denied = |who: &str| {
        let message =
            format!("{who} is not authorized to perform: sts:{operation} on resource: {arn}");
        ApiError::new(403, "AccessDenied", message)
    };
    let role = options.roles.iter().find(|role| role.arn == arn);
    match operation.as_str() {
        "AssumeRoleWithWebIdentity" => {
            if request.header("authorization").is_some() {
                return Err(malformed("it takes no signature".to_owned()));
            }
            let token = take("WebIdentityToken")?;
            let role = role.ok_or_else(|| denied("Not you:"))?;
            if !role.tokens.contains(&token) {
                let message = format!("The token {token} is not one of the provider's");
                return Err(ApiError::new(400, "InvalidIdentityToken", message));
            }
        }
        "AssumeRole" => {
            let caller = caller(request, options, issuer, now)?;
            let external_id = form.remove("ExternalId");
            let may = |role: &&Role| role.by_signature && role.external_id == external_id;
            role.filter(may)
                .ok_or_else(|| denied(&format!("User: {}", caller.access_key)))?;
        }
        _ => return Err(malformed(format!("there is no {operation}"))),
    }
    if let Some(name) = form.keys().next() {
        return Err(malformed(format!("{name} is unknown")));
    }
    let (credential, expires) = issuer.issue();
    Ok(format!(
        "<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result><AssumedRoleUser>\
         <Arn>{arn}/{session}</Arn></AssumedRoleUser><Credentials><AccessKeyId>{}</AccessKeyId>\
         <SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken>\
         <Expiration>{}</Expiration></Credentials></{operation}Result><ResponseMetadata>\
         <RequestId>0</RequestId></ResponseMetadata></{operation}Response>",
        credential.access_key,
        credential.secret_key,
        credential.session_token.unwrap_or_default(),
        clock::iso(expires)
    ))
}

/// Who has signed a request.
fn caller(
    request: &Request,
    options: &StsOptions,
    issuer: &Issuer,
    now: SystemTime,
) -> Result<Credential, ApiError> {
    let known: Vec<Credential> = [options.callers.clone(), issuer.issued()].concat();
    let expected = Expected {
        region: &options.region,
        service: "sts",
    };
    auth::authenticate(request, &known, expected, now).cloned()
}

fn form(body: &[u8]) -> Result<BTreeMap<String, String>, ApiError> {
    let malformed = || ApiError::new(400, "MalformedInput", "no form");
    let text = str::from_utf8(body).map_err(|_| malformed())?;
    let decode = |text: &str| percent_decode(&text.replace('+', " "));
    let mut fields = BTreeMap::new();
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=').ok_or_else(malformed)?;
        if fields.insert(decode(name), decode(value)).is_some() {
            return Err(malformed());
        }
    }
    Ok(fields)
}
