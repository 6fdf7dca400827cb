//! Asks the configured source, then, if there is a role to assume, assumes it.

use super::sts::Sts;
use super::{CredentialSettings, Granted, NoCredentials, Source};
use super::{container, instance, web_identity};
use crate::aws::clock::Clock;
use crate::aws::sigv4;
use crate::net::http::Http;

/// The source and the role, with what it takes to reach them.
pub struct Chain {
    settings: CredentialSettings,
    sts: Sts,
    /// For endpoints on the same host.
    inside: Http,
}

impl Chain {
    /// `outside` may go through a proxy, `inside` must not: what is asked there is next door,
    /// and a proxy would see the answer.
    pub fn new(settings: CredentialSettings, outside: Http, inside: Http, clock: Clock) -> Chain {
        Chain {
            sts: Sts::new(settings.sts.clone(), outside, clock),
            settings,
            inside,
        }
    }

    /// Whether they never change: there is no point in asking again.
    pub fn is_fixed(&self) -> bool {
        matches!(self.settings.source, Source::Keys(_)) && self.settings.assume.is_none()
    }

    /// In words, for the log.
    pub fn name(&self) -> &'static str {
        match self.settings.assume {
            Some(_) => "assumed role",
            None => self.settings.source.name(),
        }
    }

    /// Whose credentials these are.
    pub fn arn_of(&self, credentials: &sigv4::Credentials) -> Result<String, NoCredentials> {
        self.sts.caller_identity(credentials)
    }

    /// Fetches credentials.
    pub fn fetch(&self) -> Result<Granted, NoCredentials> {
        let source = &self.settings.source;
        let granted = match source {
            Source::Keys(keys) => Ok(Granted {
                credentials: keys.clone(),
                expires: None,
            }),
            Source::WebIdentity(settings) => web_identity::fetch(settings, &self.sts),
            Source::Container(settings) => container::fetch(settings, &self.inside),
            Source::Instance(settings) => instance::fetch(settings, &self.inside),
        };
        let granted = granted.map_err(|error| none_found(source, &error))?;
        let Some(role) = &self.settings.assume else {
            return Ok(granted);
        };
        let by = granted.credentials;
        self.sts.assume_role(role, &by).map_err(|error| {
            error.under(&format!(
                "no AWS credentials: ROUTE53_ASSUME_ROLE_ARN={} can't be assumed by {} ({})",
                role.arn,
                by.access_key_id,
                source.name()
            ))
        })
    }
}

/// What was tried, in order, and why each didn't work.
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
        let error = none_found(&instance, &NoCredentials::yet("http://x: time is up"));
        assert_eq!(
            error.message,
            "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web identity: \
             AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: neither \
             AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is \
             set; instance metadata: http://x: time is up"
        );
        assert!(!error.needs_operator);
        let container = Source::Container(Container::new(Endpoint::relative("/x").unwrap()));
        let error = none_found(&container, &NoCredentials::ever("it answers 404"));
        assert_eq!(
            error.message,
            "no AWS credentials: environment: AWS_ACCESS_KEY_ID is not set; web identity: \
             AWS_WEB_IDENTITY_TOKEN_FILE is not set; container: it answers 404"
        );
        assert!(error.needs_operator);
    }
}
