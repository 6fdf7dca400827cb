//! What metadata says, read once: where every command but `run` starts.

use std::sync::Arc;
use std::time::Instant;

use crate::base::shutdown::InFlightGate;
use crate::config::Config;
use crate::daemon::clients::Clients;
use crate::daemon::{snapshot, startup};
use crate::desired::Desired;
use crate::observe::telemetry::Telemetry;
use crate::plan::round::Goal;
use crate::rancher::metadata::Metadata;
use crate::rancher::model::Environment;
use crate::route53::client::Client;
use crate::route53::xml::HostedZone;

/// What metadata says.
pub struct Survey {
    /// Where we are.
    pub environment: Environment,
    /// What should be published.
    pub desired: Arc<Desired>,
    /// Hosts in it.
    pub hosts: usize,
    read: Instant,
}

/// Where a command works that needs Rancher's metadata and the zone, and nothing else.
pub struct Site {
    /// Talks to Route 53.
    pub client: Client,
    /// What metadata says.
    pub survey: Survey,
    /// The hosted zone.
    pub zone: HostedZone,
}

impl Site {
    /// Reads metadata, and looks the zone up. The error is for people.
    pub fn find(
        config: &Config,
        gate: InFlightGate,
        telemetry: &Telemetry,
    ) -> Result<Site, String> {
        let Clients {
            mut metadata,
            mut client,
            ..
        } = Clients::new(config, gate, &telemetry.recorder);
        let survey = Survey::take(&mut metadata, config)?;
        let zone = startup::zone_once(config, &mut client)?;
        Ok(Site {
            client,
            survey,
            zone,
        })
    }
}

impl Survey {
    /// Reads metadata. The error is for people.
    pub fn take(metadata: &mut Metadata, config: &Config) -> Result<Survey, String> {
        let read = Instant::now();
        let mut tried = Vec::new();
        let snapshot = loop {
            let url = metadata.url().clone();
            match snapshot::take_now(metadata, &config.rules) {
                Ok((_, snapshot)) => break snapshot,
                Err(error) => tried.push(format!("metadata at {url} is unavailable: {error}")),
            }
            // Where nobody answers, it may be at the next place.
            if *metadata.url() == url || tried.len() >= config.rancher.metadata_urls.len() {
                return Err(tried.join("; "));
            }
        };
        Ok(Survey {
            desired: Arc::new(snapshot.desired),
            hosts: snapshot.hosts,
            environment: snapshot.environment,
            read,
        })
    }

    /// What a round is to reach.
    pub fn goal(&self) -> Goal<'_> {
        Goal {
            environment: &self.environment,
            desired: &self.desired,
            read: self.read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::heartbeat::Heartbeat;
    use crate::base::shutdown::InFlightGate;
    use crate::config::arguments;
    use crate::net::url::Url;
    use crate::observe::telemetry::Telemetry;
    use sim::rancher::{Fault, Options, Rancher, World};

    fn rancher(environment: &str) -> Rancher {
        let mut world = World::new(environment, "1a726b88-f6b1-53ad-8dac-f631830b5815");
        world.add_host("h1", "203.0.113.1");
        Rancher::start(Options::default(), world)
    }

    /// The environment that is found, or the error, and the place that was asked last.
    fn take(places: [&Rancher; 2]) -> (Result<String, String>, String) {
        let urls = places.map(|rancher| Url::parse(&rancher.metadata_url()).unwrap());
        let settings = sim::service::environment(places[0], "http://127.0.0.1:9", "example.com");
        let variable = |name: &str| {
            let (_, value) = settings.iter().find(|(known, _)| *known == name)?;
            Some(Ok(value.clone()))
        };
        let arguments = arguments::parse([]).unwrap();
        let mut config = Config::read(&variable, &arguments).unwrap();
        config.rancher.metadata_urls = urls.to_vec();
        let telemetry = Telemetry::new(config.rules.zone.clone(), Heartbeat::start());
        let mut metadata =
            Clients::new(&config, InFlightGate::default(), &telemetry.recorder).metadata;
        let taken = Survey::take(&mut metadata, &config).map(|survey| survey.environment.name);
        (taken, metadata.url().to_string())
    }

    #[test]
    fn where_nobody_answers_the_second_place_is_asked() {
        let (first, second) = (rancher("One"), rancher("Two"));
        let both = [&first, &second];
        let found = |name: &str, place: &Rancher| (Ok(name.to_owned()), place.metadata_url());
        assert_eq!(take(both), found("One", &first));
        assert_eq!(second.metadata_requests().len(), 0);

        // It breaks off in the middle: nothing of it is mixed with what the other one says.
        first.inject_metadata(Some("services"), Fault::Drop, usize::MAX);
        assert_eq!(take(both), found("Two", &second));

        first.stop_metadata();
        assert_eq!(take(both), found("Two", &second));

        // One that answers is the right one, be it that it doesn't know everything yet.
        second.unload();
        let (taken, _) = take(both);
        let error = taken.expect_err("neither is available");
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
        let (taken, place) = take([&second, &first]);
        assert_eq!(
            (taken.as_deref(), place),
            (Ok("Two"), second.metadata_url())
        );
        second.unload();
        first.start_metadata();
        first.clear_faults();
        first.clear_requests();
        let (taken, _) = take([&second, &first]);
        let error = taken.expect_err("it isn't loaded");
        assert!(
            error.starts_with(&places[1]) && !error.contains("; "),
            "{error}"
        );
        assert_eq!(first.metadata_requests().len(), 0);
    }
}
