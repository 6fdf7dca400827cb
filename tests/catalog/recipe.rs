//! The road from a forerunner, as docs/from-external-dns.md has it.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rancher_route53::config::arguments::{Invocation, parse};
use serde::Deserialize;
use sim::forerunner::Forerunner;
use sim::harness::{DOMAIN, Harness, ZONE, lines};
use sim::rancher::World;
use sim::service::{self, Service};

use crate::entry::{Scalar, entry, path};
use crate::{PATIENCE, UUID};

/// A stack of the page.
#[derive(Debug, Deserialize)]
struct Stack {
    services: BTreeMap<String, Look>,
}

#[derive(Debug, Deserialize)]
struct Look {
    command: String,
    environment: BTreeMap<String, Scalar>,
    labels: BTreeMap<String, String>,
}

fn page() -> String {
    fs::read_to_string(path("docs/from-external-dns.md")).unwrap()
}

/// The one block of the page in this language.
fn block(language: &str) -> String {
    let page = page();
    let start = format!("```{language}\n");
    let mut blocks = page.split(&start).skip(1);
    let block = blocks.next().expect("a block");
    assert!(blocks.next().is_none(), "one block only");
    block.split("```").next().unwrap_or_default().to_owned()
}

/// A service whose port is only exposed, as `plan` on the page has it.
const EXPOSED: &str = "exposed";

fn world() -> World {
    let mut world = World::new("Prod", UUID);
    world.add_host("h1", "203.0.113.1");
    world.add_host("h2", "203.0.113.2");
    let web = world.add_service("shop", "web");
    web.run_on("h1", 80).run_on("h2", 80);
    let exposed = world.add_service("shop", EXPOSED);
    // So metadata shows it: the simulated forerunner reads ports as they stand in the world.
    exposed.run_with("h2", &["203.0.113.2:8080/tcp"]);
    world
}

/// What is in the zone but the state records: their form is this program's own.
fn addresses(harness: &Harness) -> Vec<String> {
    let mut lines = harness.lines();
    lines.retain(|line| !line.starts_with("external-dns-"));
    lines
}

#[test]
fn beside_a_forerunner_plan_shows_zeros_and_the_switch_touches_no_address() {
    let stack: Stack = serde_saphyr::from_str(&block("yaml")).unwrap();
    let look = &stack.services["look"];
    let Scalar::Number(ttl) = look.environment["TTL"] else {
        panic!("a number");
    };
    let old = Forerunner {
        ttl: ttl.try_into().unwrap(),
        ..Forerunner::RANCHER_EXTERNAL_DNS
    };
    let harness = Harness::of(world());
    let Harness { rancher, route53 } = &harness;
    old.round(&rancher.world(), route53, ZONE, DOMAIN);
    let before = harness.lines();
    let published = addresses(&harness);
    assert_eq!(published.len(), 2, "{published:?}");

    let mut settings = harness.environment();
    settings.push(("TTL", ttl.to_string()));
    let program = service::program(env!("CARGO_BIN_EXE_rancher-route53"));
    let plan = || {
        let ran = Service::spawn(&program, &[&look.command], &settings);
        assert!(ran.wait(PATIENCE).expect("an end").success());
        ran.stdout()
    };
    let zeros = block("text");
    let shown = plan();
    assert!(
        shown.contains("0 to create, 0 to change, 1 to delete"),
        "{shown}"
    );
    assert!(shown.contains(&format!("\n  shop/{EXPOSED}: ")), "{shown}");
    rancher.change(|world| {
        let exposed = world.service_mut("shop", EXPOSED);
        exposed.label("io.rancher.service.external_dns", "always");
    });
    let shown = plan();
    assert!(shown.contains(zeros.trim_end()), "{shown}");
    assert_eq!(harness.lines(), before, "plan changes nothing");

    // The switch: the old one is stopped, and every write from here on is the new one's.
    let touched = Arc::new(AtomicBool::new(false));
    let seen = touched.clone();
    let unchanged = published.clone();
    route53.watch(move |written| {
        let now = lines(written.after.record_sets());
        let all_are_there = unchanged.iter().all(|line| now.contains(line));
        seen.fetch_or(!all_are_there, Ordering::SeqCst);
    });
    let new = Service::spawn(&program, &[], &settings);
    harness.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    harness.settle();
    let shown = plan();
    let nothing = zeros.replace("one change batch", "no change batch");
    assert_ne!(nothing, zeros);
    assert!(shown.contains(nothing.trim_end()), "{shown}");
    new.terminate();
    assert!(new.wait(PATIENCE).expect("an end").success());
    assert_eq!(addresses(&harness), published);
    assert!(!touched.load(Ordering::SeqCst));

    // The way back.
    old.round(&rancher.world(), route53, ZONE, DOMAIN);
    assert_eq!(addresses(&harness), published);
}

/// Rancher gives it keys for its API, and doesn't start it again.
#[test]
fn the_stack_of_the_recipe_has_the_labels_that_it_needs() {
    let stack: Stack = serde_saphyr::from_str(&block("yaml")).unwrap();
    let look = &stack.services["look"];
    let (container, _) = entry();
    for name in ["create_agent", "agent.role"] {
        let label = format!("io.rancher.container.{name}");
        assert_eq!(look.labels[&label], container.labels[&label], "{label}");
    }
    assert_eq!(look.labels["io.rancher.container.start_once"], "true");
    let arguments = parse([look.command.clone()]).unwrap();
    assert!(matches!(arguments.invocation, Invocation::Plan { .. }));
}
