//! Decides which names are written back to Rancher, and when. Pure: time and chance are arguments.
//!
//! The `fqdn` that metadata shows decides, not what was sent: Rancher accepts an event at once,
//! handles it later, and drops it silently if it doesn't find the service.
//!
//! Somebody else may write another name for the same service: another instance for another zone, or
//! one of the programs that came before. If both wrote whenever they see the other's, they would never
//! come to an end. So a name that was there and is another one now isn't sent again for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::time::{Duration, Instant};

use crate::base::backoff::backoff;
use crate::base::sorted;
use crate::desired::Desired;
use crate::dns::Name;
use crate::rancher::model::ServiceKey;

/// An accepted event that metadata doesn't show is sent again after this time.
const AGAIN: Duration = Duration::from_secs(600);
/// Ceiling of the wait after the first failure.
const BACKOFF: Duration = Duration::from_secs(1);
/// Ceiling of the wait while Rancher's API doesn't work.
const MAX_PAUSE: Duration = Duration::from_secs(30);
/// Timeout of a call: DNS changes wait for it, so it starts short. It doubles with each failure in
/// succession, up to the longest.
const TIMEOUT: Duration = Duration::from_secs(1);
const MAX_TIMEOUT: Duration = Duration::from_secs(4);

/// A name that is in the zone, and that metadata doesn't show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The name.
    pub name: Name,
    /// What metadata shows in its place.
    pub shown: Option<String>,
}

/// The names that are in the zone and that metadata doesn't show.
pub fn missing(desired: &Desired, in_zone: &BTreeSet<Name>) -> BTreeMap<ServiceKey, Missing> {
    let services = desired
        .services
        .iter()
        .filter(|(_, outcome)| !outcome.is_sidekick);
    sorted::map(services.filter_map(|(key, outcome)| {
        // Nearly all names are shown, and that is quicker to see than whether they are in the zone.
        let name = outcome.name.as_ref().ok();
        let name = name.filter(|name| !outcome.shows(name) && in_zone.contains(name))?;
        let missing = Missing {
            name: name.clone(),
            shown: outcome.fqdn.clone(),
        };
        Some((key.clone(), missing))
    }))
}

/// The names that wait to be written back.
#[derive(Debug)]
pub struct WriteBack {
    /// `WRITE_BACK`. If it is false, nothing is ever wanted.
    is_on: bool,
    /// Names that were sent within [`AGAIN`], and that metadata has shown since.
    shown: BTreeMap<ServiceKey, Shown>,
    /// How many of `tasks` and `shown` somebody else writes, too.
    contested: usize,
    tasks: BTreeMap<ServiceKey, Task>,
    /// How many of `tasks` Rancher refuses.
    refused: usize,
    /// The service that was sent last. The search for the next one starts there: with thousands of
    /// tasks, a search from the start would take longer than the call.
    last: Option<ServiceKey>,
    /// No call is made before this time, because the API as a whole didn't work.
    paused_until: Instant,
    /// Calls that failed in succession because the API didn't work.
    failures: u32,
}

#[derive(Debug)]
struct Shown {
    name: Name,
    /// When it was sent. If another one takes its place, it isn't sent again for a while.
    sent: Instant,
    is_contested: bool,
}

#[derive(Debug)]
struct Task {
    name: Name,
    due: Instant,
    /// What metadata shows in its place.
    shown: Option<String>,
    /// When it was last accepted, and what metadata showed then.
    sent: Option<(Instant, Option<String>)>,
    /// The name that this service had before, which we may have sent as well.
    earlier: Option<Name>,
    /// Somebody else writes another name.
    is_contested: bool,
    /// How often Rancher has refused this event.
    refusals: u32,
    /// Rancher's words at the last refusal; none if it has accepted the event since.
    refused: Option<String>,
}

impl WriteBack {
    /// Nothing to write back. `is_on` is `WRITE_BACK`.
    pub fn new(is_on: bool, now: Instant) -> WriteBack {
        WriteBack {
            is_on,
            shown: BTreeMap::new(),
            contested: 0,
            tasks: BTreeMap::new(),
            refused: 0,
            last: None,
            paused_until: now,
            failures: 0,
        }
    }

    /// Takes over what is [`missing`]. A name that was missing before keeps its time, and so does one
    /// that was shown meanwhile and is another now. Any other that is new is due now, and the rest is
    /// forgotten.
    pub fn want(&mut self, missing: BTreeMap<ServiceKey, Missing>, now: Instant) {
        if !self.is_on {
            return;
        }
        let mut known = std::mem::take(&mut self.tasks);
        self.shown.retain(|_, shown| now < shown.sent + AGAIN);
        self.refused = 0;
        for (key, missing) in missing {
            let mut task = Task::new(missing, now);
            if let Some(old) = known.remove(&key) {
                task.go_on(old);
            } else if let Some(old) = self.shown.remove(&key) {
                task.come_back(old);
            }
            self.refused += usize::from(task.refused.is_some());
            self.tasks.insert(key, task);
        }
        for (key, task) in known {
            self.shown
                .extend(task.was_shown(now).map(|shown| (key, shown)));
        }
        let tasks = self.tasks.values().filter(|task| task.is_contested);
        let shown = self.shown.values().filter(|shown| shown.is_contested);
        self.contested = tasks.count() + shown.count();
    }

    /// Whether time alone changes what somebody else is taken to write.
    pub fn is_watching(&self) -> bool {
        !self.shown.is_empty()
    }

    /// The names that somebody else writes over, in words, by service.
    pub fn contested(&self) -> BTreeMap<String, String> {
        if self.contested == 0 {
            return BTreeMap::new();
        }
        let tasks = self.tasks.iter().filter(|(_, task)| task.is_contested);
        let tasks = tasks.map(|(key, task)| (key, &task.name));
        let shown = self.shown.iter().filter(|(_, shown)| shown.is_contested);
        let all = tasks.chain(shown.map(|(key, shown)| (key, &shown.name)));
        let mut contested = BTreeMap::new();
        for (key, name) in all {
            let name = name.without_dot();
            let words = format!(
                "somebody else writes another fqdn than {name}, which is sent at most every 10 \
                 minutes; set WRITE_BACK=false in one of the two"
            );
            contested.insert(key.to_string(), words);
        }
        contested
    }

    /// How many names metadata doesn't show yet.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether metadata shows every name.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Which names Rancher refuses, and why: by service, in words.
    pub fn refusals(&self) -> BTreeMap<String, String> {
        let mut refusals = BTreeMap::new();
        if self.refused == 0 {
            return refusals;
        }
        for (key, task) in &self.tasks {
            if let Some(words) = &task.refused {
                refusals.insert(key.to_string(), words.clone());
            }
        }
        refusals
    }

    /// When the next call is due; none if no name waits.
    pub fn due(&self) -> Option<Instant> {
        self.tasks
            .values()
            .map(|task| task.due)
            .min()
            .map(|due| due.max(self.paused_until))
    }

    /// The next event to send, and the timeout of its call; none if no event is due.
    pub fn next(&self, now: Instant) -> Option<(ServiceKey, Name, Duration)> {
        if now < self.paused_until {
            return None;
        }
        let is_due = |(_, task): &(&ServiceKey, &Task)| task.due <= now;
        let last = self.last.as_ref();
        let behind = (last.map_or(Unbounded, Excluded), Unbounded);
        let before = last.map(|last| self.tasks.range((Unbounded, Included(last))));
        let mut all = self.tasks.range(behind).chain(before.into_iter().flatten());
        let (key, task) = all.find(is_due)?;
        let timeout = TIMEOUT.saturating_mul(2u32.saturating_pow(self.failures));
        Some((key.clone(), task.name.clone(), timeout.min(MAX_TIMEOUT)))
    }

    /// Rancher has accepted the event. Metadata will show whether it has set the `fqdn`.
    pub fn accepted(&mut self, key: &ServiceKey, now: Instant) {
        self.failures = 0;
        self.last = Some(key.clone());
        if let Some(task) = self.tasks.get_mut(key) {
            task.due = now + AGAIN;
            task.sent = Some((now, task.shown.clone()));
            self.refused -= usize::from(task.refused.take().is_some());
        }
    }

    /// Rancher has refused this one event, in these words.
    pub fn refused(&mut self, key: &ServiceKey, words: &str, now: Instant, random: f64) {
        self.failures = 0;
        self.last = Some(key.clone());
        if let Some(task) = self.tasks.get_mut(key) {
            task.due = now + BACKOFF + backoff(task.refusals, BACKOFF, AGAIN, random);
            task.refusals = task.refusals.saturating_add(1);
            self.refused += usize::from(task.refused.is_none());
            task.refused = Some(words.to_owned());
        }
    }

    /// Rancher's API doesn't answer, or refuses every event.
    pub fn unavailable(&mut self, now: Instant, random: f64) {
        self.paused_until = now + backoff(self.failures, BACKOFF, MAX_PAUSE, random);
        self.failures = self.failures.saturating_add(1);
    }
}

impl Task {
    /// A name that is due now.
    fn new(Missing { name, shown }: Missing, now: Instant) -> Task {
        Task {
            name,
            due: now,
            shown,
            sent: None,
            earlier: None,
            is_contested: false,
            refusals: 0,
            refused: None,
        }
    }

    /// It was wanted before, under the same name or another one.
    fn go_on(&mut self, old: Task) {
        if old.name != self.name {
            self.earlier = Some(old.name);
            return;
        }
        self.is_contested = old.is_contested;
        if let (Some(shown), Some((_, before))) = (&self.shown, &old.sent) {
            let is_ours = Name::parse(shown).is_ok_and(|name| Some(name) == old.earlier);
            self.is_contested |= Some(shown) != before.as_ref() && !is_ours;
        }
        (self.due, self.refusals) = (old.due, old.refusals);
        (self.sent, self.earlier, self.refused) = (old.sent, old.earlier, old.refused);
    }

    /// A name was shown, and isn't any more.
    fn come_back(&mut self, old: Shown) {
        if old.name != self.name {
            self.earlier = Some(old.name);
        } else if self.shown.is_some() {
            self.due = old.sent + AGAIN;
            self.sent = Some((old.sent, self.shown.clone()));
            self.is_contested = true;
        }
    }

    /// What remains of it once it isn't missing any more.
    fn was_shown(self, now: Instant) -> Option<Shown> {
        let (sent, _) = self.sent?;
        (now < sent + AGAIN).then_some(Shown {
            name: self.name,
            sent,
            is_contested: self.is_contested,
        })
    }
}

#[cfg(test)]
mod tests;
