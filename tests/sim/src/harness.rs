//! Where a program under test runs: one simulated Rancher, one simulated Route 53 with a hosted zone.
//! The tests, the benchmark, the status page's and the demo's stages start from it.

use std::time::Duration;

use crate::rancher::{self, Rancher, World};
use crate::route53::{self, Operation, RecordSet, Route53, State};
use crate::service::environment;

/// Longer than anything takes, on a machine that is ten times as slow, too; a test that runs into it
/// has failed.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Id of the hosted zone.
pub const ZONE: &str = "Z0EXAMPLE";
/// Name of the hosted zone.
pub const DOMAIN: &str = "example.com";

pub struct Harness {
    pub rancher: Rancher,
    pub route53: Route53,
}

impl Harness {
    /// Starts both as they usually are.
    pub fn of(world: World) -> Harness {
        let (rancher, route53) = (rancher::Options::default(), route53::Options::default());
        Harness::start(world, rancher, route53)
    }

    /// Starts both, with the public hosted zone `example.com`.
    pub fn start(world: World, rancher: rancher::Options, route53: route53::Options) -> Harness {
        let harness = Harness {
            rancher: Rancher::start(rancher, world),
            route53: Route53::start(route53),
        };
        harness.route53.add_zone(ZONE, DOMAIN, false);
        harness
    }

    /// The settings with which the program finds both.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        environment(&self.rancher, &self.route53.url(), DOMAIN)
    }

    /// The zone without SOA and NS, a line each. Of the state records it shows what they list, as
    /// the forerunners write it: neither their generations nor the claim.
    pub fn lines(&self) -> Vec<String> {
        lines(self.route53.record_sets(ZONE).iter())
    }

    /// Waits until the zone holds exactly this besides SOA and NS.
    pub fn expect_zone(&self, expected: &[&str]) {
        let reached = self.route53.wait_until(PATIENCE, |state| {
            state
                .zone(ZONE)
                .is_some_and(|zone| lines(zone.record_sets()) == expected)
        });
        assert!(
            reached,
            "the zone should be {expected:#?}, not {:#?}",
            self.lines()
        );
    }

    /// Waits until the zone holds so many A record sets.
    pub fn expect_addresses(&self, count: usize) {
        let is_so = |state: &State| addresses(state) == count;
        let reached = self.route53.wait_until(PATIENCE, is_so);
        assert!(reached, "{count} A record sets, not {:#?}", self.lines());
    }

    /// Waits until Rancher shows this name for a service.
    pub fn expect_fqdn(&self, stack: &str, service: &str, fqdn: &str) {
        let reached = self.rancher.wait_until(PATIENCE, |state| {
            let service = state.world().service(stack, service);
            service.is_some_and(|service| service.fqdn.as_deref() == Some(fqdn))
        });
        let shown = self.rancher.fqdn(stack, service);
        assert!(
            reached,
            "{stack}/{service} should show {fqdn}, not {shown:?}"
        );
    }

    /// Waits until the program waits for the present version of metadata: it has seen it all.
    pub fn settle(&self) {
        assert!(
            self.rancher.wait_until_polled(PATIENCE),
            "the program doesn't come to rest"
        );
    }

    /// How many requests for this operation there were.
    pub fn calls(&self, operation: Operation) -> usize {
        let requests = self.route53.requests();
        requests
            .iter()
            .filter(|request| request.operation == Some(operation))
            .count()
    }

    /// Someone else's record set.
    pub fn put(&self, set: RecordSet) {
        self.route53.edit(ZONE, |zone| zone.put(set));
    }
}

/// How many A record sets the zone holds.
pub fn addresses(state: &State) -> usize {
    let zone = state.zone(ZONE).expect("the zone");
    zone.record_sets().filter(|set| set.rtype == "A").count()
}

/// Whether the zone holds an A record set of this name.
pub fn has_address(state: &State, name: &str) -> bool {
    let zone = state.zone(ZONE).expect("the zone");
    zone.get(name, "A").is_some()
}

/// Record sets, a line each: without those that every zone has, and without what a state record
/// holds besides its entries.
pub fn lines<'a>(sets: impl Iterator<Item = &'a RecordSet>) -> Vec<String> {
    sets.filter(|set| !matches!(set.rtype.as_str(), "SOA" | "NS"))
        .filter_map(without_bookkeeping)
        .map(|set| set.to_string())
        .collect()
}

/// What a state record lists: the texts of its values, without the claim.
pub fn listed(record: &RecordSet) -> impl Iterator<Item = String> {
    let record = without_bookkeeping(record);
    let values = record.into_iter().flat_map(|record| record.values);
    values.map(|value| value.trim_matches('"').to_owned())
}

/// Least TTL that is a state record's generation.
const LEAST_GENERATION: u32 = 1 << 30;
const CLAIM: &str = "\"claim ";

/// A record set as it would be without generation and claim; none if it is nothing but a claim.
pub fn without_bookkeeping(set: &RecordSet) -> Option<RecordSet> {
    let mut set = set.clone();
    if !set.name.starts_with("external-dns-") || set.rtype != "TXT" {
        return Some(set);
    }
    if set.ttl >= Some(LEAST_GENERATION) {
        set.ttl = Some(300);
    }
    let is_claim = |value: &String| value.starts_with(CLAIM);
    let values = set.values.iter().filter(|value| !is_claim(value));
    let listed = |value: &String| {
        let (listed, _) = value.split_once(" \"claim ").unwrap_or((value, ""));
        listed.to_owned()
    };
    set.values = values.map(listed).collect();
    (!set.values.is_empty()).then_some(set)
}
