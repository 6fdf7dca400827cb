//! Credentials of a role, which STS gives for a token that an identity provider has signed, such as
//! a Kubernetes cluster.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html>

use std::path::PathBuf;

use super::io::token_file;
use super::sts::{Role, Sts};
use super::{Granted, NoCredentials};

/// `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN` and `AWS_ROLE_SESSION_NAME`.
#[derive(Debug, Clone)]
pub struct WebIdentity {
    /// File with the token. It is read for each request, since the platform renews the token there.
    pub token_file: PathBuf,
    /// The role to assume.
    pub role: Role,
}

/// Reads the token and asks STS for credentials of the role.
pub fn fetch(settings: &WebIdentity, sts: &Sts) -> Result<Granted, NoCredentials> {
    let token = token_file(&settings.token_file).map_err(|error| {
        NoCredentials::permanent(format!("AWS_WEB_IDENTITY_TOKEN_FILE: {error}"))
    })?;
    sts.assume_role_with_web_identity(&settings.role, &token)
        .map_err(|error| error.with_context(&format!("{} can't be assumed", settings.role.arn)))
}
