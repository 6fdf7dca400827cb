//! What an account has besides record sets, as far as record sets refer to it.

use super::NoHealthCheck;
use super::error::ApiError;
use super::model::{CLOUDFRONT, GLOBAL_ACCELERATOR};
use super::name;
use super::record::{Action, Change};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    health_checks: BTreeSet<String>,
    /// DNS names of load balancers and the like, each with the zone of AWS that it lies in.
    alias_targets: BTreeMap<String, String>,
    /// The ids of the account's own zones.
    pub(super) hosted_zones: BTreeSet<String>,
}

impl Account {
    pub fn add_health_check(&mut self, id: &str) {
        self.health_checks.insert(id.to_owned());
    }

    /// Record sets that refer to it stay as they are.
    pub fn remove_health_check(&mut self, id: &str) {
        self.health_checks.remove(id);
    }

    pub fn has_health_check(&self, id: &str) -> bool {
        self.health_checks.contains(id)
    }

    /// A load balancer or the like of this name: an alias of it has to name this zone.
    ///
    /// # Panics
    /// If DNS can't hold the name.
    pub fn add_alias_target(&mut self, dns_name: &str, hosted_zone_id: &str) {
        let dns_name = name::canonical(dns_name).expect("a name that DNS can hold");
        self.alias_targets
            .insert(dns_name, hosted_zone_id.to_owned());
    }

    /// Takes in what another one has.
    pub(super) fn extend(&mut self, other: &Account) {
        self.health_checks.extend(other.health_checks.clone());
        self.alias_targets.extend(other.alias_targets.clone());
    }

    /// The zone of AWS that a stored name lies in, if that is known.
    pub(super) fn zone_of(&self, dns_name: &str) -> Option<&str> {
        // Every load balancer answers to this name too.
        let plain = dns_name.strip_prefix("dualstack.").unwrap_or(dns_name);
        let told = self.alias_targets.get(dns_name);
        let told = told.or_else(|| self.alias_targets.get(plain));
        if let Some(id) = told {
            return Some(id);
        }
        [
            (".cloudfront.net.", CLOUDFRONT),
            (".awsglobalaccelerator.com.", GLOBAL_ACCELERATOR),
        ]
        .into_iter()
        .find_map(|(suffix, id)| dns_name.ends_with(suffix).then_some(id))
    }

    /// Whether this is the id of a zone whose names are all known by [`Account::zone_of`], or
    /// that aliases can't refer to.
    pub(super) fn knows_zone(&self, id: &str) -> bool {
        [CLOUDFRONT, GLOBAL_ACCELERATOR].contains(&id) || self.hosted_zones.contains(id)
    }

    /// Refuses a batch that refers to a health check that there isn't. A DELETE may: health checks
    /// can be deleted while record sets refer to them (zinc, issue 236).
    pub(super) fn check_health_checks(
        &self,
        changes: &[Change],
        form: NoHealthCheck,
    ) -> Result<(), ApiError> {
        let kept = changes.iter().filter(|c| c.action != Action::Delete);
        let mut ids = kept.filter_map(|change| change.record_set.health_check_id.as_deref());
        match ids.find(|id| !self.has_health_check(id)) {
            None => Ok(()),
            Some(id) => Err(ApiError::no_such_health_check(id, form)),
        }
    }
}
