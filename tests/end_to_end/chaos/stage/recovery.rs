//! The times of rest: nothing new goes wrong, and everything has to come right.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use sim::lock::lock;
use sim::rancher::{self, Outcome};
use sim::route53::{Operation, State};

use serde_json::Value;

use super::{PATIENCE, SILENT, Stage, the_zone};
use crate::chaos::invariants::{Desired, desired};
use crate::chaos::outside_edits::Edit;
use crate::chaos::schedule::Rest;
use crate::chaos::world::LB_HOSTNAMES;
use crate::status;

impl Stage {
    /// Ends all that is wrong and waits until everything is right.
    pub(super) fn rest(&mut self, rest: Rest) {
        let start = Instant::now();
        self.rancher.clear_faults();
        self.rancher.load();
        self.route53.clear_faults();
        self.deny(None);
        self.edit(&Edit::Uncheck);
        self.edit(&Edit::Unclaim);
        if rest == Rest::Restart {
            self.restart();
        }
        if self.running() == 0 {
            self.start(0);
        }
        self.rancher.bump(); // the polls of those that were killed end
        let end = start + PATIENCE;
        loop {
            let desired = desired(&self.rancher.world(), &self.regime.publishing);
            self.wait_for_zone(&desired, end);
            match self.wait_for_fqdns(&desired, end) {
                Fqdns::Right if self.is_zone_right(&desired) => {
                    self.wait_for_status(&desired, end);
                    if self.is_zone_right(&desired) {
                        break;
                    }
                }
                Fqdns::Right => {}
                Fqdns::Lost => {
                    self.tally.lost_names += 1;
                    self.restart();
                    self.rancher.bump();
                }
            }
        }
        self.check_events();
        self.count_what_decides();
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
            let name = format!("{}.", event.fqdn).replace('*', "\\052");
            let is_in_time = watcher.had_published(&name, event.at);
            assert!(is_in_time, "told too early: {event:?}");
            let by = event.access_key.as_deref();
            assert_ne!(
                by,
                Some(SILENT),
                "told although WRITE_BACK=false: {event:?}"
            );
        }
    }

    /// Counts the settings and labels without which something else would be right now.
    fn count_what_decides(&mut self) {
        let mut world = self.rancher.world();
        let publishing = self.regime.publishing;
        let zone = self.route53.edit(&self.zone, |zone| zone.clone());
        let is = desired(&world, &publishing);
        let mut decisive = Vec::new();
        if !self.regime.writes_back {
            let (owner, was_shown) = (self.regime.owner, |_: &str| true);
            let untold = is.wrong_fqdns(&world, &zone, owner, true, was_shown);
            decisive.extend((!untold.is_empty()).then_some("WRITE_BACK"));
        }
        for (setting, without) in publishing.without() {
            let decides = desired(&world, &without).sets != is.sets;
            decisive.extend(decides.then_some(setting));
        }
        for service in &mut world.services {
            service.labels.retain(|key, _| !key.contains(LB_HOSTNAMES));
        }
        let decides = desired(&world, &publishing).sets != is.sets;
        decisive.extend(decides.then_some(LB_HOSTNAMES));
        for name in decisive {
            *self.tally.decisive.entry(name).or_default() += 1;
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
        let (mut faults, _) = desired.judge(the_zone(state), self.regime);
        if state.in_flight(Operation::ChangeResourceRecordSets) > 0 {
            faults.push("a batch is on its way".to_owned());
        }
        faults
    }

    /// Waits until every instance says that all is well, but for what is left alone with reason.
    fn wait_for_status(&self, desired: &Desired, end: Instant) {
        let mut conflicts = 0..=0;
        self.route53.wait_until(Duration::ZERO, |state| {
            (_, conflicts) = desired.judge(the_zone(state), self.regime);
            true
        });
        for instance in self.slots.iter().flatten() {
            loop {
                let body = status::get(&instance.service, "/status.json").1;
                let status: Value = serde_json::from_str(&body).expect("JSON");
                let troubles = troubles(&status, &conflicts);
                if troubles.is_empty() {
                    break;
                }
                assert!(
                    Instant::now() < end,
                    "{troubles:#?} {:#}",
                    status["problems"]
                );
                // Nothing tells of a change, so it is asked for.
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Waits until every instance has seen all there is, and every fqdn is right, or has been
    /// lost by Rancher.
    fn wait_for_fqdns(&self, desired: &Desired, end: Instant) -> Fqdns {
        let started = self.slots.iter().flatten().map(|i| i.started);
        let since = started.min().expect("an instance");
        let running = self.running();
        let zone = self.route53.edit(&self.zone, |zone| zone.clone());
        let was_shown = |fqdn: &str| {
            let name = format!("{fqdn}.").replace('*', "\\052");
            lock(&self.watcher).had_published(&name, Instant::now())
        };
        let (owner, writes_back) = (self.regime.owner, self.regime.writes_back);
        let mut last = None;
        let mut wrong = Vec::new();
        let left = end.saturating_duration_since(Instant::now());
        self.rancher.wait_until(left, |state| {
            let found = desired.wrong_fqdns(state.world(), &zone, owner, writes_back, was_shown);
            let all_lost = found
                .iter()
                .all(|(service, name)| is_lost(state, since, service, name));
            last = match (found.is_empty(), all_lost) {
                _ if state.polls() < running => None,
                (true, _) => Some(Fqdns::Right),
                (false, true) => Some(Fqdns::Lost),
                (false, false) => None,
            };
            let shown = |(service, name): &(&rancher::Service, String)| {
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

/// What an instance says of itself that it shouldn't when all is right.
fn troubles(status: &Value, conflicts: &RangeInclusive<usize>) -> Vec<String> {
    let mut troubles = Vec::new();
    for (name, dependency) in status["dependencies"].as_object().expect("dependencies") {
        if dependency["state"] == "fails" {
            troubles.push(format!("{name}: {dependency}"));
        }
    }
    for (field, right) in [
        ("deletion_guard", Value::Null),
        ("record_sets_quarantined", 0.into()),
        ("fqdns_waiting", 0.into()),
    ] {
        if status[field] != right {
            troubles.push(format!("{field} is {}, not {right}", status[field]));
        }
    }
    let said = status["record_sets_in_conflict"]
        .as_u64()
        .unwrap_or(u64::MAX);
    if !conflicts.contains(&(said as usize)) {
        troubles.push(format!("{said} conflicts, not {conflicts:?}"));
    }
    troubles
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
