use super::*;
use crate::base::sorted;
use crate::dns::zone::Listed;
use crate::dns::{RecordSet, RecordType, Routing};
use crate::plan::state_records::Entry;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn names() -> StateNames {
    StateNames::new("u", &name("example.com")).unwrap()
}

fn a(text: &str, value: &str) -> RecordSet {
    RecordSet::of_values(
        RecordKey::new(name(text), RecordType::A),
        300,
        [value.to_owned()].into(),
    )
}

/// A state record of this owner that lists A record sets.
fn record(owner: &str, index: u16, listed: &[&str]) -> RecordSet {
    let names = StateNames::new(owner, &name("example.com")).unwrap();
    let owned = |text: &&str| Entry::Owned(a(text, "192.0.2.1").key);
    RecordSet::of_values(
        RecordKey::new(names.name(index), RecordType::Txt),
        300,
        listed
            .iter()
            .map(owned)
            .map(|entry| entry.value())
            .collect(),
    )
}

fn zone(sets: &[RecordSet]) -> Zone {
    let mut zone = Zone::default();
    for set in sets {
        zone.insert(set.key.clone(), Listed::Whole(set.clone()));
    }
    zone
}

fn desired(sets: &[RecordSet]) -> Desired {
    let sets = sets.iter().map(|set| (set.key.clone(), set.clone()));
    Desired {
        record_sets: sets.collect(),
        ..Desired::default()
    }
}

fn part(singles: &[&str]) -> Coverage {
    Coverage::Part {
        below: name("prod.example.com"),
        singles: sorted::set(singles.iter().map(|text| name(text)))
            .into_iter()
            .collect(),
    }
}

const WEB: &str = "web.prod.example.com";
const DB: &str = "db.prod.example.com";

/// A view after both listings: web is ours, db is another owner's.
fn view() -> ZoneView {
    let mut view = ZoneView::new(names());
    let records = [record("u", 0, &[WEB]), record("other", 0, &[DB])];
    view.set_state_records(zone(&records));
    let rest = zone(&[a(WEB, "192.0.2.1"), a(DB, "192.0.2.2")]);
    view.set_rest(rest, part(&[]));
    view
}

#[test]
fn another_listing_of_state_records_says_whose_have_changed() {
    let (ours, others) = (record("u", 0, &[WEB]), record("other", 0, &[DB]));
    let other_ours = ours.clone().with_ttl(301);
    for (listed, expected) in [
        (&[ours.clone(), others.clone()][..], RecordsChange::None),
        (&[], RecordsChange::Ours),
        (std::slice::from_ref(&others), RecordsChange::Ours),
        (std::slice::from_ref(&ours), RecordsChange::Others),
        (
            &[ours.clone(), record("other", 0, &[WEB])],
            RecordsChange::Others,
        ),
        (&[other_ours, others.clone()], RecordsChange::Ours),
    ] {
        let mut view = view();
        let change = view.set_state_records(zone(listed));
        assert_eq!(change, expected, "{listed:?}");
        assert_eq!(view.state, StateRecords::read(&view.zone, &names()));
    }
}

#[test]
fn a_listing_of_state_records_replaces_those_that_it_lists_and_nothing_else() {
    let ours = record("u", 1, &[WEB]);
    // Pages end behind what was asked for.
    let listed = zone(&[ours.clone(), record("zz", 0, &[]), a(WEB, "192.0.2.9")]);
    let (web, db) = (a(WEB, "192.0.2.1"), a(DB, "192.0.2.2"));

    let mut all = view();
    all.set_state_records(listed);
    let expected = zone(&[web, db, ours, record("zz", 0, &[])]);
    assert_eq!(all.zone, expected);
}

#[test]
fn a_listing_of_the_rest_leaves_the_state_records_as_they_are() {
    let mut view = view();
    let new = a("new.example.com", "192.0.2.3");
    view.set_rest(zone(&[new.clone(), record("u", 5, &[DB])]), Coverage::Whole);
    let records = [record("u", 0, &[WEB]), record("other", 0, &[DB])];
    assert_eq!(view.zone, zone(&[&[new][..], &records].concat()));
    assert_eq!(view.coverage, Coverage::Whole);
    assert!(view.state.owns(&a(WEB, "").key));
}

#[test]
fn a_few_names_elsewhere_are_looked_up_and_for_more_the_whole_zone_is_listed() {
    let environment = name("prod.example.com");
    let many = |count: usize| -> Vec<String> {
        let names = 0..count;
        names.map(|i| format!("n{i:02}.example.com")).collect()
    };
    let (ten, eleven) = (many(10), many(11));
    let of = |names: &[&str]| -> Vec<String> { names.iter().map(|n| (*n).to_owned()).collect() };
    // One place for each of the name's labels above the zone's: 21, and 20.
    let too_deep = "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.example.com";
    let deep = &too_deep[2..];
    let places: Vec<&str> = (0..20).map(|label| &deep[2 * label..]).collect();
    for (desired_names, owned_names, expected) in [
        (of(&[WEB]), of(&[DB]), part(&[])),
        (of(&["prod.example.com"]), vec![], part(&[])),
        (
            of(&["web.example.com"]),
            of(&["db.example.com", WEB]),
            part(&["db.example.com", "web.example.com"]),
        ),
        (
            of(&["example.com", "*.example.com"]),
            vec![],
            part(&["example.com", "*.example.com"]),
        ),
        // Whoever is delegated `shop` has `a.shop`, too.
        (
            of(&["a.shop.example.com"]),
            vec![],
            part(&["a.shop.example.com", "shop.example.com"]),
        ),
        (
            ten.clone(),
            ten.clone(),
            part(&ten.iter().map(String::as_str).collect::<Vec<_>>()),
        ),
        (eleven.clone(), vec![], Coverage::Whole),
        (ten.clone(), of(&["x.example.com"]), Coverage::Whole),
        (vec![], eleven, Coverage::Whole),
        (of(&[deep]), vec![], part(&places)),
        (of(&[too_deep]), vec![], Coverage::Whole),
    ] {
        let mut view = ZoneView::new(names());
        let owned: Vec<&str> = owned_names.iter().map(String::as_str).collect();
        view.set_state_records(zone(&[record("u", 0, &owned)]));
        let sets: Vec<RecordSet> = desired_names
            .iter()
            .map(|text| a(text, "192.0.2.1"))
            .collect();
        let found = view.coverage_for(Some(&environment), &desired(&sets));
        assert_eq!(found, expected, "{desired_names:?} {owned_names:?}");
        assert_eq!(view.coverage_for(None, &desired(&sets)), Coverage::Whole);
        let keys: Vec<RecordKey> = sets.into_iter().map(|set| set.key).collect();
        view.coverage = found;
        assert!(view.covers(keys.iter()) && view.covers(view.state.owned()));
    }
    assert_eq!(part(&[]).below(), Some(&environment));
    assert_eq!(Coverage::Whole.below(), None);
}

#[test]
fn a_coverage_is_listed_place_by_place_each_from_its_name_on() {
    let below = name("prod.example.com");
    let one = name("one.example.com");
    let places = part(&["one.example.com"]).places();
    let expected = [Place::Below(below.clone()), Place::Single(one.clone())];
    assert_eq!(places, expected);
    let starts: Vec<_> = places.iter().map(Place::start).collect();
    assert_eq!(starts, [Some(&below), Some(&one)]);
    assert_eq!(Coverage::Whole.places(), [Place::Whole]);
    assert_eq!(Place::Whole.start(), None);
}

#[test]
fn a_listing_of_a_place_replaces_what_is_in_it_and_nothing_else() {
    let mut view = view();
    let one = a("one.example.com", "192.0.2.3");
    view.set_coverage(part(&["one.example.com", "two.example.com"]));
    view.set_place(
        &Place::Single(name("one.example.com")),
        zone(std::slice::from_ref(&one)),
    );
    let records = [record("u", 0, &[WEB]), record("other", 0, &[DB])];
    let known = [a(WEB, "192.0.2.1"), a(DB, "192.0.2.2")];
    assert_eq!(
        view.zone,
        zone(&[&[one.clone()][..], &records, &known].concat())
    );

    let other = a(WEB, "192.0.2.9");
    let below = Place::Below(name("prod.example.com"));
    view.set_place(&below, zone(std::slice::from_ref(&other)));
    assert_eq!(
        view.zone,
        zone(&[&[one, other.clone()][..], &records].concat())
    );

    view.set_coverage(part(&["two.example.com"]));
    assert_eq!(
        view.zone,
        zone(&[&[other][..], &records].concat()),
        "one isn't known any more"
    );
}

#[test]
fn what_was_listed_is_known_for_names_below_it() {
    let mut view = view();
    let (web, elsewhere) = (a(WEB, "").key, a("web.example.com", "").key);
    assert!(view.covers([&web].into_iter()));
    assert!(!view.covers([&web, &elsewhere].into_iter()));
    view.coverage = part(&["web.example.com"]);
    assert!(view.covers([&web, &elsewhere].into_iter()));
    let beside = a("x.web.example.com", "").key;
    assert!(
        !view.covers([&beside].into_iter()),
        "below a single name nothing is known"
    );
    view.coverage = Coverage::Whole;
    assert!(view.covers([&web, &elsewhere].into_iter()));
}

#[test]
fn a_confirmed_batch_changes_the_zone_and_what_is_owned() {
    let mut view = view();
    let new = a("new.prod.example.com", "192.0.2.3");
    let records = [
        record("u", 0, &[WEB]),
        record("u", 0, &[WEB, "new.prod.example.com"]),
    ];
    view.apply(&ChangeBatch {
        deletes: vec![records[0].clone()],
        creates: vec![records[1].clone(), new.clone()],
    });
    assert_eq!(view.zone.whole(&new.key), Some(&new));
    assert!(view.state.owns(&new.key));
    assert_eq!(view.state, StateRecords::read(&view.zone, &names()));
}

#[test]
fn a_name_is_published_once_all_of_it_is_in_the_zone_and_ours() {
    let aaaa = |text: &str| {
        RecordSet::of_values(
            RecordKey::new(name(text), RecordType::Aaaa),
            300,
            ["2001:db8::1".to_owned()].into(),
        )
    };
    let (web, other) = (a(WEB, "192.0.2.1"), a(WEB, "192.0.2.99"));
    let set = |names: &[&str]| {
        names
            .iter()
            .map(|text| a(text, "192.0.2.1").key.member())
            .collect::<BTreeSet<_>>()
    };
    for (wanted, published, outdated) in [
        (&[web.clone()][..], &[WEB][..], &[][..]),
        (std::slice::from_ref(&other), &[WEB], &[WEB]),
        (&[web.clone(), aaaa(WEB)], &[], &[]), // the AAAA record set is still to be created
        (&[a(DB, "192.0.2.2")], &[], &[]),     // it is another owner's
        (&[a("gone.prod.example.com", "192.0.2.4")], &[], &[]),
        (&[], &[], &[]),
    ] {
        let found = view().published(&desired(wanted), Policy::Sync);
        assert_eq!(found, (set(published), set(outdated)), "{wanted:?}");
    }
}

/// A weighted record set has the TTL of those beside it that the policy keeps.
#[test]
fn another_ttl_of_a_weighted_record_set_that_stays_is_as_desired() {
    let weighted = |set_id: &str, ttl: u32| {
        let simple = a(WEB, "192.0.2.1").with_ttl(ttl);
        let key = RecordKey::with_set_id(name(WEB), RecordType::A, Some(set_id.into()));
        RecordSet::new(key, simple.body, Some(Routing::Weighted(1)))
    };
    let listed = [weighted("u", 60), weighted("old", 60)];
    let entries = listed
        .iter()
        .map(|set| Entry::Owned(set.key.clone()).value());
    let record = RecordSet::of_values(record("u", 0, &[]).key, 300, entries.collect());
    let mut view = ZoneView::new(names());
    view.set_state_records(zone(std::slice::from_ref(&record)));
    view.set_rest(zone(&listed), Coverage::Whole);
    for (wanted, policy, is_outdated) in [
        (300, Policy::Sync, true),
        (60, Policy::Sync, false),
        (300, Policy::UpsertOnly, false),
        (300, Policy::CreateOnly, false),
    ] {
        let (in_zone, outdated) = view.published(&desired(&[weighted("u", wanted)]), policy);
        assert_eq!(in_zone, [listed[0].key.member()].into());
        assert_eq!(outdated.is_empty(), !is_outdated, "{wanted} {policy:?}");
    }
    // Another owner lists the other one, too: whatever the policy, it stays.
    let entry = Entry::Owned(listed[1].key.clone()).value();
    let theirs = RecordSet::of_values(self::record("v", 0, &[]).key, 300, [entry].into());
    view.set_state_records(zone(&[record, theirs]));
    let (_, outdated) = view.published(&desired(&[weighted("u", 300)]), Policy::Sync);
    assert_eq!(outdated, BTreeSet::new());
}
