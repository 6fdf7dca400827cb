//! The settings that say where AWS credentials come from. They form groups: access keys, web
//! identity, a container's endpoint, instance metadata. The first complete group is the source.
//! A group that is only partly set is an error, even if another one is the source.

use super::endpoints::Service;
use super::reader::Reader;
use crate::aws::credentials::container::{Container, Endpoint};
use crate::aws::credentials::instance::{self, Instance};
use crate::aws::credentials::sts::{Role, StsSettings};
use crate::aws::credentials::web_identity::WebIdentity;
use crate::aws::credentials::{CredentialSettings, Source};
use crate::aws::sigv4::Credentials;
use crate::base::secret::Secret;
use crate::net::url::Url;

/// Default of `AWS_ROLE_SESSION_NAME`, which CloudTrail shows for calls under a role.
const SESSION_NAME: &str = "rancher-route53";
const WHAT_ROLE: &str = "the ARN of a role, such as arn:aws:iam::123456789012:role/dns";

/// Reads these settings. `None` if something is wrong: the errors are in the reader then.
pub fn read(reader: &mut Reader<'_>, sts: Option<Service>) -> Option<CredentialSettings> {
    let known = reader.problems.len();
    let takes = "2 to 64 letters, digits and _+=,.@-";
    let session_name = reader
        .value("AWS_ROLE_SESSION_NAME", takes, |text| {
            matching(text, 2..=64, "_+=,.@-")
        })
        .unwrap_or_else(|| SESSION_NAME.to_owned());
    let keys = keys(reader);
    let web_identity = web_identity(reader, &session_name);
    let container = container(reader);
    let instance = instance(reader);
    let assume = assume(reader, session_name);
    if reader.problems.len() > known {
        return None;
    }
    let source = keys
        .map(Source::Keys)
        .or(web_identity.map(Source::WebIdentity))
        .or(container.map(Source::Container))
        .or(instance.map(Source::Instance));
    if source.is_none() {
        reader.problem(
            "no AWS credentials are set, and AWS_EC2_METADATA_DISABLED=true: set \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_WEB_IDENTITY_TOKEN_FILE and \
             AWS_ROLE_ARN, or AWS_CONTAINER_CREDENTIALS_FULL_URI"
                .to_owned(),
        );
    }
    let sts = sts?;
    Some(CredentialSettings {
        source: source?,
        assume,
        sts: StsSettings {
            endpoint: sts.endpoint,
            region: sts.signing_region,
        },
    })
}

/// Two settings of which both or none must be set. `known` is the number of errors before they were
/// read: if there are more now, a value is missing because it is wrong, which has been reported.
fn pair<A, B>(
    reader: &mut Reader<'_>,
    known: usize,
    (a_name, a): (&str, Option<A>),
    (b_name, b): (&str, Option<B>),
) -> Option<(A, B)> {
    let (is_set, missing) = match (a, b) {
        (Some(a), Some(b)) => return Some((a, b)),
        (None, None) => return None,
        (Some(_), None) => (a_name, b_name),
        (None, Some(_)) => (b_name, a_name),
    };
    if reader.problems.len() == known {
        reader.problem(format!(
            "{missing} is not set, but {is_set} is: set both or none"
        ));
    }
    None
}

fn keys(reader: &mut Reader<'_>) -> Option<Credentials> {
    let known = reader.problems.len();
    let id = reader.header_text("AWS_ACCESS_KEY_ID");
    let secret = reader.header_secret("AWS_SECRET_ACCESS_KEY");
    let session_token = reader.header_secret("AWS_SESSION_TOKEN");
    if session_token.is_some() && id.is_none() && secret.is_none() {
        pair::<(), _>(
            reader,
            known,
            ("AWS_ACCESS_KEY_ID", None),
            ("AWS_SESSION_TOKEN", session_token),
        );
        return None;
    }
    let (access_key_id, secret_access_key) = pair(
        reader,
        known,
        ("AWS_ACCESS_KEY_ID", id),
        ("AWS_SECRET_ACCESS_KEY", secret),
    )?;
    Some(Credentials {
        access_key_id,
        secret_access_key,
        session_token,
    })
}

fn web_identity(reader: &mut Reader<'_>, session_name: &str) -> Option<WebIdentity> {
    let known = reader.problems.len();
    let file = reader.text("AWS_WEB_IDENTITY_TOKEN_FILE");
    let arn = reader.value("AWS_ROLE_ARN", WHAT_ROLE, role_arn);
    let (file, arn) = pair(
        reader,
        known,
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file),
        ("AWS_ROLE_ARN", arn),
    )?;
    Some(WebIdentity {
        token_file: file.into(),
        role: Role {
            arn,
            session_name: session_name.to_owned(),
            external_id: None,
        },
    })
}

fn container(reader: &mut Reader<'_>) -> Option<Container> {
    const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    let known = reader.problems.len();
    // The order of AWS's SDKs: the relative URI before the full one, the token's file before the
    // variable that holds the token itself.
    let relative = reader.hidden_value(RELATIVE, "a path", Endpoint::relative);
    let full = reader.hidden_value(FULL, "an http:// or https:// URL", Endpoint::full);
    let token_file = reader.text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    let token = reader.hidden_value(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "one line of text",
        |text| {
            if text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
                Ok(Secret::with_scheme(text))
            } else {
                Err("it has a character that no header can have".to_owned())
            }
        },
    );
    let authorization = match (&token_file, &token) {
        (Some(_), _) => Some("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        (None, Some(_)) => Some("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        (None, None) => None,
    };
    let endpoint = relative.or(full);
    if let (None, Some(name)) = (&endpoint, authorization) {
        pair::<(), _>(reader, known, (FULL, None), (name, Some(())));
    }
    let mut container = Container::new(endpoint?);
    container.token_file = token_file.map(Into::into);
    container.token = token;
    Some(container)
}

fn instance(reader: &mut Reader<'_>) -> Option<Instance> {
    let choices = [("false", false), ("true", true)];
    let is_disabled = reader.choice("AWS_EC2_METADATA_DISABLED", &choices);
    let modes = [
        ("IPv4", instance::ENDPOINT),
        ("IPv6", instance::ENDPOINT_IPV6),
    ];
    let of_mode = reader.choice("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", &modes);
    // As in AWS's SDKs, an address counts more than the mode.
    let endpoint = reader
        .url(
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            "an http:// URL",
            |text| match Url::of_endpoint(text)? {
                url if url.origin().starts_with("http:") => Ok(url),
                _ => Err("instance metadata has no TLS".to_owned()),
            },
        )
        .or_else(|| Url::parse(of_mode).ok())?;
    (!is_disabled).then_some(Instance { endpoint })
}

fn assume(reader: &mut Reader<'_>, session_name: String) -> Option<Role> {
    let known = reader.problems.len();
    let arn = reader.value("ROUTE53_ASSUME_ROLE_ARN", WHAT_ROLE, role_arn);
    let takes = "2 to 1224 letters, digits and _+=,.@:/-";
    let external_id = reader.value("ROUTE53_ASSUME_ROLE_EXTERNAL_ID", takes, |text| {
        matching(text, 2..=1224, "_+=,.@:/-")
    });
    if arn.is_none() && external_id.is_some() {
        pair::<(), _>(
            reader,
            known,
            ("ROUTE53_ASSUME_ROLE_ARN", None),
            ("ROUTE53_ASSUME_ROLE_EXTERNAL_ID", external_id),
        );
        return None;
    }
    Some(Role {
        arn: arn?,
        session_name,
        external_id,
    })
}

/// Checks a text against a pattern of STS's API reference: its length, and letters, digits and these
/// other characters.
fn matching(
    text: &str,
    length: std::ops::RangeInclusive<usize>,
    others: &str,
) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    if length.contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("it has another length or other characters".to_owned())
    }
}

fn role_arn(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_role = matches!(parts.as_slice(), ["arn", partition, "iam", "", account, resource]
        if !partition.is_empty()
            && account.bytes().all(|b| b.is_ascii_digit())
            && account.len() == 12
            && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
            && resource.bytes().all(|b| b.is_ascii_graphic()));
    if is_role && text.len() <= 2048 {
        Ok(text.to_owned())
    } else {
        Err("not such an ARN".to_owned())
    }
}

#[cfg(test)]
mod tests;
