//! Record sets as a test writes them down.

use super::model::{PRIMARY, SECONDARY};
use super::name;
use super::place::{CidrRouting, GeoLocation, GeoProximity};
use super::record::{Alias, RecordSet};

/// What a record set is, before it is one of several.
impl RecordSet {
    /// One without any routing policy. The name gets the form in which Route 53 stores it.
    ///
    /// # Panics
    /// If DNS can't hold the name.
    pub fn simple(name: &str, rtype: &str, ttl: u32, values: &[impl AsRef<str>]) -> RecordSet {
        RecordSet {
            name: name::canonical(name).expect("a name that DNS can hold"),
            rtype: rtype.to_owned(),
            ttl: Some(ttl),
            values: values.iter().map(|v| v.as_ref().to_owned()).collect(),
            ..RecordSet::default()
        }
    }

    /// A simple one that is an alias of another name.
    ///
    /// # Panics
    /// If DNS can't hold the name or the target.
    pub fn alias(name: &str, rtype: &str, hosted_zone_id: &str, target: &str) -> RecordSet {
        RecordSet {
            alias: Some(Alias {
                hosted_zone_id: hosted_zone_id.to_owned(),
                dns_name: name::canonical(target).expect("a target that DNS can hold"),
                evaluate_target_health: false,
            }),
            ..RecordSet::bare(name, rtype)
        }
    }

    /// One that belongs to a traffic policy instance.
    ///
    /// # Panics
    /// If DNS can't hold the name.
    pub fn traffic_policy(name: &str, rtype: &str, instance_id: &str) -> RecordSet {
        RecordSet {
            traffic_policy_instance_id: Some(instance_id.to_owned()),
            ..RecordSet::bare(name, rtype)
        }
    }

    fn bare(name: &str, rtype: &str) -> RecordSet {
        RecordSet {
            ttl: None,
            ..RecordSet::simple(name, rtype, 0, &[] as &[&str])
        }
    }

    /// This one with a health check of the account.
    pub fn checked(mut self, health_check_id: &str) -> RecordSet {
        self.health_check_id = Some(health_check_id.to_owned());
        self
    }

    /// This alias as one that is as healthy as its target.
    ///
    /// # Panics
    /// If it is no alias.
    pub fn evaluating(mut self) -> RecordSet {
        let alias = self.alias.as_mut().expect("an alias");
        alias.evaluate_target_health = true;
        self
    }
}

/// One of several that share a name and a type.
impl RecordSet {
    fn known_as(mut self, set_identifier: &str) -> RecordSet {
        self.set_identifier = Some(set_identifier.to_owned());
        self
    }

    /// This one as a member of a weighted group.
    pub fn weighted(self, set_identifier: &str, weight: u8) -> RecordSet {
        RecordSet {
            weight: Some(weight),
            ..self.known_as(set_identifier)
        }
    }

    /// This one as a member of a latency group.
    pub fn latency(self, set_identifier: &str, region: &str) -> RecordSet {
        RecordSet {
            region: Some(region.to_owned()),
            ..self.known_as(set_identifier)
        }
    }

    /// This one as the first choice of a failover group.
    pub fn primary(self, set_identifier: &str) -> RecordSet {
        RecordSet {
            failover: Some(PRIMARY.to_owned()),
            ..self.known_as(set_identifier)
        }
    }

    /// This one as the second choice of a failover group.
    pub fn secondary(self, set_identifier: &str) -> RecordSet {
        RecordSet {
            failover: Some(SECONDARY.to_owned()),
            ..self.known_as(set_identifier)
        }
    }

    /// This one as a member of a multivalue answer group.
    pub fn multivalue(self, set_identifier: &str) -> RecordSet {
        RecordSet {
            multi_value_answer: Some(true),
            ..self.known_as(set_identifier)
        }
    }

    /// This one as a member of a geolocation group.
    pub fn geolocation(self, set_identifier: &str, location: GeoLocation) -> RecordSet {
        RecordSet {
            geo_location: Some(location),
            ..self.known_as(set_identifier)
        }
    }

    /// This one as a member of a CIDR group.
    pub fn cidr_routed(self, set_identifier: &str, collection: &str, location: &str) -> RecordSet {
        RecordSet {
            cidr: Some(CidrRouting {
                collection_id: collection.to_owned(),
                location_name: location.to_owned(),
            }),
            ..self.known_as(set_identifier)
        }
    }

    /// This one as a member of a geoproximity group.
    pub fn geoproximity(self, set_identifier: &str, location: GeoProximity) -> RecordSet {
        RecordSet {
            geo_proximity: Some(location),
            ..self.known_as(set_identifier)
        }
    }
}
