//! The metadata server, held against what was measured on a real one.

use super::*;
use serde_json::json;

const NOT_FOUND: &str = include_str!("../../../../samples/not-found.json");

fn get(url: &str) -> io::Result<Answer> {
    send("GET", url, &[("Accept", "application/json")], "")
}

fn ask(rancher: &Rancher, path: &str) -> Answer {
    get(&format!("{}/{path}", rancher.metadata_url())).unwrap()
}

fn poll(rancher: &Rancher, more: &str) -> Answer {
    let path = format!("version?wait=true&value={}{more}", rancher.version());
    ask(rancher, &path)
}

/// Asks on another thread, and comes back when the server is holding the poll.
fn held<'s>(
    scope: &'s thread::Scope<'s, '_>,
    rancher: &'s Rancher,
) -> thread::ScopedJoinHandle<'s, io::Result<Answer>> {
    let (url, version) = (rancher.metadata_url(), rancher.version());
    let asking = scope.spawn(move || {
        get(&format!(
            "{url}/version?wait=true&value={version}&maxWait=60"
        ))
    });
    assert!(rancher.wait_until_polled(ENOUGH));
    asking
}

#[test]
fn the_version_is_a_json_string_called_text() {
    let rancher = start();
    let answer = ask(&rancher, "version");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!(rancher.version()));
    assert_eq!(
        answer.header("Content-Type"),
        Some("text/plain; charset=utf-8")
    );
}

#[test]
fn json_comes_only_if_asked_for() {
    let rancher = start();
    let version = rancher.version();
    let quoted = format!("\"{version}\"");
    for (accept, body) in [
        ("application/json", &quoted),
        ("application/json, */*", &quoted),
        ("application/json;q=0.5, text/plain", &version),
        ("*/*", &version),
        ("text/html", &version),
    ] {
        let url = format!("{}/version", rancher.metadata_url());
        let answer = send("GET", &url, &[("Accept", accept)], "").unwrap();
        assert_eq!(answer.body, *body, "{accept}");
    }
    let url = format!("{}/services", rancher.metadata_url());
    let list = send("GET", &url, &[], "").unwrap().body;
    assert_eq!(list.lines().count(), 3);
    assert!(list.contains("=external-dns\n"), "{list}");
}

#[test]
fn paths_lead_into_the_tree() {
    let rancher = start();
    for path in [
        "self/stack/environment_name",
        "self/stack/environment_name/",
    ] {
        assert_eq!(ask(&rancher, path).json(), "Production EU");
    }
    assert_eq!(ask(&rancher, "services/Web/stack_name").json(), "Shop");
    assert_eq!(ask(&rancher, "hosts/h1/agent_ip").json(), "203.0.113.11");
    assert_eq!(ask(&rancher, "self").json()["stack"]["name"], "route53");
    assert_eq!(ask(&rancher, "").json()["version"], rancher.version());
    assert_eq!(ask(&rancher, "services/9").status, 404);
    assert_eq!(ask(&rancher, "nowhere").status, 404);
    let root = rancher.metadata_url();
    let root = root.strip_suffix(VERSION).unwrap();
    assert_eq!(get(root).unwrap().json()[VERSION], format!("/{VERSION}"));
    let unknown = get(&format!("{root}2014-01-01/version")).unwrap();
    assert_eq!((unknown.status, &*unknown.body), (404, NOT_FOUND));
    let twice = get(&format!("{root}{VERSION}//version?wait=true")).unwrap();
    assert_eq!(twice.status, 301);
    let there = format!("/{VERSION}/version?wait=true");
    assert_eq!(twice.header("Location"), Some(&*there));
    assert_eq!(
        send("POST", &format!("{root}{VERSION}"), &[], "")
            .unwrap()
            .status,
        404
    );
}

#[test]
fn a_later_api_version_has_names_in_lower_case() {
    let rancher = start();
    let url = rancher.metadata_url();
    for version in ["2016-07-29", "latest"] {
        let url = url.replace(VERSION, version);
        let web = get(&format!("{url}/services/web")).unwrap().json();
        assert_eq!(
            (&web["name"], &web["stack_name"]),
            (&json!("web"), &json!("shop"))
        );
    }
    assert_eq!(ask(&rancher, "services/Web").json()["name"], "Web");
}

#[test]
fn a_long_answer_comes_in_chunks() {
    let rancher = start();
    let answer = ask(&rancher, "services");
    assert!(answer.head.contains("Transfer-Encoding: chunked"));
    assert!(!answer.head.contains("Content-Length"));
    assert_eq!(answer.json().as_array().map(Vec::len), Some(3));
    rancher.change(|world| world.services.clear());
    let answer = ask(&rancher, "services");
    assert_eq!((answer.status, &*answer.body), (200, "null"));
}

#[test]
fn the_own_stack_is_unknown_without_the_callers_address() {
    let rancher = start();
    assert_eq!(ask(&rancher, "self/stack").json()["name"], "route53");
    rancher.change(|world| world.own_stack = None);
    assert_eq!(ask(&rancher, "self/stack").status, 404);
    assert_eq!(ask(&rancher, "services").status, 200);
}

#[test]
fn a_change_returns_the_long_poll_with_the_new_version() {
    let rancher = start();
    thread::scope(|scope| {
        for change in [true, false] {
            let asking = held(scope, &rancher);
            if change {
                rancher.change(|world| world.remove_stack("Shop"));
            } else {
                rancher.bump();
            }
            let answer = asking.join().unwrap().unwrap();
            assert_eq!(answer.json(), rancher.version());
        }
    });
    let requests = rancher.metadata_requests();
    assert!(requests.iter().all(|r| r.waited && r.status == Some(200)));
    assert_eq!(requests[0].path, "/2015-12-19/version");
    assert!(requests[0].query.ends_with("&maxWait=60"));
}

#[test]
fn a_value_that_is_not_the_version_returns_at_once() {
    let rancher = start();
    let quoted = format!("%22{}%22", rancher.version());
    for value in ["&value=old", "&value=", "", &format!("&value={quoted}")] {
        let answer = ask(&rancher, &format!("version?wait=true{value}&maxWait=60"));
        assert_eq!(answer.json(), rancher.version());
    }
    assert_eq!(poll(&rancher, "&maxWait=-1").status, 200);
    let same = format!("version?wait=1&value={}", rancher.version());
    assert_eq!(ask(&rancher, &same).status, 200);
    assert!(rancher.metadata_requests().iter().all(|r| !r.waited));
}

#[test]
fn a_long_poll_expires_on_a_tick_with_the_same_version() {
    let rancher = hurried();
    let version = rancher.version();
    for (wait, seconds) in [
        ("&maxWait=3", 3),
        ("&maxWait=10", 10),
        ("&maxWait=5s", 60),
        ("&maxWait=0", 60),
        ("", 60),
        ("&maxWait=500", 120),
    ] {
        let began = Instant::now();
        assert_eq!(poll(&rancher, wait).json(), version);
        let took = began.elapsed();
        let least = rancher.options().second * seconds;
        assert!(took >= least, "{wait}: {took:?}");
        // The tick, and more for a machine that is busy.
        let most = least + Duration::from_secs(2);
        assert!(took < most, "{wait}: {took:?}");
    }
    assert!(rancher.metadata_requests().iter().all(|r| r.waited));
}

#[test]
fn before_data_is_loaded_every_dated_path_is_404_at_once() {
    let rancher = start();
    let old = rancher.version();
    rancher.unload();
    for path in ["version", "services", "hosts", "self/stack", "nowhere"] {
        let answer = ask(&rancher, path);
        assert_eq!((answer.status, &*answer.body), (404, NOT_FOUND));
    }
    assert_eq!(poll(&rancher, "&maxWait=60").status, 404);
    rancher.load();
    let answer = ask(&rancher, "version");
    assert_eq!(answer.status, 200);
    assert_ne!(answer.json(), old);
}

#[test]
fn a_restart_breaks_long_polls_and_has_a_new_version_at_the_same_address() {
    let rancher = start();
    let (url, old) = (rancher.metadata_url(), rancher.version());
    thread::scope(|scope| {
        let asking = held(scope, &rancher);
        rancher.restart_metadata();
        assert!(asking.join().unwrap().is_err());
    });
    assert!(!rancher.wait_until(Duration::ZERO, State::is_polled));
    assert_eq!(rancher.metadata_url(), url);
    assert_ne!(ask(&rancher, "version").json(), old);
}

#[test]
fn a_stopped_server_refuses_connections_until_it_is_started() {
    let rancher = start();
    let url = format!("{}/version", rancher.metadata_url());
    rancher.stop_metadata();
    assert!(get(&url).is_err());
    rancher.start_metadata();
    assert_eq!(get(&url).unwrap().json(), rancher.version());
}

#[test]
fn faults_are_shown_as_often_as_asked_and_where() {
    let rancher = start();
    let url = |path: &str| format!("{}/{path}", rancher.metadata_url());
    rancher.inject_metadata(Some("services"), Fault::Status(503), 2);
    rancher.inject_metadata(Some("services"), Fault::Drop, 1);
    rancher.inject_metadata(Some("services"), Fault::Cut(100), 1);
    rancher.inject_metadata(Some("services"), Fault::Body("[{\"name\"".into()), 1);
    rancher.inject_metadata(Some("services"), Fault::Garbage, 1);
    rancher.inject_metadata(Some("services"), Fault::Hang(Duration::from_millis(20)), 1);
    assert_eq!(ask(&rancher, "hosts").status, 200);
    assert_eq!(ask(&rancher, "services").status, 503);
    assert_eq!(ask(&rancher, "services").status, 503);
    assert!(get(&url("services")).is_err());
    let cut = ask(&rancher, "services");
    assert_eq!((cut.status, cut.body.len()), (200, 100));
    assert_eq!(joined(&cut.body), None);
    assert_eq!(ask(&rancher, "services").body, "[{\"name\"");
    assert!(get(&url("services")).is_err());
    assert!(get(&url("services")).is_err());
    assert_eq!(ask(&rancher, "services").json()[0]["system"], false);
    let statuses: Vec<Option<u16>> = rancher
        .metadata_requests()
        .iter()
        .filter(|r| r.path.ends_with("/services"))
        .map(|r| r.status)
        .collect();
    let cut_and_body = [Some(200), Some(200)];
    let expected = [
        &[Some(503), Some(503), None],
        &cut_and_body[..],
        &[None, None, Some(200)],
    ];
    assert_eq!(statuses, expected.concat());
}

#[test]
fn a_fault_without_end_ends_when_cleared() {
    let rancher = start();
    rancher.inject_metadata(None, Fault::Status(500), usize::MAX);
    for path in ["version", "hosts", "hosts"] {
        assert_eq!(ask(&rancher, path).status, 500);
    }
    rancher.clear_faults();
    assert_eq!(ask(&rancher, "hosts").status, 200);
}

/// What a slow network does: the answer is from before the change.
#[test]
fn a_delayed_answer_is_an_old_one() {
    let rancher = start();
    rancher.inject_metadata(Some("hosts/h1"), Fault::Delay(ENOUGH), 1);
    thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&rancher, "hosts/h1"));
        assert!(rancher.wait_until(ENOUGH, |state| state.delayed() == 1));
        rancher.change(|world| world.host_mut("h1").state = "inactive".into());
        rancher.clear_faults();
        assert_eq!(asking.join().unwrap().json()["state"], "active");
    });
    assert_eq!(ask(&rancher, "hosts/h1").json()["state"], "inactive");
    assert!(rancher.wait_until(ENOUGH, |state| state.delayed() == 0));
}

#[test]
fn a_delay_ends_by_itself() {
    let rancher = start();
    let delay = Duration::from_millis(30);
    rancher.inject_metadata(None, Fault::Delay(delay), 1);
    let began = Instant::now();
    assert_eq!(ask(&rancher, "version").json(), rancher.version());
    assert!(began.elapsed() >= delay);
}

#[test]
fn ending_the_simulation_ends_a_long_poll() {
    let rancher = start();
    let url = format!(
        "{}/version?wait=true&value={}",
        rancher.metadata_url(),
        rancher.version()
    );
    let asking = thread::spawn(move || get(&url));
    assert!(rancher.wait_until_polled(ENOUGH));
    drop(rancher);
    assert!(asking.join().unwrap().is_err());
}

#[test]
fn forgotten_requests_do_not_come_back() {
    let rancher = start();
    thread::scope(|scope| {
        let asking = held(scope, &rancher);
        rancher.clear_requests();
        rancher.bump();
        assert_eq!(asking.join().unwrap().unwrap().status, 200);
    });
    assert!(rancher.metadata_requests().is_empty());
}

#[test]
fn a_condition_that_never_comes_is_given_up() {
    let rancher = start();
    assert!(!rancher.wait_until(Duration::from_millis(10), |state| state.version() == "x"));
}
