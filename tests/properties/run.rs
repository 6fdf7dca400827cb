//! The program's pure core, run against the simulated zone the way a round runs it: the zone's
//! own XML in, the request's XML out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use rancher_route53::dns::{ChangeBatch, Zone};
use rancher_route53::plan::batch::batches;
use rancher_route53::plan::guard::{Guard, GuardSettings};
use rancher_route53::plan::state_records::{Claim, StateRecords};
use rancher_route53::plan::{Plan, PlanSettings, plan};
use rancher_route53::route53::xml;
use sim::route53 as aws;

use crate::generators::{Key, Setting, UUID, key_of, owned_key};

/// What a round makes of a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    pub view: Zone,
    pub plan: Plan,
    pub batches: Vec<ChangeBatch>,
}

/// Lists the zone page by page.
pub fn list(zone: &aws::Zone) -> Zone {
    let mut listed = Zone::default();
    let mut page = page_of(&zone.list_xml(None, None, None, None));
    loop {
        for (key, held) in page.sets {
            listed.insert(key, held);
        }
        let Some(next) = page.next else {
            return listed;
        };
        let (rtype, identifier) = (next.rtype.as_deref(), next.identifier.as_deref());
        let answer = zone.list_xml(Some(&next.name), rtype, identifier, None);
        page = page_of(&answer);
    }
}

/// Lists, plans and makes the batches.
pub fn round(zone: &aws::Zone, setting: &Setting) -> Round {
    think(list(zone), setting)
}

/// Plans and makes the batches.
pub fn think(view: Zone, setting: &Setting) -> Round {
    let state = StateRecords::read(&view, &setting.names);
    let Setting {
        desired,
        policy,
        adopt,
        names,
        claim,
        ..
    } = setting;
    let nobodys = Claim::new("nobody", None);
    let settings = PlanSettings {
        policy: *policy,
        adopt,
        claim: claim.as_ref().unwrap_or(&nobodys),
        gives_up: claim.is_none(),
    };
    let plan = plan(desired, &view, &state, settings);
    let mut guard = Guard::new(GuardSettings::OFF);
    let (approved, _) = guard.approve(plan.clone(), 0, Instant::now());
    let batches = batches(&approved, &state, names, 0);
    Round {
        view,
        plan,
        batches,
    }
}

/// Applies a batch; the zone must take it.
pub fn apply(zone: &mut aws::Zone, batch: &ChangeBatch) {
    if let Err(error) = zone.apply_xml(&xml::change_request(batch)) {
        panic!("the zone refused a batch: {error:?}\n{batch:#?}");
    }
}

/// Goes on to the end; how many batches it took.
pub fn converge(zone: &mut aws::Zone, setting: &Setting) -> usize {
    let batches = round(zone, setting).batches;
    for batch in &batches {
        apply(zone, batch);
    }
    batches.len()
}

/// The state records, by index, found without the program's help.
pub fn state_records(zone: &aws::Zone) -> BTreeMap<u16, aws::RecordSet> {
    let texts = zone.record_sets().filter(|set| set.rtype == "TXT");
    let simple = texts.filter(|set| set.set_identifier.is_none());
    simple
        .filter_map(|set| Some((state_index(&set.name)?, set.clone())))
        .collect()
}

fn state_index(name: &str) -> Option<u16> {
    let label = name
        .strip_prefix("external-dns-")?
        .strip_suffix(".example.com.")?;
    match label.strip_prefix(UUID)? {
        "" => Some(0),
        number => number.strip_prefix('-')?.parse().ok(),
    }
}

/// What a state record lists.
pub fn entries(record: &aws::RecordSet) -> BTreeSet<Key> {
    let values = record.values.iter();
    values.filter_map(|value| owned_key(value)).collect()
}

/// What a state record holds besides, and is none of the program's.
pub fn opaque(record: &aws::RecordSet) -> BTreeSet<String> {
    let values = record.values.iter();
    let is_opaque = |value: &&String| owned_key(value).is_none() && !holds_claim(value);
    values.filter(is_opaque).cloned().collect()
}

/// Whether a value is a claim, or has one behind what it lists.
pub fn holds_claim(value: &str) -> bool {
    value.contains("\"claim ")
}

/// All that is owned according to the state records.
pub fn owned(zone: &aws::Zone) -> BTreeSet<Key> {
    state_records(zone).values().flat_map(entries).collect()
}

/// Everything but the state records.
pub fn others(zone: &aws::Zone) -> BTreeMap<Key, aws::RecordSet> {
    let is_state = |set: &aws::RecordSet| {
        set.rtype == "TXT" && set.set_identifier.is_none() && state_index(&set.name).is_some()
    };
    let others = zone.record_sets().filter(|set| !is_state(set));
    others.map(|set| (key_of(set), set.clone())).collect()
}

fn page_of(answer: &str) -> xml::ListPage {
    let root = "ListResourceRecordSetsResponse";
    xml::list_page(&rancher_route53::aws::xml::read(answer, root).unwrap()).unwrap()
}
