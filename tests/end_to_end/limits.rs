//! What Rancher may not make the program do: go elsewhere, or read without end.

use crate::stage::{PATIENCE, Stage, each, state_line, web};
use sim::credentials::Endpoint;
use sim::http::Response;
use sim::rancher::{Fault, Rancher};
use sim::service::Service;

const NAME: &str = "web.shop.prod.example.com";
/// Far more than it may take for an answer, in bytes.
const HUGE: usize = 64 << 20;
/// Less than that; usual are some 15 MB, and this is a build without optimisation.
const MOST_KB: u64 = 60_000;

/// Somebody else's server, which would answer to anything.
fn elsewhere() -> Endpoint {
    Endpoint::start(|_| Response::new(200, "application/json", "{}"))
}

fn expect(service: &Service, words: &[&str]) {
    let fits = |line: &str| words.iter().all(|word| line.contains(word));
    assert!(service.wait_for_log(PATIENCE, fits).is_some(), "{words:?}");
}

fn is_shown(stage: &Stage, count: usize) {
    let shown = stage
        .rancher
        .wait_until(PATIENCE, |state| state.faults_shown() >= count);
    assert!(shown, "it is tried again");
}

#[test]
fn redirects_of_metadata_are_not_followed() {
    each([None, Some("services"), Some("self/stack")], |path| {
        let elsewhere = elsewhere();
        let stage = Stage::new(web());
        let to = format!("{}/2015-12-19/there", elsewhere.url());
        let fault = Fault::Redirect(to);
        stage.rancher.inject_metadata(path, fault, usize::MAX);
        let service = stage.run();
        expect(&service, &["metadata is unavailable", "status 302"]);
        is_shown(&stage, 3);
        assert_eq!(elsewhere.requests().len(), 0, "{path:?}");
        stage.rancher.clear_faults();
        stage.expect_fqdn("shop", "web", NAME);
        assert_eq!(elsewhere.requests().len(), 0, "{path:?}");
    });
}

/// The keys would go there.
#[test]
fn redirects_of_the_api_are_not_followed() {
    type Inject = fn(&Rancher, Fault);
    let everything: Inject = |rancher, fault| rancher.inject_api(fault, usize::MAX);
    let events: Inject = |rancher, fault| rancher.inject_events(fault, usize::MAX);
    each([everything, events], |inject| {
        let elsewhere = elsewhere();
        let stage = Stage::new(web());
        let to = format!("{}/v2-beta", elsewhere.url());
        inject(&stage.rancher, Fault::Redirect(to));
        let service = stage.run();
        let words = ["can't be written back", "redirects are not followed"];
        expect(&service, &words);
        is_shown(&stage, 2);
        assert_eq!(elsewhere.requests().len(), 0);
        stage.rancher.clear_faults();
        stage.expect_fqdn("shop", "web", NAME);
        assert_eq!(elsewhere.requests().len(), 0);
    });
}

fn is_small(service: &Service) {
    let memory = service.memory().expect("it runs");
    assert!(memory.high_water_kb < MOST_KB, "{memory:?}");
}

/// It would be right but for its size.
#[test]
fn a_version_without_end_is_not_read() {
    each([8 << 10, HUGE], |size| {
        let stage = Stage::new(web());
        let fault = Fault::HugeBody(size);
        let version = Some("version");
        stage.rancher.inject_metadata(version, fault, usize::MAX);
        let service = stage.run();
        let words = ["metadata is unavailable", "/version", "larger than"];
        expect(&service, &words);
        is_shown(&stage, 3);
        assert_eq!(stage.lines(), [] as [String; 0]);
        is_small(&service);
        stage.rancher.clear_faults();
        stage.expect_fqdn("shop", "web", NAME);
    });
}

/// The schemas may have 8 MiB.
#[test]
fn schemas_without_end_are_not_read() {
    let stage = Stage::new(web());
    // The root is read for its head only, so it isn't this that is too much.
    let fault = Fault::HugeBody(9 << 20);
    stage.rancher.inject_api(fault, usize::MAX);
    let service = stage.run_with(&["check"], &[]);
    let status = service.wait(PATIENCE).and_then(|status| status.code());
    assert_eq!(status, Some(1));
    let printed = service.stdout();
    let line = printed.lines().find(|line| line.contains("rancher"));
    let line = line.expect("a line about Rancher");
    for words in [
        "/v2-beta/schemas can't be read",
        "larger than request limit",
    ] {
        assert!(line.contains(words), "{printed}");
    }
}

/// A proxy in between has a prefix that Rancher doesn't know of, so Rancher's link leads to nothing.
#[test]
fn where_the_link_to_the_schemas_leads_to_nothing_events_go_below_the_url() {
    let behind_a_prefix = Endpoint::start(|request| match (&*request.method, &*request.path) {
        ("GET", "/rancher/v2-beta") => Response::new(200, "application/json", "{}")
            .with_header("X-API-Schemas", "http://rancher:8080/v2-beta/schemas"),
        ("POST", "/rancher/v2-beta/externaldnsevents") => {
            Response::new(201, "application/json", "{}")
        }
        _ => Response::new(404, "text/html", "<html>"),
    });
    let stage = Stage::new(web());
    let url = format!("{}/rancher/v2-beta", behind_a_prefix.url());
    let service = stage.run_with(&[], &[("CATTLE_URL", &url)]);
    assert!(behind_a_prefix.wait_for_requests(3, PATIENCE));
    let asked = behind_a_prefix.requests();
    let asked: Vec<(&str, &str)> = asked.iter().map(|r| (&*r.method, &*r.path)).collect();
    let expected = [
        ("GET", "/rancher/v2-beta"),
        ("GET", "/v2-beta/schemas"),
        ("POST", "/rancher/v2-beta/externaldnsevents"),
    ];
    assert_eq!(asked[..3], expected);
    service.terminate();
    assert!(service.wait(PATIENCE).is_some());
    let check = stage.run_with(&["check"], &[("CATTLE_URL", &url)]);
    let code = check.wait(PATIENCE).and_then(|status| status.code());
    let stdout = check.stdout();
    // It may work, and does.
    let line = "\n! rancher     Rancher's link at ";
    assert!(
        stdout.contains(line) && stdout.contains("can't be told: check CATTLE_URL"),
        "{stdout}"
    );
    assert!(stdout.contains("look at the line"), "{stdout}");
    assert_eq!(code, Some(0), "{stdout}");
}

/// Whatever it says, Rancher has taken the event, as metadata shows.
#[test]
fn an_answer_to_an_event_without_end_is_not_read() {
    each([128 << 10, HUGE], |size| {
        let stage = Stage::new(web());
        let fault = Fault::HugeBody(size);
        stage.rancher.inject_events(fault, usize::MAX);
        let service = stage.run();
        expect(&service, &["can't be written back"]);
        stage.expect_fqdn("shop", "web", NAME);
        stage.settle();
        is_small(&service);
        stage.rancher.change(|world| {
            world.service_mut("shop", "web").move_from("h1", "h2");
        });
        stage.expect_zone(&[
            &state_line(&["web.shop.prod.example.com."]),
            "web.shop.prod.example.com. 300 A 203.0.113.2",
        ]);
    });
}
