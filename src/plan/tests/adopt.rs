//! What `ADOPT` takes over.

use super::*;

#[test]
fn adopt_matching_takes_over_what_is_desired() {
    check(
        SYNC,
        &Adopt::Matching,
        &[
            Row {
                story: "what already says the same is only listed",
                desired: &["web A 192.0.2.1"],
                zone: &["web A 192.0.2.1"],
                owned: &[],
                plan: &["adopt web A"],
            },
            Row {
                story: "what says something else is listed and changed",
                desired: &["web A 192.0.2.1"],
                zone: &["web A 192.0.2.9 ttl=60"],
                owned: &[],
                plan: &[
                    "change web A 192.0.2.9 ttl=60 into web A 192.0.2.1",
                    "adopt web A",
                ],
            },
            Row {
                story: "what isn't desired isn't taken over",
                desired: &["web A 192.0.2.1"],
                zone: &["web AAAA 2001:db8::1", "api A 192.0.2.1"],
                owned: &[],
                plan: &["create web A 192.0.2.1"],
            },
            Row {
                story: "nor is an alias with another target, or a routing policy",
                desired: &[
                    "api A alias=y.",
                    "web A 192.0.2.1",
                    "web#u AAAA 2001:db8::1 weight=1",
                ],
                zone: &[
                    "api A alias=x.",
                    "web A alias=x.",
                    "web#u AAAA 2001:db8::1 weight=2",
                ],
                owned: &[],
                plan: &[
                    "conflict api A because an alias of that name and type exists that isn't ours",
                    ALIAS,
                    "conflict web#u AAAA because a record set of that name and type with our set \
                     identifier exists that isn't ours",
                ],
            },
            Row {
                story: "but one that is as desired is",
                desired: &["api A alias=x.", "web#u A 192.0.2.1 weight=1"],
                zone: &["api A alias=X", "web#u A 192.0.2.1 weight=1 check=c"],
                owned: &[],
                plan: &["adopt api A", "adopt web#u A"],
            },
        ],
    );
}

#[test]
fn adopt_legacy_takes_over_a_record_sets_of_the_environment_with_the_ttl() {
    let legacy = Adopt::Legacy {
        below: name("@"),
        ttl: 300,
    };
    let zone = [
        "@ A 192.0.2.7",
        "web A 192.0.2.1",
        "deep.web A 192.0.2.2",
        "other-ttl A 192.0.2.3 ttl=60",
        "v6 AAAA 2001:db8::1",
        "cdn A alias=x.",
    ];
    check(
        SYNC,
        &legacy,
        &[
            Row {
                story: "what is desired is taken over, what isn't is deleted",
                desired: &["web A 192.0.2.1"],
                zone: &zone,
                owned: &[],
                plan: &["delete deep.web A 192.0.2.2", "adopt web A"],
            },
            Row {
                story: "one desired that doesn't carry the TTL stays a conflict",
                desired: &["web A 192.0.2.1"],
                zone: &["web A 192.0.2.1 ttl=60"],
                owned: &[],
                plan: &[NOT_OURS],
            },
            Row {
                story: "what is ours is ours already",
                desired: &["web A 192.0.2.1"],
                zone: &["web A 192.0.2.1"],
                owned: &["web A"],
                plan: &[],
            },
        ],
    );
    check(
        Policy::UpsertOnly,
        &legacy,
        &[Row {
            story: "without deletes, what isn't desired becomes ours and stays",
            desired: &["web A 192.0.2.9"],
            zone: &zone,
            owned: &[],
            plan: &[
                "change web A 192.0.2.1 into web A 192.0.2.9",
                "adopt deep.web A",
                "adopt web A",
                "forbidden 1",
            ],
        }],
    );
}
