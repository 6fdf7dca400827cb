//! The values of a record set.

use std::ops::Deref;

/// Values of a record set, sorted, each once. A list: nearly all record sets have one to three values,
/// for which a `BTreeSet` would take several times the memory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Values(Box<[String]>);

impl FromIterator<String> for Values {
    fn from_iter<I: IntoIterator<Item = String>>(values: I) -> Values {
        let mut values: Vec<String> = values.into_iter().collect();
        values.sort_unstable();
        values.dedup();
        Values(values.into_boxed_slice())
    }
}

impl<const N: usize> From<[String; N]> for Values {
    fn from(values: [String; N]) -> Values {
        values.into_iter().collect()
    }
}

impl Deref for Values {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn they_are_a_set(values: Vec<u8>) {
            let text = |value: &u8| value.to_string();
            let set: BTreeSet<String> = values.iter().map(text).collect();
            let list: Values = values.iter().map(text).collect();
            prop_assert!(list.iter().eq(&set));
        }
    }
}
