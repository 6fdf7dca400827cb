//! What is ours, what isn't, and who takes over from whom.

use crate::stage::{PATIENCE, STATE, Stage, ZONE, state_line, web, world};
use sim::harness::listed;
use sim::rancher::World;
use sim::route53::{Operation, RecordSet};
use sim::service::Service;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// `count` services, each with its name's record set and entry in the zone, as
/// rancher/external-dns leaves them.
fn left_by_the_forerunner(count: usize, prefix: &str) -> (World, Vec<RecordSet>) {
    let names: Vec<String> = (0..count).map(|i| format!("{prefix}{i:03}")).collect();
    let world = world(|world| {
        for (i, name) in names.iter().enumerate() {
            let service = world.add_service("shop", name).run_on("h1", 80);
            if i % 3 != 0 {
                service.fqdn = Some(format!("{name}.shop.prod.example.com"));
            }
        }
    });
    let fqdns: Vec<String> = names
        .iter()
        .map(|n| format!("{n}.shop.prod.example.com."))
        .collect();
    let entries: Vec<String> = fqdns.iter().map(|fqdn| format!("\"{fqdn}\"")).collect();
    let mut sets = vec![RecordSet::simple(STATE, "TXT", 300, &entries)];
    sets.extend(
        fqdns
            .iter()
            .map(|fqdn| RecordSet::simple(fqdn, "A", 300, &["203.0.113.1"])),
    );
    (world, sets)
}

#[test]
fn takes_over_from_the_forerunner_without_touching_a_record() {
    let (world, sets) = left_by_the_forerunner(60, "web");
    let stage = Stage::new(world);
    sets.into_iter().for_each(|set| stage.put(set));
    let before = stage.lines();
    let _service = stage.run();
    // The missing fqdns are written: those of every third service.
    let all_shown = stage.rancher.wait_until(PATIENCE, |state| {
        (0..60).all(|i| {
            state
                .world()
                .service("shop", &format!("web{i:03}"))
                .unwrap()
                .fqdn
                .is_some()
        })
    });
    assert!(all_shown);
    stage.settle();
    assert_eq!(stage.rancher.events().len(), 20);
    // One batch, which writes the claim and nothing else.
    assert_eq!(stage.calls(Operation::ChangeResourceRecordSets), 1);
    assert_eq!(stage.lines(), before);
    assert_eq!(stage.route53.record_sets(ZONE).len(), before.len() + 3);
}

#[test]
fn a_state_record_too_long_to_be_rewritten_does_not_stop_the_next_service() {
    let prefix = "a-service-with-a-name-that-is-long-enough-to-fill-it";
    let (world, sets) = left_by_the_forerunner(350, prefix);
    let stage = Stage::new(world);
    let characters: usize = sets[0].values.iter().map(String::len).sum();
    assert!(
        2 * characters > 32_000,
        "its DELETE and CREATE exceed a request"
    );
    sets.into_iter().for_each(|set| stage.put(set));
    let before = stage.lines();
    let _service = stage.run();
    stage.rancher.change(|world| {
        world.add_service("shop", "new").run_on("h2", 80);
    });
    stage.expect_fqdn("shop", "new", "new.shop.prod.example.com");
    let mut expected = before;
    expected.push("new.shop.prod.example.com. 300 A 203.0.113.2".to_owned());
    expected.push(format!(
        "{} 300 TXT \"new.shop.prod.example.com.\"",
        STATE.replace(".example", "-1.example")
    ));
    expected.sort();
    let mut lines = stage.lines();
    lines.sort();
    assert_eq!(lines, expected);

    // And when one of the 350 goes, the long record is split; nothing is ever without an entry.
    observe_ownership(&stage);
    stage
        .rancher
        .change(|world| world.remove_service("shop", &format!("{prefix}000")));
    let gone = format!("{prefix}000.shop.prod.example.com.");
    let forgotten = stage.route53.wait_until(PATIENCE, |state| {
        let zone = state.zone(ZONE).unwrap();
        zone.get(&gone, "A").is_none() && !entries(zone.record_sets()).contains_key(&gone)
    });
    assert!(forgotten, "{:#?}", stage.lines());
    let sets = stage.route53.record_sets(ZONE);
    assert_eq!(entries(sets.iter()).len(), 350);
    for set in sets.iter().filter(|set| set.rtype == "TXT") {
        assert!(set.values.len() <= 100, "{set}");
    }
}

/// The entries of all state records: name or `name AAAA` → how often it is listed.
fn entries<'a>(sets: impl Iterator<Item = &'a RecordSet>) -> BTreeMap<String, usize> {
    let mut entries = BTreeMap::new();
    for set in sets.filter(|set| set.rtype == "TXT" && set.name.starts_with("external-dns-")) {
        for entry in listed(set) {
            *entries.entry(entry).or_default() += 1;
        }
    }
    entries
}

/// From now on every A and AAAA below prod.example.com must be listed after each batch; dropping
/// the result panics if one wasn't.
fn observe_ownership(stage: &Stage) -> Orphans {
    let orphans = Arc::new(Mutex::new(Vec::new()));
    let found = orphans.clone();
    stage.route53.observe(move |zone, _| {
        let entries = entries(zone.record_sets());
        for set in zone
            .record_sets()
            .filter(|set| set.name.ends_with(".prod.example.com."))
        {
            let entry = match set.rtype.as_str() {
                "A" => set.name.clone(),
                _ => format!("{} {}", set.name, set.rtype),
            };
            if !entries.contains_key(&entry) {
                found.lock().unwrap().push(set.to_string());
            }
        }
    });
    Orphans(orphans)
}

struct Orphans(Arc<Mutex<Vec<String>>>);

impl Drop for Orphans {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(
                *self.0.lock().unwrap(),
                [] as [String; 0],
                "without an entry"
            );
        }
    }
}

#[test]
fn what_is_not_ours_is_left_alone_and_reported() {
    let stage = Stage::new(world(|world| {
        for name in ["a", "b", "c", "free"] {
            world.add_service("shop", name).run_on("h1", 80);
        }
    }));
    let foreign = [
        RecordSet::simple("a.shop.prod.example.com.", "A", 60, &["192.0.2.1"]),
        RecordSet::simple(
            "b.shop.prod.example.com.",
            "CNAME",
            60,
            &["elsewhere.example.net."],
        ),
        RecordSet::alias(
            "c.shop.prod.example.com.",
            "A",
            "Z2FDTNDATAQYW2",
            "d.cloudfront.net.",
        ),
        RecordSet::simple("mail.prod.example.com.", "MX", 60, &["10 mx.example.net."]),
        RecordSet::simple("*.shop.prod.example.com.", "A", 60, &["192.0.2.9"]),
        RecordSet::simple("x.shop.prod.example.com.", "A", 60, &["192.0.2.8"]).weighted("one", 10),
        RecordSet::simple("x.shop.prod.example.com.", "A", 60, &["192.0.2.7"]).weighted("two", 20),
    ];
    foreign.iter().cloned().for_each(|set| stage.put(set));
    let before = stage.lines();
    let service = stage.run();
    stage.expect_fqdn("shop", "free", "free.shop.prod.example.com");
    stage.settle();
    let mut expected = before.clone();
    expected.push("free.shop.prod.example.com. 300 A 203.0.113.1".to_owned());
    expected.push(format!("{STATE} 300 TXT \"free.shop.prod.example.com.\""));
    let mut lines = stage.lines();
    lines.sort();
    expected.sort();
    assert_eq!(lines, expected);
    for (name, words) in [("a", "isn't ours"), ("b", "CNAME"), ("c", "alias")] {
        let name_and_type = format!("{name}.shop.prod.example.com. A");
        let is_told = |line: &str| {
            line.contains("left alone") && line.contains(&name_and_type) && line.contains(words)
        };
        let told = service.wait_for_log(PATIENCE, is_told);
        assert!(told.is_some(), "{name}: {:#?}", service.log());
        assert_eq!(stage.rancher.fqdn("shop", name), None);
    }

    // They go as they came.
    stage.rancher.change(|world| world.remove_stack("shop"));
    let before: Vec<&str> = before.iter().map(String::as_str).collect();
    stage.expect_zone(&before);
}

#[test]
fn a_record_set_changed_by_hand_is_repaired_at_the_next_start() {
    let stage = Stage::new(web());
    let first = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    first.terminate();
    assert!(first.wait(PATIENCE).is_some());
    let right = stage.lines();
    for set in [
        Some(RecordSet::simple(
            "web.shop.prod.example.com.",
            "A",
            60,
            &["192.0.2.66"],
        )),
        None,
    ] {
        stage.route53.edit(ZONE, |zone| match set {
            Some(set) => zone.put(set),
            None => assert!(zone.remove("web.shop.prod.example.com.", "A")),
        });
        let service = stage.run();
        stage.expect_zone(&right.iter().map(String::as_str).collect::<Vec<_>>());
        service.terminate();
        assert!(service.wait(PATIENCE).is_some());
    }
}

#[test]
fn adopts_what_matches_and_what_old_versions_left() {
    let a = RecordSet::simple("web.shop.prod.example.com.", "A", 300, &["192.0.2.1"]);
    let leftover = RecordSet::simple("old.shop.prod.example.com.", "A", 300, &["192.0.2.2"]);
    let other_ttl = RecordSet::simple("own.shop.prod.example.com.", "A", 60, &["192.0.2.3"]);
    let state = format!("{STATE} 300 TXT \"web.shop.prod.example.com.\"");
    let right = "web.shop.prod.example.com. 300 A 203.0.113.1";
    let old = "old.shop.prod.example.com. 300 A 192.0.2.2";
    let own = "own.shop.prod.example.com. 60 A 192.0.2.3";
    for (adopt, expected) in [
        (
            "never",
            vec![old, own, "web.shop.prod.example.com. 300 A 192.0.2.1"],
        ),
        ("matching", vec![&*state, old, own, right]),
        ("legacy", vec![&*state, own, right]),
    ] {
        let stage = Stage::new(web());
        [&a, &leftover, &other_ttl]
            .into_iter()
            .for_each(|set| stage.put(set.clone()));
        let service = stage.run_with(&["once"], &[("ADOPT", adopt)]);
        assert_eq!(
            service.wait(PATIENCE).and_then(|s| s.code()),
            Some(0),
            "{adopt}"
        );
        assert_eq!(stage.lines(), expected, "{adopt}");
    }
}

#[test]
fn two_instances_lose_nothing_and_do_not_quarrel() {
    let stage = Stage::new(web());
    let orphans = observe_ownership(&stage);
    let both: Vec<Service> = (0..2).map(|_| stage.run()).collect();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    for i in 0..40 {
        stage.rancher.change(|world| {
            let host = ["h1", "h2", "h3"][i % 3];
            world.add_service("shop", &format!("s{i}")).run_on(host, 80);
            if i >= 5 && (i - 5) % 4 != 0 {
                world
                    .service_mut("shop", &format!("s{}", i - 5))
                    .run_on("h3", 81);
            }
            if i % 4 == 3 {
                world.remove_service("shop", &format!("s{}", i - 3));
            }
        });
        if i % 8 == 7 {
            // Let both catch up now and then, so that they also meet from rest.
            stage.expect_fqdn(
                "shop",
                &format!("s{i}"),
                &format!("s{i}.shop.prod.example.com"),
            );
        }
    }
    let expected: Vec<String> = (0..40)
        .filter(|i| i % 4 != 0)
        .map(|i| format!("s{i}"))
        .chain(["web".to_owned()])
        .map(|name| format!("{name}.shop.prod.example.com."))
        .collect();
    let complete = stage.route53.wait_until(PATIENCE, |state| {
        let zone = state.zone(ZONE).unwrap();
        let published = zone.record_sets().filter(|set| set.rtype == "A").count();
        published == expected.len() && expected.iter().all(|name| zone.get(name, "A").is_some())
    });
    assert!(complete, "{:#?}", stage.lines());
    let entries = entries(stage.route53.record_sets(ZONE).iter());
    assert_eq!(entries.len(), expected.len());
    assert!(entries.values().all(|times| *times == 1), "{entries:?}");
    let both_wait = |state: &sim::rancher::State| state.polls() == 2;
    assert!(stage.rancher.wait_until(PATIENCE, both_wait));

    // At rest there is rest: an unrelated change of metadata causes no call by either.
    stage.route53.clear_requests();
    stage.rancher.bump();
    assert!(stage.rancher.wait_until(PATIENCE, both_wait));
    assert_eq!(stage.calls(Operation::ChangeResourceRecordSets), 0);
    drop(orphans);
    drop(both);
}

#[test]
fn an_address_at_a_state_record_s_name_is_no_state_record() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
        let template = STATE.strip_suffix(".example.com.").unwrap();
        world
            .add_service("shop", "odd")
            .run_on("h1", 80)
            .label("io.rancher.service.external_dns_name_template", template);
    }));
    let _service = stage.run();
    let entries = ["web.shop.prod.example.com.", STATE];
    let odd = |address: &str| format!("{STATE} 300 A {address}");
    let state = state_line(&[entries[1], entries[0]]);
    let web = |address: &str| format!("{} 300 A {address}", entries[0]);
    stage.expect_zone(&[&odd("203.0.113.1"), &state, &web("203.0.113.1")]);
    // Only the odd one changes, then the other one goes: it still is ours.
    stage.rancher.change(|world| {
        let odd = world.service_mut("shop", "odd");
        odd.move_from("h1", "h2");
    });
    stage.expect_zone(&[&odd("203.0.113.2"), &state, &web("203.0.113.1")]);
    stage.rancher.change(|world| {
        world.remove_service("shop", "web");
    });
    stage.expect_zone(&[&odd("203.0.113.2"), &state_line(&[STATE])]);
    let words = format!("RRSet of type A with DNS name {STATE} is not permitted here.");
    let route53 = &stage.route53;
    route53.edit(ZONE, |zone| zone.refuse(STATE, "A", &words));
    stage.rancher.change(|world| {
        let odd = world.service_mut("shop", "odd");
        odd.move_from("h2", "h3");
        world.add_service("shop", "new").run_on("h1", 80);
    });
    // What Route 53 refuses of it doesn't keep the others back.
    stage.expect_fqdn("shop", "new", "new.shop.prod.example.com");
}
