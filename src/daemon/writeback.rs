//! Decides which names are written back to Rancher, and when. Pure: time and chance are arguments.
//!
//! The `fqdn` that metadata shows decides, not what was sent: Rancher accepts an event at once,
//! handles it later, and drops it silently if it doesn't find the service.
//!
//! Somebody else may write another name for the same service: another instance for another zone, or
//! one of the programs that came before. If both wrote whenever they see the other's, they would never
//! come to an end. So a name that was there and is another one now isn't sent again for a while.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::base::backoff::backoff;
use crate::base::sorted;
use crate::desired::Desired;
use crate::dns::{Member, Name};
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

/// The names that are in the zone and that metadata doesn't show, sorted by service.
pub fn missing(desired: &Desired, in_zone: &BTreeSet<Member>) -> Vec<(ServiceKey, Missing)> {
    let services = desired
        .services
        .iter()
        .filter(|(_, outcome)| !outcome.is_sidekick);
    let missing = services.filter_map(|(key, outcome)| {
        // Nearly all names are shown, and that is quicker to see than whether they are in the zone.
        let name = outcome.name.as_ref().ok();
        let is_in_zone = |name| in_zone.contains(&outcome.member(name));
        let name = name.filter(|name| !outcome.shows(name) && is_in_zone(name))?;
        let missing = Missing {
            name: name.clone(),
            shown: outcome.fqdn.clone(),
        };
        Some((key.clone(), missing))
    });
    missing.collect()
}

/// The names that wait to be written back.
#[derive(Debug)]
pub struct WriteBack {
    /// `WRITE_BACK`. If it is false, nothing is ever wanted.
    is_on: bool,
    /// Sorted by service: a list takes a tenth of the machine code of a map.
    tasks: Vec<(ServiceKey, Task)>,
    /// How many of `tasks` are missing.
    missing: usize,
    /// How many of `tasks` Rancher refuses.
    refused: usize,
    /// How many of `tasks` somebody else writes, too.
    contested: usize,
    /// The service that was sent last. The search for the next one starts there: with thousands of
    /// tasks, a search from the start would take longer than the call.
    last: Option<ServiceKey>,
    /// No call is made before this time, because the API as a whole didn't work.
    paused_until: Instant,
    /// Calls that failed in succession because the API didn't work.
    failures: u32,
}

#[derive(Debug)]
struct Task {
    name: Name,
    due: Instant,
    /// Metadata doesn't show it. If it does, the task is kept for a while after it was sent: should
    /// another one take its place, it isn't sent again at once.
    is_missing: bool,
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
            tasks: Vec::new(),
            missing: 0,
            refused: 0,
            contested: 0,
            last: None,
            paused_until: now,
            failures: 0,
        }
    }

    /// Takes over what is [`missing`]. A name that was missing before keeps its time, and so does one
    /// that was shown meanwhile and is another now. Any other that is new is due now, and the rest is
    /// forgotten.
    pub fn want(&mut self, missing: Vec<(ServiceKey, Missing)>, now: Instant) {
        if !self.is_on {
            return;
        }
        let mut known = std::mem::take(&mut self.tasks).into_iter().peekable();
        let mut missing = missing.into_iter().peekable();
        let mut overwritten = Vec::new();
        loop {
            let order = match (known.peek(), missing.peek()) {
                (Some((known, _)), Some((missing, _))) => known.cmp(missing),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => break,
            };
            let old = known.next_if(|_| order.is_le());
            let new = missing.next_if(|_| order.is_ge());
            let task = match (old, new) {
                (old, Some((key, missing))) => {
                    let mut task = Task::new(missing, now);
                    if old.is_some_and(|(_, old)| task.go_on(old, now)) {
                        overwritten.push(self.tasks.len());
                    }
                    Some((key, task))
                }
                (Some((key, old)), None) => old.once_shown(now).map(|task| (key, task)),
                (None, None) => None,
            };
            self.tasks.extend(task);
        }
        self.take_back_ours(&overwritten, now);
        let count = |is_it: fn(&Task) -> bool| {
            let tasks = self.tasks.iter();
            tasks.filter(|(_, task)| is_it(task)).count()
        };
        self.missing = count(|task| task.is_missing);
        self.refused = count(|task| task.refused.is_some());
        self.contested = count(|task| task.is_contested);
    }

    /// Sends at once what was taken for somebody else's write, where what is shown is one of our own
    /// names: services swap names, or get their old ones back.
    fn take_back_ours(&mut self, overwritten: &[usize], now: Instant) {
        let mut ours = Vec::new();
        if !overwritten.is_empty() {
            for (_, task) in &self.tasks {
                sorted::add(&mut ours, &task.name);
            }
        }
        for place in overwritten {
            let task = &mut self.tasks[*place].1;
            if task
                .shown_name()
                .is_some_and(|name| ours.binary_search(&name).is_ok())
            {
                (task.due, task.sent, task.is_contested) = (now, None, false);
            }
        }
    }

    /// Whether time alone changes what somebody else is taken to write.
    pub fn is_watching(&self) -> bool {
        self.tasks.len() > self.missing
    }

    /// The names that somebody else writes over, in words, by service.
    pub fn contested(&self) -> BTreeMap<String, String> {
        let mut contested = BTreeMap::new();
        if self.contested == 0 {
            return contested;
        }
        for (key, task) in self.tasks.iter().filter(|(_, task)| task.is_contested) {
            let name = task.name.without_dot();
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
        self.missing
    }

    /// Whether metadata shows every name.
    pub fn is_empty(&self) -> bool {
        self.missing == 0
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
        let missing = self.tasks.iter().filter(|(_, task)| task.is_missing);
        missing
            .map(|(_, task)| task.due)
            .min()
            .map(|due| due.max(self.paused_until))
    }

    /// The next event to send, and the timeout of its call; none if no event is due.
    pub fn next(&self, now: Instant) -> Option<(ServiceKey, Name, Duration)> {
        if now < self.paused_until {
            return None;
        }
        let is_due = |(_, task): &&(ServiceKey, Task)| task.is_missing && task.due <= now;
        let is_before = |(key, _): &(ServiceKey, Task)| self.last.as_ref() >= Some(key);
        let (before, behind) = self.tasks.split_at(self.tasks.partition_point(is_before));
        let (key, task) = behind.iter().chain(before).find(is_due)?;
        let timeout = TIMEOUT.saturating_mul(2u32.saturating_pow(self.failures));
        Some((key.clone(), task.name.clone(), timeout.min(MAX_TIMEOUT)))
    }

    /// Rancher has accepted the event. Metadata will show whether it has set the `fqdn`.
    pub fn accepted(&mut self, key: &ServiceKey, now: Instant) {
        self.failures = 0;
        self.last = Some(key.clone());
        if let Some(task) = self.task(key) {
            task.due = now + AGAIN;
            task.sent = Some((now, task.shown.clone()));
            let was_refused = task.refused.take().is_some();
            self.refused -= usize::from(was_refused);
        }
    }

    /// Rancher has refused this one event, in these words.
    pub fn refused(&mut self, key: &ServiceKey, words: &str, now: Instant, random: f64) {
        self.failures = 0;
        self.last = Some(key.clone());
        if let Some(task) = self.task(key) {
            task.due = now + BACKOFF + backoff(task.refusals, BACKOFF, AGAIN, random);
            task.refusals = task.refusals.saturating_add(1);
            let is_first = task.refused.replace(words.to_owned()).is_none();
            self.refused += usize::from(is_first);
        }
    }

    fn task(&mut self, key: &ServiceKey) -> Option<&mut Task> {
        let found = self.tasks.binary_search_by(|(known, _)| known.cmp(key));
        Some(&mut self.tasks[found.ok()?].1)
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
            is_missing: true,
            shown,
            sent: None,
            earlier: None,
            is_contested: false,
            refusals: 0,
            refused: None,
        }
    }

    /// The service was known before, with the same name or another one. True if its name was shown, and
    /// another one has taken its place.
    fn go_on(&mut self, old: Task, now: Instant) -> bool {
        let is_earlier = old.earlier.is_some() && self.shown_name() == old.earlier;
        if old.name != self.name {
            self.earlier = Some(old.name);
            return false;
        }
        if old.is_missing {
            self.is_contested = old.is_contested;
            if let (Some(shown), Some((_, before))) = (&self.shown, &old.sent) {
                self.is_contested |= Some(shown) != before.as_ref() && !is_earlier;
            }
            (self.due, self.refusals) = (old.due, old.refusals);
            (self.sent, self.earlier, self.refused) = (old.sent, old.earlier, old.refused);
            return false;
        }
        self.earlier = old.earlier;
        match (&self.shown, old.sent) {
            (Some(shown), Some((sent, _))) if now < sent + AGAIN && !is_earlier => {
                self.due = sent + AGAIN;
                self.sent = Some((sent, Some(shown.clone())));
                self.is_contested = true;
            }
            _ => {}
        }
        self.is_contested
    }

    /// What metadata shows in the place of our name, if it is a name.
    fn shown_name(&self) -> Option<Name> {
        Name::parse(self.shown.as_deref()?).ok()
    }

    /// What remains of it if it isn't missing any more.
    fn once_shown(mut self, now: Instant) -> Option<Task> {
        let (sent, _) = self.sent.as_ref()?;
        let is_kept = now < *sent + AGAIN;
        (self.is_missing, self.refused) = (false, None);
        is_kept.then_some(self)
    }
}

#[cfg(test)]
mod tests;
