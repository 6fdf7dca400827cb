//! The state of each service, and the reason for it in words.

use std::borrow::Cow;

use crate::base::dependency::{Condition, Dependency};
use crate::desired::warning::Warning;
use crate::desired::{ServiceOutcome, truncation_notice};
use crate::dns::{Name, RecordKey, RecordSet};
use crate::observe::status::{Status, shown};
use crate::plan::Conflict;
use crate::rancher::model::ServiceKey;

/// The state of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// Its record sets are owned, and in the zone as desired.
    Published,
    /// Its record sets aren't in the zone as desired yet.
    Waiting,
    /// A record set that isn't ours is in the place of one of its record sets.
    Conflict,
    /// Route 53 refuses one of its record sets.
    Quarantined,
    /// It isn't published; the skip reason says why.
    Skipped,
}

impl ServiceState {
    /// All of them, in the order of their numbers.
    pub const ALL: [ServiceState; 5] = [
        ServiceState::Published,
        ServiceState::Waiting,
        ServiceState::Conflict,
        ServiceState::Quarantined,
        ServiceState::Skipped,
    ];

    /// A word for programs.
    pub fn word(self) -> &'static str {
        match self {
            ServiceState::Published => "published",
            ServiceState::Waiting => "waiting",
            ServiceState::Conflict => "conflict",
            ServiceState::Quarantined => "quarantined",
            ServiceState::Skipped => "skipped",
        }
    }

    /// The words on the page for people.
    pub fn shown(self) -> &'static str {
        match self {
            ServiceState::Skipped => "not published",
            state => state.class(),
        }
    }

    /// The name of its class on the page, and of the place where links to it lead.
    pub fn class(self) -> &'static str {
        match self {
            ServiceState::Quarantined => "refused",
            state => state.word(),
        }
    }
}

/// What is known of all services together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many services are in each state, in the order of [`ServiceState::ALL`].
    pub counts: [usize; ServiceState::ALL.len()],
    /// The services that somebody should look at, the worst first.
    pub first: Vec<ServiceKey>,
}

/// How many ranks there are.
const RANKS: usize = 5;

/// How far before others a service stands on the page; none if nothing is odd about it.
pub fn rank(outcome: &ServiceOutcome, state: ServiceState) -> Option<usize> {
    match state {
        ServiceState::Conflict => Some(0),
        ServiceState::Quarantined => Some(1),
        ServiceState::Waiting => Some(2),
        _ if !outcome.warnings.is_empty() => Some(3),
        _ => outcome.skipped_containers.is_some().then_some(4),
    }
}

impl Status {
    /// The record sets that are desired for a name, of whatever type and set identifier.
    pub fn record_sets(&self, name: &Name) -> impl Iterator<Item = &RecordSet> {
        self.desired.of_name(name)
    }

    /// What the record sets of a name answer, each once: addresses, or where an alias or a CNAME leads
    /// to; then routing policies and health checks.
    pub fn answers(&self, name: &Name) -> Vec<Cow<'_, str>> {
        let mut answers: Vec<Cow<'_, str>> = Vec::new();
        let mut rest: Vec<Cow<'_, str>> = Vec::new();
        for set in self.record_sets(name) {
            answers.extend(
                set.in_order()
                    .into_iter()
                    .map(|value| value.as_str().into()),
            );
            let target = set.alias().map(|_| Cow::from(set.answers()));
            for part in target.into_iter().chain(set.extras().map(Cow::from)) {
                if !rest.contains(&part) {
                    rest.push(part);
                }
            }
        }
        answers.extend(rest);
        answers
    }

    /// Whether the zone has record sets of ours under a name, and nothing of somebody else's in the
    /// place of another one.
    pub fn is_ours(&self, name: &Name) -> bool {
        let mut sets = self.record_sets(name);
        self.in_zone.contains(name) && sets.all(|set| self.conflict(&set.key).is_none())
    }

    /// Why a desired record set is left alone; none if it isn't.
    fn conflict(&self, key: &RecordKey) -> Option<&Conflict> {
        let conflicts = &self.conflicts;
        let found = conflicts.binary_search_by(|conflict| conflict.key.cmp(key));
        Some(&conflicts[found.ok()?])
    }

    /// Route 53's words if it refuses a record set.
    fn refusal(&self, key: &RecordKey) -> Option<&str> {
        let cases = &self.quarantined;
        let found = cases.binary_search_by(|case| case.key.cmp(key));
        Some(&cases[found.ok()?].words)
    }

    /// The state of a service.
    pub fn state(&self, outcome: &ServiceOutcome) -> ServiceState {
        if outcome.name.is_err() {
            return ServiceState::Skipped;
        }
        let mut state = ServiceState::Published;
        for name in outcome.names() {
            let is_right = self.in_zone.contains(name) && !self.outdated.contains(name);
            if !is_right && state == ServiceState::Published {
                state = ServiceState::Waiting;
            }
            for RecordSet { key, .. } in self.record_sets(name) {
                if self.conflict(key).is_some() {
                    return ServiceState::Conflict;
                }
                if self.refusal(key).is_some() {
                    state = ServiceState::Quarantined;
                }
            }
        }
        state
    }

    /// How many services are in each state, in the order of [`ServiceState::ALL`].
    pub fn states(&self) -> [usize; ServiceState::ALL.len()] {
        let mut counts = [0; ServiceState::ALL.len()];
        for outcome in self.desired.services.values() {
            counts[self.state(outcome) as usize] += 1;
        }
        counts
    }

    /// The states of all services, and which of these come first on the page.
    pub fn survey(&self) -> Survey {
        let mut counts = [0; ServiceState::ALL.len()];
        let mut by_rank: [Vec<ServiceKey>; RANKS] = Default::default();
        for (key, outcome) in &self.desired.services {
            let state = self.state(outcome);
            counts[state as usize] += 1;
            if let Some(rank) = rank(outcome, state) {
                by_rank[rank].push(key.clone());
            }
        }
        let first = by_rank.concat();
        Survey { counts, first }
    }

    /// The reason for a service's state, and warnings; empty if there is nothing to say.
    pub fn reason(&self, outcome: &ServiceOutcome, state: ServiceState) -> String {
        let mut reason = Vec::new();
        match &outcome.name {
            Err(skip) => reason.push(skip.to_string()),
            Ok(name) => {
                for other in outcome.names() {
                    self.reasons_of_name(other, other == name, &mut reason);
                }
                let is_left = |name| self.in_zone.contains(name) && self.outdated.contains(name);
                match state {
                    ServiceState::Waiting
                        if self.is_create_only && outcome.names().any(is_left) =>
                    {
                        let words = "the zone keeps other values: POLICY=create-only";
                        reason.push(words.to_owned());
                    }
                    ServiceState::Waiting if self.rounds_fail() => {
                        reason.push("not in the zone yet: the last round failed".to_owned());
                    }
                    ServiceState::Waiting => reason.push("not in the zone yet".to_owned()),
                    ServiceState::Published
                        if self.writes_back && !outcome.is_sidekick && !outcome.shows(name) =>
                    {
                        reason.push("Rancher doesn't show the name yet".to_owned());
                    }
                    _ => {}
                }
            }
        }
        let skipped = outcome.skipped_containers.iter();
        reason.extend(skipped.map(|skipped| skipped.to_string()));
        reason.extend(outcome.warnings.iter().map(Warning::to_string));
        reason.join("; ")
    }

    /// Adds why the record sets of a name aren't as desired. That it is another name than the
    /// service's `fqdn` is said.
    fn reasons_of_name(&self, name: &Name, is_fqdn: bool, reasons: &mut Vec<String>) {
        for RecordSet { key, .. } in self.record_sets(name) {
            let what = match is_fqdn {
                true => key.kind(),
                false => format!("{} {}", name.without_dot(), key.kind()),
            };
            if let Some(Conflict { reason, found, .. }) = self.conflict(key) {
                let found = found.as_ref().map(|found| {
                    let (kind, values) = (found.key.kind(), shown(found));
                    format!("the zone has {kind} {values}; ")
                });
                let found = found.unwrap_or_default();
                reasons.push(format!("{what}: {found}{reason}"));
            }
            if let Some(words) = self.refusal(key) {
                reasons.push(format!("{what}: Route 53 refuses it: {words}"));
            }
            if let Some(count) = self.desired.truncated.get(key).filter(|_| is_fqdn) {
                reasons.push(truncation_notice(*count));
            }
        }
    }

    fn rounds_fail(&self) -> bool {
        self.health(Dependency::Rounds).condition == Condition::Fails
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::desired::Desired;
    use crate::dns::RecordType;
    use crate::observe::status::tests::{empty, page, set};
    use crate::plan::ConflictReason;
    use crate::plan::quarantine::Quarantined;

    /// A service with the names `web`, `a` and `www`, of which these are in the zone.
    fn status(in_zone: &[&str]) -> Status {
        let name = |text: &str| Name::parse(&format!("{text}.example.com")).unwrap();
        let mut status = empty();
        let mut desired = Desired::default();
        for label in ["web", "a", "www"] {
            let set = set(
                &format!("{label}.example.com"),
                RecordType::A,
                &["192.0.2.1"],
            );
            desired.record_sets.insert(set.key.clone(), set);
        }
        let key = ServiceKey {
            stack: "shop".to_owned(),
            service: "web".to_owned(),
        };
        let mut outcome = ServiceOutcome::new(Ok(name("web")));
        outcome.more_names = vec![name("a"), name("www")];
        outcome.fqdn = Some("web.example.com".to_owned());
        desired.services.insert(key, outcome);
        status.desired = desired.into();
        status.in_zone = Arc::new(in_zone.iter().map(|label| name(label)).collect());
        status
    }

    fn found(status: &Status) -> (ServiceState, String) {
        let outcome = status.desired.services.values().next().unwrap();
        let state = status.state(outcome);
        (state, status.reason(outcome, state))
    }

    #[test]
    fn a_service_is_published_once_all_its_names_are() {
        let all = status(&["web", "a", "www"]);
        assert_eq!(found(&all), (ServiceState::Published, String::new()));
        for some in [&["web", "a"][..], &["a", "www"], &[]] {
            let (state, reason) = found(&status(some));
            assert_eq!(state, ServiceState::Waiting, "{some:?}");
            assert_eq!(reason, "not in the zone yet");
        }
    }

    #[test]
    fn what_is_in_the_way_of_another_name_says_of_which() {
        let key = set("www.example.com", RecordType::A, &["192.0.2.1"]).key;
        let mut taken = status(&["web", "a"]);
        taken.conflicts = Arc::new(vec![Conflict {
            key: key.clone(),
            reason: ConflictReason::Cname,
            found: None,
        }]);
        let (state, reason) = found(&taken);
        assert_eq!(state, ServiceState::Conflict);
        assert_eq!(
            reason,
            format!("www.example.com A: {}", ConflictReason::Cname)
        );

        let mut refused = status(&["web", "a"]);
        refused.quarantined = Arc::new(vec![Quarantined {
            key,
            words: "no".to_owned(),
        }]);
        let (state, reason) = found(&refused);
        assert_eq!(state, ServiceState::Quarantined);
        assert_eq!(reason, "www.example.com A: Route 53 refuses it: no");
    }

    #[test]
    fn a_name_that_rancher_is_not_told_is_not_waited_for() {
        let mut other = status(&["web", "a", "www"]);
        let desired = Arc::make_mut(&mut other.desired);
        desired.services.values_mut().for_each(|o| o.fqdn = None);
        assert_eq!(found(&other).1, "Rancher doesn't show the name yet");
        other.writes_back = false;
        assert_eq!(found(&other).1, "");
    }

    #[test]
    fn the_pages_show_all_names() {
        let status = status(&["web", "a", "www"]);
        let html = page("/status", &status).1;
        let expected = "<a href=\"http://web.example.com/\">web.<wbr>example.<wbr>com</a><br>\n\
                        <a href=\"http://a.example.com/\">a.<wbr>example.<wbr>com</a><br>\n\
                        <a href=\"http://www.example.com/\">www.<wbr>example.<wbr>com</a>";
        assert!(html.contains(expected), "{html}");
        let json: serde_json::Value =
            serde_json::from_str(&page("/status.json", &status).1).unwrap();
        let more = &json["services"][0]["more_names"];
        assert_eq!(
            *more,
            serde_json::json!(["a.example.com", "www.example.com"])
        );
    }
}
