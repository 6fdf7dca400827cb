use super::*;

fn claim() -> Claim {
    Claim::new("rancher", None)
}

/// `web` in the first state record, the claim and these in the next one.
fn zone(others: &[RecordSet]) -> Vec<RecordSet> {
    let first = of_generation(5, state_record(0, &["web.example.com."]));
    let entries = others.iter().map(|set| Entry::Owned(set.key.clone()));
    let entries: BTreeSet<Entry> = entries.chain([Entry::Claim(claim())]).collect();
    let key = RecordKey::new(names().name(1), RecordType::Txt);
    let numbered = RecordSet::of_values(key, TTL, Entry::values(&entries));
    let mut zone = vec![a("web", "192.0.2.1"), first, of_generation(7, numbered)];
    zone.extend(others.iter().cloned());
    zone
}

/// The batches, and the generation of the second state record after each.
fn generations(zone: &[RecordSet], desired: &[RecordSet]) -> (Vec<ChangeBatch>, Vec<u32>) {
    let (batches, _) = run_claimed(zone, desired, Some(&claim()));
    let ttl = |state: &StateRecords| {
        let mut records = state.records().iter();
        records.find(|record| record.index == 1)?.set.ttl()
    };
    let least = Generation::of_number(0).ttl();
    let ttls = states(zone, &batches);
    let ttls = ttls.iter().filter_map(ttl).map(|ttl| ttl - least);
    (batches, ttls.collect())
}

#[test]
fn a_state_record_that_goes_has_another_one_written_with_it() {
    let (batches, generations) = generations(&zone(&[]), &[]);
    assert_eq!((batches.len(), &generations[..]), (1, &[8][..]));
    let [written] = &batches[0].creates[..] else {
        panic!("{batches:?}");
    };
    assert_eq!(written.values(), [format!("\"{}\"", claim())]);
}

#[test]
fn one_that_is_written_anyway_is_enough_and_what_stays_needs_none() {
    let (web, six, seven) = (a("web", "192.0.2.1"), aaaa("six"), aaaa("seven"));
    let both = zone(&[six.clone(), seven]);
    for (story, before, desired, expected) in [
        ("another entry goes", &both, vec![six.clone()], vec![8]),
        (
            "one comes, none goes",
            &zone(&[]),
            vec![web.clone(), six],
            vec![8],
        ),
        ("nothing happens", &zone(&[]), vec![web], vec![]),
    ] {
        let (_, generations) = generations(before, &desired);
        assert_eq!(generations, expected, "{story}");
    }
}

#[test]
fn the_last_one_goes_without_another() {
    let before = [
        a("web", "192.0.2.1"),
        state_record(0, &["web.example.com."]),
    ];
    let (batches, after) = run(&before, &[]);
    assert_eq!(batches.len(), 1);
    assert_eq!(after_sets(&after), []);
}

/// The delete of `web` and its state record fill a request, so the claim's has one of its own; and the
/// claim's has too many deletes of its own for one more.
#[test]
fn it_comes_before_where_there_is_no_room_and_later_writes_count_on() {
    let addresses = |count: u32| (0..count).map(|i| format!("2001:db8::{i:x}"));
    let bulk = |text: &str| RecordSet::of_values(aaaa(text).key, TTL, addresses(600).collect());
    let mut zone = zone(&[bulk("one"), bulk("two")]);
    zone[0] = RecordSet::of_values(key("web"), TTL, addresses(999).collect());
    let (batches, generations) = generations(&zone, &[]);
    let at = batches
        .iter()
        .position(|batch| batch.deletes.contains(&zone[0]));
    let at = at.expect("a batch with the delete");
    assert!(generations[at] > 7, "{generations:?}");
    let is_written = |batch: &ChangeBatch| {
        batch
            .creates
            .iter()
            .any(|set| names().index_of(&set.key) == Some(1))
    };
    let writes = batches.iter().filter(|batch| is_written(batch)).count();
    assert_eq!(
        *generations.last().unwrap(),
        7 + writes as u32,
        "{generations:?}"
    );
}

/// The batch that it goes with is full, and a replacement makes it anew with other entries.
#[test]
fn one_that_goes_and_comes_back_is_no_trace() {
    let of = |text: &str, rtype, values: Vec<String>| {
        RecordSet::of_values(
            RecordKey::new(key(text).name, rtype),
            TTL,
            values.into_iter().collect(),
        )
    };
    let many =
        |net: u32| -> Vec<String> { (0..400).map(|i| format!("2001:db8:{net}::{i:x}")).collect() };
    let cname = of("c", RecordType::Cname, vec!["lb.example.org.".to_owned()]);
    let before = zone(&[of("big", RecordType::Aaaa, many(1)), cname]);
    let others = [
        of("big", RecordType::Aaaa, many(2)),
        of("c", RecordType::A, many(3)),
    ];
    let (batches, generations) = generations(&before, &others);
    let first = names().name(0);
    let changes = |batch: &ChangeBatch| {
        let count = |sets: &[RecordSet]| sets.iter().filter(|set| set.key.name == first).count();
        (count(&batch.deletes), count(&batch.creates))
    };
    let changes: Vec<_> = batches.iter().map(changes).collect();
    assert_eq!(
        changes,
        [(1, 0), (0, 1)],
        "deletes and creates of the first state record"
    );
    assert_eq!(generations[0], 8);
}
