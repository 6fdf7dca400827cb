//! Metadata that is unavailable is not empty.

use crate::stage::{PATIENCE, Stage, each, web};
use sim::rancher::Fault;
use std::time::Duration;

#[test]
fn whatever_is_wrong_with_metadata_nothing_is_changed_and_it_goes_on_by_itself() {
    let foreign_stack =
        r#"[{"name":"x","stack_name":"y","kind":"service","containers":null}]"#.to_owned();
    let cases = [
        ("services", Fault::Body("null".into()), "our own stack"),
        ("services", Fault::Body("[]".into()), "our own stack"),
        ("services", Fault::Body(foreign_stack), "our own stack"),
        ("services", Fault::Cut(1000), "/services"),
        ("services", Fault::Cut(0), "/services"),
        (
            "services",
            Fault::Body("[{\"name\":".into()),
            "/services: the list is cut off",
        ),
        (
            "services",
            Fault::Body("{}".into()),
            "/services: expected a list or null",
        ),
        (
            "services",
            Fault::Body("<html>".into()),
            "/services: expected a list or null",
        ),
        ("services", Fault::Status(404), "/services: 404"),
        ("services", Fault::Status(500), "/services: status 500"),
        ("services", Fault::Status(302), "/services: status 302"),
        ("services", Fault::Drop, "/services"),
        ("services", Fault::Garbage, "/services"),
        ("services", Fault::Hang(Duration::from_secs(1)), "/services"),
        (
            "hosts",
            Fault::Body("{\"code\":404}".into()),
            "/hosts: expected a list or null",
        ),
        ("hosts", Fault::Body("null".into()), "/hosts: it is empty"),
        ("hosts", Fault::Body("[]".into()), "/hosts: it is empty"),
        ("hosts", Fault::Status(404), "/hosts: 404"),
        ("hosts", Fault::Cut(20), "/hosts"),
        ("self/stack", Fault::Status(404), "/self/stack: 404"),
        (
            "self/stack",
            Fault::Body("null".into()),
            "/self/stack: invalid type",
        ),
        ("self/stack", Fault::Body("{}".into()), "environment_name"),
        ("version", Fault::Status(404), "/version: 404"),
        (
            "version",
            Fault::Body("not json".into()),
            "/version: expected a JSON string",
        ),
    ];
    each(cases, |(path, fault, words)| {
        let stage = Stage::new(web());
        let service = stage.run();
        stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
        stage.settle();
        let before = stage.lines();
        stage.route53.clear_requests();

        stage
            .rancher
            .inject_metadata(Some(path), fault.clone(), usize::MAX);
        stage.rancher.change(|world| {
            world.add_service("shop", "new").run_on("h2", 80);
        });
        let said = service.wait_for_log(PATIENCE, |line| {
            line.contains("metadata is unavailable") && line.contains(words)
        });
        assert!(
            said.is_some(),
            "{path} {fault:?}: no line says {words}: {:#?}",
            service.log()
        );
        assert_eq!(stage.lines(), before, "{path} {fault:?}");
        assert_eq!(stage.route53.requests().len(), 0, "{path} {fault:?}");

        stage.rancher.clear_faults();
        stage.expect_fqdn("shop", "new", "new.shop.prod.example.com");
        let again = service.wait_for_log(PATIENCE, |line| line.contains("available again"));
        assert!(again.is_some(), "{path} {fault:?}");
    });
}

#[test]
fn a_server_that_falls_silent_is_given_up_on() {
    let stage = Stage::new(web());
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    let before = stage.lines();
    stage
        .rancher
        .inject_metadata(Some("services"), Fault::Hang(Duration::from_secs(600)), 1);
    stage.rancher.change(|world| {
        world.add_service("shop", "new").run_on("h2", 80);
    });
    let said = service.wait_for_log(PATIENCE, |line| line.contains("time is up"));
    assert!(said.is_some());
    assert_eq!(stage.lines(), before);
    stage.expect_fqdn("shop", "new", "new.shop.prod.example.com");
}

#[test]
fn a_restarted_server_that_has_not_loaded_everything_is_waited_for() {
    let stage = Stage::new(web());
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    stage.route53.clear_requests();
    stage.rancher.unload();
    assert!(
        service
            .wait_for_log(PATIENCE, |line| line.contains("404"))
            .is_some()
    );
    stage.rancher.load();
    stage.settle();
    stage.rancher.stop_metadata();
    let said = |line: &str| line.contains("metadata is unavailable") && !line.contains("404");
    assert!(service.wait_for_log(PATIENCE, said).is_some());
    stage.rancher.start_metadata();
    stage.rancher.restart_metadata();
    stage.settle();
    assert_eq!(stage.route53.requests().len(), 0);
}

#[test]
fn a_snapshot_that_is_torn_by_a_change_is_read_again() {
    let stage = Stage::new(web());
    let _service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    stage.route53.clear_requests();
    // The hosts are read from before the move, the services from after it: a mixture in which
    // web's new host is unknown, so that it would be unpublished.
    stage
        .rancher
        .inject_metadata(Some("hosts"), Fault::Delay(Duration::from_secs(600)), 1);
    stage.rancher.bump();
    assert!(
        stage
            .rancher
            .wait_until(PATIENCE, |state| state.delayed() > 0)
    );
    stage.rancher.change(|world| {
        world.add_host("h9", "203.0.113.9");
        world.service_mut("shop", "web").move_from("h1", "h9");
    });
    stage.rancher.clear_faults();
    stage.expect_zone(&[
        &crate::stage::state_line(&["web.shop.prod.example.com."]),
        "web.shop.prod.example.com. 300 A 203.0.113.9",
    ]);
    // The zone is changed a moment before the request is on record.
    let is_recorded = |state: &sim::route53::State| !state.requests().is_empty();
    assert!(stage.route53.wait_until(PATIENCE, is_recorded));
    let requests = stage.route53.requests();
    let batches: Vec<usize> = requests.iter().map(|request| request.changes).collect();
    assert_eq!(batches, [2], "one DELETE and CREATE, and no detour");
}
