//! The TTL of a service of its own, and of a name that services share.

use super::labels::labelled;
use super::*;

pub(super) const TTL: &str = "io.rancher.service.external_dns_ttl";

#[test]
fn a_service_may_have_a_ttl_of_its_own() {
    for (text, ttl, warning) in [
        ("60", "60", ""),
        ("0", "0", ""),
        (" 2147483647 ", "2147483647", ""),
        ("2147483648", "300", "ttl"),
        ("-1", "300", "ttl"),
        ("1m", "300", "ttl"),
        ("60.5", "300", "ttl"),
        ("", "300", ""),
    ] {
        let world = world(vec![labelled(&[(TTL, text)], true)]);
        let desired = desired(&world, &rules());
        let expected = format!("x.shop.prod.example.com. A {ttl} 203.0.113.1");
        assert_eq!(lines(&desired), [expected], "{text}");
        let warnings = &desired.services.values().next().unwrap().warnings;
        let codes: Vec<&str> = warnings.iter().map(Warning::code).collect();
        assert_eq!(codes.join(" "), warning, "{text}");
    }
}

#[test]
fn of_services_that_share_a_name_the_smallest_ttl_holds() {
    for (ttls, used, warned) in [
        ([Some("600"), Some("60")], 60, &["a"][..]),
        ([None, Some("60")], 60, &["a"]),
        ([None, Some("600")], 300, &["b"]),
        ([Some("60"), Some("60")], 60, &[]),
        ([None, Some("300")], 300, &[]),
        ([None, None], 300, &[]),
    ] {
        let template = ("io.rancher.service.external_dns_name_template", "same");
        let services = ["a", "b"].into_iter().zip(ttls).map(|(name, ttl)| {
            let labels = ttl.map(|ttl| (TTL, ttl)).into_iter().chain([template]);
            let labels: Vec<(&str, &str)> = labels.collect();
            Service {
                name: name.into(),
                ..labelled(&labels, true)
            }
        });
        let services: Vec<Service<'static>> = services.collect();
        for services in [services.clone(), services.into_iter().rev().collect()] {
            let desired = desired(&world(services), &rules());
            let expected = format!("same.example.com. A {used} 203.0.113.1");
            assert_eq!(lines(&desired), [expected], "{ttls:?}");
            let found = desired
                .services
                .iter()
                .filter(|(_, s)| !s.warnings.is_empty());
            let found: Vec<&str> = found.map(|(key, _)| key.service.as_str()).collect();
            assert_eq!(found, warned, "{ttls:?}");
        }
    }
    let words = Warning::OtherTtl {
        name: Name::parse("same.example.com").unwrap(),
        wanted: 300,
        used: 60,
    };
    assert_eq!(
        words.to_string(),
        "its TTL of 300 isn't used for same.example.com: another service of that name has 60, and \
         the smallest holds"
    );
}
