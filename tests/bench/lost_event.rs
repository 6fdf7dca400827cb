//! An event that Rancher takes and then loses: how long until its service has its name all the
//! same. Takes ten minutes, since that is how long metadata is given to show it.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sim::rancher::Fault;
use sim::route53::{self, Route53};

use super::environment::{Environment, PATIENCE, world};

/// Starts measuring on the side.
pub fn begin() -> JoinHandle<Duration> {
    thread::spawn(|| {
        let route53 = Route53::start(route53::Options::default());
        route53.add_zone("Z0EXAMPLE", "example.com", false);
        let environment = Environment::start(world(10, "lossy"), &route53, "example.com", &[]);
        environment.settle();
        let rancher = &environment.rancher;
        rancher.inject_events(Fault::LoseEvent, 1);
        rancher.clear_requests();
        rancher.change(|world| {
            world.add_service("extra", "lost").run_on("host-0001", 8080);
        });
        let sent = |state: &sim::rancher::State| !state.events().is_empty();
        assert!(rancher.wait_until(PATIENCE, sent), "the event is sent");
        let lost = Instant::now();
        let shown = rancher.wait_until(PATIENCE, |state| {
            let service = state.world().service("extra", "lost");
            service.is_some_and(|service| service.fqdn.is_some())
        });
        assert!(shown, "its name is written back in the end");
        lost.elapsed()
    })
}
