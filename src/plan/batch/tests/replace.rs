//! Record sets that others replace, with the entries of both.

use super::*;
use crate::dns::Routing;

fn of(label: &str, rtype: RecordType, values: &[String]) -> RecordSet {
    let key = RecordKey::new(key(label).name, rtype);
    RecordSet::of_values(key, TTL, values.iter().cloned().collect())
}

fn cname(label: &str) -> RecordSet {
    of(label, RecordType::Cname, &["lb.example.org.".to_owned()])
}

/// Another record set as one of several.
fn weighted(mut set: RecordSet, id: &str) -> RecordSet {
    set.key.set_id = Some(id.into());
    set.routing = Some(Box::new(Routing::Weighted(5)));
    set
}

/// An A record set with so many values.
fn large(label: &str, values: usize) -> RecordSet {
    let values: Vec<String> = (0..values)
        .map(|i| format!("10.0.{}.{}", i / 200, i % 200))
        .collect();
    of(label, RecordType::A, &values)
}

/// An AAAA record set of as many characters as can be.
fn long(label: &str) -> RecordSet {
    let values: Vec<String> = (0..400)
        .map(|i| format!("2001:db8:aaaa:bbbb:cccc:dddd:eeee:1{i:03x}"))
        .collect();
    of(label, RecordType::Aaaa, &values)
}

fn small(prefix: &str, count: usize) -> Vec<RecordSet> {
    (0..count)
        .map(|i| a(&format!("{prefix}{i:03}"), "192.0.2.1"))
        .collect()
}

/// A state record that lists these.
fn record_of(index: u16, sets: &[RecordSet]) -> RecordSet {
    let entries: BTreeSet<Entry> = sets.iter().map(|s| Entry::Owned(s.key.clone())).collect();
    RecordSet::of_values(
        RecordKey::new(names().name(index), RecordType::Txt),
        TTL,
        Entry::values(&entries),
    )
}

fn is_state(set: &&RecordSet) -> bool {
    set.key.rtype == RecordType::Txt
}

/// Replays batches: after each, the limits, that something of the name is listed, that all record sets
/// are listed, and that no two writes of a state record are equal. Returns how many batches have
/// something of the name's record sets.
fn replay(zone: &[RecordSet], batches: &[ChangeBatch], label: &str) -> usize {
    let mut view = zone_of(zone);
    let mut written: BTreeSet<(RecordKey, Option<u32>)> = zone
        .iter()
        .filter(is_state)
        .map(|set| (set.key.clone(), set.ttl()))
        .collect();
    let name = key(label).name;
    let mut with_name = 0;
    for batch in batches {
        assert!(fit_in_one_request([batch]));
        for set in &batch.deletes {
            assert_eq!(view.whole(&set.key), Some(set), "deleted as it is");
        }
        view.apply(batch);
        let state = StateRecords::read(&view, &names());
        assert!(state.owned().any(|key| key.name == name));
        let sets = view.iter().filter(|(key, _)| key.rtype != RecordType::Txt);
        for (key, _) in sets {
            assert!(state.owns(key), "nobody owns {key}");
        }
        for set in batch.creates.iter().filter(is_state) {
            assert!(written.insert((set.key.clone(), set.ttl())), "{set}");
        }
        let mut sets = batch.deletes.iter().chain(&batch.creates);
        with_name += usize::from(sets.any(|set| set.key.name == name));
    }
    with_name
}

/// The state records after a plan, by index, with what they list.
fn listed(zone: &Zone) -> Vec<(u16, Vec<String>)> {
    let state = StateRecords::read(zone, &names());
    let records = state.records().iter();
    records
        .map(|r| (r.index, r.owned().map(RecordKey::to_string).collect()))
        .collect()
}

#[test]
fn an_address_becomes_a_cname_in_one_batch_with_both_state_records() {
    let (db, web) = (a("db", "192.0.2.1"), a("web", "192.0.2.2"));
    let six = of("six", RecordType::Aaaa, &["2001:db8::1".to_owned()]);
    let zone = [
        db.clone(),
        web.clone(),
        six.clone(),
        record_of(0, &[db.clone(), web.clone()]),
        of_generation(7, record_of(1, std::slice::from_ref(&six))),
    ];
    let new = cname("web");
    let desired = [db.clone(), six.clone(), new.clone()];
    let (batches, after) = run(&zone, &desired);
    let others = super::super::replace::OTHERS;
    assert_eq!(
        batches,
        [ChangeBatch {
            deletes: vec![zone[4].clone(), zone[3].clone(), web],
            creates: vec![
                of_generation(8, record_of(1, &[six, new.clone()])),
                of_generation(RANDOM + others, record_of(0, &[db])),
                new,
            ],
        }]
    );
    assert_eq!(run(&after_sets(&after), &desired).0, []);
}

#[test]
fn a_plain_address_is_listed_first_and_everything_else_further_on() {
    let web = a("web", "192.0.2.1");
    let routed = weighted(web.clone(), "u");
    let both = [cname("web"), routed.clone()];
    let six = weighted(
        of("web", RecordType::Aaaa, &["2001:db8::1".to_owned()]),
        "u",
    );
    for (before, desired) in [
        (vec![web.clone()], vec![both[0].clone()]),
        (vec![both[0].clone()], vec![web.clone()]),
        (vec![web.clone()], vec![routed.clone()]),
        (vec![routed.clone()], vec![web.clone()]),
        (vec![both[0].clone()], vec![routed.clone(), six.clone()]),
        (
            vec![routed.clone(), weighted(web.clone(), "v"), six],
            vec![web],
        ),
    ] {
        let index = |sets: &[RecordSet]| u16::from(sets[0].key != key("web"));
        let mut zone = before.clone();
        zone.push(record_of(index(&before), &before));
        let (batches, after) = run(&zone, &desired);
        assert_eq!(batches.len(), 1);
        assert_eq!(replay(&zone, &batches, "web"), 1);
        let keys = desired.iter().map(|set| set.key.to_string()).collect();
        assert_eq!(listed(&after), [(index(&desired), keys)]);
    }
}

#[test]
fn it_shares_a_batch_with_whatever_else_changes() {
    let zone = [
        a("web", "192.0.2.1"),
        a("old", "192.0.2.2"),
        a("db", "192.0.2.3"),
        cname("shop"),
        record_of(0, &[a("web", ""), a("old", ""), a("db", "")]),
        record_of(1, &[cname("shop")]),
    ];
    let desired = [
        cname("web"),
        a("db", "192.0.2.4"),
        a("new", "192.0.2.5"),
        a("shop", "192.0.2.6"),
    ];
    let (batches, after) = run(&zone, &desired);
    assert_eq!(batches.len(), 1);
    replay(&zone, &batches, "web");
    let owned = [
        (
            0,
            ["db", "new", "shop"].map(|l| key(l).to_string()).to_vec(),
        ),
        (1, vec![cname("web").key.to_string()]),
    ];
    assert_eq!(listed(&after), owned);
    let web = batches[0].deletes.iter().filter(is_state).count();
    assert_eq!(web, 2, "each state record is written once");
}

#[test]
fn where_one_request_is_too_small_entries_come_before_and_go_after() {
    let pad = "x".repeat(40);
    let others = small(&format!("{pad}n"), 95);
    let (first, second) = (small("a", 99), small("b", 98));
    let six = long("web");
    let of_web = |ids: &[&str]| -> Vec<RecordSet> {
        let ids = ids.iter();
        ids.map(|id| weighted(large("web", 400), id)).collect()
    };
    // What there is, what is to be, state records besides, batches, and how many have something of it.
    for (before, desired, records, expected, with_web) in [
        // 800 values and 199 of the state record that loses an entry, and one of a new one: just so.
        (
            vec![large("web", 400)],
            of_web(&["u"]),
            vec![(0, first.clone())],
            1,
            1,
        ),
        // The other state record has an entry already.
        (
            vec![large("web", 400)],
            of_web(&["u"]),
            vec![(0, first.clone()), (1, second[..1].to_vec())],
            2,
            1,
        ),
        // Together they have 31,200 characters, and both state records are long.
        (
            vec![six.clone()],
            vec![weighted(long("web"), "u")],
            vec![(1, others.clone()), (2, small(&format!("{pad}m"), 80))],
            3,
            1,
        ),
        // Three requests of values: 800 go, then the rest goes and the first comes.
        (
            of_web(&["u", "v", "w"]),
            vec![large("web", 400)],
            vec![],
            2,
            2,
        ),
        (
            vec![large("web", 400)],
            of_web(&["u", "v", "w"]),
            vec![],
            2,
            2,
        ),
    ] {
        let mut zone = before.clone();
        let index = u16::from(before[0].key != key("web"));
        let mut lists: BTreeMap<u16, Vec<RecordSet>> = BTreeMap::new();
        lists.entry(index).or_default().extend(before.clone());
        for (index, sets) in &records {
            zone.extend(sets.iter().cloned());
            lists.entry(*index).or_default().extend(sets.clone());
        }
        zone.extend(lists.iter().map(|(index, sets)| record_of(*index, sets)));
        let stay = records.into_iter().flat_map(|(_, sets)| sets);
        let desired: Vec<RecordSet> = stay.chain(desired).collect();
        let (batches, after) = run(&zone, &desired);
        let story = format!("{} becomes {}", before[0].key, desired.last().unwrap().key);
        assert_eq!(batches.len(), expected, "{story}");
        assert_eq!(replay(&zone, &batches, "web"), with_web, "{story}");
        let state = StateRecords::read(&after, &names());
        assert_eq!(state.owned().count(), desired.len(), "{story}");
        assert_eq!(run(&after_sets(&after), &desired).0, [], "{story}");
    }
}

#[test]
fn the_claim_is_in_the_first_batch_all_the_same() {
    let claim = Claim::new("rancher:8080", Some("stack"));
    for (before, desired) in [
        (vec![a("web", "192.0.2.1")], vec![cname("web")]),
        (
            vec![large("web", 400)],
            ["u", "v", "w"]
                .map(|id| weighted(large("web", 400), id))
                .to_vec(),
        ),
    ] {
        let mut zone = before.clone();
        zone.push(record_of(0, &before));
        let (batches, _) = run_claimed(&zone, &desired, Some(&claim));
        replay(&zone, &batches, "web");
        let mut view = zone_of(&zone);
        view.apply(&batches[0]);
        let state = StateRecords::read(&view, &names());
        assert!(state.has_claim_of(&claim));
    }
}

#[test]
fn what_is_listed_and_missing_is_created_with_a_write_of_its_state_record() {
    let web = a("web", "192.0.2.1");
    let record = of_generation(7, record_of(1, &[cname("web")]));
    let zone = [web.clone(), record_of(0, &[web]), record.clone()];
    let (batches, after) = run(&zone, &[cname("web")]);
    assert_eq!(batches.len(), 1);
    assert!(batches[0].deletes.contains(&record));
    let written = of_generation(8, record_of(1, &[cname("web")]));
    assert_eq!(after_sets(&after), [written, cname("web")]);
}

#[test]
fn an_entry_goes_past_full_state_records_and_names_that_are_taken() {
    let (full, few) = (small("a", 100), small("b", 3));
    let (full, few): (Vec<_>, Vec<_>) = (
        full.into_iter().map(|set| weighted(set, "u")).collect(),
        few.into_iter().map(|set| weighted(set, "u")).collect(),
    );
    let web = a("web", "192.0.2.1");
    let taken = RecordSet::of_values(
        RecordKey::new(names().name(2), RecordType::Cname),
        TTL,
        ["elsewhere.example.org.".to_owned()].into(),
    );
    for (third, index) in [(Some(record_of(3, &few)), 3), (None, 3)] {
        let mut zone = [&full[..], std::slice::from_ref(&web)].concat();
        zone.extend([
            record_of(0, std::slice::from_ref(&web)),
            record_of(1, &full),
        ]);
        zone.push(taken.clone());
        let mut desired = full.clone();
        if let Some(third) = third {
            zone.extend(few.iter().cloned());
            zone.push(third);
            desired.extend(few.clone());
        }
        desired.push(cname("web"));
        let (batches, after) = run(&zone, &desired);
        assert_eq!(batches.len(), 1);
        let state = StateRecords::read(&after, &names());
        let listed_in: Vec<u16> = state.listed_in(&cname("web").key).collect();
        assert_eq!(listed_in, [index]);
    }
}

#[test]
fn a_state_record_that_goes_and_comes_back_has_another_generation() {
    // The first empties the second state record, the last one fills it again.
    let before = [cname("a"), a("b", "192.0.2.2"), a("c", "192.0.2.3")];
    let zone = [
        &before[..],
        &[
            record_of(0, &before[1..]),
            record_of(1, std::slice::from_ref(&before[0])),
        ],
    ]
    .concat();
    let desired = [a("a", "192.0.2.1"), cname("b"), cname("c")];
    let (batches, after) = run(&zone, &desired);
    replay(&zone, &batches, "b");
    let state = StateRecords::read(&after, &names());
    assert_eq!(state.owned().count(), 3);
}

/// As rancher/external-dns left it, which lists all in one.
#[test]
fn a_state_record_that_is_too_long_is_divided_after_the_replacement() {
    let many = small(&"x".repeat(40), 350);
    let mut zone = many.clone();
    zone.extend([a("web", "192.0.2.1"), a("api", "192.0.2.2")]);
    zone.push(record_of(0, &zone.clone()));
    let mut desired = many;
    desired.extend([cname("web"), cname("api")]);
    let (batches, after) = run(&zone, &desired);
    assert_eq!(replay(&zone, &batches, "web"), 1);
    let state = StateRecords::read(&after, &names());
    assert_eq!(state.owned().count(), desired.len());
    let records = state.records().iter();
    assert!(records.clone().all(|record| record.entries.len() <= 100));
    assert_eq!(batches.len(), 2);
    assert_eq!(run(&after_sets(&after), &desired).0, []);
}

/// As a setting does it that gives all names a routing policy. Names that follow each other stand in
/// different state records.
#[test]
fn state_records_are_written_as_seldom_as_can_be() {
    let all = small("n", 1_000);
    let mut zone = all.clone();
    for index in 0..10 {
        let listed: Vec<RecordSet> = all.iter().skip(index).step_by(10).cloned().collect();
        zone.push(record_of(index as u16, &listed));
    }
    let desired: Vec<RecordSet> = all.into_iter().map(|set| weighted(set, "u")).collect();
    let (batches, after) = run(&zone, &desired);
    let state = StateRecords::read(&after, &names());
    assert_eq!(state.owned().count(), 1_000);
    // A thousand record sets and entries, each old and new: at least four.
    assert_eq!(batches.len(), 5);
}
