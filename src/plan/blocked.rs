//! State records whose entries don't count, because the record set isn't a simple one. Pure.

use crate::dns::Zone;
use crate::dns::zone::Listed;
use crate::plan::state_records::StateNames;
use crate::plan::{Conflict, ConflictReason};

/// A conflict for each state record that can't be used: all that it lists isn't ours meanwhile, and
/// an operator who sees only that wouldn't know why.
pub fn blocked_state_records(zone: &Zone, names: &StateNames) -> Vec<Conflict> {
    let blocked = zone.iter().filter_map(|(key, listed)| {
        let extension = match listed {
            Listed::Whole(set) if set.is_plain() => return None,
            Listed::Whole(_) => None,
            Listed::Partial { element } => Some(element.clone()),
        };
        names.index_of(key)?;
        Some(Conflict {
            key: key.clone(),
            reason: ConflictReason::StateRecord { extension },
            found: None,
        })
    });
    blocked.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{AliasTarget, Body, Name, RecordKey, RecordSet, RecordType};

    #[test]
    fn only_state_records_that_are_not_simple_are_blocked() {
        let root = Name::parse("example.com").unwrap();
        let names = StateNames::new("u", &root).unwrap();
        let key = |name: &Name, rtype: &str| RecordKey::new(name.clone(), RecordType::parse(rtype));
        let extended = || Listed::Partial {
            element: "New".to_owned(),
        };
        let simple = RecordSet::of_values(
            key(&names.name(0), "TXT"),
            300,
            ["\"a.example.com.\"".to_owned()].into(),
        );
        let target = AliasTarget {
            zone_id: "Z1".to_owned(),
            name: "x.example.com.".to_owned(),
            evaluates_health: false,
        };
        let alias = Body::Alias(Box::new(target));
        let alias = RecordSet::new(key(&names.name(2), "TXT"), alias, None);
        let mut zone = Zone::default();
        for (key, listed) in [
            (simple.key.clone(), Listed::Whole(simple)),
            (key(&names.name(1), "TXT"), extended()),
            (alias.key.clone(), Listed::Whole(alias)),
            (key(&names.name(3), "A"), extended()),
            (key(&root, "TXT"), extended()),
        ] {
            zone.insert(key, listed);
        }
        let blocked = |index, extension: Option<&str>| Conflict {
            key: key(&names.name(index), "TXT"),
            reason: ConflictReason::StateRecord {
                extension: extension.map(str::to_owned),
            },
            found: None,
        };
        let expected = [blocked(1, Some("New")), blocked(2, None)];
        assert_eq!(blocked_state_records(&zone, &names), expected);
    }
}
