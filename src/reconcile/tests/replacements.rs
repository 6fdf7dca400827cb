//! Record sets that are written in the place of others, and what Route 53 refuses of them.

use super::*;
use crate::dns::Routing;

fn cname(name: &str) -> RecordSet {
    RecordSet::of_values(
        RecordKey::new(Name::parse(name).unwrap(), RecordType::Cname),
        300,
        ["lb.example.org.".to_owned()].into(),
    )
}

fn weighted(name: &str) -> RecordSet {
    let mut set = a(name);
    set.key.set_id = Some("u".into());
    set.routing = Some(Box::new(Routing::Weighted(1)));
    set
}

fn of_sets(sets: impl IntoIterator<Item = RecordSet>) -> Arc<Desired> {
    let sets = sets.into_iter();
    Arc::new(Desired {
        record_sets: sets.map(|set| (set.key.clone(), set)).collect(),
        ..Desired::default()
    })
}

/// What the zone has besides SOA and NS and the state records, in words.
fn zone(stage: &Stage) -> Vec<String> {
    let sets = stage.route53.record_sets(ZONE).into_iter();
    let sets = sets.filter(|set| !matches!(&*set.rtype, "SOA" | "NS" | "TXT"));
    sets.map(|set| {
        let label = set.name.split('.').next().unwrap_or_default().to_owned();
        let set_id = set.set_identifier.map(|id| format!(" {id}"));
        format!("{label} {}{}", set.rtype, set_id.unwrap_or_default())
    })
    .collect()
}

fn refused(round: &Round) -> Vec<String> {
    let cases = round.quarantined.iter();
    let words = cases.map(|case| case.key.to_string().replace(".prod.example.com", ""));
    words.collect()
}

/// The messages mention no record set, so halves of the batch are tried: never a half of what is
/// written together, which would be found good because nothing of it is written.
#[test]
fn a_refused_replacement_is_found_and_everything_else_is_written() {
    let name = |label: &str| format!("{label}.prod.{DOMAIN}");
    let labels = ["s0", "s1", "s2", "s3"];
    let mut stage = Stage::new();
    stage.round(&of_sets(labels.map(|label| a(&name(label)))), 0);

    let wanted = of_sets([
        cname(&name("s0")),
        cname(&name("s1")),
        weighted(&name("s2")),
        weighted(&name("s3")),
        a(&name("new")),
    ]);
    let words = "The resource record set cannot be created.";
    stage.route53.edit(ZONE, |zone| {
        zone.refuse(&format!("{}.", name("s1")), "CNAME", words);
        zone.refuse(&format!("{}.", name("s2")), "A", words);
    });
    let round = stage.round(&wanted, 1);
    let s1 = ["s1. A", "s1. CNAME"];
    let s2 = ["s2. A", "s2. A u"];
    assert_eq!(refused(&round), [s1, s2].concat());
    assert_eq!(
        zone(&stage),
        ["new A", "s0 CNAME", "s1 A", "s2 A", "s3 A u"]
    );

    // Until it is tried again, it costs no batch.
    let batches = stage.batches();
    assert_eq!(refused(&stage.round(&wanted, 2)).len(), 4);
    assert_eq!(stage.batches(), batches);

    stage.route53.edit(ZONE, |zone| zone.refused.clear());
    stage.reconciler.resync();
    assert_eq!(refused(&stage.round(&wanted, 3)), [""; 0]);
    assert_eq!(stage.batches(), batches + 1, "both in one batch");
    assert_eq!(
        zone(&stage),
        ["new A", "s0 CNAME", "s1 CNAME", "s2 A u", "s3 A u"]
    );
}

/// Another wish for the new record set has the old one tried again, too.
#[test]
fn another_wish_has_a_refused_replacement_tried_again() {
    let name = format!("web.prod.{DOMAIN}");
    let mut stage = Stage::new();
    stage.round(&of_sets([a(&name)]), 0);
    let words = "The resource record set cannot be created.";
    stage.route53.edit(ZONE, |zone| {
        zone.refuse(&format!("{name}."), "CNAME", words)
    });
    assert_eq!(refused(&stage.round(&of_sets([cname(&name)]), 1)).len(), 2);
    stage.route53.edit(ZONE, |zone| zone.refused.clear());
    let other = RecordSet::of_values(cname(&name).key, 300, ["other.example.org.".into()].into());
    assert_eq!(refused(&stage.round(&of_sets([other]), 2)), [""; 0]);
    assert_eq!(zone(&stage), ["web CNAME"]);
}
