//! A state record that is deleted leaves a trace: another one is written before it or with it.
//!
//! Each write has another generation, so whoever reads the state records twice sees that something
//! was written in between. A state record that is created and deleted in between would leave no
//! trace, and what it listed may be taken for nobody's.

use super::pack::Writing;
use super::replace::{is_short, joined};
use super::{Cost, fit_in_one_request};
use crate::dns::{ChangeBatch, RecordSet};
use crate::plan::state_records::{Generation, StateRecord, StateRecords};

/// Adds the write of a state record to the first batch that deletes one, or as a batch before it,
/// unless one that stays is written by then. `state` is what the state records are before the
/// first batch.
pub fn leave(batches: &mut Vec<ChangeBatch>, state: &StateRecords, writing: Writing<'_>) {
    let removes_one = |batch: &ChangeBatch| writing.removes_state_record(batch);
    let Some(at) = batches.iter().position(removes_one) else {
        return;
    };
    // One that goes and comes back with other entries isn't among them.
    let stays = |set: &RecordSet| !batches.iter().any(|batch| batch.removes(&set.key));
    let mut written = batches[..=at].iter().flat_map(|batch| &batch.creates);
    if written.any(|set| writing.is_state_record(set) && stays(set)) {
        return;
    }
    let staying = state.records().iter().filter(|r| stays(&r.set));
    // Not somebody else's text. The claim's is among them, unless all go, as in a purge.
    let is_usable = |record: &&StateRecord| is_short(record) && record.is_in_use();
    let Some(shortest) = staying.filter(is_usable).min_by_key(length) else {
        return;
    };
    let trace = shortest.written_again(writing.fresh_generation(shortest.index));
    let written = trace.creates[0].clone();
    let with_trace = joined(batches[at].clone(), &trace);
    match fit_in_one_request([&with_trace]) {
        true => batches[at] = with_trace,
        false => batches.insert(at, trace),
    }
    renumber(&mut batches[at + 1..], written);
}

/// Later writes of a state record, after one more that is `last` now.
fn renumber(batches: &mut [ChangeBatch], mut last: RecordSet) {
    for batch in batches {
        for set in batch.deletes.iter_mut().filter(|set| set.key == last.key) {
            set.clone_from(&last);
        }
        let written = batch.creates.iter_mut().find(|set| set.key == last.key);
        let generation = last.ttl().and_then(Generation::of_ttl);
        if let (Some(set), Some(generation)) = (written, generation) {
            *set = set.clone().with_ttl(generation.next().ttl());
            last = set.clone();
        }
    }
}

fn length(record: &&StateRecord) -> usize {
    Cost::of_set(&record.set).share()
}
