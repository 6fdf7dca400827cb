//! A log that nobody reads, as when a log driver stalls, and one that can't be written.

use crate::health::ask;
use crate::stage::{PATIENCE, Stage, each, web};
use sim::pipe;
use sim::rancher::World;
use sim::route53::{Fault, Operation};
use sim::service::Service;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, PipeReader, Read};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Where nothing is in flight, and a busy machine is allowed for.
const AT_ONCE: Duration = Duration::from_secs(1);
/// A batch in flight is given 0.7 s, and the log 0.2 s.
const SOON: Duration = Duration::from_millis(1_500);
/// So many lines fill the queue, and what is being written, more than once.
const HIDDEN: usize = 2_000;

/// Services that aren't published, which is worth a line for each.
fn add_hidden(world: &mut World) {
    for number in 0..HIDDEN {
        let name = format!("hidden{number:04}");
        world
            .add_service("shop", &name)
            .run_unpublished_on("h1", 80);
    }
}

fn add(stage: &Stage, name: &str) {
    stage.rancher.change(|world| {
        world.add_service("shop", name).run_on("h1", 80);
    });
}

fn expect(stage: &Stage, name: &str) {
    stage.expect_fqdn("shop", name, &format!("{name}.shop.prod.example.com"));
}

/// Exit 0 in time after SIGTERM.
fn ends_within(service: &Service, longest: Duration) {
    let start = Instant::now();
    service.terminate();
    let status = service.wait(PATIENCE).and_then(|status| status.code());
    assert_eq!(status, Some(0));
    let took = start.elapsed();
    assert!(took < longest, "it took {took:?}");
}

/// The first line with these words.
fn line(log: &mut impl BufRead, words: &str) -> String {
    let mut lines = log.lines().map(|line| line.expect("text"));
    let line = lines.find(|line| line.contains(words));
    line.unwrap_or_else(|| panic!("no line has {words:?}"))
}

/// A service at work whose log was read until it had found its place, and then no more.
struct Stalled {
    stage: Stage,
    service: Service,
    log: BufReader<PipeReader>,
    health: SocketAddr,
}

impl Stalled {
    fn start() -> Stalled {
        let stage = Stage::new(web());
        let (log, stderr) = std::io::pipe().unwrap();
        let service = stage.run_into(&[], &[], Stdio::null(), stderr);
        let mut log = BufReader::new(log);
        let health = line(&mut log, "health checks are answered");
        let (_, health) = health.rsplit_once("address=").unwrap();
        expect(&stage, "web");
        stage.settle();
        pipe::fill(log.get_ref());
        Stalled {
            health: health.parse().unwrap(),
            stage,
            service,
            log,
        }
    }

    /// More to log than can wait, and a change; then another one.
    fn goes_on(&self) {
        self.stage.rancher.change(|world| {
            add_hidden(world);
            world.add_service("shop", "late").run_on("h1", 80);
        });
        expect(&self.stage, "late");
        add(&self.stage, "later");
        expect(&self.stage, "later");
        for path in ["/ping", "/status", "/metrics"] {
            let answer = ask(self.health, &format!("GET {path} HTTP/1.0\r\n\r\n"));
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        }
    }
}

#[test]
fn the_loop_goes_on_and_ends_when_it_is_told_to() {
    let stalled = Stalled::start();
    stalled.goes_on();
    ends_within(&stalled.service, AT_ONCE);
}

/// Also where it has as good as nothing to say.
#[test]
fn a_log_that_is_blocked_with_room_in_the_queue_does_not_keep_it_from_ending() {
    let stalled = Stalled::start();
    ends_within(&stalled.service, AT_ONCE);
}

#[test]
fn a_batch_in_flight_and_a_blocked_log_together_are_waited_for_once() {
    let stalled = Stalled::start();
    stalled.goes_on();
    let hang = Fault::Hang(Duration::from_secs(600));
    let change = Operation::ChangeResourceRecordSets;
    let route53 = &stalled.stage.route53;
    route53.inject(Some(change), hang.clone(), 1);
    add(&stalled.stage, "last");
    let is_in_flight = route53.wait_until(PATIENCE, |state| {
        let mut requests = state.requests().iter();
        requests.any(|request| request.fault.as_ref() == Some(&hang))
    });
    assert!(is_in_flight);
    ends_within(&stalled.service, SOON);
}

/// What could wait is there, in order; where lines are missing a line says how many.
#[test]
fn once_somebody_reads_again_the_log_says_how_many_lines_are_lost() {
    let mut stalled = Stalled::start();
    stalled.goes_on();
    let mut lines = Vec::new();
    for line in stalled.log.by_ref().lines().map(Result::unwrap) {
        let is_notice = line.contains("lines of the log are lost");
        lines.push(line);
        if is_notice {
            break;
        }
    }
    let notice = lines.pop().unwrap_or_default();
    assert!(notice.contains("level=warn") && notice.contains("the log was blocked"));
    lines.retain(|line| !line.is_empty());
    for line in &lines {
        assert!(
            line.starts_with("time=") && line.contains(" msg="),
            "{line}"
        );
    }
    let kept = |line: &String| line.contains("service=shop/hidden");
    let first = lines.iter().position(kept).expect("a service skipped");
    let kept = &lines[first..];
    assert!(kept.len() < HIDDEN, "nothing was lost");
    for (number, line) in kept.iter().enumerate() {
        let service = format!("service=shop/hidden{number:04} ");
        assert!(line.contains(&service), "{line} instead of {service}");
    }
    let (_, lost) = notice.split_once("lines=").unwrap();
    let lost: usize = lost.split(' ').next().unwrap().parse().unwrap();
    // Besides those of the services: what was written down of two rounds.
    let at_least = HIDDEN - kept.len();
    assert!((at_least..at_least + 100).contains(&lost), "{lost}");

    add(&stalled.stage, "last");
    line(
        &mut stalled.log,
        "msg=\"record set created\" name=last.shop",
    );
    ends_within(&stalled.service, AT_ONCE);
    line(&mut stalled.log, "msg=stopping");
}

/// It is there before its reader is, and stays when the reader goes.
#[test]
fn a_named_pipe_needs_no_reader() {
    let stage = Stage::new(web());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    pipe::named(&path);
    let argument = format!("-log={}", path.display());
    let service = stage.run_with(&[&argument], &[]);
    expect(&stage, "web");
    let mut log = BufReader::new(File::open(&path).unwrap());
    line(&mut log, "msg=\"record set created\" name=web.shop");
    drop(log);
    stage.rancher.change(|world| {
        add_hidden(world);
        world.add_service("shop", "late").run_on("h1", 80);
    });
    expect(&stage, "late");
    ends_within(&service, AT_ONCE);
    assert_eq!(service.log(), [""; 0]);
}

/// SIGTERM works before there is a log, too. As PID 1 nothing else would end it.
#[test]
fn a_setting_that_cannot_be_read_yet_does_not_keep_it_from_ending() {
    let stage = Stage::new(web());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    pipe::named(&path);
    let mut environment = stage.environment();
    environment.retain(|(name, _)| *name != "AWS_SECRET_ACCESS_KEY");
    environment.push(("AWS_SECRET_ACCESS_KEY_FILE", path.display().to_string()));
    let service = Service::spawn(crate::stage::program(), &[], &environment);
    // This blocks until the other end is opened.
    let _writer = OpenOptions::new().write(true).open(&path).unwrap();
    ends_within(&service, AT_ONCE);
}

/// What the last words are written to may be blocked: that is no reason to stay.
#[test]
fn what_ends_it_ends_it_without_a_reader() {
    let wrong_setting: &[(&'static str, &str)] = &[("TTL", "x")];
    let no_such_zone: &[(&'static str, &str)] = &[("ROOT_DOMAIN", "example.net")];
    let cases: [(&[&str], _, _); 6] = [
        (&["dance"], &[][..], 2),
        (&[], wrong_setting, 2),
        (&[], no_such_zone, 1),
        (&["once"], no_such_zone, 1),
        (&["plan"], no_such_zone, 1),
        (&["once"], &[], 0),
    ];
    each(cases, |(arguments, settings, code)| {
        let stage = Stage::new(web());
        let (stderr, end) = std::io::pipe().unwrap();
        pipe::fill(&stderr);
        let service = stage.run_into(arguments, settings, Stdio::piped(), end);
        let status = service.wait(PATIENCE).and_then(|status| status.code());
        assert_eq!(status, Some(code), "{arguments:?} {settings:?}");
    });
}

#[test]
fn a_log_file_on_a_full_disk_is_told_of_once_and_nothing_else_changes() {
    let stage = Stage::new(web());
    let is_full = |service: &Service| {
        let log = service.log();
        assert_eq!(log.len(), 1, "{log:#?}");
        let words = "level=error msg=\"the log file can't be written";
        assert!(log[0].contains(words), "{}", log[0]);
        assert!(log[0].contains("No space left on device"), "{}", log[0]);
    };
    let once = stage.run_with(&["once", "-log=/dev/full"], &[]);
    let status = once.wait(PATIENCE).and_then(|status| status.code());
    assert_eq!(status, Some(0));
    is_full(&once);

    let service = stage.run_with(&["-log=/dev/full"], &[]);
    expect(&stage, "web");
    add(&stage, "late");
    expect(&stage, "late");
    stage.settle();
    ends_within(&service, AT_ONCE);
    is_full(&service);
}

#[test]
fn a_full_disk_behind_stderr_changes_nothing() {
    let stage = Stage::new(web());
    let full = || {
        fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let service = stage.run_into(&[], &[], Stdio::null(), full());
    expect(&stage, "web");
    add(&stage, "late");
    expect(&stage, "late");
    ends_within(&service, AT_ONCE);
    // Nor is the exit code another one.
    let service = stage.run_into(&["dance"], &[], Stdio::null(), full());
    let status = service.wait(PATIENCE).and_then(|status| status.code());
    assert_eq!(status, Some(2));
}
