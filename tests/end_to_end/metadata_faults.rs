//! Metadata that is unavailable is not empty.

use crate::stage::{PATIENCE, Stage, each, state_line, web, world};
use sim::rancher::Fault;
use std::time::Duration;

#[test]
fn whatever_is_wrong_with_metadata_nothing_is_changed_and_it_goes_on_by_itself() {
    let foreign_stack =
        r#"[{"name":"x","stack_name":"y","kind":"service","containers":null}]"#.to_owned();
    let ours = |stack: &str, containers: &str| {
        let body = format!(
            r#"[{{"name":"external-dns","stack_name":"route53","kind":"service",
                "containers":{containers}}},{{"name":"web","stack_name":"{stack}",
                "kind":"service","containers":[{{"state":"running"}}]}}]"#
        );
        ("services", Fault::Body(body), "has a running container")
    };
    let cases = [
        ours("shop", "null"),
        ours("shop", "[]"),
        ours("shop", r#"[{"state":"stopped"},{"state":null}]"#),
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
        ("self/stack", Fault::Cut(20), "/self/stack"),
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
        ("version", Fault::Cut(3), "/version"),
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
        // Not only the first time.
        let thrice = stage
            .rancher
            .wait_until(PATIENCE, |state| state.faults_shown() >= 4);
        assert!(thrice, "{path} {fault:?}: it is tried again and again");
        assert_eq!(stage.lines(), before, "{path} {fault:?}");
        assert_eq!(stage.route53.requests().len(), 0, "{path} {fault:?}");

        stage.rancher.clear_faults();
        stage.expect_fqdn("shop", "new", "new.shop.prod.example.com");
        let again = service.wait_for_log(PATIENCE, |line| line.contains("available again"));
        assert!(again.is_some(), "{path} {fault:?}");
    });
}

/// The program is started before Rancher calls its container running. A sidekick beside it, or
/// another service of its stack, will do as well: which one is its own isn't asked.
#[test]
fn a_container_of_ours_that_starts_is_enough() {
    let states = ["starting", "restarting", "updating-running", "stopped"];
    each(states, |state| {
        let stage = Stage::new(world(|world| {
            world.add_service("shop", "web").run_on("h1", 80);
            let own = world.service_mut("route53", "external-dns");
            own.state_on("infra", state);
            if state == "stopped" {
                let sidekick = world.add_sidekick("route53", "external-dns", "data");
                sidekick.add_container("infra");
            }
        }));
        let _service = stage.run();
        stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    });
}

/// What isn't there within 15 s isn't waited for any longer.
#[test]
fn a_server_that_falls_silent_is_given_up_on() {
    each(["services", "hosts", "self/stack"], |path| {
        let stage = Stage::new(web());
        let service = stage.run();
        stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
        stage.settle();
        let before = stage.lines();
        stage.route53.clear_requests();
        stage
            .rancher
            .inject_metadata(Some(path), Fault::Hang(Duration::from_secs(600)), 1);
        stage.rancher.change(|world| {
            world.add_service("shop", "new").run_on("h2", 80);
        });
        let said = service.wait_for_log(PATIENCE, |line| {
            line.contains(&format!("/{path}: time is up"))
        });
        assert!(said.is_some(), "{path}: {:#?}", service.log());
        stage.expect_fqdn("shop", "new", "new.shop.prod.example.com");
        let is_kept = |line: &String| stage.lines().contains(line);
        assert!(before.iter().skip(1).all(is_kept), "{path}");
        let requests = stage.route53.requests();
        let changes: Vec<usize> = requests.iter().map(|request| request.changes).collect();
        assert_eq!(changes, [3], "{path}: one batch, with the state record");
    });
}

/// A long poll is given up on 8 s after the time that it asked for, which is short while deletes
/// wait to be confirmed. That nobody contradicts them doesn't confirm them.
#[test]
fn a_long_poll_that_is_never_answered_is_given_up_on() {
    let stage = Stage::new(world(|world| {
        world.add_service("shop", "web").run_on("h1", 80);
        world.add_service("shop", "gone").run_on("h1", 80);
    }));
    let settings = [
        ("DELETE_GUARD_PERCENT", "0"),
        ("DELETE_GUARD_MIN", "0"),
        ("DELETE_GUARD_HOLD", "2"),
    ];
    let service = stage.run_with(&[], &settings);
    for name in ["web", "gone"] {
        stage.expect_fqdn("shop", name, &format!("{name}.shop.prod.example.com"));
    }
    stage.settle();
    stage.rancher.clear_requests();
    stage.route53.clear_requests();
    // The version is asked for once more after the documents, and then waited for.
    let version = Some("version");
    let hang = Fault::Hang(Duration::from_secs(600));
    stage
        .rancher
        .inject_metadata(version, Fault::Delay(Duration::ZERO), 1);
    stage.rancher.inject_metadata(version, hang, 1);
    stage.rancher.change(|world| {
        world.remove_service("shop", "gone");
    });
    let waits = |line: &str| line.contains("deletes wait");
    assert!(service.wait_for_log(PATIENCE, waits).is_some());
    let said = service.wait_for_log(PATIENCE, |line| line.contains("/version: time is up"));
    assert!(said.is_some(), "{:#?}", service.log());
    stage.expect_zone(&[
        &state_line(&["web.shop.prod.example.com."]),
        "web.shop.prod.example.com. 300 A 203.0.113.1",
    ]);
    let requests = stage.rancher.metadata_requests();
    let mut since = requests.iter().skip_while(|r| r.status.is_some());
    let query = &since.next().expect("one without an answer").query;
    assert!(query.contains("wait=true") && query.contains("maxWait=2"));
    let read_anew = since.find(|request| request.path.ends_with("/services"));
    let read_anew = read_anew.expect("metadata is read anew").at;
    stage.settle();
    let requests = stage.route53.requests();
    let written: Vec<_> = requests.iter().filter(|request| request.applied).collect();
    assert_eq!(written.len(), 1);
    assert!(written[0].at > read_anew);
}

#[test]
fn a_restarted_server_that_has_not_loaded_everything_is_waited_for() {
    let stage = Stage::new(web());
    let service = stage.run();
    stage.expect_fqdn("shop", "web", "web.shop.prod.example.com");
    stage.settle();
    stage.route53.clear_requests();
    stage.rancher.unload();
    // A port may have these digits, too.
    let is_unloaded = |line: &str| line.contains(": 404, the server has not loaded");
    assert!(service.wait_for_log(PATIENCE, is_unloaded).is_some());
    stage.rancher.load();
    stage.settle();
    stage.rancher.stop_metadata();
    let said = |line: &str| line.contains("metadata is unavailable") && !is_unloaded(line);
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
        &state_line(&["web.shop.prod.example.com."]),
        "web.shop.prod.example.com. 300 A 203.0.113.9",
    ]);
    // The zone is changed a moment before the request is on record.
    let is_recorded = |state: &sim::route53::State| !state.requests().is_empty();
    assert!(stage.route53.wait_until(PATIENCE, is_recorded));
    let requests = stage.route53.requests();
    let batches: Vec<usize> = requests.iter().map(|request| request.changes).collect();
    assert_eq!(batches, [2], "one DELETE and CREATE, and no detour");
}
