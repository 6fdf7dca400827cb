//! The places of a zone, listed one by one.

use super::*;

/// What is known of each place stays right, whichever of them change, come and go.
#[test]
fn places_are_listed_each_by_itself_and_what_was_seen_is_what_is_there() {
    let stage = Stage::new();
    let telemetry = Telemetry::new(Name::parse(DOMAIN).unwrap(), Heartbeat::start());
    let mut client = client(&stage.route53.url(), 1_000.0, &telemetry);
    let names = StateNames::new("u", &Name::parse(DOMAIN).unwrap()).unwrap();
    let below = Name::parse("prod.example.com").unwrap();
    let put = |name: &str, value: &str| {
        let set = sim::route53::RecordSet::simple(name, "A", 300, &[value]);
        stage.route53.edit(ZONE, |zone| zone.put(set));
    };
    for (name, value) in [
        ("web.prod.example.com.", "192.0.2.1"),
        ("one.example.com.", "192.0.2.2"),
        ("two.example.com.", "192.0.2.3"),
        ("x.two.example.com.", "192.0.2.4"),
        ("zzz.example.com.", "192.0.2.5"),
    ] {
        put(name, value);
    }
    let wanted = |wanted: &[&str]| {
        let sets = wanted.iter().map(|name| a(name));
        Arc::new(Desired {
            record_sets: sets.map(|set| (set.key.clone(), set)).collect(),
            ..Desired::default()
        })
    };
    let mut zone = CachedZone::new(names);
    let mut look = |desired: &Arc<Desired>| {
        zone.list_state_records(&mut client, ZONE).unwrap();
        zone.list_rest(&mut client, ZONE, Some(&below), desired)
            .unwrap();
        let keys = zone.view.zone.iter().map(|(key, _)| key);
        let keys = keys.filter(|key| key.rtype == RecordType::A);
        let sets = keys.filter_map(|key| zone.view.zone.whole(key));
        let sets = sets.map(|set| set.to_string().replace("example.com. A 300 192.0.2.", ""));
        sets.collect::<Vec<_>>().join(" ")
    };
    let one = wanted(&["one.example.com"]);
    let both = wanted(&["one.example.com", "two.example.com"]);
    assert_eq!(look(&one), "one.2 web.prod.1");
    assert_eq!(look(&both), "one.2 two.3 web.prod.1");
    assert_eq!(look(&both), "one.2 two.3 web.prod.1", "nothing has changed");
    put("two.example.com.", "192.0.2.33");
    assert_eq!(look(&both), "one.2 two.33 web.prod.1");
    stage.route53.edit(ZONE, |zone| {
        zone.remove("one.example.com.", "A");
    });
    put("web.prod.example.com.", "192.0.2.11");
    assert_eq!(look(&both), "two.33 web.prod.11");
    assert_eq!(look(&one), "web.prod.11");
    put("one.example.com.", "192.0.2.22");
    assert_eq!(look(&one), "one.22 web.prod.11");
    let many: Vec<String> = (0..11).map(|i| format!("n{i}.example.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let whole = "one.22 two.33 web.prod.11 x.two.4 zzz.5";
    assert_eq!(look(&wanted(&many)), whole);
    assert_eq!(look(&both), "one.22 two.33 web.prod.11");
}
