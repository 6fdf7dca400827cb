//! Writes one name back to Rancher, and notes what came of it.

use std::time::{Duration, Instant};

use chrono::Utc;

use crate::base::backoff;
use crate::base::dependency::Dependency;
use crate::base::log;
use crate::daemon::problems::Reports;
use crate::daemon::writeback::WriteBack;
use crate::dns::Name;
use crate::observe::telemetry::Telemetry;
use crate::rancher::api::{Api, ApiError};
use crate::rancher::model::ServiceKey;

/// Sends Rancher the name of a service, which [`WriteBack::next`] has given with the timeout.
pub fn publish(
    api: &mut Api,
    writeback: &mut WriteBack,
    (key, name, timeout): &(ServiceKey, Name, Duration),
    telemetry: &Telemetry,
    reports: &mut Reports,
) {
    let result = api.publish(key, name, *timeout);
    let now = Instant::now();
    match &result {
        Ok(()) => {
            writeback.accepted(key, now);
            log::debug(
                "fqdn sent to Rancher",
                &[("service", &key), ("fqdn", &name.without_dot())],
            );
        }
        Err(ApiError::Refused(words)) => {
            writeback.refused(key, words, now, backoff::random());
        }
        Err(ApiError::Unavailable(_)) => writeback.unavailable(now, backoff::random()),
    }
    telemetry.recorder.note(|record| {
        let (health, now) = (record.health_mut(Dependency::Api), Utc::now());
        match &result {
            Ok(()) => health.record_success(now),
            Err(ApiError::Refused(words)) => health.record_refusal(words.clone(), now),
            Err(ApiError::Unavailable(words)) => health.record_failure(words.clone(), now),
        }
    });
    reports.write_back(result.err().as_ref(), writeback.refusals());
}
