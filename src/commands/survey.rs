//! What metadata says, read once: where every command but `run` starts.

use std::time::Instant;

use crate::config::Config;
use crate::desired::Desired;
use crate::parts::{Parts, parts};
use crate::rancher::metadata::Metadata;
use crate::rancher::snapshot::Environment;
use crate::round::Goal;
use crate::route53::client::Client;
use crate::route53::xml::HostedZone;
use crate::shutdown::Gate;
use crate::startup;
use crate::telemetry::Telemetry;

/// What metadata says.
pub struct Survey {
    /// Where we are.
    pub environment: Environment,
    /// What should be published.
    pub desired: Desired,
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
    pub fn find(config: &Config, gate: Gate, telemetry: &Telemetry) -> Result<Site, String> {
        let Parts {
            mut metadata,
            mut client,
            ..
        } = parts(config, gate, telemetry);
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
            let version = metadata.version();
            match version.and_then(|version| metadata.snapshot(version, &config.rules)) {
                Ok((_, snapshot)) => break snapshot,
                Err(error) => tried.push(format!("metadata at {url} is unavailable: {error}")),
            }
            // Where nobody answers, it may be at the next place.
            if *metadata.url() == url || tried.len() >= config.metadata_urls.len() {
                return Err(tried.join("; "));
            }
        };
        Ok(Survey {
            desired: snapshot.desired,
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
