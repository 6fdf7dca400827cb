//! What the README's IAM policy denies holds back nothing else.

use crate::stage::{PATIENCE, Stage, ZONE, prompt, state_line, web, world};
use crate::status::{get, wait_until};
use sim::rancher::World;
use sim::route53::{Credential, Operation, Options, RecordSet};
use sim::service::Service;

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
const TEMPLATE: &str = "io.rancher.service.external_dns_name_template";

/// The README's policy for the environment `Prod` of the tests.
fn policy() -> String {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```json\n").expect("a policy");
    let (policy, _) = rest.split_once("```").expect("its end");
    policy
        .replace("Z0123456789ABCDEFGHIJ", ZONE)
        .replace("production", "prod")
}

fn stage(world: World, policy: &str) -> Stage {
    let options = Options {
        credentials: vec![Credential::default().with_policy(policy)],
        ..Options::default()
    };
    Stage::with(world, prompt(), options)
}

/// The line of the log that says that this record set is left out, with AWS's words.
fn expect_refused(service: &Service, name: &str) {
    let told = service.wait_for_log(PATIENCE, |line| {
        line.contains("refuses a record set")
            && line.contains(name)
            && line.contains("is not authorized to perform: route53:ChangeResourceRecordSets")
    });
    assert!(told.is_some(), "{name}");
}

/// The pages are open to the whole environment: AWS's words about the account are for the log.
#[test]
fn pages_name_no_account() {
    // Every call fails, and then one record set is denied.
    let nothing = r#"{"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "route53:ListHostedZonesByName", "Resource": "*"}]}"#;
    for (policy, in_log, on_page) in [
        (
            nothing,
            "a round failed",
            "AccessDenied (403) – the IAM policy has to allow",
        ),
        (
            &policy(),
            "refuses a record set",
            "Route 53 refuses it: User: … is not authorized",
        ),
    ] {
        let stage = stage(
            world(|world| {
                add(world, "web", "web.%{{environment_name}}");
                add(world, "far", "far");
            }),
            policy,
        );
        let service = stage.run();
        let told = service.wait_for_log(PATIENCE, |line| {
            line.contains(in_log) && line.contains("arn:aws:iam::123456789012:user/simulated")
        });
        assert!(told.is_some(), "{in_log}");
        wait_until(&service, |status| status.to_string().contains(on_page));
        for path in ["/status", "/status.json", "/metrics"] {
            let (_, page) = get(&service, path);
            for id in ["arn:aws", "123456789012", "simulated"] {
                assert!(!page.contains(id), "{id} in {path}: {page}");
            }
        }
    }
}

fn add(world: &mut World, service: &str, template: &str) {
    let service = world.add_service("shop", service);
    service.label(TEMPLATE, template).run_on("h1", 80);
}

#[test]
fn one_label_does_not_stop_all_names() {
    let stage = stage(web(), &policy());
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    // Neither is below `prod.example.com`.
    stage.rancher.change(|world| {
        add(world, "cart", "cart");
        add(world, "apex", "%{{environment_name}}");
        world.add_service("shop", "new").run_on("h2", 80);
    });
    let published = [
        &state_line(&["new.shop.prod.example.com.", "web.shop.prod.example.com."]),
        "new.shop.prod.example.com. 300 A 203.0.113.2",
        "web.shop.prod.example.com. 300 A 203.0.113.1",
    ];
    stage.expect_zone(&published);
    expect_refused(&service, "cart.example.com. A");
    expect_refused(&service, "what=\"prod.example.com. A\"");
    stage.settle();
    assert!(!service.log().iter().any(|l| l.contains("a round failed")));
    // The next change doesn't ask again.
    stage.route53.clear_requests();
    stage.rancher.change(|world| {
        world.service_mut("shop", "new").move_from("h2", "h3");
    });
    let moved = "new.shop.prod.example.com. 300 A 203.0.113.3";
    stage.expect_zone(&[published[0], moved, published[2]]);
    stage.settle();
    assert_eq!(stage.calls(CHANGE), 1);
    // Another label, another try.
    stage.rancher.change(|world| {
        let cart = world.service_mut("shop", "cart");
        cart.label(TEMPLATE, "cart.%{{environment_name}}");
    });
    stage.expect_fqdn("shop", "cart", "cart.prod.example.com");
}

#[test]
fn a_type_that_the_policy_lacks_does_not_stop_the_others() {
    let without = policy().replace(r#""AAAA", "#, "");
    let stage = stage(
        world(|world| {
            world.add_host("six", "2001:db8::6");
            let web = world.add_service("shop", "web");
            web.run_on("h1", 80).run_on("six", 80);
        }),
        &without,
    );
    let service = stage.run();
    stage.expect_zone(&[
        &state_line(&["web.shop.prod.example.com."]),
        "web.shop.prod.example.com. 300 A 203.0.113.1",
    ]);
    expect_refused(&service, "web.shop.prod.example.com. AAAA");
}

/// The names of before are still ours, but the policy has the environment's new name only.
#[test]
fn deletes_after_an_environment_was_renamed_do_not_stop_the_new_names() {
    let stage = stage(web(), &policy());
    let old = "web.shop.old.example.com.";
    stage.put(RecordSet::simple(old, "A", 300, &["203.0.113.9"]));
    let entry = format!("\"{old}\"");
    stage.put(RecordSet::simple(crate::stage::STATE, "TXT", 300, &[entry]));
    let service = stage.run();
    stage.expect_zone(&[
        &state_line(&["web.shop.old.example.com.", "web.shop.prod.example.com."]),
        "web.shop.old.example.com. 300 A 203.0.113.9",
        "web.shop.prod.example.com. 300 A 203.0.113.1",
    ]);
    expect_refused(&service, "web.shop.old.example.com. A");
    stage.settle();
    assert_eq!(stage.calls(CHANGE), 3);
}

/// Nothing can be published at all: the round fails, with what AWS says.
#[test]
fn a_policy_that_denies_all_fails_the_round() {
    let denying = policy().replace("*.prod.example.com", "*.other.example.com");
    let stage = stage(
        world(|world| {
            world.add_service("shop", "web").run_on("h1", 80);
            add(world, "cart", "cart");
        }),
        &denying,
    );
    let service = stage.run();
    let told = service.wait_for_log(PATIENCE, |line| {
        line.contains("a round failed") && line.contains("AccessDenied (403): User: arn:aws:iam::")
    });
    assert!(told.is_some());
    assert_eq!(stage.lines(), [] as [String; 0]);
    assert!(!service.log().iter().any(|l| l.contains("refuses a record")));
}

/// With a name template of its own, every name may be outside; those that the policy has go on.
#[test]
fn where_all_names_are_outside_the_denied_one_is_found() {
    let listed = policy().replace("*.prod.example.com", "*.shop.example.com");
    let stage = stage(
        world(|world| {
            for i in 0..20 {
                let name = format!("web{i}");
                world.add_service("shop", &name).run_on("h1", 80);
            }
            add(world, "cart", "cart");
        }),
        &listed,
    );
    let template = ("NAME_TEMPLATE", "%{{service_name}}.%{{stack_name}}");
    let service = stage.run_with(&[], &[template, ("ROUTE53_REQUEST_RATE", "1000")]);
    stage.expect_addresses(20);
    expect_refused(&service, "cart.example.com. A");
    stage.settle();
    // One of them writes the claim alone, while all names wait to be tried.
    assert!(stage.calls(CHANGE) <= 12, "{}", stage.calls(CHANGE));
}
