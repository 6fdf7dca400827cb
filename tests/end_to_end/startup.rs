//! What may come up later is waited for; what only an operator can mend ends it with the reason.

use crate::stage::{PATIENCE, Stage, ZONE, web};
use sim::rancher::State;
use sim::route53::{Credential, Operation};

#[test]
fn what_only_an_operator_can_mend_ends_with_exit_1_and_the_reason() {
    type Settings = &'static [(&'static str, &'static str)];
    let cases: [(&str, Settings, &[&str]); 7] = [
        (
            "no such zone",
            &[("ROOT_DOMAIN", "example.net")],
            &["no hosted zone example.net"],
        ),
        (
            "several zones",
            &[("ROOT_DOMAIN", "twice.example")],
            &[
                "2 hosted zones",
                "Z1PUBLIC (public)",
                "Z2PRIVATE (private)",
                "ROUTE53_ZONE_ID",
            ],
        ),
        (
            "an id of another zone",
            &[("ROUTE53_ZONE_ID", "Z1PUBLIC")],
            &["ROUTE53_ZONE_ID=Z1PUBLIC is the zone twice.example, not ROOT_DOMAIN=example.com"],
        ),
        (
            "an id of no zone",
            &[("ROUTE53_ZONE_ID", "Z0NOTHING")],
            &["NoSuchHostedZone", "check ROUTE53_ZONE_ID"],
        ),
        (
            "a wrong secret",
            &[("AWS_SECRET_ACCESS_KEY", "wrong")],
            &["SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"],
        ),
        (
            "an unknown key",
            &[("AWS_ACCESS_KEY_ID", "AKIDUNKNOWN")],
            &["InvalidClientTokenId", "AWS_ACCESS_KEY_ID"],
        ),
        (
            "no permission",
            &[("AWS_ACCESS_KEY_ID", "AKIDDENIED")],
            &["AccessDenied", "route53:ListHostedZonesByName"],
        ),
    ];
    for (case, settings, words) in cases {
        let stage = Stage::new(web());
        stage.route53.add_zone("Z1PUBLIC", "twice.example", false);
        stage.route53.add_zone("Z2PRIVATE", "twice.example", true);
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let denied = Credential::new("AKIDDENIED", secret);
        stage.route53.rotate_credentials(vec![
            Credential::default(),
            denied.denying(Operation::ListHostedZonesByName),
        ]);
        let service = stage.run_with(&[], settings);
        assert_eq!(
            service.wait(PATIENCE).and_then(|s| s.code()),
            Some(1),
            "{case}"
        );
        let log = service.log().join("\n");
        for word in words {
            assert!(log.contains(word), "{case} should say {word}: {log}");
        }
        assert!(!log.contains(secret));
    }
}

#[test]
fn a_zone_can_be_named_by_its_id() {
    let stage = Stage::new(web());
    stage.route53.add_zone("Z9OTHER", "example.com", true);
    let _service = stage.run_with(&[], &[("ROUTE53_ZONE_ID", ZONE)]);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    assert_eq!(stage.lines().len(), 2);
    assert_eq!(stage.calls(Operation::GetHostedZone), 1);
}

#[test]
fn waits_for_route_53_metadata_and_rancher_with_a_line_at_each_try() {
    let stage = Stage::new(web());
    stage.route53.go_down();
    stage.rancher.unload();
    stage.rancher.stop_api();
    let service = stage.run();
    let mut seen = 0;
    let twice = service.wait_for_log(PATIENCE, |line| {
        seen += usize::from(line.contains("can't be looked up yet"));
        seen >= 2
    });
    assert!(twice.is_some());
    stage.route53.come_up();
    let waiting = |line: &str| line.contains("metadata is unavailable");
    assert!(service.wait_for_log(PATIENCE, waiting).is_some());
    stage.rancher.load();
    let waiting = |line: &str| line.contains("can't be written back");
    assert!(service.wait_for_log(PATIENCE, waiting).is_some());
    assert_eq!(stage.lines().len(), 2);
    stage.rancher.start_api();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
}

/// What has changed since is read again before the first batch.
#[test]
fn metadata_is_read_while_the_zone_is_looked_up() {
    let stage = Stage::new(web());
    stage.route53.go_down();
    let _service = stage.run();
    let is_read = |state: &State| {
        let mut requests = state.metadata_requests().iter();
        requests.any(|request| request.path.ends_with("/services") && request.status.is_some())
    };
    assert!(stage.rancher.wait_until(PATIENCE, is_read));
    stage.rancher.change(|world| {
        world.add_service("shop", "late").run_on("h1", 8081);
    });
    stage.route53.come_up();
    stage.expect_fqdn("shop", "late", "late.shop.prod.example.com");
    let requests = stage.route53.requests();
    let batches = requests.iter().filter(|request| request.applied);
    assert_eq!(batches.count(), 1);
}
