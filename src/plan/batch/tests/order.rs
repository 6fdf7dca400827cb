//! What has to be in an earlier batch than something else, where one batch is too small for both.

use super::*;

/// A record set whose change takes 800 of the 1,000 values of a request.
fn bulk(third: u8) -> RecordSet {
    let values = (0..400).map(|i| format!("10.{third}.{}.{}", i / 200, i % 200));
    RecordSet::of_values(key("bulk"), TTL, values.collect())
}

#[test]
fn an_entry_is_in_its_new_state_record_before_it_leaves_the_first_one() {
    let others: Vec<RecordSet> = (0..103).map(|i| a(&format!("n{i}"), "192.0.2.1")).collect();
    let (in_first, in_second) = others.split_at(98);
    let listed = |sets: &[RecordSet]| -> Vec<String> {
        sets.iter()
            .map(|set| set.key.name.as_str().to_owned())
            .collect()
    };
    let mut first = listed(in_first);
    first.extend([
        "bulk.example.com.".to_owned(),
        "six.example.com. AAAA".to_owned(),
    ]);
    let mut zone = others.clone();
    zone.extend([
        bulk(1),
        aaaa("six"),
        state_record(0, &first),
        state_record(1, &listed(in_second)),
    ]);
    let mut desired = others;
    desired.extend([bulk(2), aaaa("six")]);

    // The change and the first state record's write fill a batch, unless the entry comes before.
    let (batches, _) = run(&zone, &desired);
    assert!(batches.len() > 1);
    for state in states(&zone, &batches) {
        assert!(state.owns(&aaaa("six").key));
    }
}

#[test]
fn the_claim_is_in_the_first_batch_though_others_would_fill_it() {
    let others: Vec<RecordSet> = (0..98).map(|i| a(&format!("n{i}"), "192.0.2.1")).collect();
    let gone = a("gone", "192.0.2.2");
    let mut first: Vec<String> = others
        .iter()
        .map(|set| set.key.name.as_str().to_owned())
        .collect();
    first.extend(["bulk", "gone"].map(|label| format!("{label}.example.com.")));
    let mut zone = others.clone();
    zone.extend([bulk(1), gone, state_record(0, &first)]);
    let mut desired = others;
    desired.push(bulk(2));

    let claim = Claim::new("rancher:8080", None);
    let (batches, _) = run_claimed(&zone, &desired, Some(&claim));
    assert!(batches.len() > 1);
    assert!(states(&zone, &batches)[0].has_claim_of(&claim));
}

/// State records that are nearly full take one entry each, and no batch holds more than two of them.
#[test]
fn entries_that_go_to_several_state_records_are_in_all_of_them_before_they_leave() {
    let pad = "x".repeat(39);
    let label = |record: usize, i: usize| format!("n{record}-{i:02}.{pad}");
    for (in_first, moved) in [(97, 2), (10, 3)] {
        let counts = [in_first].into_iter().chain(std::iter::repeat_n(98, moved));
        let (mut zone, mut sixes, mut records) = (Vec::new(), Vec::new(), Vec::new());
        for (record, count) in counts.enumerate() {
            let sets: Vec<RecordSet> = (0..count)
                .map(|i| a(&label(record, i), "192.0.2.1"))
                .collect();
            let mut listed: Vec<String> = sets
                .iter()
                .map(|set| set.key.name.as_str().to_owned())
                .collect();
            if record == 0 {
                for i in 0..moved {
                    let mut set = aaaa("six");
                    set.key.name = a(&label(9, i), "").key.name;
                    listed.push(format!("{} AAAA", set.key.name.as_str()));
                    sixes.push(set);
                }
            }
            zone.extend(sets);
            records.push(state_record(record as u16, &listed));
        }
        zone.extend(sixes.iter().cloned());
        let desired = zone.clone();
        zone.extend(records);

        let (batches, _) = run(&zone, &desired);
        assert_eq!(batches.len(), 2, "{moved}");
        for state in states(&zone, &batches) {
            assert!(sixes.iter().all(|set| state.owns(&set.key)), "{moved}");
        }
    }
}

/// Taking over is adding the entry; the change alone would fit into the first batch.
#[test]
fn a_bulky_record_set_that_is_taken_over_is_listed_before_it_changes() {
    let others: Vec<RecordSet> = (0..99).map(|i| a(&format!("n{i}"), "192.0.2.1")).collect();
    let listed = others.iter().map(|set| set.key.name.as_str().to_owned());
    let listed: Vec<String> = listed.chain(["gone.example.com.".to_owned()]).collect();
    let values = bulk(3).values().iter().take(30).cloned().collect();
    let gone = RecordSet::of_values(key("gone"), TTL, values);
    let mut zone = others.clone();
    zone.extend([bulk(1), gone, state_record(0, &listed)]);
    let mut desired = others;
    desired.push(bulk(2));

    let (batches, _) = run_with(&zone, &desired, None, &Adopt::Matching);
    assert_eq!(batches.len(), 2);
    let changed = batches
        .iter()
        .position(|batch| batch.deletes.contains(&bulk(1)));
    let listed = states(&zone, &batches);
    assert!(listed[changed.expect("a batch with the change")].owns(&bulk(1).key));
}

/// Whoever stopped in the middle of moving entries has left them in both state records.
#[test]
fn what_another_state_record_lists_already_leaves_the_first_and_a_trace() {
    let listed = "six.example.com. AAAA".to_owned();
    let zone = [
        aaaa("six"),
        state_record(0, &[&listed]),
        state_record(1, &[&listed]),
    ];
    let (batches, after) = run(&zone, &[aaaa("six")]);
    let deletes = |batch: &ChangeBatch| batch.deletes.clone();
    assert_eq!(
        batches.iter().map(deletes).collect::<Vec<_>>(),
        [[zone[2].clone(), zone[1].clone()]]
    );
    let again = of_generation(RANDOM + 1, zone[2].clone());
    assert_eq!(after_sets(&after), [again, zone[0].clone()]);

    let names: Vec<String> = (0..150).map(|i| format!("n{i:03}.example.com.")).collect();
    let sets: Vec<RecordSet> = (0..150)
        .map(|i| a(&format!("n{i:03}"), "192.0.2.1"))
        .collect();
    let mut zone = sets.clone();
    zone.extend([state_record(0, &names), state_record(1, &names[101..])]);
    let (batches, after) = run(&zone, &sets[1..]);
    let records = |batch: &ChangeBatch| -> Vec<RecordSet> {
        let is_record = |set: &&RecordSet| set.key.rtype == RecordType::Txt;
        batch.deletes.iter().filter(is_record).cloned().collect()
    };
    let written: Vec<RecordSet> = batches.iter().flat_map(records).collect();
    assert_eq!(written, [state_record(0, &names)]);
    let state = StateRecords::read(&after, &super::names());
    assert!(sets[1..].iter().all(|set| state.owns(&set.key)));
}
