//! Finds the hosted zone and takes the first snapshot of metadata, before the first round. A system
//! that may come up later is waited for; what only an operator can correct is an error.

use std::io;
use std::thread;
use std::time::Duration;

use crate::base::backoff;
use crate::base::log;
use crate::base::sorted;
use crate::base::threads::{self, DEFAULT_STACK};
use crate::config::Config;
use crate::daemon::snapshot::{self, Snapshot};
use crate::dns::Name;
use crate::observe::telemetry::Telemetry;
use crate::rancher::metadata::{Metadata, Unavailable, Version};
use crate::route53::client::Client;
use crate::route53::error::Error;
use crate::route53::xml::HostedZone;

/// Longest wait before the zone is looked up again: at first, and after many tries.
const WAIT: Duration = Duration::from_secs(2);
const MAX_WAIT: Duration = Duration::from_secs(60);

/// Version and snapshot of metadata.
pub type Read = (Version, Snapshot);

/// The hosted zone's id and the first snapshot, read at the same time. The error is one that only
/// an operator can correct; it is returned after metadata has answered or failed.
pub fn zone_id_and_metadata(
    config: &Config,
    client: &mut Client,
    metadata: &mut Metadata,
    telemetry: &Telemetry,
) -> Result<(String, Result<Read, Unavailable>), String> {
    // The look-up goes to the other thread, not the snapshot: a thread keeps its own part of the
    // heap, and the look-up needs little.
    let mut zone_id = None;
    let read = thread::scope(|scope| {
        let work = || zone_id = Some(look_for_zone(config, client, telemetry));
        threads::start_scoped(scope, "zone", DEFAULT_STACK, Box::new(work))?;
        Ok(snapshot::take_now(metadata, &config.rules, None))
    });
    let read = read.map_err(|error: io::Error| error.to_string())?;
    Ok((zone_id.expect("a thread that has ended")?, read))
}

/// Why the hosted zone isn't known.
enum NoZone {
    /// It may be found later.
    Retry(String),
    /// Only an operator can correct it.
    NeedsOperator(String),
}

impl NoZone {
    fn into_words(self) -> String {
        match self {
            NoZone::Retry(words) | NoZone::NeedsOperator(words) => words,
        }
    }
}

/// The hosted zone's id; asks until Route 53 answers.
fn look_for_zone(
    config: &Config,
    client: &mut Client,
    telemetry: &Telemetry,
) -> Result<String, String> {
    let mut attempt = 0;
    loop {
        match look_up(config.zone_id.as_deref(), &config.rules.zone, client) {
            Ok(zone) => {
                log::info(
                    "keeping the hosted zone",
                    &[
                        ("zone", &zone.name),
                        ("id", &zone.id),
                        ("kind", &zone.kind()),
                    ],
                );
                let id = zone.id.clone();
                telemetry.note(|status| status.hosted_zone = Some(zone));
                return Ok(id);
            }
            Err(NoZone::NeedsOperator(error)) => return Err(error),
            Err(NoZone::Retry(error)) => {
                let wait = backoff::backoff(attempt, WAIT, MAX_WAIT, backoff::random());
                log::warn(
                    "the hosted zone can't be looked up yet",
                    &[("error", &error), ("wait_ms", &wait.as_millis())],
                );
                telemetry.heartbeat().sleep(wait);
                attempt = attempt.saturating_add(1);
            }
        }
    }
}

/// The hosted zone; asks once.
pub fn zone_once(config: &Config, client: &mut Client) -> Result<HostedZone, String> {
    let looked_up = look_up(config.zone_id.as_deref(), &config.rules.zone, client);
    looked_up.map_err(NoZone::into_words)
}

/// The hosted zone with this name, looked up because the one before is gone; asks once.
pub fn zone_again(name: &Name, client: &mut Client) -> Result<HostedZone, String> {
    let looked_up = look_up(None, name, client);
    looked_up.map_err(NoZone::into_words)
}

/// The hosted zone with this id, if one is set, or else with this name.
fn look_up(id: Option<&str>, name: &Name, client: &mut Client) -> Result<HostedZone, NoZone> {
    let failed = |error: Error| match error.needs_operator() {
        true => NoZone::NeedsOperator(error.to_string()),
        false => NoZone::Retry(error.to_string()),
    };
    match id {
        Some(id) => {
            let zone = client.zone_of_id(id).map_err(failed)?;
            checked(zone, name).map_err(NoZone::NeedsOperator)
        }
        None => {
            let zones = client.zones_of_name(name).map_err(failed)?;
            only(zones, name).map_err(NoZone::NeedsOperator)
        }
    }
}

fn checked(zone: HostedZone, name: &Name) -> Result<HostedZone, String> {
    if zone.name == *name {
        return Ok(zone);
    }
    Err(format!(
        "ROUTE53_ZONE_ID={} is the zone {}, not ROOT_DOMAIN={}: correct one of the two",
        zone.id,
        zone.name.without_dot(),
        name.without_dot()
    ))
}

fn only(mut zones: Vec<HostedZone>, name: &Name) -> Result<HostedZone, String> {
    let name = name.without_dot();
    match (zones.pop(), zones.is_empty()) {
        (Some(zone), true) => Ok(zone),
        (None, _) => Err(format!(
            "there is no hosted zone {name} in this account: check ROOT_DOMAIN and whose \
             credentials these are"
        )),
        (Some(last), false) => {
            zones.push(last);
            let list = zones.iter().map(|z| format!("{} ({})", z.id, z.kind()));
            let list: Vec<String> = sorted::set(list).into_iter().collect();
            Err(format!(
                "there are {} hosted zones {name}: set ROUTE53_ZONE_ID to one of {}",
                list.len(),
                list.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(id: &str, name: &str, is_private: bool) -> HostedZone {
        HostedZone {
            id: id.into(),
            name: Name::parse(name).unwrap(),
            is_private,
        }
    }

    #[test]
    fn the_only_zone_of_the_name_or_an_error_that_lists_them() {
        let name = Name::parse("example.com").unwrap();
        assert_eq!(
            only(vec![zone("Z1", "example.com", true)], &name)
                .unwrap()
                .id,
            "Z1"
        );
        assert!(
            only(vec![], &name)
                .unwrap_err()
                .contains("no hosted zone example.com")
        );
        let two = vec![
            zone("Z2", "example.com", true),
            zone("Z1", "example.com", false),
        ];
        assert_eq!(
            only(two, &name).unwrap_err(),
            "there are 2 hosted zones example.com: set ROUTE53_ZONE_ID to one of Z1 (public), \
             Z2 (private)"
        );
        let other = checked(zone("Z1", "example.org", false), &name).unwrap_err();
        assert!(
            other.contains("ROUTE53_ZONE_ID=Z1 is the zone example.org"),
            "{other}"
        );
    }
}
