use super::*;
use crate::harness::{DOMAIN, Harness, ZONE, lines};

fn world() -> World {
    let mut world = World::new("prod", "1a2b");
    world.add_host("four", "203.0.113.1");
    world.add_host("six", "10.0.0.6");
    world
        .host_mut("six")
        .label("io.rancher.host.external_dns_ip", "2001:db8::6");
    world
        .add_service("shop", "web")
        .run_on("four", 80)
        .run_on("six", 80);
    world
        .add_service("shop", "db")
        .run_unpublished_on("four", 5432);
    let any = world.add_service("shop", "any").run_on("four", 81);
    any.label(
        "io.rancher.service.external_dns_name_template",
        "\\052.%{{environment_name}}",
    );
    world
}

#[test]
fn it_keeps_its_names_in_one_state_record_and_touches_nothing_else() {
    for forerunner in [
        Forerunner::RANCHER_EXTERNAL_DNS,
        Forerunner::EXTERNAL_DNS_SYNC,
    ] {
        let harness = Harness::of(world());
        let round = || forerunner.round(&harness.rancher.world(), &harness.route53, ZONE, DOMAIN);
        harness.put(RecordSet::simple(
            "mail.prod.example.com.",
            "A",
            60,
            &["192.0.2.1"],
        ));
        round();
        let any = "\\052.prod.example.com. 300 A 203.0.113.1";
        let mail = "mail.prod.example.com. 60 A 192.0.2.1";
        let web = "web.shop.prod.example.com. 300 A 203.0.113.1";
        let state = |names: &str| format!("external-dns-1a2b.example.com. 300 TXT {names}");
        let both = state(r#""\052.prod.example.com." "web.shop.prod.example.com.""#);
        assert_eq!(harness.lines(), [&*both, any, mail, web]);
        harness
            .rancher
            .change(|world| world.remove_service("shop", "any"));
        round();
        let one = state(r#""web.shop.prod.example.com.""#);
        assert_eq!(harness.lines(), [&*one, mail, web]);
    }
}

#[test]
fn it_writes_a_state_record_anew_that_lists_more_than_it_knows() {
    let harness = Harness::of(world());
    let record = "external-dns-1a2b.example.com.";
    let values = [
        r#""web.shop.prod.example.com.""#,
        r#""web.shop.prod.example.com. AAAA""#,
        r#""\052.prod.example.com.""#,
    ];
    for values in [&values[..], &values[..1]] {
        harness.put(RecordSet::simple(record, "TXT", 1_500_000_000, values));
        let round = |forerunner: Forerunner| {
            let world = harness.rancher.world();
            forerunner.round(&world, &harness.route53, ZONE, DOMAIN);
            let sets = harness.route53.record_sets(ZONE);
            lines(sets.iter().filter(|set| set.name == record))
        };
        let written = round(Forerunner::RANCHER_EXTERNAL_DNS);
        assert!(!written[0].contains("AAAA"), "{written:?}");
    }
    let ttl = || {
        let sets = harness.route53.record_sets(ZONE);
        sets.iter().find(|set| set.name == record).unwrap().ttl
    };
    assert_eq!(ttl(), Some(300));
    // The same names: only one of the two writes them again.
    let values = [values[2], values[0]];
    for (forerunner, expected) in [
        (Forerunner::RANCHER_EXTERNAL_DNS, 1_500_000_000),
        (Forerunner::EXTERNAL_DNS_SYNC, 300),
    ] {
        harness.put(RecordSet::simple(record, "TXT", 1_500_000_000, &values));
        forerunner.round(&harness.rancher.world(), &harness.route53, ZONE, DOMAIN);
        assert_eq!(ttl(), Some(expected));
    }
}
