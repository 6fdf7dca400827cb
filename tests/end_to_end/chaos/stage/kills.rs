//! Ends instances, in the worst of moments.

use std::time::{Duration, Instant};

use sim::rancher;
use sim::route53::{Operation, State};

use super::{Instance, PATIENCE, SOON, Stage, the_zone};
use crate::chaos::schedule::Moment;
use crate::chaos::world::{LARGE, MEMBER, MOST_IN_SMALL};

/// How long is waited for it, for a program that has hundreds of services to read and perhaps deletes
/// to hold.
const NOT_SO_SOON: Duration = Duration::from_secs(4);
/// After which the program isn't expected to have a look any more: metadata is down, say.
const NEVER: Duration = Duration::from_secs(8);
/// How often is looked whether it has.
const LOOKS: Duration = Duration::from_millis(20);

impl Stage {
    pub(super) fn kill(&mut self, slot: usize, moment: Moment) {
        let Some(Instance { service, .. }) = &self.slots[slot] else {
            return;
        };
        match moment {
            Moment::Now => {}
            Moment::During(operation) => {
                let is_time = |state: &State| state.in_flight(operation) > 0;
                self.strike(|| service.kill(), SOON, is_time);
            }
            Moment::AfterBatch => self.strike(|| service.kill(), SOON, self.another_batch()),
            Moment::HalfDone if self.crowd_is_complete() => {}
            Moment::HalfDone => self.strike(|| service.kill(), NOT_SO_SOON, is_half_done),
        }
        service.kill();
        let (mut batch, mut listing, mut half_done) = (false, false, false);
        self.route53.wait_until(Duration::ZERO, |state| {
            batch = state.in_flight(Operation::ChangeResourceRecordSets) > 0;
            listing = state.in_flight(Operation::ListResourceRecordSets) > 0;
            half_done = is_half_done(state);
            true
        });
        let in_flight = batch || listing;
        self.tally.kills += 1;
        self.tally.kills_in_flight += usize::from(in_flight);
        self.history
            .note(format_args!("    killed, in flight: {in_flight}"));
        assert!(service.wait(PATIENCE).is_some());
        self.ended
            .extend(self.slots[slot].take().map(|i| i.service));
        // What was in flight may have been the last one, and be done all the same.
        let is_between =
            half_done && (!batch || self.route53.wait_until(Duration::ZERO, is_half_done));
        self.tally.kills_between += usize::from(is_between);
    }

    /// Waits until a part of a large crowd has come, or gone.
    pub(super) fn wait_for_half_a_crowd(&self) {
        if !self.crowd_is_complete() {
            self.strike(|| {}, NOT_SO_SOON, is_half_done);
        }
    }

    /// Strikes when it is time; what makes it time is still so then, under Route 53's lock. If it isn't
    /// in the end, nothing is struck. How fast the machine is hardly matters: `soon` is counted from
    /// when all instances have looked at what there is.
    fn strike(&self, blow: impl Fn(), soon: Duration, is_time: impl Fn(&State) -> bool) {
        let strikes = |state: &State| {
            let strikes = is_time(state);
            if strikes {
                blow();
            }
            strikes
        };
        let end = Instant::now() + NEVER;
        let have_seen = |state: &rancher::State| state.polls() >= self.running();
        while Instant::now() < end && !self.rancher.wait_until(Duration::ZERO, have_seen) {
            if self.route53.wait_until(LOOKS, strikes) {
                return;
            }
        }
        self.route53.wait_until(soon, strikes);
    }

    /// Whether all who are wanted of the crowd are there.
    fn crowd_is_complete(&self) -> bool {
        let world = self.rancher.world();
        let wanted = world.services.iter().filter(|s| s.name.starts_with(MEMBER));
        let wanted = wanted.count();
        let is_complete = |state: &State| crowd(state) == wanted;
        self.route53.wait_until(Duration::ZERO, is_complete)
    }

    pub(super) fn terminate(&mut self, slot: usize) {
        let Some(instance) = self.slots[slot].take() else {
            return;
        };
        instance.service.terminate();
        let status = instance.service.wait(PATIENCE);
        // One that has hardly begun has no handler yet; it dies like any other process.
        let has_begun = !instance.service.log().is_empty();
        self.ended.push(instance.service);
        let code = status.and_then(|status| status.code());
        assert!(code == Some(0) || !has_begun, "after SIGTERM: {status:?}");
        self.tally.terminations += 1;
    }
}

/// How many of the crowd have a record set.
fn crowd(state: &State) -> usize {
    let zone = the_zone(state);
    let sets = zone.record_sets();
    sets.filter(|set| set.name.contains(MEMBER)).count()
}

/// Whether of a large crowd that comes, or goes, a part is there.
fn is_half_done(state: &State) -> bool {
    (MOST_IN_SMALL + 1..LARGE).contains(&crowd(state))
}
