//! Decides which names are written back to Rancher, and when. Pure: time and chance are arguments.
//!
//! The `fqdn` that metadata shows decides, not what was sent: Rancher accepts an event at once,
//! handles it later, and drops it silently if it doesn't find the service.

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

/// The names that are in the zone and that metadata doesn't show.
pub fn missing(desired: &Desired, in_zone: &BTreeSet<Name>) -> BTreeMap<ServiceKey, Name> {
    let services = desired
        .services
        .iter()
        .filter(|(_, outcome)| !outcome.is_sidekick);
    sorted::map(services.filter_map(|(key, outcome)| {
        // Nearly all names are shown, and that is quicker to see than whether they are in the zone.
        let name = outcome.name.as_ref().ok();
        let name = name.filter(|name| !outcome.shows(name) && in_zone.contains(name))?;
        Some((key.clone(), name.clone()))
    }))
}

/// The names that wait to be written back.
#[derive(Debug)]
pub struct WriteBack {
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
struct Task {
    name: Name,
    due: Instant,
    /// How often Rancher has refused this event.
    refusals: u32,
    /// Rancher's words at the last refusal; none if it has accepted the event since.
    refused: Option<String>,
}

impl WriteBack {
    /// Nothing to write back.
    pub fn new(now: Instant) -> WriteBack {
        WriteBack {
            tasks: BTreeMap::new(),
            refused: 0,
            last: None,
            paused_until: now,
            failures: 0,
        }
    }

    /// Takes over what is [`missing`]. A name that was missing before keeps its time, a new one is
    /// due now, and any other is forgotten.
    pub fn want(&mut self, missing: BTreeMap<ServiceKey, Name>, now: Instant) {
        let mut known = std::mem::take(&mut self.tasks);
        self.refused = 0;
        for (key, name) in missing {
            let mut task = Task {
                name,
                due: now,
                refusals: 0,
                refused: None,
            };
            if let Some(old) = known.get_mut(&key).filter(|old| old.name == task.name) {
                (task.due, task.refusals) = (old.due, old.refusals);
                task.refused = old.refused.take();
                self.refused += usize::from(task.refused.is_some());
            }
            self.tasks.insert(key, task);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::ServiceOutcome;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn key(service: &str) -> ServiceKey {
        ServiceKey {
            stack: "shop".into(),
            service: service.into(),
        }
    }

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn wanted(services: &[&str]) -> BTreeMap<ServiceKey, Name> {
        services
            .iter()
            .map(|service| (key(service), name(&format!("{service}.z"))))
            .collect()
    }

    #[test]
    fn missing_is_what_is_in_the_zone_and_not_in_metadata() {
        let outcome = |target: &str, fqdn: Option<&str>, is_sidekick| ServiceOutcome {
            name: Ok(name(target)),
            fqdn: fqdn.map(str::to_owned),
            is_sidekick,
            more_names: Vec::new(),
            ttl: None,
            warnings: Vec::new(),
        };
        let desired = Desired {
            services: [
                ("new", outcome("new.z", None, false)),
                ("shown", outcome("shown.z", Some("shown.z"), false)),
                ("dotted", outcome("dotted.z", Some("Dotted.z."), false)),
                ("old", outcome("old.z", Some("other.z"), false)),
                ("odd", outcome("odd.z", Some("odd..z"), false)),
                ("star", outcome("*.a.z", Some("*.a.z"), false)),
                ("escaped", outcome("*.b.z", Some("\\052.b.z."), false)),
                ("other", outcome("*.c.z", Some("*.b.z"), false)),
                ("side", outcome("side.z", None, true)),
                ("conflict", outcome("conflict.z", None, false)),
            ]
            .into_iter()
            .map(|(service, outcome)| (key(service), outcome))
            .collect(),
            ..Desired::default()
        };
        let in_zone = [
            "new.z", "shown.z", "dotted.z", "old.z", "odd.z", "side.z", "*.a.z", "*.b.z", "*.c.z",
        ];
        let in_zone = in_zone.iter().map(|n| name(n)).collect();
        let missing = missing(&desired, &in_zone);
        assert_eq!(
            missing
                .keys()
                .map(|k| k.service.as_str())
                .collect::<Vec<_>>(),
            ["new", "odd", "old", "other"]
        );
    }

    #[test]
    fn an_accepted_event_is_sent_again_after_ten_minutes_unless_metadata_shows_it() {
        let start = Instant::now();
        let mut writeback = WriteBack::new(start);
        writeback.want(wanted(&["a"]), start);
        assert_eq!(writeback.next(start).unwrap().0, key("a"));
        writeback.accepted(&key("a"), start);
        writeback.want(wanted(&["a"]), start + seconds(5));
        assert_eq!(writeback.next(start + seconds(599)), None);
        assert_eq!(writeback.due(), Some(start + seconds(600)));
        assert!(writeback.next(start + seconds(600)).is_some());
        writeback.want(wanted(&[]), start + seconds(601));
        assert_eq!(writeback.due(), None);
    }

    #[test]
    fn another_name_is_sent_at_once() {
        let start = Instant::now();
        let mut writeback = WriteBack::new(start);
        writeback.want(wanted(&["a"]), start);
        writeback.accepted(&key("a"), start);
        writeback.want([(key("a"), name("other.z"))].into(), start);
        assert_eq!(writeback.next(start).unwrap().1, name("other.z"));
    }

    #[test]
    fn one_that_is_refused_does_not_hold_back_the_others() {
        let start = Instant::now();
        let mut writeback = WriteBack::new(start);
        writeback.want(wanted(&["a", "b"]), start);
        writeback.refused(&key("a"), "no", start, 1.0);
        assert_eq!(writeback.next(start).unwrap().0, key("b"));
        writeback.accepted(&key("b"), start);
        let refused = [("shop/a".to_owned(), "no".to_owned())];
        assert_eq!(writeback.refusals(), refused.into());
        assert_eq!(writeback.next(start + seconds(2)).unwrap().0, key("a"));
        writeback.accepted(&key("a"), start + seconds(2));
        assert_eq!(writeback.refusals(), [].into());
    }

    #[test]
    fn a_refusal_is_forgotten_with_the_name_that_was_refused() {
        let start = Instant::now();
        let refused = |again: BTreeMap<ServiceKey, Name>| {
            let mut writeback = WriteBack::new(start);
            writeback.want(wanted(&["a"]), start);
            writeback.refused(&key("a"), "no", start, 1.0);
            writeback.refused(&key("a"), "no", start, 1.0);
            writeback.want(again, start);
            (writeback.refusals().len(), writeback.due())
        };
        assert_eq!(refused(wanted(&["a"])), (1, Some(start + seconds(3))));
        let other = [(key("a"), name("other.z"))].into();
        assert_eq!(refused(other), (0, Some(start)));
        assert_eq!(refused(wanted(&["b"])), (0, Some(start)));
        assert_eq!(refused(wanted(&[])), (0, None));
    }

    #[test]
    fn all_have_their_turn_also_if_the_first_are_refused_and_due_again() {
        let start = Instant::now();
        let mut writeback = WriteBack::new(start);
        writeback.want(wanted(&["a", "b", "c"]), start);
        let mut sent = Vec::new();
        for second in 0..5 {
            let now = start + seconds(10 * second);
            writeback.want(wanted(&["a", "b", "c"]), now);
            let (key, _, _) = writeback.next(now).unwrap();
            match &*key.service {
                "a" => writeback.refused(&key, "no", now, 0.0),
                _ => writeback.accepted(&key, now),
            }
            sent.push(key.service);
        }
        assert_eq!(sent, ["a", "b", "c", "a", "a"]);
        assert_eq!(writeback.next(start + seconds(40)), None);
    }

    #[test]
    fn while_the_api_is_down_it_is_tried_less_and_less_with_more_patience() {
        let start = Instant::now();
        let mut writeback = WriteBack::new(start);
        writeback.want(wanted(&["a", "b"]), start);
        let mut now = start;
        let mut waits = Vec::new();
        let mut timeouts = Vec::new();
        for _ in 0..7 {
            timeouts.push(writeback.next(now).unwrap().2.as_secs());
            writeback.unavailable(now, 1.0);
            waits.push(writeback.due().unwrap().duration_since(now).as_secs());
            now = writeback.due().unwrap();
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(timeouts, [1, 2, 4, 4, 4, 4, 4]);
    }
}
