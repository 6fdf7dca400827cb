//! Fetches credentials once.
//!
//! In: the configured source and, if there is one, the role to assume. Out: the credentials of the
//! source or of the role, or an error that lists every source that was tried.

use super::sts::Sts;
use super::{CredentialSettings, Granted, NoCredentials, Source};
use super::{container, instance, web_identity};
use crate::aws::clock::Clock;
use crate::aws::sigv4;
use crate::net::http::Http;

/// The configured source and role, and the clients to reach them.
pub struct Chain {
    settings: CredentialSettings,
    sts: Sts,
    /// For endpoints on this host, which are never reached through a proxy.
    local_http: Http,
}

impl Chain {
    /// Makes a chain. `http` is for STS and may use a proxy. `local_http` is for endpoints on this
    /// host and must not use one: a proxy could not reach them, and would see the credentials.
    pub fn new(settings: CredentialSettings, http: Http, local_http: Http, clock: Clock) -> Chain {
        Chain {
            sts: Sts::new(settings.sts.clone(), http, clock),
            settings,
            local_http,
        }
    }

    /// Whether the credentials never change, so that fetching them again is useless.
    pub fn is_fixed(&self) -> bool {
        matches!(self.settings.source, Source::Keys(_)) && self.settings.assume.is_none()
    }

    /// Name of the source, or `assumed role`, for messages.
    pub fn name(&self) -> &'static str {
        match self.settings.assume {
            Some(_) => "assumed role",
            None => self.settings.source.name(),
        }
    }

    /// The ARN of the identity to which credentials belong. Asks STS.
    pub fn arn_of(&self, credentials: &sigv4::Credentials) -> Result<String, NoCredentials> {
        self.sts.caller_identity(credentials)
    }

    /// Fetches credentials from the source, and assumes the role with them if there is one.
    pub fn fetch(&self) -> Result<Granted, NoCredentials> {
        let source = &self.settings.source;
        let granted = match source {
            Source::Keys(keys) => Ok(Granted {
                credentials: keys.clone(),
                expires: None,
            }),
            Source::WebIdentity(settings) => web_identity::fetch(settings, &self.sts),
            Source::Container(settings) => container::fetch(settings, &self.local_http),
            Source::Instance(settings) => instance::fetch(settings, &self.local_http),
        };
        let granted = granted.map_err(|error| none_found(source, &error))?;
        let Some(role) = &self.settings.assume else {
            return Ok(granted);
        };
        let caller = granted.credentials;
        self.sts.assume_role(role, &caller).map_err(|error| {
            error.with_context(&format!(
                "no AWS credentials: ROUTE53_ASSUME_ROLE_ARN={} can't be assumed by {} ({})",
                role.arn,
                caller.access_key_id,
                source.name()
            ))
        })
    }
}

/// The error that lists all sources up to the one that failed, each with its reason.
fn none_found(source: &Source, error: &NoCredentials) -> NoCredentials {
    let last = format!("{}: {error}", source.name());
    let tried: Vec<String> = source.passed_over().chain([last]).collect();
    NoCredentials {
        message: format!("no AWS credentials: {}", tried.join("; ")),
        needs_operator: error.needs_operator,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::credentials::container::{Container, Endpoint};
    use crate::aws::credentials::instance::Instance;
    use crate::net::url::Url;

    #[test]
    fn an_error_lists_what_was_tried() {
        let endpoint = Url::parse("http://169.254.169.254").unwrap();
        let instance = Source::Instance(Instance { endpoint });
        let error = none_found(&instance, &NoCredentials::retryable("http://x: time is up"));
        assert_eq!(
            error.message,
            "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web identity: \
             AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: neither \
             AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is \
             set; instance metadata: http://x: time is up"
        );
        assert!(!error.needs_operator);
        let container = Source::Container(Container::new(Endpoint::relative("/x").unwrap()));
        let error = none_found(&container, &NoCredentials::permanent("it answers 404"));
        assert_eq!(
            error.message,
            "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web identity: \
             AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: it answers 404"
        );
        assert!(error.needs_operator);
    }
}
