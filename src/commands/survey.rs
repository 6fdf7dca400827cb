//! What metadata says, read once: where every command but `run` starts.

use std::time::Instant;

use crate::config::Config;
use crate::desired::Desired;
use crate::rancher::metadata::Metadata;
use crate::rancher::snapshot::Environment;
use crate::round::Goal;

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
