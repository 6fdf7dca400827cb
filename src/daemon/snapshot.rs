//! Metadata → what should be published: one snapshot, decoded as it comes from the socket.

use crate::desired::{Desired, DesiredBuilder, Rules};
use crate::rancher::metadata::{Metadata, Unavailable, Version};
use crate::rancher::model::Environment;

/// What metadata says at one instant, as far as it matters here.
pub struct Snapshot {
    /// The environment that this service runs in.
    pub environment: Environment,
    /// How many hosts it has.
    pub hosts: usize,
    /// What should be published.
    pub desired: Desired,
}

/// A snapshot of the version that metadata has now, with that version.
pub fn take_now(
    metadata: &mut Metadata,
    rules: &Rules,
) -> Result<(Version, Snapshot), Unavailable> {
    let version = metadata.version()?;
    take(metadata, version, rules)
}

/// A snapshot that holds for one version: the one returned with it, which is `version` or a later
/// one.
pub fn take(
    metadata: &mut Metadata,
    version: Version,
    rules: &Rules,
) -> Result<(Version, Snapshot), Unavailable> {
    metadata.settled(version, &mut |metadata| {
        let environment = metadata.environment()?;
        let hosts = metadata.hosts()?;
        let mut builder = DesiredBuilder::new(&environment, &hosts, rules);
        metadata.services(&environment, &mut |service| builder.add(&service))?;
        let desired = builder.finish();
        Ok(Snapshot {
            hosts: hosts.len(),
            desired,
            environment,
        })
    })
}
