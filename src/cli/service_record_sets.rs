//! The record sets under the names of one service, for `plan STACK/SERVICE`: what is wanted, what is
//! there, and what becomes of it. Pure.

use std::collections::BTreeSet;

use super::context::MetadataReading;
use crate::base::sorted;
use crate::desired::explain::ExplainedName;
use crate::dns::zone::Listed;
use crate::dns::{Name, RecordKey, RecordSet, RecordType};
use crate::plan::fate::{Fate, Outlook};
use crate::plan::round::Preview;

/// How many record sets with a routing policy are shown that are others'.
const MAX_OTHERS: usize = 10;

/// One record set under a name of the service.
pub struct ReportedSet<'a> {
    pub key: RecordKey,
    /// What services want there; none if nobody does.
    pub wanted: Option<&'a RecordSet>,
    /// What the zone has there.
    pub listed: Option<&'a Listed>,
    pub fate: Fate<'a>,
    pub is_taken_over: bool,
}

/// The record sets under these names, no two of which are the same.
pub fn record_sets<'a>(
    names: &[ExplainedName],
    reading: &'a MetadataReading,
    preview: &'a Preview,
) -> Vec<ReportedSet<'a>> {
    let Preview {
        plan,
        zone,
        coverage,
        ..
    } = preview;
    let outlook = Outlook::of(preview);
    let mut sets = Vec::new();
    // Of a name that nobody wants, and that is elsewhere, nothing was listed.
    let names = names.iter().filter_map(|name| name.name.as_ref().ok());
    for name in names.filter(|name| coverage.has(name)) {
        for key in keys_of(name, reading, preview) {
            let wanted = reading.desired.record_sets.get(&key);
            if let Some(fate) = outlook.fate(&key, wanted) {
                sets.push(ReportedSet {
                    wanted,
                    listed: zone.get(&key),
                    fate,
                    is_taken_over: plan.adopts.contains(&key),
                    key,
                });
            }
        }
    }
    sets
}

/// The record sets of a name that are wanted, listed as ours or in the zone. Of those of others that
/// share the name by a routing policy, the first few are enough.
fn keys_of(name: &Name, reading: &MetadataReading, preview: &Preview) -> BTreeSet<RecordKey> {
    let is_here = |key: &&RecordKey| key.name == *name;
    let wanted = reading.desired.of_name(name).map(|set| &set.key);
    let owned = preview.state.owned().filter(is_here);
    let mut keys = sorted::set(wanted.chain(owned).cloned());
    let mut others = 0;
    let listed = preview.zone.iter().map(|(key, _)| key).filter(is_here);
    for key in listed.filter(|key| RecordType::PUBLISHED.contains(&key.rtype)) {
        let is_other = key.is_routed() && !keys.contains(key);
        others += usize::from(is_other);
        if !is_other || others <= MAX_OTHERS {
            keys.insert(key.clone());
        }
    }
    keys
}
