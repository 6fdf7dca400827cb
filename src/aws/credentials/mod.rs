//! Who we are to AWS: the chain of sources that AWS's SDKs have, without their configuration
//! files. <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>
//!
//! ```text
//!  settings ──► Source: keys, web_identity, container or instance ┐
//!                                                                 ├─► chain ─► provider ─► caller
//!  settings ──► Role to assume with them (sts) ───────────────────┘             ▲
//!                                                                     refresh ──┘ when?
//! ```
//!
//! The first source that is configured is the one; if it fails, no later one is tried. So it is
//! with AWS's SDKs: to go on under another identity than the configured one would be a guess.
//! Instance metadata needs no configuration and is the last.
//!
//! What parses is pure; [`io`] does the I/O of all sources, [`provider`] keeps the result.

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

/// What the settings say about credentials.
#[derive(Debug, Clone)]
pub struct CredentialSettings {
    /// Where they come from.
    pub source: Source,
    /// `ROUTE53_ASSUME_ROLE_ARN`: the role to assume with them.
    pub assume: Option<Role>,
    /// Who changes tokens and credentials into those of a role.
    pub sts: StsSettings,
}

/// Where credentials come from: the first of these that is configured.
#[derive(Debug, Clone)]
pub enum Source {
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    Keys(Credentials),
    /// `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`.
    WebIdentity(WebIdentity),
    /// `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    Container(Container),
    /// The metadata of the EC2 instance on which we run.
    Instance(Instance),
}

/// The sources in their order: name, and what it says of one that isn't configured.
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
    fn position(&self) -> usize {
        match self {
            Source::Keys(_) => 0,
            Source::WebIdentity(_) => 1,
            Source::Container(_) => 2,
            Source::Instance(_) => 3,
        }
    }

    /// In words, for the log.
    pub fn name(&self) -> &'static str {
        ORDER[self.position()].0
    }

    /// The sources before this one, each with why it gives nothing.
    fn passed_over(&self) -> impl Iterator<Item = String> {
        let before = &ORDER[..self.position()];
        before.iter().map(|(name, why)| format!("{name}: {why}"))
    }
}

/// Credentials, and when they end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// What to sign with.
    pub credentials: Credentials,
    /// None: they don't.
    pub expires: Option<DateTime<Utc>>,
}

impl Granted {
    /// Temporary ones, as an endpoint gave them; the error names what is missing or malformed,
    /// never its value.
    fn temporary(
        access_key_id: Option<&str>,
        secret_access_key: Option<&str>,
        session_token: Option<&str>,
        expiration: Option<&str>,
    ) -> Result<Granted, String> {
        // They go into headers. A token is Base64, so it is plain text as well.
        let text = |name: &str, value: Option<&str>| match value.unwrap_or_default() {
            "" => Err(format!("it has no {name}")),
            text if text.bytes().all(|b| b.is_ascii_graphic()) => Ok(text.to_owned()),
            _ => Err(format!("its {name} has a character that none can have")),
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

/// Why there are no credentials, in one line without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoCredentials {
    /// What was tried, what came back, and what can be done.
    pub message: String,
    /// It won't come right by itself.
    pub needs_operator: bool,
}

impl NoCredentials {
    /// It may come right by itself.
    fn yet(message: impl Into<String>) -> NoCredentials {
        NoCredentials {
            message: message.into(),
            needs_operator: false,
        }
    }

    /// Someone has to do something.
    fn ever(message: impl Into<String>) -> NoCredentials {
        NoCredentials {
            message: message.into(),
            needs_operator: true,
        }
    }

    fn under(self, what: &str) -> NoCredentials {
        NoCredentials {
            message: format!("{what}: {}", self.message),
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
