//! The settings by which services are published: [`Rules`].

use super::reader::Reader;
use super::settings;
use crate::aws::partition;
use crate::desired::Rules;
use crate::desired::address::{ADDRESS_TAKES, AddressSource};
use crate::desired::name_template::{Names, Template};
use crate::desired::options::POLICIES;
use crate::desired::routing::{self, NotUnderstood, ROUTING_TAKES};
use crate::desired::rules::RecordTypes;
use crate::dns::Name;
use crate::rancher::labels::LabelSuffix;

const WHAT_SUFFIX: &str =
    "at most 40 letters, digits, '-', '_' and '.' that make no other label of a label";

const TEMPLATE_TAKES: &str =
    "a name in the zone, such as %{{service_name}}.%{{stack_name}}.%{{environment_name}}";

/// Reads the settings, all but `OWNER_ID`; none if one that is needed is missing or wrong.
pub fn read(reader: &mut Reader<'_>) -> Option<Rules> {
    let what = "a domain name, such as example.com";
    let zone = reader.required("ROOT_DOMAIN", what, zone_name);
    let template = reader.value("NAME_TEMPLATE", TEMPLATE_TAKES, |text| {
        let template = Template::parse(text).map_err(|e| e.to_string())?;
        gives_a_name(&template, zone.as_ref()).map(|()| template)
    });
    let ttl = reader.number("TTL");
    let default_policy = reader.choice("DEFAULT_POLICY", &POLICIES);
    let has_system_services = reader.switch("SYSTEM_SERVICES");
    let lb_hostnames = reader.switch("LB_HOSTNAMES");
    let address = reader.value("ADDRESS", ADDRESS_TAKES, |text| {
        AddressSource::parse(text).ok_or_else(|| "none of these".to_owned())
    });
    let record_types = reader.value("RECORD_TYPES", "A,AAAA, A or AAAA", RecordTypes::parse);
    let routing = reader.value("ROUTING", ROUTING_TAKES, |text| {
        routing::parse(text).map_err(|NotUnderstood| "not understood".to_owned())
    });
    let suffix = reader.value("LABEL_SUFFIX", WHAT_SUFFIX, LabelSuffix::parse);
    let region = reader.text("AWS_REGION");
    let region = region.unwrap_or_else(|| settings::get("AWS_REGION").default.to_owned());
    Some(Rules {
        zone: zone?,
        template: template.unwrap_or_default(),
        ttl: u32::try_from(ttl).ok()?,
        label_suffix: suffix.unwrap_or_default(),
        default_policy,
        has_system_services,
        lb_hostnames,
        address: address.unwrap_or(AddressSource::Host),
        record_types: record_types.unwrap_or(RecordTypes::Both),
        routing: routing.flatten(),
        owner_id: None,
        partition: partition::name(&region.to_ascii_lowercase()),
    })
}

/// A template that gives no name for the shortest of services gives none for any: all of them would be
/// unpublished. Where the zone isn't known, one with a short name stands for it.
fn gives_a_name(template: &Template, zone: Option<&Name>) -> Result<(), String> {
    let shortest = Names {
        service: "a",
        stack: "a",
        environment: "a",
    };
    let any = || Name::parse("zone").expect("a name");
    let name = template.name(&shortest, &zone.cloned().unwrap_or_else(any));
    let Err(error) = name else {
        return Ok(());
    };
    let mut words = error.to_string();
    if zone.is_none() {
        words = words.replace(".zone\"", ".<zone>\"");
    }
    Err(format!("it gives no name: {words}"))
}

fn zone_name(text: &str) -> Result<Name, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !text.chars().all(plain) {
        return Err("it has a character that isn't a letter, digit, '-', '_' or '.'".to_owned());
    }
    Name::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::lookup;
    use crate::desired::options::PublishPolicy;
    use crate::dns::Routing;

    /// The rules with these settings, or what is wrong with them.
    fn with(settings: &[(&str, &str)]) -> Result<Rules, Vec<String>> {
        let settings = [&[("ROOT_DOMAIN", "example.com")][..], settings].concat();
        let variable = lookup(&settings);
        let mut reader = Reader::new(&variable);
        let rules = read(&mut reader);
        match reader.problems.is_empty() {
            true => Ok(rules.unwrap()),
            false => Err(reader.problems),
        }
    }

    #[test]
    fn without_settings_the_rules_are_those_of_the_zone() {
        let zone = Name::parse("example.com").unwrap();
        assert_eq!(with(&[]), Ok(Rules::of_zone(zone)));
    }

    #[test]
    fn reads_who_is_published_and_the_suffix() {
        let rules = with(&[
            ("DEFAULT_POLICY", "Never"),
            ("SYSTEM_SERVICES", "FALSE"),
            ("LABEL_SUFFIX", "_private"),
        ]);
        let rules = rules.unwrap();
        assert_eq!(rules.default_policy, PublishPolicy::Never);
        assert!(!rules.has_system_services);
        assert_eq!(Ok(rules.label_suffix), LabelSuffix::parse("_private"));
    }

    #[test]
    fn reads_which_addresses_are_published() {
        let rules = with(&[("ADDRESS", "host-label:ip"), ("RECORD_TYPES", "aaaa")]).unwrap();
        assert_eq!(rules.address, AddressSource::HostLabel("ip".to_owned()));
        assert_eq!(rules.record_types, RecordTypes::Aaaa);
    }

    #[test]
    fn reads_how_names_are_shared_with_others() {
        for (text, expected) in [
            ("Simple", None),
            ("weighted 10", Some(Routing::Weighted(10))),
            ("multivalue", Some(Routing::Multivalue)),
        ] {
            assert_eq!(with(&[("ROUTING", text)]).unwrap().routing, expected);
        }
    }

    #[test]
    fn the_region_says_in_which_partition_the_zone_is() {
        for (region, expected) in [
            (None, "aws"),
            (Some("eu-central-1"), "aws"),
            (Some("cn-north-1"), "aws-cn"),
            (Some("AWS-CN-global"), "aws-cn"),
            (Some("US-Gov-West-1"), "aws-us-gov"),
            (Some("fips-us-gov-west-1"), "aws-us-gov"),
            (Some("us-iso-east-1"), "aws-iso"),
            (Some("us-isob-east-1"), "aws-iso-b"),
            (Some("eusc-de-east-1"), "aws-eusc"),
            // Of another server than AWS's.
            (Some("local"), "aws"),
        ] {
            for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
                let settings = region.map(|region| (name, region));
                let rules = with(&Vec::from_iter(settings)).unwrap();
                assert_eq!(rules.partition, expected, "{region:?}");
            }
        }
    }

    #[test]
    fn a_template_s_error_names_no_zone_that_nobody_has_set() {
        let template = Template::parse("example.com.").unwrap();
        let zone = Name::parse("example.org").unwrap();
        for (zone, expected) in [
            (None, r#"it gives no name: "example.com..<zone>""#),
            (
                Some(&zone),
                r#"it gives no name: "example.com..example.org""#,
            ),
        ] {
            let words = gives_a_name(&template, zone).unwrap_err();
            assert!(words.starts_with(expected), "{words}");
        }
    }

    #[test]
    fn what_is_wrong_names_the_setting_and_what_it_takes() {
        for (name, value, takes) in [
            (
                "DEFAULT_POLICY",
                "sometimes",
                "it takes auto, always, never",
            ),
            (
                "NAME_TEMPLATE",
                "%{{service_name}}.%{{environment_name}}.",
                "it gives no name: ",
            ),
            ("NAME_TEMPLATE", "a..b", "it gives no name: "),
            (
                "NAME_TEMPLATE",
                "%{{service_name",
                "not closed with }}; it takes a name in the zone, such as %{{service_name}}.%{{st",
            ),
            ("SYSTEM_SERVICES", "no", "it takes true, false"),
            (
                "ROUTING",
                "weighted 256",
                "not understood; it takes simple, weighted 0 to 255, latency REGION,",
            ),
            (
                "LABEL_SUFFIX",
                "_ip",
                "host.external_dns_ip is a label of its own; it takes",
            ),
            (
                "LABEL_SUFFIX",
                "é",
                "no label ends like this; it takes at most 40",
            ),
        ] {
            let problems = with(&[(name, value)]).unwrap_err();
            let line = problems.join("\n");
            assert!(line.starts_with(&format!("{name}={value:?}: ")), "{line}");
            assert!(line.contains(takes), "{line}");
            assert!(line.contains("; it takes"), "{line}");
        }
    }

    #[test]
    fn a_template_is_looked_at_without_a_zone_too() {
        for (template, is_right) in [("%{{service_name}}", true), ("a..b", false)] {
            let settings = [("NAME_TEMPLATE", template)];
            let variable = lookup(&settings);
            let mut reader = Reader::new(&variable);
            assert_eq!(read(&mut reader), None);
            let mut problems = reader.problems.iter();
            let is_said = problems.any(|line| line.starts_with("NAME_TEMPLATE="));
            assert_eq!(is_said, !is_right, "{:?}", reader.problems);
        }
    }
}
