//! Name templates: template, service, stack, environment and zone, one a line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rancher_route53::desired::name_template::{Names, Template, sanitize};
use rancher_route53::desired::names::{of_label, of_load_balancer};
use rancher_route53::dns::Name;
use rancher_route53_fuzz::{assert_within_limits, octets};

fuzz_target!(|text: &str| {
    let mut lines = text.splitn(5, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (source, service, stack, environment, zone) = (line(), line(), line(), line(), line());
    for name in [service, stack, environment] {
        let label = sanitize(name);
        assert_eq!(sanitize(&label), label);
        assert!(
            label
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        );
        assert!(!label.starts_with('-') && !label.ends_with('-') && !label.contains("--"));
    }
    let mut warnings = Vec::new();
    let names = Names {
        service,
        stack,
        environment,
    };
    let in_zone = Name::parse("example.com").unwrap();
    for name in of_label(source, &names, &in_zone, &mut warnings) {
        assert_within_limits(&name);
        assert!(name.is_at_or_below(&in_zone));
    }
    let hostname = [source.into()];
    for name in of_load_balancer(&hostname, &names, &in_zone, &mut warnings) {
        assert!(name.is_at_or_below(&in_zone));
    }
    for warning in warnings {
        let words = warning.to_string();
        assert!(words.len() < 2_000 && !words.contains(char::is_control));
    }
    let template = match Template::parse(source) {
        Ok(template) => template,
        Err(error) => return assert!(!error.to_string().contains(char::is_control)),
    };
    let zone = Name::parse(zone).unwrap_or_else(|_| Name::parse("example.com").unwrap());
    let Ok(name) = template.name(&names, &zone) else {
        return;
    };
    assert_within_limits(&name);
    assert!(name.is_at_or_below(&zone));
    assert_eq!(name == zone, source == "@");
    if name == zone {
        return;
    }

    // Only the template's own text makes labels: no name can put itself elsewhere.
    let own = &octets(&name)[..octets(&name).len() - octets(&zone).len()];
    assert_eq!(own.len(), source.matches('.').count() + 1);
    let plain = |octet: &u8| octet.is_ascii_alphanumeric() || b"-_".contains(octet);
    let is_wildcard = own.first().is_some_and(|label| *label == b"*");
    let labels = &own[usize::from(is_wildcard)..];
    assert!(labels.iter().flatten().all(plain));
});
