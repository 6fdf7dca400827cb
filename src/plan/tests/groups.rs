//! Record sets of one name that depend on each other: CNAMEs, aliases and routing policies.

use super::*;

const ROUTED: &str = "conflict web A because record sets with a routing policy have that name and \
                      type, beside which there can't be a simple one";
const SIMPLE: &str = "conflict web#u A because a simple record set has that name and type, beside \
                      which there can't be one with a routing policy";

#[test]
fn what_is_ours_is_replaced_in_one_batch() {
    check(
        SYNC,
        &Adopt::Never,
        &[
            Row {
                story: "addresses become an alias: the same record set changes",
                desired: &["web A alias=lb."],
                zone: &["web A 192.0.2.1"],
                owned: &["web A"],
                plan: &["change web A 192.0.2.1 into web A alias=lb."],
            },
            Row {
                story: "an alias becomes a CNAME",
                desired: &["web CNAME lb."],
                zone: &["web A alias=lb.", "web AAAA alias=lb."],
                owned: &["web A", "web AAAA"],
                plan: &["replace web A alias=lb. + web AAAA alias=lb. by web CNAME lb."],
            },
            Row {
                story: "a CNAME becomes addresses",
                desired: &["web A 192.0.2.1", "web AAAA 2001:db8::1"],
                zone: &["web CNAME lb."],
                owned: &["web CNAME"],
                plan: &["replace web CNAME lb. by web A 192.0.2.1 + web AAAA 2001:db8::1"],
            },
            Row {
                story: "simple becomes weighted; the other type just goes",
                desired: &["web#u A 192.0.2.1 weight=5"],
                zone: &["web A 192.0.2.1", "web AAAA 2001:db8::1"],
                owned: &["web A", "web AAAA"],
                plan: &[
                    "delete web AAAA 2001:db8::1",
                    "replace web A 192.0.2.1 by web#u A 192.0.2.1 weight=5",
                ],
            },
            Row {
                story: "of both types, each by itself, and what is new of one only",
                desired: &[
                    "api AAAA 2001:db8::1",
                    "api#u A 192.0.2.1 weight=5",
                    "web#u A 192.0.2.1 weight=5",
                    "web#u AAAA 2001:db8::1 weight=5",
                ],
                zone: &["api A 192.0.2.1", "web A 192.0.2.1", "web AAAA 2001:db8::1"],
                owned: &["api A", "web A", "web AAAA"],
                plan: &[
                    "create api AAAA 2001:db8::1",
                    "replace api A 192.0.2.1 by api#u A 192.0.2.1 weight=5",
                    "replace web A 192.0.2.1 by web#u A 192.0.2.1 weight=5",
                    "replace web AAAA 2001:db8::1 by web#u AAAA 2001:db8::1 weight=5",
                ],
            },
            Row {
                story: "weighted becomes simple",
                desired: &["web A 192.0.2.1"],
                zone: &["web#u A 192.0.2.1 weight=5", "web#v A 192.0.2.2 weight=5"],
                owned: &["web#u A", "web#v A"],
                plan: &[
                    "replace web#u A 192.0.2.1 weight=5 + web#v A 192.0.2.2 weight=5 by \
                     web A 192.0.2.1",
                ],
            },
            Row {
                story: "two sets change their policy together, and one is new",
                desired: &[
                    "web#u A 192.0.2.1 region=r1",
                    "web#v A 192.0.2.2 region=r2",
                    "web#w A 192.0.2.3 region=r3",
                ],
                zone: &["web#u A 192.0.2.1 weight=5", "web#v A 192.0.2.2 weight=5"],
                owned: &["web#u A", "web#v A"],
                plan: &[
                    "replace web#u A 192.0.2.1 weight=5 + web#v A 192.0.2.2 weight=5 by \
                     web#u A 192.0.2.1 region=r1 + web#v A 192.0.2.2 region=r2 + \
                     web#w A 192.0.2.3 region=r3",
                ],
            },
            Row {
                story: "the TTL of weighted ones changes together, a weight by itself",
                desired: &[
                    "api#u A 192.0.2.1 weight=6",
                    "api#v A 192.0.2.2 weight=5",
                    "web#u A 192.0.2.1 weight=5 ttl=60",
                    "web#v A 192.0.2.2 weight=5 ttl=60",
                ],
                zone: &[
                    "api#u A 192.0.2.1 weight=5",
                    "api#v A 192.0.2.2 weight=5",
                    "web#u A 192.0.2.1 weight=5",
                    "web#v A 192.0.2.2 weight=5",
                ],
                owned: &["api#u A", "api#v A", "web#u A", "web#v A"],
                plan: &[
                    "change api#u A 192.0.2.1 weight=5 into api#u A 192.0.2.1 weight=6",
                    "replace web#u A 192.0.2.1 weight=5 + web#v A 192.0.2.2 weight=5 by \
                     web#u A 192.0.2.1 ttl=60 weight=5 + web#v A 192.0.2.2 ttl=60 weight=5",
                ],
            },
            Row {
                story: "one of two that goes, and one that comes, are apart",
                desired: &["web#v A 192.0.2.2 weight=5", "web#w A 192.0.2.3 weight=5"],
                zone: &["web#u A 192.0.2.1 weight=5", "web#v A 192.0.2.2 weight=5"],
                owned: &["web#u A", "web#v A"],
                plan: &[
                    "create web#w A 192.0.2.3 weight=5",
                    "delete web#u A 192.0.2.1 weight=5",
                ],
            },
        ],
    );
}

#[test]
fn what_is_not_ours_is_a_conflict_and_what_it_hinders_stays() {
    check(
        SYNC,
        &Adopt::Never,
        &[
            Row {
                story: "a simple one beside routed ones of others",
                desired: &["web A 192.0.2.1"],
                zone: &["web#x A 192.0.2.2 weight=5", "web#y A partial"],
                owned: &[],
                plan: &[ROUTED],
            },
            Row {
                story: "a routed one beside a simple one of others",
                desired: &["web#u A 192.0.2.1 weight=5"],
                zone: &["web A 192.0.2.2"],
                owned: &[],
                plan: &[SIMPLE],
            },
            Row {
                story: "another policy",
                desired: &["web#u A 192.0.2.1 weight=5"],
                zone: &["web#x A 192.0.2.2 region=r1"],
                owned: &[],
                plan: &[
                    "conflict web#u A because record sets with latency routing have that name \
                         and type, and all of them must have the same",
                ],
            },
            Row {
                story: "a policy that isn't known",
                desired: &["web#u A 192.0.2.1 weight=5"],
                zone: &["web#x A partial"],
                owned: &[],
                plan: &[
                    "conflict web#u A because record sets with another routing have that name \
                         and type, and all of them must have the same",
                ],
            },
            Row {
                story: "but one that stands there already changes beside it",
                desired: &["web#u A 192.0.2.2 weight=5"],
                zone: &["web#u A 192.0.2.1 weight=5", "web#x A partial"],
                owned: &["web#u A"],
                plan: &["change web#u A 192.0.2.1 weight=5 into web#u A 192.0.2.2 weight=5"],
            },
            Row {
                story: "the same policy, and another type, are no hindrance",
                desired: &["web#u A 192.0.2.1 weight=5"],
                zone: &[
                    "web#x A 192.0.2.2 weight=5",
                    "web#x AAAA 2001:db8::1 region=r1",
                    "web TXT x",
                ],
                owned: &[],
                plan: &["create web#u A 192.0.2.1 weight=5"],
            },
            Row {
                story: "our set identifier is taken",
                desired: &["web#u A 192.0.2.1 weight=5"],
                zone: &["web#u A 192.0.2.1 weight=5"],
                owned: &[],
                plan: &[
                    "conflict web#u A because a record set of that name and type with our set \
                         identifier exists that isn't ours",
                ],
            },
            Row {
                story: "a CNAME beside anything, while our addresses stay",
                desired: &["web CNAME lb."],
                zone: &["web A 192.0.2.1", "web TXT x"],
                owned: &["web A"],
                plan: &[
                    "conflict web CNAME because a record set of the type TXT has that name, beside \
                     which there can't be a CNAME",
                    "keep web A",
                ],
            },
            Row {
                story: "a weighted CNAME beside those of others",
                desired: &["web#u CNAME lb. weight=1"],
                zone: &["web#x CNAME other. weight=1"],
                owned: &[],
                plan: &["create web#u CNAME lb. weight=1"],
            },
            Row {
                story: "our set goes, and those of others stay",
                desired: &[],
                zone: &["web#u A 192.0.2.1 weight=5", "web#x A 192.0.2.2 weight=5"],
                owned: &["web#u A"],
                plan: &["delete web#u A 192.0.2.1 weight=5"],
            },
        ],
    );
}

#[test]
fn the_ttl_of_others_and_their_health_checks_are_kept() {
    check(
        SYNC,
        &Adopt::Never,
        &[
            Row {
                story: "a weighted one gets the TTL of others",
                desired: &["web#u A 192.0.2.1 weight=5", "web#v A alias=lb. weight=5"],
                zone: &[
                    "web#x A alias=lb. weight=5",
                    "web#y A 192.0.2.2 ttl=60 weight=5",
                ],
                owned: &[],
                plan: &[
                    "create web#u A 192.0.2.1 ttl=60 weight=5",
                    "create web#v A alias=lb. weight=5",
                    "ttl of web#u A 60 not 300",
                ],
            },
            Row {
                story: "and keeps it",
                desired: &["web#u A 192.0.2.1 weight=5"],
                zone: &[
                    "web#u A 192.0.2.1 ttl=60 weight=5",
                    "web#y A 192.0.2.2 ttl=60 weight=5",
                ],
                owned: &["web#u A"],
                plan: &["ttl of web#u A 60 not 300"],
            },
            Row {
                story: "with other policies each has its own",
                desired: &["web#u A 192.0.2.1 region=r1"],
                zone: &["web#y A 192.0.2.2 ttl=60 region=r2"],
                owned: &[],
                plan: &["create web#u A 192.0.2.1 region=r1"],
            },
            Row {
                story: "a health check that somebody attached stays, also when the values change",
                desired: &["api A 192.0.2.1", "web A 192.0.2.1"],
                zone: &["api A 192.0.2.1 check=c1", "web A 192.0.2.2 check=c2"],
                owned: &["api A", "web A"],
                plan: &["change web A 192.0.2.2 check=c2 into web A 192.0.2.1 check=c2"],
            },
            Row {
                story: "unless the service has one itself",
                desired: &["web A 192.0.2.1 check=own"],
                zone: &["web A 192.0.2.1 check=c2"],
                owned: &["web A"],
                plan: &["change web A 192.0.2.1 check=c2 into web A 192.0.2.1 check=own"],
            },
            Row {
                story: "what goes is deleted with it",
                desired: &[],
                zone: &["web A 192.0.2.2 check=c2"],
                owned: &["web A"],
                plan: &["delete web A 192.0.2.2 check=c2"],
            },
        ],
    );
}

#[test]
fn what_is_for_the_same_region_or_has_another_ttl_is_replaced_in_one_batch() {
    check(
        SYNC,
        &Adopt::Never,
        &[
            Row {
                story: "two change their regions for each other's",
                desired: &["web#u A 192.0.2.1 region=r2", "web#v A 192.0.2.2 region=r1"],
                zone: &["web#u A 192.0.2.1 region=r1", "web#v A 192.0.2.2 region=r2"],
                owned: &["web#u A", "web#v A"],
                plan: &[
                    "replace web#u A 192.0.2.1 region=r1 + web#v A 192.0.2.2 region=r2 by \
                     web#u A 192.0.2.1 region=r2 + web#v A 192.0.2.2 region=r1",
                ],
            },
            Row {
                story: "a new one gets the region of one that goes",
                desired: &["web#v A 192.0.2.2 region=r1", "web#w A 192.0.2.3 region=r2"],
                zone: &["web#u A 192.0.2.1 region=r1", "web#w A 192.0.2.3 region=r2"],
                owned: &["web#u A", "web#w A"],
                plan: &["replace web#u A 192.0.2.1 region=r1 by web#v A 192.0.2.2 region=r1"],
            },
            Row {
                story: "of another type it is another region",
                desired: &["web#v AAAA 2001:db8::1 region=r1"],
                zone: &["web#u A 192.0.2.1 region=r1"],
                owned: &["web#u A"],
                plan: &[
                    "create web#v AAAA 2001:db8::1 region=r1",
                    "delete web#u A 192.0.2.1 region=r1",
                ],
            },
            Row {
                story: "a region that others have",
                desired: &["web#v A 192.0.2.2 region=r1"],
                zone: &["web#x A 192.0.2.1 region=r1"],
                owned: &[],
                plan: &[
                    "conflict web#v A because another record set of that name and type has the \
                     routing latency r1 already, which only one can have",
                ],
            },
            Row {
                story: "a weighted one comes with another TTL than that of one that goes",
                desired: &["web#v A 192.0.2.2 weight=5 ttl=60"],
                zone: &["web#u A 192.0.2.1 weight=5"],
                owned: &["web#u A"],
                plan: &["replace web#u A 192.0.2.1 weight=5 by web#v A 192.0.2.2 ttl=60 weight=5"],
            },
            Row {
                story: "one changes its TTL, and one goes that has the old one",
                desired: &["web#v A 192.0.2.2 weight=5 ttl=60"],
                zone: &["web#u A 192.0.2.1 weight=5", "web#v A 192.0.2.2 weight=5"],
                owned: &["web#u A", "web#v A"],
                plan: &[
                    "replace web#u A 192.0.2.1 weight=5 + web#v A 192.0.2.2 weight=5 by \
                     web#v A 192.0.2.2 ttl=60 weight=5",
                ],
            },
        ],
    );
}
