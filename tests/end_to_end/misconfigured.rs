//! Services that ask for a name and can't have it as they ask: told wherever one looks.

use crate::commands::{self, check};
use crate::stage::{PATIENCE, Stage, ZONE, world};
use crate::status;
use sim::route53::RecordSet;

const PREFIX: &str = "io.rancher.service.external_dns";

#[test]
fn labels_that_keep_a_service_from_its_name_are_told() {
    let odd = [
        ("a", "_routing", "weigthed 10"),
        ("b", "_target", "a b c"),
        ("c", "_name_template", "%{{oops}}"),
        ("d", "_name_template", "a.*"),
    ];
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
        // What somebody wants so is nothing to look at.
        let never = world.add_service("shop", "never").run_on("h1", 80);
        never.label(PREFIX, "never");
        world.add_service("shop", "quiet");
        for (name, label, text) in odd {
            let service = world.add_service("shop", name).run_on("h1", 80);
            service.label(&format!("{PREFIX}{label}"), text);
        }
    }));
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    let warns = |line: &str| line.contains("level=warn msg=\"a service has a warning\"");
    let lines = service.log_lines(PATIENCE, odd.len(), warns);
    assert_eq!(lines.len(), odd.len(), "{lines:#?}");
    for (line, (name, label, _)) in lines.iter().zip(odd) {
        let start = format!("what=shop/{name} error=\"not published: its label {PREFIX}{label}");
        assert!(line.contains(&start), "{line}");
    }
    let data = status::wait_until(&service, |status| {
        status["problems"] != serde_json::json!([])
    });
    let problem = "Services that can't be published as they ask: 4. The services say why.";
    assert_eq!(data["problems"], serde_json::json!([problem]));
    let (_, page) = status::get(&service, "/status");
    let words = "1 of 5 services that ask for names have them.";
    assert!(page.contains(words), "{page}");
    assert!(!page.contains("All is well"), "{page}");

    let found = check::check(&stage, &[]);
    for (name, label, _) in odd {
        let line = format!("\n! labels      shop/{name}: not published: its label {PREFIX}{label}");
        assert!(found.stdout.contains(&line), "{}", found.stdout);
    }
    assert!(!found.stdout.contains("All is well"), "{}", found.stdout);
    assert_eq!(found.code, 0, "{}", found.stdout);
    let once = commands::run(&stage, &["once"]);
    assert!(once.stdout.contains("warnings: 4."), "{}", once.stdout);
}

#[test]
fn check_names_what_is_in_the_place_of_our_record_sets() {
    let stage = Stage::new(world(|world| {
        for number in 0..7 {
            let name = format!("w{number}");
            world.add_service("shop", &name).run_on("h1", 80);
        }
    }));
    let put = |name: &str| {
        let set = RecordSet::simple(
            &format!("{name}.shop.prod.example.com."),
            "A",
            60,
            &["192.0.2.99"],
        );
        stage.route53.edit(ZONE, |zone| zone.put(set));
    };
    put("w0");
    let found = check::check(&stage, &[]);
    let line = "\n! conflict    w0.shop.prod.example.com. A: ";
    assert!(found.stdout.contains(line), "{}", found.stdout);
    assert!(!found.stdout.contains("All is well"), "{}", found.stdout);
    assert_eq!(found.code, 0, "{}", found.stdout);
    (1..7).for_each(|number| put(&format!("w{number}")));
    let found = check::check(&stage, &[]);
    assert_eq!(found.stdout.matches("\n! conflict ").count(), 6);
    let words = "\n! conflict    and 2 more: the command plan names all";
    assert!(found.stdout.contains(words), "{}", found.stdout);
    let adopting = check::check(&stage, &[("ADOPT", "matching")]);
    assert!(!adopting.stdout.contains("conflict"), "{}", adopting.stdout);
}
