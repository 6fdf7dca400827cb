//! Metadata → what should be published: one snapshot, decoded as it comes from the socket.

use std::time::Instant;

use crate::desired::explain::Explanation;
use crate::desired::{Desired, DesiredBuilder, Rules};
use crate::rancher::metadata::{Metadata, Unavailable, Version};
use crate::rancher::model::{Environment, ServiceKey};

/// What metadata says at one instant, as far as it matters here.
pub struct Snapshot {
    /// The environment that this service runs in.
    pub environment: Environment,
    /// How many hosts it has.
    pub hosts: usize,
    /// What should be published.
    pub desired: Desired,
    /// Why the service that was asked about is published as it is; none if metadata doesn't have it. If
    /// metadata has it several times, it is that of the one that counts.
    pub explanation: Option<Explanation>,
    /// When reading it began; if the version changed meanwhile, when it was begun anew. So metadata
    /// says this from then on, not since before.
    pub read: Instant,
}

/// A snapshot of the version that metadata has now, with that version.
pub fn take_now(
    metadata: &mut Metadata,
    rules: &Rules,
    explained: Option<&ServiceKey>,
) -> Result<(Version, Snapshot), Unavailable> {
    let version = metadata.version()?;
    take(metadata, version, rules, explained)
}

/// A snapshot that holds for one version: the one returned with it, which is `version` or a later
/// one. It says of the service `explained` why that is published as it is.
pub fn take(
    metadata: &mut Metadata,
    version: Version,
    rules: &Rules,
    explained: Option<&ServiceKey>,
) -> Result<(Version, Snapshot), Unavailable> {
    metadata.settled(version, &mut |metadata| {
        let read = Instant::now();
        let environment = metadata.environment()?;
        let hosts = metadata.hosts()?;
        let mut builder = DesiredBuilder::new(&environment, &hosts, rules);
        let mut explanation = None;
        metadata.services(&environment, &mut |service| {
            let is_kept = builder.add(&service);
            if is_kept && explained.is_some_and(|key| key.names(&service)) {
                explanation = Some(builder.explain(&service));
            }
        })?;
        let desired = builder.finish();
        Ok(Snapshot {
            hosts: hosts.len(),
            desired,
            explanation,
            environment,
            read,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::heartbeat::Heartbeat;
    use crate::base::shutdown::InFlightGate;
    use crate::config::tests::lookup;
    use crate::config::{Config, arguments};
    use crate::daemon::clients::Clients;
    use crate::observe::telemetry::Telemetry;
    use sim::rancher::{Fault, Options, Rancher, World};
    use std::time::Duration;

    fn config(rancher: &Rancher) -> Config {
        let settings = sim::service::environment(rancher, "http://127.0.0.1:9", "example.com");
        Config::read(&lookup(&settings), &arguments::parse([]).unwrap()).unwrap()
    }

    /// The deletion guard counts from then.
    #[test]
    fn a_snapshot_is_not_older_than_what_it_says() {
        let mut world = World::new("Prod", "1a726b88-f6b1-53ad-8dac-f631830b5815");
        world.add_service("shop", "web").run_on("infra", 80);
        let rancher = Rancher::start(Options::default(), world);
        let slow = Fault::Delay(Duration::from_millis(300));
        rancher.inject_metadata(Some("services"), slow, 1);
        let config = config(&rancher);
        let telemetry = Telemetry::new(config.rules.zone.clone(), Heartbeat::start());
        let clients = Clients::new(&config, InFlightGate::default(), &telemetry.recorder);
        let mut metadata = clients.metadata;
        std::thread::scope(|scope| {
            let change = scope.spawn(|| {
                let is_asked = |state: &sim::rancher::State| !state.shown_by_metadata().is_empty();
                assert!(rancher.wait_until(Duration::from_secs(60), is_asked));
                rancher.change(|world| {
                    world.remove_service("shop", "web");
                    Instant::now()
                })
            });
            let (_, snapshot) = take_now(&mut metadata, &config.rules, None).expect("a snapshot");
            let changed = change.join().expect("a change");
            assert_eq!(snapshot.desired.services.len(), 1, "our own");
            assert!(snapshot.read > changed, "{:?}", changed - snapshot.read);
        });
    }
}
