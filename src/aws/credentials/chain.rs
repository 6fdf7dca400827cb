//! Fetches credentials once.
//!
//! In: the configured source and, if there is one, the role to assume. Out: the credentials of the
//! source or of the role, or an error that lists every source that was tried.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::sts::{Role, Sts};
use super::{CredentialSettings, Granted, NoCredentials, Source};
use super::{container, instance, refresh, web_identity};
use crate::aws::clock::Clock;
use crate::aws::sigv4;
use crate::base::lock::lock;
use crate::base::log;
use crate::net::http::Http;

/// The configured source and role, and the clients to reach them.
pub struct Chain {
    settings: CredentialSettings,
    sts: Sts,
    /// For endpoints on this host, which are never reached through a proxy.
    local_http: Http,
    clock: Clock,
    /// What the source gave last, with which a role was assumed.
    callers: Mutex<Option<Granted>>,
    /// Whether it is logged that the source gives no newer ones.
    is_reported: AtomicBool,
}

impl Chain {
    /// Makes a chain. `http` is for STS and may use a proxy. `local_http` is for endpoints on this
    /// host and must not use one: a proxy could not reach them, and would see the credentials.
    pub fn new(settings: CredentialSettings, http: Http, local_http: Http, clock: Clock) -> Chain {
        Chain {
            sts: Sts::new(settings.sts.clone(), http, clock.clone()),
            settings,
            local_http,
            clock,
            callers: Mutex::new(None),
            is_reported: AtomicBool::new(false),
        }
    }

    /// Whether the credentials never change, so that fetching them again is useless.
    pub fn is_fixed(&self) -> bool {
        matches!(self.settings.source, Source::Keys(_)) && self.settings.assume.is_none()
    }

    /// Whether to go on with credentials that have expired while there are no newer ones, so that AWS
    /// decides. Only with those of an EC2 instance, as in AWS's SDKs: AWS may take them longer than they
    /// say, so that instances outlive a failure of their metadata. It says no such thing of others: what
    /// STS and the endpoint of a container give is refused once it has expired.
    pub fn outlives_expiry(&self) -> bool {
        self.settings.assume.is_none() && self.is_of_instance()
    }

    fn is_of_instance(&self) -> bool {
        matches!(self.settings.source, Source::Instance(_))
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
        self.sts.caller_identity(credentials, !self.is_fixed())
    }

    /// Fetches credentials from the source, and assumes the role with them if there is one.
    pub fn fetch(&self) -> Result<Granted, NoCredentials> {
        match &self.settings.assume {
            Some(role) => self.assume(role),
            None => self.of_source(),
        }
    }

    /// Assumes the role with credentials of the source: with those that it gave last, if it fails.
    fn assume(&self, role: &Role) -> Result<Granted, NoCredentials> {
        let (caller, failure) = match self.of_source() {
            Ok(granted) => {
                *lock(&self.callers) = Some(granted.clone());
                self.is_reported.store(false, Ordering::Relaxed);
                (granted, None)
            }
            Err(error) => match self.last_caller() {
                Some(granted) => (granted, Some(error)),
                None => return Err(error),
            },
        };
        let source = self.settings.source.name();
        if let Some(error) = &failure {
            self.report_old_caller(&caller, error);
        }
        let is_renewed = !matches!(self.settings.source, Source::Keys(_));
        let key = &caller.credentials.access_key_id;
        let granted = self.sts.assume_role(role, &caller.credentials, is_renewed);
        granted.map_err(|error| {
            let of_source = match &failure {
                Some(failure) => format!("{source}, which gives no newer ones: {failure}"),
                None => source.to_owned(),
            };
            error.with_context(&format!(
                "no AWS credentials: ROUTE53_ASSUME_ROLE_ARN={} can't be assumed by {key} \
                 ({of_source})",
                role.arn,
            ))
        })
    }

    /// What the source gave last, if AWS may still take it.
    fn last_caller(&self) -> Option<Granted> {
        let now = self.clock.now();
        let last = lock(&self.callers).clone();
        last.filter(|granted| {
            let expires = granted.expires;
            let may_hold = |expires| refresh::may_still_be_valid(expires, now);
            self.is_of_instance() || expires.is_none_or(may_hold)
        })
    }

    /// Logs that a role is assumed with old credentials: once as a warning, until the source gives
    /// others.
    fn report_old_caller(&self, caller: &Granted, error: &NoCredentials) {
        let is_reported = self.is_reported.swap(true, Ordering::Relaxed);
        log::write(
            if is_reported {
                log::Level::Debug
            } else {
                log::Level::Warn
            },
            "the source of the AWS credentials fails: the role is assumed with those that it gave last",
            &[
                ("access_key_id", &caller.credentials.access_key_id),
                ("error", error),
            ],
        );
    }

    /// Fetches credentials from the source.
    fn of_source(&self) -> Result<Granted, NoCredentials> {
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
        granted.map_err(|error| none_found(source, &error))
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
