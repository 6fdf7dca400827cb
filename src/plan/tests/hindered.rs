//! Record sets of one name that a policy, somebody else or a refusal keeps as they are, and what that
//! means for others of the name.

use super::*;

#[test]
fn a_policy_without_deletes_allows_a_replacement_and_one_without_changes_none() {
    fn row<'a>(plan: &'a [&'a str]) -> Row<'a> {
        Row {
            story: "an address becomes a CNAME",
            desired: &["web CNAME lb."],
            zone: &["web A 192.0.2.1", "old A 192.0.2.9"],
            owned: &["web A", "old A"],
            plan,
        }
    }
    let replaced = "replace web A 192.0.2.1 by web CNAME lb.";
    check(
        Policy::UpsertOnly,
        &Adopt::Never,
        &[row(&[replaced, "forbidden 1"])],
    );
    let kept = row(&["keep web A", "forbidden 2"]);
    check(Policy::CreateOnly, &Adopt::Never, &[kept]);
}

#[test]
fn in_one_region_ours_stays_for_one_that_others_hinder() {
    check(
        SYNC,
        &Adopt::Never,
        &[Row {
            story: "a new set identifier, which others have",
            desired: &["web#x A 192.0.2.1 region=r1"],
            zone: &["web#u A 192.0.2.1 region=r1", "web#x A 192.0.2.2 region=r2"],
            owned: &["web#u A"],
            plan: &[
                "conflict web#x A because a record set of that name and type with our set identifier \
                 exists that isn't ours",
                "keep web#u A",
            ],
        }],
    );
}

#[test]
fn what_is_hindered_hinders_others_of_ours() {
    let conflict = |set_id: &str, routing: &str| {
        format!(
            "conflict web#{set_id} A because another record set of that name and type has the routing \
             latency {routing} already, which only one can have"
        )
    };
    check(
        SYNC,
        &Adopt::Never,
        &[Row {
            story: "each is to have the region of the next one, and the last one's is taken",
            desired: &["web#u A 192.0.2.1 region=r2", "web#v A 192.0.2.2 region=r1"],
            zone: &[
                "web#u A 192.0.2.1 region=r3",
                "web#v A 192.0.2.2 region=r2",
                "web#x A 192.0.2.3 region=r1",
            ],
            owned: &["web#u A", "web#v A"],
            plan: &[&conflict("u", "r2"), &conflict("v", "r1")],
        }],
    );
}

#[test]
fn what_a_policy_keeps_keeps_its_ttl_and_what_it_hinders_is_not_written() {
    let weighted = Row {
        story: "another one comes with another TTL",
        desired: &["web#v A 192.0.2.2 weight=5 ttl=60"],
        zone: &["web#u A 192.0.2.1 weight=5"],
        owned: &["web#u A"],
        plan: &[
            "create web#v A 192.0.2.2 weight=5",
            "ttl of web#v A 300 not 60",
            "forbidden 1",
        ],
    };
    check(Policy::UpsertOnly, &Adopt::Never, &[weighted]);
    check(
        Policy::CreateOnly,
        &Adopt::Never,
        &[
            Row {
                story: "a second one comes with another TTL for both",
                desired: &[
                    "web#u A 192.0.2.1 weight=5 ttl=60",
                    "web#v A 192.0.2.2 weight=5 ttl=60",
                ],
                zone: &["web#u A 192.0.2.1 weight=5"],
                owned: &["web#u A"],
                plan: &[
                    "create web#v A 192.0.2.2 weight=5",
                    "ttl of web#v A 300 not 60",
                    "forbidden 1",
                ],
            },
            Row {
                story: "a second one comes with another policy for both",
                desired: &["web#u A 192.0.2.1 region=r1", "web#v A 192.0.2.2 region=r2"],
                zone: &["web#u A 192.0.2.1 weight=5"],
                owned: &["web#u A"],
                plan: &["forbidden 2"],
            },
            Row {
                story: "one comes for the region of one that would go",
                desired: &["web#v A 192.0.2.2 region=r1"],
                zone: &["web#u A 192.0.2.1 region=r1"],
                owned: &["web#u A"],
                plan: &["keep web#u A", "forbidden 1"],
            },
        ],
    );
}

/// The address can't be written, since another owner lists it; the other one can.
#[test]
fn a_cname_goes_for_what_can_be_written() {
    let names = StateNames::new("u", &Name::parse("example.com").unwrap()).unwrap();
    let theirs = StateNames::new("v", names.zone()).unwrap();
    let mut zone = Zone::default();
    let (key, set) = record_set("web CNAME lb.");
    zone.insert(key, listed(set));
    for record in [
        state_record(&names, 1, &["web CNAME"]),
        state_record(&theirs, 0, &["web A"]),
    ] {
        zone.insert(record.key.clone(), Listed::Whole(record));
    }
    let state = StateRecords::read(&zone, &names);
    let desired = ["web A 192.0.2.1", "web AAAA 2001:db8::1"].map(record_set);
    let desired = desired.map(|(key, set)| (key, set.unwrap())).into();
    let plan = plan(
        &desired,
        &zone,
        &state,
        settings(SYNC, &Adopt::Never, &claim()),
    );
    let lines = lines(&plan);
    assert_eq!(lines[0], "replace web CNAME lb. by web AAAA 2001:db8::1");
    assert!(lines[1].starts_with("conflict web A because"), "{lines:?}");
    assert_eq!(lines.len(), 2);
}

/// What is left of a replacement without what isn't kept.
#[test]
fn one_that_is_refused_holds_no_other_back_but_its_predecessor() {
    let set = |text: &str| record_set(text).1.unwrap();
    let sets = |texts: &[&str]| texts.iter().map(|text| set(text)).collect::<Vec<_>>();
    for (deletes, creates, refused, left) in [
        // A TTL that changes for all, and one that is new.
        (
            &["web#u A 192.0.2.1 weight=1"][..],
            &[
                "web#u A 192.0.2.1 ttl=60 weight=1",
                "web#v A 192.0.2.2 ttl=60 weight=1",
            ][..],
            "web#v A",
            Some(&["web#u A 192.0.2.1 ttl=60 weight=1"][..]),
        ),
        (
            &["web#u A 192.0.2.1 weight=1"],
            &[
                "web#u A 192.0.2.1 ttl=60 weight=1",
                "web#v A 192.0.2.2 ttl=60 weight=1",
            ],
            "web#u A",
            None,
        ),
        // A simple one becomes two with a policy.
        (
            &["web A 192.0.2.1"],
            &["web#u A 192.0.2.1 weight=1", "web#v A 192.0.2.2 weight=1"],
            "web#v A",
            Some(&["web#u A 192.0.2.1 weight=1"]),
        ),
        (&["web A 192.0.2.1"], &["web CNAME x."], "web CNAME", None),
        (
            &["web CNAME x."],
            &["web A 192.0.2.1", "web AAAA 2001:db8::1"],
            "web AAAA",
            Some(&["web A 192.0.2.1"]),
        ),
        // Most clients would have no answer.
        (
            &["web CNAME x."],
            &["web A 192.0.2.1", "web AAAA 2001:db8::1"],
            "web A",
            None,
        ),
        (
            &["web CNAME x."],
            &[
                "web#u AAAA 2001:db8::1 weight=1",
                "web#v AAAA 2001:db8::2 weight=1",
            ],
            "web#u AAAA",
            Some(&["web#v AAAA 2001:db8::2 weight=1"]),
        ),
    ] {
        let mut plan = Plan::default();
        plan.replacements.push(Replacement {
            deletes: sets(deletes),
            creates: sets(creates),
        });
        let refused = key(refused);
        plan.retain(|key| *key != refused);
        let found = plan.replacements.first();
        let found = found.map(|replacement| replacement.creates.clone());
        assert_eq!(found, left.map(sets), "{refused}");
    }
}
