//! Routing policies, set identifiers and health checks, as settings and labels write them.
//!
//! In: the texts. Out: a [`Share`] for services whose record sets are some of several of their names, or
//! why a text isn't understood. Such a service is skipped: published without a routing policy, it could
//! shut out what other installations have under its name.

use std::fmt;

use crate::aws::partition;
use crate::base::redactor::shortened;
use crate::base::text::quoted;
use crate::desired::options::ServiceOptions;
use crate::dns::record_key::is_own_id;
use crate::dns::routing::{Failover, Place};
use crate::dns::{Routing, SharedText};
use crate::rancher::labels::{self, LabelKey};

/// What [`parse`] reads.
pub const ROUTING_TAKES: &str = "simple, weighted 0 to 255, latency REGION, failover primary, failover \
                                 secondary, multivalue, or geolocation PLACE, where PLACE is a continent \
                                 (AF, AN, AS, EU, NA, OC, SA), a country (DE), a part of one (US/CA) or *";
/// Codes of continents. Those of some countries are the same.
const CONTINENTS: [&str; 7] = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"];
/// Characters of the longest id of a health check.
/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>
const MAX_HEALTH_CHECK: usize = 64;
/// Characters of the longest region in Route 53's API.
const MAX_REGION: usize = 64;
/// Characters of a label that are kept.
const MAX_SHOWN: usize = 80;

/// How a service shares its names with other record sets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// What tells its record sets from the others of their name and type.
    pub set_id: SharedText,
    /// How Route 53 chooses among them.
    pub routing: Routing,
}

/// What can't be understood, or can't be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoutingFault {
    /// The label `external_dns_routing` is no routing policy. Holds its key and its text.
    Policy(LabelKey, String),
    /// The label `external_dns_routing_id` is no set identifier of this program. Holds its key and its
    /// text.
    SetId(LabelKey, String),
    /// There is no such label, and neither `OWNER_ID` nor the environment's UUID can serve. Holds the
    /// latter.
    NoSetId(String),
    /// The label `external_dns_health_check` is no id of a health check. Holds its key and its text.
    HealthCheck(LabelKey, String),
    /// The name is to lead to another name, and the policy is `multivalue`.
    Multivalue,
}

impl RoutingFault {
    /// There is no set identifier, since the environment's UUID can't be one.
    pub fn no_set_id(uuid: &str) -> RoutingFault {
        RoutingFault::NoSetId(shortened(uuid, MAX_SHOWN))
    }
}

impl fmt::Display for RoutingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RoutingFault::Policy(key, text) => write!(
                f,
                "its label {key} is {}; it takes {ROUTING_TAKES}",
                quoted(text)
            ),
            RoutingFault::SetId(key, text) => write!(
                f,
                "its label {key} is {}; it takes 1 to 64 letters, \
                 digits, '.', '_', ':' and '-'",
                quoted(text)
            ),
            RoutingFault::NoSetId(uuid) => write!(
                f,
                "the environment's UUID {} can't be a set identifier: set OWNER_ID, or the label \
                 io.rancher.service.external_dns_routing_id",
                quoted(uuid)
            ),
            RoutingFault::HealthCheck(key, text) => write!(
                f,
                "its label {key} is {}; it takes the id of a \
                 health check: 1 to {MAX_HEALTH_CHECK} letters, digits and '-'",
                quoted(text)
            ),
            RoutingFault::Multivalue => f.write_str(
                "its routing policy is multivalue, for which Route 53 has addresses only, and its target \
                 is a host name",
            ),
        }
    }
}

/// The set identifier of services that have none of their own: `OWNER_ID`, or else the environment's
/// UUID. None if that can't be one.
pub fn default_set_id(owner_id: Option<&str>, environment_uuid: &str) -> Option<SharedText> {
    let id = owner_id.unwrap_or(environment_uuid);
    is_own_id(id).then(|| id.into())
}

/// That a text is no routing policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotUnderstood;

/// Reads a routing policy: none for `simple`.
pub fn parse(text: &str) -> Result<Option<Routing>, NotUnderstood> {
    let text = text.to_ascii_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let routing = match words[..] {
        ["simple"] => return Ok(None),
        ["weighted", weight] if weight.bytes().all(|byte| byte.is_ascii_digit()) => {
            weight.parse().ok().map(Routing::Weighted)
        }
        ["latency", region] if region.len() <= MAX_REGION && partition::is_region(region) => {
            Some(Routing::Latency(region.into()))
        }
        ["failover", "primary"] => Some(Routing::Failover(Failover::Primary)),
        ["failover", "secondary"] => Some(Routing::Failover(Failover::Secondary)),
        ["multivalue"] => Some(Routing::Multivalue),
        ["geolocation", ref place @ ..] => parse_place(place).map(Routing::Geolocation),
        _ => None,
    };
    routing.map(Some).ok_or(NotUnderstood)
}

fn parse_place(words: &[&str]) -> Option<Place> {
    let upper = |code: &str| -> Box<str> { code.to_ascii_uppercase().into() };
    let is_code = |code: &str, most: usize| {
        (1..=most).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let is_country = |code: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphabetic();
        code == "*" || code.len() == 2 && code.bytes().all(is_letter)
    };
    let is_continent = |code: &str| CONTINENTS.iter().any(|c| c.eq_ignore_ascii_case(code));
    match *words {
        ["continent", code] if is_continent(code) => Some(Place::Continent(upper(code))),
        ["country", code] if is_country(code) => Some(Place::Country(upper(code))),
        [code] if is_continent(code) => Some(Place::Continent(upper(code))),
        [code] if is_country(code) => Some(Place::Country(upper(code))),
        [code] => {
            let (country, subdivision) = code.split_once('/')?;
            let is_known = country != "*" && is_country(country) && is_code(subdivision, 3);
            is_known.then(|| Place::Subdivision {
                country: upper(country),
                subdivision: upper(subdivision),
            })
        }
        _ => None,
    }
}

impl ServiceOptions<'_> {
    /// The routing policy of a service; none if it is simple. `default` holds without the label.
    pub fn routing(&self, default: Option<&Routing>) -> Result<Option<Routing>, RoutingFault> {
        match self.routing {
            Some(text) => parse(text).map_err(|NotUnderstood| {
                RoutingFault::Policy(self.key(labels::ROUTING), shortened(text, MAX_SHOWN))
            }),
            None => Ok(default.cloned()),
        }
    }

    /// The set identifier of its own that a service has.
    pub fn set_id(&self) -> Result<Option<SharedText>, RoutingFault> {
        let id = self.routing_id.map(|id| match is_own_id(id) {
            true => Ok(id.into()),
            false => Err(RoutingFault::SetId(
                self.key(labels::ROUTING_ID),
                shortened(id, MAX_SHOWN),
            )),
        });
        id.transpose()
    }

    /// The id of the health check of a service.
    pub fn health_check(&self) -> Result<Option<SharedText>, RoutingFault> {
        let is_usual = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let id = self.health_check.map(|id| {
            match (1..=MAX_HEALTH_CHECK).contains(&id.len()) && id.chars().all(is_usual) {
                true => Ok(id.into()),
                false => Err(RoutingFault::HealthCheck(
                    self.key(labels::HEALTH_CHECK),
                    shortened(id, MAX_SHOWN),
                )),
            }
        });
        id.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(place: Place) -> Option<Option<Routing>> {
        Some(Some(Routing::Geolocation(place)))
    }

    #[test]
    fn a_routing_policy_is_a_word_with_what_belongs_to_it() {
        let weighted = |weight| Some(Some(Routing::Weighted(weight)));
        let latency = |region: &str| Some(Some(Routing::Latency(region.into())));
        let failover = |which| Some(Some(Routing::Failover(which)));
        for (text, expected) in [
            ("simple", Some(None)),
            (" SIMPLE ", Some(None)),
            ("weighted 0", weighted(0)),
            ("Weighted\t 255", weighted(255)),
            ("weighted\u{a0}007", weighted(7)),
            ("latency eu-central-1", latency("eu-central-1")),
            ("LATENCY EU-Central-1", latency("eu-central-1")),
            ("latency us-gov-west-1", latency("us-gov-west-1")),
            ("failover primary", failover(Failover::Primary)),
            ("failover  Secondary", failover(Failover::Secondary)),
            ("multivalue", Some(Some(Routing::Multivalue))),
            ("", None),
            ("simple 1", None),
            ("weighted", None),
            ("weighted 256", None),
            ("weighted -1", None),
            ("weighted +1", None),
            ("weighted 1.5", None),
            ("weighted 10 %", None),
            ("weighted ten", None),
            ("weighted10", None),
            ("latency", None),
            ("latency here", None),
            ("latency eu-central-1a", None),
            ("latency aws-global", None),
            ("failover", None),
            ("failover third", None),
            ("multivalue 8", None),
            ("geoproximity 1", None),
            ("round-robin", None),
        ] {
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_place_is_a_continent_a_country_or_a_part_of_one() {
        let continent = |code: &str| place(Place::Continent(code.into()));
        let country = |code: &str| place(Place::Country(code.into()));
        let part = |country: &str, subdivision: &str| {
            place(Place::Subdivision {
                country: country.into(),
                subdivision: subdivision.into(),
            })
        };
        for (text, expected) in [
            ("EU", continent("EU")),
            ("na", continent("NA")),
            ("continent AF", continent("AF")),
            ("continent DE", None),
            ("country NA", country("NA")),
            ("DE", country("DE")),
            ("country de", country("DE")),
            ("*", country("*")),
            ("country *", country("*")),
            ("us/ca", part("US", "CA")),
            ("UA/05", part("UA", "05")),
            ("US / CA", None),
            ("US/", None),
            ("US/CALI", None),
            ("*/CA", None),
            ("/CA", None),
            ("USA", None),
            ("D1", None),
            ("éé", None),
            ("", None),
            ("country", None),
            ("country DE FR", None),
            ("DE FR", None),
            ("continent *", None),
        ] {
            let text = format!("geolocation {text}");
            assert_eq!(parse(&text).ok(), expected, "{text}");
        }
    }

    fn routings() -> impl Strategy<Value = Routing> {
        let code = |pattern: &'static str| pattern.prop_map(|code: String| code.into_boxed_str());
        let continent = proptest::sample::select(&CONTINENTS[..]);
        prop_oneof![
            any::<u8>().prop_map(Routing::Weighted),
            code("[a-z]{2}-[a-z]{1,9}-[1-9]").prop_map(Routing::Latency),
            Just(Routing::Failover(Failover::Primary)),
            Just(Routing::Failover(Failover::Secondary)),
            Just(Routing::Multivalue),
            continent.prop_map(|code| Routing::Geolocation(Place::Continent(code.into()))),
            code("[A-Z]{2}|\\*").prop_map(|code| Routing::Geolocation(Place::Country(code))),
            (code("[A-Z]{2}"), code("[A-Z0-9]{1,3}")).prop_map(|(country, subdivision)| {
                Routing::Geolocation(Place::Subdivision {
                    country,
                    subdivision,
                })
            }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_what_it_was(routing in routings()) {
            prop_assert_eq!(parse(&routing.to_string()), Ok(Some(routing)));
        }

        #[test]
        fn any_text_is_read(text: String) {
            if let Ok(Some(routing)) = parse(&text) {
                prop_assert_eq!(parse(&routing.to_string()), Ok(Some(routing)));
            }
        }
    }

    #[test]
    fn a_long_label_is_cut() {
        let long = "ü".repeat(10_000);
        let text = || shortened(&long, MAX_SHOWN);
        for fault in [
            RoutingFault::Policy(LabelKey::usual(labels::ROUTING), text()),
            RoutingFault::SetId(LabelKey::usual(labels::ROUTING_ID), text()),
            RoutingFault::NoSetId(text()),
            RoutingFault::HealthCheck(LabelKey::usual(labels::HEALTH_CHECK), text()),
        ] {
            let words = fault.to_string();
            assert!(words.len() < 500, "{words}");
        }
    }

    #[test]
    fn without_a_label_the_owner_s_id_or_the_environment_s_uuid_tells_record_sets_apart() {
        for (owner, uuid, expected) in [
            (Some("berlin"), "adminProject", Some("berlin")),
            (None, "adminProject", Some("adminProject")),
            (None, "1a726b88-f6b1", Some("1a726b88-f6b1")),
            (None, "a b", None),
            (None, "", None),
            (Some("berlin"), "a b", Some("berlin")),
        ] {
            assert_eq!(default_set_id(owner, uuid).as_deref(), expected, "{uuid}");
        }
    }
}
