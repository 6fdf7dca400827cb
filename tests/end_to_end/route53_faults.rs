//! Route 53 that drops, cuts, garbles, throttles and refuses: the zone is right in the end.

use crate::stage::{PATIENCE, Stage, ZONE, each, prompt, state_line, web};
use sim::route53::{self, Fault, Operation, RecordSet, RequestRecord};
use std::time::Duration;

const CHANGE: Operation = Operation::ChangeResourceRecordSets;
const LIST: Operation = Operation::ListResourceRecordSets;

#[test]
fn a_lost_or_garbled_answer_is_not_assumed_either_way() {
    let cases = [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::CutAfter(10),
        Fault::Garbled,
        Fault::Status(500),
        Fault::Status(503),
        Fault::StatusAfter(500),
        Fault::Throttle,
        Fault::PriorRequestNotComplete,
    ];
    each(cases, |fault| {
        let stage = Stage::new(web());
        stage.route53.inject(Some(CHANGE), fault.clone(), 1);
        let service = stage.run();
        stage.expect_zone(&[
            &state_line(&["web.shop.prod.example.com."]),
            "web.shop.prod.example.com. 300 A 203.0.113.1",
        ]);
        stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
        let requests = stage.route53.requests();
        let applied = requests.iter().filter(|request| request.applied).count();
        assert_eq!(applied, 1, "{fault:?}");
        is_asked_again_soon(&requests);
        // It may be applied later than the listing that showed that it wasn't.
        let is_known = matches!(fault, Fault::Throttle | Fault::PriorRequestNotComplete);
        let is_said = |line: &str| line.contains("the zone is listed again soon");
        if is_known {
            stage.settle();
            assert!(!service.log().iter().any(|line| is_said(line)), "{fault:?}");
        } else {
            assert!(
                service.wait_for_log(PATIENCE, is_said).is_some(),
                "{fault:?}"
            );
        }
    });
}

#[test]
fn a_listing_that_fails_is_made_again_and_never_taken_for_empty() {
    let cases = [
        Fault::DropBefore,
        Fault::CutAfter(200),
        Fault::Garbled,
        Fault::Status(500),
        Fault::Throttle,
        Fault::HugeBody(20 << 20),
    ];
    each(cases, |fault| {
        let stage = Stage::new(web());
        stage.put(RecordSet::simple(
            "web.shop.prod.example.com.",
            "A",
            60,
            &["192.0.2.1"],
        ));
        let before = stage.lines();
        stage.route53.inject(Some(LIST), fault.clone(), 2);
        let service = stage.run();
        let seen = service.wait_for_log(PATIENCE, |line| line.contains("left alone"));
        assert!(seen.is_some(), "{fault:?}");
        assert_eq!(stage.lines(), before);
        assert_eq!(stage.calls(CHANGE), 0, "{fault:?}");
        is_asked_again_soon(&stage.route53.requests());
    });
}

/// A fault costs seconds, not the minute after which a round that failed is made again.
fn is_asked_again_soon(requests: &[RequestRecord]) {
    let pairs = requests.windows(2);
    let faulted = pairs.filter(|pair| pair[0].fault.is_some());
    let pauses: Vec<Duration> = faulted
        .map(|pair| pair[1].at.saturating_duration_since(pair[0].done))
        .collect();
    assert!(!pauses.is_empty());
    let soon = Duration::from_secs(20);
    assert!(pauses.iter().all(|pause| *pause < soon), "{pauses:?}");
}

#[test]
fn a_listing_of_many_pages_is_read_to_its_end() {
    let stage = Stage::new(web());
    stage.route53.edit(ZONE, |zone| {
        for i in 0..700 {
            let name = format!("foreign{i:03}.prod.example.com.");
            zone.put(RecordSet::simple(&name, "A", 60, &["192.0.2.1"]));
            let other = format!("other{i:03}.example.com.");
            zone.put(RecordSet::simple(&other, "A", 60, &["192.0.2.1"]));
        }
        // The last one in our part of the zone is in the way.
        zone.put(RecordSet::simple(
            "web.shop.prod.example.com.",
            "A",
            60,
            &["192.0.2.1"],
        ));
    });
    let service = stage.run();
    assert!(
        service
            .wait_for_log(PATIENCE, |line| line.contains("left alone"))
            .is_some()
    );
    // One page for the state records, three for our part, and the state records once more
    // because of the conflict: what isn't ours isn't listed.
    assert_eq!(stage.calls(LIST), 5);
    assert_eq!(stage.calls(CHANGE), 0);
}

#[test]
fn errors_of_either_form_are_understood() {
    for old_error_form in [false, true] {
        let options = route53::Options {
            old_error_form,
            ..route53::Options::default()
        };
        let stage = Stage::with(web(), prompt(), options);
        let service = stage.run();
        stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
        stage.settle();
        // Someone else is faster: the batch is refused, the zone listed, the plan made anew.
        stage.put(RecordSet::simple(
            "new.shop.prod.example.com.",
            "A",
            60,
            &["192.0.2.1"],
        ));
        stage.rancher.change(|world| {
            world.add_service("shop", "new").run_on("h1", 80);
        });
        let seen = service.wait_for_log(PATIENCE, |line| {
            line.contains("left alone") && line.contains("new.shop.prod.example.com.")
        });
        assert!(seen.is_some(), "{old_error_form}");
        assert!(
            service
                .log()
                .iter()
                .any(|line| line.contains("but it already exists"))
        );
        let foreign = "new.shop.prod.example.com. 60 A 192.0.2.1".to_owned();
        assert!(stage.lines().contains(&foreign));
    }
}

#[test]
fn a_round_that_fails_is_made_again_by_itself() {
    let stage = Stage::new(web());
    stage.route53.inject(Some(CHANGE), Fault::Status(500), 5);
    let service = stage.run_with(&[], &[("ROUTE53_MAX_RETRIES", "1")]);
    assert!(
        service
            .wait_for_log(PATIENCE, |line| line.contains("a round failed"))
            .is_some()
    );
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    assert!(
        service
            .wait_for_log(PATIENCE, |line| line.contains("rounds succeed again"))
            .is_some()
    );
}

/// `ROUTE53_MAX_RETRIES` calls after the first, and no more, are part of the same round.
#[test]
fn a_call_is_made_again_so_many_times() {
    let cases = ["0", "1", "3"].map(|retries| [false, true].map(|fails| (retries, fails)));
    each(cases.into_iter().flatten(), |(retries, fails)| {
        let stage = Stage::new(web());
        let faults = retries.parse::<usize>().unwrap() + usize::from(fails);
        let fault = Fault::Status(503);
        stage.route53.inject(Some(CHANGE), fault, faults);
        let service = stage.run_with(&[], &[("ROUTE53_MAX_RETRIES", retries)]);
        stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
        assert_eq!(stage.calls(CHANGE), faults + 1);
        let failed = |line: &String| line.contains("a round failed");
        assert_eq!(service.log().iter().any(failed), fails, "{retries}");
    });
}
