//! Settings → the clients that all commands are made of.

use crate::aws::credentials::provider::Provider;
use crate::base::recorder::Recorder;
use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::net::http::Http;
use crate::net::proxy::Proxies;
use crate::net::tls::Trust;
use crate::observe::telemetry::Telemetry;
use crate::rancher::api::Api;
use crate::rancher::metadata::Metadata;
use crate::reconcile::{OwnerSettings, Reconciler, ReconcilerSettings};
use crate::route53::caller::Caller;
use crate::route53::client::Client;

/// The clients that every command works with.
pub struct Clients {
    /// Rancher's metadata.
    pub metadata: Metadata,
    /// Rancher's API.
    pub api: Api,
    /// Route 53.
    pub client: Client,
}

impl Clients {
    /// Makes them without sending a request.
    pub fn new(config: &Config, gate: InFlightGate, recorder: &Recorder) -> Clients {
        let rancher = &config.rancher;
        // Servers of AWS have clients of their own: no server's own certificate from CA_FILE counts for
        // them, not even if their endpoint is set to the host of CATTLE_URL.
        let for_aws = Trust::authorities(&config.certificates);
        let for_rancher = for_aws.clone().and_each_as_itself_at(rancher.url.host());
        let aws = Http::new(&for_aws, config.proxies.clone());
        let local_aws = Http::new(&for_aws, Proxies::default());
        let credentials = Provider::new(
            config.credentials.clone(),
            aws.clone(),
            local_aws,
            recorder.clone(),
        );
        Clients {
            metadata: Metadata::new(
                Http::new(&for_rancher, Proxies::default()),
                rancher.metadata_urls.clone(),
                recorder.clone(),
            ),
            api: Api::new(
                Http::new(&for_rancher, config.proxies.clone()),
                rancher.url.clone(),
                &rancher.access_key,
                &rancher.secret_key,
                recorder.clone(),
            ),
            client: Client::new(Caller::new(
                config.route53.clone(),
                credentials,
                aws,
                gate,
                recorder.clone(),
            )),
        }
    }
}

/// The reconciler for the hosted zone with this id.
pub fn reconciler(
    config: &Config,
    client: Client,
    zone_id: String,
    telemetry: &Telemetry,
) -> Reconciler {
    let settings = reconciler_settings(config, zone_id);
    Reconciler::new(client, settings, telemetry.clone())
}

/// The settings of a reconciler for the hosted zone with this id. A command may override some.
pub fn reconciler_settings(config: &Config, zone_id: String) -> ReconcilerSettings {
    ReconcilerSettings {
        zone_id,
        rules: config.rules.clone(),
        policy: config.policy,
        adopt: config.adopt,
        guard: config.guard,
        owner: owner_settings(config),
    }
}

/// Who keeps the state records.
pub fn owner_settings(config: &Config) -> OwnerSettings {
    OwnerSettings {
        id: config.owner_id.clone(),
        server: config.rancher.url.authority().to_owned(),
        gives_up: false,
    }
}
