//! The times of rest: nothing new goes wrong, and everything has to come right.

use std::time::{Duration, Instant};

use sim::lock::lock;
use sim::rancher::{self, Outcome};
use sim::route53::{Operation, State};

use super::{PATIENCE, Stage};
use crate::chaos::invariants::{Desired, desired};
use crate::chaos::outside_edits::Edit;
use crate::chaos::record::ZONE;
use crate::chaos::schedule::Rest;

impl Stage {
    /// Ends all that is wrong and waits until everything is right.
    pub(super) fn rest(&mut self, rest: Rest) {
        let start = Instant::now();
        self.rancher.clear_faults();
        self.rancher.load();
        self.route53.clear_faults();
        self.edit(&Edit::Uncheck);
        if rest == Rest::Restart {
            self.restart();
        }
        if self.running() == 0 {
            self.start(0);
        }
        self.rancher.bump(); // the polls of those that were killed end
        let end = start + PATIENCE;
        loop {
            let desired = desired(&self.rancher.world(), self.naming);
            self.wait_for_zone(&desired, end);
            match self.wait_for_fqdns(&desired, end) {
                Fqdns::Right if self.is_zone_right(&desired) => break,
                Fqdns::Right => {}
                Fqdns::Lost => {
                    self.tally.lost_names += 1;
                    self.restart();
                    self.rancher.bump();
                }
            }
        }
        self.check_events();
        lock(&self.watcher).all_is_right();
        self.tally.rests += 1;
        self.tally.longest_rest = self.tally.longest_rest.max(start.elapsed());
        self.history
            .note(format_args!("    all is right after {:?}", start.elapsed()));
    }

    /// No name is told to Rancher before it is in the zone.
    fn check_events(&self) {
        let watcher = lock(&self.watcher);
        for event in self.rancher.events() {
            let is_in_time = watcher.had_published(&format!("{}.", event.fqdn), event.at);
            assert!(is_in_time, "told too early: {event:?}");
        }
    }

    fn wait_for_zone(&self, desired: &Desired, end: Instant) {
        let left = end.saturating_duration_since(Instant::now());
        let reached = self
            .route53
            .wait_until(left, |state| self.zone_faults(desired, state).is_empty());
        let mut faults = Vec::new();
        self.route53.wait_until(Duration::ZERO, |state| {
            faults = self.zone_faults(desired, state);
            true
        });
        assert!(reached, "the zone did not come right: {faults:#?}");
    }

    fn is_zone_right(&self, desired: &Desired) -> bool {
        let is_right = |state: &State| self.zone_faults(desired, state).is_empty();
        self.route53.wait_until(Duration::ZERO, is_right)
    }

    fn zone_faults(&self, desired: &Desired, state: &State) -> Vec<String> {
        let zone = state.zone(ZONE).expect("the zone");
        let mut faults = desired.faults(zone, lock(&self.watcher).foreign());
        if state.in_flight(Operation::ChangeResourceRecordSets) > 0 {
            faults.push("a batch is on its way".to_owned());
        }
        faults
    }

    /// Waits until every instance has seen all there is, and every fqdn is right, or has been
    /// lost by Rancher.
    fn wait_for_fqdns(&self, desired: &Desired, end: Instant) -> Fqdns {
        let started = self.slots.iter().flatten().map(|i| i.started);
        let since = started.min().expect("an instance");
        let running = self.running();
        let mut last = None;
        let mut wrong = Vec::new();
        let left = end.saturating_duration_since(Instant::now());
        self.rancher.wait_until(left, |state| {
            let watcher = lock(&self.watcher);
            let foreign = watcher.foreign();
            let found = desired.wrong_fqdns(state.world(), foreign);
            let all_lost = found
                .iter()
                .all(|(service, name)| is_lost(state, since, service, name));
            last = match (found.is_empty(), all_lost) {
                _ if state.polls() < running => None,
                (true, _) => Some(Fqdns::Right),
                (false, true) => Some(Fqdns::Lost),
                (false, false) => None,
            };
            let shown = |(service, name): &(&rancher::Service, &str)| {
                let rancher::Service {
                    stack,
                    name: of,
                    fqdn,
                    ..
                } = service;
                format!("{stack}/{of} shows {fqdn:?}, not {name}")
            };
            wrong = found.iter().map(shown).collect();
            last.is_some()
        });
        last.unwrap_or_else(|| panic!("the fqdns did not come right: {wrong:#?}"))
    }
}

enum Fqdns {
    Right,
    /// Those that aren't right were taken by Rancher and lost before the program saw them:
    /// their service was replaced, say. They are sent again after ten minutes, or at a restart.
    Lost,
}

fn is_lost(state: &rancher::State, since: Instant, service: &rancher::Service, name: &str) -> bool {
    let sent: Vec<Outcome> = state
        .events()
        .iter()
        .filter(|e| e.at >= since && e.stack == service.stack && e.service == service.name)
        .filter(|e| e.fqdn == name)
        .map(|e| e.outcome)
        .collect();
    let is_handled = |outcome: &Outcome| matches!(outcome, Outcome::Applied | Outcome::Dropped);
    sent.iter().any(is_handled) && !sent.contains(&Outcome::Accepted)
}
