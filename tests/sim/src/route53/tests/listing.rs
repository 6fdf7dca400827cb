//! Listings of record sets that share a name and a type.

use super::super::{IdentifierOrder, ListQuery, Options, RecordSet, Route53, Zone};
use super::client::get;
use std::collections::BTreeSet;

const ORDERS: [IdentifierOrder; 4] = [
    IdentifierOrder::Ascending,
    IdentifierOrder::Descending,
    IdentifierOrder::Shuffled(1),
    IdentifierOrder::Shuffled(2),
];

/// A group in the middle of others.
fn zone(order: IdentifierOrder) -> Zone {
    let mut zone = Zone::new("example.com").with_id("Z1");
    zone.identifier_order = order;
    let set = |name: &str, rtype, value| {
        RecordSet::simple(&format!("{name}.example.com"), rtype, 60, &[value])
    };
    zone.put(set("a", "A", "192.0.2.1"));
    for n in 0..400 {
        zone.put(set("m", "A", "192.0.2.1").multivalue(&format!("id {n}")));
    }
    zone.put(set("m", "AAAA", "2001:db8::1").weighted("id 5", 1));
    zone.put(set("z", "A", "192.0.2.1"));
    zone
}

/// What identifies the record sets of a whole listing, fetched in pages of this size.
fn listed(zone: &Zone, page: usize) -> Vec<(String, String, Option<String>)> {
    let key = |set: &RecordSet| {
        let (name, rtype) = (set.name.clone(), set.rtype.clone());
        (name, rtype, set.set_identifier.clone())
    };
    let mut query = ListQuery {
        max_items: Some(page.to_string()),
        ..ListQuery::default()
    };
    let mut keys = Vec::new();
    loop {
        let page = zone.list(&query).unwrap();
        keys.extend(page.record_sets.into_iter().map(key));
        let Some(next) = page.next else { return keys };
        query.name = Some(next.name.clone());
        query.rtype = Some(next.rtype.clone());
        query.identifier.clone_from(&next.set_identifier);
    }
}

#[test]
fn pages_end_anywhere_in_a_group_whatever_its_order() {
    for order in ORDERS {
        let zone = zone(order);
        let all = listed(&zone, 300);
        assert_eq!(all.len(), zone.len(), "{order:?}");
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        for page in [1, 2, 7, 299] {
            assert_eq!(listed(&zone, page), all, "{order:?}, {page} a page");
        }
    }
}

#[test]
fn the_order_is_that_asked_for_within_a_name_and_type_only() {
    let identifiers = |order| -> Vec<String> {
        let listed = listed(&zone(order), 300);
        let positions: Vec<(String, String)> = listed
            .iter()
            .map(|(name, rtype, _)| (name.clone(), rtype.clone()))
            .collect();
        assert!(positions[2..].is_sorted(), "{order:?}");
        let group = listed.into_iter().filter(|(_, rtype, _)| rtype == "A");
        group.filter_map(|(_, _, id)| id).collect()
    };
    let [up, down, one, two] = ORDERS.map(identifiers);
    assert!(up.is_sorted());
    assert_eq!(up.iter().rev().cloned().collect::<Vec<_>>(), down);
    assert_ne!(one, two);
    assert!(!one.is_sorted() && !one.iter().rev().is_sorted());
    assert_eq!(identifiers(IdentifierOrder::Shuffled(1)), one);
}

#[test]
fn a_page_can_start_where_a_record_set_has_gone() {
    for order in ORDERS {
        let mut zone = zone(order);
        let before = listed(&zone, 300);
        let (name, rtype, gone) = before[200].clone();
        let query = ListQuery {
            name: Some(name),
            rtype: Some(rtype),
            identifier: gone.clone(),
            max_items: None,
        };
        let first = |zone: &Zone| {
            let page = zone.list(&query).unwrap();
            page.record_sets[0].set_identifier.clone()
        };
        assert_eq!(first(&zone), gone);
        zone.sets.retain(|_, set| set.set_identifier != gone);
        assert_eq!(first(&zone), before[201].2, "{order:?}");
    }
}

#[test]
fn the_service_lists_in_the_order_of_its_options() {
    for order in ORDERS {
        let server = Route53::start(Options {
            identifier_order: order,
            ..Options::default()
        });
        server.add_zone("Z1", "example.com", false);
        let pure = zone(order);
        server.edit("Z1", |zone| {
            pure.record_sets().for_each(|set| zone.put(set.clone()));
        });
        let page = get(&server.url(), "hostedzone/Z1/rrset?maxitems=100");
        let expected = &listed(&pure, 300)[100];
        assert_eq!(page.element("NextRecordName").as_ref(), Some(&expected.0));
        assert_eq!(page.element("NextRecordType").as_ref(), Some(&expected.1));
        assert_eq!(page.element("NextRecordIdentifier"), expected.2);
        let next = expected.2.as_ref().unwrap().replace(' ', "%20");
        let query = format!("?name=m.example.com&type=A&identifier={next}");
        let page = get(&server.url(), &format!("hostedzone/Z1/rrset{query}"));
        assert_eq!(page.element("SetIdentifier"), expected.2, "{order:?}");
    }
}
