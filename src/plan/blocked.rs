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
            Listed::Simple(_) => return None,
            Listed::Special => None,
            Listed::Extended { element } => Some(element.clone()),
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
    use crate::dns::{Name, RecordKey, RecordSet, RecordType};

    #[test]
    fn only_state_records_that_are_not_simple_are_blocked() {
        let root = Name::parse("example.com").unwrap();
        let names = StateNames::new("u", &root).unwrap();
        let key = |name: &Name, rtype: &str| RecordKey::new(name.clone(), RecordType::parse(rtype));
        let extended = || Listed::Extended {
            element: "New".to_owned(),
        };
        let simple = RecordSet {
            key: key(&names.name(0), "TXT"),
            ttl: 300,
            values: ["\"a.example.com.\"".to_owned()].into(),
        };
        let mut zone = Zone::default();
        for (key, listed) in [
            (simple.key.clone(), Listed::Simple(simple)),
            (key(&names.name(1), "TXT"), extended()),
            (key(&names.name(2), "TXT"), Listed::Special),
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
