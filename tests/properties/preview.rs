//! What `plan` shows is what the batches hold: it prints a plan and whether its deletes wait.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rancher_route53::dns::{RecordKey, RecordSet};
use rancher_route53::plan::Replacement;
use rancher_route53::plan::batch::batches;
use rancher_route53::plan::guard::{Guard, GuardSettings};
use rancher_route53::plan::state_records::StateRecords;

use crate::generators::{Built, Key};
use crate::run::{Round, apply, owned, round};

/// For a guard that lets so many percent of at least `min` go at once.
pub fn holds(built: &Built, percent: u32, min: usize) {
    let setting = &built.setting;
    let Round { view, plan, .. } = round(&built.zone, setting);
    let state = StateRecords::read(&view, &setting.names);
    let unlisted = plan.deletes.iter().filter(|set| !state.owns(&set.key));
    let ours = state.owned().len() + plan.adopts.len() + unlisted.count();
    let settings = GuardSettings {
        percent,
        min,
        hold: Duration::from_secs(60),
    };
    let (approved, held) = Guard::new(settings).approve(plan.clone(), ours, Instant::now());
    // A fresh guard holds all or none.
    let deletes = match &held {
        Some(held) => {
            assert_eq!(held.keys.len(), plan.deletes.len());
            &[][..]
        }
        None => &plan.deletes,
    };

    let batches = batches(&approved, &state, &setting.names, 0);
    let from = plan.changes.iter().map(|change| &change.from);
    let to = plan.changes.iter().map(|change| &change.to);
    let replaced = plan.replacements.iter().flat_map(|all| &all.deletes);
    let replacing = plan.replacements.iter().flat_map(|all| &all.creates);
    let shown = |sets: &mut dyn Iterator<Item = &RecordSet>| {
        let is_state = |set: &&RecordSet| setting.names.index_of(&set.key).is_some();
        let sets = sets.filter(|set| !is_state(set));
        let mut lines: Vec<String> = sets.map(RecordSet::to_string).collect();
        lines.sort();
        lines
    };
    assert_eq!(
        shown(&mut batches.iter().flat_map(|batch| &batch.deletes)),
        shown(&mut deletes.iter().chain(from).chain(replaced)),
        "deleted"
    );
    assert_eq!(
        shown(&mut batches.iter().flat_map(|batch| &batch.creates)),
        shown(&mut plan.creates.iter().chain(to).chain(replacing)),
        "created"
    );

    let mut zone = built.zone.clone();
    let before = owned(&zone);
    batches.iter().for_each(|batch| apply(&mut zone, batch));
    let key = |key: &RecordKey| -> Key {
        let set_id = key.set_id.as_deref().map(str::to_owned);
        (key.name.as_str().to_owned(), key.rtype.to_string(), set_id)
    };
    let keys = |sets: fn(&Replacement) -> &Vec<RecordSet>| -> BTreeSet<Key> {
        let sets = plan.replacements.iter().flat_map(sets);
        sets.map(|set| key(&set.key)).collect()
    };
    let (replaced, replacing) = (keys(|all| &all.deletes), keys(|all| &all.creates));
    let new = plan.creates.iter().map(|set| &set.key);
    let new: BTreeSet<Key> = new.chain(&plan.adopts).map(key).collect();
    let gone = deletes.iter().map(|set| &set.key);
    let gone: BTreeSet<Key> = gone.chain(&plan.releases).map(key).collect();
    let expected = &(&(&(&before | &new) - &gone) - &replaced) | &replacing;
    assert_eq!(owned(&zone), expected, "listed as ours");
}
