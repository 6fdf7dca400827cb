//! What users, other people and operators do on a stage.

use std::time::{Duration, Instant};

use sim::lock::lock;
use sim::route53::{Credential, Fault, Operation, RecordSet, Zone};
use sim::service::{self, Service, environment};

use super::{Instance, PATIENCE, SILENT, Stage};
use crate::chaos::denial::Denial;
use crate::chaos::invariants::desired;
use crate::chaos::outside_edits::Edit;
use crate::chaos::record::{DOMAIN, keeper};
use crate::chaos::regime::Regime;
use crate::chaos::schedule::{Anew, Moment};
use crate::chaos::world::{Deed, name_crowd};

impl Stage {
    pub(super) fn deed(&self, deed: &Deed) {
        let publishing = &self.regime.publishing;
        self.rancher.change(|world| {
            deed.apply(world, publishing);
            lock(&self.watcher).is_desired(desired(world, publishing));
        });
    }

    pub(super) fn edit(&mut self, edit: &Edit) {
        self.tally.claims += usize::from(matches!(edit, Edit::Claim(_)));
        // Noted under the lock, so that the history has it where it belongs.
        let owner = self.regime.owner;
        self.route53
            .edit(&self.zone, |zone| match edit.apply(zone, owner) {
                Ok(changes) => {
                    for change in changes {
                        self.history.note(format_args!("    by hand: {change}"));
                    }
                }
                Err(why) => self.history.note(format_args!("    not possible: {why:?}")),
            });
    }

    pub(super) fn start(&mut self, slot: usize) {
        if self.slots[slot].is_some() {
            return;
        }
        let service = self.spawn(&[], None);
        self.slots[slot] = Some(Instance {
            service,
            started: Instant::now(),
        });
    }

    /// Starts the program. Each time it has a key of its own, by which its batches are known.
    fn spawn(&mut self, arguments: &[&str], takes_from: Option<&'static str>) -> Service {
        self.started += 1;
        let key = access_key(self.started);
        lock(&self.watcher).starts(&key, self.regime, takes_from);
        self.route53.rotate_credentials(self.credentials());
        let mut environment = environment(&self.rancher, &self.route53.url(), DOMAIN);
        environment.retain(|(name, _)| *name != "AWS_ACCESS_KEY_ID");
        environment.push(("AWS_ACCESS_KEY_ID", key));
        environment.extend(self.settings.iter().cloned());
        environment.extend(self.regime.settings());
        if !self.regime.writes_back {
            environment.retain(|(name, _)| *name != "CATTLE_ACCESS_KEY");
            environment.push(("CATTLE_ACCESS_KEY", SILENT.to_owned()));
        }
        let program = service::program(env!("CARGO_BIN_EXE_rancher-route53"));
        Service::spawn(&program, arguments, &environment)
    }

    fn credentials(&self) -> Vec<Credential> {
        let secret = Credential::default().secret_key;
        let all = (1..=self.started).map(|number| {
            let credential = Credential::new(&access_key(number), &secret);
            match &self.denial {
                Some(denial) => denial.of(credential),
                None => credential,
            }
        });
        all.collect()
    }

    pub(super) fn deny(&mut self, denial: Option<Denial>) {
        self.denial = denial;
        self.route53.rotate_credentials(self.credentials());
    }

    /// Ends all instances and starts one with other settings.
    pub(super) fn restart_with(&mut self, regime: Regime, is_killed: bool, takes_over: bool) {
        for slot in 0..self.slots.len() {
            match is_killed {
                true => self.kill(slot, Moment::Now),
                false => self.terminate(slot),
            }
        }
        // What comes in late is judged by the settings of before, but a look of the next instance
        // may miss it, and where nobody else is at work nothing makes it look again.
        self.route53.wait_until(PATIENCE, |state| {
            state.in_flight(Operation::ChangeResourceRecordSets) == 0
        });
        let owner = self.regime.owner;
        self.regime = regime;
        self.tally.regimes += 1;
        self.tally.owners += usize::from(regime.owner != owner);
        self.rancher.change(|world| {
            name_crowd(world, &regime.publishing);
            lock(&self.watcher).is_desired(desired(world, &regime.publishing));
        });
        if takes_over && regime.owner != owner {
            // It may fail, since much else goes wrong; what it has done by then stays.
            let adopt = self.spawn(
                &["adopt", "--owner", owner, "--yes", "--deletes=1000000"],
                Some(owner),
            );
            let status = adopt.wait(PATIENCE);
            self.history.note(format_args!("    adopt: {status:?}"));
            assert!(status.is_some_and(|status| status.code().is_some()));
            self.ended.push(adopt);
        }
        self.start(0);
    }

    /// Somebody makes the zone anew, under another id.
    pub(super) fn make_anew(&mut self, anew: Anew) {
        self.tally.zones += 1;
        let id = format!("Z0ANEW{}", self.tally.zones);
        let is_left = |set: &RecordSet| match anew {
            Anew::Nothing => false,
            Anew::All => true,
            Anew::AllButStateRecords => keeper(set).is_none(),
        };
        self.route53.replace_zone(&self.zone, |old| {
            let mut zone = Zone::new(DOMAIN).with_id(&id);
            for set in old.record_sets().filter(|set| is_left(set)) {
                zone.put(set.clone());
            }
            lock(&self.watcher).is_made_anew(&zone);
            zone
        });
        self.zone = id;
    }

    /// Route 53 throttles in the middle of a long plan, and meanwhile something else is wanted.
    pub(super) fn throttle(&mut self, deed: &Deed, times: usize, then: &Deed) {
        self.deed(deed);
        if self.denial.is_none() {
            self.wait_for_half_a_crowd();
        }
        let operation = Some(Operation::ChangeResourceRecordSets);
        self.route53.inject(operation, Fault::Throttle, times);
        self.tally.throttles += 1;
        std::thread::sleep(Duration::from_millis(100));
        self.deed(then);
    }
}

fn access_key(number: usize) -> String {
    format!("AKIDCHAOS{number}")
}
