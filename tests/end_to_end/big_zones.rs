//! Big zones and shared accounts: what isn't ours costs nothing, and nobody starves.

use crate::stage::{PATIENCE, Stage, UUID, ZONE, each, program, prompt, web, world};
use sim::rancher::Rancher;
use sim::route53::{self, AccountBuckets, Limit, Operation, RecordSet, Route53};
use sim::service::{Service, environment};
use std::sync::Arc;
use std::time::Duration;

const LIST: Operation = Operation::ListResourceRecordSets;
const TEMPLATE: &str = "io.rancher.service.external_dns_name_template";
/// How long those who should have nothing to do are watched.
const WATCH: Duration = Duration::from_secs(3);

/// A stage whose zone holds so many record sets of others: half of them before our part in the
/// order of listings, half behind it.
fn among(foreign: usize) -> Stage {
    let options = route53::Options {
        record_set_limit: 20_000,
        ..route53::Options::default()
    };
    let stage = Stage::with(web(), prompt(), options);
    stage.route53.edit(ZONE, |zone| {
        for i in 0..foreign {
            let name = match i % 4 {
                0 => format!("a{i}.example.com."),
                1 => format!("external-dnx-{i:08}.example.com."),
                2 => format!("www.z{i}.example.com."),
                _ => format!("*.y{i}.example.com."),
            };
            zone.put(RecordSet::simple(&name, "A", 60, &["192.0.2.1"]));
        }
        for owner in 0..10 {
            let name = format!("external-dns-owner{owner}.example.com.");
            let entry = format!("\"www.z{owner}.example.com.\"");
            zone.put(RecordSet::simple(&name, "TXT", 60, &[entry]));
        }
    });
    stage
}

/// Where each listing so far began, once the program has come to rest.
fn listed(stage: &Stage) -> Vec<String> {
    stage.settle();
    let requests = stage.route53.requests();
    let listings = requests.iter().filter(|r| r.operation == Some(LIST));
    listings
        .map(|request| {
            let name = request
                .query
                .split_once("name=")
                .map_or("", |(_, name)| name);
            name.split('&').next().unwrap_or_default().to_owned()
        })
        .collect()
}

/// The same, of the next resync.
fn listed_at_resync(stage: &Stage) -> Vec<String> {
    stage.settle();
    stage.route53.clear_requests();
    let has_come = stage
        .route53
        .wait_until(PATIENCE, |state| !state.requests().is_empty());
    assert!(has_come, "a resync");
    listed(stage)
}

#[test]
fn ten_thousand_record_sets_of_others_cost_nothing() {
    let stage = among(10_000);
    let _service = stage.run_with(&[], &[("RESYNC_INTERVAL", "10")]);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    assert_eq!(listed(&stage), ours(), "at the start");
    assert_eq!(listed_at_resync(&stage), ours(), "at a resync");
    assert_eq!(stage.route53.requests().len(), 2);
}

/// What a listing of the state records and of names below the environment's begins with.
fn ours() -> Vec<String> {
    vec![
        "external-dns-.example.com.".to_owned(),
        "prod.example.com.".to_owned(),
    ]
}

#[test]
fn a_name_elsewhere_is_looked_up_by_itself_for_as_long_as_there_is_one() {
    let stage = among(650);
    let _service = stage.run_with(&[], &[("RESYNC_INTERVAL", "10")]);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    assert_eq!(listed(&stage), ours());

    stage.route53.clear_requests();
    stage.rancher.change(|world| {
        let service = world.service_mut("shop", "web");
        service.label(TEMPLATE, "%{{service_name}}.elsewhere");
    });
    stage.expect_fqdn("shop", "web", "web.elsewhere.example.com");
    let looked_up = ["elsewhere.example.com.", "web.elsewhere.example.com."].map(str::to_owned);
    let there = [ours(), looked_up.to_vec()].concat();
    // Since something is deleted, the state records once more: everybody's.
    let with_others = [&there[..], &["external-dns-.example.com.".to_owned()]].concat();
    assert_eq!(listed(&stage), with_others);
    assert_eq!(listed_at_resync(&stage), there);

    stage.route53.clear_requests();
    stage.rancher.change(|world| {
        let service = world.service_mut("shop", "web");
        service.label(TEMPLATE, "");
    });
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    assert_eq!(listed(&stage).len(), 0, "all is known already");
    assert_eq!(listed_at_resync(&stage), ours());
}

/// The zone has 650 record sets of others, and a few: three pages.
#[test]
fn ten_names_elsewhere_are_looked_up_and_for_eleven_the_whole_zone_is_listed() {
    each([10, 11], |count| {
        let stage = among(650);
        stage.rancher.change(|world| {
            let names: Vec<String> = (0..count).map(|i| format!("n{i:02}")).collect();
            let web = world.service_mut("shop", "web");
            web.label("io.rancher.service.external_dns_names", names.join(","));
        });
        let _service = stage.run_with(&[], &[("RESYNC_INTERVAL", "10")]);
        stage.expect_addresses(650 + 1 + count);
        stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
        let found = listed_at_resync(&stage);
        let singles = (0..count).map(|i| format!("n{i:02}.example.com."));
        match count {
            10 => assert_eq!(found, ours().into_iter().chain(singles).collect::<Vec<_>>()),
            _ => assert_eq!(found.len(), 1 + 3, "{found:?}"),
        }
        // Somebody else's edit of each is repaired, and an edit beside them doesn't matter.
        stage.route53.edit(ZONE, |zone| {
            zone.remove("n00.example.com.", "A");
            zone.put(RecordSet::simple(
                "n01.example.com.",
                "A",
                7,
                &["192.0.2.9"],
            ));
            zone.put(RecordSet::simple(
                "n02a.example.com.",
                "A",
                7,
                &["192.0.2.9"],
            ));
        });
        let repaired = stage.route53.wait_until(PATIENCE, |state| {
            let zone = state.zone(ZONE).expect("the zone");
            let is_ours = |name: &str| {
                let set = zone.get(name, "A");
                set.is_some_and(|set| set.values == ["203.0.113.1"] && set.ttl == Some(300))
            };
            is_ours("n00.example.com.") && is_ours("n01.example.com.")
        });
        assert!(repaired, "{count}");
    });
}

#[test]
fn a_template_without_the_environment_is_kept_too() {
    let stage = among(650);
    let _service = stage.run_with(&[], &[("NAME_TEMPLATE", "%{{service_name}}")]);
    stage.expect_fqdn("shop", "web", "web.example.com");
    assert_eq!(listed(&stage).len(), 3);
    stage.route53.clear_requests();
    stage.rancher.change(|world| {
        world.service_mut("shop", "web").move_from("h1", "h2");
    });
    let moved = stage.route53.wait_until(PATIENCE, |state| {
        let zone = state.zone(ZONE).expect("the zone");
        let web = zone.get("web.example.com.", "A");
        web.is_some_and(|web| web.values == ["203.0.113.2"])
    });
    assert!(moved);
    assert_eq!(listed(&stage).len(), 0, "a change lists nothing");
}

/// Pages that are what they were aren't decoded: one that isn't must be seen all the same, be it
/// the first of several or the last.
#[test]
fn somebody_else_s_edit_is_seen_on_whatever_page_it_is() {
    each(["first", "shop"], |stack| {
        let stage = among(0);
        stage.rancher.change(|world| {
            world.add_service("first", "web").run_on("h1", 80);
        });
        stage.route53.edit(ZONE, |zone| {
            for i in 0..450 {
                // In our part, between the two stacks in the order of listings.
                let name = format!("{i:03}.middle.prod.example.com.");
                zone.put(RecordSet::simple(&name, "A", 60, &["192.0.2.1"]));
            }
        });
        let _service = stage.run_with(&[], &[("RESYNC_INTERVAL", "10")]);
        stage.expect_fqdn("first", "web", "web.first.prod.example.com");
        stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
        // The first resync after a change of our own decodes everything, the next one nothing
        // but what is another.
        assert_eq!(listed_at_resync(&stage).len(), 3);
        let right = stage.lines();
        let edited = format!("web.{stack}.prod.example.com.");
        stage.put(RecordSet::simple(&edited, "A", 60, &["192.0.2.9"]));
        assert_ne!(stage.lines(), right);
        // Since something is changed, the state records once more, and the first page if it was
        // the known one.
        let again = if stack == "first" { 1 } else { 2 };
        assert_eq!(listed_at_resync(&stage).len(), 3 + again, "{stack}");
        assert_eq!(stage.lines(), right, "{stack}");
    });
}

/// An instance with an environment of its own, in which nothing is to be published yet.
fn instance(number: usize, route53: &Route53, zone: &str) -> (Rancher, Service) {
    let mut world = world(|_| {});
    world.environment_name = format!("env{number}");
    world.environment_uuid = format!("{UUID}-{number}");
    let rancher = Rancher::start(prompt(), world);
    let settings = environment(&rancher, &route53.url(), zone);
    let service = Service::spawn(program(), &[], &settings);
    (rancher, service)
}

/// Ten batches of 31 changes at once, of which the account's bucket holds six.
#[test]
fn ten_instances_share_an_account() {
    each([10, 1], |zones| {
        let requests = Limit {
            burst: 50.0,
            per_second: 10.0,
        };
        let changes = Limit {
            burst: 200.0,
            per_second: 100.0,
        };
        let route53 = Route53::start(route53::Options {
            buckets: Some(Arc::new(AccountBuckets::with_limits(requests, changes))),
            ..route53::Options::default()
        });
        let zone_of = |i: usize| format!("z{}.example.com", i % zones);
        for i in 0..zones {
            route53.add_zone(&format!("Z{i}"), &zone_of(i), false);
        }
        let instances = (0..10).map(|i| instance(i, &route53, &zone_of(i)));
        let instances: Vec<_> = instances.collect();
        for (rancher, _) in &instances {
            assert!(rancher.wait_until_polled(PATIENCE));
        }
        for (rancher, _) in &instances {
            rancher.change(|world| {
                for i in 0..30 {
                    let name = format!("web{i}");
                    world.add_service("shop", &name).run_on("h1", 80);
                }
            });
        }
        for (rancher, _) in &instances {
            let is_done = rancher.wait_until(PATIENCE, |state| {
                let services = state.world().services.iter();
                let shown = services.filter(|service| service.fqdn.is_some());
                state.is_polled() && shown.count() == 30
            });
            assert!(is_done, "an instance starves");
        }
        let requests = route53.requests();
        let refused = |code: &str| {
            let with_it = requests.iter().filter(|r| r.code.as_deref() == Some(code));
            with_it.count()
        };
        let (throttled, met) = (refused("Throttling"), refused("PriorRequestNotComplete"));
        let count = requests.len();
        let told = format!("{count} requests for {zones} zones, {throttled} throttled, {met} met");
        // One alone makes four: it looks the zone up, lists twice and sends one batch. In one zone they
        // also meet each other's batches, which are done one after the other. How often is a matter of
        // how long one takes on this machine; each time it costs the account what a batch does, so that
        // another one may be refused.
        assert!((40..=48 + 2 * met).contains(&count), "{told}");
        assert!(met <= if zones == 1 { 15 } else { 0 }, "{told}");
        // Without a refusal there would be nothing to share, unless they came one after the other.
        let batches = requests.iter().filter(|r| r.changes > 0).map(|r| r.at);
        let ends = batches.clone().min().zip(batches.max());
        let spread = ends.map_or(Duration::ZERO, |(first, last)| last - first);
        assert!(throttled > 0 || spread > Duration::from_secs(1), "{told}");
        let loops = route53.wait_until(WATCH, |state| state.requests().len() > count);
        assert!(!loops, "there is nothing to do any more");
    });
}
