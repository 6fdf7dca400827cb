//! A token that someone else signed, such as a Kubernetes cluster, given to STS for credentials
//! of a role. <https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html>

use std::path::PathBuf;

use super::io::token_file;
use super::sts::{Role, Sts};
use super::{Granted, NoCredentials};

/// `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN` and `AWS_ROLE_SESSION_NAME`.
#[derive(Debug, Clone)]
pub struct WebIdentity {
    /// Where the token is; it is read anew each time, since it is renewed there.
    pub token_file: PathBuf,
    /// What to become with it.
    pub role: Role,
}

/// Changes the token into credentials.
pub fn fetch(settings: &WebIdentity, sts: &Sts) -> Result<Granted, NoCredentials> {
    let token = token_file(&settings.token_file)
        .map_err(|error| NoCredentials::ever(format!("AWS_WEB_IDENTITY_TOKEN_FILE: {error}")))?;
    sts.assume_role_with_web_identity(&settings.role, &token)
        .map_err(|error| error.under(&format!("{} can't be assumed", settings.role.arn)))
}
