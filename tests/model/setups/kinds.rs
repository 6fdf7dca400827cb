//! Record sets of one name that depend on each other: of one owner, whose name changes its kind, and of
//! two owners.

use super::{Budget, Setup, server, usual};

/// The searches. `budget` has changes, edits, crashes and losses.
pub fn all(budget: &dyn Fn(u8, u8, u8, u8) -> Budget) -> Vec<Setup> {
    let changes = |count| budget(count, 0, 0, 0);
    let of_two = |name, [first, second]: [&[&str]; 2], budget| Setup {
        servers: vec![server("u", "a", first), server("v", "b", second)],
        instances: vec![0, 1],
        ..usual(name, 2, &[], budget)
    };
    let weighted: [&[&str]; 2] = [&["x#u=1", ""], &["x#v=1", ""]];
    vec![
        usual("simple, weighted", 2, &["x=1", "x#u=1"], changes(2)),
        usual(
            "simple, weighted, crash",
            2,
            &["x=1", "x#u=1"],
            budget(1, 0, 1, 0),
        ),
        usual("A, CNAME", 2, &["x=1", "x=t1"], changes(2)),
        usual(
            "A, CNAME, losses",
            1,
            &["x=1", "x=t1", ""],
            budget(2, 0, 0, 2),
        ),
        usual("A, CNAME, people", 2, &["x=t1", "x=1"], budget(1, 1, 0, 0)),
        usual(
            "two sets, two policies",
            2,
            &["x#u=1 x#w=2", "x%u=1 x%w=2"],
            changes(1),
        ),
        usual(
            "two sets change regions",
            2,
            &["x%u=1 x%w=2", "x%u=2 x%w=1", "x%w=1"],
            changes(1),
        ),
        of_two(
            "weighted, two owners",
            [&["x#u=1", "x#u=2", ""], &["x#v=1", "x#v=2", ""]],
            changes(1),
        ),
        of_two("weighted, two owners, loss", weighted, budget(1, 0, 0, 1)),
        of_two("weighted, two owners, crash", weighted, budget(1, 0, 1, 0)),
        of_two(
            "two owners, two TTLs",
            [&["x#u=1", ""], &["x#v=1@60", ""]],
            changes(1),
        ),
        of_two(
            "two owners, two policies",
            [&["x#u=1", "x%u=1"], &["x#v=1", "x%v=2"]],
            changes(1),
        ),
        of_two(
            "two owners, one simple",
            [&["x#u=1", "x=1"], &["x#v=1", ""]],
            changes(1),
        ),
        of_two(
            "two owners, one CNAME",
            [&["x=t1", "x#u=1"], &["x6=1", ""]],
            changes(1),
        ),
        of_two(
            "two owners, one region",
            [&["x%u=1", "x%u=2"], &["x%v=1", "x%v=3"]],
            changes(1),
        ),
        Setup {
            instances: vec![0, 0, 1],
            ..of_two(
                "weighted, three instances",
                [&["x#u=1", "x=1"], &["x#v=1"]],
                Budget {
                    edits: 0,
                    ..changes(0)
                },
            )
        },
        usual("A, CNAME, loss", 2, &["x=1", "x=t1"], budget(1, 0, 0, 1)),
    ]
}
