//! Record sets with an element that can't be written.

use super::*;

#[test]
fn what_has_an_element_that_cannot_be_written_is_left_alone_but_stays_ours() {
    let legacy = Adopt::Legacy {
        below: name("@"),
        ttl: 300,
    };
    for (desired, owned) in [(true, true), (true, false), (false, true), (false, false)] {
        for policy in [Policy::Sync, Policy::UpsertOnly, Policy::CreateOnly] {
            for adopt in [&Adopt::Never, &Adopt::Matching, &legacy] {
                let row = Row {
                    story: "no change, no delete, no release, nothing is taken over",
                    desired: if desired { &["web A 192.0.2.1"] } else { &[] },
                    zone: &["web A partial"],
                    owned: if owned { &["web A"] } else { &[] },
                    plan: match (desired, owned) {
                        (_, true) => &[PARTIAL],
                        (true, false) => &[
                            "conflict web A because a record set of that name and type with the \
                             element \"New\" exists that isn't ours",
                        ],
                        (false, false) => &[],
                    },
                };
                check(policy, adopt, &[row]);
            }
        }
    }
    let row = Row {
        story: "without the element it is changed as ever, and the others don't wait for it",
        desired: &["api A 192.0.2.1", "new A 192.0.2.1"],
        zone: &["api A 192.0.2.9", "web A partial", "old A 192.0.2.9"],
        owned: &["api A", "web A", "old A"],
        plan: &[
            "create new A 192.0.2.1",
            "change api A 192.0.2.9 into api A 192.0.2.1",
            "delete old A 192.0.2.9",
            PARTIAL,
        ],
    };
    check(SYNC, &Adopt::Never, &[row]);
}
