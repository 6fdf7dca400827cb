//! The names that an IAM policy has to allow, as `check` prints them.

use super::{Ran, run};
use crate::stage::{Stage, world};

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

#[test]
fn names_outside_of_the_environment_s_are_among_them() {
    for (names, expected) in [
        ("www.prod", String::new()),
        (
            "@,*,www,prod",
            ", \\052.example.com, example.com, prod.example.com, www.example.com".to_owned(),
        ),
        (&(10..40).map(|i| format!("n{i},")).collect::<String>(), {
            let named = (10..30).map(|i| format!(", n{i}.example.com"));
            named.collect::<String>() + " and 10 more"
        }),
    ] {
        let stage = Stage::new(world(|world| {
            let web = world.add_service("shop", "web").run_on("h1", 80);
            web.label("io.rancher.service.external_dns_names", names);
        }));
        let Ran { stdout, .. } = run(&stage, &["check"]);
        let line = format!("-*.example.com{expected}\n");
        assert!(stdout.contains(&line), "{line} in {stdout}");
    }
}
