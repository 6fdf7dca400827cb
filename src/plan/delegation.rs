//! Parts of the zone that are delegated to other name servers, where our names would go unseen.
//! Pure.

use std::collections::BTreeMap;

use crate::dns::{Name, RecordKey, RecordSet, RecordType, Zone};

/// The names of NS record sets, other than the zone's own, at or above the environment's name or a
/// desired one, as far as the zone was listed. Resolvers then ask the other name servers, whatever
/// this zone has at or below such a name.
pub fn delegations(
    zone: &Zone,
    zone_name: &Name,
    environment: Option<&Name>,
    desired: &BTreeMap<RecordKey, RecordSet>,
) -> Vec<Name> {
    let ns = RecordType::Other("NS".into());
    let keys = zone.iter().map(|(key, _)| key);
    let delegated = keys.filter(|key| key.rtype == ns && key.name != *zone_name);
    let concerns_us = |name: &&Name| {
        let is_below = |ours: &Name| ours.is_at_or_below(name);
        environment.is_some_and(is_below) || desired.keys().any(|key| is_below(&key.name))
    };
    let names = delegated.map(|key| &key.name).filter(concerns_us);
    names.cloned().collect()
}

/// What a delegation means, for the operator.
pub fn explain(name: &Name) -> String {
    format!(
        "the NS record set {name} gives everything at or below this name to other name servers, \
         so nobody sees the names that are published there; remove it, or publish elsewhere"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::zone::Listed;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn listed(names: &[(&str, &str)]) -> Zone {
        let mut zone = Zone::default();
        for (text, rtype) in names {
            let key = RecordKey::new(name(text), RecordType::parse(rtype));
            let set = RecordSet::of_values(key, 300, ["x".to_owned()].into());
            zone.insert(set.key.clone(), Listed::Whole(set));
        }
        zone
    }

    #[test]
    fn only_what_takes_our_names_away_is_said() {
        let apex = ("example.com", "NS");
        for (sets, environment, desired, expected) in [
            (
                &[apex][..],
                Some("prod.example.com"),
                "web.prod.example.com",
                &[][..],
            ),
            (
                &[apex, ("prod.example.com", "NS")],
                Some("prod.example.com"),
                "web.prod.example.com",
                &["prod.example.com"],
            ),
            (
                &[("prod.example.com", "NS")],
                Some("prod.example.com"),
                "elsewhere.example.com",
                &["prod.example.com"],
            ),
            (
                &[("prod.example.com", "A"), ("prod.example.com", "DS")],
                Some("prod.example.com"),
                "web.prod.example.com",
                &[],
            ),
            (
                &[
                    ("shop.prod.example.com", "NS"),
                    ("web.shop.prod.example.com", "NS"),
                ],
                Some("prod.example.com"),
                "web.shop.prod.example.com",
                &["shop.prod.example.com", "web.shop.prod.example.com"],
            ),
            (
                &[
                    ("other.prod.example.com", "NS"),
                    ("b.web.prod.example.com", "NS"),
                ],
                Some("prod.example.com"),
                "web.prod.example.com",
                &[],
            ),
            (
                &[("sub.example.com", "NS"), ("ub.example.com", "NS")],
                None,
                "web.sub.example.com",
                &["sub.example.com"],
            ),
        ] {
            let key = RecordKey::new(name(desired), RecordType::A);
            let set = RecordSet::of_addresses(key.clone(), 300, &[]);
            let environment = environment.map(name);
            let found = delegations(
                &listed(sets),
                &name("example.com"),
                environment.as_ref(),
                &[(key, set)].into(),
            );
            let expected: Vec<Name> = expected.iter().map(|text| name(text)).collect();
            assert_eq!(found, expected, "{sets:?} {desired}");
        }
    }
    #[test]
    fn the_operator_reads_which_name_it_is_and_what_to_do() {
        let words = explain(&name("prod.example.com"));
        assert!(words.starts_with("the NS record set prod.example.com. gives"));
        assert!(words.ends_with("; remove it, or publish elsewhere"));
    }
}
