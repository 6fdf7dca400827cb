//! What `POLICY` leaves undone.

use super::*;

#[test]
fn upsert_only_never_deletes() {
    check(
        Policy::UpsertOnly,
        &Adopt::Never,
        &[
            Row {
                story: "creates and changes, and what is left over stays ours",
                desired: &["new A 192.0.2.1", "web A 192.0.2.2"],
                zone: &["web A 192.0.2.9", "old A 192.0.2.3"],
                owned: &["web A", "old A"],
                plan: &[
                    "create new A 192.0.2.1",
                    "change web A 192.0.2.9 into web A 192.0.2.2",
                    "forbidden 1",
                ],
            },
            Row {
                story: "an entry without a record set is forgotten all the same",
                desired: &[],
                zone: &[],
                owned: &["web A"],
                plan: &["release web A"],
            },
        ],
    );
}

#[test]
fn create_only_neither_changes_nor_deletes() {
    check(
        Policy::CreateOnly,
        &Adopt::Never,
        &[Row {
            story: "creates what is missing, also what somebody deleted",
            desired: &["new A 192.0.2.1", "web A 192.0.2.2", "lost A 192.0.2.4"],
            zone: &["web A 192.0.2.9", "old A 192.0.2.3"],
            owned: &["web A", "old A", "lost A"],
            plan: &[
                "create lost A 192.0.2.4",
                "create new A 192.0.2.1",
                "forbidden 2",
            ],
        }],
    );
    check(
        Policy::CreateOnly,
        &Adopt::Matching,
        &[Row {
            story: "takes over, but doesn't change",
            desired: &["web A 192.0.2.2"],
            zone: &["web A 192.0.2.9"],
            owned: &[],
            plan: &["adopt web A", "forbidden 1"],
        }],
    );
}
