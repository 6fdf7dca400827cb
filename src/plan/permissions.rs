//! What a round may have to write: the names and types that the credentials have to allow. Pure.

use crate::base::sorted;
use crate::desired::Desired;
use crate::desired::rules::RecordTypes;
use crate::dns::{Name, RecordKey, RecordType};
use crate::plan::state_records::StateNames;

/// The record sets that are written now, and those that may be written as services come and go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// `<environment>.<zone>`: by the default template all names of services are below it. `None`
    /// if the environment's name has no letter or digit.
    pub below: Option<Name>,
    /// The names of this environment's state records.
    pub owner: StateNames,
    /// Those of another owner, whose entries are taken over.
    pub other_owner: Option<StateNames>,
    /// Desired record sets that aren't below [`Permissions::below`].
    pub outside: Vec<RecordKey>,
    /// The types of all of them, state records included, without repetitions.
    pub types: Vec<RecordType>,
}

impl Permissions {
    /// What an environment writes whose names are below `below` as a rule.
    pub fn new(
        below: Option<Name>,
        owner: StateNames,
        desired: &Desired,
        record_types: RecordTypes,
    ) -> Permissions {
        let is_outside = |key: &&RecordKey| match &below {
            Some(below) => key.name == *below || !key.name.is_at_or_below(below),
            None => true,
        };
        let keys = desired.record_sets.keys();
        let outside = keys.clone().filter(is_outside).cloned().collect();
        let published = record_types.types().iter().cloned();
        let types = published.chain([RecordType::Txt]);
        let types = sorted::set(types.chain(keys.map(|key| key.rtype.clone())));
        Permissions {
            below,
            owner,
            other_owner: None,
            outside,
            types: types.into_iter().collect(),
        }
    }

    /// The names of all state records.
    pub fn owners(&self) -> impl Iterator<Item = &StateNames> {
        let other = self.other_owner.iter();
        let other = other.filter(|other| **other != self.owner);
        [&self.owner].into_iter().chain(other)
    }

    /// The names of the record sets in [`Permissions::outside`].
    pub fn names_outside(&self) -> Vec<&Name> {
        let mut names: Vec<&Name> = self.outside.iter().map(|key| &key.name).collect();
        names.dedup(); // A and AAAA of a name stand together
        names
    }

    /// The names as patterns in IAM's form: in small letters, escaped like Route 53's, without the
    /// last dot. `*` stands for any characters, dots among them; the one in a wildcard's name is
    /// escaped.
    pub fn patterns(&self) -> Vec<String> {
        let below = self.below.iter();
        let mut patterns: Vec<String> = below.map(below_pattern).collect();
        for owner in self.owners() {
            patterns.extend(state_patterns(owner));
        }
        patterns.extend(self.outside.iter().map(|key| pattern(&key.name)));
        patterns.dedup(); // A and AAAA of a name stand together
        patterns
    }
}

/// Every name below this one.
pub fn below_pattern(name: &Name) -> String {
    format!("*.{}", pattern(name))
}

/// This name only.
pub fn pattern(name: &Name) -> String {
    name.as_str().trim_end_matches('.').to_owned()
}

/// The first state record, and all further ones.
pub fn state_patterns(owner: &StateNames) -> [String; 2] {
    let first = pattern(&owner.name(0));
    let (label, parent) = first.split_once('.').unwrap_or((&first, ""));
    let further = format!("{label}-*.{parent}");
    [first, further]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::RecordSet;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn owner(id: &str) -> StateNames {
        StateNames::new(id, &name("example.com")).unwrap()
    }

    fn desired(keys: &[(&str, RecordType)]) -> Desired {
        let mut desired = Desired::default();
        for (text, rtype) in keys {
            let key = RecordKey::new(name(text), rtype.clone());
            let set = RecordSet::of_values(key.clone(), 300, ["192.0.2.1".to_owned()].into());
            desired.record_sets.insert(key, set);
        }
        desired
    }

    #[test]
    fn names_are_as_iam_compares_them() {
        let (a, aaaa) = (RecordType::A, RecordType::Aaaa);
        for (below, id, other, keys, expected) in [
            (
                Some("prod.example.com"),
                "1A726B88",
                Some("1a726b88"),
                vec![("web.prod.example.com", a.clone())],
                vec![
                    "*.prod.example.com",
                    "external-dns-1a726b88.example.com",
                    "external-dns-1a726b88-*.example.com",
                ],
            ),
            // Outside: the apex of both, a wildcard of the zone, another stack's name.
            (
                Some("prod.example.com"),
                "a.b",
                None,
                vec![
                    ("prod.example.com", a.clone()),
                    ("example.com", a.clone()),
                    ("*.example.com", a.clone()),
                    ("*.prod.example.com", a.clone()),
                    ("xprod.example.com", a.clone()),
                    ("www.example.com", a.clone()),
                    ("www.example.com", aaaa),
                ],
                vec![
                    "*.prod.example.com",
                    "external-dns-a\\056b.example.com",
                    "external-dns-a\\056b-*.example.com",
                    "\\052.example.com",
                    "example.com",
                    "prod.example.com",
                    "www.example.com",
                    "xprod.example.com",
                ],
            ),
            // Nothing that a rule says is below an environment without a name.
            (
                None,
                "x",
                Some("y"),
                vec![("web.example.com", a)],
                vec![
                    "external-dns-x.example.com",
                    "external-dns-x-*.example.com",
                    "external-dns-y.example.com",
                    "external-dns-y-*.example.com",
                    "web.example.com",
                ],
            ),
        ] {
            let (below, desired) = (below.map(name), desired(&keys));
            let permissions = Permissions {
                other_owner: other.map(owner),
                ..Permissions::new(below, owner(id), &desired, RecordTypes::Both)
            };
            assert_eq!(permissions.patterns(), expected);
        }
    }

    #[test]
    fn types_are_those_of_the_setting_and_the_state_records() {
        let (a, aaaa, txt) = (RecordType::A, RecordType::Aaaa, RecordType::Txt);
        for (setting, expected) in [
            (
                RecordTypes::Both,
                vec![a.clone(), aaaa.clone(), txt.clone()],
            ),
            (RecordTypes::A, vec![a, txt.clone()]),
            (RecordTypes::Aaaa, vec![aaaa, txt]),
        ] {
            let permissions = Permissions::new(None, owner("x"), &Desired::default(), setting);
            assert_eq!(permissions.types, expected);
        }
    }
}
