//! What other owners list, and services with names like those of state records.

use crate::stage::{PATIENCE, STATE, Stage, web, world};
use sim::route53::RecordSet;

const TEMPLATE: &str = "io.rancher.service.external_dns_name_template";

/// Nothing depended on who owns what before the service came, so nobody else's state records had been
/// read.
#[test]
fn what_another_owner_lists_is_not_taken_when_a_service_comes_that_wants_it() {
    let taken = "new.shop.prod.example.com.";
    let theirs = RecordSet::simple(
        "external-dns-other.example.com.",
        "TXT",
        300,
        &[quoted(taken)],
    );
    for (adopt, renames) in [("matching", false), ("legacy", false), ("legacy", true)] {
        let stage = Stage::new(world(|world| {
            // Outside of the environment's name, so that the whole zone is read.
            let web = world.add_service("shop", "web").run_on("h1", 80);
            web.label(TEMPLATE, "web");
            if renames {
                world.environment_name = "Other".to_owned();
            }
        }));
        let set = RecordSet::simple(taken, "A", 300, &["192.0.2.1"]);
        stage.put(set.clone());
        stage.put(theirs.clone());
        let service = stage.run_with(&[], &[("ADOPT", adopt)]);
        stage.expect_fqdn("shop", "web", "web.example.com");
        stage.settle();
        stage.rancher.change(|world| {
            world.environment_name = "Prod".to_owned();
            if !renames {
                world.add_service("shop", "new").run_on("h2", 80);
            }
            world.add_service("shop", "last").run_on("h2", 80);
        });
        stage.expect_fqdn("shop", "last", "last.shop.prod.example.com");
        stage.settle();
        assert!(
            stage.lines().contains(&set.to_string()),
            "{:?}",
            stage.lines()
        );
        let says = |line: &str| {
            line.contains("is left alone")
                && line.contains("external-dns-other.example.com lists it")
        };
        let expected = usize::from(!renames);
        let said = service.log_lines(PATIENCE, expected, says);
        assert_eq!(said.len(), expected, "{adopt}");
    }
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// Their record sets are read back as what they are, not as somebody's state records.
#[test]
fn a_service_may_be_named_like_the_state_record_of_another_owner() {
    let stage = Stage::new(web());
    stage.rancher.change(|world| {
        let odd = world.add_service("shop", "odd").run_on("h1", 80);
        odd.label(TEMPLATE, "external-dns-%{{service_name}}");
    });
    let lines = |address: &str| {
        let odd = "external-dns-odd.example.com.";
        let web = "web.shop.prod.example.com.";
        vec![
            format!("{STATE} 300 TXT {} {}", quoted(odd), quoted(web)),
            format!("{odd} 300 A {address}"),
            format!("{web} 300 A 203.0.113.1"),
        ]
    };
    for (host, address) in [("h1", "203.0.113.1"), ("h2", "203.0.113.2")] {
        stage.rancher.change(|world| {
            let odd = world.service_mut("shop", "odd");
            odd.containers.clear();
            odd.run_on(host, 80);
        });
        // The second time there is nothing to do.
        for _ in 0..2 {
            let once = stage.run_with(&["once"], &[]);
            let status = once.wait(PATIENCE).and_then(|status| status.code());
            assert_eq!(status, Some(0), "{:#?}", once.log());
            assert_eq!(stage.lines(), lines(address));
        }
    }
}
