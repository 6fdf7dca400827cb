//! What is told once, and again only when it changes.

use crate::stage::{PATIENCE, Stage, ZONE, web};
use sim::route53::{Operation, RecordSet};
use sim::service::Service;

const POLICY: &str = "io.rancher.service.external_dns";

/// The lines with all of these words.
fn lines(service: &Service, words: &[&str]) -> Vec<String> {
    let mut log = service.log();
    log.retain(|line| words.iter().all(|word| line.contains(word)));
    log
}

/// Waits for a line with all of these words.
fn expect(service: &Service, words: &[&str]) {
    let fits = |line: &str| words.iter().all(|word| line.contains(word));
    assert!(service.wait_for_log(PATIENCE, fits).is_some(), "{words:?}");
}

/// Metadata changes several times in a way that concerns nobody.
fn unrelated(stage: &Stage) {
    for number in 0..3 {
        stage.rancher.change(|world| {
            world.service_mut("shop", "web").label("unrelated", number);
        });
        stage.settle();
    }
}

#[test]
fn a_service_that_is_skipped_is_told_once_for_each_reason() {
    let mut world = web();
    world
        .add_service("shop", "hidden")
        .run_unpublished_on("h1", 80);
    let stage = Stage::new(world);
    let service = stage.run_with(&[], &[("LOG_LEVEL", "debug")]);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    let about = ["service skipped", "service=shop/hidden"];
    expect(&service, &[about[0], about[1], "publishes a port"]);
    unrelated(&stage);
    assert_eq!(lines(&service, &about).len(), 1);

    stage.rancher.change(|world| {
        world.service_mut("shop", "hidden").label(POLICY, "never");
    });
    expect(&service, &[about[0], about[1], "'never'"]);
    unrelated(&stage);
    assert_eq!(lines(&service, &about).len(), 2);

    // What was published for a while and isn't any more is told again.
    for value in ["always", "never"] {
        stage.rancher.change(|world| {
            world.service_mut("shop", "hidden").label(POLICY, value);
        });
        stage.settle();
    }
    let mut told = 0;
    let is_told = |line: &str| {
        told += usize::from(about.iter().all(|word| line.contains(word)));
        told == 3
    };
    assert!(service.wait_for_log(PATIENCE, is_told).is_some());
    unrelated(&stage);
    let told = lines(&service, &about);
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told.iter().all(|line| line.contains("level=debug")));
    assert_eq!(lines(&service, &["service skipped", "shop/web"]).len(), 0);
}

#[test]
fn skipped_services_are_for_those_who_want_to_know() {
    let mut world = web();
    world
        .add_service("shop", "hidden")
        .run_unpublished_on("h1", 80);
    let stage = Stage::new(world);
    let service = stage.run_with(&[], &[("LOG_LEVEL", "info")]);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    unrelated(&stage);
    assert!(!lines(&service, &["created"]).is_empty());
    assert_eq!(lines(&service, &["hidden"]).len(), 0);
}

#[test]
fn a_label_that_is_not_understood_is_told_until_it_is() {
    let stage = Stage::new(web());
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    for value in ["sometimes", "perhaps"] {
        stage.rancher.change(|world| {
            world.service_mut("shop", "web").label(POLICY, value);
        });
        let about = ["level=warn", "a service has a warning", "shop/web", value];
        expect(&service, &about);
        unrelated(&stage);
        assert_eq!(lines(&service, &about).len(), 1);
    }
    // It counts as auto: nothing has changed.
    assert_eq!(stage.lines().len(), 2);
    stage.rancher.change(|world| {
        world.service_mut("shop", "web").label(POLICY, "auto");
    });
    expect(&service, &["a service's warning is gone", "shop/web"]);
}

#[test]
fn more_addresses_than_a_record_set_may_have_are_told() {
    let mut world = web();
    for number in 0..401 {
        let host = format!("many{number}");
        world.add_host(&host, &format!("10.1.{}.{}", number / 256, number % 256));
        let all = match number {
            0 => world.add_service("shop", "all"),
            _ => world.service_mut("shop", "all"),
        };
        all.run_on(&host, 80);
    }
    let stage = Stage::new(world);
    let service = stage.run();
    let name = "all.shop.prod.example.com";
    let about = ["level=warn", "there are too many addresses", name];
    expect(&service, &about);
    expect(
        &service,
        &["only the first 400 of 401 addresses are published"],
    );
    stage.expect_fqdn("shop", "all", name);
    unrelated(&stage);
    assert_eq!(lines(&service, &about).len(), 1);
    let lines = stage.lines();
    let start = format!("{name}. 300 A 10.1.0.0 ");
    let all = lines.iter().find(|line| line.starts_with(&start));
    assert_eq!(all.map(|line| line.split(' ').count()), Some(3 + 400));

    stage.rancher.change(|world| {
        world.service_mut("shop", "all").stop_on("many0");
    });
    expect(&service, &["all addresses fit again", name]);
}

const LEFT_ALONE: &str = "a record set is left alone";
const GONE: &str = "a conflict is gone";

/// Services `web` and `taken`; the latter's name has somebody else's record set.
fn with_a_conflict() -> Stage {
    let mut world = web();
    world.add_service("shop", "taken").run_on("h1", 80);
    let stage = Stage::new(world);
    let taken = "taken.shop.prod.example.com.";
    stage.put(RecordSet::simple(taken, "A", 60, &["192.0.2.1"]));
    stage
}

#[test]
fn a_conflict_is_told_once_when_it_starts_and_once_when_it_ends() {
    let stage = with_a_conflict();
    let service = stage.run();
    for times in 1..=2 {
        let taken = "what=\"taken.shop.prod.example.com. A\"";
        stage.settle();
        unrelated(&stage);
        let told = lines(&service, &["level=warn", LEFT_ALONE, taken]);
        assert_eq!(told.len(), times, "{told:#?}");
        assert_eq!(lines(&service, &[GONE]).len(), times - 1);

        stage.rancher.change(|world| {
            world.remove_service("shop", "taken");
        });
        stage.settle();
        unrelated(&stage);
        let gone = lines(&service, &["level=info", GONE, taken]);
        assert_eq!(gone.len(), times, "{gone:#?}");
        assert_eq!(lines(&service, &[LEFT_ALONE]).len(), times);

        stage.rancher.change(|world| {
            world.add_service("shop", "taken").run_on("h1", 80);
        });
    }
}

/// At the shortest interval that there is. Whatever lasts has been told, though each resync lists
/// the zone anew and tries again what was refused.
#[test]
fn a_resync_tells_only_what_is_new() {
    let stage = with_a_conflict();
    stage.rancher.change(|world| {
        world.add_service("shop", "bad").run_on("h1", 80);
        world.service_mut("shop", "web").label(POLICY, "sometimes");
    });
    let words = "RRSet of type A with DNS name bad.shop.prod.example.com. is not permitted.";
    stage.route53.edit(ZONE, |zone| {
        zone.refuse("bad.shop.prod.example.com.", "A", words)
    });
    let settings = [("RESYNC_INTERVAL", "10"), ("LOG_LEVEL", "info")];
    let service = stage.run_with(&[], &settings);
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    unrelated(&stage);
    let warnings = lines(&service, &["level=warn"]);
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    let resync = || {
        stage.route53.clear_requests();
        let is_done = stage.route53.wait_until(PATIENCE, |state| {
            let mut requests = state.requests().iter();
            requests.any(|r| r.operation == Some(Operation::ChangeResourceRecordSets))
        });
        assert!(is_done, "what was refused is tried again");
        stage.settle();
    };
    let before = service.log();
    resync();
    assert_eq!(service.log(), before);

    stage.route53.edit(ZONE, |zone| {
        zone.remove("taken.shop.prod.example.com.", "A")
    });
    resync();
    expect(
        &service,
        &["record set created", "taken.shop.prod.example.com."],
    );
    expect(&service, &[GONE, "taken.shop.prod.example.com. A"]);
    assert_eq!(
        service.log().len(),
        before.len() + 2,
        "{:#?}",
        service.log()
    );
}
