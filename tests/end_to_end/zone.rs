//! A hosted zone that is deleted and made anew, and answers that are none of AWS's.

use crate::stage::{PATIENCE, Stage, ZONE, each, web};
use sim::route53::{Fault, Operation, State};

const ANEW: &str = "Z0ANEW";
const NAME: &str = "web.shop.prod.example.com.";

fn has_name(state: &State) -> bool {
    let zone = state.zone(ANEW);
    zone.is_some_and(|zone| zone.get(NAME, "A").is_some())
}

fn change(stage: &Stage) {
    stage.rancher.change(|world| {
        world.add_service("shop", "new").run_on("h2", 80);
    });
}

#[test]
fn a_zone_made_anew_is_found_by_its_name() {
    let stage = Stage::new(web());
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    stage.route53.remove_zone(ZONE);
    change(&stage);
    // There is none for a moment, which is said and waited for.
    for words in ["no hosted zone with the id", "no hosted zone example.com"] {
        let told = |line: &str| line.contains("a round failed") && line.contains(words);
        assert!(service.wait_for_log(PATIENCE, told).is_some(), "{words}");
    }
    stage.route53.add_zone(ANEW, "example.com", false);
    assert!(stage.route53.wait_until(PATIENCE, has_name));
    let found = |line: &str| {
        line.contains("the hosted zone was looked up again")
            && line.contains(&format!("id={ANEW}"))
            && line.contains(&format!("was={ZONE}"))
    };
    assert!(service.wait_for_log(PATIENCE, found).is_some());
    let succeeds = |line: &str| line.contains("rounds succeed again");
    assert!(service.wait_for_log(PATIENCE, succeeds).is_some());
    let (_, status) = crate::status::get(&service, "/status.json");
    assert!(status.contains(&format!("\"id\":\"{ANEW}\"")), "{status}");
}

#[test]
fn a_zone_that_is_named_by_its_id_is_not_replaced() {
    let stage = Stage::new(web());
    let service = stage.run_with(&[], &[("ROUTE53_ZONE_ID", ZONE)]);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    stage.route53.remove_zone(ZONE);
    stage.route53.add_zone(ANEW, "example.com", false);
    change(&stage);
    let status = service.wait(PATIENCE).and_then(|status| status.code());
    assert_eq!(status, Some(1));
    let log = service.log().join("\n");
    for words in [
        "the hosted zone is gone",
        "NoSuchHostedZone",
        "check ROUTE53_ZONE_ID",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
    assert!(
        !stage
            .route53
            .record_sets(ANEW)
            .iter()
            .any(|set| set.name == NAME)
    );
}

/// At the start and later, whatever the status: a page isn't AWS's refusal.
#[test]
fn a_page_of_somebody_in_between_is_waited_for() {
    let by_name = (Operation::ListHostedZonesByName, &[][..]);
    let by_id = (Operation::GetHostedZone, &[("ROUTE53_ZONE_ID", ZONE)][..]);
    let list = (Operation::ListResourceRecordSets, &[][..]);
    let send = (Operation::ChangeResourceRecordSets, &[][..]);
    let operations = [by_name, by_id, list, send];
    let cases = operations.map(|operation| [401, 403, 404, 407].map(|status| (operation, status)));
    each(
        cases.into_iter().flatten(),
        |((operation, settings), status)| {
            let stage = Stage::new(web());
            stage
                .route53
                .inject(Some(operation), Fault::Page(status), 2);
            let service = stage.run_with(&[], settings);
            stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
            let words = format!("HTTP {status} ({status}), which is no answer of AWS's");
            let told = service.wait_for_log(PATIENCE, |line| line.contains(&words));
            assert!(told.is_some(), "{words}: {:#?}", service.log());
        },
    );
}
