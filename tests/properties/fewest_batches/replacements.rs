//! What goes and comes in one batch, since Route 53 doesn't have both at a time.

use std::collections::{BTreeMap, BTreeSet};

use sim::route53 as aws;

use super::{CHARACTERS, Cost, Load, is_short};
use crate::generators::{Key, key_of};
use crate::mixed::ends::can_be_beside;
use crate::run::{entries, state_records};

/// How many more batches there may be for record sets that others replace. They come after everything
/// else, so that their entries are changed in state records which were written for others before. The
/// parts of what no request holds come in their order: deletes, creates, and last the entries of what is
/// deleted. And entries that leave a state record which is too long for us go in batches of their own.
pub fn after_the_rest(before: &aws::Zone, after: &aws::Zone) -> usize {
    let Load {
        replaced, divided, ..
    } = Load::of_replacements(before, after);
    let records = state_records(before).into_values();
    let records: Vec<_> = records.chain(state_records(after).into_values()).collect();
    let lists = |record: &&aws::RecordSet| !entries(record).is_disjoint(&replaced);
    let listing = records.iter().filter(lists).map(|r| Cost::of(&r.values));
    let (short, long): (Vec<Cost>, Vec<Cost>) = listing.partition(|cost| is_short(*cost));
    let again = short.into_iter().fold(Cost::default(), Cost::plus);
    divided + long.len() + again.share() / CHARACTERS
}

impl Load {
    /// What goes and what comes in one batch, since Route 53 doesn't have both at a time. The parts are
    /// still to be added.
    pub fn of_replacements(before: &aws::Zone, after: &aws::Zone) -> Load {
        let mut load = Load::default();
        for (name, (gone, new)) in all_differences(before, after) {
            let excludes = |all: &[&aws::RecordSet], set: &aws::RecordSet| {
                let mut others = all.iter().filter(|other| key_of(other) != key_of(set));
                others.any(|other| !can_be_beside(other, set))
            };
            let leaving = gone.iter().filter(|set| excludes(&new, set));
            let coming = new.iter().filter(|set| excludes(&gone, set));
            let all: Vec<_> = leaving.chain(coming).collect();
            load.replaced.extend(all.iter().map(|set| key_of(set)));
            if all.is_empty() {
                continue;
            }
            if !fits_at_once(name, before, after) {
                load.divided += 1;
                continue;
            }
            // Only a CNAME excludes other types than its own.
            let has_cname = all.iter().any(|set| set.rtype == "CNAME");
            let types: BTreeSet<&str> = all.iter().map(|set| &*set.rtype).collect();
            for rtype in types
                .into_iter()
                .take(if has_cname { 1 } else { usize::MAX })
            {
                let sets = all.iter().filter(|set| has_cname || set.rtype == rtype);
                let costs = sets.map(|set| Cost::of_set(set));
                load.whole.push(costs.fold(Cost::default(), Cost::plus));
            }
        }
        load
    }
}

/// What goes and what comes.
type Difference<'a> = (Vec<&'a aws::RecordSet>, Vec<&'a aws::RecordSet>);

/// What goes and what comes, by name.
fn all_differences<'a>(
    before: &'a aws::Zone,
    after: &'a aws::Zone,
) -> BTreeMap<&'a str, Difference<'a>> {
    let by_key = |zone: &'a aws::Zone| -> BTreeMap<Key, &'a aws::RecordSet> {
        zone.record_sets().map(|set| (key_of(set), set)).collect()
    };
    let (old, new) = (by_key(before), by_key(after));
    let mut all: BTreeMap<&str, Difference<'_>> = BTreeMap::new();
    for set in old.iter().filter(|(key, set)| new.get(*key) != Some(*set)) {
        all.entry(&set.1.name).or_default().0.push(set.1);
    }
    for set in new.iter().filter(|(key, set)| old.get(*key) != Some(*set)) {
        all.entry(&set.1.name).or_default().1.push(set.1);
    }
    all
}

/// Whether one request holds all that changes at a name, and the state records that list it, as long as
/// they can be meanwhile.
pub fn fits_at_once(name: &str, before: &aws::Zone, after: &aws::Zone) -> bool {
    let at = |zone: &'_ aws::Zone| -> Vec<aws::RecordSet> {
        let sets = zone.record_sets().filter(|set| set.name == name);
        sets.cloned().collect()
    };
    let (old, now) = (at(before), at(after));
    let gone: Vec<_> = old.iter().filter(|set| !now.contains(set)).collect();
    let new: Vec<_> = now.iter().filter(|set| !old.contains(set)).collect();
    let sets = gone.iter().chain(&new).map(|set| Cost::of_set(set));
    let sets = sets.fold(Cost::default(), Cost::plus);
    let lists = |zone: &aws::Zone| -> BTreeMap<u16, BTreeSet<String>> {
        let records = state_records(zone).into_iter();
        let values = records.map(|(index, set)| (index, set.values.into_iter().collect()));
        values.collect()
    };
    let is_listed = |zone: &aws::Zone, index: u16| {
        let record = state_records(zone).remove(&index);
        record.is_some_and(|record| entries(&record).iter().any(|key| key.0 == name))
    };
    let mut all = lists(before);
    for (index, values) in lists(after) {
        all.entry(index).or_default().extend(values);
    }
    let written = all.into_iter();
    let written = written.filter(|(i, _)| is_listed(before, *i) || is_listed(after, *i));
    let written = written.map(|(_, values)| Cost::of(&values).times(2));
    written.fold(sets, Cost::plus).fits()
}
