//! Many instances, each with an environment and mostly with a zone of its own, that share one
//! AWS account's limits and start at the same moment, as after an upgrade of Rancher.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sim::route53::{self, AccountBuckets, RequestRecord, Route53};

use super::bound::{self, LATENCY};
use super::environment::{Environment, Expected, PATIENCE, world};

/// How long they are watched afterwards: for a loop, or for resyncs.
pub const WATCH: Duration = Duration::from_secs(20);

/// What is tried.
pub struct Trial {
    pub instances: usize,
    pub services: usize,
    /// All environments are in one zone.
    pub one_zone: bool,
    pub settings: &'static [(&'static str, &'static str)],
}

/// What came of it.
pub struct Outcome {
    /// From the start of the last instance until all zones were right.
    pub all: Duration,
    pub requests: usize,
    /// Of which refused with `Throttling` or `PriorRequestNotComplete`.
    pub refused: usize,
    /// Requests, and of which refused, when there was nothing left to do but resyncs.
    pub afterwards: (usize, usize),
}

impl Trial {
    /// What the instances would ask for one after the other.
    pub fn least_requests(&self) -> usize {
        self.instances * bound::first_requests(self.services)
    }

    /// How long the account's limits make it.
    pub fn least_time(&self) -> Duration {
        bound::first_time(self.instances, self.services)
    }

    pub fn run(&self) -> Outcome {
        let route53 = Route53::start(route53::Options {
            latency: LATENCY,
            buckets: Some(Arc::new(AccountBuckets::new())),
            record_set_limit: 20_000,
            ..route53::Options::default()
        });
        let numbers: Vec<usize> = (0..self.instances).collect();
        let zone_of = |i: &usize| if self.one_zone { 0 } else { *i };
        for zone in numbers.iter().map(zone_of) {
            route53.add_zone(&format!("Z{zone}"), &format!("z{zone}.example.com"), false);
        }
        let worlds = numbers
            .iter()
            .map(|i| world(self.services, &format!("env-{i}")));
        let worlds: Vec<_> = worlds.collect();
        let settings = self
            .settings
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let settings: Vec<_> = settings.collect();
        let start = Instant::now();
        let environments: Vec<Environment> = worlds
            .into_iter()
            .zip(&numbers)
            .map(|(world, i)| {
                let zone = format!("z{}.example.com", zone_of(i));
                Environment::start(world, &route53, &zone, &settings)
            })
            .collect();
        let start = environments
            .last()
            .map_or(start, |last| last.service.started());
        let mut open: Vec<(String, Expected)> = environments
            .iter()
            .zip(&numbers)
            .map(|(environment, i)| (format!("Z{}", zone_of(i)), environment.expected()))
            .collect();
        let mut applied = 0;
        let are_right = route53.wait_until(PATIENCE, |state| {
            let now = state.requests().iter().filter(|r| r.applied).count();
            if now > applied {
                applied = now;
                open.retain(|(zone, expected)| !expected.is_in(state.zone(zone).expect("a zone")));
            }
            open.is_empty()
        });
        let all = start.elapsed();
        assert!(are_right, "{} zones aren't right", open.len());
        let requests = route53.requests();
        for environment in &environments {
            environment.settle();
        }
        route53.clear_requests();
        std::thread::sleep(WATCH);
        let later = route53.requests();
        Outcome {
            all,
            refused: refused(&requests),
            requests: requests.len(),
            afterwards: (later.len(), refused(&later)),
        }
    }
}

fn refused(requests: &[RequestRecord]) -> usize {
    requests.iter().filter(|r| r.code.is_some()).count()
}
