//! The start of every command but `run`: Rancher's metadata, read once, and the hosted zone.

use std::sync::Arc;
use std::time::Instant;

use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::Clients;
use crate::daemon::{snapshot, startup};
use crate::desired::Desired;
use crate::desired::explain::Explanation;
use crate::observe::telemetry::Telemetry;
use crate::plan::round::Goal;
use crate::rancher::metadata::{Metadata, Unavailable};
use crate::rancher::model::{Environment, ServiceKey};
use crate::route53::client::Client;
use crate::route53::xml::HostedZone;

/// What to do if nobody answers, or somebody else than Rancher's metadata.
const LOOK_AT_THE_WAY: &str = "this container isn't in a Rancher network, or METADATA_URL is wrong";
/// What to do if metadata answers, but can't be used.
const LOOK_AT_METADATA: &str = "look at Rancher's metadata service on this host";

/// Whether metadata may be somewhere else, or doesn't know this container: not if it has given its
/// version and what is wrong comes after that.
fn is_about_the_way(error: &Unavailable) -> bool {
    matches!(
        error,
        Unavailable::NotLoaded(_) | Unavailable::Failed("/version", _)
    )
}

/// One reading of Rancher's metadata.
pub struct MetadataReading {
    /// The environment in which this program runs.
    pub environment: Environment,
    /// The record sets that should be in the zone.
    pub desired: Arc<Desired>,
    /// Why the service that was asked about is published as it is, if metadata has it.
    pub explanation: Option<Explanation>,
    /// Number of hosts in the environment.
    pub hosts: usize,
    /// When reading began.
    read_at: Instant,
}

/// What a command needs that works on the zone but doesn't write to Rancher.
pub struct CommandContext {
    /// The client of Route 53.
    pub client: Client,
    /// Rancher's metadata.
    pub reading: MetadataReading,
    /// The hosted zone.
    pub zone: HostedZone,
}

impl CommandContext {
    /// Reads metadata and looks the zone up. The error is a sentence for the operator.
    pub fn load(
        config: &Config,
        gate: InFlightGate,
        telemetry: &Telemetry,
    ) -> Result<CommandContext, String> {
        CommandContext::load_for(config, None, gate, telemetry)
    }

    /// The same, and why this service is published as it is.
    pub fn load_for(
        config: &Config,
        wanted: Option<&ServiceKey>,
        gate: InFlightGate,
        telemetry: &Telemetry,
    ) -> Result<CommandContext, String> {
        let Clients {
            mut metadata,
            mut client,
            ..
        } = Clients::new(config, gate, &telemetry.recorder);
        let reading = MetadataReading::read_for(&mut metadata, config, wanted)?;
        let zone = startup::zone_once(config, &mut client)?;
        Ok(CommandContext {
            client,
            reading,
            zone,
        })
    }
}

impl MetadataReading {
    /// Reads metadata. The error is a sentence for the operator.
    pub fn read(metadata: &mut Metadata, config: &Config) -> Result<MetadataReading, String> {
        MetadataReading::read_for(metadata, config, None)
    }

    fn read_for(
        metadata: &mut Metadata,
        config: &Config,
        wanted: Option<&ServiceKey>,
    ) -> Result<MetadataReading, String> {
        let (mut errors, mut hint) = (Vec::new(), LOOK_AT_METADATA);
        let snapshot = loop {
            let url = metadata.url().clone();
            match snapshot::take_now(metadata, &config.rules, wanted) {
                Ok((_, snapshot)) => break snapshot,
                Err(error) => {
                    if is_about_the_way(&error) {
                        hint = LOOK_AT_THE_WAY;
                    }
                    errors.push(format!("metadata at {url} is unavailable: {error}"));
                }
            }
            // After a failure without any answer, `metadata` has turned to its next address.
            if *metadata.url() == url || errors.len() >= config.rancher.metadata_urls.len() {
                return Err(format!("{} – if that lasts, {hint}", errors.join("; ")));
            }
        };
        Ok(MetadataReading {
            desired: Arc::new(snapshot.desired),
            explanation: snapshot.explanation,
            hosts: snapshot.hosts,
            environment: snapshot.environment,
            read_at: snapshot.read,
        })
    }

    /// The input of a round.
    pub fn goal(&self) -> Goal<'_> {
        Goal {
            environment: &self.environment,
            desired: &self.desired,
            read: self.read_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::heartbeat::Heartbeat;
    use crate::base::shutdown::InFlightGate;
    use crate::config::arguments;
    use crate::config::tests::lookup;
    use crate::net::url::Url;
    use crate::observe::telemetry::Telemetry;
    use sim::rancher::{Fault, Options, Rancher, World};

    fn rancher(environment: &str) -> Rancher {
        let mut world = World::new(environment, "1a726b88-f6b1-53ad-8dac-f631830b5815");
        world.add_host("h1", "203.0.113.1");
        Rancher::start(Options::default(), world)
    }

    /// The name of the environment, or the error, and the address that was asked last.
    fn read(places: [&Rancher; 2]) -> (Result<String, String>, String) {
        let urls = places.map(|rancher| Url::parse(&rancher.metadata_url()).unwrap());
        let settings = sim::service::environment(places[0], "http://127.0.0.1:9", "example.com");
        let arguments = arguments::parse([]).unwrap();
        let mut config = Config::read(&lookup(&settings), &arguments).unwrap();
        config.rancher.metadata_urls = urls.to_vec();
        let telemetry = Telemetry::new(config.rules.zone.clone(), Heartbeat::start());
        let mut metadata =
            Clients::new(&config, InFlightGate::default(), &telemetry.recorder).metadata;
        let reading = MetadataReading::read(&mut metadata, &config);
        let name = reading.map(|reading| reading.environment.name);
        (name, metadata.url().to_string())
    }

    #[test]
    fn where_nobody_answers_the_second_place_is_asked() {
        let (first, second) = (rancher("One"), rancher("Two"));
        let both = [&first, &second];
        let found = |name: &str, place: &Rancher| (Ok(name.to_owned()), place.metadata_url());
        assert_eq!(read(both), found("One", &first));
        assert_eq!(second.metadata_requests().len(), 0);

        // The first one breaks off in the middle: what it sent isn't mixed with the second's answer.
        first.inject_metadata(Some("services"), Fault::Drop, usize::MAX);
        assert_eq!(read(both), found("Two", &second));

        first.stop_metadata();
        assert_eq!(read(both), found("Two", &second));

        // An address that answers is used, even if it doesn't serve its data yet.
        second.unload();
        let (name, _) = read(both);
        let error = name.expect_err("neither is available");
        let places =
            both.map(|place| format!("metadata at {} is unavailable", place.metadata_url()));
        let errors: Vec<&str> = error.split("; ").collect();
        assert_eq!(errors.len(), 2, "{error}");
        assert!(errors[0].starts_with(&places[0]), "{error}");
        assert!(
            errors[1].starts_with(&places[1]) && error.contains("404"),
            "{error}"
        );

        second.load();
        let (name, place) = read([&second, &first]);
        assert_eq!((name.as_deref(), place), (Ok("Two"), second.metadata_url()));
        second.unload();
        first.start_metadata();
        first.clear_faults();
        first.clear_requests();
        let (name, _) = read([&second, &first]);
        let error = name.expect_err("it isn't loaded");
        assert!(
            error.starts_with(&places[1]) && !error.contains("; "),
            "{error}"
        );
        assert_eq!(first.metadata_requests().len(), 0);
    }
}
