//! One batch of the program, and what is wrong with it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sim::route53::{Action, Change, Fault, Operation, RecordSet, RequestRecord, Written};

use super::Instance;
use super::past::Past;
use crate::chaos::record::{
    Key, Sets, is_simple, is_state, key, listed, listed_elsewhere, notes, others,
};
use crate::chaos::regime::Policy;

/// `DELETE_GUARD_HOLD`, `DELETE_GUARD_MIN` and `DELETE_GUARD_PERCENT`.
const HOLD: Duration = Duration::from_secs(1);
const MIN: usize = 10;
const PERCENT: usize = 30;
/// The least generation: a TTL of the state record.
const LEAST: u32 = 1 << 30;
/// How long a record set may be wanted again and be deleted all the same. Metadata may be out of
/// order meanwhile, and the machine slow.
const LATE: Duration = Duration::from_secs(20);

pub struct Case<'a> {
    written: &'a Written<'a>,
    batch: &'a [Change],
    instance: Instance,
    pub now: Instant,
    was: Sets,
    is: Sets,
    was_listed: BTreeSet<Key>,
    is_listed: BTreeSet<Key>,
    /// What other owners listed.
    pub elsewhere: BTreeSet<Key>,
    made: BTreeSet<Key>,
}

impl<'a> Case<'a> {
    pub fn new(
        written: &'a Written<'a>,
        batch: &'a [Change],
        instance: Instance,
        now: Instant,
    ) -> Case<'a> {
        let owner = instance.regime.owner;
        let made = batch.iter().filter(|c| c.action != Action::Delete);
        Case {
            was: others(written.before),
            is: others(written.after),
            was_listed: listed(written.before, owner),
            is_listed: listed(written.after, owner),
            elsewhere: listed_elsewhere(written.before, owner),
            made: made.map(|change| key(&change.record_set)).collect(),
            written,
            batch,
            instance,
            now,
        }
    }

    pub fn is_state(&self, set: &RecordSet) -> bool {
        self.owners().any(|owner| is_state(set, owner))
    }

    /// Whose state records it may write.
    fn owners(&self) -> impl Iterator<Item = &'static str> {
        let Instance {
            regime, takes_from, ..
        } = self.instance;
        [regime.owner].into_iter().chain(takes_from)
    }

    /// What it takes over that was there already.
    pub fn adopted(&self) -> impl Iterator<Item = &Key> {
        let new = self.is_listed.difference(&self.was_listed);
        new.filter(|key| self.was.contains_key(*key) && self.is.contains_key(*key))
    }

    pub fn wrongs(&self, past: &Past) -> Vec<String> {
        let mut wrongs = Vec::new();
        for change in self.batch {
            let set = &change.record_set;
            let why = match (change.action, self.is_state(set)) {
                (Action::Upsert, _) => vec!["overwrites what it may not have seen"],
                (Action::Delete, true) => vec![],
                (Action::Create, true) => self.of_state_record(set, past),
                (Action::Delete, false) => self.of_delete(set, past),
                (Action::Create, false) => self.of_create(set, past),
            };
            wrongs.extend(why.into_iter().map(|why| format!("{why}: {change}")));
        }
        for key in self.adopted() {
            if !self.may_adopt(key, past) {
                wrongs.push(format!("takes over what is someone else's: {key:?}"));
            }
        }
        let (before, after) = (self.written.before, self.written.after);
        for owner in self.owners() {
            for note in notes(before, owner).difference(&notes(after, owner)) {
                wrongs.push(format!("loses what others wrote in a state record: {note}"));
            }
        }
        wrongs.extend(self.of_claim(past));
        wrongs.extend(self.of_guard(past));
        wrongs
    }

    fn of_state_record(&self, set: &RecordSet, past: &Past) -> Vec<&'static str> {
        let generation = |set: &RecordSet| set.ttl.filter(|ttl| *ttl >= LEAST);
        let old = self
            .written
            .before
            .record_sets()
            .find(|old| key(old) == key(set));
        let next = old.and_then(generation).map(|ttl| match ttl {
            0x7fff_ffff => LEAST,
            ttl => ttl + 1,
        });
        let mut wrong = Vec::new();
        if generation(set).is_none() || next.is_some_and(|next| generation(set) != Some(next)) {
            wrong.push("writes a state record without the next generation");
        }
        if past.was_written(set) {
            wrong.push("writes a state record as it was before");
        }
        wrong
    }

    fn of_delete(&self, set: &RecordSet, past: &Past) -> Vec<&'static str> {
        let (key, policy) = (key(set), self.instance.regime.policy);
        let is_back = self.made.contains(&key);
        let mut wrong = Vec::new();
        if !is_simple(set) || !self.was_listed.contains(&key) && !self.may_adopt(&key, past) {
            wrong.push("deletes what it does not own");
        }
        if past.is_of_another(&key, self.instance.regime.owner) {
            wrong.push("deletes what another owner has made");
        }
        match policy {
            Policy::CreateOnly => wrong.push("changes or deletes, which POLICY forbids"),
            Policy::UpsertOnly if !is_back => wrong.push("deletes, which POLICY forbids"),
            _ => {}
        }
        if is_back {
            return wrong;
        }
        if past.was_desired_all_the_time(&key) {
            wrong.push("deletes what was desired all the time");
        }
        match past.desired_since(&key) {
            // This process has never heard of anything else.
            Some(since) if since < self.instance.started => {
                wrong.push("deletes what was desired as long as it runs");
            }
            Some(since) if self.now - since > LATE => {
                wrong.push("deletes what has been desired again for long");
            }
            _ => {}
        }
        wrong
    }

    /// For how long at most something that it deletes has been desired again.
    pub fn latest_delete(&self, past: &Past) -> Duration {
        let deletes = self.batch.iter().filter(|c| c.action == Action::Delete);
        let keys = deletes.map(|change| key(&change.record_set));
        let keys = keys.filter(|key| !self.made.contains(key));
        let since = keys.filter_map(|key| past.desired_since(&key)).min();
        since.map_or(Duration::ZERO, |since| self.now - since)
    }

    fn of_create(&self, set: &RecordSet, past: &Past) -> Vec<&'static str> {
        let mut wrong = Vec::new();
        if !past.was_desired_like(&key(set), set) {
            wrong.push("publishes what was never desired");
        }
        if !matches!(&*set.rtype, "A" | "AAAA") || !is_simple(set) {
            wrong.push("makes something strange");
        }
        if !self.is_listed.contains(&key(set)) {
            wrong.push("makes what has no entry");
        }
        wrong
    }

    /// Whether `ADOPT` takes it over: what others list is never taken.
    fn may_adopt(&self, key: &Key, past: &Past) -> bool {
        let Instance {
            regime,
            started,
            takes_from,
        } = self.instance;
        if let Some(owner) = takes_from {
            return listed(self.written.before, owner).contains(key) && past.was_desired(key);
        }
        if self.elsewhere.contains(key) && past.is_known_elsewhere(key, regime.owner, started) {
            return false;
        }
        let set = self.was.get(key);
        let takes = |below| set.is_some_and(|set| regime.takes(set, past.was_desired(key), below));
        past.belows().any(takes)
    }

    /// An instance that has listed the state records since another Rancher server keeps them knows
    /// it, and whoever was started since then must have.
    fn of_claim(&self, past: &Past) -> Option<String> {
        let Instance {
            regime, started, ..
        } = self.instance;
        let since = past.kept_by_another(regime.owner)?;
        let has_listed = |request: &RequestRecord| {
            request.operation == Some(Operation::ListResourceRecordSets)
                && request.access_key.as_deref() == self.written.by
                && request.status == 200
                && matches!(request.fault, None | Some(Fault::Delay(_)))
                && request.at > since
                && request.query.contains("name=external-dns-")
        };
        let mut requests = self.written.requests.iter();
        let knows = started > since || requests.any(has_listed);
        knows.then(|| "writes what another Rancher server keeps".to_owned())
    }

    /// Many deletes of what was desired a moment ago.
    fn of_guard(&self, past: &Past) -> Option<String> {
        let Instance {
            regime, started, ..
        } = self.instance;
        let deletes = self.batch.iter().filter(|c| c.action == Action::Delete);
        let deletes = deletes.filter(|change| !self.is_state(&change.record_set));
        let keys = deletes.map(|change| key(&change.record_set));
        let gone: Vec<Key> = keys.filter(|key| !self.made.contains(key)).collect();
        let unlisted = gone.iter().filter(|key| !self.was_listed.contains(*key));
        let unlisted = unlisted.count();
        let is_quick = |key: &&Key| !past.was_undesired(key, HOLD, started);
        let quick = gone.iter().filter(is_quick).count();
        let most = past.most_listed(regime.owner) + unlisted;
        let is_guarded = self.was_listed.len() + unlisted >= MIN;
        (is_guarded && quick * 100 > most * PERCENT)
            .then(|| format!("deletes {quick} of {most} at once, without holding them"))
    }
}
