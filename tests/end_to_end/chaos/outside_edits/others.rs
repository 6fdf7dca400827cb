//! What other programs of this kind do: another environment's, with state records of its own, and
//! another Rancher server's, which says that it keeps the same ones.

use sim::route53::{Change, RecordSet, Zone};

use super::{Edit, addresses, at, delete, foreign, replace};
use crate::chaos::record::{OTHER, OTHERS_CLAIM, TTL, keeper, state_name, state_records, value};

/// The generation of a state record that others make.
const GENERATION: u32 = (1 << 30) + 7_000_000;

impl Edit {
    pub(super) fn changes_of_others(&self, zone: &Zone, owner: &str) -> Vec<Change> {
        match self {
            Edit::OtherMakes(name) => {
                let mut made = foreign(name, "A", TTL);
                made.values = vec!["192.0.2.99".to_owned()];
                let mut changes = delete(at(zone, name));
                changes.push(Change::create(made));
                changes.extend(relist(zone, OTHER, |values| list(values, name, "A")));
                changes
            }
            Edit::OtherLists(name) => relist(zone, OTHER, |values| {
                list(values, name, "A");
                if addresses(zone, name).any(|set| set.rtype == "AAAA") {
                    list(values, name, "AAAA");
                }
            }),
            Edit::OtherForgets(name) => relist(zone, OTHER, |values| forget(values, name)),
            Edit::OtherDeletes(name) => {
                let is_theirs = is_listed(zone, name);
                let theirs = addresses(zone, name).filter(|set| is_theirs && set.rtype == "A");
                let mut changes = delete(theirs);
                changes.extend(relist(zone, OTHER, |values| forget(values, name)));
                changes
            }
            Edit::Claim(instead) => {
                let second = state_name(owner, 1);
                let is_second = |set: &&RecordSet| set.name == second && set.rtype == "TXT";
                let claim = OTHERS_CLAIM.to_owned();
                let Some(set) = zone.record_sets().find(is_second) else {
                    let new = RecordSet::simple(&second, "TXT", GENERATION, &[claim]);
                    return vec![Change::create(new)];
                };
                replace(set, |new| {
                    let is_claim = |value: &String| value.starts_with("\"claim ");
                    new.values.retain(|value| !*instead || !is_claim(value));
                    if !new.values.contains(&claim) {
                        new.values.push(claim);
                    }
                    next_generation(new);
                })
            }
            Edit::Unclaim => {
                let is_claimed = |set: &&RecordSet| set.values.iter().any(|v| v == OTHERS_CLAIM);
                let claimed = zone.record_sets().filter(|set| keeper(set).is_some());
                let changes = claimed.filter(is_claimed).flat_map(|set| {
                    replace(set, |new| {
                        new.values.retain(|value| value != OTHERS_CLAIM);
                        next_generation(new);
                    })
                });
                changes.collect()
            }
            _ => Vec::new(),
        }
    }
}

/// As every program of this kind writes a state record.
fn next_generation(set: &mut RecordSet) {
    let next = set.ttl.unwrap_or_default() + 1;
    set.ttl = Some(next.max(GENERATION) & 0x7fff_ffff);
}

fn is_listed(zone: &Zone, name: &str) -> bool {
    let mut values = state_records(zone, OTHER).flat_map(|set| &set.values);
    values.any(|listed| *listed == entry(name, "A"))
}

fn entry(name: &str, rtype: &str) -> String {
    value(&(name.to_owned(), rtype.to_owned(), None))
}

fn list(values: &mut Vec<String>, name: &str, rtype: &str) {
    let value = entry(name, rtype);
    if !values.contains(&value) {
        values.push(value);
    }
}

fn forget(values: &mut Vec<String>, name: &str) {
    let theirs = [entry(name, "A"), entry(name, "AAAA")];
    values.retain(|value| !theirs.contains(value));
}

/// Writes the first state record of an owner anew.
fn relist(zone: &Zone, owner: &str, f: impl FnOnce(&mut Vec<String>)) -> Vec<Change> {
    let name = state_name(owner, 0);
    let is_first = |set: &&RecordSet| set.name == name && set.rtype == "TXT";
    if let Some(set) = zone.record_sets().find(is_first) {
        return replace(set, |new| {
            f(&mut new.values);
            next_generation(new);
        });
    }
    let mut new = RecordSet::simple(&name, "TXT", GENERATION, &[] as &[&str]);
    f(&mut new.values);
    let is_empty = new.values.is_empty();
    let change = (!is_empty).then(|| Change::create(new));
    change.into_iter().collect()
}
