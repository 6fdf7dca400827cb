//! What things take of a request.

use super::*;

fn cost(records: usize, characters: usize) -> Cost {
    Cost {
        records,
        characters,
    }
}

#[test]
fn values_and_their_characters_count() {
    let key = RecordKey::new(Name::parse("a.example.com").unwrap(), RecordType::A);
    let set = RecordSet::of_values(
        key.clone(),
        300,
        ["192.0.2.1", "192.0.2.22"].map(str::to_owned).into(),
    );
    assert_eq!(Cost::of_set(&set), cost(2, 9 + 10));
    // "a.example.com." with its quotes.
    assert_eq!(Cost::of_entry_for(&set), cost(1, 16));
    assert_eq!(Cost::of_entry(&Entry::Owned(key)), cost(1, 16));
    let foreign = Entry::Foreign("\"é\"".to_owned());
    assert_eq!(
        Cost::of_entry(&foreign),
        cost(1, 3),
        "characters, not octets"
    );
}

#[test]
fn a_claim_takes_a_space_but_no_value_behind_another_entry() {
    let claim = Entry::Claim(Claim::new("rancher:8080", None));
    let alone = Cost::of_entry(&claim);
    assert_eq!(alone, cost(1, 1 + "\"claim 0123456789abcdef\"".len()));
    assert_eq!(alone.without_value_of_claim(), cost(0, alone.characters));
}

#[test]
fn costs_are_added_and_taken_away() {
    let (a, b) = (cost(7, 300), cost(3, 20));
    assert_eq!(a.plus(b), cost(10, 320));
    assert_eq!(a.minus(b), cost(4, 280));
    assert_eq!([a, b, b].into_iter().sum::<Cost>(), cost(13, 340));
}

#[test]
fn a_request_has_two_limits() {
    for (records, characters, expected) in [
        (0, 0, true),
        (1_000, 32_000, true),
        (1_001, 0, false),
        (0, 32_001, false),
    ] {
        let found = cost(records, characters).fits();
        assert_eq!(found, expected, "{records} {characters}");
    }
    assert_eq!(cost(10, 319).share(), 320, "a value takes a thousandth");
    assert_eq!(cost(10, 321).share(), 321);
}

#[test]
fn batches_fit_into_one_request_as_long_as_all_of_them_do() {
    let key = |i: usize| {
        let name = Name::parse(&format!("s{i}.example.com")).unwrap();
        RecordKey::new(name, RecordType::A)
    };
    let sets = |range: std::ops::Range<usize>| -> Vec<RecordSet> {
        let sets =
            range.map(|i| RecordSet::of_values(key(i), 300, ["192.0.2.1".to_owned()].into()));
        sets.collect()
    };
    let batch = |deletes, creates| ChangeBatch {
        deletes: sets(0..deletes),
        creates: sets(0..creates),
    };
    for (batches, expected) in [
        (vec![], true),
        (vec![batch(500, 500)], true),
        (vec![batch(500, 501)], false),
        (vec![batch(400, 100), batch(400, 100)], true),
        (vec![batch(400, 100), batch(400, 101)], false),
    ] {
        assert_eq!(fit_in_one_request(&batches), expected);
    }
}
