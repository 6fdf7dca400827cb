//! DNS names: two texts, one a line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rancher_route53::dns::Name;
use rancher_route53_fuzz::{assert_within_limits, octets};

fuzz_target!(|text: &str| {
    let (one, other) = text.split_once('\n').unwrap_or((text, ""));
    let Ok(name) = Name::parse(one) else { return };
    assert_within_limits(&name);
    let again = Name::parse(name.as_str());
    assert_eq!(again.as_ref(), Ok(&name), "reading it is idempotent");
    assert_eq!(Name::parse(&name.without_dot()), again);
    assert_eq!(Name::parse(&name.as_str().to_ascii_uppercase()), again);

    let mut labels: Vec<String> = octets(&name).iter().map(|octets| escaped(octets)).collect();
    assert_eq!(Name::parse(&labels.join(".")), again, "every octet escaped");
    labels.reverse();
    let reversed = Name::parse(&labels.join(".")).expect("the same labels");
    assert_eq!(name.listing_key(), reversed.as_str());

    child(&name, other);
    if let Ok(other) = Name::parse(other) {
        let (below, key) = (octets(&name), name.listing_key());
        let is_below = below.ends_with(&octets(&other));
        assert_eq!(name.is_at_or_below(&other), is_below);
        assert_eq!(
            key.starts_with(&other.listing_key()),
            is_below,
            "a subtree is one stretch"
        );
    }
});

fn escaped(octets: &[u8]) -> String {
    octets
        .iter()
        .map(|octet| format!("\\{octet:03o}"))
        .collect()
}

/// Whatever the label, the child is below its parent.
fn child(parent: &Name, label: &str) {
    if let Ok(child) = parent.child(label) {
        assert_within_limits(&child);
        assert!(
            child.is_at_or_below(parent) && child != *parent,
            "{child} of {parent}"
        );
    }
}
