//! What has to happen to the record sets of one name. Pure.
//!
//! Most names have an A record set and perhaps an AAAA one, and each is planned by itself. But a
//! CNAME can't be beside any other record set, a simple record set can't be beside one with a routing
//! policy, and all of one name and type have the same policy. Where such record sets are ours, they are
//! replaced in one batch, so that the name always answers. Where they aren't, nothing is written.

mod item;

use std::borrow::Cow;

use crate::dns::zone::Listed;
use crate::dns::{Name, RecordKey, RecordSet, RecordType};
use crate::plan::beside::{cant_be_beside, with_ttl_of_others};
use crate::plan::{Adopt, ConflictReason, OtherTtl, Plan, Policy, Replacement};
use item::{Item, Step};

/// All that a plan has to know of one name.
#[derive(Default)]
pub struct AtName<'a> {
    /// What the zone has there, sorted.
    listed: Vec<(&'a RecordKey, &'a Listed)>,
    /// What is desired, owned or taken over there, sorted.
    items: Vec<Item<'a>>,
}

/// What is in the way of a record set.
enum Obstacle<'a> {
    /// Something that isn't ours.
    Conflict(ConflictReason, Option<&'a RecordSet>),
    /// Something of ours, which must not be deleted.
    Policy,
}

impl<'a> AtName<'a> {
    /// Forgets everything, for the next name.
    pub fn clear(&mut self) {
        self.listed.clear();
        self.items.clear();
    }

    /// Adds what the zone has. Comes before [`AtName::add_key`], in the order of the keys.
    pub fn add_listed(&mut self, key: &'a RecordKey, listed: &'a Listed) {
        self.listed.push((key, listed));
    }

    /// Adds what is desired, owned or taken over, in the order of the keys.
    pub fn add_key(
        &mut self,
        key: &'a RecordKey,
        wanted: Option<&'a RecordSet>,
        is_owned: bool,
        elsewhere: Option<&'a Name>,
        adopt: &Adopt,
    ) {
        let place = self.listed.binary_search_by(|(known, _)| (*known).cmp(key));
        let listed = place.ok().map(|place| self.listed[place].1);
        let is_adopted = match listed {
            Some(Listed::Whole(set)) if !is_owned && elsewhere.is_none() => {
                adopt.takes_over(set, wanted)
            }
            _ => false,
        };
        self.items.push(Item {
            key,
            wanted,
            listed,
            is_owned,
            is_adopted,
            elsewhere,
        });
    }

    /// Adds to a plan what has to happen.
    pub fn plan(&self, policy: Policy, plan: &mut Plan) {
        if self.is_plain() {
            for item in &self.items {
                let step = self.step(item, policy, &[]);
                item.add(step, policy, plan);
            }
            return;
        }
        let steps = self.steps(policy);
        let blocked = self
            .items
            .iter()
            .zip(&steps)
            .filter(|(_, step)| matches!(step, Step::Conflict(..) | Step::Forbidden));
        let blocked: Vec<&RecordSet> = blocked.filter_map(|(item, _)| item.wanted).collect();
        let together = self.together(&steps);
        let mut replacement = Replacement::default();
        for ((item, step), is_together) in self.items.iter().zip(steps).zip(together) {
            let is_kept = matches!(step, Step::Delete(_)) && !is_together;
            if is_kept && blocked.iter().any(|wanted| item.is_in_the_way_of(wanted)) {
                item.add_predecessor(plan);
                continue;
            }
            self.warn_of_ttl(item, &step, policy, plan);
            match step {
                Step::Create(to) if is_together => replacement.creates.push(to.into_owned()),
                Step::Change(from, to) if is_together => {
                    item.add_adopted(plan);
                    replacement.deletes.push(from.clone());
                    replacement.creates.push(to.into_owned());
                }
                Step::Delete(set) if is_together => {
                    plan.takes_over |= item.is_adopted;
                    replacement.deletes.push(set.clone());
                }
                step => item.add(step, policy, plan),
            }
        }
        plan.replacements.extend(replacement.by_type());
    }

    /// Whether all record sets of the name are simple, and none is a CNAME: then none is in the way
    /// of another.
    fn is_plain(&self) -> bool {
        let items = self.items.iter().map(|item| item.key);
        let mut keys = self.listed.iter().map(|(key, _)| *key).chain(items);
        keys.all(|key| !key.is_routed() && key.rtype != RecordType::Cname)
    }

    /// What has to happen to each of the record sets. One that can't be changed may be in the way of
    /// another one, and that one of a third.
    fn steps(&self, policy: Policy) -> Vec<Step<'a>> {
        let mut stuck: Vec<&RecordKey> = Vec::new();
        loop {
            let steps = self.items.iter();
            let steps: Vec<Step<'a>> = steps.map(|item| self.step(item, policy, &stuck)).collect();
            let all = self.items.iter().zip(&steps);
            let stuck_now = all.filter(|(_, step)| matches!(step, Step::Conflict(..)));
            let stuck_now: Vec<&RecordKey> = stuck_now.map(|(item, _)| item.key).collect();
            if stuck_now.len() == stuck.len() {
                return steps;
            }
            stuck = stuck_now;
        }
    }

    /// `stuck`: what can't be changed, as far as is known.
    fn step(&self, item: &Item<'a>, policy: Policy, stuck: &[&RecordKey]) -> Step<'a> {
        if let Some(by) = item.elsewhere {
            return item.owned_elsewhere(by);
        }
        match (item.wanted, item.listed) {
            (None, None) if item.is_owned => Step::Release,
            (None, None) => Step::Nothing,
            // It can't be changed, but it isn't lost either: its entry stays.
            (_, Some(Listed::Partial { element })) => {
                let reason = match item.is_ours() {
                    true => ConflictReason::Extended,
                    false => ConflictReason::ForeignExtended,
                };
                Step::Conflict(reason(element.clone()), None)
            }
            (Some(wanted), None) => match self.obstacle(wanted, policy, stuck) {
                Some(obstacle) => obstacle.into(),
                None => Step::Create(self.with_ttl_of_others(wanted, policy)),
            },
            (Some(_), Some(Listed::Whole(current))) if !item.is_ours() => {
                Step::Conflict(foreign(current), Some(current))
            }
            (Some(wanted), Some(Listed::Whole(current))) => {
                let to = self.with_ttl_of_others(wanted, policy);
                if to.is_satisfied_by(current) {
                    return Step::Nothing;
                }
                if policy == Policy::CreateOnly {
                    return Step::Forbidden;
                }
                // With the same policy it may stand where it is, whatever is beside it.
                let obstacle = match wanted.routing == current.routing {
                    true => None,
                    false => self.obstacle(wanted, policy, stuck),
                };
                match obstacle {
                    Some(obstacle) => obstacle.into(),
                    None => Step::Change(current, with_health_check_of(current, to)),
                }
            }
            (None, Some(Listed::Whole(current))) => Step::Delete(current),
        }
    }

    /// What is in the way of a record set.
    fn obstacle(
        &self,
        wanted: &RecordSet,
        policy: Policy,
        stuck: &[&RecordKey],
    ) -> Option<Obstacle<'a>> {
        let others = self.listed.iter().filter(|(key, _)| **key != wanted.key);
        let mut in_the_way = others.filter_map(|(key, listed)| {
            let replaceable = |item: &&Item<'a>| item.is_replaceable() && !stuck.contains(key);
            match self.item(key).filter(replaceable) {
                // What we want at the same time fits together, so this one changes or goes, too.
                Some(item) if item.is_in_the_way_of(wanted) => {
                    (policy == Policy::CreateOnly).then_some(Obstacle::Policy)
                }
                Some(_) => None,
                None => {
                    let reason = cant_be_beside(wanted, key, listed)?;
                    Some(Obstacle::Conflict(reason, listed.whole()))
                }
            }
        });
        in_the_way.next()
    }

    fn item(&self, key: &RecordKey) -> Option<&Item<'a>> {
        let place = self.items.binary_search_by(|item| item.key.cmp(key)).ok()?;
        Some(&self.items[place])
    }

    /// Which steps have to be made together: what goes or changes because what is written can't be
    /// beside it, and what is written then.
    fn together(&self, steps: &[Step<'a>]) -> Vec<bool> {
        fn written<'b>(step: &'b Step<'_>) -> Option<&'b RecordSet> {
            match step {
                Step::Create(to) | Step::Change(_, to) => Some(to),
                _ => None,
            }
        }
        let all = self.items.iter().zip(steps);
        let makes_way = all.map(|(item, step)| match step {
            Step::Delete(_) | Step::Change(..) => {
                let mut written = steps.iter().filter_map(written);
                written.any(|to| item.must_go_for(to))
            }
            _ => false,
        });
        let makes_way: Vec<bool> = makes_way.collect();
        let all = self.items.iter().zip(&makes_way);
        let leaving = all.filter(|(_, makes_way)| **makes_way);
        let leaving: Vec<&Item<'a>> = leaving.map(|(item, _)| item).collect();
        let is_waited_for = |to: &RecordSet| leaving.iter().any(|item| item.must_go_for(to));
        let all = steps.iter().zip(makes_way);
        all.map(|(step, makes_way)| makes_way || written(step).is_some_and(is_waited_for))
            .collect()
    }

    /// A weighted record set with the TTL of those beside it that stay as they are.
    fn with_ttl_of_others(&self, wanted: &'a RecordSet, policy: Policy) -> Cow<'a, RecordSet> {
        let others = self.listed.iter().filter(|(key, _)| {
            let item = self.item(key);
            item.is_none_or(|item| item.stays_as_it_is(policy))
        });
        with_ttl_of_others(wanted, others.copied())
    }

    fn warn_of_ttl(&self, item: &Item<'a>, step: &Step<'a>, policy: Policy, plan: &mut Plan) {
        let (Some(wanted), Step::Nothing | Step::Create(_) | Step::Change(..)) =
            (item.wanted, step)
        else {
            return;
        };
        let used = self.with_ttl_of_others(wanted, policy).ttl();
        if let (Some(wanted), Some(used)) = (wanted.ttl(), used)
            && used != wanted
        {
            let key = item.key.clone();
            plan.other_ttls.push(OtherTtl { key, wanted, used });
        }
    }
}

/// A record set with the health check that somebody has attached to it in the zone, unless it asks for
/// one itself.
fn with_health_check_of<'a>(current: &RecordSet, to: Cow<'a, RecordSet>) -> Cow<'a, RecordSet> {
    if to.health_check.is_some() || current.health_check.is_none() {
        return to;
    }
    let mut to = to.into_owned();
    to.health_check.clone_from(&current.health_check);
    Cow::Owned(to)
}

/// Why a record set isn't written in whose place another one is.
fn foreign(current: &RecordSet) -> ConflictReason {
    match (current.key.is_routed(), current.alias()) {
        (true, _) => ConflictReason::SetIdTaken,
        (false, Some(_)) => ConflictReason::Alias,
        (false, None) => ConflictReason::NotOwned,
    }
}

impl<'a> From<Obstacle<'a>> for Step<'a> {
    fn from(obstacle: Obstacle<'a>) -> Step<'a> {
        match obstacle {
            Obstacle::Conflict(reason, found) => Step::Conflict(reason, found),
            Obstacle::Policy => Step::Forbidden,
        }
    }
}
