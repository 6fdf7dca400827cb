//! What several fuzz targets check.

use std::time::Instant;

use rancher_route53::dns::{ChangeBatch, Name, Zone};
use rancher_route53::plan::Plan;
use rancher_route53::plan::guard::{ApprovedPlan, Guard, GuardSettings};

/// The plan as a guard that is turned off passes it on.
pub fn approved(plan: Plan) -> ApprovedPlan {
    let mut guard = Guard::new(GuardSettings::OFF);
    guard.approve(plan, 0, Instant::now()).0
}

/// Panics if the name isn't in Route 53's form or beyond the DNS's limits. This decodes the name
/// by itself, so that it doesn't agree with the product's own decoder in its mistakes.
pub fn assert_within_limits(name: &Name) {
    let labels = octets(name);
    assert!(labels.iter().all(|label| (1..=63).contains(&label.len())));
    let total: usize = labels.iter().map(|label| label.len() + 1).sum();
    assert!(total < 255, "{name}: {total} octets and the root's");
}

/// The labels of a name, unescaped.
pub fn octets(name: &Name) -> Vec<Vec<u8>> {
    let text = name.as_str().strip_suffix('.').expect("a dot at the end");
    text.split('.').map(label_octets).collect()
}

fn label_octets(label: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = label.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'\\' {
            let digits = std::str::from_utf8(&after[..3]).expect("digits");
            let octet = u8::from_str_radix(digits, 8).expect("octal digits");
            assert!(!is_plain(octet), "{label}: escaped without need");
            octets.push(octet);
            rest = &after[3..];
        } else {
            assert!(is_plain(*first), "{label}: not escaped");
            octets.push(*first);
            rest = after;
        }
    }
    octets
}

fn is_plain(octet: u8) -> bool {
    matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_')
}

/// The text for XML, by other means than the product's.
pub fn xml_text(text: &str) -> String {
    let reference = |c: char| match c {
        '\0' => c.to_string(), // XML has no reference to it, but the reader lets it through
        _ => format!("&#{};", u32::from(c)),
    };
    text.chars().map(reference).collect()
}

/// Applies batches as Route 53 does, and panics where it would refuse one.
pub fn apply_strictly(zone: &mut Zone, batches: &[ChangeBatch]) {
    for batch in batches {
        assert!(batch.changes() > 0);
        let sets = batch.deletes.iter().chain(&batch.creates);
        let records: usize = sets.clone().map(|set| set.values().len().max(1)).sum();
        let characters: usize = sets.clone().map(|set| set.characters()).sum();
        assert!(records <= 1_000, "{records} records in a batch");
        assert!(characters <= 32_000, "{characters} characters in a batch");
        for set in &batch.deletes {
            assert_eq!(
                zone.whole(&set.key),
                Some(set),
                "a DELETE of what isn't there"
            );
        }
        for set in &batch.creates {
            let is_alias = set.alias().is_some();
            assert!(is_alias || (1..=400).contains(&set.values().len()), "{set}");
            let is_deleted = batch.deletes.iter().any(|deleted| deleted.key == set.key);
            assert!(
                is_deleted || zone.get(&set.key).is_none(),
                "a CREATE of what is there"
            );
        }
        zone.apply(batch);
    }
}
