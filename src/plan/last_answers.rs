//! Keeps a name from losing its last answer while a service still wants it. Pure.
//!
//! A service that gets other record sets under its name, such as an AAAA instead of an A, or another set
//! identifier, has those created and the old ones deleted. If Route 53 refuses the new ones, or they are
//! still to be tried, the old ones stay.

use std::collections::BTreeSet;

use crate::desired::Desired;
use crate::dns::{RecordKey, RecordSet, Zone};
use crate::plan::Plan;

/// The deletes of a plan that have to wait: nothing of what is wanted under their names is in the zone,
/// or comes with this plan.
pub fn last_answers(plan: &Plan, zone: &Zone, desired: &Desired) -> BTreeSet<RecordKey> {
    let comes = |key: &RecordKey| {
        let is_it = |set: &RecordSet| set.key == *key;
        let mut replacements = plan.replacements.iter();
        let place = plan.creates.binary_search_by(|set| set.key.cmp(key));
        place.is_ok() || replacements.any(|all| all.creates.iter().any(is_it))
    };
    let mut waiting = BTreeSet::new();
    for set in &plan.deletes {
        let (mut is_wanted, mut has_answer) = (false, false);
        for wanted in desired.of_name(&set.key.name) {
            is_wanted = true;
            has_answer |= zone.get(&wanted.key).is_some() || comes(&wanted.key);
        }
        if is_wanted && !has_answer {
            waiting.insert(set.key.clone());
        }
    }
    waiting
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::zone::Listed;
    use crate::dns::{Name, RecordType, Routing};
    use crate::plan::Replacement;

    /// Such as `a A`, or `a A blue` for a weighted one.
    fn set(text: &str) -> RecordSet {
        let mut words = text.split(' ');
        let name = format!("{}.example.com", words.next().unwrap());
        let rtype = RecordType::parse(words.next().unwrap());
        let set_id = words.next().map(Into::into);
        let routing = set_id.as_ref().map(|_| Routing::Weighted(1));
        let key = RecordKey::with_set_id(Name::parse(&name).unwrap(), rtype, set_id);
        let simple = RecordSet::of_values(key.clone(), 300, ["x".to_owned()].into());
        RecordSet::new(key, simple.body, routing)
    }

    #[test]
    fn the_last_record_set_of_a_name_that_is_wanted_stays() {
        // What is wanted, what is in the zone, what a plan creates, what waits of its deletes.
        for (wanted, in_zone, creates, deletes, waiting) in [
            // Nobody wants the name any more.
            (&[][..], &["a A"][..], &[][..], &["a A"][..], &[][..]),
            (&["b A"], &["a A"], &[], &["a A"], &[]),
            // What comes is refused, or comes along.
            (&["a AAAA"], &["a A"], &[], &["a A"], &["a A"]),
            (&["a AAAA"], &["a A"], &["a AAAA"], &["a A"], &[]),
            (&["a A blue"], &["a A red"], &[], &["a A red"], &["a A red"]),
            (
                &["a A blue"],
                &["a A red"],
                &["a A blue"],
                &["a A red"],
                &[],
            ),
            // Another one that is wanted is there.
            (&["a A", "a AAAA"], &["a A", "a TXT"], &[], &["a TXT"], &[]),
            (
                &["a A blue", "a A red"],
                &["a A red", "a A old"],
                &[],
                &["a A old"],
                &[],
            ),
            (
                &["a A", "b A"],
                &["a AAAA", "b AAAA"],
                &["b A"],
                &["a AAAA", "b AAAA"],
                &["a AAAA"],
            ),
        ] {
            let sets = |texts: &[&str]| texts.iter().map(|text| set(text)).collect::<Vec<_>>();
            let mut desired = Desired::default();
            for set in sets(wanted) {
                desired.record_sets.insert(set.key.clone(), set);
            }
            let mut zone = Zone::default();
            for set in sets(in_zone) {
                zone.insert(set.key.clone(), Listed::Whole(set));
            }
            let plan = Plan {
                creates: sets(creates),
                deletes: sets(deletes),
                ..Plan::default()
            };
            let expected = sets(waiting).into_iter().map(|set| set.key).collect();
            assert_eq!(last_answers(&plan, &zone, &desired), expected, "{wanted:?}");
        }
    }

    #[test]
    fn what_is_replaced_comes_too() {
        let mut desired = Desired::default();
        let wanted = set("a A blue");
        desired
            .record_sets
            .insert(wanted.key.clone(), wanted.clone());
        let plan = Plan {
            deletes: vec![set("a AAAA")],
            replacements: vec![Replacement {
                deletes: vec![set("a A")],
                creates: vec![wanted],
            }],
            ..Plan::default()
        };
        let waiting = last_answers(&plan, &Zone::default(), &desired);
        assert_eq!(waiting, BTreeSet::new());
    }
}
