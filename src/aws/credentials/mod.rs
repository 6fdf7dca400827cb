//! Gets AWS credentials, from the same chain of sources as AWS's SDKs, but without their
//! configuration files.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>
//!
//! In: [`CredentialSettings`]. Out: credentials to sign with, always valid ones as far as that is
//! possible; or [`NoCredentials`].
//!
//! ```text
//!  settings ──► Source: keys, web_identity, container or instance ┐
//!                                                                 ├─► chain ─► provider ─► caller
//!  settings ──► Role to assume with them (sts) ───────────────────┘             ▲
//!                                                                     refresh ──┘ when?
//! ```
//!
//! The first source that is configured is used. If it fails, no later source is tried, as in AWS's
//! SDKs: that could mean to act under another identity than the operator intended. Instance
//! metadata needs no configuration, and is the last source.
//!
//! [`chain`] asks the source, [`provider`] keeps the credentials, [`refresh`] says when to renew
//! them.

pub mod chain;
pub mod container;
pub mod document;
pub mod instance;
pub mod io;
pub mod provider;
pub mod refresh;
pub mod sts;
pub mod web_identity;

use std::fmt;

use chrono::{DateTime, Utc};

use crate::aws::sigv4::Credentials;
use crate::base::secret::Secret;
use container::Container;
use instance::Instance;
use sts::{Role, StsSettings};
use web_identity::WebIdentity;

/// The settings for credentials.
#[derive(Debug, Clone)]
pub struct CredentialSettings {
    /// The source of credentials.
    pub source: Source,
    /// `ROUTE53_ASSUME_ROLE_ARN`: the role to assume with the credentials of the source.
    pub assume: Option<Role>,
    /// Where STS is, which gives credentials of a role.
    pub sts: StsSettings,
}

/// A source of credentials. The variants are in the order of the chain.
#[derive(Debug, Clone)]
pub enum Source {
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    Keys(Credentials),
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`.
    WebIdentity(WebIdentity),
    /// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    Container(Container),
    /// The metadata service of the EC2 instance on which the program runs.
    Instance(Instance),
}

/// For each source in the order of the chain: its name, and the reason given if it is not
/// configured.
const ORDER: [(&str, &str); 4] = [
    ("environment", "AWS_ACCESS_KEY_ID is not set"),
    ("web identity", "AWS_WEB_IDENTITY_TOKEN_FILE is not set"),
    (
        "container",
        "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI \
         is set",
    ),
    ("instance metadata", ""),
];

impl Source {
    /// Position of the source in the chain.
    fn position(&self) -> usize {
        match self {
            Source::Keys(_) => 0,
            Source::WebIdentity(_) => 1,
            Source::Container(_) => 2,
            Source::Instance(_) => 3,
        }
    }

    /// Name of the source, for messages.
    pub fn name(&self) -> &'static str {
        ORDER[self.position()].0
    }

    /// The sources before this one in the chain, each with the reason why it is not used.
    fn passed_over(&self) -> impl Iterator<Item = String> {
        let before = &ORDER[..self.position()];
        before.iter().map(|(name, why)| format!("{name}: {why}"))
    }
}

/// Credentials from a source, and when they expire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The key pair, with a session token if it is temporary.
    pub credentials: Credentials,
    /// When the credentials expire. `None` if they never do.
    pub expires: Option<DateTime<Utc>>,
}

impl Granted {
    /// Checks temporary credentials from an endpoint. The error names the field that is missing or
    /// malformed, but never its value.
    fn temporary(
        access_key_id: Option<&str>,
        secret_access_key: Option<&str>,
        session_token: Option<&str>,
        expiration: Option<&str>,
    ) -> Result<Granted, String> {
        // The values go into headers, so they must be printable ASCII. Tokens are Base64.
        let text = |name: &str, value: Option<&str>| match value.unwrap_or_default() {
            "" => Err(format!("it has no {name}")),
            text if text.bytes().all(|b| b.is_ascii_graphic()) => Ok(text.to_owned()),
            _ => Err(format!(
                "its {name} has a character that is not allowed in it"
            )),
        };
        let access_key_id = text("AccessKeyId", access_key_id)?;
        let secret_access_key = Secret::new(text("SecretAccessKey", secret_access_key)?);
        let session_token = Some(Secret::new(text("session token", session_token)?));
        let expiration = text("Expiration", expiration)?;
        let expires = DateTime::parse_from_rfc3339(&expiration)
            .map_err(|_| "its Expiration is not a date and time".to_owned())?;
        Ok(Granted {
            credentials: Credentials {
                access_key_id,
                secret_access_key,
                session_token,
            },
            expires: Some(expires.to_utc()),
        })
    }
}

/// Why there are no credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoCredentials {
    /// What was tried, what came back, and what the operator can do: one line without secrets.
    pub message: String,
    /// Whether attempts fail until the operator does something.
    pub needs_operator: bool,
}

impl NoCredentials {
    /// An error for which a later attempt may succeed.
    fn retryable(message: impl Into<String>) -> NoCredentials {
        NoCredentials {
            message: message.into(),
            needs_operator: false,
        }
    }

    /// An error that stays until the operator does something.
    fn permanent(message: impl Into<String>) -> NoCredentials {
        NoCredentials {
            message: message.into(),
            needs_operator: true,
        }
    }

    /// Puts a text in front of the message, with a colon between them.
    fn with_context(self, context: &str) -> NoCredentials {
        NoCredentials {
            message: format!("{context}: {}", self.message),
            ..self
        }
    }
}

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NoCredentials {}
