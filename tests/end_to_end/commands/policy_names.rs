//! The names that an IAM policy has to allow, as `check` prints them.

use super::{Ran, run};
use crate::stage::Stage;

/// IAM compares names as Route 53 writes them: in small letters, and escaped.
#[test]
fn the_state_record_s_name_is_shown_as_iam_sees_it() {
    for (uuid, seen) in [
        ("adminProject", "external-dns-adminproject.example.com"),
        ("1A5.b", "external-dns-1a5\\056b.example.com"),
    ] {
        let stage = Stage::new(sim::rancher::World::new("Prod", uuid));
        let Ran { stdout, .. } = run(&stage, &["check"]);
        let further = seen.replace(".example", "-*.example");
        let line = format!("for an IAM policy: *.prod.example.com, {seen}, {further}\n");
        assert!(stdout.contains(&line), "{stdout}");
    }
}
