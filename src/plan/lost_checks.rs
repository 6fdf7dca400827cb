//! Health checks that the account doesn't have any more, although record sets of ours have their ids:
//! somebody has attached them, and deleted them later. Pure.
//!
//! A record set keeps such a check when its values change. Route 53 takes the old record set's DELETE,
//! which repeats the id, and refuses the new one's CREATE: the values would stay outdated until somebody
//! removes the id by hand. So it goes with the next change.

use std::collections::{BTreeMap, BTreeSet};

use super::Plan;
use super::quarantine::mentions::mentions_health_check;
use crate::dns::{ChangeBatch, RecordKey, RecordSet, SharedText};

/// The ids of these health checks. Ids are never given again.
#[derive(Debug, Default)]
pub struct LostChecks(Vec<SharedText>);

impl LostChecks {
    /// Takes in that Route 53 has refused a batch for a health check that isn't there. Returns the ids in
    /// its messages that no service asks for and that weren't known: without these, the batch can be
    /// tried again.
    pub fn learn(
        &mut self,
        batch: &ChangeBatch,
        messages: &[String],
        desired: &BTreeMap<RecordKey, RecordSet>,
    ) -> Vec<SharedText> {
        let known = self.0.len();
        for set in &batch.creates {
            if let Some(id) = &set.health_check
                && messages.iter().any(|m| mentions_health_check(m, id))
                && !asks(desired, set)
            {
                add(&mut self.0, id);
            }
        }
        self.0[known..].to_vec()
    }

    /// The same for some record sets of a batch, of which one is bad, where the message names no health
    /// check: theirs, if they have a single one and no service asks for it.
    pub fn learn_unnamed(
        &mut self,
        batch: &ChangeBatch,
        bad: &BTreeSet<RecordKey>,
        desired: &BTreeMap<RecordKey, RecordSet>,
    ) -> Vec<SharedText> {
        let known = self.0.len();
        let mut single = None;
        for set in batch.creates.iter().filter(|set| bad.contains(&set.key)) {
            let Some(id) = &set.health_check else {
                continue;
            };
            if asks(desired, set) || single.is_some_and(|single| single != id) {
                return Vec::new();
            }
            single = Some(id);
        }
        if let Some(id) = single {
            add(&mut self.0, id);
        }
        self.0[known..].to_vec()
    }

    /// Leaves them out of what a plan writes, but where a service asks for one: that is said to be
    /// refused.
    pub fn leave_out_of(&self, plan: &mut Plan, desired: &BTreeMap<RecordKey, RecordSet>) {
        if self.0.is_empty() {
            return;
        }
        let changed = plan.changes.iter_mut().map(|change| &mut change.to);
        let replaced = plan.replacements.iter_mut();
        let replaced = replaced.flat_map(|replacement| &mut replacement.creates);
        for set in changed.chain(replaced) {
            if !asks(desired, set) {
                set.health_check.take_if(|id| self.0.contains(id));
            }
        }
    }
}

fn add(ids: &mut Vec<SharedText>, id: &SharedText) {
    if !ids.contains(id) {
        ids.push(id.clone());
    }
}

/// Whether a service asks for the health check of a record set.
fn asks(desired: &BTreeMap<RecordKey, RecordSet>, set: &RecordSet) -> bool {
    let wanted = desired.get(&set.key);
    wanted.is_some_and(|wanted| wanted.health_check.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Name, RecordType};
    use crate::plan::{Change, Replacement};

    const LOST: &str = "A health check with id lost does not exist.";
    const UNNAMED: &str = "No health check exists with the specified ID.";

    fn set(label: &str, health_check: Option<&str>) -> RecordSet {
        let name = Name::parse(&format!("{label}.example.com")).unwrap();
        let key = RecordKey::new(name, RecordType::A);
        let mut set = RecordSet::of_values(key, 300, ["192.0.2.1".to_owned()].into());
        set.health_check = health_check.map(Into::into);
        set
    }

    fn desired(sets: &[RecordSet]) -> BTreeMap<RecordKey, RecordSet> {
        let sets = sets.iter().map(|set| (set.key.clone(), set.clone()));
        sets.collect()
    }

    #[test]
    fn one_is_lost_if_it_is_named_and_nobody_asks_for_it() {
        let batch = ChangeBatch {
            deletes: vec![],
            creates: ["kept", "asked"]
                .map(|label| set(label, Some("lost")))
                .to_vec(),
        };
        let only = |label: &str| ChangeBatch {
            creates: vec![set(label, Some("lost"))],
            ..batch.clone()
        };
        let wanted = desired(&[set("kept", None), set("asked", Some("lost"))]);
        for (batch, message, is_lost) in [
            (&batch, LOST, true),
            (&only("kept"), LOST, true),
            (&only("asked"), LOST, false),
            (
                &batch,
                "The specified health check does not exist: lost",
                true,
            ),
            (
                &batch,
                "A health check with id lost-2 does not exist.",
                false,
            ),
            (&batch, "The record set lost does not exist.", false),
            (&batch, UNNAMED, false),
        ] {
            let mut checks = LostChecks::default();
            let mut learn = || checks.learn(batch, &[message.to_owned()], &wanted);
            let expected: &[SharedText] = if is_lost { &["lost".into()] } else { &[] };
            assert_eq!(learn(), expected, "{message}");
            // It is tried again without it once only.
            assert_eq!(learn(), [], "{message}");
        }
    }

    #[test]
    fn where_none_is_named_the_single_one_is_lost() {
        let sets = [
            set("a", Some("one")),
            set("b", Some("one")),
            set("c", Some("two")),
            set("asked", Some("one")),
            set("none", None),
        ];
        let wanted = desired(&[set("asked", Some("one"))]);
        let batch = ChangeBatch {
            deletes: vec![],
            creates: sets.to_vec(),
        };
        for (bad, expected) in [
            (&["a"][..], &["one"][..]),
            (&["a", "b", "none"], &["one"]),
            (&["a", "c"], &[]),
            (&["asked"], &[]),
            (&["a", "asked"], &[]),
            (&["none"], &[]),
            (&[], &[]),
        ] {
            let keys = bad.iter().map(|label| set(label, None).key).collect();
            let mut checks = LostChecks::default();
            let found = checks.learn_unnamed(&batch, &keys, &wanted);
            let expected: Vec<SharedText> = expected.iter().map(|id| (*id).into()).collect();
            assert_eq!(found, expected, "{bad:?}");
            assert_eq!(checks.learn_unnamed(&batch, &keys, &wanted), [], "{bad:?}");
        }
    }

    #[test]
    fn what_is_lost_is_left_out_of_what_is_written() {
        let mut checks = LostChecks::default();
        let wanted = desired(&[set("a", None), set("b", None), set("asked", Some("lost"))]);
        let change = |label: &str, id: &str| Change {
            from: set(label, Some(id)),
            to: set(label, Some(id)),
        };
        let plan = Plan {
            changes: vec![
                change("a", "lost"),
                change("asked", "lost"),
                change("b", "good"),
            ],
            replacements: vec![Replacement {
                deletes: vec![set("c", Some("lost"))],
                creates: vec![set("c", Some("lost"))],
            }],
            deletes: vec![set("d", Some("lost"))],
            ..Plan::default()
        };
        let mut limited = plan.clone();
        checks.leave_out_of(&mut limited, &wanted);
        assert_eq!(limited, plan);

        let batch = ChangeBatch {
            deletes: vec![],
            creates: vec![set("a", Some("lost"))],
        };
        checks.learn(&batch, &[LOST.to_owned()], &wanted);
        checks.leave_out_of(&mut limited, &wanted);
        let mut expected = plan;
        expected.changes[0].to.health_check = None;
        expected.replacements[0].creates[0].health_check = None;
        assert_eq!(limited, expected);
    }
}
