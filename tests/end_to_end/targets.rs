//! What a name answers changes its kind: addresses, an alias, a CNAME, one of several record sets. Each
//! step is one batch, and at no moment the name has no answer or a record set no entry.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use sim::lock::lock;
use sim::rancher::World;
use sim::route53::{self, Action, Operation, RecordSet, Written, Zone};

use crate::commands::run;
use crate::going_back::orphans;
use crate::stage::{PATIENCE, Stage, UUID, each, prompt, second_line, state_line, web, world};
use crate::status;

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
const WEB: &str = "web.shop.prod.example.com.";
const TARGET: &str = "io.rancher.service.external_dns_target";
const ROUTING: &str = "io.rancher.service.external_dns_routing";
const TEMPLATE: &str = "io.rancher.service.external_dns_name_template";
const POLICY: &str = "io.rancher.service.external_dns";
const BALANCER: &str = "dualstack.web-1.eu-central-1.elb.amazonaws.com";
const BALANCER_ZONE: &str = "Z215JYRZR1TBD5";
const DISTRIBUTION: &str = "d111111abcdef8.cloudfront.net";

/// What must never be so after a batch.
type Wrongs = Arc<Mutex<BTreeSet<String>>>;

/// From now on each batch is looked at: whether it deletes exactly what was there, whether it leaves a
/// record set without its entry, and whether the name answers.
fn watch(stage: &Stage, name: &'static str) -> Wrongs {
    let wrongs = Wrongs::default();
    let found = wrongs.clone();
    stage.route53.watch(move |written: &Written<'_>| {
        let mut found = lock(&found);
        found.extend(orphans(written.after));
        for change in written.batch.unwrap_or_default() {
            let was_there = written
                .before
                .record_sets()
                .any(|set| *set == change.record_set);
            match change.action {
                Action::Create => {}
                Action::Delete if was_there => {}
                Action::Delete | Action::Upsert => {
                    found.insert(format!("not exact: {change}"));
                }
            }
        }
        if answers(written.before, name) && !answers(written.after, name) {
            found.insert(format!("{name} has no answer"));
        }
    });
    wrongs
}

fn answers(zone: &Zone, name: &str) -> bool {
    let types = ["A", "AAAA", "CNAME"];
    types.iter().any(|rtype| zone.get(name, rtype).is_some())
}

/// Sets the labels of the service `web`, and waits for the zone that comes of it.
fn step(stage: &Stage, labels: &[(&str, &str)], expected: &[String]) {
    stage.settle();
    stage.route53.clear_requests();
    stage.rancher.change(|world| {
        let web = world.service_mut("shop", "web");
        for label in [TARGET, ROUTING] {
            web.labels.remove(label);
        }
        for (label, value) in labels {
            web.label(label, *value);
        }
    });
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    stage.expect_zone(&expected);
    stage.settle();
    assert_eq!(stage.calls(CHANGE), 1, "{labels:?}: one batch");
}

fn plain() -> Vec<String> {
    vec![state_line(&[WEB]), format!("{WEB} 300 A 203.0.113.1")]
}

fn alias() -> Vec<String> {
    let line = |rtype: &str| format!("{WEB} - {rtype} ALIAS {BALANCER_ZONE} {BALANCER}.");
    vec![
        second_line(&[&format!("{WEB} AAAA")]),
        state_line(&[WEB]),
        line("A"),
        line("AAAA"),
    ]
}

fn cname(target: &str) -> Vec<String> {
    vec![
        second_line(&[&format!("{WEB} CNAME")]),
        format!("{WEB} 300 CNAME {target}"),
    ]
}

fn routed(set: RecordSet) -> Vec<String> {
    let entry = format!("{WEB} {} {UUID}", set.rtype);
    vec![second_line(&[&entry]), set.to_string()]
}

fn one(address: &str) -> RecordSet {
    RecordSet::simple(WEB, "A", 300, &[address])
}

fn stage_of(world: World) -> Stage {
    let stage = Stage::new(world);
    stage.route53.add_alias_target(BALANCER, BALANCER_ZONE);
    stage
}

#[test]
fn a_name_goes_from_addresses_to_an_alias_to_a_cname_and_back_without_a_gap() {
    let stage = stage_of(web());
    let wrongs = watch(&stage, WEB);
    let _service = stage.run();
    stage.expect_zone(&plain().iter().map(String::as_str).collect::<Vec<_>>());
    stage.expect_fqdn("shop", "web", WEB.trim_end_matches('.'));
    let to_balancer = [(TARGET, BALANCER)];
    step(&stage, &to_balancer, &alias());
    step(
        &stage,
        &[(TARGET, "www.example.net")],
        &cname("www.example.net."),
    );
    step(&stage, &[], &plain());
    // The other way round, and from one target to another of its kind.
    step(
        &stage,
        &[(TARGET, "www.example.net")],
        &cname("www.example.net."),
    );
    step(
        &stage,
        &[(TARGET, "www.example.org")],
        &cname("www.example.org."),
    );
    step(&stage, &to_balancer, &alias());
    let both = [
        second_line(&[&format!("{WEB} AAAA")]),
        state_line(&[WEB]),
        format!("{WEB} 300 A 192.0.2.7"),
        format!("{WEB} 300 AAAA 2001:db8::7"),
    ];
    step(&stage, &[(TARGET, "192.0.2.7, 2001:db8::7")], &both);
    step(
        &stage,
        &[(TARGET, "www.example.net")],
        &cname("www.example.net."),
    );
    assert_eq!(*lock(&wrongs), BTreeSet::new());
    let purged = run(&stage, &["purge", "--yes"]);
    assert_eq!(purged.code, 0, "{}", purged.stderr);
    assert_eq!(stage.lines(), [""; 0]);
}

#[test]
fn a_name_goes_from_simple_to_weighted_to_latency_and_back_without_a_gap() {
    let stage = stage_of(web());
    let wrongs = watch(&stage, WEB);
    let _service = stage.run();
    stage.expect_zone(&plain().iter().map(String::as_str).collect::<Vec<_>>());
    let here = || one("203.0.113.1");
    let weighted = |weight: u8| routed(here().weighted(UUID, weight));
    step(&stage, &[(ROUTING, "weighted 10")], &weighted(10));
    step(&stage, &[(ROUTING, "weighted 0")], &weighted(0));
    let ireland = routed(here().latency(UUID, "eu-west-1"));
    step(&stage, &[(ROUTING, "latency eu-west-1")], &ireland);
    step(&stage, &[], &plain());
    step(
        &stage,
        &[(ROUTING, "multivalue")],
        &routed(here().multivalue(UUID)),
    );
    // A routed CNAME, and a routed alias, which is as healthy as its target.
    let mut elsewhere = RecordSet::simple(WEB, "CNAME", 300, &["www.example.net."]);
    elsewhere = elsewhere.weighted(UUID, 3);
    let labels = [(TARGET, "www.example.net"), (ROUTING, "weighted 3")];
    step(&stage, &labels, &routed(elsewhere));
    let balancer = |rtype: &str| {
        let set = RecordSet::alias(WEB, rtype, BALANCER_ZONE, BALANCER);
        set.evaluating().weighted(UUID, 3)
    };
    let aliases = [
        second_line(
            &["A", "AAAA"]
                .map(|t| format!("{WEB} {t} {UUID}"))
                .each_ref()
                .map(|e| &**e),
        ),
        balancer("A").to_string(),
        balancer("AAAA").to_string(),
    ];
    step(
        &stage,
        &[(TARGET, BALANCER), (ROUTING, "weighted 3")],
        &aliases,
    );
    step(&stage, &[(TARGET, BALANCER)], &alias());
    step(&stage, &[], &plain());
    assert_eq!(*lock(&wrongs), BTreeSet::new());
}

/// The object of a service on the status page.
fn row<'a>(status: &'a Value, name: &str) -> &'a Value {
    let rows = status["services"].as_array().expect("a list");
    rows.iter()
        .find(|row| row["name"] == name)
        .expect("the service")
}

#[test]
fn at_the_apex_there_can_be_an_alias_but_no_cname() {
    let stage = stage_of(world(|world| {
        for (name, target) in [("alias", BALANCER), ("cname", "www.example.net")] {
            let service = world.add_service("shop", name).run_unpublished_on("h1", 80);
            service.label(TEMPLATE, "@").label(TARGET, target);
        }
        world.add_service("shop", "web").run_on("h1", 80);
    }));
    let service = stage.run();
    let line = |rtype: &str| format!("example.com. - {rtype} ALIAS {BALANCER_ZONE} {BALANCER}.");
    stage.expect_zone(&[
        &line("A"),
        &line("AAAA"),
        &second_line(&["example.com. AAAA"]),
        &state_line(&["example.com.", WEB]),
        &plain()[1],
    ]);
    let status = status::wait_until(&service, |status| status["fqdns_waiting"] == 0);
    let row = row(&status, "cname");
    assert_eq!(row["skipped"], "cname_at_apex", "{row}");
    let planned = run(&stage, &["plan"]).stdout;
    assert!(planned.contains("  shop/cname: "), "{planned}");
}

/// In GovCloud it isn't certain that Route 53 takes aliases of load balancers elsewhere.
#[test]
fn in_gov_cloud_a_load_balancer_s_name_gives_a_cname() {
    each(
        [("us-gov-west-1", false), ("eu-west-1", true)],
        |(region, has_alias)| {
            let options = route53::Options {
                region: region.to_owned(),
                ..route53::Options::default()
            };
            let stage = Stage::with(web(), prompt(), options);
            stage.route53.add_alias_target(BALANCER, BALANCER_ZONE);
            stage.rancher.change(|world| {
                world.service_mut("shop", "web").label(TARGET, BALANCER);
            });
            let _service = stage.run_with(&[], &[("AWS_REGION", region)]);
            let expected = match has_alias {
                true => alias(),
                false => cname(&format!("{BALANCER}.")),
            };
            stage.expect_zone(&expected.iter().map(String::as_str).collect::<Vec<_>>());
        },
    );
}

/// Services outside of Rancher have no containers, only addresses or a host name.
#[test]
fn a_service_outside_of_rancher_is_published_if_it_says_so() {
    let stage = Stage::new(world(|world| {
        let always = Some((POLICY, "always"));
        for (name, ips, hostname, label) in [
            ("ips", &["192.0.2.1", "2001:db8::1"][..], None, always),
            ("host", &[], Some("www.example.net"), always),
            ("cdn", &[], Some(DISTRIBUTION), always),
            ("nothing", &[], None, always),
            ("silent", &["192.0.2.9"], None, None),
            ("target", &["192.0.2.9"], None, Some((TARGET, "192.0.2.2"))),
        ] {
            let service = world.add_service_of_kind("externalService", "shop", name);
            service.external_ips = ips.iter().map(|ip| (*ip).to_owned()).collect();
            service.hostname = hostname.map(str::to_owned);
            if let Some((label, value)) = label {
                service.label(label, value);
            }
        }
    }));
    let name = |label: &str| format!("{label}.shop.prod.example.com.");
    let service = stage.run();
    let cdn = |rtype: &str| {
        let name = name("cdn");
        format!("{name} - {rtype} ALIAS Z2FDTNDATAQYW2 {DISTRIBUTION}.")
    };
    let (a, b, c) = (name("cdn"), name("ips"), name("target"));
    let entries = [
        format!("{} AAAA", name("cdn")),
        format!("{} CNAME", name("host")),
        format!("{} AAAA", name("ips")),
    ];
    let expected = [
        second_line(&entries.each_ref().map(|entry| &**entry)),
        state_line(&[&a, &b, &c]),
        cdn("A"),
        cdn("AAAA"),
        format!("{} 300 CNAME www.example.net.", name("host")),
        format!("{b} 300 A 192.0.2.1"),
        format!("{b} 300 AAAA 2001:db8::1"),
        format!("{c} 300 A 192.0.2.2"),
    ];
    stage.expect_zone(&expected.each_ref().map(|line| &**line));
    let status = status::wait_until(&service, |status| status["last_success"].is_string());
    for (name, skipped) in [("nothing", "target"), ("silent", "kind")] {
        let row = row(&status, name);
        assert_eq!(row["skipped"], skipped, "{row}");
    }
    for (label, target) in [("host", "www.example.net."), ("cdn", DISTRIBUTION)] {
        assert_eq!(row(&status, label)["target"], target);
    }
}

/// Rancher's own way of saying that a service isn't there: without a container that counts the target
/// goes, too.
#[test]
fn without_a_container_the_target_s_name_goes() {
    let stage = stage_of(web());
    let _service = stage.run();
    stage.expect_zone(&plain().iter().map(String::as_str).collect::<Vec<_>>());
    step(&stage, &[(TARGET, BALANCER)], &alias());
    stage.rancher.change(|world| {
        let web = world.service_mut("shop", "web");
        web.containers[0].state = "stopped".to_owned();
    });
    stage.expect_zone(&[]);
    assert!(stage.rancher.wait_until_polled(PATIENCE));
    assert_eq!(stage.calls(CHANGE), 2);
}
