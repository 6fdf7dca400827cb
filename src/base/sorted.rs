//! Sorted sets, maps and lists, made with little machine code.
//!
//! `collect` into a `BTreeSet` or `BTreeMap` sorts first, and the compiler generates the standard
//! library's sort again for each type, 6 kB each time. These functions insert one by one instead.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A set of these items.
pub fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    items.into_iter().for_each(|item| {
        set.insert(item);
    });
    set
}

/// A map of these items. Where two have the same key, the last one wins.
pub fn map<K: Ord, V>(items: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    items.into_iter().for_each(|(key, value)| {
        map.insert(key, value);
    });
    map
}

/// Adds an item to a sorted list, unless it is there.
pub fn add<T: Ord + Clone>(items: &mut Vec<T>, item: &T) {
    if let Err(place) = items.binary_search(item) {
        items.insert(place, item.clone());
    }
}

/// The items by size, the largest first. Items of the same size keep their order.
pub fn largest_first<T>(items: Vec<T>, size: impl Fn(&T) -> usize) -> Vec<T> {
    let places = items.iter().enumerate();
    let mut order: Vec<(Reverse<usize>, usize)> = places
        .map(|(place, item)| (Reverse(size(item)), place))
        .collect();
    order.sort_unstable();
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|(_, place)| items[place].take())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_are_what_the_standard_library_makes(items: Vec<(u8, u16)>) {
            prop_assert_eq!(set(items.clone()), items.iter().copied().collect());
            let mut list = Vec::new();
            items.iter().for_each(|item| add(&mut list, item));
            prop_assert_eq!(list, Vec::from_iter(set(items.clone())));
            prop_assert_eq!(map(items.clone()), items.iter().copied().collect());
            let mut expected = items.clone();
            expected.sort_by_key(|(size, _)| Reverse(*size));
            prop_assert_eq!(largest_first(items, |(size, _)| usize::from(*size)), expected);
        }
    }
}
