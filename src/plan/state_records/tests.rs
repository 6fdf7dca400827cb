use super::*;
use crate::dns::zone::Listed;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn names(owner: &str) -> StateNames {
    StateNames::new(owner, &name("example.com")).unwrap()
}

/// `web A` → the key of `web.example.com A`.
fn key(text: &str) -> RecordKey {
    let (label, rtype) = text.split_once(' ').unwrap();
    let name = name(&format!("{label}.example.com"));
    RecordKey::new(name, RecordType::parse(rtype))
}

fn claim(server: &str) -> Claim {
    Claim::new(server, None)
}

/// A state record that lists these and holds this claim.
fn record(owner: &str, index: u16, listed: &[&str], claimed: Option<&str>) -> RecordSet {
    let listed = listed.iter().map(|text| Entry::Owned(key(text)));
    let claimed = claimed.map(|server| Entry::Claim(claim(server)));
    let entries: Vec<Entry> = listed.chain(claimed).collect();
    RecordSet::of_values(
        RecordKey::new(names(owner).name(index), RecordType::Txt),
        300,
        Entry::values(&entries),
    )
}

fn zone(sets: &[RecordSet]) -> Zone {
    let mut zone = Zone::default();
    for set in sets {
        zone.insert(set.key.clone(), Listed::Whole(set.clone()));
    }
    zone
}

fn state(sets: &[RecordSet]) -> StateRecords {
    StateRecords::read(&zone(sets), &names("u"))
}

fn owned(state: &StateRecords) -> Vec<RecordKey> {
    state.owned().cloned().collect()
}

fn partial() -> Listed {
    Listed::Partial {
        element: "New".to_owned(),
    }
}

#[test]
fn applying_a_batch_is_as_reading_the_zone_anew() {
    let before = [
        record("u", 0, &["db A", "web A"], None),
        record("u", 2, &["db A", "web AAAA"], Some("a")),
        record("u", 10, &["z A"], Some("b")),
        record("other", 0, &["x A"], None),
    ];
    for (deletes, creates) in [
        (&[&before[0]][..], &[][..]),
        (&[&before[1]], &[]),
        (&[&before[2]], &[]),
        (&[&before[0], &before[1], &before[2]], &[]),
        (&[&before[0]], &[record("u", 0, &["db A"], None)][..]),
        (&[&before[1]], &[record("u", 2, &["web AAAA"], Some("c"))]),
        (&[&before[1]], &[record("u", 2, &["web AAAA", "y A"], None)]),
        (&[], &[record("u", 1, &["web A"], Some("a"))]),
        (&[], &[record("u", 300, &["y A"], None)]),
        (&[&before[0]], &[record("u", 1, &["db A", "web A"], None)]),
        (&[], &[record("u", 0, &["y A"], Some("d"))]), // as an answer that came late
    ] {
        let batch = ChangeBatch {
            deletes: deletes.iter().copied().cloned().collect(),
            creates: creates.to_vec(),
        };
        let mut applied = state(&before);
        applied.apply(&batch, &names("u"));
        let mut after = zone(&before);
        after.apply(&batch);
        assert_eq!(
            applied,
            StateRecords::read(&after, &names("u")),
            "{batch:?}"
        );
    }
}

#[test]
fn what_is_not_a_state_record_changes_nothing() {
    let before = state(&[record("u", 0, &["web A"], None)]);
    let mut after = before.clone();
    let web = RecordSet::of_values(key("web A"), 300, ["192.0.2.1".to_owned()].into());
    after.apply(
        &ChangeBatch {
            deletes: vec![web.clone(), record("other", 0, &["x A"], None)],
            creates: vec![web],
        },
        &names("u"),
    );
    assert_eq!(after, before);
}

#[test]
fn each_record_set_is_listed_by_the_state_records_that_have_it() {
    let state = state(&[
        record("u", 10, &["db A"], None),
        record("u", 0, &["db A", "web A"], None),
        record("u", 2, &["db A"], None),
        record("other", 0, &["x A"], None),
    ]);
    assert_eq!(owned(&state), [key("db A"), key("web A")]);
    let listed_in = |text: &str| state.listed_in(&key(text)).collect::<Vec<u16>>();
    assert_eq!(listed_in("db A"), [0, 2, 10]);
    assert_eq!(listed_in("web A"), [0]);
    assert_eq!(listed_in("x A"), [0; 0]);
    let indexes: Vec<u16> = state.records().iter().map(|record| record.index).collect();
    assert_eq!(indexes, [0, 2, 10]);
    assert!(state.owns(&key("web A")) && !state.owns(&key("web AAAA")) && !state.owns(&key("x A")));
    assert_eq!(
        state.listed_elsewhere(&key("x A")),
        Some(&names("other").name(0))
    );
    assert_eq!(state.listed_elsewhere(&key("web A")), None);
}

#[test]
fn only_a_txt_or_a_cname_takes_the_place_of_a_state_record() {
    let mut zone = zone(&[record("u", 1, &["web A"], None)]);
    for (index, rtype, listed) in [
        (2, "TXT", partial()),
        (3, "CNAME", partial()),
        (4, "A", partial()),
    ] {
        let key = RecordKey::new(names("u").name(index), RecordType::parse(rtype));
        zone.insert(key, listed);
    }
    let key = RecordKey::new(names("u").name(5), RecordType::Cname);
    let set = RecordSet::of_values(key.clone(), 300, ["example.com".to_owned()].into());
    zone.insert(key, Listed::Whole(set));
    let state = StateRecords::read(&zone, &names("u"));
    let taken = (0..7).filter(|index| state.is_taken(*index));
    assert_eq!(taken.collect::<Vec<u16>>(), [1, 2, 3, 5]);
}

#[test]
fn only_a_record_sets_belong_into_the_first() {
    let state = state(&[
        record("u", 0, &["db A", "web A", "web AAAA"], Some("a")),
        record("u", 1, &["db AAAA"], None),
    ]);
    let misplaced = |at: usize| state.records()[at].misplaced().cloned().collect::<Vec<_>>();
    assert_eq!(misplaced(0), [key("web AAAA")]);
    assert_eq!(misplaced(1), []);
}

#[test]
fn claims_are_found_wherever_they_stand_but_ours_belongs_behind_the_first() {
    let unclaimed = state(&[record("u", 0, &["web A"], None)]);
    let in_first = state(&[record("u", 0, &["web A"], Some("a"))]);
    let in_second = state(&[record("u", 1, &["web A"], Some("a"))]);
    for (state, has_any, has_ours, another) in [
        (&unclaimed, false, false, None),
        (&in_first, true, false, Some(claim("a"))),
        (&in_second, true, true, Some(claim("a"))),
    ] {
        assert_eq!(state.has_claim(), has_any);
        assert_eq!(state.has_claim_of(&claim("a")), has_ours);
        assert!(!state.has_claim_of(&claim("b")));
        assert_eq!(state.claim_of_another(&claim("a")), None);
        assert_eq!(state.claim_of_another(&claim("b")), another.as_ref());
    }
}

#[test]
fn state_records_of_others_are_not_this_owners() {
    let ours = record("u", 0, &["web A"], None);
    let before = state(std::slice::from_ref(&ours));
    let with_others = state(&[ours.clone(), record("other", 0, &["x A"], None)]);
    assert!(before.has_same_records(&with_others));
    assert!(!before.has_same_records(&state(&[])));
    let mut blocked = zone(&[ours]);
    let key = RecordKey::new(names("u").name(1), RecordType::Cname);
    blocked.insert(key, partial());
    assert!(!before.has_same_records(&StateRecords::read(&blocked, &names("u"))));
}

#[test]
fn a_claim_is_written_the_same_for_ever() {
    let claim = |stack| Claim::new("rancher.example.com:8080", stack).to_string();
    // The first 64 bits of the SHA-256, as the tool sha256sum has them.
    assert_eq!(claim(None), "claim b64c338a908d38ef");
    assert_eq!(
        claim(Some("96d00b3d")),
        "claim b64c338a908d38ef a05d8205847438af"
    );
}

#[test]
fn generations_follow_one_another_and_begin_again_after_the_last() {
    const LEAST: u32 = 1 << 30;
    const MAX_TTL: u32 = (1 << 31) - 1;
    let next = |ttl| Generation::of_ttl(ttl).map(|generation| generation.next().ttl());
    assert_eq!(next(LEAST), Some(LEAST + 1));
    assert_eq!(next(MAX_TTL), Some(LEAST));
    assert_eq!(Generation::of_number(7).ttl(), LEAST + 7);
    let many = u64::from(LEAST) + 7;
    assert_eq!(Generation::of_number(many), Generation::of_number(7));
}
