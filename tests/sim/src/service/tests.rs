//! With the shell as the program under test.

use super::*;
use crate::rancher::{Options, World};

const ENOUGH: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Service {
    let env = [("GREETING", "hello".to_owned())];
    Service::spawn(Path::new("/bin/sh"), &["-c", script], &env)
}

/// Says [`READY`], then stays until it is told to go. `tail` says it, not the shell: a shell catches
/// an interrupt, and forgets one that comes while it becomes another program. `env`, because whoever
/// runs the tests in the background has them, and what they start, ignore interrupts.
const STAYS: &str =
    "exec /usr/bin/env --default-signal=INT /usr/bin/tail -n 0 -f --verbose /dev/null >&2";
const READY: &str = "==> /dev/null <==";

#[test]
fn output_and_exit_status_are_kept() {
    let service = shell("echo one; echo two; echo oops >&2; exit 3");
    let status = service.wait(ENOUGH).unwrap();
    assert_eq!(status.code(), Some(3));
    assert_eq!(service.stdout(), "one\ntwo\n");
    assert_eq!(service.log(), ["oops"]);
    assert!(!service.is_running());
    assert_eq!(service.memory(), None);
}

#[test]
fn only_the_given_environment_is_passed_on() {
    let service = shell("echo $GREETING $HOME $USER $CARGO_TARGET_DIR");
    service.wait(ENOUGH).unwrap();
    assert_eq!(service.stdout(), "hello\n");
}

#[test]
fn a_line_is_found_whether_it_is_there_or_yet_to_come() {
    let service = shell("echo first >&2; read -r line </dev/null; echo last >&2");
    let find = |what: &str| service.wait_for_log(ENOUGH, |line| line == what);
    assert_eq!(find("last").as_deref(), Some("last"));
    assert_eq!(find("first").as_deref(), Some("first"));
    // It has ended, so there is nothing to wait for.
    let began = Instant::now();
    assert_eq!(find("never"), None);
    assert!(began.elapsed() < ENOUGH);
}

#[test]
fn signals_arrive() {
    for (send, number) in [
        (Service::terminate as fn(&Service), 15),
        (Service::interrupt, 2),
        (Service::kill, 9),
    ] {
        let service = shell(STAYS);
        assert!(service.wait_for_log(ENOUGH, |l| l == READY).is_some());
        assert_eq!(service.wait(Duration::ZERO), None);
        send(&service);
        let status = service.wait(ENOUGH).unwrap();
        assert_eq!(status.signal(), Some(number));
        // To one that has ended, nothing is sent.
        send(&service);
    }
}

#[test]
fn memory_and_processor_time_are_measured() {
    let service = shell(
        "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo ready >&2; exec /bin/sleep 600",
    );
    assert!(service.wait_for_log(ENOUGH, |l| l == "ready").is_some());
    let memory = service.memory().unwrap();
    assert!(memory.resident_kb > 0 && memory.high_water_kb > 0);
    assert!(service.cpu().unwrap() > Duration::ZERO);
    assert!(service.is_running());
}

#[test]
fn a_dropped_service_is_dead() {
    let service = shell(STAYS);
    assert!(service.wait_for_log(ENOUGH, |l| l == READY).is_some());
    let proc = format!("/proc/{}", service.pid());
    assert!(Path::new(&proc).exists());
    drop(service);
    assert!(!Path::new(&proc).exists());
}

#[test]
fn the_environment_points_to_the_simulation() {
    let rancher = Rancher::start(Options::default(), World::new("Default", "uuid"));
    let environment = environment(&rancher, "http://127.0.0.1:1", "example.com");
    let value = |name: &str| {
        let found = environment.iter().find(|(n, _)| *n == name);
        found.map(|(_, v)| v.clone())
    };
    assert_eq!(value("ROOT_DOMAIN").as_deref(), Some("example.com"));
    assert_eq!(value("METADATA_URL"), Some(rancher.metadata_url()));
    assert_eq!(value("CATTLE_URL"), Some(rancher.api_url()));
    assert_eq!(environment.len(), 10);
}

#[test]
fn lines_are_lines_however_they_come() {
    let mut output = Output::default();
    for part in ["on", "e\ntwo\n", "", "\nthr", "ee", "\n", "end"] {
        output.add(part.as_bytes());
    }
    assert_eq!(output.lines, ["one", "two", "", "three"]);
    output.end_line();
    assert_eq!(output.lines.pop().unwrap(), "end");
}

#[test]
fn what_was_written_before_is_in_the_log() {
    // Each round, the line is in the pipe before its echo on stdout.
    let service = shell("i=0; while [ $i -lt 300 ]; do echo $i >&2; echo $i; i=$((i+1)); done");
    for number in 0..300 {
        let number = number.to_string();
        assert!(
            service
                .stdout
                .wait_for(ENOUGH, |line| line == number)
                .is_some()
        );
        assert!(service.log().contains(&number), "{number}");
    }
}

#[test]
fn a_log_is_waited_for_while_its_thread_is_at_work() {
    let writes = shell(
        "printf log >/proc/self/comm; echo first >&2; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; \
         echo last >&2",
    );
    assert!(
        writes
            .wait_for_log(ENOUGH, |line| line == "first")
            .is_some()
    );
    assert_eq!(writes.log(), ["first", "last"]);
}
